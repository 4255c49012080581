/* digest.c - libsodium's BLAKE2b and key derivation behind our types. */
#include "base/digest.h"

#include <sodium.h>
#include <string.h>

static void derive(uint8_t *ret, size_t len, uint64_t id, const uint8_t *secret)
{
    uint8_t key[32];
    int failed = crypto_kdf_derive_from_key(key, sizeof key, id, "crdtsync", secret);
    CS_ASSERT(failed == 0);
    memcpy(ret, key, len);
    sodium_memzero(key, sizeof key);
}

void cs_keys_derive(cs_keys_t *keys, const uint8_t *secret)
{
    derive(keys->bkt, sizeof keys->bkt, 1, secret);
    derive(keys->item, sizeof keys->item, 2, secret);
    derive(keys->sym, sizeof keys->sym, 3, secret);
    derive(keys->chunk, sizeof keys->chunk, 4, secret);
    derive(keys->file, sizeof keys->file, 5, secret);
    derive(keys->list, sizeof keys->list, 6, secret);
    derive(keys->gear, sizeof keys->gear, 7, secret);
    derive(keys->tag, sizeof keys->tag, 8, secret);
}

void cs_hash(uint8_t *ret, size_t ret_len, const uint8_t *key, size_t key_len,
             const cs_slice_t *parts, size_t part_count)
{
    crypto_generichash_state state;
    int failed = crypto_generichash_init(&state, key, key_len, ret_len);
    CS_ASSERT(failed == 0);
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].len > 0) crypto_generichash_update(&state, parts[i].data, parts[i].len);
    }
    failed = crypto_generichash_final(&state, ret, ret_len);
    CS_ASSERT(failed == 0);
}

void cs_sum_add(uint8_t sum[CS_HASH_BYTES], const uint8_t term[CS_HASH_BYTES])
{
    unsigned carry = 0;
    for (size_t i = 0; i < CS_HASH_BYTES; i++) {
        carry += (unsigned)sum[i] + term[i];
        sum[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

void cs_sum_sub(uint8_t sum[CS_HASH_BYTES], const uint8_t term[CS_HASH_BYTES])
{
    unsigned borrow = 0;
    for (size_t i = 0; i < CS_HASH_BYTES; i++) {
        unsigned difference = 0x100u + sum[i] - term[i] - borrow;
        sum[i] = (uint8_t)difference;
        borrow = difference < 0x100u;
    }
}
