/* victim.h - the program run under tests/shim: it dies, or loses its power, before its n-th
 * change of a file or directory. */
#ifndef CS_TESTS_VICTIM_H
#define CS_TESTS_VICTIM_H

#include "shim/shim.h"
#include "shim/undo.h"
#include "support/cluster.h"

typedef struct victim {
    cluster_t *cluster;
    int node;
    shim_state_t *state; /* shared with the process */
    char state_path[256], stash[256];
} victim_t;

/* How it ends: a process that is killed, or one of several ways to lose what is not flushed. */
#define VICTIM_WAYS 6
const char *victim_way(unsigned way); /* 0: killed */
const undo_how_t *victim_how(unsigned way);

void victim_open(victim_t *victim, cluster_t *cluster, int node);
void victim_close(victim_t *victim);

/* Starts the node, lets it settle with the others that run, scan once more and end. True: it
 * died before change `at` (0: never). */
bool victim_live(victim_t *victim, uint32_t at, unsigned way);
/* Starts it only; victim_end tells whether it died, and ends it if not. */
void victim_start(victim_t *victim, uint32_t at, unsigned way);
bool victim_end(victim_t *victim);
/* Runs a command of this node. Its exit code; -1: it died. */
int victim_run(victim_t *victim, uint32_t at, unsigned way, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
