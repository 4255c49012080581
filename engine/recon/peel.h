/* peel.h - from symbols of a difference to the items that differ (core.md 8.1).
 *
 * A symbol that holds one item alone, and says so by its check, gives that item; taken out of
 * all symbols it maps to, it lays bare others. All is found when symbol 0, which holds every
 * item, is empty. Symbols come in any number of turns. What no two sets can make (the peer
 * lies, or two items have one check) ends in an error or never completes; work and memory are
 * bounded by the symbols given. */
#ifndef CS_RECON_PEEL_H
#define CS_RECON_PEEL_H

#include "base/symbols.h"

typedef struct cs_peel cs_peel_t;

typedef struct cs_peeled {
    uint8_t item[CS_ITEM_BYTES];
    bool negative; /* only the subtracted set has it */
} cs_peeled_t;

cs_peel_t *cs_peel_new(const uint8_t key[CS_SYM_KEY_BYTES]); /* the key is copied */
void cs_peel_destroy(cs_peel_t **peel_p);

/* The next symbols of both sets, `more` minus `less`. CS_ERR_MISMATCH: they are not symbols of
 * two sets; nothing more may be added. */
CS_MUST_USE cs_err_t cs_peel_add(cs_peel_t *peel, const cs_symbol_t *more,
                                 const cs_symbol_t *less, size_t count);
bool cs_peel_is_complete(const cs_peel_t *peel);
size_t cs_peel_symbols(const cs_peel_t *peel);
/* What the counts tell long before any item comes apart. False: too few symbols to tell. */
typedef struct cs_peel_guess {
    uint64_t least;  /* so many items differ: wrong once in 10^8 times, or if the peer lies */
    uint64_t enough; /* so many symbols give all of them, most probably */
} cs_peel_guess_t;
bool cs_peel_guess(const cs_peel_t *peel, cs_peel_guess_t *ret);
/* Most symbols are empty and yet something does not come apart: two items have one check. False
 * for fewer than 1024 symbols, where that happens without. */
bool cs_peel_is_stuck(const cs_peel_t *peel);
/* What was found so far; borrowed until the next call of add. */
const cs_peeled_t *cs_peel_items(const cs_peel_t *peel, size_t *ret_count);

#endif
