/* few_watches_main.c - a folder of more directories than the kernel lets one watch: the limit
 * is lowered in a user namespace of the test's own, and no other process sees it. */
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/mishap.h"

#define WATCHES     40
#define DIRECTORIES 100

static bool set_limit(unsigned watches)
{
    FILE *file = fopen("/proc/sys/user/max_inotify_watches", "we");
    bool good = file != NULL && fprintf(file, "%u", watches) > 0;
    return file != NULL && fclose(file) == 0 && good;
}

/* Soon, or with the next scheduled scan. */
static void arrives(const cluster_node_t *node, const char *path, const char *text)
{
    double end = test_now() + 2 * SETTLE_S;
    while (!node_reads(node, path, text)) {
        if (test_now() > end) test_fail("%s never arrives", path);
        poll(NULL, 0, 50);
    }
}

static void too_many_directories(void)
{
    cluster_t c;
    if (!mishap_own_namespaces(CLONE_NEWUSER) || !set_limit(WATCHES)) {
        printf("not tried, for this process may not have a user namespace of its own\n");
        fflush(NULL);
        _exit(MISHAP_SKIPPED);
    }
    mishap_pair(&c);
    for (int i = 0; i < DIRECTORIES; i++) {
        char path[32];
        snprintf(path, sizeof path, "dir%d/file", i);
        node_text(&c.node[1], path, path);
    }
    cluster_setting(&c, "scan", "@every 5s");
    cluster_start(&c, 0);
    setenv("CRDTSYNC_NODE_WATCH", "inotify", 1);
    cluster_start(&c, 1);
    setenv("CRDTSYNC_NODE_WATCH", "off", 1);
    cluster_settle(&c, SETTLE_S);
    mishap_await_log(&c.node[1], "folder.watch");
    mishap_await(&c, 1, "status", "directories are watched");
    mishap_await(&c, 1, "doctor", "fs.inotify.max_user_watches");
    for (int i = 0; i < DIRECTORIES; i++) { /* wherever it is, nobody orders a scan */
        char path[32];
        snprintf(path, sizeof path, "dir%d/file", i);
        node_text(&c.node[1], path, "changed");
    }
    for (int i = 0; i < DIRECTORIES; i++) {
        char path[32];
        snprintf(path, sizeof path, "dir%d/file", i);
        arrives(&c.node[0], path, "changed");
    }
    mishap_agree(&c, "more directories than may be watched");
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"too many directories", too_many_directories, false, false}};
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
