/* watching_main.c - two real nodes that watch: nobody orders a scan, and what is done to one
 * folder is seen in the other. By inotify, and by fanotify where the tests may use it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/mishap.h"
#include "support/scans.h"
#include "support/watched.h"

#define WAIT_S 120 /* of a machine under load; what is awaited comes within milliseconds */

static const char *backend;

static void await_text(const cluster_node_t *node, const char *path, const char *text)
{
    double deadline = test_now() + WAIT_S;
    while (!node_reads(node, path, text)) {
        if (test_now() > deadline)
            test_fail("%s/%s never reads \"%s\"", node->root, path, text);
        poll(NULL, 0, 2);
    }
}

static void await_gone(const cluster_node_t *node, const char *path)
{
    double deadline = test_now() + WAIT_S;
    while (node_has(node, path)) {
        if (test_now() > deadline) test_fail("%s/%s stays", node->root, path);
        poll(NULL, 0, 2);
    }
}

/* Its status has that in it. */
static void await_status(cluster_t *c, int node, const char *text)
{
    char out[CLUSTER_TEXT];
    double deadline = test_now() + WAIT_S;
    do {
        cluster_do(c, node, out, "status --json");
        if (test_now() > deadline) test_fail("status has no %s: %s", text, out);
    } while (strstr(out, text) == NULL);
}

static void await_equal(cluster_t *c)
{
    double deadline = test_now() + WAIT_S;
    char why[1024];
    while (tree_differs(c->node[0].root, c->node[1].root, why, sizeof why)) {
        if (test_now() > deadline) test_fail("trees differ: %s", why);
        poll(NULL, 0, 200); /* a look at a large tree is work, too */
    }
    cluster_do(c, 1, NULL, "wait --timeout %d", WAIT_S);
    cluster_check_equal(c);
}

static void begin(cluster_t *c, const char *what)
{
    printf("%s: %s\n", backend, what);
    fflush(stdout);
    setenv("CRDTSYNC_NODE_WATCH", backend, 1);
    cluster_new(c, 2);
    cluster_pair(c, 0, 1, 0);
    cluster_setting(c, "brake", "off");
    for (int i = 0; i < 2; i++) {
        cluster_start(c, i);
        await_status(c, i, "\"staleness_s\":0"); /* it watches everything */
    }
    cluster_do(c, 0, NULL, "wait --timeout %d", WAIT_S);
}

static void saves_and_deletions_travel(void)
{
    cluster_t c;
    begin(&c, "a saved, an edited, a moved and a deleted file");
    node_text(&c.node[0], "new/dir/file", "one");
    await_text(&c.node[1], "new/dir/file", "one");
    node_text(&c.node[1], "new/dir/file", "two");
    await_text(&c.node[0], "new/dir/file", "two");
    test_shell(
        "cd %s && mv new/dir/file other && rmdir new/dir && mkdir empty && ln -s other l",
        c.node[0].root);
    await_text(&c.node[1], "other", "two");
    await_gone(&c.node[1], "new/dir/file");
    test_shell("cd %s && chmod 755 other && rm l", c.node[0].root);
    await_gone(&c.node[1], "l");
    await_equal(&c);
    cluster_destroy(&c);
}

static void a_renamed_directory_is_a_move(void)
{
    cluster_t c;
    begin(&c, "a directory with 1,000 files is renamed");
    test_shell(
        "cd %s && mkdir d && for i in $(seq 1000); do head -c 4096 /dev/urandom >d/$i; done",
        c.node[0].root);
    await_equal(&c);
    uint64_t before = cluster_bytes_out(&c, 0);
    test_shell("cd %s && mv d renamed", c.node[0].root);
    await_gone(&c.node[1], "d");
    await_equal(&c);
    uint64_t sent = cluster_bytes_out(&c, 0) - before;
    if (sent > 400000) test_fail("%llu bytes for a move", (unsigned long long)sent);
    test_shell("rm -rf %s/.crdtsync/trash/* ", c.node[1].root);
    node_text(&c.node[0], "renamed/more", "it is watched by its new name");
    await_text(&c.node[1], "renamed/more", "it is watched by its new name");
    cluster_destroy(&c);
}

static void own_writes_cost_nothing(void)
{
    cluster_t c;
    scans_t scans;
    begin(&c, "what a node writes itself is not scanned");
    node_text(&c.node[1], "first", "so that B has looked for the last time");
    await_text(&c.node[0], "first", "so that B has looked for the last time");
    scans_open(&scans, &c.node[1]);
    test_shell(
        "cd %s && for d in $(seq 20); do mkdir $d; for i in $(seq 50); do echo $i >$d/$i; "
        "done; done",
        c.node[0].root);
    await_equal(&c);
    test_shell("cd %s && mv 1 moved && rm -r 2 && echo x >>3/1 && chmod 600 3/2",
               c.node[0].root);
    await_gone(&c.node[1], "2");
    await_equal(&c);
    size_t count = scans_count(&scans);
    if (count > 0) test_fail("%zu scans where nobody changed anything", count);
    /* And a user's is noticed as ever. */
    node_text(&c.node[1], "3/1", "edited at B");
    await_text(&c.node[0], "3/1", "edited at B");
    if (scans_count(&scans) == 0) test_fail("scans are not counted");
    scans_close(&scans);
    cluster_destroy(&c);
}

/* The kernel's queue overflows while the node does not read it. */
static void lost_events_cost_time_only(void)
{
    cluster_t c;
    begin(&c, "20,000 files while the node stands still");
    kill(c.node[0].pid, SIGSTOP);
    for (int i = 0; i < 20000; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%d", c.node[0].root, i);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || close(fd) != 0) test_fail("%s: %s", path, strerror(errno));
    }
    test_shell("mkdir %s/late", c.node[0].root);
    kill(c.node[0].pid, SIGCONT);
    await_equal(&c);
    node_text(&c.node[0], "late/file", "its directory came unseen");
    await_text(&c.node[1], "late/file", "its directory came unseen");
    cluster_destroy(&c);
}

static void bursts_are_few_scans(void)
{
    cluster_t c;
    scans_t scans;
    begin(&c, "10,000 files unpacked, then removed");
    scans_open(&scans, &c.node[0]);
    test_shell("cd %s && for d in $(seq 100); do mkdir -p t/$d; for i in $(seq 100); do "
               "echo $d $i >t/$d/$i; done; done",
               c.node[0].root);
    if (!cluster_succeeds(&c, 0, "ping")) test_fail("the node is not live");
    await_equal(&c);
    test_shell("rm -r %s/t", c.node[0].root);
    if (!cluster_succeeds(&c, 0, "ping")) test_fail("the node is not live");
    await_gone(&c.node[1], "t");
    await_equal(&c);
    size_t count = scans_count(&scans);
    printf("%s: %zu scans\n", backend, count);
    if (count > 1000) test_fail("%zu scans for 20,000 changes", count);
    scans_close(&scans);
    cluster_destroy(&c);
}

#define LINES      300
#define LINE_BYTES 8

/* Whole lines, from the first on, as the file had them at some time. */
static int lines_of(const cluster_node_t *node)
{
    char path[512], text[LINES * LINE_BYTES + 1];
    node_path(node, "log", path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t len = read(fd, text, sizeof text);
    close(fd);
    if (len < 0 || len % LINE_BYTES != 0) test_fail("torn: %zd bytes", len);
    for (int i = 0; i < len / LINE_BYTES; i++) {
        char line[LINE_BYTES + 1];
        snprintf(line, sizeof line, "%07d\n", i);
        if (memcmp(text + i * LINE_BYTES, line, LINE_BYTES) != 0) test_fail("torn: line %d", i);
    }
    return (int)(len / LINE_BYTES);
}

static void a_file_that_grows_is_never_torn(bool stays_open)
{
    cluster_t c;
    scans_t scans;
    char path[512];
    begin(&c, stays_open ? "a file that grows, and stays open" : "a file that grows");
    node_path(&c.node[0], "log", path, sizeof path);
    scans_open(&scans, &c.node[0]);
    double began = test_now();
    int fd = -1;
    for (int i = 0; i < LINES; i++) {
        char line[LINE_BYTES + 1];
        snprintf(line, sizeof line, "%07d\n", i);
        if (fd < 0) fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, line, LINE_BYTES) != LINE_BYTES) test_fail("%s", path);
        if (!stays_open) close(fd);
        if (!stays_open) fd = -1;
        lines_of(&c.node[1]);
        poll(NULL, 0, 10); /* this is the load, not a wait for something */
    }
    double took = test_now() - began;
    while (lines_of(&c.node[1]) < LINES) {
        if (test_now() > began + WAIT_S) test_fail("the last line never comes");
        poll(NULL, 0, 2);
    }
    /* While it rests it doubles its rests: six scans to begin with, then two a second. */
    size_t count = scans_count(&scans);
    if ((double)count > 12 + 3 * (took + 2)) test_fail("%zu scans in %.1f s", count, took);
    if (fd >= 0) close(fd);
    scans_close(&scans);
    cluster_destroy(&c);
}

static void watching_can_be_set(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    begin(&c, "watch=off, and back");
    cluster_do(&c, 0, NULL, "folder set %s watch=off", c.folder);
    cluster_do(&c, 0, out, "status --json");
    if (strstr(out, "\"by\":\"off\"") == NULL || strstr(out, "\"staleness_s\":60") == NULL ||
        strstr(out, "\"next_scan\":\"20") == NULL)
        test_fail("it should not be watched: %s", out);
    node_text(&c.node[0], "unseen", "by a scan only");
    cluster_do(&c, 0, out, "scan --json");
    if (strstr(out, "\"added\":1") == NULL)
        test_fail("nobody else should have looked: %s", out);
    node_text(&c.node[0], "meanwhile", "found when watching begins");
    cluster_do(&c, 0, NULL, "folder set %s watch=%s", c.folder, backend);
    await_text(&c.node[1], "meanwhile", "found when watching begins");
    await_status(&c, 0, "\"scan\":\"@hourly\"");
    cluster_destroy(&c);
}

/* What differs between the two ways. */
static void run_events(void)
{
    saves_and_deletions_travel();
    a_renamed_directory_is_a_move();
    own_writes_cost_nothing();
    lost_events_cost_time_only();
}

/* What is done with an event, whoever brought it. */
static void run_schedule(void)
{
    bursts_are_few_scans();
    a_file_that_grows_is_never_torn(false);
    a_file_that_grows_is_never_torn(true);
    watching_can_be_set();
}

int main(int argc, char **argv)
{
    backend = argc > 1 ? argv[1] : "inotify";
    if (strcmp(backend, "fanotify") == 0 && !watched_has_fanotify()) {
        printf("fanotify: not tried, it needs CAP_SYS_ADMIN\n");
        return MISHAP_SKIPPED;
    }
    run_events();
    if (strcmp(backend, "inotify") == 0) run_schedule();
    return 0;
}
