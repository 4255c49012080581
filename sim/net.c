/* net.c - connections: first in, first out while they last; what breaks takes with it what was
 * on the way, or some of it comes after all (core.md 7.1, 12). */
#include <string.h>

#include "base/account.h"
#include "base/mem.h"
#include "crdt/vv.h"
#include "proto/frame.h"
#include "sim/load.h"
#include "sim/world.h"

#define RECONNECT_MIN_US 50000u /* ZeroMQ's own interval, as the product sets it */
#define RECONNECT_MAX_US 5000000u
#define STRAY_MAX_US     5000000u

uint16_t cs_sim_net_index(const cs_sim_t *sim, const cs_sim_link_t *link)
{
    return (uint16_t)(link - sim->link);
}

static cs_sim_link_t *find(cs_sim_node_t *node, cs_link_t id, unsigned *ret_end)
{
    cs_sim_t *sim = node->sim;
    if (id == 0) return NULL;
    for (size_t i = 0; i < node->link_count; i++) {
        if (node->ids[i] != id) continue;
        cs_sim_link_t *link = &sim->link[node->links[i]];
        *ret_end = link->end[1] == node->index;
        return link;
    }
    return NULL;
}

/* id 0: it has none. */
static void set_id(cs_sim_t *sim, cs_sim_link_t *link, unsigned end, cs_link_t id)
{
    cs_sim_node_t *node = &sim->node[link->end[end]];
    uint16_t number = cs_sim_net_index(sim, link);
    size_t at = 0;
    while (node->links[at] != number) {
        at++;
    }
    node->ids[at] = id;
}

/* --- connections */

static void see(cs_sim_t *sim, cs_sight_kind_t kind, const cs_sim_link_t *link)
{
    cs_sim_see(sim, &(cs_sight_t){.kind = kind, .node = link->end[0], .peer = link->end[1]});
}

static void try_again(cs_sim_t *sim, cs_sim_link_t *link)
{
    uint16_t index = cs_sim_net_index(sim, link);
    uint64_t most = sim->fair ? RECONNECT_MIN_US : RECONNECT_MAX_US;
    uint64_t after =
        RECONNECT_MIN_US + cs_sim_draw(sim, CS_DRAW_RECONNECT, 1000u + index, link->conn, most);
    if (link->blocked_us > sim->now_us + after) after = link->blocked_us - sim->now_us;
    cs_sim_push(sim, CS_SIM_EV_CONNECT, after)->link = index;
}

static bool may_connect(const cs_sim_t *sim, const cs_sim_link_t *link)
{
    const cs_sim_node_t *a = &sim->node[link->end[0]], *b = &sim->node[link->end[1]];
    return a->up && b->up && !a->dying && !b->dying && !a->denied[b->index] &&
           !b->denied[a->index] && sim->now_us >= link->blocked_us;
}

/* Tried again by whatever stands in the way: a start, an end of a block, an admission. */
void cs_sim_net_connect(cs_sim_t *sim, cs_sim_link_t *link)
{
    if (link->up || !may_connect(sim, link)) return;
    uint32_t conn = ++link->conn;
    link->up = true;
    for (unsigned end = 0; end < 2; end++) {
        link->id[end] = ++sim->last_link;
        set_id(sim, link, end, link->id[end]);
        link->arrives_us[end] = sim->now_us;
        link->queued[end] = link->way[end] = 0;
    }
    cs_trace_event(&sim->trace, 1, sim->now_us, link->end[0], link->end[1]);
    see(sim, CS_SIGHT_UP, link);
    cs_sim_line(sim, link->end[0], "connects to %c", 'A' + link->end[1]);
    for (unsigned end = 0; end < 2 && link->up && link->conn == conn; end++) {
        cs_event_t event = {.kind = CS_EV_LINK_UP,
                            .link = link->id[end],
                            .key = cs_sim_key(link->end[1 - end]),
                            .outgoing = end == 0};
        cs_sim_node_event(&sim->node[link->end[end]], &event);
    }
}

void cs_sim_net_cut(cs_sim_t *sim, cs_sim_link_t *link)
{
    if (!link->up) return;
    link->up = false;
    for (unsigned end = 0; end < 2; end++) {
        set_id(sim, link, end, 0);
    }
    cs_trace_event(&sim->trace, 2, sim->now_us, link->end[0], link->end[1]);
    see(sim, CS_SIGHT_DOWN, link);
    cs_sim_line(sim, link->end[0], "is cut off from %c", 'A' + link->end[1]);
    for (unsigned end = 0; end < 2; end++) {
        cs_sim_node_t *node = &sim->node[link->end[end]];
        cs_event_t event = {.kind = CS_EV_LINK_DOWN, .link = link->id[end]};
        if (node->up && !node->dying) cs_sim_node_event(node, &event);
    }
    try_again(sim, link);
}

void cs_sim_net_leave(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    for (size_t i = 0; i < node->link_count; i++) {
        cs_sim_net_cut(sim, &sim->link[node->links[i]]);
    }
}

void cs_sim_net_join(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    for (size_t i = 0; i < node->link_count; i++) {
        cs_sim_link_t *link = &sim->link[node->links[i]];
        if (!link->up) try_again(sim, link);
    }
}

void cs_sim_net_drop(cs_sim_node_t *node, cs_link_t id)
{
    unsigned end;
    cs_sim_link_t *link = find(node, id, &end);
    if (link == NULL) return;
    node->sim->drops++;
    cs_sim_ev_t *ev = cs_sim_push(node->sim, CS_SIM_EV_CUT, 0);
    ev->link = cs_sim_net_index(node->sim, link);
    ev->life = link->conn;
}

/* --- frames */

void cs_sim_net_frame_free(cs_sim_frame_t *frame)
{
    cs_buf_fini(&frame->header);
    cs_buf_fini(&frame->payload);
    cs_free(frame);
}

static unsigned type_of(const cs_sim_frame_t *frame)
{
    return frame->header.len > 1 ? frame->header.data[1] : 0;
}

static void see_frame(cs_sim_t *sim, cs_sight_kind_t kind, const cs_sim_frame_t *frame,
                      bool odd)
{
    const cs_sim_link_t *link = &sim->link[frame->link];
    cs_sim_see(sim, &(cs_sight_t){.kind = kind,
                                  .node = link->end[1 - frame->from],
                                  .peer = link->end[frame->from],
                                  .then_us = frame->sent_us,
                                  .type = type_of(frame),
                                  .bytes = frame->header.len + frame->payload.len,
                                  .odd = odd});
}

/* frame: taken. */
static void lose(cs_sim_t *sim, cs_sim_frame_t *frame)
{
    sim->lost++;
    cs_sim_load_gone(sim, frame, frame->header.len + frame->payload.len);
    see_frame(sim, CS_SIGHT_LOST, frame, false);
    cs_sim_net_frame_free(frame);
}

static void put_on_way(cs_sim_t *sim, cs_sim_frame_t *frame, uint64_t after_us)
{
    cs_sim_push(sim, CS_SIM_EV_FRAME, after_us)->frame = frame;
}

static cs_sim_frame_t *copy(const cs_sim_frame_t *frame)
{
    cs_sim_frame_t *other = cs_calloc(1, sizeof *other);
    *other = *frame;
    other->header = other->payload = (cs_buf_t){0};
    cs_buf_put_slice(&other->header, cs_buf_slice(&frame->header));
    cs_buf_put_slice(&other->payload, cs_buf_slice(&frame->payload));
    other->again = true;
    return other;
}

/* A queue that is full drops what comes, without notice: never the first message. */
static bool is_lost(cs_sim_t *sim, const cs_sim_link_t *link, cs_sim_frame_t *frame)
{
    if (sim->fair || sim->options.loss == 0) return false;
    uint64_t of = (uint64_t)cs_sim_net_index(sim, link) * 2 + frame->from;
    uint64_t at = cs_sim_draw(sim, CS_DRAW_FRAME, of, frame->number, 1000);
    if (at >= sim->options.loss) return false;
    bool hello = frame->header.len > 1 && frame->header.data[1] == CS_MSG_HELLO;
    if (at % 2 == 0 && !hello) return true;
    put_on_way(sim, copy(frame),
               cs_sim_draw(sim, CS_DRAW_FRAME, of, ~frame->number, STRAY_MAX_US));
    return false;
}

/* Numbers of entries are judged where they are joined; a vector may say more than those. */
static void judge_vector(cs_sim_node_t *node, cs_slice_t encoded)
{
    cs_vv_t vector = {0};
    cs_reader_t reader = cs_reader(encoded);
    cs_vv_decode(&reader, &vector);
    const cs_dot_t *slots = cs_vv_slots(&vector);
    for (uint32_t i = 0; i < vector.len; i++) {
        cs_oracle_said(node->sim->oracle, node->index, slots[i].rid, slots[i].ctr);
    }
    cs_vv_fini(&vector);
}

static void judge_frame(cs_sim_node_t *node, const cs_sim_frame_t *frame)
{
    unsigned type = type_of(frame);
    if (node->sim->oracle == NULL || (type != CS_MSG_HELLO && type != CS_MSG_HAVE)) return;
    cs_msg_t msg = {0};
    cs_err_t err =
        cs_msg_decode(&msg, cs_buf_slice(&frame->header), cs_buf_slice(&frame->payload));
    CS_ASSERT(err == CS_OK);
    judge_vector(node, type == CS_MSG_HELLO ? msg.u.hello.seen : msg.u.have.delta);
    cs_msg_fini(&msg);
}

void cs_sim_net_send(cs_sim_node_t *node, cs_effect_t *effect)
{
    cs_sim_t *sim = node->sim;
    unsigned end;
    cs_sim_link_t *link = find(node, effect->link, &end);
    if (link == NULL) return;
    cs_sim_frame_t *frame = cs_calloc(1, sizeof *frame);
    frame->header = effect->header;
    frame->payload = effect->payload;
    effect->header = effect->payload = (cs_buf_t){0};
    cs_account_give(frame->header.data, CS_ACCOUNT_NONE);
    cs_account_give(frame->payload.data, CS_ACCOUNT_NONE);
    frame->link = cs_sim_net_index(sim, link);
    frame->from = (uint16_t)end;
    frame->conn = link->conn;
    frame->number = link->sent[end]++;
    frame->sent_us = sim->now_us;
    frame->depth = node->depth;
    judge_frame(node, frame);
    size_t bytes = frame->header.len + frame->payload.len;
    link->bytes[end] += bytes;
    sim->frames++;
    sim->frame_bytes += bytes;

    uint64_t of = (uint64_t)frame->link * 2 + end, start_us = sim->now_us;
    if (link->queued[end] > start_us) start_us = link->queued[end];
    link->queued[end] = start_us + bytes * 1000 / CS_SIM_BYTES_PER_MS;
    if (frame->payload.len > 0) {
        cs_sim_ev_t *ev = cs_sim_push(sim, CS_SIM_EV_SENT, link->queued[end] - sim->now_us);
        ev->link = frame->link;
        ev->node = (uint16_t)end;
        ev->life = link->conn;
        ev->number = frame->payload.len;
    }
    uint64_t most = (uint64_t)sim->options.latency_ms * 1000 + 20;
    uint64_t at_us =
        link->queued[end] + 10 + cs_sim_draw(sim, CS_DRAW_LATENCY, of, frame->number, most);
    if (at_us < link->stalled_us[end]) at_us = link->stalled_us[end];
    if (at_us < link->arrives_us[end]) at_us = link->arrives_us[end];
    link->arrives_us[end] = at_us;
    cs_sim_load_sent(sim, link, end, bytes);
    if (is_lost(sim, link, frame)) {
        lose(sim, frame);
        return;
    }
    put_on_way(sim, frame, at_us - sim->now_us);
}

void cs_sim_net_sent(cs_sim_t *sim, const cs_sim_ev_t *ev)
{
    cs_sim_link_t *link = &sim->link[ev->link];
    if (!link->up || link->conn != ev->life) return;
    cs_event_t event = {.kind = CS_EV_SENT, .link = link->id[ev->node], .size = ev->number};
    cs_sim_node_event(&sim->node[link->end[ev->node]], &event);
}

/* --- arriving */

/* The receiver's from now on. */
static cs_blob_t *blob_of(cs_sim_node_t *to, cs_buf_t *payload)
{
    if (payload->len == 0) return NULL;
    cs_account_give(payload->data, CS_SIM_ACCOUNT(to));
    return cs_blob_new(payload);
}

/* Of an old connection: lost, but for some that were in the new one's queue before it was up.
 */
static bool is_stray(cs_sim_t *sim, const cs_sim_link_t *link, const cs_sim_frame_t *frame)
{
    if (!link->up || (sim->fair && !frame->again)) return false;
    if (link->conn == frame->conn) return true;
    if (sim->options.loss == 0) return false;
    return frame->again || cs_sim_draw(sim, CS_DRAW_FRAME, frame->number, frame->link, 8) == 0;
}

void cs_sim_net_frame(cs_sim_t *sim, cs_sim_frame_t *frame)
{
    cs_sim_link_t *link = &sim->link[frame->link];
    bool current = link->up && link->conn == frame->conn && !frame->again;
    if (!current && !is_stray(sim, link, frame)) {
        lose(sim, frame);
        return;
    }
    unsigned to_end = 1u - frame->from;
    cs_sim_node_t *to = &sim->node[link->end[to_end]];
    unsigned type = type_of(frame);
    cs_sim_load_gone(sim, frame, frame->header.len + frame->payload.len);
    cs_trace_event(&sim->trace, 0x100 + type, sim->now_us, link->id[to_end],
                   frame->header.len + frame->payload.len);
    cs_sim_line(sim, to->index, "<- %c %s%s, %zu bytes", 'A' + link->end[frame->from],
                cs_msg_type_name((cs_msg_type_t)type), current ? "" : " (stray)",
                frame->header.len + frame->payload.len);
    see_frame(sim, CS_SIGHT_FRAME, frame, !current);
    to->deeper = frame->depth + 1;
    cs_blob_t *blob = blob_of(to, &frame->payload);
    cs_event_t event = {.kind = CS_EV_MESSAGE,
                        .link = link->id[to_end],
                        .bytes = cs_buf_slice(&frame->header),
                        .blob = blob};
    cs_sim_node_event(to, &event);
    to->deeper = 0;
    cs_blob_unref(&blob);
    cs_sim_net_frame_free(frame);
}
