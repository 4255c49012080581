/* draw.c - see draw.h. The finaliser is that of splitmix64. */
#include "sim/draw.h"

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t cs_draw(uint64_t seed, cs_draw_stream_t stream, uint64_t a, uint64_t b)
{
    uint64_t x = mix(seed + 0x9e3779b97f4a7c15u * ((uint64_t)stream + 1));
    x = mix(x + 0x9e3779b97f4a7c15u + a);
    return mix(x + 0x9e3779b97f4a7c15u + b);
}

uint64_t cs_draw_below(uint64_t seed, cs_draw_stream_t stream, uint64_t a, uint64_t b,
                       uint64_t bound)
{
    CS_ASSERT(bound > 0);
    return cs_draw(seed, stream, a, b) % bound; /* bounds are small: the bias is below 2^-32 */
}
