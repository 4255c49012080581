/* content_rows.c - encoding of n/, c/ and r/. */
#include "disk/content_rows.h"

#include <string.h>

#include "base/limits.h"
#include "base/seal.h"

#define PLACE_BYTES                                                          \
    (CS_CHUNK_KEY_BYTES + 8u + 4u) /* a kept chunk: name prefix, offset, len \
                                    */

static void key_of(uint32_t folder, char table, const uint8_t *name, size_t len, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_put_u32_be(ret, folder);
    cs_buf_put_u8(ret, (uint8_t)table);
    cs_buf_put_u8(ret, '/');
    cs_buf_put(ret, name, len);
}

void cs_node_key(uint32_t folder, const cs_name_t *name, cs_buf_t *ret)
{
    key_of(folder, 'n', name->b, sizeof name->b, ret);
}

void cs_chunk_key(uint32_t folder, const cs_name_t *name, cs_buf_t *ret)
{
    key_of(folder, 'c', name->b, CS_CHUNK_KEY_BYTES, ret);
}

void cs_root_key(uint32_t folder, const cs_content_t *content, cs_buf_t *ret)
{
    key_of(folder, 'r', content->hash, sizeof content->hash, ret);
}

/* value: cleared; on success the row's payload is ret_payload, borrowed from it. */
static cs_err_t get(cs_store_t *store, const cs_snapshot_t *snapshot, cs_buf_t *key,
                    cs_buf_t *value, cs_slice_t *ret_payload)
{
    cs_err_t err = cs_store_get(store, snapshot, cs_buf_slice(key), value);
    cs_buf_fini(key);
    return err == CS_OK ? cs_seal_check(cs_buf_slice(value), ret_payload) : err;
}

cs_err_t cs_node_get(cs_store_t *store, const cs_snapshot_t *snapshot, uint32_t folder,
                     const cs_name_t *name, cs_buf_t *ret_node)
{
    cs_buf_t key = {0}, value = {0};
    cs_slice_t payload;
    cs_node_key(folder, name, &key);
    cs_err_t err = get(store, snapshot, &key, &value, &payload);
    if (err == CS_OK) {
        cs_buf_clear(ret_node);
        cs_buf_put_slice(ret_node, payload);
    }
    cs_buf_fini(&value);
    return err;
}

cs_err_t cs_chunk_get(cs_store_t *store, const cs_snapshot_t *snapshot, uint32_t folder,
                      const cs_name_t *name, cs_chunk_place_t *ret)
{
    cs_buf_t key = {0}, value = {0};
    cs_slice_t payload;
    cs_chunk_key(folder, name, &key);
    cs_err_t err = get(store, snapshot, &key, &value, &payload);
    if (err == CS_OK) {
        cs_reader_t reader = cs_reader(payload);
        cs_chunk_place_t place;
        cs_read_copy(&reader, place.content, sizeof place.content);
        place.offset = cs_read_u64(&reader);
        place.len = cs_read_u32(&reader);
        if (cs_reader_end(&reader) != CS_OK) err = CS_ERR_CORRUPT;
        if (err == CS_OK) *ret = place;
    }
    cs_buf_fini(&value);
    return err;
}

cs_err_t cs_root_get(cs_store_t *store, const cs_snapshot_t *snapshot, uint32_t folder,
                     const cs_content_t *content, cs_name_t *ret_root, uint32_t *ret_depth)
{
    cs_buf_t key = {0}, value = {0};
    cs_slice_t payload;
    cs_root_key(folder, content, &key);
    cs_err_t err = get(store, snapshot, &key, &value, &payload);
    if (err == CS_OK) {
        cs_reader_t reader = cs_reader(payload);
        cs_name_t root;
        cs_read_copy(&reader, root.b, sizeof root.b);
        uint32_t depth = cs_read_u8(&reader);
        uint64_t size = cs_read_varint(&reader);
        if (cs_reader_end(&reader) != CS_OK || depth > CS_LIST_DEPTH_MAX) {
            err = CS_ERR_CORRUPT;
        } else if (size != content->size) {
            err = CS_ERR_NOT_FOUND;
        } else {
            *ret_root = root;
            *ret_depth = depth;
        }
    }
    cs_buf_fini(&value);
    return err;
}

void cs_row_maker_fini(cs_row_maker_t *maker)
{
    cs_buf_fini(&maker->key);
    cs_buf_fini(&maker->value);
    cs_buf_fini(&maker->places);
}

/* Key and value are in the buffers: seal, and hand over. */
static void hand_over(cs_row_maker_t *maker)
{
    cs_seal_append(&maker->value, 0);
    maker->row(maker->arg, cs_buf_slice(&maker->key), cs_buf_slice(&maker->value));
    cs_buf_clear(&maker->value);
}

void cs_row_maker_node(cs_row_maker_t *maker, const cs_name_t *name, cs_slice_t node)
{
    cs_node_key(maker->folder, name, &maker->key);
    cs_buf_put_slice(&maker->value, node);
    hand_over(maker);
}

static void on_node(void *arg, const cs_name_t *name, cs_slice_t bytes)
{
    cs_row_maker_node(arg, name, bytes);
}

static void on_chunk(void *arg, const cs_name_t *name, uint64_t offset, uint32_t len)
{
    cs_row_maker_t *maker = arg;
    cs_buf_put(&maker->places, name->b, CS_CHUNK_KEY_BYTES);
    cs_buf_put_u64(&maker->places, offset);
    cs_buf_put_u32(&maker->places, len);
}

static void on_root(void *arg, const cs_content_t *content, const cs_name_t *root,
                    uint32_t depth)
{
    cs_row_maker_t *maker = arg;
    maker->content = *content;
    maker->root = *root;
    maker->depth = depth;
}

cs_content_sink_t cs_row_maker_begin(cs_row_maker_t *maker)
{
    cs_buf_clear(&maker->places);
    cs_buf_clear(&maker->value);
    maker->depth = 0;
    return (cs_content_sink_t){
        .arg = maker, .chunk = on_chunk, .node = on_node, .root = on_root};
}

void cs_row_maker_end(cs_row_maker_t *maker)
{
    if (maker->depth == 0) return; /* a single chunk: the content hash finds it */
    cs_reader_t reader = cs_reader(cs_buf_slice(&maker->places));
    while (cs_reader_left(&reader) >= PLACE_BYTES) {
        cs_name_t name = {0};
        cs_read_copy(&reader, name.b, CS_CHUNK_KEY_BYTES);
        cs_slice_t where = cs_read_bytes(&reader, 12); /* u64 offset, u32 len */
        cs_chunk_key(maker->folder, &name, &maker->key);
        cs_buf_put(&maker->value, maker->content.hash, CS_PLACE_BYTES);
        cs_buf_put_slice(&maker->value, where);
        hand_over(maker);
    }
    cs_root_key(maker->folder, &maker->content, &maker->key);
    cs_buf_put(&maker->value, maker->root.b, sizeof maker->root.b);
    cs_buf_put_u8(&maker->value, (uint8_t)maker->depth);
    cs_buf_put_varint(&maker->value, maker->content.size);
    hand_over(maker);
}
