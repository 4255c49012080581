/* folder_apply.c - from pending paths to groups of steps, and from their results to base rows.
 */
#include <string.h>

#include "base/mem.h"
#include "base/mutation.h"
#include "base/path.h"
#include "node/folder.h"

/* Planning is of two kinds. A pass goes through the pending paths in windows: it yields the
 * steps that need nothing from elsewhere, and asks for contents. When those are staged, their
 * paths are planned by name, in groups; until then they are parked, and passes leave them out
 * unless they are thorough. So a path is looked at about twice, however many are pending. */

void cs_folder_plan_more(cs_folder_t *folder)
{
    folder->again = true;
    folder->all_seen = false;
    uint64_t at_ms = folder->now_ms;
    if (folder->pass_at_ms > at_ms && folder->plan_due) return;
    if (folder->rest_until_ms > at_ms) at_ms = folder->rest_until_ms;
    folder->pass_at_ms = at_ms;
    folder->plan_due = true;
}

void cs_folder_plan_soon(cs_folder_t *folder)
{
    folder->thorough_due = true;
    cs_folder_plan_more(folder);
}

void cs_folder_plan_fini(cs_folder_t *folder)
{
    cs_omap_fini(&folder->awaited, NULL);
    cs_omap_fini(&folder->heard, NULL);
    cs_folder_vain_fini(folder);
    cs_omap_fini(&folder->ignored, NULL);
    cs_omap_fini(&folder->stuck, NULL);
    cs_omap_fini(&folder->refused, NULL);
    for (size_t i = 0; i < folder->ready_count; i++) {
        cs_str_unref(&folder->ready[i]);
    }
    cs_free(folder->ready);
    cs_buf_fini(&folder->cursor);
    cs_buf_fini(&folder->scratch);
    cs_buf_fini(&folder->pause_at);
}

static bool is_staged(void *arg, const cs_content_t *content)
{
    return cs_fetch_is_staged(((cs_folder_t *)arg)->fetch, content);
}

/* Paths that a worker found to be ignored here. Their rows stay pending: rules may change. */
static bool is_ignored(void *arg, cs_slice_t path)
{
    return cs_omap_find(&((cs_folder_t *)arg)->ignored, path) != NULL;
}

bool cs_folder_has_pending(cs_folder_t *folder)
{
    cs_buf_t from = {0};
    bool found = false;
    while (cs_replica_pending(folder->replica, cs_buf_slice(&from), &folder->scratch)) {
        found = !is_ignored(folder, cs_buf_slice(&folder->scratch));
        if (found) break;
        cs_buf_clear(&from);
        cs_buf_put_slice(&from, cs_buf_slice(&folder->scratch));
        cs_buf_put_u8(&from, 0);
    }
    cs_buf_fini(&from);
    return found;
}

bool cs_folder_is_busy(const cs_folder_t *folder, cs_slice_t path)
{
    for (size_t i = 0; i < folder->busy_count; i++) {
        cs_slice_t busy = cs_slice_str(folder->busy[i]);
        if (cs_path_is_within(path, busy)) return true;
    }
    return false;
}

static bool is_busy(void *arg, cs_slice_t path)
{
    return cs_folder_is_busy(arg, path);
}

static void plan_failed(cs_folder_t *folder, cs_err_t err)
{
    if (folder->err != err) cs_folder_note(folder, "plan.error", cs_slice_text(""), err);
    folder->err = err;
    folder->retry_at_ms = folder->now_ms + CS_RETRY_MS;
}

static cs_job_t *job_of(cs_folder_t *folder, cs_steps_t *steps)
{
    cs_job_t *job = cs_folder_job(folder, CS_JOB_APPLY);
    job->u.apply = *steps;
    folder->disk_job_kind = CS_JOB_APPLY;
    folder->disk_job_id = job->id;
    return job;
}

static bool start_steps(cs_folder_t *folder, cs_steps_t *steps)
{
    if (steps->len == 0) {
        cs_steps_fini(steps);
        return false;
    }
    cs_job_t *job = job_of(folder, steps);
    /* What the steps follow from must be known after a crash, or the next scan takes their work
     * for a user's: it goes with the next stage, or is on its way; meanwhile the worker gets
     * ready. What others know does not matter to what is shown, and so does not to the steps.
     */
    bool waits = folder->rows.count > 0 || cs_replica_rows_changed(folder->replica);
    cs_folder_start(folder, &job);
    folder->steps_wait = true;
    folder->steps_stage = folder->staged + waits;
    return true;
}

void cs_folder_release_steps(cs_folder_t *folder)
{
    if (!folder->steps_wait || folder->steps_stage > folder->durable) return;
    folder->steps_wait = false;
    cs_effects_add(folder->fx, CS_FX_CREDIT)->token = folder->disk_job_id;
}

static bool plan_ready(cs_folder_t *folder, const cs_plan_query_t *query)
{
    cs_steps_t steps = {0};
    size_t looked = 0;
    cs_err_t err = cs_plan_paths(folder->replica, query, folder->ready, folder->ready_count,
                                 &looked, &steps);
    for (size_t i = 0; i < looked; i++) {
        cs_str_unref(&folder->ready[i]);
    }
    folder->ready_count -= looked;
    memmove(folder->ready, folder->ready + looked, folder->ready_count * sizeof(cs_str_t *));
    folder->ready_at_ms = folder->ready_count > 0 ? folder->now_ms : 0;
    if (err != CS_OK) {
        plan_failed(folder, err);
        cs_steps_fini(&steps);
        return false;
    }
    return start_steps(folder, &steps);
}

/* A pass that found much is not begun again at once: it costs about 10 us a path. */
static void end_pass(cs_folder_t *folder)
{
    if (folder->thorough) {
        cs_fetch_sweep(folder->fetch); /* what no path of the whole pass asked for */
    }
    folder->all_seen = folder->thorough && !folder->again;
    /* Where other bytes are wanted now, some on their way may not be. */
    if (cs_replica_parked_changed(folder->replica)) folder->thorough_due = true;
    folder->rest_until_ms = folder->now_ms + folder->pass_size / CS_PASS_PATHS_PER_MS;
    folder->pass_size = 0;
    folder->plan_due = folder->again || folder->thorough_due;
    folder->again = false;
    folder->pass_at_ms = folder->rest_until_ms;
}

/* A thorough one will see all there is now: what waits for contents is noted anew. */
static void begin_pass(cs_folder_t *folder)
{
    folder->again = folder->large_full = false;
    folder->thorough = folder->thorough_due && !folder->refill;
    folder->refill = false;
    if (!folder->thorough) return;
    folder->thorough_due = false;
    /* Many of them may be no one's business any more; those that are fail again. */
    if (folder->stuck.len >= CS_STUCK_MAX) cs_omap_fini(&folder->stuck, NULL);
    cs_replica_unpark_all(folder->replica);
    cs_fetch_mark(folder->fetch);
    cs_omap_fini(&folder->awaited, NULL);
}

static bool plan_pass(cs_folder_t *folder, const cs_plan_query_t *query)
{
    cs_steps_t steps = {0};
    folder->wants_full = false;
    if (folder->cursor.len == 0) begin_pass(folder);
    cs_err_t err = cs_plan(folder->replica, query, CS_PLAN_PATHS_MAX, &folder->cursor, &steps);
    if (err != CS_OK) {
        plan_failed(folder, err);
        cs_steps_fini(&steps);
        return false;
    }
    folder->pass_size += steps.len;
    if (folder->wants_full) {
        cs_buf_clear(&folder->cursor);
        cs_buf_put_slice(&folder->cursor, cs_buf_slice(&folder->pause_at));
        folder->plan_due = false;
    } else if (folder->cursor.len == 0) {
        end_pass(folder);
    }
    return start_steps(folder, &steps);
}

/* All that is wanted is what nobody has: perhaps no path needs it any more. */
static bool has_doubtful_wants(const cs_folder_t *folder)
{
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    return !folder->all_seen && stats.wants > 0 && stats.wants == stats.sleeping;
}

/* What is asked for is soon here: unless more is, the link stands still while names change. */
static bool runs_dry(const cs_folder_t *folder)
{
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    return stats.wants - stats.sleeping < CS_GROUP_FILES_MAX;
}

static bool pass_is_due(const cs_folder_t *folder)
{
    return folder->plan_due && folder->pass_at_ms <= folder->now_ms;
}

bool cs_folder_start_apply(cs_folder_t *folder)
{
    cs_plan_query_t query = {.arg = folder,
                             .staged = is_staged,
                             .need = cs_folder_need,
                             .needs_max = cs_fetch_room(folder->fetch) + 1,
                             .ignored = is_ignored,
                             .busy = is_busy};
    bool ready = folder->ready_count > 0 && folder->ready_at_ms <= folder->now_ms;
    if (ready) cs_folder_go_on_if_room(folder);
    if (ready && pass_is_due(folder) && runs_dry(folder) && plan_pass(folder, &query)) {
        return true;
    }
    if (ready && plan_ready(folder, &query)) return true;
    cs_folder_go_on_if_room(folder);
    if (!folder->plan_due && has_doubtful_wants(folder)) cs_folder_plan_soon(folder);
    return pass_is_due(folder) && plan_pass(folder, &query);
}

/* Nothing else is to be done: the trash is emptied further, without any step. */
void cs_folder_start_trim(cs_folder_t *folder)
{
    if (folder->trash.over == 0) return;
    cs_steps_t none = {0};
    cs_job_t *job = job_of(folder, &none);
    cs_folder_start(folder, &job);
}

/* The user was faster: a scan must see this path before it is planned again. */
static void rescan(void *arg, cs_slice_t path)
{
    cs_folder_t *folder = arg;
    if (folder->busy_count == folder->busy_cap) {
        folder->busy_cap = cs_grow(folder->busy_cap, folder->busy_count + 1);
        folder->busy = cs_realloc_array(folder->busy, folder->busy_cap, sizeof(cs_str_t *));
    }
    folder->busy[folder->busy_count++] = cs_str_new(path.data, path.len);
    cs_folder_want_scan(folder, &path, 1, false, 0);
}

/* The disk is as after a crash in the middle of it: what was done is found by a scan. */
static void record_nothing(cs_folder_t *folder)
{
    folder->unsure = true;
    cs_folder_want_scan(folder, NULL, 0, false, 0);
    cs_folder_plan_soon(folder);
}

/* A file that somebody keeps writing to must not keep us busy as well. */
static void rest_after_race(cs_folder_t *folder, bool raced, bool progress)
{
    uint32_t longer_ms = folder->race_ms == 0 ? CS_RACE_MS : 2 * folder->race_ms;
    if (longer_ms > CS_RACE_MAX_MS) longer_ms = CS_RACE_MAX_MS;
    folder->race_ms = raced && !progress ? longer_ms : 0;
    uint64_t until_ms = folder->now_ms + folder->race_ms;
    if (folder->rest_until_ms < until_ms) folder->rest_until_ms = until_ms;
}

static const char *what_was_done(const cs_step_t *step)
{
    bool sibling = step->item.eff != NULL && !cs_str_eq(step->item.path, step->item.eff);
    switch (step->kind) {
    case CS_STEP_WRITE:
        return sibling ? "conflict" : "file.written";
    case CS_STEP_MOVE:
        return sibling ? "conflict" : "file.moved";
    case CS_STEP_DELETE:
        return "file.deleted";
    case CS_STEP_CHMOD:
        return "file.mode";
    case CS_STEP_MKDIR:
        return "dir.made";
    case CS_STEP_RMDIR:
        return "dir.removed";
    case CS_STEP_VERIFY:
        return NULL;
    }
    return "";
}

static void tell_done(cs_folder_t *folder, const cs_step_t *step)
{
    const char *what = what_was_done(step);
    if (what == NULL) return;
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_NOTE);
    effect->folder = folder->config.number;
    effect->note = CS_NOTE_PATH;
    effect->text = what;
    effect->path = cs_str_ref(step->item.path);
}

/* What came of a group of steps. */
typedef struct outcome {
    bool progress, raced;
    bool idle; /* a directory that cannot go, or went, for what nobody has scanned yet */
} outcome_t;

static void take_result(cs_folder_t *folder, const cs_step_t *step, outcome_t *outcome)
{
    cs_slice_t path = cs_slice_str(step->item.path);
    /* Someone cleared .crdtsync/tmp: the bytes have to come again. */
    bool lost =
        step->kind == CS_STEP_WRITE && step->from == NULL && step->err == CS_ERR_NOT_FOUND;
    if (step->err == CS_OK && step->idle && !CS_MUT(IDLE_RMDIR)) {
        outcome->raced = outcome->idle = true;
    } else if (step->err == CS_OK || lost) {
        outcome->progress = true;
        cs_folder_stuck(folder, path, CS_OK);
        if (step->kind == CS_STEP_WRITE) cs_fetch_used(folder->fetch, &step->item.content);
        if (step->kind == CS_STEP_WRITE && !lost) cs_folder_came(folder, &step->item.content);
        if (!lost) tell_done(folder, step);
    } else if (step->err == CS_ERR_HELD) {
        bool is_new;
        cs_omap_insert(&folder->ignored, path, &is_new);
        outcome->progress = true; /* what it would have met may be met in another way */
    } else if (step->err == CS_ERR_CHANGED) {
        outcome->raced = true;
    } else {
        cs_folder_failed(folder, "apply.failed", path, step->err);
        /* A copy whose source is another file by now: from here on the bytes are what is
         * lacking, and whoever asks why has to hear that. */
        cs_folder_stuck(folder, path, step->err == CS_ERR_AGAIN ? CS_OK : step->err);
        outcome->raced |= step->err == CS_ERR_AGAIN || step->err == CS_ERR_IS_DIR;
    }
}

void cs_folder_performed(cs_folder_t *folder, cs_job_t *job)
{
    cs_steps_t *steps = &job->u.apply;
    folder->trash = job->trash;
    bool is_void = folder->steps_void;
    folder->steps_void = folder->steps_wait = false; /* no name had to change, perhaps */
    if (job->err != CS_OK) {
        if (folder->err != job->err) {
            cs_folder_note(folder, "folder.error", cs_slice_text(""), job->err);
        }
        folder->err = job->err;
        folder->unsure = true;
        folder->retry_at_ms = folder->now_ms + CS_RETRY_MS;
        return;
    }
    if (is_void) {
        record_nothing(folder);
        return;
    }
    cs_record(folder->replica, steps, rescan, folder);
    outcome_t outcome = {0};
    for (size_t i = 0; i < steps->len; i++) {
        const cs_step_t *step = &steps->item[i];
        if (step->kept && cs_fetch_found(folder->fetch, &step->item.content) != CS_OK) {
            cs_folder_note(folder, "apply.kept", cs_slice_str(step->item.path), CS_ERR_AGAIN);
        }
        take_result(folder, step, &outcome);
    }
    cs_folder_tell_news(folder);
    rest_after_race(folder, outcome.raced, outcome.progress);
    folder->rows_stage = folder->staged + 1; /* the rows go with the next stage */
    /* What waited for a name to be free; or for a scan of a directory, ever less often. */
    if (outcome.progress || outcome.idle) cs_folder_plan_more(folder);
}
