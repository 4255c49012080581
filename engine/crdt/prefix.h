/* prefix.h - the first symbols of a replica's live entries, kept as they change (core.md 8.1).
 *
 * An exchange describes a durable snapshot, while the replica is ahead of it. So the prefix
 * remembers which items came and went since the moments that may still be met in a snapshot,
 * one a stage, and takes them back in the copy that it gives. Inside crdt only. */
#ifndef CS_CRDT_PREFIX_H
#define CS_CRDT_PREFIX_H

#include "base/digest.h"
#include "base/symbols.h"

typedef struct cs_change {
    uint8_t item[CS_ITEM_BYTES];
    bool came; /* else it went */
} cs_change_t;

typedef struct cs_mark {
    uint8_t root[CS_HASH_BYTES];
    uint64_t n, at; /* at: number of the first change that it does not have */
} cs_mark_t;

typedef struct cs_prefix {
    cs_symbols_t symbols; /* none: not kept, the replica lives in memory only */
    cs_change_t *change;  /* since the oldest mark */
    uint32_t change_len, change_cap;
    uint64_t change_at; /* number of the first one in `change`, counted from the start */
    cs_mark_t *mark;    /* durable, then staged; the oldest first */
    uint32_t mark_len, mark_cap;
} cs_prefix_t;

void cs__prefix_init(cs_prefix_t *prefix, uint64_t n); /* of the empty set, with room for n */
void cs__prefix_fini(cs_prefix_t *prefix);
void cs__prefix_note(cs_prefix_t *prefix, const uint8_t key[CS_SYM_KEY_BYTES],
                     const uint8_t item[CS_ITEM_BYTES], bool came);
/* Moments: one is staged; the oldest but one became the durable one. */
void cs__prefix_mark(cs_prefix_t *prefix, const uint8_t root[CS_HASH_BYTES], uint64_t n);
void cs__prefix_durable(cs_prefix_t *prefix);
/* CS_ERR_NOT_FOUND: that moment is not remembered; ret is empty. */
CS_MUST_USE cs_err_t cs__prefix_at(const cs_prefix_t *prefix,
                                   const uint8_t key[CS_SYM_KEY_BYTES],
                                   const uint8_t root[CS_HASH_BYTES], uint64_t n, size_t count,
                                   cs_symbols_t *ret);
/* The newest moment's, as the value of m/symbols: root, varint n, and the symbols as on the
 * wire, as many as are kept of n. Decode: false, and the prefix as it was, if it is not of that
 * root and n, or has not as many. */
void cs__prefix_encode(const cs_prefix_t *prefix, const uint8_t root[CS_HASH_BYTES], uint64_t n,
                       cs_buf_t *ret);
bool cs__prefix_decode(cs_prefix_t *prefix, cs_slice_t value, const uint8_t root[CS_HASH_BYTES],
                       uint64_t n);

#endif
