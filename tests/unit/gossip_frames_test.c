/* gossip_frames_test.c - single messages made by hand: what is believed, ignored, refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "support/gossip_pair.h"

TestSuite(gossip_frames, .init = gp_init, .fini = gp_fini);

Test(gossip_frames, a_hello_with_our_own_rid_asks_for_a_new_incarnation)
{
    uint64_t old = cs_replica_state(gp.b->replica)->rid;
    gp_connect();
    uint8_t zeros[32] = {0};
    gp_say((cs_msg_t){.type = CS_MSG_HELLO,
                      .u.hello = {.rid = old, .members_hash = zeros, .seen = {zeros, 1}}});
    cr_assert_neq(cs_replica_state(gp.b->replica)->rid, old);
    cr_assert_eq(gp.world->incarnations, 1);
}

static void seen_naming_b(uint64_t ctr, cs_buf_t *ret)
{
    cs_vv_t seen = {0};
    cr_assert_eq(cs_vv_raise(&seen, (cs_dot_t){cs_replica_state(gp.b->replica)->rid, ctr}),
                 CS_OK);
    cs_vv_encode(&seen, ret);
    cs_vv_fini(&seen);
}

Test(gossip_frames, a_hello_that_knows_our_future_asks_for_a_new_incarnation)
{
    uint8_t zeros[32] = {0};
    cs_buf_t seen = {0};
    gn_node_create(gp.b, 3);
    gp_connect();
    seen_naming_b(1, &seen);
    gp_say(
        (cs_msg_t){.type = CS_MSG_HELLO,
                   .u.hello = {.rid = 77, .members_hash = zeros, .seen = cs_buf_slice(&seen)}});
    cr_assert_eq(gp.world->incarnations, 1, "1 was minted, but never given away");
    cs_buf_fini(&seen);
}

static void entry_naming(cs_dot_t dot, cs_buf_t *ret_packed)
{
    cs_entry_t entry;
    cs_entry_init(&entry, &(cs_bucket_t){{9}});
    cr_assert_eq(cs_entry_cover(&entry, dot), CS_OK);
    cs_buf_t encoded = {0};
    cs_entry_encode(&entry, &encoded);
    cs_packed_put(ret_packed, cs_buf_slice(&encoded));
    cs_buf_fini(&encoded);
    cs_entry_fini(&entry);
}

Test(gossip_frames, an_entry_that_knows_our_future_asks_for_a_new_incarnation)
{
    gp_connect();
    gp_drain();
    cs_buf_t packed = {0};
    entry_naming((cs_dot_t){cs_replica_state(gp.b->replica)->rid, 50}, &packed);
    gp_say((cs_msg_t){.type = CS_MSG_ENTRIES,
                      .u.entries.entries = {.count = 1, .packed = cs_buf_slice(&packed)}});
    cr_assert_eq(gp.world->incarnations, 1);
    cs_buf_fini(&packed);
}

Test(gossip_frames, a_have_on_another_baseline_is_not_believed)
{
    gp_connect();
    gp_pass(1000);
    const cs_state_t *state = cs_replica_state(gp.b->replica);
    cs_vv_t seen = {0};
    cs_buf_t delta = {0};
    cr_assert_eq(cs_vv_raise(&seen, (cs_dot_t){4711, 5}), CS_OK);
    cs_vv_encode(&seen, &delta);
    uint8_t wrong[16] = {1};
    gp.heard_count = 0;
    gp.world->now_ms += 1000;
    gp_say((cs_msg_t){.type = CS_MSG_HAVE,
                      .u.have = {.root = state->root,
                                 .n = state->n,
                                 .seen_hash = wrong,
                                 .delta = cs_buf_slice(&delta)}});
    cr_assert_eq(cs_vv_get(&cs_replica_state(gp.b->replica)->seen, 4711), 0);
    cr_assert(gp_deliver(1));
    cr_assert_eq(gp.heard[0], CS_MSG_HELLO, "it asks where the delta belongs");
    cs_vv_fini(&seen);
    cs_buf_fini(&delta);
}

Test(gossip_frames, entries_of_an_unknown_exchange_are_joined)
{
    gp_connect();
    gp_drain();
    cs_buf_t packed = {0};
    entry_naming((cs_dot_t){4711, 5}, &packed);
    gp_say((cs_msg_t){.type = CS_MSG_PUSH,
                      .xid = 999,
                      .seq = 7,
                      .flags = CS_FLAG_INITIATOR,
                      .u.push = {.count = 1, .packed = cs_buf_slice(&packed)}});
    cs_entry_t entry;
    cs_entry_init(&entry, &(cs_bucket_t){{9}});
    cr_assert_eq(cs_replica_get(gp.b->replica, &(cs_bucket_t){{9}}, &entry), CS_OK);
    cr_assert_eq(cs_vv_get(&entry.ctx, 4711), 5);
    cs_entry_fini(&entry);
    cs_buf_fini(&packed);
}

/* b serves an exchange of a's, by hand. */
static void begin_by_hand(cs_buf_t *seen)
{
    static const uint8_t zeros[32] = {0};
    gn_node_create(gp.b, 3);
    gp_connect();
    while (gp_deliver(0)) {
    }
    cs_buf_clear(seen);
    cs_buf_put_u8(seen, 0);
    gp_say((cs_msg_t){
        .type = CS_MSG_RECON_REQ,
        .xid = 5,
        .seq = 1,
        .flags = CS_FLAG_INITIATOR,
        .u.recon_req = {.method = CS_RECON_LIST,
                        .snap = {.present = true, .root = zeros, .seen = cs_buf_slice(seen)}}});
}

static gn_frame_t *last_of_b(void)
{
    gn_frames_t *link = &gp.world->links[1][0];
    cr_assert_gt(link->len, 0);
    return link->items[link->len - 1];
}

Test(gossip_frames, a_wanted_digest_that_is_not_there_is_gone)
{
    cs_buf_t seen = {0};
    begin_by_hand(&seen);
    cr_assert_eq(gp_type(last_of_b()), CS_MSG_LIST);
    uint8_t digest[16] = {1};
    gp_say((cs_msg_t){.type = CS_MSG_WANT,
                      .xid = 5,
                      .seq = 2,
                      .flags = CS_FLAG_INITIATOR,
                      .u.want.packed = {digest, sizeof digest}});
    cr_assert_eq(gp_type(last_of_b()), CS_MSG_GONE);
    cs_buf_fini(&seen);
}

Test(gossip_frames, a_repeated_frame_is_ignored_and_a_gap_aborts)
{
    cs_buf_t seen = {0};
    begin_by_hand(&seen);
    uint8_t digest[16] = {1};
    cs_msg_t want = {.type = CS_MSG_WANT,
                     .xid = 5,
                     .seq = 2,
                     .flags = CS_FLAG_INITIATOR,
                     .u.want.packed = {digest, sizeof digest}};
    gp_say(want);
    size_t before = gp.world->links[1][0].len;
    gp_say(want);
    cr_assert_eq(gp.world->links[1][0].len, before);
    want.seq = 4;
    gp_say(want);
    cr_assert_eq(gp_type(last_of_b()), CS_MSG_FIN);
    want.seq = 5;
    before = gp.world->links[1][0].len;
    gp_say(want);
    cr_assert_eq(gp.world->links[1][0].len, before, "the exchange is over");
    cs_buf_fini(&seen);
}

Test(gossip_frames, an_unknown_method_is_refused)
{
    cs_buf_t seen = {0};
    begin_by_hand(&seen);
    static const uint8_t zeros[32] = {0};
    gp_say(
        (cs_msg_t){.type = CS_MSG_RECON_REQ,
                   .xid = 6,
                   .seq = 1,
                   .flags = CS_FLAG_INITIATOR,
                   .u.recon_req = {
                       .method = 9,
                       .snap = {.present = true, .root = zeros, .seen = cs_buf_slice(&seen)}}});
    cr_assert_eq(gp_type(last_of_b()), CS_MSG_FIN);
    cs_buf_fini(&seen);
}

Test(gossip_frames, credit_beyond_what_was_sent_drops_the_peer)
{
    cs_buf_t seen = {0};
    begin_by_hand(&seen);
    gp_say((cs_msg_t){.type = CS_MSG_CREDIT,
                      .xid = 5,
                      .seq = 2,
                      .flags = CS_FLAG_INITIATOR,
                      .u.credit.up_to = 1});
    cr_assert_eq(gp.world->drops, 1);
    cs_buf_fini(&seen);
}

Test(gossip_frames, a_malformed_entry_drops_the_peer)
{
    gp_connect();
    gp_drain();
    uint8_t packed[] = {2, 'x', 'y'};
    gp_say((cs_msg_t){.type = CS_MSG_ENTRIES,
                      .u.entries.entries = {.count = 1, .packed = {packed, sizeof packed}}});
    cr_assert_eq(gp.world->drops, 1);
}
