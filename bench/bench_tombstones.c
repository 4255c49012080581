/* bench_tombstones.c - what removals leave behind while several members write all the time.
 *
 *   bench_tombstones [MEMBERS [MINUTES]]
 *
 * A removal is remembered until all that is known of others covers it, which grows when two
 * members find their roots equal (core.md 6.1); while all write, they hardly ever do. Each
 * member makes a file, and removes one of its own, in turn; in the simulator, with messages of
 * up to 50 ms. Printed for several rates: removals so far, and how many a member remembers, at
 * most and at the end of the writing; and at rest, two minutes and a half later. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/world.h"

#define LATENCY_MS 50u
#define SAMPLES    50u
#define REST_US    150000000u /* then an idle pair compares its states a second time */

static size_t count(cs_sim_node_t *node)
{
    static const uint8_t prefix[] = {0, 0, 0, CS_SIM_FOLDER, 't', '/'};
    size_t rows = 0;
    if (!node->up) return 0;
    cs_iter_t *iter = cs_store_iter(node->store, NULL);
    cs_iter_seek(iter, cs_slice(prefix, sizeof prefix));
    for (; cs_iter_valid(iter); cs_iter_next(iter)) {
        if (!cs_slice_has_prefix(cs_iter_key(iter), cs_slice(prefix, sizeof prefix))) break;
        rows++;
    }
    cs_iter_destroy(&iter);
    return rows;
}

static size_t most(cs_sim_t *sim)
{
    size_t ret = 0;
    for (unsigned i = 0; i < sim->node_count; i++) {
        size_t rows = count(&sim->node[i]);
        if (rows > ret) ret = rows;
    }
    return ret;
}

static void add(cs_history_t *history, cs_act_kind_t kind, uint64_t at_us, uint32_t node,
                uint32_t file)
{
    cs_act_t act = {.at_us = at_us, .kind = kind, .node = (uint16_t)node};
    if (kind == CS_ACT_SAVE) act.number = CS_TEXT_COMMON + file;
    snprintf(act.path, sizeof act.path, "n%u-%u", node, file);
    cs_history_add(history, &act);
}

/* Every gap_ms one of the members, in turn, makes a file and removes the one before. */
static uint32_t draw(cs_history_t *history, uint32_t members, uint64_t ms, uint32_t gap_ms)
{
    uint32_t removals = 0;
    history->options = (cs_sim_options_t){.seed = 1,
                                          .nodes = members,
                                          .ops = 1,
                                          .phases = 1,
                                          .names = 1,
                                          .latency_ms = LATENCY_MS};
    for (uint64_t at_ms = 0; at_ms < ms; at_ms += gap_ms) {
        uint32_t turn = (uint32_t)(at_ms / gap_ms), node = turn % members;
        uint32_t file = turn / members;
        add(history, CS_ACT_SAVE, at_ms * 1000, node, file);
        if (file > 0) add(history, CS_ACT_REMOVE, at_ms * 1000, node, file - 1);
        removals += file > 0;
        cs_history_add(history, &(cs_act_t){.at_us = at_ms * 1000,
                                            .kind = CS_ACT_SCAN,
                                            .node = (uint16_t)node,
                                            .path = "."});
    }
    return removals;
}

static void run(uint32_t members, uint64_t ms, uint32_t gap_ms)
{
    cs_history_t history = {0};
    uint32_t removals = draw(&history, members, ms, gap_ms);
    cs_sim_t *sim = cs_malloc(sizeof *sim);
    cs_sim_init(sim, &history, &(cs_sim_setup_t){.unjudged = true});
    size_t peak = 0, last = 0;
    uint64_t step_us = ms * 1000 / SAMPLES, next_us = sim->now_us;
    while (sim->next_act < history.len && cs_sim_step(sim)) {
        if (sim->now_us < next_us) continue;
        next_us = sim->now_us + step_us;
        last = most(sim);
        if (last > peak) peak = last;
    }
    for (uint64_t end_us = sim->now_us + REST_US; sim->now_us < end_us && cs_sim_step(sim);) {
    }
    printf("%8u ms %9u %9zu %9zu %9zu %s\n", gap_ms, removals, peak, last, most(sim), sim->why);
    for (unsigned i = 0; i < sim->node_count; i++) {
        if (sim->node[i].up) cs_sim_node_end(&sim->node[i]);
    }
    cs_sim_fini(sim);
    cs_free(sim);
    cs_history_fini(&history);
}

int main(int argc, char **argv)
{
    static const uint32_t gaps_ms[] = {10, 30, 100, 300, 1000, 3000};
    uint32_t members = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 4;
    uint64_t minutes = argc > 2 ? strtoull(argv[2], NULL, 10) : 5;
    if (sodium_init() < 0 || members < 2 || members > CS_SIM_NODES_MAX || minutes == 0)
        return 2;
    printf("%u members, %llu min of writing, messages take up to %u ms\n", members,
           (unsigned long long)minutes, LATENCY_MS);
    printf("one write each   removed      most   at last   at rest\n");
    for (size_t i = 0; i < CS_COUNT_OF(gaps_ms); i++) {
        run(members, minutes * 60000, gaps_ms[i]);
    }
    return 0;
}
