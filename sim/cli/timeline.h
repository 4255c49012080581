/* timeline.h - one run as a picture: a lane for each node, time from left to right.
 *
 * A lane's colour is the node's digest: lanes of one colour hold the same. It is pale while the
 * disk is not there yet, and broken off while the process is dead. Slanted lines are messages.
 * Quiet stretches are drawn shorter than they were. */
#ifndef CS_SIM_TIMELINE_H
#define CS_SIM_TIMELINE_H

#include "sim/run.h"

#define CS_TIMELINE_SIGHTS_MAX \
    40000u /* more than a browser draws at ease: the rest is left out */

typedef struct cs_timeline_sight {
    cs_sight_t sight;
    uint32_t digest; /* of a state: part of its root */
} cs_timeline_sight_t;

typedef struct cs_timeline {
    cs_timeline_sight_t *item; /* owned; in order of time */
    size_t len, cap, left_out;
} cs_timeline_t;

/* What cs_sim_watched is to tell; arg: a cs_timeline_t, zero at first. */
void cs_timeline_see(void *arg, const cs_sight_t *sight);
void cs_timeline_fini(cs_timeline_t *timeline);
/* Appends a page. replay: the command that runs it again. */
void cs_timeline_page(const cs_timeline_t *timeline, const cs_history_t *history,
                      const cs_sim_result_t *result, const char *replay, cs_buf_t *ret);

#endif
