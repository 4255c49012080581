/* scan_moved.c - an ordered map from inode to row, filled when the first file without a row
 * shows. */
#include "disk/scan_moved.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "crdt/omap.h"

struct cs_moved {
    const cs_scan_config_t *config;
    bool filled;
    cs_omap_t rows; /* inode -> cs_base_front_t */
};

cs_moved_t *cs_moved_new(const cs_scan_config_t *config)
{
    cs_moved_t *moved = cs_calloc(1, sizeof *moved);
    moved->config = config;
    return moved;
}

void cs_moved_destroy(cs_moved_t **moved_p)
{
    cs_moved_t *moved = *moved_p;
    if (moved == NULL) return;
    cs_omap_fini(&moved->rows, cs_free);
    cs_free(moved);
    *moved_p = NULL;
}

static cs_slice_t key_of(const uint64_t *ino)
{
    return cs_slice((const uint8_t *)ino, sizeof *ino); /* only to be found again */
}

static void add(cs_moved_t *moved, const cs_base_front_t *row)
{
    bool is_new;
    if (row->print.ctime_ns == 0) return; /* it vouches for nothing */
    cs_onode_t *node = cs_omap_insert(&moved->rows, key_of(&row->print.ino), &is_new);
    if (is_new) node->value = cs_memdup(row, sizeof *row);
}

static bool is_gone(const cs_moved_t *moved, cs_slice_t path)
{
    cs_fs_t *fs = moved->config->fs;
    cs_stat_t st;
    return fs->ops->stat(fs, path, &st) == CS_ERR_NOT_FOUND;
}

/* Rows at and below the path. What cannot be read is not remembered: the files are read. */
static void add_rows(cs_moved_t *moved, cs_iter_t *iter, cs_slice_t path)
{
    cs_buf_t key = {0};
    cs_base_front_t row;
    cs_base_key(moved->config->folder, path, &key);
    cs_buf_put_u8(&key, '/');
    for (cs_iter_seek(iter, cs_buf_slice(&key)); cs_iter_valid(iter); cs_iter_next(iter)) {
        bool below = cs_slice_has_prefix(cs_iter_key(iter), cs_buf_slice(&key));
        if (!below || moved->rows.len >= CS_MOVED_MAX) break;
        if (cs_base_peek(cs_iter_value(iter), &row) == CS_OK) add(moved, &row);
    }
    cs_buf_fini(&key);
}

/* A scan of everything: rows in directories that are gone. One look a directory. */
static void add_gone(cs_moved_t *moved, cs_iter_t *iter)
{
    cs_buf_t prefix = {0}, dir = {0};
    cs_base_front_t row;
    bool gone = false;
    cs_base_key(moved->config->folder, cs_slice_text(""), &prefix);
    for (cs_iter_seek(iter, cs_buf_slice(&prefix)); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        if (moved->rows.len >= CS_MOVED_MAX) break;
        cs_slice_t parent =
            cs_path_parent(cs_slice(key.data + prefix.len, key.len - prefix.len));
        if (!cs_slice_eq(parent, cs_buf_slice(&dir))) {
            cs_buf_clear(&dir);
            cs_buf_put_slice(&dir, parent);
            gone = parent.len > 0 && is_gone(moved, parent);
        }
        if (gone && cs_base_peek(cs_iter_value(iter), &row) == CS_OK) add(moved, &row);
    }
    cs_buf_fini(&prefix);
    cs_buf_fini(&dir);
}

static void fill(cs_moved_t *moved)
{
    const cs_scan_config_t *config = moved->config;
    cs_iter_t *iter = cs_store_iter(config->store, config->snapshot);
    size_t given = config->paths != NULL ? config->path_count : 0;
    if (config->paths == NULL) add_gone(moved, iter);
    for (size_t i = 0; i < given; i++) {
        if (is_gone(moved, config->paths[i])) add_rows(moved, iter, config->paths[i]);
    }
    cs_iter_destroy(&iter);
}

const cs_base_front_t *cs_moved_find(cs_moved_t *moved, const cs_stat_t *stat)
{
    if (moved->config->full) return NULL; /* no print is believed */
    if (!moved->filled) fill(moved);
    moved->filled = true;
    const cs_onode_t *node = cs_omap_find(&moved->rows, key_of(&stat->print.ino));
    return node != NULL ? node->value : NULL;
}
