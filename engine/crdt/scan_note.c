/* scan_note.c - remembers what was displayed before an operation changes it. */
#include "base/mem.h"
#include "crdt/scan_i.h"

#include <string.h>

const cs_cand_t *cs__link_cand(cs_replica_t *r, const cs_link_t *link)
{
    const cs_cell_t *cell = cs__cell_get(r, &link->bucket);
    for (uint32_t i = 0; cell != NULL && i < cell->cand_len; i++) {
        const cs_cand_t *cand = &cell->cand[i];
        if (!cs_dot_eq(cand->k, link->k)) continue;
        if (!cs_dot_is_null(link->k) || cs_dot_eq(cand->lin, link->lin)) return cand;
    }
    return NULL;
}

uint16_t cs__mode_of(cs_replica_t *r, const cs_links_t *links)
{
    const cs_cand_t *best = NULL;
    cs__flush(r);
    for (uint32_t i = 0; i < links->len; i++) {
        const cs_cand_t *cand = cs__link_cand(r, &links->link[i]);
        if (cand != NULL && (best == NULL || cs__attr_order(cand, best) < 0)) best = cand;
    }
    return best == NULL ? CS_MODE_NONE : best->attr.mode;
}

void cs__own(cs_replica_t *r, cs_links_t *links)
{
    for (uint32_t i = 0; i < links->len; i++) {
        cs_link_t *link = &links->link[i];
        if (cs_dot_is_null(link->k)) continue;
        const cs_cell_t *cell = cs__cell_get(r, &link->bucket);
        const cs_kval_t *k = cell == NULL ? NULL : cs_entry_find_k(&cell->entry, link->k);
        if (k != NULL) link->lin = cs_entry_owner(&cell->entry, k);
    }
}

cs_work_t *cs__work(cs_replica_t *r, cs_item_t *row)
{
    cs_scan_t *scan = r->scan;
    bool is_new;
    cs_onode_t *node = cs_omap_insert(&scan->by_path, cs_slice_str(row->path), &is_new);
    if (!is_new) return node->value;
    cs_work_t *work = cs_calloc(1, sizeof *work);
    node->value = work;
    if (scan->work_len == scan->work_cap) {
        scan->work_cap = (uint32_t)cs_grow(scan->work_cap, scan->work_len + 1u);
        scan->work = cs_realloc_array(scan->work, scan->work_cap, sizeof(cs_work_t *));
    }
    scan->work[scan->work_len++] = work;
    work->row = row;
    work->at = cs_str_ref(row->path);
    work->eff = cs_str_ref(row->eff);
    work->rank = row->rank;
    work->links.len = row->back_len;
    work->links.link = cs_calloc(row->back_len, sizeof(cs_link_t));
    for (uint32_t i = 0; i < row->back_len; i++) {
        const cs_back_t *back = &row->back[i];
        work->links.link[i] = (cs_link_t){back->bucket, back->lin, back->k};
    }
    work->before = cs__mode_of(r, &work->links);
    return work;
}

/* Which backs of the row are displayed at its path, with the content that the user has there.
 */
static void note_shown(const cs_view_t *view, cs_work_t *work)
{
    const cs_item_t *row = work->row;
    const cs_group_t *group = cs__view_find(view, cs_slice_str(row->path));
    if (group == NULL || work->shown != NULL) return;
    if (!cs_content_eq(&view->ref[group->first].cand->content, &row->content)) return;
    work->shown = cs_calloc(row->back_len, 1);
    for (uint32_t i = 0; i < row->back_len; i++) {
        for (uint32_t j = 0; j < group->len; j++) {
            const cs_ref_t *ref = &view->ref[group->first + j];
            cs_back_t back = {
                .bucket = ref->cell->entry.bucket, .lin = ref->cand->lin, .k = ref->cand->k};
            if (cs__back_cmp(&back, &row->back[i]) == 0) work->shown[i] = 1;
        }
    }
}

void cs__note(cs_replica_t *r, cs_slice_t path)
{
    cs_scan_t *scan = r->scan;
    if (scan->first) return; /* no rows, nothing to remember */
    for (; path.len > 0; path = cs_path_parent(path)) {
        cs_family_t family;
        bool is_new;
        cs_family_of(path, &family);
        cs_family_key(&family, &r->key);
        cs_omap_insert(&scan->noted, cs_buf_slice(&r->key), &is_new);
        if (!is_new) return; /* then its ancestors are noted as well */
        cs__rows_family(r, &family, &r->rows);
        if (r->rows.len == 0) continue;
        cs__flush(r);
        cs__view_family(r, &family, &scan->view);
        for (uint32_t i = 0; i < r->rows.len; i++) {
            if (r->rows.row[i]->content.kind == CS_KIND_DIR) continue;
            note_shown(&scan->view, cs__work(r, r->rows.row[i]));
        }
    }
}

/* Rows that this entry backs: where it shows several things, an operation on one may concern
 * the others. They are found by content. */
static void note_rows_of(cs_replica_t *r, const cs_cell_t *cell, const cs_content_t *content)
{
    cs_strs_t paths = {0};
    cs_cursor_t cursor;
    cs_slice_t prefix = cs_slice(content->hash, CS_CONTENT_KEY);
    cs_cursor_init(&cursor, &r->ws, CS_T_CONTENT);
    cs_cursor_seek_within(&cursor, prefix, prefix);
    for (; cursor.valid; cs_cursor_next(&cursor)) {
        cs__strs_push(&paths,
                      cs_str_new(cursor.key.data + prefix.len, cursor.key.len - prefix.len));
    }
    cs_cursor_fini(&cursor);
    for (uint32_t i = 0; i < paths.len; i++) {
        cs_item_t *row = cs__row(r, cs_slice_str(paths.str[i]));
        for (uint32_t j = 0; row != NULL && j < row->back_len; j++) {
            if (memcmp(&row->back[j].bucket, &cell->entry.bucket, CS_BUCKET_BYTES) != 0) {
                continue;
            }
            cs__work(r, row);
            break;
        }
    }
    cs__strs_clear(&paths);
    cs_free(paths.str);
}

static void note_cell(cs_replica_t *r, cs_cell_t *cell)
{
    cs__flush(r);
    for (uint32_t i = 0; i < cell->entry.l_len; i++) {
        cs__note(r, cs_slice_str(cell->entry.l[i].path));
    }
    for (uint32_t i = 0; i < cell->entry.k_len; i++) {
        cs__note(r, cs_slice_str(cell->entry.k[i].path));
    }
    if (cell->cand_len < 2 || r->scan->first) return;
    for (uint32_t i = 0; i < cell->cand_len; i++) {
        if (cell->cand[i].content.kind == CS_KIND_FILE) {
            note_rows_of(r, cell, &cell->cand[i].content);
        }
    }
}

cs_cell_t *cs__enter(cs_replica_t *r, const cs_bucket_t *bucket)
{
    cs_cell_t *cell = cs__cell_make(r, bucket);
    if (cell->entered != r->scan_serial) {
        cell->entered = r->scan_serial;
        note_cell(r, cell);
    }
    bool is_new;
    cs_omap_insert(&r->pushed, cs_slice(bucket->b, CS_BUCKET_BYTES), &is_new);
    cs__cell_open(r, cell);
    cs__cell_changed(r, cell); /* whoever enters means to change it */
    return cell;
}
