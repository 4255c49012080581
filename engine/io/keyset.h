/* keyset.h - a set of CURVE public keys: a sorted array, as there are tens of them. */
#ifndef CS_IO_KEYSET_H
#define CS_IO_KEYSET_H

#include "base/base.h"

#define CS_CURVE_KEY_BYTES 32u

typedef struct cs_keyset {
    uint8_t (*keys)[CS_CURVE_KEY_BYTES]; /* owned, ascending */
    size_t count, cap;
} cs_keyset_t;

void cs_keyset_fini(cs_keyset_t *set); /* zero-initialise to begin */
bool cs_keyset_has(const cs_keyset_t *set, const uint8_t key[CS_CURVE_KEY_BYTES]);
bool cs_keyset_add(cs_keyset_t *set,
                   const uint8_t key[CS_CURVE_KEY_BYTES]); /* false: was there */
bool cs_keyset_remove(cs_keyset_t *set,
                      const uint8_t key[CS_CURVE_KEY_BYTES]); /* false: was not */

#endif
