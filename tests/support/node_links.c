/* node_links.c - messages between the nodes of a world, and with strangers. */
#include "base/mem.h"
#include "support/node_world.h"

static void push(nw_queue_t *queue, nw_frame_t *frame)
{
    frame->next = NULL;
    if (queue->first == NULL) {
        queue->first = frame;
    } else {
        queue->last->next = frame;
    }
    queue->last = frame;
}

static nw_frame_t *pop(nw_queue_t *queue)
{
    nw_frame_t *frame = queue->first;
    if (frame != NULL) queue->first = frame->next;
    return frame;
}

static void frame_free(nw_frame_t *frame)
{
    cs_buf_fini(&frame->header);
    cs_buf_fini(&frame->payload);
    cs_free(frame);
}

static void drain(nw_queue_t *queue)
{
    for (nw_frame_t *frame; (frame = pop(queue)) != NULL;)
        frame_free(frame);
}

static void lose(nw_link_t *link)
{
    for (unsigned end = 0; end < 2; end++)
        drain(&link->queue[end]);
}

void nw_lose(nw_world_t *world)
{
    for (size_t i = 0; i < NW_LINKS_MAX; i++)
        lose(&world->link[i]);
}

/* ret_end: which end `node` is. */
static nw_link_t *find_link(nw_node_t *node, cs_link_t id, unsigned *ret_end)
{
    nw_world_t *world = node->world;
    for (size_t i = 0; i < NW_LINKS_MAX; i++) {
        nw_link_t *link = &world->link[i];
        for (unsigned end = 0; end < 2; end++) {
            *ret_end = end;
            if (link->up && link->node[end] == node->index && link->id[end] == id) return link;
        }
    }
    return NULL;
}

void nw_connect(nw_world_t *world, unsigned from, unsigned to)
{
    nw_link_t *link = &world->link[from * NW_NODES_MAX + to];
    if (from == to || link->up || !world->node[from].up || !world->node[to].up) return;
    *link = (nw_link_t){.up = true, .node = {from, to}};
    link->id[0] = ++world->last_link;
    link->id[1] = ++world->last_link;
    nw_trace(world, "link %u -> %u", from, to);
    for (unsigned end = 0; end < 2; end++) {
        cs_event_t event = {.kind = CS_EV_LINK_UP,
                            .link = link->id[end],
                            .key = nw_key(link->node[1 - end]),
                            .outgoing = end == 0};
        nw_event(&world->node[link->node[end]], &event);
    }
}

void nw_disconnect(nw_world_t *world, nw_link_t *link)
{
    if (!link->up) return;
    nw_trace(world, "link %u -> %u down", link->node[0], link->node[1]);
    link->up = false;
    lose(link);
    for (unsigned end = 0; end < 2; end++) {
        nw_node_t *node = &world->node[link->node[end]];
        cs_event_t event = {.kind = CS_EV_LINK_DOWN, .link = link->id[end]};
        if (node->up) nw_event(node, &event);
    }
}

void nw_connect_all(nw_world_t *world)
{
    for (unsigned a = 0; a < world->node_count; a++) {
        for (unsigned b = a + 1; b < world->node_count; b++)
            nw_connect(world, a, b);
    }
}

void nw_disconnect_all(nw_world_t *world)
{
    for (size_t i = 0; i < NW_LINKS_MAX; i++)
        nw_disconnect(world, &world->link[i]);
}

void nw_link_send(nw_node_t *node, cs_effect_t *effect)
{
    unsigned end;
    nw_link_t *link = find_link(node, effect->link, &end);
    const nw_stranger_t *stranger = &node->world->stranger;
    if (link == NULL && stranger->told != NULL) {
        stranger->told(stranger->arg, effect->link, cs_buf_slice(&effect->header),
                       cs_buf_slice(&effect->payload));
    }
    if (link == NULL) return;
    nw_frame_t *frame = cs_calloc(1, sizeof *frame);
    frame->header = effect->header;
    frame->payload = effect->payload;
    effect->header = effect->payload = (cs_buf_t){0};
    push(&link->queue[end], frame);
}

void nw_link_drop(nw_node_t *node, const cs_effect_t *effect)
{
    nw_world_t *world = node->world;
    unsigned end;
    nw_trace(world, "%u drops: %s", node->index, effect->text);
    world->drops++;
    nw_link_t *link = find_link(node, effect->link, &end);
    if (link != NULL) link->dying = true;
    if (link == NULL && world->stranger.dropped != NULL)
        world->stranger.dropped(world->stranger.arg, effect->link);
}

/* --- arriving */

void nw_message(nw_node_t *node, cs_link_t link, cs_slice_t header, cs_buf_t *payload_p)
{
    cs_blob_t *shared = payload_p->len > 0 ? cs_blob_new(payload_p) : NULL;
    cs_event_t event = {.kind = CS_EV_MESSAGE, .link = link, .bytes = header, .blob = shared};
    nw_event(node, &event);
    cs_blob_unref(&shared);
}

static void deliver(nw_world_t *world, nw_link_t *link, unsigned from_end)
{
    nw_frame_t *frame = pop(&link->queue[from_end]);
    nw_node_t *from = &world->node[link->node[from_end]];
    nw_node_t *to = &world->node[link->node[1 - from_end]];
    uint64_t size = frame->payload.len;
    cs_link_t sender = link->id[from_end];
    nw_trace(world, "%u <- %u message %u", to->index, from->index,
             frame->header.len > 1 ? frame->header.data[1] : 0u);
    nw_message(to, link->id[1 - from_end], cs_buf_slice(&frame->header), &frame->payload);
    frame_free(frame);
    cs_event_t sent = {.kind = CS_EV_SENT, .link = sender, .size = size};
    if (size > 0) nw_event(from, &sent);
}

bool nw_deliver_next(nw_world_t *world)
{
    size_t start = nw_pick(world, NW_LINKS_MAX);
    unsigned first_end = nw_pick(world, 2);
    for (size_t i = 0; i < NW_LINKS_MAX; i++) {
        nw_link_t *link = &world->link[(start + i) % NW_LINKS_MAX];
        if (!link->up) continue;
        if (link->dying) {
            nw_disconnect(world, link);
            return true;
        }
        for (unsigned k = 0; k < 2; k++) {
            unsigned end = (first_end + k) % 2;
            if (link->queue[end].first == NULL) continue;
            deliver(world, link, end);
            return true;
        }
    }
    return false;
}
