/* replica_join_test.c - entries of peers: rebase, refutation, limits, collection. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/peer.h"

static void put(cs_peer_t *peer, const char *path, const char *text)
{
    cs_content_t content = cs_tree_text(CS_KIND_FILE, text);
    cs_tree_write(&peer->tree, path, &content, -1);
    cs_peer_scan(peer);
    cs_peer_catch_up(peer);
}

static bool is_pending(cs_peer_t *peer)
{
    cs_buf_t path = {0};
    bool pending = cs_replica_pending(peer->replica, cs_slice(NULL, 0), &path);
    cs_buf_fini(&path);
    return pending;
}

static cs_bucket_t bucket_of(cs_peer_t *peer, const char *path)
{
    cs_bucket_t bucket;
    cs_bucket_of(&peer->replica->keys, cs_slice_text(path), &bucket);
    return bucket;
}

static cs_join_result_t deliver(cs_peer_t *from, cs_peer_t *to, const char *path)
{
    cs_bucket_t bucket = bucket_of(from, path);
    cs_entry_t entry, joined;
    cs_join_result_t result = {0};
    cs_entry_init(&entry, &bucket);
    cs_entry_init(&joined, &bucket);
    cr_assert_eq(cs_replica_get(from->replica, &bucket, &entry), CS_OK);
    cr_assert_eq(cs_replica_join(to->replica, &entry, NULL, &joined, &result), CS_OK);
    cs_entry_fini(&entry);
    cs_entry_fini(&joined);
    return result;
}

static uint32_t backs_of(const cs_peer_t *peer, const char *path)
{
    cs_item_t row = {0};
    cr_assert_eq(cs_replica_base(peer->replica, cs_slice_text(path), &row), CS_OK);
    cr_expect_neq(row.print.ino, 0);
    uint32_t len = row.back_len;
    cs_item_fini(&row);
    return len;
}

Test(replica_join, equal_files_are_rebased_when_the_file_was_looked_at)
{
    cs_peer_t a, b;
    cs_peer_init(&a, 1, NULL);
    cs_peer_init(&b, 2, NULL);
    put(&a, "n.txt", "same");
    put(&b, "n.txt", "same");
    cs_join_result_t result = deliver(&a, &b, "n.txt");
    cr_expect(result.changed);
    cr_expect(result.differs);
    cr_expect(is_pending(&b));
    cr_expect_eq(backs_of(&b, "n.txt"), 1, "a user may have changed the file already");
    cs_peer_catch_up(&b);
    cr_expect_not(is_pending(&b));
    cr_expect_eq(backs_of(&b, "n.txt"), 2, "the row does not know the twin");
    cs_peer_fini(&a);
    cs_peer_fini(&b);
}

Test(replica_join, what_differs_is_pending_until_applied)
{
    cs_peer_t a, b;
    cs_peer_init(&a, 1, NULL);
    cs_peer_init(&b, 2, NULL);
    put(&a, "d/x", "bytes");
    cr_expect(deliver(&a, &b, "d/x").changed);
    cr_expect(is_pending(&b));
    cr_expect_not(deliver(&a, &b, "d/x").changed); /* idempotent */
    cr_expect(cs_replica_is_dir(b.replica, cs_slice_text("d")));
    cr_expect_not(cs_replica_is_dir(b.replica, cs_slice_text("d/x")));
    cs_peer_catch_up(&b);
    cr_expect_not(is_pending(&b));
    cs_buf_t path = {0};
    cs_content_t content = cs_tree_text(CS_KIND_FILE, "bytes");
    cr_assert_eq(cs_replica_find_content(b.replica, &content, &path), CS_OK);
    cr_expect(cs_slice_eq(cs_buf_slice(&path), cs_slice_text("d/x")));
    content = cs_tree_text(CS_KIND_FILE, "none");
    cr_expect_eq(cs_replica_find_content(b.replica, &content, &path), CS_ERR_NOT_FOUND);
    cs_buf_fini(&path);
    cs_peer_fini(&a);
    cs_peer_fini(&b);
}

Test(replica_join, a_directory_that_lost_its_last_file_waits_for_rmdir)
{
    cs_peer_t a, b;
    cs_peer_init(&a, 1, NULL);
    cs_peer_init(&b, 2, NULL);
    put(&a, "d/e/x", "bytes");
    cs_peer_exchange(&a, &b, false);
    cs_peer_catch_up(&b);
    cs_tree_rmtree(&a.tree, "d");
    cs_peer_scan(&a);
    cr_expect_not(is_pending(&a)); /* its user did it */
    deliver(&a, &b, "d/e/x");
    cs_replica_vanished(b.replica, cs_slice_text("d/e/x"));
    cs_buf_t path = {0};
    cr_expect(cs_replica_pending(b.replica, cs_slice_text("d"), &path));
    cr_expect(cs_slice_eq(cs_buf_slice(&path), cs_slice_text("d")));
    cr_expect(cs_replica_settle(b.replica, cs_slice_text("d")));
    cr_expect(cs_replica_settle(b.replica, cs_slice_text("d/e")));
    cr_expect(cs_replica_settle(b.replica, cs_slice_text("d/e/x")));
    cr_expect_not(is_pending(&b));
    cs_buf_fini(&path);
    cs_peer_fini(&a);
    cs_peer_fini(&b);
}

Test(replica_join, a_stale_copy_is_refuted_after_the_tombstone_is_gone)
{
    cs_peer_t a, b, c;
    cs_peer_init(&a, 1, NULL);
    cs_peer_init(&b, 2, NULL);
    cs_peer_init(&c, 3, NULL);
    put(&a, "x", "bytes");
    cs_peer_exchange(&a, &b, false);
    cs_peer_exchange(&a, &c, false);
    cs_tree_remove(&a.tree, "x");
    cs_peer_scan(&a);
    cr_expect_not(cs_replica_gc(a.replica, UINT32_MAX, NULL, NULL));
    cr_expect_eq(a.replica->ws.map[CS_T_ENTRY].len, 0,
                 "the tombstone is covered by seen at once");
    cs_join_result_t result = deliver(&c, &a, "x");
    cr_expect_not(result.changed);
    cr_expect(result.differs, "nothing would tell C that it is deleted");
    cr_expect_eq(a.replica->ws.map[CS_T_ENTRY].len, 0, "a needless tombstone is stored");
    cs_peer_exchange(&a, &c, false);
    cr_expect_eq(cs_replica_state(c.replica)->n, 0);
    cs_peer_fini(&a);
    cs_peer_fini(&b);
    cs_peer_fini(&c);
}

static bool all_hot(void *arg, const cs_bucket_t *bucket)
{
    (void)arg;
    (void)bucket;
    return true;
}

Test(replica_join, collection_is_bounded_and_spares_the_hot)
{
    cs_peer_t a;
    cs_peer_init(&a, 1, NULL);
    for (int i = 0; i < 200; i++) {
        char path[16];
        snprintf(path, sizeof path, "f%d", i);
        cs_content_t content = cs_tree_text(CS_KIND_FILE, path);
        cs_tree_write(&a.tree, path, &content, -1);
    }
    cs_peer_scan(&a);
    cs_tree_clear(&a.tree);
    cs_peer_scan(&a);
    cr_expect_eq(a.replica->ws.map[CS_T_ENTRY].len, 200);
    cs_replica_gc(a.replica, UINT32_MAX, all_hot, NULL);
    cr_expect_eq(a.replica->ws.map[CS_T_ENTRY].len, 200);
    cr_expect(cs_replica_gc(a.replica, 100, NULL, NULL), "there is more");
    cr_expect_eq(a.replica->ws.map[CS_T_ENTRY].len, 100);
    while (cs_replica_gc(a.replica, 100, NULL, NULL)) {
    }
    cr_expect_eq(a.replica->ws.map[CS_T_ENTRY].len, 0);
    cr_expect_eq(cs_replica_state(a.replica)->n, 0);
    cs_peer_fini(&a);
}

Test(replica_join, beyond_the_bounds_nothing_changes)
{
    cs_peer_t a;
    cs_peer_init(&a, 1, NULL);
    put(&a, "x", "bytes");
    cs_bucket_t bucket = bucket_of(&a, "x");
    cs_entry_t many, joined;
    cs_entry_init(&many, &bucket);
    cs_entry_init(&joined, &bucket);
    for (uint32_t i = 1; i <= CS_DOTS_MAX; i++) {
        cs_kval_t k = {.dot = {2, i},
                       .lin = {2, i},
                       .gen = 1,
                       .content = cs_tree_text(CS_KIND_FILE, "v"),
                       .path = cs_str_from("x")};
        cr_assert_eq(cs_entry_add_k(&many, &k), CS_OK);
    }
    cs_join_result_t result;
    cr_expect_eq(cs_replica_join(a.replica, &many, NULL, &joined, &result), CS_ERR_LIMIT);
    cr_expect_eq(cs__cell_get(a.replica, &bucket)->entry.k_len, 1);
    cr_expect_not(is_pending(&a));
    cs_entry_fini(&many);
    cs_entry_fini(&joined);
    cs_peer_fini(&a);
}

static int changed_count;

static void count_changed(void *arg, const cs_bucket_t *bucket)
{
    (void)arg;
    (void)bucket;
    changed_count++;
}

Test(replica_join, local_operations_are_told_once_for_eager_pushes)
{
    cs_peer_t a, b;
    cs_peer_init(&a, 1, NULL);
    cs_peer_init(&b, 2, NULL);
    put(&a, "x", "bytes");
    put(&a, "y", "other");
    cs_replica_take_changed(a.replica, count_changed, NULL);
    cr_expect_eq(changed_count, 2);
    cs_replica_take_changed(a.replica, count_changed, NULL);
    cr_expect_eq(changed_count, 2);
    cs_peer_exchange(&a, &b, false); /* what others did is not */
    cs_replica_take_changed(b.replica, count_changed, NULL);
    cr_expect_eq(changed_count, 2);
    cs_peer_fini(&a);
    cs_peer_fini(&b);
}
