/* pool_test.c - what the worker pool and the store thread promise the reactor. */
#include <criterion/criterion.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "io/pool.h"
#include "io/store_thread.h"
#include "sim/mem_store.h"

#define JOBS     500u
#define GUARD_MS 20000 /* a loop that has not ended by then is a failure */

typedef struct scene {
    zloop_t *loop;
    cs_pool_t *pool;
    cs_gate_t *gate;
    pthread_t reactor;
    atomic_uint run;
    unsigned done, expected;
    unsigned posts[JOBS]; /* per job, in order */
    bool ordered;
} scene_t;

typedef struct task {
    scene_t *scene;
    unsigned index;
} task_t;

static int on_guard(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    (void)arg;
    cr_assert_fail("the loop was not ended in time");
    return -1;
}

static int on_check(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    scene_t *scene = arg;
    return scene->done >= scene->expected ? -1 : 0;
}

static void run_until_done(scene_t *scene)
{
    int check = zloop_timer(scene->loop, 1, 0, on_check, scene);
    int guard = zloop_timer(scene->loop, GUARD_MS, 1, on_guard, NULL);
    zloop_start(scene->loop);
    zloop_timer_end(scene->loop, check);
    zloop_timer_end(scene->loop, guard);
}

static void scene_begin(scene_t *scene, size_t threads)
{
    *scene = (scene_t){.reactor = pthread_self(), .ordered = true};
    zsys_handler_set(NULL);
    scene->loop = zloop_new();
    scene->pool = cs_pool_new(scene->loop, threads);
    scene->gate = cs_gate_new();
}

static void scene_end(scene_t *scene)
{
    cs_pool_destroy(&scene->pool);
    cs_gate_destroy(&scene->gate);
    zloop_destroy(&scene->loop);
}

static void submit(scene_t *scene, unsigned index, void (*run)(void *arg),
                   void (*done)(void *arg))
{
    task_t *task = cs_malloc(sizeof *task);
    *task = (task_t){.scene = scene, .index = index};
    cs_pool_submit(scene->pool, &(cs_pool_job_t){.run = run, .done = done, .arg = task});
}

static void count_post(void *arg)
{
    task_t *task = arg;
    task->scene->ordered &= pthread_equal(pthread_self(), task->scene->reactor) != 0;
    task->scene->posts[task->index]++;
}

static void run_with_posts(void *arg)
{
    task_t *task = arg;
    cr_assert(!pthread_equal(pthread_self(), task->scene->reactor));
    for (unsigned i = 0; i < 3; i++) {
        cs_pool_post(task->scene->pool, count_post, task);
    }
    atomic_fetch_add(&task->scene->run, 1);
}

static void done_after_posts(void *arg)
{
    task_t *task = arg;
    task->scene->ordered &= task->scene->posts[task->index] == 3;
    task->scene->done++;
    cs_free(task);
}

Test(pool, every_job_runs_in_a_worker_and_is_done_on_the_reactor_after_its_posts)
{
    scene_t scene;
    scene_begin(&scene, 3);
    scene.expected = JOBS;
    for (unsigned i = 0; i < JOBS; i++) {
        submit(&scene, i, run_with_posts, done_after_posts);
    }
    run_until_done(&scene);
    cr_assert(scene.ordered);
    cr_assert_eq(atomic_load(&scene.run), JOBS);
    cr_assert_eq(scene.done, JOBS);
    scene_end(&scene);
}

static void run_until_stopping(void *arg)
{
    task_t *task = arg;
    atomic_fetch_add(&task->scene->run, 1);
    cr_assert_not(cs_gate_take(task->scene->gate, task->scene->pool));
    cr_assert(cs_pool_is_stopping(task->scene->pool));
}

static void just_done(void *arg)
{
    task_t *task = arg;
    task->scene->done++;
    cs_free(task);
}

static void done_and_submit(void *arg)
{
    task_t *task = arg;
    if (task->index > 0) submit(task->scene, 0, run_until_stopping, just_done);
    just_done(task);
}

Test(pool, destroy_waits_for_running_jobs_and_ends_all)
{
    scene_t scene;
    scene_begin(&scene, 2);
    for (unsigned i = 0; i < 10; i++) {
        submit(&scene, i, run_until_stopping, done_and_submit);
    }
    while (atomic_load(&scene.run) < 2) {
        continue; /* both workers are in their jobs, or will be */
    }
    cs_pool_destroy(&scene.pool);
    cr_assert_eq(scene.done, 10 + 9);
    cr_assert_eq(atomic_load(&scene.run), 2, "queued jobs are not run");
    scene_end(&scene);
}

static void run_gated(void *arg)
{
    task_t *task = arg;
    for (unsigned i = 0; i < 100; i++) {
        cr_assert(cs_gate_take(task->scene->gate, task->scene->pool));
        atomic_fetch_add(&task->scene->run, 1);
        cs_pool_post(task->scene->pool, count_post, task);
    }
}

static int on_credit(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    scene_t *scene = arg;
    cr_assert_leq(scene->posts[0], 100);
    cs_gate_add(scene->gate, 7);
    return 0;
}

Test(pool, a_gate_lets_a_worker_run_no_further_than_its_credits)
{
    scene_t scene;
    scene_begin(&scene, 1);
    scene.expected = 1;
    submit(&scene, 0, run_gated, just_done);
    cs_gate_add(scene.gate, 5);
    while (atomic_load(&scene.run) < 5) {
        continue;
    }
    cr_assert_eq(atomic_load(&scene.run), 5);
    int timer = zloop_timer(scene.loop, 1, 0, on_credit, &scene);
    run_until_done(&scene);
    zloop_timer_end(scene.loop, timer);
    cr_assert_eq(atomic_load(&scene.run), 100);
    cr_assert_eq(scene.posts[0], 100);
    scene_end(&scene);
}

typedef struct ledger {
    scene_t scene;
    cs_mem_disk_t *disk;
    cs_store_t *store;
    cs_store_thread_t *thread;
    uint64_t next_token;
    bool in_order;
    unsigned failed;
} ledger_t;

static void on_written(void *arg, uint32_t folder, uint64_t token, cs_err_t err)
{
    ledger_t *ledger = arg;
    ledger->in_order &= token == ledger->next_token++ && folder == token % 3 &&
                        pthread_equal(pthread_self(), ledger->scene.reactor) != 0;
    ledger->failed += err != CS_OK;
    ledger->scene.done++;
}

static void ledger_begin(ledger_t *ledger)
{
    *ledger = (ledger_t){.in_order = true, .disk = cs_mem_disk_new()};
    ledger->scene.reactor = pthread_self();
    ledger->scene.loop = zloop_new();
    cr_assert_eq(cs_mem_store_open(ledger->disk, &ledger->store), CS_OK);
    ledger->thread = cs_store_thread_new(ledger->scene.loop, ledger->store, on_written, ledger);
}

static void ledger_end(ledger_t *ledger)
{
    cs_store_thread_destroy(&ledger->thread);
    cs_store_close(&ledger->store);
    cs_mem_disk_destroy(&ledger->disk);
    zloop_destroy(&ledger->scene.loop);
}

/* Key "k" gets the token, key of the token gets a byte. */
static void write_token(ledger_t *ledger, uint64_t token)
{
    cs_batch_t batch = {.count = 0};
    cs_batch_put(&batch, cs_slice_text("k"), cs_slice(&token, sizeof token));
    cs_batch_put(&batch, cs_slice(&token, sizeof token), cs_slice_text("x"));
    cs_store_thread_write(ledger->thread, (uint32_t)(token % 3), token, &batch);
    cr_assert_eq(batch.ops.data, NULL);
    cr_assert_eq(batch.count, 0);
}

static void expect_stored(ledger_t *ledger, uint64_t tokens)
{
    cs_buf_t value = {0};
    for (uint64_t token = 0; token < tokens; token++) {
        cr_assert_eq(cs_store_get(ledger->store, NULL, cs_slice(&token, sizeof token), &value),
                     CS_OK);
    }
    cr_assert_eq(cs_store_get(ledger->store, NULL, cs_slice_text("k"), &value), CS_OK);
    uint64_t last = tokens - 1;
    cr_assert(cs_slice_eq(cs_buf_slice(&value), cs_slice(&last, sizeof last)));
    cs_buf_fini(&value);
}

Test(store_thread, batches_are_written_and_answered_in_order)
{
    ledger_t ledger;
    ledger_begin(&ledger);
    ledger.scene.expected = JOBS;
    for (uint64_t token = 0; token < JOBS; token++) {
        write_token(&ledger, token);
    }
    run_until_done(&ledger.scene);
    cr_assert(ledger.in_order);
    cr_assert_eq(ledger.failed, 0);
    cs_mem_disk_crash(ledger.disk, 0); /* answered is durable */
    expect_stored(&ledger, JOBS);
    ledger_end(&ledger);
}

Test(store_thread, destroy_finishes_what_was_handed_over)
{
    ledger_t ledger;
    ledger_begin(&ledger);
    for (uint64_t token = 0; token < 50; token++) {
        write_token(&ledger, token);
    }
    cs_store_thread_destroy(&ledger.thread);
    cr_assert_eq(ledger.scene.done, 50);
    cr_assert(ledger.in_order);
    expect_stored(&ledger, 50);
    ledger_end(&ledger);
}

Test(store_thread, after_a_failure_nothing_more_is_written)
{
    ledger_t ledger;
    ledger_begin(&ledger);
    ledger.scene.expected = 1;
    write_token(&ledger, 0);
    run_until_done(&ledger.scene);
    cs_mem_disk_fail_writes(ledger.disk, 0, CS_ERR_NOSPACE);
    for (uint64_t token = 1; token < 20; token++) {
        write_token(&ledger, token);
    }
    ledger.scene.expected = 20;
    run_until_done(&ledger.scene);
    cr_assert_eq(ledger.failed, 19);
    cr_assert(ledger.in_order);
    expect_stored(&ledger, 1);
    ledger_end(&ledger);
}
