/* gossip_test.c - two nodes that talk: what is said, and what is never said. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/gossip_pair.h"

TestSuite(gossip, .init = gp_init, .fini = gp_fini);

Test(gossip, an_empty_peer_gets_everything_in_pages_that_wait_for_credit)
{
    gn_node_create(gp.a, 9000);
    gp_connect();
    gp_pass(2000);
    cr_assert(gp_equal_roots());
    cr_assert_eq(cs_replica_state(gp.b->replica)->n, 9000);
    cr_assert_eq(gp_heard_count(CS_MSG_LIST), 0, "no lists for one that has nothing");
    cr_assert_gt(gp_heard_count(CS_MSG_ENTRIES), CS_BUNDLES_AHEAD);
    cr_assert_leq(gp.queue_max, CS_BUNDLES_AHEAD + 2);
}

Test(gossip, a_full_peer_pushes_what_the_other_lacks_within_its_window)
{
    gn_node_create(gp.b, 6000);
    gn_node_create(gp.a, 1);
    gp_connect();
    gp_pass(4000);
    cr_assert(gp_equal_roots());
    cr_assert_eq(cs_replica_state(gp.a->replica)->n, 6001);
    cr_assert_leq(gp.queue_max, 2 * CS_BUNDLES_AHEAD);
}

Test(gossip, a_few_differences_cost_a_few_entries)
{
    gn_node_create(gp.a, 3000);
    gp_connect();
    gp_pass(2000);
    uint64_t before = cs_gossip_stats(gp.a->gossip)->entries_sent;
    gn_node_create(gp.a, 3);
    gn_node_create(gp.b, 2);
    gp_pass(10000);
    cr_assert(gp_equal_roots());
    cr_assert_eq(cs_gossip_stats(gp.a->gossip)->entries_sent - before, 3);
    cr_assert_eq(cs_replica_state(gp.a->replica)->n, 3005);
}

/* Application payload of the pair; ten minutes after the last change HAVE is all there is. */
Test(gossip, an_idle_pair_says_less_than_10_bytes_a_second)
{
    gn_node_create(gp.a, 100);
    gp_connect();
    gp_pass(5000);
    gn_node_user(gp.a);
    cs_gossip_local(gp.a->gossip, gp.world->now_ms);
    gp_pass(600000);
    cr_assert(gp_equal_roots());
    gp.bytes = 0;
    gp_pass(600000);
    cr_assert_gt(gp.bytes, 0);
    cr_assert_leq(gp.bytes, 600 * 10 / 2, "%llu bytes in ten minutes",
                  (unsigned long long)gp.bytes);
}

Test(gossip, equality_spreads_seen_both_ways)
{
    gn_node_create(gp.a, 5);
    gn_node_create(gp.b, 5);
    gp_connect();
    gp_pass(5000);
    cr_assert(gp_equal_roots());
    cr_assert(cs_vv_eq(&cs_replica_state(gp.a->replica)->seen,
                       &cs_replica_state(gp.b->replica)->seen));
    cr_assert_gt(cs_gossip_stats(gp.a->gossip)->claims, 0);
}

Test(gossip, a_local_change_is_pushed_at_once)
{
    gp_connect();
    gp_drain();
    gn_node_user(gp.a);
    gn_node_flush(gp.a);
    cr_assert(gp_deliver(0));
    cr_assert(gp_equal_roots(), "the first frame carries it");
}

Test(gossip, nothing_but_hello_leaves_before_a_hello_came)
{
    gn_node_create(gp.a, 10);
    gp_connect();
    gn_node_user(gp.a);
    for (unsigned i = 0; i < 20; i++) {
        gp.world->now_ms += 3000;
        gn_node_tick(gp.a);
        gn_node_flush(gp.a);
    }
    const gn_frames_t *sent = &gp.world->links[0][1];
    cr_assert_gt(sent->len, 5, "it asks again and again");
    for (size_t i = 0; i < sent->len; i++)
        cr_assert_eq(gp_type(sent->items[i]), CS_MSG_HELLO);
    cr_assert_eq(cs_replica_state(gp.a->replica)->exposed, 0);
}

Test(gossip, hello_cuts_the_own_slot_to_what_was_exposed)
{
    gn_node_create(gp.a, 10);
    gp_connect();
    cs_msg_t msg = {0};
    const gn_frame_t *frame = gp.world->links[0][1].items[0];
    cr_assert_eq(cs_msg_decode(&msg, cs_buf_slice(&frame->bytes), cs_slice(NULL, 0)), CS_OK);
    cs_vv_t seen = {0};
    cs_reader_t reader = cs_reader(msg.u.hello.seen);
    cs_vv_decode(&reader, &seen);
    cr_assert_eq(cs_vv_get(&seen, msg.u.hello.rid), 0);
    cs_vv_fini(&seen);
    cs_msg_fini(&msg);
}

Test(gossip, members_spread_with_hello)
{
    cs_member_t member = {.key = gn_key(7), .name = "cleo"};
    gp_connect();
    gp_pass(500);
    cs_gossip_add_member(gp.a->gossip, &member);
    gp_pass(500);
    size_t count;
    const cs_member_t *members = cs_gossip_members(gp.b->gossip, &count);
    cr_assert_eq(count, 3);
    cr_assert_str_eq(members[2].name, "cleo");
}

Test(gossip, reports_tell_whether_a_peer_is_equal_and_applied)
{
    size_t count;
    gp_connect();
    gp_pass(500);
    gn_node_create(gp.a, 1);
    cs_gossip_local(gp.a->gossip, gp.world->now_ms);
    gp_pass(3000);
    cs_report_t *reports = cs_gossip_reports(gp.a->gossip, &count);
    cr_assert_eq(count, 1);
    cr_assert(reports[0].known && reports[0].connected && reports[0].equal);
    cr_assert_not(reports[0].applied);
    cs_free(reports);
    cs_gossip_set_applied(gp.b->gossip, true, gp.world->now_ms);
    gp_pass(500);
    reports = cs_gossip_reports(gp.a->gossip, &count);
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
    gp_connect();
    cs_gossip_set_applied(gp.b->gossip, true, gp.world->now_ms);
    gp_pass(1000);
    cr_assert(is_applied_at(gp.a));
    gn_node_create(gp.a, 1);
    cs_gossip_local(gp.a->gossip, gp.world->now_ms);
    gp_pass(1000);
    cr_assert(gp_equal_roots());
    cr_assert_not(is_applied_at(gp.a), "b has the entry, not the file");
    cs_gossip_set_applied(gp.b->gossip, true, gp.world->now_ms);
    gp_pass(1000);
    cr_assert(is_applied_at(gp.a));
}

/* Its database is lost, from which it would know the stamps it used, and so is the time. */
Test(gossip, a_node_whose_stamps_went_back_is_heard_all_the_same)
{
    static const uint64_t lives[] = {1000, 1};
    for (size_t i = 0; i < CS_COUNT_OF(lives); i++) {
        gn_node_stop(gp.b);
        gp.b->life = lives[i];
        gn_node_start(gp.b);
        gp_connect();
        gp_pass(500);
        cs_gossip_set_applied(gp.b->gossip, true, gp.world->now_ms);
        gp_pass(2000);
        cr_assert(is_applied_at(gp.a), "life %zu", i);
        gn_node_create(gp.a, (unsigned)i + 1);
        cs_gossip_local(gp.a->gossip, gp.world->now_ms);
        gp_pass(1000);
        cr_assert_not(is_applied_at(gp.a), "b has the entry, not the file");
    }
}

Test(gossip, haves_become_rare_while_nothing_happens)
{
    gp_connect();
    gp_pass(5000);
    uint64_t before = cs_gossip_stats(gp.a->gossip)->have_sent;
    gp_pass(600000);
    uint64_t sent = cs_gossip_stats(gp.a->gossip)->have_sent - before;
    cr_assert_geq(sent, 600 / 80);
    cr_assert_leq(sent, 600 / 30);
}

Test(gossip, what_a_peer_was_told_it_is_not_told_again)
{
    gn_node_create(gp.a, 3);
    gp_connect();
    cs_gossip_local(gp.a->gossip, gp.world->now_ms);
    cs_gossip_set_applied(gp.a->gossip, true, gp.world->now_ms);
    gp_pass(200000);
    uint64_t before = cs_gossip_stats(gp.a->gossip)->have_sent;
    cs_gossip_local(gp.a->gossip, gp.world->now_ms); /* a scan that found nothing */
    cs_gossip_set_applied(gp.a->gossip, false, gp.world->now_ms);
    cs_gossip_set_applied(gp.a->gossip, true, gp.world->now_ms);
    gp_pass(1000);
    cr_assert_eq(cs_gossip_stats(gp.a->gossip)->have_sent, before);
    cs_gossip_set_applied(gp.a->gossip, false, gp.world->now_ms);
    gp_pass(1000);
    cr_assert_eq(cs_gossip_stats(gp.a->gossip)->have_sent, before + 1);
}

/* All of a's files vanish, and a's knowledge stays: what no deletion explains. */
Test(gossip, too_many_refutations_stop_the_conversation_until_somebody_looked)
{
    gn_node_create(gp.a, 3000);
    gp_connect();
    gp_pass(3000);
    cr_assert(gp_equal_roots());
    cs_vv_t seen = {0};
    cs_vv_copy(&seen, &cs_replica_state(gp.a->replica)->seen);
    gn_node_stop(gp.a);
    cs_mem_disk_destroy(&gp.a->disk);
    gp.a->disk = cs_mem_disk_new();
    gn_node_start(gp.a);
    cr_assert_eq(cs_replica_claim(gp.a->replica, &seen), CS_OK);
    cs_vv_fini(&seen);
    gn_node_flush(gp.a);
    gp_pass(20000);
    cr_assert(cs_gossip_is_paused(gp.a->gossip));
    cr_assert_eq(cs_replica_state(gp.b->replica)->n, 3000, "b keeps its files");
    cs_gossip_resume(gp.a->gossip, gp.world->now_ms);
    gp_pass(20000);
    cr_assert(gp_equal_roots());
    cr_assert_eq(cs_replica_state(gp.b->replica)->n, 0);
}
