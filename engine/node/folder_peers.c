/* folder_peers.c - with whom a folder is shared, and who of them is there. */
#include "base/mem.h"
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
    cs_pex_touch(&folder->node->pex, &member->key);
}

void cs_folder_note_member(cs_folder_t *folder, const cs_member_t *member)
{
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_MEMBER);
    effect->folder = folder->config.number;
    effect->member = *member;
}

static cs_told_t *told_of(cs_folder_t *folder, cs_peer_t peer)
{
    for (size_t i = 0; i < folder->told_of_count; i++) {
        if (folder->told_of[i].peer == peer) return &folder->told_of[i];
    }
    if (folder->told_of_count == folder->told_of_cap) {
        folder->told_of_cap = cs_grow(folder->told_of_cap, folder->told_of_count + 1);
        folder->told_of =
            cs_realloc_array(folder->told_of, folder->told_of_cap, sizeof *folder->told_of);
    }
    cs_told_t *told = &folder->told_of[folder->told_of_count++];
    *told = (cs_told_t){.peer = peer};
    return told;
}

static void forget_told(cs_folder_t *folder, cs_peer_t peer)
{
    for (size_t i = 0; i < folder->told_of_count; i++) {
        if (folder->told_of[i].peer != peer) continue;
        folder->told_of[i] = folder->told_of[--folder->told_of_count];
        return;
    }
}

void cs_folder_peer_up(cs_folder_t *folder, const cs_peer_entry_t *peer)
{
    if (folder->config.paused) return;
    cs_gossip_peer_up(folder->gossip, peer->id, &peer->key, folder->now_ms);
    cs_fetch_peer_up(folder->fetch, peer->id);
}

void cs_folder_peer_down(cs_folder_t *folder, cs_peer_t peer)
{
    cs_outbox_forget(&folder->outbox, peer);
    cs_folder_serve_down(folder, peer);
    cs_gossip_peer_down(folder->gossip, peer);
    cs_fetch_peer_down(folder->fetch, peer);
    forget_told(folder, peer);
}

/* --- what is said of members */

static void tell(cs_folder_t *folder, const cs_peer_entry_t *peer)
{
    uint32_t greetings = cs_gossip_greetings(folder->gossip, peer->id);
    cs_told_t *told = told_of(folder, peer->id);
    if (greetings == 0) return;
    if (told->greetings != greetings) {
        *told = (cs_told_t){.peer = peer->id, .greetings = greetings};
    }
    cs_folder_standings_tell(folder, peer->id, &told->standings);
    cs_folder_pex_tell(folder, peer, &told->pex);
}

void cs_folder_tell_of_members(cs_folder_t *folder)
{
    const cs_node_t *node = folder->node;
    uint64_t introductions = cs_gossip_introductions(folder->gossip);
    if (folder->introductions == introductions && folder->pex_told == node->pex.version &&
        folder->standings_told == folder->standings.newest) {
        return;
    }
    if (folder->config.paused || folder->leaving || node->stopping) return;
    for (size_t i = 0; i < node->peers.len; i++) {
        const cs_peer_entry_t *peer = &node->peers.item[i];
        if (!peer->dropped && cs_folder_has_member(folder, &peer->key)) tell(folder, peer);
    }
    folder->introductions = introductions;
    folder->pex_told = node->pex.version;
    folder->standings_told = folder->standings.newest;
}
