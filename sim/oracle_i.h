/* oracle_i.h - the books of the oracle; private to its files.
 *
 *   number   the ctr-th event of a replica: when it was minted, and its dot if it has a value
 *   dot      a value: its bytes, at which nodes it is live, at which it was removed
 *   given    numbers that may be known outside (m/state.exposed was durable): one meaning each
 *   local    numbers of a node beyond that: an image or a copy of it may have others of the
 *            same names, so they belong to the node until it exposes or renames them */
#ifndef CS_SIM_ORACLE_I_H
#define CS_SIM_ORACLE_I_H

#include "sim/oracle.h"

#define OR_NONE   UINT32_MAX
#define OR_HASH   32u /* bytes of root, terms, content hashes */
#define OR_BUCKET 16u
#define OR_NAME   33u /* a bucket in hex, and a NUL */
#define OR_STORES 3u  /* L, K, A, in this order */

typedef enum or_store { OR_L, OR_K, OR_A } or_store_t;

/* --- what is read */

typedef struct or_value {
    uint64_t rid, ctr, lin_rid, lin_ctr;
    uint32_t gen;
    uint8_t store;       /* or_store_t */
    uint8_t how;         /* L: 0 moved, 1 stays */
    uint8_t kind;        /* of content or hint; 0 none */
    uint16_t mode;       /* with a content of kind 1, or of A */
    const uint8_t *hash; /* OR_HASH bytes, if kind != 0 */
    uint64_t size;
    cs_slice_t path;  /* empty: A */
    cs_slice_t bytes; /* the whole value */
} or_value_t;

typedef struct or_slot {
    uint64_t rid, ctr;
} or_slot_t;

typedef struct or_values {
    or_value_t *at; /* owned; by store, rid, ctr */
    size_t len, cap;
} or_values_t;

typedef struct or_slots {
    or_slot_t *at; /* owned; by rid */
    size_t len, cap;
} or_slots_t;

/* False: not canonical. Values and slots are replaced; slices point into `bytes`. ret_live: how
 * many of the bytes are enc_live. */
bool or_read_entry(cs_slice_t bytes, or_values_t *ret_values, or_slots_t *ret_ctx,
                   size_t *ret_live);

/* One of them, or_value_t.bytes: `store` is where it was. */
bool or_read_value(cs_slice_t bytes, uint8_t store, or_value_t *ret);

typedef struct or_state {
    uint64_t rid, ctr, exposed, n;
    const uint8_t *root; /* borrowed */
} or_state_t;
bool or_read_state(cs_slice_t bytes, or_state_t *ret, or_slots_t *ret_seen);
/* Without the checksum behind it; false: it is wrong. */
bool or_unseal(cs_slice_t value, cs_slice_t *ret);
uint64_t or_slot_of(const or_slots_t *slots, uint64_t rid);

/* --- books */

typedef struct or_number {
    uint32_t mint; /* which minting: equal in a node and its images only */
    uint32_t dot;  /* OR_NONE: no value, or none that was ever durable */
} or_number_t;

typedef struct or_numbers {
    or_number_t *at; /* owned */
    size_t len, cap;
} or_numbers_t;

/* Whoever covers this number covers the dot, too, and has it not. */
typedef struct or_purge {
    uint64_t ctr; /* the last one of the batch that removed it */
    uint32_t mint, dot;
} or_purge_t;

typedef struct or_purges {
    or_purge_t *at; /* owned */
    size_t len, cap;
} or_purges_t;

typedef struct or_rid {
    uint64_t rid;
    or_purges_t purges;
    or_numbers_t given;  /* 1, 2, ... */
    uint64_t taint_from; /* numbers from here on were given away twice; UINT64_MAX: none */
    unsigned holder;     /* the node that had it last */
} or_rid_t;

typedef struct or_dot {
    uint64_t ctr;
    uint32_t rid, bucket; /* indices */
    uint8_t store;        /* or_store_t */
    bool orphan;          /* a rollback or loss once left it nowhere: it need not come back */
    bool listed;          /* in its bucket's list */
    uint64_t live_at;     /* bits of nodes, as below */
    uint64_t removed_by;  /* an operation there removed it */
    uint64_t maybe_by;    /* one did, in a future that was lost but may be known */
    const uint8_t *value; /* in the arena; NULL: not seen yet */
    uint32_t value_len;
    uint32_t renamed; /* to this dot, in the batch being read; OR_NONE */
} or_dot_t;

typedef struct or_bucket {
    uint8_t id[OR_BUCKET];
    uint32_t *dots; /* owned; those that may have to be live */
    size_t len, cap;
    uint64_t stamp; /* of the batch that touched it last */
    size_t touched; /* its place in that batch */
} or_bucket_t;

typedef struct or_live {
    uint64_t rid, ctr;
    uint32_t dot;
    uint8_t store;
} or_live_t;

/* A durable row of e/; never changes, shared with images. */
typedef struct or_entry {
    uint32_t refs;
    uint32_t live_len, ctx_len;
    size_t bytes_len; /* of enc_live */
    bool term_known;
    uint8_t term[OR_HASH];
    or_live_t *live; /* this and the following: in the same block */
    or_slot_t *ctx;
    uint8_t *bytes; /* enc_live, then ctx */
    size_t all_len;
} or_entry_t;

/* A removal by an operation of this node, in the order of its batches. */
typedef struct or_event {
    uint64_t id, first; /* the batch minted this number, and perhaps more */
    uint32_t dot;
    bool exposed;
    bool doubted; /* it removed a number that was renamed since: who has the old one keeps it */
} or_event_t;

typedef struct or_log {
    or_event_t *at; /* owned */
    size_t len, cap, exposed;
} or_log_t;

typedef struct or_node {
    uint32_t rid; /* index; OR_NONE: has no state yet */
    uint64_t ctr, exposed, n, minted;
    uint8_t root[OR_HASH]; /* as written */
    uint8_t sum[OR_HASH];  /* as it should be; kept if config.roots */
    uint64_t live;         /* entries */
    or_numbers_t local;    /* exposed + 1 .. ctr */
    uint64_t *seen;        /* owned; by index of rid */
    size_t seen_len;
    or_log_t log;
    bool damaged;  /* rows were lost since the last batch */
    bool doubtful; /* rolled back or copied under this rid */
} or_node_t;

typedef struct or_index {
    struct or_index_row {
        uint64_t a, b;
        uint32_t id; /* OR_NONE: free */
    } * row;         /* owned; cap is a power of two */
    size_t len, cap;
} or_index_t;

typedef struct or_touch {
    uint32_t bucket;
    bool deleted;
    cs_slice_t value;
} or_touch_t;

struct cs_oracle {
    cs_oracle_config_t config; /* secret not kept */
    uint8_t key_item[32];
    or_node_t *node; /* owned, as all below */
    or_rid_t *rid;
    or_bucket_t *bucket;
    or_dot_t *dot;
    or_entry_t **entry; /* rows of node_count, one a bucket */
    size_t rid_len, rid_cap, bucket_len, bucket_cap, entry_cap, dot_len, dot_cap;
    or_index_t rids, buckets;
    uint8_t **chunk; /* arena of values */
    size_t chunk_len, chunk_cap, chunk_used;
    uint64_t batches, events;
    uint32_t mints;
    bool hole;
    cs_buf_t failure;

    /* of the batch being read; kept for their memory */
    or_touch_t *touch;
    size_t touch_len, touch_cap;
    or_values_t values;
    or_slots_t ctx, seen;
    uint64_t *seen_new; /* by index of rid */
    size_t seen_new_cap;
};

/* A batch being judged. */
typedef struct or_batch {
    cs_oracle_t *o;
    or_node_t *node;
    unsigned index;
    uint64_t bit;
    bool local, operates; /* operates: minted something, so it may remove */
    or_state_t state;
    uint32_t old_rid;    /* renamed from; OR_NONE: no new incarnation */
    uint64_t cut;        /* numbers of old_rid up to here keep their name */
    uint64_t ctr_before; /* in today's numbers */
    cs_slice_t state_bytes;
} or_batch_t;

/* dot, node: OR_NONE if it concerns none. Only the first is kept. */
void or_fail(cs_oracle_t *o, uint32_t node, uint32_t dot, const char *format, ...)
    CS_PRINTF(4, 5);
bool or_failed(const cs_oracle_t *o);
/* In hex digits. */
void or_bucket_name(const cs_oracle_t *o, uint32_t bucket, char ret[OR_NAME]);

uint32_t or_rid_find(const cs_oracle_t *o, uint64_t rid); /* OR_NONE */
uint32_t or_rid_make(cs_oracle_t *o, uint64_t rid);
uint32_t or_bucket_make(cs_oracle_t *o, const uint8_t *bytes);
or_entry_t **or_entry_at(const cs_oracle_t *o, uint32_t bucket, unsigned node);
/* Bytes of the value are copied; live nowhere, in its bucket's list. */
uint32_t or_dot_make(cs_oracle_t *o, uint32_t rid, uint64_t ctr, uint32_t bucket,
                     uint8_t store);
void or_dot_set_value(cs_oracle_t *o, uint32_t dot, cs_slice_t bytes);
void or_numbers_push(or_numbers_t *numbers, or_number_t number);
/* What the node means by it; NULL: neither minted here nor given away by anybody. */
or_number_t *or_number(const cs_oracle_t *o, const or_node_t *node, uint32_t rid, uint64_t ctr);
bool or_is_removed(const or_dot_t *dot); /* or may be */
bool or_is_tainted(const cs_oracle_t *o, uint32_t rid, uint64_t ctr);
/* It was not removed, and is somewhere or must be. */
bool or_is_owed(const cs_oracle_t *o, uint32_t id);
void or_list(cs_oracle_t *o, uint32_t id);
void or_log_push(or_log_t *log, or_event_t event);
/* An operation in this batch removed it. */
void or_removed(or_batch_t *batch, uint32_t id);
/* The node's removals of a dot become uncertain. */
void or_doubt(cs_oracle_t *o, unsigned node, uint32_t id);
/* Numbers of the node up to ctr are given away. */
void or_give(cs_oracle_t *o, unsigned index, uint64_t ctr);

or_entry_t *or_entry_new(const or_values_t *values, const or_slots_t *ctx, cs_slice_t bytes,
                         size_t live);
or_entry_t *or_entry_ref(or_entry_t *entry);
void or_entry_unref(or_entry_t **entry_p);
const uint8_t *or_entry_term(const cs_oracle_t *o, or_entry_t *entry);
void or_sum(uint8_t sum[OR_HASH], const uint8_t term[OR_HASH], bool add);
uint64_t or_ctx_of(const or_entry_t *entry, uint64_t rid); /* entry may be NULL */

/* One row of the batch against the one before. */
void or_entry_changed(or_batch_t *batch, const or_touch_t *touch);

#endif
