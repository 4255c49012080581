/* history.c - histories drawn from their options. */
#include "sim/history.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/draw.h"

/* Correlated trees are what finds mistakes: few names, one in the way of the other. */
static const char *const names[] = {"a",     "b.txt", "d/x",   "d",   "d/y.txt", "e/f/g",
                                    "e/f",   "h",     "A",     "d/k", "b.txt~",  "e",
                                    "c.txt", "d/z",   "e/f/h", "i"};

typedef struct drawing {
    const cs_sim_options_t *options;
    uint64_t index; /* of the action */
    uint64_t used;  /* numbers drawn for it */
} drawing_t;

static uint32_t below(drawing_t *draw, uint32_t bound)
{
    return (uint32_t)cs_draw_below(draw->options->seed, CS_DRAW_ACTION, draw->index,
                                   draw->used++, bound);
}

typedef struct weight {
    uint8_t kind, weight;
} weight_t;

static cs_act_kind_t weighted(drawing_t *draw, const weight_t *weights, size_t count)
{
    uint32_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += weights[i].weight;
    }
    uint32_t at = below(draw, total);
    for (size_t i = 0; i < count; i++) {
        if (at < weights[i].weight) return (cs_act_kind_t)weights[i].kind;
        at -= weights[i].weight;
    }
    return CS_ACT_SAVE;
}

static const weight_t users[] = {
    {CS_ACT_SAVE, 20}, {CS_ACT_SAVE_NEW, 6}, {CS_ACT_SAVE_OLD, 4}, {CS_ACT_COPY, 4},
    {CS_ACT_MOVE, 16}, {CS_ACT_SWAP, 4},     {CS_ACT_REMOVE, 12},  {CS_ACT_MKDIR, 4},
    {CS_ACT_RMDIR, 3}, {CS_ACT_CHMOD, 8},    {CS_ACT_LINK, 3},     {CS_ACT_TOUCH, 1},
    {CS_ACT_HOLD, 3},  {CS_ACT_LATE, 3},     {CS_ACT_SCAN, 26},    {CS_ACT_PAUSE, 1},
    {CS_ACT_RESUME, 2}};
static const weight_t links[] = {{CS_ACT_CUT, 4}, {CS_ACT_PART, 2}, {CS_ACT_STALL, 2}};
static const weight_t deaths[] = {{CS_ACT_KILL, 3}, {CS_ACT_STOP, 1}};
static const weight_t disks[] = {{CS_ACT_FULL, 2}, {CS_ACT_FAIL, 2}, {CS_ACT_UNMOUNT, 1}};
static const weight_t homes[] = {{CS_ACT_BACKUP, 5}, {CS_ACT_RESTORE, 3}, {CS_ACT_LOSE, 1}};
static const weight_t members[] = {{CS_ACT_RETIRE, 1}, {CS_ACT_ADMIT, 2}};

#define WEIGHTED(draw, table) weighted(draw, table, CS_COUNT_OF(table))

static cs_act_kind_t draw_kind(drawing_t *draw)
{
    const cs_sim_options_t *options = draw->options;
    uint32_t at = below(draw, 100);
    if (at < options->net) return WEIGHTED(draw, links);
    at -= options->net;
    if (at < options->crashes) return WEIGHTED(draw, deaths);
    at -= options->crashes;
    if (at < options->disk) return WEIGHTED(draw, disks);
    at -= options->disk;
    if (at < options->images) return WEIGHTED(draw, homes);
    at -= options->images;
    if (at < options->members) return WEIGHTED(draw, members);
    at -= options->members;
    if (options->clocks && at < 3) return CS_ACT_CLOCK;
    return WEIGHTED(draw, users);
}

/* "d/x#1": the first sibling of d/x that stands there then. */
static void draw_path(drawing_t *draw, char *ret)
{
    const char *name = names[below(draw, draw->options->names)];
    uint32_t sibling = below(draw, 6) == 0 ? 1 + below(draw, 2) : 0;
    if (sibling == 0) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", name);
    } else {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s#%u", name, sibling);
    }
}

static uint64_t draw_ms(drawing_t *draw)
{
    static const uint32_t most[] = {1, 100, 3000, 120000};
    return below(draw, most[below(draw, CS_COUNT_OF(most))]);
}

/* Bytes are named by numbers: those below CS_TEXT_COMMON are many people's. */
static uint64_t draw_number(drawing_t *draw, cs_act_kind_t kind)
{
    static const uint16_t modes[] = {0644, 0755, 0600, 0444};
    if (kind == CS_ACT_LARGE) return below(draw, 8);
    if (kind == CS_ACT_CHMOD) return modes[below(draw, CS_COUNT_OF(modes))];
    if (kind == CS_ACT_CLOCK) return 1640000000u + below(draw, 315000000u); /* ten years */
    if (kind == CS_ACT_RESTORE) return below(draw, 4) == 0;
    if (kind == CS_ACT_LOSE) return below(draw, 3);
    bool bytes = kind == CS_ACT_SAVE || kind == CS_ACT_SAVE_NEW || kind == CS_ACT_SAVE_OLD ||
                 kind == CS_ACT_LATE || kind == CS_ACT_LINK;
    if (!bytes) return draw_ms(draw);
    bool equal = below(draw, 100) < draw->options->equal;
    return equal ? below(draw, 3) : CS_TEXT_COMMON + draw->index;
}

static void draw_act(drawing_t *draw, uint64_t at_us, cs_act_t *ret)
{
    const cs_sim_options_t *options = draw->options;
    *ret = (cs_act_t){.at_us = at_us, .kind = draw_kind(draw)};
    uint32_t needs = cs_act_needs(ret->kind);
    ret->node = (uint16_t)below(draw, options->nodes);
    ret->peer = (uint16_t)((ret->node + 1 + below(draw, options->nodes - 1)) % options->nodes);
    if (options->races > 0 && below(draw, 100) < options->races) {
        ret->calls = 1 + below(draw, below(draw, 2) == 0 ? 8 : 60);
    }
    if (needs & CS_ACT_PATH) draw_path(draw, ret->path);
    if (ret->kind == CS_ACT_SCAN && below(draw, 3) != 0) snprintf(ret->path, 2, ".");
    if (needs & CS_ACT_OTHER) draw_path(draw, ret->other);
    if (needs & CS_ACT_NUMBER) ret->number = draw_number(draw, ret->kind);
    if (ret->kind == CS_ACT_SAVE && options->large > 0 && below(draw, 100) < options->large) {
        ret->kind = CS_ACT_LARGE;
        ret->number = below(draw, 8);
    }
}

/* --- bursts: a few actions of some users on the same few names, from a moment when all is
 * equal, and a scan by everybody. This is what finds the patterns of core.md 11
 * (tests/sim/coverage.c): among many actions at once each is lost in the others. */

static const weight_t edits[] = {
    {CS_ACT_SAVE, 24}, {CS_ACT_MOVE, 24}, {CS_ACT_REMOVE, 14},  {CS_ACT_CHMOD, 20},
    {CS_ACT_SWAP, 1},  {CS_ACT_COPY, 1},  {CS_ACT_MKDIR, 3},    {CS_ACT_RMDIR, 3},
    {CS_ACT_LINK, 1},  {CS_ACT_TOUCH, 1}, {CS_ACT_SAVE_NEW, 1}, {CS_ACT_SAVE_OLD, 1}};

#define THEME_NAMES 3u
/* The first of five texts that no action of its own has. */
#define GROUND_TEXT(draw) (CS_TEXT_COMMON + CS_SIM_OPS_MAX + 5 * (draw)->index)
static const uint32_t inside[THEME_NAMES] = {3, 2, 9}; /* d, d/x, d/k */
#define ELSEWHERE 11u                                  /* e */

typedef struct burst {
    cs_history_t *history;
    uint64_t at_us;
    uint32_t name[THEME_NAMES];                   /* what it is about, most of all the first */
    cs_act_kind_t kind[2];                        /* what is done, mostly */
    unsigned node, actors;                        /* that acted last; how many do, mostly */
    bool sibling;                                 /* of the first there is one */
    bool directory;                               /* the first is one, the others are in it */
    char at[CS_SIM_NODES_MAX][CS_ACT_PATH_BYTES]; /* where each node has the first */
} burst_t;

/* Most often what everything is about, where this node has it. */
static void draw_theme_path(drawing_t *draw, const burst_t *burst, unsigned node, char *ret)
{
    uint32_t at = below(draw, 12);
    if (at == 11) {
        draw_path(draw, ret);
    } else if (at >= 8) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", names[burst->name[at - 8]]);
    } else if (burst->sibling && at < 5) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s#1", names[burst->name[0]]);
    } else {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", burst->at[node]);
    }
}

static void draw_theme_act(drawing_t *draw, burst_t *burst, cs_act_t *act)
{
    act->kind = below(draw, 6) != 0 ? burst->kind[below(draw, 2)] : WEIGHTED(draw, edits);
    act->number = draw_number(draw, act->kind);
    if (act->kind == CS_ACT_CHMOD && below(draw, 3) != 0) {
        act->number = below(draw, 2) == 0 ? 0755 : 0600;
    }
    if (act->number >= CS_TEXT_COMMON && act->kind == CS_ACT_SAVE && below(draw, 6) == 0) {
        act->number = 1;
    }
    if (below(draw, 8) != 0) {
        act->node = (uint16_t)((burst->node + below(draw, 3)) % burst->actors);
    }
    draw_theme_path(draw, burst, act->node, act->path);
    if (cs_act_needs(act->kind) & CS_ACT_OTHER) {
        uint32_t to = burst->name[below(draw, THEME_NAMES)];
        const char *other = names[burst->directory && below(draw, 2) == 0 ? ELSEWHERE : to];
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

static void add_rest(burst_t *burst)
{
    add_act(burst, CS_ACT_REST, 0, "", 0);
    burst->at_us = 0;
}

static void add_scan(burst_t *burst, unsigned node)
{
    add_act(burst, CS_ACT_SCAN, node, ".", 0);
}

/* Files that nobody has touched yet, in the place of what is there: as they begin in most of
 * the vectors. at: 0, 1 one; 2, 3 two; 4 one with a sibling; 5 one with a mode; 6 a directory;
 * 7 none; 8 two in a directory. */
static void draw_ground(drawing_t *draw, burst_t *burst, uint32_t at)
{
    uint64_t number = GROUND_TEXT(draw);
    unsigned node = below(draw, draw->options->nodes);
    for (unsigned i = 0; i < THEME_NAMES; i++) {
        char sibling[CS_ACT_PATH_BYTES];
        snprintf(sibling, sizeof sibling, "%s#1", names[burst->name[i]]);
        add_act(burst, CS_ACT_REMOVE, node, sibling, 0);
        add_act(burst, CS_ACT_REMOVE, node, names[burst->name[i]], 0);
    }
    add_scan(burst, node); /* else what comes is a change of what goes */
    burst->at_us += 20000;
    const char *first = names[burst->name[0]];
    if (at == 6) {
        add_act(burst, CS_ACT_MKDIR, node, first, 0);
    } else if (at < 6) {
        add_act(burst, CS_ACT_SAVE, node, first, number);
    }
    if (at == 2 || at == 3 || at == 8) {
        add_act(burst, CS_ACT_SAVE, node, names[burst->name[1]], number + 1);
    }
    if (at == 8) add_act(burst, CS_ACT_SAVE, node, names[burst->name[2]], number + 2);
    add_rest(burst);
    if (at == 4) {
        unsigned other = (node + 1) % draw->options->nodes;
        add_act(burst, CS_ACT_SAVE, node, first, number + 2);
        add_act(burst, CS_ACT_SAVE, other, first, number + 3);
        add_scan(burst, node);
        add_scan(burst, other);
        add_rest(burst);
    } else if (at == 5) {
        add_act(burst, CS_ACT_CHMOD, node, first, 0755);
        add_rest(burst);
    }
}

/* So that somebody comes back, from an old image or from where nobody reached him. */
static void draw_absence(drawing_t *draw, burst_t *burst)
{
    const cs_sim_options_t *options = draw->options;
    cs_act_t act = {.node = (uint16_t)below(draw, options->nodes)};
    uint32_t at = below(draw, 4);
    if (options->images > 0 && at < 2) {
        const char *first = names[burst->name[0]];
        add_act(burst, CS_ACT_BACKUP, act.node, "", 0);
        add_act(burst, CS_ACT_SAVE, act.node, first, GROUND_TEXT(draw) + 4);
        add_rest(burst);
        add_act(burst, CS_ACT_RESTORE, act.node, "", 1);
        burst->node = act.node;
    } else if (options->net > 0 && at == 2) {
        act.kind = CS_ACT_PART;
        act.number = 400000;
        for (act.peer = 0; act.peer < options->nodes; act.peer++) {
            if (act.peer != act.node) cs_history_add(burst->history, &act);
        }
    }
}

static void draw_theme(drawing_t *draw, burst_t *burst)
{
    uint32_t ground = below(draw, 11), names_count = draw->options->names;
    if (names_count < 2 * THEME_NAMES) names_count = 2 * THEME_NAMES;
    burst->name[0] = below(draw, names_count);
    for (unsigned i = 1; i < THEME_NAMES; i++) {
        burst->name[i] = (burst->name[0] + i) % names_count;
    }
    burst->directory = ground == 8;
    if (burst->directory) memcpy(burst->name, inside, sizeof inside);
    for (unsigned i = 0; i < CS_COUNT_OF(burst->kind); i++) {
        burst->kind[i] = WEIGHTED(draw, edits);
    }
    for (unsigned i = 0; i < draw->options->nodes; i++) {
        snprintf(burst->at[i], CS_ACT_PATH_BYTES, "%s", names[burst->name[0]]);
    }
    burst->sibling = ground == 4;
    if (ground < 9) draw_ground(draw, burst, ground);
    draw_absence(draw, burst);
}

static void draw_burst(const cs_sim_options_t *options, uint32_t first, cs_history_t *history,
                       uint32_t *ret_done)
{
    drawing_t draw = {options, first, 1000};
    burst_t burst = {.history = history};
    burst.actors = options->nodes > 2 && below(&draw, 3) == 0 ? 3 : 2;
    draw_theme(&draw, &burst);
    uint32_t count = below(&draw, 3) == 0 ? burst.actors : 1 + below(&draw, options->bursts);
    for (uint32_t i = 0; i < count; i++) {
        cs_act_t act;
        draw = (drawing_t){options, first + i, 0};
        draw_act(&draw, burst.at_us, &act);
        if (below(&draw, 20) != 0) draw_theme_act(&draw, &burst, &act);
        if (!(cs_act_needs(act.kind) & CS_ACT_PATH)) act.path[0] = '\0';
        if (!(cs_act_needs(act.kind) & CS_ACT_OTHER)) act.other[0] = '\0';
        cs_history_add(history, &act);
        if (below(&draw, 3) == 0) add_scan(&burst, act.node);
        uint32_t most = below(&draw, 4) == 0 ? options->latency_ms * 2000 : 4000;
        burst.at_us += below(&draw, most + 10);
        if (below(&draw, 24) == 0) burst.at_us += 200000000; /* what is gone is forgotten */
    }
    add_rest(&burst); /* which begins with a scan of all nodes */
    *ret_done = first + count;
}

static void draw_bursts(const cs_sim_options_t *options, cs_history_t *ret)
{
    uint32_t done = 0;
    for (uint32_t phase = 0; phase < options->phases && done < options->ops; phase++) {
        draw_burst(options, done, ret, &done);
    }
}

void cs_history_draw(const cs_sim_options_t *options, cs_history_t *ret)
{
    ret->options = *options;
    uint64_t at_us = 0;
    uint32_t done = 0;
    if (options->bursts > 0) {
        draw_bursts(options, ret);
        return;
    }
    for (uint32_t phase = 1; phase <= options->phases; phase++) {
        uint32_t until = (uint32_t)((uint64_t)options->ops * phase / options->phases);
        for (at_us = 0; done < until; done++) {
            drawing_t draw = {options, done, 0};
            at_us += below(&draw, options->gap_ms * 2000 + 10);
            cs_act_t act;
            draw_act(&draw, at_us, &act);
            cs_history_add(ret, &act);
        }
        cs_history_add(ret, &(cs_act_t){.at_us = at_us, .kind = CS_ACT_REST});
    }
}

cs_act_t *cs_history_add(cs_history_t *history, const cs_act_t *act)
{
    if (history->len == history->cap) {
        history->cap = cs_grow(history->cap, history->len + 1);
        history->act = cs_realloc_array(history->act, history->cap, sizeof *history->act);
    }
    history->act[history->len] = *act;
    return &history->act[history->len++];
}

void cs_history_copy(cs_history_t *to, const cs_history_t *from)
{
    *to = (cs_history_t){.options = from->options};
    for (size_t i = 0; i < from->len; i++) {
        cs_history_add(to, &from->act[i]);
    }
}

void cs_history_fini(cs_history_t *history)
{
    cs_free(history->act);
    *history = (cs_history_t){0};
}
