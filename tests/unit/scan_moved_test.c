/* scan_moved_test.c - files of a renamed directory are known without being read, and only then.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/scan_moved.h"
#include "support/folder.h"
#include "support/scanned.h"

static cs_test_scanned_t t;
static cs_slice_t paths[2];

static void setup(void)
{
    cs_test_scanned_init(&t);
    cs_test_scanned_old(&t, "old/a", "bytes of a");
    cs_test_scanned_old(&t, "old/sub/b", "bytes of b");
    cs_test_scanned_pass_tick(&t);
    cs_test_scanned_accept(&t, "old/a");
    cs_test_scanned_accept(&t, "old/sub/b");
    paths[0] = cs_slice_text("new");
    paths[1] = cs_slice_text("old");
    t.config.paths = paths;
    t.config.path_count = 2;
}

static void teardown(void)
{
    cs_test_scanned_fini(&t);
}

TestSuite(scan_moved, .init = setup, .fini = teardown, .timeout = 60);

static const char *at(const char *path)
{
    static char text[2][512];
    static int turn;
    turn = 1 - turn;
    snprintf(text[turn], sizeof text[turn], "%s/%s", t.dir, path);
    return text[turn];
}

static void move(const char *from, const char *to)
{
    cr_assert_eq(rename(at(from), at(to)), 0);
}

static void expect(const char *wanted, uint64_t hashed)
{
    char *found = cs_test_scanned_look(&t);
    cr_expect_str_eq(found, wanted);
    cr_expect_eq(t.stats.hashed_files, hashed, "%d files were read", (int)t.stats.hashed_files);
    cs_free(found);
}

/* Of the sighting of the path. */
static cs_content_t content_at(const char *path)
{
    for (size_t i = 0; i < t.len; i++) {
        if (strcmp(t.seen[i].path, path) == 0) return t.seen[i].sighting.content;
    }
    cr_assert_fail("%s was not seen", path);
    return (cs_content_t){.kind = CS_KIND_DIR};
}

static cs_content_t content_of(const char *path)
{
    cs_content_t content;
    cs_stat_t st;
    cr_assert_eq(cs_hash_path(t.fs, t.table, cs_slice_text(path), NULL, &content, &st), CS_OK);
    return content;
}

#define MOVED "appeared new/a,appeared new/sub/b,vanished old/a,vanished old/sub/b"

Test(scan_moved, a_renamed_directory_is_not_read)
{
    move("old", "new");
    expect(MOVED, 0);
    cs_content_t found = content_at("new/sub/b"), is = content_of("new/sub/b");
    cr_assert(cs_content_eq(&found, &is));
    /* With a mode, a time and a print of its own. */
    cr_assert_eq(t.seen[0].sighting.mode, 0644);
    cr_assert_eq(t.seen[0].sighting.print.size, strlen("bytes of a"));
}

Test(scan_moved, a_file_that_was_written_to_is_read)
{
    move("old", "new");
    int fd = open(at("new/a"), O_WRONLY | O_CLOEXEC);
    cr_assert_eq(write(fd, "BYTES OF A", 10), 10);
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    cr_assert_eq(futimens(fd, times), 0); /* its mtime is as it was: ctime tells */
    close(fd);
    expect(MOVED, 1);
    cs_content_t found = content_at("new/a"), is = content_of("new/a");
    cr_assert(cs_content_eq(&found, &is));
}

Test(scan_moved, a_file_that_was_renamed_itself_is_read)
{
    cr_assert_eq(mkdir(at("new"), 0755), 0);
    move("old/a", "new/a");
    expect("appeared new/a,vanished old/a", 1);
}

Test(scan_moved, a_file_whose_old_path_was_not_given_is_read)
{
    move("old", "new");
    t.config.path_count = 1;
    expect("appeared new/a,appeared new/sub/b", 2);
}

Test(scan_moved, a_scan_of_everything_finds_the_directory_that_is_gone)
{
    t.config.paths = NULL;
    t.config.path_count = 0;
    move("old", "new");
    cs_test_scanned_old(&t, "old2/c", "bytes of c");
    expect(MOVED ",appeared old2/c", 1);
    cs_content_t found = content_at("new/sub/b"), is = content_of("new/sub/b");
    cr_assert(cs_content_eq(&found, &is));
}

Test(scan_moved, a_row_that_vouches_for_nothing_is_not_believed)
{
    cs_base_front_t row;
    cr_assert(cs_test_scanned_row_of(&t, "old/a", &row));
    row.content = content_of("old/a");
    row.print.ctime_ns = 0;
    cs_test_scanned_put_row(&t, "old/a", &row);
    move("old", "new");
    expect(MOVED, 1);
}

Test(scan_moved, everything_is_read_if_that_is_asked_for)
{
    move("old", "new");
    t.config.full = true;
    expect(MOVED, 2);
}

/* Rows are read in order of their paths: the files at `zz` come last. */
static void many_rows(size_t count)
{
    cs_base_front_t row;
    cr_assert(cs_test_scanned_row_of(&t, "old/sub/b", &row));
    row.content = content_of("old/sub/b");
    cs_test_scanned_drop_row(&t, "old/a");
    cs_test_scanned_drop_row(&t, "old/sub/b");
    cs_test_scanned_put_row(&t, "old/zz", &row); /* where it was renamed from */
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "old/m/%zu", i);
        row.print.ino = 1000000000 + i;
        cs_test_scanned_put_row(&t, path, &row);
    }
    move("old", "new");
}

Test(scan_moved, as_many_rows_as_the_limit_are_remembered)
{
    many_rows(CS_MOVED_MAX - 1);
    cr_assert_eq(cs_test_scanned_run(&t), CS_OK);
    cr_assert_eq(t.stats.hashed_files, 1u, "b is known, a has no row");
}

Test(scan_moved, one_row_more_is_not_and_its_file_is_read)
{
    many_rows(CS_MOVED_MAX);
    cr_assert_eq(cs_test_scanned_run(&t), CS_OK);
    cr_assert_eq(t.stats.hashed_files, 2u);
}
