/* folder_ahead.c - the bytes of small files that a user just saved go ahead of the entries that
 * name them, to the peers that these are pushed to; so they need not be asked for, which takes
 * a trip of the link and most of the time that both nodes need.
 *
 * Who gets them stages them at once: that is done while the entry is still made durable where
 * it comes from. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

/* --- who saved them */

void cs_folder_ahead_saw(cs_folder_t *folder, const cs_buf_t *records)
{
    cs_buf_t *ahead = &folder->ahead;
    if (records->len == 0) return;
    if (ahead->len == 0) folder->ahead_ctr = cs_replica_state(folder->replica)->ctr;
    /* Many are no news that somebody waits for. */
    if (ahead->len + records->len > CS_AHEAD_BYTES_MAX) cs_buf_clear(ahead);
    cs_buf_put_slice(ahead, cs_buf_slice(records));
    folder->ahead_ms = folder->now_ms;
}

static bool find(cs_slice_t rest, const uint8_t *hash, cs_slice_t *ret_bytes)
{
    const uint8_t *name;
    while (cs_chunk_next(&rest, &name, ret_bytes)) {
        if (memcmp(name, hash, CS_NAME_BYTES) == 0) return true;
    }
    return false;
}

/* What was moved there is not new, and others have it. */
void cs_folder_ahead_pushes(cs_folder_t *folder, const cs_entry_t *entry)
{
    uint64_t rid = cs_replica_state(folder->replica)->rid;
    for (uint32_t i = 0; folder->ahead.len > 0 && i < entry->k_len; i++) {
        const cs_kval_t *k = &entry->k[i];
        cs_slice_t bytes;
        if (k->dot.rid != rid || k->dot.ctr <= folder->ahead_ctr) continue;
        if (find(cs_buf_slice(&folder->ahead_due), k->content.hash, &bytes)) continue;
        if (!find(cs_buf_slice(&folder->ahead), k->content.hash, &bytes)) continue;
        cs_chunk_put(&folder->ahead_due, k->content.hash, bytes);
    }
}

static void send(cs_folder_t *folder, cs_peer_t id)
{
    cs_peer_entry_t *peer = cs_folder_peer(folder, id);
    bool may = peer != NULL && cs__node_has_room(folder->node, peer) &&
               cs__node_may(folder->node, peer, CS_UP);
    if (!may) return;
    cs_msg_t msg = {.type = CS_MSG_CHUNK, .flags = CS_FLAG_AHEAD};
    cs_buf_t payload = {0};
    cs_buf_put_slice(&payload, cs_buf_slice(&folder->ahead_due));
    cs__node_spend(folder->node, peer, CS_UP, payload.len);
    cs_folder_send(folder, id, &msg, &payload);
    cs_buf_fini(&payload);
}

void cs_folder_ahead_pushes_to(cs_folder_t *folder, const cs_peer_t *peers, size_t count)
{
    CS_ASSERT(count <= CS_FANOUT_MAX);
    cs_buf_fini(&folder->ahead);
    bool fits = folder->ahead_due.len > 0 && folder->ahead_due.len <= CS_AHEAD_BYTES_MAX;
    folder->ahead_to_count = fits ? count : 0;
    memcpy(folder->ahead_to, peers, folder->ahead_to_count * sizeof *peers);
    if (!fits) cs_buf_fini(&folder->ahead_due);
}

void cs_folder_ahead_send(cs_folder_t *folder)
{
    if (folder->ahead_to_count == 0) return;
    for (size_t i = 0; i < folder->ahead_to_count; i++) {
        send(folder, folder->ahead_to[i]);
    }
    folder->ahead_to_count = 0;
    cs_buf_fini(&folder->ahead_due);
}

/* --- who gets them */

void cs_folder_ahead_came(cs_folder_t *folder)
{
    if (folder->offered_ms == 0) folder->offered_ms = folder->now_ms;
}

uint64_t cs_folder_ahead_due(const cs_folder_t *folder)
{
    uint64_t due = UINT64_MAX;
    if (folder->ahead.len > 0) due = folder->ahead_ms + CS_AHEAD_KEPT_MS;
    bool sooner = folder->offered_ms != 0 && folder->offered_ms + CS_AHEAD_KEPT_MS < due;
    return sooner ? folder->offered_ms + CS_AHEAD_KEPT_MS : due;
}

/* What came and no entry names, as where its path is ignored, is removed after a pass that sees
 * all there is to do. */
void cs_folder_ahead_tick(cs_folder_t *folder)
{
    uint64_t now_ms = folder->now_ms;
    if (folder->ahead_ms + CS_AHEAD_KEPT_MS <= now_ms) cs_buf_fini(&folder->ahead);
    if (folder->offered_ms == 0 || folder->offered_ms + CS_AHEAD_KEPT_MS > now_ms) return;
    folder->offered_ms = 0;
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    if (stats.staged > 0) cs_folder_plan_soon(folder);
}

void cs_folder_ahead_fini(cs_folder_t *folder)
{
    cs_buf_fini(&folder->ahead);
    cs_buf_fini(&folder->ahead_due);
}
