/* lone.h - a node's shell in this process, with a home and a folder "docs" of its own: for fuzz
 * targets of what comes to it from requests and from strangers. */
#ifndef CS_TESTS_LONE_H
#define CS_TESTS_LONE_H

#include "io/invite_internal.h"
#include "support/support.h"

typedef struct lone {
    tmp_t tmp;
    cs_home_t *home;
    cs_daemon_t *node; /* NULL: stopped */
    bool ended;        /* the newest request */
    int exit_code;
} lone_t;

void lone_start(lone_t *lone);
void lone_stop(lone_t *lone); /* one that is stopped stays so */

/* Asked as the control socket does, and what is answered must be JSON lines and at most one
 * end. The handle of one that is under way, or 0. */
uint64_t lone_ask(lone_t *lone, json_t *request);
/* One that names no path outside of the node's own directory, and dials nobody. */
bool lone_is_harmless(const lone_t *lone, const json_t *request);
/* The hex of a path below its directory, as arguments have it; freed with cs_free. */
char *lone_hex_path(const lone_t *lone, const char *path);
/* What waits in the loop is done, for a few milliseconds. */
void lone_run(lone_t *lone, unsigned ms);

#endif
