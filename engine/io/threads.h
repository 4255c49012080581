/* threads.h - parts of one work on all processors, for who waits until it is done. */
#ifndef CS_IO_THREADS_H
#define CS_IO_THREADS_H

#include "base/tasks.h"

/* How many this process may use, at least 1. */
size_t cs_processors(void);

/* cs_all_fn: the calling thread takes part, and does alone what no thread can be had for. */
void cs_all_on_threads(cs_task_fn *task, void *arg, size_t count);

#endif
