/* entropy.h - random bytes and key pairs, from the kernel by way of libsodium. */
#ifndef CS_IO_ENTROPY_H
#define CS_IO_ENTROPY_H

#include "base/base.h"

CS_HEADER_BEGIN

/* Once, before any other thread is started. */
void cs_entropy_init(void);

void cs_entropy_fill(void *ret, size_t bytes);

/* A CURVE key pair. */
void cs_entropy_key_pair(uint8_t ret_public[32], uint8_t ret_secret[32]);
/* The public half of a secret key. */
void cs_entropy_public_key(const uint8_t secret[32], uint8_t ret_public[32]);
void cs_entropy_wipe(void *secret, size_t bytes);

CS_HEADER_END

#endif
