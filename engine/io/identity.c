/* identity.c - X25519 keys of libsodium, which are CURVE's, from an Ed25519 key. */
#include "io/identity.h"

#include <sodium.h>
#include <string.h>

static const char *secret_field(void *record, const char *value)
{
    bool good =
        cs_unhex(((cs_identity_t *)record)->secret_key, CS_KEY_BYTES, cs_slice_text(value));
    return good ? NULL : "must be 64 hex digits";
}

static const char *public_field(void *record, const char *value)
{
    bool good =
        cs_unhex(((cs_identity_t *)record)->public_key, CS_KEY_BYTES, cs_slice_text(value));
    return good ? NULL : "must be 64 hex digits";
}

static const char *seed_field(void *record, const char *value)
{
    bool good = cs_unhex(((cs_identity_t *)record)->seed, CS_KEY_BYTES, cs_slice_text(value));
    return good ? NULL : "must be 64 hex digits";
}

static const cs_zpl_field_t fields[] = {
    {"identity", "public-key", true, false, public_field},
    {"identity", "secret-key", true, false, secret_field},
    {"identity", "seed", true, false, seed_field},
};

/* False: the seed's key is no good. That has no probability worth a thought. */
static bool derive(const uint8_t seed[CS_KEY_BYTES], uint8_t ret_public[CS_KEY_BYTES],
                   uint8_t ret_secret[CS_KEY_BYTES])
{
    uint8_t signer[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    bool good = crypto_sign_seed_keypair(signer, secret, seed) == 0 &&
                crypto_sign_ed25519_pk_to_curve25519(ret_public, signer) == 0 &&
                crypto_sign_ed25519_sk_to_curve25519(ret_secret, secret) == 0;
    sodium_memzero(secret, sizeof secret);
    return good;
}

void cs_identity_generate(cs_identity_t *ret)
{
    int failed = sodium_init() < 0;
    randombytes_buf(ret->seed, sizeof ret->seed);
    failed = failed || !derive(ret->seed, ret->public_key, ret->secret_key);
    CS_ASSERT(!failed);
}

void cs_identity_wipe(cs_identity_t *identity)
{
    sodium_memzero(identity, sizeof *identity);
}

void cs_identity_text(const cs_identity_t *identity, cs_buf_t *ret)
{
    char hex[CS_KEY_TEXT];
    cs_buf_clear(ret);
    cs_buf_printf(
        ret, "# Who holds the secret key is this node. Never copy it to another machine.\n");
    cs_zpl_put_section(ret, "identity");
    cs_hex(hex, identity->public_key, CS_KEY_BYTES);
    cs_zpl_put(ret, "public-key", hex);
    cs_hex(hex, identity->secret_key, CS_KEY_BYTES);
    cs_zpl_put(ret, "secret-key", hex);
    cs_hex(hex, identity->seed, CS_KEY_BYTES);
    cs_zpl_put(ret, "seed", hex);
    sodium_memzero(hex, sizeof hex);
}

void cs_identity_load(cs_slice_t text, cs_identity_t *ret, cs_mistakes_t *mistakes)
{
    size_t before = mistakes->count;
    uint8_t derived[CS_KEY_BYTES];
    cs_zpl_load(text, fields, CS_COUNT_OF(fields), ret, mistakes);
    if (mistakes->count > before) return;
    if (crypto_scalarmult_base(derived, ret->secret_key) != 0 ||
        memcmp(derived, ret->public_key, sizeof derived) != 0) {
        cs_mistakes_add(mistakes, 0, "the two keys do not belong together");
        return;
    }
    uint8_t secret[CS_KEY_BYTES];
    bool fits = derive(ret->seed, derived, secret) &&
                memcmp(derived, ret->public_key, sizeof derived) == 0;
    sodium_memzero(secret, sizeof secret);
    if (!fits) cs_mistakes_add(mistakes, 0, "the seed and the keys do not belong together");
}
