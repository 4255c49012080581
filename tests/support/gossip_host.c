/* gossip_host.c - see gossip_node.h: the host of a node's machine. A peer's handle is its index
 * + 1. */
#include "base/mem.h"
#include "support/gossip_node.h"

static uint64_t host_send(void *arg, cs_peer_t peer, const cs_msg_t *msg)
{
    gn_node_t *node = arg;
    gn_frame_t *frame = cs_calloc(1, sizeof *frame);
    frame->from = node->index;
    frame->to = peer - 1;
    frame->is_entries = msg->type == CS_MSG_ENTRIES && msg->xid == 0;
    cs_msg_encode(msg, &frame->bytes);
    gn_trace(node->world, "%c->%c %s xid %x seq %u", 'A' + node->index, 'A' + peer - 1,
             cs_msg_type_name(msg->type), msg->xid, msg->seq);
    uint64_t bytes = frame->bytes.len;
    gn_frames_push(&node->outbox, frame);
    return bytes;
}

static void host_note_peer(void *arg, cs_peer_t peer, const char *what)
{
    gn_node_t *node = arg;
    gn_trace(node->world, "%c notes %c: %s", 'A' + node->index, 'A' + peer - 1, what);
    node->notes++;
}

static void host_exchange(void *arg, cs_peer_t peer, cs_exchange_end_t end,
                          const cs_exchange_facts_t *facts)
{
    gn_node_t *node = arg;
    (void)peer;
    node->exchanges++;
    node->exchange_end = end;
    node->exchange = *facts;
}

static void host_drop(void *arg, cs_peer_t peer, const char *reason)
{
    gn_node_t *node = arg;
    gn_trace(node->world, "%c drops %c: %s", 'A' + node->index, 'A' + peer - 1, reason);
    node->world->drops++;
    gn_fail(node->world, "an honest peer was dropped");
}

static cs_snapshot_t *host_snapshot(void *arg)
{
    gn_node_t *node = arg;
    return cs_store_snapshot(node->store);
}

static void host_reincarnate(void *arg, const char *reason)
{
    gn_node_t *node = arg;
    gn_trace(node->world, "%c must be reborn: %s", 'A' + node->index, reason);
    node->reborn = true;
}

static bool host_member(void *arg, const cs_member_t *member)
{
    (void)arg;
    (void)member;
    return true;
}

static void host_alarm(void *arg, const char *what, cs_dot_t dot)
{
    gn_node_t *node = arg;
    gn_trace(node->world, "%c alarm %s %llx:%llu", 'A' + node->index, what,
             (unsigned long long)dot.rid, (unsigned long long)dot.ctr);
    node->world->alarms++;
    if (!node->world->hole) node->world->hole = what;
}

static void host_changed(void *arg)
{
    (void)arg;
}

static void host_peer_has_more(void *arg, cs_peer_t peer)
{
    (void)arg;
    (void)peer;
}

cs_gossip_host_t gn_host(gn_node_t *node)
{
    return (cs_gossip_host_t){.arg = node,
                              .send = host_send,
                              .exchange = host_exchange,
                              .note_peer = host_note_peer,
                              .drop = host_drop,
                              .snapshot = host_snapshot,
                              .reincarnate = host_reincarnate,
                              .member = host_member,
                              .alarm = host_alarm,
                              .changed = host_changed,
                              .peer_has_more = host_peer_has_more};
}
