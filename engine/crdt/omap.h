/* omap.h - an ordered map from bytes to pointers: a skip list with a fixed seed, and once it
 * has more than a few keys a hash table of the same nodes.
 *
 * The memory half of the working set (workset.h), which is asked twenty times a file, mostly
 * for what it does not have. Nodes do not move; a node's key lies behind it. The first eight
 * bytes of a key are compared as one number, which settles most comparisons. */
#ifndef CS_CRDT_OMAP_H
#define CS_CRDT_OMAP_H

#include "base/str.h"

#define CS_OMAP_HEIGHT 12u /* levels: with one in four going up, enough for 16 M keys */

typedef struct cs_onode {
    void *value;
    struct cs_onode *before, *after; /* for a list of the owner's: workset.c */
    struct cs_onode *chain, **link;  /* the next of its bucket; what points to this one */
    uint64_t lead;                   /* first bytes of the key, big-endian */
    uint64_t epoch;                  /* owner's */
    uint32_t key_len;
    uint8_t height, table, state; /* table, state: owner's */
    bool present;  /* owner's: false is a deletion that the store does not know */
    bool born;     /* owner's: the store knows of no such row, deleted or not */
    uint16_t mark; /* owner's */
    uint32_t hash;
    struct cs_onode *next[]; /* `height` pointers, then the key */
} cs_onode_t;

typedef struct cs_omap {
    cs_onode_t *head[CS_OMAP_HEIGHT];
    uint32_t height, len, buckets; /* buckets: a power of two; 0: none yet */
    uint64_t random;
    cs_onode_t **bucket;
} cs_omap_t; /* zero-initialise */

cs_slice_t cs_onode_key(const cs_onode_t *node);
cs_onode_t *cs_omap_find(const cs_omap_t *map, cs_slice_t key); /* NULL: not there */
cs_onode_t *cs_omap_seek(const cs_omap_t *map, cs_slice_t key); /* first key >= key */
cs_onode_t *cs_omap_first(const cs_omap_t *map);
/* The node of key; a new one has everything but its key zeroed. */
cs_onode_t *cs_omap_insert(cs_omap_t *map, cs_slice_t key, bool *ret_new);
void cs_omap_remove(cs_omap_t *map, cs_onode_t *node); /* frees the node, not its value */
void cs_omap_fini(cs_omap_t *map,
                  void (*drop)(void *value)); /* drop may be NULL; usable after */

#endif
