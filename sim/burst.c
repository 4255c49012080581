/* burst.c - bursts of related actions, drawn. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/burst_i.h"

/* --- bursts: a few actions of some users on the same few names, from a moment when all is
 * equal, and a scan by everybody. This is what finds the patterns of core.md 11
 * (tests/sim/coverage.c): among many actions at once each is lost in the others. */

static const cs_weight_t edits[] = {
    {CS_ACT_SAVE, 24}, {CS_ACT_MOVE, 24}, {CS_ACT_REMOVE, 14},  {CS_ACT_CHMOD, 20},
    {CS_ACT_SWAP, 1},  {CS_ACT_COPY, 1},  {CS_ACT_MKDIR, 3},    {CS_ACT_RMDIR, 3},
    {CS_ACT_LINK, 1},  {CS_ACT_TOUCH, 1}, {CS_ACT_SAVE_NEW, 1}, {CS_ACT_SAVE_OLD, 1}};

/* The first of five texts that no action of its own has. */
#define GROUND_TEXT(draw) (CS_TEXT_COMMON + CS_SIM_OPS_MAX + 5 * (draw)->index)
static const uint32_t inside[THEME_NAMES] = {3, 2, 9, 13}; /* d, d/x, d/k, d/z */
const uint32_t cs_burst_strangers[CS_BURST_STRANGERS] = {0, 1, 7, 12, 15};
#define ELSEWHERE 11u /* e */

/* Most often what everything is about, where this node has it. */
static void draw_theme_path(cs_drawing_t *draw, const burst_t *burst, unsigned node, char *ret)
{
    uint32_t at = cs_drawn_below(draw, 12);
    if (at == 11) {
        cs_draw_path(draw, ret);
    } else if (at >= 8) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", cs_draw_names[burst->name[at - 8]]);
    } else if (burst->sibling && at < 5) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s#1", cs_draw_names[burst->name[0]]);
    } else {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", burst->at[node]);
    }
}

static void draw_theme_act(cs_drawing_t *draw, burst_t *burst, cs_act_t *act)
{
    act->kind = cs_drawn_below(draw, 6) != 0 ? burst->kind[cs_drawn_below(draw, 2)]
                                             : CS_DRAWN(draw, edits);
    act->number = cs_draw_number(draw, act->kind);
    if (act->kind == CS_ACT_CHMOD && cs_drawn_below(draw, 3) != 0) {
        act->number = cs_drawn_below(draw, 2) == 0 ? 0755 : 0600;
    }
    if (act->number >= CS_TEXT_COMMON && act->kind == CS_ACT_SAVE &&
        cs_drawn_below(draw, 6) == 0) {
        act->number = 1;
    }
    if (cs_drawn_below(draw, 8) != 0) {
        act->node = (uint16_t)((burst->node + cs_drawn_below(draw, 3)) % burst->actors);
    }
    draw_theme_path(draw, burst, act->node, act->path);
    if (cs_act_needs(act->kind) & CS_ACT_OTHER) {
        uint32_t to = burst->name[cs_drawn_below(draw, THEME_MOST)];
        const char *other =
            cs_draw_names[burst->directory && cs_drawn_below(draw, 2) == 0 ? ELSEWHERE : to];
        snprintf(act->other, sizeof act->other, "%s", other);
        if (act->kind == CS_ACT_MOVE && strchr(act->path, '#') == NULL) {
            snprintf(burst->at[act->node], CS_ACT_PATH_BYTES, "%s", other);
        }
    }
    burst->node = act->node;
}

static void add_act(burst_t *burst, cs_act_kind_t kind, unsigned node, const char *path,
                    uint64_t number)
{
    cs_act_t act = {
        .at_us = burst->at_us, .kind = kind, .node = (uint16_t)node, .number = number};
    snprintf(act.path, sizeof act.path, "%s", path);
    cs_history_add(burst->history, &act);
}

void cs_burst_rest(burst_t *burst)
{
    add_act(burst, CS_ACT_REST, 0, "", 0);
    burst->at_us = 0;
}

void cs_burst_scan(burst_t *burst, unsigned node)
{
    add_act(burst, CS_ACT_SCAN, node, ".", 0);
}

void cs_burst_ground(cs_drawing_t *draw, burst_t *burst, uint32_t at)
{
    uint64_t number = GROUND_TEXT(draw);
    unsigned node = cs_drawn_below(draw, draw->options->nodes);
    for (unsigned i = 0; i < THEME_NAMES; i++) {
        char sibling[CS_ACT_PATH_BYTES];
        snprintf(sibling, sizeof sibling, "%s#1", cs_draw_names[burst->name[i]]);
        add_act(burst, CS_ACT_REMOVE, node, sibling, 0);
        add_act(burst, CS_ACT_REMOVE, node, cs_draw_names[burst->name[i]], 0);
    }
    cs_burst_scan(burst, node); /* else what comes is a change of what goes */
    burst->at_us += 20000;
    const char *first = cs_draw_names[burst->name[0]];
    if (at == 6) {
        add_act(burst, CS_ACT_MKDIR, node, first, 0);
    } else if (at < 6 || at == 9) {
        add_act(burst, CS_ACT_SAVE, node, first, number);
    }
    if (at == 2 || at == 3 || at == 8) {
        add_act(burst, CS_ACT_SAVE, node, cs_draw_names[burst->name[1]], number + 1);
    }
    if (at == 8 || at == 9) {
        add_act(burst, CS_ACT_SAVE, node, cs_draw_names[burst->name[2]], number + 2);
    }
    cs_burst_rest(burst);
    if (at == 4) {
        unsigned other = (node + 1) % draw->options->nodes;
        add_act(burst, CS_ACT_SAVE, node, first, number + 2);
        add_act(burst, CS_ACT_SAVE, other, first, number + 3);
        cs_burst_scan(burst, node);
        cs_burst_scan(burst, other);
        cs_burst_rest(burst);
    } else if (at == 5) {
        add_act(burst, CS_ACT_CHMOD, node, first, 0755);
        cs_burst_rest(burst);
    }
}

void cs_burst_part(cs_drawing_t *draw, burst_t *burst, unsigned node)
{
    cs_act_t act = {.at_us = burst->at_us, .kind = CS_ACT_PART, .node = (uint16_t)node};
    act.number = 400000;
    for (act.peer = 0; act.peer < draw->options->nodes; act.peer++) {
        if (act.peer != act.node) cs_history_add(burst->history, &act);
    }
}

/* So that somebody comes back, from an old image or from where nobody reached him, or both. */
static void draw_absence(cs_drawing_t *draw, burst_t *burst)
{
    const cs_sim_options_t *options = draw->options;
    unsigned node = cs_drawn_below(draw, options->nodes);
    uint32_t at = cs_drawn_below(draw, 4);
    bool restored = options->images > 0 && at < 2;
    bool alone = options->net > 0 && at > 0 && at < 3;
    if (restored) {
        const char *first = cs_draw_names[burst->name[0]];
        add_act(burst, CS_ACT_BACKUP, node, "", 0);
        add_act(burst, CS_ACT_SAVE, node, first, GROUND_TEXT(draw) + 4);
        cs_burst_scan(burst, node);
        burst->at_us += 20000 + 4000ull * options->latency_ms; /* others hear of it */
    }
    if (alone) cs_burst_part(draw, burst, node);
    if (restored) add_act(burst, CS_ACT_RESTORE, node, "", cs_drawn_below(draw, 2));
    if (restored) burst->node = node;
}

static void begin_at(burst_t *burst, const char *path)
{
    char at[CS_ACT_PATH_BYTES];
    snprintf(at, sizeof at, "%s", path);
    for (unsigned i = 0; i < CS_SIM_NODES_MAX; i++) {
        snprintf(burst->at[i], sizeof burst->at[i], "%s", at);
    }
}

void cs_burst_begin(burst_t *burst)
{
    begin_at(burst, cs_draw_names[burst->name[0]]);
}

static void draw_theme(cs_drawing_t *draw, burst_t *burst)
{
    uint32_t ground = cs_drawn_below(draw, 12), names_count = draw->options->names;
    if (ground == 11) ground = 7; /* a file that two make is a pattern as well */
    if (names_count < 2 * THEME_MOST) names_count = 2 * THEME_MOST;
    bool apart = cs_drawn_below(draw, 2) == 0;
    uint32_t first = cs_drawn_below(draw, apart ? CS_BURST_STRANGERS : names_count);
    for (unsigned i = 0; i < THEME_NAMES; i++) {
        uint32_t at = first + i;
        burst->name[i] = apart ? cs_burst_strangers[at % CS_BURST_STRANGERS] : at % names_count;
    }
    burst->directory = ground == 8;
    if (burst->directory) memcpy(burst->name, inside, sizeof inside);
    for (unsigned i = 0; i < CS_COUNT_OF(burst->kind); i++) {
        burst->kind[i] = CS_DRAWN(draw, edits);
    }
    cs_burst_begin(burst);
    burst->sibling = ground == 4;
    if (ground < 9) cs_burst_ground(draw, burst, ground);
    draw_absence(draw, burst);
}

/* --- turns: what a user does in a row. Actions drawn one by one seldom make a sentence. */

#define STEPS_MAX   2u
#define PLAIN_TURNS 7u
static const step_t turns[][STEPS_MAX] = {
    {{CS_ACT_SAVE, HERE, 0, 0}}, /* the first PLAIN_TURNS are the plainest */
    {{CS_ACT_SAVE, CHILD, 0, 0}},
    {{CS_ACT_REMOVE, HERE, 0, 0}},
    {{CS_ACT_MOVE, HERE, SECOND, 0}},
    {{CS_ACT_CHMOD, HERE, 0, 0755}},
    {{CS_ACT_CHMOD, HERE, 0, 0600}},
    {{CS_ACT_SAVE, SECOND, 0, 0}},
    {{CS_ACT_SAVE, SECOND, 0, 0}, {CS_ACT_SAVE, CHILD, 0, 0}},
    {{CS_ACT_SAVE, HERE, 0, 1}, {CS_ACT_CHMOD, HERE, 0, 0755}},
    {{CS_ACT_SAVE, HERE, 0, 1}, {CS_ACT_CHMOD, HERE, 0, 0600}},
    {{CS_ACT_SAVE, HERE, 0, 1}},
    {{CS_ACT_MOVE, HERE, FIRST, 0}},
    {{CS_ACT_MOVE, HERE, THIRD, 0}},
    {{CS_ACT_MOVE, HERE, FOURTH, 0}},
    {{CS_ACT_MOVE, SECOND, FIRST, 0}},
    {{CS_ACT_MOVE, SECOND, THIRD, 0}},
    {{CS_ACT_MOVE, HERE, SECOND, 0}, {CS_ACT_SAVE, HERE, 0, 0}},
    {{CS_ACT_MOVE, HERE, SECOND, 0}, {CS_ACT_SAVE, FIRST, 0, 0}},
    {{CS_ACT_MOVE, HERE, SECOND, 0}, {CS_ACT_MKDIR, FIRST, 0, 0}},
    {{CS_ACT_MOVE, HERE, SECOND, 0}, {CS_ACT_MOVE, HERE, THIRD, 0}},
    {{CS_ACT_CHMOD, HERE, 0, 0600}, {CS_ACT_CHMOD, HERE, 0, 0755}},
};

static void place_path(const burst_t *burst, unsigned node, uint8_t place, char *ret)
{
    if (place == HERE) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", burst->at[node]);
    } else if (place == CHILD && burst->directory) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s/y", cs_draw_names[burst->name[0]]);
    } else if (place == CHILD) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s/x", cs_draw_names[burst->name[1]]);
    } else {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", cs_draw_names[burst->name[place - FIRST]]);
    }
}

void cs_burst_step(cs_drawing_t *draw, burst_t *burst, unsigned node, const step_t *step)
{
    cs_act_t act = {.at_us = burst->at_us, .kind = step->kind, .node = (uint16_t)node};
    act.number = step->number != 0 ? step->number : cs_draw_number(draw, act.kind);
    place_path(burst, node, step->from, act.path);
    if (step->kind == CS_ACT_MOVE) {
        const char *elsewhere = cs_draw_names[ELSEWHERE];
        place_path(burst, node, step->to, act.other);
        if (burst->directory) snprintf(act.other, sizeof act.other, "%s", elsewhere);
        if (step->from == HERE) snprintf(burst->at[node], CS_ACT_PATH_BYTES, "%s", act.other);
    }
    const cs_sim_options_t *options = draw->options;
    bool races = options->races > 0 && cs_drawn_below(draw, 100) < options->races;
    if (races) act.calls = 1 + cs_drawn_below(draw, 8);
    cs_history_add(burst->history, &act);
    burst->node = node;
}

/* One turn of each: they know nothing of one another, if nothing is slow. */
static uint32_t draw_turns(const cs_sim_options_t *options, uint32_t first, burst_t *burst)
{
    unsigned begin = burst->node, turn[CS_SIM_NODES_MAX];
    cs_drawing_t all = {options, first, 3000};
    bool plain = burst->actors > 2 && cs_drawn_below(&all, 3) == 0;
    uint32_t count = plain ? PLAIN_TURNS : CS_COUNT_OF(turns);
    uint32_t index = first;
    for (unsigned s = 0; s < STEPS_MAX; s++) {
        for (unsigned i = 0; i < burst->actors; i++) {
            cs_drawing_t draw = {options, index++, 0};
            if (s == 0) turn[i] = cs_drawn_below(&draw, count);
            const step_t *step = &turns[turn[i]][s];
            if (step->from == NOWHERE) continue;
            unsigned node = (begin + i) % options->nodes;
            cs_burst_step(&draw, burst, node, step);
            uint32_t scan = cs_drawn_below(&draw, 4);
            if (scan < 2) cs_burst_scan(burst, node);
            burst->at_us += cs_drawn_below(&draw, 1000);
            if (scan == 0) burst->at_us += 20000; /* it is over before anything else is done */
        }
    }
    return index - first;
}

/* What single actions, the theme's mostly, come to. */
static void draw_theme_acts(const cs_sim_options_t *options, uint32_t first, uint32_t count,
                            burst_t *burst)
{
    for (uint32_t i = 0; i < count; i++) {
        cs_act_t act;
        cs_drawing_t draw = {options, first + i, 0};
        cs_draw_act(&draw, burst->at_us, &act);
        if (cs_drawn_below(&draw, 20) != 0) draw_theme_act(&draw, burst, &act);
        if (!(cs_act_needs(act.kind) & CS_ACT_PATH)) act.path[0] = '\0';
        if (!(cs_act_needs(act.kind) & CS_ACT_OTHER)) act.other[0] = '\0';
        cs_history_add(burst->history, &act);
        if (cs_drawn_below(&draw, 3) == 0) cs_burst_scan(burst, act.node);
        uint32_t most = cs_drawn_below(&draw, 4) == 0 ? options->latency_ms * 2000 : 4000;
        burst->at_us += cs_drawn_below(&draw, most + 10);
        if (cs_drawn_below(&draw, 24) == 0) burst->at_us += 200000000; /* gone: forgotten */
    }
}

static uint32_t draw_burst(const cs_sim_options_t *options, uint32_t first, burst_t *burst)
{
    cs_drawing_t draw = {options, first, 1000};
    uint32_t met = cs_burst_meeting(&draw, first, burst);
    if (met > 0) return met;
    bool turns_of_each = cs_drawn_below(&draw, 2) == 0;
    bool three = cs_drawn_below(&draw, 6) < (turns_of_each ? 3 : 2);
    burst->actors = options->nodes > 2 && three ? 3 : 2;
    if (turns_of_each && cs_drawn_below(&draw, 5) == 0) burst->actors = 1;
    if (first > 0 && cs_drawn_below(&draw, 4) == 0) {
        begin_at(burst, burst->at[burst->node]); /* the same theme goes on */
    } else {
        draw_theme(&draw, burst);
    }
    uint32_t count = 0;
    if (turns_of_each) {
        count = draw_turns(options, first, burst);
    } else {
        bool one_each = cs_drawn_below(&draw, 3) == 0;
        count = one_each ? burst->actors : 1 + cs_drawn_below(&draw, options->bursts);
        draw_theme_acts(options, first, count, burst);
    }
    cs_burst_rest(burst); /* which begins with a scan of all nodes */
    return count;
}

void cs_draw_bursts(const cs_sim_options_t *options, cs_history_t *ret)
{
    burst_t burst = {.history = ret};
    uint32_t done = 0;
    for (uint32_t phase = 0; phase < options->phases && done < options->ops; phase++) {
        done += draw_burst(options, done, &burst);
    }
}
