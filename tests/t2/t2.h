/* t2.h - random histories of a few users on the state machine alone (core.md section 12, tier
 * T2).
 *
 * A history is a list of steps, data independent of the random stream: each step has a seed of
 * its own, so that leaving one out leaves the others what they are, and a failure can be
 * shrunk. */
#ifndef CS_TESTS_T2_H
#define CS_TESTS_T2_H

#include "support/peer.h"

#define T2_STEPS_MAX    40
#define T2_REPLICAS_MAX 4

typedef enum t2_kind { T2_STEP, T2_PUSH, T2_EXCHANGE, T2_GC, T2_CLEAN } t2_kind_t;

typedef struct t2_op {
    uint8_t kind, who, other;
    uint64_t seed;
} t2_op_t;

typedef struct t2_dot {
    cs_bucket_t bucket;
    uint8_t store;
    cs_dot_t dot, lin;
    bool hinted; /* an L value with a hint */
} t2_dot_t;

typedef struct t2_dots {
    t2_dot_t *at;
    uint32_t len, cap;
} t2_dots_t;

typedef struct t2_stale {
    char path[CS_TREE_NAME];
    uint16_t mode;
    cs_content_t content;
} t2_stale_t;

#define T2_STALE_MAX 32

typedef struct t2_world {
    cs_peer_t peer[T2_REPLICAS_MAX];
    int replicas;
    bool with_store;    /* each replica over a store of its own, often reopened */
    uint32_t batch_max; /* sightings that a scan makes one batch of */
    cs_prng_t cuts;     /* when the power fails, with stores */
    uint32_t next_text;
    t2_dots_t minted, removed;                   /* by all scans so far */
    t2_dots_t before, after, known, old_garbage; /* scratch */
    t2_stale_t
        stale[T2_STALE_MAX]; /* rows whose mode was changed by others, unseen by the user */
    uint32_t stale_len;
    char failure[512];
    uint64_t putgets, collapses;
} t2_world_t;

void t2_world_begin(t2_world_t *world, int replicas);
void t2_world_end(t2_world_t *world);
bool t2_failed(const t2_world_t *world);
void t2_fail(t2_world_t *world, const char *format, ...) CS_PRINTF(2, 3);

/* ops.c */
void t2_random_ops(cs_prng_t *prng, t2_op_t *ret, int *ret_len, int *ret_replicas);
/* A whole history; `seed` decides whether a law is tried at its end. */
void t2_run(t2_world_t *world, const t2_op_t *ops, int len, int replicas, uint64_t seed);
void t2_perform(t2_world_t *world, const t2_op_t *op);
void t2_finish(t2_world_t *world); /* all meet; everything is checked */
void t2_user_op(t2_world_t *world, cs_tree_t *tree, cs_prng_t *prng);
void t2_print(const t2_op_t *ops, int len, int replicas);

/* check.c, trees.c */
bool t2_has(const t2_dots_t *dots, const t2_dot_t *dot);
void t2_scan(t2_world_t *world, cs_peer_t *peer); /* with the oracle watching (I3) */
void t2_check_putget(t2_world_t *world, cs_peer_t *peer, const t2_dots_t *garbage);
void t2_check_equal(t2_world_t *world); /* states */
void t2_check_trees(t2_world_t *world); /* disks */
void t2_check_projection(t2_world_t *world, cs_peer_t *peer);
void t2_check_disk(t2_world_t *world, cs_peer_t *peer); /* disk == projection */
void t2_garbage(cs_peer_t *peer, t2_dots_t *ret);

/* laws.c */
void t2_chmod_law(t2_world_t *world, const t2_op_t *ops, int len, uint64_t seed);

#endif
