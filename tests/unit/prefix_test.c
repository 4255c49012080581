/* prefix_test.c - the symbols of a replica are those of its rows: of the moment that a snapshot
 * shows, while batches wait, after a restart, and as it grows. */
#include <criterion/criterion.h>
#include <string.h>

#include "crdt/prefix.h"
#include "recon/view.h"
#include "support/gossip_pair.h"

TestSuite(prefix, .init = gp_init, .fini = gp_fini);

static void symbols_of_rows(cs_state_t *state, cs_symbols_t *ret)
{
    cs_snapshot_t *snapshot = cs_store_snapshot(gp.a->store);
    cs_view_t view = {.store = gp.a->store, .snapshot = snapshot, .folder = 1};
    cr_assert_eq(cs_replica_state_at(gp.a->replica, snapshot, state), CS_OK);
    cs_symbols_init(ret, cs_symbols_kept(state->n));
    cs_view_walk_t *walk = cs_view_walk_new(&view, CS_WALK_ITEMS, cs_slice(NULL, 0));
    cs_slice_t item, bucket;
    while (cs_view_walk_next(walk, &item, &bucket))
        cs_symbols_put(ret, gp.world->keys.sym, item.data);
    cs_view_walk_destroy(&walk);
    cs_store_release(gp.a->store, &snapshot);
}

static uint64_t expect_those_of_the_rows(void)
{
    cs_state_t state = {0};
    cs_symbols_t want, kept = {0};
    symbols_of_rows(&state, &want);
    cr_assert_eq(cs_replica_symbols_at(gp.a->replica, &state, CS_SYMBOLS_MAX, &kept), CS_OK);
    cr_assert_geq(kept.count, want.count);
    cr_assert_arr_eq(kept.at, want.at, want.count * sizeof *want.at);
    cr_assert_eq(kept.at[0].count, state.n);
    uint64_t n = state.n;
    cs_vv_fini(&state.seen);
    cs_symbols_fini(&want);
    cs_symbols_fini(&kept);
    return n;
}

static void create(uint32_t count)
{
    gn_node_create(gp.a, count);
    gn_node_flush(gp.a);
}

Test(prefix, grows_with_the_entries)
{
    static const uint32_t more[] = {1, 31, 1, 31, 1, 200, 3000};
    for (size_t i = 0; i < CS_COUNT_OF(more); i++) {
        create(more[i]);
        expect_those_of_the_rows();
    }
}

Test(prefix, is_rebuilt_by_a_restart)
{
    create(100);
    gn_node_stop(gp.a);
    gn_node_start(gp.a);
    cr_assert_eq(expect_those_of_the_rows(), 100);
}

Test(prefix, follows_edits_and_deletions)
{
    create(5);
    for (unsigned i = 0; i < 50; i++) {
        gn_node_user(gp.a);
        gn_node_flush(gp.a);
        expect_those_of_the_rows();
    }
}

/* Two batches wait; then they are written, one after the other, before anybody says so. */
Test(prefix, is_that_of_the_snapshot_while_batches_wait)
{
    cs_batch_t batch[2] = {0};
    create(10);
    for (unsigned i = 0; i < 2; i++) {
        gn_node_user(gp.a);
        gn_node_user(gp.a);
        cr_assert(cs_replica_stage(gp.a->replica, &batch[i]));
    }
    gn_node_user(gp.a);
    for (unsigned i = 0; i < 2; i++) {
        expect_those_of_the_rows();
        cr_assert_eq(cs_store_write(gp.a->store, &batch[i], true), CS_OK);
        cs_batch_fini(&batch[i]);
        expect_those_of_the_rows(); /* written, not yet told */
        cs_replica_staged_durable(gp.a->replica);
        expect_those_of_the_rows();
    }
}

Test(prefix, of_another_moment_is_not_found)
{
    create(3);
    cs_state_t state = {0};
    state.n = 3;
    cs_symbols_t kept = {0};
    cr_assert_eq(cs_replica_symbols_at(gp.a->replica, &state, 64, &kept), CS_ERR_NOT_FOUND);
    cr_assert_null(kept.at);
}

/* As many changes as are remembered, and one more, before the next durable moment. */
Test(prefix, forgets_the_moment_before_too_many_changes_until_the_next_one)
{
    static const uint8_t key[CS_SYM_KEY_BYTES], root[2][CS_HASH_BYTES] = {{1}, {2}};
    cs_prefix_t prefix = {0};
    cs_symbols_t kept = {0};
    uint8_t item[CS_ITEM_BYTES] = {0};
    cs__prefix_init(&prefix, 0);
    cs__prefix_mark(&prefix, root[0], 0);
    for (uint32_t i = 0; i < CS_PREFIX_UNDO_MAX; i++)
        cs__prefix_note(&prefix, key, item, i % 2 == 0);
    cr_assert_eq(cs__prefix_at(&prefix, key, root[0], 0, 64, &kept), CS_OK);
    cr_assert(cs_symbol_is_zero(&kept.at[0]));
    cs__prefix_note(&prefix, key, item, true);
    cr_assert_eq(cs__prefix_at(&prefix, key, root[0], 0, 64, &kept), CS_ERR_NOT_FOUND);
    cr_assert_null(kept.at);
    cs__prefix_mark(&prefix, root[1], 1);
    cr_assert_eq(cs__prefix_at(&prefix, key, root[1], 1, 64, &kept), CS_OK);
    cr_assert_eq(kept.at[0].count, 1);
    cs__prefix_durable(&prefix);
    cr_assert_eq(cs__prefix_at(&prefix, key, root[1], 1, 64, &kept), CS_OK);
    cr_assert_eq(cs__prefix_at(&prefix, key, root[0], 0, 64, &kept), CS_ERR_NOT_FOUND);
    cs__prefix_fini(&prefix);
    cs_symbols_fini(&kept);
}

/* Of a set that was larger more symbols are there than the next start makes. */
Test(prefix, of_a_set_that_shrank_is_written_down_as_long_as_one_that_grew)
{
    static const uint8_t key[CS_SYM_KEY_BYTES], root[2][CS_HASH_BYTES] = {{1}, {2}};
    uint8_t item[CS_ITEM_BYTES] = {7};
    cs_prefix_t larger = {0}, read = {0};
    cs_buf_t value = {0};
    size_t count = cs_symbols_kept(1);
    cs__prefix_init(&larger, 4 * count);
    cr_assert_gt(larger.symbols.count, count);
    cs__prefix_note(&larger, key, item, true);
    cs__prefix_encode(&larger, root[0], 1, &value);
    cr_assert(cs__prefix_decode(&read, cs_buf_slice(&value), root[0], 1));
    cr_assert_eq(read.symbols.count, count);
    cr_assert_arr_eq(read.symbols.at, larger.symbols.at, count * sizeof *read.symbols.at);
    cr_assert_not(cs__prefix_decode(&read, cs_buf_slice(&value), root[1], 1));
    cr_assert_not(cs__prefix_decode(&read, cs_buf_slice(&value), root[0], count));
    cr_assert_eq(read.symbols.count, count);
    cs__prefix_fini(&larger);
    cs__prefix_fini(&read);
    cs_buf_fini(&value);
}
