/* kills.h - two nodes, one linked through a relay, that are killed while they have much to say.
 */
#ifndef CS_TESTS_KILLS_H
#define CS_TESTS_KILLS_H

#include "support/cluster.h"
#include "support/relay.h"

/* Until so many bytes have passed in all, or (false) node 1 holds everything that node 0 has,
 * which is not so before `least` have. Stops the test if neither comes within timeout_s. */
bool kills_await(cluster_t *cluster, const relay_t *relay, uint64_t until, uint64_t least,
                 int timeout_s);
/* SIGKILL, and a start: bit i of `which` is node i; both go before one comes. */
void kills_restart(cluster_t *cluster, unsigned which);

#endif
