/* own.h - what needs the engine in this process: a node, and requests where no node runs.
 *
 * Two programs are made of the command line. crdtsync-node has all of it: own.c, run_node.c,
 * and run_init.c, which needs libsodium. crdtsync has hand_over.c in their place, and becomes
 * crdtsync-node when they are called. It needs two libraries instead of thirty-five and starts
 * in a sixth of the time, which is most of what a short request to a running node costs. */
#ifndef CS_CMD_OWN_H
#define CS_CMD_OWN_H

#include "cmd/command.h"
#include "io/home.h"

typedef struct cs_asking cs_asking_t;

/* Locks the home and does the request; a node that starts meanwhile is asked. Nothing was said
 * yet. The exit code. */
int cs_own_ask(cs_asking_t *asking);
/* Waits for a while for the lock of a home that another process has. CS_ERR_BUSY: it keeps it,
 * or (answers, asked again and again) it is a node. */
CS_MUST_USE cs_err_t cs_own_lock(cs_home_t *home, bool (*answers)(void *arg), void *arg,
                                 cs_buf_t *ret_detail);

#endif
