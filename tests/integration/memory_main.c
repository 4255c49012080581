/* memory_main.c - `memory-mib` is a budget: with the least that may be set, two nodes scan,
 * give and take 20,000 files and a large one, with --long 1,000,000; then each changes some
 * while the other is away, and they meet again. At no moment has either more memory of its own
 * (RssAnon) than that, nor more than MAPPED_MIB with the files that it maps. (Those of its
 * database count as RssShmem, of which it has none else, where homes are in memory.) */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/onlooker.h"
#include "support/support.h"

#define FILES         20000u
#define FILES_LONG    1000000u
#define FILES_PER_MIB 100u /* in two folders, with the databases */
#define LARGE_BYTES   (96u << 20)
#define BLOCK         65536u
#define MEMORY_MIB    64 /* limits.memory-mib, the least there may be */
#define MAPPED_MIB    128
#define SETTLE_S      1200

/* --- what they have, looked at a thousand times a second */

typedef struct watch {
    pthread_t thread;
    atomic_bool over;
    int pid[2];
    long own_kib[2]; /* the most */
} watch_t;

static long own_kib(int pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "RssAnon: %ld", &kib) == 1) break;
    }
    if (file != NULL) fclose(file);
    return kib;
}

static void *look(void *arg)
{
    watch_t *watch = arg;
    while (!atomic_load(&watch->over)) {
        for (int i = 0; i < 2; i++) {
            long kib = watch->pid[i] != 0 ? own_kib(watch->pid[i]) : 0;
            if (kib > watch->own_kib[i]) watch->own_kib[i] = kib;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

static void begin(watch_t *watch, const cluster_t *cluster)
{
    *watch = (watch_t){.pid = {cluster->node[0].pid, cluster->node[1].pid}};
    if (pthread_create(&watch->thread, NULL, look, watch) != 0) test_fail("no thread");
}

static void end(watch_t *watch, const cluster_t *cluster, const char *what)
{
    atomic_store(&watch->over, true);
    pthread_join(watch->thread, NULL);
    for (int i = 0; i < 2; i++) {
        if (watch->pid[i] == 0) continue;
        printf("node %d, %s: %ld MiB of its own\n", i, what, watch->own_kib[i] / 1024);
        if (watch->own_kib[i] <= 0 || watch->own_kib[i] > MEMORY_MIB * 1024)
            test_fail("node %d, %s: %ld KiB of its own", i, what, watch->own_kib[i]);
        check_memory(&cluster->node[i], what, MAPPED_MIB);
    }
}

/* --- what they do */

static void write_large(const cluster_node_t *node)
{
    char path[512];
    static uint8_t block[BLOCK];
    node_path(node, "large", path, sizeof path);
    FILE *file = fopen(path, "we");
    if (file == NULL) test_fail("cannot create %s", path);
    for (unsigned i = 0; i < LARGE_BYTES / BLOCK; i++) {
        memcpy(block, &i, sizeof i);
        if (fwrite(block, 1, BLOCK, file) != BLOCK) test_fail("cannot write %s", path);
    }
    if (fclose(file) != 0) test_fail("cannot write %s", path);
}

static void limit(const cluster_node_t *node)
{
    test_shell("cd %s && sed -i 's/memory-mib = .*/memory-mib = %d/' config && "
               "grep -q 'memory-mib = %d$' config",
               node->home, MEMORY_MIB, MEMORY_MIB);
}

static void give_and_take(cluster_t *cluster, unsigned files)
{
    watch_t watch;
    node_texts(&cluster->node[0], 0, files, 2);
    write_large(&cluster->node[0]);
    cluster_start(cluster, 0);
    begin(&watch, cluster);
    cluster_do(cluster, 0, NULL, "scan %s", cluster->folder);
    end(&watch, cluster, "its first scan");
    cluster_start(cluster, 1);
    begin(&watch, cluster);
    cluster_settle(cluster, SETTLE_S);
    end(&watch, cluster, "a first sync");
    cluster_check_equal(cluster);
}

/* Of one in twenty each has its own version. */
static void meet_again(cluster_t *cluster, unsigned files)
{
    watch_t watch;
    for (int i = 0; i < 2; i++) {
        cluster_stop(cluster, i);
        node_texts(&cluster->node[i], 0, files / 20, (unsigned)i);
        cluster_do(cluster, i, NULL, "scan %s", cluster->folder);
    }
    for (int i = 0; i < 2; i++) {
        cluster_start(cluster, i);
    }
    begin(&watch, cluster);
    cluster_settle(cluster, SETTLE_S);
    end(&watch, cluster, "an exchange");
    cluster_check_equal(cluster);
}

int main(int argc, char **argv)
{
    unsigned files = argc > 1 && strcmp(argv[1], "--long") == 0 ? FILES_LONG : FILES;
    cluster_t cluster;
    setvbuf(stdout, NULL, _IOLBF, 0);
    tmp_in_memory(files / FILES_PER_MIB + 2 * (LARGE_BYTES >> 20));
    cluster_new(&cluster, 2);
    for (int i = 0; i < 2; i++) {
        limit(&cluster.node[i]);
    }
    cluster_pair(&cluster, 1, 0, 0);
    cluster_setting(&cluster, "brake", "off");
    give_and_take(&cluster, files);
    meet_again(&cluster, files);
    cluster_destroy(&cluster);
    return 0;
}
