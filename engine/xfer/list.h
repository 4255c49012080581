/* list.h - writes a chunk list: items -> nodes -> nodes of nodes, until one is left
 * (content.h). */
#ifndef CS_XFER_LIST_H
#define CS_XFER_LIST_H

#include "base/buf.h"
#include "xfer/content.h"

/* A level has at most half as many nodes as items, rounded up, and there are < 2^64 bytes. */
#define CS_LIST_LEVELS_MAX 64u

/* The items of a level that are not yet in a node. */
typedef struct cs_list_level {
    cs_buf_t items;
    uint64_t total; /* items ever added */
} cs_list_level_t;

/* Zero-initialise; begin, add..., end; then begin again or fini. */
typedef struct cs_list {
    const cs_chunker_table_t *table;
    void *arg;
    void (*node)(void *arg, const cs_name_t *name, cs_slice_t bytes); /* may be NULL */
    cs_list_level_t level[CS_LIST_LEVELS_MAX];
} cs_list_t;

void cs_list_begin(cs_list_t *list, const cs_chunker_table_t *table, void *arg,
                   void (*node)(void *arg, const cs_name_t *name, cs_slice_t bytes));
void cs_list_add(cs_list_t *list, uint32_t len, const cs_name_t *chunk);
/* At least one chunk was added. Returns the depth. */
uint32_t cs_list_end(cs_list_t *list, cs_name_t *ret_root);
void cs_list_fini(cs_list_t *list);

#endif
