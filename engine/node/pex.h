/* pex.h - where members listen, as they or others say (core.md 7.1, PEX): so that one address
 * that can be reached is enough to find all the others.
 *
 * What a member said of itself is passed on with its age, and the youngest word counts. An
 * address is only a place to try: who answers there has to prove the member's key. */
#ifndef CS_NODE_PEX_H
#define CS_NODE_PEX_H

#include "node/gossip.h"

/* What others say of one key is taken so often at most: a member that says another thing each
 * time would be passed on by all. */
#define CS_PEX_GAP_MS 10000u

typedef struct cs_pex_item {
    cs_key_t key;
    cs_str_t
        *endpoint[CS_ENDPOINTS_MAX]; /* owned; in the order in which they are to be tried */
    cs_str_t *fixed; /* owned; NULL: none. Stays in the list, whatever its member says */
    uint32_t count;
    uint64_t said_ms;    /* by itself, as far as is known */
    uint64_t changed_ms; /* here */
    uint64_t version;    /* of the list: another one is greater */
} cs_pex_item_t;

typedef struct cs_pex {
    cs_pex_item_t *item; /* sorted by key */
    size_t len, cap;
    uint64_t version; /* the greatest */
} cs_pex_t;

void cs_pex_fini(cs_pex_t *pex); /* leaves an empty, usable table */
const cs_pex_item_t *cs_pex_find(const cs_pex_t *pex,
                                 const cs_key_t *key); /* NULL: not known */
/* True: that is another list than was known. Of texts that are no endpoints nothing is kept
 * (who dials checks them more closely). said_ms: an older word than what is known is ignored,
 * as is one within CS_PEX_GAP_MS of the last change; `sure` is never. An empty list forgets. */
bool cs_pex_set(cs_pex_t *pex, const cs_key_t *key, const cs_texts_t *endpoints,
                uint64_t said_ms, uint64_t now_ms, bool sure);
/* A user gave it: what a member sees of itself may not be how it is reached from outside. */
void cs_pex_fix(cs_pex_t *pex, const cs_key_t *key, const char *endpoint);
/* The item whose list has the least version greater than `after`; NULL: none. */
const cs_pex_item_t *cs_pex_next(const cs_pex_t *pex, uint64_t after);

#endif
