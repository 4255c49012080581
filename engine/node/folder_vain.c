/* folder_vain.c - contents that peers asked for before they came here: once they have come,
 * those peers are told, and ask again. Without that, news would cross a chain of nodes only as
 * fast as each is asked again by itself, or as it can say that it has everything. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

static void key_of(cs_buf_t *ret, const uint8_t *hash, cs_peer_t peer)
{
    cs_buf_clear(ret);
    cs_buf_put(ret, hash, CS_HASH_BYTES);
    cs_buf_put(ret, &peer, sizeof peer);
}

static void tell(cs_folder_t *folder, cs_peer_t peer, const uint8_t *hash)
{
    cs_msg_t msg = {.type = CS_MSG_CHAVE};
    msg.u.chave.packed = cs_slice(hash, CS_HASH_BYTES);
    cs_folder_send_later(folder, peer, &msg);
}

void cs_folder_asked_in_vain(cs_folder_t *folder, cs_peer_t peer, cs_slice_t names,
                             uint64_t began)
{
    const uint8_t *hash;
    while (cs_name_next(&names, &hash)) {
        const cs_onode_t *fresh = cs_omap_find(&folder->fresh, cs_slice(hash, CS_HASH_BYTES));
        if (fresh != NULL && fresh->epoch > began) {
            tell(folder, peer, hash); /* it came meanwhile */
        } else if (cs_fetch_wants(folder->fetch, hash)) {
            bool is_new;
            if (folder->vain.len >= CS_VAIN_MAX) cs_omap_fini(&folder->vain, NULL);
            key_of(&folder->scratch, hash, peer);
            cs_omap_insert(&folder->vain, cs_buf_slice(&folder->scratch), &is_new);
        }
    }
}

void cs_folder_came(cs_folder_t *folder, const cs_content_t *content)
{
    cs_slice_t prefix = cs_slice(content->hash, sizeof content->hash);
    cs_onode_t *node;
    while ((node = cs_omap_seek(&folder->vain, prefix)) != NULL) {
        cs_slice_t key = cs_onode_key(node);
        cs_peer_t peer;
        if (!cs_slice_has_prefix(key, prefix)) break;
        memcpy(&peer, key.data + prefix.len, sizeof peer);
        cs_omap_remove(&folder->vain, node);
        tell(folder, peer, content->hash);
    }
    bool is_new;
    if (folder->fresh.len >= CS_VAIN_MAX) cs_omap_fini(&folder->fresh, NULL);
    cs_omap_insert(&folder->fresh, prefix, &is_new)->epoch = folder->staged + 1;
}
