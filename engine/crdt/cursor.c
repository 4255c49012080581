/* cursor.c - ordered reading of a table: overlay and store merged, the overlay wins. */
#include "crdt/workset.h"

#define PREFIX_BYTES 6u /* folder and "e/" */

void cs_cursor_init(cs_cursor_t *cursor, cs_workset_t *ws, cs_table_t table)
{
    *cursor = (cs_cursor_t){.ws = ws, .table = table};
    if (ws->store == NULL || ws->fault != CS_OK) return;
    cursor->iter = ws->idle_len > 0 ? ws->idle[--ws->idle_len] : cs_store_iter(ws->store, NULL);
}

static void give_back(cs_cursor_t *cursor)
{
    cs_workset_t *ws = cursor->ws;
    if (cursor->iter == NULL) return;
    cs_err_t err = cs_iter_err(cursor->iter);
    if (err != CS_OK && ws->fault == CS_OK) ws->fault = err;
    if (err == CS_OK && ws->idle_len < CS_CURSORS_MAX) {
        ws->idle[ws->idle_len++] = cursor->iter;
    } else {
        cs_iter_destroy(&cursor->iter);
    }
    cursor->iter = NULL;
}

void cs_cursor_fini(cs_cursor_t *cursor)
{
    give_back(cursor);
    cursor->valid = false;
}

/* The store's key without folder and prefix; false once past the table. */
static bool store_key(const cs_cursor_t *cursor, cs_slice_t *ret)
{
    if (cursor->iter == NULL || !cs_iter_valid(cursor->iter)) return false;
    cs_slice_t key = cs_iter_key(cursor->iter);
    if (key.len < PREFIX_BYTES) return false;
    const cs_workset_t *ws = cursor->ws;
    const uint8_t want[PREFIX_BYTES] = {
        (uint8_t)(ws->folder >> 24),
        (uint8_t)(ws->folder >> 16),
        (uint8_t)(ws->folder >> 8),
        (uint8_t)ws->folder,
        (uint8_t)ws->types[cursor->table].prefix,
        '/',
    };
    if (!cs_slice_eq(cs_slice(key.data, PREFIX_BYTES), cs_slice(want, PREFIX_BYTES))) {
        return false;
    }
    *ret = cs_slice(key.data + PREFIX_BYTES, key.len - PREFIX_BYTES);
    return true;
}

/* Choose the smaller of the two positions; rows of the store hidden by a node are passed over.
 */
static void settle(cs_cursor_t *cursor)
{
    for (;;) {
        cs_slice_t stored;
        bool has_stored = store_key(cursor, &stored);
        int order = -1; /* node first */
        if (cursor->node == NULL) {
            if (!has_stored) break;
            order = 1;
        } else if (has_stored) {
            order = cs_slice_cmp(cs_onode_key(cursor->node), stored);
        }
        cs_slice_t first = order > 0 ? stored : cs_onode_key(cursor->node);
        if (!cs_slice_has_prefix(first, cursor->within)) break;
        if (order > 0) {
            cursor->at = NULL;
            cursor->key = stored;
            cursor->valid = true;
            return;
        }
        if (order == 0) cs_iter_next(cursor->iter);
        if (cursor->node->present) {
            cursor->at = cursor->node;
            cursor->key = cs_onode_key(cursor->node);
            cursor->valid = true;
            return;
        }
        cursor->node = cursor->node->next[0];
    }
    cursor->valid = false;
    cursor->at = NULL;
    give_back(cursor);
}

void cs_cursor_seek(cs_cursor_t *cursor, cs_slice_t key)
{
    cs_cursor_seek_within(cursor, key, cs_slice(NULL, 0));
}

void cs_cursor_seek_within(cs_cursor_t *cursor, cs_slice_t key, cs_slice_t within)
{
    cs_workset_t *ws = cursor->ws;
    cursor->node = cs_omap_seek(&ws->map[cursor->table], key);
    if (cursor->iter == NULL && ws->store != NULL && ws->fault == CS_OK) {
        cs_cursor_init(cursor, ws, cursor->table);
        cursor->node = cs_omap_seek(&ws->map[cursor->table], key);
    }
    if (cursor->iter != NULL) {
        cs_workset_key(ws, ws->types[cursor->table].prefix, key, &ws->key);
        cs_iter_seek(cursor->iter, cs_buf_slice(&ws->key));
    }
    cursor->within = within;
    settle(cursor);
}

void cs_cursor_next(cs_cursor_t *cursor)
{
    CS_ASSERT(cursor->valid);
    if (cursor->at != NULL) {
        cursor->node = cursor->node->next[0];
    } else {
        cs_iter_next(cursor->iter);
    }
    settle(cursor);
}

bool cs_workset_any(cs_workset_t *ws, cs_table_t table, cs_slice_t prefix)
{
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, ws, table);
    cs_cursor_seek_within(&cursor, prefix, prefix);
    bool any = cursor.valid;
    cs_cursor_fini(&cursor);
    return any;
}
