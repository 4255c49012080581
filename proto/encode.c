/* encode.c - cs_msg_t -> bytes to send. */
#include <string.h>

#include "proto/arena.h"
#include "proto/crdtsync.pb-c.h"
#include "proto/types.h"

/* protobuf-c's structures have no const; packing only reads. */
static ProtobufCBinaryData bytes(const uint8_t *data, size_t len)
{
    return (ProtobufCBinaryData){.len = data == NULL ? 0 : len,
                                 .data = (uint8_t *)(uintptr_t)data};
}

static ProtobufCBinaryData slice(cs_slice_t from)
{
    return bytes(from.data, from.len);
}

static char *text(cs_arena_t *scratch, cs_slice_t from)
{
    char *to = cs_arena_alloc(scratch, from.len + 1);
    if (from.len > 0) memcpy(to, from.data, from.len);
    to[from.len] = '\0';
    return to;
}

static char **texts(cs_arena_t *scratch, cs_texts_t from)
{
    char **to = cs_arena_alloc(scratch, from.count * sizeof *to);
    for (size_t i = 0; i < from.count; i++) {
        to[i] = text(scratch, from.items[i]);
    }
    return to;
}

static Crdtsync__Member **members(cs_arena_t *scratch, cs_msg_members_t from)
{
    Crdtsync__Member **to = cs_arena_alloc(scratch, from.count * sizeof(Crdtsync__Member *));
    for (size_t i = 0; i < from.count; i++) {
        const cs_msg_member_t *member = &from.items[i];
        to[i] = cs_arena_alloc(scratch, sizeof *to[i]);
        crdtsync__member__init(to[i]);
        to[i]->key = bytes(member->key, CS_KEY_BYTES);
        to[i]->name = text(scratch, member->name);
        to[i]->rid = member->rid;
        to[i]->n_endpoints = member->endpoints.count;
        to[i]->endpoints = texts(scratch, member->endpoints);
    }
    return to;
}

static Crdtsync__Snap *snap(cs_arena_t *scratch, const cs_msg_snap_t *from)
{
    if (!from->present) return NULL;
    Crdtsync__Snap *to = cs_arena_alloc(scratch, sizeof *to);
    crdtsync__snap__init(to);
    to->root = bytes(from->root, CS_HASH_BYTES);
    to->n = from->n;
    to->seen = slice(from->seen);
    return to;
}

/* --- bodies: each fills the structure that the type table names, in scratch */

typedef ProtobufCMessage *(*filler_t)(cs_arena_t *scratch, const cs_msg_t *msg);

#define BODY(type, init_name)                       \
    type *to = cs_arena_alloc(scratch, sizeof *to); \
    init_name(to)

static ProtobufCMessage *fill_error(cs_arena_t *scratch, const cs_msg_t *msg)
{
    BODY(Crdtsync__Error, crdtsync__error__init);
    to->code = msg->u.error.code;
    to->text = text(scratch, msg->u.error.text);
    return &to->base;
}

static ProtobufCMessage *fill_hello(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_hello_t *from = &msg->u.hello;
    BODY(Crdtsync__Hello, crdtsync__hello__init);
    to->rid = from->rid;
    to->nonce = from->nonce;
    to->caps = from->caps;
    to->members_hash = bytes(from->members_hash, CS_HASH_BYTES);
    to->seen = slice(from->seen);
    to->heard = slice(from->heard);
    to->n_members = from->members.count;
    to->members = members(scratch, from->members);
    to->answer = from->answer;
    return &to->base;
}

static ProtobufCMessage *fill_have(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_have_t *from = &msg->u.have;
    BODY(Crdtsync__Have, crdtsync__have__init);
    to->root = bytes(from->root, CS_HASH_BYTES);
    to->n = from->n;
    to->seen_hash = bytes(from->seen_hash, CS_DIGEST_BYTES);
    to->delta = slice(from->delta);
    to->applied = from->applied;
    to->stamp = from->stamp;
    to->taken = from->taken;
    to->n_reports = from->report_count;
    to->reports = cs_arena_alloc(scratch, from->report_count * sizeof(Crdtsync__Report *));
    for (size_t i = 0; i < from->report_count; i++) {
        const cs_msg_report_t *report = &from->reports[i];
        Crdtsync__Report *r = cs_arena_alloc(scratch, sizeof *r);
        crdtsync__report__init(r);
        r->key = bytes(report->key, CS_KEY_BYTES);
        r->stamp = report->stamp;
        r->root = bytes(report->root, CS_HASH_BYTES);
        r->n = report->n;
        r->applied = report->applied;
        to->reports[i] = r;
    }
    return &to->base;
}

static ProtobufCMessage *fill_entries(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_entries_body_t *from = &msg->u.entries;
    BODY(Crdtsync__Entries, crdtsync__entries__init);
    to->count = from->entries.count;
    to->entries = slice(from->entries.packed);
    to->hops = from->hops;
    to->last = from->last;
    to->snap = snap(scratch, &from->snap);
    return &to->base;
}

static ProtobufCMessage *fill_recon_req(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_recon_req_t *from = &msg->u.recon_req;
    BODY(Crdtsync__ReconReq, crdtsync__recon_req__init);
    to->snap = snap(scratch, &from->snap);
    to->method = from->method;
    to->part_bits = from->part_bits;
    to->part_index = from->part_index;
    return &to->base;
}

static ProtobufCMessage *fill_syms(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_syms_t *from = &msg->u.syms;
    BODY(Crdtsync__Syms, crdtsync__syms__init);
    to->start = from->start;
    to->n = from->n;
    to->symbols = slice(from->symbols);
    to->snap = snap(scratch, &from->snap);
    return &to->base;
}

static ProtobufCMessage *fill_credit(cs_arena_t *scratch, const cs_msg_t *msg)
{
    BODY(Crdtsync__Credit, crdtsync__credit__init);
    to->up_to = msg->u.credit.up_to;
    to->stop = msg->u.credit.stop;
    return &to->base;
}

/* All types with this body share one member of the union. */
static ProtobufCMessage *fill_packed(cs_arena_t *scratch, const cs_msg_t *msg)
{
    BODY(Crdtsync__Packed, crdtsync__packed__init);
    to->packed = slice(msg->u.want.packed);
    return &to->base;
}

static ProtobufCMessage *fill_push(cs_arena_t *scratch, const cs_msg_t *msg)
{
    BODY(Crdtsync__Push, crdtsync__push__init);
    to->count = msg->u.push.count;
    to->entries = slice(msg->u.push.packed);
    return &to->base;
}

static ProtobufCMessage *fill_fin(cs_arena_t *scratch, const cs_msg_t *msg)
{
    BODY(Crdtsync__Fin, crdtsync__fin__init);
    to->status = msg->u.fin.status;
    return &to->base;
}

static ProtobufCMessage *fill_list(cs_arena_t *scratch, const cs_msg_t *msg)
{
    BODY(Crdtsync__List, crdtsync__list__init);
    to->digests = slice(msg->u.list.digests);
    to->last = msg->u.list.last;
    to->snap = snap(scratch, &msg->u.list.snap);
    return &to->base;
}

static ProtobufCMessage *fill_pex(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_pex_t *from = &msg->u.pex;
    BODY(Crdtsync__Pex, crdtsync__pex__init);
    to->n_items = from->count;
    to->items = cs_arena_alloc(scratch, from->count * sizeof(Crdtsync__PexItem *));
    for (size_t i = 0; i < from->count; i++) {
        Crdtsync__PexItem *item = cs_arena_alloc(scratch, sizeof *item);
        crdtsync__pex_item__init(item);
        item->key = bytes(from->items[i].key, CS_KEY_BYTES);
        item->n_endpoints = from->items[i].endpoints.count;
        item->endpoints = texts(scratch, from->items[i].endpoints);
        item->age_s = from->items[i].age_s;
        to->items[i] = item;
    }
    return &to->base;
}

static ProtobufCMessage *fill_standings(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_standings_t *from = &msg->u.standings;
    BODY(Crdtsync__Standings, crdtsync__standings__init);
    to->n_items = from->count;
    to->items = cs_arena_alloc(scratch, from->count * sizeof(Crdtsync__Standing *));
    for (size_t i = 0; i < from->count; i++) {
        Crdtsync__Standing *item = cs_arena_alloc(scratch, sizeof *item);
        crdtsync__standing__init(item);
        item->key = bytes(from->items[i].key, CS_KEY_BYTES);
        item->version = from->items[i].version;
        item->out = from->items[i].out;
        item->signer = bytes(from->items[i].signer, CS_KEY_BYTES);
        item->signature = bytes(from->items[i].signature, CS_SIGNATURE_BYTES);
        to->items[i] = item;
    }
    return &to->base;
}

static ProtobufCMessage *fill_marks(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_marks_t *from = &msg->u.marks;
    BODY(Crdtsync__Marks, crdtsync__marks__init);
    to->n_items = from->count;
    to->items = cs_arena_alloc(scratch, from->count * sizeof(Crdtsync__Mark *));
    for (size_t i = 0; i < from->count; i++) {
        Crdtsync__Mark *item = cs_arena_alloc(scratch, sizeof *item);
        crdtsync__mark__init(item);
        item->signer = bytes(from->items[i].signer, CS_KEY_BYTES);
        item->nonce = from->items[i].nonce;
        item->ctr = from->items[i].ctr;
        item->signature = bytes(from->items[i].signature, CS_SIGNATURE_BYTES);
        to->items[i] = item;
    }
    return &to->base;
}

static ProtobufCMessage *fill_node(cs_arena_t *scratch, const cs_msg_t *msg)
{
    BODY(Crdtsync__Node, crdtsync__node__init);
    to->nodes = slice(msg->u.node.packed);
    return &to->base;
}

static ProtobufCMessage *fill_map(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_map_t *from = &msg->u.map;
    BODY(Crdtsync__Map, crdtsync__map__init);
    to->content = bytes(from->content, CS_NAME_BYTES);
    to->size = from->size;
    to->answer = from->answer;
    to->root = bytes(from->root, CS_NAME_BYTES);
    to->depth = from->depth;
    to->zeros = from->zeros;
    to->partial = from->partial;
    return &to->base;
}

static ProtobufCMessage *fill_cwant(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_cwant_t *from = &msg->u.cwant;
    BODY(Crdtsync__Cwant, crdtsync__cwant__init);
    to->contents = slice(from->contents);
    to->chunks = slice(from->chunks);
    to->content = bytes(from->content, CS_NAME_BYTES);
    to->size = from->size;
    to->packs = from->packs;
    to->places = slice(from->places);
    return &to->base;
}

static ProtobufCMessage *fill_parts(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_parts_t *from = &msg->u.parts;
    BODY(Crdtsync__Parts, crdtsync__parts__init);
    to->content = bytes(from->content, CS_NAME_BYTES);
    to->size = from->size;
    to->from = from->from;
    to->count = from->count;
    to->answer = from->answer;
    to->bits = slice(from->bits);
    to->coming = slice(from->coming);
    return &to->base;
}

static ProtobufCMessage *fill_chunk(cs_arena_t *scratch, const cs_msg_t *msg)
{
    BODY(Crdtsync__Chunk, crdtsync__chunk__init);
    to->unpacked = msg->u.chunk.unpacked;
    return &to->base;
}

static ProtobufCMessage *fill_join(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_join_t *from = &msg->u.join;
    BODY(Crdtsync__Join, crdtsync__join__init);
    to->key = bytes(from->key, CS_KEY_BYTES);
    to->name = text(scratch, from->name);
    to->n_endpoints = from->endpoints.count;
    to->endpoints = texts(scratch, from->endpoints);
    return &to->base;
}

static ProtobufCMessage *fill_welcome(cs_arena_t *scratch, const cs_msg_t *msg)
{
    const cs_msg_welcome_t *from = &msg->u.welcome;
    BODY(Crdtsync__Welcome, crdtsync__welcome__init);
    to->folder_id = slice(from->folder_id);
    to->secret = bytes(from->secret, CS_SECRET_BYTES);
    to->modes = from->modes;
    to->flags = from->flags;
    to->folder_name = text(scratch, from->folder_name);
    to->n_members = from->members.count;
    to->members = members(scratch, from->members);
    to->n_endpoints = from->endpoints.count;
    to->endpoints = texts(scratch, from->endpoints);
    return &to->base;
}

static const filler_t fillers[CS_MSG_TYPE_END] = {
    [CS_MSG_ERROR] = fill_error,
    [CS_MSG_HELLO] = fill_hello,
    [CS_MSG_HAVE] = fill_have,
    [CS_MSG_ENTRIES] = fill_entries,
    [CS_MSG_RECON_REQ] = fill_recon_req,
    [CS_MSG_SYMS] = fill_syms,
    [CS_MSG_CREDIT] = fill_credit,
    [CS_MSG_WANT] = fill_packed,
    [CS_MSG_PUSH] = fill_push,
    [CS_MSG_PUSH_REPLY] = fill_push,
    [CS_MSG_GONE] = fill_packed,
    [CS_MSG_FIN] = fill_fin,
    [CS_MSG_LIST_REQ] = fill_packed,
    [CS_MSG_LIST] = fill_list,
    [CS_MSG_PEX] = fill_pex,
    [CS_MSG_STANDINGS] = fill_standings,
    [CS_MSG_MARKS] = fill_marks,
    [CS_MSG_NWANT] = fill_packed,
    [CS_MSG_NODE] = fill_node,
    [CS_MSG_MAP] = fill_map,
    [CS_MSG_CWANT] = fill_cwant,
    [CS_MSG_CHUNK] = fill_chunk,
    [CS_MSG_CNONE] = fill_packed,
    [CS_MSG_JOIN] = fill_join,
    [CS_MSG_WELCOME] = fill_welcome,
    [CS_MSG_CHAVE] = fill_packed,
    [CS_MSG_PARTS] = fill_parts,
};

void cs_msg_encode(const cs_msg_t *msg, cs_buf_t *ret)
{
    CS_ASSERT(cs__msg_body((uint32_t)msg->type) != NULL);
    cs_arena_t *scratch = cs_arena_new(SIZE_MAX);
    const ProtobufCMessage *body = fillers[msg->type](scratch, msg);
    size_t body_len = protobuf_c_message_get_packed_size(body);
    cs_buf_reserve(ret, CS_FRAME_HEADER_BYTES + body_len);
    cs_buf_put_u8(ret, CS_PROTOCOL_VERSION);
    cs_buf_put_u8(ret, (uint8_t)msg->type);
    cs_buf_put_u16(ret, msg->flags);
    cs_buf_put_u32(ret, msg->xid);
    cs_buf_put_u32(ret, msg->seq);
    cs_buf_put(ret, msg->tag, sizeof msg->tag);
    protobuf_c_message_pack(body, ret->data + ret->len);
    ret->len += body_len;
    cs_arena_destroy(&scratch);
}
