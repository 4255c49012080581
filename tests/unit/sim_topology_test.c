/* Worlds of many nodes: who is linked to whom, and that looking on changes nothing. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "sim/run.h"
#include "sim/world.h"

static void init(void)
{
    cr_assert_geq(sodium_init(), 0);
}
TestSuite(sim_topology, .init = init);

static void make(cs_sim_t *sim, const cs_history_t *history, bool neighbours)
{
    cs_sim_setup_t setup = {.unjudged = true, .neighbours = neighbours};
    cs_sim_init(sim, history, &setup);
}

static size_t reach(const cs_sim_t *sim, unsigned from, bool *seen)
{
    size_t count = 1;
    seen[from] = true;
    for (size_t i = 0; i < sim->node[from].link_count; i++) {
        const cs_sim_link_t *link = &sim->link[sim->node[from].links[i]];
        unsigned other = link->end[link->end[0] == from];
        if (!seen[other]) count += reach(sim, other, seen);
    }
    return count;
}

Test(sim_topology, each_has_eight_neighbours_and_at_most_sixteen_and_all_are_connected)
{
    cs_history_t history = {
        .options = {.seed = 5, .nodes = 300, .topology = CS_SIM_TOPOLOGY_BOUNDED}};
    cs_sim_t sim;
    bool seen[300] = {false};
    make(&sim, &history, true);
    for (unsigned i = 0; i < 300; i++) {
        cr_expect_geq(sim.node[i].link_count, 8, "node %u", i);
        cr_expect_leq(sim.node[i].link_count, 16, "node %u", i);
    }
    cr_expect_eq(reach(&sim, 0, seen), 300);
    cs_sim_fini(&sim);
}

Test(sim_topology, keys_names_and_draws_of_many_nodes_differ)
{
    cs_sim_node_t a = {.index = 0, .life = 1}, b = {.index = 256, .life = 0};
    cs_key_t x = cs_sim_key(0), y = cs_sim_key(256);
    char first[CS_SIM_NAME_BYTES], last[CS_SIM_NAME_BYTES];
    cr_expect_neq(cs_sim_who(&a), cs_sim_who(&b));
    cr_expect_neq(memcmp(x.b, y.b, sizeof x.b), 0);
    cs_sim_name(25, first);
    cs_sim_name(1999, last);
    cr_expect_str_eq(first, "Z");
    cr_expect_str_eq(last, "n1999");
}

/* A HELLO of a neighbour names its neighbours: they stay unknown. */
Test(sim_topology, with_neighbours_only_nobody_learns_of_others)
{
    cs_history_t history = {
        .options = {.seed = 5, .nodes = 40, .topology = CS_SIM_TOPOLOGY_BOUNDED}};
    cs_sim_t sim;
    make(&sim, &history, true);
    while (sim.now_us < 20000000 && cs_sim_step(&sim)) {
    }
    cr_assert_not(cs_sim_failed(&sim), "%s", sim.why);
    for (unsigned i = 0; i < 40; i++) {
        size_t count;
        cr_expect_not_null(cs_node_members(sim.node[i].node, CS_SIM_FOLDER, &count));
        cr_expect_eq(count, sim.node[i].link_count + 1, "node %u", i);
    }
    cs_sim_fini(&sim);
}

static void count_sights(void *arg, const cs_sight_t *sight)
{
    size_t *counts = arg;
    counts[sight->kind]++;
}

Test(sim_topology, a_run_that_is_watched_has_the_same_trace)
{
    cs_sim_options_t options;
    cs_history_t history = {0};
    cs_sim_result_t alone, watched;
    size_t counts[CS_SIGHT_REST + 1] = {0};
    cs_sim_options_draw(&options, 3);
    cs_history_draw(&options, &history);
    cs_sim_setup_t setup = {.watch = {counts, count_sights}};
    cs_sim_once(&history, NULL, &alone);
    cs_sim_watched(&history, &setup, &watched);
    cr_expect_eq(alone.ok, true);
    cr_expect_eq(watched.ok, true);
    cr_expect_eq(memcmp(alone.trace, watched.trace, sizeof alone.trace), 0);
    cr_expect_eq(counts[CS_SIGHT_REST], options.phases);
    cr_expect_eq(counts[CS_SIGHT_KILL], watched.crashes);
    cr_expect_gt(counts[CS_SIGHT_FRAME], 0);
    cs_history_fini(&history);
}
