/* node_main.c - random histories of whole nodes: users, scans, conversations, downloads and
 * application, links that break, pauses, crashes.
 *
 *   node [count [first seed]]     CRDTSYNC_TRACE=1 prints what happens
 *
 * Each history ends fairly: no more faults, and within a bounded time all nodes have the same
 * state, show it on disk, know that of each other, and rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/node_world.h"
#include "support/seed.h"

#define HISTORIES 20u

static void pass(nw_world_t *world, unsigned steps)
{
    for (unsigned i = 0; i < steps && world->failure == NULL; i++) {
        if (!nw_step(world)) nw_pass_time(world);
    }
}

static void break_link(nw_world_t *world)
{
    nw_disconnect(world, &world->link[nw_pick(world, NW_LINKS_MAX)]);
}

/* Faults: 0 none, 1 links, 2 pauses as well, 3 restarts as well. */
static void disturb(nw_world_t *world, nw_node_t *node, unsigned faults)
{
    unsigned what = nw_pick(world, 12);
    if (what == 0 && faults >= 1) break_link(world);
    if (what == 1 && faults >= 2) nw_pause(node, !node->paused);
    if (what == 2 && faults >= 3) nw_restart(node, nw_pick(world, 2) == 0);
    if (what >= 10) nw_connect(world, nw_pick(world, world->node_count), node->index);
}

static void act(nw_world_t *world, unsigned faults)
{
    nw_node_t *node = &world->node[nw_pick(world, world->node_count)];
    nw_user(node);
    unsigned scan = nw_pick(world, 4);
    if (scan == 1) nw_scan_some(node);
    if (scan > 1) nw_scan(node, NULL);
    disturb(world, node, faults);
    pass(world, nw_pick(world, 40));
}

typedef struct nw_total {
    size_t texts;
    unsigned crashes;
} nw_total_t;

static bool run(uint64_t seed, bool trace, nw_total_t *total)
{
    nw_world_t world;
    nw_open(&world, seed, 2 + seed % 3 % 2);
    world.trace = trace;
    unsigned faults = nw_pick(&world, 4);
    world.chaos = nw_pick(&world, 2) == 0;
    world.crashes = faults == 3;
    world.crowded = nw_pick(&world, 2) == 0;
    for (unsigned i = 4 + nw_pick(&world, 30); i > 0 && world.failure == NULL; i--)
        act(&world, faults);
    if (world.failure == NULL) nw_settle(&world);
    bool ok = world.failure == NULL;
    if (!ok) fprintf(stderr, "node: seed %llu: %s\n", (unsigned long long)seed, world.failure);
    total->crashes += world.crashed;
    total->texts += world.text_count;
    nw_close(&world);
    return ok;
}

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : HISTORIES;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : test_seed("node");
    bool trace = getenv("CRDTSYNC_TRACE") != NULL;
    nw_total_t total = {0};
    for (unsigned long i = 0; i < count; i++) {
        if (!run(seed + i, trace, &total)) return 1;
    }
    fprintf(stderr, "node: %lu histories, %zu texts, %u crashes in jobs\n", count, total.texts,
            total.crashes);
    return 0;
}
