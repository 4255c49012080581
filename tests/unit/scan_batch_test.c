/* scan_batch_test.c - a scan that saw much becomes several batches: how many, in what order,
 * and what never waits or never goes apart. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/peer.h"

#define MANY (CS_BATCH_OPS_MAX + 1)

static cs_peer_t p;
static cs_scan_result_t result;

static void set_up(void)
{
    cs_peer_init(&p, 1, cs_mem_store_new());
}

static void tear_down(void)
{
    cs_peer_fini(&p);
}

TestSuite(scan_batch, .init = set_up, .fini = tear_down);

static void stage(void)
{
    cs_batch_t batch = {0};
    if (cs_replica_stage(p.replica, &batch)) {
        cr_assert_eq(cs_store_write(p.store, &batch, true), CS_OK);
        cs_replica_staged_durable(p.replica);
    }
    cs_batch_fini(&batch);
}

/* Files are born at the time that their number says. True: the replica asks to be staged. */
static bool saw(cs_seen_kind_t what, const char *path, const char *text, uint64_t number)
{
    cs_sighting_t sighting = {.what = what, .path = cs_slice_text(path), .mode = 0644};
    bool stage_now;
    sighting.content = cs_tree_text(CS_KIND_FILE, text);
    sighting.content.size = CS_PAIR_BYTES_MIN;
    sighting.print = (cs_print_t){.dev = 1, .ino = number, .btime_ns = (int64_t)number};
    cr_assert_eq(cs_replica_scan_add(p.replica, &sighting, &stage_now), CS_OK);
    if (stage_now) stage();
    return stage_now;
}

/* name/0000 and so on, with a text of its own each that begins so. */
static void saw_many(cs_seen_kind_t what, const char *dir, uint32_t count, const char *text,
                     uint64_t number)
{
    for (uint32_t i = 0; i < count; i++) {
        char path[64], bytes[32];
        snprintf(path, sizeof path, "%s/%04u", dir, i);
        snprintf(bytes, sizeof bytes, "%s%u", text, i);
        saw(what, path, bytes, number + i);
    }
}

static void begin(void)
{
    cs_replica_scan_begin(p.replica, NULL, NULL);
}

/* One batch, durable. How many base rows it wrote or deleted. */
static uint32_t some(bool *ret_more)
{
    uint32_t rows = 0;
    cr_assert_eq(cs_replica_scan_commit_some(p.replica, ret_more, &result), CS_OK);
    for (cs_onode_t *n = p.replica->ws.dirty.first; n != NULL; n = n->after)
        rows += n->table == CS_T_BASE;
    stage();
    return rows;
}

/* To the end; how many batches, none of which wrote more than `rows_max` rows. */
static uint32_t commit(uint32_t rows_max)
{
    bool more = true;
    uint32_t batches = 0;
    for (; more; batches++)
        cr_assert_leq(some(&more), rows_max);
    return batches;
}

static void start_with(uint32_t count)
{
    begin();
    saw_many(CS_SAW_APPEARED, "d", count, "old", 1);
    commit(UINT32_MAX);
}

static bool shows(const char *path, const char *text)
{
    cs_items_t items = {0};
    bool found = false;
    cr_assert_eq(cs_replica_project(p.replica, cs_slice_text(path), &items), CS_OK);
    for (uint32_t i = 0; i < items.len; i++) {
        const cs_item_t *item = &items.item[i];
        if (strcmp(item->path->data, path) == 0)
            found = strcmp((const char *)item->content.hash, text) == 0;
    }
    cs_items_fini(&items);
    return found;
}

static bool has_row(const char *path)
{
    return cs__row(p.replica, cs_slice_text(path)) != NULL;
}

Test(scan_batch, as_much_as_a_batch_holds_is_one)
{
    start_with(MANY);
    begin();
    saw_many(CS_SAW_MODIFIED, "d", CS_BATCH_OPS_MAX, "new", 5000);
    cr_assert_eq(commit(CS_BATCH_OPS_MAX), 1);
    cr_assert_eq(result.changed, CS_BATCH_OPS_MAX);
}

Test(scan_batch, one_more_is_cut)
{
    start_with(MANY);
    begin();
    saw_many(CS_SAW_MODIFIED, "d", MANY, "new", 5000);
    cr_assert_gt(commit(CS_BATCH_OPS_MAX), 1);
    cr_assert_eq(result.changed, MANY);
    cr_assert(shows("d/0000", "new0"));
    cr_assert(shows("d/1000", "new1000"));
    begin();
    saw_many(CS_SAW_VANISHED, "d", MANY, "", 0);
    cr_assert_gt(commit(CS_BATCH_OPS_MAX), 1);
    cr_assert_eq(result.removed, MANY);
    cr_assert_eq(cs_replica_state(p.replica)->n, 0);
}

Test(scan_batch, a_directory_is_moved_in_parts)
{
    start_with(MANY);
    begin();
    saw_many(CS_SAW_VANISHED, "d", MANY, "", 0);
    saw_many(CS_SAW_APPEARED, "e", MANY, "old", 1);
    cr_assert_gt(commit(2 * CS_BATCH_OPS_MAX), 1, "two rows a move");
    cr_assert_eq(result.moved, MANY);
    cr_assert(shows("e/1000", "old1000"));
}

Test(scan_batch, young_files_with_new_bytes_need_not_wait)
{
    start_with(2);
    begin();
    saw_many(CS_SAW_APPEARED, "e", CS_BATCH_OPS_MAX - 1, "new", 5000);
    cr_assert_not(has_row("e/0000"), "a batch is not full");
    cr_assert(saw(CS_SAW_APPEARED, "e/one", "one", 9000));
    cr_assert(has_row("e/0000") && shows("e/one", "one"));
    saw(CS_SAW_APPEARED, "e/two", "two", 9000);
    cr_assert_eq(commit(1), 1, "and nothing else is left");
    cr_assert_eq(result.added, MANY);
}

Test(scan_batch, what_may_have_moved_waits)
{
    p.replica->batch_max = 1;
    start_with(2);
    begin();
    cr_assert_not(saw(CS_SAW_APPEARED, "a/same_bytes", "old0", 5000));
    cr_assert_not(saw(CS_SAW_APPEARED, "a/same_inode", "edited", 2));
    cr_assert_not(saw(CS_SAW_APPEARED, "d/0000/below", "other", 5001), "of a file");
    cr_assert(saw(CS_SAW_APPEARED, "a/new", "new", 5002));
    saw(CS_SAW_VANISHED, "d/0000", "", 0);
    saw(CS_SAW_VANISHED, "d/0001", "", 0);
    commit(3);
    cr_assert_eq(result.moved, 2);
    cr_assert_eq(result.added, 2);
    cr_assert(shows("a/same_bytes", "old0") && shows("a/same_inode", "edited"));
    cr_assert(shows("d/0000/below", "other"));
}

static bool is_live(const char *text)
{
    cs_items_t items = {0};
    bool found = false;
    cr_assert_eq(cs_replica_project_all(p.replica, &items), CS_OK);
    for (uint32_t i = 0; i < items.len; i++)
        found = found || strcmp((const char *)items.item[i].content.hash, text) == 0;
    cs_items_fini(&items);
    return found;
}

/* Rotated: 0 -> 1 -> ... -> 4 -> 0, beside other edits. */
Test(scan_batch, no_bytes_are_nowhere_between_two_batches)
{
    p.replica->batch_max = 2;
    start_with(9);
    begin();
    for (uint32_t i = 0; i < 5; i++) {
        char path[64], text[32];
        snprintf(path, sizeof path, "d/%04u", (i + 1) % 5);
        snprintf(text, sizeof text, "old%u", i);
        saw(CS_SAW_MODIFIED, path, text, i + 1);
    }
    saw(CS_SAW_MODIFIED, "d/0005", "new", 5000);
    saw(CS_SAW_VANISHED, "d/0006", "", 0);
    saw(CS_SAW_APPEARED, "c", "old6", 7);
    saw(CS_SAW_VANISHED, "d/0007", "", 0);
    saw(CS_SAW_MODIFIED, "d/0008", "old7", 8); /* by mv d/0007 d/0008 */
    bool more = true;
    while (more) {
        some(&more);
        for (uint32_t i = 0; i < 8; i++) {
            char text[32];
            snprintf(text, sizeof text, "old%u", i);
            cr_assert(i == 5 || is_live(text), "%s", text);
        }
    }
    cr_assert(shows("d/0000", "old4") && shows("d/0001", "old0") && shows("d/0008", "old7"));
    cr_assert_eq(cs_replica_state(p.replica)->n, 8);
}

Test(scan_batch, files_in_each_others_way_go_together)
{
    p.replica->batch_max = 1;
    begin();
    saw(CS_SAW_APPEARED, "a", "file", 1);
    saw(CS_SAW_APPEARED, "b/x", "x", 2);
    commit(UINT32_MAX);
    begin(); /* mv a t; mv b a; mv t b */
    saw(CS_SAW_VANISHED, "a", "", 0);
    saw(CS_SAW_APPEARED, "a/x", "x", 2);
    saw(CS_SAW_APPEARED, "b", "file", 1);
    saw(CS_SAW_VANISHED, "b/x", "", 0);
    commit(UINT32_MAX);
    cr_assert_eq(result.moved, 2);
    cr_assert(shows("a/x", "x") && shows("b", "file"));
}
