/* job.c - jobs: made and released by the core, run by a worker. */
#include "node/job.h"

#include <string.h>

#include "base/mem.h"
#include "node/job_internal.h"

cs_blob_t *cs_blob_ref(cs_blob_t *blob)
{
    if (blob != NULL) blob->refs++;
    return blob;
}

void cs_blob_unref(cs_blob_t **blob_p)
{
    cs_blob_t *blob = *blob_p;
    *blob_p = NULL;
    if (blob != NULL && --blob->refs == 0) blob->destroy(blob);
}

cs_job_t *cs_job_new(cs_job_kind_t kind)
{
    cs_job_t *job = cs_calloc(1, sizeof *job);
    job->kind = kind;
    return job;
}

static void part_fini(cs_job_part_t *part)
{
    cs_free(part->names);
    cs_free(part->offsets);
    cs_free(part->lens);
    cs_blob_unref(&part->blob);
    cs_batch_fini(&part->rows);
}

static void serve_fini(cs_job_serve_t *serve)
{
    cs_free(serve->contents);
    cs_free(serve->names);
    for (size_t i = 0; i < serve->payload_count; i++)
        cs_buf_fini(&serve->payloads[i]);
    cs_free(serve->payloads);
    cs_free(serve->missing);
}

void cs_job_destroy(cs_job_t **job_p)
{
    cs_job_t *job = *job_p;
    *job_p = NULL;
    if (job == NULL) return;
    switch (job->kind) {
    case CS_JOB_SCAN:
        for (size_t i = 0; i < job->u.scan.path_count; i++)
            cs_str_unref(&job->u.scan.paths[i]);
        cs_free(job->u.scan.paths);
        cs_troubles_fini(&job->u.scan.troubles);
        break;
    case CS_JOB_APPLY:
        cs_steps_fini(&job->u.apply);
        break;
    case CS_JOB_STAGE:
        for (size_t i = 0; i < job->u.stage.len; i++)
            cs_blob_unref(&job->u.stage.item[i].blob);
        cs_free(job->u.stage.item);
        break;
    case CS_JOB_PART:
        part_fini(&job->u.part);
        break;
    case CS_JOB_SERVE:
        serve_fini(&job->u.serve);
        break;
    }
    cs_free(job);
}

/* --- scan */

typedef struct scan_run {
    cs_job_t *job;
    const cs_job_env_t *env;
    cs_scan_records_t records;
} scan_run_t;

static bool scan_flush(scan_run_t *run)
{
    bool go_on = run->env->emit(run->env->arg, run->job, &run->records);
    cs_scan_records_fini(&run->records);
    return go_on;
}

static bool on_sighting(void *arg, const cs_sighting_t *sighting)
{
    scan_run_t *run = arg;
    cs_scan_records_add(&run->records, sighting);
    return cs_scan_records_full(&run->records) ? scan_flush(run) : true;
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

static void run_scan(cs_job_t *job, const cs_job_env_t *env)
{
    cs_job_scan_t *scan = &job->u.scan;
    cs_slice_t *paths = cs_calloc(scan->path_count, sizeof *paths);
    for (size_t i = 0; i < scan->path_count; i++)
        paths[i] = cs_slice_str(scan->paths[i]);

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
    };
    memcpy(config.marker, job->marker, sizeof config.marker);
    cs_scan_sink_t sink = {&run, on_sighting, on_trouble, on_row, on_cancelled};
    job->err = cs_scan(&config, &sink, &scan->stats);
    if (job->err == CS_OK && run.records.count > 0 && !scan_flush(&run))
        job->err = CS_ERR_AGAIN;
    cs_scan_records_fini(&run.records);
    cs_free(paths);
}

static void run_stage(cs_job_t *job, const cs_job_env_t *env)
{
    for (size_t i = 0; i < job->u.stage.len; i++) {
        cs_job_item_t *item = &job->u.stage.item[i];
        item->err = cs_stage_small(env->fs, job->table, &item->content, item->bytes);
    }
}

void cs_job_run(cs_job_t *job, const cs_job_env_t *env)
{
    cs_apply_config_t apply = {
        .fs = env->fs,
        .table = job->table,
        .modes = job->modes,
        .trash_bytes_max = job->trash_bytes_max,
    };
    switch (job->kind) {
    case CS_JOB_SCAN:
        run_scan(job, env);
        break;
    case CS_JOB_APPLY:
        job->err = cs_folder_check(env->fs, job->marker);
        if (job->err == CS_OK) job->err = cs_apply(&apply, &job->u.apply);
        break;
    case CS_JOB_STAGE:
        run_stage(job, env);
        break;
    case CS_JOB_PART:
        cs__job_run_part(job, env);
        break;
    case CS_JOB_SERVE:
        cs__job_run_serve(job, env);
        break;
    }
}
