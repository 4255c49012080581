/* gossip_main.c - random histories of gossiping nodes: late and lost frames, crashes, old
 * images.
 *
 *   gossip [count [first seed]]     CRDTSYNC_TRACE=1 prints what happens
 *
 * Each history ends in a fair phase: no more faults, and within a bounded time all roots, seen
 * vectors and trees are equal, no tombstone is left, and the contents are those that the
 * operations imply. Overclaims are looked for after every step (support/gossip_oracle.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "support/gossip_node.h"
#include "support/seed.h"

#define EVERY_WAY 200u    /* histories among which symbols, partitions and lists are all met */
#define FAIR_MS   600000u /* HAVEs come at least once a minute; a round of them a hop */

typedef enum faults { NONE, NET, CRASH, IMAGE } faults_t;

static unsigned pick(gn_world_t *world, unsigned bound)
{
    return (unsigned)cs_prng_below(&world->prng, bound);
}

/* --- set-up */

static void link_all(gn_world_t *world)
{
    bool line = world->node_count > 2 && pick(world, 4) == 0;
    for (unsigned a = 0; a < world->node_count; a++) {
        for (unsigned b = 0; b < world->node_count; b++) {
            unsigned gap = a < b ? b - a : a - b;
            world->linked[a][b] = gap == 1 || (gap > 1 && !line);
        }
    }
}

static void begin(gn_world_t *world, uint64_t seed, bool trace)
{
    static const unsigned counts[] = {2, 2, 3, 3, 3, 4, 5};
    gn_world_init(world, seed);
    world->trace = trace;
    world->node_count = counts[pick(world, CS_COUNT_OF(counts))];
    link_all(world);
    gn_world_start(world);
}

/* --- network */

/* A link with something to deliver; false: all are empty. */
static bool pick_link(gn_world_t *world, unsigned *ret_from, unsigned *ret_to)
{
    unsigned count = world->node_count * world->node_count, start = pick(world, count);
    for (unsigned i = 0; i < count; i++) {
        unsigned at = (start + i) % count;
        *ret_from = at / world->node_count;
        *ret_to = at % world->node_count;
        if (world->links[*ret_from][*ret_to].len > 0) return true;
    }
    return false;
}

static void settle_node(gn_world_t *world, gn_node_t *node)
{
    if (pick(world, 4) > 0) gn_node_flush(node);
    gn_oracle_check(world, node);
}

static bool deliver_one(gn_world_t *world)
{
    unsigned from, to;
    if (!pick_link(world, &from, &to)) return false;
    gn_frame_t *frame = gn_frames_take(&world->links[from][to], 0);
    gn_node_deliver(&world->nodes[to], frame);
    gn_frame_free(&frame);
    settle_node(world, &world->nodes[to]);
    return true;
}

/* What was on the way is lost, or comes after the next connection began. */
static void cut(gn_world_t *world, unsigned from, unsigned to)
{
    gn_frames_t *link = &world->links[from][to];
    while (link->len > 0) {
        gn_frame_t *frame = gn_frames_take(link, 0);
        if (pick(world, 10) < 4)
            gn_frames_push(&world->late, frame);
        else
            gn_frame_free(&frame);
    }
}

static void reconnect_end(gn_world_t *world, unsigned at, unsigned other)
{
    gn_node_t *node = &world->nodes[at];
    if (!node->up) return;
    cs_key_t key = gn_key(other);
    cs_gossip_peer_down(node->gossip, other + 1);
    cs_gossip_peer_up(node->gossip, other + 1, &key, world->now_ms);
    node->next_tick_ms = 0;
}

static void reset_link(gn_world_t *world, unsigned a, unsigned b)
{
    gn_trace(world, "reset %c %c", 'A' + a, 'A' + b);
    cut(world, a, b);
    cut(world, b, a);
    if (pick(world, 2) == 0) reconnect_end(world, a, b); /* or nobody noticed */
    if (pick(world, 2) == 0) reconnect_end(world, b, a);
}

static void cut_node(gn_world_t *world, unsigned node)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        if (!world->linked[node][i]) continue;
        cut(world, node, i);
        cut(world, i, node);
        if (pick(world, 2) == 0) reconnect_end(world, i, node);
    }
}

static void deliver_copy(gn_world_t *world, const gn_frame_t *frame, const char *what)
{
    gn_trace(world, "%s", what);
    gn_node_t *node = &world->nodes[frame->to];
    gn_node_deliver(node, frame);
    settle_node(world, node);
}

static void net_fault(gn_world_t *world)
{
    unsigned a = pick(world, world->node_count), b = pick(world, world->node_count);
    switch (pick(world, 4)) {
    case 0:
        if (world->linked[a][b]) reset_link(world, a, b);
        return;
    case 1:
        if (world->late.len == 0) return;
        gn_frame_t *late = gn_frames_take(&world->late, pick(world, (unsigned)world->late.len));
        deliver_copy(world, late, "late:");
        gn_frame_free(&late);
        return;
    case 2:
        if (world->past.len == 0) return;
        deliver_copy(world, world->past.items[pick(world, (unsigned)world->past.len)],
                     "again:");
        return;
    case 3:
        if (world->links[a][b].len == 0) return;
        gn_frame_t *dropped = gn_frames_take(&world->links[a][b], 0);
        gn_trace(world, "lost %c->%c", 'A' + a, 'A' + b);
        gn_frame_free(&dropped);
        return;
    }
}

/* --- faults of nodes */

static void crash(gn_world_t *world, gn_node_t *node)
{
    gn_trace(world, "crash %c", 'A' + node->index);
    gn_node_stop(node);
    cs_mem_disk_crash(node->disk, cs_prng_u64(&world->prng));
    cut_node(world, node->index);
}

static void copy_fault(gn_world_t *world, gn_node_t *node)
{
    gn_node_t *from = &world->nodes[pick(world, world->node_count)];
    if (from == node || !from->up || world->node_count < 3) return;
    bool noticed = pick(world, 2) == 0;
    gn_trace(world, "%c := copy of %c %s", 'A' + node->index, 'A' + from->index,
             noticed ? "noticed" : "unnoticed");
    cut_node(world, node->index);
    gn_node_copy(node, from, noticed);
    cut_node(world, node->index);
}

static void image_fault(gn_world_t *world, gn_node_t *node)
{
    if (pick(world, 8) == 0) {
        copy_fault(world, node);
        return;
    }
    if (pick(world, 8) == 0 && !node->rolled) {
        gn_trace(world, "rows of %c lost", 'A' + node->index);
        cut_node(world, node->index);
        gn_node_lose_rows(node);
        cut_node(world, node->index);
        return;
    }
    if (pick(world, 2) == 0 || node->image_count == 0) {
        gn_trace(world, "save %c", 'A' + node->index);
        gn_node_save(node);
        return;
    }
    bool noticed = pick(world, 5) < 2;
    gn_trace(world, "restore %c %s", 'A' + node->index, noticed ? "noticed" : "unnoticed");
    cut_node(world, node->index);
    gn_node_restore(node, pick(world, node->image_count), noticed);
    cut_node(world, node->index);
}

/* --- steps */

static void tick_all(gn_world_t *world)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        gn_node_t *node = &world->nodes[i];
        if (!node->up || node->next_tick_ms > world->now_ms) continue;
        gn_node_tick(node);
        settle_node(world, node);
    }
}

static void step(gn_world_t *world, faults_t faults)
{
    static const uint32_t jumps_ms[] = {0, 0, 1, 5, 60, 60, 300, 1200, 6000, 40000};
    gn_node_t *node = &world->nodes[pick(world, world->node_count)];
    world->now_ms += jumps_ms[pick(world, CS_COUNT_OF(jumps_ms))];
    unsigned what = pick(world, 100);
    if (!node->up && what % 3 == 0) gn_node_start(node);
    if (what < 55) {
        deliver_one(world);
    } else if (what < 68) {
        gn_node_user(node);
        settle_node(world, node);
    } else if (what < 76) {
        gn_node_materialise(node);
        settle_node(world, node);
    } else if (what < 86) {
        tick_all(world);
    } else if (what < 88) {
        gn_node_flush(node);
    } else if (what < 94 && faults >= NET) {
        net_fault(world);
    } else if (what < 97 && faults >= CRASH) {
        crash(world, node);
    } else if (faults >= IMAGE) {
        if (node->up) image_fault(world, node);
    }
    gn_oracle_check(world, node);
}

/* --- the fair phase */

static bool settled(gn_world_t *world)
{
    const cs_state_t *first = cs_replica_state(world->nodes[0].replica);
    for (unsigned i = 1; i < world->node_count; i++) {
        const cs_state_t *state = cs_replica_state(world->nodes[i].replica);
        if (memcmp(state->root, first->root, CS_HASH_BYTES) != 0) return false;
        if (!cs_vv_eq(&state->seen, &first->seen)) return false;
    }
    return true;
}

static void flush_all(gn_world_t *world)
{
    for (unsigned i = 0; i < world->node_count; i++)
        gn_node_flush(&world->nodes[i]);
}

static void drain(gn_world_t *world)
{
    unsigned budget = 5000;
    flush_all(world);
    while (world->failure == NULL && world->hole == NULL && deliver_one(world)) {
        world->now_ms += pick(world, 3);
        if (budget-- == 0) gn_fail(world, "messages never end");
        flush_all(world);
    }
}

static uint64_t next_deadline(const gn_world_t *world)
{
    uint64_t next_ms = UINT64_MAX;
    for (unsigned i = 0; i < world->node_count; i++) {
        if (world->nodes[i].next_tick_ms < next_ms) next_ms = world->nodes[i].next_tick_ms;
    }
    return next_ms;
}

static void fair(gn_world_t *world)
{
    gn_trace(world, "fair");
    for (unsigned i = 0; i < world->node_count; i++) {
        if (!world->nodes[i].up) gn_node_start(&world->nodes[i]);
    }
    while (world->late.len > 0) {
        gn_frame_t *frame = gn_frames_take(&world->late, 0);
        deliver_copy(world, frame, "late:");
        gn_frame_free(&frame);
    }
    uint64_t end_ms = world->now_ms + FAIR_MS;
    do {
        drain(world);
        if (world->failure != NULL || world->hole != NULL) return;
        uint64_t next_ms = next_deadline(world);
        if (next_ms > world->now_ms) world->now_ms = next_ms;
        tick_all(world);
        flush_all(world);
        if (world->now_ms > end_ms) gn_fail(world, "no convergence");
    } while (world->failure == NULL && !settled(world));
}

/* A second more, for garbage. */
static void rest(gn_world_t *world)
{
    for (unsigned i = 0; i < 20 && world->failure == NULL; i++) {
        world->now_ms += 100;
        tick_all(world);
        drain(world);
    }
}

typedef struct totals {
    unsigned runs, holes, failed;
    uint64_t worst_ms, incarnations, symbols, parts, lists;
} totals_t;

static bool run(uint64_t seed, bool trace, totals_t *totals)
{
    static const unsigned lengths[] = {15, 30, 60, 120};
    gn_world_t *world = cs_malloc(sizeof *world);
    begin(world, seed, trace);
    faults_t faults = (faults_t)pick(world, IMAGE + 1);
    unsigned length = lengths[pick(world, CS_COUNT_OF(lengths))];
    for (; world->step < length && world->failure == NULL && world->hole == NULL;
         world->step++) {
        step(world, faults);
    }
    uint64_t fair_ms = world->now_ms;
    if (world->failure == NULL && world->hole == NULL) fair(world);
    uint64_t took_ms = world->now_ms - fair_ms;
    if (world->failure == NULL && world->hole == NULL) {
        rest(world);
        gn_oracle_final(world);
    }
    if (took_ms > totals->worst_ms) totals->worst_ms = took_ms;
    totals->runs++;
    totals->incarnations += world->incarnations;
    totals->holes += world->hole != NULL && world->failure == NULL;
    totals->failed += world->failure != NULL;
    if (world->failure != NULL) {
        printf("FAIL seed 0x%llx: %s (%u nodes, %u steps)\n", (unsigned long long)seed,
               world->failure, world->node_count, length);
    } else if (trace && world->hole != NULL) {
        printf("hole: %s\n", world->hole);
    }
    bool good = world->failure == NULL;
    gn_world_fini(world);
    totals->symbols += world->symbols;
    totals->parts += world->parts;
    totals->lists += world->lists;
    cs_free(world);
    return good;
}

/* Histories that failed once; without arguments they come first. */
static const uint64_t found[] = {0x1a2274ff2d7, 0x1a2274ff3bf, 0x1a22750232c, 0x1a227506d69};

int main(int argc, char **argv)
{
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 300;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : test_seed("gossip");
    bool trace = getenv("CRDTSYNC_TRACE") != NULL;
    totals_t totals = {0};
    clock_t start = clock();
    for (size_t i = 0; argc == 1 && i < CS_COUNT_OF(found); i++)
        run(found[i], trace, &totals);
    for (uint64_t i = 0; i < count && totals.failed < 10; i++)
        run(first + i, trace, &totals);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%u histories, %u failed, %u ended in the hole, %llu incarnations, slowest %llu ms, "
           "%.0f a second\n",
           totals.runs, totals.failed, totals.holes, (unsigned long long)totals.incarnations,
           (unsigned long long)totals.worst_ms, totals.runs / (seconds + 1e-9));
    printf("%llu symbols, %llu partitions, %llu lists\n", (unsigned long long)totals.symbols,
           (unsigned long long)totals.parts, (unsigned long long)totals.lists);
    bool all_ways = totals.symbols > 0 && totals.parts > 0 && totals.lists > 0;
    if (totals.runs >= EVERY_WAY && !all_ways) printf("FAIL a way was never taken\n");
    return totals.failed == 0 && (totals.runs < EVERY_WAY || all_ways) ? 0 : 1;
}
