/* coro.h - procedures that stop in the middle, so that others may act.
 *
 * Scan and apply are procedures over file-system calls; the simulator runs each on a stack of
 * its own and switches at a call: ucontext makes the stacks, setjmp and longjmp, which make no
 * system call, switch. One thread. */
#ifndef CS_SIM_CORO_H
#define CS_SIM_CORO_H

#include "base/base.h"

typedef struct cs_coro cs_coro_t;
typedef struct cs_coros cs_coros_t; /* stacks, used again */

cs_coros_t *cs_coros_new(void);
/* None of its coroutines may be in use. */
void cs_coros_destroy(cs_coros_t **coros_p);

/* run(arg) begins at the first resume. */
cs_coro_t *cs_coro_new(cs_coros_t *coros, void (*run)(void *arg), void *arg);
/* Goes on until it yields (true) or its procedure returns (false: then release it). */
CS_MUST_USE bool cs_coro_resume(cs_coro_t *coro);
/* From within: back to whoever resumed it. */
void cs_coro_yield(cs_coro_t *coro);
/* One whose procedure returned, or never began. */
void cs_coro_release(cs_coro_t **coro_p);

#endif
