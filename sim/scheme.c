/* scheme.c - see scheme.h. */
#include "sim/scheme.h"

#include <string.h>

static void signer(const uint8_t seed[CS_SEED_BYTES], uint8_t ret[CS_KEY_BYTES])
{
    memcpy(ret, seed, CS_KEY_BYTES);
}

static void sign(const uint8_t seed[CS_SEED_BYTES], const uint8_t key[CS_KEY_BYTES],
                 const uint8_t digest[CS_HASH_BYTES], uint8_t ret[CS_SIGNATURE_BYTES])
{
    cs_slice_t parts[] = {cs_slice(key, CS_KEY_BYTES), cs_slice(digest, CS_HASH_BYTES)};
    cs_hash(ret, CS_SIGNATURE_BYTES, NULL, 0, parts, CS_COUNT_OF(parts));
    (void)seed;
}

static bool check(const uint8_t key[CS_KEY_BYTES], const uint8_t digest[CS_HASH_BYTES],
                  const uint8_t signature[CS_SIGNATURE_BYTES])
{
    uint8_t expected[CS_SIGNATURE_BYTES];
    sign(NULL, key, digest, expected);
    return memcmp(expected, signature, sizeof expected) == 0;
}

const cs_scheme_t cs_sim_scheme = {signer, sign, check};
