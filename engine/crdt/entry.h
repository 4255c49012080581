/* entry.h - the replicated state of all lineages born at one path (core.md 2).
 *
 *   entry = ctx + three dotted stores        L: where a lineage is     (a rename writes here)
 *                                            K: what it contains       (an edit)
 *                                            A: its permission bits    (a chmod)
 *
 * A lineage is one logical file, named by the dot of its creation (`lin`). Its entry's key is
 * the hash of its birth path and never changes. Invariant W: ctx covers every dot in L, K and
 * A. A dot covered by ctx and absent from its store is dead. An entry without live dots is a
 * tombstone.
 *
 * Values are plain structs owning references to immutable strings. Stores are sorted by dot. */
#ifndef CS_CRDT_ENTRY_H
#define CS_CRDT_ENTRY_H

#include "base/digest.h"
#include "crdt/vv.h"

CS_HEADER_BEGIN

#define CS_BUCKET_BYTES 16u

typedef struct cs_bucket {
    uint8_t b[CS_BUCKET_BYTES]; /* BLAKE2b-128(k_bkt, birth path) */
} cs_bucket_t;

typedef enum cs_kind { CS_KIND_NONE, CS_KIND_FILE, CS_KIND_SYMLINK, CS_KIND_DIR } cs_kind_t;

typedef struct cs_content {
    uint8_t kind;                /* cs_kind_t; NONE: no content */
    uint8_t hash[CS_HASH_BYTES]; /* FILE: keyed root of the chunk list; SYMLINK: of the target;
                                    DIR: 0 */
    uint64_t size;               /* bytes; DIR: 0 */
} cs_content_t;

typedef struct cs_attr {
    uint16_t mode; /* 0..0777; 0 unless FILE */
    cs_str_t *tlv; /* opaque, owned reference; NULL when empty */
} cs_attr_t;

typedef enum cs_how { CS_MOVE, CS_STAY } cs_how_t; /* MOVE sorts first */

typedef struct cs_lval {
    cs_dot_t dot, lin;
    uint32_t gen;
    uint8_t how; /* cs_how_t */
    cs_str_t *path;
    cs_content_t hint; /* kind NONE: no hint */
    cs_attr_t hint_attr;
} cs_lval_t;

typedef struct cs_kval {
    cs_dot_t dot, lin;
    uint32_t gen;
    cs_content_t content;
    cs_attr_t attr;
    int64_t mtime_ns; /* decoration: never compared */
    cs_str_t *path;   /* where it was written: its place while the lineage owns no L */
} cs_kval_t;

typedef struct cs_aval {
    cs_dot_t dot, lin;
    uint32_t gen;
    cs_attr_t attr;
} cs_aval_t;

typedef struct cs_entry {
    cs_bucket_t bucket;
    cs_vv_t ctx;
    cs_lval_t *l;
    cs_kval_t *k;
    cs_aval_t *a;
    uint32_t l_len, l_cap, k_len, k_cap, a_len, a_cap;
} cs_entry_t;

void cs_bucket_of(const cs_keys_t *keys, cs_slice_t birth_path, cs_bucket_t *ret);

void cs_entry_init(cs_entry_t *entry, const cs_bucket_t *bucket);
void cs_entry_fini(cs_entry_t *entry);                      /* leaves an empty, usable entry */
void cs_entry_copy(cs_entry_t *to, const cs_entry_t *from); /* `to` initialised */
bool cs_entry_is_dead(const cs_entry_t *entry);             /* L, K and A are empty */
bool cs_entry_live_eq(const cs_entry_t *a,
                      const cs_entry_t *b);  /* equal enc_live, ctx ignored */
bool cs_entry_fits(const cs_entry_t *entry); /* within CS_DOTS_MAX and CS_ENTRY_BYTES_MAX */

/* Values are moved in: the entry takes over their references; ctx is raised. The dot must be
 * new to the store. CS_ERR_LIMIT: CS_DOTS_MAX, CS_REPLICAS_MAX or CS_ENTRY_BYTES_MAX reached,
 * the value is released and the entry unchanged. */
CS_MUST_USE cs_err_t cs_entry_add_l(cs_entry_t *entry, cs_lval_t *value);
CS_MUST_USE cs_err_t cs_entry_add_k(cs_entry_t *entry, cs_kval_t *value);
CS_MUST_USE cs_err_t cs_entry_add_a(cs_entry_t *entry, cs_aval_t *value);

typedef enum cs_dotstore { CS_L, CS_K, CS_A } cs_dotstore_t;

/* "remove dot" of core.md 5.3: erase if live, and ctx covers it from now on. True if it was
 * live. */
bool cs_entry_remove(cs_entry_t *entry, cs_dotstore_t store, cs_dot_t dot);
cs_err_t cs_entry_cover(cs_entry_t *entry, cs_dot_t dot); /* an event that leaves no value */

const cs_lval_t *cs_entry_find_l(const cs_entry_t *entry, cs_dot_t dot); /* NULL if not live */
const cs_kval_t *cs_entry_find_k(const cs_entry_t *entry, cs_dot_t dot);
const cs_aval_t *cs_entry_find_a(const cs_entry_t *entry, cs_dot_t dot);

/* The lineage that a live content belongs to: its own dot if some L value says so (split). */
cs_dot_t cs_entry_owner(const cs_entry_t *entry, const cs_kval_t *k);
bool cs_entry_owns_any(const cs_entry_t *entry, cs_dot_t lin); /* lin owns a live content */

/* vvmax(live dots): what is left of ctx after garbage collection (core.md 6.2). */
void cs_entry_strip(cs_entry_t *entry);

/* --- join (core.md 3). ia, ib: implicit contexts, NULL = {}.
 * ret (initialised, neither a nor b) is replaced. ret_reuse, if not NULL: a dot that stood for
 * two different values, else the null dot; the bytewise larger encoding is kept. CS_ERR_LIMIT:
 * the result is beyond CS_DOTS_MAX, CS_REPLICAS_MAX or CS_ENTRY_BYTES_MAX; ret empty. */
CS_MUST_USE cs_err_t cs_entry_join(const cs_entry_t *a, const cs_vv_t *ia, const cs_entry_t *b,
                                   const cs_vv_t *ib, cs_entry_t *ret, cs_dot_t *ret_reuse);

/* --- canonical encoding (proto/PROTOCOL.md has the byte table) */
void cs_entry_encode_live(const cs_entry_t *entry, cs_buf_t *ret); /* appends bucket, L, K, A */
void cs_entry_encode(const cs_entry_t *entry, cs_buf_t *ret);      /* appends enc_live, ctx */
/* ret (initialised) is replaced; every rule of core.md 2 and 3 is checked: order, bounds,
 * invariant W, paths, kinds. CS_ERR_MALFORMED or CS_ERR_LIMIT: ret empty. */
CS_MUST_USE cs_err_t cs_entry_decode(cs_slice_t bytes, cs_entry_t *ret);

/* H = BLAKE2b-512(k_item, enc_live): root term and item (core.md 8). */
typedef struct cs_entry_digest {
    uint8_t term[CS_HASH_BYTES]; /* H[0..32) */
    uint8_t item[16];            /* H[32..48) */
} cs_entry_digest_t;
void cs_entry_hash(const cs_keys_t *keys, const cs_entry_t *entry, cs_entry_digest_t *ret);

/* --- values */
void cs_content_encode(const cs_content_t *content,
                       cs_buf_t *ret); /* u8 kind, hash, varint size; NONE: kind only */
void cs_content_decode(cs_reader_t *reader, cs_content_t *ret);
void cs_attr_encode(const cs_attr_t *attr, cs_buf_t *ret);
void cs_attr_decode(cs_reader_t *reader, cs_attr_t *ret);
bool cs_content_eq(const cs_content_t *a, const cs_content_t *b);
int cs_content_cmp(const cs_content_t *a,
                   const cs_content_t *b); /* kind, hash, size: bytewise */
bool cs_attr_eq(const cs_attr_t *a, const cs_attr_t *b);
void cs_attr_copy(cs_attr_t *to, const cs_attr_t *from); /* releases what `to` held */
void cs_attr_fini(cs_attr_t *attr);

CS_HEADER_END

#endif
