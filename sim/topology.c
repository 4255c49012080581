/* topology.c - who is linked to whom, and who counts as a member of the folder. */
#include "base/mem.h"
#include "sim/world.h"

#define DEGREE     8u /* of CS_SIM_TOPOLOGY_BOUNDED (core.md 7.4) */
#define DEGREE_MAX 16u
#define TRIES      200u /* at worst one in two meets somebody who has room */

static void add_link(cs_sim_node_t *node, size_t index)
{
    node->links = cs_realloc_array(node->links, node->link_count + 1, sizeof *node->links);
    node->ids = cs_realloc_array(node->ids, node->link_count + 1, sizeof *node->ids);
    node->ids[node->link_count] = 0;
    node->links[node->link_count++] = (uint16_t)index;
}

static void want(cs_sim_t *sim, unsigned from, unsigned to)
{
    if (from == to || cs_sim_net_between(sim, from, to) != NULL) return;
    CS_ASSERT(sim->link_count < CS_SIM_LINKS_MAX);
    if (sim->link_count == sim->link_cap) {
        sim->link_cap = cs_grow(sim->link_cap, sim->link_count + 1);
        sim->link = cs_realloc_array(sim->link, sim->link_cap, sizeof *sim->link);
    }
    add_link(&sim->node[from], sim->link_count);
    add_link(&sim->node[to], sim->link_count);
    sim->link[sim->link_count++] =
        (cs_sim_link_t){.end = {(uint16_t)from, (uint16_t)to}, .wanted = true};
}

/* Everybody keeps eight, and nobody has more than sixteen. */
static void bounded(cs_sim_t *sim)
{
    unsigned count = sim->node_count;
    for (unsigned a = 0; a < count; a++) {
        for (unsigned i = 0; i < TRIES && sim->node[a].link_count < DEGREE; i++) {
            unsigned b = (unsigned)cs_sim_draw(sim, CS_DRAW_NEIGHBOUR, a, i, count);
            if (sim->node[b].link_count < DEGREE_MAX) want(sim, a, b);
        }
    }
}

void cs_sim_net_init(cs_sim_t *sim)
{
    unsigned count = sim->node_count;
    if (sim->options.topology == CS_SIM_TOPOLOGY_BOUNDED) {
        bounded(sim);
        return;
    }
    for (unsigned a = 0; a < count; a++) {
        for (unsigned b = a + 1; b < count; b++) {
            bool next = b == a + 1, closes = a == 0 && b + 1 == count;
            bool in[] = {true, next, next || closes, a == 0};
            if (!in[sim->options.topology]) continue;
            bool turned = cs_sim_draw(sim, CS_DRAW_RECONNECT, a, b, 2) != 0;
            want(sim, turned ? b : a, turned ? a : b);
        }
    }
}

static unsigned other_end(const cs_sim_link_t *link, unsigned node)
{
    return link->end[link->end[0] == node];
}

cs_sim_link_t *cs_sim_net_between(cs_sim_t *sim, unsigned a, unsigned b)
{
    const cs_sim_node_t *node = &sim->node[a];
    for (size_t i = 0; i < node->link_count; i++) {
        cs_sim_link_t *link = &sim->link[node->links[i]];
        if (other_end(link, a) == b) return link;
    }
    return NULL;
}

/* --- members */

cs_key_t cs_sim_key(unsigned index)
{
    cs_key_t key = {{(uint8_t)(index + 1), (uint8_t)((index + 1) >> 8)}};
    return key;
}

void cs_sim_name(unsigned index, char ret[CS_SIM_NAME_BYTES])
{
    if (index < 26) {
        snprintf(ret, CS_SIM_NAME_BYTES, "%c", 'A' + (int)index);
    } else {
        snprintf(ret, CS_SIM_NAME_BYTES, "n%u", index);
    }
}

static bool is_member(cs_sim_node_t *node, unsigned index)
{
    if (index == node->index || node->denied[index]) return false;
    return !node->sim->setup.neighbours ||
           cs_sim_net_between(node->sim, node->index, index) != NULL;
}

size_t cs_sim_members(cs_sim_node_t *node, cs_member_t *ret)
{
    size_t count = 0;
    for (unsigned i = 0; i < node->sim->node_count; i++) {
        if (!is_member(node, i)) continue;
        ret[count] = (cs_member_t){.key = cs_sim_key(i)};
        cs_sim_name(i, ret[count++].name);
    }
    return count;
}

void cs_sim_deny_others(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    for (size_t i = 0; i < node->link_count; i++) {
        const cs_sim_node_t *next =
            &sim->node[other_end(&sim->link[node->links[i]], node->index)];
        for (size_t k = 0; k < next->link_count; k++) {
            unsigned other = other_end(&sim->link[next->links[k]], next->index);
            if (other == node->index || is_member(node, other)) continue;
            cs_event_t event = {.kind = CS_EV_DENY, .key = cs_sim_key(other)};
            cs_sim_node_event(node, &event);
        }
    }
}
