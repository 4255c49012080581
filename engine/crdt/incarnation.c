/* incarnation.c - a fresh replica id where the old one cannot be trusted (core.md 6.4). */
#include "base/mem.h"
#include "crdt/replica_i.h"
#include "crdt/scan_i.h"

#include <stdlib.h>
#include <string.h>

typedef struct cs_rename {
    uint64_t from, to, limit; /* (from, limit + i) becomes (to, i) */
} cs_rename_t;

static cs_dot_t renamed(const cs_rename_t *rename, cs_dot_t dot)
{
    if (dot.rid != rename->from || dot.ctr <= rename->limit) return dot;
    return (cs_dot_t){rename->to, dot.ctr - rename->limit};
}

static bool is_renamed(const cs_rename_t *rename, cs_dot_t dot)
{
    return dot.rid == rename->from && dot.ctr > rename->limit;
}

/* What others say of the old id above the limit is not about my dots: the slot is cut. */
static cs_err_t rename_vv(const cs_rename_t *rename, cs_vv_t *vv, bool keep)
{
    uint64_t ctr = cs_vv_get(vv, rename->from);
    if (ctr <= rename->limit) return CS_OK;
    cs_err_t err = keep ? CS_OK : cs_vv_cut(vv, rename->from, rename->limit);
    if (err == CS_OK) err = cs_vv_raise(vv, (cs_dot_t){rename->to, ctr - rename->limit});
    return err;
}

static bool concerns_entry(const cs_rename_t *rename, const cs_entry_t *e)
{
    if (cs_vv_get(&e->ctx, rename->from) > rename->limit) return true; /* covers all dots: W */
    for (uint32_t i = 0; i < e->l_len; i++) {
        if (is_renamed(rename, e->l[i].lin)) return true;
    }
    for (uint32_t i = 0; i < e->k_len; i++) {
        if (is_renamed(rename, e->k[i].lin)) return true;
    }
    for (uint32_t i = 0; i < e->a_len; i++) {
        if (is_renamed(rename, e->a[i].lin)) return true;
    }
    return false;
}

static void rename_values(const cs_rename_t *rename, const cs_entry_t *from, cs_entry_t *to)
{
    cs_err_t err = CS_OK;
    for (uint32_t i = 0; i < from->l_len && err == CS_OK; i++) {
        cs_lval_t l = from->l[i];
        l.dot = renamed(rename, l.dot);
        l.lin = renamed(rename, l.lin);
        cs_str_ref(l.path);
        cs_str_ref(l.hint_attr.tlv);
        err = cs_entry_add_l(to, &l);
    }
    for (uint32_t i = 0; i < from->k_len && err == CS_OK; i++) {
        cs_kval_t k = from->k[i];
        k.dot = renamed(rename, k.dot);
        k.lin = renamed(rename, k.lin);
        cs_str_ref(k.path);
        cs_str_ref(k.attr.tlv);
        err = cs_entry_add_k(to, &k);
    }
    for (uint32_t i = 0; i < from->a_len && err == CS_OK; i++) {
        cs_aval_t a = from->a[i];
        a.dot = renamed(rename, a.dot);
        a.lin = renamed(rename, a.lin);
        cs_str_ref(a.attr.tlv);
        err = cs_entry_add_a(to, &a);
    }
    CS_ASSERT(err == CS_OK); /* not more values than before */
}

static void rename_cell(cs_replica_t *r, const cs_rename_t *rename, cs_cell_t *cell)
{
    if (!concerns_entry(rename, &cell->entry)) return;
    cs_entry_t entry;
    cs_entry_init(&entry, &cell->entry.bucket);
    rename_values(rename, &cell->entry, &entry);
    cs_vv_t ctx = {0};
    cs_vv_copy(&ctx, &cell->entry.ctx);
    cs_err_t err = rename_vv(rename, &ctx, CS_MUT(KEEP_CTX));
    if (err != CS_OK) {
        err = cs_vv_cut(&ctx, rename->from, 0); /* full: what is left covers less */
    }
    if (err == CS_OK) err = cs_vv_merge(&ctx, &entry.ctx);
    CS_ASSERT(err == CS_OK);
    cs_vv_fini(&entry.ctx);
    entry.ctx = ctx; /* moved */

    cs__cell_open(r, cell);
    cs_entry_fini(&cell->entry);
    cell->entry = entry; /* moved */
    cs__cell_changed(r, cell);
    bool is_new;
    cs_omap_insert(&r->pushed, cs_slice(entry.bucket.b, CS_BUCKET_BYTES), &is_new);
}

static int dot_order(const void *a, const void *b)
{
    return cs_dot_cmp(*(const cs_dot_t *)a, *(const cs_dot_t *)b);
}

static void rename_dots(const cs_rename_t *rename, cs_dot_t *dots, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        dots[i] = renamed(rename, dots[i]);
    }
    if (len > 1) qsort(dots, len, sizeof *dots, dot_order);
}

static int back_order(const void *a, const void *b)
{
    return cs__back_cmp(a, b);
}

static void rename_row(cs_replica_t *r, const cs_rename_t *rename, cs_slice_t path)
{
    cs_onode_t *node = cs_workset_node(&r->ws, CS_T_BASE, path);
    if (node == NULL) return;
    cs_item_t *row = node->value;
    for (uint32_t i = 0; i < row->back_len; i++) {
        cs_back_t *back = &row->back[i];
        back->lin = renamed(rename, back->lin);
        back->k = renamed(rename, back->k);
        rename_dots(rename, back->l_dots, back->l_len);
        rename_dots(rename, back->a_dots, back->a_len);
    }
    if (row->back_len > 1) qsort(row->back, row->back_len, sizeof *row->back, back_order);
    cs_workset_changed(&r->ws, node);
    cs__dirty(r, path);
}

/* All keys of a table, so that its rows can be changed while walking. */
static void keys_of(cs_replica_t *r, cs_table_t table, cs_strs_t *ret)
{
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, &r->ws, table);
    for (cs_cursor_seek(&cursor, cs_slice(NULL, 0)); cursor.valid; cs_cursor_next(&cursor)) {
        cs__strs_push(ret, cs_str_new(cursor.key.data, cursor.key.len));
    }
    cs_cursor_fini(&cursor);
}

static cs_cell_t *cell_at(cs_replica_t *r, const cs_str_t *key)
{
    cs_bucket_t bucket;
    CS_ASSERT(key->len == CS_BUCKET_BYTES);
    memcpy(bucket.b, key->data, CS_BUCKET_BYTES);
    return cs__cell_get(r, &bucket);
}

cs_err_t cs_replica_reincarnate(cs_replica_t *replica, uint64_t new_rid)
{
    cs_state_t *state = &replica->state;
    cs_rename_t rename = {.from = state->rid, .to = new_rid, .limit = state->exposed};
    CS_ASSERT(new_rid != 0 && new_rid != state->rid);
    if (CS_MUT(RESTORE_RID)) return CS_OK;
    if (CS_MUT(NO_RENAME)) rename.limit = state->ctr;
    if (state->seen.len >= CS_REPLICAS_MAX) return CS_ERR_LIMIT;

    cs_strs_t keys = {0};
    keys_of(replica, CS_T_ENTRY, &keys);
    for (uint32_t i = 0; i < keys.len; i++) {
        cs_cell_t *cell = cell_at(replica, keys.str[i]);
        if (cell != NULL) rename_cell(replica, &rename, cell);
        cs__trim(replica);
    }
    cs__strs_clear(&keys);
    keys_of(replica, CS_T_BASE, &keys);
    for (uint32_t i = 0; i < keys.len; i++) {
        rename_row(replica, &rename, cs_slice_str(keys.str[i]));
    }
    cs__strs_clear(&keys);
    cs_free(keys.str);

    cs_err_t err = rename_vv(&rename, &state->seen, CS_MUT(KEEP_SEEN));
    CS_ASSERT(err == CS_OK); /* there is room, see above */
    if (cs_vv_get(&replica->heard, rename.from) > rename.limit) {
        err = cs_vv_cut(&replica->heard, rename.from, rename.limit);
        CS_ASSERT(err == CS_OK); /* the slot is there */
    }
    state->rid = new_rid;
    state->ctr -= rename.limit;
    state->exposed = 0;
    replica->state_dirty = true;
    if (replica->scan != NULL) cs__scan_renamed(replica->scan, rename.limit);
    cs__settle_dirty(replica);
    return replica->ws.fault;
}

/* --- amnesia: what is left is believed, what was known is not */

static void drop_unreadable(void *arg, cs_table_t table, cs_slice_t key, void *value)
{
    cs_replica_t *r = arg;
    if (value == NULL) cs_workset_delete(&r->ws, table, key);
}

static bool covers_dots(const cs_entry_t *entry, const cs_dot_t *dots, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (!cs_vv_has(&entry->ctx, dots[i])) return false;
    }
    return true;
}

/* Removing a dot that the entry never integrated would put it into ctx: such a row must go. */
static bool row_is_sound(cs_replica_t *r, const cs_item_t *row)
{
    if (CS_MUT(KEEP_BASE)) return true;
    for (uint32_t i = 0; i < row->back_len; i++) {
        const cs_back_t *back = &row->back[i];
        const cs_cell_t *cell = cs__cell_get(r, &back->bucket);
        if (cell == NULL) return false;
        if (!cs_dot_is_null(back->k) && !cs_vv_has(&cell->entry.ctx, back->k)) return false;
        if (!covers_dots(&cell->entry, back->l_dots, back->l_len)) return false;
        if (!covers_dots(&cell->entry, back->a_dots, back->a_len)) return false;
    }
    return true;
}

static void rebuild_cell(cs_replica_t *r, cs_cell_t *cell)
{
    cs__cands_clear(cell->cand, cell->cand_len);
    cell->cand_len = 0;
    cell->counted = cell->digest_known = cell->due_known = cell->due = false;
    cs__cell_open(r, cell);
    cs__cell_changed(r, cell);
}

cs_err_t cs__amnesia(cs_replica_t *r)
{
    static const cs_table_t derived[] = {CS_T_DIGEST,  CS_T_DUE,    CS_T_PATH,
                                         CS_T_CONTENT, CS_T_WANTED, CS_T_GOING};
    cs_err_t err = cs__walk_rows(r, CS_T_ENTRY, r, drop_unreadable);
    if (err == CS_OK) err = cs__walk_rows(r, CS_T_BASE, r, drop_unreadable);
    if (err != CS_OK) return err;
    for (size_t i = 0; i < CS_COUNT_OF(derived); i++) {
        cs_workset_delete_all(&r->ws, derived[i]);
    }

    cs_strs_t keys = {0};
    keys_of(r, CS_T_ENTRY, &keys);
    for (uint32_t i = 0; i < keys.len; i++) {
        cs_cell_t *cell = cell_at(r, keys.str[i]);
        if (cell != NULL) rebuild_cell(r, cell);
    }
    cs__flush(r);
    cs__strs_clear(&keys);
    keys_of(r, CS_T_BASE, &keys);
    for (uint32_t i = 0; i < keys.len; i++) {
        cs_slice_t path = cs_slice_str(keys.str[i]);
        const cs_item_t *row = cs__row(r, path);
        cs__dirty(r, path);
        if (row == NULL) continue;
        if (row_is_sound(r, row)) {
            cs__row_list(r, row);
        } else {
            cs__row_delete(r, path);
        }
    }
    cs__strs_clear(&keys);
    cs_free(keys.str);
    cs__settle_dirty(r);
    cs__root_flush(r);
    r->state_dirty = true;
    return r->ws.fault;
}
