/* content_rows.h - what the store remembers of files with more than one chunk: n/, c/ and r/.
 *
 * All of it is derived and may be lost: a node is verified by its name, a chunk's place by the
 * chunk's hash, a root by the content hash. Keys follow the folder number (u32 big-endian);
 * values are sealed (base/seal.h).
 *
 *   n/<node name 32>            bytes of a chunk-list node
 *   c/<chunk name, first 12>    content hash (first 16), u64 offset, u32 len: where it is,
 * perhaps r/<content hash 32>         root name 32, u8 depth, varint size
 */
#ifndef CS_DISK_CONTENT_ROWS_H
#define CS_DISK_CONTENT_ROWS_H

#include "base/store.h"
#include "xfer/content.h"

#define CS_CHUNK_KEY_BYTES 12u /* of a chunk's name in its key (core.md 6.5) */
#define CS_PLACE_BYTES     16u /* of a content hash in a place; as in h/ */

typedef struct cs_chunk_place {
    uint8_t content[CS_PLACE_BYTES];
    uint64_t offset;
    uint32_t len;
} cs_chunk_place_t;

/* Keys replace what ret holds. */
void cs_node_key(uint32_t folder, const cs_name_t *name, cs_buf_t *ret);
void cs_chunk_key(uint32_t folder, const cs_name_t *name, cs_buf_t *ret);
void cs_root_key(uint32_t folder, const cs_content_t *content, cs_buf_t *ret);

/* Read a row. CS_ERR_NOT_FOUND; CS_ERR_CORRUPT. */
CS_MUST_USE cs_err_t cs_node_get(cs_store_t *store, const cs_snapshot_t *snapshot,
                                 uint32_t folder, const cs_name_t *name, cs_buf_t *ret_node);
CS_MUST_USE cs_err_t cs_chunk_get(cs_store_t *store, const cs_snapshot_t *snapshot,
                                  uint32_t folder, const cs_name_t *name,
                                  cs_chunk_place_t *ret);
/* content: kind FILE; NOT_FOUND also where the size is another. */
CS_MUST_USE cs_err_t cs_root_get(cs_store_t *store, const cs_snapshot_t *snapshot,
                                 uint32_t folder, const cs_content_t *content,
                                 cs_name_t *ret_root, uint32_t *ret_depth);

/* Collects rows while a content is hashed. Nodes are handed to `row` as they come; places of
 * chunks (24 bytes each) are kept until the hash is known and the read was found stable. */
typedef struct cs_row_maker {
    uint32_t folder;
    void *arg;
    void (*row)(void *arg, cs_slice_t key, cs_slice_t value);
    cs_buf_t key, value, places; /* owned; zero-initialise */
    cs_content_t content;
    cs_name_t root;
    uint32_t depth;
} cs_row_maker_t;

void cs_row_maker_fini(cs_row_maker_t *maker);
/* For cs_content_hasher_begin; forgets what was unfinished. */
cs_content_sink_t cs_row_maker_begin(cs_row_maker_t *maker);
/* The content was read as a whole: c/ and r/ rows, none for a single chunk. */
void cs_row_maker_end(cs_row_maker_t *maker);
/* One n/ row for a node that came from a peer. */
void cs_row_maker_node(cs_row_maker_t *maker, const cs_name_t *name, cs_slice_t node);

#endif
