/* dots.h - the three dotted stores of an entry seen as one thing; private to the entry's files.
 *
 * cs_lval_t, cs_kval_t and cs_aval_t begin alike (dot, lin, gen), so search, insertion and join
 * are written once over a view of a store; what differs between the types is in a table. */
#ifndef CS_CRDT_DOTS_H
#define CS_CRDT_DOTS_H

#include "crdt/entry.h"

#define CS_DOTSTORE_COUNT 3u

/* How every value begins: a copy, since reading one struct as another is not C. */
typedef struct cs_dotted {
    cs_dot_t dot, lin;
    uint32_t gen;
} cs_dotted_t;

cs_dotted_t cs__dotted_get(const void *value);
void cs__dotted_set(void *value, cs_dotted_t head);

typedef struct cs_dottype {
    size_t bytes;               /* of a value in memory */
    size_t encoded_min;         /* bytes of the shortest encoding */
    void (*ref)(void *value);   /* takes references for a value just copied bytewise */
    void (*unref)(void *value); /* releases them */
    bool (*eq)(const void *a, const void *b);         /* all fields but the dot */
    size_t (*string_bytes)(const void *value);        /* of variable length: path, TLVs */
    void (*encode)(const void *value, cs_buf_t *ret); /* what follows gen */
    void (*decode)(cs_reader_t *reader, cs_str_t *near_path,
                   void *ret); /* ret zeroed; see codec */
} cs_dottype_t;

const cs_dottype_t *cs__dottype(cs_dotstore_t store);

/* A view of a store: taken by get, put back by set after a change. */
typedef struct cs_dots {
    uint8_t *data;
    uint32_t len, cap;
    const cs_dottype_t *type;
} cs_dots_t;

cs_dots_t cs__dots_get(const cs_entry_t *entry, cs_dotstore_t store);
void cs__dots_set(cs_entry_t *entry, cs_dotstore_t store, cs_dots_t dots);

void *cs__dots_at(const cs_dots_t *dots, uint32_t index);
cs_dot_t cs__dots_dot(const cs_dots_t *dots, uint32_t index);
/* Index of the first value at or after `dot`; *ret_found if it is there itself. */
uint32_t cs__dots_find(const cs_dots_t *dots, cs_dot_t dot, bool *ret_found);
void cs__dots_reserve(cs_dots_t *dots, uint32_t len);
/* Not more than that: for what is kept by the thousand and hardly ever grows. */
void cs__dots_fit(cs_dots_t *dots, uint32_t len);
void cs__dots_clear(cs_dots_t *dots); /* releases the values, keeps the array */
/* Appends a copy that shares the strings; there must be room. */
void cs__dots_push_ref(cs_dots_t *dots, const void *value);

/* Like cs_entry_fini, but the arrays stay, for the next value. */
void cs__entry_clear(cs_entry_t *entry);

/* Codec of single values, in entry_codec.c. */
void cs__lval_encode(const void *value, cs_buf_t *ret);
void cs__kval_encode(const void *value, cs_buf_t *ret);
void cs__aval_encode(const void *value, cs_buf_t *ret);
void cs__lval_decode(cs_reader_t *reader, cs_str_t *near_path, void *ret);
void cs__kval_decode(cs_reader_t *reader, cs_str_t *near_path, void *ret);
void cs__aval_decode(cs_reader_t *reader, cs_str_t *near_path, void *ret);
void cs__value_encode(const cs_dottype_t *type, const void *value, cs_buf_t *ret);
/* As cs_entry_decode and cs_entry_hash; bytes[0..*ret_live) are what cs_entry_encode_live makes
 * of the entry. */
CS_MUST_USE cs_err_t cs__entry_decode_live(cs_slice_t bytes, cs_entry_t *ret, size_t *ret_live);
void cs__entry_hash_live(const cs_keys_t *keys, cs_slice_t live, cs_entry_digest_t *ret);

#endif
