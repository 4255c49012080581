/* marks.h - how far each replica has counted, signed by its node (core.md 10 d).
 *
 * A member who made up `ctx[X] = 2^63` for a replica X of somebody else would kill whatever X
 * writes from then on, unseen. So X signs how far it has counted, marks travel ahead of what
 * they vouch for, and what names a number above the best mark is not taken. A replica id is
 * made of its node's Ed25519 key and a random number: nobody else can sign for it.
 *
 * Whoever holds a number holds a mark that covers it: rows of marks are written with, or
 * before, the rows that need them. A mark is an upper bound and no more: to sign gives nothing
 * away. */
#ifndef CS_NODE_MARKS_H
#define CS_NODE_MARKS_H

#include "base/digest.h"
#include "base/store.h"
#include "crdt/entry.h"
#include "node/scheme.h"
#include "proto/frame.h"

CS_HEADER_BEGIN

typedef struct cs_signed_mark {
    uint64_t rid, nonce; /* rid: made of signer and nonce */
    uint64_t ctr;        /* no number above was given away */
    uint8_t signer[CS_KEY_BYTES];
    uint8_t signature[CS_SIGNATURE_BYTES]; /* zeros while ctr is 0 */
    bool unsaved;                          /* another one than its row */
    bool kept;                             /* there is a row */
} cs_signed_mark_t;

typedef struct cs_marks cs_marks_t;

/* All borrowed, but the seed. scheme NULL: Ed25519. */
cs_marks_t *cs_marks_new(const cs_keys_t *folder, const cs_scheme_t *scheme,
                         const uint8_t seed[CS_SEED_BYTES]);
void cs_marks_destroy(cs_marks_t **marks_p);

/* A replica id of this node. Never 0. */
uint64_t cs_marks_rid(const cs_marks_t *marks, uint64_t nonce);
/* Of which ids numbers are held: borrowed from now on. */
void cs_marks_hold(cs_marks_t *marks, const cs_vv_t *seen, const cs_vv_t *heard);
/* There is room for one more id of this replica. */
bool cs_marks_have_room(const cs_marks_t *marks);
/* This is the id of this replica from now on. There has to be room. */
void cs_marks_become(cs_marks_t *marks, uint64_t nonce);
/* Signs for numbers of this replica up to ctr, unless that was done. */
void cs_marks_vouch(cs_marks_t *marks, uint64_t ctr);

/* Of a peer. ret_rid: whose it is. CS_OK also if as good a one is known, which is not checked
 * again. One too many takes the place of one of which no number is held; CS_ERR_LIMIT: all are
 * needed. CS_ERR_UNSIGNED: that is no signature. Nothing changes then. */
CS_MUST_USE cs_err_t cs_marks_learn(cs_marks_t *marks, const cs_msg_mark_t *mark,
                                    uint64_t *ret_rid);
uint64_t cs_marks_displaced(const cs_marks_t *marks); /* how many went for others so far */
/* A number of that id is held, or its mark has a row: what names it may be said. */
bool cs_marks_is_held(const cs_marks_t *marks, const cs_signed_mark_t *mark);
/* Is every number signed for? */
bool cs_marks_cover(const cs_marks_t *marks, const cs_vv_t *vv);
bool cs_marks_cover_dot(const cs_marks_t *marks, cs_dot_t dot);
bool cs_marks_cover_entry(const cs_marks_t *marks, const cs_entry_t *entry);

/* Sorted by rid. */
const cs_signed_mark_t *cs_marks_all(const cs_marks_t *marks, size_t *ret_count);
cs_msg_mark_t cs_marks_msg(const cs_signed_mark_t *mark); /* borrows of it */
/* Grows whenever a mark of those above 0 changes. */
uint64_t cs_marks_version(const cs_marks_t *marks);

/* Rows m/mark/<rid> of a folder. One that rotted is as if it were not there:
 * of another's id peers tell it again. */
CS_MUST_USE cs_err_t cs_marks_load(cs_marks_t *marks, cs_store_t *store, uint32_t folder);
/* False: this id is not of this node, or its row was lost. What vouches for numbers above
 * `exposed` is not told: a peer that heard of them could make this replica believe that it was
 * put back to an older state (core.md 6.4). */
bool cs_marks_resume(cs_marks_t *marks, uint64_t rid, uint64_t exposed);
/* What changed of marks of which numbers are held; this replica's own up to ctr. */
void cs_marks_save(cs_marks_t *marks, uint32_t folder, uint64_t ctr, cs_batch_t *ret);

CS_HEADER_END

#endif
