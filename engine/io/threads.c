/* threads.c - see threads.h. */
#include "io/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS_MAX 8 /* beside the caller's; a disk does not keep more busy */

typedef struct work {
    cs_task_fn *task;
    void *arg;
    size_t count;
    atomic_size_t next;
} work_t;

static void *take_parts(void *arg)
{
    work_t *work = arg;
    for (size_t part; (part = atomic_fetch_add(&work->next, 1)) < work->count;) {
        work->task(work->arg, part);
    }
    return NULL;
}

size_t cs_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return (size_t)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more of them than fit into a set */
    return online > 0 ? (size_t)online : 1;
}

void cs_all_on_threads(cs_task_fn *task, void *arg, size_t count)
{
    pthread_t thread[THREADS_MAX];
    size_t begun = 0;
    work_t work = {.task = task, .arg = arg, .count = count};
    size_t processors = cs_processors();
    while (begun < THREADS_MAX && begun + 1 < count && begun + 1 < processors &&
           pthread_create(&thread[begun], NULL, take_parts, &work) == 0) {
        begun++;
    }
    (void)take_parts(&work);
    while (begun > 0) {
        (void)pthread_join(thread[--begun], NULL);
    }
}
