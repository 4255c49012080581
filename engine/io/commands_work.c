/* commands_work.c - answers that need the disk: a worker looks, the reactor says. */
#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/daemon_shell.h"

typedef struct job {
    cs_daemon_t *daemon;
    uint64_t handle; /* of the request; it may be forgotten meanwhile */
    cs_work_t work;
} job_t;

static void submit(job_t *job);

static void job_free(job_t *job)
{
    job->work.state_free(job->work.state);
    cs_free(job);
}

static void run(void *arg)
{
    job_t *job = arg;
    job->work.run(job->work.state);
}

static void done(void *arg)
{
    job_t *job = arg;
    cs_daemon_t *daemon = job->daemon;
    cs_pending_t *pending = cs_pending_find(daemon, job->handle);
    if (pending == NULL || daemon->stopping) {
        job_free(job);
        return;
    }
    cs_ask_t ask = {.daemon = daemon, .reply = pending->reply, .handle = job->handle};
    int exit_code = job->work.finish(&ask, job->work.state);
    if (exit_code == CS_TURN_MORE) {
        submit(job);
    } else if (exit_code == CS_ASK_LATER) {
        job_free(job);
    } else {
        cs_buf_put_u8(&ask.detail, 0);
        job_free(job);
        cs_pending_end(daemon, pending, exit_code, (const char *)ask.detail.data);
    }
    cs_buf_fini(&ask.detail);
}

static void submit(job_t *job)
{
    cs_pool_job_t pool_job = {.run = run, .done = done, .arg = job};
    cs_pool_submit(job->daemon->shell->pool, &pool_job);
}

int cs__ask_work(cs_ask_t *ask, const cs_work_t *work)
{
    job_t *job = cs_calloc(1, sizeof *job);
    *job = (job_t){.daemon = ask->daemon, .work = *work};
    job->handle = cs__ask_pending(ask)->handle;
    submit(job);
    return CS_ASK_LATER;
}
