/* pool.h - worker threads for jobs that wait for the disk, and their way back to the reactor.
 *
 * `run` is called in a worker, `done` later on the reactor's thread, from its zloop. Nothing
 * else is shared. Posts of a running job reach the reactor in order, before its `done`.
 * Completions are collected, so that many of them cost one wake-up (45 us). */
#ifndef CS_IO_POOL_H
#define CS_IO_POOL_H

#include <czmq.h>

#include "base/err.h"

typedef struct cs_pool cs_pool_t;

typedef struct cs_pool_job {
    void (*run)(void *arg);
    void (*done)(void *arg);
    void *arg;
} cs_pool_job_t;

/* threads >= 1. The loop must run for `done` to be called. */
cs_pool_t *cs_pool_new(zloop_t *loop, size_t threads);
/* Waits for running jobs; queued ones are not run, but `done` is called for every job, here. */
void cs_pool_destroy(cs_pool_t **pool_p);

void cs_pool_submit(cs_pool_t *pool, const cs_pool_job_t *job); /* from the reactor's thread */
/* From a worker: have call(arg) made on the reactor's thread. */
void cs_pool_post(cs_pool_t *pool, void (*call)(void *arg), void *arg);
/* cs_pool_destroy has begun: jobs should come to an end. Any thread. */
bool cs_pool_is_stopping(const cs_pool_t *pool);

/* A counter that a worker waits on until the reactor raises it: backpressure of a scan. */
typedef struct cs_gate cs_gate_t;
cs_gate_t *cs_gate_new(void);
void cs_gate_destroy(cs_gate_t **gate_p);
void cs_gate_add(cs_gate_t *gate, uint32_t credits); /* any thread */
bool cs_gate_take(cs_gate_t *gate, cs_pool_t *pool); /* worker; false: the pool is stopping */

#endif
