/* load_test.c - a replica of many files is read back in parts, in whatever order they are done:
 * what comes of it is what a walk over its rows finds, and a row that rotted is found in each.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/seal.h"
#include "sim/mem_store.h"
#include "support/peer.h"

#define FOLDER 7u
#define FILES  1500u /* more than are read as one part (crdt/load.c) */

static cs_mem_disk_t *disk;
static cs_replica_config_t config;
static size_t parts;

static void last_first(cs_task_fn *task, void *arg, size_t count)
{
    parts = count;
    while (count > 0)
        task(arg, --count);
}

static void fill(void)
{
    cs_peer_t peer = {0};
    cs_open_result_t opened;
    disk = cs_mem_disk_new();
    config = (cs_replica_config_t){.folder = FOLDER, .fresh_rid = 1};
    cs_keys_derive(&config.keys, (const uint8_t *)"a secret of thirty-two bytes ...");
    cr_assert_eq(cs_mem_store_open(disk, &peer.store), CS_OK);
    config.store = peer.store;
    cr_assert_eq(cs_replica_open(&config, &peer.replica, &opened), CS_OK);
    for (unsigned i = 0; i < FILES; i++) {
        char path[32];
        snprintf(path, sizeof path, "file%u", i);
        cs_content_t content = cs_tree_text(CS_KIND_FILE, path);
        cs_tree_write(&peer.tree, path, &content, -1);
    }
    cs_peer_scan(&peer);
    cs_peer_catch_up(&peer);
    cs_peer_persist(&peer, false);
    cs_replica_destroy(&peer.replica);
    cs_tree_fini(&peer.tree);
}

static void empty(void)
{
    cs_store_close(&config.store);
    cs_mem_disk_destroy(&disk);
}

TestSuite(load, .init = fill, .fini = empty);

static cs_open_result_t reopen(cs_all_fn *all, cs_replica_t **ret)
{
    cs_open_result_t opened;
    config.all = all;
    config.fresh_rid = 2;
    cr_assert_eq(cs_replica_open(&config, ret, &opened), CS_OK);
    return opened;
}

static void symbols_of_rows(cs_symbols_t *ret)
{
    cs_buf_t prefix = {0};
    cs_workset_t ws = {.folder = FOLDER};
    cs_workset_key(&ws, 'd', cs_slice(NULL, 0), &prefix);
    cs_iter_t *iter = cs_store_iter(config.store, NULL);
    cs_symbols_init(ret, cs_symbols_kept(FILES));
    for (cs_iter_seek(iter, cs_buf_slice(&prefix)); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        cs_symbols_put(ret, config.keys.sym, key.data + prefix.len);
    }
    cs_iter_destroy(&iter);
    cs_buf_fini(&prefix);
}

Test(load, parts_make_the_whole)
{
    cs_all_fn *const ways[] = {NULL, last_first};
    cs_symbols_t want;
    symbols_of_rows(&want);
    cr_assert_eq(want.at[0].count, FILES);
    for (size_t i = 0; i < CS_COUNT_OF(ways); i++) {
        cs_replica_t *replica;
        cs_symbols_t kept = {0};
        cr_assert_eq(reopen(ways[i], &replica), CS_OPEN_SAME);
        const cs_state_t *state = cs_replica_state(replica);
        cr_assert_eq(state->n, FILES);
        cr_assert_eq(state->rid, 1);
        cr_assert(cs_vv_covers(cs_replica_heard(replica), &state->seen));
        cr_assert_eq(cs_replica_symbols_at(replica, state, CS_SYMBOLS_MAX, &kept), CS_OK);
        cr_assert_eq(kept.count, want.count);
        cr_assert_arr_eq(kept.at, want.at, want.count * sizeof *want.at);
        cs_symbols_fini(&kept);
        cs_replica_destroy(&replica);
    }
    cr_assert_gt(parts, 2);
    cs_symbols_fini(&want);
}

static void symbols_key(cs_buf_t *ret)
{
    cs_workset_t ws = {.folder = FOLDER};
    cs_workset_key(&ws, 'm', cs_slice_text("symbols"), ret);
}

static bool stage(cs_replica_t *replica)
{
    cs_batch_t batch = {0};
    bool any = cs_replica_stage(replica, &batch);
    cr_assert_eq(cs_store_write(config.store, &batch, true), CS_OK);
    if (any) cs_replica_staged_durable(replica);
    cs_batch_fini(&batch);
    return any;
}

static void keep_symbols(void)
{
    cs_replica_t *replica;
    cr_assert_eq(reopen(NULL, &replica), CS_OPEN_SAME);
    cs_replica_keep_symbols(replica);
    cr_assert(stage(replica));
    cs_replica_keep_symbols(replica);
    cr_assert_not(stage(replica), "they are there");
    cs_replica_destroy(&replica);
}

/* The row as of a root and n, of symbols that are all zero but for the count of the first: who
 * has these has read them. */
static void forge_symbols(const cs_state_t *state, uint64_t n, size_t count)
{
    cs_buf_t key = {0}, value = {0};
    cs_batch_t batch = {0};
    cs_symbols_t symbols;
    cs_symbols_init(&symbols, count);
    symbols.at[0].count = n - 1;
    cs_buf_put(&value, state->root, sizeof state->root);
    cs_buf_put_varint(&value, n);
    cs_symbols_encode(symbols.at, count, 0, n, &value);
    cs_seal_append(&value, 0);
    symbols_key(&key);
    cs_batch_put(&batch, cs_buf_slice(&key), cs_buf_slice(&value));
    cr_assert_eq(cs_store_write(config.store, &batch, true), CS_OK);
    cs_symbols_fini(&symbols);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

/* The symbols of a replica that was opened; at[0].count. */
static uint64_t first_count(cs_replica_t *replica)
{
    cs_symbols_t symbols = {0};
    const cs_state_t *state = cs_replica_state(replica);
    cr_assert_eq(cs_replica_symbols_at(replica, state, CS_SYMBOLS_MAX, &symbols), CS_OK);
    uint64_t count = symbols.at[0].count;
    cs_symbols_fini(&symbols);
    return count;
}

static uint64_t count_after_start(void)
{
    cs_replica_t *replica;
    cr_assert_eq(reopen(last_first, &replica), CS_OPEN_SAME);
    uint64_t count = first_count(replica);
    cs_replica_destroy(&replica);
    return count;
}

Test(load, symbols_that_were_kept_are_those_of_the_entries)
{
    cs_symbols_t want, kept = {0};
    cs_replica_t *replica;
    symbols_of_rows(&want);
    keep_symbols();
    cr_assert_eq(reopen(last_first, &replica), CS_OPEN_SAME);
    const cs_state_t *state = cs_replica_state(replica);
    cr_assert_eq(cs_replica_symbols_at(replica, state, CS_SYMBOLS_MAX, &kept), CS_OK);
    cr_assert_eq(kept.count, want.count);
    cr_assert_arr_eq(kept.at, want.at, want.count * sizeof *want.at);
    cs_symbols_fini(&want);
    cs_symbols_fini(&kept);
    cs_replica_destroy(&replica);
}

Test(load, symbols_that_were_kept_are_read_if_they_are_of_this_set)
{
    cs_replica_t *replica;
    keep_symbols();
    cr_assert_eq(reopen(NULL, &replica), CS_OPEN_SAME);
    const cs_state_t *state = cs_replica_state(replica);
    cs_state_t other = {.n = FILES};
    size_t count = cs_symbols_kept(FILES);
    forge_symbols(state, FILES, count);
    cr_assert_eq(count_after_start(), FILES - 1);
    forge_symbols(&other, FILES, count); /* another root */
    cr_assert_eq(count_after_start(), FILES);
    forge_symbols(state, FILES + 1, count);
    cr_assert_eq(count_after_start(), FILES);
    forge_symbols(state, FILES, count / 2); /* too few, too many */
    cr_assert_eq(count_after_start(), FILES);
    forge_symbols(state, FILES, 2 * count);
    cr_assert_eq(count_after_start(), FILES);
    cs_replica_destroy(&replica);
}

Test(load, symbols_that_rotted_are_made_anew)
{
    cs_buf_t key = {0};
    cs_batch_t batch = {0};
    keep_symbols();
    symbols_key(&key);
    cs_batch_put(&batch, cs_buf_slice(&key), cs_slice_text("neither symbols nor a seal"));
    cr_assert_eq(cs_store_write(config.store, &batch, true), CS_OK);
    cr_assert_eq(count_after_start(), FILES);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
}

/* The key of the row that follows a byte of its table. */
static void row_after(char table, uint8_t byte, cs_buf_t *ret)
{
    cs_workset_t ws = {.folder = FOLDER};
    cs_workset_key(&ws, table, cs_slice(&byte, 1), ret);
    cs_iter_t *iter = cs_store_iter(config.store, NULL);
    cs_iter_seek(iter, cs_buf_slice(ret));
    cr_assert(cs_iter_valid(iter));
    cs_slice_t key = cs_iter_key(iter);
    cs_buf_clear(ret);
    cs_buf_put_slice(ret, key);
    cs_iter_destroy(&iter);
}

static void rots(char table, uint8_t byte)
{
    cs_buf_t key = {0};
    cs_batch_t batch = {0};
    row_after(table, byte, &key);
    cs_batch_put(&batch, cs_buf_slice(&key), cs_slice_text("neither a row nor a seal"));
    cr_assert_eq(cs_store_write(config.store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
}

static void check_found(char table, uint8_t byte)
{
    cs_replica_t *replica;
    rots(table, byte);
    cr_assert_eq(reopen(last_first, &replica), CS_OPEN_AMNESIA, "%c %u", table, byte);
    cs_replica_destroy(&replica);
}

Test(load, what_rotted_is_found_in_the_first_part)
{
    check_found('e', 0);
}

Test(load, what_rotted_is_found_in_the_second_part)
{
    check_found('e', 64);
}

Test(load, what_rotted_is_found_in_the_third_part)
{
    check_found('e', 128);
}

Test(load, what_rotted_is_found_in_the_last_part)
{
    check_found('e', 192);
}

Test(load, what_rotted_is_found_in_the_base_table)
{
    check_found('b', 'f');
}
