/* symbols.h - coded symbols: a set of items as a stream of sums (core.md 8.1).
 *
 * Symbol i holds the XOR of all items that map to i, the XOR of their checks, and how many they
 * are. Every item maps to 0, and to ever rarer indices after it: to i with probability
 * 1 / (1 + i/2). The symbols of two sets, subtracted, are those of their difference; about 1.35
 * symbols from the beginning of the stream per item that differs give the items themselves
 * (recon/peel.h). Rateless IBLT: Yang, Gilad, Alizadeh, SIGCOMM 2024.
 *
 * Indices come of IEEE doubles, in one order of operations, and must be the same everywhere:
 * tests/unit/symbols_test.c has sequences that another program computed. */
#ifndef CS_BASE_SYMBOLS_H
#define CS_BASE_SYMBOLS_H

#include "base/buf.h"
#include "base/limits.h"

CS_HEADER_BEGIN

#define CS_ITEM_BYTES    16u /* digest of a live entry */
#define CS_SYM_KEY_BYTES 16u
/* what a symbol takes on the wire, at least and at most */
#define CS_SYMBOL_BYTES_MIN 25u
#define CS_SYMBOL_BYTES_MAX 34u

typedef struct cs_symbol {
    uint64_t sum[CS_ITEM_BYTES / 8]; /* XOR of the items' bytes */
    uint64_t check;                  /* XOR of cs_item_check of the items */
    uint64_t count;                  /* of items; mod 2^64, for differences may be negative */
} cs_symbol_t;

/* An owned block of the symbols 0..count-1. */
typedef struct cs_symbols {
    cs_symbol_t *at;
    size_t count;
} cs_symbols_t;
void cs_symbols_init(cs_symbols_t *symbols, size_t count); /* of the empty set */
void cs_symbols_fini(cs_symbols_t *symbols);

/* SipHash-2-4 of the item. */
uint64_t cs_item_check(const uint8_t key[CS_SYM_KEY_BYTES], const uint8_t item[CS_ITEM_BYTES]);

/* The indices of an item, ascending: index is the first one, then call next. */
typedef struct cs_spread {
    uint64_t state, index;
} cs_spread_t;
cs_spread_t cs_spread(uint64_t check);
void cs_spread_next(cs_spread_t *spread); /* CS_SYMBOL_INDEX_MAX or more: no other follows */

/* XOR into one symbol; by: what is added to its count, 1 or UINT64_MAX for minus one. */
void cs_symbol_mix(cs_symbol_t *symbol, const uint8_t item[CS_ITEM_BYTES], uint64_t check,
                   uint64_t by);
bool cs_symbol_is_zero(const cs_symbol_t *symbol);
/* Put into, or take out of, all symbols that the item maps to. */
void cs_symbols_put(const cs_symbols_t *symbols, const uint8_t key[CS_SYM_KEY_BYTES],
                    const uint8_t item[CS_ITEM_BYTES]);
void cs_symbols_take(const cs_symbols_t *symbols, const uint8_t key[CS_SYM_KEY_BYTES],
                     const uint8_t item[CS_ITEM_BYTES]);

/* Those of both sets together, of which no item is in both. As many as there are of `more`. */
void cs_symbols_merge(const cs_symbols_t *symbols, const cs_symbols_t *more);

/* How many symbols of a set of n are kept: the next power of two >= 2n, within CS_SYMBOLS_MIN
 * and CS_SYMBOLS_MAX. */
size_t cs_symbols_kept(uint64_t n);

/* --- on the wire: 16 B sum, 8 B check, zigzag varint of count - round(n / (1 + i/2)) */

/* Appends symbols[0..count), which have the indices from `start` on, of a set of n. */
void cs_symbols_encode(const cs_symbol_t *symbols, size_t count, uint64_t start, uint64_t n,
                       cs_buf_t *ret);
/* ret: replaced, owned. CS_ERR_MALFORMED: broken, none, a count that a set of n cannot have, or
 * n > CS_ITEMS_MAX; CS_ERR_LIMIT: more than `max`. ret is empty then. */
CS_MUST_USE cs_err_t cs_symbols_decode(cs_slice_t bytes, uint64_t start, uint64_t n, size_t max,
                                       cs_symbols_t *ret);

CS_HEADER_END

#endif
