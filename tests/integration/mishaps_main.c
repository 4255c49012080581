/* mishaps_main.c - what happens to homes and folders: a lost database, cleared directories, a
 * full disk under the folder or under the home. Work that waits goes on by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"

#define MIB (1u << 20)

static void agree(cluster_t *cluster, const char *what)
{
    printf("%s\n", what);
    cluster_settle(cluster, 60);
    cluster_check_equal(cluster);
}

static void start_pair(cluster_t *cluster)
{
    cluster_new(cluster, 2);
    cluster_pair(cluster, 0, 1, 0);
    node_text(&cluster->node[0], "one", "1");
    node_text(&cluster->node[1], "two", "2");
}

/* The others remember the state it reported before. */
static void lost_database(void)
{
    cluster_t c;
    start_pair(&c);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    agree(&c, "before the loss");
    cluster_stop(&c, 1);
    test_shell("rm -rf %s/db", c.node[1].home);
    node_text(&c.node[0], "one", "newer");
    cluster_start(&c, 1);
    agree(&c, "a database was lost");
    if (!node_reads(&c.node[1], "one", "newer")) test_fail("the edit did not arrive");
    cluster_destroy(&c);
}

static void cleared_private_directories(void)
{
    cluster_t c;
    start_pair(&c);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    agree(&c, "before tmp and trash are cleared away");
    test_shell("rm -rf %s/.crdtsync/tmp %s/.crdtsync/trash", c.node[1].root, c.node[1].root);
    node_text(&c.node[0], "one", "newer");
    node_text(&c.node[0], "three", "3");
    agree(&c, "tmp and trash were cleared away");
    cluster_destroy(&c);
}

/* False: this test may not mount. */
static bool mount_small(const char *dir)
{
    mkdir(dir, 0700);
    return mount("none", dir, "tmpfs", 0, "size=12m") == 0;
}

static void random_file(const cluster_node_t *node, const char *path, unsigned mib)
{
    char to[512];
    node_path(node, path, to, sizeof to);
    test_shell("head -c %u /dev/urandom > %s", mib * MIB, to);
}

static bool says(cluster_t *cluster, int node, const char *command, const char *word)
{
    char out[CLUSTER_TEXT];
    (void)cluster_run(cluster, node, out, "%s", command);
    return strstr(out, word) != NULL;
}

static void until_says(cluster_t *cluster, int node, const char *command, const char *word)
{
    double end = test_now() + 30;
    while (!says(cluster, node, command, word)) {
        if (test_now() > end) test_fail("%s never says: %s", command, word);
        usleep(50000);
    }
}

static void full_folder(void)
{
    cluster_t c;
    start_pair(&c);
    if (!mount_small(c.node[1].root)) {
        printf("not allowed to mount: a full folder is not tried\n");
        cluster_destroy(&c);
        return;
    }
    char id[512];
    snprintf(id, sizeof id, "%s/.crdtsync", c.dir);
    umount(c.node[1].root);
    test_shell("cp -a %s/.crdtsync %s", c.node[1].root, id);
    if (!mount_small(c.node[1].root)) test_fail("mounting a second time");
    test_shell("cp -a %s %s/", id, c.node[1].root);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    agree(&c, "on a small disk");
    random_file(&c.node[0], "large", 20);
    random_file(&c.node[0], "fits", 2);
    cluster_do(&c, 0, NULL, "scan");
    until_says(&c, 1, "status --json", "no space left");
    mount("none", c.node[1].root, "tmpfs", MS_REMOUNT, "size=64m");
    agree(&c, "the disk grew");
    cluster_stop(&c, 1);
    umount(c.node[1].root);
    cluster_destroy(&c);
}

static void full_home(void)
{
    cluster_t c;
    char aside[512];
    start_pair(&c);
    snprintf(aside, sizeof aside, "%s/aside", c.dir);
    test_shell("mv %s %s", c.node[1].home, aside);
    if (!mount_small(c.node[1].home)) {
        printf("not allowed to mount: a full home is not tried\n");
        test_shell("rm -rf %s && mv %s %s", c.node[1].home, aside, c.node[1].home);
        cluster_destroy(&c);
        return;
    }
    test_shell("cp -a %s/. %s/ && chmod 700 %s", aside, c.node[1].home, c.node[1].home);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    agree(&c, "a home on a small disk");
    test_shell("cat /dev/zero > %s/fill 2>&- || true", c.node[1].home);
    for (int i = 0; i < 300; i++) {
        char path[32];
        snprintf(path, sizeof path, "dir/%d", i);
        node_text(&c.node[0], path, path);
    }
    cluster_do(&c, 0, NULL, "scan");
    double end = test_now() + 30;
    while (cluster_succeeds(&c, 1, "ping")) {
        if (test_now() > end) test_fail("a full home is not noticed");
        usleep(50000);
    }
    test_shell("rm %s/fill", c.node[1].home);
    end = test_now() + 30;
    while (!cluster_succeeds(&c, 1, "ping")) {
        if (test_now() > end) test_fail("it does not go on though there is room");
        usleep(50000);
    }
    agree(&c, "the home had no room for a while");
    cluster_stop(&c, 1);
    umount(c.node[1].home);
    cluster_destroy(&c);
}

int main(void)
{
    lost_database();
    cleared_private_directories();
    full_folder();
    full_home();
    return 0;
}
