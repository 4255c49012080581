/* workset.h - what was touched since the last durable moment, over a store.
 *
 * Eight ordered tables, each an overlay map whose nodes hide the rows of the store:
 *
 *   present, dirty     put since the last stage            absent, dirty     deleted likewise
 *   present, staged    in a batch not known as durable     absent, staged    likewise
 *   present, clean     a decoded row kept for reuse        (absent and clean: no node)
 *
 * A read asks the overlay, then the store; a cursor merges the two. Clean nodes are bounded, so
 * memory follows what changes, not what exists. Without a store nothing is dirty and nothing is
 * encoded: the overlay is the state. A failure of the store sticks in `fault`; from then on
 * nothing is staged, because it might follow from rows that could not be read. */
#ifndef CS_CRDT_WORKSET_H
#define CS_CRDT_WORKSET_H

#include "base/store.h"
#include "crdt/omap.h"

typedef enum cs_table {
    CS_T_ENTRY,   /* e/<bucket>                      cs_cell_t */
    CS_T_DIGEST,  /* d/<item>                        16 bytes: the bucket */
    CS_T_DUE,     /* t/<bucket>                      nothing: due for collection or clean-up */
    CS_T_PATH,    /* p/<path>\0<bucket><lin>         nothing */
    CS_T_BASE,    /* b/<path>                        cs_item_t */
    CS_T_CONTENT, /* h/<content hash16><path>        nothing */
    CS_T_WANTED,  /* w/<path>                        nothing: base and projection differ here */
    CS_T_GOING,   /* g/<path>                        nothing: a directory that has to go */
    CS_TABLE_COUNT
} cs_table_t;

/* How a table's values live in memory; NULL functions: no value. */
typedef struct cs_table_type {
    char prefix;
    bool keep;                                                    /* worth keeping when clean */
    void *(*decode)(void *arg, cs_slice_t key, cs_slice_t value); /* NULL: not to be trusted */
    void (*encode)(void *arg, cs_onode_t *node, cs_buf_t *ret);
    void (*drop)(void *value);
} cs_table_type_t;

typedef struct cs_list {
    cs_onode_t *first, *last;
    uint32_t len;
} cs_list_t;

#define CS_SPOTS 4u /* store iterators kept open a table, between two durable moments */

/* An iterator that stays where it was moved to: there is no row of the store between `from` and
 * `key`, so that a look-up in between, or at `key`, costs none. */
typedef struct cs_spot {
    cs_iter_t *iter; /* NULL: nowhere */
    cs_buf_t from;   /* without folder and prefix, as `key` */
    cs_slice_t key;  /* the row at the iterator; unless at_end */
    bool at_end;     /* of the table */
    bool held;       /* by a cursor */
    uint64_t used;
} cs_spot_t;

typedef struct cs_workset {
    cs_store_t *store; /* borrowed; NULL: memory only */
    uint32_t folder;
    const cs_table_type_t *types; /* CS_TABLE_COUNT */
    void *arg;
    cs_omap_t map[CS_TABLE_COUNT];
    cs_list_t dirty, staged, clean;
    uint64_t stage_next, stage_done; /* numbers of stages */
    cs_spot_t spot[CS_TABLE_COUNT][CS_SPOTS];
    uint64_t spot_uses;
    cs_err_t fault;
    cs_buf_t key, value; /* scratch */
} cs_workset_t;

void cs_workset_init(cs_workset_t *ws, cs_store_t *store, uint32_t folder,
                     const cs_table_type_t *types, void *arg);
void cs_workset_fini(cs_workset_t *ws);

/* The decoded value, owned by the table; NULL: no such row (or fault). */
void *cs_workset_get(cs_workset_t *ws, cs_table_t table, cs_slice_t key);
cs_onode_t *cs_workset_node(cs_workset_t *ws, cs_table_t table, cs_slice_t key);
bool cs_workset_has(cs_workset_t *ws, cs_table_t table, cs_slice_t key);
/* Set the row; an older value is dropped unless it is the same pointer. */
cs_onode_t *cs_workset_put(cs_workset_t *ws, cs_table_t table, cs_slice_t key, void *value);
/* The same of a row that is not there: no batch tells of it if it is deleted in time. */
void cs_workset_put_new(cs_workset_t *ws, cs_table_t table, cs_slice_t key, void *value);
void cs_workset_changed(cs_workset_t *ws,
                        cs_onode_t *node); /* the value was changed in place */
void cs_workset_delete(cs_workset_t *ws, cs_table_t table, cs_slice_t key);
/* Delete every row, for a rebuild from e/ and b/. */
void cs_workset_delete_all(cs_workset_t *ws, cs_table_t table);

/* Appends puts and deletes of all dirty rows; they are staged then. */
bool cs_workset_is_dirty(const cs_workset_t *ws);
void cs_workset_stage(cs_workset_t *ws, cs_batch_t *batch);
void cs_workset_durable(cs_workset_t *ws); /* the oldest stage */
/* Forget clean rows beyond `keep_max`: only while no pointer into a table is held. */
void cs_workset_trim(cs_workset_t *ws, uint32_t keep_max);

/* --- cursors. The table must not change under an open cursor. */
typedef struct cs_cursor {
    cs_workset_t *ws;
    cs_table_t table;
    cs_onode_t *node;  /* overlay: at or after the position */
    cs_spot_t *spot;   /* store; NULL: none, or it failed */
    cs_onode_t *at;    /* the row is this node, */
    cs_slice_t within; /* it ends at the first key that does not begin so; borrowed */
    cs_slice_t key;    /* without folder and prefix; valid until next or fini */
    bool valid;
    /* No longer valid: the first row behind `within`, which costs nothing to tell. Its key is
     * good until the table or another cursor moves; NULL: none. Unless a deleted row hides it.
     */
    cs_slice_t beyond;
    bool beyond_known;
} cs_cursor_t;

void cs_cursor_init(cs_cursor_t *cursor, cs_workset_t *ws, cs_table_t table);
void cs_cursor_seek(cs_cursor_t *cursor, cs_slice_t key);
/* First row >= key of those whose keys begin with `within` (borrowed as long as the cursor
 * moves): deleted rows behind them are not passed through. */
void cs_cursor_seek_within(cs_cursor_t *cursor, cs_slice_t key, cs_slice_t within);
void cs_cursor_next(cs_cursor_t *cursor);
void cs_cursor_fini(cs_cursor_t *cursor);
void cs_cursors_close(cs_workset_t *ws); /* all iterators: they do not see what comes */
/* Any row whose key begins so? */
bool cs_workset_any(cs_workset_t *ws, cs_table_t table, cs_slice_t prefix);

/* folder, "<prefix>/", key. */
void cs_workset_key(const cs_workset_t *ws, char prefix, cs_slice_t key, cs_buf_t *ret);

#endif
