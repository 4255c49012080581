/* gossip_test.c - single conversations: what is said, what is never said, what is refused. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/gossip_node.h"

static gn_world_t *world;
static gn_node_t *a, *b;

static void set_up(void)
{
    world = cs_malloc(sizeof *world);
    gn_world_init(world, 1);
    world->node_count = 2;
    gn_world_start(world);
    a = &world->nodes[0];
    b = &world->nodes[1];
}

static void tear_down(void)
{
    gn_world_fini(world);
    cs_free(world);
}

static void connect_both(void)
{
    world->linked[0][1] = world->linked[1][0] = true;
    for (unsigned i = 0; i < 2; i++) {
        cs_key_t key = gn_key(1 - i);
        cs_gossip_peer_up(world->nodes[i].gossip, 2 - i, &key, world->now_ms);
        gn_node_flush(&world->nodes[i]);
    }
}

static cs_msg_type_t type_of(const gn_frame_t *frame)
{
    return (cs_msg_type_t)frame->bytes.data[1];
}

/* Types of all frames that were delivered, in order. */
static cs_msg_type_t heard[4096];
static size_t heard_count;
static size_t queue_max;

static bool deliver_next(unsigned from)
{
    gn_frames_t *link = &world->links[from][1 - from];
    if (link->len > queue_max) queue_max = link->len;
    if (link->len == 0) return false;
    gn_frame_t *frame = gn_frames_take(link, 0);
    if (heard_count < CS_COUNT_OF(heard)) heard[heard_count++] = type_of(frame);
    gn_node_deliver(&world->nodes[1 - from], frame);
    gn_node_flush(&world->nodes[1 - from]);
    gn_frame_free(&frame);
    return true;
}

/* Deliver until nothing is under way; ticks and time do not pass. */
static void drain(void)
{
    while (deliver_next(0) || deliver_next(1))
        cr_assert_null(world->failure);
}

static void pass_time(uint64_t ms)
{
    for (uint64_t end_ms = world->now_ms + ms; world->now_ms < end_ms; world->now_ms += 50) {
        for (unsigned i = 0; i < 2; i++) {
            gn_node_tick(&world->nodes[i]);
            gn_node_flush(&world->nodes[i]);
        }
        drain();
    }
}

static size_t count_heard(cs_msg_type_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < heard_count; i++)
        count += heard[i] == type;
    return count;
}

static bool equal_roots(void)
{
    const cs_state_t *x = cs_replica_state(a->replica), *y = cs_replica_state(b->replica);
    return x->n == y->n && memcmp(x->root, y->root, CS_HASH_BYTES) == 0;
}

/* One message of a's hand to b. */
static void say(cs_msg_t msg)
{
    gn_frame_t frame = {.from = 0, .to = 1};
    memcpy(msg.tag, world->keys.tag, CS_TAG_BYTES);
    cs_msg_encode(&msg, &frame.bytes);
    gn_node_deliver(b, &frame);
    gn_node_flush(b);
    cs_buf_fini(&frame.bytes);
}

TestSuite(gossip, .init = set_up, .fini = tear_down);

Test(gossip, an_empty_peer_gets_everything_in_pages_that_wait_for_credit)
{
    gn_node_create(a, 9000);
    connect_both();
    pass_time(2000);
    cr_assert(equal_roots());
    cr_assert_eq(cs_replica_state(b->replica)->n, 9000);
    cr_assert_eq(count_heard(CS_MSG_LIST), 0, "no lists for one that has nothing");
    cr_assert_gt(count_heard(CS_MSG_ENTRIES), CS_BUNDLES_AHEAD);
    cr_assert_leq(queue_max, CS_BUNDLES_AHEAD + 2);
}

Test(gossip, a_full_peer_pushes_what_the_other_lacks_within_its_window)
{
    gn_node_create(b, 6000);
    gn_node_create(a, 1);
    connect_both();
    pass_time(4000);
    cr_assert(equal_roots());
    cr_assert_eq(cs_replica_state(a->replica)->n, 6001);
    cr_assert_leq(queue_max, 2 * CS_BUNDLES_AHEAD);
}

Test(gossip, a_few_differences_cost_a_few_entries)
{
    gn_node_create(a, 3000);
    connect_both();
    pass_time(2000);
    uint64_t before = cs_gossip_stats(a->gossip)->entries_sent;
    gn_node_create(a, 3);
    gn_node_create(b, 2);
    pass_time(10000);
    cr_assert(equal_roots());
    cr_assert_eq(cs_gossip_stats(a->gossip)->entries_sent - before, 3);
    cr_assert_eq(cs_replica_state(a->replica)->n, 3005);
}

Test(gossip, equality_spreads_seen_both_ways)
{
    gn_node_create(a, 5);
    gn_node_create(b, 5);
    connect_both();
    pass_time(5000);
    cr_assert(equal_roots());
    cr_assert(
        cs_vv_eq(&cs_replica_state(a->replica)->seen, &cs_replica_state(b->replica)->seen));
    cr_assert_gt(cs_gossip_stats(a->gossip)->claims, 0);
}

Test(gossip, a_local_change_is_pushed_at_once)
{
    connect_both();
    drain();
    gn_node_user(a);
    gn_node_flush(a);
    cr_assert(deliver_next(0));
    cr_assert(equal_roots(), "the first frame carries it");
}

Test(gossip, nothing_but_hello_leaves_before_a_hello_came)
{
    gn_node_create(a, 10);
    connect_both();
    gn_node_user(a);
    for (unsigned i = 0; i < 20; i++) {
        world->now_ms += 3000;
        gn_node_tick(a);
        gn_node_flush(a);
    }
    const gn_frames_t *sent = &world->links[0][1];
    cr_assert_gt(sent->len, 5, "it asks again and again");
    for (size_t i = 0; i < sent->len; i++)
        cr_assert_eq(type_of(sent->items[i]), CS_MSG_HELLO);
    cr_assert_eq(cs_replica_state(a->replica)->exposed, 0);
}

Test(gossip, hello_cuts_the_own_slot_to_what_was_exposed)
{
    gn_node_create(a, 10);
    connect_both();
    cs_msg_t msg = {0};
    const gn_frame_t *frame = world->links[0][1].items[0];
    cr_assert_eq(cs_msg_decode(&msg, cs_buf_slice(&frame->bytes), cs_slice(NULL, 0)), CS_OK);
    cs_vv_t seen = {0};
    cs_reader_t reader = cs_reader(msg.u.hello.seen);
    cs_vv_decode(&reader, &seen);
    cr_assert_eq(cs_vv_get(&seen, msg.u.hello.rid), 0);
    cs_vv_fini(&seen);
    cs_msg_fini(&msg);
}

Test(gossip, a_hello_with_our_own_rid_asks_for_a_new_incarnation)
{
    uint64_t old = cs_replica_state(b->replica)->rid;
    connect_both();
    uint8_t zeros[32] = {0};
    say((cs_msg_t){.type = CS_MSG_HELLO,
                   .u.hello = {.rid = old, .members_hash = zeros, .seen = {zeros, 1}}});
    cr_assert_neq(cs_replica_state(b->replica)->rid, old);
    cr_assert_eq(world->incarnations, 1);
}

static void seen_naming_b(uint64_t ctr, cs_buf_t *ret)
{
    cs_vv_t seen = {0};
    cr_assert_eq(cs_vv_raise(&seen, (cs_dot_t){cs_replica_state(b->replica)->rid, ctr}), CS_OK);
    cs_vv_encode(&seen, ret);
    cs_vv_fini(&seen);
}

Test(gossip, a_hello_that_knows_our_future_asks_for_a_new_incarnation)
{
    uint8_t zeros[32] = {0};
    cs_buf_t seen = {0};
    gn_node_create(b, 3);
    connect_both();
    seen_naming_b(1, &seen);
    say((cs_msg_t){.type = CS_MSG_HELLO,
                   .u.hello = {.rid = 77, .members_hash = zeros, .seen = cs_buf_slice(&seen)}});
    cr_assert_eq(world->incarnations, 1, "1 was minted, but never given away");
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

Test(gossip, an_entry_that_knows_our_future_asks_for_a_new_incarnation)
{
    connect_both();
    drain();
    cs_buf_t packed = {0};
    entry_naming((cs_dot_t){cs_replica_state(b->replica)->rid, 50}, &packed);
    say((cs_msg_t){.type = CS_MSG_ENTRIES,
                   .u.entries.entries = {.count = 1, .packed = cs_buf_slice(&packed)}});
    cr_assert_eq(world->incarnations, 1);
    cs_buf_fini(&packed);
}

Test(gossip, a_have_on_another_baseline_is_not_believed)
{
    connect_both();
    pass_time(1000);
    const cs_state_t *state = cs_replica_state(b->replica);
    cs_vv_t seen = {0};
    cs_buf_t delta = {0};
    cr_assert_eq(cs_vv_raise(&seen, (cs_dot_t){4711, 5}), CS_OK);
    cs_vv_encode(&seen, &delta);
    uint8_t wrong[16] = {1};
    heard_count = 0;
    world->now_ms += 1000;
    say((cs_msg_t){.type = CS_MSG_HAVE,
                   .u.have = {.root = state->root,
                              .n = state->n,
                              .seen_hash = wrong,
                              .delta = cs_buf_slice(&delta)}});
    cr_assert_eq(cs_vv_get(&cs_replica_state(b->replica)->seen, 4711), 0);
    cr_assert(deliver_next(1));
    cr_assert_eq(heard[0], CS_MSG_HELLO, "it asks where the delta belongs");
    cs_vv_fini(&seen);
    cs_buf_fini(&delta);
}

Test(gossip, entries_of_an_unknown_exchange_are_joined)
{
    connect_both();
    drain();
    cs_buf_t packed = {0};
    entry_naming((cs_dot_t){4711, 5}, &packed);
    say((cs_msg_t){.type = CS_MSG_PUSH,
                   .xid = 999,
                   .seq = 7,
                   .flags = CS_FLAG_INITIATOR,
                   .u.push = {.count = 1, .packed = cs_buf_slice(&packed)}});
    cs_entry_t entry;
    cs_entry_init(&entry, &(cs_bucket_t){{9}});
    cr_assert_eq(cs_replica_get(b->replica, &(cs_bucket_t){{9}}, &entry), CS_OK);
    cr_assert_eq(cs_vv_get(&entry.ctx, 4711), 5);
    cs_entry_fini(&entry);
    cs_buf_fini(&packed);
}

/* b serves an exchange of a's, by hand. */
static void begin_by_hand(cs_buf_t *seen)
{
    static const uint8_t zeros[32] = {0};
    gn_node_create(b, 3);
    connect_both();
    while (deliver_next(0)) {
    }
    cs_buf_clear(seen);
    cs_buf_put_u8(seen, 0);
    say((cs_msg_t){
        .type = CS_MSG_RECON_REQ,
        .xid = 5,
        .seq = 1,
        .flags = CS_FLAG_INITIATOR,
        .u.recon_req = {.method = CS_RECON_LIST,
                        .snap = {.present = true, .root = zeros, .seen = cs_buf_slice(seen)}}});
}

static gn_frame_t *last_of_b(void)
{
    gn_frames_t *link = &world->links[1][0];
    cr_assert_gt(link->len, 0);
    return link->items[link->len - 1];
}

Test(gossip, a_wanted_digest_that_is_not_there_is_gone)
{
    cs_buf_t seen = {0};
    begin_by_hand(&seen);
    cr_assert_eq(type_of(last_of_b()), CS_MSG_LIST);
    uint8_t digest[16] = {1};
    say((cs_msg_t){.type = CS_MSG_WANT,
                   .xid = 5,
                   .seq = 2,
                   .flags = CS_FLAG_INITIATOR,
                   .u.want.packed = {digest, sizeof digest}});
    cr_assert_eq(type_of(last_of_b()), CS_MSG_GONE);
    cs_buf_fini(&seen);
}

Test(gossip, a_repeated_frame_is_ignored_and_a_gap_aborts)
{
    cs_buf_t seen = {0};
    begin_by_hand(&seen);
    uint8_t digest[16] = {1};
    cs_msg_t want = {.type = CS_MSG_WANT,
                     .xid = 5,
                     .seq = 2,
                     .flags = CS_FLAG_INITIATOR,
                     .u.want.packed = {digest, sizeof digest}};
    say(want);
    size_t before = world->links[1][0].len;
    say(want);
    cr_assert_eq(world->links[1][0].len, before);
    want.seq = 4;
    say(want);
    cr_assert_eq(type_of(last_of_b()), CS_MSG_FIN);
    want.seq = 5;
    before = world->links[1][0].len;
    say(want);
    cr_assert_eq(world->links[1][0].len, before, "the exchange is over");
    cs_buf_fini(&seen);
}

Test(gossip, an_unknown_method_is_refused)
{
    cs_buf_t seen = {0};
    begin_by_hand(&seen);
    static const uint8_t zeros[32] = {0};
    say((cs_msg_t){.type = CS_MSG_RECON_REQ,
                   .xid = 6,
                   .seq = 1,
                   .flags = CS_FLAG_INITIATOR,
                   .u.recon_req = {
                       .method = 9,
                       .snap = {.present = true, .root = zeros, .seen = cs_buf_slice(&seen)}}});
    cr_assert_eq(type_of(last_of_b()), CS_MSG_FIN);
    cs_buf_fini(&seen);
}

Test(gossip, credit_beyond_what_was_sent_drops_the_peer)
{
    cs_buf_t seen = {0};
    begin_by_hand(&seen);
    say((cs_msg_t){.type = CS_MSG_CREDIT,
                   .xid = 5,
                   .seq = 2,
                   .flags = CS_FLAG_INITIATOR,
                   .u.credit.up_to = 1});
    cr_assert_eq(world->drops, 1);
    cs_buf_fini(&seen);
}

Test(gossip, a_malformed_entry_drops_the_peer)
{
    connect_both();
    drain();
    uint8_t packed[] = {2, 'x', 'y'};
    say((cs_msg_t){.type = CS_MSG_ENTRIES,
                   .u.entries.entries = {.count = 1, .packed = {packed, sizeof packed}}});
    cr_assert_eq(world->drops, 1);
}

Test(gossip, members_spread_with_hello)
{
    cs_member_t member = {.key = gn_key(7), .name = "cleo"};
    connect_both();
    pass_time(500);
    cs_gossip_add_member(a->gossip, &member);
    pass_time(500);
    size_t count;
    const cs_member_t *members = cs_gossip_members(b->gossip, &count);
    cr_assert_eq(count, 3);
    cr_assert_str_eq(members[2].name, "cleo");
}

Test(gossip, reports_tell_whether_a_peer_is_equal_and_applied)
{
    size_t count;
    connect_both();
    pass_time(500);
    gn_node_create(a, 1);
    cs_gossip_local(a->gossip, world->now_ms);
    pass_time(3000);
    cs_report_t *reports = cs_gossip_reports(a->gossip, &count);
    cr_assert_eq(count, 1);
    cr_assert(reports[0].known && reports[0].connected && reports[0].equal);
    cr_assert_not(reports[0].applied);
    cs_free(reports);
    cs_gossip_set_applied(b->gossip, true, world->now_ms);
    pass_time(500);
    reports = cs_gossip_reports(a->gossip, &count);
    cr_assert(reports[0].equal && reports[0].applied);
    cs_free(reports);
}

static bool is_applied_at(const gn_node_t *node)
{
    size_t count;
    cs_report_t *reports = cs_gossip_reports(node->gossip, &count);
    bool applied = reports[0].known && reports[0].equal && reports[0].applied;
    cs_free(reports);
    return applied;
}

Test(gossip, what_came_since_applied_was_said_is_not_applied)
{
    connect_both();
    cs_gossip_set_applied(b->gossip, true, world->now_ms);
    pass_time(1000);
    cr_assert(is_applied_at(a));
    gn_node_create(a, 1);
    cs_gossip_local(a->gossip, world->now_ms);
    pass_time(1000);
    cr_assert(equal_roots());
    cr_assert_not(is_applied_at(a), "b has the entry, not the file");
    cs_gossip_set_applied(b->gossip, true, world->now_ms);
    pass_time(1000);
    cr_assert(is_applied_at(a));
}

Test(gossip, haves_become_rare_while_nothing_happens)
{
    connect_both();
    pass_time(5000);
    uint64_t before = cs_gossip_stats(a->gossip)->have_sent;
    pass_time(600000);
    uint64_t sent = cs_gossip_stats(a->gossip)->have_sent - before;
    cr_assert_geq(sent, 600 / 80);
    cr_assert_leq(sent, 600 / 30);
}

/* All of a's files vanish, and a's knowledge stays: what no deletion explains. */
Test(gossip, too_many_refutations_stop_the_conversation_until_somebody_looked)
{
    gn_node_create(a, 3000);
    connect_both();
    pass_time(3000);
    cr_assert(equal_roots());
    cs_vv_t seen = {0};
    cs_vv_copy(&seen, &cs_replica_state(a->replica)->seen);
    gn_node_stop(a);
    cs_mem_disk_destroy(&a->disk);
    a->disk = cs_mem_disk_new();
    gn_node_start(a);
    cr_assert_eq(cs_replica_claim(a->replica, &seen), CS_OK);
    cs_vv_fini(&seen);
    gn_node_flush(a);
    pass_time(20000);
    cr_assert(cs_gossip_is_paused(a->gossip));
    cr_assert_eq(cs_replica_state(b->replica)->n, 3000, "b keeps its files");
    cs_gossip_resume(a->gossip, world->now_ms);
    pass_time(20000);
    cr_assert(equal_roots());
    cr_assert_eq(cs_replica_state(b->replica)->n, 0);
}
