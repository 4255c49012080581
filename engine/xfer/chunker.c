/* chunker.c - the gear loop. */
#include "xfer/chunker.h"

#include <sodium.h>

/* log2(CS_CHUNK_AVG) = 18, plus and minus the level of normalisation, in the high bits: they
 * have seen the most bytes. */
#define MASK_BEFORE_AVG (~UINT64_C(0) << (64 - 20))
#define MASK_AFTER_AVG  (~UINT64_C(0) << (64 - 16))
_Static_assert(CS_CHUNK_AVG == 1u << 18, "the masks are made for this average");

void cs_gear_derive(const uint8_t *key, uint64_t ret_gear[256])
{
    static const uint8_t nonce[crypto_stream_NONCEBYTES];
    _Static_assert(crypto_stream_KEYBYTES == 32, "the key of the table");
    uint8_t stream[256 * 8];
    crypto_stream(stream, sizeof stream, nonce, key);
    for (size_t i = 0; i < 256; i++) {
        uint64_t value = 0;
        for (size_t k = 8; k-- > 0;) {
            value = value << 8 | stream[i * 8 + k];
        }
        ret_gear[i] = value;
    }
    sodium_memzero(stream, sizeof stream);
}

/* Roll over data[0..len) until the hash has a zero under `mask`. Returns the bytes rolled over.
 */
static size_t roll(uint64_t *hash, const uint64_t gear[256], const uint8_t *data, size_t len,
                   uint64_t mask, bool *ret_cut)
{
    uint64_t h = *hash, most = ~mask; /* the mask is of high bits */
    size_t i = 0;
    /* Four bytes a turn: the hash after them waits for two operations instead of eight. */
    for (; len - i >= 4; i += 4) {
        uint64_t g0 = gear[data[i]], g1 = gear[data[i + 1]];
        uint64_t g2 = gear[data[i + 2]], g3 = gear[data[i + 3]];
        uint64_t first = (g0 << 1) + g1, second = (g2 << 1) + g3;
        uint64_t h1 = (h << 1) + g0, h2 = (h << 2) + first, h3 = (h2 << 1) + g2;
        uint64_t h4 = (h << 4) + ((first << 2) + second);
        if (h1 <= most || h2 <= most || h3 <= most || h4 <= most) break;
        h = h4;
    }
    for (; i < len; i++) {
        h = (h << 1) + gear[data[i]];
        if ((h & mask) == 0) {
            *hash = h;
            *ret_cut = true;
            return i + 1;
        }
    }
    *hash = h;
    return len;
}

static size_t at_most(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t cs_chunker_take(cs_chunker_t *chunker, const uint64_t gear[256], const uint8_t *data,
                       size_t len, bool *ret_cut)
{
    CS_ASSERT(chunker->len < CS_CHUNK_MAX);
    uint32_t at = chunker->len;
    size_t taken = 0;
    bool cut = false;
    if (at < CS_CHUNK_MIN) taken = at_most(len, CS_CHUNK_MIN - at);
    if (at + taken >= CS_CHUNK_MIN && at + taken < CS_CHUNK_AVG) {
        size_t part = at_most(len - taken, CS_CHUNK_AVG - at - taken);
        taken += roll(&chunker->hash, gear, data + taken, part, MASK_BEFORE_AVG, &cut);
    }
    if (!cut && at + taken >= CS_CHUNK_AVG) {
        size_t part = at_most(len - taken, CS_CHUNK_MAX - at - taken);
        taken += roll(&chunker->hash, gear, data + taken, part, MASK_AFTER_AVG, &cut);
    }
    chunker->len = at + (uint32_t)taken;
    if (chunker->len == CS_CHUNK_MAX) cut = true;
    if (cut) *chunker = (cs_chunker_t){0};
    *ret_cut = cut;
    return taken;
}
