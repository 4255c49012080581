/* job_scan_test.c - a worker's scan: what it hands over has been flushed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "node/job.h"
#include "support/folder.h"
#include "support/scanned.h"

#define MANY       3000u /* files: more than one batch of records */
#define PATH_BYTES 256

static cs_test_scanned_t folder;
static cs_fs_ops_t ops; /* the real ones, but for sync */
static const cs_fs_ops_t *real;
static cs_err_t sync_err;
static unsigned syncs, syncs_told, told;

static cs_err_t count_sync(cs_fs_t *fs, const cs_slice_t *paths, size_t count)
{
    syncs++;
    return sync_err != CS_OK ? sync_err : real->sync(fs, paths, count);
}

static void setup(void)
{
    cs_test_scanned_init(&folder);
    real = folder.fs->ops;
    ops = *real;
    ops.sync = count_sync;
    folder.fs->ops = &ops;
}

static void teardown(void)
{
    folder.fs->ops = real;
    cs_test_scanned_fini(&folder);
}

TestSuite(job_scan, .init = setup, .fini = teardown);

static bool on_records(void *arg, cs_job_t *job, cs_scan_records_t *records)
{
    bool *needs_flush = arg;
    (void)job;
    cr_assert_gt(records->count, 0);
    cr_assert(syncs > syncs_told || !*needs_flush, "handed over, and not flushed since");
    syncs_told = syncs;
    told++;
    return true;
}

static unsigned scans;

static cs_err_t count_scan(const cs_scan_config_t *config, const cs_scan_sink_t *sink,
                           cs_scan_stats_t *ret)
{
    scans++;
    return cs_scan(config, sink, ret);
}

static cs_err_t scan(bool needs_flush)
{
    syncs = syncs_told = told = 0;
    cs_job_t *job = cs_job_new(CS_JOB_SCAN);
    job->folder = folder.config.folder;
    job->table = folder.table;
    job->trash_bytes_max = CS_TRASH_AUTO;
    memcpy(job->marker, folder.config.marker, sizeof job->marker);
    cs_snapshot_t *snapshot = cs_store_snapshot(folder.store);
    cs_job_env_t env = {.fs = folder.fs,
                        .store = folder.store,
                        .snapshot = snapshot,
                        .emit = on_records,
                        .scan = count_scan,
                        .arg = &needs_flush};
    cs_job_run(job, &env);
    cs_err_t err = job->err;
    cs_store_release(folder.store, &snapshot);
    cs_job_destroy(&job);
    return err;
}

Test(job_scan, what_it_saw_is_flushed_before_it_is_told)
{
    char path[PATH_BYTES];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "%0200u", i);
        cs_test_write(folder.dir, path, "text");
    }
    cr_assert_eq(scan(true), CS_OK);
    cr_assert_gt(told, 1);
    cr_assert_eq(syncs, told);
    cr_assert_eq(scans, 1, "it scans as its surroundings say: with threads, in a node");
}

Test(job_scan, what_vanished_is_flushed)
{
    cs_test_scanned_old(&folder, "a", "text");
    cs_test_scanned_accept(&folder, "a");
    cs_test_unlink(folder.dir, "a");
    cr_assert_eq(scan(true), CS_OK);
    cr_assert_eq(told, 1);
}

Test(job_scan, bytes_that_were_written_again_are_flushed)
{
    cs_test_scanned_old(&folder, "a", "text");
    cs_test_scanned_accept(&folder, "a");
    cs_test_write(folder.dir, "a", "text");
    cr_assert_eq(scan(true), CS_OK);
    cr_assert_eq(told, 1);
}

/* As after each reboot, when devices have other numbers. */
Test(job_scan, a_print_that_moved_costs_no_flush)
{
    cs_base_front_t row;
    cs_test_scanned_old(&folder, "a", "text");
    cr_assert(cs_test_scanned_row_of(&folder, "a", &row));
    row.print.dev++;
    cs_test_scanned_put_row(&folder, "a", &row);
    cs_test_scanned_old(&folder, "b", "text");
    cr_assert(cs_test_scanned_row_of(&folder, "b", &row));
    row.print.ctime_ns = 0; /* it was young when it was seen */
    cs_test_scanned_put_row(&folder, "b", &row);
    cr_assert_eq(scan(false), CS_OK);
    cr_assert_eq(told, 1);
    cr_assert_eq(syncs, 0);
}

Test(job_scan, what_cannot_be_flushed_is_not_told)
{
    cs_test_write(folder.dir, "a", "text");
    sync_err = CS_ERR_NOSPACE;
    cr_assert_eq(scan(true), CS_ERR_NOSPACE);
    cr_assert_eq(told, 0);
}
