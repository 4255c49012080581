/* mem.c - see mem.h for why these stop the process instead of failing, account.h for heads. */
#include "base/mem.h"

#include "base/account.h"

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

/* --- accounts */

/* In front of each block, while they are counted. */
typedef struct head {
    size_t bytes;
    size_t account;
} head_t;

static bool counting;
static unsigned current;
static size_t held[CS_ACCOUNTS_MAX];

static void *take(head_t *head, size_t bytes, unsigned account)
{
    head->bytes = bytes;
    head->account = account;
    if (account != CS_ACCOUNT_NONE) held[account] += bytes;
    return head + 1;
}

static head_t *leave(void *memory)
{
    head_t *head = (head_t *)memory - 1;
    if (head->account != CS_ACCOUNT_NONE) held[head->account] -= head->bytes;
    return head;
}

void cs_account_begin(void)
{
    counting = true;
}

bool cs_account_is_on(void)
{
    return counting;
}

unsigned cs_account_use(unsigned account)
{
    CS_ASSERT(account < CS_ACCOUNTS_MAX);
    unsigned before = current;
    current = account;
    return before;
}

void cs_account_give(void *memory, unsigned account)
{
    if (!counting || memory == NULL) return;
    head_t *head = leave(memory);
    (void)take(head, head->bytes, account);
}

size_t cs_account_held(unsigned account)
{
    CS_ASSERT(account < CS_ACCOUNTS_MAX);
    return held[account];
}

/* --- blocks */

void *cs_malloc(size_t bytes)
{
    if (counting) {
        CS_ASSERT(bytes <= SIZE_MAX - sizeof(head_t));
        return take(checked(malloc(sizeof(head_t) + bytes), bytes), bytes, current);
    }
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
    if (counting) {
        CS_ASSERT(bytes <= (SIZE_MAX - sizeof(head_t)) / count);
        head_t *head = checked(calloc(1, sizeof(head_t) + count * bytes), bytes);
        return take(head, count * bytes, current);
    }
    return checked(calloc(count, bytes), bytes);
}

/* It stays whose it was. */
static void *recount(void *old, size_t bytes)
{
    CS_ASSERT(bytes <= SIZE_MAX - sizeof(head_t));
    head_t *head = old != NULL ? leave(old) : NULL;
    unsigned account = head != NULL ? (unsigned)head->account : current;
    return take(checked(realloc(head, sizeof(head_t) + bytes), bytes), bytes, account);
}

void *cs_realloc_array(void *old, size_t count, size_t bytes)
{
    CS_ASSERT(bytes > 0 && count <= SIZE_MAX / bytes);
    if (counting) return recount(old, count * bytes);
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
    if (counting && memory != NULL) memory = leave(memory);
    free(memory);
}

size_t cs_grow(size_t cap, size_t need)
{
    size_t grown = cap == 0 ? 4 : cap + cap / 2 + 1;
    return grown > need ? grown : need;
}
