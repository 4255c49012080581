/* clocks_main.c - wall clocks decades apart and jumping, file times of 1970 and of 2100: the
 * same trees, names and winners as with good clocks. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/mishap.h"

#define NODES   3
#define YEAR_S  (365ll * 24 * 3600)
#define SECRET  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define IN_1970 1
#define IN_2100 4102444800ll
#define FILES   12

static void touch(const cluster_node_t *node, const char *path, long long mtime_s)
{
    char full[512];
    node_path(node, path, full, sizeof full);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = mtime_s}};
    if (utimensat(AT_FDCWD, full, times, AT_SYMLINK_NOFOLLOW) != 0) test_fail("touch %s", full);
}

typedef struct world {
    cluster_t c;
    faults_t *clock[NODES];
} world_t;

/* The times of a round's files on one node: as its clock is, if it has one. */
static void edit(world_t *w, int node, const char *path, int round, bool odd_times)
{
    char text[64];
    snprintf(text, sizeof text, "%s in round %d by %d", path, round, node);
    node_text(&w->c.node[node], path, text);
    if (odd_times) touch(&w->c.node[node], path, (node + round) % 2 == 0 ? IN_1970 : IN_2100);
}

/* Two rounds of concurrent edits, deletions and moves, with everything settled between them. */
static void live(world_t *w, const int64_t shifts[NODES][2], bool odd_times)
{
    char path[64];
    cluster_new_with(&w->c, NODES, SECRET);
    cluster_pair(&w->c, 1, 0, 0);
    cluster_pair(&w->c, 2, 0, 0);
    cluster_pair(&w->c, 2, 1, 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "dir/%d.txt", i);
        edit(w, 0, path, 0, odd_times);
    }
    for (int i = 0; i < NODES; i++) {
        w->clock[i] = mishap_faults(&w->c, i);
        w->clock[i]->wall_s = shifts[i][0];
        cluster_start(&w->c, i);
    }
    mishap_agree(&w->c, "the first files");
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < NODES; i++)
            cluster_do(&w->c, i, NULL, "pause");
        for (int i = 0; i < NODES; i++) {
            w->clock[i]->wall_s = shifts[i][round % 2];
            for (int k = 0; k < FILES; k++) {
                snprintf(path, sizeof path, "dir/%d.txt", k);
                if (k % (NODES + 1) != i) edit(w, i, path, round, odd_times);
            }
            snprintf(path, sizeof path, "dir/%d.txt", NODES);
            edit(w, i, "same name", round, odd_times);
            cluster_do(&w->c, i, NULL, "scan");
        }
        for (int i = 0; i < NODES; i++)
            cluster_do(&w->c, i, NULL, "resume");
        mishap_agree(&w->c, "a round of edits by all");
    }
    cluster_stop(&w->c, 2);
    test_shell("rm %s/dir/0.txt && mv %s/dir/1.txt %s/moved.txt", w->c.node[0].root,
               w->c.node[0].root, w->c.node[0].root);
    cluster_settle(&w->c, SETTLE_S);
    w->clock[2]->wall_s = -shifts[2][0];
    edit(w, 2, "dir/2.txt", 3, odd_times);
    cluster_start(&w->c, 2);
    mishap_agree(&w->c, "one was away, and came back in another year");
    if (node_has(&w->c.node[2], "dir/0.txt")) test_fail("a deleted file came back");
}

/* The same story under good and under absurd clocks. */
static void decades_apart(void)
{
    static const int64_t good[NODES][2] = {{0, 0}, {0, 0}, {0, 0}};
    static const int64_t absurd[NODES][2] = {
        {0, 0}, {40 * YEAR_S, -30 * YEAR_S}, {-45 * YEAR_S, 70 * YEAR_S}};
    static world_t one, other;
    char why[1024];
    live(&one, good, false);
    live(&other, absurd, true);
    if (tree_differs(one.c.node[0].root, other.c.node[0].root, why, sizeof why))
        test_fail("clocks decide: %s", why);
    cluster_destroy(&one.c);
    cluster_destroy(&other.c);
}

/* Clocks that jump while the node runs: it goes on scanning, and knows what is new. */
static void jumping(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    mishap_pair(&c);
    faults_t *clock = mishap_faults(&c, 1);
    cluster_setting(&c, "scan", "@every 1s");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    static const int64_t jumps[] = {YEAR_S, -YEAR_S, 50 * YEAR_S, -50 * YEAR_S, -1, 3600, 0};
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "jump %zu", i);
        clock->wall_s = jumps[i];
        node_text(&c.node[1], "one", text);
        /* Nobody asks for a scan: the schedule must not wait for a year to come. */
        snprintf(out, sizeof out, "%s", text);
        double end = test_now() + SOON_S;
        while (!node_reads(&c.node[0], "one", text)) {
            if (test_now() > end)
                test_fail("after a jump by %lld s nothing is scanned", (long long)jumps[i]);
            cluster_run(&c, 0, NULL, "wait --timeout 0.2");
        }
    }
    mishap_agree(&c, "clocks that jump");
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* The numbers of its reports come from the clock when the database is lost. */
static void back_in_time_without_a_database(void)
{
    cluster_t c;
    mishap_pair(&c);
    faults_t *clock = mishap_faults(&c, 1);
    clock->wall_s = 60 * YEAR_S;
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, SETTLE_S);
    cluster_stop(&c, 1);
    test_shell("rm -r %s/db", c.node[1].home);
    clock->wall_s = 0;
    cluster_start(&c, 1);
    node_text(&c.node[1], "later", "as the others see it, 60 years before");
    mishap_agree(&c, "back in time, without a database");
    if (!node_has(&c.node[0], "later")) test_fail("a file did not arrive");
    cluster_destroy(&c);
}

/* Edits that keep size and mtime, and a file system whose times are far from the clock's. */
static void times_that_lie(void)
{
    cluster_t c;
    static const long long times[] = {IN_1970, IN_2100, -YEAR_S, 0};
    mishap_pair(&c);
    faults_t *clock = mishap_faults(&c, 1);
    clock->wall_s = 20 * YEAR_S;
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char path[32], text[32];
        snprintf(path, sizeof path, "file %zu", i);
        for (int round = 0; round < 3; round++) {
            snprintf(text, sizeof text, "round %d", round);
            node_text(&c.node[1], path, text);
            touch(&c.node[1], path, times[i]);
            cluster_do(&c, 1, NULL, "scan");
        }
        cluster_settle(&c, SETTLE_S);
        if (!node_reads(&c.node[0], path, "round 2"))
            test_fail("an edit of %s was not seen", path);
    }
    mishap_agree(&c, "times that lie");
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"decades apart", decades_apart, false, false},
        {"jumping", jumping, false, false},
        {"back in time without a database", back_in_time_without_a_database, false, false},
        {"times that lie", times_that_lie, false, false},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
