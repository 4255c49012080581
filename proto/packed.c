/* packed.c - lists of records inside one bytes field. */
#include "proto/frame.h"

#include <string.h>

static bool take(cs_slice_t *rest, size_t len, cs_slice_t *ret)
{
    if (rest->len < len) return false;
    *ret = cs_slice(rest->data, len);
    *rest = cs_slice(rest->data + len, rest->len - len);
    return true;
}

bool cs_packed_next(cs_slice_t *rest, cs_slice_t *ret)
{
    if (rest->len == 0) return false;
    cs_reader_t reader = cs_reader(*rest);
    uint64_t len = cs_read_varint(&reader);
    if (reader.err != CS_OK || len > cs_reader_left(&reader)) return false;
    *rest = cs_slice(reader.at, cs_reader_left(&reader));
    return take(rest, (size_t)len, ret);
}

bool cs_digest_next(cs_slice_t *rest, const uint8_t **ret_digest)
{
    cs_slice_t digest;
    if (!take(rest, CS_DIGEST_BYTES, &digest)) return false;
    *ret_digest = digest.data;
    return true;
}

bool cs_name_next(cs_slice_t *rest, const uint8_t **ret_name)
{
    cs_slice_t name;
    if (!take(rest, CS_NAME_BYTES, &name)) return false;
    *ret_name = name.data;
    return true;
}

bool cs_chunk_next(cs_slice_t *rest, const uint8_t **ret_name, cs_slice_t *ret_bytes)
{
    cs_reader_t reader = cs_reader(*rest);
    cs_slice_t name = cs_read_bytes(&reader, CS_NAME_BYTES);
    uint32_t len = cs_read_u32(&reader);
    cs_slice_t bytes = cs_read_bytes(&reader, len);
    if (reader.err != CS_OK) return false;
    *ret_name = name.data;
    *ret_bytes = bytes;
    *rest = cs_slice(reader.at, cs_reader_left(&reader));
    return true;
}

void cs_packed_put(cs_buf_t *packed, cs_slice_t record)
{
    cs_buf_put_varint(packed, record.len);
    cs_buf_put_slice(packed, record);
}

void cs_chunk_put(cs_buf_t *payload, const uint8_t name[CS_NAME_BYTES], cs_slice_t bytes)
{
    CS_ASSERT(bytes.len <= UINT32_MAX);
    cs_buf_put(payload, name, CS_NAME_BYTES);
    cs_buf_put_u32(payload, (uint32_t)bytes.len);
    cs_buf_put_slice(payload, bytes);
}
