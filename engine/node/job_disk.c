/* job_disk.c - the worker's side of a folder's disk: scans, and groups of steps. */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "disk/bytes.h"
#include "disk/ignore.h"
#include "disk/trash.h"
#include "node/job_internal.h"
#include "proto/frame.h"

#define TRASH_BYTES_MAX ((uint64_t)10 << 30) /* by default, ... */
#define TRASH_DIVISOR   10u                  /* ... and at most this part of the file system */

static uint64_t trash_bytes_max(const cs_job_t *job, cs_fs_t *fs)
{
    uint64_t free_bytes, total;
    if (job->trash_bytes_max != CS_TRASH_AUTO) return job->trash_bytes_max;
    if (fs->ops->space(fs, &free_bytes, &total) != CS_OK) return TRASH_BYTES_MAX;
    return total / TRASH_DIVISOR < TRASH_BYTES_MAX ? total / TRASH_DIVISOR : TRASH_BYTES_MAX;
}

static cs_apply_config_t apply_config(cs_job_t *job, const cs_job_env_t *env)
{
    return (cs_apply_config_t){
        .fs = env->fs,
        .table = job->table,
        .modes = job->modes,
        .durability = job->durability,
        .trash_bytes_max = trash_bytes_max(job, env->fs),
        .trash = &job->trash,
    };
}

typedef struct scan_run {
    cs_job_t *job;
    const cs_job_env_t *env;
    cs_scan_records_t records;
    cs_flush_t flush; /* for these records */
    bool many;        /* more small files than are worth sending ahead */
    cs_buf_t bytes;   /* of one of them */
    cs_err_t err;     /* of a flush */
} scan_run_t;

static bool hand_over(scan_run_t *run)
{
    const cs_job_env_t *env = run->env;
    run->err = cs_flush_run(&run->flush, env->fs);
    bool go_on = run->err == CS_OK && env->emit(env->arg, run->job, &run->records);
    cs_scan_records_fini(&run->records);
    return go_on;
}

static cs_err_t read_small(scan_run_t *run, const cs_sighting_t *sighting)
{
    cs_file_t *file = NULL;
    cs_fs_t *fs = run->env->fs;
    size_t size = (size_t)sighting->content.size, got = 0;
    cs_err_t err = fs->ops->open_read(fs, sighting->path, &file);
    if (err != CS_OK) return err;
    cs_buf_clear(&run->bytes);
    cs_buf_reserve(&run->bytes, size);
    err = file->ops->read(file, 0, run->bytes.data, size, &got);
    file->ops->close(&file);
    run->bytes.len = got;
    return err;
}

/* A user saved a file or a few: the bytes, if they are still those that were seen. */
static void add_ahead(scan_run_t *run, const cs_sighting_t *sighting)
{
    const cs_content_t *content = &sighting->content;
    bool is_new = sighting->what == CS_SAW_APPEARED || sighting->what == CS_SAW_MODIFIED;
    bool small = content->kind == CS_KIND_FILE && content->size <= CS_AHEAD_FILE_MAX;
    if (run->many || run->job->u.scan.path_count == 0 || !is_new || !small) return;
    cs_buf_t *ahead = &run->records.ahead;
    run->many = ahead->len + CS_NAME_BYTES + 4 + content->size > CS_AHEAD_BYTES_MAX;
    if (run->many) {
        cs_buf_fini(ahead);
        return;
    }
    cs_content_t found;
    if (read_small(run, sighting) != CS_OK) return;
    cs_content_of(run->job->table, CS_KIND_FILE, cs_buf_slice(&run->bytes), &found);
    if (!cs_content_eq(&found, content)) return;
    cs_chunk_put(ahead, content->hash, cs_buf_slice(&run->bytes));
}

static bool on_sighting(void *arg, const cs_sighting_t *sighting)
{
    scan_run_t *run = arg;
    cs_scan_records_add(&run->records, sighting);
    add_ahead(run, sighting);
    bool flushes = run->job->durability != CS_DURABILITY_NONE;
    if (flushes) cs_sighting_flush(sighting, &run->flush);
    return cs_scan_records_full(&run->records) ? hand_over(run) : true;
}

static void on_trouble(void *arg, cs_slice_t path, cs_trouble_t trouble)
{
    cs_troubles_add(&((scan_run_t *)arg)->job->u.scan.troubles, path, trouble);
}

static void on_row(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_batch_put(&((scan_run_t *)arg)->records.rows, key, value);
}

static bool on_cancelled(void *arg)
{
    const cs_job_env_t *env = ((scan_run_t *)arg)->env;
    return env->cancelled != NULL && env->cancelled(env->arg);
}

static void add_found(void *arg, const cs_content_t *content)
{
    cs_job_scan_t *scan = arg;
    scan->found = cs_realloc_array(scan->found, scan->found_count + 1, sizeof *scan->found);
    scan->found[scan->found_count++] = *content;
}

static void add_took(void *arg, cs_slice_t path, const cs_print_t *print)
{
    cs_job_scan_t *scan = arg;
    if (!scan->unsure || scan->took_count == CS_TOOK_MAX) return;
    if (scan->took == NULL) scan->took = cs_calloc(CS_TOOK_MAX, sizeof *scan->took);
    scan->took[scan->took_count++] =
        (cs_took_t){.path = cs_str_new(path.data, path.len), .print = *print};
}

/* What an earlier run left behind, kept only if it saves a download: the fetch machine asks for
 * large files by their names in .crdtsync/tmp, whole or in part. */
static bool keep_large(void *arg, cs_slice_t name, const cs_content_t *content)
{
    (void)name;
    if (content == NULL) return true;
    if (cs_content_is_small(content)) return false;
    add_found(arg, content);
    return true;
}

/* Before a walk of everything, so that what comes back out of the trash is seen by it. */
static cs_err_t tidy(cs_job_t *job, const cs_job_env_t *env)
{
    cs_apply_config_t config = apply_config(job, env);
    cs_job_scan_t *scan = &job->u.scan;
    cs_cleanup_sink_t sink = {.arg = scan, .keep = keep_large, .took = add_took};
    if (!scan->first) {
        cs_err_t err = cs_trash_sweep(&config, &sink);
        if (err != CS_OK) return err;
        return cs_trash_find(&config, scan->missed, scan->missed_count, add_found, scan);
    }
    return cs_apply_cleanup(&config, &sink);
}

void cs__job_run_scan(cs_job_t *job, const cs_job_env_t *env)
{
    cs_job_scan_t *scan = &job->u.scan;
    cs_slice_t *paths = cs_calloc(scan->path_count, sizeof *paths);
    for (size_t i = 0; i < scan->path_count; i++) {
        paths[i] = cs_slice_str(scan->paths[i]);
    }

    scan_run_t run = {.job = job, .env = env};
    cs_scan_config_t config = {
        .fs = env->fs,
        .store = env->store,
        .snapshot = env->snapshot,
        .folder = job->folder,
        .table = job->table,
        .modes = job->modes,
        .full = scan->full,
        .paths = scan->path_count > 0 ? paths : NULL,
        .path_count = scan->path_count,
        .looked = env->looked,
        .looked_arg = env->arg,
    };
    memcpy(config.marker, job->marker, sizeof config.marker);
    cs_scan_sink_t sink = {&run, on_sighting, on_trouble, on_row, on_cancelled};
    job->err = cs_folder_check(env->fs, job->marker);
    if (job->err == CS_OK && scan->path_count == 0) job->err = tidy(job, env);
    if (job->err == CS_OK) {
        job->err = (env->scan != NULL ? env->scan : cs_scan)(&config, &sink, &scan->stats);
    }
    bool left = run.records.count + run.records.rows.count > 0;
    if (job->err == CS_OK && left && !hand_over(&run)) job->err = CS_ERR_AGAIN;
    if (run.err != CS_OK) job->err = run.err;
    cs_scan_records_fini(&run.records);
    cs_buf_fini(&run.bytes);
    cs_flush_fini(&run.flush);
    cs_free(paths);
}

/* --- steps */

/* What cannot be told counts as ignored. */
static bool is_ignored(cs_ignore_t *ignore, const cs_str_t *path, bool is_dir)
{
    bool ignored = false;
    cs_err_t err = cs_ignore_matches(ignore, cs_slice_str(path), is_dir, &ignored);
    return err != CS_OK || ignored;
}

/* Ignored paths are not materialised: what is there is none of our business (core.md 5.2). True
 * if the step may not be performed; then its path is the ignored one, if need be that from
 * which something would have been moved. */
static bool must_not(cs_ignore_t *ignore, cs_step_t *step)
{
    bool is_dir = step->kind == CS_STEP_MKDIR || step->kind == CS_STEP_RMDIR;
    if (is_ignored(ignore, step->item.path, is_dir)) return true;
    if (step->kind != CS_STEP_MOVE || !is_ignored(ignore, step->from, false)) return false;
    cs_str_t *path = step->item.path;
    step->item.path = step->from;
    step->from = path;
    return true;
}

/* Moves the steps on ignored paths to `ret`. */
static void set_ignored_aside(cs_fs_t *fs, cs_steps_t *steps, cs_steps_t *ret)
{
    cs_ignore_t *ignore = cs_ignore_new(fs);
    size_t kept = 0;
    for (size_t i = 0; i < steps->len; i++) {
        cs_item_t *twin = &steps->item[i].twin; /* nobody knows what is at an ignored path */
        if (twin->path != NULL && is_ignored(ignore, twin->path, false)) cs_item_fini(twin);
        if (must_not(ignore, &steps->item[i])) {
            cs_step_t *aside = cs_steps_add(ret, steps->item[i].kind);
            *aside = steps->item[i];
            aside->err = CS_ERR_HELD;
        } else {
            steps->item[kept++] = steps->item[i];
        }
    }
    steps->len = kept;
    cs_ignore_destroy(&ignore);
}

void cs__job_run_apply(cs_job_t *job, const cs_job_env_t *env)
{
    cs_apply_config_t config = apply_config(job, env);
    config.go = env->go;
    config.go_arg = env->arg;
    config.all = env->all;
    cs_steps_t ignored = {0};
    job->err = cs_folder_check(env->fs, job->marker);
    if (job->err != CS_OK) return;
    set_ignored_aside(env->fs, &job->u.apply, &ignored);
    job->err = cs_apply(&config, &job->u.apply);
    for (size_t i = 0; i < ignored.len; i++) {
        *cs_steps_add(&job->u.apply, ignored.item[i].kind) = ignored.item[i];
    }
    ignored.len = 0; /* moved */
    cs_steps_fini(&ignored);
}
