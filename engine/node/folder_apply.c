/* folder_apply.c - from pending paths to groups of steps, and from their results to base rows.
 */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "node/folder.h"

void cs_folder_plan_soon(cs_folder_t *folder)
{
    folder->plan_due = true;
    folder->plan_at_ms = 0;
    cs_buf_clear(&folder->cursor);
}

static bool is_staged(void *arg, const cs_content_t *content)
{
    return cs_fetch_is_staged(((cs_folder_t *)arg)->fetch, content);
}

static void need(void *arg, const cs_content_t *content, cs_slice_t path)
{
    cs_folder_t *folder = arg;
    (void)path;
    if (cs_fetch_want(folder->fetch, content, 0) == CS_ERR_AGAIN) folder->wants_full = true;
}

static bool is_busy(void *arg, cs_slice_t path)
{
    const cs_folder_t *folder = arg;
    for (size_t i = 0; i < folder->busy_count; i++) {
        cs_slice_t busy = cs_slice_str(folder->busy[i]);
        if (cs_slice_eq(busy, path) || cs_path_is_below(path, busy)) return true;
    }
    return false;
}

bool cs_folder_start_apply(cs_folder_t *folder)
{
    if (!folder->plan_due || folder->plan_at_ms > folder->now_ms) return false;

    cs_steps_t steps = {0};
    cs_plan_query_t query = {.arg = folder, .staged = is_staged, .need = need};
    folder->wants_full = false;
    cs_err_t err = cs_plan(folder->replica, &query, CS_PLAN_PATHS_MAX, is_busy, folder,
                           &folder->cursor, &steps);
    if (err != CS_OK) {
        cs_folder_note(folder, "plan.error", cs_slice_text(""), err);
        folder->err = err;
        folder->retry_at_ms = folder->now_ms + CS_RETRY_MS;
        cs_steps_fini(&steps);
        return false;
    }
    if (steps.len == 0) {
        /* Nothing can be done here: look further, unless all room for wants is taken. */
        folder->plan_due = folder->cursor.len > 0 && !folder->wants_full;
        if (!folder->plan_due) cs_buf_clear(&folder->cursor);
        cs_steps_fini(&steps);
        return false;
    }
    cs_job_t *job = cs_folder_job(folder, CS_JOB_APPLY);
    job->u.apply = steps;
    folder->disk_job_kind = CS_JOB_APPLY;
    folder->disk_job_id = job->id;
    cs_folder_start(folder, &job);
    return true;
}

/* The user was faster: a scan must see this path before it is planned again. */
static void rescan(void *arg, cs_slice_t path)
{
    cs_folder_t *folder = arg;
    if (folder->busy_count == folder->busy_cap) {
        folder->busy_cap = cs_grow(folder->busy_cap, folder->busy_count + 1);
        folder->busy = cs_realloc_array(folder->busy, folder->busy_cap, sizeof *folder->busy);
    }
    folder->busy[folder->busy_count++] = cs_str_new(path.data, path.len);
    cs_folder_want_scan(folder, &path, 1, false, 0);
}

void cs_folder_performed(cs_folder_t *folder, cs_job_t *job)
{
    cs_steps_t *steps = &job->u.apply;
    if (job->err != CS_OK) {
        if (folder->err != job->err)
            cs_folder_note(folder, "folder.error", cs_slice_text(""), job->err);
        folder->err = job->err;
        folder->retry_at_ms = folder->now_ms + CS_RETRY_MS;
        return;
    }
    cs_record(folder->replica, steps, rescan, folder);
    bool progress = false;
    for (size_t i = 0; i < steps->len; i++) {
        cs_step_t *step = &steps->item[i];
        if (step->err == CS_OK) {
            progress = true;
            if (step->kind == CS_STEP_WRITE) cs_fetch_used(folder->fetch, &step->item.content);
        } else if (step->err != CS_ERR_CHANGED) {
            cs_folder_note(folder, "apply.failed", cs_slice_str(step->item.path), step->err);
            folder->retry_at_ms = folder->now_ms + CS_RETRY_MS;
        }
    }
    folder->apply_stage = folder->staged + 1; /* the rows go with the next stage */
    if (progress) cs_folder_plan_soon(folder);
}
