/* index_turns_test.c - what is read of the index in turns is what is read at once. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sim/mem_store.h"
#include "support/peer.h"

static void put(cs_peer_t *peer, const char *path, const char *text)
{
    cs_content_t content = cs_tree_text(CS_KIND_FILE, text);
    cs_tree_write(&peer->tree, path, &content, -1);
}

/* Two peers with thirty files in directories, and three conflicts; the rows of one are partly
 * durable, partly not. */
static void make(cs_peer_t *a, cs_peer_t *b, cs_mem_disk_t *disk)
{
    char path[32];
    cs_store_t *store = NULL;
    cr_assert_eq(cs_mem_store_open(disk, &store), CS_OK);
    cs_peer_init(a, 1, store);
    cs_peer_init(b, 2, NULL);
    for (int i = 0; i < 30; i++) {
        snprintf(path, sizeof path, "d%d/e%d/f%d", i / 10, i % 3, i);
        put(a, path, path);
        if (i % 10 == 0) put(b, path, "theirs");
    }
    cs_peer_scan(a);
    cs_peer_persist(a, false);
    cs_peer_scan(b);
    cs_peer_exchange(a, b, false);
    cs_peer_catch_up(a);
    cs_peer_catch_up(b);
    put(a, "d0/late", "late");
    cs_peer_scan(a);
}

static bool same_items(const cs_items_t *x, const cs_items_t *y)
{
    bool same = x->len == y->len;
    for (uint32_t i = 0; same && i < x->len; i++) {
        same = cs_str_eq(x->item[i].path, y->item[i].path) &&
               cs_str_eq(x->item[i].eff, y->item[i].eff);
    }
    return same;
}

Test(index_turns, a_walk_over_the_base_table_counts_the_same)
{
    cs_mem_disk_t *disk = cs_mem_disk_new();
    cs_peer_t a, b;
    cs_tally_t tally;
    cs_items_t siblings = {0};
    make(&a, &b, disk);
    cr_assert_eq(cs_replica_tally(a.replica, &tally), CS_OK);
    cr_assert_eq(cs_replica_siblings(a.replica, &siblings), CS_OK);
    cr_assert_eq(tally.files, 34);
    cr_assert_eq(tally.dirs, 12);
    cr_assert_eq(siblings.len, 3);
    for (uint32_t rows = 1; rows < 40; rows++) {
        cs_base_walk_t walk = {0};
        for (uint32_t turns = 0; !walk.done; turns++) {
            cr_assert_leq(turns, 35 / rows + 1);
            cr_assert_eq(cs_replica_walk_base(a.replica, rows, &walk), CS_OK);
        }
        cr_assert_eq(memcmp(&walk.tally, &tally, sizeof tally), 0, "%u rows a turn", rows);
        cr_assert(same_items(&walk.siblings, &siblings), "%u rows a turn", rows);
        cs_base_walk_fini(&walk);
    }
    cs_items_fini(&siblings);
    cs_peer_fini(&a);
    cs_peer_fini(&b);
    cs_mem_disk_destroy(&disk);
}

/* Every effective path once, in order; and only those that begin as they should. */
Test(index_turns, paths_come_one_by_one)
{
    cs_mem_disk_t *disk = cs_mem_disk_new();
    cs_peer_t a, b;
    cs_buf_t from = {0}, path = {0};
    cs_items_t items = {0};
    uint32_t all = 0, in_d1 = 0;
    make(&a, &b, disk);
    while (cs_replica_next_path(a.replica, cs_buf_slice(&from), cs_slice_text(""), &path)) {
        cr_assert(from.len == 0 || cs_slice_cmp(cs_buf_slice(&from), cs_buf_slice(&path)) < 0);
        cs_buf_clear(&from);
        cs_buf_put_slice(&from, cs_buf_slice(&path));
        cs_buf_put_u8(&from, 1);
        cr_assert_eq(cs_replica_project(a.replica, cs_buf_slice(&path), &items), CS_OK);
        cr_assert_geq(items.len, 1);
        all += items.len;
    }
    cr_assert_eq(cs_replica_project_all(a.replica, &items), CS_OK);
    cr_assert_eq(all, items.len);
    cs_buf_clear(&from);
    while (cs_replica_next_path(a.replica, cs_buf_slice(&from), cs_slice_text("d1/"), &path)) {
        cr_assert(cs_slice_has_prefix(cs_buf_slice(&path), cs_slice_text("d1/")));
        cs_buf_clear(&from);
        cs_buf_put_slice(&from, cs_buf_slice(&path));
        cs_buf_put_u8(&from, 1);
        in_d1++;
    }
    cr_assert_eq(in_d1, 10);
    cs_items_fini(&items);
    cs_buf_fini(&from);
    cs_buf_fini(&path);
    cs_peer_fini(&a);
    cs_peer_fini(&b);
    cs_mem_disk_destroy(&disk);
}

Test(index_turns, pending_paths_are_counted_the_same)
{
    cs_peer_t a, b;
    cs_peer_init(&a, 1, NULL);
    cs_peer_init(&b, 2, NULL);
    for (int i = 0; i < 25; i++) {
        char path[16];
        snprintf(path, sizeof path, "f%02d", i);
        put(&b, path, path);
    }
    cs_peer_scan(&b);
    cs_peer_exchange(&a, &b, false);
    cr_assert_eq(cs_replica_count_pending(a.replica, 1000), 25);
    for (uint64_t rows = 1; rows < 30; rows++) {
        cs_buf_t last = {0};
        uint64_t count = 0, found;
        while ((found = cs_replica_count_pending_from(a.replica, &last, rows)) > 0) {
            cr_assert_leq(found, rows);
            count += found;
        }
        cr_assert_eq(count, 25, "%llu rows a turn", (unsigned long long)rows);
        cs_buf_fini(&last);
    }
    cs_peer_fini(&a);
    cs_peer_fini(&b);
}

/* A number that stands still while nothing changes, and only then. */
Test(index_turns, a_change_of_a_row_is_noticed)
{
    cs_peer_t a;
    cs_peer_init(&a, 1, NULL);
    put(&a, "f", "1");
    cs_peer_scan(&a);
    uint64_t changes = cs_replica_base_changes(a.replica);
    cs_peer_scan(&a);
    cr_assert_eq(cs_replica_base_changes(a.replica), changes);
    put(&a, "f", "2");
    cs_peer_scan(&a);
    cr_assert_gt(cs_replica_base_changes(a.replica), changes);
    cs_peer_fini(&a);
}
