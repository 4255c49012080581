/* watch.h - a thread that notices changes in one folder and says where to look.
 *
 * It decides nothing: the scan that follows does. So what it misses, the kernel drops or comes
 * twice costs time only. Directories are watched by inotify, one by one, or all of a file
 * system's by fanotify, where the process may. The thread and the reactor exchange messages;
 * each owns what it has.
 *
 * A batch of paths is handed over, and the next one only after cs_watcher_looked: what comes
 * meanwhile gathers, in bounded memory (node/dirty.h). */
#ifndef CS_IO_WATCH_H
#define CS_IO_WATCH_H

#include <czmq.h>
#include <stdatomic.h>

#include "node/deeds.h"
#include "node/dirty.h"

CS_HEADER_BEGIN

typedef enum cs_watcher_by {
    CS_WATCH_OFF,
    CS_WATCH_AUTO,
    CS_WATCH_INOTIFY,
    CS_WATCH_FANOTIFY
} cs_watcher_by_t;
/* The setting `watch`; false: no such value. */
bool cs_watcher_parse(const char *text, cs_watcher_by_t *ret);

typedef struct cs_watcher_state {
    cs_watcher_by_t by; /* OFF: not watching now, `why` says why */
    bool started;       /* once all that can be watched is */
    bool remote;        /* others may write where this kernel does not see it */
    bool all;           /* every directory is watched by one mark: counts mean nothing */
    size_t watched;     /* directories */
    size_t missed;      /* at least so many are not: */
    cs_err_t why;       /* NOSPACE: the limit of watches; LIMIT: of instances */
    uint64_t overflows; /* of the kernel's queue */
} cs_watcher_state_t;
/* Every change is noticed, but for writes through mappings until they are unmapped. */
bool cs_watcher_covers(const cs_watcher_state_t *state);

typedef struct cs_watcher_config {
    const char *root;    /* copied */
    cs_watcher_by_t by;  /* not OFF */
    atomic_size_t *used; /* watches of all folders; borrowed */
    size_t budget;       /* of those; 0: half of what the kernel allows */
    /* Called from the loop. */
    void *arg;
    void (*look)(void *arg, const cs_dirty_batch_t *batch);
    void (*changed)(void *arg, const cs_watcher_state_t *state);
} cs_watcher_config_t;

typedef struct cs_watcher cs_watcher_t;
cs_watcher_t *cs_watcher_new(zloop_t *loop, const cs_watcher_config_t *config);
void cs_watcher_destroy(cs_watcher_t **watch_p); /* nothing is called any more */

/* The last batch was looked at. */
void cs_watcher_looked(cs_watcher_t *watch);
/* Before an apply job begins: its events are not to be told. *deeds_p is taken. */
void cs_watcher_expect(cs_watcher_t *watch, cs_deeds_t **deeds_p);
/* It has ended; calls pair, in order. */
void cs_watcher_applied(cs_watcher_t *watch);
/* A scan found changes in this directory: it may deserve a watch. */
void cs_watcher_warm(cs_watcher_t *watch, cs_slice_t dir);

CS_HEADER_END

#endif
