/* watch_internal.h - a watcher's thread. Private to watch.c, watch_root.c, watch_hints.c. */
#ifndef CS_IO_WATCH_INTERNAL_H
#define CS_IO_WATCH_INTERNAL_H

#include <pthread.h>
#include <sys/stat.h>

#include "io/calls.h"
#include "io/watch.h"
#include "io/watch_backend.h"
#include "io/watch_inbox.h"

#define CS_WATCH_ROOT_MS 5000u /* between two looks at what the root is */

/* What an apply job does, from before it begins until all its events were read. */
typedef struct cs_watch_deeds {
    struct cs_watch_deeds *next;
    cs_deeds_t *deeds; /* owned */
    bool ended;        /* the job has; its events are in the queue, or were read */
} cs_watch_deeds_t;

/* The thread's own. */
typedef struct cs_watch_thread {
    char *root;                  /* owned */
    int root_fd;                 /* O_PATH while events are told, else -1 */
    cs_watch_backend_t *backend; /* NULL: nothing is watched */
    bool gone;                   /* the root is: the backend has to be made anew */
    cs_dirty_t *dirty;
    cs_watch_deeds_t *deeds; /* oldest first */
    cs_watcher_state_t state;
    uint64_t now_ms;
    struct { /* the first half of a rename, until the second comes */
        bool waits;
        cs_buf_t path;
        uint32_t cookie;
        uint64_t at_ms;
    } from;
    uint32_t own_cookie; /* of the last first half that was ours */
} cs_watch_thread_t;

struct cs_watcher {
    cs_calls_t *calls;
    cs_watch_inbox_t inbox;
    pthread_t pthread;
    cs_watcher_config_t config; /* root is the thread's */
    bool closing;               /* the reactor's: nothing is called any more */
    /* the thread's */
    cs_watch_thread_t thread;
    bool stopping, in_flight;
    bool had_many; /* the last batch */
    uint64_t handed_ms, told_ms, root_ms, limits_ms;
    uint64_t events_ms;     /* of the last turn with events */
    uint64_t rest_until_ms; /* the queue is left to fill */
    uint32_t streak;        /* turns with events, one upon the other */
    size_t budget;
    struct statx root_is;
    cs_watcher_state_t told;
};

/* watch_root.c */
void cs__watch_open(cs_watcher_t *watch, void (*received)(void *arg)); /* what is there now */
void cs__watch_check_root(cs_watcher_t *watch, void (*received)(void *arg));

/* watch_hints.c */
cs_watch_sink_t cs__watch_sink(cs_watch_thread_t *thread,
                               void (*received)(void *arg)); /* arg: the thread */
void cs__watch_end_pair(cs_watch_thread_t *thread);          /* no second half came */

#endif
