/* mem_rename.c - what is done to two names: link and rename, with the kernel's order of checks.
 */
#include "sim/mem_fs_i.h"

#define OWNER_CHANGE 0300u /* of a directory, to change its entries */
#define OWNER_WRITE  0200u /* of one that gets another parent: its ".." changes */

static cs_err_t locate_two(const cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t from,
                           cs_slice_t to, cs__mem_place_t *ret_from, cs__mem_place_t *ret_to)
{
    cs_err_t err = cs__mem_locate(volume, root, from, ret_from);
    return err == CS_OK ? cs__mem_locate(volume, root, to, ret_to) : err;
}

cs_err_t cs__mem_link(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t from,
                      cs_slice_t to)
{
    cs__mem_place_t source, target;
    cs_err_t err = locate_two(volume, root, from, to, &source, &target);
    if (err != CS_OK) return err;
    if (source.child == NULL) return CS_ERR_NOT_FOUND;
    if (target.child != NULL) return CS_ERR_EXISTS;
    if (!cs__mem_may(volume, target.dir, OWNER_CHANGE)) return CS_ERR_DENIED;
    if (volume->config.no_links || source.child->type == CS_NODE_DIR) return CS_ERR_UNSUPPORTED;
    if (target.dir->nlink == 0) return CS_ERR_NOT_FOUND;
    cs__mem_begin(volume);
    cs__mem_touch(volume, source.child, false);
    cs__mem_set(volume, target.dir, target.name, source.child);
    return CS_OK;
}

/* True if `dir` is `inode` or lies below it. */
static bool is_within(const cs__inode_t *dir, const cs__inode_t *inode)
{
    while (dir != inode && dir->parent != dir) {
        dir = dir->parent;
    }
    return dir == inode;
}

static cs_err_t check_kinds(const cs__mem_place_t *source, const cs__mem_place_t *target,
                            cs_rename_mode_t mode)
{
    if (target->child == NULL || mode == CS_RENAME_EXCHANGE) return CS_OK;
    bool is_dir = source->child->type == CS_NODE_DIR;
    if (is_dir && target->child->type != CS_NODE_DIR) return CS_ERR_NOT_DIR;
    if (!is_dir && target->child->type == CS_NODE_DIR) return CS_ERR_IS_DIR;
    return target->child->len > 0 ? CS_ERR_NOT_EMPTY : CS_OK;
}

/* What permission bits forbid. */
static bool is_denied(const cs_mem_volume_t *volume, const cs__mem_place_t *source,
                      const cs__mem_place_t *target, cs_rename_mode_t mode)
{
    if (!cs__mem_may(volume, source->dir, OWNER_CHANGE)) return true;
    if (!cs__mem_may(volume, target->dir, OWNER_CHANGE)) return true;
    if (source->dir == target->dir) return false;
    const cs__inode_t *moved = source->child, *back = target->child;
    if (moved->type == CS_NODE_DIR && !cs__mem_may(volume, moved, OWNER_WRITE)) return true;
    return mode == CS_RENAME_EXCHANGE && back->type == CS_NODE_DIR &&
           !cs__mem_may(volume, back, OWNER_WRITE);
}

static cs_err_t check(const cs_mem_volume_t *volume, const cs__mem_place_t *source,
                      const cs__mem_place_t *target, cs_rename_mode_t mode)
{
    const cs_mem_config_t *config = &volume->config;
    if (source->dots) return CS_ERR_BUSY;
    if (target->dots) return mode == CS_RENAME_NOREPLACE ? CS_ERR_EXISTS : CS_ERR_BUSY;
    if (source->child == NULL) return CS_ERR_NOT_FOUND;
    if (mode == CS_RENAME_NOREPLACE && target->child != NULL) return CS_ERR_EXISTS;
    if (mode == CS_RENAME_EXCHANGE && target->child == NULL) return CS_ERR_NOT_FOUND;
    if (source->child->type == CS_NODE_DIR && is_within(target->dir, source->child)) {
        return CS_ERR_NAME; /* EINVAL: a directory into itself */
    }
    if (target->child != NULL && target->child->type == CS_NODE_DIR &&
        is_within(source->dir, target->child)) {
        return mode == CS_RENAME_EXCHANGE ? CS_ERR_NAME : CS_ERR_NOT_EMPTY;
    }
    if (source->child == target->child) return CS_OK;
    if (is_denied(volume, source, target, mode)) return CS_ERR_DENIED;
    if ((mode == CS_RENAME_NOREPLACE && config->no_noreplace) ||
        (mode == CS_RENAME_EXCHANGE && config->no_exchange)) {
        return CS_ERR_NAME; /* EINVAL: a flag that the file system does not know */
    }
    if (target->dir->nlink == 0) return CS_ERR_NOT_FOUND;
    return check_kinds(source, target, mode);
}

cs_err_t cs__mem_rename(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t from,
                        cs_slice_t to, cs_rename_mode_t mode)
{
    cs__mem_place_t source, target;
    cs_err_t err = locate_two(volume, root, from, to, &source, &target);
    if (err == CS_OK) err = check(volume, &source, &target, mode);
    if (err != CS_OK) return err;
    if (source.child == target.child) return CS_OK; /* two names of one file: POSIX */

    cs__inode_t *moved = cs__mem_ref(source.child);
    cs__inode_t *former = target.child != NULL ? cs__mem_ref(target.child) : NULL;
    cs__mem_begin(volume);
    cs__mem_touch(volume, moved, false);
    if (former != NULL) cs__mem_touch(volume, former, false);
    cs__mem_set(volume, target.dir, target.name, moved);
    cs__mem_set(volume, source.dir, source.name, mode == CS_RENAME_EXCHANGE ? former : NULL);
    if (former != NULL) cs__mem_release(volume, former);
    cs__mem_unref(&former);
    cs__mem_unref(&moved);
    return CS_OK;
}
