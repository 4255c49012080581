/* tally.c - what the base table shows: counted, and its untouched siblings, in one walk. */
#include <string.h>

#include "base/mem.h"
#include "crdt/replica_i.h"

/* Directories on the way to `path` that `last`, which sorts before it, does not share. */
static uint64_t new_dirs(cs_slice_t last, cs_slice_t path)
{
    size_t common = 0;
    uint64_t count = 0;
    while (common < last.len && common < path.len && last.data[common] == path.data[common]) {
        common++;
    }
    for (size_t i = common; i < path.len; i++) {
        count += path.data[i] == '/';
    }
    return count;
}

static cs_err_t count_row(const cs_cursor_t *cursor, cs_tally_t *ret)
{
    cs_base_front_t front = {0};
    if (cursor->at != NULL) {
        front.content = ((const cs_item_t *)cursor->at->value)->content;
    } else {
        cs_err_t err = cs_base_peek(cs_iter_value(cursor->spot->iter), &front);
        if (err != CS_OK) return err;
    }
    bool is_dir = front.content.kind == CS_KIND_DIR;
    ret->dirs += is_dir;
    ret->files += !is_dir;
    ret->bytes += front.content.size;
    return CS_OK;
}

/* Of the paths with a tag, those that stand beside another one. */
static void keep_siblings(cs_replica_t *replica, cs_strs_t *paths, cs_items_t *ret)
{
    for (uint32_t i = 0; i < paths->len; i++) {
        const cs_item_t *row = cs__row(replica, cs_slice_str(paths->str[i]));
        if (row == NULL || cs_str_eq(row->path, row->eff)) {
            continue; /* edited: its own file now */
        }
        if (ret->len == ret->cap) {
            ret->cap = (uint32_t)cs_grow(ret->cap, ret->len + 1);
            ret->item = cs_realloc_array(ret->item, ret->cap, sizeof *ret->item);
        }
        ret->item[ret->len] = (cs_item_t){0};
        cs_item_copy(&ret->item[ret->len++], row);
    }
    cs__strs_clear(paths);
    cs_free(paths->str);
}

cs_err_t cs_replica_walk_base(cs_replica_t *replica, uint32_t rows, cs_base_walk_t *walk)
{
    cs_strs_t tagged = {0};
    cs_err_t err = CS_OK;
    cs_cursor_t cursor;
    cs__trim(replica);
    cs_buf_t from = {0};
    cs_buf_put_slice(&from, cs_buf_slice(&walk->last));
    if (from.len > 0) cs_buf_put_u8(&from, 0);
    cs_cursor_init(&cursor, &replica->ws, CS_T_BASE);
    cs_cursor_seek(&cursor, cs_buf_slice(&from));
    for (; err == CS_OK && cursor.valid && rows > 0; rows--) {
        walk->tally.dirs += new_dirs(cs_buf_slice(&walk->last), cursor.key);
        err = count_row(&cursor, &walk->tally);
        if (cs_family_is_tagged(cursor.key)) {
            cs__strs_push(&tagged, cs_str_new(cursor.key.data, cursor.key.len));
        }
        cs_buf_clear(&walk->last);
        cs_buf_put_slice(&walk->last, cursor.key);
        cs_cursor_next(&cursor);
    }
    walk->done = !cursor.valid;
    cs_cursor_fini(&cursor);
    cs_buf_fini(&from);
    keep_siblings(replica, &tagged, &walk->siblings);
    return err == CS_OK ? replica->ws.fault : err;
}

void cs_base_walk_fini(cs_base_walk_t *walk)
{
    cs_buf_fini(&walk->last);
    cs_items_fini(&walk->siblings);
    memset(walk, 0, sizeof *walk);
}

cs_err_t cs_replica_tally(cs_replica_t *replica, cs_tally_t *ret)
{
    cs_base_walk_t walk = {0};
    cs_err_t err = cs_replica_walk_base(replica, UINT32_MAX, &walk);
    *ret = walk.tally;
    cs_base_walk_fini(&walk);
    return err;
}

cs_err_t cs_replica_siblings(cs_replica_t *replica, cs_items_t *ret)
{
    cs_base_walk_t walk = {0};
    cs_err_t err = cs_replica_walk_base(replica, UINT32_MAX, &walk);
    cs_items_fini(ret);
    *ret = walk.siblings;
    walk.siblings = (cs_items_t){0};
    cs_base_walk_fini(&walk);
    return err;
}

uint64_t cs_replica_base_changes(const cs_replica_t *replica)
{
    return replica->base_changes;
}
