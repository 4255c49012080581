/* scale.c - see scale.h. */
#include "sim/scale.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/world.h"

#define ONE_US     60000000u  /* until then all have met, and are at rest */
#define MANY_US    120000000u /* once more */
#define CHURN_MS   10000u     /* nodes die within this */
#define AWAY_MS    5000u      /* and stay away for less than this */
#define SCAN_MS    100u       /* from a start to a scan of everything, as the product does it */
#define PATIENCE_S 1800u      /* virtual: then it will never be */

typedef struct seen {
    uint64_t equal_us, disk_us; /* last time that the root changed, and that it was on disk */
    uint32_t depth;
    bool idle, up;
    uint8_t root[CS_HASH_BYTES];
} seen_t;

typedef struct scale {
    cs_sim_t sim;
    cs_history_t history;
    const cs_scale_config_t *config;
    cs_scale_window_t *window; /* being measured; NULL: none */
    seen_t *node;
    size_t idle; /* nodes that are up and idle */
    bool news;   /* something changed since it was looked whether all are equal */
    uint64_t began_us;
} scale_t;

/* --- what happens */

static uint64_t draw(const cs_scale_config_t *config, uint64_t what, uint64_t which,
                     uint64_t bound)
{
    return cs_draw_below(config->seed, CS_DRAW_SCALE, what, which, bound);
}

static int by_time(const void *a, const void *b)
{
    const cs_act_t *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    if (x->node != y->node) return x->node < y->node ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return strcmp(x->path, y->path);
}

static void add_save(const cs_scale_config_t *config, unsigned index, uint64_t at_us,
                     cs_history_t *ret)
{
    cs_act_t act = {.at_us = at_us,
                    .kind = CS_ACT_SAVE,
                    .node = (uint16_t)draw(config, 0, index, config->nodes),
                    .number = CS_TEXT_COMMON + index};
    snprintf(act.path, sizeof act.path, "d%u/f%u", index % 10, index);
    cs_history_add(ret, &act);
    act.kind = CS_ACT_SCAN;
    cs_history_add(ret, &act);
}

static void add_changes(const cs_scale_config_t *config, cs_history_t *ret)
{
    uint64_t at_us = MANY_US;
    add_save(config, 0, ONE_US, ret);
    for (unsigned i = 1; i <= config->changes; i++) {
        add_save(config, i, at_us, ret);
        at_us += draw(config, 1, i, (uint64_t)config->gap_ms * 2000 + 1);
    }
}

static void add_churn(const cs_scale_config_t *config, cs_history_t *ret)
{
    for (unsigned i = 0; i < config->nodes; i++) {
        if (draw(config, 2, i, 100) >= config->churn) continue;
        uint64_t at_ms = MANY_US / 1000 + draw(config, 3, i, CHURN_MS);
        uint64_t away_ms = 1 + draw(config, 4, i, AWAY_MS);
        cs_act_t act = {
            .at_us = at_ms * 1000, .kind = CS_ACT_KILL, .node = (uint16_t)i, .number = away_ms};
        cs_history_add(ret, &act);
        act.kind = CS_ACT_SCAN;
        act.at_us = (at_ms + away_ms + SCAN_MS) * 1000;
        snprintf(act.path, sizeof act.path, ".");
        cs_history_add(ret, &act);
    }
}

static void make_history(const cs_scale_config_t *config, cs_history_t *ret)
{
    ret->options = (cs_sim_options_t){
        .seed = config->seed,
        .nodes = config->nodes,
        .ops = config->changes,
        .phases = 1,
        .topology = config->mesh ? 0 : CS_SIM_TOPOLOGY_BOUNDED,
        .latency_ms = config->latency_ms,
        .loss = config->loss,
    };
    add_changes(config, ret);
    add_churn(config, ret);
    qsort(ret->act, ret->len, sizeof *ret->act, by_time);
}

/* --- counting */

static void set_idle(scale_t *scale, seen_t *node, bool up, bool idle)
{
    scale->idle -= node->up && node->idle;
    node->up = up;
    node->idle = idle;
    scale->idle += node->up && node->idle;
    scale->news = true;
}

static void see_state(scale_t *scale, const cs_sight_t *sight)
{
    seen_t *node = &scale->node[sight->node];
    bool changed = memcmp(node->root, sight->root, CS_HASH_BYTES) != 0;
    if (changed) node->equal_us = sight->now_us;
    memcpy(node->root, sight->root, CS_HASH_BYTES);
    if (changed || (!sight->odd && !node->idle)) node->disk_us = sight->now_us;
    node->depth = (uint32_t)sight->number;
    set_idle(scale, node, true, !sight->odd);
}

static void see(void *arg, const cs_sight_t *sight)
{
    scale_t *scale = arg;
    seen_t *node = &scale->node[sight->node];
    if (sight->kind == CS_SIGHT_STATE) see_state(scale, sight);
    if (sight->kind == CS_SIGHT_START) set_idle(scale, node, true, node->idle);
    if (sight->kind == CS_SIGHT_KILL) set_idle(scale, node, false, node->idle);
    bool counts = sight->kind == CS_SIGHT_FRAME && scale->window != NULL &&
                  sight->type < CS_MSG_TYPE_END && sight->then_us >= scale->began_us;
    if (!counts) return;
    scale->window->type[sight->type].messages++;
    scale->window->type[sight->type].bytes += sight->bytes;
}

static bool all_equal(scale_t *scale)
{
    if (!scale->news || scale->idle < scale->config->nodes) return false;
    scale->news = false;
    for (unsigned i = 1; i < scale->config->nodes; i++) {
        if (memcmp(scale->node[i].root, scale->node[0].root, CS_HASH_BYTES) != 0) return false;
    }
    return true;
}

/* Equal roots of something else would be no success. */
static void check_files(scale_t *scale)
{
    for (unsigned i = 0; i < scale->config->nodes; i++) {
        for (size_t k = 0; k < scale->history.len; k++) {
            const cs_act_t *act = &scale->history.act[k];
            cs_stat_t st;
            if (act->kind != CS_ACT_SAVE) continue;
            if (cs_mem_user_stat(scale->sim.node[i].volume, cs_slice_text(act->path), &st) !=
                CS_OK) {
                cs_sim_fail(&scale->sim, "node %u has not %s", i, act->path);
            }
        }
    }
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint64_t since(uint64_t at_us, uint64_t began_us)
{
    return at_us > began_us ? at_us - began_us : 0;
}

static void curves(const scale_t *scale, cs_scale_window_t *ret)
{
    unsigned count = scale->config->nodes;
    uint64_t *equal = cs_calloc(count, sizeof *equal), *disk = cs_calloc(count, sizeof *disk);
    uint64_t *depth = cs_calloc(count, sizeof *depth);
    for (unsigned i = 0; i < count; i++) {
        equal[i] = since(scale->node[i].equal_us, scale->began_us);
        disk[i] = since(scale->node[i].disk_us, scale->began_us);
        if (scale->node[i].depth > ret->rounds_max) ret->rounds_max = scale->node[i].depth;
        ret->rounds_mean += (double)scale->node[i].depth / count;
        depth[i] = scale->node[i].depth;
    }
    qsort(depth, count, sizeof *depth, by_size);
    ret->rounds_median = (uint32_t)depth[count / 2];
    cs_free(depth);
    qsort(equal, count, sizeof *equal, by_size);
    qsort(disk, count, sizeof *disk, by_size);
    for (unsigned i = 0; i < CS_SCALE_POINTS; i++) {
        size_t at = (size_t)(count - 1) * i / (CS_SCALE_POINTS - 1);
        ret->equal_at[i] = equal[at];
        ret->disk_at[i] = disk[at];
    }
    ret->equal_us = equal[count - 1];
    ret->disk_us = disk[count - 1];
    cs_free(equal);
    cs_free(disk);
}

/* --- the run */

static void go_on_until(scale_t *scale, uint64_t until_us)
{
    cs_sim_t *sim = &scale->sim;
    while (!cs_sim_failed(sim) && sim->heap.len > 0 && sim->heap.ev[0].at_us < until_us) {
        (void)cs_sim_step(sim);
    }
}

static void until_equal(scale_t *scale, size_t acts)
{
    cs_sim_t *sim = &scale->sim;
    uint64_t until_us =
        scale->history.act[acts - 1].at_us + sim->phase_us + (uint64_t)PATIENCE_S * 1000000;
    while (!cs_sim_failed(sim)) {
        if (!cs_sim_step(sim)) cs_sim_fail(sim, "nothing happens any more");
        if (sim->next_act >= acts && all_equal(scale)) return;
        if (sim->now_us > until_us) {
            cs_sim_fail(sim, "not equal %u s after the last change: %zu of %u nodes are idle",
                        PATIENCE_S, scale->idle, scale->config->nodes);
        }
    }
}

static cs_scale_count_t sent(const cs_sim_t *sim, cs_scale_count_t before)
{
    return (cs_scale_count_t){sim->frames - before.messages, sim->frame_bytes - before.bytes};
}

/* From `at_us` of the history on, until all are equal after its first `acts`. */
static void measure(scale_t *scale, uint64_t at_us, size_t acts, cs_scale_window_t *ret)
{
    cs_sim_t *sim = &scale->sim;
    go_on_until(scale, sim->phase_us + at_us);
    cs_scale_count_t before = sent(sim, (cs_scale_count_t){0});
    scale->began_us = sim->phase_us + at_us;
    scale->window = ret;
    for (unsigned i = 0; i < scale->config->nodes; i++) {
        sim->node[i].depth = scale->node[i].depth = 0;
    }
    until_equal(scale, acts);
    scale->window = NULL;
    ret->all = sent(sim, before);
    curves(scale, ret);
}

static void run(scale_t *scale, cs_scale_result_t *ret)
{
    cs_sim_t *sim = &scale->sim;
    go_on_until(scale, sim->phase_us + ONE_US);
    ret->start = sent(sim, (cs_scale_count_t){0});
    measure(scale, ONE_US, 2, &ret->one);
    go_on_until(scale, sim->phase_us + MANY_US - (uint64_t)CS_SCALE_REST_S * 1000000);
    cs_scale_count_t before = sent(sim, (cs_scale_count_t){0});
    go_on_until(scale, sim->phase_us + MANY_US);
    ret->rest = sent(sim, before);
    measure(scale, MANY_US, scale->history.len, &ret->many);
    if (!cs_sim_failed(sim)) check_files(scale);
    ret->links = sim->link_count;
    ret->lost = sim->lost;
    ret->events = sim->trace.events;
    for (unsigned i = 0; i < scale->config->nodes; i++) {
        ret->crashes += sim->node[i].crashes;
    }
    ret->ok = !cs_sim_failed(sim);
    snprintf(ret->why, sizeof ret->why, "%s", sim->why);
}

void cs_scale_run(const cs_scale_config_t *config, cs_scale_result_t *ret)
{
    CS_ASSERT(config->nodes >= 2 && config->nodes <= CS_SCALE_NODES_MAX);
    CS_ASSERT(!config->mesh || config->nodes <= CS_SCALE_MESH_MAX);
    *ret = (cs_scale_result_t){0};
    scale_t *scale = cs_calloc(1, sizeof *scale);
    scale->config = config;
    scale->node = cs_calloc(config->nodes, sizeof *scale->node);
    make_history(config, &scale->history);
    cs_sim_setup_t setup = {
        .watch = {scale, see}, .unjudged = true, .neighbours = config->neighbours};
    cs_sim_init(&scale->sim, &scale->history, &setup);
    run(scale, ret);
    cs_sim_fini(&scale->sim);
    cs_history_fini(&scale->history);
    cs_free(scale->node);
    cs_free(scale);
}
