/* node_limits.c - what all peers together and each alone may take, up and down, a second and in
 * memory. */
#include "node/node_internal.h"

bool cs__node_limits(const cs_node_t *node, cs_way_t way)
{
    return (node->limits.all[way] | node->limits.each[way]) != 0;
}

bool cs__node_may(cs_node_t *node, cs_peer_entry_t *peer, cs_way_t way)
{
    bool all = cs_rate_may(&node->rate[way], node->limits.all[way], node->now_ms);
    return cs_rate_may(&peer->rate[way], node->limits.each[way], node->now_ms) && all;
}

void cs__node_spend(cs_node_t *node, cs_peer_entry_t *peer, cs_way_t way, uint64_t bytes)
{
    cs_rate_spend(&node->rate[way], bytes);
    if (peer != NULL) cs_rate_spend(&peer->rate[way], bytes);
}

uint64_t cs__node_due(const cs_node_t *node, const cs_peer_entry_t *peer, cs_way_t way)
{
    uint64_t all = cs_rate_due(&node->rate[way], node->limits.all[way], node->now_ms);
    uint64_t each = cs_rate_due(&peer->rate[way], node->limits.each[way], node->now_ms);
    return all > each ? all : each;
}

void cs__node_share_memory(cs_node_t *node, uint64_t memory_bytes)
{
    uint64_t left =
        memory_bytes > CS_MEMORY_BASE_BYTES ? memory_bytes - CS_MEMORY_BASE_BYTES : 0;
    if (memory_bytes == 0) left = UINT64_MAX;
    node->coming.bytes_max = node->going_max = left / 2;
}

bool cs__node_has_room(const cs_node_t *node, const cs_peer_entry_t *peer)
{
    uint64_t part = node->going_max / node->peers.len;
    if (part > CS_CREDIT_BYTES) part = CS_CREDIT_BYTES;
    return peer->unsent == 0 || peer->unsent + CS_FETCH_REQUEST_BYTES <= part;
}
