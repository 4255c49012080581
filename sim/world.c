/* world.c - the queue of events, and time. */
#include "sim/world.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/mem.h"
#include "sim/notice.h"

/* A node that steps so often at one moment, without an effect, spins. */
#define SPINS_MAX 1000u
/* Children of an event in the heap: with many, it is flat, and pop waits for memory less. */
#define ARITY          4u
#define IDLE_SCANS_MAX 10u /* by then they are a minute apart */

void cs_sim_fail(cs_sim_t *sim, const char *format, ...)
{
    if (cs_sim_failed(sim)) return; /* the first one tells */
    va_list args;
    va_start(args, format);
    vsnprintf(sim->why, sizeof sim->why, format, args);
    va_end(args);
    cs_sim_line(sim, -1, "FAILED %s", sim->why);
}

bool cs_sim_failed(const cs_sim_t *sim)
{
    return sim->why[0] != '\0';
}

void cs_sim_see(cs_sim_t *sim, const cs_sight_t *sight)
{
    const cs_sim_watch_t *watch = &sim->setup.watch;
    if (watch->see == NULL) return;
    cs_sight_t seen = *sight;
    seen.now_us = sim->now_us;
    watch->see(watch->arg, &seen);
}

bool cs_sim_reads_lines(const cs_sim_t *sim)
{
    return sim->trace.lines != NULL;
}

uint64_t cs_sim_draw(cs_sim_t *sim, cs_draw_stream_t stream, uint64_t a, uint64_t b,
                     uint64_t bound)
{
    return cs_draw_below(sim->options.seed, stream, a, b, bound);
}

/* --- heap */

static bool before(const cs_sim_ev_t *a, const cs_sim_ev_t *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->seq < b->seq;
}

/* Ticks and scans come for ever: they are no work that is left. */
static bool is_work(const cs_sim_ev_t *ev)
{
    return ev->kind != CS_SIM_EV_TICK && ev->kind != CS_SIM_EV_SCAN;
}

cs_sim_ev_t *cs_sim_push(cs_sim_t *sim, cs_sim_ev_kind_t kind, uint64_t after_us)
{
    cs_sim_heap_t *heap = &sim->heap;
    if (heap->len == heap->cap) {
        heap->cap = cs_grow(heap->cap, heap->len + 64);
        heap->ev = cs_realloc_array(heap->ev, heap->cap, sizeof *heap->ev);
    }
    cs_sim_ev_t ev = {.at_us = sim->now_us + after_us, .seq = sim->seq++, .kind = kind};
    size_t at = heap->len++;
    heap->work += is_work(&ev);
    while (at > 0 && before(&ev, &heap->ev[(at - 1) / ARITY])) {
        heap->ev[at] = heap->ev[(at - 1) / ARITY];
        at = (at - 1) / ARITY;
    }
    heap->ev[at] = ev;
    return &heap->ev[at];
}

static cs_sim_ev_t pop(cs_sim_heap_t *heap)
{
    cs_sim_ev_t top = heap->ev[0], last = heap->ev[--heap->len];
    heap->work -= is_work(&top);
    size_t at = 0, child;
    while ((child = ARITY * at + 1) < heap->len) {
        size_t end = child + ARITY < heap->len ? child + ARITY : heap->len;
        for (size_t i = child + 1; i < end; i++) {
            if (before(&heap->ev[i], &heap->ev[child])) child = i;
        }
        if (!before(&heap->ev[child], &last)) break;
        heap->ev[at] = heap->ev[child];
        at = child;
    }
    if (heap->len > 0) heap->ev[at] = last;
    return top;
}

/* --- what happens */

static void push_next_act(cs_sim_t *sim)
{
    if (sim->next_act >= sim->history->len) return;
    uint64_t at_us = sim->phase_us + sim->history->act[sim->next_act].at_us;
    cs_sim_push(sim, CS_SIM_EV_ACT, at_us > sim->now_us ? at_us - sim->now_us : 0);
}

static void act_next(cs_sim_t *sim)
{
    size_t index = sim->next_act++;
    const cs_act_t *act = &sim->history->act[index];
    cs_sim_node_t *node = &sim->node[act->node];
    bool waits = act->calls > 0 && node->jobs != NULL &&
                 node->waiting_count < CS_COUNT_OF(node->waiting);
    if (act->kind == CS_ACT_REST) {
        cs_sim_rest(sim);
        sim->phase_us = sim->now_us;
    } else if (waits) {
        node->waiting[node->waiting_count].act = index;
        node->waiting[node->waiting_count++].call = node->calls + act->calls;
        cs_sim_push(sim, CS_SIM_EV_LATE, 50000)->node = act->node;
    } else {
        sim->act = index;
        cs_sim_act(sim, act);
    }
    push_next_act(sim);
}

/* At rest a minute apart, as the product does: what others miss is looked for in the trash. */
#define SCAN_REST_MS 60000u

static bool scans(const cs_sim_t *sim)
{
    return sim->fair || sim->options.scan_ms > 0;
}

/* The longer nobody does anything at the node, the rarer are its scans. */
static void push_scan(cs_sim_t *sim, unsigned index)
{
    cs_sim_node_t *node = &sim->node[index];
    uint64_t ms = (uint64_t)sim->options.scan_ms << node->idle_scans;
    if (sim->fair || ms == 0 || ms > SCAN_REST_MS) ms = SCAN_REST_MS;
    node->scan_us = sim->now_us + ms * 1000;
    cs_sim_push(sim, CS_SIM_EV_SCAN, ms * 1000)->node = (uint16_t)index;
}

void cs_sim_scan_soon(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    node->idle_scans = 0;
    if (sim->options.scan_ms == 0) return;
    uint64_t at_us = sim->now_us + (uint64_t)sim->options.scan_ms * 1000;
    if (at_us < node->scan_us) push_scan(sim, node->index);
}

static void scan(cs_sim_t *sim, cs_sim_node_t *node)
{
    if (node->scan_us != sim->now_us) return; /* another one comes, or came, before */
    if (node->up && scans(sim)) cs_sim_node_scan(node, ".");
    if (node->idle_scans < IDLE_SCANS_MAX) node->idle_scans++;
    push_scan(sim, node->index);
}

static void happen(cs_sim_t *sim, cs_sim_ev_t *ev)
{
    cs_sim_node_t *node = &sim->node[ev->node];
    switch (ev->kind) {
    case CS_SIM_EV_ACT:
        act_next(sim);
        break;
    case CS_SIM_EV_LATE:
        cs_sim_act_waiting(node, true);
        break;
    case CS_SIM_EV_FRAME:
        cs_sim_net_frame(sim, ev->frame);
        break;
    case CS_SIM_EV_SENT:
        cs_sim_net_sent(sim, ev);
        break;
    case CS_SIM_EV_CONNECT:
        cs_sim_net_connect(sim, &sim->link[ev->link]);
        break;
    case CS_SIM_EV_CUT:
        if (sim->link[ev->link].conn == ev->life) cs_sim_net_cut(sim, &sim->link[ev->link]);
        break;
    case CS_SIM_EV_STORED:
        if (node->life == ev->life) cs_sim_node_stored(node);
        break;
    case CS_SIM_EV_SLICE:
        if (node->life == ev->life) cs_sim_job_slice(ev->job);
        break;
    case CS_SIM_EV_TICK:
        if (node->life == ev->life) cs_sim_node_tick(node);
        break;
    case CS_SIM_EV_SCAN:
        scan(sim, node);
        break;
    case CS_SIM_EV_START:
        if (node->life == ev->life && !node->up) cs_sim_node_start(node);
        break;
    case CS_SIM_EV_NOTICE:
        if (node->life == ev->life && node->up) {
            cs_sim_notice_comes(node, ev->notice);
        } else {
            cs_sim_notice_free(ev->notice);
        }
        break;
    case CS_SIM_EV_LOOK:
        if (node->life == ev->life && node->up) cs_sim_notice_look(node);
        break;
    case CS_SIM_EV_MEND:
        cs_sim_mend(node);
        break;
    }
}

bool cs_sim_step(cs_sim_t *sim)
{
    if (sim->heap.len == 0) return false;
    cs_sim_ev_t ev = pop(&sim->heap);
    if (ev.at_us > sim->now_us) sim->spins = 0;
    CS_ASSERT(ev.at_us >= sim->now_us);
    sim->now_us = ev.at_us;
    happen(sim, &ev);
    if (++sim->spins > (uint64_t)SPINS_MAX * sim->node_count) {
        cs_sim_fail(sim, "a node spins: events without end at one moment");
    }
    const char *why = sim->oracle != NULL ? cs_oracle_failure(sim->oracle) : NULL;
    if (why != NULL) cs_sim_fail(sim, "%s", why);
    return true;
}

bool cs_sim_until(cs_sim_t *sim, bool (*done)(cs_sim_t *sim), const char *what)
{
    uint64_t began_us = sim->now_us;
    for (uint64_t events = 0; !cs_sim_failed(sim); events++) {
        bool rests = sim->heap.work == 0 || events % 256 == 255;
        if (rests && done(sim)) return true;
        if (!cs_sim_step(sim) || sim->now_us - began_us > CS_SIM_FAIR_US) {
            cs_sim_fail(sim, "not %s within %u s of virtual time", what,
                        CS_SIM_FAIR_US / 1000000u);
        }
        if (events > CS_SIM_FAIR_EVENTS) {
            cs_sim_fail(sim, "not %s within %u events", what, CS_SIM_FAIR_EVENTS);
        }
    }
    return false;
}

static bool did_touch(void *arg, unsigned node, cs_slice_t path)
{
    const cs_sim_t *sim = arg;
    if (cs_touched_has(&sim->node[node].touched, path)) return true;
    /* What he edited may have followed another's move. */
    for (unsigned i = 0; i < sim->node_count; i++) {
        if (cs_touched_names(&sim->node[i].touched, path)) return true;
    }
    return false;
}

void cs_sim_init(cs_sim_t *sim, const cs_history_t *history, const cs_sim_setup_t *setup)
{
    *sim = (cs_sim_t){.options = history->options,
                      .history = history,
                      .setup = *setup,
                      .now_us = 1000000,
                      .phase_us = 1000000,
                      .node_count = history->options.nodes};
    cs_trace_init(&sim->trace, setup->lines);
    sim->coros = cs_coros_new();
    if (!setup->unjudged) {
        sim->oracle = cs_oracle_new(&(cs_oracle_config_t){
            .node_count = sim->node_count,
            .folder = CS_SIM_FOLDER,
            .secret = cs_sim_secret,
            .arg = sim,
            .touched = did_touch,
        });
    }
    sim->texts = cs_texts_new();
    sim->node = cs_calloc(sim->node_count, sizeof *sim->node);
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_sim_node_init(sim, i);
    }
    cs_sim_net_init(sim);
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_sim_node_start(&sim->node[i]);
        push_scan(sim, i);
    }
    push_next_act(sim);
}

bool cs_sim_run(cs_sim_t *sim)
{
    while (!cs_sim_failed(sim) && sim->next_act < sim->history->len) {
        if (!cs_sim_step(sim)) cs_sim_fail(sim, "the history stands still");
    }
    for (unsigned i = 0; i < sim->node_count; i++) {
        if (sim->node[i].up) cs_sim_node_end(&sim->node[i]);
    }
    return !cs_sim_failed(sim);
}

void cs_sim_fini(cs_sim_t *sim)
{
    cs_trace_fini(&sim->trace);
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_sim_node_fini(&sim->node[i]);
    }
    while (sim->heap.len > 0) {
        cs_sim_ev_t ev = pop(&sim->heap);
        if (ev.kind == CS_SIM_EV_FRAME) cs_sim_net_frame_free(ev.frame);
        if (ev.kind == CS_SIM_EV_NOTICE) cs_sim_notice_free(ev.notice);
    }
    cs_free(sim->heap.ev);
    cs_free(sim->node);
    cs_free(sim->link);
    cs_texts_destroy(&sim->texts);
    cs_oracle_destroy(&sim->oracle);
    cs_coros_destroy(&sim->coros);
}
