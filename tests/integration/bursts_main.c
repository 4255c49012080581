/* bursts_main.c - very much happens to a watched folder within seconds: an archive is unpacked,
 * git changes the branch, npm installs, everything is removed. 3,000 files; with --long
 * 100,000.
 *
 * Two nodes with two folders. While a burst goes on in one of them, and until the other node
 * has all of it, both nodes are asked for their status all the time, and what is saved in the
 * other folder arrives. Few scans and exchanges carry a burst, memory is bounded, and in the
 * end both are equal, without a scan that somebody ordered. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/asker.h"
#include "support/scans.h"
#include "support/upheaval.h"

#define FILES            3000u
#define FILES_LONG       100000u
#define FILES_A_SCAN     50u /* at least, on average, */
#define SCANS_A_S        20  /* if they come faster than so many scans may take them, ... */
#define FILES_A_SCAN_MIN 10u /* ... and in any case so many */
#define OWN_KIB_MAX      (128L << 10)
#define WAIT_S           120 /* for one file, of a machine under load */
#define EQUAL_S          900 /* for a burst; it takes seconds */
#define PAUSE_MS         50  /* of who saves into the other folder */

typedef struct world {
    cluster_t burst, calm; /* the same nodes; one folder each */
    upheaval_t up;
    bool is_long;
    scans_t scans;
    listener_t events;
    int arrivals;       /* inotify: of both folders at B */
    unsigned meanwhile; /* of all bursts */
} world_t;

/* What is seen while a burst goes on. */
typedef struct course {
    double began, done, equal; /* done at A, equal at B */
    unsigned saved, meanwhile; /* in the other folder; arrived before B had the burst */
    double longest;            /* of those, from the save to the other node */
    size_t scans;
    unsigned told, exchanges;
    uint64_t bytes;
} course_t;

/* --- two folders, a repository, an archive */

/* The same nodes, seen by their second folder. */
static void add_calm(world_t *w)
{
    cluster_t *calm = &w->calm;
    *calm = w->burst;
    snprintf(calm->folder, sizeof calm->folder, "calm");
    for (int i = 0; i < 2; i++) {
        cluster_node_t *node = &calm->node[i];
        snprintf(node->root, sizeof node->root, "%.100s/calm%d", calm->dir, i);
        if (mkdir(node->root, 0755) != 0) test_fail("%s: %s", node->root, strerror(errno));
        if (i == 0) {
            cluster_do(calm, i, NULL, "folder add %s --id calm", node->root);
            test_shell("$CRDTSYNC_BIN --home %s folder key calm | tail -1 >%s/calm.key",
                       node->home, calm->dir);
        } else {
            cluster_do(calm, i, NULL, "folder add %s --id calm --key-file %s/calm.key",
                       node->root, calm->dir);
        }
    }
    cluster_pair(calm, 0, 1, 0);
}

static void await_watched(world_t *w, int node)
{
    char out[CLUSTER_TEXT];
    const char *first;
    double deadline = test_now() + WAIT_S;
    do {
        if (test_now() > deadline) test_fail("not watched: %s", out);
        cluster_do(&w->burst, node, out, "status --json");
        first = strstr(out, "\"staleness_s\":0");
    } while (first == NULL || strstr(first + 1, "\"staleness_s\":0") == NULL);
}

static void notice_arrivals(world_t *w)
{
    w->arrivals = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    for (int i = 0; i < 2; i++) {
        const char *root = (i == 0 ? &w->burst : &w->calm)->node[1].root;
        if (inotify_add_watch(w->arrivals, root, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
            test_fail("%s: %s", root, strerror(errno));
    }
}

static void begin(world_t *w)
{
    setenv("CRDTSYNC_NODE_WATCH", "auto", 1);
    cluster_new(&w->burst, 2);
    cluster_pair(&w->burst, 0, 1, 0);
    add_calm(w);
    cluster_setting(&w->burst, "brake", "off");
    cluster_setting(&w->calm, "brake", "off");
    for (int i = 0; i < 2; i++) {
        cluster_start(&w->burst, i);
        w->calm.node[i].pid = w->burst.node[i].pid;
        await_watched(w, i);
    }
    cluster_do(&w->burst, 0, NULL, "wait --timeout %d", WAIT_S);
    scans_open(&w->scans, &w->burst.node[0]);
    listener_begin(&w->events, &w->burst.node[0], w->burst.folder);
    notice_arrivals(w);
}

/* --- what goes on meanwhile */

/* The end of a burst, in its folder: as long as B lacks it, B is not equal. */
static void end_name(const char *name, char *ret, size_t bytes)
{
    snprintf(ret, bytes, "end of %s", name);
}

static pid_t start(const world_t *w, const char *name, void (*act)(const upheaval_t *up),
                   int *done)
{
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) != 0) test_fail("pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) test_fail("fork: %s", strerror(errno));
    if (pid > 0) {
        close(fd[1]);
        *done = fd[0];
        return pid;
    }
    char path[64];
    act(&w->up);
    end_name(name, path, sizeof path);
    node_text(&w->burst.node[0], path, name);
    double now = test_now();
    _exit(write(fd[1], &now, sizeof now) == sizeof now ? 0 : 1);
}

/* Until something comes into one of the two folders at B. */
static void await_arrival(const world_t *w, double deadline)
{
    char drop[4096];
    struct pollfd item = {.fd = w->arrivals, .events = POLLIN};
    if (poll(&item, 1, (int)((deadline - test_now()) * 1000) + 1) < 0 && errno != EINTR)
        test_fail("poll: %s", strerror(errno));
    while (read(w->arrivals, drop, sizeof drop) > 0) {
    }
}

static void save_in_calm(world_t *w, const char *name, course_t *course)
{
    char path[64];
    double began = test_now();
    snprintf(path, sizeof path, "%s, %u", name, course->saved++);
    node_text(&w->calm.node[0], path, path);
    while (!node_reads(&w->calm.node[1], path, path)) {
        if (test_now() > began + WAIT_S)
            test_fail("%s: not within %d s (%s)", path, WAIT_S, w->calm.dir);
        await_arrival(w, began + WAIT_S);
    }
    double took = test_now() - began;
    if (took > course->longest) course->longest = took;
}

/* Names, kinds, bytes: they may change while it looks. */
static bool is_same(const world_t *w)
{
    char command[800];
    snprintf(command, sizeof command,
             "diff -rq --no-dereference -x .crdtsync %s %s >/dev/null 2>&1",
             w->burst.node[0].root, w->burst.node[1].root);
    return system(command) == 0;
}

static void await_equal(world_t *w, course_t *course)
{
    for (;;) {
        cluster_do(&w->burst, 0, NULL, "wait --timeout %d", EQUAL_S);
        course->equal = test_now();
        if (is_same(w)) return;
        if (test_now() > course->began + EQUAL_S) test_fail("trees differ (%s)", w->burst.dir);
        poll(NULL, 0, 200); /* a look at a large tree is work, too */
    }
}

/* Saves into the other folder until B has the end of the burst. */
static void watch_burst(world_t *w, const char *name, void (*act)(const upheaval_t *up),
                        course_t *course)
{
    int done = -1, status = -1;
    char end[64];
    end_name(name, end, sizeof end);
    course->began = test_now();
    pid_t pid = start(w, name, act, &done);
    for (;;) {
        save_in_calm(w, name, course);
        if (node_has(&w->burst.node[1], end)) break;
        course->meanwhile++;
        (void)scans_count(&w->scans); /* they are counted before too many wait */
        if (test_now() > course->began + EQUAL_S) test_fail("%s: no end at B", name);
        poll(NULL, 0, PAUSE_MS); /* this is the load, not a wait for something */
    }
    if (read(done, &course->done, sizeof course->done) != sizeof course->done ||
        waitpid(pid, &status, 0) != pid || status != 0)
        test_fail("%s: status %x", name, status);
    close(done);
    await_equal(w, course);
}

/* --- and how it went */

static void agree(cluster_t *cluster, const char *what)
{
    cluster_check_equal(cluster);
    for (int i = 0; i < 2; i++)
        cluster_verify(cluster, i, what);
}

static void check(world_t *w, const char *name, unsigned changes, const course_t *course)
{
    double bound = changes / FILES_A_SCAN + SCANS_A_S * (course->equal - course->began);
    if (bound > changes / FILES_A_SCAN_MIN) bound = changes / FILES_A_SCAN_MIN;
    if (course->scans == 0) test_fail("%s: scans are not counted", name);
    if ((double)course->scans > bound || course->exchanges > bound)
        test_fail("%s: %zu scans, %u exchanges for %u changes", name, course->scans,
                  course->exchanges, changes);
    if (w->is_long && course->meanwhile == 0) test_fail("%s: the other folder waited", name);
    agree(&w->burst, name);
}

static void tell(const char *name, unsigned changes, const course_t *c, const asker_t *asker)
{
    printf(
        "%s: %u changes, %.2f s; at B %.2f s after that; %zu scans, %u of them with changes, "
        "%u exchanges, %.0f bytes a change\n",
        name, changes, c->done - c->began, c->equal - c->done, c->scans, c->told, c->exchanges,
        (double)c->bytes / changes);
    printf("    %u of %u files of the other folder came meanwhile, the slowest took %.3f s\n",
           c->meanwhile, c->saved, c->longest);
    for (int i = 0; i < 2; i++)
        printf("    node %d: %u questions, ping at most %.3f s, status %.3f s; %.1f MiB\n", i,
               asker[i].asked, asker[i].ping_s, asker[i].status_s,
               (double)asker[i].own_kib / 1024);
}

static void burst(world_t *w, const char *name, unsigned changes,
                  void (*act)(const upheaval_t *up))
{
    asker_t asker[2];
    course_t course = {.scans = scans_count(&w->scans),
                       .told = atomic_load(&w->events.scans),
                       .exchanges = atomic_load(&w->events.exchanges),
                       .bytes = cluster_bytes_out(&w->burst, 0)};
    for (int i = 0; i < 2; i++)
        asker_begin(&asker[i], &w->burst.node[i], OWN_KIB_MAX);
    watch_burst(w, name, act, &course);
    for (int i = 0; i < 2; i++)
        asker_end(&asker[i]);
    course.scans = scans_count(&w->scans) - course.scans;
    course.told = atomic_load(&w->events.scans) - course.told;
    course.exchanges = atomic_load(&w->events.exchanges) - course.exchanges;
    course.bytes = cluster_bytes_out(&w->burst, 0) - course.bytes;
    w->meanwhile += course.meanwhile;
    tell(name, changes, &course, asker);
    check(w, name, changes, &course);
}

int main(int argc, char **argv)
{
    static world_t w;
    w.is_long = argc > 1 && strcmp(argv[1], "--long") == 0;
    unsigned files = w.is_long ? FILES_LONG : FILES;
    setvbuf(stdout, NULL, _IOLBF, 0);
    begin(&w);
    w.up = (upheaval_t){.node = &w.burst.node[0], .dir = w.burst.dir, .files = files};
    upheaval_prepare(&w.up);
    burst(&w, "unpack", files, upheaval_unpack);
    upheaval_take_branch(&w.up);
    burst(&w, "checkout", files / 8 * 7, upheaval_check_out);
    burst(&w, "install", files, upheaval_install);
    burst(&w, "removal", files / 8 * 15, upheaval_remove);
    if (w.meanwhile == 0) test_fail("the other folder waited for each burst");
    agree(&w.calm, "the other folder");
    scans_close(&w.scans);
    cluster_destroy(&w.burst);
    listener_end(&w.events);
    return 0;
}
