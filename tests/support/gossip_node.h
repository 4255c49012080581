/* gossip_node.h - one node of the gossip property test: replica, machine, disk, outbox.
 *
 * Messages wait in the outbox until the batch before them is written, as core.md 6.5 asks. A
 * crash loses what was not written; a restored image forgets even what was told to others.
 * Users are played against the base table: what the last materialisation showed them. */
#ifndef CS_TESTS_GOSSIP_NODE_H
#define CS_TESTS_GOSSIP_NODE_H

#include "node/gossip.h"
#include "sim/mem_store.h"

#define GN_NODES_MAX 8u

struct gn_world;

/* One user operation: at most one content added, some removed. Contents are unique numbers. */
typedef struct gn_event {
    struct gn_event *next;
    unsigned node;             /* who minted it */
    uint64_t rid, first, last; /* the numbers it took */
    cs_dot_t dot;              /* of the content added */
    cs_bucket_t bucket;        /* where it is */
    uint64_t order;            /* among all events */
    bool durable;
    uint64_t added; /* 0: a deletion */
    uint64_t removed[4];
    unsigned removed_count;
    bool exposed; /* its number was given away */
    bool lost;    /* a crash took it before anybody heard of it: it never was */
    bool maybe;   /* an image forgot it, or made two of it: all is allowed */
} gn_event_t;

typedef struct gn_frame {
    unsigned from, to;
    bool is_entries;
    cs_buf_t bytes;
} gn_frame_t;

typedef struct gn_frames {
    gn_frame_t **items;
    size_t len, cap;
} gn_frames_t;

typedef struct gn_image {
    cs_mem_disk_t *disk;
    uint64_t order; /* the newest event in it */
} gn_image_t;

typedef struct gn_node {
    struct gn_world *world;
    unsigned index;
    bool up, rolled; /* rolled: an image was restored and nobody noticed yet */
    bool rows_lost;  /* entries vanished from its disk: the next start must notice */
    cs_mem_disk_t *disk;
    cs_store_t *store;
    cs_replica_t *replica;
    cs_gossip_t *gossip;
    gn_frames_t outbox;          /* waits for the next write */
    uint64_t next_tick_ms, life; /* life: times it was started */
    gn_image_t images[3];
    unsigned image_count;
    bool reborn;        /* asked for a new incarnation within this call */
    unsigned notes;     /* peers that do what they should not */
    unsigned exchanges; /* that ended; the last one: */
    cs_exchange_end_t exchange_end;
    cs_exchange_facts_t exchange;
} gn_node_t;

typedef struct gn_world {
    uint64_t seed, now_ms, next_rid, next_content, next_order;
    cs_prng_t prng;
    cs_keys_t keys;
    unsigned node_count, step;
    bool trace;
    gn_node_t nodes[GN_NODES_MAX];
    bool linked[GN_NODES_MAX][GN_NODES_MAX];
    gn_frames_t links[GN_NODES_MAX][GN_NODES_MAX]; /* from, to */
    gn_frames_t late, past;
    gn_event_t *events;         /* newest first */
    const char *failure, *hole; /* hole: core.md 15 (k), the history ends */
    unsigned incarnations, alarms, drops;
    uint64_t symbols, parts, lists; /* cs_gossip_stats_t of all lives that ended */
} gn_world_t;

void gn_world_init(gn_world_t *world, uint64_t seed); /* then set node_count and linked */
void gn_world_start(gn_world_t *world);
void gn_world_fini(gn_world_t *world);
void gn_world_count(gn_world_t *world, const cs_gossip_stats_t *stats); /* of a life's end */

void gn_trace(gn_world_t *world, const char *format, ...) CS_PRINTF(2, 3);
void gn_fail(gn_world_t *world, const char *why);
cs_key_t gn_key(unsigned index);

void gn_frames_push(gn_frames_t *frames, gn_frame_t *frame);
gn_frame_t *gn_frames_take(gn_frames_t *frames, size_t at);
gn_frame_t *gn_frame_copy(const gn_frame_t *frame);
void gn_frame_free(gn_frame_t **frame_p);
void gn_frames_fini(gn_frames_t *frames);

void gn_connect(gn_world_t *world, unsigned a, unsigned b); /* peer ids: index + 1 */
bool gn_equal_roots(const gn_world_t *world, unsigned a, unsigned b);

cs_gossip_host_t gn_host(gn_node_t *node); /* gossip_host.c */
void gn_node_start(gn_node_t *node);       /* opens the disk, begins conversations */
void gn_node_stop(gn_node_t *node);        /* all that is not on the disk is gone */
void gn_node_fini(gn_node_t *node);
void gn_node_flush(gn_node_t *node); /* one synced batch, then the outbox goes out */
void gn_node_deliver(gn_node_t *node, const gn_frame_t *frame);
void gn_node_tick(gn_node_t *node);
void gn_node_user(gn_node_t *node);                   /* one random operation, scanned */
void gn_node_create(gn_node_t *node, uint32_t count); /* so many new files, in one scan */
void gn_node_materialise(gn_node_t *node);            /* base follows the projection */
void gn_node_save(gn_node_t *node);
void gn_node_restore(gn_node_t *node, unsigned image, bool noticed);
void gn_node_copy(gn_node_t *node, gn_node_t *from, bool noticed); /* node becomes a copy */
void gn_node_lose_rows(gn_node_t *node);                           /* some entries are gone */

/* --- oracle */
void gn_oracle_check(gn_world_t *world,
                     gn_node_t *node);  /* no overclaim, nothing exposed twice */
void gn_oracle_expose(gn_node_t *node); /* all its numbers are given away now */
void gn_oracle_written(gn_node_t *node);
void gn_oracle_crashed(gn_node_t *node);                  /* what was not written never was */
void gn_oracle_restored(gn_node_t *node, uint64_t order); /* what is newer is forgotten here */
void gn_oracle_forgotten(gn_node_t *node, bool unexposed_only); /* all is allowed from now on */
void gn_oracle_reborn(gn_node_t *node, uint64_t old_rid, uint64_t exposed);
void gn_oracle_final(gn_world_t *world);

uint64_t gn_content_number(const cs_content_t *content);

#endif
