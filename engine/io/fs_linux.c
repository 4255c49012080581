/* fs_linux.c - opening a folder, resolving paths below it, stat and list. */
#include "io/fs_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "io/fs_linux_internal.h"
#include "io/os_err.h"

#define LIST_BYTES   (64u << 10) /* of one getdents64 (limits.md 5) */
#define KERNEL_BYTES 4095u       /* longest path of one system call: PATH_MAX without the NUL */

/* What errno means for paths below a folder; the rest as everywhere. */
cs_err_t cs__linux_err(int error)
{
    switch (error) {
    case ELOOP:
        return CS_ERR_ESCAPES;
    case EINVAL:
        return CS_ERR_NAME; /* FAT and others, of names that they cannot store */
    case EMLINK:
    case ENXIO:
        return CS_ERR_UNSUPPORTED;
    case ETXTBSY:
        return CS_ERR_BUSY;
    default:
        return cs_os_err(error);
    }
}

static int open_below(int dir, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = (flags & O_CREAT) != 0 ? 0600 : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                   RESOLVE_NO_XDEV, /* what is mounted in the folder is not of the folder */
    };
    long fd;
    do {
        fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
    } while (fd < 0 &&
             (errno == EAGAIN || errno == EINTR)); /* a rename raced with the resolution */
    return (int)fd;
}

cs_err_t cs__linux_open_at(cs_fs_t *fs, cs_slice_t path, int flags, int *ret_fd)
{
    cs__linux_fs_t *self = (cs__linux_fs_t *)fs;
    char text[CS_PATH_MAX + 1];
    if (path.len > CS_PATH_MAX) return CS_ERR_NAME;
    memcpy(text, path.len == 0 ? "." : (const char *)path.data, path.len == 0 ? 1 : path.len);
    text[path.len == 0 ? 1 : path.len] = '\0';

    int dir = self->root;
    char *rest = text;
    if (path.len >
        KERNEL_BYTES) { /* one byte more than the kernel takes at once: in two hops */
        char *cut = strchr(text + path.len - CS_NAME_MAX - 1, '/');
        if (cut == NULL) return CS_ERR_NAME;
        *cut = '\0';
        rest = cut + 1;
        dir = open_below(self->root, text, O_PATH | O_DIRECTORY);
        if (dir < 0) return cs__linux_err(errno);
    }
    /* For a directory that must not be a link, RESOLVE_NO_SYMLINKS alone says so; else NOT_DIR.
     */
    if ((flags & O_DIRECTORY) == 0) flags |= O_NOFOLLOW;
    *ret_fd = open_below(dir, rest, flags);
    int error = errno;
    if (dir != self->root) close(dir);
    if (*ret_fd >= 0) return CS_OK;
    return cs__linux_err(error);
}

cs_err_t cs__linux_locate(cs_fs_t *fs, cs_slice_t path, cs__place_t *ret)
{
    cs_slice_t parent = cs_path_parent(path), base = cs_path_base(path);
    if (base.len == 0) {
        return CS_ERR_EXISTS; /* the root itself has no entry that we may change */
    }
    if (base.len > CS_NAME_MAX || path.len > CS_PATH_MAX) return CS_ERR_NAME;
    memcpy(ret->name, base.data, base.len);
    ret->name[base.len] = '\0';
    bool held = parent.len > 0 && cs__linux_holds(fs);
    if (held) {
        ret->owned = false;
        return cs__linux_held(fs, parent, &ret->dir);
    }
    ret->owned = parent.len > 0;
    ret->dir = ((cs__linux_fs_t *)fs)->root;
    return ret->owned ? cs__linux_open_at(fs, parent, O_PATH | O_DIRECTORY, &ret->dir) : CS_OK;
}

cs_err_t cs__linux_open_entry(cs_fs_t *fs, cs_slice_t path, int flags, int *ret_fd)
{
    bool held = path.len > 0 && cs__linux_holds(fs);
    if (!held) return cs__linux_open_at(fs, path, flags, ret_fd);
    cs__place_t place;
    cs_err_t err = cs__linux_locate(fs, path, &place);
    if (err != CS_OK) return err;
    *ret_fd = open_below(place.dir, place.name, flags | O_NOFOLLOW);
    if (*ret_fd < 0) err = cs__linux_err(errno);
    cs__linux_leave(&place);
    return err;
}

void cs__linux_leave(cs__place_t *place)
{
    int error = errno; /* callers translate it after this */
    if (place->owned) close(place->dir);
    errno = error;
}

static int64_t in_ns(const struct statx_timestamp *time)
{
    return time->tv_sec * 1000000000 + time->tv_nsec;
}

static cs_node_type_t type_of(uint16_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return CS_NODE_FILE;
    case S_IFDIR:
        return CS_NODE_DIR;
    case S_IFLNK:
        return CS_NODE_SYMLINK;
    case S_IFSOCK:
        return CS_NODE_SOCKET;
    case S_IFIFO:
        return CS_NODE_FIFO;
    default:
        return CS_NODE_DEVICE;
    }
}

static cs_err_t stat_at(int dir, const char *name, int flags, cs_stat_t *ret)
{
    struct statx st;
    flags |= AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
    if (statx(dir, name, flags, STATX_BASIC_STATS | STATX_BTIME, &st) != 0) {
        return cs__linux_err(errno);
    }
    *ret = (cs_stat_t){
        .type = type_of(st.stx_mode),
        .mode = st.stx_mode & CS_MODE_MAX,
        .nlink = st.stx_nlink,
        .print = {.dev = ((uint64_t)st.stx_dev_major << 32) | st.stx_dev_minor,
                  .ino = st.stx_ino,
                  .btime_ns = (st.stx_mask & STATX_BTIME) != 0 ? in_ns(&st.stx_btime) : 0,
                  .mtime_ns = in_ns(&st.stx_mtime),
                  .ctime_ns = in_ns(&st.stx_ctime),
                  .size = st.stx_size},
    };
    return CS_OK;
}

cs_err_t cs__linux_stat_at(int dir, const char *name, cs_stat_t *ret)
{
    return stat_at(dir, name, 0, ret);
}

/* FUSE remembers for a second what it was told, also when another name of the file is unlinked:
 * the ctime of that would come up in the middle of reading. */
cs_err_t cs__linux_stat_open(int fd, cs_stat_t *ret)
{
    return stat_at(fd, "", AT_STATX_FORCE_SYNC, ret);
}

static cs_err_t linux_stat(cs_fs_t *fs, cs_slice_t path, cs_stat_t *ret)
{
    if (path.len == 0) return cs__linux_stat_at(((cs__linux_fs_t *)fs)->root, "", ret);
    cs__place_t place;
    cs_err_t err = cs__linux_locate(fs, path, &place);
    if (err != CS_OK) return err;
    err = cs__linux_stat_at(place.dir, place.name, ret);
    cs__linux_leave(&place);
    return err;
}

/* Adds the entries of one getdents64. What is gone before its stat was never there. */
static void list_some(int dir, const char *data, size_t len, cs_listing_t *ret)
{
    for (size_t at = 0; at < len;) {
        const struct dirent64 *item = (const struct dirent64 *)(const void *)(data + at);
        at += item->d_reclen;
        const char *name = item->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        cs_stat_t st = {0};
        cs_err_t err = cs__linux_stat_at(dir, name, &st);
        if (err == CS_ERR_NOT_FOUND) continue;
        cs_dirent_t *entry = cs_listing_add(ret, cs_slice_text(name));
        entry->err = err;
        entry->stat = st;
    }
}

static cs_err_t linux_list(cs_fs_t *fs, cs_slice_t path, cs_listing_t *ret)
{
    int dir = -1;
    cs_err_t err = cs__linux_open_at(fs, path, O_RDONLY | O_DIRECTORY, &dir);
    if (err != CS_OK) return err;
    char *data = cs_malloc(LIST_BYTES);
    cs_listing_t listing = {0};
    ssize_t got;
    while ((got = getdents64(dir, data, LIST_BYTES)) > 0) {
        list_some(dir, data, (size_t)got, &listing);
    }
    if (got < 0) err = cs__linux_err(errno);
    close(dir);
    cs_free(data);
    if (err != CS_OK) {
        cs_listing_fini(&listing);
        return err;
    }
    cs_listing_fini(ret);
    *ret = listing;
    return CS_OK;
}

/* O_PATH descriptors cannot be synced, nor asked for space on every kernel. */
cs_err_t cs__linux_open_root(cs_fs_t *fs, int *ret_fd)
{
    return cs__linux_open_at(fs, cs_slice(NULL, 0), O_RDONLY | O_DIRECTORY, ret_fd);
}

static cs_err_t linux_space(cs_fs_t *fs, uint64_t *ret_free, uint64_t *ret_total)
{
    struct statvfs st;
    int fd = -1;
    cs_err_t err = cs__linux_open_root(fs, &fd);
    if (err != CS_OK) return err;
    if (fstatvfs(fd, &st) != 0) err = cs__linux_err(errno);
    close(fd);
    if (err != CS_OK) return err;
    *ret_free = (uint64_t)st.f_bavail * st.f_frsize;
    *ret_total = (uint64_t)st.f_blocks * st.f_frsize;
    return CS_OK;
}

/* dup3 swaps the descriptor under its number, so that calls of other threads see one root or
 * the other. */
static cs_err_t linux_refresh(cs_fs_t *fs)
{
    cs__linux_fs_t *self = (cs__linux_fs_t *)fs;
    int fd = open(self->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return cs__linux_err(errno);
    cs_err_t err = dup3(fd, self->root, O_CLOEXEC) < 0 ? cs__linux_err(errno) : CS_OK;
    close(fd);
    return err;
}

static void linux_close_fs(cs_fs_t **fs_p)
{
    if (*fs_p == NULL) return;
    cs__linux_fs_t *self = (cs__linux_fs_t *)*fs_p;
    close(self->root);
    cs_free(self->root_path);
    cs_free(self);
    *fs_p = NULL;
}

static const cs_fs_ops_t linux_ops = {
    .stat = linux_stat,
    .list = linux_list,
    .open_read = cs__linux_open_read,
    .create = cs__linux_create,
    .open_write = cs__linux_open_write,
    .read = cs__linux_read,
    .write = cs__linux_write,
    .truncate = cs__linux_truncate,
    .next_data = cs__linux_next_data,
    .write_zeros = cs__linux_write_zeros,
    .share = cs__linux_share,
    .fstat = cs__linux_fstat,
    .settle = cs__linux_settle,
    .forget = cs__linux_forget,
    .in_use = cs__linux_in_use,
    .set_meta = cs__linux_set_meta,
    .close = cs__linux_close,
    .readlink = cs__linux_readlink,
    .symlink = cs__linux_symlink,
    .mkdir = cs__linux_mkdir,
    .rmdir = cs__linux_rmdir,
    .unlink = cs__linux_unlink,
    .link = cs__linux_link,
    .rename = cs__linux_rename,
    .chmod = cs__linux_chmod,
    .sync = cs__linux_sync,
    .space = linux_space,
    .refresh = linux_refresh,
    .hold = cs__linux_hold,
    .close_fs = linux_close_fs,
};

static pthread_once_t umask_once = PTHREAD_ONCE_INIT;
static unsigned process_umask = 022;

/* umask(2) can only be read by changing it, which another thread might notice. */
static void read_umask(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    if (status == NULL) return;
    char line[256];
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "Umask:", 6) == 0) {
            process_umask = (unsigned)strtoul(line + 6, NULL, 8) & CS_MODE_MAX;
        }
    }
    fclose(status);
}

cs_err_t cs_fs_linux_open(const char *root, cs_fs_t **ret)
{
    cs_fs_known_t known = {0};
    return cs_fs_linux_open_known(root, &known, ret);
}

/* False: there is no such directory, or not the one that was probed. */
static bool is_known(cs_fs_t *fs, const cs_fs_known_t *known, cs_print_t *ret_tmp)
{
    cs_stat_t st;
    *ret_tmp = (cs_print_t){0};
    if (linux_stat(fs, cs_slice_text(CS_PRIVATE_DIR "/tmp"), &st) != CS_OK) return false;
    *ret_tmp =
        (cs_print_t){.dev = st.print.dev, .ino = st.print.ino, .btime_ns = st.print.btime_ns};
    return cs_print_eq(ret_tmp, &known->tmp);
}

cs_err_t cs_fs_linux_open_known(const char *root, cs_fs_known_t *known, cs_fs_t **ret)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return cs__linux_err(errno);
    int here = open_below(fd, ".", O_PATH | O_DIRECTORY);
    if (here < 0) {
        cs_err_t err = cs__linux_err(errno);
        close(fd);
        return err;
    }
    close(here);
    cs__linux_fs_t *self = cs_calloc(1, sizeof *self);
    self->fs.ops = &linux_ops;
    (void)pthread_once(&umask_once, read_umask);
    self->fs.umask = (uint16_t)process_umask;
    self->root_path = cs_strdup(root);
    self->root = fd;
    cs_print_t tmp;
    if (is_known(&self->fs, known, &tmp)) {
        self->fs.features = known->features;
    } else {
        cs__linux_probe(&self->fs);
        *known = (cs_fs_known_t){.tmp = tmp, .features = self->fs.features};
    }
    *ret = &self->fs;
    return CS_OK;
}
