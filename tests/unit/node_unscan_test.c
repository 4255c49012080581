/* node_unscan_test.c - scans that nobody waits for any more are given up, and no others. */
#include <criterion/criterion.h>

#include "support/node_world.h"

#define ANN 11u
#define BOB 12u

static nw_world_t world;
static nw_node_t *node;

static void setup(void)
{
    nw_open(&world, 1, 1);
    world.depth = 2; /* nothing happens within jobs */
    node = &world.node[0];
    nw_finish_jobs(node);
}

static void teardown(void)
{
    nw_finish_jobs(node);
    nw_close(&world);
}

TestSuite(node_unscan, .init = setup, .fini = teardown);

static void ask(uint64_t ticket)
{
    nw_event(node, &(cs_event_t){.kind = CS_EV_SCAN, .folder = NW_FOLDER, .ticket = ticket});
}

static void leave(uint64_t ticket)
{
    nw_event(node, &(cs_event_t){.kind = CS_EV_UNSCAN, .ticket = ticket});
}

static bool is_scanning(void)
{
    return node->jobs != NULL && node->jobs->job->kind == CS_JOB_SCAN;
}

Test(node_unscan, the_only_one_who_asked_is_gone)
{
    ask(ANN);
    cr_assert(is_scanning());
    leave(BOB);
    cr_assert_eq(node->cancels, 0, "it is not his");
    leave(ANN);
    cr_assert_eq(node->cancels, 1);
    leave(ANN);
    cr_assert_eq(node->cancels, 1, "once");
    nw_finish_jobs(node);
    ask(BOB);
    cr_assert(is_scanning(), "the next one is as ever");
    uint64_t answered = node->answered;
    nw_finish_jobs(node);
    cr_assert_eq(node->answered, answered + 1);
}

Test(node_unscan, another_waits)
{
    ask(ANN);
    ask(BOB); /* for the next scan, as one runs */
    leave(ANN);
    cr_assert_eq(node->cancels, 1);
    nw_finish_jobs(node);
    cr_assert_eq(node->last_answer, CS_OK);
    nw_finish_jobs(node);
    ask(ANN);
    cr_assert(is_scanning());
    leave(BOB);
    cr_assert_eq(node->cancels, 1, "he was answered");
}

Test(node_unscan, one_that_was_not_begun_is_not)
{
    ask(ANN);
    ask(BOB);
    leave(BOB);
    unsigned scans = node->scans;
    nw_finish_jobs(node);
    cr_assert_eq(node->scans, scans + 1, "only ann's");
    cr_assert_eq(node->cancels, 0);
}

/* A schedule, a watcher: they ask nobody, and look on all the same. */
Test(node_unscan, somebody_wants_it_who_asked_for_no_answer)
{
    ask(0);
    cr_assert(is_scanning());
    nw_finish_jobs(node);
    ask(ANN);
    ask(0);
    ask(BOB);
    leave(ANN);
    cr_assert_eq(node->cancels, 1);
    leave(BOB);
    unsigned scans = node->scans;
    nw_finish_jobs(node);
    cr_assert_geq(node->scans, scans + 1);
}
