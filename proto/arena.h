/* arena.h - memory of one decoded message: taken piece by piece, given back at once.
 *
 * The bound makes a hostile message fail instead of growing: allocation beyond it returns NULL,
 * which protobuf-c reports as a message that cannot be unpacked. */
#ifndef CS_PROTO_ARENA_H
#define CS_PROTO_ARENA_H

#include "base/base.h"

typedef struct cs_arena cs_arena_t;

cs_arena_t *cs_arena_new(size_t bytes_max);
void cs_arena_destroy(cs_arena_t **arena_p);
/* Aligned for any type; NULL beyond the bound. */
void *cs_arena_alloc(cs_arena_t *arena, size_t bytes);

#endif
