/* cell.c - entries in memory, and what follows when one changes: index rows, root, t/ rows. */
#include "base/mem.h"
#include "crdt/replica_i.h"

#include <string.h>

static void cells_push(cs_cells_t *cells, cs_cell_t *cell)
{
    if (cells->len == cells->cap) {
        cells->cap = (uint32_t)cs_grow(cells->cap, cells->len + 1u);
        cells->cell = cs_realloc_array(cells->cell, cells->cap, sizeof(cs_cell_t *));
    }
    cells->cell[cells->len++] = cell;
}

static void cells_take(cs_cells_t *cells, const cs_cell_t *cell)
{
    for (uint32_t i = 0; i < cells->len; i++) {
        if (cells->cell[i] != cell) continue;
        cells->cell[i] = cells->cell[--cells->len];
        return;
    }
}

static cs_slice_t bucket_key(const cs_bucket_t *bucket)
{
    return cs_slice(bucket->b, CS_BUCKET_BYTES);
}

/* --- rows of e/ */

static void cell_drop(void *value)
{
    cs_cell_t *cell = value;
    cs__cands_clear(cell->cand, cell->cand_len);
    cs_free(cell->cand);
    cs_entry_fini(&cell->entry);
    cs_free(cell);
}

static cs_cell_t *cell_new(const cs_bucket_t *bucket)
{
    cs_cell_t *cell = cs_calloc(1, sizeof *cell);
    cs_entry_init(&cell->entry, bucket);
    return cell;
}

static void *cell_decode(void *arg, cs_slice_t key, cs_slice_t value)
{
    (void)arg;
    cs_bucket_t bucket;
    if (key.len != CS_BUCKET_BYTES) return NULL;
    memcpy(bucket.b, key.data, CS_BUCKET_BYTES);
    cs_cell_t *cell = cell_new(&bucket);
    if (cs_entry_decode(value, &cell->entry) != CS_OK ||
        memcmp(cell->entry.bucket.b, bucket.b, CS_BUCKET_BYTES) != 0) {
        cell_drop(cell);
        return NULL;
    }
    cs__cands_of(&cell->entry, &cell->cand, &cell->cand_len, &cell->cand_cap);
    cell->counted = !cs_entry_is_dead(&cell->entry);
    return cell;
}

static void cell_encode(void *arg, cs_onode_t *node, cs_buf_t *ret)
{
    (void)arg;
    const cs_cell_t *cell = node->value;
    cs_entry_encode(&cell->entry, ret);
}

static void *row_decode(void *arg, cs_slice_t key, cs_slice_t value)
{
    (void)arg;
    cs_item_t *row = cs_calloc(1, sizeof *row);
    if (cs_base_decode(key, value, row) == CS_OK) return row;
    cs_free(row);
    return NULL;
}

static void row_encode(void *arg, cs_onode_t *node, cs_buf_t *ret)
{
    (void)arg;
    cs_base_encode(node->value, ret);
}

static void row_drop(void *value)
{
    cs_item_fini(value);
    cs_free(value);
}

static void *digest_decode(void *arg, cs_slice_t key, cs_slice_t value)
{
    (void)arg;
    (void)key;
    return value.len == CS_BUCKET_BYTES ? cs_memdup(value.data, value.len) : NULL;
}

static void digest_encode(void *arg, cs_onode_t *node, cs_buf_t *ret)
{
    (void)arg;
    cs_buf_put(ret, node->value, CS_BUCKET_BYTES);
}

const cs_table_type_t cs__table_types[CS_TABLE_COUNT] = {
    [CS_T_ENTRY] = {'e', true, cell_decode, cell_encode, cell_drop},
    [CS_T_DIGEST] = {'d', false, digest_decode, digest_encode, cs_free},
    [CS_T_DUE] = {.prefix = 't'},
    [CS_T_PATH] = {.prefix = 'p'},
    [CS_T_BASE] = {'b', true, row_decode, row_encode, row_drop},
    [CS_T_CONTENT] = {.prefix = 'h'},
    [CS_T_WANTED] = {.prefix = 'w'},
    [CS_T_GOING] = {.prefix = 'g'},
};

/* --- cells */

cs_cell_t *cs__cell_get(cs_replica_t *r, const cs_bucket_t *bucket)
{
    cs_onode_t *node = cs_workset_node(&r->ws, CS_T_ENTRY, bucket_key(bucket));
    if (node == NULL) return NULL;
    cs_cell_t *cell = node->value;
    cell->node = node;
    return cell;
}

cs_cell_t *cs__cell_make(cs_replica_t *r, const cs_bucket_t *bucket)
{
    cs_cell_t *cell = cs__cell_get(r, bucket);
    if (cell != NULL) return cell;
    cell = cell_new(bucket);
    cell->due_known = true;
    cell->node = cs_workset_put(&r->ws, CS_T_ENTRY, bucket_key(bucket), cell);
    return cell;
}

void cs__cell_open(cs_replica_t *r, cs_cell_t *cell)
{
    if (cell->unrooted) return;
    if (cell->counted && !cell->digest_known) {
        cs_entry_hash(&r->keys, &cell->entry, &cell->digest);
        cell->digest_known = true;
    }
    cell->unrooted = true;
    cells_push(&r->unrooted, cell);
}

void cs__cell_changed(cs_replica_t *r, cs_cell_t *cell)
{
    CS_ASSERT(cell->unrooted); /* opened before */
    cs_workset_changed(&r->ws, cell->node);
    if (cell->stale) return;
    cell->stale = true;
    cells_push(&r->stale, cell);
}

void cs__cell_delete(cs_replica_t *r, cs_cell_t *cell)
{
    if (!cell->unrooted) cs__cell_open(r, cell);
    cs_bucket_t bucket = cell->entry.bucket;
    cs_entry_fini(&cell->entry);
    cs_entry_init(&cell->entry, &bucket);
    cs__cell_index(r, cell);
    cs__root_one(r, cell);
    if (cell->stale) cells_take(&r->stale, cell);
    cells_take(&r->unrooted, cell);
    cs__due_set(r, &bucket, false);
    cs_workset_delete(&r->ws, CS_T_ENTRY, bucket_key(&bucket));
}

/* --- t/ */

/* Collection or clean-up would change it: it is dead, has a dead lineage, or ctx says more than
 * the live dots do. */
bool cs__entry_is_due(const cs_entry_t *entry)
{
    cs_dot_t lin;
    if (cs_entry_is_dead(entry)) return true;
    const cs_dot_t *slots = cs_vv_slots(&entry->ctx);
    for (uint32_t i = 0; i < entry->ctx.len; i++) {
        bool live = cs_entry_find_l(entry, slots[i]) != NULL ||
                    cs_entry_find_k(entry, slots[i]) != NULL ||
                    cs_entry_find_a(entry, slots[i]) != NULL;
        if (!live) return true;
    }
    return cs__entry_dead_lineage(entry, &lin);
}

void cs__due_set(cs_replica_t *r, const cs_bucket_t *bucket, bool due)
{
    if (due) {
        cs_workset_put(&r->ws, CS_T_DUE, bucket_key(bucket), NULL);
    } else {
        cs_workset_delete(&r->ws, CS_T_DUE, bucket_key(bucket));
    }
}

bool cs__due_bucket(cs_replica_t *r, cs_slice_t key, cs_bucket_t *ret)
{
    if (key.len != CS_BUCKET_BYTES) {
        r->ws.fault = CS_ERR_CORRUPT;
        return false;
    }
    memcpy(ret->b, key.data, CS_BUCKET_BYTES);
    return true;
}

static void due_update(cs_replica_t *r, cs_cell_t *cell)
{
    bool due = cs__entry_is_due(&cell->entry);
    if (cell->due_known && cell->due == due) return;
    cell->due_known = true;
    cell->due = due;
    cs__due_set(r, &cell->entry.bucket, due);
}

/* --- root */

void cs__root_one(cs_replica_t *r, cs_cell_t *cell)
{
    if (!cell->unrooted) return;
    cell->unrooted = false;
    cs_entry_digest_t now;
    bool live = !cs_entry_is_dead(&cell->entry);
    if (live) cs_entry_hash(&r->keys, &cell->entry, &now);
    if (live && cell->counted && memcmp(&now, &cell->digest, sizeof now) == 0) return;
    if (cell->counted) {
        cs_sum_sub(r->state.root, cell->digest.term);
        r->state.n--;
        cs__prefix_note(&r->prefix, r->keys.sym, cell->digest.item, false);
        if (r->ws.store != NULL) {
            cs_workset_delete(&r->ws, CS_T_DIGEST,
                              cs_slice(cell->digest.item, sizeof now.item));
        }
    }
    if (live) {
        cs_sum_add(r->state.root, now.term);
        r->state.n++;
        cell->digest = now;
        cs__prefix_note(&r->prefix, r->keys.sym, now.item, true);
        if (r->ws.store != NULL) {
            cs_workset_put(&r->ws, CS_T_DIGEST, cs_slice(now.item, sizeof now.item),
                           cs_memdup(cell->entry.bucket.b, CS_BUCKET_BYTES));
        }
    }
    cell->counted = cell->digest_known = live;
    r->state_dirty = true;
}

/* More symbols are of more use only with all items in them: d/ has those, as root counts them.
 * Each doubling walks as many rows as there are then, up to 32,768 and never beyond. */
static void grow_prefix(cs_replica_t *r)
{
    cs_prefix_t *prefix = &r->prefix;
    if (prefix->symbols.count == 0) return;
    if (prefix->symbols.count >= cs_symbols_kept(r->state.n)) return;
    cs__prefix_init(prefix, r->state.n);
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, &r->ws, CS_T_DIGEST);
    for (cs_cursor_seek(&cursor, cs_slice(NULL, 0)); cursor.valid; cs_cursor_next(&cursor)) {
        if (cursor.key.len != CS_ITEM_BYTES) {
            r->ws.fault = CS_ERR_CORRUPT;
            break;
        }
        cs_symbols_put(&prefix->symbols, r->keys.sym, cursor.key.data);
    }
    cs_cursor_fini(&cursor);
}

void cs__root_flush(cs_replica_t *r)
{
    for (uint32_t i = 0; i < r->unrooted.len; i++) {
        cs__root_one(r, r->unrooted.cell[i]);
    }
    r->unrooted.len = 0;
    grow_prefix(r);
}

/* --- p/ */

static cs_slice_t path_key(cs_replica_t *r, const cs_cell_t *cell, const cs_cand_t *cand)
{
    cs_buf_clear(&r->key);
    cs_buf_put_slice(&r->key, cs_slice_str(cand->path));
    cs_buf_put_u8(&r->key, 0);
    cs_buf_put(&r->key, cell->entry.bucket.b, CS_BUCKET_BYTES);
    cs_buf_put_u64_be(&r->key, cand->lin.rid);
    cs_buf_put_u64_be(&r->key, cand->lin.ctr);
    return cs_buf_slice(&r->key);
}

/* Ancestors whose membership in DIRS hangs on this path alone are dirty: their families change.
 */
static void dirty_ancestors(cs_replica_t *r, cs_slice_t path, bool lost)
{
    cs_slice_t at = path;
    for (;;) {
        path = cs_path_parent(path);
        if (path.len == 0 || cs__below_near(r, path, at)) return;
        cs__dirty(r, path);
        if (lost) cs__strs_push(&r->lost, cs_str_new(path.data, path.len));
    }
}

static bool same_row(const cs_cand_t *a, const cs_cand_t *b)
{
    return cs_dot_eq(a->lin, b->lin) && cs_str_eq(a->path, b->path);
}

bool cs__cands_have_row(const cs_cand_t *list, uint32_t len, const cs_cand_t *cand)
{
    for (uint32_t i = 0; i < len; i++) {
        if (same_row(&list[i], cand)) return true;
    }
    return false;
}

static bool cands_eq(const cs_cand_t *a, const cs_cand_t *b)
{
    return same_row(a, b) && cs_dot_eq(a->k, b->k) && a->rank == b->rank &&
           a->attr_gen == b->attr_gen && a->attr_explicit == b->attr_explicit &&
           cs_content_eq(&a->content, &b->content) && cs_attr_eq(&a->attr, &b->attr);
}

void cs__cell_index(cs_replica_t *r, cs_cell_t *cell)
{
    cs_cand_t *old = cell->cand;
    uint32_t old_len = cell->cand_len;
    cell->cand = NULL;
    cell->cand_len = cell->cand_cap = 0;
    cs__cands_of(&cell->entry, &cell->cand, &cell->cand_len, &cell->cand_cap);

    for (uint32_t i = 0; i < old_len; i++) {
        cs_slice_t path = cs_slice_str(old[i].path);
        cs__dirty_str(r, old[i].path); /* backing may change even where nothing shown does */
        if (cs__cands_have_row(cell->cand, cell->cand_len, &old[i])) continue;
        cs_workset_delete(&r->ws, CS_T_PATH, path_key(r, cell, &old[i]));
        dirty_ancestors(r, path, true);
    }
    for (uint32_t i = 0; i < cell->cand_len; i++) {
        const cs_cand_t *cand = &cell->cand[i];
        bool known = i < old_len && cands_eq(cand, &old[i]);
        if (!known) cs__dirty_str(r, cand->path);
        if (known || cs__cands_have_row(old, old_len, cand)) continue;
        dirty_ancestors(r, cs_slice_str(cand->path), false);
        cs_workset_put(&r->ws, CS_T_PATH, path_key(r, cell, cand), NULL);
        if (!r->tagged_paths) r->tagged_paths = cs_family_is_tagged(cs_slice_str(cand->path));
    }
    cs__cands_clear(old, old_len);
    cs_free(old);
}

void cs__flush(cs_replica_t *r)
{
    for (uint32_t i = 0; i < r->stale.len; i++) {
        cs_cell_t *cell = r->stale.cell[i];
        cell->stale = false;
        cs__cell_index(r, cell);
        due_update(r, cell);
    }
    r->stale.len = 0;
}
