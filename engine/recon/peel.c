/* peel.c - one queue of symbols to look at; every item found walks its indices, and goes on
 * doing so when more symbols come. */
#include "recon/peel.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

#define SPREAD_FROM 16u  /* symbols: before, most items are in each */
#define SPREAD_MIN  100u /* symbols: fewer than 72 tell nothing */
#define GUESS_MAX   1e15 /* items: what a liar's symbols may come to */

typedef struct found {
    uint64_t check;
    cs_spread_t at; /* the first index without a symbol yet */
    uint64_t by;    /* what taking it out adds to a count */
} found_t;

struct cs_peel {
    uint8_t key[CS_SYM_KEY_BYTES];
    cs_symbol_t *symbols;
    bool *queued; /* per symbol: waits in the queue */
    size_t count, cap;
    cs_peeled_t *items;
    found_t *found; /* parallel */
    size_t item_count, item_cap;
    uint32_t *queue; /* indices of symbols, each at most once: a stack of `cap` */
    size_t queue_len;
    double size_gap; /* items of the one set less those of the other: the count of symbol 0 */
    double spread;   /* sum over symbols of (count - mean)^2, each by what it is per item */
    bool broken;
};

cs_peel_t *cs_peel_new(const uint8_t key[CS_SYM_KEY_BYTES])
{
    cs_peel_t *peel = cs_calloc(1, sizeof *peel);
    memcpy(peel->key, key, sizeof peel->key);
    return peel;
}

void cs_peel_destroy(cs_peel_t **peel_p)
{
    cs_peel_t *peel = *peel_p;
    if (peel == NULL) return;
    cs_free(peel->symbols);
    cs_free(peel->queued);
    cs_free(peel->items);
    cs_free(peel->found);
    cs_free(peel->queue);
    cs_free(peel);
    *peel_p = NULL;
}

static void reserve(cs_peel_t *peel, size_t more)
{
    if (peel->cap - peel->count >= more) return;
    peel->cap = cs_grow(peel->cap, peel->count + more);
    peel->symbols = cs_realloc_array(peel->symbols, peel->cap, sizeof *peel->symbols);
    peel->queued = cs_realloc_array(peel->queued, peel->cap, sizeof *peel->queued);
    peel->queue = cs_realloc_array(peel->queue, peel->cap, sizeof *peel->queue);
}

static void look_at(cs_peel_t *peel, size_t index)
{
    uint64_t count = peel->symbols[index].count;
    if (peel->queued[index] || (count != 1 && count != UINT64_MAX)) return;
    peel->queued[index] = true;
    peel->queue[peel->queue_len++] = (uint32_t)index;
}

/* Out of all symbols there are, from where it was left. True: `index` was among them. */
static bool take_out(cs_peel_t *peel, size_t which, size_t index)
{
    found_t *found = &peel->found[which];
    bool met = false;
    for (; found->at.index < peel->count; cs_spread_next(&found->at)) {
        size_t at = (size_t)found->at.index;
        cs_symbol_mix(&peel->symbols[at], peel->items[which].item, found->check, found->by);
        look_at(peel, at);
        met = met || at == index;
    }
    return met;
}

static void push(cs_peel_t *peel, const cs_symbol_t *symbol)
{
    if (peel->item_count == peel->item_cap) {
        peel->item_cap = cs_grow(peel->item_cap, peel->item_count + 1);
        peel->items = cs_realloc_array(peel->items, peel->item_cap, sizeof *peel->items);
        peel->found = cs_realloc_array(peel->found, peel->item_cap, sizeof *peel->found);
    }
    cs_peeled_t *item = &peel->items[peel->item_count];
    memcpy(item->item, symbol->sum, sizeof item->item);
    item->negative = symbol->count != 1;
    peel->found[peel->item_count] = (found_t){.check = symbol->check,
                                              .at = cs_spread(symbol->check),
                                              .by = item->negative ? 1 : UINT64_MAX};
    peel->item_count++;
}

static bool is_pure(const cs_peel_t *peel, const cs_symbol_t *symbol)
{
    if (symbol->count != 1 && symbol->count != UINT64_MAX) return false;
    uint8_t item[CS_ITEM_BYTES];
    memcpy(item, symbol->sum, sizeof item);
    return cs_item_check(peel->key, item) == symbol->check;
}

/* Honest symbols give no more items than there are symbols; junk could go round for ever. */
static bool peel_all(cs_peel_t *peel)
{
    while (peel->queue_len > 0) {
        size_t index = peel->queue[--peel->queue_len];
        peel->queued[index] = false;
        if (!is_pure(peel, &peel->symbols[index])) continue;
        if (peel->item_count >= 2 * peel->count) return false;
        push(peel, &peel->symbols[index]);
        if (!take_out(peel, peel->item_count - 1, index)) return false;
    }
    return true;
}

/* An item that differs is in symbol i with probability p = 1 / (1 + i/2), and adds 1 to its
 * count or takes 1 away: so the count varies by p for each item. The first ones say little. */
static void note_count(cs_peel_t *peel, size_t index)
{
    double count = (double)(int64_t)peel->symbols[index].count;
    if (index == 0) peel->size_gap = count;
    if (index < SPREAD_FROM) return;
    double per_item = 1.0 / (1.0 + (double)index / 2.0);
    double off = count - peel->size_gap * per_item;
    peel->spread += off * off / per_item;
}

static uint64_t whole(double value)
{
    return value < GUESS_MAX ? (uint64_t)value : (uint64_t)GUESS_MAX;
}

/* The mean of k squares of normal deviates is off by sqrt(2/k), relatively: six of those for
 * what must not be wrong. Symbols: 1.36 an item, and more than that by a root of their number
 * (measured: tests/props/peel_test.c). */
bool cs_peel_guess(const cs_peel_t *peel, cs_peel_guess_t *ret)
{
    if (peel->count < SPREAD_FROM + SPREAD_MIN) return false;
    double used = (double)(peel->count - SPREAD_FROM), off = sqrt(2.0 / used);
    double items = peel->spread / used, more = items * (1.0 + 2.0 * off);
    ret->least = whole(items * (1.0 - 6.0 * off));
    ret->enough = whole(1.36 * more + 4.0 * sqrt(more)) + 1;
    return true;
}

cs_err_t cs_peel_add(cs_peel_t *peel, const cs_symbol_t *more, const cs_symbol_t *less,
                     size_t count)
{
    if (peel->broken) return CS_ERR_MISMATCH;
    reserve(peel, count);
    for (size_t i = 0; i < count; i++) {
        cs_symbol_t *symbol = &peel->symbols[peel->count + i];
        for (size_t word = 0; word < CS_COUNT_OF(symbol->sum); word++) {
            symbol->sum[word] = more[i].sum[word] ^ less[i].sum[word];
        }
        symbol->check = more[i].check ^ less[i].check;
        symbol->count = more[i].count - less[i].count;
        peel->queued[peel->count + i] = false;
        note_count(peel, peel->count + i);
    }
    size_t first = peel->count;
    peel->count += count;
    for (size_t i = 0; i < peel->item_count; i++) {
        take_out(peel, i, SIZE_MAX);
    }
    for (size_t i = first; i < peel->count; i++) {
        look_at(peel, i);
    }
    peel->broken = !peel_all(peel);
    return peel->broken ? CS_ERR_MISMATCH : CS_OK;
}

bool cs_peel_is_complete(const cs_peel_t *peel)
{
    return !peel->broken && peel->count > 0 && cs_symbol_is_zero(&peel->symbols[0]);
}

/* Two of a few items share all of 64 indices once in 10^5 differences, of so many never. */
#define STUCK_SYMBOLS 1024u

bool cs_peel_is_stuck(const cs_peel_t *peel)
{
    if (peel->count < STUCK_SYMBOLS || cs_peel_is_complete(peel)) return false;
    size_t empty = 0;
    for (size_t i = 0; i < peel->count; i++) {
        empty += cs_symbol_is_zero(&peel->symbols[i]);
    }
    return 2 * empty > peel->count;
}

size_t cs_peel_symbols(const cs_peel_t *peel)
{
    return peel->count;
}

const cs_peeled_t *cs_peel_items(const cs_peel_t *peel, size_t *ret_count)
{
    *ret_count = peel->item_count;
    return peel->items;
}
