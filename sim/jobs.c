/* jobs.c - work on disk: a coroutine each, which gives way between two of its calls. */
#include "base/account.h"
#include "base/mem.h"
#include "sim/coverage.h"
#include "sim/load.h"
#include "sim/world.h"

#define START_MAX_US 1000u
#define PAUSE_MAX_US 1000u /* between two slices */
#define SLICE_CALLS  24u   /* on average */

static void resume_in(cs_sim_job_t *job, uint64_t after_us)
{
    cs_sim_ev_t *ev = cs_sim_push(job->node->sim, CS_SIM_EV_SLICE, after_us);
    ev->node = (uint16_t)job->node->index;
    ev->life = job->node->life;
    ev->job = job;
}

static uint64_t draw(cs_sim_job_t *job, uint64_t bound)
{
    cs_sim_node_t *node = job->node;
    uint64_t who = cs_sim_who(node) + (job->number << 32);
    return cs_sim_draw(node->sim, CS_DRAW_SLICE, who, job->slices++, bound);
}

static const char *kind_name(cs_job_kind_t kind)
{
    static const char *const names[] = {"scan", "apply", "stage", "part", "serve"};
    return names[kind];
}

/* --- within the coroutine */

static bool cancelled(void *arg)
{
    const cs_sim_job_t *job = arg;
    return job->node->dying || job->node->stopping;
}

static bool take_credit(void *arg)
{
    cs_sim_job_t *job = arg;
    while (job->credits == 0 && !cancelled(job)) {
        job->waiting = true;
        cs_coro_yield(job->coro);
    }
    if (cancelled(job)) return false;
    job->credits--;
    return true;
}

static bool emit(void *arg, cs_job_t *cs_job, cs_scan_records_t *records)
{
    cs_sim_job_t *job = arg;
    (void)cs_job;
    if (!take_credit(job)) return false;
    job->node->local = true;
    cs_event_t event = {
        .kind = CS_EV_RECORDS, .folder = CS_SIM_FOLDER, .token = job->id, .records = records};
    cs_sim_node_event(job->node, &event);
    return true;
}

static void run(void *arg)
{
    cs_sim_job_t *job = arg;
    cs_job_env_t env = {.fs = job->node->fs,
                        .store = job->node->store,
                        .snapshot = job->snapshot,
                        .emit = emit,
                        .cancelled = cancelled,
                        .go = take_credit,
                        .arg = job};
    cs_job_run(job->job, &env);
}

static bool act_is_due(const cs_sim_node_t *node)
{
    for (unsigned i = 0; i < node->waiting_count; i++) {
        if (node->waiting[i].call <= node->calls) return true;
    }
    return false;
}

/* One call in five fails while the disk does. */
static cs_err_t failing(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    if (node->fail_us <= sim->now_us || sim->fair) return CS_OK;
    return cs_sim_draw(sim, CS_DRAW_CALL, node->index, node->calls, 5) == 0 ? CS_ERR_IO : CS_OK;
}

/* Without RENAME_EXCHANGE: who renames over the path after apply's last look loses his file
 * (core.md 5.6; `doctor` says so). Nothing happens in that moment. */
static bool is_weak(const cs_sim_node_t *node, const cs_mem_call_t *call)
{
    return call->kind == CS_MEM_RENAME && call->mode == CS_RENAME_REPLACE &&
           (node->sim->options.plain & 1) != 0;
}

cs_err_t cs_sim_gate(void *arg, cs_mem_call_t *call)
{
    cs_sim_node_t *node = arg;
    cs_sim_job_t *job = node->running;
    if (node->dying) return CS_ERR_IO;
    node->calls++;
    if (job == NULL || node->stopping) return CS_OK; /* the folder is being made, or left */
    bool yields = job->budget == 0 || act_is_due(node);
    if (yields && !is_weak(node, call)) {
        unsigned account = cs_account_use(CS_ACCOUNT_NONE);
        cs_coro_yield(job->coro);
        (void)cs_account_use(account);
        if (node->dying) return CS_ERR_IO;
    }
    job->budget -= job->budget > 0;
    return failing(node);
}

/* --- outside of it */

void cs_sim_job_start(cs_sim_node_t *node, cs_effect_t *effect)
{
    cs_sim_job_t *job = cs_calloc(1, sizeof *job);
    *job = (cs_sim_job_t){.node = node,
                          .job = effect->job,
                          .id = effect->job->id,
                          .number = node->jobs_made++,
                          .snapshot = cs_store_snapshot(node->store)};
    effect->job = NULL;
    if (job->job->kind == CS_JOB_APPLY) cs_sim_load_applies(node);
    job->coro = cs_coro_new(node->sim->coros, run, job);
    cs_sim_job_t **at = &node->jobs;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = job;
    resume_in(job, draw(job, START_MAX_US));
}

void cs_sim_job_credit(cs_sim_node_t *node, uint64_t id)
{
    for (cs_sim_job_t *job = node->jobs; job != NULL; job = job->next) {
        if (job->id != id) continue;
        job->credits++;
        if (job->waiting) resume_in(job, 0);
        job->waiting = false;
    }
}

static void unlink_job(cs_sim_job_t *job)
{
    cs_sim_job_t **at = &job->node->jobs;
    while (*at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
}

static bool goes_on(cs_sim_job_t *job)
{
    cs_sim_node_t *node = job->node;
    node->running = job;
    job->begun = true;
    unsigned was = cs_account_use(CS_SIM_ACCOUNT(node));
    bool more = cs_coro_resume(job->coro);
    (void)cs_account_use(was);
    node->running = NULL;
    cs_sim_load_memory(node);
    return more;
}

/* The root is opened anew once it rests, as the product does: what was mounted or not may have
 * changed. */
static cs_err_t open_fs(cs_sim_node_t *node)
{
    cs_mem_gate_t gate = {.ask = cs_sim_gate, .arg = node};
    if (node->fs != NULL) return CS_OK;
    cs_err_t err = cs_mem_fs_open(node->volume, &gate, &node->fs);
    if (err == CS_OK) cs_sim_load_disk(node->fs);
    return err;
}

static void close_fs(cs_sim_node_t *node)
{
    for (const cs_sim_job_t *job = node->jobs; job != NULL; job = job->next) {
        if (job->begun) return;
    }
    if (node->fs != NULL) node->fs->ops->close_fs(&node->fs);
}

static void end(cs_sim_job_t *job)
{
    cs_sim_node_t *node = job->node;
    unlink_job(job);
    close_fs(node);
    cs_coro_release(&job->coro);
    cs_store_release(node->store, &job->snapshot);
    cs_sim_line(node->sim, node->index, "ran %s: %s", kind_name(job->job->kind),
                cs_err_name(job->job->err));
    cs_trace_event(&node->sim->trace, 6, node->sim->now_us, node->index, job->job->kind);
    if (job->job->kind == CS_JOB_SCAN) node->local = true;
    if (job->job->kind == CS_JOB_SCAN && node->sim->setup.coverage != NULL) {
        cs_coverage_scanned(node->sim->setup.coverage, node);
    }
    cs_event_t event = {.kind = CS_EV_JOB_DONE, .folder = CS_SIM_FOLDER, .job = job->job};
    cs_free(job);
    cs_sim_node_event(node, &event);
}

void cs_sim_job_slice(cs_sim_job_t *job)
{
    cs_sim_node_t *node = job->node;
    job->budget = 1 + (uint32_t)draw(job, (uint64_t)2 * SLICE_CALLS);
    cs_sim_node_set_clock(node);
    job->job->err = job->begun ? job->job->err : open_fs(node);
    if (node->fs == NULL || !goes_on(job)) {
        end(job);
        return;
    }
    if (!job->waiting) resume_in(job, act_is_due(node) ? 0 : draw(job, PAUSE_MAX_US));
    if (act_is_due(node)) cs_sim_act_waiting(node, false);
}

/* A worker that ends takes no more of them: what was not begun comes back as it went. */
static void finish(cs_sim_job_t *job)
{
    if (job->begun) {
        while (goes_on(job)) {
        }
    } else {
        job->job->err = CS_ERR_AGAIN;
    }
    end(job);
}

static void abandon(cs_sim_job_t *job)
{
    if (job->begun) {
        while (goes_on(job)) {
        }
        cs_sim_line(job->node->sim, job->node->index, "dies within %s",
                    kind_name(job->job->kind));
    }
    unlink_job(job);
    close_fs(job->node);
    cs_coro_release(&job->coro);
    cs_store_release(job->node->store, &job->snapshot);
    cs_job_destroy(&job->job);
    cs_free(job);
}

void cs_sim_jobs_end(cs_sim_node_t *node)
{
    CS_ASSERT(node->dying != node->stopping);
    while (node->jobs != NULL) {
        if (node->dying) {
            abandon(node->jobs);
        } else {
            finish(node->jobs);
        }
    }
}
