/* members.c - who shares a folder, with what is known of them. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

const cs_member_t *cs_node_members(const cs_node_t *node, uint32_t number, size_t *ret_count)
{
    *ret_count = 0;
    for (size_t i = 0; i < node->folder_count; i++) {
        const cs_folder_t *folder = node->folders[i];
        if (folder->config.number == number) {
            return cs_gossip_members(folder->gossip, ret_count);
        }
    }
    return NULL;
}

/* --- keys that are no members, whatever others say */

static size_t place_of(const cs_node_t *node, const cs_key_t *key)
{
    size_t at = 0;
    while (at < node->denied_count && cs_key_cmp(&node->denied[at], key) < 0) {
        at++;
    }
    return at;
}

bool cs__node_denies(const cs_node_t *node, const cs_key_t *key)
{
    size_t at = place_of(node, key);
    return at < node->denied_count && cs_key_cmp(&node->denied[at], key) == 0;
}

void cs__node_permit(cs_node_t *node, const cs_key_t *key)
{
    if (!cs__node_denies(node, key)) return;
    size_t at = place_of(node, key);
    node->denied_count--;
    memmove(&node->denied[at], &node->denied[at + 1],
            (node->denied_count - at) * sizeof *node->denied);
}

void cs__node_deny(cs_node_t *node, const cs_key_t *key, bool say)
{
    for (size_t i = 0; i < node->folder_count; i++) {
        if (say) cs_folder_say(node->folders[i], key, true);
        cs_folder_cut_off(node->folders[i], key);
    }
    if (cs__node_denies(node, key)) return;
    if (node->denied_count == node->denied_cap) {
        node->denied_cap = cs_grow(node->denied_cap, node->denied_count + 1);
        node->denied = cs_realloc_array(node->denied, node->denied_cap, sizeof *node->denied);
    }
    size_t at = place_of(node, key);
    memmove(&node->denied[at + 1], &node->denied[at],
            (node->denied_count - at) * sizeof *node->denied);
    node->denied[at] = *key;
    node->denied_count++;
}
