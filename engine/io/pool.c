/* pool.c - workers that take jobs from one list; the mutex is held for list operations only. */
#include "io/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "io/calls.h"

typedef struct item {
    struct item *next;
    cs_pool_job_t job;
} item_t;

/* A worker in cs_gate_take, on its stack. */
typedef struct waiter {
    struct waiter *next;
    cs_gate_t *gate;
} waiter_t;

struct cs_pool {
    cs_calls_t *calls;
    pthread_t *threads;
    size_t thread_count;
    atomic_bool stopping;
    pthread_mutex_t mutex; /* of everything below */
    pthread_cond_t work;
    item_t *first, **last; /* last: where the next one is hung */
    waiter_t *waiters;
};

struct cs_gate {
    pthread_mutex_t mutex;
    pthread_cond_t raised;
    uint64_t credits;
};

static item_t *pop(cs_pool_t *pool)
{
    item_t *item = pool->first;
    if (item == NULL) return NULL;
    pool->first = item->next;
    if (pool->first == NULL) pool->last = &pool->first;
    return item;
}

static void finish(void *arg)
{
    item_t *item = arg;
    item->job.done(item->job.arg);
    cs_free(item);
}

static void *work(void *arg)
{
    cs_pool_t *pool = arg;
    sigset_t all;
    sigfillset(&all); /* signals are for the main thread */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&pool->mutex);
    while (!atomic_load(&pool->stopping)) {
        item_t *item = pop(pool);
        if (item == NULL) {
            pthread_cond_wait(&pool->work, &pool->mutex);
            continue;
        }
        pthread_mutex_unlock(&pool->mutex);
        item->job.run(item->job.arg);
        cs_calls_post(pool->calls, finish, item);
        pthread_mutex_lock(&pool->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

cs_pool_t *cs_pool_new(zloop_t *loop, size_t threads)
{
    CS_ASSERT(threads >= 1);
    cs_pool_t *pool = cs_calloc(1, sizeof *pool);
    pool->calls = cs_calls_new(loop);
    pool->last = &pool->first;
    atomic_init(&pool->stopping, false);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->threads = cs_calloc(threads, sizeof *pool->threads);
    for (; pool->thread_count < threads; pool->thread_count++) {
        int rc = pthread_create(&pool->threads[pool->thread_count], NULL, work, pool);
        CS_ASSERT(rc == 0); /* as with memory: the machine has none left */
    }
    return pool;
}

static void wake_everybody(cs_pool_t *pool)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->stopping, true);
    pthread_cond_broadcast(&pool->work);
    for (waiter_t *waiter = pool->waiters; waiter != NULL; waiter = waiter->next) {
        /* Taken, so that it comes after the waiter's look at `stopping`, or before its wait. */
        pthread_mutex_lock(&waiter->gate->mutex);
        pthread_cond_broadcast(&waiter->gate->raised);
        pthread_mutex_unlock(&waiter->gate->mutex);
    }
    pthread_mutex_unlock(&pool->mutex);
}

void cs_pool_destroy(cs_pool_t **pool_p)
{
    cs_pool_t *pool = *pool_p;
    if (pool == NULL) return;
    wake_everybody(pool);
    for (size_t i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    cs_calls_make(pool->calls);
    /* What these submit is on the list again, so it ends as well. */
    for (item_t *item; (item = pop(pool)) != NULL;) {
        finish(item);
    }
    cs_calls_destroy(&pool->calls);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    cs_free(pool->threads);
    cs_free(pool);
    *pool_p = NULL;
}

void cs_pool_submit(cs_pool_t *pool, const cs_pool_job_t *job)
{
    item_t *item = cs_malloc(sizeof *item);
    *item = (item_t){.job = *job};
    pthread_mutex_lock(&pool->mutex);
    *pool->last = item;
    pool->last = &item->next;
    pthread_mutex_unlock(&pool->mutex); /* first, or who is woken waits for it */
    pthread_cond_signal(&pool->work);
}

void cs_pool_post(cs_pool_t *pool, void (*call)(void *arg), void *arg)
{
    cs_calls_post(pool->calls, call, arg);
}

bool cs_pool_is_stopping(const cs_pool_t *pool)
{
    return atomic_load(&pool->stopping);
}

cs_gate_t *cs_gate_new(void)
{
    cs_gate_t *gate = cs_calloc(1, sizeof *gate);
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->raised, NULL);
    return gate;
}

void cs_gate_destroy(cs_gate_t **gate_p)
{
    if (*gate_p == NULL) return;
    pthread_cond_destroy(&(*gate_p)->raised);
    pthread_mutex_destroy(&(*gate_p)->mutex);
    cs_free(*gate_p);
    *gate_p = NULL;
}

void cs_gate_add(cs_gate_t *gate, uint32_t credits)
{
    pthread_mutex_lock(&gate->mutex);
    gate->credits += credits;
    pthread_mutex_unlock(&gate->mutex);
    pthread_cond_broadcast(&gate->raised);
}

static void enlist(cs_pool_t *pool, waiter_t *waiter)
{
    pthread_mutex_lock(&pool->mutex);
    waiter->next = pool->waiters;
    pool->waiters = waiter;
    pthread_mutex_unlock(&pool->mutex);
}

static void delist(cs_pool_t *pool, const waiter_t *waiter)
{
    pthread_mutex_lock(&pool->mutex);
    waiter_t **at = &pool->waiters;
    while (*at != waiter) {
        at = &(*at)->next;
    }
    *at = waiter->next;
    pthread_mutex_unlock(&pool->mutex);
}

bool cs_gate_take(cs_gate_t *gate, cs_pool_t *pool)
{
    waiter_t waiter = {.gate = gate};
    enlist(pool, &waiter);
    pthread_mutex_lock(&gate->mutex);
    while (gate->credits == 0 && !atomic_load(&pool->stopping)) {
        pthread_cond_wait(&gate->raised, &gate->mutex);
    }
    bool taken = !atomic_load(&pool->stopping);
    if (taken) gate->credits--;
    pthread_mutex_unlock(&gate->mutex);
    delist(pool, &waiter);
    return taken;
}
