/* fetch.h - which bytes to ask of which peer, and what to do with those that come (core.md 9).
 *
 * A machine without I/O. Wants go in with a content id; requests for peers and orders for the
 * disk come out of cs_fetch_next. Small contents (cs_content_is_small) are asked for by content
 * hash, many in one message; of a large one first the root (MAP), then list nodes (NWANT), then
 * chunks (CWANT), skipping those found locally. At most CS_CREDIT_BYTES are outstanding per
 * peer, so memory stays bounded whatever a peer does. A peer that has not (CNONE), lies (hash)
 * or dawdles is passed over for that content; when no peer is left the want sleeps until
 * cs_fetch_retry. */
#ifndef CS_XFER_FETCH_H
#define CS_XFER_FETCH_H

#include "xfer/content.h"

#define CS_FETCH_REQUEST_NAMES_MAX 512u /* names in one request: 16 KiB */

typedef struct cs_fetch cs_fetch_t;
typedef uint32_t cs_peer_t; /* the node's handle of a connected peer, > 0 */

typedef enum cs_fetch_kind {
    /* requests to `peer`: names[] */
    CS_FETCH_ASK_SMALL,  /* CWANT by content hash */
    CS_FETCH_ASK_MAP,    /* MAP of one content: names[0] = content hash, size */
    CS_FETCH_ASK_NODES,  /* NWANT */
    CS_FETCH_ASK_CHUNKS, /* CWANT by chunk name, content = the file they are for */
    /* orders to the disk worker */
    CS_FETCH_OPEN,    /* make or reopen the partial file of `content`; answer cs_fetch_opened */
    CS_FETCH_STAGE,   /* bytes: a whole small content; answer cs_fetch_staged */
    CS_FETCH_LOCAL,   /* try chunks names[] at offsets[] from local files into the part;
                         cs_fetch_local */
    CS_FETCH_WRITE,   /* bytes at offset of the partial file; answer cs_fetch_written */
    CS_FETCH_FINISH,  /* all chunks are there: verify as a whole, then it counts as staged */
    CS_FETCH_NODE_ROW /* keep node `names[0]` = bytes in the store (n/) */
} cs_fetch_kind_t;

typedef struct cs_fetch_action {
    cs_fetch_kind_t kind;
    cs_peer_t peer;
    cs_content_t content;
    cs_name_t *names; /* borrowed until the next call on the machine, as all below */
    uint64_t *offsets;
    uint32_t *lens;
    size_t name_count;
    uint64_t offset;
    cs_slice_t
        bytes; /* STAGE, WRITE: those just handed in; the caller copies or keeps the frame */
} cs_fetch_action_t;

cs_fetch_t *cs_fetch_new(const cs_chunker_table_t *table, uint64_t seed);
void cs_fetch_destroy(cs_fetch_t **fetch_p);

/* Idempotent. Wants beyond CS_FETCH_WANTS_MAX are refused: CS_ERR_AGAIN, come back later. */
#define CS_FETCH_WANTS_MAX 4096u
CS_MUST_USE cs_err_t cs_fetch_want(cs_fetch_t *fetch, const cs_content_t *content);
void cs_fetch_unwant(cs_fetch_t *fetch, const cs_content_t *content); /* superseded */
bool cs_fetch_is_staged(const cs_fetch_t *fetch, const cs_content_t *content);
void cs_fetch_used(cs_fetch_t *fetch,
                   const cs_content_t *content); /* staged file was renamed away */

void cs_fetch_peer_up(cs_fetch_t *fetch, cs_peer_t peer);
void cs_fetch_peer_down(cs_fetch_t *fetch, cs_peer_t peer);
void cs_fetch_retry(cs_fetch_t *fetch,
                    cs_peer_t peer); /* peer may have more now; 0: all peers */
void cs_fetch_tick(cs_fetch_t *fetch, uint64_t now_ms); /* timeouts */

/* Answers of peers. MISMATCH, MALFORMED: drop that peer. */
CS_MUST_USE cs_err_t cs_fetch_on_data(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name,
                                      cs_slice_t bytes);
CS_MUST_USE cs_err_t cs_fetch_on_map(cs_fetch_t *fetch, cs_peer_t peer,
                                     const cs_content_t *content, const cs_name_t *root,
                                     uint32_t depth);
CS_MUST_USE cs_err_t cs_fetch_on_node(cs_fetch_t *fetch, cs_peer_t peer, cs_slice_t bytes);
void cs_fetch_on_none(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name);

/* Answers of the disk worker. */
void cs_fetch_opened(cs_fetch_t *fetch, const cs_content_t *content, bool has_bytes,
                     cs_err_t err);
void cs_fetch_local(cs_fetch_t *fetch, const cs_content_t *content, const cs_name_t *found,
                    size_t count);
void cs_fetch_staged(cs_fetch_t *fetch, const cs_content_t *content,
                     cs_err_t err); /* STAGE and FINISH */
void cs_fetch_written(cs_fetch_t *fetch, const cs_content_t *content, uint64_t bytes,
                      cs_err_t err);

/* The next thing to do; false: nothing for now. */
bool cs_fetch_next(cs_fetch_t *fetch, uint64_t now_ms, cs_fetch_action_t *ret);

typedef struct cs_fetch_stats {
    uint64_t wants, sleeping, bytes_missing;
} cs_fetch_stats_t;
void cs_fetch_stats(const cs_fetch_t *fetch, cs_fetch_stats_t *ret);

#endif
