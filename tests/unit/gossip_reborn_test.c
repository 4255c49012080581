/* gossip_reborn_test.c - around a new incarnation: what a restored node learns in time, and
 * what it must not say until its new name is durable (core.md 6.4). */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/gossip_pair.h"

/* --- three nodes, links of the test's choice */

enum { A, B, C, NODES };

static gn_world_t *world;

static void begin(void)
{
    world = cs_malloc(sizeof *world);
    gn_world_init(world, 1);
    world->node_count = NODES;
    gn_world_start(world);
}

static void end(void)
{
    gn_world_fini(world);
    cs_free(world);
}

static void link_nodes(unsigned x, unsigned y)
{
    world->linked[x][y] = world->linked[y][x] = true;
    cs_key_t keys[2] = {gn_key(x), gn_key(y)};
    cs_gossip_peer_up(world->nodes[x].gossip, y + 1, &keys[1], world->now_ms);
    cs_gossip_peer_up(world->nodes[y].gossip, x + 1, &keys[0], world->now_ms);
    gn_node_flush(&world->nodes[x]);
    gn_node_flush(&world->nodes[y]);
}

static void unlink_nodes(unsigned x, unsigned y)
{
    world->linked[x][y] = world->linked[y][x] = false;
    cs_gossip_peer_down(world->nodes[x].gossip, y + 1);
    cs_gossip_peer_down(world->nodes[y].gossip, x + 1);
    gn_frames_fini(&world->links[x][y]);
    gn_frames_fini(&world->links[y][x]);
}

/* The next frame of x to y; only pushed entries if `pushes`, the others are lost. */
static bool deliver(unsigned x, unsigned y, bool pushes)
{
    gn_frames_t *link = &world->links[x][y];
    if (link->len == 0) return false;
    gn_frame_t *frame = gn_frames_take(link, 0);
    if (!pushes || frame->is_entries) gn_node_deliver(&world->nodes[y], frame);
    gn_node_flush(&world->nodes[y]);
    gn_frame_free(&frame);
    return true;
}

static void pass(uint64_t ms)
{
    for (uint64_t end_ms = world->now_ms + ms; world->now_ms < end_ms; world->now_ms += 50) {
        bool any = true;
        for (unsigned i = 0; i < NODES; i++) {
            gn_node_tick(&world->nodes[i]);
            gn_node_flush(&world->nodes[i]);
        }
        while (any) {
            any = false;
            for (unsigned i = 0; i < NODES * NODES; i++)
                any = deliver(i / NODES, i % NODES, false) || any;
        }
        cr_assert_null(world->failure, "%s", world->failure);
    }
}

TestSuite(gossip_restored, .init = begin, .fini = end);

/* C has A's newest file from B's push, and no more: its `seen` does not cover A's number, and
 * neither it nor B is in A's restored image. A minted the number anew before it met anybody. */
Test(gossip_restored, a_number_that_only_a_third_node_heard_of_is_not_given_away_again)
{
    gn_node_t *a = &world->nodes[A], *c = &world->nodes[C];
    link_nodes(A, B);
    link_nodes(B, C);
    gn_node_create(a, 2);
    pass(5000);
    gn_node_save(a);
    gn_node_user(a);
    gn_node_flush(a);
    while (deliver(A, B, true)) {
    }
    while (deliver(B, C, true)) {
    }
    uint64_t rid = cs_replica_state(a->replica)->rid, last = cs_replica_state(a->replica)->ctr;
    cr_assert_lt(cs_vv_get(&cs_replica_state(c->replica)->seen, rid), last);
    cr_assert_eq(cs_vv_get(cs_replica_heard(c->replica), rid), last);

    unlink_nodes(A, B);
    unlink_nodes(B, C);
    gn_node_restore(a, 0, false);
    gn_node_user(a);
    cr_assert_eq(cs_replica_state(a->replica)->rid, rid, "it noticed nothing yet");
    link_nodes(A, C);
    cr_assert(deliver(C, A, false));
    cr_assert_eq(world->incarnations, 1, "one HELLO is enough");
    pass(5000);
    cr_assert_null(world->hole, "%s", world->hole);
    cr_assert_eq(world->alarms, 0);
    cr_assert_arr_eq(cs_replica_state(a->replica)->root, cs_replica_state(c->replica)->root,
                     CS_HASH_BYTES);
}

/* --- between a new name and the batch that makes it durable */

/* As the folder does it, but nothing is written yet. */
static void rename_b(void)
{
    uint64_t old_rid = cs_replica_state(gp.b->replica)->rid;
    uint64_t exposed = cs_replica_state(gp.b->replica)->exposed;
    cr_assert_eq(cs_replica_reincarnate(gp.b->replica, ++gp.world->next_rid), CS_OK);
    gn_oracle_reborn(gp.b, old_rid, exposed);
    cs_gossip_restart(gp.b->gossip, gp.world->now_ms);
}

static void tell_b(cs_msg_t msg)
{
    gn_frame_t frame = {.from = 0, .to = 1};
    memcpy(msg.tag, gp.world->keys.tag, CS_TAG_BYTES);
    cs_msg_encode(&msg, &frame.bytes);
    gn_node_deliver(gp.b, &frame);
    cs_buf_fini(&frame.bytes);
}

static const uint8_t zeros[32];

static void greet_b(void)
{
    tell_b((cs_msg_t){.type = CS_MSG_HELLO,
                      .u.hello = {.rid = 77, .members_hash = zeros, .seen = {zeros, 1}}});
}

static void ask_b(uint32_t xid)
{
    tell_b((cs_msg_t){
        .type = CS_MSG_RECON_REQ,
        .xid = xid,
        .seq = 1,
        .flags = CS_FLAG_INITIATOR,
        .u.recon_req = {.method = CS_RECON_LIST,
                        .snap = {.present = true, .root = zeros, .seen = {zeros, 1}}}});
}

static size_t waiting(cs_msg_type_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < gp.b->outbox.len; i++)
        count += gp_type(gp.b->outbox.items[i]) == type;
    return count;
}

/* b has entries that nobody heard of, takes another name, and a talks to it at once. */
static void begin_reborn(void)
{
    gn_node_create(gp.b, 3);
    gp_connect();
    rename_b();
    greet_b();
}

TestSuite(gossip_reborn, .init = gp_init, .fini = gp_fini);

Test(gossip_reborn, no_exchange_is_answered_from_a_snapshot_of_the_former_incarnation)
{
    begin_reborn();
    ask_b(5);
    cr_assert_eq(waiting(CS_MSG_LIST), 0);
    cr_assert_eq(waiting(CS_MSG_FIN), 1, "refused for now");
    gn_node_flush(gp.b);
    ask_b(6);
    cr_assert_eq(waiting(CS_MSG_LIST), 1, "its new name is durable");
}

Test(gossip_reborn, no_exchange_is_begun_from_a_snapshot_of_the_former_incarnation)
{
    begin_reborn();
    uint8_t other[32] = {1}, seen_hash[CS_DIGEST_BYTES];
    cs_slice_t none = {zeros, 1};
    cs_hash(seen_hash, sizeof seen_hash, gp.world->keys.item, 32, &none, 1);
    tell_b((cs_msg_t){
        .type = CS_MSG_HAVE,
        .u.have = {.root = other, .n = 1, .seen_hash = seen_hash, .delta = {zeros, 1}}});
    gp.world->now_ms += 1500;
    gn_node_tick(gp.b);
    cr_assert_eq(waiting(CS_MSG_RECON_REQ), 0);
    gn_node_flush(gp.b);
    gp.world->now_ms += 3000;
    gn_node_tick(gp.b);
    cr_assert_eq(waiting(CS_MSG_RECON_REQ), 1, "its new name is durable");
}
