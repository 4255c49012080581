/* trie.h - what a Merkle trie of fanout 16 would take, to be compared with. */
#ifndef CS_BENCH_TRIE_H
#define CS_BENCH_TRIE_H

#include "base/store.h"

/* Bytes to find what differs between the entries of two stores, keyed by their buckets: the
 * asker names a node (its nibbles), the other answers with which children it has (2 B) and
 * their hashes of 16 B each; a child of one leaf is the leaf. */
uint64_t trie_bytes(cs_store_t *mine, cs_store_t *theirs, uint32_t folder);

#endif
