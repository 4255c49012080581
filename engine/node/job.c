/* job.c - jobs: made and released by the core, run by a worker. */
#include "node/job.h"

#include <string.h>

#include "base/mem.h"
#include "node/job_internal.h"

typedef struct owner {
    cs_blob_t blob;
    cs_buf_t bytes;
} owner_t;

static void owner_destroy(cs_blob_t *blob)
{
    owner_t *owner = (owner_t *)blob;
    cs_buf_fini(&owner->bytes);
    cs_free(owner);
}

cs_blob_t *cs_blob_new(cs_buf_t *bytes_p)
{
    owner_t *owner = cs_calloc(1, sizeof *owner);
    owner->bytes = *bytes_p;
    *bytes_p = (cs_buf_t){0};
    owner->blob = (cs_blob_t){cs_buf_slice(&owner->bytes), 1, owner_destroy};
    return &owner->blob;
}

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
    job->err = CS_ERR_AGAIN; /* until it has run */
    return job;
}

static void part_fini(cs_job_part_t *part)
{
    cs_free(part->names);
    cs_free(part->offsets);
    cs_free(part->lens);
    cs_blob_unref(&part->blob);
}

static void serve_fini(cs_job_serve_t *serve)
{
    cs_free(serve->contents);
    cs_free(serve->names);
    cs_free(serve->offsets);
    cs_free(serve->lens);
    for (size_t i = 0; i < serve->payload_count; i++) {
        cs_buf_fini(&serve->payloads[i].bytes);
    }
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
        for (size_t i = 0; i < job->u.scan.path_count; i++) {
            cs_str_unref(&job->u.scan.paths[i]);
        }
        cs_free(job->u.scan.paths);
        cs_troubles_fini(&job->u.scan.troubles);
        cs_free(job->u.scan.found);
        cs_free(job->u.scan.missed);
        for (size_t i = 0; i < job->u.scan.took_count; i++) {
            cs_str_unref(&job->u.scan.took[i].path);
        }
        cs_free(job->u.scan.took);
        break;
    case CS_JOB_APPLY:
        cs_steps_fini(&job->u.apply);
        break;
    case CS_JOB_STAGE:
        for (size_t i = 0; i < job->u.stage.len; i++) {
            cs_blob_unref(&job->u.stage.item[i].blob);
        }
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

static void run_stage(cs_job_t *job, const cs_job_env_t *env)
{
    cs_fs_t *fs = env->fs;
    fs->ops->hold(fs, true);
    for (size_t i = 0; i < job->u.stage.len; i++) {
        cs_job_item_t *item = &job->u.stage.item[i];
        item->dress.mode = cs_mode_on_disk(fs, job->modes, item->dress.mode);
        item->err = cs_stage_small(fs, &item->content, item->bytes,
                                   item->is_awaited ? &item->dress : NULL);
    }
    fs->ops->hold(fs, false);
}

void cs_job_run(cs_job_t *job, const cs_job_env_t *env)
{
    job->err = CS_OK;
    switch (job->kind) {
    case CS_JOB_SCAN:
        cs__job_run_scan(job, env);
        break;
    case CS_JOB_APPLY:
        cs__job_run_apply(job, env);
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
