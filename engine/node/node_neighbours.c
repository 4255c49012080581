/* node_neighbours.c - with whom this node wants links: looked at anew when something changed.
 */
#include <string.h>

#include "node/node_internal.h"

typedef struct looking {
    const cs_node_t *node;
    cs_effects_t *effects;
} looking_t;

static const cs_member_t *members_of(void *arg, size_t at, size_t *ret_count)
{
    const cs_folder_t *folder = ((const looking_t *)arg)->node->folders[at];
    const cs_member_t *members = cs_gossip_members(folder->gossip, ret_count);
    if (folder->leaving) *ret_count = 0;
    return members;
}

static cs_neighbour_link_t link_of(void *arg, const cs_key_t *key)
{
    const cs_node_t *node = ((const looking_t *)arg)->node;
    const cs_peer_entry_t *peer = cs_peers_by_key(&node->peers, key);
    const cs_pex_item_t *known = cs_pex_find(&node->pex, key);
    cs_neighbour_link_t ret = {.dialable = known != NULL && known->list.count > 0};
    if (peer == NULL) return ret;
    ret.up = true;
    ret.outgoing = peer->out != 0 && peer->in == 0;
    ret.up_ms = peer->up_ms;
    ret.way_ms = peer->way_ms;
    return ret;
}

static void want(void *arg, const cs_key_t *key, bool on)
{
    cs_effect_t *effect = cs_effects_add(((const looking_t *)arg)->effects, CS_FX_NEIGHBOUR);
    effect->key = *key;
    effect->dial = on;
}

/* Changes whenever there is something new to look at. */
static uint64_t state_of(const cs_node_t *node)
{
    uint64_t members = 0;
    for (size_t i = 0; i < node->folder_count; i++) {
        size_t count;
        const cs_member_t *member = cs_gossip_members(node->folders[i]->gossip, &count);
        for (size_t k = 0; k < count; k++) {
            uint64_t part; /* keys are random */
            memcpy(&part, member[k].key.b, sizeof part);
            members += part;
        }
    }
    return node->links_changed + node->pex.version + members;
}

void cs__node_neighbours(cs_node_t *node, cs_effects_t *effects)
{
    if (node->config.no_finding || node->stopping) return;
    uint64_t state = state_of(node);
    if (state == node->neighbours_of && node->now_ms < node->neighbours.due_ms) return;
    node->neighbours_of = state;
    looking_t looking = {node, effects};
    cs_neighbour_view_t view = {.arg = &looking,
                                .folder_count = node->folder_count,
                                .members = members_of,
                                .link = link_of,
                                .want = want};
    cs_neighbours_choose(&node->neighbours, &node->config.self, &view, node->now_ms);
}

bool cs_node_wants_link(const cs_node_t *node, const cs_key_t *key)
{
    return cs_neighbours_wants(&node->neighbours, key);
}
