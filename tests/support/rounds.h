/* rounds.h - two real nodes that live through one accident after the other, and users who
 * change a bit of everything between them.
 *
 * The oracle hears of each string that is saved, and of those that users replaced or removed
 * themselves (oracle.h). After each round trees and digests are equal, every owed string is on
 * both nodes, and no file has bytes that nobody saved, as a torn one would. */
#ifndef CS_TESTS_ROUNDS_H
#define CS_TESTS_ROUNDS_H

#include "support/cluster.h"
#include "support/oracle.h"

typedef struct rounds {
    cluster_t cluster; /* node 0 stays up, node 1 is the victim */
    oracle_t *oracle;
    unsigned count;
} rounds_t;

void rounds_open(rounds_t *rounds);
void rounds_close(rounds_t *rounds);

/* A change of each kind in this node's folder: new, edited (small and large), deleted, moved, a
 * directory moved, mode, link, empty directory. */
void rounds_change(rounds_t *rounds, int node);
/* One file, by name: the same on both nodes makes a conflict. */
void rounds_put(rounds_t *rounds, int node, const char *path, size_t len);
/* Its bytes, through this descriptor, are replaced. */
void rounds_put_open(rounds_t *rounds, int fd);
/* Removes all siblings that rounds have left. */
void rounds_tidy(rounds_t *rounds, int node);

/* Both nodes run: they settle, are equal and have every owed string; `what`: for the report of
 * a failure. */
void rounds_settle(rounds_t *rounds, const char *what);
/* The same, and no file has bytes that nobody saved. */
void rounds_check(rounds_t *rounds, const char *what);

#endif
