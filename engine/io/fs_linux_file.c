/* fs_linux_file.c - open files: reading, writing, metadata. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fs_linux_internal.h"

#define SHARE_BLOCK 4096u /* bytes; of the file systems that can share */

static int fd_of(const cs_file_t *file)
{
    return ((const cs__linux_file_t *)file)->fd;
}

static void wrap(cs_fs_t *fs, int fd, off_t size, cs_file_t **ret)
{
    cs__linux_file_t *file = cs_calloc(1, sizeof *file);
    file->file.ops = fs->ops;
    file->fd = fd;
    file->opened_size = (uint64_t)size;
    *ret = &file->file;
}

static cs_err_t open_file(cs_fs_t *fs, cs_slice_t path, int flags, cs_file_t **ret)
{
    int fd = -1;
    /* O_NONBLOCK: a fifo that took the file's place must not hang us; files do not care. */
    cs_err_t err = cs__linux_open_entry(fs, path, flags | O_NONBLOCK | O_NOCTTY, &fd);
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
    wrap(fs, fd, st.st_size, ret);
    return CS_OK;
}

cs_err_t cs__linux_open_read(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    return open_file(fs, path, O_RDONLY, ret);
}

cs_err_t cs__linux_create(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    int fd = -1; /* of a regular file: there was nothing before */
    cs_err_t err = cs__linux_open_entry(fs, path, O_RDWR | O_CREAT | O_EXCL, &fd);
    if (err == CS_OK) wrap(fs, fd, 0, ret);
    return err;
}

cs_err_t cs__linux_open_write(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    return open_file(fs, path, O_RDWR, ret);
}

/* A read that ends where the file ended when it was opened has met the end: most often all of
 * it is wanted, and asking for more would be another call. */
cs_err_t cs__linux_read(cs_file_t *file, uint64_t offset, void *data, size_t len,
                        size_t *ret_len)
{
    const cs__linux_file_t *self = (const cs__linux_file_t *)file;
    size_t done = 0;
    while (done < len) {
        ssize_t got =
            pread(self->fd, (uint8_t *)data + done, len - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno == EINVAL ? CS_ERR_IO : cs__linux_err(errno);
        done += (size_t)got;
        if (got == 0 || offset + done == self->opened_size) break;
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

/* A file system that calls a hole what is data makes us tell everyone that a file is zeros (ZFS
 * did: openzfs/zfs#15526), so that only those are asked whose word has been good for years. */
bool cs_fs_linux_tells_holes(int fd)
{
    static const unsigned long trusted[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,
                                            BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, TMPFS_MAGIC};
    struct statfs fs;
    bool tells = false;
    if (fstatfs(fd, &fs) != 0) return false;
    for (size_t i = 0; i < CS_COUNT_OF(trusted); i++) {
        tells = tells || ((unsigned long)fs.f_type & 0xffffffffu) == trusted[i];
    }
    return tells;
}

static bool tells_holes(cs_file_t *file)
{
    cs__linux_file_t *self = (cs__linux_file_t *)file;
    if (!self->asked) self->tells_holes = cs_fs_linux_tells_holes(self->fd);
    self->asked = true;
    return self->tells_holes;
}

cs_err_t cs__linux_next_data(cs_file_t *file, uint64_t offset, uint64_t *ret)
{
    *ret = offset;
    if (!tells_holes(file)) return CS_OK;
    off_t data = lseek(fd_of(file), (off_t)offset, SEEK_DATA);
    if (data >= 0) {
        *ret = (uint64_t)data;
    } else if (errno == ENXIO) { /* a hole up to the end */
        *ret = UINT64_MAX;
    } else if (errno != EINVAL && errno != EOPNOTSUPP) {
        return cs__linux_err(errno);
    }
    return CS_OK;
}

cs_err_t cs__linux_write_zeros(cs_file_t *file, uint64_t offset, uint64_t len)
{
    static const uint8_t zeros[CS_HOLE_MIN];
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    int made;
    do {
        made = fallocate(fd_of(file), mode, (off_t)offset, (off_t)len);
    } while (made != 0 && errno == EINTR);
    if (made == 0) return CS_OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL) return cs__linux_err(errno);
    for (uint64_t at = 0; at < len;) {
        size_t part = len - at < sizeof zeros ? (size_t)(len - at) : sizeof zeros;
        cs_err_t err = cs__linux_write(file, offset + at, zeros, part);
        if (err != CS_OK) return err;
        at += part;
    }
    return CS_OK;
}

static cs_err_t copy_range(int fd, uint64_t offset, int from, uint64_t from_offset,
                           uint64_t len)
{
    off_t at = (off_t)offset, from_at = (off_t)from_offset;
    while (len > 0) {
        ssize_t got = copy_file_range(from, &from_at, fd, &at, (size_t)len, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            cs_err_t err = cs__linux_err(errno);
            return err == CS_ERR_NOSPACE ? err : CS_ERR_UNSUPPORTED;
        }
        if (got == 0) return CS_ERR_UNSUPPORTED; /* `from` is shorter now */
        len -= (uint64_t)got;
    }
    return CS_OK;
}

/* Only whole blocks can be common, at the same place in a block: the kernel copies what is
 * before the first one and behind the last. */
cs_err_t cs__linux_share(cs_file_t *file, uint64_t offset, cs_file_t *from,
                         uint64_t from_offset, uint64_t len)
{
    uint64_t head = (SHARE_BLOCK - offset % SHARE_BLOCK) % SHARE_BLOCK;
    bool same_place = offset % SHARE_BLOCK == from_offset % SHARE_BLOCK;
    if (!same_place || head >= len) return CS_ERR_UNSUPPORTED;
    int fd = fd_of(file), from_fd = fd_of(from);
    cs_err_t err = copy_range(fd, offset, from_fd, from_offset, head);
    if (err != CS_OK) return err;
    return copy_range(fd, offset + head, from_fd, from_offset + head, len - head);
}

cs_err_t cs__linux_fstat(cs_file_t *file, cs_stat_t *ret)
{
    return cs__linux_stat_open(fd_of(file), ret);
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

/* All three flags: else pages that are just being written stay dirty (WB_SYNC_NONE). */
void cs__linux_write_out(int fd)
{
    unsigned before = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE;
    (void)sync_file_range(fd, 0, 0, before | SYNC_FILE_RANGE_WAIT_AFTER);
}

void cs__linux_settle(cs_file_t *file)
{
    int fd = fd_of(file);
    if (who_writes(fd) != 0) cs__linux_write_out(fd);
}

void cs__linux_forget(cs_file_t *file, uint64_t offset, uint64_t len)
{
    (void)posix_fadvise(fd_of(file), (off_t)offset, (off_t)len, POSIX_FADV_DONTNEED);
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
    /* The time of access, too: libfuse 2 ignores one that comes alone. */
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = sec, .tv_nsec = ns}};
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
