/* digest.h - keyed hashes and the keys of a folder (core.md 2, 8, 9). */
#ifndef CS_BASE_DIGEST_H
#define CS_BASE_DIGEST_H

#include "base/str.h"

CS_HEADER_BEGIN

#define CS_HASH_BYTES   32u
#define CS_SECRET_BYTES 32u

/* Everything derived from a folder's 32-byte secret (core.md 8): crypto_kdf ids in brackets. */
typedef struct cs_keys {
    uint8_t bkt[32];   /* 1 names of buckets */
    uint8_t item[32];  /* 2 digests of entries, hash of seen */
    uint8_t sym[16];   /* 3 checksums of coded symbols */
    uint8_t chunk[32]; /* 4 names of chunks */
    uint8_t file[32];  /* 5 content hashes */
    uint8_t list[32];  /* 6 names of chunk-list nodes */
    uint8_t gear[32];  /* 7 the chunker's table */
    uint8_t tag[8];    /* 8 the folder's tag in messages */
} cs_keys_t;

/* secret: CS_SECRET_BYTES bytes. */
void cs_keys_derive(cs_keys_t *keys, const uint8_t *secret);

/* BLAKE2b over the concatenation of `parts`; ret_len 16..64; key may be NULL with key_len 0. */
void cs_hash(uint8_t *ret, size_t ret_len, const uint8_t *key, size_t key_len,
             const cs_slice_t *parts, size_t part_count);

/* Sum mod 2^256, little-endian: the multiset hash behind the root (core.md 8). */
void cs_sum_add(uint8_t sum[CS_HASH_BYTES], const uint8_t term[CS_HASH_BYTES]);
void cs_sum_sub(uint8_t sum[CS_HASH_BYTES], const uint8_t term[CS_HASH_BYTES]);

/* 2 * len hex digits and a NUL. */
void cs_hex(char *ret, const void *data, size_t len);
/* Exactly `len` bytes from 2 * len digits of either case; false otherwise, ret unspecified. */
bool cs_unhex(void *ret, size_t len, cs_slice_t text);

CS_HEADER_END

#endif
