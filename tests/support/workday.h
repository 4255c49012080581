/* workday.h - what users do to a folder in a day, on two real nodes that watch: at either end,
 * and awaited at the other one. Then both are scanned, compared and checked. */
#ifndef CS_TESTS_WORKDAY_H
#define CS_TESTS_WORKDAY_H

#include "support/cluster.h"
#include "support/relay.h"

#define WORKDAY_HERE  0 /* the node on the disk that all tests use */
#define WORKDAY_THERE 1 /* the one on a file system of its own */

typedef struct workday {
    const char *name; /* for messages */
    cluster_t cluster;
    relay_t *relay; /* between the two */
} workday_t;

/* What is in the folder "there" before it is one: in the directory `dir`, which exists. */
void workday_before(const char *dir);
/* All of it; neither node runs yet, both do afterwards. */
void workday_run(workday_t *day);
/* Settled, equal, and `check` finds nothing. */
void workday_agree(workday_t *day, const char *what);
void workday_await_text(const cluster_node_t *node, const char *path, const char *text);

#endif
