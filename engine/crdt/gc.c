/* gc.c - garbage collection: a local decision, no clock, no votes (core.md 6.2). */
#include "crdt/replica_i.h"

#include <string.h>

static bool is_dead(const cs_entry_t *entry)
{
    if (CS_MUT(A_EMPTY)) return entry->l_len == 0 && entry->k_len == 0;
    return cs_entry_is_dead(entry);
}

static void collect(cs_replica_t *r, const cs_bucket_t *bucket)
{
    cs_cell_t *cell = cs__cell_get(r, bucket);
    if (cell == NULL) {
        if (r->ws.fault == CS_OK) cs__due_set(r, bucket, false);
        return;
    }
    if (!cs_vv_covers(&r->state.seen, &cell->entry.ctx) && !CS_MUT(EARLY_GC)) return;
    if (is_dead(&cell->entry)) {
        cs__cell_delete(r, cell);
        return;
    }
    cs_entry_strip(&cell->entry); /* ctx is no part of the digest: root stays */
    cs_workset_changed(&r->ws, cell->node);
    bool due = cs__entry_is_due(&cell->entry); /* a dead lineage waits for the next scan */
    cell->due_known = true;
    cell->due = due;
    cs__due_set(r, bucket, due);
}

#define GC_STEP 64u /* rows looked up behind one cursor */

static uint32_t next_due(cs_replica_t *r, cs_bucket_t *ret, uint32_t max)
{
    cs_cursor_t cursor;
    uint32_t found = 0;
    cs_cursor_init(&cursor, &r->ws, CS_T_DUE);
    cs_cursor_seek(&cursor, cs_slice(r->gc_at.b, CS_BUCKET_BYTES));
    for (; cursor.valid && found < max; cs_cursor_next(&cursor)) {
        if (!cs__due_bucket(r, cursor.key, &ret[found])) break;
        found++;
    }
    cs_cursor_fini(&cursor);
    return found;
}

/* The cursor goes on behind `bucket`; false: there is nothing behind it. */
static bool go_behind(cs_replica_t *r, const cs_bucket_t *bucket)
{
    r->gc_at = *bucket;
    for (size_t i = CS_BUCKET_BYTES; i-- > 0;) {
        if (++r->gc_at.b[i] != 0) return true;
    }
    return false;
}

bool cs_replica_gc(cs_replica_t *replica, uint32_t max,
                   bool (*hot)(void *arg, const cs_bucket_t *), void *arg)
{
    cs_bucket_t due[GC_STEP];
    cs__flush(replica);
    while (max > 0) {
        uint32_t want = max < GC_STEP ? max : GC_STEP;
        uint32_t found = next_due(replica, due, want);
        bool more = found == want;
        cs__trim(replica);
        for (uint32_t i = 0; i < found; i++) {
            if (hot == NULL || !hot(arg, &due[i])) collect(replica, &due[i]);
        }
        if (found > 0 && !go_behind(replica, &due[found - 1])) more = false;
        if (!more) {
            memset(&replica->gc_at, 0, sizeof replica->gc_at);
            break;
        }
        max -= found;
    }
    cs__settle_dirty(replica);
    return max == 0;
}
