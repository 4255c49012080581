/* prng.h - reproducible random numbers: xoshiro256** seeded by splitmix64.
 *
 * For tests, the simulator and jitter; never for keys. Equal seeds give equal streams
 * everywhere. */
#ifndef CS_BASE_PRNG_H
#define CS_BASE_PRNG_H

#include "base/base.h"

CS_HEADER_BEGIN

typedef struct cs_prng {
    uint64_t s[4];
} cs_prng_t;

void cs_prng_init(cs_prng_t *prng, uint64_t seed); /* any seed, 0 too */
uint64_t cs_prng_u64(cs_prng_t *prng);
uint64_t cs_prng_below(cs_prng_t *prng, uint64_t bound); /* uniform in 0..bound-1; bound > 0 */
bool cs_prng_chance(cs_prng_t *prng, uint64_t part,
                    uint64_t whole); /* true in part of whole cases */
void cs_prng_fill(cs_prng_t *prng, void *ret, size_t len);

CS_HEADER_END

#endif
