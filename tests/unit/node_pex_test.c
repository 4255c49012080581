/* node_pex_test.c - one address that can be reached is enough: nodes tell each other of the
 * others, and of nobody who does not share the folder. */
#include <criterion/criterion.h>
#include <string.h>

#include "node/pex.h"
#include "support/node_world.h"

static nw_world_t world;

static void setup(void)
{
    nw_open(&world, 1, 3);
    world.depth = 2; /* nothing happens within jobs */
}

static void teardown(void)
{
    nw_close(&world);
}

TestSuite(node_pex, .init = setup, .fini = teardown);

static void listens(unsigned at, cs_key_t of, const char *endpoint)
{
    cs_slice_t text = cs_slice_text(endpoint);
    nw_event(&world.node[at],
             &(cs_event_t){.kind = CS_EV_ADDRESSES, .key = of, .texts = {&text, 1}});
}

static void pass(void)
{
    nw_pass(&world, 200);
}

Test(node_pex, a_neighbour_tells_of_the_others)
{
    listens(0, nw_key(0), "tcp://zero:1");
    nw_connect(&world, 0, 1);
    pass();
    const nw_node_t *one = &world.node[1], *two = &world.node[2];
    cr_assert_str_eq(one->address, "tcp://zero:1");
    cr_assert_not(one->dial, "it is connected");
    cr_assert_eq(two->addresses, 0);
    nw_connect(&world, 1, 2);
    pass();
    cr_assert_eq(two->addresses, 1);
    cr_assert_eq(memcmp(&two->address_of, &(cs_key_t[]){nw_key(0)}, sizeof two->address_of), 0);
    cr_assert_str_eq(two->address, "tcp://zero:1");
    cr_assert(two->dial);
    /* Said once. */
    pass();
    cr_assert_eq(two->addresses, 1);
    world.now_ms += CS_PEX_GAP_MS;
    listens(0, nw_key(0), "tcp://moved:1");
    pass();
    cr_assert_eq(two->addresses, 2);
    cr_assert_str_eq(two->address, "tcp://moved:1");
}

Test(node_pex, one_that_goes_is_dialled)
{
    listens(0, nw_key(0), "tcp://zero:1");
    nw_connect(&world, 0, 1);
    pass();
    cr_assert_not(world.node[1].dial);
    nw_disconnect_all(&world);
    pass();
    cr_assert(world.node[1].dial);
    cr_assert_str_eq(world.node[1].address, "tcp://zero:1");
}

Test(node_pex, of_who_is_no_member_nothing_is_told)
{
    listens(1, (cs_key_t){{99}}, "tcp://stranger:1");
    nw_connect(&world, 1, 2);
    pass();
    cr_assert_eq(world.node[2].addresses, 0);
}

/* Known to that node alone. */
static void joins(unsigned at, cs_key_t key)
{
    cs_member_t member = {.key = key};
    nw_event(&world.node[at],
             &(cs_event_t){.kind = CS_EV_ALLOW, .folder = NW_FOLDER, .member = &member});
}

static void check_told(unsigned at, cs_key_t of, const char *endpoint)
{
    const nw_node_t *node = &world.node[at];
    cr_assert_eq(node->addresses, 1);
    cr_assert_eq(memcmp(&node->address_of, &of, sizeof of), 0);
    cr_assert_str_eq(node->address, endpoint);
}

/* The list of members waits until what is being written is durable. */
Test(node_pex, a_member_is_told_before_its_address)
{
    const cs_key_t late = {{99}};
    joins(1, late);
    listens(1, late, "tcp://late:1");
    pass();
    nw_node_t *one = &world.node[1];
    nw_write(one, "file", "text");
    nw_scan(one, NULL);
    for (unsigned i = 0; i < 1000 && one->writes == NULL; i++) {
        nw_step(&world);
    }
    cr_assert_not_null(one->writes);
    nw_connect(&world, 1, 2);
    while (nw_deliver_next(&world)) {
    }
    pass();
    check_told(2, late, "tcp://late:1");
}

Test(node_pex, of_who_becomes_a_member_it_is_told_then)
{
    const cs_key_t late = {{99}};
    nw_connect(&world, 1, 2);
    listens(1, late, "tcp://late:1");
    pass();
    cr_assert_eq(world.node[2].addresses, 0);
    joins(1, late);
    pass();
    check_told(2, late, "tcp://late:1");
}

/* As when it answers that it heard nothing yet. */
Test(node_pex, what_got_lost_with_a_list_of_members_is_told_again)
{
    const cs_key_t late = {{99}};
    joins(1, late);
    listens(1, late, "tcp://late:1");
    pass();
    nw_connect(&world, 1, 2);
    for (unsigned i = 0; i < 100; i++) { /* jobs and batches, and not one message arrives */
        nw_finish_jobs(&world.node[1]);
        nw_lose(&world);
    }
    pass();
    for (unsigned i = 0; i < 100 && world.node[2].addresses == 0; i++) {
        nw_pass_time(&world);
        pass();
    }
    check_told(2, late, "tcp://late:1");
}

Test(node_pex, of_who_was_removed_nothing_is_taken)
{
    nw_event(&world.node[2], &(cs_event_t){.kind = CS_EV_DENY, .key = nw_key(0)});
    listens(0, nw_key(0), "tcp://zero:1");
    nw_connect(&world, 0, 1);
    nw_connect(&world, 1, 2);
    pass();
    cr_assert_str_eq(world.node[1].address, "tcp://zero:1");
    cr_assert_eq(world.node[2].addresses, 0);
}
