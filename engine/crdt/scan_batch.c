/* scan_batch.c - what a scan saw, cut into batches (core.md 5.3).
 *
 * Up to batch_max sightings are one batch: a scan like most is atomic. A larger one is as good
 * as several scans of a user who did one thing after the other: after each batch the tree is
 * one that he might have had, so that PutGet holds at the end, and after a crash in between as
 * well. The order is one in which no bytes are without a name on the way: what is new, what
 * changed, what moved, what is gone, what had to wait for that. */
#include "base/mem.h"
#include "crdt/scan_i.h"

#include <stdlib.h>
#include <string.h>

#define HOLDERS_MAX 4u /* files with some bytes that are looked at */
#define ROUNDS_MAX  3u /* of looking whether what was in the way is gone */

void cs__todo_push(cs_scan_t *scan, cs_sight_t *sight, uint8_t acts)
{
    if (scan->todo_len == scan->todo_cap) {
        scan->todo_cap = (uint32_t)cs_grow(scan->todo_cap, scan->todo_len + 1u);
        scan->todo = cs_realloc_array(scan->todo, scan->todo_cap, sizeof *scan->todo);
    }
    scan->todo[scan->todo_len++] = (cs_todo_t){sight, acts};
}

void cs__todo_run(cs_replica_t *r)
{
    cs_scan_t *scan = r->scan;
    cs__scan_run(r, scan->todo, scan->todo_len);
    cs__flush(r);
    cs__strs_clear(&r->lost); /* the user removed these himself, or they get a marker */
    cs__settle_dirty(r);
    scan->todo_len = 0;
}

/* --- may a file be put there, for all that base knows? */

static bool is_file_row(cs_replica_t *r, cs_slice_t path)
{
    const cs_item_t *row = cs__row(r, path);
    return row != NULL && row->content.kind != CS_KIND_DIR;
}

/* No file where a directory must be. Neighbours share their directories. */
static bool parents_are_free(cs_replica_t *r, cs_slice_t path)
{
    cs_buf_t *known = &r->scan->free_dir;
    cs_slice_t dir = cs_path_parent(path);
    if (cs_slice_eq(dir, cs_buf_slice(known))) return true;
    for (cs_slice_t at = dir; at.len > 0; at = cs_path_parent(at)) {
        if (is_file_row(r, at)) return false;
    }
    cs_buf_clear(known);
    cs_buf_put_slice(known, dir);
    return true;
}

/* Has the user anything in this directory? */
static bool is_filled(cs_replica_t *r, cs_slice_t dir)
{
    cs_buf_clear(&r->seek);
    cs_buf_put_slice(&r->seek, dir);
    cs_buf_put_u8(&r->seek, '/');
    return cs_workset_any(&r->ws, CS_T_BASE, cs_buf_slice(&r->seek));
}

/* No row at the path, none below it, no file above it. */
static bool is_free(cs_replica_t *r, cs_slice_t path)
{
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, &r->ws, CS_T_BASE);
    cs_cursor_seek_within(&cursor, path, path);
    bool near = cursor.valid; /* "a-b" stands between "a" and "a/b" */
    bool here = near && cursor.key.len == path.len;
    cs_cursor_fini(&cursor);
    if (here) return false;
    return !(near && is_filled(r, path)) && parents_are_free(r, path);
}

/* A new file that nothing can have moved to: younger than every file that the user had, with
 * bytes that he had nowhere. Without a time of birth one cannot tell. */
bool cs__may_go_ahead(cs_replica_t *r, const cs_sight_t *sight)
{
    const cs_content_t *content = &sight->seen.content;
    if (sight->seen.what != CS_SAW_APPEARED) return false;
    if (sight->seen.print.btime_ns <= r->scan->born_max) return false;
    cs_slice_t hash = cs_slice(content->hash, CS_CONTENT_KEY);
    if (cs_workset_any(&r->ws, CS_T_CONTENT, hash)) return false;
    return is_free(r, cs_slice_str(sight->path));
}

/* --- what there is to do */

static int sight_order(const void *x, const void *y)
{
    const cs_sight_t *a = x, *b = y;
    int order = cs_str_cmp(a->path, b->path);
    return order != 0 ? order : (int)a->seen.what - (int)b->seen.what;
}

static uint8_t acts_of(const cs_sight_t *sight, const cs_item_t *row)
{
    bool was_dir = row != NULL && row->content.kind == CS_KIND_DIR;
    switch (sight->seen.what) {
    case CS_SAW_VANISHED:
        return CS_ACT_DELETE;
    case CS_SAW_EMPTY_DIR:
        return row != NULL && !was_dir ? CS_ACT_DELETE | CS_ACT_MARK : CS_ACT_MARK;
    case CS_SAW_APPEARED:
    case CS_SAW_MODIFIED:
        if (row == NULL) return CS_ACT_CREATE;
        if (was_dir) return CS_ACT_CREATE | CS_ACT_DELETE; /* where a marked directory was */
        if (CS_MUT(RENAME_FIRST) && sight->seen.print.ino != row->print.ino) {
            return CS_ACT_CREATE | CS_ACT_DELETE;
        }
        return CS_ACT_CHANGE;
    case CS_SAW_CHMODDED:
    case CS_SAW_TOUCHED:
        return row != NULL && !was_dir ? CS_ACT_CHANGE : 0;
    }
    return 0;
}

static bool loses_bytes(const cs_sight_t *sight, const cs_item_t *row)
{
    if ((sight->acts & CS_ACT_DELETE) != 0) return true;
    bool new_bytes = sight->seen.what == CS_SAW_APPEARED || sight->seen.what == CS_SAW_MODIFIED;
    return (sight->acts & CS_ACT_CHANGE) != 0 && new_bytes &&
           !cs_content_eq(&sight->seen.content, &row->content);
}

static bool is_edited(const cs_sight_t *sight)
{
    return sight->lost && (sight->acts & CS_ACT_CHANGE) != 0;
}

cs_sight_t *cs__sight_at(const cs_scan_t *scan, cs_slice_t path)
{
    uint32_t low = 0, high = scan->sights.len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        cs_sight_t *sight = &scan->sights.item[middle];
        int order = cs_slice_cmp(cs_slice_str(sight->path), path);
        if (order == 0) return sight;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* Bytes that went from one file that changed to another (files that were swapped): both in one
 * batch, or they would be nowhere for a moment. */
static void tangle(cs_replica_t *r, cs_sight_t *sight)
{
    cs_cursor_t cursor;
    cs_slice_t hash = cs_slice(sight->seen.content.hash, CS_CONTENT_KEY);
    uint32_t holders = 0;
    cs_cursor_init(&cursor, &r->ws, CS_T_CONTENT);
    cs_cursor_seek_within(&cursor, hash, hash);
    for (; cursor.valid && holders < HOLDERS_MAX; cs_cursor_next(&cursor), holders++) {
        cs_slice_t path =
            cs_slice(cursor.key.data + CS_CONTENT_KEY, cursor.key.len - CS_CONTENT_KEY);
        cs_sight_t *holder = cs__sight_at(r->scan, path);
        if (holder == NULL || holder == sight || !is_edited(holder)) continue;
        sight->tangled = holder->tangled = true;
    }
    cs_cursor_fini(&cursor);
}

void cs__scan_order(cs_replica_t *r)
{
    cs_scan_t *scan = r->scan;
    cs_sights_t *sights = &scan->sights;
    if (sights->len > 1) {
        qsort(sights->item, sights->len, sizeof *sights->item, sight_order);
    }
    cs__adopt_all(r);
    bool wanted = cs__any_wanted(r); /* perhaps it came while the scan went on */
    for (uint32_t i = 0; i < sights->len; i++) {
        cs_sight_t *sight = &sights->item[i];
        cs__trim(r);
        if (sight->adopted) continue;
        cs_slice_t path = cs_slice_str(sight->path);
        const cs_item_t *row = NULL;
        if (wanted) cs__stand_saved(r, sight);
        if (sight->seen.what == CS_SAW_VANISHED) { /* whatever it was */
            sight->acts = cs_workset_has(&r->ws, CS_T_BASE, path) ? CS_ACT_DELETE : 0;
        } else {
            row = cs__row(r, path);
            sight->acts = acts_of(sight, row);
        }
        sight->lost = loses_bytes(sight, row);
        sight->filled = sight->seen.what == CS_SAW_EMPTY_DIR && is_filled(r, path);
        bool again = i > 0 && cs_str_eq(sight->path, sight[-1].path); /* file, now directory */
        if (again) sight->acts &= (uint8_t) ~(sight[-1].acts & CS_ACT_DELETE);
    }
    cs__pair_renames(r, wanted);
    scan->phase = CS_SCAN_ALL;
    if (sights->len <= r->batch_max) return;
    scan->phase = CS_SCAN_CREATE;
    for (uint32_t i = 0; i < sights->len; i++) {
        cs__trim(r);
        if (is_edited(&sights->item[i])) tangle(r, &sights->item[i]);
    }
}

/* --- one batch after the other */

/* What of the sight the phase may do now. */
static uint8_t due(cs_replica_t *r, const cs_sight_t *sight)
{
    uint8_t left = sight->acts;
    switch (r->scan->phase) {
    case CS_SCAN_WALK:
    case CS_SCAN_DONE:
        return 0;
    case CS_SCAN_ALL:
        return left;
    case CS_SCAN_CREATE:
        left &= CS_ACT_CREATE;
        return left != 0 && is_free(r, cs_slice_str(sight->path)) ? left : 0;
    case CS_SCAN_CHANGE:
        return sight->tangled ? 0 : left & CS_ACT_CHANGE;
    case CS_SCAN_TANGLED:
        return left & CS_ACT_CHANGE;
    case CS_SCAN_MOVE:
        left &= CS_ACT_MOVE;
        return left != 0 && is_free(r, cs_slice_str(sight->to->path)) ? left : 0;
    case CS_SCAN_DELETE:
        return left & CS_ACT_DELETE;
    case CS_SCAN_FREED:
        left &= CS_ACT_CREATE | CS_ACT_MOVE;
        if (left == 0) return 0;
        const cs_str_t *to = left == CS_ACT_MOVE ? sight->to->path : sight->path;
        return is_free(r, cs_slice_str(to)) ? left : 0;
    case CS_SCAN_REST:
        return left & (CS_ACT_CREATE | CS_ACT_MOVE);
    case CS_SCAN_MARK:
        return left & CS_ACT_MARK;
    }
    return 0;
}

/* Nothing is cut where the parts make sense together only. */
static bool is_whole(cs_scan_phase_t phase)
{
    return phase == CS_SCAN_ALL || phase == CS_SCAN_TANGLED || phase == CS_SCAN_REST;
}

static void fill(cs_replica_t *r)
{
    cs_scan_t *scan = r->scan;
    uint32_t max = is_whole(scan->phase) ? UINT32_MAX : r->batch_max;
    cs_buf_clear(&scan->free_dir); /* rows have changed */
    for (; scan->next < scan->sights.len && scan->todo_len < max; scan->next++) {
        cs_sight_t *sight = &scan->sights.item[scan->next];
        cs__trim(r);
        uint8_t acts = sight->acts == 0 ? 0 : due(r, sight);
        if (acts == 0) continue;
        sight->acts &= (uint8_t)~acts;
        cs__todo_push(scan, sight, acts);
    }
}

static void next_phase(cs_scan_t *scan)
{
    scan->next = 0;
    if (scan->phase == CS_SCAN_ALL) {
        scan->phase = CS_SCAN_DONE;
    } else if (scan->phase != CS_SCAN_FREED || !scan->freed || ++scan->rounds == ROUNDS_MAX) {
        scan->phase++;
    } /* else: these may have freed others */
    scan->freed = false;
}

bool cs__scan_next(cs_replica_t *r)
{
    cs_scan_t *scan = r->scan;
    while (scan->todo_len == 0 && scan->phase != CS_SCAN_DONE) {
        fill(r);
        scan->freed = scan->freed || scan->todo_len > 0;
        if (scan->next == scan->sights.len) next_phase(scan);
    }
    bool more = scan->phase != CS_SCAN_DONE;
    cs__scan_run(r, scan->todo, scan->todo_len);
    if (!more && !r->cleanup_off) cs__clean_up(r);
    scan->todo_len = 0;
    cs__flush(r);
    cs__strs_clear(&r->lost);
    cs__settle_dirty(r);
    return more;
}
