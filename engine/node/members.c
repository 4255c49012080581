/* members.c - who shares a folder, with what is known of them. */
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
