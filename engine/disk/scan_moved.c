/* scan_moved.c - an ordered map from inode to row, filled when the first file without a row
 * shows. */
#include "disk/scan_moved.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "crdt/omap.h"

#define KEY_PREFIX_BYTES 6u /* folder number, "b/" */

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

/* Rows at and below the path. What cannot be read is not remembered: the files are read. */
static void add_rows(cs_moved_t *moved, cs_iter_t *iter, cs_slice_t path)
{
    cs_buf_t key = {0};
    cs_base_front_t row;
    cs_buf_put_u32_be(&key, moved->config->folder);
    cs_buf_put_slice(&key, cs_slice_text("b/"));
    cs_buf_put_slice(&key, path);
    cs_buf_put_u8(&key, '/');
    for (cs_iter_seek(iter, cs_buf_slice(&key)); cs_iter_valid(iter); cs_iter_next(iter)) {
        bool below = cs_slice_has_prefix(cs_iter_key(iter), cs_buf_slice(&key));
        if (!below || moved->rows.len >= CS_MOVED_MAX) break;
        if (cs_base_peek(cs_iter_value(iter), &row) == CS_OK) add(moved, &row);
    }
    cs_buf_fini(&key);
}

static void fill(cs_moved_t *moved)
{
    const cs_scan_config_t *config = moved->config;
    cs_iter_t *iter = cs_store_iter(config->store, config->snapshot);
    for (size_t i = 0; i < config->path_count; i++) {
        cs_stat_t st;
        cs_err_t err = config->fs->ops->stat(config->fs, config->paths[i], &st);
        if (err == CS_ERR_NOT_FOUND) add_rows(moved, iter, config->paths[i]);
    }
    cs_iter_destroy(&iter);
}

const cs_base_front_t *cs_moved_find(cs_moved_t *moved, const cs_stat_t *stat)
{
    if (moved->config->paths == NULL) return NULL;
    if (!moved->filled) fill(moved);
    moved->filled = true;
    const cs_onode_t *node = cs_omap_find(&moved->rows, key_of(&stat->print.ino));
    return node != NULL ? node->value : NULL;
}
