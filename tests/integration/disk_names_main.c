/* disk_names_main.c - names and paths at their limits, symbolic links to the outside at every
 * point of a path, files that change while they are read, very many in one directory. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/prng.h"
#include "support/mishap.h"
#include "support/seed.h"

/* --- names */

static void name_of(char *ret, size_t bytes, char letter)
{
    memset(ret, letter, bytes);
    ret[bytes] = '\0';
}

/* A path of so many bytes, of long components. */
static void path_of(char *ret, size_t bytes, char letter)
{
    memset(ret, letter, bytes);
    for (size_t i = 200; i + 1 < bytes; i += 200)
        ret[i] = '/';
    ret[bytes] = '\0';
}

/* Made component by component: it is longer than what the kernel takes at once. */
static void make_too_deep(const cluster_node_t *node)
{
    char path[4400];
    path_of(path, 4300, 'q');
    int dir = open(node->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *rest = NULL;
    for (char *at = strtok_r(path, "/", &rest); dir >= 0 && at != NULL;) {
        char *next = strtok_r(NULL, "/", &rest);
        if (next == NULL) {
            int fd = openat(dir, at, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
            if (fd < 0) test_fail("a deep file: %s", strerror(errno));
            close(fd);
        } else if (mkdirat(dir, at, 0755) != 0) {
            test_fail("a deep directory: %s", strerror(errno));
        }
        int below = next == NULL ? -1 : openat(dir, at, O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(dir);
        dir = below;
        at = next;
    }
}

static void odd_names(void)
{
    cluster_t c;
    char longest[256], deep[4001], out[CLUSTER_TEXT];
    name_of(longest, 255, 'n');
    path_of(deep, 4000, 'p');
    const char *const names[] = {"a\nb",    "not utf-8 \xff\xfe", " ",    "-rf",   "\x01\x7f",
                                 "'\"\\$`", "trailing ",          "...x", longest, deep};
    mishap_start_pair(&c);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        node_text(&c.node[i % 2], names[i], "text");
    mishap_agree(&c, "odd names");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!node_reads(&c.node[0], names[i], "text") ||
            !node_reads(&c.node[1], names[i], "text"))
            test_fail("%s did not arrive", names[i]);
        node_text(&c.node[(i + 1) % 2], names[i], "edited");
    }
    mishap_agree(&c, "edited on the other side");
    cluster_do(&c, 0, out, "ls shared not --json");
    if (strstr(out, "\"path_hex\":\"6e6f74207574662d3820fffe\"") == NULL)
        test_fail("a name that is no UTF-8: %s", out);
    mishap_no_conflicts(&c);

    make_too_deep(&c.node[0]);
    node_text(&c.node[0], "beside it", "text");
    mishap_ask(&c, 0, out, "scan --json | grep -o '\"reason\":.*'"); /* the path is long */
    if (strstr(out, "\"not representable\"") == NULL)
        test_fail("a path of 4,300 bytes: %s", out);
    mishap_await(&c, 1, "ls shared beside --json", "\"on_disk\":true");
    test_shell("cd %s && rm -r qqqq*", c.node[0].root);
    mishap_agree(&c, "all of it removed");
    cluster_destroy(&c);
}

/* --- links to the outside */

#define DEPTH 4 /* a/b/c/file */

static void outside_is_as_it_was(const cluster_t *c)
{
    test_shell("cd %s/outside && test \"$(find . | sort | tr '\\n' ' ')\" = "
               "'. ./b ./b/c ./b/c/file ./b/c/gone ./c ./c/file ./c/gone ./file ./gone ' && "
               "test \"$(cat file c/file b/c/file | sort -u)\" = outside",
               c->dir);
}

static void make_outside(const cluster_t *c)
{
    test_shell("mkdir %s/outside && cd %s/outside && mkdir -p c b/c && for d in . c b/c; do "
               "echo outside > $d/file; echo outside > $d/gone; done",
               c->dir, c->dir);
}

static const char *const link_at[DEPTH] = {"a", "a/b", "a/b/c", "a/b/c/file"};
static const char *const link_to[DEPTH] = {"", "b", "b/c", "b/c/file"};

/* False: the link has come to the other node before its user changed what is below it. */
static bool change_below_a_link(cluster_t *c, int i)
{
    const char *root = c->node[1].root;
    node_text(&c->node[0], "a/b/c/file", "in the folder");
    node_text(&c->node[0], "a/b/c/gone", "in the folder");
    cluster_settle(c, SETTLE_S);
    test_shell("mv %s/%s %s/aside && ln -s %s/outside/%s %s/%s", root, link_at[i], c->dir,
               c->dir, link_to[i], root, link_at[i]);
    bool first = node_text_unless_linked(&c->node[0], "a/b/c/file", "an edit") &&
                 node_text_unless_linked(&c->node[0], "a/b/c/new", "new") &&
                 node_remove_unless_linked(&c->node[0], "a/b/c/gone");
    if (first) {
        cluster_do(c, 0, NULL, "scan"); /* first what is applied meets the link */
        mishap_await(c, 1, "ls shared --json", "a/b/c/new");
    }
    mishap_agree(c, link_at[i]);
    outside_is_as_it_was(c);
    test_shell("rm -rf %s/aside %s/a*", c->dir, root);
    mishap_agree(c, "removed");
    outside_is_as_it_was(c);
    return first;
}

/* Each component of the path in turn is a link while the others change what is below it. */
static void links_to_the_outside(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    make_outside(&c);
    for (int i = 0; i < DEPTH; i += change_below_a_link(&c, i)) {
    }
    cluster_destroy(&c);
}

typedef struct swap {
    char dir[300], link[300];
    atomic_bool stop;
} swap_t;

static void *swap_again_and_again(void *arg)
{
    swap_t *swap = arg;
    while (!atomic_load(&swap->stop)) {
        if (renameat2(AT_FDCWD, swap->dir, AT_FDCWD, swap->link, RENAME_EXCHANGE) != 0 &&
            errno != ENOENT)
            break;
    }
    return NULL;
}

/* A directory that is a link in every other moment. */
static void link_that_flickers(void)
{
    cluster_t c;
    swap_t swap = {.stop = false};
    pthread_t thread;
    mishap_start_pair(&c);
    make_outside(&c);
    node_text(&c.node[0], "a/b/c/file", "in the folder");
    cluster_settle(&c, SETTLE_S);
    node_path(&c.node[1], "a", swap.dir, sizeof swap.dir);
    snprintf(swap.link, sizeof swap.link, "%s/link", c.dir);
    test_shell("ln -s %s/outside %s", c.dir, swap.link);
    if (pthread_create(&thread, NULL, swap_again_and_again, &swap) != 0) test_fail("no thread");
    for (int i = 0; i < 30; i++) {
        char path[64];
        snprintf(path, sizeof path, "a/b/c/%d", i);
        (void)node_text_unless_linked(&c.node[0], path, path);
        (void)node_text_unless_linked(&c.node[0], "a/b/c/file", path);
        cluster_do(&c, 0, NULL, "scan");
        cluster_do(&c, 1, NULL, "scan");
    }
    atomic_store(&swap.stop, true);
    pthread_join(thread, NULL);
    outside_is_as_it_was(&c);
    mishap_agree(&c, "a link that flickers");
    outside_is_as_it_was(&c);
    cluster_destroy(&c);
}

/* --- files that change while they are read */

#define BUSY_FILES 6
#define BUSY_BYTES (2u << 20)
#define BUSY_S     6

typedef struct busy {
    char path[BUSY_FILES][300];
    uint64_t seed;
    atomic_bool stop;
} busy_t;

/* Every byte of a file that was replaced is the same: half of one would show. */
static void replace_whole(const char *path, cs_prng_t *prng)
{
    static char bytes[BUSY_BYTES];
    char aside[320];
    memset(bytes, 'a' + (int)cs_prng_below(prng, 26), sizeof bytes);
    snprintf(aside, sizeof aside, "%s~", path);
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes || close(fd) != 0 ||
        rename(aside, path) != 0)
        test_fail("replacing %s: %s", path, strerror(errno));
}

static void grow(const char *path, cs_prng_t *prng)
{
    char bytes[4096];
    memset(bytes, 'A' + (int)cs_prng_below(prng, 26), sizeof bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0) test_fail("%s: %s", path, strerror(errno));
    for (int i = 0; i < 64; i++) {
        if (write(fd, bytes, sizeof bytes) != (ssize_t)sizeof bytes) test_fail("write");
    }
    close(fd);
}

/* File 0 is only replaced, file 1 only grows; the others have all of it happen to them. */
static void *keep_busy(void *arg)
{
    busy_t *busy = arg;
    cs_prng_t prng;
    cs_prng_init(&prng, busy->seed);
    while (!atomic_load(&busy->stop)) {
        replace_whole(busy->path[0], &prng);
        grow(busy->path[1], &prng);
        const char *path = busy->path[2 + cs_prng_below(&prng, BUSY_FILES - 2)];
        switch (cs_prng_below(&prng, 4)) {
        case 0:
            replace_whole(path, &prng);
            break;
        case 1:
            grow(path, &prng);
            break;
        case 2:
            if (truncate(path, (off_t)cs_prng_below(&prng, BUSY_BYTES)) != 0 && errno != ENOENT)
                test_fail("truncate");
            break;
        default:
            unlink(path);
        }
    }
    return NULL;
}

static void is_whole(const cluster_node_t *node)
{
    char path[300], first = 0, bytes[65536];
    node_path(node, "busy/0", path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return; /* it has not come yet */
    for (ssize_t len; (len = read(fd, bytes, sizeof bytes)) > 0;) {
        if (first == 0) first = bytes[0];
        for (ssize_t i = 0; i < len; i++) {
            if (bytes[i] != first) test_fail("%s is half of one text, half of another", path);
        }
    }
    close(fd);
}

static void changing_while_read(void)
{
    cluster_t c;
    static busy_t busy;
    pthread_t thread;
    mishap_start_pair(&c);
    node_text(&c.node[0], "busy/1", "");
    busy.seed = test_seed("changing while read");
    for (int i = 0; i < BUSY_FILES; i++) {
        char path[32];
        snprintf(path, sizeof path, "busy/%d", i);
        node_path(&c.node[0], path, busy.path[i], sizeof busy.path[i]);
    }
    if (pthread_create(&thread, NULL, keep_busy, &busy) != 0) test_fail("no thread");
    for (double end = test_now() + BUSY_S; test_now() < end;) {
        cluster_do(&c, 0, NULL, "scan"); /* what changes while it is read is no failure */
        is_whole(&c.node[1]);
    }
    atomic_store(&busy.stop, true);
    pthread_join(thread, NULL);
    mishap_agree(&c, "files that changed while they were read");
    is_whole(&c.node[1]);
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* --- very many */

static void timed(cluster_t *c, const char *what)
{
    double begin = test_now();
    cluster_settle(c, 600);
    double settled = test_now();
    cluster_check_equal(c);
    printf("%s: %.1f s, compared in %.1f s\n", what, settled - begin, test_now() - settled);
    fflush(stdout);
}

static void many(int count)
{
    cluster_t c;
    mishap_pair(&c);
    test_shell("mkdir %s/d && cd %s/d && seq 1 %d | split -l 1 -a 5 - f", c.node[0].root,
               c.node[0].root, count);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    timed(&c, "very many files in one directory");
    test_shell("cd %s/d && rm faaaaa && echo x >> faaaab", c.node[1].root);
    timed(&c, "one deleted, one edited");
    cluster_destroy(&c);
}

static void five_thousand(void)
{
    many(5000);
}

static void hundred_thousand(void)
{
    many(100000);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"odd names", odd_names, false, false},
        {"links to the outside", links_to_the_outside, false, false},
        {"link that flickers", link_that_flickers, false, false},
        {"changing while read", changing_while_read, false, false},
        {"five thousand", five_thousand, false, false},
        {"hundred thousand", hundred_thousand, false, true},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
