/* trie.c - see trie.h: ranges of sorted leaves stand for nodes. */
#include "trie.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recon/view.h"

typedef struct leaf {
    uint8_t bucket[CS_BUCKET_BYTES], item[CS_ITEM_BYTES];
} leaf_t;

static int leaf_order(const void *a, const void *b)
{
    return memcmp(a, b, CS_BUCKET_BYTES);
}

static leaf_t *leaves_of(cs_store_t *store, uint32_t folder, size_t *ret_count)
{
    size_t cap = 1u << 20, len = 0;
    leaf_t *leaves = cs_malloc(cap * sizeof *leaves);
    cs_view_t view = {.store = store, .folder = folder};
    cs_view_walk_t *walk = cs_view_walk_new(&view, CS_WALK_ITEMS, cs_slice(NULL, 0));
    cs_slice_t item, bucket;
    while (cs_view_walk_next(walk, &item, &bucket)) {
        if (len == cap) {
            cap *= 2;
            leaves = cs_realloc_array(leaves, cap, sizeof *leaves);
        }
        memcpy(leaves[len].item, item.data, CS_ITEM_BYTES);
        memcpy(leaves[len].bucket, bucket.data, CS_BUCKET_BYTES);
        len++;
    }
    CS_ASSERT(cs_view_walk_err(walk) == CS_OK);
    cs_view_walk_destroy(&walk);
    qsort(leaves, len, sizeof *leaves, leaf_order);
    *ret_count = len;
    return leaves;
}

typedef struct range {
    const leaf_t *at;
    size_t len;
} range_t;

static range_t child(range_t node, unsigned depth, unsigned nibble)
{
    range_t ret = {node.at, 0};
    for (size_t i = 0; i < node.len; i++) {
        uint8_t byte = node.at[i].bucket[depth / 2];
        unsigned have = depth % 2 == 0 ? byte >> 4 : byte & 15u;
        if (have < nibble) ret.at = &node.at[i] + 1;
        if (have == nibble) ret.len++;
    }
    return ret;
}

/* Below a node whose hashes differ. Ranges that are equal have equal hashes. */
static uint64_t bytes_below(range_t a, range_t b, unsigned depth)
{
    uint64_t bytes = 1 + (depth + 1) / 2 + 2;
    for (unsigned nibble = 0; nibble < 16; nibble++) {
        range_t x = child(a, depth, nibble), y = child(b, depth, nibble);
        if (y.len > 0) bytes += CS_ITEM_BYTES;
        bool equal = x.len == y.len && memcmp(x.at, y.at, x.len * sizeof *x.at) == 0;
        if (!equal && y.len > 1) bytes += bytes_below(x, y, depth + 1);
    }
    return bytes;
}

uint64_t trie_bytes(cs_store_t *mine, cs_store_t *theirs, uint32_t folder)
{
    size_t len[2];
    leaf_t *leaves[2] = {leaves_of(mine, folder, &len[0]), leaves_of(theirs, folder, &len[1])};
    uint64_t bytes = bytes_below((range_t){leaves[0], len[0]}, (range_t){leaves[1], len[1]}, 0);
    cs_free(leaves[0]);
    cs_free(leaves[1]);
    return bytes;
}
