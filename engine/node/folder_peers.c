/* folder_peers.c - with whom a folder is shared, and who of them is there. */
#include "node/node_internal.h"

bool cs_folder_has_member(const cs_folder_t *folder, const cs_key_t *key)
{
    size_t high, low = 0; /* asked for each message: of a thousand members not one by one */
    const cs_member_t *members = cs_gossip_members(folder->gossip, &high);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = cs_key_cmp(&members[mid].key, key);
        if (order == 0) return true;
        if (order < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return false;
}

void cs_folder_add_member(cs_folder_t *folder, const cs_member_t *member)
{
    cs_gossip_add_member(folder->gossip, member);
    folder->pex_version = 0;
}

void cs_folder_peer_up(cs_folder_t *folder, const cs_peer_entry_t *peer)
{
    if (folder->config.paused) return;
    folder->pex_version = 0;
    cs_gossip_peer_up(folder->gossip, peer->id, &peer->key, folder->now_ms);
    cs_fetch_peer_up(folder->fetch, peer->id);
}

void cs_folder_peer_down(cs_folder_t *folder, cs_peer_t peer)
{
    cs_outbox_forget(&folder->outbox, peer);
    cs_folder_serve_down(folder, peer);
    cs_gossip_peer_down(folder->gossip, peer);
    cs_fetch_peer_down(folder->fetch, peer);
    cs_folder_pex_down(folder, peer);
}
