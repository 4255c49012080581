/* hash_path_test.c - a link is read while it stands still, on file systems that tell the time
 * of its last change late, too. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "disk/hash_path.h"
#include "support/folder.h"
#include "support/scanned.h"

static cs_test_scanned_t folder;
static cs_fs_ops_t ops; /* the real ones, but for what is remembered of the link */
static const cs_fs_ops_t *real;
static unsigned reads,
    told_after;       /* it is told of the change once the link was read so often */
static bool restless; /* each reading of it changes it */

static cs_err_t late_stat(cs_fs_t *fs, cs_slice_t path, cs_stat_t *ret)
{
    cs_err_t err = real->stat(fs, path, ret);
    if (reads < told_after) ret->print.ctime_ns--;
    if (restless) ret->print.ctime_ns += reads;
    return err;
}

static cs_err_t count_readlink(cs_fs_t *fs, cs_slice_t path, cs_buf_t *ret)
{
    reads++;
    return real->readlink(fs, path, ret);
}

static void setup(void)
{
    char path[512];
    cs_test_scanned_init(&folder);
    snprintf(path, sizeof path, "%s/link", folder.dir);
    cr_assert_eq(symlink("target", path), 0);
    real = folder.fs->ops;
    ops = *real;
    ops.stat = late_stat;
    ops.readlink = count_readlink;
    folder.fs->ops = &ops;
    reads = 0;
}

static void teardown(void)
{
    folder.fs->ops = real;
    cs_test_scanned_fini(&folder);
}

TestSuite(hash_path, .init = setup, .fini = teardown);

static cs_err_t hash(cs_content_t *ret, cs_stat_t *ret_stat)
{
    return cs_hash_path(folder.fs, folder.table, cs_slice_text("link"), NULL, ret, ret_stat);
}

static void expect_target(void)
{
    cs_content_t found, wanted;
    cs_stat_t st, now;
    cr_assert_eq(hash(&found, &st), CS_OK);
    cs_content_of(folder.table, CS_KIND_SYMLINK, cs_slice_text("target"), &wanted);
    cr_expect(cs_content_eq(&found, &wanted));
    cr_assert_eq(real->stat(folder.fs, cs_slice_text("link"), &now), CS_OK);
    cr_expect(cs_print_eq(&st.print, &now.print), "the newest that is known");
}

Test(hash_path, a_link_that_stands_still_is_read_once)
{
    told_after = 0;
    expect_target();
    cr_expect_eq(reads, 1);
}

Test(hash_path, a_change_that_is_told_late_is_none)
{
    told_after = 1;
    expect_target();
    cr_expect_eq(reads, 2);
}

Test(hash_path, a_link_that_changes_all_the_time_is_changed)
{
    cs_content_t found;
    cs_stat_t st;
    restless = true;
    cr_expect_eq(hash(&found, &st), CS_ERR_CHANGED);
    cr_expect_eq(reads, 2);
}
