/* replica_open_test.c - what a replica believes of its store, and when it takes a new name. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/seal.h"
#include "sim/mem_store.h"
#include "support/peer.h"

#define RID   0x11u
#define FRESH 0x77u

typedef struct fixture {
    cs_mem_disk_t *disk;
    cs_peer_t peer;
    cs_open_result_t opened;
} fixture_t;

static void start(fixture_t *f, uint64_t fresh)
{
    cs_replica_config_t config = {.folder = 7, .fresh_rid = fresh};
    cs_keys_derive(&config.keys, (const uint8_t *)"a secret of thirty-two bytes ...");
    cr_assert_eq(cs_mem_store_open(f->disk, &f->peer.store), CS_OK);
    config.store = f->peer.store;
    cr_assert_eq(cs_replica_open(&config, &f->peer.replica, &f->opened), CS_OK);
}

static void stop(fixture_t *f)
{
    cs_replica_destroy(&f->peer.replica);
    cs_store_close(&f->peer.store);
}

static void begin(fixture_t *f)
{
    memset(f, 0, sizeof *f);
    f->disk = cs_mem_disk_new();
    start(f, RID);
}

static void end(fixture_t *f)
{
    stop(f);
    cs_tree_fini(&f->peer.tree);
    cs_mem_disk_destroy(&f->disk);
}

static void put(cs_peer_t *peer, const char *path, const char *text)
{
    cs_content_t content = cs_tree_text(CS_KIND_FILE, text);
    cs_tree_write(&peer->tree, path, &content, -1);
}

static void save(cs_peer_t *peer, const char *path, const char *text)
{
    put(peer, path, text);
    cs_peer_scan(peer);
    cs_peer_catch_up(peer);
    cs_peer_persist(peer, false);
}

static void expect_picture(cs_peer_t *peer, const char *want)
{
    cs_buf_t got = {0};
    cs_peer_picture(peer, &got);
    cr_expect(cs_slice_eq(cs_buf_slice(&got), cs_slice_text(want)), "%.*s, not %s",
              (int)got.len, (char *)got.data, want);
    cs_buf_fini(&got);
}

static cs_buf_t row_key(char prefix, cs_slice_t key)
{
    cs_buf_t ret = {0};
    cs_workset_t ws = {.folder = 7};
    cs_workset_key(&ws, prefix, key, &ret);
    return ret;
}

static cs_bucket_t bucket_of(cs_peer_t *peer, const char *path)
{
    cs_bucket_t bucket;
    cs_bucket_of(&peer->replica->keys, cs_slice_text(path), &bucket);
    return bucket;
}

Test(replica_open, a_first_start_is_new_and_takes_the_fresh_rid)
{
    fixture_t f;
    begin(&f);
    cr_expect_eq(f.opened, CS_OPEN_NEW);
    cr_expect_eq(cs_replica_state(f.peer.replica)->rid, RID);
    end(&f);
}

Test(replica_open, what_was_staged_and_written_is_there_again)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    cs_state_t before = *cs_replica_state(f.peer.replica);
    stop(&f);
    start(&f, FRESH);
    const cs_state_t *after = cs_replica_state(f.peer.replica);
    cr_expect_eq(f.opened, CS_OPEN_SAME);
    cr_expect_eq(after->rid, RID);
    cr_expect_eq(after->ctr, 2);
    cr_expect_eq(memcmp(after->root, before.root, sizeof before.root), 0);
    cr_expect_eq(cs_vv_get(&after->seen, RID), 2);
    expect_picture(&f.peer, "a=a0 ");
    cr_expect_eq(cs_peer_scan(&f.peer).changed, 0);
    end(&f);
}

Test(replica_open, what_was_not_written_is_forgotten_as_a_whole)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    put(&f.peer, "a", "a1");
    put(&f.peer, "b", "b0");
    cs_peer_scan(&f.peer);
    cs_batch_t batch = {0};
    cr_expect(cs_replica_stage(f.peer.replica, &batch)); /* and the power fails */
    cs_batch_fini(&batch);
    stop(&f);
    start(&f, FRESH);
    cr_expect_eq(f.opened, CS_OPEN_SAME);
    expect_picture(&f.peer, "a=a0 ");
    end(&f);
}

Test(replica_open, nothing_new_stages_nothing)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    cs_batch_t batch = {0};
    cr_expect_not(cs_replica_stage(f.peer.replica, &batch));
    cs_replica_expose(f.peer.replica);
    cr_expect(
        cs_replica_stage(f.peer.replica, &batch)); /* exposed is durable before a message */
    cs_batch_fini(&batch);
    end(&f);
}

Test(replica_open, a_snapshot_has_the_state_of_its_moment)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    cs_snapshot_t *snapshot = cs_store_snapshot(f.peer.store);
    save(&f.peer, "b", "b0");
    cs_state_t state = {0};
    cr_assert_eq(cs_replica_state_at(f.peer.replica, snapshot, &state), CS_OK);
    cr_expect_eq(state.n, 1);
    cr_expect_eq(cs_vv_get(&state.seen, RID), 2);
    cr_expect_eq(cs_replica_state(f.peer.replica)->n, 2);
    cs_vv_fini(&state.seen);
    cs_store_release(f.peer.store, &snapshot);
    end(&f);
}

Test(replica_open, lost_rows_are_amnesia_and_rows_without_cover_are_dropped)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    save(&f.peer, "b", "b0");
    cs_bucket_t bucket = bucket_of(&f.peer, "a");
    stop(&f);
    cs_buf_t key = row_key('e', cs_slice(bucket.b, sizeof bucket.b));
    cs_mem_disk_lose_prefix(f.disk, cs_buf_slice(&key));
    cs_buf_fini(&key);
    start(&f, FRESH);
    const cs_state_t *state = cs_replica_state(f.peer.replica);
    cr_expect_eq(f.opened, CS_OPEN_AMNESIA);
    cr_expect_eq(state->rid, FRESH);
    cr_expect_eq(state->ctr, 0);
    cr_expect_eq(state->seen.len, 0);
    cr_expect_eq(state->n, 1);
    cs_item_t row = {0};
    cr_expect_eq(cs_replica_base(f.peer.replica, cs_slice_text("a"), &row), CS_ERR_NOT_FOUND);
    cr_expect_eq(cs_replica_base(f.peer.replica, cs_slice_text("b"), &row), CS_OK);
    cs_item_fini(&row);
    cs_peer_scan(&f.peer); /* the file is still on disk: it is imported anew */
    expect_picture(&f.peer, "a=a0 b=b0 ");
    end(&f);
}

Test(replica_open, a_row_that_cannot_be_read_is_dropped)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    save(&f.peer, "b", "b0");
    cs_bucket_t bucket = bucket_of(&f.peer, "a");
    cs_buf_t key = row_key('e', cs_slice(bucket.b, sizeof bucket.b));
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_buf_slice(&key), cs_slice_text("neither an entry nor a seal"));
    cr_assert_eq(cs_store_write(f.peer.store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    stop(&f);
    start(&f, FRESH);
    cr_expect_eq(f.opened, CS_OPEN_AMNESIA);
    expect_picture(&f.peer, "b=b0 ");
    cs_peer_persist(&f.peer, true); /* asserts that it verifies now */
    expect_picture(&f.peer, "b=b0 ");
    end(&f);
}

Test(replica_open, rows_without_a_record_are_amnesia)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    stop(&f);
    cs_buf_t key = row_key('m', cs_slice_text("state"));
    cs_mem_disk_lose_prefix(f.disk, cs_buf_slice(&key));
    cs_buf_fini(&key);
    start(&f, FRESH);
    cr_expect_eq(f.opened, CS_OPEN_AMNESIA);
    expect_picture(&f.peer, "a=a0 ");
    end(&f);
}

Test(replica_open, amnesia_deletes_nothing_anywhere)
{
    fixture_t f;
    cs_peer_t other;
    begin(&f);
    cs_peer_init(&other, 0x22, NULL);
    save(&f.peer, "a", "a0");
    save(&f.peer, "b", "b0");
    cs_peer_exchange(&f.peer, &other, false);
    cs_peer_catch_up(&other);
    cs_tree_remove(&other.tree, "b");
    cs_peer_scan(&other);
    cs_replica_gc(other.replica, UINT32_MAX, NULL, NULL); /* its tombstone is gone */
    cs_bucket_t bucket = bucket_of(&f.peer, "a");
    stop(&f);
    cs_buf_t key = row_key('e', cs_slice(bucket.b, sizeof bucket.b));
    cs_mem_disk_lose_prefix(f.disk, cs_buf_slice(&key));
    cs_buf_fini(&key);
    start(&f, FRESH);
    cs_tree_remove(&f.peer.tree, "a"); /* not even where the disk was lost as well */
    cs_peer_scan(&f.peer);
    cs_peer_exchange(&f.peer, &other, false);
    expect_picture(&f.peer, "a=a0 ");
    expect_picture(&other, "a=a0 ");
    cs_peer_fini(&other);
    end(&f);
}

/* --- incarnations */

Test(replica_open, a_new_incarnation_renames_what_nobody_saw)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0"); /* dots 1, 2 */
    cs_replica_expose(f.peer.replica);
    save(&f.peer, "a", "a1"); /* dot 3 */
    save(&f.peer, "b", "b0"); /* dots 4, 5 */
    cr_assert_eq(cs_replica_reincarnate(f.peer.replica, 0x99), CS_OK);
    cs_peer_persist(&f.peer, true);
    const cs_state_t *state = cs_replica_state(f.peer.replica);
    cr_expect_eq(state->rid, 0x99);
    cr_expect_eq(state->ctr, 3);
    cr_expect_eq(state->exposed, 0);
    cr_expect_eq(cs_vv_get(&state->seen, RID), 2);
    cr_expect_eq(cs_vv_get(&state->seen, 0x99), 3);

    cs_bucket_t bucket = bucket_of(&f.peer, "a");
    cs_entry_t entry;
    cs_entry_init(&entry, &bucket);
    cr_assert_eq(cs_replica_get(f.peer.replica, &bucket, &entry), CS_OK);
    cr_assert_eq(entry.k_len, 1);
    cr_expect(cs_dot_eq(entry.k[0].dot, (cs_dot_t){0x99, 1}));
    cr_expect(cs_dot_eq(entry.k[0].lin, (cs_dot_t){RID, 1})); /* born in the open */
    cr_expect_eq(cs_vv_get(&entry.ctx, RID), 2);
    cr_expect_eq(cs_vv_get(&entry.ctx, 0x99), 1);
    cs_entry_fini(&entry);

    expect_picture(&f.peer, "a=a1 b=b0 ");
    uint64_t ctr = state->ctr;
    cs_peer_scan(&f.peer); /* base rows followed: nothing to do */
    cr_expect_eq(cs_replica_state(f.peer.replica)->ctr, ctr);
    cs_tree_remove(&f.peer.tree, "b");
    cs_peer_scan(&f.peer);
    expect_picture(&f.peer, "a=a1 ");
    end(&f);
}

static cs_entry_t entry_with(cs_dot_t dot, bool in_ctx_only)
{
    cs_bucket_t bucket = {.b = {1}};
    cs_entry_t entry;
    cs_entry_init(&entry, &bucket);
    cs_kval_t k = {.dot = dot,
                   .lin = dot,
                   .gen = 1,
                   .content = cs_tree_text(CS_KIND_FILE, "x"),
                   .path = cs_str_from("x")};
    cr_assert_eq(cs_entry_add_k(&entry, &k), CS_OK);
    if (in_ctx_only) cs_entry_remove(&entry, CS_K, dot);
    return entry;
}

Test(replica_open, numbers_above_exposed_give_a_restored_image_away)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    cs_replica_expose(f.peer.replica);
    save(&f.peer, "b", "b0"); /* ctr 4, exposed 2: a test against ctr would miss it */
    for (uint64_t ctr = 2; ctr <= 3; ctr++) {
        cs_dot_t dot = {RID, ctr};
        cs_vv_t seen = {0};
        cr_assert_eq(cs_vv_raise(&seen, dot), CS_OK);
        cs_entry_t live = entry_with(dot, false), dead = entry_with(dot, true);
        cr_expect_eq(cs_replica_regressed(f.peer.replica, &seen, NULL), ctr == 3);
        cr_expect_eq(cs_replica_regressed(f.peer.replica, NULL, &live), ctr == 3);
        cr_expect_eq(cs_replica_regressed(f.peer.replica, NULL, &dead), ctr == 3);
        cs_entry_fini(&live);
        cs_entry_fini(&dead);
        cs_vv_fini(&seen);
    }
    cr_expect_not(cs_replica_regressed(f.peer.replica, NULL, NULL));
    end(&f);
}

/* --- the working set */

Test(replica_open, memory_does_not_grow_with_idle_files)
{
    fixture_t f;
    begin(&f);
    cs_replica_scan_begin(f.peer.replica, NULL, NULL);
    int asked = 0;
    for (int i = 0; i < 12000; i++) {
        char path[32];
        snprintf(path, sizeof path, "d%d/f%d", i % 100, i);
        cs_sighting_t sighting = {
            .what = CS_SAW_APPEARED, .path = cs_slice_text(path), .mode = 0644};
        sighting.content = cs_tree_text(CS_KIND_FILE, path);
        sighting.print = (cs_print_t){.dev = 1, .ino = (uint64_t)i + 1};
        bool stage_now;
        cr_assert_eq(cs_replica_scan_add(f.peer.replica, &sighting, &stage_now), CS_OK);
        if (!stage_now) continue;
        asked++;
        cs_peer_persist(&f.peer, false);
        cr_assert_leq(f.peer.replica->ws.map[CS_T_ENTRY].len, CS_CLEAN_MAX);
        cr_assert_eq(f.peer.replica->ws.map[CS_T_PATH].len, 0);
    }
    cs_scan_result_t result;
    cr_assert_eq(cs_replica_scan_commit(f.peer.replica, &result), CS_OK);
    cs_peer_persist(&f.peer, false);
    cr_expect_eq(asked, 12);
    cr_expect_eq(result.added, 12000);
    cs_items_t items = {0};
    cr_assert_eq(cs_replica_project_all(f.peer.replica, &items), CS_OK);
    cr_expect_eq(items.len, 12000);
    cr_expect_leq(f.peer.replica->ws.clean.len, CS_CLEAN_MAX + 8);
    cs_buf_t path = {0};
    cr_expect_not(cs_replica_pending(f.peer.replica, cs_slice(NULL, 0), &path));
    cs_buf_fini(&path);
    cs_items_fini(&items);
    end(&f);
}

Test(replica_open, a_failing_store_stops_the_replica)
{
    fixture_t f;
    begin(&f);
    save(&f.peer, "a", "a0");
    cs_peer_persist(&f.peer, true);
    cs_buf_t key = row_key('b', cs_slice_text("a"));
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_buf_slice(&key), cs_slice_text("rot, in the middle of the day"));
    cr_assert_eq(cs_store_write(f.peer.store, &batch, true), CS_OK);
    cs_batch_clear(&batch);
    cs_buf_fini(&key);
    cs_item_t row = {0};
    f.peer.replica->clean_max = 0;
    cr_expect_eq(cs_replica_base(f.peer.replica, cs_slice_text("a"), &row), CS_ERR_CORRUPT);
    cr_expect_eq(cs_replica_fault(f.peer.replica), CS_ERR_CORRUPT);
    cs_replica_expose(f.peer.replica);
    cr_expect_not(cs_replica_stage(f.peer.replica, &batch));
    cs_batch_fini(&batch);
    end(&f);
}
