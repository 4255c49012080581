/* coverage_i.h - operations, as they are kept until a history has ended. */
#ifndef CS_SIM_COVERAGE_I_H
#define CS_SIM_COVERAGE_I_H

#include "crdt/replica.h"
#include "sim/coverage.h"
#include "sim/world.h"

#define COV_OPS_MAX     2048u
#define COV_WINDOW      64u /* an operation is compared with so many before it */
#define COV_STATE_BYTES 24u
#define COV_NAME_BYTES  8u /* of a content's hash: enough to tell apart */

typedef struct cov_place {
    char path[CS_ACT_PATH_BYTES * 2]; /* effective */
    bool sibling;                     /* an untouched one, of that path */
    char state[COV_STATE_BYTES];      /* of that path, before */
} cov_place_t;

typedef struct cov_op {
    char kind; /* see coverage.h; 0: renamed by a new incarnation, nobody knows it */
    unsigned node;
    uint64_t rid, ctr, batch;
    cs_bucket_t bucket;
    cs_dot_t lin;
    cov_place_t at, from; /* from: of a move */
    uint8_t was[COV_NAME_BYTES], is[COV_NAME_BYTES];
    uint16_t was_mode, is_mode;
    bool behind, forgotten, ghost;
    bool lost;      /* by an old image: its node does not have it any more */
    uint64_t apart; /* bit i: from the operation i + 1 before this one */
} cov_op_t;

struct cs_coverage {
    cov_op_t *op; /* owned; COV_OPS_MAX */
    size_t len;
    uint64_t batches;
    bool restored, unapplied;
    cs_keys_t keys;
};

/* Related, and apart or of one scan: i < k. */
bool cov_are_joined(const cov_op_t *ops, size_t i, size_t k);
/* ops: those of one pattern, in order. False: it is too large to have a text. */
bool cov_print(const cov_op_t *const *ops, size_t count, char ret[CS_COVERAGE_TEXT_BYTES]);

/* --- rows of a node's store; false: there is none, or it cannot be read */
bool cov_get(cs_store_t *store, char table, cs_slice_t name, cs_buf_t *ret);
bool cov_read_entry(cs_slice_t sealed, cs_entry_t *ret);
bool cov_read_row(cs_slice_t path, cs_slice_t sealed, cs_item_t *ret);
bool cov_stored_entry(cs_store_t *store, const cs_bucket_t *bucket, cs_entry_t *ret);
bool cov_in_table(cs_slice_t key, char table, cs_slice_t *ret_name);
bool cov_is_lineage(const cs_item_t *a, const cs_item_t *b); /* both are of one */
/* The row's path, and what the node has there. */
void cov_set_place(const cs_coverage_t *coverage, cs_sim_node_t *node, const cs_item_t *row,
                   cov_place_t *ret);
/* The row is not what the node's state says. */
bool cov_is_behind(cs_sim_node_t *node, const cs_item_t *row);

#endif
