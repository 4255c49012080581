/* folder_content.c - the fetch machine's orders become messages and jobs, answers go back into
 * it. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"
#include "xfer/pack.h"

static void pack_names(cs_buf_t *packed, const cs_fetch_action_t *action)
{
    for (size_t i = 0; i < action->count; i++) {
        cs_buf_put(packed, action->names[i].b, sizeof action->names[i].b);
    }
}

static void pack_places(cs_buf_t *packed, const cs_fetch_action_t *action)
{
    for (size_t i = 0; action->offsets != NULL && i < action->count; i++) {
        cs_buf_put_u64(packed, action->offsets[i]);
        cs_buf_put_u32(packed, action->lens[i]);
    }
}

static void ask_parts(cs_folder_t *folder, const cs_fetch_action_t *action)
{
    cs_msg_t msg = {.type = CS_MSG_PARTS};
    msg.u.parts = (cs_msg_parts_t){.content = action->content.hash,
                                   .size = action->content.size,
                                   .from = action->offset,
                                   .count = (uint32_t)action->count};
    cs_folder_send(folder, action->peer, &msg, NULL);
}

static void ask(cs_folder_t *folder, const cs_fetch_action_t *action)
{
    cs_buf_t packed = {0}, places = {0};
    cs_msg_t msg = {0};
    pack_names(&packed, action);
    if (action->kind == CS_FETCH_ASK_MAP) {
        msg.type = CS_MSG_MAP;
        msg.u.map.content = action->content.hash;
        msg.u.map.size = action->content.size;
    } else if (action->kind == CS_FETCH_ASK_NODES) {
        msg.type = CS_MSG_NWANT;
        msg.u.nwant.packed = cs_buf_slice(&packed);
    } else if (action->kind == CS_FETCH_ASK_SMALL) {
        msg.type = CS_MSG_CWANT;
        msg.u.cwant.contents = cs_buf_slice(&packed);
    } else {
        msg.type = CS_MSG_CWANT;
        msg.u.cwant.chunks = cs_buf_slice(&packed);
        msg.u.cwant.content = action->content.hash;
        msg.u.cwant.size = action->content.size;
        pack_places(&places, action);
        msg.u.cwant.places = cs_buf_slice(&places);
    }
    if (msg.type == CS_MSG_CWANT) msg.u.cwant.packs = true;
    cs_folder_send(folder, action->peer, &msg, NULL);
    cs_buf_fini(&packed);
    cs_buf_fini(&places);
}

/* Contents of one message are written by one job. */
static void stage(cs_folder_t *folder, const cs_fetch_action_t *action)
{
    if (folder->stage_job == NULL) folder->stage_job = cs_folder_job(folder, CS_JOB_STAGE);
    cs_job_t *job = folder->stage_job;
    if (job->u.stage.len == job->u.stage.cap) {
        job->u.stage.cap = cs_grow(job->u.stage.cap, job->u.stage.len + 1);
        job->u.stage.item =
            cs_realloc_array(job->u.stage.item, job->u.stage.cap, sizeof *job->u.stage.item);
    }
    cs_job_item_t *item = &job->u.stage.item[job->u.stage.len++];
    *item = (cs_job_item_t){
        .ticket = action->ticket,
        .content = action->content,
        .bytes = action->bytes,
        .blob = cs_blob_ref(folder->blob),
    };
    item->is_awaited = cs_folder_dress(folder, &action->content, &item->dress);
}

static void order_part(cs_folder_t *folder, const cs_fetch_action_t *action)
{
    cs_job_t *job = cs_folder_job(folder, CS_JOB_PART);
    cs_job_part_t *part = &job->u.part;
    part->what = action->kind;
    part->ticket = action->ticket;
    part->content = action->content;
    part->need = action->size;
    part->offset = action->offset;
    part->bytes = action->bytes;
    part->proved = action->proved;
    if (action->kind == CS_FETCH_WRITE) part->blob = cs_blob_ref(folder->blob);
    part->name_count = action->count;
    if (action->count > 0) {
        part->names = cs_memdup(action->names, action->count * sizeof *action->names);
        part->offsets = cs_memdup(action->offsets, action->count * sizeof *action->offsets);
        part->lens = cs_memdup(action->lens, action->count * sizeof *action->lens);
    }
    cs_folder_start(folder, &job);
}

cs_rows_view_t cs_folder_rows(const cs_folder_t *folder)
{
    return (cs_rows_view_t){.store = folder->node->config.store,
                            .folder = folder->config.number};
}

cs_err_t cs_folder_read_node(void *arg, const cs_name_t *name, cs_buf_t *ret)
{
    cs_rows_view_t view = cs_folder_rows(arg);
    return cs_rows_node(&view, name, ret);
}

void cs_folder_keep_row(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_folder_t *folder = arg;
    cs_batch_put(&folder->rows, key, value);
}

/* Of whom nothing may be asked now, because of limits. */
static void hold(cs_folder_t *folder)
{
    cs_node_t *node = folder->node;
    bool limited = cs__node_limits(node, CS_DOWN);
    if (!limited && !folder->holds) return;
    folder->holds = limited;
    for (size_t i = 0; i < node->peers.len; i++) {
        cs_peer_entry_t *peer = &node->peers.item[i];
        cs_fetch_hold(folder->fetch, peer->id, !cs__node_may(node, peer, CS_DOWN));
    }
}

static void spend(cs_folder_t *folder, const cs_fetch_action_t *action)
{
    cs__node_spend(folder->node, cs_folder_peer(folder, action->peer), CS_DOWN, action->size);
    hold(folder);
}

uint64_t cs_folder_fetch_due(cs_folder_t *folder)
{
    uint64_t due = UINT64_MAX;
    const cs_node_t *node = folder->node;
    if (!cs__node_limits(node, CS_DOWN)) return due;
    for (size_t i = 0; i < node->peers.len; i++) {
        uint64_t may = cs__node_due(node, &node->peers.item[i], CS_DOWN);
        if (may > folder->now_ms && may < due) due = may;
    }
    return due;
}

static bool may_fetch(const cs_folder_t *folder)
{
    return !folder->config.paused && !folder->node->stopping && folder->err == CS_OK;
}

void cs_folder_pump_fetch(cs_folder_t *folder)
{
    if (!may_fetch(folder)) return;
    hold(folder);
    cs_fetch_action_t action;
    while (cs_fetch_next(folder->fetch, folder->now_ms, &action)) {
        switch (action.kind) {
        case CS_FETCH_ASK_SMALL:
        case CS_FETCH_ASK_MAP:
        case CS_FETCH_ASK_NODES:
        case CS_FETCH_ASK_CHUNKS:
            ask(folder, &action);
            spend(folder, &action);
            break;
        case CS_FETCH_ASK_PARTS:
            ask_parts(folder, &action);
            break;
        case CS_FETCH_TELL:
            cs_folder_came_in_part(folder, &action.content);
            break;
        case CS_FETCH_STAGE:
            stage(folder, &action);
            break;
        case CS_FETCH_OPEN:
        case CS_FETCH_LOCAL:
        case CS_FETCH_WRITE:
        case CS_FETCH_FINISH:
        case CS_FETCH_DISCARD:
            order_part(folder, &action);
            break;
        }
    }
}

/* Records that came packed: the orders to write them share the blob. NULL: malformed. */
static cs_blob_t *unpack(const cs_msg_t *msg)
{
    cs_buf_t bytes = {0};
    cs_err_t err = cs_unpack(msg->payload, msg->u.chunk.unpacked, &bytes);
    if (err == CS_OK) return cs_blob_new(&bytes);
    cs_buf_fini(&bytes);
    return NULL;
}

static cs_err_t on_records(cs_folder_t *folder, cs_peer_t peer, cs_slice_t rest, bool ahead)
{
    const uint8_t *name;
    cs_slice_t bytes;
    while (cs_chunk_next(&rest, &name, &bytes)) {
        cs_name_t id;
        memcpy(id.b, name, sizeof id.b);
        cs_err_t err = ahead ? cs_fetch_offer(folder->fetch, &id, bytes)
                             : cs_fetch_on_data(folder->fetch, peer, &id, bytes);
        if (err != CS_OK) return err;
        cs_folder_pump_fetch(
            folder); /* orders about these bytes, while the payload is at hand */
    }
    return rest.len == 0 ? CS_OK : CS_ERR_MALFORMED;
}

static cs_err_t take_records(cs_folder_t *folder, cs_peer_t peer, cs_blob_t *blob, bool ahead)
{
    folder->blob = blob;
    cs_err_t err = on_records(folder, peer, blob->bytes, ahead);
    folder->blob = NULL;
    if (folder->stage_job != NULL) cs_folder_start(folder, &folder->stage_job);
    return err;
}

/* Before the first scan nothing is staged: it removes what is left in .crdtsync/tmp. */
static cs_err_t on_ahead(cs_folder_t *folder, cs_peer_t peer, const cs_msg_t *msg,
                         cs_blob_t *blob)
{
    bool may = folder->scanned_once && !folder->held && may_fetch(folder);
    bool fits = blob != NULL && msg->u.chunk.unpacked == 0 &&
                msg->payload.len <= CS_AHEAD_BYTES_MAX; /* else it can be asked for */
    if (!may || !fits) return CS_OK;
    cs__node_spend(folder->node, cs_folder_peer(folder, peer), CS_DOWN, msg->payload.len);
    cs_folder_ahead_came(folder);
    return take_records(folder, peer, blob, true);
}

static cs_err_t on_chunk(cs_folder_t *folder, cs_peer_t peer, const cs_msg_t *msg,
                         cs_blob_t *blob)
{
    if (msg->flags & CS_FLAG_AHEAD) return on_ahead(folder, peer, msg, blob);
    if (msg->payload.len == 0) cs_fetch_heard(folder->fetch, peer);
    if (msg->u.chunk.unpacked == 0) {
        return blob == NULL ? CS_OK : take_records(folder, peer, blob, false);
    }
    cs_blob_t *unpacked = unpack(msg);
    if (unpacked == NULL) return CS_ERR_MALFORMED;
    cs_err_t err = take_records(folder, peer, unpacked, false);
    cs_blob_unref(&unpacked);
    return err;
}

static cs_err_t on_nodes(cs_folder_t *folder, cs_peer_t peer, cs_slice_t rest)
{
    cs_slice_t node;
    while (cs_packed_next(&rest, &node)) {
        cs_err_t err = cs_fetch_on_node(folder->fetch, peer, node);
        if (err != CS_OK) return err;
        cs_folder_pump_fetch(folder);
    }
    return CS_OK;
}

static cs_err_t on_map(cs_folder_t *folder, cs_peer_t peer, const cs_msg_map_t *map)
{
    cs_content_map_t told = {.size = map->size, .depth = map->depth, .zeros = map->zeros};
    memcpy(told.root.b, map->root, sizeof told.root.b);
    return cs_fetch_on_map(folder->fetch, peer, map->content, &told, map->partial);
}

static void on_parts(cs_folder_t *folder, cs_peer_t peer, const cs_msg_parts_t *parts)
{
    cs_content_t content = cs_folder_file(parts->content, parts->size);
    if (parts->answer) {
        cs_fetch_on_parts(folder->fetch, peer, &content, parts->from, parts->bits,
                          parts->coming);
        return;
    }
    uint8_t bits[CS_PARTS_BYTES], coming[CS_PARTS_BYTES];
    size_t len =
        cs_fetch_parts(folder->fetch, &content, parts->from, parts->count, bits, coming);
    cs_msg_t msg = {.type = CS_MSG_PARTS};
    msg.u.parts = *parts;
    msg.u.parts.answer = true;
    msg.u.parts.bits = cs_slice(bits, len);
    msg.u.parts.coming = cs_slice(coming, len);
    if (len > 0) cs_folder_send(folder, peer, &msg, NULL);
}

/* CNONE, CHAVE. */
static void on_names(cs_folder_t *folder, cs_peer_t peer, cs_slice_t rest,
                     void (*each)(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name))
{
    const uint8_t *name;
    while (cs_name_next(&rest, &name)) {
        cs_name_t id;
        memcpy(id.b, name, sizeof id.b);
        each(folder->fetch, peer, &id);
    }
}

void cs_folder_content_message(cs_folder_t *folder, const cs_peer_entry_t *peer,
                               const cs_msg_t *msg, cs_blob_t *blob)
{
    cs_err_t err = CS_OK;
    cs_peer_t id = peer->id;
    bool asks = msg->type == CS_MSG_NWANT || msg->type == CS_MSG_CWANT ||
                (msg->type == CS_MSG_MAP && !msg->u.map.answer);
    if (asks) {
        cs_folder_ask(folder, peer, msg);
    } else if (folder->config.paused) {
        return; /* forgotten with its request */
    } else if (msg->type == CS_MSG_CHUNK) {
        err = on_chunk(folder, id, msg, blob);
    } else if (msg->type == CS_MSG_NODE) {
        err = on_nodes(folder, id, msg->u.node.packed);
    } else if (msg->type == CS_MSG_MAP) {
        err = on_map(folder, id, &msg->u.map);
    } else if (msg->type == CS_MSG_PARTS) {
        on_parts(folder, id, &msg->u.parts);
    } else if (msg->type == CS_MSG_CHAVE) {
        on_names(folder, id, msg->u.chave.packed, cs_fetch_on_have);
    } else {
        on_names(folder, id, msg->u.cnone.packed, cs_fetch_on_none);
    }
    if (err != CS_OK) cs_folder_drop(folder, id, cs_err_text(err));
}

void cs_folder_staged(cs_folder_t *folder, cs_job_t *job)
{
    for (size_t i = 0; i < job->u.stage.len; i++) {
        cs_job_item_t *item = &job->u.stage.item[i];
        cs_err_t err = job->err != CS_OK ? job->err : item->err;
        cs_fetch_done(folder->fetch, item->ticket, &(cs_fetch_result_t){.err = err});
        if (err == CS_OK) cs_folder_content_staged(folder, &item->content);
        if (err != CS_OK) {
            cs_slice_t path = cs_folder_awaiting(folder, &item->content);
            cs_folder_failed(folder, "stage.failed", path, err);
        }
    }
}

void cs_folder_part_done(cs_folder_t *folder, cs_job_t *job)
{
    cs_job_part_t *part = &job->u.part;
    cs_fetch_result_t result = {
        .err = job->err,
        .has_bytes = part->has_bytes,
        .found = part->offsets,
        .found_count = part->found_count,
    };
    cs_fetch_done(folder->fetch, part->ticket, &result);
    if (part->what == CS_FETCH_FINISH && job->err == CS_OK) {
        cs_folder_content_staged(folder, &part->content);
    }
    if (job->err != CS_OK) {
        cs_slice_t path = cs_folder_awaiting(folder, &part->content);
        cs_folder_failed(folder, "part.failed", path, job->err);
    }
}
