/* cursor.c - ordered reading of a table: overlay and store merged, the overlay wins. */
#include "crdt/workset.h"

#define PREFIX_BYTES 6u /* folder and "e/" */
#define STEPS_MAX    2u /* before a search is cheaper */

/* --- spots: where the store's iterators stand */

static void spot_close(cs_spot_t *spot)
{
    if (spot->iter != NULL) cs_iter_destroy(&spot->iter);
    cs_buf_clear(&spot->from);
}

void cs_cursors_close(cs_workset_t *ws)
{
    for (int t = 0; t < CS_TABLE_COUNT; t++) {
        for (uint32_t i = 0; i < CS_SPOTS; i++) {
            spot_close(&ws->spot[t][i]);
            cs_buf_fini(&ws->spot[t][i].from);
        }
    }
}

static bool is_in_table(const cs_workset_t *ws, cs_table_t table, cs_slice_t key)
{
    const uint8_t want[PREFIX_BYTES] = {
        (uint8_t)(ws->folder >> 24),      (uint8_t)(ws->folder >> 16),
        (uint8_t)(ws->folder >> 8),       (uint8_t)ws->folder,
        (uint8_t)ws->types[table].prefix, '/',
    };
    return cs_slice_has_prefix(key, cs_slice(want, PREFIX_BYTES));
}

/* The iterator was moved: what is there? False: it failed. */
static bool spot_read(cs_workset_t *ws, cs_table_t table, cs_spot_t *spot)
{
    cs_err_t err = cs_iter_err(spot->iter);
    if (err != CS_OK) {
        if (ws->fault == CS_OK) ws->fault = err;
        spot_close(spot);
        return false;
    }
    spot->at_end = true;
    if (!cs_iter_valid(spot->iter)) return true;
    cs_slice_t key = cs_iter_key(spot->iter);
    if (!is_in_table(ws, table, key)) return true;
    spot->at_end = false;
    spot->key = cs_slice(key.data + PREFIX_BYTES, key.len - PREFIX_BYTES);
    return true;
}

static bool spot_next(cs_workset_t *ws, cs_table_t table, cs_spot_t *spot)
{
    cs_buf_clear(&spot->from);
    cs_buf_put_slice(&spot->from, spot->key);
    cs_buf_put_u8(&spot->from, 0); /* the least key behind it */
    cs_iter_next(spot->iter);
    return spot_read(ws, table, spot);
}

static bool spot_seek(cs_workset_t *ws, cs_table_t table, cs_spot_t *spot, cs_slice_t key)
{
    if (spot->iter == NULL) spot->iter = cs_store_iter(ws->store, NULL);
    cs_buf_clear(&spot->from);
    cs_buf_put_slice(&spot->from, key);
    cs_workset_key(ws, ws->types[table].prefix, key, &ws->key);
    cs_iter_seek(spot->iter, cs_buf_slice(&ws->key));
    return spot_read(ws, table, spot);
}

static bool spot_knows(const cs_spot_t *spot, cs_slice_t key)
{
    if (cs_slice_cmp(cs_buf_slice(&spot->from), key) > 0) return false;
    return spot->at_end || cs_slice_cmp(key, spot->key) <= 0;
}

/* Just before `key`, as far as one can tell: a step is cheaper than a search. */
static bool is_near(const cs_spot_t *spot, cs_slice_t key)
{
    size_t most = key.len < spot->key.len ? key.len : spot->key.len, same = 0;
    while (same < most && key.data[same] == spot->key.data[same]) {
        same++;
    }
    return 2 * same >= key.len && same < key.len &&
           (same == most || spot->key.data[same] < key.data[same]);
}

static bool spot_step_to(cs_workset_t *ws, cs_table_t table, cs_spot_t *spot, cs_slice_t key)
{
    for (uint32_t i = 0; i < STEPS_MAX; i++) {
        if (!spot_next(ws, table, spot)) return false;
        if (spot_knows(spot, key)) return true;
    }
    return spot_seek(ws, table, spot, key);
}

/* A spot that stands at the first stored row >= key, held; NULL: the store failed. */
static cs_spot_t *spot_hold(cs_workset_t *ws, cs_table_t table, cs_slice_t key)
{
    cs_spot_t *near = NULL, *oldest = NULL;
    for (uint32_t i = 0; i < CS_SPOTS; i++) {
        cs_spot_t *spot = &ws->spot[table][i];
        if (spot->held) continue;
        if (spot->iter != NULL && spot_knows(spot, key)) {
            spot->used = ++ws->spot_uses;
            spot->held = true;
            return spot;
        }
        bool may = spot->iter != NULL && !spot->at_end;
        if (near == NULL && may && is_near(spot, key)) near = spot;
        bool older = oldest == NULL || (oldest->iter != NULL &&
                                        (spot->iter == NULL || spot->used < oldest->used));
        if (older) oldest = spot;
    }
    CS_ASSERT(oldest != NULL); /* so many cursors are not open at once */
    cs_spot_t *spot = near != NULL ? near : oldest;
    bool ok =
        near != NULL ? spot_step_to(ws, table, spot, key) : spot_seek(ws, table, spot, key);
    if (!ok) return NULL;
    spot->used = ++ws->spot_uses;
    spot->held = true;
    return spot;
}

/* --- cursors */

void cs_cursor_init(cs_cursor_t *cursor, cs_workset_t *ws, cs_table_t table)
{
    *cursor = (cs_cursor_t){.ws = ws, .table = table};
}

static void let_go(cs_cursor_t *cursor)
{
    if (cursor->spot != NULL) cursor->spot->held = false;
    cursor->spot = NULL;
}

void cs_cursor_fini(cs_cursor_t *cursor)
{
    let_go(cursor);
    cursor->valid = false;
}

static void step_store(cs_cursor_t *cursor)
{
    if (!spot_next(cursor->ws, cursor->table, cursor->spot)) let_go(cursor);
}

static bool store_key(const cs_cursor_t *cursor, cs_slice_t *ret)
{
    if (cursor->spot == NULL || cursor->spot->at_end) return false;
    *ret = cursor->spot->key;
    return true;
}

/* Choose the smaller of the two positions; rows of the store hidden by a node are passed over.
 */
static void settle(cs_cursor_t *cursor)
{
    cursor->beyond = cs_slice(NULL, 0);
    cursor->beyond_known = true;
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
        if (!cs_slice_has_prefix(first, cursor->within)) {
            cursor->beyond = first;
            cursor->beyond_known = order > 0 || cursor->node->present;
            break;
        }
        if (order > 0) {
            cursor->at = NULL;
            cursor->key = stored;
            cursor->valid = true;
            return;
        }
        if (order == 0) step_store(cursor);
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
    let_go(cursor);
}

void cs_cursor_seek(cs_cursor_t *cursor, cs_slice_t key)
{
    cs_cursor_seek_within(cursor, key, cs_slice(NULL, 0));
}

void cs_cursor_seek_within(cs_cursor_t *cursor, cs_slice_t key, cs_slice_t within)
{
    cs_workset_t *ws = cursor->ws;
    let_go(cursor);
    if (ws->store != NULL && ws->fault == CS_OK) {
        cursor->spot = spot_hold(ws, cursor->table, key);
    }
    cursor->node = cs_omap_seek(&ws->map[cursor->table], key);
    cursor->within = within;
    settle(cursor);
}

void cs_cursor_next(cs_cursor_t *cursor)
{
    CS_ASSERT(cursor->valid);
    if (cursor->at != NULL) {
        cursor->node = cursor->node->next[0];
    } else {
        step_store(cursor);
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
