/* folder_ahead.c - the bytes of small files that a user just saved go ahead of the entries that
 * name them, to the peers that these are pushed to; so they need not be asked for, which takes
 * a trip of the link and most of the time that both nodes need.
 *
 * Who gets them keeps the newest few messages, and takes one of them for the answer when it
 * would ask the peer that sent it. So all that is checked of an answer is checked of them. */
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

static void forget(cs_folder_t *folder, size_t at)
{
    cs_blob_unref(&folder->came_ahead[at].blob);
    folder->came_ahead_count--;
    memmove(folder->came_ahead + at, folder->came_ahead + at + 1,
            (folder->came_ahead_count - at) * sizeof *folder->came_ahead);
}

void cs_folder_ahead_came(cs_folder_t *folder, cs_peer_t peer, const cs_msg_t *msg,
                          cs_blob_t *blob)
{
    if (blob == NULL || msg->u.chunk.unpacked != 0) return;
    if (msg->payload.len > CS_AHEAD_BYTES_MAX) return; /* it can be asked for */
    if (folder->came_ahead_count == CS_AHEAD_KEPT_MAX) forget(folder, 0);
    folder->came_ahead[folder->came_ahead_count++] =
        (cs_came_ahead_t){.peer = peer, .blob = cs_blob_ref(blob), .at_ms = folder->now_ms};
}

static bool has_all(const cs_came_ahead_t *came, const cs_fetch_action_t *action)
{
    cs_slice_t bytes;
    for (size_t i = 0; i < action->count; i++) {
        if (!find(came->blob->bytes, action->names[i].b, &bytes)) return false;
    }
    return true;
}

bool cs_folder_ahead_answers(cs_folder_t *folder, const cs_fetch_action_t *action)
{
    for (size_t i = folder->came_ahead_count; i-- > 0;) {
        cs_came_ahead_t *came = &folder->came_ahead[i];
        if (came->peer != action->peer || !has_all(came, action)) continue;
        came->is_answer = true;
        return true;
    }
    return false;
}

cs_blob_t *cs_folder_ahead_answer(cs_folder_t *folder, cs_peer_t *ret_peer)
{
    for (size_t i = 0; i < folder->came_ahead_count; i++) {
        if (!folder->came_ahead[i].is_answer) continue;
        cs_blob_t *blob = cs_blob_ref(folder->came_ahead[i].blob);
        *ret_peer = folder->came_ahead[i].peer;
        forget(folder, i);
        return blob;
    }
    return NULL;
}

void cs_folder_ahead_down(cs_folder_t *folder, cs_peer_t peer)
{
    for (size_t i = folder->came_ahead_count; i-- > 0;) {
        if (folder->came_ahead[i].peer == peer) forget(folder, i);
    }
}

uint64_t cs_folder_ahead_due(const cs_folder_t *folder)
{
    uint64_t due = UINT64_MAX;
    if (folder->ahead.len > 0) due = folder->ahead_ms + CS_AHEAD_KEPT_MS;
    bool any = folder->came_ahead_count > 0;
    uint64_t oldest = any ? folder->came_ahead[0].at_ms + CS_AHEAD_KEPT_MS : UINT64_MAX;
    return oldest < due ? oldest : due;
}

void cs_folder_ahead_tick(cs_folder_t *folder)
{
    uint64_t now_ms = folder->now_ms;
    if (folder->ahead_ms + CS_AHEAD_KEPT_MS <= now_ms) cs_buf_fini(&folder->ahead);
    while (folder->came_ahead_count > 0 &&
           folder->came_ahead[0].at_ms + CS_AHEAD_KEPT_MS <= now_ms) {
        forget(folder, 0);
    }
}

void cs_folder_ahead_fini(cs_folder_t *folder)
{
    while (folder->came_ahead_count > 0) {
        forget(folder, 0);
    }
    cs_buf_fini(&folder->ahead);
    cs_buf_fini(&folder->ahead_due);
}
