/* node_standing_test.c - a removal that one user makes holds at all members, and so does the
 * word that takes it back. */
#include <criterion/criterion.h>
#include <string.h>

#include "support/node_world.h"
#include "support/seed.h"

static nw_world_t world;

static void setup(void)
{
    nw_open(&world, 1, 4);
    world.depth = 2; /* nothing happens within jobs */
}

static void teardown(void)
{
    nw_close(&world);
}

TestSuite(node_standing, .init = setup, .fini = teardown);

static void pass(void)
{
    nw_pass(&world, 200);
}

static void user_removes(unsigned at, unsigned whom)
{
    nw_event(&world.node[at],
             &(cs_event_t){.kind = CS_EV_DENY, .key = nw_key(whom), .on = true});
}

static void user_adds(unsigned at, unsigned whom)
{
    cs_member_t member = {.key = nw_key(whom)};
    nw_event(
        &world.node[at],
        &(cs_event_t){.kind = CS_EV_ALLOW, .folder = NW_FOLDER, .member = &member, .on = true});
}

static bool is_member(unsigned at, unsigned whom)
{
    size_t count;
    cs_key_t key = nw_key(whom);
    const cs_member_t *members = cs_node_members(world.node[at].node, NW_FOLDER, &count);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&members[i].key, &key, sizeof key) == 0) return true;
    }
    return false;
}

Test(node_standing, a_removal_holds_at_all)
{
    nw_connect(&world, 0, 1);
    nw_connect(&world, 1, 2);
    nw_connect(&world, 2, 3);
    pass();
    user_removes(0, 3);
    cr_assert_not(is_member(0, 3));
    pass();
    cr_assert_not(is_member(1, 3));
    cr_assert_not(is_member(2, 3), "told by one that was told");
    cr_assert(is_member(1, 2));
    cr_assert(is_member(2, 0));
    /* Who still speaks for it changes nothing. */
    nw_disconnect_all(&world);
    nw_connect(&world, 1, 3);
    nw_connect(&world, 0, 1);
    pass();
    cr_assert_not(is_member(1, 3));
    cr_assert_eq(world.node[0].words, 1, "nothing that it knew is news to it");
}

Test(node_standing, who_was_away_hears_of_it_before_it_speaks_with_the_removed)
{
    user_removes(0, 3);
    nw_connect(&world, 0, 1);
    pass();
    nw_disconnect_all(&world);
    nw_connect(&world, 1, 2);
    pass();
    cr_assert_not(is_member(2, 3));
    nw_restart(&world.node[2], false);
    cr_assert_not(is_member(2, 3), "it is kept");
    nw_connect(&world, 2, 3);
    pass();
    cr_assert_not(is_member(2, 3));
    cr_assert(is_member(3, 2), "nobody told it");
}

Test(node_standing, the_last_word_counts_wherever_it_is_said)
{
    nw_connect(&world, 0, 1);
    nw_connect(&world, 1, 2);
    pass();
    user_removes(0, 3);
    pass();
    user_adds(2, 3);
    pass();
    cr_assert(is_member(2, 3));
    cr_assert(is_member(1, 3));
    cr_assert(is_member(0, 3), "where it was removed as well");
    nw_connect(&world, 0, 3);
    pass();
    cr_assert(is_member(3, 0));
    user_removes(1, 3);
    pass();
    cr_assert_not(is_member(0, 3));
    cr_assert_not(is_member(2, 3));
}

/* A node that was put back to an old image must hear of its lost future before it gives a
 * number away: so nothing that is said before HELLO was answered may count as giving
 * (core.md 6.4). */
Test(node_standing, a_word_gives_no_number_away)
{
    nw_node_t *node = &world.node[0];
    nw_write(node, "a", "alone");
    nw_scan(node, NULL);
    user_removes(0, 3);
    pass();
    cr_assert_gt(cs_replica_state(cs_node_replica(node->node, NW_FOLDER))->ctr, 0);
    cs_event_t up = {.kind = CS_EV_LINK_UP, .link = 999, .key = nw_key(1)}; /* says nothing */
    nw_event(node, &up);
    pass();
    cr_assert_eq(cs_replica_state(cs_node_replica(node->node, NW_FOLDER))->exposed, 0);
}

/* What node 1 is told by node 0: that `whom` is in, signed by the key of that number. */
static void tell(unsigned whom, uint32_t version, unsigned signer)
{
    cs_keys_t keys;
    cs_buf_t header = {0}, payload = {0};
    cs_standing_t word = {.key = nw_key(whom), .version = version};
    cs_keys_derive(&keys, (const uint8_t[CS_SECRET_BYTES]){7});
    cs_standing_sign(&word, &keys, nw_seed(signer));
    cs_msg_standing_t item = {.key = word.key.b,
                              .version = version,
                              .signer = word.signer,
                              .signature = word.signature};
    cs_msg_t msg = {.type = CS_MSG_STANDINGS, .u.standings = {&item, 1}};
    memcpy(msg.tag, keys.tag, sizeof msg.tag);
    cs_msg_encode(&msg, &header);
    nw_message(&world.node[1], world.link[0 * NW_NODES_MAX + 1].id[1], cs_buf_slice(&header),
               &payload);
    cs_buf_fini(&header);
}

Test(node_standing, a_stranger_s_word_is_none)
{
    nw_connect(&world, 0, 1);
    user_removes(0, 3);
    pass();
    tell(3, 5, 7);
    pass();
    cr_assert_not(is_member(1, 3), "signed by nobody who is known");
    tell(3, 5, 3);
    pass();
    cr_assert_not(is_member(1, 3), "signed by himself");
    tell(3, 5, 2);
    pass();
    cr_assert(is_member(1, 3));
    cr_assert(is_member(0, 3));
}

/* Two who do not hear of each other remove and let in: all agree on the removal. */
Test(node_standing, at_the_same_time_the_removal_wins)
{
    nw_connect(&world, 1, 2);
    user_removes(1, 3);
    pass();
    nw_disconnect_all(&world);
    user_adds(0, 3); /* its first word, as is the removal */
    nw_connect(&world, 0, 1);
    nw_connect(&world, 0, 2);
    pass();
    for (unsigned i = 0; i < 3; i++)
        cr_assert_not(is_member(i, 3), "%u", i);
}

Test(node_standing, a_node_that_is_told_of_itself_stays)
{
    nw_connect(&world, 0, 1);
    nw_connect(&world, 1, 2);
    pass();
    user_removes(0, 1); /* 1 is not told; 2 does not hear of it, but from 1 */
    pass();
    cr_assert(is_member(1, 1));
    cr_assert(is_member(2, 1));
    cr_assert_not(is_member(0, 1));
    nw_connect(&world, 0, 2);
    pass();
    cr_assert_not(is_member(2, 1));
    cr_assert(is_member(1, 1));
}

static void act(void)
{
    unsigned at = nw_pick(&world, world.node_count), whom = nw_pick(&world, world.node_count);
    switch (nw_pick(&world, 6)) {
    case 0:
        if (at != whom) user_removes(at, whom);
        break;
    case 1:
        if (at != whom) user_adds(at, whom);
        break;
    case 2:
        nw_disconnect_all(&world);
        break;
    case 3:
        nw_restart(&world.node[at], true);
        break;
    default:
        if (at != whom) nw_connect(&world, at, whom);
    }
}

/* A node that all hear of: nobody ever removes it. */
static void connect_all(void)
{
    unsigned hub = world.node_count - 1;
    nw_disconnect_all(&world);
    for (unsigned i = 0; i < hub; i++)
        user_adds(hub, i);
    for (unsigned i = 0; i < hub; i++) {
        user_adds(i, hub);
        nw_connect(&world, i, hub);
    }
    pass();
}

/* Whatever users do, and whoever hears of it when: in the end all say the same. */
Test(node_standing, all_agree_once_they_met)
{
    uint64_t seed = test_seed("standing");
    for (unsigned round = 0; round < 10; round++) {
        nw_close(&world);
        nw_open(&world, seed + round, 4);
        world.depth = 2;
        for (unsigned i = 0; i < 40; i++) {
            act();
            for (unsigned k = nw_pick(&world, 30); k > 0; k--)
                (void)nw_step(&world);
        }
        for (unsigned i = 0; i < 3; i++)
            connect_all();
        for (unsigned at = 0; at < world.node_count; at++) {
            for (unsigned whom = 0; whom < world.node_count; whom++)
                cr_assert(is_member(at, whom), "round %u: %u at %u", round, whom, at);
        }
        user_removes(0, 1);
        pass();
        for (unsigned at = 0; at < world.node_count; at++)
            cr_assert_eq(is_member(at, 1), at == 1, "round %u: at %u", round, at);
    }
}

Test(node_standing, without_a_seed_nothing_is_said)
{
    nw_event(&world.node[0], &(cs_event_t){.kind = CS_EV_DENY, .key = nw_key(3)});
    nw_connect(&world, 0, 1);
    pass();
    cr_assert_not(is_member(0, 3));
    cr_assert(is_member(1, 3));
    cr_assert_eq(world.node[0].words, 0);
}
