/* mem_tree.h - an ordered map whose versions share what they have in common.
 *
 * A treap with shared nodes: a change copies only the path to it, and only where another
 * version holds that path, so keeping a version costs one reference. Priorities are hashes of
 * the keys; the shape therefore depends on the content alone, and all operations take O(log n)
 * expected. A tree is a pointer to its root, NULL when empty, and owns one reference. One
 * thread. */
#ifndef CS_SIM_MEM_TREE_H
#define CS_SIM_MEM_TREE_H

#include "base/str.h"

typedef struct cs_mem_node cs_mem_node_t;

typedef struct cs_mem_walk {
    cs_mem_node_t *root;         /* a reference of its own */
    const cs_mem_node_t **stack; /* the top is the position; below it, what follows upwards */
    size_t len, cap;
} cs_mem_walk_t;

cs_mem_node_t *cs_mem_tree_ref(cs_mem_node_t *tree);
void cs_mem_tree_unref(cs_mem_node_t **tree_p);
void cs_mem_tree_put(cs_mem_node_t **tree, cs_slice_t key, cs_slice_t value);
void cs_mem_tree_delete(cs_mem_node_t **tree, cs_slice_t key);
/* Removes all keys that begin with `prefix`. */
void cs_mem_tree_delete_prefix(cs_mem_node_t **tree, cs_slice_t prefix);
bool cs_mem_tree_get(const cs_mem_node_t *tree, cs_slice_t key, cs_slice_t *ret_value);

void cs_mem_walk_init(cs_mem_walk_t *walk, cs_mem_node_t *tree);
void cs_mem_walk_fini(cs_mem_walk_t *walk);
void cs_mem_walk_seek(cs_mem_walk_t *walk, cs_slice_t key); /* first key >= key */
void cs_mem_walk_next(cs_mem_walk_t *walk);
bool cs_mem_walk_valid(const cs_mem_walk_t *walk);
cs_slice_t cs_mem_walk_key(const cs_mem_walk_t *walk);
cs_slice_t cs_mem_walk_value(const cs_mem_walk_t *walk);

#endif
