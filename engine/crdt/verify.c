/* verify.c - the index against itself: every row readable, the digest that of the entries, and
 * what is derived from entries there. Reads a snapshot; changes nothing. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/seal.h"
#include "crdt/replica_i.h"

#define CANCEL_ROWS 256u /* between two questions whether to go on */

typedef struct verify {
    const cs_verify_t *config;
    cs_replica_t *shell;  /* of keys and tables only: nothing is loaded */
    cs_state_t sum;       /* root and n of the entries that could be read */
    cs_symbols_t symbols; /* their symbols, if some are written down; none: they are not */
    uint64_t digests, wanted_digests;
    uint64_t paths, wanted_paths;
    cs_buf_t key, value; /* scratch */
} verify_t;

static void tell(const verify_t *verify, cs_slice_t path, const char *problem)
{
    verify->config->problem(verify->config->arg, path, problem);
}

static void make_key(verify_t *verify, char prefix, cs_slice_t key)
{
    cs_workset_key(&verify->shell->ws, prefix, key, &verify->key);
}

static bool has(verify_t *verify, char prefix, cs_slice_t key)
{
    const cs_verify_t *config = verify->config;
    make_key(verify, prefix, key);
    return cs_store_get(config->store, config->snapshot, cs_buf_slice(&verify->key),
                        &verify->value) == CS_OK;
}

static void check_candidate(verify_t *verify, const cs_cell_t *cell, const cs_cand_t *cand)
{
    cs_buf_t key = {0};
    cs_buf_put_slice(&key, cs_slice_str(cand->path));
    cs_buf_put_u8(&key, 0);
    cs_buf_put(&key, cell->entry.bucket.b, CS_BUCKET_BYTES);
    cs_buf_put_u64_be(&key, cand->lin.rid);
    cs_buf_put_u64_be(&key, cand->lin.ctr);
    if (!has(verify, 'p', cs_buf_slice(&key))) {
        tell(verify, cs_slice_str(cand->path), "the index of paths does not list it");
    }
    cs_buf_fini(&key);
}

static void check_cell(verify_t *verify, cs_slice_t key, const cs_cell_t *cell)
{
    static const cs_slice_t nowhere = {(const uint8_t *)".", 1};
    cs_slice_t path = cell->cand_len > 0 ? cs_slice_str(cell->cand[0].path) : nowhere;
    if (!cs_slice_eq(key, cs_slice(cell->entry.bucket.b, CS_BUCKET_BYTES))) {
        tell(verify, path, "its entry is stored under another key");
    }
    if (cs_entry_is_dead(&cell->entry)) return;
    cs_entry_digest_t digest;
    cs_entry_hash(verify->config->keys, &cell->entry, &digest);
    cs_sum_add(verify->sum.root, digest.term);
    verify->sum.n++;
    if (verify->symbols.count > 0) {
        cs_symbols_put(&verify->symbols, verify->config->keys->sym, digest.item);
    }
    verify->wanted_digests++;
    if (!has(verify, 'd', cs_slice(digest.item, sizeof digest.item))) {
        tell(verify, path, "the table of digests does not list it");
    }
    for (uint32_t i = 0; i < cell->cand_len; i++) {
        if (cs__cands_have_row(cell->cand, i, &cell->cand[i])) continue;
        verify->wanted_paths++;
        check_candidate(verify, cell, &cell->cand[i]);
    }
}

static void check_row(verify_t *verify, cs_table_t table, cs_slice_t key, cs_slice_t value)
{
    const cs_table_type_t *type = &cs__table_types[table];
    cs_slice_t payload;
    void *decoded = NULL;
    if (table == CS_T_DIGEST) verify->digests++;
    if (table == CS_T_PATH) verify->paths++;
    if (type->decode == NULL) return;
    if (cs_seal_check(value, &payload) == CS_OK) decoded = type->decode(NULL, key, payload);
    if (decoded == NULL && table == CS_T_BASE) {
        tell(verify, key, "its row of the base table cannot be read");
    } else if (decoded == NULL) {
        char hex[2 * CS_BUCKET_BYTES + 1], text[96];
        cs_hex(hex, key.data, key.len < CS_BUCKET_BYTES ? key.len : CS_BUCKET_BYTES);
        snprintf(text, sizeof text, "row %c/%s of the index cannot be read", type->prefix, hex);
        tell(verify, cs_slice_text("."), text);
    } else if (table == CS_T_ENTRY) {
        check_cell(verify, key, decoded);
    }
    if (decoded != NULL) type->drop(decoded);
}

static cs_err_t check_table(verify_t *verify, cs_table_t table)
{
    const cs_verify_t *config = verify->config;
    cs_buf_t prefix = {0};
    cs_err_t err = CS_OK;
    cs_workset_key(&verify->shell->ws, cs__table_types[table].prefix, cs_slice(NULL, 0),
                   &prefix);
    cs_iter_t *iter = cs_store_iter(config->store, config->snapshot);
    uint32_t rows = 0;
    for (cs_iter_seek(iter, cs_buf_slice(&prefix)); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        key = cs_slice(key.data + prefix.len, key.len - prefix.len);
        check_row(verify, table, key, cs_iter_value(iter));
        bool ask = ++rows % CANCEL_ROWS == 0 && config->cancelled != NULL;
        if (ask && config->cancelled(config->arg)) {
            err = CS_ERR_AGAIN;
            break;
        }
    }
    if (err == CS_OK) err = cs_iter_err(iter);
    cs_iter_destroy(&iter);
    cs_buf_fini(&prefix);
    return err;
}

/* Those that are of the digest in the snapshot; of another one they are not used either. */
static void find_symbols(verify_t *verify)
{
    cs_state_t stored = {0};
    const cs_snapshot_t *snapshot = verify->config->snapshot;
    if (cs_replica_state_at(verify->shell, snapshot, &stored) == CS_OK &&
        cs__symbols_read(verify->shell, snapshot, &stored)) {
        cs_symbols_init(&verify->symbols, verify->shell->prefix.symbols.count);
    }
    cs_vv_fini(&stored.seen);
}

static void check_symbols(const verify_t *verify)
{
    const cs_symbols_t *kept = &verify->shell->prefix.symbols, *made = &verify->symbols;
    if (made->count > 0 && memcmp(kept->at, made->at, made->count * sizeof *made->at) != 0) {
        tell(verify, cs_slice_text("."), "the symbols kept are not those of the entries");
    }
}

static void check_state(verify_t *verify)
{
    cs_state_t stored = {0};
    cs_slice_t whole = cs_slice_text(".");
    cs_err_t err = cs_replica_state_at(verify->shell, verify->config->snapshot, &stored);
    bool fresh = err == CS_ERR_NOT_FOUND && verify->sum.n == 0;
    if (err != CS_OK && !fresh) {
        tell(verify, whole, "the record of the digest cannot be read");
    } else if (stored.n != verify->sum.n ||
               memcmp(stored.root, verify->sum.root, sizeof stored.root) != 0) {
        tell(verify, whole, "the digest is not that of the entries");
    } else {
        check_symbols(verify);
    }
    if (verify->digests != verify->wanted_digests) {
        tell(verify, whole, "the table of digests lists what is not there, or not all");
    }
    if (verify->paths != verify->wanted_paths) {
        tell(verify, whole, "the index of paths lists what is not there, or not all");
    }
    cs_vv_fini(&stored.seen);
}

cs_err_t cs_replica_verify(const cs_verify_t *config)
{
    static const cs_table_t tables[] = {CS_T_ENTRY, CS_T_DIGEST, CS_T_PATH, CS_T_BASE};
    cs_replica_t *shell = cs_calloc(1, sizeof *shell);
    cs_workset_init(&shell->ws, config->store, config->folder, cs__table_types, shell);
    verify_t verify = {.config = config, .shell = shell};
    cs_err_t err = CS_OK;
    find_symbols(&verify);
    for (size_t i = 0; err == CS_OK && i < CS_COUNT_OF(tables); i++) {
        err = check_table(&verify, tables[i]);
    }
    if (err == CS_OK) check_state(&verify);
    cs_buf_fini(&verify.key);
    cs_buf_fini(&verify.value);
    cs_symbols_fini(&verify.symbols);
    cs__prefix_fini(&shell->prefix);
    cs_workset_fini(&shell->ws);
    cs_free(shell);
    return err;
}
