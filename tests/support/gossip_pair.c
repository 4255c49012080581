/* gossip_pair.c - see gossip_pair.h. */
#include "support/gossip_pair.h"

#include <string.h>

#include "base/mem.h"

gp_pair_t gp;

void gp_init_of(unsigned nodes)
{
    gp = (gp_pair_t){.world = cs_malloc(sizeof *gp.world)};
    gn_world_init(gp.world, 1);
    gp.world->node_count = nodes;
    gn_world_start(gp.world);
    gp.a = &gp.world->nodes[0];
    gp.b = &gp.world->nodes[1];
}

void gp_init(void)
{
    gp_init_of(2);
}

void gp_fini(void)
{
    gn_world_fini(gp.world);
    cs_free(gp.world);
}

void gp_connect(void)
{
    gn_connect(gp.world, 0, 1);
}

cs_msg_type_t gp_type(const gn_frame_t *frame)
{
    return (cs_msg_type_t)frame->bytes.data[1];
}

bool gp_deliver(unsigned from)
{
    gn_frames_t *link = &gp.world->links[from][1 - from];
    if (link->len > gp.queue_max) gp.queue_max = link->len;
    if (link->len == 0) return false;
    gn_frame_t *frame = gn_frames_take(link, 0);
    if (gp.heard_count < CS_COUNT_OF(gp.heard)) gp.heard[gp.heard_count++] = gp_type(frame);
    gp.bytes += frame->bytes.len;
    gn_node_deliver(&gp.world->nodes[1 - from], frame);
    gn_node_flush(&gp.world->nodes[1 - from]);
    gn_frame_free(&frame);
    return true;
}

void gp_drain(void)
{
    while (gp_deliver(0) || gp_deliver(1))
        CS_ASSERT(gp.world->failure == NULL);
}

void gp_pass(uint64_t ms)
{
    for (uint64_t end_ms = gp.world->now_ms + ms; gp.world->now_ms < end_ms;
         gp.world->now_ms += 50) {
        for (unsigned i = 0; i < 2; i++) {
            gn_node_tick(&gp.world->nodes[i]);
            gn_node_flush(&gp.world->nodes[i]);
        }
        gp_drain();
    }
}

size_t gp_heard_count(cs_msg_type_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < gp.heard_count; i++)
        count += gp.heard[i] == type;
    return count;
}

bool gp_equal_roots(void)
{
    return gn_equal_roots(gp.world, 0, 1);
}

void gp_say(cs_msg_t msg)
{
    gn_frame_t frame = {.from = 0, .to = 1};
    memcpy(msg.tag, gp.world->keys.tag, CS_TAG_BYTES);
    cs_msg_encode(&msg, &frame.bytes);
    gn_node_deliver(gp.b, &frame);
    gn_node_flush(gp.b);
    cs_buf_fini(&frame.bytes);
}
