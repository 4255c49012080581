/* scale.h - how changes spread among many nodes: the engine's own gossip, counted.
 *
 * All nodes start empty, meet, and rest for a minute. Then somebody saves one file; and after
 * another minute users at random nodes save many, one soon after the other, while nodes die, if
 * that is asked for. A clock stops when all nodes are up, have the same root, and it is on
 * every disk. */
#ifndef CS_SIM_SCALE_H
#define CS_SIM_SCALE_H

#include "base/limits.h"
#include "proto/frame.h"
#include "sim/run.h"

#define CS_SCALE_NODES_MAX 2000u /* 1 MiB or so each: a machine's memory */
#define CS_SCALE_MESH_MAX  256u  /* nodes that are all linked to each other: 32,640 links */
#define CS_SCALE_REST_S    20u   /* of virtual time */
#define CS_SCALE_POINTS    101u  /* of a curve: from 0 to 100 % of the nodes */

typedef struct cs_scale_config {
    uint64_t seed;
    unsigned nodes; /* 2..CS_SCALE_NODES_MAX; of a mesh CS_SCALE_MESH_MAX */
    bool mesh;      /* or eight random neighbours, at most sixteen */
    /* Members of a node are its neighbours only; otherwise all are, CS_MEMBERS_MAX of them. */
    bool neighbours;
    unsigned changes;    /* files saved */
    unsigned gap_ms;     /* between two of them, on average */
    unsigned latency_ms; /* of a message, at most */
    unsigned loss;       /* per mille of messages */
    unsigned churn; /* per cent of the nodes, killed within ten seconds, back within five */
} cs_scale_config_t;

typedef struct cs_scale_count {
    uint64_t messages, bytes;
} cs_scale_count_t;

/* From a change, or the first of several, until all are equal. Times: since then. */
typedef struct cs_scale_window {
    cs_scale_count_t all;                   /* sent */
    cs_scale_count_t type[CS_MSG_TYPE_END]; /* arrived */
    uint64_t equal_us;                      /* the last node had the last root */
    uint64_t disk_us;                       /* and on its disk */
    /* Messages in the longest chain in which each one changed its receiver's state; of one
     * change these are the rounds that it took. */
    uint32_t rounds_max, rounds_median;
    double rounds_mean; /* over the nodes */
    /* When so many per cent of the nodes had the last root, and had it on disk. */
    uint64_t equal_at[CS_SCALE_POINTS], disk_at[CS_SCALE_POINTS];
} cs_scale_window_t;

typedef struct cs_scale_result {
    bool ok;
    char why[CS_SIM_RESULT_BYTES];
    uint64_t links, crashes, lost, events;
    cs_scale_count_t start; /* in the minute in which they met */
    cs_scale_count_t rest;  /* in CS_SCALE_REST_S seconds, all equal */
    cs_scale_window_t one, many;
} cs_scale_result_t;

void cs_scale_run(const cs_scale_config_t *config, cs_scale_result_t *ret);

#endif
