/* peer.h - a replica with its user's tree: scan, materialise, exchange, as the model of core.md
 * does. */
#ifndef CS_TESTS_PEER_H
#define CS_TESTS_PEER_H

#include "base/prng.h"
#include "crdt/replica_i.h"
#include "sim/mem_store.h"
#include "support/tree.h"

typedef struct cs_peer {
    cs_replica_t *replica;
    cs_tree_t tree;
    cs_store_t *store;   /* owned; NULL: memory only */
    cs_mem_disk_t *disk; /* of the store, owned; NULL: its own, power never fails */
    uint32_t staged;     /* batches of which the replica was not told that they are durable */
    bool reused;         /* a dot came with another value than mine: ALARM dot_reuse */
} cs_peer_t;

void cs_peer_init(cs_peer_t *peer, uint64_t rid, cs_store_t *store);
void cs_peer_fini(cs_peer_t *peer);
/* A copy of the whole machine, as from an image; `store`: where it lives, owned. */
void cs_peer_clone(cs_peer_t *to, cs_peer_t *from, cs_store_t *store);

/* Files of tests are born in the order of their inodes. */
cs_print_t cs_peer_print(const cs_tree_node_t *node);
/* Diff of disk and base -> operations. */
cs_scan_result_t cs_peer_scan(cs_peer_t *peer);
/* The same until the power fails, after some of its batches: the replica is opened anew. */
void cs_peer_scan_cut(cs_peer_t *peer, cs_prng_t *prng);
/* Disk and base follow the projection; each step is done with the chance part in whole. */
void cs_peer_materialise(cs_peer_t *peer, cs_prng_t *prng, uint64_t part, uint64_t whole);
void cs_peer_catch_up(cs_peer_t *peer); /* all of it */
/* With a store: everything durable, then perhaps reopened. */
void cs_peer_persist(cs_peer_t *peer, bool reopen);
/* With a store: written, but the replica is not told yet. */
void cs_peer_stage(cs_peer_t *peer);

/* One entry travels; with `ib`, the sender's seen goes along (core.md 7.3). */
bool cs_peer_send(cs_peer_t *from, cs_peer_t *to, const cs_bucket_t *bucket, const cs_vv_t *ib);
/* An atomic exchange; both are equal then and claim. How many entries differed, and claims
 * taught. */
uint32_t cs_peer_exchange(cs_peer_t *a, cs_peer_t *b, bool with_ib);
void cs_peer_exchange_all(cs_peer_t **peers, uint32_t len);

/* Rows of a table, all loaded: for (n = cs_peer_first(peer, t); n; n = cs_peer_next(n)). */
cs_onode_t *cs_peer_first(cs_peer_t *peer, cs_table_t table);
cs_onode_t *cs_peer_next(cs_onode_t *node);

typedef struct cs_buckets {
    cs_bucket_t *at;
    uint32_t len, cap;
} cs_buckets_t;
void cs_peer_buckets(cs_peer_t *peer, cs_buckets_t *ret); /* replaced; free(ret->at) */

/* Projection as text, one line per path: for failures and for vectors. */
void cs_peer_picture(cs_peer_t *peer, cs_buf_t *ret);

#endif
