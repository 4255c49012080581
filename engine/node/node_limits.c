/* node_limits.c - what all peers together and each alone may take, up and down. */
#include "node/node_internal.h"

bool cs__node_may_send(cs_node_t *node, cs_peer_entry_t *peer)
{
    bool all = cs_rate_may(&node->up, node->limits.up, node->now_ms);
    return cs_rate_may(&peer->up, node->limits.peer_up, node->now_ms) && all;
}

bool cs__node_may_ask(cs_node_t *node, cs_peer_entry_t *peer)
{
    bool all = cs_rate_may(&node->down, node->limits.down, node->now_ms);
    return cs_rate_may(&peer->down, node->limits.peer_down, node->now_ms) && all;
}

void cs__node_spend_up(cs_node_t *node, cs_peer_entry_t *peer, uint64_t bytes)
{
    cs_rate_spend(&node->up, bytes);
    if (peer != NULL) cs_rate_spend(&peer->up, bytes);
}

void cs__node_spend_down(cs_node_t *node, cs_peer_entry_t *peer, uint64_t bytes)
{
    cs_rate_spend(&node->down, bytes);
    if (peer != NULL) cs_rate_spend(&peer->down, bytes);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t cs__node_up_due(const cs_node_t *node, const cs_peer_entry_t *peer)
{
    return later(cs_rate_due(&node->up, node->limits.up, node->now_ms),
                 cs_rate_due(&peer->up, node->limits.peer_up, node->now_ms));
}

uint64_t cs__node_down_due(const cs_node_t *node, const cs_peer_entry_t *peer)
{
    return later(cs_rate_due(&node->down, node->limits.down, node->now_ms),
                 cs_rate_due(&peer->down, node->limits.peer_down, node->now_ms));
}
