/* calls.h - function calls handed to the reactor's thread by others.
 *
 * A list under a mutex and an eventfd in the zloop. The descriptor is written only when the
 * list was empty, so many calls cost one wake-up. */
#ifndef CS_IO_CALLS_H
#define CS_IO_CALLS_H

#include <czmq.h>

#include "base/base.h"

typedef struct cs_calls cs_calls_t;

cs_calls_t *cs_calls_new(zloop_t *loop);
/* Makes the calls that wait. Nobody may post any more; not from one of its calls. */
void cs_calls_destroy(cs_calls_t **calls_p);

/* From any thread: have call(arg) made from the loop. Calls of one thread keep their order. */
void cs_calls_post(cs_calls_t *calls, void (*call)(void *arg), void *arg);
/* On the reactor's thread: make the calls that wait now, and those that they cause here. */
void cs_calls_make(cs_calls_t *calls);

#endif
