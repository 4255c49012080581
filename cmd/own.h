/* own.h - what needs the engine in this process: a node, and requests where no node runs.
 *
 * Two programs are made of the command line. crdtsync-node has all of it: own.c, run_node.c,
 * and run_init.c, which needs libsodium. crdtsync has hand_over.c in their place, and becomes
 * crdtsync-node when they are called. It needs two libraries instead of thirty-five and starts
 * in a sixth of the time, which is most of what a short request to a running node costs. */
#ifndef CS_CMD_OWN_H
#define CS_CMD_OWN_H

#include "cmd/command.h"

#define CS_LOCK_WAIT_MS 10000u /* for a home that another process has locked */
#define CS_LOCK_STEP_MS 100u   /* then its socket is tried again: a node may be starting */

typedef struct cs_asking cs_asking_t;

/* Locks the home and does the request; a node that starts meanwhile is asked. Nothing was said
 * yet. The exit code. */
int cs_own_ask(cs_asking_t *asking);

#endif
