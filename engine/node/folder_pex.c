/* folder_pex.c - addresses of members: told to those who share the folder, and taken of them.
 */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

#define AGE_MAX_S UINT32_MAX

static uint32_t age_of(const cs_folder_t *folder, const cs_pex_item_t *item)
{
    uint64_t s = (folder->now_ms - item->said_ms) / 1000;
    return s < AGE_MAX_S ? (uint32_t)s : AGE_MAX_S;
}

/* Of members of this folder only: who else there is, is nothing that it need know. */
static void tell(cs_folder_t *folder, const cs_peer_entry_t *peer, uint64_t *told)
{
    cs_msg_pex_item_t items[CS_PEX_MAX];
    cs_slice_t texts[CS_PEX_MAX][CS_ENDPOINTS_MAX];
    size_t count = 0;
    const cs_pex_item_t *item;
    while (count < CS_PEX_MAX && (item = cs_pex_next(&folder->node->pex, *told)) != NULL) {
        *told = item->version;
        bool own = cs_key_cmp(&item->key, &folder->node->config.self) == 0;
        bool due = own || cs_folder_has_member(folder, &item->key);
        bool itself = cs_key_cmp(&item->key, &peer->key) == 0;
        if (!due || itself || item->list.count == 0) continue;
        for (uint32_t i = 0; i < item->list.count; i++) {
            texts[count][i] = cs_slice_str(item->list.at[i]);
        }
        items[count] = (cs_msg_pex_item_t){.key = item->key.b,
                                           .endpoints = {texts[count], item->list.count},
                                           .age_s = own ? 0 : age_of(folder, item)};
        count++;
    }
    if (count == 0) return;
    cs_msg_t msg = {.type = CS_MSG_PEX, .u.pex = {.items = items, .count = count}};
    cs_folder_send_later(folder, peer->id, &msg); /* after the list of members */
}

void cs_folder_pex_tell(cs_folder_t *folder, const cs_peer_entry_t *peer, uint64_t *told)
{
    const cs_node_t *node = folder->node;
    while (!node->config.no_finding && *told < node->pex.version) {
        tell(folder, peer, told);
    }
}

void cs_folder_pex_take(cs_folder_t *folder, const cs_peer_entry_t *peer,
                        const cs_msg_pex_t *msg)
{
    cs_node_t *node = folder->node;
    for (size_t i = 0; i < msg->count && !node->config.no_finding; i++) {
        const cs_msg_pex_item_t *item = &msg->items[i];
        cs_key_t key;
        memcpy(key.b, item->key, sizeof key.b);
        if (cs_key_cmp(&key, &node->config.self) == 0) continue;
        if (!cs_folder_has_member(folder, &key) || cs__node_denies(node, &key)) continue;
        bool itself = cs_key_cmp(&key, &peer->key) == 0;
        uint64_t age_ms = (uint64_t)item->age_s * 1000;
        uint64_t said_ms = folder->now_ms > age_ms ? folder->now_ms - age_ms : 0;
        cs_pex_word_t word = itself ? CS_PEX_ITSELF : CS_PEX_OTHERS;
        if (!cs_pex_set(&node->pex, &key, &item->endpoints, word, said_ms, folder->now_ms)) {
            continue;
        }
        cs__node_address(node, folder->fx, &key);
    }
}

void cs__node_address(const cs_node_t *node, cs_effects_t *effects, const cs_key_t *key)
{
    const cs_pex_item_t *item = cs_pex_find(&node->pex, key);
    if (item == NULL || item->list.count == 0 || cs__node_denies(node, key)) return;
    cs_effect_t *effect = cs_effects_add(effects, CS_FX_ADDRESS);
    effect->key = *key;
    effect->dial = cs_peers_by_key(&node->peers, key) == NULL && cs_node_wants_link(node, key);
    for (uint32_t i = 0; i < item->list.count; i++) {
        cs_buf_put_slice(&effect->header, cs_slice_str(item->list.at[i]));
        cs_buf_put_u8(&effect->header, '\0');
    }
}

void cs__node_addresses(cs_node_t *node, const cs_event_t *event)
{
    bool own = cs_key_cmp(&event->key, &node->config.self) == 0;
    if (event->text != NULL) cs_pex_fix(&node->pex, &event->key, event->text);
    (void)cs_pex_set(&node->pex, &event->key, &event->texts, own ? CS_PEX_OURS : CS_PEX_KEPT, 0,
                     node->now_ms);
}
