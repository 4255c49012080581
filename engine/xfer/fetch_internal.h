/* fetch_internal.h - the parts of the fetch machine (fetch.h): wants, sources, downloads,
 * orders.
 *
 *   want       one content; sits in the list of its state
 *   source     one connected peer: what it was asked and has not answered
 *   download   a large content in progress: its chunk list, a window of leaves at a time
 *   order      something the disk worker was told and has not answered
 *
 * Sets of sources are masks: bit i is source i. Everything is iterated in order of arrival or
 * index, so equal calls give equal actions. */
#ifndef CS_XFER_FETCH_INTERNAL_H
#define CS_XFER_FETCH_INTERNAL_H

#include "base/limits.h"
#include "xfer/fetch.h"
#include "xfer/rows.h"

typedef struct cs_chain { /* a ring; the head belongs to the list */
    struct cs_chain *prev, *next;
} cs_chain_t;

typedef uint64_t cs_mask_t; /* of sources */
_Static_assert(CS_FETCH_PEERS_MAX <= 64, "a mask has 64 bits");

typedef enum cs_want_state {
    CS_WANT_READY,    /* small, nobody was asked */
    CS_WANT_ASKED,    /* small */
    CS_WANT_RESTING,  /* small: who has it not yet will tell, others are asked in a while */
    CS_WANT_STAGING,  /* small: being written */
    CS_WANT_QUEUED,   /* large, waits for a place among the downloads */
    CS_WANT_ACTIVE,   /* large, has a download */
    CS_WANT_SLEEPING, /* nobody has it, or the disk refused */
    CS_WANT_STAGED,
    CS_WANT_DYING,   /* not wanted any more, but orders are out */
    CS_WANT_DISCARD, /* to be removed from disk */
    CS_WANT_DISCARDING,
    CS_WANT_STATES
} cs_want_state_t;

typedef struct cs_want {
    cs_chain_t list; /* of the state; first member */
    cs_chain_t all;
    struct cs_want *same_bucket;
    cs_content_t content;
    cs_want_state_t state;
    bool needed;      /* since the last mark */
    bool again;       /* DYING, DISCARDING: wanted once more */
    bool on_disk;     /* something may be in .crdtsync/tmp */
    uint8_t hint;     /* source that has it, surely; CS_FETCH_PEERS_MAX: none */
    uint32_t orders;  /* out */
    cs_mask_t passed; /* sources that do not have it */
    cs_mask_t askers; /* small: who was asked and has not answered */
    uint64_t asked_ms;
    uint64_t rest_until_ms; /* RESTING; its list is in this order */
    uint64_t done_bytes;    /* large: right in the partial file */
    struct cs_download *download;
} cs_want_t;

typedef enum cs_ask_kind {
    CS_ASK_NONE,
    CS_ASK_SMALL,
    CS_ASK_MAP,
    CS_ASK_NODE,
    CS_ASK_CHUNK
} cs_ask_kind_t;

/* Something asked of a source. Stays until it is answered, even if nobody waits for it any
 * more: the bytes are still on their way. */
typedef struct cs_ask {
    cs_name_t name; /* content hash, node or chunk name */
    uint8_t kind;   /* cs_ask_kind_t; NONE: answered */
    uint8_t request;
    bool late;      /* given to others */
    bool again;     /* the source has more since it was asked: a "none" may be outdated */
    uint32_t bytes; /* expected, with the frame */
    uint64_t asked_ms;
} cs_ask_t;

typedef struct cs_source {
    cs_peer_t peer; /* 0: not in use */
    bool stalled;  /* asked long ago and silent: not asked again until it speaks, or for a while
                    */
    bool untold;   /* that it is silent */
    bool no_steal; /* had not what it took over from another source's list */
    bool dry;      /* nothing for it in fetch->ready */
    uint32_t strays;  /* nodes that came and were not asked for, while others were */
    bool held;        /* cs_fetch_hold */
    cs_chain_t ready; /* small wants that it has, surely */
    cs_ask_t *ask;    /* in order; [head, len) */
    size_t head, len, cap;
    uint32_t open[CS_FETCH_REQUESTS_MAX]; /* unanswered asks of each request */
    uint64_t bytes;                       /* expected */
    uint64_t credit; /* at most expected: grows with prompt answers, shrinks with slow ones */
    uint64_t heard_ms, shrunk_ms, stalled_ms;
} cs_source_t;

typedef enum cs_slot_state {
    CS_SLOT_WANTED,
    CS_SLOT_ASKED,
    CS_SLOT_WRITING,
    CS_SLOT_DONE
} cs_slot_state_t;

/* A chunk in its place. */
typedef struct cs_slot {
    cs_name_t name;
    uint32_t len;
    uint8_t state; /* cs_slot_state_t */
    uint64_t offset;
    cs_mask_t askers;
    uint64_t asked_ms;
} cs_slot_t;

/* A node that is to be fetched. */
typedef struct cs_node_want {
    cs_name_t name;
    bool wanted; /* false: it is here */
    bool looked; /* for it among what is kept on this side */
    cs_mask_t askers;
    uint64_t asked_ms; /* of a source that has the file in part */
} cs_node_want_t;

typedef enum cs_leaf_state {
    CS_LEAF_LISTED, /* its node is to be fetched */
    CS_LEAF_READ,   /* slots are known, offsets are not */
    CS_LEAF_PLACED, /* offsets are known; local files are to be tried */
    CS_LEAF_LOCAL,  /* ordered */
    CS_LEAF_FETCH   /* the rest comes from peers */
} cs_leaf_state_t;

/* What a source that is fetching the file, too, has of a leaf. */
typedef struct cs_parts {
    uint8_t source;
    bool known;                   /* it answered */
    uint32_t refused;             /* chunks of which it said that it has them */
    uint64_t asked_ms;            /* 0: never */
    uint8_t bits[CS_PARTS_BYTES]; /* one for each slot */
    uint8_t coming[CS_PARTS_BYTES];
} cs_parts_t;

typedef struct cs_leaf {
    cs_node_want_t node;
    uint32_t serial;
    cs_leaf_state_t state;
    cs_slot_t *slot;      /* owned */
    uint32_t count, left; /* slots; not DONE */
    uint32_t first;       /* none before it is WANTED */
    cs_parts_t *parts;    /* owned; by source, in order of being asked */
    uint32_t parts_count;
} cs_leaf_t;

/* An upper node on the way from the root to the next leaf. */
typedef struct cs_frame {
    cs_name_t *child; /* owned */
    uint32_t count, next;
} cs_frame_t;

typedef enum cs_download_stage {
    CS_DOWNLOAD_MAP,  /* root to be learnt */
    CS_DOWNLOAD_OPEN, /* partial file to be opened */
    CS_DOWNLOAD_OPENING,
    CS_DOWNLOAD_RUN,
    CS_DOWNLOAD_FINISHING,
    CS_DOWNLOAD_CLOSING /* ends when no order is out */
} cs_download_stage_t;

typedef struct cs_download {
    cs_want_t *want;
    cs_download_stage_t stage;
    cs_mask_t map_askers;
    cs_mask_t mapper;  /* who said root and depth; the depth is only its word */
    cs_mask_t partial; /* who said that it has it in part, though it was passed over */
    uint64_t moved_ms; /* when something of it came last */
    uint64_t rate;     /* bytes a second, smoothed, as of */
    uint64_t rate_ms, rate_bytes; /* this moment, and what was there then */
    bool told;                    /* CS_FETCH_TELL */
    bool rooted; /* what it said leads to something: the root node or chunk is here */
    cs_name_t root;
    uint32_t depth;
    uint64_t zeros; /* bytes that need no space, by its word; at most all */
    cs_frame_t frame[CS_LIST_DEPTH_MAX];
    uint32_t frames;
    cs_node_want_t inner;                /* next upper node */
    bool walked;                         /* all leaves were listed */
    cs_leaf_t leaf[CS_FETCH_LEAVES_MAX]; /* in order of the file */
    uint32_t leaves, serial;
    uint64_t placed;             /* bytes in leaves with offsets */
    cs_content_hasher_t *hasher; /* knows their chunks */
    cs_content_rows_t *rows;     /* of them; NULL: none are kept */
    cs_name_t last;              /* leaf that was read last, of last_node: */
    cs_buf_t last_node;          /* long runs of one chunk make the same leaf many times over */
} cs_download_t;

typedef struct cs_order {
    cs_want_t *want; /* NULL: free */
    uint32_t generation, next_free;
    cs_fetch_kind_t kind;
    uint32_t serial, slot; /* LOCAL, WRITE: leaf and slot of the download */
    uint64_t bytes;
} cs_order_t;

/* Bytes just handed in that go to a place. */
typedef struct cs_landing {
    cs_want_t *want;
    uint32_t serial, slot;
} cs_landing_t;

#define CS_FETCH_BUCKETS 4096u

struct cs_fetch {
    const cs_chunker_table_t *table;
    uint64_t seed, salts; /* salts: given out */
    cs_fetch_rows_t rows;
    cs_buf_t node; /* read by it */
    uint64_t now_ms;
    cs_chain_t all, list[CS_WANT_STATES];
    cs_chain_t asleep_large; /* SLEEPING, contents that are not small: apart from `list` */
    uint64_t count[CS_WANT_STATES];
    size_t wants, large; /* large: of those, the ones that are not small */
    cs_want_t *bucket[CS_FETCH_BUCKETS];
    cs_source_t source[CS_FETCH_PEERS_MAX];
    size_t turn;       /* source that is asked next */
    size_t source_end; /* behind the last place of source[] that is in use */
    cs_mask_t usable;  /* connected and not stalled */
    cs_download_t *download[CS_FETCH_FILES_MAX];
    cs_order_t *order;
    uint32_t orders, order_cap, order_free; /* free: index + 1 */
    uint32_t looks;                         /* of those, LOCAL */
    uint64_t to_disk, asked;   /* bytes; changed by cs__fetch_hold, _let; asked: not of stalled
                                  sources */
    cs_fetch_budget_t *budget; /* borrowed; NULL: its own limit alone */
    uint64_t missing;          /* bytes of wants that are not staged, without done_bytes */
    cs_slice_t landing_bytes;
    cs_landing_t *landing;
    size_t landings, landing_cap, landed;
    cs_name_t *names; /* of the action last returned */
    uint64_t *offsets;
    uint32_t *lens;
};

/* What an answer costs besides its bytes: name, length, its share of frames and bookkeeping. */
#define CS_ASK_OVERHEAD 256u
/* One thing, whatever it is. */
#define CS_FETCH_ONE_BYTES (CS_CHUNK_MAX + CS_ASK_OVERHEAD)

/* --- chains (fetch_want.c) */
void cs__chain_init(cs_chain_t *head);
void cs__chain_push(cs_chain_t *head, cs_chain_t *item); /* at the end */
void cs__chain_remove(cs_chain_t *item);                 /* leaves it a ring of its own */
bool cs__chain_is_empty(const cs_chain_t *head);

/* --- what is held in memory, or will be (fetch.c): `of` is one of to_disk and asked */
void cs__fetch_hold(cs_fetch_t *fetch, uint64_t *of, uint64_t bytes);
void cs__fetch_let(cs_fetch_t *fetch, uint64_t *of, uint64_t bytes);
uint64_t cs__fetch_room(const cs_fetch_t *fetch); /* for more */

/* --- wants (fetch_want.c) */
cs_want_t *cs__want_of(cs_chain_t *link); /* whose member `all` that is */
cs_want_t *cs__want_new(cs_fetch_t *fetch, const cs_content_t *content); /* SLEEPING */
void cs__want_free(cs_fetch_t *fetch, cs_want_t *want);
/* Not wanted any more, and no order is out: freed, or DISCARD, or restarted. */
void cs__want_end(cs_fetch_t *fetch, cs_want_t *want);
cs_want_t *cs__want_find(const cs_fetch_t *fetch, const cs_content_t *content);
cs_want_t *cs__want_by_hash(const cs_fetch_t *fetch, const uint8_t *hash, cs_want_t *after);
void cs__want_set(cs_fetch_t *fetch, cs_want_t *want, cs_want_state_t state);
cs_mask_t cs__want_candidates(const cs_fetch_t *fetch, const cs_want_t *want);
void cs__want_restart(cs_fetch_t *fetch, cs_want_t *want); /* READY, QUEUED, or SLEEPING */
/* The source that is said to have it, unless that is gone or has it not; NULL: none. */
cs_source_t *cs__want_hinted(cs_fetch_t *fetch, const cs_want_t *want);
/* It is (again) said to be at `source`. */
void cs__want_hint(cs_fetch_t *fetch, cs_want_t *want, cs_source_t *source);
void cs__want_wake(cs_fetch_t *fetch);   /* SLEEPING ones that have candidates */
void cs__want_rested(cs_fetch_t *fetch); /* RESTING ones whose time has come */
void cs__want_quiet(cs_fetch_t *fetch, cs_want_t *want); /* after an order: DYING goes on */
void cs__want_done_bytes(cs_fetch_t *fetch, cs_want_t *want, uint64_t done);

/* --- bytes on their way from a peer to the disk (fetch.c) */
void cs__landing_add(cs_fetch_t *fetch, cs_want_t *want, uint32_t serial, uint32_t slot);
void cs__landing_forget(cs_fetch_t *fetch);

/* --- sources (fetch_source.c) */
cs_source_t *cs__source_of(cs_fetch_t *fetch, cs_peer_t peer); /* NULL: not connected */
cs_mask_t cs__source_bit(const cs_fetch_t *fetch, const cs_source_t *source);
uint32_t cs__source_requests(const cs_source_t *source); /* unanswered */
/* Number of a free request, or CS_FETCH_REQUESTS_MAX. */
uint8_t cs__source_request(const cs_source_t *source);
/* Bytes that may still be asked of it. */
uint64_t cs__source_room(const cs_fetch_t *fetch, const cs_source_t *source);
void cs__source_ask(cs_fetch_t *fetch, cs_source_t *source, uint8_t request, cs_ask_kind_t kind,
                    const cs_name_t *name, uint64_t bytes);

/* A silent one speaks again: what it was asked before went to others. */
void cs__source_revive(cs_fetch_t *fetch, cs_source_t *source);

/* NULL: not asked. kind NONE: any. */
cs_ask_t *cs__ask_find(cs_source_t *source, cs_ask_kind_t kind, const cs_name_t *name);
/* An answer to `ask`, which is removed: the source lives, and its credit follows its speed. */
void cs__ask_answered(cs_fetch_t *fetch, cs_source_t *source, cs_ask_t *ask);
/* Others may be asked for it. passed: this one has not the content. */
void cs__ask_release(cs_fetch_t *fetch, cs_source_t *source, const cs_ask_t *ask, bool passed);

/* --- downloads (download.c) */
void cs__download_begin(cs_fetch_t *fetch, cs_want_t *want, size_t index);
void cs__download_close(cs_fetch_t *fetch, cs_download_t *download); /* freed when quiet */
void cs__download_quiet(cs_fetch_t *fetch, cs_want_t *want);
void cs__download_free(cs_download_t **download_p);
void cs__download_fail(cs_fetch_t *fetch,
                       cs_download_t *download); /* its mapper is passed over */
void cs__download_advance(cs_fetch_t *fetch, cs_download_t *download); /* walk, place, sleep */
/* Sources that may be asked for parts of it. */
cs_mask_t cs__download_candidates(const cs_fetch_t *fetch, const cs_download_t *download);
void cs__download_on_map(cs_fetch_t *fetch, cs_download_t *download, cs_mask_t bit,
                         const cs_content_map_t *map, bool partial);
void cs__download_on_node(cs_fetch_t *fetch, cs_download_t *download, const cs_name_t *name,
                          cs_slice_t bytes);
void cs__download_on_chunk(cs_fetch_t *fetch, cs_download_t *download, const cs_name_t *name,
                           size_t len);
/* What `bit` was asked will not come from it. passed: it has not the content either. */
void cs__download_release(cs_fetch_t *fetch, cs_download_t *download, cs_mask_t bit,
                          const cs_ask_t *ask, bool passed);
cs_leaf_t *cs__download_leaf(cs_download_t *download, uint32_t serial);
void cs__download_slot_done(cs_fetch_t *fetch, cs_download_t *download, cs_leaf_t *leaf,
                            cs_slot_t *slot);

/* --- sources that have it in part (fetch_parts.c) */
size_t cs__mask_source(cs_mask_t bit); /* whose bit that is */
/* Sources that are asked for nodes and chunks though they have not all of it. */
cs_mask_t cs__partial_sources(const cs_fetch_t *fetch, const cs_download_t *download);
/* A leaf about which the source is to be asked now, which is noted; NULL: none. */
cs_leaf_t *cs__parts_due(cs_fetch_t *fetch, cs_download_t *download, size_t source);
bool cs__parts_has(const cs_leaf_t *leaf, size_t source, uint32_t slot);
/* Is there a source of which it is known what it has? Then what is rare is asked for first. */
bool cs__parts_known(const cs_download_t *download);
/* A slot of the window that is WANTED and, unless the source has the whole file, that it has:
 * one that the fewest have, each once. False: none is left. */
typedef struct cs_rarest {
    uint64_t salt; /* another one each time */
    size_t source;
    bool whole;
    uint32_t rarity, leaf, seen, most; /* begin with zeros */
} cs_rarest_t;
bool cs__parts_next(const cs_fetch_t *fetch, const cs_download_t *download, cs_rarest_t *at,
                    cs_slot_t **ret);
void cs__parts_lacks(cs_leaf_t *leaf, size_t source, uint32_t slot); /* it said so */
void cs__parts_leave(cs_download_t *download, size_t source);        /* it is gone */

/* --- the chunk list of a download (list_walk.c) */
cs_leaf_t *cs__list_leaf(cs_download_t *download,
                         const cs_name_t *name); /* LISTED, at the end */
/* List and place what there is space for, with what is here. False: it contradicts itself. */
bool cs__list_go_down(cs_fetch_t *fetch, cs_download_t *download);
/* For every place of the list that this node belongs to. False: it does not fit. */
bool cs__list_take(cs_download_t *download, const cs_name_t *name, cs_slice_t bytes);
/* Somebody was asked for this node, for whatever place in the list, and may answer. */
bool cs__list_expects(const cs_download_t *download, const cs_name_t *node);
/* All is placed: are the chunks those of the content? Their names are, and each is verified as
 * it comes; whoever made the list may have cut it as he liked. Once for each download. */
bool cs__list_prove(cs_download_t *download);

/* --- what to do next */
bool cs__order_next(cs_fetch_t *fetch, cs_fetch_action_t *ret); /* fetch_order.c */
bool cs__ask_next(cs_fetch_t *fetch, cs_fetch_action_t *ret);   /* fetch_ask.c */

#endif
