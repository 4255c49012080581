/* part.c - one range of d/, item after item. */
#include "recon/part.h"

#include <string.h>

#include "base/mem.h"

static uint64_t top_bits(const uint8_t *item, uint32_t bits)
{
    if (bits == 0) return 0;
    uint64_t top =
        (uint64_t)item[0] << 24 | (uint64_t)item[1] << 16 | (uint64_t)item[2] << 8 | item[3];
    return top >> (32 - bits);
}

static cs_view_walk_t *walk_from(const cs_recon_t *recon, uint32_t bits, uint64_t index)
{
    uint64_t top = bits == 0 ? 0 : index << (32 - bits);
    const uint8_t from[4] = {(uint8_t)(top >> 24), (uint8_t)(top >> 16), (uint8_t)(top >> 8),
                             (uint8_t)top};
    return cs_view_walk_new(&recon->view, CS_WALK_ITEMS, cs_slice(from, sizeof from));
}

cs_err_t cs_part_encode(const cs_recon_t *recon, uint32_t bits, uint64_t index, size_t count,
                        cs_symbols_t *ret, uint64_t *ret_n)
{
    CS_ASSERT(bits <= CS_PART_BITS_MAX && index >> bits == 0);
    cs_symbols_fini(ret);
    cs_symbols_init(ret, count == 0 ? recon->limits->symbols_max : count);
    cs_view_walk_t *walk = walk_from(recon, bits, index);
    cs_slice_t item, bucket;
    uint64_t n = 0;
    while (cs_view_walk_next(walk, &item, &bucket)) {
        if (top_bits(item.data, bits) != index) break;
        cs_symbols_put(ret, recon->key, item.data);
        n++;
    }
    cs_err_t err = cs_view_walk_err(walk);
    cs_view_walk_destroy(&walk);
    if (err != CS_OK) cs_symbols_fini(ret);
    *ret_n = n;
    return err;
}
