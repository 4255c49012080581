/* mem_tree.c - the functions below that take a node take its reference and return one. */
#include "sim/mem_tree.h"

#include <xxhash.h>

#include "base/mem.h"

struct cs_mem_node {
    uint32_t refs;
    uint64_t priority; /* no child has a higher one */
    cs_str_t *key, *value;
    cs_mem_node_t *left, *right; /* owned references */
};

static cs_mem_node_t *node_new(cs_str_t *key, uint64_t priority, cs_str_t *value)
{
    cs_mem_node_t *node = cs_malloc(sizeof *node);
    *node = (cs_mem_node_t){.refs = 1, .priority = priority, .key = key, .value = value};
    return node;
}

cs_mem_node_t *cs_mem_tree_ref(cs_mem_node_t *tree)
{
    if (tree != NULL) tree->refs++;
    return tree;
}

void cs_mem_tree_unref(cs_mem_node_t **tree_p)
{
    cs_mem_node_t *node = *tree_p;
    *tree_p = NULL;
    if (node == NULL || --node->refs > 0) return;
    cs_mem_tree_unref(&node->left);
    cs_mem_tree_unref(&node->right);
    cs_str_unref(&node->key);
    cs_str_unref(&node->value);
    cs_free(node);
}

/* The node itself if no other version sees it, else a copy to change. */
static cs_mem_node_t *own(cs_mem_node_t *node)
{
    if (node->refs == 1) return node;
    cs_mem_node_t *copy =
        node_new(cs_str_ref(node->key), node->priority, cs_str_ref(node->value));
    copy->left = cs_mem_tree_ref(node->left);
    copy->right = cs_mem_tree_ref(node->right);
    node->refs--;
    return copy;
}

/* Keys below `key` go left, the others right; `key` itself does not occur. */
static void split(cs_mem_node_t *node, cs_slice_t key, cs_mem_node_t **ret_left,
                  cs_mem_node_t **ret_right)
{
    if (node == NULL) {
        *ret_left = *ret_right = NULL;
        return;
    }
    node = own(node);
    if (cs_slice_cmp(cs_slice_str(node->key), key) < 0) {
        split(node->right, key, &node->right, ret_right);
        *ret_left = node;
    } else {
        split(node->left, key, ret_left, &node->left);
        *ret_right = node;
    }
}

/* All keys of `left` are below those of `right`. */
static cs_mem_node_t *merge(cs_mem_node_t *left, cs_mem_node_t *right)
{
    if (left == NULL) return right;
    if (right == NULL) return left;
    if (left->priority >= right->priority) {
        left = own(left);
        left->right = merge(left->right, right);
        return left;
    }
    right = own(right);
    right->left = merge(left, right->left);
    return right;
}

static cs_mem_node_t *put(cs_mem_node_t *node, cs_str_t *key, uint64_t priority,
                          cs_str_t *value)
{
    /* An equal key has an equal priority, so it cannot lie below a smaller one. */
    if (node == NULL || node->priority < priority) {
        cs_mem_node_t *added = node_new(cs_str_ref(key), priority, cs_str_ref(value));
        split(node, cs_slice_str(key), &added->left, &added->right);
        return added;
    }
    node = own(node);
    int order = cs_str_cmp(key, node->key);
    if (order == 0) {
        cs_str_unref(&node->value);
        node->value = cs_str_ref(value);
    } else if (order < 0) {
        node->left = put(node->left, key, priority, value);
    } else {
        node->right = put(node->right, key, priority, value);
    }
    return node;
}

/* `key` occurs below or at `node`. */
static cs_mem_node_t *take_out(cs_mem_node_t *node, cs_slice_t key)
{
    CS_ASSERT(node != NULL);
    int order = cs_slice_cmp(key, cs_slice_str(node->key));
    if (order == 0) {
        cs_mem_node_t *left = cs_mem_tree_ref(node->left);
        cs_mem_node_t *right = cs_mem_tree_ref(node->right);
        cs_mem_tree_unref(&node);
        return merge(left, right);
    }
    node = own(node);
    if (order < 0) {
        node->left = take_out(node->left, key);
    } else {
        node->right = take_out(node->right, key);
    }
    return node;
}

static const cs_mem_node_t *find(const cs_mem_node_t *node, cs_slice_t key)
{
    while (node != NULL) {
        int order = cs_slice_cmp(key, cs_slice_str(node->key));
        if (order == 0) return node;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

void cs_mem_tree_put(cs_mem_node_t **tree, cs_slice_t key, cs_slice_t value)
{
    cs_str_t *own_key = cs_str_new(key.data, key.len);
    cs_str_t *own_value = cs_str_new(value.data, value.len);
    *tree = put(*tree, own_key, XXH3_64bits(own_key->data, own_key->len), own_value);
    cs_str_unref(&own_key);
    cs_str_unref(&own_value);
}

void cs_mem_tree_delete(cs_mem_node_t **tree, cs_slice_t key)
{
    if (find(*tree, key) != NULL) *tree = take_out(*tree, key);
}

void cs_mem_tree_delete_prefix(cs_mem_node_t **tree, cs_slice_t prefix)
{
    cs_mem_walk_t walk;
    cs_mem_walk_init(&walk, *tree);
    cs_mem_walk_seek(&walk, prefix);
    while (cs_mem_walk_valid(&walk) && cs_slice_has_prefix(cs_mem_walk_key(&walk), prefix)) {
        cs_mem_tree_delete(tree, cs_mem_walk_key(&walk));
        cs_mem_walk_next(&walk);
    }
    cs_mem_walk_fini(&walk);
}

bool cs_mem_tree_get(const cs_mem_node_t *tree, cs_slice_t key, cs_slice_t *ret_value)
{
    const cs_mem_node_t *node = find(tree, key);
    if (node == NULL) return false;
    *ret_value = cs_slice_str(node->value);
    return true;
}

static void push(cs_mem_walk_t *walk, const cs_mem_node_t *node)
{
    if (walk->len == walk->cap) {
        walk->cap = cs_grow(walk->cap, walk->len + 1);
        walk->stack = cs_realloc_array(walk->stack, walk->cap, sizeof(void *));
    }
    walk->stack[walk->len++] = node;
}

void cs_mem_walk_init(cs_mem_walk_t *walk, cs_mem_node_t *tree)
{
    *walk = (cs_mem_walk_t){.root = cs_mem_tree_ref(tree)};
}

void cs_mem_walk_fini(cs_mem_walk_t *walk)
{
    cs_mem_tree_unref(&walk->root);
    cs_free(walk->stack);
    *walk = (cs_mem_walk_t){0};
}

void cs_mem_walk_seek(cs_mem_walk_t *walk, cs_slice_t key)
{
    walk->len = 0;
    const cs_mem_node_t *node = walk->root;
    while (node != NULL) {
        bool below = cs_slice_cmp(cs_slice_str(node->key), key) < 0;
        if (!below) push(walk, node);
        node = below ? node->right : node->left;
    }
}

void cs_mem_walk_next(cs_mem_walk_t *walk)
{
    CS_ASSERT(walk->len > 0);
    const cs_mem_node_t *node = walk->stack[--walk->len]->right;
    for (; node != NULL; node = node->left) {
        push(walk, node);
    }
}

bool cs_mem_walk_valid(const cs_mem_walk_t *walk)
{
    return walk->len > 0;
}

cs_slice_t cs_mem_walk_key(const cs_mem_walk_t *walk)
{
    CS_ASSERT(walk->len > 0);
    return cs_slice_str(walk->stack[walk->len - 1]->key);
}

cs_slice_t cs_mem_walk_value(const cs_mem_walk_t *walk)
{
    CS_ASSERT(walk->len > 0);
    return cs_slice_str(walk->stack[walk->len - 1]->value);
}
