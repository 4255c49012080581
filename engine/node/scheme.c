/* scheme.c - Ed25519 of libsodium. */
#include "node/scheme.h"

#include <sodium.h>
#include <string.h>

static void signer_of(const uint8_t seed[CS_SEED_BYTES], uint8_t ret[CS_KEY_BYTES])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_seed_keypair(ret, secret, seed); /* never fails */
    sodium_memzero(secret, sizeof secret);
}

static void sign(const uint8_t seed[CS_SEED_BYTES], const uint8_t signer[CS_KEY_BYTES],
                 const uint8_t digest[CS_HASH_BYTES], uint8_t ret[CS_SIGNATURE_BYTES])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* RFC 8032's key, and the public one */
    memcpy(secret, seed, CS_SEED_BYTES);
    memcpy(secret + CS_SEED_BYTES, signer, CS_KEY_BYTES);
    (void)crypto_sign_detached(ret, NULL, digest, CS_HASH_BYTES, secret);
    sodium_memzero(secret, sizeof secret);
}

static bool check(const uint8_t signer[CS_KEY_BYTES], const uint8_t digest[CS_HASH_BYTES],
                  const uint8_t signature[CS_SIGNATURE_BYTES])
{
    return crypto_sign_verify_detached(signature, digest, CS_HASH_BYTES, signer) == 0;
}

const cs_scheme_t cs_ed25519 = {signer_of, sign, check};
