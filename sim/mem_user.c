/* mem_user.c - the user's calls: no gate, nothing that is his alone but descriptors. */
#include "base/limits.h"
#include "base/mem.h"
#include "sim/mem_fs_i.h"

struct cs_mem_fd {
    cs_mem_volume_t *volume;
    cs__inode_t *inode; /* a reference */
    unsigned flags;
    uint64_t boot;  /* of the volume, when it was opened */
    cs_str_t *path; /* owned */
};

void cs_mem_volume_watch(cs_mem_volume_t *volume, cs_mem_notice_t *notice, void *arg)
{
    volume->notice = notice;
    volume->notice_arg = arg;
}

static void tell_move(const cs_mem_volume_t *volume, cs_slice_t path, cs_slice_t to)
{
    if (volume->notice == NULL) return;
    volume->notice(volume->notice_arg, CS_DIRTY_DONE, path, to);
}

static void tell(const cs_mem_volume_t *volume, cs_dirty_kind_t kind, cs_slice_t path)
{
    if (volume->notice == NULL) return;
    volume->notice(volume->notice_arg, kind, path, cs_slice_text(""));
}

/* What is told if the call went well. */
static cs_err_t told(const cs_mem_volume_t *volume, cs_dirty_kind_t kind, cs_slice_t path,
                     cs_err_t err)
{
    if (err == CS_OK) tell(volume, kind, path);
    return err;
}

/* Runs a call on where the folder's path leads now, if it leads anywhere. */
#define AT_ROOT(volume, call, ...)             \
    cs__inode_t *root = cs__mem_root(volume);  \
    if (root == NULL) return CS_ERR_NOT_FOUND; \
    return call(volume, root, __VA_ARGS__)
/* Same, and a watcher is told of it. */
#define TOLD_AT_ROOT(volume, kind, of, call, ...) \
    cs__inode_t *root = cs__mem_root(volume);     \
    if (root == NULL) return CS_ERR_NOT_FOUND;    \
    return told(volume, kind, of, call(volume, root, __VA_ARGS__))

static cs_err_t find_or_make(cs_mem_volume_t *volume, cs_slice_t path, unsigned flags,
                             uint16_t mode, cs__inode_t **ret)
{
    cs__inode_t *root = cs__mem_root(volume);
    if (root == NULL) return CS_ERR_NOT_FOUND;
    bool writable = (flags & CS_MEM_O_WRITE) != 0, made = (flags & CS_MEM_O_CREATE) != 0;
    if (made) {
        cs_err_t err = cs__mem_create(volume, root, path, mode & CS_MODE_MAX, ret);
        if (err != CS_ERR_EXISTS || (flags & CS_MEM_O_EXCL) != 0) return err;
    }
    cs_err_t err = cs__mem_open(volume, root, path, writable, ret);
    if (err == CS_OK && (flags & CS_MEM_O_TRUNC) != 0) err = cs__mem_truncate(volume, *ret, 0);
    return err;
}

cs_err_t cs_mem_user_open(cs_mem_volume_t *volume, cs_slice_t path, unsigned flags,
                          uint16_t mode, cs_mem_fd_t **ret)
{
    cs__inode_t *inode = NULL;
    cs_err_t err = find_or_make(volume, path, flags, mode, &inode);
    if (err != CS_OK) return err;
    cs_mem_fd_t *fd = cs_malloc(sizeof *fd);
    *fd = (cs_mem_fd_t){.volume = volume,
                        .inode = inode,
                        .flags = flags,
                        .boot = volume->boot,
                        .path = cs_str_new(path.data, path.len)};
    cs__mem_opened(inode, (flags & CS_MEM_O_WRITE) != 0);
    bool changed = (flags & (CS_MEM_O_CREATE | CS_MEM_O_TRUNC)) != 0;
    if (changed) tell(volume, CS_DIRTY_WRITING, path);
    *ret = fd;
    return CS_OK;
}

void cs_mem_user_close(cs_mem_fd_t **fd_p)
{
    cs_mem_fd_t *fd = *fd_p;
    *fd_p = NULL;
    if (fd == NULL) return;
    bool writable = (fd->flags & CS_MEM_O_WRITE) != 0;
    cs__mem_closed(fd->volume, &fd->inode, writable, fd->boot);
    if (writable) tell(fd->volume, CS_DIRTY_DONE, cs_slice_str(fd->path));
    cs_str_unref(&fd->path);
    cs_free(fd);
}

/* CS_ERR_IO: from before a power cut, or not for writing (EBADF). */
static cs_err_t check(const cs_mem_fd_t *fd, bool writes)
{
    if (fd->boot != fd->volume->boot) return CS_ERR_IO;
    return writes && (fd->flags & CS_MEM_O_WRITE) == 0 ? CS_ERR_IO : CS_OK;
}

cs_err_t cs_mem_user_pread(cs_mem_fd_t *fd, uint64_t offset, void *data, size_t len,
                           size_t *ret_len)
{
    cs_err_t err = check(fd, false);
    if (err == CS_OK) *ret_len = cs__mem_read(fd->inode, offset, data, len);
    return err;
}

cs_err_t cs_mem_user_pwrite(cs_mem_fd_t *fd, uint64_t offset, const void *data, size_t len)
{
    cs_err_t err = check(fd, true);
    if (err != CS_OK) return err;
    if ((fd->flags & CS_MEM_O_APPEND) != 0) offset = fd->inode->size;
    return told(fd->volume, CS_DIRTY_WRITING, cs_slice_str(fd->path),
                cs__mem_write(fd->volume, fd->inode, offset, data, len));
}

cs_err_t cs_mem_user_poke(cs_mem_fd_t *fd, uint64_t offset, const void *data, size_t len)
{
    cs_err_t err = check(fd, true);
    return err == CS_OK ? cs__mem_poke(fd->volume, fd->inode, offset, data, len) : err;
}

cs_err_t cs_mem_user_ftruncate(cs_mem_fd_t *fd, uint64_t size)
{
    cs_err_t err = check(fd, true);
    if (err != CS_OK) return err;
    return told(fd->volume, CS_DIRTY_WRITING, cs_slice_str(fd->path),
                cs__mem_truncate(fd->volume, fd->inode, size));
}

cs_err_t cs_mem_user_fstat(cs_mem_fd_t *fd, cs_stat_t *ret)
{
    cs_err_t err = check(fd, false);
    if (err == CS_OK) cs__mem_stat(fd->volume, fd->inode, ret);
    return err;
}

cs_err_t cs_mem_user_fsync(cs_mem_fd_t *fd)
{
    cs_err_t err = check(fd, false);
    if (err == CS_OK) cs__mem_fsync(fd->volume, fd->inode);
    return err;
}

cs_err_t cs_mem_user_stat(cs_mem_volume_t *volume, cs_slice_t path, cs_stat_t *ret)
{
    cs__inode_t *root = cs__mem_root(volume), *inode = NULL;
    if (root == NULL) return CS_ERR_NOT_FOUND;
    cs_err_t err = cs__mem_look(volume, root, path, &inode);
    if (err == CS_OK) cs__mem_stat(volume, inode, ret);
    return err;
}

cs_err_t cs_mem_user_list(cs_mem_volume_t *volume, cs_slice_t dir, cs_listing_t *ret)
{
    AT_ROOT(volume, cs__mem_list, dir, ret);
}

cs_err_t cs_mem_user_readlink(cs_mem_volume_t *volume, cs_slice_t path, cs_buf_t *ret)
{
    AT_ROOT(volume, cs__mem_readlink, path, ret);
}

cs_err_t cs_mem_user_rename(cs_mem_volume_t *volume, cs_slice_t from, cs_slice_t to,
                            cs_rename_mode_t mode)
{
    cs__inode_t *root = cs__mem_root(volume);
    if (root == NULL) return CS_ERR_NOT_FOUND;
    cs_err_t err = cs__mem_rename(volume, root, from, to, mode);
    if (err == CS_OK) tell_move(volume, from, to);
    if (err == CS_OK && mode == CS_RENAME_EXCHANGE) tell_move(volume, to, from);
    return err;
}

cs_err_t cs_mem_user_link(cs_mem_volume_t *volume, cs_slice_t from, cs_slice_t to)
{
    TOLD_AT_ROOT(volume, CS_DIRTY_DONE, to, cs__mem_link, from, to);
}

cs_err_t cs_mem_user_symlink(cs_mem_volume_t *volume, cs_slice_t target, cs_slice_t path)
{
    TOLD_AT_ROOT(volume, CS_DIRTY_DONE, path, cs__mem_symlink, target, path);
}

cs_err_t cs_mem_user_unlink(cs_mem_volume_t *volume, cs_slice_t path)
{
    TOLD_AT_ROOT(volume, CS_DIRTY_GONE, path, cs__mem_unlink, path);
}

cs_err_t cs_mem_user_mkdir(cs_mem_volume_t *volume, cs_slice_t path)
{
    TOLD_AT_ROOT(volume, CS_DIRTY_MADE, path, cs__mem_mkdir, path);
}

cs_err_t cs_mem_user_rmdir(cs_mem_volume_t *volume, cs_slice_t path)
{
    TOLD_AT_ROOT(volume, CS_DIRTY_GONE, path, cs__mem_rmdir, path);
}

cs_err_t cs_mem_user_mknod(cs_mem_volume_t *volume, cs_slice_t path, cs_node_type_t type)
{
    cs__inode_t *root = cs__mem_root(volume);
    if (root == NULL) return CS_ERR_NOT_FOUND;
    cs__mem_place_t place;
    cs_err_t err = cs__mem_locate(volume, root, path, &place);
    if (err != CS_OK) return err;
    return told(volume, CS_DIRTY_DONE, path, cs__mem_make(volume, &place, type, 0666, NULL));
}

static cs_err_t set_meta(cs_mem_volume_t *volume, cs_slice_t path, const uint16_t *mode,
                         const int64_t *mtime_ns)
{
    cs__inode_t *root = cs__mem_root(volume), *inode = NULL;
    if (root == NULL) return CS_ERR_NOT_FOUND;
    cs_err_t err = cs__mem_look(volume, root, path, &inode);
    if (err != CS_OK) return err;
    if (inode->type == CS_NODE_SYMLINK) return CS_ERR_ESCAPES;
    cs__mem_set_meta(volume, inode, mode, mtime_ns);
    return told(volume, CS_DIRTY_DONE, path, CS_OK);
}

cs_err_t cs_mem_user_chmod(cs_mem_volume_t *volume, cs_slice_t path, uint16_t mode)
{
    return set_meta(volume, path, &mode, NULL);
}

cs_err_t cs_mem_user_utimens(cs_mem_volume_t *volume, cs_slice_t path, int64_t mtime_ns)
{
    return set_meta(volume, path, NULL, &mtime_ns);
}
