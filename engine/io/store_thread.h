/* store_thread.h - the thread that makes batches durable, so that a slow disk stalls no peer.
 *
 * Batches are written synced, in the order they came; those that wait together may become one
 * write. Each is answered on the reactor's thread, in order. */
#ifndef CS_IO_STORE_THREAD_H
#define CS_IO_STORE_THREAD_H

#include <czmq.h>

#include "base/store.h"

typedef struct cs_store_thread cs_store_thread_t;

/* `written` is called from the loop, once per batch. After an error nothing more is written:
 * all later batches are answered with that error. */
cs_store_thread_t *cs_store_thread_new(zloop_t *loop, cs_store_t *store,
                                       void (*written)(void *arg, uint32_t folder,
                                                       uint64_t token, cs_err_t err),
                                       void *arg);
/* Finishes what was handed over; `written` is called for it, here, and what it hands over in
 * turn is finished as well. */
void cs_store_thread_destroy(cs_store_thread_t **thread_p);

/* The batch is taken (emptied). */
void cs_store_thread_write(cs_store_thread_t *thread, uint32_t folder, uint64_t token,
                           cs_batch_t *batch);

#endif
