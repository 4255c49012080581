/* scheme.h - how the words of members and the marks of replicas are signed. Tests that make
 * millions of them take a cheaper scheme. */
#ifndef CS_NODE_SCHEME_H
#define CS_NODE_SCHEME_H

#include "base/digest.h"
#include "proto/frame.h"

CS_HEADER_BEGIN

#define CS_SEED_BYTES 32u /* of an Ed25519 key */

typedef struct cs_scheme {
    void (*signer)(const uint8_t seed[CS_SEED_BYTES], uint8_t ret[CS_KEY_BYTES]);
    /* signer: of that seed */
    void (*sign)(const uint8_t seed[CS_SEED_BYTES], const uint8_t signer[CS_KEY_BYTES],
                 const uint8_t digest[CS_HASH_BYTES], uint8_t ret[CS_SIGNATURE_BYTES]);
    bool (*check)(const uint8_t signer[CS_KEY_BYTES], const uint8_t digest[CS_HASH_BYTES],
                  const uint8_t signature[CS_SIGNATURE_BYTES]);
} cs_scheme_t;

extern const cs_scheme_t cs_ed25519;

CS_HEADER_END

#endif
