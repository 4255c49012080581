/* content.h - bytes -> chunks -> chunk list -> content id (core.md 9).
 *
 *   bytes --FastCDC--> chunks --name--> chunk list --cut into nodes, recursively--> root name
 *   content hash = BLAKE2b-256(k_file, size as u64 || root name); one chunk: its name is the
 * root SYMLINK: BLAKE2b-256(k_file, target) chunk name = BLAKE2b-256(k_chunk, SHA-256(bytes));
 * node name = BLAKE2b-256(k_list, SHA-256(node))
 *
 * A node is {u32 len, name32}* of 2 to CS_NODE_ITEMS_MAX items (the last of a level may have
 * one), ending after an item whose name has its low 8 bits zero (last byte 0), so that an edit
 * changes one node. In a leaf, len is the chunk's; above, len is 0. Depth counts the levels of
 * nodes: 0 for a single chunk. An empty file is one empty chunk. */
#ifndef CS_XFER_CONTENT_H
#define CS_XFER_CONTENT_H

#include "crdt/entry.h"

CS_HEADER_BEGIN

#define CS_NODE_ITEM_BYTES (4u + CS_HASH_BYTES)

typedef struct cs_name {
    uint8_t b[CS_HASH_BYTES];
} cs_name_t;

/* Where the chunk list of a content begins. */
typedef struct cs_content_map {
    uint64_t size;
    cs_name_t root;
    uint32_t depth;
    uint64_t zeros; /* bytes of chunks that were holes: what the file does not need of a disk */
} cs_content_map_t;

/* Called in order of the bytes: a leaf after its chunks, an upper node after the nodes below
 * it, the root last. Any function may be NULL. */
typedef struct cs_content_sink {
    void *arg;
    void (*chunk)(void *arg, const cs_name_t *name, uint64_t offset, uint32_t len);
    void (*zeros)(void *arg, uint32_t len); /* the chunk that was just told is a hole */
    void (*node)(void *arg, const cs_name_t *name, cs_slice_t bytes);
    void (*root)(void *arg, const cs_content_t *content, const cs_name_t *root, uint32_t depth);
} cs_content_sink_t;

/* Derived once per folder: the gear table and the keys. Immutable: any thread may use it. */
typedef struct cs_chunker_table cs_chunker_table_t;
cs_chunker_table_t *cs_chunker_table_new(const cs_keys_t *keys);
void cs_chunker_table_destroy(cs_chunker_table_t **table_p);

/* Streaming: the split does not depend on how the bytes are handed over. A hasher is used again
 * for the next content; `begin` drops whatever was unfinished. */
typedef struct cs_content_hasher cs_content_hasher_t;
cs_content_hasher_t *cs_content_hasher_new(const cs_chunker_table_t *table);
void cs_content_hasher_destroy(cs_content_hasher_t **hasher_p);
/* sink: copied; NULL: none. */
void cs_content_hasher_begin(cs_content_hasher_t *hasher, const cs_content_sink_t *sink);
void cs_content_hasher_update(cs_content_hasher_t *hasher, cs_slice_t bytes);
/* The two halves of an update, each as much work as the other, for two threads that touch
 * nothing in common: how many of the bytes belong to the current chunk, and whether it ends
 * with them; and, in the same order, their digest. */
size_t cs_content_hasher_cut(cs_content_hasher_t *hasher, cs_slice_t bytes, bool *ret_cut);
void cs_content_hasher_digest(cs_content_hasher_t *hasher, cs_slice_t bytes, bool cut);
/* `len` zeros, which cost little where they are whole chunks. */
void cs_content_hasher_zeros(cs_content_hasher_t *hasher, uint64_t len);
/* A chunk whose bytes were seen elsewhere, where the last one ended. What comes out at the end
 * is the content that those bytes have, if each chunk is one (cs_chunk_is_whole). */
void cs_content_hasher_chunk(cs_content_hasher_t *hasher, const cs_name_t *name, uint32_t len);
void cs_content_hasher_end(cs_content_hasher_t *hasher, cs_content_t *ret); /* kind FILE */

/* In one go, for what is in memory. kind FILE or SYMLINK. */
void cs_content_of(const cs_chunker_table_t *table, cs_kind_t kind, cs_slice_t bytes,
                   cs_content_t *ret);

/* The chunk that is cut from many zeros: its length, and its name. Hashes up to 1 MiB: to be
 * kept. */
uint32_t cs_zeros_chunk(const cs_chunker_table_t *table, cs_name_t *ret);
void cs_chunk_name(const cs_chunker_table_t *table, cs_slice_t bytes, cs_name_t *ret);
/* Would the chunker cut these bytes out of a file, at the end of it if `last`? Who made a list
 * may have cut as he liked: the same bytes, scanned here, would be another content. */
bool cs_chunk_is_whole(const cs_chunker_table_t *table, cs_slice_t bytes, bool last);
void cs_node_name(const cs_chunker_table_t *table, cs_slice_t bytes, cs_name_t *ret);
void cs_content_from_root(const cs_chunker_table_t *table, uint64_t size, const cs_name_t *root,
                          cs_content_t *ret);

/* Whether a content is asked for by its hash and travels whole: symlinks, files < CS_CHUNK_MIN.
 */
bool cs_content_is_small(const cs_content_t *content);

bool cs_name_eq(const cs_name_t *a, const cs_name_t *b);

CS_HEADER_END

#endif
