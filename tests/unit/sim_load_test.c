/* sim/load.c: what a node holds and a link carries beyond limits.h fails the run, and says who.
 */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "base/account.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sim/load.h"

static cs_history_t history;
static cs_sim_t sim;

static void begin(void)
{
    cs_account_begin();
    cr_assert(sodium_init() >= 0);
    cs_sim_options_draw(&history.options, 1);
    history.options.nodes = 2;
    cs_history_add(&history, &(cs_act_t){.kind = CS_ACT_REST});
    cs_sim_init(&sim, &history, &(cs_sim_setup_t){0});
}

static void end(void)
{
    cs_sim_fini(&sim);
    cs_history_fini(&history);
}

TestSuite(sim_load, .init = begin, .fini = end);

static void *hold(unsigned node, size_t bytes)
{
    unsigned was = cs_account_use(CS_SIM_ACCOUNT(&sim.node[node]));
    void *memory = cs_malloc(bytes);
    (void)cs_account_use(was);
    return memory;
}

/* As many bytes as B may hold beside what it holds already. */
static size_t room(size_t limit, size_t limit_per_peer)
{
    return limit + sim.node[1].link_count * limit_per_peer -
           cs_account_held(CS_SIM_ACCOUNT(&sim.node[1]));
}

Test(sim_load, a_run_stays_below_all_limits)
{
    cr_assert(cs_sim_run(&sim), "%s", sim.why);
    cr_assert_gt(sim.node[0].held_max, 0);
    cr_assert_gt(sim.way_max, 0);
}

Test(sim_load, a_node_at_its_limit_goes_on)
{
    void *memory = hold(1, room(CS_NODE_BYTES_MAX, CS_NODE_PEER_BYTES_MAX));
    cs_sim_load_memory(&sim.node[1]);
    cr_assert_not(cs_sim_failed(&sim), "%s", sim.why);
    cs_free(memory);
}

Test(sim_load, a_node_one_byte_past_its_limit_fails_the_run)
{
    void *memory = hold(1, room(CS_NODE_BYTES_MAX, CS_NODE_PEER_BYTES_MAX) + 1);
    cs_sim_load_memory(&sim.node[0]);
    cr_assert_not(cs_sim_failed(&sim), "%s", sim.why);
    cs_sim_load_memory(&sim.node[1]);
    cr_assert_neq(strstr(sim.why, "memory: B holds"), NULL, "%s", sim.why);
    cs_free(memory);
}

Test(sim_load, a_node_at_rest_one_byte_past_its_limit_fails_the_run)
{
    void *memory = hold(1, room(CS_REST_BYTES_MAX, CS_REST_PEER_BYTES_MAX) + 1);
    cs_sim_load_rest(&sim.node[1]);
    cr_assert_neq(strstr(sim.why, "memory: B holds"), NULL, "%s", sim.why);
    cs_free(memory);
}

Test(sim_load, a_step_looks_at_what_its_node_holds)
{
    void *memory = hold(1, room(CS_NODE_BYTES_MAX, CS_NODE_PEER_BYTES_MAX) + 4096);
    cr_assert_not(cs_sim_run(&sim));
    cr_assert_neq(strstr(sim.why, "memory: B holds"), NULL, "%s", sim.why);
    cs_free(memory);
}

Test(sim_load, a_process_that_leaves_a_block_behind_fails_the_run)
{
    void *memory = hold(1, 1);
    cs_sim_node_kill(&sim.node[1], false);
    cr_assert_neq(strstr(sim.why, "the process of B has ended and left 1 bytes"), NULL, "%s",
                  sim.why);
    cs_free(memory);
}

Test(sim_load, memory_given_away_is_not_held)
{
    void *memory = hold(1, 100);
    size_t held = cs_account_held(CS_SIM_ACCOUNT(&sim.node[1]));
    cs_account_give(memory, CS_SIM_ACCOUNT(&sim.node[0]));
    cr_assert_eq(held - cs_account_held(CS_SIM_ACCOUNT(&sim.node[1])), 100);
    cs_free(memory);
}

Test(sim_load, a_link_one_byte_past_its_limit_fails_the_run)
{
    cs_sim_load_sent(&sim, &sim.link[0], 0, CS_LINK_BYTES_MAX);
    cr_assert_not(cs_sim_failed(&sim), "%s", sim.why);
    cs_sim_load_sent(&sim, &sim.link[0], 0, 1);
    cr_assert_neq(strstr(sim.why, "on the way from B to A"), NULL, "%s", sim.why);
}
