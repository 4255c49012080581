/* arena.c - a list of blocks, each at least twice as large as the one before. */
#include "proto/arena.h"

#include "base/mem.h"

#define BLOCK_BYTES 4096u /* the first one: holds any small message */
#define ALIGN       16u

typedef struct block {
    struct block *next;
    size_t used, cap;
    _Alignas(ALIGN) uint8_t data[];
} block_t;

struct cs_arena {
    block_t *blocks; /* newest first */
    size_t left;     /* of the bound */
};

cs_arena_t *cs_arena_new(size_t bytes_max)
{
    cs_arena_t *arena = cs_calloc(1, sizeof *arena);
    arena->left = bytes_max;
    return arena;
}

void cs_arena_destroy(cs_arena_t **arena_p)
{
    if (*arena_p == NULL) return;
    for (block_t *block = (*arena_p)->blocks, *next; block != NULL; block = next) {
        next = block->next;
        cs_free(block);
    }
    cs_free(*arena_p);
    *arena_p = NULL;
}

static void grow(cs_arena_t *arena, size_t bytes)
{
    size_t cap = arena->blocks == NULL ? BLOCK_BYTES : 2 * arena->blocks->cap;
    if (cap < bytes) cap = bytes;
    block_t *block = cs_malloc(sizeof *block + cap);
    *block = (block_t){.next = arena->blocks, .cap = cap};
    arena->blocks = block;
}

void *cs_arena_alloc(cs_arena_t *arena, size_t bytes)
{
    if (bytes > arena->left) return NULL;
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    arena->left -= bytes < arena->left ? bytes : arena->left;
    if (arena->blocks == NULL || arena->blocks->cap - arena->blocks->used < bytes) {
        grow(arena, bytes);
    }
    void *ret = arena->blocks->data + arena->blocks->used;
    arena->blocks->used += bytes;
    return ret;
}
