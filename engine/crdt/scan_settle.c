/* scan_settle.c - after the operations: side effects undone, rows written (core.md 5.4, 5.5).
 */
#include "base/mem.h"
#include "crdt/scan_i.h"

#include <stdlib.h>
#include <string.h>

/* --- freeze: files that the user did not touch stay where they were displayed */

const cs_str_t *cs__shown_at(cs_replica_t *r, const cs_link_t *link)
{
    const cs_cand_t *cand = cs__link_cand(r, link);
    if (cand == NULL) return NULL;
    cs_view_t *view = &r->scan->view;
    cs_family_t family;
    cs_family_of(cs_slice_str(cand->path), &family);
    cs__view_family(r, &family, view);
    for (uint32_t i = 0; i < view->group_len; i++) {
        const cs_group_t *group = &view->group[i];
        for (uint32_t j = 0; j < group->len; j++) {
            if (view->ref[group->first + j].cand == cand) return group->shown;
        }
    }
    return NULL;
}

bool cs__stands(cs_replica_t *r, const cs_item_t *row)
{
    cs_view_t *view = &r->scan->view;
    cs_family_t family;
    cs_family_of(cs_slice_str(row->path), &family);
    cs__view_family(r, &family, view);
    const cs_group_t *group = cs__view_find(view, cs_slice_str(row->path));
    return group != NULL &&
           cs_content_eq(&view->ref[group->first].cand->content, &row->content);
}

typedef struct cs_frozen {
    cs_work_t *work;
    uint32_t link;
} cs_frozen_t;

typedef struct cs_freezing {
    cs_frozen_t *item;
    uint32_t len, cap;
} cs_freezing_t;

static void find_displaced(cs_replica_t *r, cs_work_t *work, cs_freezing_t *ret)
{
    if (work->touched || work->gone || work->shown == NULL || cs__stands(r, work->row)) return;
    for (uint32_t i = 0; i < work->links.len; i++) {
        if (!work->shown[i]) continue;
        const cs_back_t *back = &work->row->back[i];
        cs_link_t link = {back->bucket, back->lin, back->k};
        const cs_str_t *now = cs__shown_at(r, &link);
        if (now == NULL || cs_str_eq(now, work->row->path)) continue;
        if (ret->len == ret->cap) {
            ret->cap = (uint32_t)cs_grow(ret->cap, ret->len + 1u);
            ret->item = cs_realloc_array(ret->item, ret->cap, sizeof *ret->item);
        }
        ret->item[ret->len++] = (cs_frozen_t){work, i};
    }
}

void cs__freeze(cs_replica_t *r)
{
    cs_freezing_t found = {0};
    for (uint32_t round = 0; round < CS_FREEZE_ROUNDS; round++) {
        found.len = 0;
        cs__flush(r);
        for (uint32_t i = 0; i < r->scan->work_len; i++) {
            find_displaced(r, r->scan->work[i], &found);
        }
        for (uint32_t i = 0; i < found.len; i++) {
            cs_work_t *work = found.item[i].work;
            if (!cs__has_room(r, &work->links)) continue; /* it is displayed, if elsewhere */
            cs__op_move(r, work, work->row->path, CS_STAY, found.item[i].link, 1);
        }
        if (found.len == 0) break;
    }
    cs_free(found.item);
}

/* --- modes */

static uint16_t disk_mode(const cs_work_t *work)
{
    return work->sight != NULL ? work->sight->seen.mode : work->row->attr.mode;
}

static uint8_t disk_kind(const cs_work_t *work)
{
    return work->sight != NULL ? work->sight->seen.content.kind : work->row->content.kind;
}

static bool same_mode(const cs_replica_t *r, const cs_work_t *work, uint16_t mode)
{
    return cs__norm(r, disk_mode(work)) == cs__norm(r, mode);
}

/* Before this scan: if not, a chmod that the user has not seen is the reason of what differs.
 */
static bool showed_its_mode(const cs_replica_t *r, const cs_work_t *work)
{
    if (work->before == CS_MODE_NONE) return false;
    return cs__norm(r, work->before) == cs__norm(r, work->row->attr.mode);
}

void cs__settle_modes(cs_replica_t *r)
{
    cs_scan_t *scan = r->scan;
    for (uint32_t i = 0; i < scan->work_len; i++) {
        cs_work_t *work = scan->work[i];
        if (work->at == NULL || work->refused || disk_kind(work) != CS_KIND_FILE) continue;
        if (work->row->content.kind != CS_KIND_FILE ||
            same_mode(r, work, work->row->attr.mode)) {
            continue;
        }
        if (cs__has_room(r, &work->links)) {
            cs__op_chmod(r, work, disk_mode(work), false);
        } else {
            cs__refuse(r, work, cs_slice_str(work->row->path), CS_ERR_LIMIT);
        }
    }
    if (CS_MUT(A_NO_PIN) || r->state.ctr == scan->ctr0) return;
    for (uint32_t i = 0; i < scan->work_len; i++) {
        cs_work_t *work = scan->work[i];
        if (work->at == NULL || work->refused || disk_kind(work) != CS_KIND_FILE) continue;
        if (!showed_its_mode(r, work) && !CS_MUT(A_PIN_STALE)) continue;
        cs__own(r, &work->links);
        uint16_t now = cs__mode_of(r, &work->links);
        if (now == CS_MODE_NONE || same_mode(r, work, now)) continue;
        if (cs__has_room(r, &work->links)) cs__op_chmod(r, work, disk_mode(work), true);
    }
}

/* --- clean-up: dots of lineages that can never be shown again */

static void clean_cell(cs_replica_t *r, cs_cell_t *cell)
{
    cs_dot_t lin;
    while (cs__entry_dead_lineage(&cell->entry, &lin)) {
        cs__cell_open(r, cell);
        cs_err_t err = cs_entry_cover(&cell->entry, cs__mint(r));
        CS_ASSERT(err == CS_OK);
        for (int store = 0; store < 2; store++) {
            if (CS_MUT(A_NO_CLEAN) && store == 1) continue;
            uint32_t len = 0;
            cs_dotstore_t which = store == 0 ? CS_L : CS_A;
            cs_dot_t *dots = cs__dots_of(&cell->entry, which, lin, &len);
            for (uint32_t i = 0; i < len; i++) {
                cs__remove_dot(r, cell, which, dots[i]);
            }
            cs_free(dots);
        }
        bool is_new;
        cs_omap_insert(&r->pushed, cs_slice(cell->entry.bucket.b, CS_BUCKET_BYTES), &is_new);
        cs__cell_changed(r, cell);
        if (CS_MUT(A_NO_CLEAN)) return;
    }
}

void cs__clean_up(cs_replica_t *r)
{
    cs_strs_t due = {0};
    cs_cursor_t cursor;
    cs__flush(r);
    cs_cursor_init(&cursor, &r->ws, CS_T_DUE);
    for (cs_cursor_seek(&cursor, cs_slice(NULL, 0)); cursor.valid; cs_cursor_next(&cursor)) {
        cs__strs_push(&due, cs_str_new(cursor.key.data, cursor.key.len));
    }
    cs_cursor_fini(&cursor);
    for (uint32_t i = 0; i < due.len; i++) {
        cs_link_t link = {0};
        if (!cs__due_bucket(r, cs_slice_str(due.str[i]), &link.bucket)) break;
        cs_cell_t *cell = cs__cell_get(r, &link.bucket);
        cs_links_t links = {&link, 1};
        if (cell != NULL && cs__has_room(r, &links)) clean_cell(r, cell);
    }
    cs__strs_clear(&due);
    cs_free(due.str);
}

/* --- rows: what the user has now, by dots that he knew or just made */

/* Put to *at, which moves behind them. */
static uint32_t dots_of_row(cs_replica_t *r, const cs_item_t *row, const cs_cell_t *cell,
                            cs_dotstore_t store, cs_dot_t lin, cs_dot_t **at)
{
    uint32_t len = 0, kept = 0;
    cs_dot_t *dots = cell == NULL ? NULL : cs__dots_of(&cell->entry, store, lin, &len);
    for (uint32_t i = 0; i < len; i++) {
        bool known = cs__minted(r, dots[i]);
        for (uint32_t j = 0; j < row->back_len && !known; j++) {
            const cs_back_t *back = &row->back[j];
            if (memcmp(&back->bucket, &cell->entry.bucket, sizeof back->bucket) != 0) continue;
            if (!cs_dot_eq(back->lin, lin)) continue;
            uint32_t of = store == CS_L ? back->l_len : back->a_len;
            const cs_dot_t *list = store == CS_L ? back->l_dots : back->a_dots;
            for (uint32_t k = 0; k < of && !known; k++) {
                known = cs_dot_eq(list[k], dots[i]);
            }
        }
        if (!known) continue;
        *(*at)++ = dots[i];
        kept++;
    }
    cs_free(dots);
    return kept;
}

/* As many dots as the backing may have. */
static size_t count_dots(cs_replica_t *r, const cs_links_t *links)
{
    size_t count = 0;
    for (uint32_t i = 0; i < links->len; i++) {
        const cs_cell_t *cell = cs__cell_get(r, &links->link[i].bucket);
        if (cell != NULL) count += (size_t)cell->entry.l_len + cell->entry.a_len;
    }
    return count;
}

static int link_cmp(const void *x, const void *y)
{
    const cs_link_t *a = x, *b = y;
    cs_back_t p = {.bucket = a->bucket, .lin = a->lin, .k = a->k};
    cs_back_t q = {.bucket = b->bucket, .lin = b->lin, .k = b->k};
    return cs__back_cmp(&p, &q);
}

static void make_row(cs_replica_t *r, cs_work_t *work, cs_item_t *ret)
{
    const cs_item_t *row = work->row;
    const cs_sight_t *sight = work->sight;
    *ret = (cs_item_t){
        .path = cs_str_ref(work->at),
        .eff = cs_str_ref(work->eff),
        .content = sight != NULL ? sight->seen.content : row->content,
        .mtime_ns = sight != NULL ? sight->seen.mtime_ns : row->mtime_ns,
        .rank = work->rank,
        .print = sight != NULL ? sight->seen.print : row->print,
    };
    if (ret->content.kind == CS_KIND_FILE) {
        if (row->content.kind == CS_KIND_FILE) cs_attr_copy(&ret->attr, &row->attr);
        ret->attr.mode = disk_mode(work);
    }
    cs__own(r, &work->links);
    qsort(work->links.link, work->links.len, sizeof *work->links.link, link_cmp);
    cs_dot_t *at = cs__backs_new(ret, work->links.len, count_dots(r, &work->links));
    for (uint32_t i = 0; i < work->links.len; i++) {
        const cs_link_t *link = &work->links.link[i];
        cs_back_t *back = &ret->back[i];
        const cs_cell_t *cell = cs__cell_get(r, &link->bucket);
        *back = (cs_back_t){.bucket = link->bucket, .lin = link->lin, .k = link->k};
        back->l_dots = at;
        back->l_len = dots_of_row(r, row, cell, CS_L, link->lin, &at);
        back->a_dots = at;
        back->a_len = dots_of_row(r, row, cell, CS_A, link->lin, &at);
        for (uint32_t j = 0; j < back->a_len; j++) {
            const cs_aval_t *a = cs_entry_find_a(&cell->entry, back->a_dots[j]);
            if (a->gen > ret->agen) ret->agen = a->gen;
        }
    }
}

static cs_item_t *push_made(cs_items_t *made)
{
    if (made->len == made->cap) {
        made->cap = (uint32_t)cs_grow(made->cap, made->len + 1u);
        made->item = cs_realloc_array(made->item, made->cap, sizeof *made->item);
    }
    return &made->item[made->len++];
}

void cs__write_rows(cs_replica_t *r)
{
    cs_scan_t *scan = r->scan;
    for (uint32_t i = 0; i < scan->work_len; i++) {
        cs_work_t *work = scan->work[i];
        if (work->rewrite && !work->refused && work->at != NULL) {
            make_row(r, work, push_made(&scan->made));
        }
    }
    for (uint32_t i = 0; i < scan->work_len; i++) {
        cs_work_t *work = scan->work[i];
        bool left = work->at == NULL || !cs_str_eq(work->at, work->row->path);
        if (!work->rewrite || work->refused || !left) continue;
        cs_str_t *path = cs_str_ref(work->row->path);
        work->row = NULL; /* freed with the row */
        cs__row_delete(r, cs_slice_str(path));
        cs__dirty_str(r, path);
        cs_str_unref(&path);
    }
    for (uint32_t i = 0; i < scan->made.len; i++) {
        cs__dirty_str(r, scan->made.item[i].path);
        cs__row_put(r, &scan->made.item[i]);
    }
    scan->made.len = 0;
}
