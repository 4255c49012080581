/* kills.h - two nodes, one linked through a relay, that are killed while they have much to say.
 */
#ifndef CS_TESTS_KILLS_H
#define CS_TESTS_KILLS_H

#include "support/cluster.h"
#include "support/relay.h"

/* Until `bytes` more have passed, or (false) node 1 holds everything that node 0 has. Stops the
 * test if neither comes within timeout_s. */
bool kills_await(cluster_t *cluster, const relay_t *relay, uint64_t bytes, int timeout_s);
/* SIGKILL, and a start: bit i of `which` is node i; both go before one comes. */
void kills_restart(cluster_t *cluster, unsigned which);

#endif
