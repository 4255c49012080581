/* settle.c - base rows against the projection: silent rebase, and what is left to be done on
 * disk. */
#include "base/mem.h"
#include "crdt/replica_i.h"

#include <stdlib.h>
#include <string.h>

void cs__strs_push(cs_strs_t *strs, cs_str_t *str)
{
    if (strs->len == strs->cap) {
        strs->cap = (uint32_t)cs_grow(strs->cap, strs->len + 16u);
        strs->str = cs_realloc_array(strs->str, strs->cap, sizeof(cs_str_t *));
    }
    strs->str[strs->len++] = str;
}

void cs__strs_clear(cs_strs_t *strs)
{
    for (uint32_t i = 0; i < strs->len; i++) {
        cs_str_unref(&strs->str[i]);
    }
    strs->len = 0;
}

static bool is_last_dirty(const cs_replica_t *r, cs_slice_t path)
{
    return r->dirty.len > 0 && cs_slice_eq(cs_slice_str(r->dirty.str[r->dirty.len - 1]), path);
}

void cs__dirty(cs_replica_t *r, cs_slice_t path)
{
    if (is_last_dirty(r, path)) return;
    cs__strs_push(&r->dirty, cs_str_new(path.data, path.len));
}

void cs__dirty_str(cs_replica_t *r, cs_str_t *path)
{
    if (!is_last_dirty(r, cs_slice_str(path))) cs__strs_push(&r->dirty, cs_str_ref(path));
}

/* --- rows */

cs_item_t *cs__row(cs_replica_t *r, cs_slice_t path)
{
    return cs_workset_get(&r->ws, CS_T_BASE, path);
}

static cs_slice_t content_key(cs_replica_t *r, const cs_item_t *row)
{
    cs_buf_clear(&r->key);
    cs_buf_put(&r->key, row->content.hash, CS_CONTENT_KEY);
    cs_buf_put_slice(&r->key, cs_slice_str(row->path));
    return cs_buf_slice(&r->key);
}

static bool is_listed(const cs_item_t *row)
{
    return row->content.kind == CS_KIND_FILE || row->content.kind == CS_KIND_SYMLINK;
}

void cs__row_list(cs_replica_t *r, const cs_item_t *row)
{
    if (is_listed(row)) cs_workset_put(&r->ws, CS_T_CONTENT, content_key(r, row), NULL);
}

void cs__row_born(cs_replica_t *r, const cs_item_t *row)
{
    if (row->print.btime_ns > r->born_max) r->born_max = row->print.btime_ns;
}

void cs__row_put(cs_replica_t *r, cs_item_t *row)
{
    cs__row_born(r, row);
    cs_slice_t path = cs_slice_str(row->path);
    cs_onode_t *node = cs_workset_node(&r->ws, CS_T_BASE, path);
    cs_item_t *old = node == NULL ? NULL : node->value;
    bool same = old != NULL && cs_content_eq(&old->content, &row->content);
    if (!r->tagged_rows) r->tagged_rows = cs_family_is_tagged(path);
    r->base_changes++;
    if (old != NULL && !same && is_listed(old)) {
        cs_workset_delete(&r->ws, CS_T_CONTENT, content_key(r, old));
    }
    if (!same) cs__row_list(r, row);
    if (old != NULL) {
        cs_item_fini(old);
        *old = *row;
        cs_workset_changed(&r->ws, node);
    } else {
        cs_workset_put(&r->ws, CS_T_BASE, path, cs_memdup(row, sizeof *row));
    }
    memset(row, 0, sizeof *row);
}

void cs__row_delete(cs_replica_t *r, cs_slice_t path)
{
    const cs_item_t *old = cs__row(r, path);
    if (old == NULL) return;
    r->base_changes++;
    r->has_rows = false;
    if (is_listed(old)) cs_workset_delete(&r->ws, CS_T_CONTENT, content_key(r, old));
    cs_workset_delete(&r->ws, CS_T_BASE, path);
}

void cs__push_row(cs_rows_t *rows, cs_item_t *row)
{
    if (rows->len == rows->cap) {
        rows->cap = (uint32_t)cs_grow(rows->cap, rows->len + 1u);
        rows->row = cs_realloc_array(rows->row, rows->cap, sizeof(cs_item_t *));
    }
    rows->row[rows->len++] = row;
}

void cs__rows_family(cs_replica_t *r, const cs_family_t *family, cs_rows_t *rows)
{
    rows->len = 0;
    if (cs_family_name_is_apart(family)) {
        cs_buf_clear(&r->seek);
        cs_buf_put_slice(&r->seek, family->dir);
        cs_buf_put(&r->seek, family->name, family->name_len);
        cs_item_t *row = cs__row(r, cs_buf_slice(&r->seek));
        if (row != NULL) cs__push_row(rows, row);
    }
    for (uint32_t i = 0; r->tagged_rows || !cs_family_name_is_apart(family); i++) {
        cs_buf_clear(&r->seek);
        if (!cs_family_prefix(family, i, &r->seek)) break;
        cs_slice_t prefix = cs_buf_slice(&r->seek);
        cs_strs_t paths = {0}; /* loading a row changes the table under the cursor */
        cs_cursor_t cursor;
        cs_cursor_init(&cursor, &r->ws, CS_T_BASE);
        cs_cursor_seek_within(&cursor, prefix, prefix);
        for (; cursor.valid; cs_cursor_next(&cursor)) {
            if (!cs_family_has(family, cursor.key)) continue;
            cs__strs_push(&paths, cs_str_new(cursor.key.data, cursor.key.len));
        }
        cs_cursor_fini(&cursor);
        for (uint32_t j = 0; j < paths.len; j++) {
            cs_item_t *row = cs__row(r, cs_slice_str(paths.str[j]));
            if (row != NULL) cs__push_row(rows, row);
        }
        cs__strs_clear(&paths);
        cs_free(paths.str);
    }
}

/* --- settling */

/* Does the row know just the live dots of this lineage? */
static bool knows_dots(const cs_back_t *back, const cs_ref_t *ref)
{
    const cs_entry_t *entry = &ref->cell->entry;
    uint32_t l = 0, a = 0;
    for (uint32_t i = 0; i < entry->l_len; i++) {
        if (!cs_dot_eq(entry->l[i].lin, back->lin)) continue;
        if (l == back->l_len || !cs_dot_eq(back->l_dots[l++], entry->l[i].dot)) return false;
    }
    for (uint32_t i = 0; i < entry->a_len; i++) {
        if (!cs_dot_eq(entry->a[i].lin, back->lin)) continue;
        if (a == back->a_len || !cs_dot_eq(back->a_dots[a++], entry->a[i].dot)) return false;
    }
    return l == back->l_len && a == back->a_len;
}

static bool same_back(const cs_back_t *back, const cs_ref_t *ref)
{
    return cs_dot_eq(back->k, ref->cand->k) && cs_dot_eq(back->lin, ref->cand->lin) &&
           memcmp(back->bucket.b, ref->cell->entry.bucket.b, CS_BUCKET_BYTES) == 0 &&
           knows_dots(back, ref);
}

/* Is the row's backing what the item of the group would have? */
static bool same_backing(const cs_item_t *row, const cs_view_t *view, const cs_group_t *group)
{
    const cs_ref_t *ref = &view->ref[group->first];
    uint32_t agen = 0;
    if (row->rank != group->rank || row->back_len != group->len) return false;
    if (!cs_str_eq(row->eff, ref->cand->path)) return false;
    for (uint32_t i = 0; i < group->len; i++) {
        if (!same_back(&row->back[i], &ref[i])) return false;
        uint32_t of = cs__agen_of(&ref[i].cell->entry, ref[i].cand->lin);
        if (of > agen) agen = of;
    }
    return row->agen == agen;
}

static bool same_attr(const cs_replica_t *r, const cs_attr_t *a, const cs_attr_t *b)
{
    return cs__norm(r, a->mode) == cs__norm(r, b->mode) && cs_str_eq(a->tlv, b->tlv);
}

bool cs_item_learns(const cs_item_t *row, const cs_item_t *item)
{
    for (uint32_t i = 0; i < item->back_len && item->content.kind != CS_KIND_DIR; i++) {
        const cs_back_t *back = &item->back[i];
        if (!cs__row_has(row, &back->bucket, back->lin, back->k)) return true;
    }
    return false;
}

/* The row shows what the projection shows; it may have to learn a new backing. A content that
 * it does not know yet waits until the file was looked at: if a user has changed it already,
 * he did not have that one. */
static bool rebase(cs_replica_t *r, cs_item_t *row, const cs_group_t *group)
{
    const cs_cand_t *cand = r->view.ref[group->first].cand;
    if (!cs_content_eq(&row->content, &cand->content)) return false;
    if (!same_attr(r, &row->attr, &group->attr->attr)) return false;
    if (CS_MUT(NO_REBASE)) return true;
    if (same_backing(row, &r->view, group)) return true;
    cs_item_t item = {0};
    cs__item_from(&r->view, group, &item);
    if (cs_item_learns(row, &item)) {
        cs_item_fini(&item);
        return false;
    }
    item.print = row->print;
    item.mtime_ns = row->mtime_ns;
    cs__row_put(r, &item);
    return true;
}

static bool settle_family(cs_replica_t *r, const cs_family_t *family)
{
    cs__view_family(r, family, &r->view);
    cs__rows_family(r, family, &r->rows);
    bool agree = r->view.group_len == r->rows.len;
    for (uint32_t i = 0; i < r->rows.len; i++) {
        const cs_group_t *group = cs__view_find(&r->view, cs_slice_str(r->rows.row[i]->path));
        if (group == NULL || !rebase(r, r->rows.row[i], group)) agree = false;
    }
    return agree && r->ws.fault == CS_OK;
}

static void unwant(cs_replica_t *r, cs_slice_t path)
{
    if (cs_workset_has(&r->ws, CS_T_WANTED, path)) cs_workset_delete(&r->ws, CS_T_WANTED, path);
    cs__going_set(r, path, false);
    cs_replica_unpark(r, path);
}

/* Something is known to be at the family's own path, on disk or in the projection: it is no
 * directory that lost its last file and has no row. */
static bool is_occupied(cs_replica_t *r, cs_slice_t path)
{
    return cs__row(r, path) != NULL || cs_replica_is_dir(r, path);
}

static void stay(cs_replica_t *r, cs_slice_t path)
{
    if (cs__is_going(r, path) && is_occupied(r, path)) cs__going_set(r, path, false);
}

/* One w/ row stands for a family, and for a directory of its name. Where nothing is left to
 * show, it waits for the materialiser all the same: an empty directory may have to go. */
static void settle_path(cs_replica_t *r, cs_slice_t path)
{
    cs_family_t family;
    cs_family_of(path, &family);
    bool agree = settle_family(r, &family);
    cs_family_path(&family, path, &r->key);
    cs_slice_t key = cs_buf_slice(&r->key);
    stay(r, path);
    stay(r, key);
    if (!agree) {
        cs__want(r, key);
    } else if (r->rows.len > 0) {
        bool wanted = cs_workset_has(&r->ws, CS_T_WANTED, key);
        if (wanted && is_occupied(r, key)) cs_workset_delete(&r->ws, CS_T_WANTED, key);
        cs_replica_unpark(r, key);
    }
}

static int str_order(const void *a, const void *b)
{
    return cs_str_cmp(*(cs_str_t *const *)a, *(cs_str_t *const *)b);
}

void cs__settle_dirty(cs_replica_t *r)
{
    cs__flush(r);
    cs_strs_t dirty = r->dirty;
    r->dirty = (cs_strs_t){0};
    if (dirty.len > 1) qsort(dirty.str, dirty.len, sizeof(cs_str_t *), str_order);
    for (uint32_t i = 0; i < dirty.len; i++) {
        if (i > 0 && cs_str_eq(dirty.str[i], dirty.str[i - 1])) continue;
        settle_path(r, cs_slice_str(dirty.str[i]));
    }
    /* A directory that nothing implies any more has no row; it waits for the materialiser, or
     * the next scan would take it for one that the user made. */
    for (uint32_t i = 0; i < r->lost.len; i++) {
        cs_slice_t path = cs_slice_str(r->lost.str[i]);
        if (cs_replica_is_dir(r, path)) continue;
        cs__want(r, path);
        cs__going_set(r, path, true);
    }
    cs__strs_clear(&r->lost);
    CS_ASSERT(r->dirty.len == 0);
    cs__strs_clear(&dirty);
    r->dirty = dirty; /* keeps its array */
}

bool cs_replica_settle(cs_replica_t *replica, cs_slice_t path)
{
    cs__trim(replica);
    cs_family_t family;
    cs_family_of(path, &family);
    if (!settle_family(replica, &family)) return false;
    unwant(replica, path);
    cs_family_path(&family, path, &replica->key);
    unwant(replica, cs_buf_slice(&replica->key));
    return true;
}

/* --- the materialiser's reports */

cs_err_t cs_replica_base(cs_replica_t *replica, cs_slice_t path, cs_item_t *ret)
{
    cs__trim(replica);
    const cs_item_t *row = cs__row(replica, path);
    if (row == NULL) return replica->ws.fault != CS_OK ? replica->ws.fault : CS_ERR_NOT_FOUND;
    cs_item_copy(ret, row);
    return CS_OK;
}

void cs_replica_applied(cs_replica_t *replica, const cs_item_t *item)
{
    cs_item_t row = {0};
    cs_item_copy(&row, item);
    cs__row_put(replica, &row);
    cs__dirty_str(replica, item->path);
    cs__settle_dirty(replica);
}

void cs_replica_vanished(cs_replica_t *replica, cs_slice_t path)
{
    cs__row_delete(replica, path);
    cs__dirty(replica, path);
    cs__settle_dirty(replica);
    cs__going_set(replica, path, false);
}

cs_err_t cs_replica_find_content(cs_replica_t *replica, const cs_content_t *content,
                                 cs_buf_t *ret_path)
{
    cs_cursor_t cursor;
    cs_slice_t prefix = cs_slice(content->hash, CS_CONTENT_KEY);
    cs_strs_t paths = {0};
    cs_cursor_init(&cursor, &replica->ws, CS_T_CONTENT);
    cs_cursor_seek_within(&cursor, prefix, prefix);
    if (cursor.valid) {
        cs__strs_push(&paths, cs_str_new(cursor.key.data + CS_CONTENT_KEY,
                                         cursor.key.len - CS_CONTENT_KEY));
    }
    cs_cursor_fini(&cursor);
    cs_err_t err = replica->ws.fault != CS_OK ? replica->ws.fault : CS_ERR_NOT_FOUND;
    const cs_item_t *row = paths.len == 0 ? NULL : cs__row(replica, cs_slice_str(paths.str[0]));
    if (row != NULL && cs_content_eq(&row->content, content)) {
        cs_buf_clear(ret_path);
        cs_buf_put_slice(ret_path, cs_slice_str(row->path));
        err = CS_OK;
    }
    cs__strs_clear(&paths);
    cs_free(paths.str);
    return err;
}
