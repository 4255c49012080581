/* gossip_push_test.c - pushes wait for what is durable at the other end. */
#include <criterion/criterion.h>

#include "base/limits.h"
#include "base/mem.h"
#include "support/gossip_node.h"

#define A    0u
#define B    1u
#define C    2u
#define MANY 20000u /* entries: more than may be on the way */

static gn_world_t *world;

static gn_node_t *node(unsigned i)
{
    return &world->nodes[i];
}

/* What is on the way from x arrives at y; false: nothing was. */
static bool deliver(unsigned x, unsigned y)
{
    bool any = false;
    gn_frame_t *frame;
    for (gn_frames_t *link = &world->links[x][y]; link->len > 0; any = true) {
        frame = gn_frames_take(link, 0);
        gn_node_deliver(node(y), frame);
        gn_node_flush(node(y));
        gn_frame_free(&frame);
    }
    cr_assert_null(world->failure, "%s", world->failure);
    return any;
}

static void pass(uint64_t ms)
{
    for (uint64_t end_ms = world->now_ms + ms; world->now_ms < end_ms; world->now_ms += 50) {
        for (unsigned i = 0; i < world->node_count; i++) {
            gn_node_tick(node(i));
            gn_node_flush(node(i));
        }
    }
}

/* Bytes of entries on the way from A. */
static size_t pushed_to(unsigned y)
{
    const gn_frames_t *link = &world->links[A][y];
    size_t bytes = 0;
    for (size_t i = 0; i < link->len; i++) {
        if (link->items[i]->is_entries) bytes += link->items[i]->bytes.len;
    }
    return bytes;
}

static void assert_full(unsigned y)
{
    size_t bytes = pushed_to(y), most = CS_EAGER_AHEAD_BYTES + CS_EAGER_BYTES_MAX;
    cr_assert(bytes >= CS_EAGER_AHEAD_BYTES && bytes < most + CS_BUNDLE_BYTES, "%zu", bytes);
}

static void exchange_all(uint64_t ms)
{
    for (uint64_t end_ms = world->now_ms + ms; world->now_ms < end_ms;) {
        pass(50);
        for (bool any = true; any;) {
            any = false;
            for (unsigned i = 1; i < world->node_count; i++) {
                any = deliver(A, i) || any;
                any = deliver(i, A) || any;
            }
        }
    }
}

static void set_up(void)
{
    world = cs_malloc(sizeof *world);
    gn_world_init(world, 1);
    world->node_count = 3;
    gn_world_start(world);
}

static void tear_down(void)
{
    gn_world_fini(world);
    cs_free(world);
}

static void begin(unsigned peers)
{
    for (unsigned i = 1; i <= peers; i++) {
        gn_connect(world, A, i);
    }
    exchange_all(1000);
    gn_node_create(node(A), MANY);
    cs_gossip_local(node(A)->gossip, world->now_ms);
    pass(400);
}

TestSuite(gossip_push, .init = set_up, .fini = tear_down);

Test(gossip_push, no_more_is_on_the_way_than_may_be)
{
    begin(1);
    assert_full(B);
    size_t before = pushed_to(B);
    pass(2000);
    cr_assert_eq(pushed_to(B), before);
}

Test(gossip_push, what_is_durable_there_makes_room)
{
    begin(1);
    deliver(A, B);
    pass(250); /* HAVEs keep a distance */
    cr_assert_eq(pushed_to(B), 0);
    deliver(B, A);
    pass(100);
    cr_assert_gt(pushed_to(B), 0);
    exchange_all(3000);
    cr_assert(gn_equal_roots(world, A, B));
    cr_assert_eq(cs_replica_state(node(B)->replica)->n, MANY);
}

Test(gossip_push, what_never_arrives_is_given_up_after_a_while)
{
    begin(1);
    gn_frames_fini(&world->links[A][B]);
    pass(4000);
    cr_assert_eq(pushed_to(B), 0);
    pass(1500);
    cr_assert_gt(pushed_to(B), CS_EAGER_AHEAD_BYTES / 2);
    exchange_all(15000);
    cr_assert(gn_equal_roots(world, A, B));
}

Test(gossip_push, one_that_does_not_answer_keeps_others_waiting_for_a_moment_only)
{
    begin(2);
    for (unsigned i = 0; i < 20; i++) {
        pass(200);
        deliver(A, B);
        deliver(B, A);
    }
    assert_full(C);
    cr_assert(gn_equal_roots(world, A, B));
    exchange_all(15000);
    cr_assert(gn_equal_roots(world, A, C));
}
