/* fetch.h - which bytes to ask of which peer, and what to do with those that come (core.md 9).
 *
 * A machine without I/O. Wants go in with a content id; requests for peers and orders for the
 * disk come out of cs_fetch_next.
 *
 *   small   ASK_SMALL -> data, verified -> STAGE -> staged
 *   large   ASK_MAP -> root -> OPEN -> nodes kept here, or ASK_NODES, a window of leaves at a
 *           time: LOCAL -> ASK_CHUNKS -> data, verified -> WRITE -> ... -> FINISH -> staged
 *
 * Whatever peers do, memory is bounded: at most CS_CREDIT_BYTES are outstanding per peer, at
 * most CS_FETCH_MEMORY_BYTES asked for or on the way to the disk (what a peer owes that fell
 * silent is not counted, and may come after all), CS_FETCH_FILES_MAX large
 * files at a time, of each of which only CS_FETCH_LEAVES_MAX leaves of the list are in memory.
 * A peer that has not (CNONE), lies or dawdles is passed over for that content; with no peer
 * left a want sleeps until cs_fetch_retry. Peers are asked in turn, so many peers share one
 * large file. One that is fetching a large file itself is asked which chunks it has, and then
 * for those; once there is such a one, what the fewest have is asked for first, of everybody,
 * so that several that fetch a file at a time get most of it from each other. */
#ifndef CS_XFER_FETCH_H
#define CS_XFER_FETCH_H

#include "xfer/content.h"

CS_HEADER_BEGIN

#define CS_FETCH_REQUEST_NAMES_MAX 512u       /* names in one request: 16 KiB */
#define CS_FETCH_REQUEST_BYTES     (1u << 20) /* chunks expected in answer to one request */
#define CS_FETCH_REQUESTS_MAX      8u         /* outstanding per peer */
#define CS_FETCH_WANTS_MAX         16384u
/* of those, large ones: they are fetched a few at a time, and small ones must not wait for them
 */
#define CS_FETCH_LARGE_MAX  1024u
#define CS_FETCH_PEERS_MAX  64u        /* more are not asked */
#define CS_FETCH_OFFERS_MAX 32u        /* wants beyond which no offer makes another one */
#define CS_FETCH_FILES_MAX  4u         /* large files in progress */
#define CS_FETCH_HUGE_BYTES (1u << 30) /* larger files may take all of those but one */
#define CS_FETCH_LEAVES_MAX 4u         /* of one file in memory: 4096 chunks, 1 GiB or so */
/* leaves whose chunks are looked for on the disk at a time: a second each, and others use it */
#define CS_FETCH_LOOKS_MAX 2u
/* asked for, or given to the disk and not yet written: more than 1 Gbit/s and 100 ms hold */
#define CS_FETCH_MEMORY_BYTES (24u << 20)
#define CS_FETCH_TIMEOUT_MS   10000u  /* without an answer: all requests go to other peers */
#define CS_FETCH_RETRY_MS     60000u  /* then a peer that was silent is tried again */
#define CS_FETCH_REQUEST_MS   120000u /* an answer that never comes from a peer that talks */
#define CS_FETCH_ENDGAME_MS   2000u   /* an idle peer is asked, too, for what is late */
#define CS_FETCH_REST_MS      50u     /* small: asked of the next after one has it not yet */
#define CS_FETCH_PARTS_MS     250u    /* how often one that has a file in part is asked what */
#define CS_FETCH_PROBE_MS     2000u   /* or a peer that has it not, whether it has it in part */
#define CS_FETCH_PARTIAL_MS   10000u /* without progress such a one alone keeps no want awake */

typedef struct cs_fetch cs_fetch_t;
typedef uint32_t cs_peer_t; /* the node's handle of a connected peer, > 0 */

typedef enum cs_fetch_kind {
    /* requests to `peer`: names[] */
    CS_FETCH_ASK_SMALL,  /* CWANT by content hash */
    CS_FETCH_ASK_MAP,    /* MAP of `content` */
    CS_FETCH_ASK_NODES,  /* NWANT */
    CS_FETCH_ASK_CHUNKS, /* CWANT by chunk name; `content` is the file they are for; with
                            offsets[] and lens[] if the peer has it in part */
    /* neither: nothing is awaited */
    CS_FETCH_ASK_PARTS, /* PARTS, to `peer`: of `count` chunks from `offset` */
    CS_FETCH_TELL, /* who asked for `content` in vain may be told that it is here in part */
    /* orders to the disk worker about `content`, each answered by cs_fetch_done with its ticket
     */
    CS_FETCH_OPEN,  /* make or reopen the partial file; result: has_bytes (not used but to show)
                     */
    CS_FETCH_STAGE, /* bytes: a whole small content */
    CS_FETCH_LOCAL, /* which chunks names[] are right at offsets[] of the partial file, or could
                       be copied there from local files; result: offsets of those */
    CS_FETCH_WRITE, /* bytes at `offset` of the partial file */
    CS_FETCH_FINISH, /* all chunks are there: staged, if `proved` */
    CS_FETCH_DISCARD /* not wanted any more: remove the partial and the staged file, if any */
} cs_fetch_kind_t;

typedef struct cs_fetch_action {
    cs_fetch_kind_t kind;
    cs_peer_t peer;  /* requests */
    uint64_t ticket; /* orders, > 0 */
    cs_content_t content;
    const cs_name_t *names; /* borrowed until the next call on the machine, as all below */
    const uint64_t *offsets;
    const uint32_t *lens;
    size_t count;
    uint64_t size; /* requests: bytes of the answer, at most; OPEN: that it will need */
    uint64_t offset;
    cs_slice_t bytes; /* STAGE, WRITE: in the bytes given to cs_fetch_on_data just before */
    bool proved;      /* FINISH: the list is the one that a file of these chunks has */
} cs_fetch_action_t;

/* The rows (rows.h) of contents that are here, or become so. */
typedef struct cs_fetch_rows {
    uint32_t folder;
    void *arg;
    /* A node that is kept need not be asked for. ret (initialised) is replaced; it is checked
     * against the name. Not CS_OK: it is not here. */
    cs_err_t (*node)(void *arg, const cs_name_t *name, cs_buf_t *ret);
    /* A row of a large content: those of its list as they become known, those that make it
     * reachable when it is staged. Borrowed. */
    void (*row)(void *arg, cs_slice_t key, cs_slice_t value);
} cs_fetch_rows_t;

/* rows: copied; NULL: none are kept. */
cs_fetch_t *cs_fetch_new(const cs_chunker_table_t *table, const cs_fetch_rows_t *rows,
                         uint64_t seed);
void cs_fetch_destroy(cs_fetch_t **fetch_p);

/* What several machines may have asked for, or on the way to the disk, together. One of them
 * that has nothing may always ask for one thing, so that each goes on. */
typedef struct cs_fetch_budget {
    uint64_t bytes_max;
    uint64_t bytes; /* kept by the machines */
    bool tight;     /* somebody might have asked for more; the owner clears it */
} cs_fetch_budget_t;
/* Before anything is asked for. Outlives the machine. */
void cs_fetch_share(cs_fetch_t *fetch, cs_fetch_budget_t *budget);

/* Idempotent. peer: who said that there is this content, asked first; 0: nobody in particular.
 * Beyond CS_FETCH_WANTS_MAX the oldest sleeping want is given up for the new one, a small one
 * if there is one; beyond CS_FETCH_LARGE_MAX contents that are not small, the oldest such.
 * Where it has bytes on disk it stays. CS_ERR_AGAIN: none sleeps, come back later. kind FILE or
 * SYMLINK. */
CS_MUST_USE cs_err_t cs_fetch_want(cs_fetch_t *fetch, const cs_content_t *content,
                                   cs_peer_t peer);
/* So many new small contents would be taken, unless what sleeps has bytes on disk. */
size_t cs_fetch_room(const cs_fetch_t *fetch);
/* It is complete in .crdtsync/tmp, from an earlier run, or found elsewhere on this disk. A want
 * of it is met if it sleeps, and goes on otherwise. Errors as above. */
CS_MUST_USE cs_err_t cs_fetch_found(cs_fetch_t *fetch, const cs_content_t *content);
/* Up to `max` contents that nobody has who is connected. */
size_t cs_fetch_missed(const cs_fetch_t *fetch, cs_content_t *ret, size_t max);
void cs_fetch_unwant(cs_fetch_t *fetch,
                     const cs_content_t *content); /* superseded: discarded */
bool cs_fetch_is_staged(cs_fetch_t *fetch, const cs_content_t *content);
void cs_fetch_used(cs_fetch_t *fetch,
                   const cs_content_t *content); /* staged file was renamed away */

/* Superseded wants by exclusion: of what was neither wanted nor found staged between a mark and
 * the next sweep, because no path needs it any more, all is unwanted. */
void cs_fetch_mark(cs_fetch_t *fetch);
void cs_fetch_sweep(cs_fetch_t *fetch);

void cs_fetch_peer_up(cs_fetch_t *fetch, cs_peer_t peer);
void cs_fetch_peer_down(cs_fetch_t *fetch, cs_peer_t peer);
/* A peer may have more now, and answers if it was silent; 0: all may have more. */
void cs_fetch_retry(cs_fetch_t *fetch, cs_peer_t peer);
/* Nothing is asked of it until it is let go: a limit. What it was asked for may come. */
void cs_fetch_hold(cs_fetch_t *fetch, cs_peer_t peer, bool held);
/* It works at what it was asked for. */
void cs_fetch_heard(cs_fetch_t *fetch, cs_peer_t peer);
/* Timeouts: once a second or so, and when something is due. */
void cs_fetch_tick(cs_fetch_t *fetch, uint64_t now_ms);
uint64_t cs_fetch_due(const cs_fetch_t *fetch); /* UINT64_MAX: never */
/* A peer that has become silent since it was last told of here, each once; 0: none. */
cs_peer_t cs_fetch_next_silent(cs_fetch_t *fetch);

/* Answers of peers. MISMATCH, MALFORMED: drop that peer. What was not asked for is ignored: it
 * may answer a request of an earlier conversation. After on_data take actions from
 * cs_fetch_next until there are none, before `bytes` goes away or the machine is called again:
 * the orders to write them come then. */
CS_MUST_USE cs_err_t cs_fetch_on_data(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name,
                                      cs_slice_t bytes);
/* Bytes of a small content that nobody asked for, and somebody may want soon: staged as if they
 * were the answer to a question. Left, too: what is here, and what there is no room for. */
CS_MUST_USE cs_err_t cs_fetch_offer(cs_fetch_t *fetch, const cs_name_t *name, cs_slice_t bytes);
CS_MUST_USE cs_err_t cs_fetch_on_map(cs_fetch_t *fetch, cs_peer_t peer,
                                     const uint8_t hash[CS_HASH_BYTES],
                                     const cs_content_map_t *map, bool partial);
/* PARTS: of the leaf that begins at `from` it has the chunks whose bits are set, and those of
 * `coming` were asked of one that has them all; no bits: it has some, somewhere. */
void cs_fetch_on_parts(cs_fetch_t *fetch, cs_peer_t peer, const cs_content_t *content,
                       uint64_t from, cs_slice_t bits, cs_slice_t coming);
CS_MUST_USE cs_err_t cs_fetch_on_node(cs_fetch_t *fetch, cs_peer_t peer, cs_slice_t bytes);
void cs_fetch_on_none(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name);
/* The peer has it: by CHAVE, what it did not have when it was asked has come to it. */
void cs_fetch_on_have(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name);

/* --- what others may have of a large content that is being fetched */

/* Its root and size, if the root is known to lead to something. */
bool cs_fetch_partial_map(const cs_fetch_t *fetch, const cs_content_t *content,
                          cs_content_map_t *ret);
/* Bytes of ret and ret_coming that say which of `count` chunks from offset `from` are here, or
 * were asked of one that has them all; 0: not known. */
size_t cs_fetch_parts(const cs_fetch_t *fetch, const cs_content_t *content, uint64_t from,
                      uint32_t count, uint8_t ret[CS_PARTS_BYTES],
                      uint8_t ret_coming[CS_PARTS_BYTES]);

/* Answers of the disk worker. err: LOCAL errors let the want sleep until cs_fetch_retry. */
typedef struct cs_fetch_result {
    cs_err_t err;
    bool has_bytes;        /* OPEN */
    const uint64_t *found; /* LOCAL: offsets, any order; borrowed during the call */
    size_t found_count;
} cs_fetch_result_t;
void cs_fetch_done(cs_fetch_t *fetch, uint64_t ticket, const cs_fetch_result_t *result);

/* The next thing to do; false: nothing for now. */
bool cs_fetch_next(cs_fetch_t *fetch, uint64_t now_ms, cs_fetch_action_t *ret);

typedef struct cs_fetch_stats {
    uint64_t wants;    /* not staged yet */
    uint64_t sleeping; /* of those: nobody has it, or the disk refused */
    uint64_t staged;
    uint64_t large; /* of all wants: those that are not small */
    uint64_t bytes_missing;
    uint64_t bytes_asked, bytes_to_disk; /* the sum stays within CS_FETCH_MEMORY_BYTES */
} cs_fetch_stats_t;
void cs_fetch_stats(const cs_fetch_t *fetch, cs_fetch_stats_t *ret);
/* What is to be said of one content. */
typedef enum cs_fetch_state {
    CS_FETCH_UNWANTED,
    CS_FETCH_COMING, /* asked for, or waiting for its turn */
    CS_FETCH_HERE,   /* staged */
    CS_FETCH_NOBODY, /* no connected peer has it */
    CS_FETCH_REFUSED /* the disk could not take it */
} cs_fetch_state_t;
cs_fetch_state_t cs_fetch_state(const cs_fetch_t *fetch, const cs_content_t *content);
/* This peer said that it has not got it (since it was last heard to have more). */
bool cs_fetch_lacks(const cs_fetch_t *fetch, cs_peer_t peer, const cs_content_t *content);
/* A large content in progress. */
typedef struct cs_fetch_flow {
    cs_content_t content;
    uint64_t here; /* bytes, verified and in their place */
    uint64_t rate; /* bytes a second that came to be so lately */
} cs_fetch_flow_t;
size_t cs_fetch_flows(const cs_fetch_t *fetch, cs_fetch_flow_t ret[CS_FETCH_FILES_MAX]);
/* Bytes verified and written of a content in progress; 0 for one that is not wanted. */
uint64_t cs_fetch_progress(const cs_fetch_t *fetch, const cs_content_t *content);

CS_HEADER_END

#endif
