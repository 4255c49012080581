/* history.c - histories drawn from their options. */
#include "sim/history.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/draw.h"
#include "sim/history_i.h"

/* Correlated trees are what finds mistakes: few names, one in the way of the other. */
const char *const cs_draw_names[CS_DRAW_NAMES] = {
    "a", "b.txt", "d/x",    "d", "d/y.txt", "e/f/g", "e/f",   "h",
    "A", "d/k",   "b.txt~", "e", "c.txt",   "d/z",   "e/f/h", "i"};

uint32_t cs_drawn_below(cs_drawing_t *draw, uint32_t bound)
{
    return (uint32_t)cs_draw_below(draw->options->seed, CS_DRAW_ACTION, draw->index,
                                   draw->used++, bound);
}

cs_act_kind_t cs_drawn_kind(cs_drawing_t *draw, const cs_weight_t *weights, size_t count)
{
    uint32_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += weights[i].weight;
    }
    uint32_t at = cs_drawn_below(draw, total);
    for (size_t i = 0; i < count; i++) {
        if (at < weights[i].weight) return (cs_act_kind_t)weights[i].kind;
        at -= weights[i].weight;
    }
    return CS_ACT_SAVE;
}

static const cs_weight_t users[] = {
    {CS_ACT_SAVE, 20}, {CS_ACT_SAVE_NEW, 6}, {CS_ACT_SAVE_OLD, 4}, {CS_ACT_COPY, 4},
    {CS_ACT_MOVE, 16}, {CS_ACT_SWAP, 4},     {CS_ACT_REMOVE, 12},  {CS_ACT_MKDIR, 4},
    {CS_ACT_RMDIR, 3}, {CS_ACT_CHMOD, 8},    {CS_ACT_LINK, 3},     {CS_ACT_TOUCH, 1},
    {CS_ACT_HOLD, 3},  {CS_ACT_LATE, 3},     {CS_ACT_SCAN, 26},    {CS_ACT_PAUSE, 1},
    {CS_ACT_RESUME, 2}};
static const cs_weight_t links[] = {{CS_ACT_CUT, 4}, {CS_ACT_PART, 2}, {CS_ACT_STALL, 2}};
static const cs_weight_t deaths[] = {{CS_ACT_KILL, 3}, {CS_ACT_STOP, 1}};
static const cs_weight_t disks[] = {{CS_ACT_FULL, 2}, {CS_ACT_FAIL, 2}, {CS_ACT_UNMOUNT, 1}};
static const cs_weight_t homes[] = {{CS_ACT_BACKUP, 5}, {CS_ACT_RESTORE, 3}, {CS_ACT_LOSE, 1}};
static const cs_weight_t members[] = {{CS_ACT_RETIRE, 1}, {CS_ACT_ADMIT, 2}};

static cs_act_kind_t draw_kind(cs_drawing_t *draw)
{
    const cs_sim_options_t *options = draw->options;
    uint32_t at = cs_drawn_below(draw, 100);
    if (at < options->net) return CS_DRAWN(draw, links);
    at -= options->net;
    if (at < options->crashes) return CS_DRAWN(draw, deaths);
    at -= options->crashes;
    if (at < options->disk) return CS_DRAWN(draw, disks);
    at -= options->disk;
    if (at < options->images) return CS_DRAWN(draw, homes);
    at -= options->images;
    if (at < options->members) return CS_DRAWN(draw, members);
    at -= options->members;
    if (options->clocks && at < 3) return CS_ACT_CLOCK;
    return CS_DRAWN(draw, users);
}

/* "d/x#1": the first sibling of d/x that stands there then. */
void cs_draw_path(cs_drawing_t *draw, char *ret)
{
    const char *name = cs_draw_names[cs_drawn_below(draw, draw->options->names)];
    uint32_t sibling = cs_drawn_below(draw, 6) == 0 ? 1 + cs_drawn_below(draw, 2) : 0;
    if (sibling == 0) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", name);
    } else {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s#%u", name, sibling);
    }
}

static uint64_t draw_ms(cs_drawing_t *draw)
{
    static const uint32_t most[] = {1, 100, 3000, 120000};
    return cs_drawn_below(draw, most[cs_drawn_below(draw, CS_COUNT_OF(most))]);
}

/* Bytes are named by numbers: those below CS_TEXT_COMMON are many people's. */
uint64_t cs_draw_number(cs_drawing_t *draw, cs_act_kind_t kind)
{
    static const uint16_t modes[] = {0644, 0755, 0600, 0444};
    if (kind == CS_ACT_LARGE) return cs_drawn_below(draw, 8);
    if (kind == CS_ACT_CHMOD) return modes[cs_drawn_below(draw, CS_COUNT_OF(modes))];
    if (kind == CS_ACT_CLOCK) {
        return 1640000000u + cs_drawn_below(draw, 315000000u); /* ten years */
    }
    if (kind == CS_ACT_RESTORE) return cs_drawn_below(draw, 4) == 0;
    if (kind == CS_ACT_LOSE) return cs_drawn_below(draw, 3);
    bool bytes = kind == CS_ACT_SAVE || kind == CS_ACT_SAVE_NEW || kind == CS_ACT_SAVE_OLD ||
                 kind == CS_ACT_LATE || kind == CS_ACT_LINK;
    if (!bytes) return draw_ms(draw);
    bool equal = cs_drawn_below(draw, 100) < draw->options->equal;
    return equal ? cs_drawn_below(draw, 3) : CS_TEXT_COMMON + draw->index;
}

void cs_draw_act(cs_drawing_t *draw, uint64_t at_us, cs_act_t *ret)
{
    const cs_sim_options_t *options = draw->options;
    *ret = (cs_act_t){.at_us = at_us, .kind = draw_kind(draw)};
    uint32_t needs = cs_act_needs(ret->kind);
    ret->node = (uint16_t)cs_drawn_below(draw, options->nodes);
    ret->peer =
        (uint16_t)((ret->node + 1 + cs_drawn_below(draw, options->nodes - 1)) % options->nodes);
    if (options->races > 0 && cs_drawn_below(draw, 100) < options->races) {
        ret->calls = 1 + cs_drawn_below(draw, cs_drawn_below(draw, 2) == 0 ? 8 : 60);
    }
    if (needs & CS_ACT_PATH) cs_draw_path(draw, ret->path);
    if (ret->kind == CS_ACT_SCAN && cs_drawn_below(draw, 3) != 0) snprintf(ret->path, 2, ".");
    if (needs & CS_ACT_OTHER) cs_draw_path(draw, ret->other);
    if (needs & CS_ACT_NUMBER) ret->number = cs_draw_number(draw, ret->kind);
    if (ret->kind == CS_ACT_SAVE && options->large > 0 &&
        cs_drawn_below(draw, 100) < options->large) {
        ret->kind = CS_ACT_LARGE;
        ret->number = cs_drawn_below(draw, 8);
    }
}

void cs_history_draw(const cs_sim_options_t *options, cs_history_t *ret)
{
    ret->options = *options;
    uint64_t at_us = 0;
    uint32_t done = 0;
    if (options->bursts > 0) {
        cs_draw_bursts(options, ret);
        return;
    }
    for (uint32_t phase = 1; phase <= options->phases; phase++) {
        uint32_t until = (uint32_t)((uint64_t)options->ops * phase / options->phases);
        for (at_us = 0; done < until; done++) {
            cs_drawing_t draw = {options, done, 0};
            at_us += cs_drawn_below(&draw, options->gap_ms * 2000 + 10);
            cs_act_t act;
            cs_draw_act(&draw, at_us, &act);
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
