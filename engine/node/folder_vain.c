/* folder_vain.c - contents that peers asked for before they came here: once they have come, or
 * begin to come, those peers are told, and ask again. Without that, news would cross a chain of
 * nodes only as fast as each is asked again by itself, or as it can say that it has everything.
 */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

static void key_of(cs_buf_t *ret, const uint8_t *hash, cs_peer_t peer)
{
    cs_buf_clear(ret);
    cs_buf_put(ret, hash, CS_HASH_BYTES);
    cs_buf_put(ret, &peer, sizeof peer);
}

static void tell(cs_folder_t *folder, cs_peer_t peer, cs_slice_t names)
{
    cs_msg_t msg = {.type = CS_MSG_CHAVE};
    msg.u.chave.packed = names;
    cs_folder_send_later(folder, peer, &msg);
}

void cs_folder_asked_in_vain(cs_folder_t *folder, cs_peer_t peer, cs_slice_t names,
                             uint64_t began)
{
    const uint8_t *hash;
    while (cs_name_next(&names, &hash)) {
        const cs_onode_t *fresh = cs_omap_find(&folder->fresh, cs_slice(hash, CS_HASH_BYTES));
        if (fresh != NULL && fresh->epoch > began) {
            tell(folder, peer, cs_slice(hash, CS_HASH_BYTES)); /* it came meanwhile */
        } else {
            bool is_new;
            if (folder->vain.len >= CS_VAIN_MAX) cs_omap_fini(&folder->vain, NULL);
            key_of(&folder->scratch, hash, peer);
            cs_omap_insert(&folder->vain, cs_buf_slice(&folder->scratch), &is_new);
        }
    }
}

/* Gathered by peer: those of a group go in one message. */
static void news_add(cs_folder_t *folder, cs_peer_t peer, const uint8_t *hash)
{
    size_t i = 0;
    while (i < folder->news_count && folder->news[i].peer != peer) {
        i++;
    }
    if (i == folder->news_cap) {
        folder->news_cap = cs_grow(folder->news_cap, i + 1);
        folder->news = cs_realloc_array(folder->news, folder->news_cap, sizeof *folder->news);
    }
    if (i == folder->news_count) folder->news[folder->news_count++] = (cs_news_t){.peer = peer};
    cs_buf_put(&folder->news[i].names, hash, CS_HASH_BYTES);
}

void cs_folder_tell_news(cs_folder_t *folder)
{
    for (size_t i = 0; i < folder->news_count; i++) {
        cs_news_t *news = &folder->news[i];
        tell(folder, news->peer, cs_buf_slice(&news->names));
        cs_buf_fini(&news->names);
    }
    folder->news_count = 0;
}

void cs_folder_vain_fini(cs_folder_t *folder)
{
    CS_ASSERT(folder->news_count == 0);
    cs_free(folder->news);
    cs_omap_fini(&folder->vain, NULL);
    cs_omap_fini(&folder->fresh, NULL);
}

/* A row of `vain` about the content whose hash that is. */
static bool asks_for(const cs_onode_t *node, cs_slice_t hash, cs_peer_t *ret)
{
    if (node == NULL || !cs_slice_has_prefix(cs_onode_key(node), hash)) return false;
    memcpy(ret, cs_onode_key(node).data + hash.len, sizeof *ret);
    return true;
}

void cs_folder_came_in_part(cs_folder_t *folder, const cs_content_t *content)
{
    cs_slice_t hash = cs_slice(content->hash, sizeof content->hash);
    cs_peer_t peer;
    cs_msg_t msg = {.type = CS_MSG_PARTS};
    msg.u.parts =
        (cs_msg_parts_t){.content = content->hash, .size = content->size, .answer = true};
    const cs_onode_t *node = cs_omap_seek(&folder->vain, hash);
    for (; asks_for(node, hash, &peer); node = node->next[0]) {
        cs_folder_send_later(folder, peer, &msg);
    }
}

void cs_folder_came(cs_folder_t *folder, const cs_content_t *content)
{
    cs_slice_t prefix = cs_slice(content->hash, sizeof content->hash);
    cs_onode_t *node;
    cs_peer_t peer;
    while (asks_for(node = cs_omap_seek(&folder->vain, prefix), prefix, &peer)) {
        cs_omap_remove(&folder->vain, node);
        news_add(folder, peer, content->hash);
    }
    bool is_new;
    if (folder->fresh.len >= CS_VAIN_MAX) cs_omap_fini(&folder->fresh, NULL);
    cs_omap_insert(&folder->fresh, prefix, &is_new)->epoch = folder->staged + 1;
}
