/* shrink.c - see shrink.h. */
#include "sim/shrink.h"

#include "base/mem.h"

/* Times begin anew after a rest: where one was left out they must not go back. */
static void add_later(cs_history_t *history, const cs_act_t *act)
{
    const cs_act_t *last = history->len > 0 ? &history->act[history->len - 1] : NULL;
    cs_act_t later = *act;
    if (last != NULL && last->kind != CS_ACT_REST && later.at_us < last->at_us) {
        later.at_us = last->at_us;
    }
    cs_history_add(history, &later);
}

/* Keeps the candidate if it fails. Takes it either way. */
static bool try(cs_shrink_t *shrink, cs_history_t *best, cs_history_t *candidate)
{
    bool fails = shrink->tries < shrink->tries_max && candidate->len > 0;
    if (fails) {
        shrink->tries++;
        fails = shrink->fails(shrink->arg, candidate);
    }
    if (fails) {
        cs_history_fini(best);
        *best = *candidate;
        if (shrink->shorter != NULL) shrink->shorter(shrink->arg, best);
    } else {
        cs_history_fini(candidate);
    }
    return fails;
}

static void without(const cs_history_t *from, size_t at, size_t count, cs_history_t *ret)
{
    *ret = (cs_history_t){.options = from->options};
    for (size_t i = 0; i < from->len; i++) {
        if (i < at || i >= at + count) add_later(ret, &from->act[i]);
    }
}

static void drop_actions(cs_shrink_t *shrink, cs_history_t *best)
{
    for (size_t chunk = best->len / 2; chunk > 0;) {
        bool dropped = false;
        for (size_t at = 0; at < best->len;) {
            cs_history_t candidate;
            without(best, at, chunk, &candidate);
            if (try(shrink, best, &candidate)) {
                dropped = true;
            } else {
                at += chunk;
            }
        }
        if (chunk == 1 && dropped) continue; /* one that was needed may not be any more */
        chunk /= 2;
    }
}

/* The node is left out; what it did goes with it, those after it move up. */
static bool without_node(const cs_history_t *from, unsigned node, cs_history_t *ret)
{
    *ret = (cs_history_t){.options = from->options};
    if (from->options.nodes <= 2) return false;
    ret->options.nodes--;
    for (size_t i = 0; i < from->len; i++) {
        cs_act_t act = from->act[i];
        uint32_t needs = cs_act_needs(act.kind);
        if (!(needs & CS_ACT_WORLD) && act.node == node) continue;
        if ((needs & CS_ACT_PEER) && act.peer == node) continue;
        act.node = (uint16_t)(act.node - (act.node > node));
        act.peer = (uint16_t)(act.peer - (act.peer > node));
        if (act.node >= ret->options.nodes) act.node = 0; /* of the world */
        add_later(ret, &act);
    }
    return true;
}

static void drop_nodes(cs_shrink_t *shrink, cs_history_t *best)
{
    for (unsigned node = best->options.nodes; node-- > 0;) {
        cs_history_t candidate;
        if (without_node(best, node, &candidate)) (void)try(shrink, best, &candidate);
    }
}

/* Each option at its least, if it fails all the same. */
static void drop_options(cs_shrink_t *shrink, cs_history_t *best)
{
#define X(field, name, low, high, text)                                                \
    if (best->options.field > (low) && &best->options.field != &best->options.nodes && \
        &best->options.field != &best->options.ops) {                                  \
        cs_history_t candidate = {0};                                                  \
        cs_history_copy(&candidate, best);                                             \
        candidate.options.field = (low);                                               \
        (void)try(shrink, best, &candidate);                                           \
    }
    CS_SIM_OPTION_MAP(X)
#undef X
}

static void simplify_actions(cs_shrink_t *shrink, cs_history_t *best)
{
    for (size_t i = 0; i < best->len; i++) {
        if (best->act[i].calls == 0) continue;
        cs_history_t candidate = {0};
        cs_history_copy(&candidate, best);
        candidate.act[i].calls = 0;
        (void)try(shrink, best, &candidate);
    }
}

void cs_shrink_history(cs_shrink_t *shrink, const cs_history_t *from, cs_history_t *ret)
{
    shrink->tries = 0;
    cs_history_copy(ret, from);
    drop_actions(shrink, ret);
    drop_nodes(shrink, ret);
    drop_options(shrink, ret);
    simplify_actions(shrink, ret);
    drop_actions(shrink, ret);
    ret->options.ops = (uint32_t)ret->len;
}
