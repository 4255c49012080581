/* mem_volume.c - the volume: inodes and their numbers, its clock, mounting, copies. */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sim/mem_fs_i.h"

#define DEFAULT_BYTES  (UINT64_C(1) << 30)
#define DEFAULT_INODES UINT64_C(1000000)
#define POINT_DEVICE   1000u /* the mount point's device comes so far after the volume's */
#define DIR_BYTES      4096u /* what a stat says of a directory, as ext4 */

cs__inode_t *cs__mem_ref(cs__inode_t *inode)
{
    inode->refs++;
    return inode;
}

void cs__mem_unref(cs__inode_t **inode_p)
{
    cs__inode_t *inode = *inode_p;
    *inode_p = NULL;
    if (inode == NULL || --inode->refs > 0) return;
    for (uint32_t i = 0; i < inode->len; i++) {
        cs_str_unref(&inode->entry[i].name);
        cs__mem_unref(&inode->entry[i].inode);
    }
    cs__mem_bytes_unref(&inode->bytes);
    cs_free(inode->entry);
    cs_free(inode);
}

static uint64_t take_number(cs_mem_volume_t *volume)
{
    if (volume->free_len > 0) return volume->free_ino[--volume->free_len];
    return volume->next_ino++;
}

void cs__mem_free_number(cs_mem_volume_t *volume, uint64_t ino)
{
    if (!volume->config.reuse_inodes) return;
    if (volume->free_len == volume->free_cap) {
        volume->free_cap = cs_grow(volume->free_cap, volume->free_len + 1);
        volume->free_ino =
            cs_realloc_array(volume->free_ino, volume->free_cap, sizeof *volume->free_ino);
    }
    size_t at = volume->free_len++;
    for (; at > 0 && volume->free_ino[at - 1] < ino; at--) {
        volume->free_ino[at] = volume->free_ino[at - 1];
    }
    volume->free_ino[at] = ino;
}

static cs__inode_t *inode_new(cs_mem_volume_t *volume, cs_node_type_t type, uint16_t mode)
{
    cs__inode_t *inode = cs_calloc(1, sizeof *inode);
    int64_t now = volume->now_ns;
    *inode = (cs__inode_t){.refs = 1,
                           .type = type,
                           .counted = true,
                           .ino = take_number(volume),
                           .btime_ns = now,
                           .attrs = {.mtime_ns = now, .ctime_ns = now, .mode = mode}};
    volume->used_inodes++;
    return inode;
}

cs_err_t cs__mem_inode_new(cs_mem_volume_t *volume, const cs__inode_t *dir, cs_node_type_t type,
                           uint16_t mode, cs__inode_t **ret)
{
    if (volume->used_inodes >= volume->config.inodes) return CS_ERR_NOSPACE;
    if (volume->config.no_modes) mode = CS_MODE_MAX;
    if (type != CS_NODE_SYMLINK) mode &= (uint16_t)~volume->config.umask;
    *ret = inode_new(volume, type, mode);
    (*ret)->bare = dir->bare;
    return CS_OK;
}

void cs__mem_release(cs_mem_volume_t *volume, cs__inode_t *inode)
{
    if (inode->nlink > 0 || inode->opens > 0 || !inode->counted) return;
    inode->counted = false;
    volume->used_bytes -= inode->filled;
    volume->used_inodes--;
    cs__mem_free_number(volume, inode->ino);
}

void cs__mem_opened(cs__inode_t *inode, bool writable)
{
    cs__mem_ref(inode);
    inode->opens++;
    if (writable) inode->writers++;
}

void cs__mem_closed(cs_mem_volume_t *volume, cs__inode_t **inode_p, bool writable,
                    uint64_t boot)
{
    cs__inode_t *inode = *inode_p;
    if (boot == volume->boot) { /* a power cut closed all that was open before */
        inode->opens--;
        if (writable) inode->writers--;
        cs__mem_release(volume, inode);
    }
    cs__mem_unref(inode_p);
}

static cs__inode_t *root_new(cs_mem_volume_t *volume)
{
    cs__inode_t *root =
        inode_new(volume, CS_NODE_DIR, CS_MODE_MAX & (uint16_t)~volume->config.umask);
    root->nlink = 1;
    root->parent = root;
    return root;
}

cs_mem_volume_t *cs_mem_volume_new(const cs_mem_config_t *config)
{
    cs_mem_volume_t *volume = cs_calloc(1, sizeof *volume);
    if (config != NULL) volume->config = *config;
    cs_mem_config_t *own = &volume->config;
    if (own->capacity == 0) own->capacity = DEFAULT_BYTES;
    if (own->inodes == 0) own->inodes = DEFAULT_INODES;
    if (own->device == 0) own->device = 1;
    if (own->granularity_ns == 0) own->granularity_ns = 1;
    volume->flushes = volume->next_ino = 1;
    volume->root = root_new(volume);
    return volume;
}

void cs_mem_volume_destroy(cs_mem_volume_t **volume_p)
{
    cs_mem_volume_t *volume = *volume_p;
    *volume_p = NULL;
    if (volume == NULL) return;
    cs__mem_forget(volume);
    cs__mem_unref(&volume->root);
    cs__mem_unref(&volume->point);
    cs_free(volume->undo);
    cs_free(volume->free_ino);
    cs_free(volume);
}

/* The inode in the copy of the volume, with all below it. */
static cs__inode_t *copied(cs_mem_volume_t *copy, cs__inode_t *inode)
{
    if (inode->twin != NULL) return cs__mem_ref(inode->twin);
    cs__inode_t *twin = cs_memdup(inode, sizeof *inode);
    twin->refs = 1;
    twin->opens = twin->writers = 0;
    twin->poked = 0;
    twin->counted = true;
    copy->used_inodes++;
    copy->used_bytes += twin->filled;
    if (twin->bytes != NULL) twin->bytes->refs++;
    if (inode->nlink > 1) inode->twin = twin;
    twin->cap = twin->len;
    if (inode->len == 0 || inode->entry == NULL) {
        twin->entry = NULL;
        return twin;
    }
    twin->entry = cs_malloc(inode->len * sizeof *inode->entry);
    for (uint32_t i = 0; i < inode->len; i++) {
        const cs__entry_t *from = &inode->entry[i];
        twin->entry[i] = (cs__entry_t){cs_str_ref(from->name), copied(copy, from->inode)};
        if (from->inode->type == CS_NODE_DIR) twin->entry[i].inode->parent = twin;
    }
    return twin;
}

static void forget_twins(cs__inode_t *inode)
{
    inode->twin = NULL;
    for (uint32_t i = 0; i < inode->len; i++) {
        forget_twins(inode->entry[i].inode);
    }
}

cs_mem_volume_t *cs_mem_volume_copy(const cs_mem_volume_t *volume)
{
    cs_mem_volume_t *copy = cs_calloc(1, sizeof *copy);
    copy->config = volume->config;
    copy->now_ns = volume->now_ns;
    copy->flushes = 1;
    copy->next_ino = volume->next_ino;
    copy->root = copied(copy, volume->root);
    copy->root->parent = copy->root;
    forget_twins(volume->root);
    for (size_t i = 0; i < volume->free_len; i++) {
        cs__mem_free_number(copy, volume->free_ino[i]);
    }
    return copy;
}

void cs_mem_volume_set_device(cs_mem_volume_t *volume, uint64_t device)
{
    volume->config.device = device;
}

int64_t cs__mem_time(const cs_mem_volume_t *volume, int64_t ns)
{
    int64_t over = ns % volume->config.granularity_ns;
    if (over < 0) over += volume->config.granularity_ns; /* before 1970 it is cut as well */
    return ns - over;
}

void cs_mem_volume_set_time(cs_mem_volume_t *volume, int64_t now_ns)
{
    volume->now_ns = cs__mem_time(volume, now_ns);
}

void cs_mem_volume_set_capacity(cs_mem_volume_t *volume, uint64_t bytes, uint64_t inodes)
{
    volume->config.capacity = bytes;
    volume->config.inodes = inodes;
}

void cs_mem_volume_used(const cs_mem_volume_t *volume, uint64_t *ret_bytes,
                        uint64_t *ret_inodes)
{
    *ret_bytes = volume->used_bytes;
    *ret_inodes = volume->used_inodes;
}

void cs_mem_volume_unmount(cs_mem_volume_t *volume, bool point_exists)
{
    volume->unmounted = true;
    volume->point_exists = point_exists;
    if (!point_exists || volume->point != NULL) return;
    volume->point = root_new(volume);
    volume->point->bare = true;
}

void cs_mem_volume_mount(cs_mem_volume_t *volume)
{
    volume->unmounted = false;
}

cs__inode_t *cs__mem_root(const cs_mem_volume_t *volume)
{
    if (!volume->unmounted) return volume->root;
    return volume->point_exists ? volume->point : NULL;
}

void cs__mem_stat(const cs_mem_volume_t *volume, const cs__inode_t *inode, cs_stat_t *ret)
{
    const cs_mem_config_t *config = &volume->config;
    *ret = (cs_stat_t){
        .type = inode->type,
        .mode = inode->attrs.mode,
        .nlink = inode->nlink,
        .print = {.dev = config->device + (inode->bare ? POINT_DEVICE : 0),
                  .ino = inode->ino,
                  .btime_ns = config->no_btime ? 0 : inode->btime_ns,
                  .mtime_ns = inode->attrs.mtime_ns,
                  .ctime_ns = inode->attrs.ctime_ns,
                  .size = inode->type == CS_NODE_DIR ? DIR_BYTES : inode->size},
    };
}

void cs__mem_touch(cs_mem_volume_t *volume, cs__inode_t *inode, bool changed)
{
    cs__mem_note_attrs(volume, inode);
    inode->attrs.ctime_ns = volume->now_ns;
    if (changed) inode->attrs.mtime_ns = volume->now_ns;
}

bool cs__mem_may(const cs_mem_volume_t *volume, const cs__inode_t *inode, uint16_t bits)
{
    return !volume->config.unprivileged || (inode->attrs.mode & bits) == bits;
}
