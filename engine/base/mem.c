/* mem.c - see mem.h for why these stop the process instead of failing. */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t bytes)
{
    if (memory != NULL || bytes == 0) return memory;
    fprintf(stderr,
            "crdtsync: out of memory: %zu bytes were refused; nothing on disk is lost\n",
            bytes);
    abort();
}

void *cs_malloc(size_t bytes)
{
    return checked(malloc(bytes == 0 ? 1 : bytes), bytes);
}

/* glibc's calloc leaves out the per-thread cache, which small blocks should come from; the
 * compiler is kept from making a calloc of the two calls. */
#define SMALL_BYTES 1024u

void *cs_calloc(size_t count, size_t bytes)
{
    if (count == 0 || bytes == 0) count = bytes = 1;
    if (count <= SMALL_BYTES && bytes <= SMALL_BYTES / count) {
        void *memory = cs_malloc(count * bytes);
        __asm__("" : "+r"(memory));
        return memset(memory, 0, count * bytes); /* NOLINT(clang-analyzer-unix.Malloc) */
    }
    return checked(calloc(count, bytes), bytes);
}

void *cs_realloc_array(void *old, size_t count, size_t bytes)
{
    CS_ASSERT(bytes > 0 && count <= SIZE_MAX / bytes);
    return checked(realloc(old, count == 0 ? bytes : count * bytes), bytes);
}

void *cs_memdup(const void *data, size_t bytes)
{
    void *copy = cs_malloc(bytes);
    if (bytes > 0) memcpy(copy, data, bytes);
    return copy;
}

char *cs_strdup(const char *text)
{
    return cs_memdup(text, strlen(text) + 1);
}

void cs_free(void *memory)
{
    free(memory);
}

size_t cs_grow(size_t cap, size_t need)
{
    size_t grown = cap == 0 ? 4 : cap + cap / 2 + 1;
    return grown > need ? grown : need;
}
