/* replica.c - opening, the state record, and durability. */
#include "crdt/replica_i.h"

#include <string.h>

#include "base/mem.h"
#include "base/seal.h"

/* --- m/state */

static void state_encode(const cs_state_t *state, cs_buf_t *ret)
{
    cs_buf_put_u64(ret, state->rid);
    cs_buf_put_varint(ret, state->ctr);
    cs_buf_put_varint(ret, state->exposed);
    cs_buf_put_varint(ret, state->n);
    cs_buf_put(ret, state->root, sizeof state->root);
    cs_vv_t own = {0};
    if (CS_MUT(GC_EARLY) && state->ctr > 0) {
        (void)!cs_vv_raise(&own, (cs_dot_t){state->rid, state->ctr});
    }
    cs_vv_encode(CS_MUT(GC_EARLY) ? &own : &state->seen, ret);
}

static cs_err_t state_decode(cs_slice_t value, cs_state_t *ret)
{
    cs_reader_t reader = cs_reader(value);
    cs_state_t state = {.rid = cs_read_u64(&reader)};
    state.ctr = cs_read_varint(&reader);
    state.exposed = cs_read_varint(&reader);
    state.n = cs_read_varint(&reader);
    cs_read_copy(&reader, state.root, sizeof state.root);
    cs_vv_decode(&reader, &state.seen);
    cs_err_t err = cs_reader_end(&reader);
    if (err == CS_OK && (state.rid == 0 || state.exposed > state.ctr)) err = CS_ERR_MALFORMED;
    if (err != CS_OK) {
        cs_vv_fini(&state.seen);
        return err;
    }
    cs_vv_fini(&ret->seen);
    *ret = state;
    return CS_OK;
}

static cs_err_t state_read(cs_replica_t *r, const cs_snapshot_t *snapshot, cs_state_t *ret)
{
    if (r->ws.store == NULL) return CS_ERR_NOT_FOUND;
    cs_workset_key(&r->ws, 'm', cs_slice_text("state"), &r->ws.key);
    cs_err_t err = cs_store_get(r->ws.store, snapshot, cs_buf_slice(&r->ws.key), &r->ws.value);
    if (err != CS_OK) return err;
    cs_slice_t payload = cs_buf_slice(&r->ws.value);
    err = cs_seal_check(payload, &payload);
    if (err == CS_OK && state_decode(payload, ret) != CS_OK) err = CS_ERR_CORRUPT;
    return err;
}

/* --- m/symbols */

bool cs__symbols_read(cs_replica_t *r, const cs_snapshot_t *snapshot, const cs_state_t *state)
{
    cs_buf_t value = {0};
    cs_slice_t payload;
    cs_workset_key(&r->ws, 'm', cs_slice_text("symbols"), &r->ws.key);
    bool read =
        cs_store_get(r->ws.store, snapshot, cs_buf_slice(&r->ws.key), &value) == CS_OK &&
        cs_seal_check(cs_buf_slice(&value), &payload) == CS_OK &&
        cs__prefix_decode(&r->prefix, payload, state->root, state->n);
    cs_buf_fini(&value);
    return read;
}

static void symbols_kept(cs_replica_t *r)
{
    r->symbols_kept = true;
    memcpy(r->kept, r->state.root, sizeof r->kept);
}

static bool are_kept(const cs_replica_t *r)
{
    return r->symbols_kept && memcmp(r->kept, r->state.root, sizeof r->kept) == 0;
}

static void symbols_stage(cs_replica_t *r, cs_batch_t *batch)
{
    r->keeps_symbols = false;
    if (are_kept(r) || r->prefix.symbols.count == 0) return;
    cs_buf_t value = {0};
    cs_workset_key(&r->ws, 'm', cs_slice_text("symbols"), &r->ws.key);
    cs__prefix_encode(&r->prefix, r->state.root, r->state.n, &value);
    cs_seal_append(&value, 0);
    cs_batch_put(batch, cs_buf_slice(&r->ws.key), cs_buf_slice(&value));
    cs_buf_fini(&value);
    symbols_kept(r);
}

void cs_replica_keep_symbols(cs_replica_t *replica)
{
    cs__root_flush(replica);
    if (are_kept(replica)) return;
    replica->keeps_symbols = replica->state_dirty = true;
}

cs_err_t cs_replica_state_at(cs_replica_t *replica, const cs_snapshot_t *snapshot,
                             cs_state_t *ret)
{
    return state_read(replica, snapshot, ret);
}

cs_err_t cs_replica_symbols_at(cs_replica_t *replica, const cs_state_t *state, size_t count,
                               cs_symbols_t *ret)
{
    return cs__prefix_at(&replica->prefix, replica->keys.sym, state->root, state->n, count,
                         ret);
}

const cs_state_t *cs_replica_state(cs_replica_t *replica)
{
    cs__root_flush(replica);
    return &replica->state;
}

cs_err_t cs_replica_fault(const cs_replica_t *replica)
{
    return replica->ws.fault;
}

/* --- opening */

cs_err_t cs__walk_rows(cs_replica_t *r, cs_table_t table, void *arg, cs__each_row_fn *each)
{
    const cs_table_type_t *type = &cs__table_types[table];
    cs_buf_t prefix = {0};
    cs_iter_t *iter = cs_store_iter(r->ws.store, NULL);
    cs_workset_key(&r->ws, type->prefix, cs_slice(NULL, 0), &prefix);
    for (cs_iter_seek(iter, cs_buf_slice(&prefix)); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter), payload;
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        key = cs_slice(key.data + prefix.len, key.len - prefix.len);
        void *value = NULL;
        if (cs_seal_check(cs_iter_value(iter), &payload) == CS_OK) {
            value = type->decode(NULL, key, payload);
        }
        each(arg, table, key, value);
        if (value != NULL) type->drop(value);
    }
    cs_err_t err = cs_iter_err(iter);
    cs_iter_destroy(&iter);
    cs_buf_fini(&prefix);
    return err;
}

static cs_err_t load(cs_replica_t *r, const cs_replica_config_t *config, cs_open_result_t *ret)
{
    *ret = CS_OPEN_NEW;
    r->state.rid = config->fresh_rid;
    r->state_dirty = true;
    if (r->ws.store == NULL) return CS_OK;
    cs_state_t stored = {0};
    cs_err_t found = state_read(r, NULL, &stored);
    if (found == CS_ERR_IO) return found;
    cs_loaded_t loaded = {0};
    bool kept = found == CS_OK && cs__symbols_read(r, NULL, &stored);
    cs_err_t err = cs__load(r, stored.n, config->all, &loaded);
    if (err != CS_OK) goto out;
    bool same = found == CS_OK && loaded.clean && stored.n == loaded.n &&
                memcmp(stored.root, loaded.root, sizeof stored.root) == 0;
    if (same) {
        *ret = CS_OPEN_SAME;
        cs__prefix_mark(&r->prefix, stored.root, stored.n);
        r->state = stored;
        r->state_dirty = false;
        if (kept) symbols_kept(r);
        return CS_OK;
    }
    static const uint8_t empty[CS_HASH_BYTES];
    cs__prefix_init(&r->prefix, 0); /* all is counted anew */
    cs__prefix_mark(&r->prefix, empty, 0);
    if (found != CS_ERR_NOT_FOUND || loaded.rows > 0) {
        *ret = CS_OPEN_AMNESIA;
        err = cs__amnesia(r);
        if (CS_MUT(KEEP_ROWS) && found == CS_OK) {
            stored.n = r->state.n;
            memcpy(stored.root, r->state.root, sizeof stored.root);
            r->state = stored;
            return err;
        }
    }
out:
    cs_vv_fini(&stored.seen);
    return err;
}

cs_err_t cs_replica_open(const cs_replica_config_t *config, cs_replica_t **ret,
                         cs_open_result_t *ret_result)
{
    CS_ASSERT(config->fresh_rid != 0);
    cs_replica_t *r = cs_calloc(1, sizeof *r);
    r->keys = config->keys;
    r->modes = config->modes;
    r->clean_max = CS_CLEAN_MAX;
    r->batch_max = CS_BATCH_OPS_MAX;
    cs_workset_init(&r->ws, config->store, config->folder, cs__table_types, r);
    cs_err_t err = load(r, config, ret_result);
    if (err == CS_OK) err = r->ws.fault;
    if (err != CS_OK) cs_replica_destroy(&r);
    *ret = r;
    return err;
}

void cs_replica_destroy(cs_replica_t **replica_p)
{
    cs_replica_t *r = *replica_p;
    *replica_p = NULL;
    if (r == NULL) return;
    cs_replica_scan_abort(r);
    cs_workset_fini(&r->ws);
    cs_vv_fini(&r->state.seen);
    cs_vv_fini(&r->heard);
    cs__strs_clear(&r->dirty);
    cs_free(r->dirty.str);
    cs__strs_clear(&r->lost);
    cs_free(r->lost.str);
    cs_free(r->stale.cell);
    cs_free(r->unrooted.cell);
    cs_omap_fini(&r->pushed, NULL);
    cs__pending_fini(&r->pending);
    cs__prefix_fini(&r->prefix);
    cs__view_fini(&r->view);
    cs_free(r->rows.row);
    cs_buf_fini(&r->key);
    cs_buf_fini(&r->seek);
    cs_free(r);
}

/* --- dots and what becomes of them */

cs_dot_t cs__mint(cs_replica_t *r)
{
    cs_dot_t dot = {r->state.rid, ++r->state.ctr};
    cs_err_t err = cs_vv_raise(&r->state.seen, dot);
    CS_ASSERT(err == CS_OK); /* room for my own id: cs__can_mint */
    r->state_dirty = true;
    return dot;
}

void cs_replica_expose(cs_replica_t *replica)
{
    if (replica->state.exposed == replica->state.ctr) return;
    replica->state.exposed = replica->state.ctr;
    replica->state_dirty = true;
}

void cs_replica_take_changed(cs_replica_t *replica,
                             void (*each)(void *arg, const cs_bucket_t *), void *arg)
{
    cs_omap_t taken = replica->pushed; /* `each` may lead to operations */
    replica->pushed = (cs_omap_t){0};
    for (cs_onode_t *node = cs_omap_first(&taken); node != NULL; node = node->next[0]) {
        cs_bucket_t bucket;
        memcpy(bucket.b, cs_onode_key(node).data, CS_BUCKET_BYTES);
        each(arg, &bucket);
    }
    cs_omap_fini(&taken, NULL);
}

bool cs_replica_stage(cs_replica_t *replica, cs_batch_t *batch)
{
    cs_workset_t *ws = &replica->ws;
    if (ws->store == NULL || ws->fault != CS_OK) return false;
    cs__settle_dirty(replica);
    cs__root_flush(replica);
    if (!replica->state_dirty && !cs_workset_is_dirty(ws)) return false;
    bool apart = CS_MUT(SPLIT_BATCH) && replica->state_dirty;
    if (!apart) cs_workset_stage(ws, batch);
    cs_workset_key(ws, 'm', cs_slice_text("state"), &ws->key);
    cs_buf_clear(&ws->value);
    state_encode(&replica->state, &ws->value);
    cs_seal_append(&ws->value, 0);
    cs_batch_put(batch, cs_buf_slice(&ws->key), cs_buf_slice(&ws->value));
    replica->state_dirty = false;
    if (replica->keeps_symbols) symbols_stage(replica, batch);
    cs__prefix_mark(&replica->prefix, replica->state.root, replica->state.n);
    return !apart;
}

bool cs_replica_rows_changed(cs_replica_t *replica)
{
    cs__settle_dirty(replica);
    return cs_workset_is_dirty(&replica->ws);
}

void cs_replica_staged_durable(cs_replica_t *replica)
{
    cs_workset_durable(&replica->ws);
    cs__prefix_durable(&replica->prefix);
    cs__trim(replica);
}
