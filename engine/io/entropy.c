/* entropy.c - see entropy.h. */
#include "io/entropy.h"

#include <sodium.h>

void cs_entropy_init(void)
{
    int rc =
        sodium_init(); /* fails only without a source of entropy: nothing can be done then */
    CS_ASSERT(rc >= 0);
}

void cs_entropy_fill(void *ret, size_t bytes)
{
    randombytes_buf(ret, bytes);
}

void cs_entropy_key_pair(uint8_t ret_public[32], uint8_t ret_secret[32])
{
    int rc = crypto_box_keypair(ret_public, ret_secret);
    CS_ASSERT(rc == 0);
}

void cs_entropy_public_key(const uint8_t secret[32], uint8_t ret_public[32])
{
    int rc = crypto_scalarmult_base(ret_public, secret);
    CS_ASSERT(rc == 0);
}

void cs_entropy_wipe(void *secret, size_t bytes)
{
    sodium_memzero(secret, bytes);
}
