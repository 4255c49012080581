/* tasks.h - work in parts that may be done at the same time. The core has no threads: who calls
 * it may lend it some. */
#ifndef CS_BASE_TASKS_H
#define CS_BASE_TASKS_H

#include "base/base.h"

CS_HEADER_BEGIN

typedef void cs_task_fn(void *arg, size_t part);
/* Calls task(arg, part) for each part of 0..count-1 once, in any order, several at a time
 * perhaps; returns when all are done. */
typedef void cs_all_fn(cs_task_fn *task, void *arg, size_t count);

void cs_all_in_turn(cs_task_fn *task, void *arg, size_t count);

CS_HEADER_END

#endif
