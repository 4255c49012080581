/* folder_serve.c - what peers ask for: read by workers, one request of a peer at a time, no
 * faster than the link takes it. Each request is answered: a peer that waits for an answer asks
 * us for less. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

static void answer_none(cs_folder_t *folder, cs_peer_t peer, uint32_t xid, cs_slice_t names)
{
    if (names.len == 0) return;
    cs_msg_t msg = {.type = CS_MSG_CNONE, .xid = xid};
    msg.u.cnone.packed = names;
    cs_folder_send(folder, peer, &msg, NULL);
}

static void refuse(cs_folder_t *folder, cs_peer_t peer, const cs_msg_t *msg)
{
    if (msg->type == CS_MSG_CWANT) {
        answer_none(folder, peer, msg->xid, msg->u.cwant.contents);
        answer_none(folder, peer, msg->xid, msg->u.cwant.chunks);
    } else if (msg->type == CS_MSG_NWANT) {
        answer_none(folder, peer, msg->xid, msg->u.nwant.packed);
    } else {
        answer_none(folder, peer, msg->xid, cs_slice(msg->u.map.content, CS_HASH_BYTES));
    }
}

static cs_name_t *copy_names(cs_slice_t packed, size_t *ret_count)
{
    size_t count = packed.len / sizeof(cs_name_t);
    *ret_count = count;
    return count == 0 ? NULL : cs_memdup(packed.data, count * sizeof(cs_name_t));
}

cs_content_t cs_folder_file(const uint8_t *hash, uint64_t size)
{
    cs_content_t ret = {.kind = CS_KIND_FILE, .size = size};
    memcpy(ret.hash, hash, sizeof ret.hash);
    return ret;
}

/* Where the chunks are in a file that may be here in part. */
static void read_places(cs_job_serve_t *serve, const cs_msg_cwant_t *cwant)
{
    if (cwant->places.len == 0) return;
    serve->content = cs_folder_file(cwant->content, cwant->size);
    serve->offsets = cs_calloc(serve->name_count, sizeof *serve->offsets);
    serve->lens = cs_calloc(serve->name_count, sizeof *serve->lens);
    cs_reader_t reader = cs_reader(cwant->places);
    for (size_t i = 0; i < serve->name_count; i++) {
        serve->offsets[i] = cs_read_u64(&reader);
        serve->lens[i] = cs_read_u32(&reader);
    }
}

void cs_folder_ask(cs_folder_t *folder, const cs_peer_entry_t *peer, const cs_msg_t *msg)
{
    if (folder->config.paused || folder->err != CS_OK) {
        refuse(folder, peer->id, msg); /* it asks another, or later */
        return;
    }
    size_t waiting = 0;
    for (size_t i = 0; i < folder->serve_count; i++) {
        waiting += folder->serve[i].peer == peer->id;
    }
    if (waiting >= CS_SERVE_QUEUE_MAX) {
        cs_folder_drop(folder, peer->id, "asks for more than it may have outstanding");
        return;
    }
    cs_job_t *job = cs_folder_job(folder, CS_JOB_SERVE);
    cs_job_serve_t *serve = &job->u.serve;
    serve->peer = peer->id;
    serve->xid = msg->xid;
    serve->type = (uint8_t)msg->type;
    if (msg->type == CS_MSG_CWANT) {
        serve->contents = copy_names(msg->u.cwant.contents, &serve->content_count);
        serve->names = copy_names(msg->u.cwant.chunks, &serve->name_count);
        serve->packs = msg->u.cwant.packs;
        read_places(serve, &msg->u.cwant);
    } else if (msg->type == CS_MSG_NWANT) {
        serve->names = copy_names(msg->u.nwant.packed, &serve->name_count);
    } else {
        serve->content = cs_folder_file(msg->u.map.content, msg->u.map.size);
    }
    if (folder->serve_count == folder->serve_cap) {
        folder->serve_cap = cs_grow(folder->serve_cap, folder->serve_count + 1);
        folder->serve =
            cs_realloc_array(folder->serve, folder->serve_cap, sizeof *folder->serve);
    }
    folder->serve[folder->serve_count++] =
        (cs_serve_wait_t){.peer = peer->id, .job = job, .told_ms = folder->now_ms};
}

static bool is_served(const cs_folder_t *folder, cs_peer_t peer)
{
    for (size_t i = 0; i < folder->serving_count; i++) {
        if (folder->serving[i] == peer) return true;
    }
    return false;
}

static bool is_limited(const cs_serve_wait_t *wait)
{
    return wait->job->u.serve.type == CS_MSG_CWANT;
}

/* An empty CHUNK: the answer waits for a limit of ours, and the node is not silent. */
static void tell_waiting(cs_folder_t *folder, cs_serve_wait_t *wait)
{
    if (folder->now_ms < wait->told_ms + CS_SERVE_PATIENCE_MS) return;
    wait->told_ms = folder->now_ms;
    cs_msg_t msg = {.type = CS_MSG_CHUNK, .xid = wait->job->u.serve.xid};
    cs_folder_send(folder, wait->peer, &msg, NULL);
}

/* True: the limits let it begin. */
static bool is_within_limits(cs_folder_t *folder, cs_serve_wait_t *wait, cs_peer_entry_t *peer)
{
    if (!is_limited(wait) || cs__node_may(folder->node, peer, CS_UP)) return true;
    tell_waiting(folder, wait);
    return false;
}

uint64_t cs_folder_serve_due(cs_folder_t *folder)
{
    uint64_t due = UINT64_MAX;
    if (!cs__node_limits(folder->node, CS_UP)) return due;
    for (size_t i = 0; i < folder->serve_count; i++) {
        const cs_serve_wait_t *wait = &folder->serve[i];
        const cs_peer_entry_t *peer = cs_folder_peer(folder, wait->peer);
        if (peer == NULL || !is_limited(wait)) continue;
        uint64_t may = cs__node_due(folder->node, peer, CS_UP);
        uint64_t tell = wait->told_ms + CS_SERVE_PATIENCE_MS;
        if (may <= folder->now_ms) continue; /* it waits for something else */
        if (may < due) due = may;
        if (tell < due) due = tell;
    }
    return due;
}

void cs_folder_pump_serve(cs_folder_t *folder)
{
    if (folder->node->stopping) return;
    size_t kept = 0;
    for (size_t i = 0; i < folder->serve_count; i++) {
        cs_serve_wait_t *wait = &folder->serve[i];
        cs_peer_entry_t *peer = cs_folder_peer(folder, wait->peer);
        bool ready = peer != NULL && cs__node_has_room(folder->node, peer) &&
                     !is_served(folder, wait->peer) && is_within_limits(folder, wait, peer);
        if (!ready) {
            folder->serve[kept++] = *wait;
            continue;
        }
        if (folder->serving_count == folder->serving_cap) {
            folder->serving_cap = cs_grow(folder->serving_cap, folder->serving_count + 1);
            folder->serving =
                cs_realloc_array(folder->serving, folder->serving_cap, sizeof *folder->serving);
        }
        folder->serving[folder->serving_count++] = wait->peer;
        wait->job->u.serve.began = folder->durable;
        cs_folder_start(folder, &wait->job);
    }
    folder->serve_count = kept;
}

void cs_folder_serve_down(cs_folder_t *folder, cs_peer_t peer)
{
    size_t kept = 0;
    for (size_t i = 0; i < folder->serve_count; i++) {
        if (folder->serve[i].peer == peer) {
            cs_job_destroy(&folder->serve[i].job);
        } else {
            folder->serve[kept++] = folder->serve[i];
        }
    }
    folder->serve_count = kept;
}

static cs_slice_t packed(const cs_name_t *names, size_t count)
{
    return cs_slice(names, count * sizeof *names);
}

static void answer_nothing(cs_folder_t *folder, const cs_job_serve_t *serve)
{
    cs_peer_t peer = serve->peer;
    cs_slice_t contents = packed(serve->contents, serve->content_count);
    if (serve->type == CS_MSG_MAP) {
        contents = cs_slice(serve->content.hash, sizeof serve->content.hash);
    }
    answer_none(folder, peer, serve->xid, contents);
    answer_none(folder, peer, serve->xid, packed(serve->names, serve->name_count));
    cs_folder_asked_in_vain(folder, peer, contents, serve->began);
}

static void answer_map(cs_folder_t *folder, const cs_job_serve_t *serve)
{
    cs_content_map_t map = serve->map;
    bool partial = !serve->map_found;
    if (partial && !cs_fetch_partial_map(folder->fetch, &serve->content, &map)) {
        answer_nothing(folder, serve);
        return;
    }
    cs_msg_t msg = {.type = CS_MSG_MAP, .xid = serve->xid};
    msg.u.map = (cs_msg_map_t){.content = serve->content.hash,
                               .size = map.size,
                               .answer = true,
                               .root = map.root.b,
                               .depth = map.depth,
                               .zeros = map.zeros,
                               .partial = partial};
    cs_folder_send(folder, serve->peer, &msg, NULL);
    cs_slice_t name = cs_slice(serve->content.hash, sizeof serve->content.hash);
    if (partial) cs_folder_asked_in_vain(folder, serve->peer, name, serve->began);
}

static void answer_parts(cs_folder_t *folder, cs_job_serve_t *serve)
{
    cs_peer_entry_t *peer = cs_folder_peer(folder, serve->peer);
    for (size_t i = 0; i < serve->payload_count; i++) {
        cs_payload_t *payload = &serve->payloads[i];
        cs_msg_t msg = {.xid = serve->xid};
        cs__node_spend(folder->node, peer, CS_UP, payload->bytes.len);
        if (serve->type == CS_MSG_CWANT) {
            msg.type = CS_MSG_CHUNK;
            msg.u.chunk.unpacked = payload->unpacked;
            cs_folder_send(folder, serve->peer, &msg, &payload->bytes);
        } else {
            msg.type = CS_MSG_NODE;
            msg.u.node.packed = cs_buf_slice(&payload->bytes);
            cs_folder_send(folder, serve->peer, &msg, NULL);
        }
    }
    cs_slice_t missing = packed(serve->missing, serve->missing_count);
    answer_none(folder, serve->peer, serve->xid, missing);
    if (serve->type == CS_MSG_CWANT && serve->name_count == 0) {
        cs_folder_asked_in_vain(folder, serve->peer, missing, serve->began);
    }
}

void cs_folder_serve_refuse(cs_folder_t *folder)
{
    for (size_t i = 0; i < folder->serve_count; i++) {
        answer_nothing(folder, &folder->serve[i].job->u.serve);
        cs_job_destroy(&folder->serve[i].job);
    }
    folder->serve_count = 0;
}

void cs_folder_served(cs_folder_t *folder, cs_job_t *job)
{
    cs_job_serve_t *serve = &job->u.serve;
    for (size_t i = 0; i < folder->serving_count; i++) {
        if (folder->serving[i] != serve->peer) continue;
        folder->serving[i] = folder->serving[--folder->serving_count];
        break;
    }
    if (serve->type == CS_MSG_MAP) {
        answer_map(folder, serve);
    } else if (job->err != CS_OK) { /* the folder could not be opened */
        answer_nothing(folder, serve);
    } else {
        answer_parts(folder, serve);
    }
}
