/* fs_linux_probe.c - what the file system under a folder offers, tried out in .crdtsync/tmp. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "io/fs_linux_internal.h"

/* Names that no content hash has. */
#define PROBE_A "probe-a"
#define PROBE_B "probe-b"
#define PROBE_C "probe-c"

static void clean(int dir)
{
    unlinkat(dir, PROBE_A, 0);
    unlinkat(dir, PROBE_B, 0);
    unlinkat(dir, PROBE_C, 0);
}

static int make(int dir, const char *name)
{
    return openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static bool keeps_mode(int dir, int fd, uint16_t mode)
{
    cs_stat_t st;
    return fchmod(fd, mode) == 0 && cs__linux_stat_at(dir, PROBE_A, &st) == CS_OK &&
           st.mode == mode;
}

/* An odd second and a full set of digits: what comes back shows the granularity. */
static int64_t mtime_step(int dir, int fd)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW},
                                {.tv_sec = 1000000001, .tv_nsec = 987654321}};
    int64_t wanted = 1000000001987654321, step = 1;
    cs_stat_t st;
    if (futimens(fd, times) != 0 || cs__linux_stat_at(dir, PROBE_A, &st) != CS_OK) {
        return 2000000000;
    }
    while (step < 1000000000 && wanted / step * step != st.print.mtime_ns) {
        step *= 10;
    }
    if (step == 1000000000 && wanted / step * step != st.print.mtime_ns) return 2 * step;
    return step;
}

/* A store of one byte, by the kernel: where there is no space for a page it says so (EFAULT),
 * and does not raise SIGBUS. */
static bool store(void *page)
{
    return getrandom(page, 1, 0) == 1;
}

/* Once its pages have been written out. Elsewhere (tmpfs) the first store into a page shows,
 * and none after it. */
static bool moves_mapped_times(int dir, int fd)
{
    cs_stat_t before, after;
    if (ftruncate(fd, 1) != 0) return false;
    void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) return false;
    bool good = store(page);
    cs__linux_write_out(fd);
    const struct timespec times[2] = {{.tv_sec = 1000000001}, {.tv_sec = 1000000001}};
    good = good && futimens(fd, times) == 0;
    good = good && cs__linux_stat_at(dir, PROBE_A, &before) == CS_OK;
    good = good && store(page);
    good = good && cs__linux_stat_at(dir, PROBE_A, &after) == CS_OK;
    (void)munmap(page, 1);
    return good && after.print.mtime_ns != before.print.mtime_ns;
}

static void probe_in(int dir, cs_fs_features_t *ret)
{
    clean(dir); /* a crash may have left them */
    int a = make(dir, PROBE_A);
    if (a < 0) return;
    cs_stat_t st;
    ret->btime = cs__linux_stat_at(dir, PROBE_A, &st) == CS_OK && st.print.btime_ns != 0;
    ret->modes = keeps_mode(dir, a, 0751) && keeps_mode(dir, a, 0640);
    ret->mtime_step_ns = mtime_step(dir, a);
    ret->mapped_times = moves_mapped_times(dir, a);
    close(a);
    ret->noreplace = renameat2(dir, PROBE_A, dir, PROBE_B, RENAME_NOREPLACE) == 0;
    ret->symlinks = symlinkat("target", dir, ret->noreplace ? PROBE_A : PROBE_B) == 0;
    clean(dir);

    a = make(dir, PROBE_A);
    int b = make(dir, PROBE_B);
    if (a >= 0 && b >= 0) {
        ret->links = linkat(dir, PROBE_A, dir, PROBE_C, 0) == 0;
        ret->shares = ioctl(b, FICLONE, a) == 0;
        ret->exchange = renameat2(dir, PROBE_A, dir, PROBE_B, RENAME_EXCHANGE) == 0;
    }
    if (a >= 0) close(a);
    if (b >= 0) close(b);
    clean(dir);
}

void cs__linux_probe(cs_fs_t *fs)
{
    cs_fs_features_t features = {.mtime_step_ns = 2000000000};
    int dir = -1;
    if (cs__linux_open_at(fs, cs_slice_text(CS_PRIVATE_DIR "/tmp"), O_PATH | O_DIRECTORY,
                          &dir) == CS_OK) {
        probe_in(dir, &features);
        close(dir);
    }
    fs->features = features;
}
