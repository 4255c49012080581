/* scan_test.c - one claim of core.md 5.2 each. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/ignore.h"
#include "support/folder.h"
#include "support/scanned.h"

static cs_test_scanned_t t;

static void setup(void)
{
    umask(022);
    cs_test_scanned_init(&t);
}

static void teardown(void)
{
    cs_test_scanned_fini(&t);
}

TestSuite(scan, .init = setup, .fini = teardown, .timeout = 60);

static void expect(const char *wanted)
{
    char *found = cs_test_scanned_look(&t);
    cr_expect_str_eq(found, wanted);
    cs_free(found);
}

static const char *at(const char *path)
{
    static char full[512];
    snprintf(full, sizeof full, "%s/%s", t.dir, path);
    return full;
}

/* What the scan saw becomes the base, as the replica does it. */
static void accept_all(void)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.seen[i].is_trouble) continue;
        if (t.seen[i].sighting.what == CS_SAW_VANISHED) {
            cs_test_scanned_drop_row(&t, t.seen[i].path);
        } else {
            cs_base_front_t row;
            cr_assert(cs_test_scanned_row_of(&t, t.seen[i].path, &row));
            row.print = t.seen[i].sighting.print;
            cs_test_scanned_put_row(&t, t.seen[i].path, &row);
        }
    }
}

Test(scan, a_fresh_folder_appears_in_order_of_full_paths)
{
    cs_test_write(t.dir, "a/x", "1");
    cs_test_write(t.dir, "a-b", "2");
    cs_test_write(t.dir, "a.b/y", "3");
    cs_test_write(t.dir, "a0", "4");
    cs_test_mkdir(t.dir, "a/d");
    expect("appeared a-b,appeared a.b/y,empty a/d,appeared a/x,appeared a0");
    cr_expect_eq(t.stats.files, 4);
    cr_expect_eq(t.stats.dirs, 3);
    cr_expect_eq(t.stats.bytes, 4);
    cr_expect_eq(t.stats.hashed_files, 4);
}

Test(scan, what_was_accepted_is_not_seen_again)
{
    t.fs->features.mapped_times = true;
    cs_test_scanned_old(&t, "a", "1");
    cs_test_scanned_old(&t, "d/b", "2");
    cs_test_mkdir(t.dir, "e");
    cr_assert_eq(symlink("a", at("s")), 0);
    expect("appeared a,appeared d/b,empty e,appeared s");
    accept_all();
    cs_test_scanned_pass_tick(&t);
    expect("touched a,touched d/b,touched s");
    accept_all();
    expect("");
    cr_expect_eq(t.stats.unchanged, 3);
    cr_expect_eq(t.stats.hashed_files, 0);
}

Test(scan, an_mtime_in_the_future_is_read_once)
{
    cs_file_t *file = NULL;
    cs_test_write(t.dir, "a", "1");
    cr_assert_eq(t.fs->ops->open_write(t.fs, cs_slice_text("a"), &file), CS_OK);
    cr_assert_eq(t.fs->ops->set_meta(file, 0644, 4000000000000000000), CS_OK);
    t.fs->ops->close(&file);
    cs_test_scanned_pass_tick(&t);
    expect("appeared a");
    accept_all();
    expect("");
    cr_expect_eq(t.stats.hashed_files, 0);
}

Test(scan, edits_chmods_touches_and_deletions_are_told_apart)
{
    const char *const names[] = {"edit", "mode", "rm", "same", "touch"};
    for (size_t i = 0; i < 5; i++) {
        cs_test_scanned_old(&t, names[i], "bytes");
        cs_test_scanned_accept(&t, names[i]);
    }
    cs_test_write(t.dir, "edit", "other");
    cr_assert_eq(chmod(at("mode"), 0755), 0);
    cs_test_unlink(t.dir, "rm");
    cs_test_write(t.dir, "touch", "bytes");
    expect("modified edit,chmodded mode,vanished rm,touched touch");
    cr_expect_eq(t.seen[1].sighting.mode, 0755);
    cr_expect_eq(t.stats.unchanged, 2);
}

Test(scan, the_exec_policy_sees_one_bit)
{
    t.config.modes = CS_MODES_EXEC;
    cs_test_scanned_old(&t, "a", "1");
    cs_test_scanned_accept(&t, "a");
    cr_assert_eq(chmod(at("a"), 0600), 0);
    expect("touched a");
    cr_assert_eq(chmod(at("a"), 0700), 0);
    expect("chmodded a");
    cr_expect_eq(t.seen[0].sighting.mode, 0755);
}

Test(scan, without_modes_the_base_mode_is_observed)
{
    cs_test_scanned_old(&t, "a", "1");
    cs_test_scanned_accept(&t, "a");
    t.fs->features.modes = false;
    cr_assert_eq(chmod(at("a"), 0777), 0);
    cs_test_write(t.dir, "b", "1");
    expect("touched a,appeared b");
    cr_expect_eq(t.seen[1].sighting.mode, 0644);
}

Test(scan, files_directories_and_links_replace_each_other)
{
    cs_test_scanned_old(&t, "dir/x", "1");
    cs_test_mkdir(t.dir, "marked");
    const char *const names[] = {"f2d", "f2e", "f2l"};
    for (size_t i = 0; i < 3; i++) {
        cs_test_scanned_old(&t, names[i], "1");
        cs_test_scanned_accept(&t, names[i]);
        cs_test_unlink(t.dir, names[i]);
    }
    cs_test_scanned_accept(&t, "dir/x");
    cs_test_scanned_accept(&t, "marked");
    cs_test_unlink(t.dir, "dir/x");
    cs_test_unlink(t.dir, "dir");
    cs_test_unlink(t.dir, "marked");
    cs_test_write(t.dir, "dir", "now a file");
    cs_test_write(t.dir, "f2d/y", "1");
    cs_test_mkdir(t.dir, "f2e");
    cr_assert_eq(symlink("x", at("f2l")), 0);
    cs_test_write(t.dir, "marked", "now a file");
    expect("appeared dir,vanished dir/x,vanished f2d,appeared f2d/y,vanished f2e,empty f2e,"
           "modified f2l,appeared marked");
    cr_expect_eq(t.seen[6].sighting.content.kind, CS_KIND_SYMLINK);
}

Test(scan, a_marked_directory_is_untouched_while_it_exists)
{
    cs_test_mkdir(t.dir, "d");
    cs_test_mkdir(t.dir, "e");
    cs_test_scanned_accept(&t, "d");
    cs_test_scanned_accept(&t, "e");
    cs_test_write(t.dir, "d/f", "1");
    expect("appeared d/f");
    cs_test_unlink(t.dir, "e");
    expect("appeared d/f,vanished e");
}

Test(scan, ignored_paths_are_neither_seen_nor_missed)
{
    cs_test_scanned_old(&t, CS_IGNORE_FILE, "*.o\nbuild/\n!keep.o\n");
    cs_test_scanned_accept(&t, CS_IGNORE_FILE);
    const char *const names[] = {"build/deep/x", "gone.o", "was/build/y", "x.o"};
    for (size_t i = 0; i < 4; i++) {
        cs_test_write(t.dir, names[i], "1");
        cs_test_scanned_accept(&t, names[i]);
    }
    cs_test_unlink(t.dir, "gone.o");
    cs_test_unlink(t.dir, "was/build/y");
    cs_test_unlink(t.dir, "was/build");
    cs_test_unlink(t.dir, "build/deep/x");
    cs_test_write(t.dir, "build/new", "1");
    cs_test_write(t.dir, "keep.o", "1");
    cs_test_write(t.dir, "only/a.o", "1"); /* a directory with only ignored files: no marker */
    expect("appeared keep.o,empty was");
    cr_expect_eq(t.stats.files, 2);
    cs_test_write(t.dir, CS_IGNORE_FILE, "");
    cs_test_write(t.dir, "x.o", "1"); /* the same bytes, at another time */
    expect("modified .crdtsyncignore,empty build/deep,vanished build/deep/x,appeared "
           "build/new,vanished gone.o,"
           "appeared keep.o,appeared only/a.o,empty was,vanished was/build/y,touched x.o");
}

Test(scan, a_directory_with_unreadable_rules_is_left_alone)
{
    cs_test_write(t.dir, "d/a", "1");
    cs_test_write(t.dir, "d/gone", "1");
    cs_test_scanned_accept(&t, "d/gone");
    cs_test_unlink(t.dir, "d/gone");
    char *text = cs_malloc((2u << 20) + 1);
    memset(text, '\n', 2u << 20);
    text[2u << 20] = '\0';
    cs_test_write(t.dir, "d/" CS_IGNORE_FILE, text);
    cs_free(text);
    cs_test_write(t.dir, "e", "1");
    expect("unreadable d/.crdtsyncignore,appeared e");
}

Test(scan, sockets_fifos_and_devices_are_reported_and_untouched)
{
    cs_test_write(t.dir, "p", "1");
    cs_test_scanned_accept(&t, "p");
    cs_test_unlink(t.dir, "p");
    cr_assert_eq(mkfifo(at("p"), 0600), 0);
    cr_assert_eq(mknod(at("s"), S_IFSOCK | 0600, 0), 0);
    expect("fifo p,socket s");
}

/* Runs a scan as a user who may read nothing of mode 0000. */
static void expect_as_nobody(const char *wanted)
{
    cr_assert_eq(chmod(t.dir, 0777), 0);
    cr_assert_eq(chmod(at(".crdtsync"), 0777), 0);
    cr_assert_eq(chmod(at(".crdtsync/id"), 0666), 0);
    cr_assert_eq(chmod(at(".crdtsync/tmp"), 0777), 0);
    cs_test_scanned_clear(&t);
    cr_assert_eq(seteuid(65534), 0);
    cs_err_t err = cs_test_scanned_run(&t);
    cr_assert_eq(seteuid(0), 0);
    prctl(PR_SET_DUMPABLE, 1); /* LeakSanitizer attaches to the process at its end */
    cr_assert_eq(err, CS_OK);
    char *found = cs_test_scanned_text(&t);
    cr_expect_str_eq(found, wanted);
    cs_free(found);
}

Test(scan, what_cannot_be_read_is_reported_and_has_not_vanished)
{
    if (geteuid() != 0) cr_skip("needs root to become another user");
    const char *const names[] = {"d/x", "file", "other"};
    for (size_t i = 0; i < 3; i++) {
        cs_test_scanned_old(&t, names[i], "1");
        cs_test_scanned_accept(&t, names[i]);
    }
    cs_test_write(t.dir, "new", "1");
    cr_assert_eq(chmod(at("new"), 0), 0);
    cr_assert_eq(chmod(at("d"), 0), 0);
    cr_assert_eq(chmod(at("file"), 0), 0);
    cs_test_scanned_old(&t, "other", "22");
    cr_assert_eq(chmod(at("other"), 0), 0);
    expect_as_nobody(
        "unreadable d,unreadable file,chmodded file,unreadable new,unreadable other,"
        "chmodded other");
    cr_expect_neq(t.seen[2].sighting.print.ino, 0);
    cr_expect_eq(t.seen[2].sighting.print.ctime_ns, 0, "nothing vouches for what was not read");
    cr_expect_eq(t.seen[5].sighting.print.ino,
                 0); /* nobody knows its bytes: to be read later */
}

Test(scan, a_missing_or_foreign_marker_stops_the_scan_before_anything_is_seen)
{
    cs_test_write(t.dir, "a", "1");
    cs_test_unlink(t.dir, ".crdtsync/id");
    cr_expect_eq(cs_test_scanned_run(&t), CS_ERR_NOT_MOUNTED);
    cs_test_write(t.dir, ".crdtsync/id", "00000000000000000000000000000000\n");
    cr_expect_eq(cs_test_scanned_run(&t), CS_ERR_NOT_MOUNTED);
    cs_test_write(t.dir, ".crdtsync/id", "short");
    cr_expect_eq(cs_test_scanned_run(&t), CS_ERR_NOT_MOUNTED);
    cr_expect_eq(t.len, 0);
    cr_assert_eq(cs_folder_mark(t.fs, t.config.marker), CS_OK);
    expect("appeared a");
}

Test(scan, a_root_that_was_moved_away_is_not_mounted)
{
    char away[256];
    snprintf(away, sizeof away, "%s.away", t.dir);
    cs_test_write(t.dir, "a", "1");
    cr_assert_eq(rename(t.dir, away), 0);
    cr_expect_eq(cs_test_scanned_run(&t), CS_ERR_NOT_MOUNTED);
    cr_assert_eq(mkdir(t.dir, 0755), 0); /* an empty mount point */
    cr_expect_eq(cs_test_scanned_run(&t), CS_ERR_NOT_MOUNTED);
    cr_assert_eq(rmdir(t.dir), 0);
    cr_assert_eq(rename(away, t.dir), 0);
    expect("appeared a");
}

Test(scan, only_the_roots_private_directory_is_private)
{
    cs_test_write(t.dir, "a/.crdtsync/x", "1");
    cs_test_write(t.dir, ".crdtsync/tmp/y", "1");
    cs_test_write(t.dir, ".crdtsyncx", "1");
    expect("appeared .crdtsyncx,appeared a/.crdtsync/x");
}

Test(scan, rows_of_large_files_are_handed_over)
{
    size_t len = 3u << 20;
    char *text = cs_malloc(len + 1);
    uint32_t state = 1;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(1 + ((state = state * 1664525u + 1013904223u) >> 24) % 255u);
    text[len] = '\0';
    cs_test_write(t.dir, "large", text);
    cs_free(text);
    expect("appeared large");
    cr_expect_gt(t.rows, 5);
    cr_expect_eq(t.stats.hashed_bytes, len);
}

static bool cancel(void *arg)
{
    return ++*(int *)arg > 3;
}

static bool ignore_sighting(void *arg, const cs_sighting_t *sighting)
{
    (void)arg;
    (void)sighting;
    return true;
}

Test(scan, a_cancelled_scan_says_so)
{
    for (char name[] = "a"; name[0] <= 'z'; name[0]++)
        cs_test_write(t.dir, name, "1");
    int calls = 0;
    cs_scan_stats_t stats;
    cs_scan_sink_t sink = {.arg = &calls, .sighting = ignore_sighting, .cancelled = cancel};
    cr_expect_eq(cs_scan(&t.config, &sink, &stats), CS_ERR_AGAIN);
}

Test(scan, damaged_rows_stop_the_scan)
{
    cs_base_front_t row = {.content.kind = CS_KIND_DIR};
    cs_test_scanned_put_row(&t, "a", &row);
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice("\0\0\0\3b/b", 7), cs_slice_text("no row, and no checksum"));
    cr_assert_eq(cs_store_write(t.store, &batch, false), CS_OK);
    cs_batch_fini(&batch);
    cr_expect_eq(cs_test_scanned_run(&t), CS_ERR_CORRUPT);
}

Test(scan, rows_of_other_folders_and_tables_are_not_ours)
{
    cs_batch_t batch = {0};
    const char *const keys[] = {"\0\0\0\2b/x", "\0\0\0\4b/x", "\0\0\0\3a/x", "\0\0\0\3c/x"};
    for (size_t i = 0; i < 4; i++)
        cs_batch_put(&batch, cs_slice(keys[i], 7), cs_slice_text("?"));
    cr_assert_eq(cs_store_write(t.store, &batch, false), CS_OK);
    cs_batch_fini(&batch);
    expect("");
}
