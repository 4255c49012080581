/* exchange_main.c - two nodes with many files in common and some that differ, never met before:
 * either or both are killed (-9) in the middle of the exchange that finds the difference, again
 * and again. 3,000 files; with --long 200,000.
 *
 * Both have scanned before they meet, so what passes first, and what the kills fall into, is
 * the exchange: each round at another part of what a round passes. Then both write, away from
 * each other, and meet again. */
#include <stdio.h>
#include <string.h>

#include "base/prng.h"
#include "support/kills.h"
#include "support/seed.h"
#include "support/support.h"

#define FILES         3000u
#define FILES_LONG    200000u
#define FILES_PER_MIB 25u /* in two folders, with the databases; takes half of that */
#define ROUNDS        3u
#define KILLS_MAX     4u
#define SETTLE_S      1200 /* of 200,000 files each differs for the replicas that made it */

static cs_prng_t prng;

/* Of one in twenty each has its own version, and each has as many that the other lacks. */
static void differ(cluster_t *cluster, unsigned files, unsigned round)
{
    unsigned some = files / 20;
    for (unsigned who = 0; who < 2; who++) {
        const cluster_node_t *node = &cluster->node[who];
        node_texts(node, round * some, some, who);
        node_texts(node, files + (2 * round + who) * some, some, who);
        cluster_do(cluster, (int)who, NULL, "scan %s", cluster->folder);
    }
}

/* Kills that fell into it. The bytes of an exchange, at least, are those of its entries. */
static unsigned meet(cluster_t *cluster, const relay_t *relay, unsigned files)
{
    unsigned kills = 0;
    uint64_t bytes = (uint64_t)files / 20 * 3 * 200;
    for (int i = 0; i < 2; i++) {
        cluster_start(cluster, i);
    }
    for (unsigned i = 0; i < KILLS_MAX; i++) {
        uint64_t more = cs_prng_below(&prng, bytes / KILLS_MAX);
        if (!kills_await(cluster, relay, relay_bytes(relay) + more, 0, SETTLE_S)) break;
        kills_restart(cluster, 1 + (unsigned)cs_prng_below(&prng, 3));
        kills++;
    }
    cluster_settle(cluster, SETTLE_S);
    cluster_check_equal(cluster);
    for (int i = 0; i < 2; i++) {
        cluster_stop(cluster, i);
    }
    return kills;
}

int main(int argc, char **argv)
{
    unsigned files = argc > 1 && strcmp(argv[1], "--long") == 0 ? FILES_LONG : FILES, kills = 0;
    cluster_t cluster;
    setvbuf(stdout, NULL, _IOLBF, 0);
    cs_prng_init(&prng, test_seed("exchange"));
    tmp_in_memory(files / FILES_PER_MIB);
    cluster_new(&cluster, 2);
    relay_t *relay = relay_new(cluster.node[0].port);
    cluster_pair(&cluster, 1, 0, relay_port(relay));
    cluster_setting(&cluster, "brake", "off");
    cluster_setting(&cluster, "scan", "@hourly"); /* both are asked to */
    /* The same at both. */
    for (int i = 0; i < 2; i++) {
        node_texts(&cluster.node[i], 0, files, 2);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        differ(&cluster, files, round);
        unsigned now = meet(&cluster, relay, files);
        printf("exchange: round %u, %u kills\n", round, now);
        kills += now;
    }
    cluster_destroy(&cluster);
    relay_destroy(&relay);
    if (kills < ROUNDS) test_fail("only %u kills fell into %u exchanges", kills, ROUNDS);
    return 0;
}
