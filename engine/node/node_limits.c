/* node_limits.c - what all peers together and each alone may take, up and down. */
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
