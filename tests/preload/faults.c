/* faults.c - preloaded into a node: system calls that fail, and a clock that is wrong. */
#include "preload/faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 8192

static faults_t *faults;

/* The call that this library stands before. */
#define NEXT(name, ...) \
    static __VA_ARGS__; \
    if (next == NULL) *(void **)&next = dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv(FAULTS_ENV);
    int fd = name == NULL ? -1 : open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) faults = map;
    close(fd);
}

static bool fails(uint32_t call)
{
    return faults != NULL && (faults->calls & call) != 0;
}

static bool hit(const char *path)
{
    if (strstr(path, faults->path) == NULL) return false;
    faults->hits++;
    errno = faults->error;
    return true;
}

static bool hit_fd(int fd)
{
    char link[64], path[PATH_BYTES];
    int error = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    errno = error;
    if (len < 0) return false;
    path[len] = '\0';
    return hit(path);
}

static bool hit_at(int dir, const char *name)
{
    char link[64], path[2 * PATH_BYTES];
    if (*name == '/' || dir == AT_FDCWD) return hit(name);
    int error = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t len = readlink(link, path, PATH_BYTES - 1);
    errno = error;
    if (len < 0) return false;
    snprintf(path + len, sizeof path - (size_t)len, "/%s", name);
    return hit(path);
}

/* --- files */

/* openat2 has no wrapper in this C library. */
long syscall(long number, ...)
{
    NEXT("syscall", long (*next)(long, long, long, long, long, long, long));
    va_list va;
    long a[6];
    va_start(va, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(va, long);
    va_end(va);
    bool opens = number == SYS_openat2 && fails(FAULT_OPEN);
    if (opens && hit_at((int)a[0], (const char *)a[1])) return -1;
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

ssize_t read(int fd, void *data, size_t len)
{
    NEXT("read", ssize_t(*next)(int, void *, size_t));
    if (fails(FAULT_READ) && hit_fd(fd)) return -1;
    return next(fd, data, len);
}

ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
    NEXT("pread", ssize_t(*next)(int, void *, size_t, off_t));
    if (fails(FAULT_READ) && hit_fd(fd)) return -1;
    return next(fd, data, len, offset);
}

ssize_t pread64(int fd, void *data, size_t len, off_t offset)
{
    return pread(fd, data, len, offset);
}

ssize_t write(int fd, const void *data, size_t len)
{
    NEXT("write", ssize_t(*next)(int, const void *, size_t));
    if (fails(FAULT_WRITE) && hit_fd(fd)) return -1;
    return next(fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    NEXT("pwrite", ssize_t(*next)(int, const void *, size_t, off_t));
    if (fails(FAULT_WRITE) && hit_fd(fd)) return -1;
    return next(fd, data, len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
    return pwrite(fd, data, len, offset);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
    NEXT("fallocate", int (*next)(int, int, off_t, off_t));
    if (fails(FAULT_WRITE) && hit_fd(fd)) return -1;
    return next(fd, mode, offset, len);
}

ssize_t copy_file_range(int from, off64_t *from_offset, int fd, off64_t *offset, size_t len,
                        unsigned flags)
{
    NEXT("copy_file_range", ssize_t(*next)(int, off64_t *, int, off64_t *, size_t, unsigned));
    if (fails(FAULT_WRITE) && hit_fd(fd)) return -1;
    return next(from, from_offset, fd, offset, len, flags);
}

int ftruncate(int fd, off_t size)
{
    NEXT("ftruncate", int (*next)(int, off_t));
    if (fails(FAULT_RESIZE) && hit_fd(fd)) return -1;
    return next(fd, size);
}

int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

int fsync(int fd)
{
    NEXT("fsync", int (*next)(int));
    if (fails(FAULT_SYNC) && hit_fd(fd)) return -1;
    return next(fd);
}

int fdatasync(int fd)
{
    NEXT("fdatasync", int (*next)(int));
    if (fails(FAULT_SYNC) && hit_fd(fd)) return -1;
    return next(fd);
}

int syncfs(int fd)
{
    NEXT("syncfs", int (*next)(int));
    if (fails(FAULT_SYNC) && hit_fd(fd)) return -1;
    return next(fd);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    NEXT("renameat2", int (*next)(int, const char *, int, const char *, unsigned));
    if (fails(FAULT_RENAME) && hit_at(to_dir, to)) return -1;
    return next(from_dir, from, to_dir, to, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return renameat2(from_dir, from, to_dir, to, 0);
}

int mkdirat(int dir, const char *name, mode_t mode)
{
    NEXT("mkdirat", int (*next)(int, const char *, mode_t));
    if (fails(FAULT_MKDIR) && hit_at(dir, name)) return -1;
    return next(dir, name, mode);
}

int unlinkat(int dir, const char *name, int flags)
{
    NEXT("unlinkat", int (*next)(int, const char *, int));
    if (fails(FAULT_UNLINK) && hit_at(dir, name)) return -1;
    return next(dir, name, flags);
}

int statx(int dir, const char *restrict name, int flags, unsigned mask,
          struct statx *restrict ret)
{
    NEXT("statx", int (*next)(int, const char *, int, unsigned, struct statx *));
    if (fails(FAULT_STAT) && (*name == '\0' ? hit_fd(dir) : hit_at(dir, name))) return -1;
    return next(dir, name, flags, mask, ret);
}

ssize_t getdents64(int dir, void *ret, size_t len)
{
    NEXT("getdents64", ssize_t(*next)(int, void *, size_t));
    if (fails(FAULT_LIST) && hit_fd(dir)) return -1;
    if (fails(FAULT_LATER) && lseek(dir, 0, SEEK_CUR) != 0 && hit_fd(dir)) return -1;
    return next(dir, ret, len);
}

/* --- the wall clock */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    NEXT("clock_gettime", int (*next)(clockid_t, struct timespec *));
    int result = next(clock, ret);
    bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (result == 0 && wall && faults != NULL) ret->tv_sec += faults->wall_s;
    return result;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret != NULL) *ret = now.tv_sec;
    return now.tv_sec;
}
