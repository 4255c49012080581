/* scan_pool.c - a ring of files to hash.
 *
 * One mutex: a file costs several system calls, beside which a lock is nothing. */
#include "io/scan_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "disk/scan_merge.h"
#include "io/hash_ahead.h"
#include "io/threads.h"

#define SLOTS       512u      /* files ahead of the report */
#define WAKE_AT     16u       /* files to hash worth waking a thread for (45 us) */
#define HELPERS_MAX 3u        /* more only wait for the disk */
#define POLL_NS     100000000 /* between looks at `cancelled` while others hash a large file */

typedef enum state { FREE, TO_HASH, HASHING, DONE } state_t;

typedef struct slot {
    state_t state;
    cs_buf_t path; /* owned; kept for the next file */
    cs_candidate_t candidate;
    cs_judgement_t judgement;
    cs_batch_t rows;
} slot_t;

typedef struct scan_pool {
    const cs_scan_config_t *config;
    const cs_scan_sink_t *sink;
    cs_observer_t observer;
    cs_scan_stats_t stats;
    struct worker *own; /* the caller's */
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    slot_t slot[SLOTS];        /* a slot being hashed belongs to its thread */
    uint64_t head, next, tail; /* to report, to hash, to fill; by the lock, as `closed` */
    bool closed;               /* nothing will be added */
    atomic_bool stop;
} scan_pool_t;

typedef struct worker {
    scan_pool_t *pool;
    cs_candidate_reader_t *reader;
    slot_t *slot; /* being hashed */
    pthread_t thread;
} worker_t;

static slot_t *slot_at(scan_pool_t *pool, uint64_t index)
{
    return &pool->slot[index % SLOTS];
}

static void put_row(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_batch_put(&((worker_t *)arg)->slot->rows, key, value);
}

static bool is_stopped(void *arg)
{
    return atomic_load(&((worker_t *)arg)->pool->stop);
}

static void worker_init(worker_t *worker, scan_pool_t *pool)
{
    bool wants_rows = pool->sink->row != NULL;
    worker->pool = pool;
    worker->reader = cs_candidate_reader_new(pool->config, &pool->observer, worker,
                                             wants_rows ? put_row : NULL, is_stopped);
}

/* With the lock held: hash the next file, if there is one. */
static bool hash_next(worker_t *worker)
{
    scan_pool_t *pool = worker->pool;
    while (pool->next < pool->tail && slot_at(pool, pool->next)->state != TO_HASH) {
        pool->next++;
    }
    if (pool->next == pool->tail) return false;
    worker->slot = slot_at(pool, pool->next++);
    worker->slot->state = HASHING;
    pthread_mutex_unlock(&pool->lock);
    cs_candidate_t *candidate = &worker->slot->candidate;
    bool read = !is_stopped(worker) &&
                cs_candidate_reader_run(worker->reader, candidate, &worker->slot->judgement);
    pthread_mutex_lock(&pool->lock);
    if (!read) worker->slot->judgement = (cs_judgement_t){0};
    worker->slot->state = DONE;
    if (worker->slot == slot_at(pool, pool->head)) pthread_cond_signal(&pool->done);
    return true;
}

static void *work(void *arg)
{
    worker_t *worker = arg;
    scan_pool_t *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        if (hash_next(worker)) continue;
        if (pool->closed) break;
        pthread_cond_wait(&pool->work, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static bool poll_cancelled(scan_pool_t *pool)
{
    const cs_scan_sink_t *sink = pool->sink;
    if (sink->cancelled != NULL && sink->cancelled(sink->arg)) atomic_store(&pool->stop, true);
    return atomic_load(&pool->stop);
}

static void unused_delete(void *arg, cs_slice_t key)
{
    (void)arg;
    (void)key;
}

/* With the lock held; the sink is called without it. */
static void report_head(scan_pool_t *pool)
{
    slot_t *slot = slot_at(pool, pool->head);
    const cs_scan_sink_t *sink = pool->sink;
    pthread_mutex_unlock(&pool->lock);
    if (slot->rows.count > 0 && !atomic_load(&pool->stop)) {
        cs_batch_each(&slot->rows, sink->arg, sink->row, unused_delete);
    }
    cs_batch_clear(&slot->rows);
    if (!atomic_load(&pool->stop) &&
        !cs_judgement_report(&slot->judgement, cs_buf_slice(&slot->path), sink, &pool->stats)) {
        atomic_store(&pool->stop, true);
    }
    pthread_mutex_lock(&pool->lock);
    slot->state = FREE;
    pool->head++;
}

static void wait_for_head(scan_pool_t *pool)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += POLL_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_clockwait(&pool->done, &pool->lock, CLOCK_MONOTONIC, &until);
    poll_cancelled(pool);
}

/* With the lock held: report what is done, and help until at most `left` files wait. */
static void drain(scan_pool_t *pool, uint64_t left)
{
    while (pool->head < pool->tail) {
        if (slot_at(pool, pool->head)->state == DONE) {
            report_head(pool);
        } else if (pool->tail - pool->head <= left) {
            return;
        } else if (!hash_next(pool->own)) {
            wait_for_head(pool);
        }
    }
}

/* A slot with the path copied; with the lock held until filled. */
static slot_t *begin_slot(scan_pool_t *pool, cs_slice_t path)
{
    drain(pool, SLOTS - 1);
    slot_t *slot = slot_at(pool, pool->tail);
    cs_buf_clear(&slot->path);
    cs_buf_put_slice(&slot->path, path);
    return slot;
}

static bool on_judged(void *arg, cs_slice_t path, const cs_judgement_t *judgement)
{
    scan_pool_t *pool = arg;
    if (!judgement->sighted && !judgement->troubled) { /* only counted: no order to keep */
        return cs_judgement_report(judgement, path, pool->sink, &pool->stats);
    }
    pthread_mutex_lock(&pool->lock);
    slot_t *slot = begin_slot(pool, path);
    slot->judgement = *judgement;
    slot->judgement.sighting.path = cs_buf_slice(&slot->path);
    slot->state = DONE;
    pool->tail++;
    drain(pool, SLOTS);
    pthread_mutex_unlock(&pool->lock);
    return !atomic_load(&pool->stop);
}

static bool on_candidate(void *arg, const cs_candidate_t *candidate)
{
    scan_pool_t *pool = arg;
    pthread_mutex_lock(&pool->lock);
    slot_t *slot = begin_slot(pool, candidate->path);
    slot->candidate = *candidate;
    slot->candidate.path = cs_buf_slice(&slot->path);
    slot->state = TO_HASH;
    pool->tail++;
    if (pool->tail - pool->next >= WAKE_AT) pthread_cond_signal(&pool->work);
    drain(pool, SLOTS);
    pthread_mutex_unlock(&pool->lock);
    return !atomic_load(&pool->stop);
}

static bool on_cancelled(void *arg)
{
    return poll_cancelled(arg);
}

static cs_err_t merge(scan_pool_t *pool)
{
    const cs_merge_sink_t sink = {
        .arg = pool, .judged = on_judged, .candidate = on_candidate, .cancelled = on_cancelled};
    cs_err_t err = cs_scan_merge(pool->config, &pool->observer, &sink, &pool->stats);
    if (err != CS_OK) atomic_store(&pool->stop, true);
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pthread_cond_broadcast(&pool->work);
    drain(pool, 0);
    pthread_mutex_unlock(&pool->lock);
    return err == CS_OK && atomic_load(&pool->stop) ? CS_ERR_AGAIN : err;
}

static cs_err_t run(scan_pool_t *pool, size_t threads)
{
    worker_t *worker = cs_calloc(threads + 1, sizeof *worker);
    size_t started = 0;
    pool->own = &worker[threads];
    worker_init(pool->own, pool);
    for (; started < threads; started++) { /* fewer than wanted is slower, not wrong */
        worker_init(&worker[started], pool);
        if (pthread_create(&worker[started].thread, NULL, work, &worker[started]) != 0) {
            cs_candidate_reader_destroy(&worker[started].reader);
            break;
        }
    }
    cs_err_t err = merge(pool);
    for (size_t i = 0; i < started; i++) {
        pthread_join(worker[i].thread, NULL);
        cs_candidate_reader_destroy(&worker[i].reader);
    }
    cs_candidate_reader_destroy(&pool->own->reader);
    cs_free(worker);
    return err;
}

cs_err_t cs_scan_pool_run(const cs_scan_config_t *config, const cs_scan_sink_t *sink,
                          size_t threads, cs_scan_stats_t *ret)
{
    if (threads == 0) return cs_scan(config, sink, ret);
    scan_pool_t *pool = cs_calloc(1, sizeof *pool);
    pool->config = config;
    pool->sink = sink;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    cs_err_t err = cs_observer_init(config, &pool->observer);
    if (err == CS_OK) err = run(pool, threads);
    if (err == CS_OK) *ret = pool->stats;
    for (size_t i = 0; i < SLOTS; i++) {
        cs_buf_fini(&pool->slot[i].path);
        cs_batch_fini(&pool->slot[i].rows);
    }
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    cs_free(pool);
    return err;
}

static void pass_tick(void)
{
    struct timespec rest = {.tv_nsec = CS_TICK_NS};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

cs_err_t cs_scan_pool_auto(const cs_scan_config_t *config, const cs_scan_sink_t *sink,
                           cs_scan_stats_t *ret)
{
    size_t helpers = cs_processors() - 1;
    if (helpers > HELPERS_MAX) helpers = HELPERS_MAX;
    cs_scan_config_t scan = *config;
    scan.pass_tick = pass_tick;
    if (helpers > 0) scan.hash_file = cs_file_hash_ahead;
    return cs_scan_pool_run(&scan, sink, config->paths != NULL ? 0 : helpers, ret);
}
