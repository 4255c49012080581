/* run.c - see run.h. */
#include "sim/run.h"

#include <string.h>

#include "base/mem.h"
#include "sim/world.h"

void cs_sim_once(const cs_history_t *history, FILE *lines, cs_sim_result_t *ret)
{
    cs_sim_watched(history, &(cs_sim_setup_t){.lines = lines}, ret);
}

void cs_sim_watched(const cs_history_t *history, const cs_sim_setup_t *setup,
                    cs_sim_result_t *ret)
{
    cs_sim_t *sim = cs_malloc(sizeof *sim);
    *ret = (cs_sim_result_t){0};
    cs_sim_init(sim, history, setup);
    ret->ok = cs_sim_run(sim);
    ret->hole = cs_oracle_hole(sim->oracle);
    ret->act = sim->act;
    snprintf(ret->why, sizeof ret->why, "%s", sim->why);
    for (unsigned i = 0; i < sim->node_count; i++) {
        ret->crashes += sim->node[i].crashes;
        ret->incarnations += sim->node[i].incarnations;
    }
    ret->frames = sim->frames;
    ret->frame_bytes = sim->frame_bytes;
    ret->drops = sim->drops;
    ret->minted = cs_oracle_minted(sim->oracle);
    for (unsigned i = 0; i < sim->node_count; i++) {
        ret->looks += sim->node[i].looks;
    }
    ret->virtual_us = sim->now_us;
    ret->texts = cs_texts_end(sim->texts);
    ret->events = sim->trace.events;
    cs_trace_final(&sim->trace, ret->trace);
    memcpy(ret->trees, sim->trees, sizeof ret->trees);
    cs_sim_fini(sim);
    cs_free(sim);
}

void cs_sim_check(const cs_history_t *history, cs_sim_result_t *ret)
{
    cs_sim_result_t first;
    cs_sim_once(history, NULL, &first);
    cs_sim_once(history, NULL, ret);
    if (memcmp(first.trace, ret->trace, sizeof first.trace) == 0) return;
    snprintf(ret->why, sizeof ret->why,
             "the same seed had two traces: something draws on what "
             "is not simulated");
    ret->ok = false;
}

void cs_sim_check_seed(uint64_t seed, bool twice, cs_sim_result_t *ret)
{
    cs_sim_options_t options;
    cs_history_t history = {0};
    cs_sim_options_draw(&options, seed);
    cs_history_draw(&options, &history);
    if (twice) {
        cs_sim_check(&history, ret);
    } else {
        cs_sim_once(&history, NULL, ret);
    }
    cs_history_fini(&history);
}
