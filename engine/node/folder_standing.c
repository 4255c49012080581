/* folder_standing.c - words about members: made for a user here, told to all, taken of them. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

static void keep(cs_folder_t *folder, const cs_standing_t *standing, bool own, bool lifted)
{
    cs_standings_set(&folder->standings, standing);
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_STANDING);
    effect->folder = folder->config.number;
    effect->standing = *standing;
    effect->own = own;
    effect->lifted = lifted;
}

void cs_folder_load_members(cs_folder_t *folder, const cs_folder_config_t *config)
{
    for (size_t i = 0; i < config->standing_count; i++) {
        const cs_standing_t *standing = &config->standings[i];
        if (!cs_standing_check(standing, folder->keys)) continue;
        if (cs_standings_wants(&folder->standings, standing)) {
            cs_standings_set(&folder->standings, standing);
        }
    }
    for (size_t i = 0; i < config->member_count; i++) {
        cs_gossip_add_member(folder->gossip, &config->members[i]);
    }
}

bool cs_folder_is_out(const cs_folder_t *folder, const cs_key_t *key)
{
    const cs_standing_t *known = cs_standings_find(&folder->standings, key);
    return known != NULL && known->out;
}

void cs_folder_say(cs_folder_t *folder, const cs_key_t *key, bool out)
{
    const cs_node_config_t *config = &folder->node->config;
    const cs_standing_t *known = cs_standings_find(&folder->standings, key);
    if (!config->signs || cs_key_cmp(key, &config->self) == 0) return;
    if (known != NULL ? known->out == out : out && !cs_folder_has_member(folder, key)) return;
    uint32_t version = known != NULL ? known->version : 0;
    cs_standing_t standing = {
        .key = *key, .version = version < UINT32_MAX ? version + 1 : version, .out = out};
    if (!cs_standings_wants(&folder->standings, &standing)) return; /* it has the last word */
    cs_standing_sign(&standing, folder->keys, config->seed);
    keep(folder, &standing, true, false);
}

/* --- told */

static bool tell(cs_folder_t *folder, cs_peer_t peer, uint64_t *told)
{
    cs_msg_standing_t items[CS_STANDINGS_MAX];
    size_t count = 0;
    const cs_standing_t *from;
    while (count < CS_STANDINGS_MAX &&
           (from = cs_standings_next(&folder->standings, *told, told)) != NULL) {
        items[count++] = (cs_msg_standing_t){.key = from->key.b,
                                             .version = from->version,
                                             .out = from->out,
                                             .signer = from->signer,
                                             .signature = from->signature};
    }
    if (count == 0) return false;
    cs_msg_t msg = {.type = CS_MSG_STANDINGS, .u.standings = {items, count}};
    cs_folder_send_later(folder, peer, &msg); /* after the list of members */
    return true;
}

void cs_folder_standings_tell(cs_folder_t *folder, cs_peer_t peer, uint64_t *told)
{
    while (tell(folder, peer, told)) {
    }
}

/* --- taken */

/* Somebody else let it in after it was removed. Of one that is new the list of members tells.
 */
static void lift(cs_folder_t *folder, const cs_key_t *key)
{
    cs_node_t *node = folder->node;
    cs_member_t member = {.key = *key};
    cs__node_permit(node, key);
    if (cs_folder_has_member(folder, key)) return;
    cs_folder_note_member(folder, &member);
    cs__node_allow(node, folder, &member);
}

void cs_folder_cut_off(cs_folder_t *folder, const cs_key_t *key)
{
    const cs_peer_entry_t *peer = cs_peers_by_key(&folder->node->peers, key);
    if (peer != NULL) cs_folder_peer_down(folder, peer->id);
    cs_gossip_remove_member(folder->gossip, key);
}

/* Is or was one, as far as is known. */
static bool is_members(const cs_folder_t *folder, const cs_standing_t *standing)
{
    cs_key_t by;
    return cs_standing_by(standing, &by) &&
           (cs_folder_has_member(folder, &by) ||
            cs_standings_find(&folder->standings, &by) != NULL);
}

/* False: the signer is not known, which the words that follow may change. */
static bool take(cs_folder_t *folder, const cs_standing_t *standing)
{
    const cs_key_t *key = &standing->key;
    bool self = cs_key_cmp(key, &folder->node->config.self) == 0;
    if (self || !cs_standings_wants(&folder->standings, standing)) return true;
    bool known = cs_standings_find(&folder->standings, key) != NULL;
    if (!known && cs_standings_full(&folder->standings)) return true;
    if (!is_members(folder, standing)) return false;
    if (!cs_standing_check(standing, folder->keys)) return true;
    bool lifted = !standing->out && cs_folder_is_out(folder, key);
    keep(folder, standing, false, lifted);
    if (standing->out) {
        cs_folder_cut_off(folder, key);
    } else if (lifted) {
        lift(folder, key);
    }
    return true;
}

static cs_standing_t standing_of(const cs_msg_standing_t *from)
{
    cs_standing_t ret = {.version = from->version, .out = from->out};
    memcpy(ret.key.b, from->key, sizeof ret.key.b);
    memcpy(ret.signer, from->signer, sizeof ret.signer);
    memcpy(ret.signature, from->signature, sizeof ret.signature);
    return ret;
}

void cs_folder_standings_take(cs_folder_t *folder, const cs_msg_standings_t *msg)
{
    size_t left = msg->count, before;
    bool done[CS_STANDINGS_MAX] = {false};
    do {
        before = left;
        for (size_t i = 0; i < msg->count; i++) {
            cs_standing_t standing = standing_of(&msg->items[i]);
            if (done[i] || !take(folder, &standing)) continue;
            done[i] = true;
            left--;
        }
    } while (left > 0 && left < before);
}
