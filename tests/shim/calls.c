/* calls.c - libc's functions about files, each with a watcher around it (calls.h). */
#include "shim/calls.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOTS_MAX 4

static const calls_watcher_t *watcher;
static const char *roots[ROOTS_MAX];
static int root_count;
static bool busy;
static _Thread_local bool is_watcher; /* what it calls itself is not shown */

void calls_watch(const calls_watcher_t *new_watcher)
{
    watcher = new_watcher;
}

void calls_add_root(const char *root)
{
    if (root_count == ROOTS_MAX) abort();
    roots[root_count++] = root;
}

void calls_forget_roots(void)
{
    root_count = 0;
}

void calls_pretend_busy(bool pretended)
{
    busy = pretended;
}

static int open_meminfo(void)
{
    static const char text[] = "MemTotal: 8 kB\nDirty: 99999999 kB\nWriteback: 0 kB\n";
    int fd = memfd_create("meminfo", MFD_CLOEXEC);
    if (fd < 0 || pwrite(fd, text, sizeof text - 1, 0) < 0) abort();
    return fd;
}

int calls_root_of(const char *path)
{
    for (int i = 0; i < root_count; i++) {
        size_t len = strlen(roots[i]);
        if (strncmp(path, roots[i], len) == 0 && (path[len] == '/' || path[len] == '\0')) {
            return i;
        }
    }
    return -1;
}

/* --- which file is it? */

static bool path_of_fd(int fd, char ret[CALLS_PATH_BYTES])
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long len = syscall(SYS_readlinkat, AT_FDCWD, link, ret, (size_t)CALLS_PATH_BYTES - 1);
    ret[len > 0 ? len : 0] = '\0';
    return len > 0 && ret[0] == '/';
}

static void locate(int dir, const char *path, char ret[CALLS_PATH_BYTES])
{
    char base[CALLS_PATH_BYTES];
    ret[0] = '\0';
    if (path != NULL && path[0] == '/') {
        snprintf(ret, CALLS_PATH_BYTES, "%s", path);
        unsigned fd;
        if (sscanf(path, "/proc/self/fd/%u", &fd) == 1) (void)path_of_fd((int)fd, ret);
    } else if (path == NULL || path[0] == '\0' || strcmp(path, ".") == 0) {
        if (!path_of_fd(dir, ret)) ret[0] = '\0';
    } else if (dir != AT_FDCWD && path_of_fd(dir, base)) {
        snprintf(ret, CALLS_PATH_BYTES, "%.4095s/%.255s", base, path);
    }
}

static bool is_shown(call_t *call)
{
    if (watcher == NULL || is_watcher || root_count == 0) return false;
    int error = errno;
    locate(call->dir, call->path, call->at);
    call->to[0] = '\0';
    if (call->to_path != NULL) locate(call->to_dir, call->to_path, call->to);
    errno = error;
    return calls_root_of(call->at) >= 0 ||
           (call->to_path != NULL && calls_root_of(call->to) >= 0);
}

/* Whether the call may be made. */
static bool enter(call_t *call, bool *ret_shown)
{
    *ret_shown = is_shown(call);
    if (!*ret_shown) return true;
    int error = errno;
    is_watcher = true;
    bool go = watcher->before(call);
    is_watcher = false;
    errno = go ? error : EIO;
    return go;
}

static long leave(const call_t *call, bool shown, long result)
{
    if (!shown || watcher == NULL || watcher->after == NULL) return result;
    int error = errno;
    is_watcher = true;
    watcher->after(call, result);
    is_watcher = false;
    errno = error;
    return result;
}

/* ISO C has no conversion from dlsym's pointer to one to a function; POSIX says how. */
static void find(void *function, const char *name)
{
    if (*(void **)function != NULL) return;
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    *(void **)function = found;
}

/* The body of `function`: a call described by the rest, made with `args`. */
#define MAKE(type, function, args, ...)             \
    static __typeof__(&function) real;              \
    find(&real, #function);                         \
    call_t call = {.name = #function, __VA_ARGS__}; \
    bool shown;                                     \
    if (!enter(&call, &shown)) return (type)-1;     \
    return (type)leave(&call, shown, (long)real args)

/* --- looking */

int statx(int dir, const char *path, int flags, unsigned mask, struct statx *ret)
{
    MAKE(int, statx, (dir, path, flags, mask, ret), .dir = dir, .path = path);
}

int fstat(int fd, struct stat *ret)
{
    MAKE(int, fstat, (fd, ret), .dir = fd);
}

int stat(const char *path, struct stat *ret)
{
    MAKE(int, stat, (path, ret), .dir = AT_FDCWD, .path = path);
}

int lstat(const char *path, struct stat *ret)
{
    MAKE(int, lstat, (path, ret), .dir = AT_FDCWD, .path = path);
}

int fstatvfs(int fd, struct statvfs *ret)
{
    MAKE(int, fstatvfs, (fd, ret), .dir = fd);
}

ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
    MAKE(ssize_t, pread, (fd, data, len, offset), .dir = fd);
}

ssize_t getdents64(int fd, void *data, size_t len)
{
    MAKE(ssize_t, getdents64, (fd, data, len), .dir = fd);
}

ssize_t readlinkat(int dir, const char *path, char *data, size_t len)
{
    MAKE(ssize_t, readlinkat, (dir, path, data, len), .dir = dir, .path = path);
}

/* --- opening */

static call_kind_t kind_of_open(int flags)
{
    return (flags & (O_CREAT | O_TRUNC)) != 0 ? CALL_CREATE : CALL_LOOK;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (busy && strcmp(path, "/proc/meminfo") == 0) return open_meminfo();
    MAKE(int, open, (path, flags, mode), .kind = kind_of_open(flags), .dir = AT_FDCWD,
         .path = path, .flags = (unsigned)flags);
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    MAKE(int, openat, (dir, path, flags, mode), .kind = kind_of_open(flags), .dir = dir,
         .path = path, .flags = (unsigned)flags);
}

/* Only openat2 is of interest: it has no function of its own. */
long syscall(long number, ...)
{
    long arg[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++) {
        arg[i] = va_arg(rest, long);
    }
    va_end(rest);
    static __typeof__(&syscall) real;
    find(&real, "syscall");
    if (number != SYS_openat2) {
        return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
    }
    const struct open_how *how = (const struct open_how *)arg[2]; // NOLINT
    call_t call = {.name = "openat2",
                   .kind = kind_of_open((int)how->flags),
                   .dir = (int)arg[0],
                   .path = (const char *)arg[1], // NOLINT
                   .flags = (unsigned)how->flags};
    bool shown;
    if (!enter(&call, &shown)) return -1;
    return leave(&call, shown, real(number, arg[0], arg[1], arg[2], arg[3]));
}

/* --- bytes */

/* Where write() will write; only regular files have a place. */
static int64_t end_or_position(int fd, int *ret_is_file)
{
    struct stat st;
    static __typeof__(&fstat) real;
    find(&real, "fstat");
    *ret_is_file = real(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (!*ret_is_file) return 0;
    return (fcntl(fd, F_GETFL) & O_APPEND) != 0 ? st.st_size : lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t len)
{
    int error = errno, is_file = 0;
    int64_t offset = watcher != NULL && !is_watcher ? end_or_position(fd, &is_file) : 0;
    errno = error;
    MAKE(ssize_t, write, (fd, data, len), .kind = is_file ? CALL_WRITE : CALL_LOOK, .dir = fd,
         .offset = offset, .len = (int64_t)len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    MAKE(ssize_t, pwrite, (fd, data, len, offset), .kind = CALL_WRITE, .dir = fd,
         .offset = offset, .len = (int64_t)len);
}

int ftruncate(int fd, off_t size)
{
    MAKE(int, ftruncate, (fd, size), .kind = CALL_TRUNCATE, .dir = fd, .offset = size);
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
    MAKE(int, fallocate, (fd, mode, offset, len), .kind = CALL_WRITE, .dir = fd,
         .offset = offset, .len = len);
}

ssize_t copy_file_range(int from, off64_t *from_offset, int fd, off64_t *offset, size_t len,
                        unsigned flags)
{
    MAKE(ssize_t, copy_file_range, (from, from_offset, fd, offset, len, flags),
         .kind = CALL_WRITE, .dir = fd, .offset = *offset, .len = (int64_t)len);
}

int sync_file_range(int fd, off64_t offset, off64_t len, unsigned flags)
{
    MAKE(int, sync_file_range, (fd, offset, len, flags), .dir = fd);
}

int fsync(int fd)
{
    MAKE(int, fsync, (fd), .kind = CALL_SYNC, .dir = fd);
}

int fdatasync(int fd)
{
    MAKE(int, fdatasync, (fd), .kind = CALL_SYNC, .dir = fd);
}

int syncfs(int fd)
{
    MAKE(int, syncfs, (fd), .kind = CALL_SYNC_FS, .dir = fd);
}

/* --- modes and times */

int fchmod(int fd, mode_t mode)
{
    MAKE(int, fchmod, (fd, mode), .kind = CALL_MODE, .dir = fd);
}

int chmod(const char *path, mode_t mode)
{
    MAKE(int, chmod, (path, mode), .kind = CALL_MODE, .dir = AT_FDCWD, .path = path);
}

int futimens(int fd, const struct timespec times[2])
{
    MAKE(int, futimens, (fd, times), .kind = CALL_MODE, .dir = fd);
}

/* --- names */

int renameat2(int dir, const char *path, int to_dir, const char *to_path, unsigned flags)
{
    MAKE(int, renameat2, (dir, path, to_dir, to_path, flags), .kind = CALL_RENAME, .dir = dir,
         .path = path, .to_dir = to_dir, .to_path = to_path, .flags = flags);
}

int renameat(int dir, const char *path, int to_dir, const char *to_path)
{
    MAKE(int, renameat, (dir, path, to_dir, to_path), .kind = CALL_RENAME, .dir = dir,
         .path = path, .to_dir = to_dir, .to_path = to_path);
}

int rename(const char *path, const char *to_path)
{
    MAKE(int, rename, (path, to_path), .kind = CALL_RENAME, .dir = AT_FDCWD, .path = path,
         .to_dir = AT_FDCWD, .to_path = to_path);
}

int linkat(int dir, const char *path, int to_dir, const char *to_path, int flags)
{
    MAKE(int, linkat, (dir, path, to_dir, to_path, flags), .kind = CALL_LINK, .dir = dir,
         .path = path, .to_dir = to_dir, .to_path = to_path);
}

int unlinkat(int dir, const char *path, int flags)
{
    MAKE(int, unlinkat, (dir, path, flags),
         .kind = (flags & AT_REMOVEDIR) != 0 ? CALL_RMDIR : CALL_UNLINK, .dir = dir,
         .path = path);
}

int unlink(const char *path)
{
    MAKE(int, unlink, (path), .kind = CALL_UNLINK, .dir = AT_FDCWD, .path = path);
}

int rmdir(const char *path)
{
    MAKE(int, rmdir, (path), .kind = CALL_RMDIR, .dir = AT_FDCWD, .path = path);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    MAKE(int, mkdirat, (dir, path, mode), .kind = CALL_MKDIR, .dir = dir, .path = path);
}

int mkdir(const char *path, mode_t mode)
{
    MAKE(int, mkdir, (path, mode), .kind = CALL_MKDIR, .dir = AT_FDCWD, .path = path);
}

int symlinkat(const char *target, int dir, const char *path)
{
    MAKE(int, symlinkat, (target, dir, path), .kind = CALL_SYMLINK, .dir = dir, .path = path);
}
