/* asker.h - a running node is asked again and again while other things happen to it, and its
 * events are counted. A question without an answer stops the test. */
#ifndef CS_TESTS_ASKER_H
#define CS_TESTS_ASKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "support/cluster.h"

typedef struct asker {
    const cluster_node_t *node;
    long own_kib_max; /* the test fails if it has more memory of its own (RssAnon); 0: any */
    pthread_t thread;
    atomic_bool over;
    /* Once it has ended. */
    unsigned asked;          /* `ping` and `status`, in turn */
    double ping_s, status_s; /* the longest */
    long own_kib;            /* the most that was seen */
} asker_t;

void asker_begin(asker_t *asker, const cluster_node_t *node, long own_kib_max);
void asker_end(asker_t *asker);

/* Until the node ends. */
typedef struct listener {
    const cluster_node_t *node;
    const char *folder;
    pthread_t thread;
    atomic_uint scans, exchanges; /* of the folder: those that found something, that ended */
} listener_t;

void listener_begin(listener_t *listener, const cluster_node_t *node, const char *folder);
void listener_end(listener_t *listener); /* the node was stopped */

#endif
