/* fs_linux_file.c - open files: reading, writing, metadata. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fs_linux_internal.h"

static int fd_of(const cs_file_t *file)
{
    return ((const cs__linux_file_t *)file)->fd;
}

static void wrap(cs_fs_t *fs, int fd, cs_file_t **ret)
{
    cs__linux_file_t *file = cs_calloc(1, sizeof *file);
    file->file.ops = fs->ops;
    file->fd = fd;
    *ret = &file->file;
}

static cs_err_t open_file(cs_fs_t *fs, cs_slice_t path, int flags, cs_file_t **ret)
{
    int fd = -1;
    /* O_NONBLOCK: a fifo that took the file's place must not hang us; files do not care. */
    cs_err_t err = cs__linux_open_at(fs, path, flags | O_NONBLOCK | O_NOCTTY, &fd);
    if (err != CS_OK) return err;
    struct stat st;
    if (fstat(fd, &st) != 0) {
        err = cs__linux_err(errno);
    } else if (S_ISDIR(st.st_mode)) {
        err = CS_ERR_IS_DIR;
    } else if (!S_ISREG(st.st_mode)) {
        err = CS_ERR_UNSUPPORTED;
    }
    if (err != CS_OK) {
        close(fd);
        return err;
    }
    wrap(fs, fd, ret);
    return CS_OK;
}

cs_err_t cs__linux_open_read(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    return open_file(fs, path, O_RDONLY, ret);
}

cs_err_t cs__linux_create(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    int fd = -1; /* of a regular file: there was nothing before */
    cs_err_t err = cs__linux_open_at(fs, path, O_RDWR | O_CREAT | O_EXCL, &fd);
    if (err == CS_OK) wrap(fs, fd, ret);
    return err;
}

cs_err_t cs__linux_open_write(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    return open_file(fs, path, O_RDWR, ret);
}

cs_err_t cs__linux_read(cs_file_t *file, uint64_t offset, void *data, size_t len,
                        size_t *ret_len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got =
            pread(fd_of(file), (uint8_t *)data + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno == EINVAL ? CS_ERR_IO : cs__linux_err(errno);
        if (got == 0) break;
        done += (size_t)got;
    }
    *ret_len = done;
    return CS_OK;
}

cs_err_t cs__linux_write(cs_file_t *file, uint64_t offset, const void *data, size_t len)
{
    for (size_t done = 0; done < len;) {
        const uint8_t *from = (const uint8_t *)data + done;
        ssize_t put = pwrite(fd_of(file), from, len - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0 && errno == EFBIG) {
            return CS_ERR_NOSPACE; /* more than this file system can hold */
        }
        if (put < 0) return errno == EINVAL ? CS_ERR_IO : cs__linux_err(errno);
        done += (size_t)put;
    }
    /* The disk shall work while more comes: all of it is flushed in the end. Only advice. */
    if (len >= CS_CHUNK_MIN) {
        (void)sync_file_range(fd_of(file), (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
    }
    return CS_OK;
}

cs_err_t cs__linux_truncate(cs_file_t *file, uint64_t size)
{
    if (ftruncate(fd_of(file), (off_t)size) == 0) return CS_OK;
    return errno == EFBIG || errno == EINVAL ? CS_ERR_NOSPACE : cs__linux_err(errno);
}

cs_err_t cs__linux_fstat(cs_file_t *file, cs_stat_t *ret)
{
    return cs__linux_stat_at(fd_of(file), "", ret);
}

/* A lease for reading is refused while somebody has the file open for writing, or mapped so.
 * (One that is given is given back at once; should it be broken in between, the signal is one
 * that nobody minds.) 0: nobody has; else errno: EAGAIN, or there are no leases here, or none
 * for us. */
static int who_writes(int fd)
{
    if (fcntl(fd, F_SETSIG, SIGURG) != 0 || fcntl(fd, F_SETLEASE, F_RDLCK) != 0) return errno;
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    return 0;
}

void cs__linux_settle(cs_file_t *file)
{
    int fd = fd_of(file);
    if (who_writes(fd) == 0) return;
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
}

bool cs__linux_in_use(cs_file_t *file)
{
    return who_writes(fd_of(file)) == EAGAIN;
}

cs_err_t cs__linux_set_meta(cs_file_t *file, uint16_t mode, int64_t mtime_ns)
{
    int64_t sec = mtime_ns / 1000000000, ns = mtime_ns % 1000000000;
    if (ns < 0) { /* before 1970 */
        ns += 1000000000;
        sec--;
    }
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = sec, .tv_nsec = ns}};
    if (fchmod(fd_of(file), mode & CS_MODE_MAX) != 0) return cs__linux_err(errno);
    return futimens(fd_of(file), times) == 0 ? CS_OK : cs__linux_err(errno);
}

void cs__linux_close(cs_file_t **file_p)
{
    if (*file_p == NULL) return;
    close(fd_of(*file_p));
    cs_free(*file_p);
    *file_p = NULL;
}
