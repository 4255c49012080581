/* decode.c - received bytes -> cs_msg_t, everything checked. */
#include <string.h>

#include "proto/arena.h"
#include "proto/crdtsync.pb-c.h"
#include "proto/decode_i.h"
#include "proto/types.h"

/* What unpacking may take: structures and copies of the fields, eight times the wire at most in
 * any honest message, and something for small ones. */
#define ARENA_BYTES(wire) (8 * (wire) + (64u << 10))

static void *alloc_arena(void *arena, size_t bytes)
{
    return cs_arena_alloc(arena, bytes);
}

static void free_arena(void *arena, void *memory)
{
    (void)arena;
    (void)memory;
}

/* --- fields */

cs_slice_t cs__slice_of(ProtobufCBinaryData field)
{
    return cs_slice(field.data, field.len);
}

cs_err_t cs__take_fixed(ProtobufCBinaryData field, size_t len, const uint8_t **ret)
{
    if (field.len != len) return CS_ERR_MALFORMED;
    *ret = field.data;
    return CS_OK;
}

cs_err_t cs__take_records(ProtobufCBinaryData field, size_t len, cs_slice_t *ret)
{
    if (field.len % len != 0) return CS_ERR_MALFORMED;
    *ret = cs__slice_of(field);
    return CS_OK;
}

static cs_err_t take_text(const char *field, size_t max, cs_slice_t *ret)
{
    *ret = cs_slice_text(field);
    return ret->len <= max ? CS_OK : CS_ERR_LIMIT;
}

static cs_err_t take_texts(cs_arena_t *arena, char *const *fields, size_t count,
                           cs_texts_t *ret)
{
    if (count > CS_ENDPOINTS_MAX) return CS_ERR_LIMIT;
    cs_slice_t *items = cs_arena_alloc(arena, count * sizeof *items);
    if (items == NULL) return CS_ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        cs_err_t err = take_text(fields[i], CS_ENDPOINT_BYTES_MAX, &items[i]);
        if (err != CS_OK) return err;
    }
    *ret = (cs_texts_t){.items = items, .count = count};
    return CS_OK;
}

static cs_err_t take_members(cs_arena_t *arena, Crdtsync__Member *const *fields, size_t count,
                             cs_msg_members_t *ret)
{
    if (count > CS_MEMBERS_MAX) return CS_ERR_LIMIT;
    cs_msg_member_t *items = cs_arena_alloc(arena, count * sizeof *items);
    if (items == NULL) return CS_ERR_LIMIT;
    for (size_t i = 0; i < count; i++) {
        const Crdtsync__Member *field = fields[i];
        items[i] = (cs_msg_member_t){.rid = field->rid};
        cs_err_t err = cs__take_fixed(field->key, CS_KEY_BYTES, &items[i].key);
        if (err == CS_OK) err = take_text(field->name, CS_MEMBER_NAME_MAX, &items[i].name);
        if (err == CS_OK) {
            err = take_texts(arena, field->endpoints, field->n_endpoints, &items[i].endpoints);
        }
        if (err != CS_OK) return err;
    }
    *ret = (cs_msg_members_t){.items = items, .count = count};
    return CS_OK;
}

static cs_err_t take_snap(const Crdtsync__Snap *field, cs_msg_snap_t *ret)
{
    if (field == NULL) return CS_OK;
    *ret = (cs_msg_snap_t){.present = true, .n = field->n, .seen = cs__slice_of(field->seen)};
    return cs__take_fixed(field->root, CS_HASH_BYTES, &ret->root);
}

cs_err_t cs__take_packed(ProtobufCBinaryData field, size_t record_max, uint32_t *ret_count,
                         cs_slice_t *ret)
{
    cs_slice_t rest = cs__slice_of(field), record;
    uint32_t count = 0;
    while (cs_packed_next(&rest, &record)) {
        if (record.len > record_max) return CS_ERR_LIMIT;
        count++;
    }
    if (rest.len != 0) return CS_ERR_MALFORMED;
    *ret_count = count;
    *ret = cs__slice_of(field);
    return CS_OK;
}

static cs_err_t take_entries(uint32_t count, ProtobufCBinaryData field, cs_msg_entries_t *ret)
{
    cs_err_t err = cs__take_packed(field, CS_ENTRY_BYTES_MAX, &ret->count, &ret->packed);
    if (err != CS_OK) return err;
    return ret->count == count ? CS_OK : CS_ERR_MALFORMED;
}

/* --- bodies; `body` is what the type table names */

static cs_err_t take_error(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Error *m = body;
    ret->u.error = (cs_msg_error_t){.code = m->code, .text = cs_slice_text(m->text)};
    return CS_OK;
}

static cs_err_t take_hello(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Hello *m = body;
    cs_msg_hello_t *to = &ret->u.hello;
    *to = (cs_msg_hello_t){.rid = m->rid,
                           .nonce = m->nonce,
                           .caps = m->caps,
                           .seen = cs__slice_of(m->seen),
                           .heard = cs__slice_of(m->heard),
                           .answer = m->answer};
    if (m->rid == 0) return CS_ERR_MALFORMED;
    cs_err_t err = cs__take_fixed(m->members_hash, CS_HASH_BYTES, &to->members_hash);
    if (err != CS_OK) return err;
    return take_members(ret->arena, m->members, m->n_members, &to->members);
}

static cs_err_t take_have(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Have *m = body;
    cs_msg_have_t *to = &ret->u.have;
    if (m->n_reports > CS_REPORTS_MAX) return CS_ERR_LIMIT;
    cs_msg_report_t *reports = cs_arena_alloc(ret->arena, m->n_reports * sizeof *reports);
    if (reports == NULL) return CS_ERR_LIMIT;
    *to = (cs_msg_have_t){.n = m->n,
                          .delta = cs__slice_of(m->delta),
                          .applied = m->applied,
                          .stamp = m->stamp,
                          .taken = m->taken,
                          .reports = reports,
                          .report_count = m->n_reports};
    cs_err_t err = cs__take_fixed(m->root, CS_HASH_BYTES, &to->root);
    if (err == CS_OK) err = cs__take_fixed(m->seen_hash, CS_DIGEST_BYTES, &to->seen_hash);
    for (size_t i = 0; err == CS_OK && i < m->n_reports; i++) {
        const Crdtsync__Report *r = m->reports[i];
        reports[i] = (cs_msg_report_t){.stamp = r->stamp, .n = r->n, .applied = r->applied};
        err = cs__take_fixed(r->key, CS_KEY_BYTES, &reports[i].key);
        if (err == CS_OK) err = cs__take_fixed(r->root, CS_HASH_BYTES, &reports[i].root);
    }
    return err;
}

static cs_err_t take_entries_body(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Entries *m = body;
    cs_msg_entries_body_t *to = &ret->u.entries;
    *to = (cs_msg_entries_body_t){.hops = m->hops, .last = m->last};
    cs_err_t err = take_entries(m->count, m->entries, &to->entries);
    return err == CS_OK ? take_snap(m->snap, &to->snap) : err;
}

static cs_err_t take_recon_req(const void *body, cs_msg_t *ret)
{
    const Crdtsync__ReconReq *m = body;
    ret->u.recon_req = (cs_msg_recon_req_t){
        .method = m->method, .part_bits = m->part_bits, .part_index = m->part_index};
    if (m->snap == NULL && ret->seq <= 1) return CS_ERR_MALFORMED;
    return take_snap(m->snap, &ret->u.recon_req.snap);
}

static cs_err_t take_syms(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Syms *m = body;
    ret->u.syms =
        (cs_msg_syms_t){.start = m->start, .n = m->n, .symbols = cs__slice_of(m->symbols)};
    return take_snap(m->snap, &ret->u.syms.snap);
}

static cs_err_t take_credit(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Credit *m = body;
    ret->u.credit = (cs_msg_credit_t){.up_to = m->up_to, .stop = m->stop};
    return CS_OK;
}

static cs_err_t take_digests(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Packed *m = body;
    return cs__take_records(m->packed, CS_DIGEST_BYTES, &ret->u.want.packed);
}

static cs_err_t take_list_req(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Packed *m = body;
    if (m->packed.len > CS_DIGEST_BYTES) return CS_ERR_MALFORMED;
    return cs__take_records(m->packed, CS_DIGEST_BYTES, &ret->u.list_req.packed);
}

static cs_err_t take_names(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Packed *m = body;
    return cs__take_records(m->packed, CS_NAME_BYTES, &ret->u.nwant.packed);
}

static cs_err_t take_push(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Push *m = body;
    return take_entries(m->count, m->entries, &ret->u.push);
}

static cs_err_t take_fin(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Fin *m = body;
    ret->u.fin = (cs_msg_fin_t){.status = m->status};
    return CS_OK;
}

static cs_err_t take_list(const void *body, cs_msg_t *ret)
{
    const Crdtsync__List *m = body;
    cs_msg_list_t *to = &ret->u.list;
    *to = (cs_msg_list_t){.last = m->last};
    cs_err_t err = cs__take_records(m->digests, CS_DIGEST_BYTES, &to->digests);
    return err == CS_OK ? take_snap(m->snap, &to->snap) : err;
}

static cs_err_t take_pex(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Pex *m = body;
    if (m->n_items > CS_PEX_MAX) return CS_ERR_LIMIT;
    cs_msg_pex_item_t *items = cs_arena_alloc(ret->arena, m->n_items * sizeof *items);
    if (items == NULL) return CS_ERR_LIMIT;
    for (size_t i = 0; i < m->n_items; i++) {
        const Crdtsync__PexItem *field = m->items[i];
        items[i] = (cs_msg_pex_item_t){.age_s = field->age_s};
        cs_err_t err = cs__take_fixed(field->key, CS_KEY_BYTES, &items[i].key);
        if (err == CS_OK) {
            err = take_texts(ret->arena, field->endpoints, field->n_endpoints,
                             &items[i].endpoints);
        }
        if (err != CS_OK) return err;
    }
    ret->u.pex = (cs_msg_pex_t){.items = items, .count = m->n_items};
    return CS_OK;
}

static cs_err_t take_standings(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Standings *m = body;
    if (m->n_items > CS_STANDINGS_MAX) return CS_ERR_LIMIT;
    cs_msg_standing_t *items = cs_arena_alloc(ret->arena, m->n_items * sizeof *items);
    if (items == NULL) return CS_ERR_LIMIT;
    for (size_t i = 0; i < m->n_items; i++) {
        const Crdtsync__Standing *field = m->items[i];
        cs_msg_standing_t *to = &items[i];
        *to = (cs_msg_standing_t){.version = field->version, .out = field->out};
        cs_err_t err = cs__take_fixed(field->key, CS_KEY_BYTES, &to->key);
        if (err == CS_OK) err = cs__take_fixed(field->signer, CS_KEY_BYTES, &to->signer);
        if (err == CS_OK) {
            err = cs__take_fixed(field->signature, CS_SIGNATURE_BYTES, &to->signature);
        }
        if (err == CS_OK && to->version == 0) err = CS_ERR_MALFORMED;
        if (err != CS_OK) return err;
    }
    ret->u.standings = (cs_msg_standings_t){.items = items, .count = m->n_items};
    return CS_OK;
}

static cs_err_t take_marks(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Marks *m = body;
    if (m->n_items > CS_MARKS_MAX) return CS_ERR_LIMIT;
    cs_msg_mark_t *items = cs_arena_alloc(ret->arena, m->n_items * sizeof *items);
    if (items == NULL) return CS_ERR_LIMIT;
    for (size_t i = 0; i < m->n_items; i++) {
        const Crdtsync__Mark *field = m->items[i];
        cs_msg_mark_t *to = &items[i];
        *to = (cs_msg_mark_t){.nonce = field->nonce, .ctr = field->ctr};
        cs_err_t err = cs__take_fixed(field->signer, CS_KEY_BYTES, &to->signer);
        if (err == CS_OK) {
            err = cs__take_fixed(field->signature, CS_SIGNATURE_BYTES, &to->signature);
        }
        if (err == CS_OK && to->ctr == 0) err = CS_ERR_MALFORMED;
        if (err != CS_OK) return err;
    }
    ret->u.marks = (cs_msg_marks_t){.items = items, .count = m->n_items};
    return CS_OK;
}

static cs_err_t take_join(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Join *m = body;
    cs_msg_join_t *to = &ret->u.join;
    cs_err_t err = cs__take_fixed(m->key, CS_KEY_BYTES, &to->key);
    if (err == CS_OK) err = take_text(m->name, CS_MEMBER_NAME_MAX, &to->name);
    if (err != CS_OK) return err;
    return take_texts(ret->arena, m->endpoints, m->n_endpoints, &to->endpoints);
}

static cs_err_t take_welcome(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Welcome *m = body;
    cs_msg_welcome_t *to = &ret->u.welcome;
    *to = (cs_msg_welcome_t){
        .folder_id = cs__slice_of(m->folder_id), .modes = m->modes, .flags = m->flags};
    if (m->folder_id.len == 0) return CS_ERR_MALFORMED;
    if (m->folder_id.len > CS_FOLDER_ID_MAX) return CS_ERR_LIMIT;
    cs_err_t err = cs__take_fixed(m->secret, CS_SECRET_BYTES, &to->secret);
    if (err == CS_OK) err = take_text(m->folder_name, CS_NAME_MAX, &to->folder_name);
    if (err == CS_OK) err = take_members(ret->arena, m->members, m->n_members, &to->members);
    if (err != CS_OK) return err;
    return take_texts(ret->arena, m->endpoints, m->n_endpoints, &to->endpoints);
}

static cs_err_t (*const takers[CS_MSG_TYPE_END])(const void *body, cs_msg_t *ret) = {
    [CS_MSG_ERROR] = take_error,
    [CS_MSG_HELLO] = take_hello,
    [CS_MSG_HAVE] = take_have,
    [CS_MSG_ENTRIES] = take_entries_body,
    [CS_MSG_RECON_REQ] = take_recon_req,
    [CS_MSG_SYMS] = take_syms,
    [CS_MSG_CREDIT] = take_credit,
    [CS_MSG_WANT] = take_digests,
    [CS_MSG_PUSH] = take_push,
    [CS_MSG_PUSH_REPLY] = take_push,
    [CS_MSG_GONE] = take_digests,
    [CS_MSG_FIN] = take_fin,
    [CS_MSG_LIST_REQ] = take_list_req,
    [CS_MSG_LIST] = take_list,
    [CS_MSG_PEX] = take_pex,
    [CS_MSG_NWANT] = take_names,
    [CS_MSG_NODE] = cs__take_node,
    [CS_MSG_MAP] = cs__take_map,
    [CS_MSG_CWANT] = cs__take_cwant,
    [CS_MSG_CHUNK] = cs__take_chunk,
    [CS_MSG_CNONE] = take_names,
    [CS_MSG_JOIN] = take_join,
    [CS_MSG_WELCOME] = take_welcome,
    [CS_MSG_CHAVE] = take_names,
    [CS_MSG_PARTS] = cs__take_parts,
    [CS_MSG_STANDINGS] = take_standings,
    [CS_MSG_MARKS] = take_marks,
};

static cs_err_t decode_body(cs_msg_t *ret, cs_slice_t wire)
{
    ret->arena = cs_arena_new(ARENA_BYTES(wire.len));
    ProtobufCAllocator allocator = {
        .alloc = alloc_arena, .free = free_arena, .allocator_data = ret->arena};
    const ProtobufCMessage *body = protobuf_c_message_unpack(cs__msg_body((uint32_t)ret->type),
                                                             &allocator, wire.len, wire.data);
    if (body == NULL) return CS_ERR_MALFORMED;
    ret->unknown_fields = body->n_unknown_fields;
    return takers[ret->type](body, ret);
}

cs_err_t cs_msg_decode(cs_msg_t *ret, cs_slice_t header, cs_slice_t payload)
{
    memset(ret, 0, sizeof *ret);
    ret->wire_bytes = header.len + payload.len;
    if (ret->wire_bytes > CS_MESSAGE_BYTES_MAX) return CS_ERR_LIMIT;
    cs_reader_t reader = cs_reader(header);
    uint8_t version = cs_read_u8(&reader);
    if (reader.err == CS_OK && version != CS_PROTOCOL_VERSION) return CS_ERR_VERSION;
    uint8_t type = cs_read_u8(&reader);
    ret->flags = cs_read_u16(&reader);
    ret->xid = cs_read_u32(&reader);
    ret->seq = cs_read_u32(&reader);
    cs_read_copy(&reader, ret->tag, sizeof ret->tag);
    if (reader.err != CS_OK) return CS_ERR_MALFORMED;
    if (cs__msg_body(type) == NULL) return CS_ERR_UNSUPPORTED;
    ret->type = (cs_msg_type_t)type;
    if (payload.len != 0 && ret->type != CS_MSG_CHUNK) return CS_ERR_MALFORMED;
    ret->payload = payload;
    cs_err_t err = decode_body(ret, cs_slice(reader.at, cs_reader_left(&reader)));
    if (err != CS_OK) cs_msg_fini(ret);
    return err;
}

void cs_msg_fini(cs_msg_t *msg)
{
    cs_arena_destroy(&msg->arena);
    memset(msg, 0, sizeof *msg);
}
