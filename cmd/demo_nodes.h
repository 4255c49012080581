/* demo_nodes.h - the demo's nodes: processes of this program in a temporary directory.
 *
 * SIGINT, SIGTERM and SIGHUP are noticed while waiting for a process, and nowhere else:
 * whatever happens, cs_demo_end stops the nodes and removes the directory. */
#ifndef CS_CMD_DEMO_NODES_H
#define CS_CMD_DEMO_NODES_H

#include <signal.h>
#include <sys/types.h>

#include "base/buf.h"

#define CS_DEMO_NODES_MAX 16u

typedef struct cs_demo_node {
    char name[16];
    char *home, *root, *log; /* owned */
    char *listen;            /* owned; NULL before the first start */
    pid_t pid;               /* 0: not running */
} cs_demo_node_t;

typedef struct cs_demo {
    char *dir; /* owned */
    cs_demo_node_t node[CS_DEMO_NODES_MAX];
    size_t count;
    sigset_t mask; /* of signals, as it was */
} cs_demo_t;

/* A temporary directory with `count` homes. All of these complain before they return false,
 * unless they were interrupted. */
CS_MUST_USE bool cs_demo_begin(cs_demo_t *demo, size_t count);
void cs_demo_end(cs_demo_t *demo);
/* A signal came: what failed failed for that, and was not complained of. */
bool cs_demo_interrupted(const cs_demo_t *demo);

/* Runs a subcommand on a node's home; args ends with NULL. ret_out (replaced, NUL-terminated)
 * is what it printed, without the last line end; may be NULL. */
CS_MUST_USE bool cs_demo_run(cs_demo_t *demo, cs_demo_node_t *node, cs_buf_t *ret_out,
                             const char *const *args);

/* Back when it answers. Stopped by SIGTERM, it must end with 0. */
CS_MUST_USE bool cs_demo_start(cs_demo_t *demo, cs_demo_node_t *node);
CS_MUST_USE bool cs_demo_stop(cs_demo_t *demo, cs_demo_node_t *node);

#endif
