/* memory_main.c - `memory-mib` is a budget: with the least that may be set, two nodes scan,
 * give and take 20,000 files and a large one, with --long 1,000,000; then each changes some
 * while the other is away, and they meet again. At no moment has either more memory of its own
 * (RssAnon) than that, nor more than MAPPED_MIB with the files that it maps. (Those of its
 * database count as RssShmem, of which it has none else, where homes are in memory.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/asker.h"
#include "support/onlooker.h"
#include "support/support.h"

#define FILES         20000u
#define FILES_LONG    1000000u
#define FILES_PER_MIB 100u /* in two folders, with the databases */
#define LARGE_BYTES   (96u << 20)
#define BLOCK         65536u
#define MEMORY_MIB    64   /* limits.memory-mib, ... */
#define MEMORY_TEXT   "64" /* ... the least there may be */
#define MAPPED_MIB    128
#define SETTLE_S      1200

static asker_t askers[2];

/* Those that run are asked, and looked at, until `end`. */
static void begin(const cluster_t *cluster)
{
    for (int i = 0; i < cluster->count; i++) {
        askers[i] = (asker_t){0};
        const cluster_node_t *node = &cluster->node[i];
        if (node->pid != 0) asker_begin(&askers[i], node, MEMORY_MIB * 1024L);
    }
}

static void end(const char *what)
{
    for (int i = 0; i < 2; i++) {
        if (askers[i].node == NULL) continue;
        asker_end(&askers[i]);
        printf("node %d, %s: %ld MiB of its own\n", i, what, askers[i].own_kib / 1024);
        check_memory(askers[i].node, what, MAPPED_MIB);
    }
}

static void write_large(const cluster_node_t *node)
{
    uint8_t *bytes = calloc(LARGE_BYTES, 1);
    if (bytes == NULL) test_fail("no memory");
    for (unsigned i = 0; i < LARGE_BYTES / BLOCK; i++) {
        memcpy(bytes + (size_t)i * BLOCK, &i, sizeof i);
    }
    node_write(node, "large", bytes, LARGE_BYTES);
    free(bytes);
}

static void give_and_take(cluster_t *cluster, unsigned files)
{
    node_texts(&cluster->node[0], 0, files, 2);
    write_large(&cluster->node[0]);
    cluster_start(cluster, 0);
    begin(cluster);
    cluster_do(cluster, 0, NULL, "scan %s", cluster->folder);
    end("its first scan");
    cluster_start(cluster, 1);
    begin(cluster);
    cluster_settle(cluster, SETTLE_S);
    end("a first sync");
    cluster_check_equal(cluster);
}

/* Of one in twenty each has its own version. */
static void meet_again(cluster_t *cluster, unsigned files)
{
    for (int i = 0; i < 2; i++) {
        cluster_stop(cluster, i);
        node_texts(&cluster->node[i], 0, files / 20, (unsigned)i);
        cluster_do(cluster, i, NULL, "scan %s", cluster->folder);
    }
    for (int i = 0; i < 2; i++) {
        cluster_start(cluster, i);
    }
    begin(cluster);
    cluster_settle(cluster, SETTLE_S);
    end("an exchange");
    cluster_check_equal(cluster);
}

int main(int argc, char **argv)
{
    unsigned files = argc > 1 && strcmp(argv[1], "--long") == 0 ? FILES_LONG : FILES;
    cluster_t cluster;
    setvbuf(stdout, NULL, _IOLBF, 0);
    tmp_in_memory(files / FILES_PER_MIB + 2 * (LARGE_BYTES >> 20));
    cluster_new(&cluster, 2);
    setenv("CRDTSYNC_LIMITS_MEMORY_MIB", MEMORY_TEXT, 1);
    cluster_pair(&cluster, 1, 0, 0);
    cluster_setting(&cluster, "brake", "off");
    give_and_take(&cluster, files);
    meet_again(&cluster, files);
    cluster_destroy(&cluster);
    return 0;
}
