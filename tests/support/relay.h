/* relay.h - a TCP proxy on loopback between two nodes, with a hand on the cable.
 *
 * A thread of the test moves bytes between each connection it accepts and one it makes to the
 * target. What the test may do to them: cut (connections break, new ones are refused), stall
 * (connections stay, bytes do not move: a cable pulled out), slow down (one byte a second each
 * way), and heal any of it. It knows nothing of what passes. */
#ifndef CS_TESTS_RELAY_H
#define CS_TESTS_RELAY_H

#include <stddef.h>
#include <stdint.h>

typedef enum relay_mode { RELAY_OPEN, RELAY_STALLED, RELAY_SLOW, RELAY_CUT } relay_mode_t;

#define RELAY_KEPT 4096

typedef struct relay relay_t;

/* Listens on a free port; connections go to `target_port` on loopback, open from the start. */
relay_t *relay_new(int target_port);
int relay_port(const relay_t *relay);
/* Returns when it holds: after RELAY_CUT no connection is left. */
void relay_set(relay_t *relay, relay_mode_t mode);
/* Bytes moved so far, both ways. */
uint64_t relay_bytes(const relay_t *relay);
/* What the first connection's dialler said at first, at most RELAY_KEPT bytes: returns how
 * many.
 */
size_t relay_said(const relay_t *relay, uint8_t *ret);
/* Connections that are open now. */
int relay_connections(const relay_t *relay);
void relay_destroy(relay_t **relay_p);

#endif
