/* setup.h - what surrounds a history, and is no part of it. */
#ifndef CS_SIM_SETUP_H
#define CS_SIM_SETUP_H

#include <stdio.h>

#include "sim/watch.h"

#define CS_SIM_CLOCKS_STILL UINT64_MAX /* clocks_by: all are right, and none jumps */

typedef struct cs_sim_setup {
    FILE *lines; /* borrowed: where the trace is written; NULL: nowhere */
    cs_sim_watch_t watch;
    struct cs_coverage *coverage; /* borrowed: told of operations (coverage.h); NULL: nobody */
    bool unjudged; /* no oracle: it knows CS_ORACLE_NODES_MAX nodes at most; no rest then */
    /* Clocks differ and jump by so much less than their history says; 0: as it says. */
    uint64_t clocks_by;
    bool neighbours; /* members of a node are those it has a link to, and no others */
} cs_sim_setup_t;

#endif
