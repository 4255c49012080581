/* chunker.h - where one chunk ends and the next begins: FastCDC (Xia et al., ATC 2016).
 *
 * A rolling gear hash over the last 64 bytes; a chunk ends where its high bits are zero.
 * Normalised at level 2: two bits more are required before the average length and two less
 * after it, which narrows the spread of lengths. The first CS_CHUNK_MIN bytes of a chunk are
 * skipped. The table is keyed: with a known one, chunk lengths would tell which known files a
 * folder holds. */
#ifndef CS_XFER_CHUNKER_H
#define CS_XFER_CHUNKER_H

#include "base/base.h"
#include "base/limits.h"

typedef struct cs_chunker {
    uint64_t hash;
    uint32_t len; /* bytes of the current chunk so far, < CS_CHUNK_MAX */
} cs_chunker_t;

/* key: 32 bytes. */
void cs_gear_derive(const uint8_t *key, uint64_t ret_gear[256]);

/* Take bytes of the current chunk, at most up to its end. Returns how many were taken; *ret_cut
 * is true if the chunk ends after them, and the next call begins a new one. */
size_t cs_chunker_take(cs_chunker_t *chunker, const uint64_t gear[256], const uint8_t *data,
                       size_t len, bool *ret_cut);

#endif
