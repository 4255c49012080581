/* workday.c - files of all kinds, renames, deletions, edits, conflicts, a kill. */
#include "support/workday.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_S       120 /* of a machine under load; what is awaited comes within milliseconds */
#define SETTLE_S     90
#define LOOK_MS      10
#define BLOCK        4096
#define SPARSE_BYTES (16 << 20)
#define SPARSE_DISK  (1 << 20)
#define LARGE_BYTES  (4 << 20)
#define LARGE_WIRE   (2 << 20) /* for one changed chunk, and what is said beside it */
#define MANY         150
#define MANY_WIRE    (MANY * BLOCK / 4) /* for their names */
#define CONFLICTS    8
#define INCOMING     (8 << 20)

/* --- waiting */

void workday_await_text(const cluster_node_t *node, const char *path, const char *text)
{
    double deadline = test_now() + WAIT_S;
    while (!node_reads(node, path, text)) {
        if (test_now() > deadline)
            test_fail("%s/%s never reads \"%s\"", node->root, path, text);
        poll(NULL, 0, LOOK_MS);
    }
}

static void await_there(const cluster_node_t *node, const char *path, bool there)
{
    double deadline = test_now() + WAIT_S;
    while (node_has(node, path) != there) {
        if (test_now() > deadline)
            test_fail("%s/%s %s", node->root, path, there ? "never comes" : "stays");
        poll(NULL, 0, LOOK_MS);
    }
}

static void await_mode(const cluster_node_t *node, const char *path, unsigned mode)
{
    char full[512];
    struct stat st;
    double deadline = test_now() + WAIT_S;
    node_path(node, path, full, sizeof full);
    while (lstat(full, &st) != 0 || (st.st_mode & 0777) != mode) {
        if (test_now() > deadline) test_fail("%s never has mode %o", full, mode);
        poll(NULL, 0, LOOK_MS);
    }
}

/* A block of this letter at an offset. */
static bool has_block(const char *path, off_t at, char letter)
{
    char bytes[BLOCK];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool right = fd >= 0 && pread(fd, bytes, sizeof bytes, at) == BLOCK;
    if (fd >= 0) close(fd);
    for (size_t i = 0; right && i < sizeof bytes; i++)
        right = bytes[i] == letter;
    return right;
}

static void await_block(const cluster_node_t *node, const char *path, off_t at, char letter)
{
    char full[512];
    double deadline = test_now() + WAIT_S;
    node_path(node, path, full, sizeof full);
    while (!has_block(full, at, letter)) {
        if (test_now() > deadline) test_fail("%s never has %c", full, letter);
        poll(NULL, 0, LOOK_MS);
    }
}

static void put_block(const cluster_node_t *node, const char *path, off_t at, char letter)
{
    char full[512], bytes[BLOCK];
    memset(bytes, letter, sizeof bytes);
    node_path(node, path, full, sizeof full);
    int fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || pwrite(fd, bytes, sizeof bytes, at) != BLOCK || close(fd) != 0)
        test_fail("write %s", full);
}

void workday_agree(workday_t *day, const char *what)
{
    fprintf(stderr, "  %s: %s\n", day->name, what);
    cluster_settle(&day->cluster, SETTLE_S);
    cluster_check_equal(&day->cluster);
    for (int i = 0; i < day->cluster.count; i++)
        cluster_verify(&day->cluster, i, what);
}

/* --- what is there before */

void workday_before(const char *dir)
{
    test_shell("cd %s && mkdir -p moved/deep left empty && echo -n old >moved/deep/file && "
               "head -c 40000 /dev/urandom | split -b 4000 - moved/ && cp moved/a* left && "
               "echo -n old >edited && echo -n old >edited-there && echo -n old >deleted && "
               "echo -n old >held && ln -s edited link && chmod 750 moved/aa",
               dir);
}

/* Each of them once, by one end or the other. */
static void what_was_there(workday_t *day)
{
    const cluster_node_t *here = &day->cluster.node[WORKDAY_HERE],
                         *there = &day->cluster.node[WORKDAY_THERE];
    workday_await_text(here, "moved/deep/file", "old");
    workday_agree(day, "files of before");
    test_shell("cd %s && mv moved gone && rm deleted && echo -n new >edited", here->root);
    test_shell("cd %s && mv left right && echo -n new >>edited-there", there->root);
    workday_await_text(there, "gone/deep/file", "old");
    workday_await_text(there, "edited", "new");
    workday_await_text(here, "edited-there", "oldnew");
    await_there(there, "deleted", false);
    await_there(there, "moved", false);
    await_there(here, "left", false);
    await_mode(there, "gone/aa", 0750);
    workday_agree(day, "files of before, changed");
}

/* --- what comes */

static void kinds_of_files(workday_t *day, int at)
{
    char dir[16], path[64];
    const cluster_node_t *node = &day->cluster.node[at], *other = &day->cluster.node[1 - at];
    snprintf(dir, sizeof dir, "kinds%d", at);
    test_shell("mkdir -p %s/%s/empty && cd %s/%s && echo -n text >file && echo -n x >run && "
               "chmod 755 run && echo -n y >secret && chmod 600 secret && ln -s file link && "
               "ln -s /nowhere/at/all dangling && : >nothing",
               node->root, dir, node->root, dir);
    snprintf(path, sizeof path, "%s/nothing", dir);
    await_there(other, path, true);
    snprintf(path, sizeof path, "%s/link", dir);
    workday_await_text(other, path, "text");
    snprintf(path, sizeof path, "%s/empty", dir);
    await_there(other, path, true);
    snprintf(path, sizeof path, "%s/secret", dir);
    await_mode(other, path, 0600);
    test_shell("cd %s/%s && chmod 640 secret && ln -sfn run link && rmdir empty", node->root,
               dir);
    await_mode(other, path, 0640);
    snprintf(path, sizeof path, "%s/link", dir);
    workday_await_text(other, path, "x");
}

static void holes(workday_t *day, int at)
{
    char name[16], full[512];
    struct stat st;
    const cluster_node_t *other = &day->cluster.node[1 - at];
    snprintf(name, sizeof name, "sparse%d", at);
    put_block(&day->cluster.node[at], name, SPARSE_BYTES - BLOCK, 's');
    await_block(other, name, SPARSE_BYTES - BLOCK, 's');
    node_path(other, name, full, sizeof full);
    if (stat(full, &st) != 0) test_fail("stat %s", full);
    if (st.st_blocks > SPARSE_DISK / 512)
        test_fail("%s: %lld blocks", full, (long long)st.st_blocks);
}

static void edits_in_the_middle(workday_t *day)
{
    cluster_t *c = &day->cluster;
    test_shell("head -c %d /dev/urandom >%s/large", LARGE_BYTES - BLOCK,
               c->node[WORKDAY_HERE].root);
    put_block(&c->node[WORKDAY_HERE], "large", LARGE_BYTES - BLOCK, 'e');
    await_block(&c->node[WORKDAY_THERE], "large", LARGE_BYTES - BLOCK, 'e');
    for (int by = 0; by < 2; by++) {
        cluster_settle(c, SETTLE_S);
        uint64_t before = cluster_bytes_out(c, by);
        put_block(&c->node[by], "large", (1 + by) << 20, (char)('a' + by));
        await_block(&c->node[1 - by], "large", (1 + by) << 20, (char)('a' + by));
        uint64_t sent = cluster_bytes_out(c, by) - before;
        if (sent > LARGE_WIRE) test_fail("%llu bytes sent", (unsigned long long)sent);
    }
    workday_agree(day, "edits in the middle of a large file");
}

/* --- what goes, and what moves */

static void renames(workday_t *day)
{
    cluster_t *c = &day->cluster;
    const cluster_node_t *here = &c->node[WORKDAY_HERE], *there = &c->node[WORKDAY_THERE];
    test_shell("mkdir %s/many && cd %s/many && head -c %d /dev/urandom | split -b %d -a 3 -",
               here->root, here->root, MANY * BLOCK, BLOCK);
    node_text(here, "many/sub/last", "last");
    workday_await_text(there, "many/sub/last", "last");
    cluster_settle(c, SETTLE_S);
    for (int by = 0; by < 2; by++) {
        uint64_t before = cluster_bytes_out(c, by);
        test_shell("cd %s && mv many again && mv again/xaaa first", c->node[by].root);
        await_there(&c->node[1 - by], "first", true);
        await_there(&c->node[1 - by], "many", false);
        workday_agree(day, "a renamed directory");
        uint64_t sent = cluster_bytes_out(c, by) - before;
        if (sent > MANY_WIRE) test_fail("%llu bytes for names", (unsigned long long)sent);
        test_shell("cd %s && mv first again/xaaa && mv again many", c->node[by].root);
        await_there(&c->node[1 - by], "first", false);
        await_there(&c->node[1 - by], "again", false);
        workday_agree(day, "renamed back");
    }
    test_shell("cd %s && rm many/xaa? many/xad?", there->root);
    await_there(here, "many/xadz", false);
    test_shell("rm -rf %s/many", here->root); /* meanwhile */
    await_there(there, "many", false);
    workday_agree(day, "deleted");
}

/* By a new file that is renamed over it, and with the old one kept aside meanwhile. */
static void saves_of_editors(workday_t *day)
{
    const cluster_node_t *node = day->cluster.node;
    node_text(&node[0], "doc", "first");
    workday_await_text(&node[1], "doc", "first");
    for (int i = 0; i < 2; i++) {
        const cluster_node_t *at = &node[i], *other = &node[1 - i];
        char text[16];
        snprintf(text, sizeof text, "over %d", i);
        test_shell("cd %s && echo -n '%s' >.doc.new && mv .doc.new doc", at->root, text);
        workday_await_text(other, "doc", text);
        snprintf(text, sizeof text, "aside %d", i);
        test_shell("cd %s && mv doc doc~ && echo -n '%s' >doc && rm doc~", at->root, text);
        workday_await_text(other, "doc", text);
    }
    workday_agree(day, "saves of editors");
}

/* What a program has open is replaced and deleted by the other end; it reads on. */
static void held_open(workday_t *day)
{
    const cluster_node_t *here = &day->cluster.node[WORKDAY_HERE],
                         *there = &day->cluster.node[WORKDAY_THERE];
    char full[512], text[4] = "";
    node_path(there, "held", full, sizeof full);
    int fd = open(full, O_RDONLY | O_CLOEXEC);
    node_text(here, "held", "replaced");
    workday_await_text(there, "held", "replaced");
    int second = open(full, O_RDONLY | O_CLOEXEC);
    test_shell("rm %s/held", here->root);
    await_there(there, "held", false);
    if (fd < 0 || pread(fd, text, 3, 0) != 3 || strcmp(text, "old") != 0)
        test_fail("%s: who has it open reads \"%s\"", full, text);
    close(fd);
    close(second);
    workday_agree(day, "what a program has open");
    await_there(here, "held", false);
    test_shell("test -z \"$(find %s %s -name '.fuse*')\"", here->root, there->root);
}

/* --- both at once, and a kill */

static void conflicts(workday_t *day)
{
    cluster_t *c = &day->cluster;
    char name[16];
    for (int i = 0; i < CONFLICTS; i++) {
        snprintf(name, sizeof name, "c%d", i);
        node_text(&c->node[WORKDAY_HERE], name, "common");
    }
    workday_await_text(&c->node[WORKDAY_THERE], name, "common");
    workday_agree(day, "files that both have");
    cluster_stop(c, WORKDAY_THERE);
    for (int i = 0; i < CONFLICTS; i++) {
        snprintf(name, sizeof name, "c%d", i);
        node_text(&c->node[WORKDAY_HERE], name, "here\n");
        node_text(&c->node[WORKDAY_THERE], name, "there\n");
    }
    cluster_start(c, WORKDAY_THERE);
    workday_agree(day, "edited by both");
    for (int at = 0; at < 2; at++)
        test_shell("cd %s && for i in $(seq 0 %d); do test \"$(cat c$i c$i.conflict-* | sort | "
                   "tr '\\n' ' ')\" = 'here there ' || exit 1; done",
                   c->node[at].root, CONFLICTS - 1);
}

static void killed_while_files_come(workday_t *day)
{
    cluster_t *c = &day->cluster;
    uint64_t until = relay_bytes(day->relay) + INCOMING / 3;
    double deadline = test_now() + WAIT_S;
    test_shell("mkdir %s/incoming && cd %s/incoming && head -c %d /dev/urandom | "
               "split -b 32K -a 3 - && cat x?[a-e]? >large",
               c->node[WORKDAY_HERE].root, c->node[WORKDAY_HERE].root, INCOMING);
    while (relay_bytes(day->relay) < until) {
        if (test_now() > deadline) test_fail("nothing passes any more (%s)", c->dir);
        poll(NULL, 0, 1);
    }
    cluster_kill(c, WORKDAY_THERE);
    setenv("CRDTSYNC_NODE_WATCH", "inotify", 1); /* the other way to watch, as anybody may */
    cluster_start(c, WORKDAY_THERE);
    workday_agree(day, "killed while files came");
    test_shell("rm -r %s/incoming", c->node[WORKDAY_THERE].root);
    await_there(&c->node[WORKDAY_HERE], "incoming", false);
    node_text(&c->node[WORKDAY_HERE], "incoming", "a file now");
    workday_await_text(&c->node[WORKDAY_THERE], "incoming", "a file now");
    workday_agree(day, "the last of the day");
}

/* So far nobody has changed what another did at the same time. */
static void no_conflicts(workday_t *day)
{
    cluster_t *c = &day->cluster;
    for (int i = 0; i < c->count; i++) {
        cluster_do(c, i, NULL, "scan %s", c->folder); /* gives back what was a user's */
    }
    workday_agree(day, "no conflicts");
    test_shell("! find %s %s -name '*.conflict-*' | grep .", c->node[WORKDAY_HERE].root,
               c->node[WORKDAY_THERE].root);
}

void workday_run(workday_t *day)
{
    setenv("CRDTSYNC_NODE_WATCH", "auto", 1);
    cluster_setting(&day->cluster, "scan", "@hourly"); /* not each minute where it is weaker */
    cluster_start(&day->cluster, WORKDAY_HERE);
    cluster_start(&day->cluster, WORKDAY_THERE);
    what_was_there(day);
    for (int at = 0; at < 2; at++) {
        kinds_of_files(day, at);
        holes(day, at);
    }
    workday_agree(day, "files of all kinds");
    renames(day);
    edits_in_the_middle(day);
    saves_of_editors(day);
    held_open(day);
    no_conflicts(day);
    conflicts(day);
    killed_while_files_come(day);
}
