/* vv.h - dots, and version vectors: how much of each replica's history is known.
 *
 * A dot names one event: the ctr-th of replica rid. A vector maps rid to the highest counter
 * known, none below it missing (core.md 2, Lemma P). Absent and zero mean the same, so zero is
 * never stored: equal vectors have equal slots and encode to the same bytes everywhere.
 *
 * merge is a join: commutative, associative, idempotent. Zero-initialise; up to CS_VV_INLINE
 * slots need no allocation. Copy with cs_vv_copy, never by assignment. */
#ifndef CS_CRDT_VV_H
#define CS_CRDT_VV_H

#include "base/buf.h"
#include "base/limits.h"

CS_HEADER_BEGIN

typedef struct cs_dot {
    uint64_t rid; /* replica, never 0 */
    uint64_t ctr; /* >= 1; 0 only in the null dot {0, 0} */
} cs_dot_t;

#define CS_VV_INLINE 3u

typedef struct cs_vv {
    uint32_t len, cap; /* cap 0: the slots are in `few` */
    union {
        cs_dot_t few[CS_VV_INLINE];
        cs_dot_t *many; /* owned */
    } u;                /* strictly ascending by rid */
} cs_vv_t;

int cs_dot_cmp(cs_dot_t a, cs_dot_t b); /* by rid, then ctr */
bool cs_dot_eq(cs_dot_t a, cs_dot_t b);
bool cs_dot_is_null(cs_dot_t dot);
#define CS_DOT_TEXT 38u                                /* bytes, with the end */
void cs_dot_text(cs_dot_t dot, char ret[CS_DOT_TEXT]); /* "00000000000005ae:17", for people */

void cs_vv_fini(cs_vv_t *vv); /* leaves an empty, usable vector */
const cs_dot_t *cs_vv_slots(const cs_vv_t *vv);
void cs_vv_copy(cs_vv_t *to, const cs_vv_t *from); /* `to` initialised; may equal `from` */
uint64_t cs_vv_get(const cs_vv_t *vv, uint64_t rid);
bool cs_vv_has(const cs_vv_t *vv, cs_dot_t dot);
bool cs_vv_covers(const cs_vv_t *a, const cs_vv_t *b); /* a has seen every event b has */
bool cs_vv_eq(const cs_vv_t *a, const cs_vv_t *b);

/* Raise dot.rid to dot.ctr (> 0) if that is higher; never lowers.
 * CS_ERR_LIMIT: a new replica, and CS_REPLICAS_MAX are known; `vv` unchanged. */
CS_MUST_USE cs_err_t cs_vv_raise(cs_vv_t *vv, cs_dot_t dot);
/* into := join(into, from). CS_ERR_LIMIT as above, `into` unchanged. */
CS_MUST_USE cs_err_t cs_vv_merge(cs_vv_t *into, const cs_vv_t *from);
/* Set rid to ctr outright, 0 removes it: only for a new incarnation (core.md 6.4). */
CS_MUST_USE cs_err_t cs_vv_cut(cs_vv_t *vv, uint64_t rid, uint64_t ctr);

/* varint count, then per slot u64 rid, varint ctr. */
void cs_vv_encode(const cs_vv_t *vv, cs_buf_t *ret);
/* Replaces *ret (initialised). On failure the reader has failed and *ret is empty. */
void cs_vv_decode(cs_reader_t *reader, cs_vv_t *ret);

CS_HEADER_END

#endif
