/* gossip_stuck_test.c - peers that take up a node's exchanges and get nowhere cost the others
 * nothing; one whose root is no root of anything costs less and less. */
#include <criterion/criterion.h>
#include <string.h>

#include "support/gossip_pair.h"

#define ASK     4u /* that ask, and do not go on: all places of one that tells */
#define LURE    2u /* that are asked, and do not answer: all places of one that asks */
#define FIRST   2u
#define NODES   (FIRST + ASK + LURE)
#define PACE_MS 20000u /* sooner than a silent one is given up */

static const uint8_t zeros[CS_HASH_BYTES], no_seen[1];
static uint32_t seq[GN_NODES_MAX];

static void init(void)
{
    gp_init_of(NODES);
}

TestSuite(gossip_stuck, .init = init, .fini = gp_fini);

static void say(unsigned from, cs_msg_t msg)
{
    gn_frame_t frame = {.from = from, .to = 1};
    memcpy(msg.tag, gp.world->keys.tag, CS_TAG_BYTES);
    cs_msg_encode(&msg, &frame.bytes);
    gn_node_deliver(gp.b, &frame);
    gn_node_flush(gp.b);
    cs_buf_fini(&frame.bytes);
}

static void say_hello(unsigned from)
{
    gn_connect(gp.world, 1, from);
    say(from, (cs_msg_t){.type = CS_MSG_HELLO,
                         .u.hello = {.rid = 0x100 + from,
                                     .nonce = 1,
                                     .caps = CS_CAP_LIST,
                                     .members_hash = zeros,
                                     .seen = {no_seen, 1}}});
}

/* Another root than any, of as many entries as b has. */
static void say_have(unsigned from)
{
    uint8_t hash[CS_DIGEST_BYTES];
    cs_slice_t part = cs_slice(no_seen, 1);
    cs_hash(hash, sizeof hash, gp.world->keys.item, 32, &part, 1);
    say(from, (cs_msg_t){.type = CS_MSG_HAVE,
                         .u.have = {.root = zeros,
                                    .n = cs_replica_state(gp.b->replica)->n,
                                    .seen_hash = hash,
                                    .delta = {no_seen, 1},
                                    .stamp = 1}});
}

/* The newest exchange that b began with it; 0: none. */
static uint32_t asked(unsigned from)
{
    uint32_t xid = 0;
    gn_frames_t *link = &gp.world->links[1][from];
    while (link->len > 0) {
        gn_frame_t *frame = gn_frames_take(link, 0);
        cs_msg_t msg = {0};
        cr_assert_eq(cs_msg_decode(&msg, cs_buf_slice(&frame->bytes), cs_slice(NULL, 0)),
                     CS_OK);
        if (msg.type == CS_MSG_RECON_REQ) xid = msg.xid;
        cs_msg_fini(&msg);
        gn_frame_free(&frame);
    }
    return xid;
}

static void say_nothing(unsigned from, uint32_t xid, bool init)
{
    say(from, (cs_msg_t){.type = CS_MSG_CREDIT,
                         .xid = xid,
                         .seq = ++seq[from],
                         .flags = init ? CS_FLAG_INITIATOR : 0});
}

static void begin(unsigned from)
{
    cs_msg_t msg = {
        .type = CS_MSG_RECON_REQ,
        .xid = 1,
        .seq = ++seq[from],
        .flags = CS_FLAG_INITIATOR,
        .u.recon_req = {.method = CS_RECON_EVERYTHING,
                        .snap = {.present = true, .root = zeros, .seen = {no_seen, 1}}}};
    say(from, msg);
}

Test(gossip_stuck, all_places_taken_by_those_who_get_nowhere)
{
    uint32_t xid[NODES] = {0};
    gn_node_create(gp.b, 5);
    for (unsigned i = FIRST; i < NODES; i++) {
        say_hello(i);
        if (i < FIRST + ASK) {
            begin(i);
        } else {
            say_have(i);
        }
    }
    gp_pass(3000);
    for (unsigned i = FIRST + ASK; i < NODES; i++) {
        xid[i] = asked(i);
        cr_assert_neq(xid[i], 0, "b asks %u", i);
    }
    gn_node_create(gp.a, 900);
    gp_connect();
    gp_pass(5000);
    cr_assert_not(gp_equal_roots(), "there is no place: the test shows something");
    for (unsigned round = 0; round < 10 && !gp_equal_roots(); round++) {
        for (unsigned i = FIRST; i < NODES; i++) {
            bool asks = i < FIRST + ASK;
            say_nothing(i, asks ? 1 : xid[i], asks);
        }
        gp_pass(PACE_MS);
    }
    cr_assert(gp_equal_roots());
    cr_assert_gt(gp.b->notes, 0);
    cr_assert_eq(gp.world->drops, 0);
}

/* a's machine goes on and answers truly, but what it has is said by hand. */
static void pass_lying(uint64_t ms)
{
    for (uint64_t end_ms = gp.world->now_ms + ms; gp.world->now_ms < end_ms;
         gp.world->now_ms += 50) {
        for (unsigned i = 0; i < 2; i++) {
            gn_node_tick(&gp.world->nodes[i]);
            gn_node_flush(&gp.world->nodes[i]);
        }
        bool any = true;
        while (any) {
            gn_frames_t *link = &gp.world->links[0][1];
            any = gp_deliver(1);
            if (link->len == 0) continue;
            any = true;
            gn_frame_t *frame = gn_frames_take(link, 0);
            if (gp_type(frame) != CS_MSG_HAVE) gn_node_deliver(gp.b, frame);
            gn_node_flush(gp.b);
            gn_frame_free(&frame);
        }
    }
}

static void lie(void)
{
    uint8_t hash[CS_DIGEST_BYTES];
    cs_buf_t seen = {0};
    cs_vv_encode(&cs_replica_state(gp.a->replica)->seen, &seen);
    cs_slice_t part = cs_buf_slice(&seen);
    cs_hash(hash, sizeof hash, gp.world->keys.item, 32, &part, 1);
    gp_say((cs_msg_t){.type = CS_MSG_HAVE,
                      .u.have = {.root = zeros,
                                 .n = cs_replica_state(gp.a->replica)->n,
                                 .seen_hash = hash,
                                 .delta = {no_seen, 1},
                                 .stamp = 1}});
    cs_buf_fini(&seen);
}

/* Comparing finds that all is there; by its word all the same it has something else. */
Test(gossip_stuck, a_root_of_nothing_is_asked_about_ever_less_often)
{
    gn_node_create(gp.b, 5);
    gp_connect();
    gp_pass(5000);
    cr_assert(gp_equal_roots());
    unsigned early = 0, late = 0;
    for (unsigned round = 0; round < 600; round++) {
        unsigned before = gp.b->exchanges;
        lie();
        pass_lying(2000);
        if (round < 20) early += gp.b->exchanges - before;
        if (round >= 300) late += gp.b->exchanges - before;
    }
    cr_assert_gt(early, 3);
    cr_assert_leq(late, 3, "%u in ten minutes", late);
    cr_assert_eq(gp.b->notes, 1);
    /* It tells the truth again: all is as ever. */
    gn_node_create(gp.a, 1);
    gp_pass(120000);
    cr_assert(gp_equal_roots());
}
