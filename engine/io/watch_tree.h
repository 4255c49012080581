/* watch_tree.h - the directories that are watched one by one: names, watch descriptors, heat.
 *
 * A node per watched directory, and all directories above it are watched as well: so a name
 * that leaves always leaves a directory whose path is known. Renaming a directory costs one
 * node, however many are below. Heat is a count of changes that halves every
 * CS_WATCH_HALF_MS; when watches run out, the coldest directory without watched ones below
 * gives its own to a hotter one. */
#ifndef CS_IO_WATCH_TREE_H
#define CS_IO_WATCH_TREE_H

#include "base/buf.h"
#include "crdt/omap.h"

#define CS_WATCH_HALF_MS \
    600000u /* ten minutes: longer than a coffee, shorter than a day's work */

typedef struct cs_wnode {
    struct cs_wnode *parent;                       /* NULL: the root */
    struct cs_wnode *before, *after;               /* ring of all nodes */
    struct cs_wnode *listed_before, *listed_after; /* the owner's list of those to list */
    cs_onode_t *self; /* key: id of the parent, name; NULL: the root */
    uint32_t id, children;
    int wd; /* -1: none yet */
    uint32_t heat;
    uint64_t heat_ms;
    bool to_list, fresh; /* the owner's */
} cs_wnode_t;

typedef struct cs_wtree cs_wtree_t;
cs_wtree_t *cs_wtree_new(void);
void cs_wtree_destroy(cs_wtree_t **tree_p);
cs_wnode_t *cs_wtree_root(cs_wtree_t *tree);
size_t cs_wtree_count(const cs_wtree_t *tree); /* nodes */

cs_wnode_t *cs_wtree_child(const cs_wtree_t *tree, const cs_wnode_t *parent,
                           cs_slice_t name);                  /* NULL: none */
cs_wnode_t *cs_wtree_find(cs_wtree_t *tree, cs_slice_t path); /* NULL: none */
cs_wnode_t *cs_wtree_add(cs_wtree_t *tree, cs_wnode_t *parent,
                         cs_slice_t name); /* there is none yet */
/* Below another parent, by another name; nothing is there. */
void cs_wtree_move(cs_wtree_t *tree, cs_wnode_t *node, cs_wnode_t *parent, cs_slice_t name);
/* The node and all below; `drop` is called for each, the lowest first, before it is freed. */
void cs_wtree_remove(cs_wtree_t *tree, cs_wnode_t *node,
                     void (*drop)(void *arg, cs_wnode_t *node), void *arg);

void cs_wtree_set_wd(cs_wtree_t *tree, cs_wnode_t *node, int wd); /* -1: none */
cs_wnode_t *cs_wtree_by_wd(const cs_wtree_t *tree, int wd);       /* NULL: none */

/* Path of `name` in the node, or of the node itself if name is empty. */
void cs_wnode_path(const cs_wnode_t *node, cs_slice_t name, cs_buf_t *ret);

void cs_wnode_warm(cs_wnode_t *node, uint64_t now_ms);
uint32_t cs_wnode_heat(const cs_wnode_t *node, uint64_t now_ms);
/* The coldest of some nodes without children, others each time; never `but` nor the root. */
cs_wnode_t *cs_wtree_coldest(cs_wtree_t *tree, const cs_wnode_t *but, uint64_t now_ms);

#endif
