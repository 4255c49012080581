/* scan_adopt.c - what apply had done when it was interrupted is no operation (core.md 5.6).
 *
 * A new file that shows what the projection shows at its path is accepted into the base table
 * as if the materialiser had reported it; so is one in the place of a file that apply took
 * away, which the trash's log tells. Without that a user wrote it, be it the very bytes that a
 * peer gave: an edit, for the content that he replaced must not stay live with its bytes gone.
 * A file that vanished is no deletion if apply took it, or if all that it showed is shown at
 * paths accepted just now: then it was moved there.
 *
 * So a content may back two rows for a while: where it was, and where it is displayed now and
 * was found, or put. What happens to one of the files is not for the content while the other is
 * there. */
#include <string.h>

#include "base/mem.h"
#include "crdt/scan_i.h"

static void key_of(const cs_back_t *back, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_put(ret, back->bucket.b, CS_BUCKET_BYTES);
    const cs_dot_t *dot = cs_dot_is_null(back->k) ? &back->lin : &back->k;
    cs_buf_put_u64(ret, dot->rid);
    cs_buf_put_u64(ret, dot->ctr);
}

/* The content of the file that the sight is about, as far as a scan says so; NULL: no matter.
 */
static const cs_content_t *content_of(cs_replica_t *r, const cs_sight_t *sight)
{
    const cs_item_t *row;
    switch (sight->seen.what) {
    case CS_SAW_APPEARED:
    case CS_SAW_MODIFIED:
        return &sight->seen.content;
    case CS_SAW_CHMODDED:
        row = cs__row(r, cs_slice_str(sight->path));
        return row == NULL ? NULL : &row->content;
    case CS_SAW_TOUCHED:
    case CS_SAW_VANISHED:
    case CS_SAW_EMPTY_DIR:
        return NULL;
    }
    return NULL;
}

/* The group displayed at the sight's path, if the file there is just that. */
static const cs_group_t *shown_there(cs_replica_t *r, const cs_sight_t *sight)
{
    const cs_content_t *seen = r->scan->may_adopt ? content_of(r, sight) : NULL;
    if (seen == NULL) return NULL;
    cs_family_t family;
    cs_family_of(cs_slice_str(sight->path), &family);
    cs__flush(r);
    cs__view_family(r, &family, &r->scan->view);
    const cs_group_t *group = cs__view_find(&r->scan->view, cs_slice_str(sight->path));
    if (group == NULL) return NULL;
    const cs_content_t *content = &r->scan->view.ref[group->first].cand->content;
    if (!cs_content_eq(content, seen)) return NULL;
    bool same_mode =
        content->kind != CS_KIND_FILE || group->attr->attr.mode == sight->seen.mode;
    return same_mode ? group : NULL;
}

void cs_replica_scan_took(cs_replica_t *replica, cs_slice_t path, const cs_print_t *print)
{
    bool is_new;
    cs_onode_t *node = cs_omap_insert(&replica->scan->took, path, &is_new);
    if (is_new) node->value = cs_memdup(print, sizeof *print); /* the newest comes first */
}

/* Did apply take the file of the row at this path? */
static bool was_taken(cs_replica_t *r, cs_slice_t path)
{
    const cs_onode_t *node = cs_omap_find(&r->scan->took, path);
    const cs_item_t *row = node == NULL ? NULL : cs__row(r, path);
    return row != NULL && memcmp(&row->print, node->value, sizeof row->print) == 0;
}

bool cs__adopt(cs_replica_t *r, const cs_sight_t *sight)
{
    const cs_group_t *group = shown_there(r, sight);
    if (group == NULL) return false;
    cs_item_t row = {0};
    cs__item_from(&r->scan->view, group, &row);
    row.print = sight->seen.print;
    row.mtime_ns = sight->seen.mtime_ns;
    for (uint32_t i = 0; i < row.back_len; i++) {
        bool is_new;
        key_of(&row.back[i], &r->key);
        cs_omap_insert(&r->scan->adopted, cs_buf_slice(&r->key), &is_new);
    }
    cs__row_put(r, &row);
    cs__dirty(r, cs_slice_str(sight->path));
    return true;
}

bool cs__back_lives(cs_replica_t *r, const cs_item_t *row, const cs_back_t *back)
{
    cs_link_t link = {back->bucket, back->lin, back->k},
              hint = {.bucket = back->bucket, .lin = back->lin};
    return cs__link_cand(r, &link) != NULL || cs__link_cand(r, &hint) != NULL ||
           cs__hint_of(r, row, &link) != NULL;
}

/* What the row showed is dead everywhere, or shown by files accepted just now. */
static bool was_ours(cs_replica_t *r, const cs_item_t *row)
{
    for (uint32_t i = 0; i < row->back_len; i++) {
        const cs_back_t *back = &row->back[i];
        if (!cs__back_lives(r, row, back)) continue;
        key_of(back, &r->key);
        if (cs_omap_find(&r->scan->adopted, cs_buf_slice(&r->key)) == NULL) return false;
    }
    return true;
}

static bool is_touched(cs_replica_t *r, const cs_item_t *row)
{
    const cs_sight_t *sight = cs__sight_at(r->scan, cs_slice_str(row->path));
    return sight != NULL && sight->lost;
}

/* Is the link's content that of another row: one that the user left alone, or where it is
 * displayed? */
static bool lives_elsewhere(cs_replica_t *r, const cs_rows_t *like, const cs_link_t *link)
{
    for (uint32_t i = 0; i < like->len; i++) {
        const cs_item_t *row = like->row[i];
        if (!cs__row_has(row, &link->bucket, link->lin, link->k)) continue;
        if (!is_touched(r, row)) return true;
        const cs_str_t *shown = cs__shown_at(r, link);
        if (shown != NULL && cs_str_eq(shown, row->path)) return true;
    }
    return false;
}

void cs__disown(cs_replica_t *r, cs_work_t *work)
{
    cs_rows_t like = {0};
    uint32_t kept = 0;
    cs__rows_like(r, work->row, &like);
    for (uint32_t i = 0; i < work->links.len; i++) {
        cs_link_t link = work->links.link[i];
        if (!lives_elsewhere(r, &like, &link)) work->links.link[kept++] = link;
    }
    work->links.len = kept;
    cs_free(like.row);
}

void cs__forget_row(cs_replica_t *r, cs_slice_t path)
{
    cs__row_delete(r, path);
    cs__dirty(r, path);
}

/* What a user wrote where apply had put something else replaces neither that nor what apply
 * took away: it is new. */
static void adopt_present(cs_replica_t *r, cs_sight_t *sight)
{
    cs_slice_t path = cs_slice_str(sight->path);
    bool replaces = sight->seen.what == CS_SAW_MODIFIED;
    bool taken = replaces && was_taken(r, path);
    sight->adopted = (!replaces || taken) && cs__adopt(r, sight);
    if (sight->adopted || !taken) return;
    cs__forget_row(r, path);
    sight->seen.what = CS_SAW_APPEARED;
}

/* What apply took away is not at its path, whatever the scan could say of that: nothing,
 * where somebody is writing right now. */
static void forget_taken(cs_replica_t *r)
{
    const cs_onode_t *node = cs_omap_first(&r->scan->took);
    for (; node != NULL; node = node->next[0]) {
        if (was_taken(r, cs_onode_key(node))) cs__forget_row(r, cs_onode_key(node));
    }
}

/* Two rows of one content: one of their families is pending. */
bool cs__is_hollow(cs_replica_t *r, const cs_item_t *row)
{
    cs_rows_t like = {0};
    bool hollow = true;
    cs__rows_like(r, row, &like);
    for (uint32_t i = 0; i < row->back_len && hollow; i++) {
        const cs_back_t *back = &row->back[i];
        cs_link_t link = {back->bucket, back->lin, back->k};
        hollow = lives_elsewhere(r, &like, &link);
    }
    cs_free(like.row);
    return hollow;
}

void cs__adopt_all(cs_replica_t *r)
{
    cs_scan_t *scan = r->scan;
    if (!scan->may_adopt && scan->took.len == 0) return;
    for (uint32_t i = 0; i < scan->sights.len; i++) {
        adopt_present(r, &scan->sights.item[i]);
    }
    for (uint32_t i = 0; i < scan->sights.len; i++) {
        cs_sight_t *sight = &scan->sights.item[i];
        if (sight->seen.what != CS_SAW_VANISHED) continue;
        cs_slice_t path = cs_slice_str(sight->path);
        const cs_item_t *row = cs__row(r, path);
        if (row == NULL || (!was_taken(r, path) && !was_ours(r, row))) continue;
        sight->adopted = true;
        cs__forget_row(r, path);
    }
    forget_taken(r);
}
