/* prng.c - xoshiro256** 1.0 (Blackman and Vigna, 2018). */
#include "base/prng.h"

static uint64_t rotl(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void cs_prng_init(cs_prng_t *prng, uint64_t seed)
{
    for (size_t i = 0; i < CS_COUNT_OF(prng->s); i++) {
        prng->s[i] = splitmix(&seed);
    }
}

uint64_t cs_prng_u64(cs_prng_t *prng)
{
    uint64_t *s = prng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t cs_prng_below(cs_prng_t *prng, uint64_t bound)
{
    CS_ASSERT(bound > 0);
    uint64_t reject =
        (0 - bound) % bound; /* 2^64 mod bound: below it, some results are too likely */
    uint64_t x;
    do {
        x = cs_prng_u64(prng);
    } while (x < reject);
    return x % bound;
}

bool cs_prng_chance(cs_prng_t *prng, uint64_t part, uint64_t whole)
{
    return cs_prng_below(prng, whole) < part;
}

void cs_prng_fill(cs_prng_t *prng, void *ret, size_t len)
{
    uint8_t *bytes = ret;
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word = i % 8 == 0 ? cs_prng_u64(prng) : word >> 8;
        bytes[i] = (uint8_t)word;
    }
}
