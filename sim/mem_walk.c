/* mem_walk.c - everything on a volume, for oracles.
 *
 * Bytewise by path is not depth first: "a.c" comes between "a" and "a/b". So what is below a
 * directory is placed among its siblings as if it were named with a slash. */
#include <stdlib.h>

#include "base/mem.h"
#include "sim/mem_fs_i.h"

typedef struct walk {
    const cs_mem_volume_t *volume;
    void (*visit)(void *arg, const cs_mem_item_t *item);
    void *arg;
    cs_buf_t path, sparse;
} walk_t;

/* Names of directories, each with a slash behind it. */
static int compare_dirs(const void *a, const void *b)
{
    const cs_str_t *x = (*(const cs__entry_t *const *)a)->name;
    const cs_str_t *y = (*(const cs__entry_t *const *)b)->name;
    size_t common = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->data, y->data, common);
    if (order != 0 || x->len == y->len) return order;
    if (x->len > common) return (uint8_t)x->data[common] < '/' ? -1 : 1;
    return (uint8_t)y->data[common] < '/' ? 1 : -1;
}

/* True if name + '/' comes before `other`. */
static bool slash_before(const cs_str_t *name, const cs_str_t *other)
{
    size_t common = name->len < other->len ? name->len : other->len;
    int order = memcmp(name->data, other->data, common);
    if (order != 0) return order < 0;
    return other->len > name->len && (uint8_t)other->data[name->len] > '/';
}

static cs_slice_t bytes_of(walk_t *walk, const cs__inode_t *inode)
{
    if (inode->size == 0 || inode->type == CS_NODE_DIR) return cs_slice(NULL, 0);
    if (inode->filled == inode->size) return cs_slice(inode->bytes->data, (size_t)inode->size);
    cs_buf_clear(&walk->sparse);
    cs_buf_reserve(&walk->sparse, (size_t)inode->size);
    walk->sparse.len = cs__mem_read(inode, 0, walk->sparse.data, (size_t)inode->size);
    return cs_buf_slice(&walk->sparse);
}

static void show(walk_t *walk, const cs__entry_t *entry)
{
    size_t len = walk->path.len;
    cs_buf_put_slice(&walk->path, cs_slice_str(entry->name));
    cs_mem_item_t item = {.path = cs_buf_slice(&walk->path),
                          .bytes = bytes_of(walk, entry->inode)};
    cs__mem_stat(walk->volume, entry->inode, &item.stat);
    walk->visit(walk->arg, &item);
    walk->path.len = len;
}

static void walk_dir(walk_t *walk, const cs__inode_t *dir);

static void walk_below(walk_t *walk, const cs__entry_t *entry)
{
    size_t len = walk->path.len;
    cs_buf_put_slice(&walk->path, cs_slice_str(entry->name));
    cs_buf_put_u8(&walk->path, '/');
    walk_dir(walk, entry->inode);
    walk->path.len = len;
}

static void walk_dir(walk_t *walk, const cs__inode_t *dir)
{
    const cs__entry_t **below = cs_malloc(dir->len * sizeof(void *));
    uint32_t len = 0, next = 0;
    for (uint32_t i = 0; i < dir->len; i++) {
        if (dir->entry[i].inode->len > 0) below[len++] = &dir->entry[i];
    }
    if (len > 1) qsort(below, len, sizeof(void *), compare_dirs);
    for (uint32_t i = 0; i < dir->len; i++) {
        while (next < len && slash_before(below[next]->name, dir->entry[i].name)) {
            walk_below(walk, below[next++]);
        }
        show(walk, &dir->entry[i]);
    }
    while (next < len) {
        walk_below(walk, below[next++]);
    }
    cs_free(below);
}

void cs_mem_volume_walk(const cs_mem_volume_t *volume,
                        void (*visit)(void *arg, const cs_mem_item_t *item), void *arg)
{
    walk_t walk = {.volume = volume, .visit = visit, .arg = arg};
    walk_dir(&walk, volume->root);
    cs_buf_fini(&walk.path);
    cs_buf_fini(&walk.sparse);
}
