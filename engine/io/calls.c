/* calls.c - an array of calls, swapped for an empty one when the reactor takes them. */
#include "io/calls.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

typedef struct call {
    void (*call)(void *arg);
    void *arg;
} call_t;

typedef struct list {
    call_t *item; /* owned */
    size_t len, cap;
} list_t;

struct cs_calls {
    zloop_t *loop; /* borrowed */
    int fd;
    pthread_mutex_t mutex;
    list_t waiting; /* under the mutex */
    list_t making;  /* the reactor's; empty outside of cs_calls_make */
};

static bool make_some(cs_calls_t *calls)
{
    pthread_mutex_lock(&calls->mutex);
    list_t taken = calls->waiting;
    calls->waiting = calls->making;
    calls->making = (list_t){NULL, 0, 0};
    pthread_mutex_unlock(&calls->mutex);
    for (size_t i = 0; i < taken.len; i++) {
        taken.item[i].call(taken.item[i].arg);
    }
    bool any = taken.len > 0;
    taken.len = 0;
    cs_free(calls->making.item); /* of a call that made calls itself */
    calls->making = taken;
    return any;
}

static int on_ready(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    (void)item;
    cs_calls_t *calls = arg;
    uint64_t count;
    if (read(calls->fd, &count, sizeof count) < 0) {
        return 0; /* they were made by cs_calls_make */
    }
    (void)make_some(calls);
    return 0;
}

cs_calls_t *cs_calls_new(zloop_t *loop)
{
    cs_calls_t *calls = cs_calloc(1, sizeof *calls);
    calls->loop = loop;
    calls->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&calls->mutex, NULL);
    zmq_pollitem_t item = {.fd = calls->fd, .events = ZMQ_POLLIN};
    int rc = calls->fd < 0 ? -1 : zloop_poller(loop, &item, on_ready, calls);
    CS_ASSERT(rc == 0); /* at start-up, before anything else took descriptors */
    zloop_poller_set_tolerant(loop, &item);
    return calls;
}

void cs_calls_destroy(cs_calls_t **calls_p)
{
    cs_calls_t *calls = *calls_p;
    if (calls == NULL) return;
    cs_calls_make(calls);
    zmq_pollitem_t item = {.fd = calls->fd};
    zloop_poller_end(calls->loop, &item);
    close(calls->fd);
    pthread_mutex_destroy(&calls->mutex);
    cs_free(calls->waiting.item);
    cs_free(calls->making.item);
    cs_free(calls);
    *calls_p = NULL;
}

void cs_calls_post(cs_calls_t *calls, void (*call)(void *arg), void *arg)
{
    const uint64_t one = 1;
    pthread_mutex_lock(&calls->mutex);
    list_t *list = &calls->waiting;
    bool first = list->len == 0;
    if (list->len == list->cap) {
        list->cap = cs_grow(list->cap, list->len + 1);
        list->item = cs_realloc_array(list->item, list->cap, sizeof *list->item);
    }
    list->item[list->len++] = (call_t){.call = call, .arg = arg};
    pthread_mutex_unlock(&calls->mutex);
    if (!first) return;
    ssize_t written = write(calls->fd, &one, sizeof one);
    CS_ASSERT(written == (ssize_t)sizeof one);
}

void cs_calls_make(cs_calls_t *calls)
{
    while (make_some(calls)) {
        continue;
    }
}
