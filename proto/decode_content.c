/* decode_content.c - messages about contents: lists of chunks, chunks, who has what. */
#include "proto/crdtsync.pb-c.h"
#include "proto/decode_i.h"

cs_err_t cs__take_node(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Node *m = body;
    uint32_t count;
    return cs__take_packed(m->nodes, (size_t)CS_NODE_ITEMS_MAX * (4 + CS_NAME_BYTES), &count,
                           &ret->u.node.packed);
}

cs_err_t cs__take_map(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Map *m = body;
    cs_msg_map_t *to = &ret->u.map;
    *to = (cs_msg_map_t){.size = m->size,
                         .answer = m->answer,
                         .depth = m->depth,
                         .zeros = m->zeros,
                         .partial = m->partial};
    if (m->depth > CS_LIST_DEPTH_MAX || m->zeros > m->size) return CS_ERR_LIMIT;
    cs_err_t err = cs__take_fixed(m->content, CS_NAME_BYTES, &to->content);
    if (err != CS_OK || !m->answer) return err;
    return cs__take_fixed(m->root, CS_NAME_BYTES, &to->root);
}

/* As many as chunks, or none. */
static cs_err_t take_places(const Crdtsync__Cwant *m, cs_msg_cwant_t *to)
{
    cs_err_t err = cs__take_records(m->places, CS_PLACE_BYTES, &to->places);
    if (err != CS_OK || m->places.len == 0) return err;
    if (m->content.len == 0) return CS_ERR_MALFORMED;
    size_t chunks = m->chunks.len / CS_NAME_BYTES;
    if (m->places.len / CS_PLACE_BYTES != chunks) return CS_ERR_MALFORMED;
    cs_reader_t reader = cs_reader(to->places);
    while (cs_reader_left(&reader) > 0) {
        uint64_t offset = cs_read_u64(&reader);
        uint32_t len = cs_read_u32(&reader);
        if (len == 0 || len > CS_CHUNK_MAX) return CS_ERR_LIMIT;
        if (offset > to->size || len > to->size - offset) return CS_ERR_MALFORMED;
    }
    return CS_OK;
}

cs_err_t cs__take_cwant(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Cwant *m = body;
    cs_msg_cwant_t *to = &ret->u.cwant;
    *to = (cs_msg_cwant_t){.size = m->size, .packs = m->packs};
    cs_err_t err = cs__take_records(m->contents, CS_NAME_BYTES, &to->contents);
    if (err == CS_OK) err = cs__take_records(m->chunks, CS_NAME_BYTES, &to->chunks);
    if (err == CS_OK) err = take_places(m, to);
    if (err != CS_OK || m->content.len == 0) return err;
    return cs__take_fixed(m->content, CS_NAME_BYTES, &to->content);
}

cs_err_t cs__take_parts(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Parts *m = body;
    cs_msg_parts_t *to = &ret->u.parts;
    *to = (cs_msg_parts_t){.size = m->size,
                           .from = m->from,
                           .count = m->count,
                           .answer = m->answer,
                           .bits = cs__slice_of(m->bits),
                           .coming = cs__slice_of(m->coming)};
    if (m->count > CS_NODE_ITEMS_MAX) return CS_ERR_LIMIT;
    if (m->bits.len > CS_PARTS_BYTES || m->coming.len > CS_PARTS_BYTES) return CS_ERR_LIMIT;
    return cs__take_fixed(m->content, CS_NAME_BYTES, &to->content);
}

cs_err_t cs__take_chunk(const void *body, cs_msg_t *ret)
{
    const Crdtsync__Chunk *m = body;
    cs_slice_t rest = ret->payload, bytes;
    ret->u.chunk.unpacked = m->unpacked;
    if (m->unpacked > CS_PACKED_BYTES_MAX) return CS_ERR_LIMIT;
    if (m->unpacked > 0) return CS_OK; /* what is in it shows later */
    const uint8_t *name;
    while (cs_chunk_next(&rest, &name, &bytes)) {
        if (bytes.len > CS_CHUNK_MAX) return CS_ERR_LIMIT;
    }
    return rest.len == 0 ? CS_OK : CS_ERR_MALFORMED;
}
