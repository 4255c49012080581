/* first_sync_main.c - either end is killed in the middle of a first sync, three times over,
 * with
 * --long ten.
 *
 * 5,000 small files and one of 200 MB. Each time the receiver begins empty; a relay tells how
 * far the transfer is, and at random points of it one end, the other, or both are killed (-9)
 * and started again. A last time, the kills fall into the first scan of the sender as well. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "support/kills.h"
#include "support/seed.h"

#define SMALL_FILES 5000u
#define LARGE_BYTES (200u << 20)
#define ROUNDS      3
#define ROUNDS_LONG 10
#define KILLS_MAX   4
#define SETTLE_S    120
#define BLOCK       65536u

static cs_prng_t prng;

static void make_source(const char *dir)
{
    static uint8_t block[BLOCK];
    cluster_node_t node = {0};
    snprintf(node.root, sizeof node.root, "%s", dir);
    for (unsigned i = 0; i < SMALL_FILES; i++) {
        char path[64];
        size_t len = (size_t)cs_prng_below(&prng, 8000);
        cs_prng_fill(&prng, block, len);
        snprintf(path, sizeof path, "d%u/e%u/f%u", i % 10, i / 10 % 10, i);
        node_write(&node, path, block, len);
    }
    char path[512];
    node_path(&node, "large", path, sizeof path);
    FILE *file = fopen(path, "w");
    if (file == NULL) test_fail("cannot create %s", path);
    for (unsigned done = 0; done < LARGE_BYTES; done += BLOCK) {
        cs_prng_fill(&prng, block, BLOCK);
        if (fwrite(block, 1, BLOCK, file) != BLOCK) test_fail("cannot write %s", path);
    }
    if (fclose(file) != 0) test_fail("cannot write %s", path);
}

/* One first sync; returns the kills that fell into it. `expected` bytes pass in all. */
static unsigned sync_with_kills(const char *source, uint64_t expected, uint64_t *ret_bytes)
{
    cluster_t cluster;
    cluster_new(&cluster, 2);
    test_shell("cp -a %s/. %s", source, cluster.node[0].root);
    relay_t *relay = relay_new(cluster.node[0].port);
    cluster_pair(&cluster, 1, 0, relay_port(relay));
    double begin = test_now();
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    unsigned kills = 0;
    if (expected > 0 && cs_prng_chance(&prng, 1, 3)) {
        poll(NULL, 0, (int)cs_prng_below(&prng, 1000)); /* most of the first scan */
        kills_restart(&cluster, 1);
        kills++;
    }
    uint64_t until = 0; /* from the start on: the first scan sends what it has seen */
    unsigned more = expected == 0 ? 0 : 1 + (unsigned)cs_prng_below(&prng, KILLS_MAX);
    for (unsigned i = 0; i < more; i++) {
        until += cs_prng_below(&prng, expected / more);
        if (!kills_await(&cluster, relay, until, expected / 2, SETTLE_S)) break;
        kills_restart(&cluster, 1 + (unsigned)cs_prng_below(&prng, 3));
        kills++;
    }
    cluster_settle(&cluster, SETTLE_S);
    cluster_check_equal(&cluster);
    char why[1024];
    if (tree_differs(source, cluster.node[1].root, why, sizeof why))
        test_fail("not what was sent: %s (%s)", why, cluster.dir);
    *ret_bytes = relay_bytes(relay);
    printf("first_sync: %u kills, %llu MB passed, %.1f s\n", kills,
           (unsigned long long)*ret_bytes >> 20, test_now() - begin);
    cluster_destroy(&cluster);
    relay_destroy(&relay);
    return kills;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 && strcmp(argv[1], "--long") == 0 ? ROUNDS_LONG : ROUNDS;
    char source[128] = "";
    const char *tmp = getenv("TMPDIR");
    setvbuf(stdout, NULL, _IOLBF, 0);
    cs_prng_init(&prng, test_seed("first_sync"));
    snprintf(source, sizeof source, "%.80s/crdtsync-source-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(source) == NULL) test_fail("mkdtemp %s", source);
    make_source(source);
    uint64_t expected, bytes;
    sync_with_kills(source, 0, &expected);
    unsigned kills = 0;
    for (unsigned round = 0; round < rounds; round++)
        kills += sync_with_kills(source, expected, &bytes);
    if (kills < rounds) test_fail("only %u kills fell into %u syncs", kills, rounds);
    test_shell("rm -rf %s", source);
    return 0;
}
