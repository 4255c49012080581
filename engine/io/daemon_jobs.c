/* daemon_jobs.c - jobs: a folder's root and a snapshot are lent to a worker, and taken back. */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/daemon_shell.h"
#include "io/fs_linux.h"
#include "io/scan_pool.h"
#include "io/threads.h"

/* Records on their way from a worker to the core. */
typedef struct records_post {
    cs_daemon_t *daemon;
    uint64_t job_id;
    uint32_t folder;
    cs_scan_records_t records;
} records_post_t;

static void deliver_records(void *arg)
{
    records_post_t *post = arg;
    cs__watch_records(post->daemon, post->folder, &post->records);
    cs_event_t event = {
        .kind = CS_EV_RECORDS,
        .folder = post->folder,
        .token = post->job_id,
        .records = &post->records,
    };
    cs_daemon_step(post->daemon, &event);
    cs_scan_records_fini(&post->records);
    cs_free(post);
}

static bool emit(void *arg, cs_job_t *job, cs_scan_records_t *records)
{
    cs_shell_job_t *shell_job = arg;
    cs_pool_t *pool = shell_job->daemon->shell->pool;
    if (!cs_gate_take(shell_job->gate, pool)) return false;
    records_post_t *post = cs_calloc(1, sizeof *post);
    *post = (records_post_t){shell_job->daemon, shell_job->id, job->folder, *records};
    *records = (cs_scan_records_t){0};
    cs_pool_post(pool, deliver_records, post);
    return true;
}

static bool cancelled(void *arg)
{
    const cs_shell_job_t *shell_job = arg;
    return atomic_load(&shell_job->cancelled) ||
           cs_pool_is_stopping(shell_job->daemon->shell->pool);
}

static bool go(void *arg)
{
    cs_shell_job_t *shell_job = arg;
    return cs_gate_take(shell_job->gate, shell_job->daemon->shell->pool) &&
           !cancelled(shell_job);
}

static void looked(void *arg)
{
    cs_shell_job_t *shell_job = arg;
    atomic_fetch_add_explicit(&shell_job->looked, 1, memory_order_relaxed);
}

/* What a scan that nobody waits for asks of the disk comes after all else, in this thread and
 * those that it starts. Which schedulers heed it, and how, is theirs. */
#define IO_WHO_THREAD 1
#define IO_LAST \
    (2 << 13 | 7) /* best effort, the last of it: others go first, none waits for ever */
#define IO_DEFAULT 0

static void set_disk_priority(int priority)
{
    (void)syscall(SYS_ioprio_set, IO_WHO_THREAD, 0, priority); /* else it is as any other */
}

static void run(void *arg)
{
    cs_shell_job_t *shell_job = arg;
    if (shell_job->fs == NULL) {
        shell_job->job->err = shell_job->fs_err;
        return;
    }
    cs_job_env_t env = {
        .fs = shell_job->fs,
        .store = shell_job->daemon->store,
        .snapshot = shell_job->snapshot,
        .emit = emit,
        .cancelled = cancelled,
        .go = go,
        .scan = cs_scan_pool_auto,
        .all = cs_all_on_threads,
        .looked = looked,
        .arg = shell_job,
    };
    const cs_job_t *job = shell_job->job;
    bool background = job->kind == CS_JOB_SCAN && job->u.scan.background;
    if (background) set_disk_priority(IO_LAST);
    cs_job_run(shell_job->job, &env);
    if (background) set_disk_priority(IO_DEFAULT);
}

/* The root is opened anew once it rests: an idle folder can be unmounted, and a replaced root
 * is seen. */
static void return_fs(cs_daemon_t *daemon, cs_shell_job_t *shell_job)
{
    if (shell_job->fs == NULL) return;
    for (size_t i = 0; i < daemon->folder_count; i++) {
        cs_mounted_t *folder = &daemon->folders[i];
        if (folder->fs != shell_job->fs) continue;
        if (--folder->fs_users == 0) folder->fs->ops->close_fs(&folder->fs);
        return;
    }
}

static void done(void *arg)
{
    cs_shell_job_t *shell_job = arg;
    cs_daemon_t *daemon = shell_job->daemon;
    cs_shell_job_t **at = &daemon->shell->jobs;
    while (*at != shell_job) {
        at = &(*at)->next;
    }
    *at = shell_job->next;

    return_fs(daemon, shell_job);
    cs__watch_job_done(daemon, shell_job->job);
    cs_store_release(daemon->store, &shell_job->snapshot);
    if (shell_job->gate != NULL) cs_gate_destroy(&shell_job->gate);
    cs_event_t event = {
        .kind = CS_EV_JOB_DONE, .folder = shell_job->job->folder, .job = shell_job->job};
    cs_free(shell_job);
    cs_daemon_step(daemon, &event);
    cs__daemon_works(daemon);
}

static void borrow_fs(cs_daemon_t *daemon, cs_shell_job_t *shell_job)
{
    for (size_t i = 0; i < daemon->folder_count; i++) {
        cs_mounted_t *folder = &daemon->folders[i];
        if (folder->record.number != shell_job->job->folder) continue;
        if (folder->fs == NULL) {
            shell_job->fs_err =
                cs_fs_linux_open_known(folder->record.path, &folder->fs_known, &folder->fs);
        }
        shell_job->fs = folder->fs;
        if (folder->fs != NULL) folder->fs_users++;
        /* No directory there is what an unmounted folder looks like. */
        bool gone =
            shell_job->fs_err == CS_ERR_NOT_FOUND || shell_job->fs_err == CS_ERR_NOT_DIR;
        if (gone) shell_job->fs_err = CS_ERR_NOT_MOUNTED;
        return;
    }
    shell_job->fs_err = CS_ERR_NOT_FOUND;
}

void cs__daemon_start_job(cs_daemon_t *daemon, cs_effect_t *effect)
{
    cs_shell_job_t *shell_job = cs_calloc(1, sizeof *shell_job);
    shell_job->daemon = daemon;
    shell_job->job = effect->job;
    shell_job->id = effect->job->id;
    shell_job->folder = effect->job->folder;
    effect->job = NULL;
    borrow_fs(daemon, shell_job);
    cs__watch_job(daemon, shell_job->job);
    shell_job->snapshot = cs_store_snapshot(daemon->store);
    cs_job_kind_t kind = shell_job->job->kind;
    if (kind == CS_JOB_SCAN || kind == CS_JOB_APPLY) shell_job->gate = cs_gate_new();
    shell_job->next = daemon->shell->jobs;
    daemon->shell->jobs = shell_job;

    cs_pool_job_t job = {.run = run, .done = done, .arg = shell_job};
    cs_pool_submit(daemon->shell->pool, &job);
    cs__daemon_works(daemon); /* a scan may take minutes */
}

void cs__daemon_cancel_jobs(cs_daemon_t *daemon, uint32_t folder)
{
    for (cs_shell_job_t *job = daemon->shell->jobs; job != NULL; job = job->next) {
        if (job->folder != folder) continue;
        atomic_store(&job->cancelled, true);
        if (job->gate != NULL) cs_gate_add(job->gate, 1); /* who waits there looks up */
    }
}

void cs__daemon_job_credit(cs_daemon_t *daemon, uint64_t job_id)
{
    for (cs_shell_job_t *job = daemon->shell->jobs; job != NULL; job = job->next) {
        if (job->id == job_id && job->gate != NULL) cs_gate_add(job->gate, 1);
    }
}

void cs__daemon_cancel_job(cs_daemon_t *daemon, uint64_t job_id)
{
    for (cs_shell_job_t *job = daemon->shell->jobs; job != NULL; job = job->next) {
        if (job->id == job_id) atomic_store(&job->cancelled, true);
    }
}

bool cs__daemon_scan_looked(const cs_daemon_t *daemon, uint32_t folder, uint64_t *ret)
{
    for (cs_shell_job_t *job = daemon->shell->jobs; job != NULL; job = job->next) {
        /* What a running job consists of is the worker's, but for its kind. */
        if (job->job->kind != CS_JOB_SCAN || job->folder != folder) continue;
        *ret = atomic_load_explicit(&job->looked, memory_order_relaxed);
        return true;
    }
    return false;
}
