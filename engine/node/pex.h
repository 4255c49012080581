/* pex.h - where members listen, as they or others say (core.md 7.1, PEX): so that one address
 * that can be reached is enough to find all the others.
 *
 * What a member said of itself is passed on with its age, and the youngest word counts. An
 * address is only a place to try: who answers there has to prove the member's key. */
#ifndef CS_NODE_PEX_H
#define CS_NODE_PEX_H

#include "node/gossip.h"

/* A list is taken so often at most: a member that says another thing each time would be passed
 * on by all. What it says of itself in between is taken then. */
#define CS_PEX_GAP_MS 10000u
/* So long its own word counts alone: others may make up what they like. */
#define CS_PEX_OWN_WORD_MS 86400000u

typedef struct cs_pex_list {
    cs_str_t *at[CS_ENDPOINTS_MAX]; /* owned; in the order in which they are to be tried */
    uint32_t count;
} cs_pex_list_t;

typedef struct cs_pex_item {
    cs_key_t key;
    cs_pex_list_t list;
    cs_pex_list_t later; /* comes in its place after the gap; empty: nothing does */
    cs_str_t *fixed;     /* owned; NULL: none. Stays in the list, whatever is said */
    uint64_t said_ms;    /* by itself, as far as is known; 0: as it was kept */
    uint64_t direct_ms;  /* to us; 0: never */
    uint64_t changed_ms; /* by what was said; 0: never */
    uint64_t version;    /* of the list: another one is greater; 0: there was none yet */
} cs_pex_item_t;

typedef struct cs_pex {
    cs_pex_item_t *item; /* sorted by key */
    size_t len, cap;
    uint64_t version; /* the greatest */
    size_t waiting;   /* lists in `later` */
} cs_pex_t;

typedef enum cs_pex_word {
    CS_PEX_OURS,   /* of this node itself */
    CS_PEX_KEPT,   /* from an earlier life: if nothing else is known */
    CS_PEX_ITSELF, /* the member's own */
    CS_PEX_OTHERS  /* of a member's own word that is said_ms old; adds to what is known */
} cs_pex_word_t;

void cs_pex_fini(cs_pex_t *pex); /* leaves an empty, usable table */
const cs_pex_item_t *cs_pex_find(const cs_pex_t *pex,
                                 const cs_key_t *key); /* NULL: not known */
/* True: that is another list than was known. Of texts that are no endpoints nothing is kept
 * (who dials checks them more closely), and an empty list is none. said_ms: of OTHERS. */
bool cs_pex_set(cs_pex_t *pex, const cs_key_t *key, const cs_texts_t *endpoints,
                cs_pex_word_t word, uint64_t said_ms, uint64_t now_ms);
/* A list that waited for the gap to pass is in force now: whose; NULL: none. */
const cs_key_t *cs_pex_ripen(cs_pex_t *pex, uint64_t now_ms);
/* A user gave it: what a member sees of itself may not be how it is reached from outside. */
void cs_pex_fix(cs_pex_t *pex, const cs_key_t *key, const char *endpoint);
/* Somebody who may hear of it was not told: it has a new version. Not known: nothing. */
void cs_pex_touch(cs_pex_t *pex, const cs_key_t *key);
/* The item whose list has the least version greater than `after`; NULL: none. */
const cs_pex_item_t *cs_pex_next(const cs_pex_t *pex, uint64_t after);

#endif
