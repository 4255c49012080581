/* pool_threads_main.c - the pool and its gates under the thread sanitizer (preset tsan), which
 * cannot run inside Criterion: many small jobs, stopped in the middle. */
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/pool.h"

#define ROUNDS 20u
#define JOBS   200u

typedef struct tally {
    cs_pool_t *pool;
    cs_gate_t *gate;
    atomic_uint ran;
    unsigned posts, done;
} tally_t;

static void on_post(void *arg)
{
    tally_t *tally = arg;
    tally->posts++;
    cs_gate_add(tally->gate, 1);
}

static void run(void *arg)
{
    tally_t *tally = arg;
    for (unsigned i = 0; i < 5 && cs_gate_take(tally->gate, tally->pool); i++) {
        cs_pool_post(tally->pool, on_post, tally);
    }
    atomic_fetch_add(&tally->ran, 1);
}

static int stop_halfway(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    tally_t *tally = arg;
    return tally->done >= JOBS / 2 ? -1 : 0;
}

static void on_done(void *arg)
{
    tally_t *tally = arg;
    tally->done++;
}

static bool play_round(void)
{
    tally_t tally = {.posts = 0};
    zloop_t *loop = zloop_new();
    tally.pool = cs_pool_new(loop, 4);
    tally.gate = cs_gate_new();
    cs_gate_add(tally.gate, 3);
    for (unsigned i = 0; i < JOBS; i++) {
        cs_pool_submit(tally.pool,
                       &(cs_pool_job_t){.run = run, .done = on_done, .arg = &tally});
    }
    zloop_timer(loop, 1, 0, stop_halfway, &tally);
    zloop_start(loop);
    cs_pool_destroy(&tally.pool);
    cs_gate_destroy(&tally.gate);
    zloop_destroy(&loop);
    if (tally.done == JOBS && atomic_load(&tally.ran) >= JOBS / 2) return true;
    fprintf(stderr, "%u of %u jobs are done\n", tally.done, JOBS);
    return false;
}

int main(void)
{
    zsys_handler_set(NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (!play_round()) return 1;
    }
    printf("%u rounds of %u jobs\n", ROUNDS, JOBS);
    return 0;
}
