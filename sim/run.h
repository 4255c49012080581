/* run.h - one history from beginning to end, and what came of it. */
#ifndef CS_SIM_RUN_H
#define CS_SIM_RUN_H

#include <stdio.h>

#include "sim/history.h"
#include "sim/setup.h"

#define CS_SIM_RESULT_BYTES 512u

typedef struct cs_sim_result {
    bool ok;
    bool hole;                     /* ended in the admitted hole of core.md 15 (k) */
    char why[CS_SIM_RESULT_BYTES]; /* not ok: the violated invariant, dots, paths */
    size_t act;                    /* index of the action at which it showed */
    uint8_t trace[32];             /* hash of everything that happened, times of files apart */
    uint8_t trees[32];             /* of what all had on disk at each rest point */
    uint64_t events, frames, frame_bytes, virtual_us, texts, crashes, incarnations, drops,
        minted, looks; /* looks: of watchers */
} cs_sim_result_t;

/* lines: where the trace is written; NULL: nowhere. */
void cs_sim_once(const cs_history_t *history, FILE *lines, cs_sim_result_t *ret);
/* With somebody who looks on. */
void cs_sim_watched(const cs_history_t *history, const cs_sim_setup_t *setup,
                    cs_sim_result_t *ret);
/* Twice: a different trace is a failure, too. */
void cs_sim_check(const cs_history_t *history, cs_sim_result_t *ret);
/* The history of a seed's own mix. */
void cs_sim_check_seed(uint64_t seed, bool twice, cs_sim_result_t *ret);

#endif
