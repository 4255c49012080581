/* rows.h - what a folder remembers of the insides of large files: rows of the store.
 *
 *   r/<content16>          size, root name, depth, zeros  content -> its list (answers MAP)
 *   n/<node16>             node                           list nodes (answer NWANT)
 *   c/<chunk12><leaf4>     leaf16, u32 offset in leaf, u32 len
 *   l/<node16><content16>  content hash, u64 offset       content that a node is part of
 *
 * chunk -> leaf -> content -> path (h/, crdt/replica.h) -> bytes. The hop over the leaf keeps
 * memory small while a file is hashed: its id is known only at the end, and then there is one
 * row to write per node instead of per chunk. Several rows per chunk and per node, because
 * versions and copies of a file share most of both, and any one of them may vanish.
 *
 * `zeros` is left out if it is 0. A file of one chunk has that chunk as its leaf. Files that
 * travel whole (cs_content_is_small) have no rows. Keys begin with the folder number like all
 * others; values are sealed (base/seal.h). */
#ifndef CS_XFER_ROWS_H
#define CS_XFER_ROWS_H

#include "base/store.h"
#include "xfer/content.h"

/* Turns what a hasher tells into rows. One for many files: a `begin` before each. */
typedef struct cs_content_rows cs_content_rows_t;

/* row: gets each key and value, borrowed; keys may repeat, with equal or newer values. */
cs_content_rows_t *cs_content_rows_new(uint32_t folder, void *arg,
                                       void (*row)(void *arg, cs_slice_t key,
                                                   cs_slice_t value));
void cs_content_rows_destroy(cs_content_rows_t **rows_p);
/* The sink for cs_content_hasher_begin of the next file. Rows of chunks and nodes appear as it
 * is hashed; nothing points to them, and cs_rows_sweep removes them, unless `end` follows. */
const cs_content_sink_t *cs_content_rows_begin(cs_content_rows_t *rows);
/* The row of a node alone, before the file is hashed as far as that: it can be asked for. */
void cs_content_rows_node(cs_content_rows_t *rows, const cs_name_t *name, cs_slice_t bytes);
/* After cs_content_hasher_end, if the bytes were found to be a file's: the rows that make the
 * others reachable (l/, r/). */
void cs_content_rows_end(cs_content_rows_t *rows);

/* --- reading; snapshot NULL: the newest state. CS_ERR_NOT_FOUND, CS_ERR_CORRUPT, CS_ERR_IO. */
typedef struct cs_rows_view {
    cs_store_t *store; /* borrowed, as below */
    const cs_snapshot_t *snapshot;
    uint32_t folder;
} cs_rows_view_t;

CS_MUST_USE cs_err_t cs_rows_map(const cs_rows_view_t *view, const uint8_t hash[CS_HASH_BYTES],
                                 cs_content_map_t *ret);
/* ret (initialised) is replaced. The caller checks the name: the key is only a part of it. */
CS_MUST_USE cs_err_t cs_rows_node(const cs_rows_view_t *view, const cs_name_t *name,
                                  cs_buf_t *ret);

/* Where a chunk may be found. `each` returns false to stop. */
typedef struct cs_chunk_place {
    uint8_t hash[CS_HASH_BYTES]; /* of the content that holds it */
    uint64_t offset;
    uint32_t len;
} cs_chunk_place_t;
CS_MUST_USE cs_err_t cs_rows_places(const cs_rows_view_t *view, const cs_name_t *chunk,
                                    void *arg,
                                    bool (*each)(void *arg, const cs_chunk_place_t *place));

/* Paths that hold a content, from h/. */
CS_MUST_USE cs_err_t cs_rows_paths(const cs_rows_view_t *view,
                                   const uint8_t hash[CS_HASH_BYTES], void *arg,
                                   bool (*each)(void *arg, cs_slice_t path));

/* Append deletions of rows that serve no content any more to `batch`, looking at about `max`
 * rows from *cursor on (empty: the beginning; left empty at the end of all). Not while a scan
 * of the folder runs or fetched files wait to be applied: their rows come before the h/ row
 * that keeps them. */
CS_MUST_USE cs_err_t cs_rows_sweep(const cs_rows_view_t *view, size_t max, cs_buf_t *cursor,
                                   cs_batch_t *batch);

#endif
