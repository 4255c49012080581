/* meeting.c - a meeting: one moves a file, and another one hears of it; then they part, and
 * each goes on, as does a third, who knows of nothing and has a file with a longer life. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/burst_i.h"

#define MEETING_ACTS 3u /* each counts, and is drawn, as one */

static void draw_one_of(cs_drawing_t *draw, burst_t *burst, unsigned node, const step_t *steps,
                        size_t count)
{
    cs_burst_step(draw, burst, node, &steps[cs_drawn_below(draw, (uint32_t)count)]);
    cs_burst_scan(burst, node);
    burst->at_us += 1000;
}

static void draw_meeting(const cs_sim_options_t *options, uint32_t first, burst_t *burst)
{
    static const step_t known[] = {{CS_ACT_SAVE, HERE, 0, 0},
                                   {CS_ACT_SAVE, HERE, 0, 0},
                                   {CS_ACT_CHMOD, HERE, 0, 0755},
                                   {CS_ACT_REMOVE, HERE, 0, 0}},
                        unknown[] = {{CS_ACT_MOVE, THIRD, SECOND, 0},
                                     {CS_ACT_MOVE, THIRD, SECOND, 0},
                                     {CS_ACT_SAVE, SECOND, 0, 0},
                                     {CS_ACT_SAVE, HERE, 0, 0}};
    cs_drawing_t draw = {options, first, 0};
    unsigned nodes = options->nodes, alone = cs_drawn_below(&draw, nodes);
    unsigned mover = (alone + 1) % nodes, hearer = (alone + 2) % nodes;
    for (uint32_t saves = cs_drawn_below(&draw, 3); saves > 0; saves--) {
        cs_burst_step(&draw, burst, alone, &(step_t){CS_ACT_SAVE, THIRD, 0, 0});
        cs_burst_scan(burst, alone);
        burst->at_us += 20000;
    }
    cs_burst_rest(burst);
    cs_burst_part(&draw, burst, alone);
    cs_burst_step(&draw, burst, mover, &(step_t){CS_ACT_MOVE, HERE, SECOND, 0});
    cs_burst_scan(burst, mover);
    burst->at_us += 20000 + 4000ull * options->latency_ms;
    memcpy(burst->at[hearer], burst->at[mover], CS_ACT_PATH_BYTES);
    cs_burst_part(&draw, burst, hearer);
    draw_one_of(&draw, burst, mover, known, CS_COUNT_OF(known));
    draw = (cs_drawing_t){options, first + 1, 0};
    draw_one_of(&draw, burst, hearer, known, CS_COUNT_OF(known));
    draw = (cs_drawing_t){options, first + 2, 0};
    draw_one_of(&draw, burst, alone, unknown, CS_COUNT_OF(unknown));
}

/* Siblings are what users then decide about. */
static void draw_decisions(const cs_sim_options_t *options, uint32_t first, burst_t *burst)
{
    static const cs_weight_t kinds[] = {{CS_ACT_REMOVE, 4}, {CS_ACT_SAVE, 1}, {CS_ACT_MOVE, 1}};
    const char *name = cs_draw_names[burst->name[1]];
    for (uint32_t i = 0; i < 2; i++) {
        cs_drawing_t draw = {options, first + i, 2000};
        cs_act_t act = {.at_us = burst->at_us, .kind = CS_DRAWN(&draw, kinds)};
        act.node = (uint16_t)((burst->node + i) % options->nodes);
        act.number = cs_draw_number(&draw, act.kind);
        snprintf(act.path, sizeof act.path, "%s#%u", name, 1 + cs_drawn_below(&draw, 2));
        if (act.kind == CS_ACT_MOVE) snprintf(act.other, sizeof act.other, "%s", name);
        cs_history_add(burst->history, &act);
        cs_burst_scan(burst, act.node);
    }
}

uint32_t cs_burst_meeting(cs_drawing_t *draw, uint32_t first, burst_t *burst)
{
    const cs_sim_options_t *options = draw->options;
    if (options->nodes < 3 || options->net == 0 || cs_drawn_below(draw, 4) != 0) return 0;
    for (unsigned i = 0; i < THEME_NAMES; i++) {
        burst->name[i] = cs_burst_strangers[(first + i) % CS_BURST_STRANGERS];
    }
    burst->directory = burst->sibling = false;
    cs_burst_begin(burst);
    cs_burst_ground(draw, burst, 9);
    draw_meeting(options, first, burst);
    cs_burst_rest(burst);
    if (cs_drawn_below(draw, 2) == 0) return MEETING_ACTS;
    draw_decisions(options, first, burst);
    cs_burst_rest(burst);
    return MEETING_ACTS;
}
