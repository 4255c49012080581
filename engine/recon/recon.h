/* recon.h - what differs between two snapshots, mine and a peer's (core.md 8).
 *
 *      initiator                                     responder
 *      cs_differ_ask    --- symbols / list / more -->  cs_teller_ask
 *      cs_differ_feed   <-- SYMS, LIST --------------  cs_teller_next
 *      cs_differ_next   what only one of us has
 *
 * The differ knows what to ask for; the teller answers from its snapshot. Whatever the way:
 *
 *   symbols      of all entries, twice as many each round trip. About 1.35 give one item that
 *                differs, so the bytes follow the difference.
 *   partitions   where 65,536 were not enough: one of the 256 parts that begin with the same 8
 *                bits tells how many differ; then part after part, each small enough.
 *   list         every digest in order: where so much differs that it is cheaper, where the
 *                symbols make no sense, and for a peer that has no symbols.
 *
 * Messages are the caller's (node/gossip_*.c); here are only asks and answers. What a peer says
 * can waste a bounded number of bytes and no more: only entries that hash to what was asked for
 * change any state. */
#ifndef CS_RECON_RECON_H
#define CS_RECON_RECON_H

#include "base/symbols.h"
#include "recon/view.h"

/* Where one way gives way to another. Both ends count with the same: part of the protocol.
 * Tests have smaller ones, to see all of it in small folders. */
typedef struct cs_recon_limits {
    uint32_t symbols_max, symbols_min; /* of one stream */
    uint32_t symbols_first;            /* sent unasked */
    uint32_t sample_bits;              /* of the part by which the difference is estimated */
    uint32_t part_differences;         /* wanted in one part */
    uint32_t list_percent;             /* of the peer's items that differ: a list is cheaper */
} cs_recon_limits_t;
extern const cs_recon_limits_t cs_recon_defaults;

/* One end of an exchange: all borrowed, of one moment. */
typedef struct cs_recon {
    cs_view_t view;
    const uint8_t *key; /* CS_SYM_KEY_BYTES */
    uint64_t n;         /* live entries */
    const cs_recon_limits_t *limits;
} cs_recon_t;

/* How many symbols are told of a set of n at most: beyond, a list is cheaper. */
size_t cs_symbols_told(const cs_recon_limits_t *limits, uint64_t n);

/* --- asks and answers */

typedef enum cs_recon_ask_kind {
    CS_ASK_SYMBOLS, /* of the items whose top part_bits are part_index, from the first on */
    CS_ASK_MORE,    /* of the same, up to `up_to` in all */
    CS_ASK_STOP,    /* no more symbols are needed */
    CS_ASK_LIST     /* what follows `after` */
} cs_recon_ask_kind_t;

typedef struct cs_recon_ask {
    cs_recon_ask_kind_t kind;
    uint32_t part_bits;
    uint64_t part_index;
    uint64_t up_to;
    cs_slice_t after; /* one digest, or empty: from the start */
} cs_recon_ask_t;

typedef enum cs_recon_answer_kind { CS_ANSWER_SYMBOLS, CS_ANSWER_LIST } cs_recon_answer_kind_t;

typedef struct cs_recon_answer {
    cs_recon_answer_kind_t kind;
    uint64_t start, n; /* SYMBOLS: index of the first; items in the part */
    cs_slice_t bytes;  /* encoded symbols; digests, sorted */
    bool last;         /* LIST */
} cs_recon_answer_t;

/* --- the side that asks */

typedef struct cs_differ cs_differ_t;

typedef enum cs_diff {
    CS_DIFF_THEIRS, /* only the peer has it: fetch */
    CS_DIFF_MINE,   /* only I have it: push */
    CS_DIFF_MORE,   /* ask, and feed the answer first */
    CS_DIFF_END
} cs_diff_t;

typedef struct cs_diff_item {
    uint8_t item[CS_ITEM_BYTES];
    cs_bucket_t bucket; /* MINE */
} cs_diff_item_t;

typedef enum cs_differ_way { CS_BY_SYMBOLS, CS_BY_LIST } cs_differ_way_t;

/* prefix: my symbols, taken over; without, they are made of the rows. recon is copied. */
cs_differ_t *cs_differ_new(const cs_recon_t *recon, cs_differ_way_t way, cs_symbols_t *prefix);
void cs_differ_destroy(cs_differ_t **differ_p);

/* Something to ask now: each is given once. ret->after is valid until the next feed. */
bool cs_differ_ask(cs_differ_t *differ, cs_recon_ask_t *ret);
/* CS_ERR_MALFORMED, CS_ERR_LIMIT: not what was asked for; drop the peer. Else as the store. */
CS_MUST_USE cs_err_t cs_differ_feed(cs_differ_t *differ, const cs_recon_answer_t *answer);
/* Errors are those of the store. An item may be told twice, if ways were changed. */
CS_MUST_USE cs_err_t cs_differ_next(cs_differ_t *differ, cs_diff_t *ret,
                                    cs_diff_item_t *ret_item);

typedef struct cs_differ_facts {
    uint64_t symbols; /* received */
    uint64_t parts;   /* partitions asked for */
    bool listed;      /* a list was asked for */
    bool nonsense;    /* symbols were not those of any set: no honest peer's */
} cs_differ_facts_t;
const cs_differ_facts_t *cs_differ_facts(const cs_differ_t *differ);

/* --- the side that tells */

typedef struct cs_teller cs_teller_t;

cs_teller_t *cs_teller_new(const cs_recon_t *recon, cs_symbols_t *prefix); /* as above */
void cs_teller_destroy(cs_teller_t **teller_p);
/* CS_ERR_MALFORMED: no differ asks so; drop the peer. Else as the store. */
CS_MUST_USE cs_err_t cs_teller_ask(cs_teller_t *teller, const cs_recon_ask_t *ask);
/* What may be said now, piece by piece; false: nothing, until asked again, or an error.
 * ret->bytes is valid until the next call. */
bool cs_teller_next(cs_teller_t *teller, cs_recon_answer_t *ret);
CS_MUST_USE cs_err_t cs_teller_err(const cs_teller_t *teller);
bool cs_teller_listed(const cs_teller_t *teller);   /* a list was asked for */
uint64_t cs_teller_rows(const cs_teller_t *teller); /* read from the store so far */

#endif
