/* serve.h - reads what a peer asks for, in a worker: contents, chunks, list nodes, roots.
 *
 * Everything is verified against its name before it is handed out, so a file that changed since
 * it was hashed is simply not there. Answers to one request are bounded by CS_SERVE_BYTES_MAX;
 * what does not fit counts as missing (a peer of ours never asks for as much). */
#ifndef CS_DISK_SERVE_H
#define CS_DISK_SERVE_H

#include "disk/fs.h"
#include "xfer/rows.h"

#define CS_SERVE_BYTES_MAX (2u << 20) /* twice CS_FETCH_REQUEST_BYTES */

typedef struct cs_serve {
    cs_fs_t *fs;
    const cs_chunker_table_t *table;
    cs_rows_view_t rows;
} cs_serve_t;

typedef struct cs_serve_sink {
    void *arg;
    /* Payload of one CHUNK message: records {32 B name, u32 len, bytes}, cut at
     * CS_BUNDLE_BYTES, or a single longer record. Of one NODE message: nodes, each preceded by
     * a u32 len. May be taken: then an empty buffer is left. */
    void (*payload)(void *arg, cs_buf_t *payload);
    void (*missing)(void *arg, const cs_name_t *name);
} cs_serve_sink_t;

/* Chunks by their names. Of a file that may be here in part (part.h): it, and where they are in
 * it (parallel to the names, lens at most CS_CHUNK_MAX); else these are NULL. */
typedef struct cs_serve_chunks {
    const cs_name_t *names;
    size_t count;
    const cs_content_t *content;
    const uint64_t *offsets;
    const uint32_t *lens;
} cs_serve_chunks_t;

/* CWANT: small contents by their hash, and chunks; NULL: none. */
void cs_serve_data(const cs_serve_t *serve, const cs_name_t *contents, size_t content_count,
                   const cs_serve_chunks_t *chunks, const cs_serve_sink_t *sink);

/* NWANT. */
void cs_serve_nodes(const cs_serve_t *serve, const cs_name_t *names, size_t count,
                    const cs_serve_sink_t *sink);

/* MAP. CS_ERR_NOT_FOUND: not here, or not any more. */
CS_MUST_USE cs_err_t cs_serve_map(const cs_serve_t *serve, const uint8_t hash[CS_HASH_BYTES],
                                  uint64_t size, cs_content_map_t *ret);

#endif
