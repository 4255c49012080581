/* seal.c - XXH64 over a value. */
#include "base/seal.h"

#include <xxhash.h>

void cs_seal_append(cs_buf_t *buf, size_t from)
{
    CS_ASSERT(from <= buf->len);
    cs_buf_reserve(buf,
                   CS_SEAL_BYTES); /* so that there is an address to hash, even of nothing */
    cs_buf_put_u64(buf, XXH64(buf->data + from, buf->len - from, 0));
}

cs_err_t cs_seal_check(cs_slice_t value, cs_slice_t *ret_payload)
{
    if (value.len < CS_SEAL_BYTES) return CS_ERR_CORRUPT;
    cs_slice_t payload = cs_slice(value.data, value.len - CS_SEAL_BYTES);
    cs_reader_t seal = cs_reader(cs_slice(value.data + payload.len, CS_SEAL_BYTES));
    if (cs_read_u64(&seal) != XXH64(payload.data, payload.len, 0)) return CS_ERR_CORRUPT;
    *ret_payload = payload;
    return CS_OK;
}
