/* tasks.c - see tasks.h. */
#include "base/tasks.h"

void cs_all_in_turn(cs_task_fn *task, void *arg, size_t count)
{
    for (size_t part = 0; part < count; part++) {
        task(arg, part);
    }
}
