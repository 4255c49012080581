/* mem_names.c - resolving paths, and what is done to one name. */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "sim/mem_fs_i.h"

#define TARGET_BYTES_MAX 4095u /* of a symbolic link: PATH_MAX of Linux without the NUL */

#define OWNER_READ   0400u
#define OWNER_WRITE  0200u
#define OWNER_SEARCH 0100u

/* The index of the first entry that is not below `name`. */
static uint32_t lower_bound(const cs__inode_t *dir, cs_slice_t name)
{
    uint32_t low = 0, high = dir->len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cs_slice_cmp(cs_slice_str(dir->entry[middle].name), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

cs__inode_t *cs__mem_child(const cs__inode_t *dir, cs_slice_t name)
{
    uint32_t at = lower_bound(dir, name);
    if (at == dir->len || !cs_slice_eq(cs_slice_str(dir->entry[at].name), name)) return NULL;
    return dir->entry[at].inode;
}

cs__inode_t *cs__mem_swap(cs__inode_t *dir, cs_str_t *name, cs__inode_t *child)
{
    uint32_t at = lower_bound(dir, cs_slice_str(name));
    bool there = at < dir->len && cs_str_eq(dir->entry[at].name, name);
    cs__inode_t *former = there ? dir->entry[at].inode : NULL;
    if (child != NULL) {
        cs__mem_ref(child)->nlink++;
        if (child->type == CS_NODE_DIR) child->parent = dir;
    }
    if (former != NULL) former->nlink--;
    if (there && child != NULL) {
        dir->entry[at].inode = child;
    } else if (there) {
        cs_str_unref(&dir->entry[at].name);
        dir->len--;
        memmove(&dir->entry[at], &dir->entry[at + 1], (dir->len - at) * sizeof *dir->entry);
    } else if (child != NULL) {
        if (dir->len == dir->cap) {
            dir->cap = (uint32_t)cs_grow(dir->cap, dir->len + 1);
            dir->entry = cs_realloc_array(dir->entry, dir->cap, sizeof *dir->entry);
        }
        memmove(&dir->entry[at + 1], &dir->entry[at], (dir->len - at) * sizeof *dir->entry);
        dir->entry[at] = (cs__entry_t){cs_str_ref(name), child};
        dir->len++;
    }
    return former;
}

void cs__mem_set(cs_mem_volume_t *volume, cs__inode_t *dir, cs_slice_t name, cs__inode_t *child)
{
    cs__mem_note_name(volume, dir, name);
    cs_str_t *text = cs_str_new(name.data, name.len);
    cs__inode_t *former = cs__mem_swap(dir, text, child);
    cs_str_unref(&text);
    cs__mem_unref(&former);
    dir->attrs.mtime_ns = dir->attrs.ctime_ns = volume->now_ns;
}

static bool is_dot(cs_slice_t name)
{
    return name.len == 1 && name.data[0] == '.';
}

static bool is_dot_dot(cs_slice_t name)
{
    return name.len == 2 && name.data[0] == '.' && name.data[1] == '.';
}

/* What a component leads to, as RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS would have it. */
static cs_err_t step(const cs_mem_volume_t *volume, const cs__inode_t *root, cs_slice_t name,
                     cs__inode_t **at)
{
    cs__inode_t *dir = *at;
    if (dir->type == CS_NODE_SYMLINK) return CS_ERR_ESCAPES;
    if (dir->type != CS_NODE_DIR) return CS_ERR_NOT_DIR;
    if (!cs__mem_may(volume, dir, OWNER_SEARCH)) return CS_ERR_DENIED;
    if (name.len == 0 || is_dot(name)) return CS_OK;
    if (is_dot_dot(name)) {
        if (dir == root) return CS_ERR_CROSS_DEVICE;
        *at = dir->parent;
        return CS_OK;
    }
    if (name.len > CS_NAME_MAX) return CS_ERR_NAME;
    *at = cs__mem_child(dir, name);
    return *at == NULL ? CS_ERR_NOT_FOUND : CS_OK;
}

cs_err_t cs__mem_resolve(const cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                         bool as_dir, cs__inode_t **ret)
{
    if (path.len > CS_PATH_MAX) return CS_ERR_NAME;
    if (path.len > 0 && path.data[0] == '/') return CS_ERR_CROSS_DEVICE;
    if (path.len > 0 && path.data[path.len - 1] == '/') as_dir = true;
    cs__inode_t *at = root;
    for (size_t start = 0; start < path.len;) {
        const uint8_t *from = path.data + start;
        const uint8_t *slash = memchr(from, '/', path.len - start);
        size_t len = slash != NULL ? (size_t)(slash - from) : path.len - start;
        cs_err_t err = step(volume, root, cs_slice(from, len), &at);
        if (err != CS_OK) return err;
        start += len + 1;
    }
    if (as_dir && at->type == CS_NODE_SYMLINK) return CS_ERR_ESCAPES;
    if (as_dir && at->type != CS_NODE_DIR) return CS_ERR_NOT_DIR;
    *ret = at;
    return CS_OK;
}

static cs_err_t locate(const cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                       cs__mem_place_t *ret)
{
    cs_slice_t name = cs_path_base(path);
    cs__inode_t *dir = NULL;
    cs_err_t err = cs__mem_resolve(volume, root, cs_path_parent(path), true, &dir);
    if (err != CS_OK) return err;
    CS_ASSERT(dir != NULL);
    if (!cs__mem_may(volume, dir, OWNER_SEARCH)) return CS_ERR_DENIED;
    if (name.len > CS_NAME_MAX) return CS_ERR_NAME;
    *ret =
        (cs__mem_place_t){.dir = dir, .name = name, .dots = is_dot(name) || is_dot_dot(name)};
    ret->child = !ret->dots ? cs__mem_child(dir, name) : is_dot(name) ? dir : dir->parent;
    return CS_OK;
}

cs_err_t cs__mem_locate(const cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                        cs__mem_place_t *ret)
{
    cs_slice_t name = cs_path_base(path);
    if (name.len == 0) return CS_ERR_EXISTS; /* the root has no entry that could be changed */
    if (name.len > CS_NAME_MAX) return CS_ERR_NAME; /* before the parent is looked at */
    return locate(volume, root, path, ret);
}

cs_err_t cs__mem_look(const cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                      cs__inode_t **ret)
{
    *ret = root;
    if (path.len == 0) return CS_OK;
    cs__mem_place_t place;
    cs_err_t err = cs__mem_locate(volume, root, path, &place);
    if (err != CS_OK) return err;
    *ret = place.child;
    return place.child == NULL ? CS_ERR_NOT_FOUND : CS_OK;
}

cs_err_t cs__mem_open(const cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                      bool writable, cs__inode_t **ret)
{
    cs__inode_t *inode = NULL;
    cs_err_t err = cs__mem_resolve(volume, root, path, false, &inode);
    if (err != CS_OK) return err;
    if (inode->type == CS_NODE_SYMLINK) return CS_ERR_ESCAPES;
    if (inode->type == CS_NODE_DIR) return CS_ERR_IS_DIR;
    if (!cs__mem_may(volume, inode, OWNER_READ | (writable ? OWNER_WRITE : 0))) {
        return CS_ERR_DENIED;
    }
    if (inode->type != CS_NODE_FILE) return CS_ERR_UNSUPPORTED;
    *ret = inode;
    return CS_OK;
}

/* An order that nobody may rely on: it begins somewhere, and that moves as the directory's
 * entries come and go. */
static uint32_t first_listed(const cs__inode_t *dir)
{
    return dir->len == 0 ? 0 : (uint32_t)((dir->ino * 7 + UINT64_C(3) * dir->len) % dir->len);
}

cs_err_t cs__mem_list(const cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                      cs_listing_t *ret)
{
    cs__inode_t *dir = NULL;
    cs_err_t err = cs__mem_resolve(volume, root, path, true, &dir);
    if (err != CS_OK) return err;
    if (!cs__mem_may(volume, dir, OWNER_READ)) return CS_ERR_DENIED;
    err = cs__mem_may(volume, dir, OWNER_SEARCH) ? CS_OK : CS_ERR_DENIED;
    cs_listing_fini(ret);
    if (dir->len == 0) return CS_OK;
    ret->item = cs_malloc(dir->len * sizeof *ret->item);
    ret->len = ret->cap = dir->len;
    uint32_t first = first_listed(dir);
    for (uint32_t i = 0; i < dir->len; i++) {
        uint32_t k = first + i < dir->len ? first + i : first + i - dir->len;
        cs_dirent_t *item = &ret->item[i];
        item->name = cs_str_ref(dir->entry[k].name);
        item->err = err;
        cs__mem_stat(volume, dir->entry[k].inode, &item->stat);
    }
    return CS_OK;
}

cs_err_t cs__mem_readlink(const cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                          cs_buf_t *ret)
{
    cs__mem_place_t place;
    cs_err_t err = cs__mem_locate(volume, root, path, &place);
    if (err != CS_OK) return err;
    if (place.child == NULL) return CS_ERR_NOT_FOUND;
    if (place.child->type != CS_NODE_SYMLINK) return CS_ERR_CHANGED;
    cs_buf_clear(ret);
    cs_buf_put(ret, place.child->bytes->data, (size_t)place.child->size);
    return CS_OK;
}

cs_err_t cs__mem_make(cs_mem_volume_t *volume, const cs__mem_place_t *place,
                      cs_node_type_t type, uint16_t mode, cs__inode_t **ret)
{
    if (place->child != NULL) return CS_ERR_EXISTS;
    if (!cs__mem_may(volume, place->dir, OWNER_WRITE | OWNER_SEARCH)) return CS_ERR_DENIED;
    if (type == CS_NODE_SYMLINK && volume->config.no_symlinks) return CS_ERR_UNSUPPORTED;
    if (place->dir->nlink == 0) return CS_ERR_NOT_FOUND; /* a removed root of a process */
    cs__inode_t *inode = NULL;
    cs_err_t err = cs__mem_inode_new(volume, place->dir, type, mode, &inode);
    if (err != CS_OK) return err;
    cs__mem_begin(volume);
    cs__mem_set(volume, place->dir, place->name, inode);
    if (ret != NULL) *ret = inode;
    cs__mem_unref(&inode); /* the name has one */
    return CS_OK;
}

cs_err_t cs__mem_create(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                        uint16_t mode, cs__inode_t **ret)
{
    if (path.len > CS_PATH_MAX) return CS_ERR_NAME;
    if (path.len == 0) return CS_ERR_EXISTS;
    if (path.data[0] == '/') return CS_ERR_CROSS_DEVICE;
    bool slash = path.data[path.len - 1] == '/';
    while (path.data[path.len - 1] == '/') {
        path.len--;
    }
    cs__mem_place_t place;
    cs_err_t err = locate(volume, root, path, &place); /* one open: the name comes last */
    if (err == CS_OK && is_dot_dot(place.name) && place.dir == root) return CS_ERR_CROSS_DEVICE;
    if (err == CS_OK && slash && !place.dots) return CS_ERR_IS_DIR;
    return err == CS_OK ? cs__mem_make(volume, &place, CS_NODE_FILE, mode, ret) : err;
}

cs_err_t cs__mem_mkdir(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path)
{
    cs__mem_place_t place;
    cs_err_t err = cs__mem_locate(volume, root, path, &place);
    return err == CS_OK ? cs__mem_make(volume, &place, CS_NODE_DIR, CS_MODE_MAX, NULL) : err;
}

cs_err_t cs__mem_symlink(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t target,
                         cs_slice_t path)
{
    if (target.len == 0 || target.len > TARGET_BYTES_MAX) return CS_ERR_NAME;
    if (memchr(target.data, '\0', target.len) != NULL) return CS_ERR_NAME;
    cs__mem_place_t place;
    cs_err_t err = cs__mem_locate(volume, root, path, &place);
    if (err != CS_OK) return err;
    cs__inode_t *inode = NULL;
    err = cs__mem_make(volume, &place, CS_NODE_SYMLINK, CS_MODE_MAX, &inode);
    if (err != CS_OK) return err;
    cs__mem_put(inode, 0, target.data, target.len); /* a part of its creation */
    volume->used_bytes += target.len;
    return CS_OK;
}

cs_err_t cs__mem_unlink_at(cs_mem_volume_t *volume, cs__mem_place_t place)
{
    if (place.dots) return CS_ERR_IS_DIR;
    if (place.child == NULL) return CS_ERR_NOT_FOUND;
    if (!cs__mem_may(volume, place.dir, OWNER_WRITE | OWNER_SEARCH)) return CS_ERR_DENIED;
    if (place.child->type == CS_NODE_DIR) return CS_ERR_IS_DIR;
    cs__inode_t *inode = cs__mem_ref(place.child);
    cs__mem_begin(volume);
    cs__mem_set(volume, place.dir, place.name, NULL);
    cs__mem_touch(volume, inode, false);
    cs__mem_release(volume, inode);
    cs__mem_unref(&inode);
    return CS_OK;
}

cs_err_t cs__mem_unlink(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path)
{
    cs__mem_place_t place;
    cs_err_t err = cs__mem_locate(volume, root, path, &place);
    return err == CS_OK ? cs__mem_unlink_at(volume, place) : err;
}

cs_err_t cs__mem_rmdir(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path)
{
    cs__mem_place_t place;
    cs_err_t err = cs__mem_locate(volume, root, path, &place);
    if (err != CS_OK) return err == CS_ERR_EXISTS ? CS_ERR_NOT_EMPTY : err; /* as fs_linux */
    if (place.dots) return is_dot(place.name) ? CS_ERR_NAME : CS_ERR_NOT_EMPTY;
    if (place.child == NULL) return CS_ERR_NOT_FOUND;
    if (!cs__mem_may(volume, place.dir, OWNER_WRITE | OWNER_SEARCH)) return CS_ERR_DENIED;
    if (place.child->type != CS_NODE_DIR) return CS_ERR_NOT_DIR;
    if (place.child->len > 0) return CS_ERR_NOT_EMPTY;
    cs__inode_t *inode = cs__mem_ref(place.child);
    cs__mem_begin(volume);
    cs__mem_set(volume, place.dir, place.name, NULL);
    cs__mem_release(volume, inode);
    cs__mem_unref(&inode);
    return CS_OK;
}
