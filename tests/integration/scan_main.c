/* scan_main.c - `crdtsync scan` and scheduled scans, with and without a running node.
 *
 * One node, no peers. What a scan reports is exact; two scans of a folder never overlap: of
 * many asked for at once each change is reported by one, and directories are visited in turn.
 */
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "support/cluster.h"

#define AT_ONCE 6
#define FILES   2000
#define SOON_S  30

typedef struct counts {
    long long added, changed, moved, removed, unchanged;
    size_t errors;
} counts_t;

static long long number(const json_t *object, const char *key, const char *text)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value)) test_fail("no number %s in: %s", key, text);
    return json_integer_value(value);
}

static counts_t parse(const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    if (object == NULL) test_fail("scan --json printed: %s", text);
    counts_t counts = {
        .added = number(object, "added", text),
        .changed = number(object, "changed", text),
        .moved = number(object, "moved", text),
        .removed = number(object, "removed", text),
        .unchanged = number(object, "unchanged", text),
        .errors = json_array_size(json_object_get(object, "errors")),
    };
    json_decref(object);
    return counts;
}

static void expect(counts_t got, long long added, long long changed, long long moved,
                   long long removed, const char *when)
{
    if (got.added == added && got.changed == changed && got.moved == moved &&
        got.removed == removed)
        return;
    test_fail("%s: %lld added, %lld changed, %lld moved, %lld removed", when, got.added,
              got.changed, got.moved, got.removed);
}

static counts_t scan(cluster_t *cluster, const char *more)
{
    char out[CLUSTER_TEXT];
    cluster_do(cluster, 0, out, "scan %s --json %s", cluster->folder, more);
    return parse(out);
}

static void change(const cluster_t *cluster, const char *verb, const char *arguments)
{
    test_shell("cd %s && %s %s", cluster->node[0].root, verb, arguments);
}

/* Every kind of change, reported once, and nothing afterwards. */
static void reports_what_changed(cluster_t *cluster, const char *dir)
{
    const cluster_node_t *node = &cluster->node[0];
    char name[64], arguments[256];
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "%s/f%d", dir, i);
        node_text(node, name, name);
    }
    expect(scan(cluster, ""), 10, 0, 0, 0, "ten new files");
    expect(scan(cluster, ""), 0, 0, 0, 0, "nothing changed");

    snprintf(name, sizeof name, "%s/f0", dir);
    node_text(node, name, "other bytes");
    snprintf(arguments, sizeof arguments, "%s/f1 %s/g1", dir, dir);
    change(cluster, "mv", arguments);
    snprintf(arguments, sizeof arguments, "%s/f2", dir);
    change(cluster, "rm", arguments);
    snprintf(arguments, sizeof arguments, "755 %s/f3", dir);
    change(cluster, "chmod", arguments);
    snprintf(arguments, sizeof arguments, "%s/f4", dir);
    change(cluster, "touch", arguments);
    expect(scan(cluster, ""), 0, 2, 1, 1, "an edit, a chmod, a move, a deletion, a touch");
    expect(scan(cluster, "--full"), 0, 0, 0, 0, "nothing changed, everything rehashed");

    snprintf(name, sizeof name, "%s/in/a", dir);
    node_text(node, name, "a");
    snprintf(name, sizeof name, "%s/out/a", dir);
    node_text(node, name, "b");
    snprintf(arguments, sizeof arguments, "%s/%s/in", node->root, dir);
    expect(scan(cluster, arguments), 1, 0, 0, 0, "one path of two");
    expect(scan(cluster, ""), 1, 0, 0, 0, "the rest");
}

static void names_what_it_cannot_read(cluster_t *cluster)
{
    change(cluster, "mkfifo", "pipe");
    counts_t counts = scan(cluster, "");
    if (counts.errors != 1) test_fail("a fifo: %zu errors", counts.errors);
    change(cluster, "rm", "pipe");
    if (scan(cluster, "").errors != 0) test_fail("the fifo is gone");
}

/* --- at once */

typedef struct one {
    pthread_t thread;
    cluster_t *cluster;
    counts_t counts;
} one_t;

static void *scan_once(void *arg)
{
    one_t *one = arg;
    one->counts = scan(one->cluster, "");
    return NULL;
}

static void make_files(const cluster_t *cluster, const char *dir, int count)
{
    char name[64];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%d", dir, i);
        node_text(&cluster->node[0], name, name);
    }
}

/* Returns the sum of what they added. */
static long long scan_at_once(cluster_t *cluster)
{
    one_t one[AT_ONCE];
    long long added = 0;
    for (int i = 0; i < AT_ONCE; i++) {
        one[i] = (one_t){.cluster = cluster};
        if (pthread_create(&one[i].thread, NULL, scan_once, &one[i]) != 0)
            test_fail("no thread");
    }
    for (int i = 0; i < AT_ONCE; i++) {
        pthread_join(one[i].thread, NULL);
        added += one[i].counts.added;
    }
    return added;
}

static void without_a_node_they_queue(cluster_t *cluster)
{
    make_files(cluster, "queue", FILES);
    long long added = scan_at_once(cluster);
    if (added != FILES)
        test_fail("%d scans at once of %d files: %lld added", AT_ONCE, FILES, added);
}

static void by_digest(cluster_t *cluster, char *ret)
{
    cluster_do(cluster, 0, ret, "digest %s", cluster->folder);
}

/* The schedule finds a new file without being asked. */
static void await_scheduled_scan(cluster_t *cluster, const char *name)
{
    char before[CLUSTER_TEXT], now[CLUSTER_TEXT];
    double deadline = test_now() + SOON_S;
    by_digest(cluster, before);
    node_text(&cluster->node[0], name, name);
    do {
        if (test_now() > deadline) test_fail("no scheduled scan within %d s", SOON_S);
        poll(NULL, 0, 20);
        by_digest(cluster, now);
    } while (strcmp(before, now) == 0);
}

/* --- directories in turn */

static int watch_dir(int fd, const cluster_t *cluster, const char *name)
{
    char path[512];
    node_path(&cluster->node[0], name, path, sizeof path);
    int watch = inotify_add_watch(fd, path, IN_OPEN | IN_ONLYDIR);
    if (watch < 0) test_fail("inotify %s", path);
    return watch;
}

/* Scans visit `a-first`, many directories, then `z-last`. The openings must alternate: first,
 * last, first, last; were two scans to overlap, the second one would open the first directory
 * before the other opened the last. One may be under way when the watching begins. */
static void check_turns(int fd, int first, int last)
{
    char bytes[65536] __attribute__((aligned(__alignof__(struct inotify_event))));
    unsigned opened_first = 0, opened_last = 0;
    bool may_be_under_way = true;
    ssize_t len;
    while ((len = read(fd, bytes, sizeof bytes)) > 0) {
        for (char *at = bytes; at < bytes + len;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)at;
            at += sizeof *event + event->len;
            if ((event->mask & IN_ISDIR) == 0 || event->len > 0) continue;
            bool is_end = event->wd == last && !(may_be_under_way && opened_first == 0);
            if (event->wd == last) may_be_under_way = false;
            opened_first += event->wd == first;
            opened_last += is_end;
            if (opened_first < opened_last || opened_first > opened_last + 1)
                test_fail("scans overlap: %u began, %u ended", opened_first, opened_last);
        }
    }
    printf("scan: %u scans, one after the other\n", opened_first);
    if (opened_first < 2) test_fail("only %u scans were seen", opened_first);
}

static void with_a_node_they_take_turns(cluster_t *cluster)
{
    char dir[32];
    make_files(cluster, "a-first", 1);
    make_files(cluster, "z-last", 1);
    for (int i = 0; i < 40; i++) {
        snprintf(dir, sizeof dir, "middle/%d", i);
        make_files(cluster, dir, FILES / 40);
    }
    scan(cluster, "");
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int first = watch_dir(fd, cluster, "a-first");
    int last = watch_dir(fd, cluster, "z-last");
    double end = test_now() + 3; /* two scheduled scans at least fall into it */
    while (test_now() < end)
        scan_at_once(cluster);
    await_scheduled_scan(cluster, "scheduled2");
    cluster_stop(cluster, 0); /* nothing scans while the record is read */
    check_turns(fd, first, last);
    close(fd);
}

/* --- refusals */

static void without_its_marker_nothing_is_touched(cluster_t *cluster)
{
    char before[CLUSTER_TEXT], after[CLUSTER_TEXT];
    by_digest(cluster, before);
    test_shell("mv %s %s.away && mkdir %s", cluster->node[0].root, cluster->node[0].root,
               cluster->node[0].root);
    int code = cluster_run(cluster, 0, NULL, "scan %s", cluster->folder);
    if (code != 1) test_fail("scan of a folder that is not mounted: exit code %d", code);
    by_digest(cluster, after);
    if (strcmp(before, after) != 0) test_fail("a folder that is not mounted changed the state");
    test_shell("rmdir %s && mv %s.away %s", cluster->node[0].root, cluster->node[0].root,
               cluster->node[0].root);
    expect(scan(cluster, ""), 0, 0, 0, 0, "mounted again");
}

static void the_brake_holds_a_mass_deletion(cluster_t *cluster)
{
    char before[CLUSTER_TEXT], after[CLUSTER_TEXT];
    make_files(cluster, "mass", FILES);
    scan(cluster, "");
    by_digest(cluster, before);
    change(cluster, "rm", "-r mass queue");
    int code = cluster_run(cluster, 0, NULL, "scan %s", cluster->folder);
    if (code != 5) test_fail("scan after a mass deletion: exit code %d", code);
    by_digest(cluster, after);
    if (strcmp(before, after) != 0) test_fail("what the brake holds changed the state");
    cluster_do(cluster, 0, NULL, "held accept %s", cluster->folder);
    scan(cluster, "");
    by_digest(cluster, after);
    if (strcmp(before, after) == 0) test_fail("accepted, and nothing changed");
}

int main(void)
{
    cluster_t cluster;
    setvbuf(stdout, NULL, _IOLBF, 0);
    cluster_new(&cluster, 1);
    scan(&cluster, "");
    reports_what_changed(&cluster, "offline");
    names_what_it_cannot_read(&cluster);
    without_a_node_they_queue(&cluster);
    without_its_marker_nothing_is_touched(&cluster);
    printf("scan: without a node: done\n");

    cluster_start(&cluster, 0);
    scan(&cluster, "");
    reports_what_changed(&cluster, "online");
    names_what_it_cannot_read(&cluster);
    without_its_marker_nothing_is_touched(&cluster);
    the_brake_holds_a_mass_deletion(&cluster);
    printf("scan: with a node: done\n");
    cluster_setting(&cluster, "scan", "@every 1s");
    await_scheduled_scan(&cluster, "scheduled");
    with_a_node_they_take_turns(&cluster);
    cluster_destroy(&cluster);
    return 0;
}
