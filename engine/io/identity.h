/* identity.h - who a node is: its CURVE key pair. The public key is the node's id.
 *
 * It is made of an Ed25519 key, so that what is signed with that can be checked by whoever
 * knows the id (crypto_sign_ed25519_pk_to_curve25519). */
#ifndef CS_IO_IDENTITY_H
#define CS_IO_IDENTITY_H

#include "io/records.h"

CS_HEADER_BEGIN

typedef struct cs_identity {
    uint8_t public_key[CS_KEY_BYTES];
    uint8_t secret_key[CS_KEY_BYTES];
    uint8_t seed[CS_KEY_BYTES]; /* of the Ed25519 key */
} cs_identity_t;

void cs_identity_generate(cs_identity_t *ret); /* also for an invite's one-time key */
void cs_identity_wipe(cs_identity_t *identity);

/* The file `identity`: ZPL with both keys in hex, so that a damaged secret key is noticed. */
void cs_identity_text(const cs_identity_t *identity, cs_buf_t *ret);
void cs_identity_load(cs_slice_t text, cs_identity_t *ret, cs_mistakes_t *mistakes);

CS_HEADER_END

#endif
