/* scan_replica_test.c - a scan fed to a replica: afterwards disk, base and projection agree. */
#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "crdt/replica.h"
#include "support/folder.h"
#include "support/scanned.h"

static cs_test_scanned_t t;
static cs_replica_t *replica;

static void setup(void)
{
    umask(022);
    cs_test_scanned_init(&t);
    cs_replica_config_t config = {.store = t.store, .folder = t.config.folder, .fresh_rid = 9};
    static const uint8_t secret[CS_SECRET_BYTES] = {7};
    cs_keys_derive(&config.keys, secret);
    cs_open_result_t result;
    cr_assert_eq(cs_replica_open(&config, &replica, &result), CS_OK);
}

static void teardown(void)
{
    cs_replica_destroy(&replica);
    cs_test_scanned_fini(&t);
}

TestSuite(scan_replica, .init = setup, .fini = teardown);

static void refused(void *arg, cs_slice_t path, cs_err_t err)
{
    (void)arg;
    (void)path;
    cr_assert_eq(err, CS_OK);
}

static void stage(void)
{
    cs_batch_t batch = {0};
    if (cs_replica_stage(replica, &batch)) {
        cr_assert_eq(cs_store_write(t.store, &batch, true), CS_OK);
        cs_replica_staged_durable(replica);
    }
    cs_batch_fini(&batch);
}

/* One scan, committed; how many sightings it had. */
static size_t scan(cs_scan_result_t *ret)
{
    cs_test_scanned_clear(&t);
    cr_assert_eq(cs_test_scanned_run(&t), CS_OK);
    cs_replica_scan_begin(replica, refused, NULL);
    for (size_t i = 0; i < t.len; i++) {
        bool stage_now = false;
        cr_assert_not(t.seen[i].is_trouble);
        cr_assert_eq(cs_replica_scan_add(replica, &t.seen[i].sighting, &stage_now), CS_OK);
        if (stage_now) stage();
    }
    cr_assert_eq(cs_replica_scan_commit(replica, ret), CS_OK);
    stage();
    return t.len;
}

/* "a.b d/ d/x": the projection, directories with a slash. */
static void expect_tree(const char *wanted)
{
    cs_items_t items = {0};
    cs_buf_t text = {0};
    cr_assert_eq(cs_replica_project_all(replica, &items), CS_OK);
    for (uint32_t i = 0; i < items.len; i++) {
        bool dir = items.item[i].content.kind == CS_KIND_DIR;
        cs_buf_printf(&text, "%s%s%s", i > 0 ? " " : "", items.item[i].path->data,
                      dir ? "/" : "");
    }
    cs_buf_put_u8(&text, 0);
    cr_expect_str_eq((char *)text.data, wanted);
    cs_buf_fini(&text);
    cs_items_fini(&items);
}

/* Until prints vouch, and then nothing more to see. */
static void settle(void)
{
    cs_scan_result_t result;
    cs_test_scanned_pass_tick(&t);
    scan(&result);
    cr_expect_eq(scan(&result), 0);
}

Test(scan_replica, rows_of_the_replica_are_understood_by_the_scan)
{
    cs_scan_result_t result;
    cs_test_scanned_old(&t, "a", "one");
    cs_test_scanned_old(&t, "d/x", "two");
    cs_test_mkdir(t.dir, "e");
    cr_expect_eq(scan(&result), 3);
    cr_expect_eq(result.added, 3); /* the marker counts */
    expect_tree("a d/x e/");
    settle();
    cr_expect_eq(t.stats.unchanged, 2);
    cr_expect_eq(t.stats.hashed_files, 0);
}

Test(scan_replica, edits_moves_and_deletions_reach_the_projection)
{
    cs_scan_result_t result;
    cs_test_scanned_old(&t, "edit", "one");
    cs_test_scanned_old(&t, "from", "two");
    cs_test_scanned_old(&t, "rm", "three");
    scan(&result);
    settle();
    cs_test_write(t.dir, "edit", "another");
    cs_test_rename(t.dir, "from", "to");
    cs_test_unlink(t.dir, "rm");
    scan(&result);
    cr_expect_eq(result.changed, 1);
    cr_expect_eq(result.moved, 1);
    cr_expect_eq(result.removed, 1);
    expect_tree("edit to");
    settle();
}

Test(scan_replica, a_file_replaced_by_an_empty_directory_moves_away_and_leaves_a_marker)
{
    cs_scan_result_t result;
    cs_test_scanned_old(&t, "r.txt", "one"); /* vector 61 of core.md */
    scan(&result);
    settle();
    cs_test_rename(t.dir, "r.txt", "q");
    cs_test_mkdir(t.dir, "r.txt");
    scan(&result);
    cr_expect_eq(result.moved, 1);
    expect_tree("q r.txt/");
    settle();
}

Test(scan_replica, a_marked_directory_replaced_by_a_file_loses_its_marker)
{
    cs_scan_result_t result;
    cs_test_mkdir(t.dir, "d");
    scan(&result);
    expect_tree("d/");
    cs_test_unlink(t.dir, "d");
    cs_test_scanned_old(&t, "d", "one");
    scan(&result);
    expect_tree("d");
    settle();
}
