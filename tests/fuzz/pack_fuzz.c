/* pack_fuzz.c - packed payloads of a peer: refused, or exactly as long as he says; what we pack
 * comes out again. Input: u16 length said, then the bytes. */
#include <stdlib.h>

#include "xfer/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unpack(cs_slice_t packed, size_t len)
{
    cs_buf_t out = {0};
    if (cs_unpack(packed, len, &out) == CS_OK && out.len != len) abort();
    cs_buf_fini(&out);
}

static void there_and_back(cs_slice_t bytes)
{
    cs_packer_t *packer = cs_packer_new();
    cs_buf_t packed = {0}, out = {0};
    if (cs_pack(packer, bytes, &packed)) {
        if (cs_unpack(cs_buf_slice(&packed), bytes.len, &out) != CS_OK ||
            !cs_slice_eq(cs_buf_slice(&out), bytes))
            abort();
    }
    cs_buf_fini(&packed);
    cs_buf_fini(&out);
    cs_packer_destroy(&packer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    cs_slice_t rest = cs_slice(data + 2, size - 2);
    unpack(rest, (size_t)data[0] | (size_t)data[1] << 8);
    there_and_back(rest);
    return 0;
}
