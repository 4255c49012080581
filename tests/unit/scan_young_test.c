/* scan_young_test.c - files that were written a moment ago: what their times prove. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "support/folder.h"
#include "support/scanned.h"

static cs_test_scanned_t t;
static unsigned ticks;

static void setup(void)
{
    cs_test_scanned_init(&t);
    t.fs->features.mapped_times = true;
    ticks = 0;
}

static void teardown(void)
{
    cs_test_scanned_fini(&t);
}

TestSuite(scan_young, .init = setup, .fini = teardown, .timeout = 60);

static void expect(const char *wanted)
{
    char *found = cs_test_scanned_look(&t);
    cr_expect_str_eq(found, wanted);
    cs_free(found);
}

/* The row of what is there, as if it had been read before a write that left no trace. */
static void put_wrong_row(const char *path)
{
    cs_base_front_t row;
    cr_assert(cs_test_scanned_row_of(&t, path, &row));
    row.content.hash[0] ^= 1;
    cs_test_scanned_put_row(&t, path, &row);
}

Test(scan_young, a_print_taken_in_the_tick_of_a_write_does_not_vouch)
{
    cs_test_write(t.dir, "a", "1");
    expect("appeared a");
    cr_expect_eq(t.seen[0].sighting.print.ctime_ns, 0);
    cr_expect_neq(t.seen[0].sighting.print.ino, 0);
}

Test(scan_young, an_mtime_is_no_proof_where_mappings_do_not_move_it)
{
    t.fs->features.mapped_times = false;
    cs_test_write(t.dir, "a", "1");
    put_wrong_row("a");
    expect("modified a");
    cs_test_scanned_old(&t, "b", "1"); /* the same, but old: its print is believed */
    put_wrong_row("b");
    cs_test_unlink(t.dir, "a");
    cs_test_scanned_drop_row(&t, "a");
    expect("");
    t.config.full = true;
    expect("modified b");
}

Test(scan_young, an_mtime_is_no_proof_where_times_are_coarse)
{
    t.fs->features.mtime_step_ns = CS_TICK_NS;
    cs_test_write(t.dir, "a", "1");
    put_wrong_row("a");
    expect("");
    t.fs->features.mtime_step_ns = CS_TICK_NS + 1;
    expect("modified a");
}

/* What no row has, or none but what was read a tick after the last write. */
Test(scan_young, a_ctime_is_proof_elsewhere)
{
    cs_test_write(t.dir, "a", "1");
    put_wrong_row("a");
    expect("");
    cr_expect_eq(t.stats.hashed_files, 0);
}

/* --- a large file is read once its print vouches for it */

static void pass_tick(void)
{
    ticks++;
    cs_test_scanned_pass_tick(&t);
}

static void put_young(uint64_t bytes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/big", t.dir);
    cs_test_write(t.dir, "big", "just written");
    cr_assert_eq(truncate(path, (off_t)bytes), 0);
}

static bool vouches_after(unsigned wanted_ticks)
{
    expect("appeared big");
    cr_expect_eq(ticks, wanted_ticks);
    cr_expect_eq(t.stats.hashed_files, 1);
    return t.seen[0].sighting.print.ctime_ns != 0;
}

Test(scan_young, a_large_file_is_let_age_so_that_it_is_read_once)
{
    t.config.pass_tick = pass_tick;
    put_young(CS_AGE_BYTES);
    cr_expect(vouches_after(1));
    cs_listing_t list = {0};
    cr_assert_eq(t.fs->ops->list(t.fs, cs_slice_text(".crdtsync/tmp"), &list), CS_OK);
    cr_expect_eq(list.len, 0, "the probe is gone");
    cs_listing_fini(&list);
}

Test(scan_young, a_smaller_one_is_not_waited_for)
{
    t.config.pass_tick = pass_tick;
    put_young(CS_AGE_BYTES - 1);
    cr_expect_not(vouches_after(0));
}

Test(scan_young, a_large_one_that_is_not_young_is_not_waited_for)
{
    t.config.pass_tick = pass_tick;
    put_young(CS_AGE_BYTES);
    cs_test_scanned_pass_tick(&t);
    cr_expect(vouches_after(0));
}

Test(scan_young, where_a_tick_proves_nothing_it_is_not_waited_for)
{
    t.config.pass_tick = pass_tick;
    t.fs->features.mtime_step_ns = 2000000000;
    put_young(CS_AGE_BYTES);
    cr_expect_not(vouches_after(0));
}

Test(scan_young, who_cannot_wait_reads_it_at_once)
{
    put_young(CS_AGE_BYTES);
    cr_expect_not(vouches_after(0));
}
