/* fetch_world.h - a world in memory around a fetch machine: peers answer from inboxes in any
 * order between them, the disk answers orders in any order.
 *
 * Checked at every step: what is outstanding stays within bounds, and nothing goes to the disk
 * that is not right. */
#ifndef CS_TESTS_SUPPORT_FETCH_WORLD_H
#define CS_TESTS_SUPPORT_FETCH_WORLD_H

#include "support/contents.h"
#include "xfer/fetch.h"

#define PEERS 6

/* PARTIAL: fetches large contents itself, and has more of them as time goes by. */
typedef enum temper { HONEST, POOR, LIAR, SILENT, FICKLE, PARTIAL } temper_t;

typedef struct question {
    cs_fetch_kind_t kind;
    cs_name_t name;
    uint64_t size; /* expected */
    bool placed;   /* asked of somebody who has it in part */
    uint64_t request;
} question_t;

typedef struct peer {
    cs_peer_t id;
    temper_t temper;
    bool up, banned;
    question_t *inbox;
    size_t head, len, cap;
} peer_t;

typedef struct order {
    uint64_t ticket;
    cs_fetch_kind_t kind;
    size_t content;
    uint64_t *offsets;
    uint32_t *lens;
    size_t count;
    uint64_t offset;
    size_t len;
} order_t;

typedef struct progress {
    uint8_t *part;    /* the partial file; NULL: none */
    uint8_t *written; /* per 64 KiB: times written since OPEN */
    bool staged, wanted, ever;
} progress_t;

typedef struct world {
    test_contents_t all;
    progress_t *progress;
    cs_fetch_t *fetch;
    cs_fetch_budget_t budget; /* none, some, or ample */
    cs_prng_t prng;
    peer_t peer[PEERS];
    order_t *order;
    size_t orders, order_cap;
    uint64_t now_ms, requests;
    bool disk_fails;
    size_t discards, duplicates, parts; /* parts: served by one that has it in part */
} world_t;

uint64_t world_random(world_t *world, uint64_t bound);
bool world_one_in(world_t *world, uint64_t n);
void world_drain(world_t *world);
/* Whether a PARTIAL peer has this chunk by now: one in four, and more with time. */
bool world_has_part(const world_t *world, const cs_name_t *name);
void world_disk_step(world_t *world);
void world_connect(world_t *world, peer_t *peer);
void world_answer(world_t *world, peer_t *peer);
void world_init(world_t *world, uint64_t seed);
void world_add_contents(world_t *world);
void world_fini(world_t *world);
void world_want(world_t *world, size_t index);
void world_unwant(world_t *world, size_t index);
bool world_all_staged(const world_t *world);
bool world_step(world_t *world);
void world_run(world_t *world, size_t steps_max);

#endif
