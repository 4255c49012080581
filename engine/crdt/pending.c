/* pending.c - paths where projection and base may differ (w/): from where to look, and which of
 * them only wait for bytes. */
#include "crdt/replica_i.h"

void cs__want(cs_replica_t *r, cs_slice_t path)
{
    cs_pending_t *pending = &r->pending;
    cs_workset_put(&r->ws, CS_T_WANTED, path, NULL);
    bool below = pending->none || cs_slice_cmp(path, cs_buf_slice(&pending->first)) < 0;
    if (below) {
        cs_buf_clear(&pending->first);
        cs_buf_put_slice(&pending->first, path);
        pending->none = false;
    }
    cs_onode_t *parked = cs_omap_find(&pending->parked, path);
    if (parked == NULL) return;
    cs_omap_remove(&pending->parked, parked);
    pending->changed = true;
}

bool cs__is_going(cs_replica_t *r, cs_slice_t path)
{
    cs_pending_t *pending = &r->pending;
    if (pending->none_goes) return false;
    pending->none_goes =
        !cs_workset_any(&r->ws, CS_T_GOING, cs_slice(NULL, 0)) && r->ws.fault == CS_OK;
    return !pending->none_goes && cs_workset_has(&r->ws, CS_T_GOING, path);
}

void cs__going_set(cs_replica_t *r, cs_slice_t path, bool is_going)
{
    if (cs__is_going(r, path) == is_going) return;
    if (is_going) {
        cs_workset_put_new(&r->ws, CS_T_GOING, path, NULL);
        r->pending.none_goes = false;
    } else {
        cs_workset_delete(&r->ws, CS_T_GOING, path);
    }
}

/* Paths are done in their order, more or less: without a lower bound each look from the
 * beginning would pass all rows that were deleted. */
static bool next_row(cs_replica_t *r, cs_slice_t from, bool parked_too, cs_buf_t *ret_path)
{
    cs_pending_t *pending = &r->pending;
    cs_slice_t first = cs_buf_slice(&pending->first);
    bool from_first = cs_slice_cmp(from, first) <= 0;
    cs_cursor_t cursor;
    cs_buf_clear(ret_path);
    if (pending->none) return false;
    cs_cursor_init(&cursor, &r->ws, CS_T_WANTED);
    cs_cursor_seek(&cursor, from_first ? first : from);
    if (from_first && r->ws.fault == CS_OK) {
        pending->none = !cursor.valid;
        cs_buf_clear(&pending->first);
        if (cursor.valid) cs_buf_put_slice(&pending->first, cursor.key);
    }
    while (!parked_too && cursor.valid && cs_omap_find(&pending->parked, cursor.key) != NULL) {
        cs_cursor_next(&cursor);
    }
    bool found = cursor.valid;
    if (found) cs_buf_put_slice(ret_path, cursor.key);
    cs_cursor_fini(&cursor);
    return found;
}

bool cs__any_wanted(cs_replica_t *r)
{
    cs_buf_t path = {0};
    bool any = next_row(r, cs_slice(NULL, 0), true, &path);
    cs_buf_fini(&path);
    return any;
}

bool cs_replica_pending(cs_replica_t *replica, cs_slice_t from, cs_buf_t *ret_path)
{
    return next_row(replica, from, true, ret_path);
}

bool cs_replica_todo(cs_replica_t *replica, cs_slice_t from, cs_buf_t *ret_path)
{
    return next_row(replica, from, false, ret_path);
}

uint64_t cs_replica_count_pending(cs_replica_t *replica, uint64_t max)
{
    if (replica->pending.none) return 0;
    uint64_t count = 0;
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, &replica->ws, CS_T_WANTED);
    cs_cursor_seek(&cursor, cs_buf_slice(&replica->pending.first));
    for (; cursor.valid && count < max; cs_cursor_next(&cursor)) {
        count++;
    }
    cs_cursor_fini(&cursor);
    return count;
}

uint64_t cs_replica_count_pending_from(cs_replica_t *replica, cs_buf_t *last, uint64_t max)
{
    uint64_t count = 0;
    cs_cursor_t cursor;
    if (replica->pending.none) return 0;
    cs_slice_t from =
        last->len > 0 ? cs_buf_slice(last) : cs_buf_slice(&replica->pending.first);
    cs_cursor_init(&cursor, &replica->ws, CS_T_WANTED);
    cs_cursor_seek(&cursor, from);
    for (; cursor.valid && count < max; cs_cursor_next(&cursor)) {
        cs_buf_clear(last);
        cs_buf_put_slice(last, cursor.key);
        cs_buf_put_u8(last, 0); /* just behind it: no path contains this byte */
        count++;
    }
    cs_cursor_fini(&cursor);
    return count;
}

/* A path that is not alone in its family is not parked: something else may be done there. */
void cs_replica_park(cs_replica_t *replica, cs_slice_t path)
{
    if (cs_family_is_tagged(path) || !cs_workset_has(&replica->ws, CS_T_WANTED, path)) return;
    bool is_new;
    cs_omap_insert(&replica->pending.parked, path, &is_new);
}

void cs_replica_unpark(cs_replica_t *replica, cs_slice_t path)
{
    cs_onode_t *node = cs_omap_find(&replica->pending.parked, path);
    if (node != NULL) cs_omap_remove(&replica->pending.parked, node);
}

void cs_replica_unpark_all(cs_replica_t *replica)
{
    cs_omap_fini(&replica->pending.parked, NULL);
    replica->pending.changed = false;
}

bool cs_replica_parked_changed(const cs_replica_t *replica)
{
    return replica->pending.changed;
}

void cs__pending_fini(cs_pending_t *pending)
{
    cs_omap_fini(&pending->parked, NULL);
    cs_buf_fini(&pending->first);
}
