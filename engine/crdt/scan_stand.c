/* scan_stand.c - files that stand where other bytes are wanted by now, until those have come.
 *
 * What the row of such a file shows may be wanted nowhere any more; then nothing is left there
 * that a user could edit or remove, and it goes when those bytes come. Unless he puts it there
 * once more:
 * - He saves the very bytes again, not knowing of the others: they are new.
 * - He takes the file away and brings it back: it was moved twice. A scan that looks where it
 *   was meanwhile, and not here, leaves two rows of one file; it moved if it vanishes there
 *   and is here again. */
#include "base/mem.h"
#include "crdt/scan_i.h"

/* Nothing that the row shows is alive, nor are its bytes what is wanted there. */
static bool is_outdated(cs_replica_t *r, const cs_item_t *row)
{
    if (row->content.kind == CS_KIND_DIR) return false;
    for (uint32_t i = 0; i < row->back_len; i++) {
        if (cs__back_lives(r, row, &row->back[i])) return false;
    }
    cs__flush(r);
    return !cs__stands(r, row);
}

/* What a program writes, or touches, gets another mtime; a rename there and back, ours too,
 * does not, nor does a file system that numbers its inodes anew. */
void cs__stand_saved(cs_replica_t *r, cs_sight_t *sight)
{
    if (sight->seen.what != CS_SAW_TOUCHED) return;
    const cs_item_t *row = cs__row(r, cs_slice_str(sight->path));
    if (row == NULL || sight->seen.print.mtime_ns == row->print.mtime_ns) return;
    if (!is_outdated(r, row)) return;
    sight->seen.what = CS_SAW_APPEARED;
    sight->seen.content = row->content;
    sight->seen.mode = row->attr.mode;
    cs__forget_row(r, cs_slice_str(sight->path));
}

/* The file of a row, as it is now; false: it is not there any more. */
static bool see_stand(cs_replica_t *r, const cs_item_t *row, cs_sighting_t *ret)
{
    *ret =
        (cs_sighting_t){.mode = row->attr.mode, .mtime_ns = row->mtime_ns, .print = row->print};
    cs_sight_t *sight = cs__sight_at(r->scan, cs_slice_str(row->path));
    if (sight != NULL) {
        bool there = sight->seen.what == CS_SAW_TOUCHED || sight->seen.what == CS_SAW_CHMODDED;
        if (!there) return false;
        if (sight->seen.what == CS_SAW_CHMODDED) ret->mode = sight->seen.mode;
        ret->mtime_ns = sight->seen.mtime_ns;
        ret->print = sight->seen.print;
    }
    ret->what = CS_SAW_APPEARED;
    ret->content = row->content;
    return true;
}

/* The row is forgotten, and what its sight had to say of it is said by the move. */
static cs_sight_t *take_stand(cs_replica_t *r, const cs_item_t *stand,
                              const cs_sighting_t *seen)
{
    bool is_new;
    cs_sight_t *to = cs_calloc(1, sizeof *to), *sight;
    to->seen = *seen;
    to->path = cs_str_ref(stand->path);
    to->seen.path = cs_slice_str(to->path);
    to->paired = true;
    cs_omap_insert(&r->scan->stood, to->seen.path, &is_new)->value = to;
    sight = cs__sight_at(r->scan, to->seen.path);
    if (sight != NULL) sight->acts = 0;
    cs__forget_row(r, to->seen.path);
    return to;
}

cs_sight_t *cs__stand_of(cs_replica_t *r, const cs_item_t *gone)
{
    cs_rows_t like = {0};
    cs_sight_t *to = NULL;
    cs__rows_like(r, gone, &like);
    for (uint32_t i = 0; i < like.len && to == NULL; i++) {
        const cs_item_t *stand = like.row[i];
        bool same = gone->print.ino != 0 && cs__same_inode(&stand->print, &gone->print);
        cs_sighting_t seen;
        if (!same || !is_outdated(r, stand)) continue;
        if (see_stand(r, stand, &seen)) to = take_stand(r, stand, &seen);
    }
    cs_free(like.row);
    return to;
}
