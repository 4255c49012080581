/* chaos_main.c - users at work on three nodes while cables are cut and nodes are killed.
 *
 *   chaos [--seconds N] [--tight]        default 20
 *
 * --tight: folders are watched, the users hardly rest, and have few files: what they write is
 * what is being scanned and put in place.
 *
 * Three users edit, move, delete, chmod at once, each in the folder of his own node, whether it
 * runs or not. Connections go through relays that are cut and stalled at random; nodes are
 * killed (-9) at random, and while they change their folders, and started again. Every half
 * minute everything is healed and the users rest: then all trees and digests are equal, and
 * every byte string that a user saved and that no user knowingly replaced is the content of a
 * file on every node. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/prng.h"
#include "support/cluster.h"
#include "support/oracle.h"
#include "support/relay.h"
#include "support/seed.h"
#include "support/users.h"

#define NODES    3
#define PHASE_S  30
#define SETTLE_S 90
/* of users; and when they are tight */
#define PAUSE_MS        60
#define FILES_MAX       150
#define TIGHT_PAUSE_MS  3
#define TIGHT_FILES_MAX 12

typedef struct chaos {
    cluster_t cluster;
    relay_t *relay[NODES]; /* [i]: from node i to the next one */
    oracle_t *oracle;
    user_t *user[NODES];
    char away[NODES][300];
    double back[NODES]; /* when a killed node is started again */
    cs_prng_t prng;
    int apply_fd;            /* tells of files that enter private directories: nodes at work */
    int apply_wd[2 * NODES]; /* [2 i], [2 i + 1]: of node i */
    bool tight;
    unsigned kills, ambushes, cuts, stalls, scans;
} chaos_t;

static unsigned below(chaos_t *chaos, unsigned bound)
{
    return (unsigned)cs_prng_below(&chaos->prng, bound);
}

static void users_begin(chaos_t *chaos)
{
    unsigned pause_ms = chaos->tight ? TIGHT_PAUSE_MS : PAUSE_MS;
    int files_max = chaos->tight ? TIGHT_FILES_MAX : FILES_MAX;
    for (int i = 0; i < NODES; i++) {
        chaos->user[i] =
            user_start(chaos->oracle, &(user_plan_t){.root = chaos->cluster.node[i].root,
                                                     .away = chaos->away[i],
                                                     .seed = cs_prng_u64(&chaos->prng),
                                                     .pause_ms = pause_ms,
                                                     .files_max = files_max});
    }
}

static unsigned long users_end(chaos_t *chaos)
{
    unsigned long actions = 0;
    for (int i = 0; i < NODES; i++) {
        actions += user_actions(chaos->user[i]);
        user_stop(&chaos->user[i]);
    }
    return actions;
}

static void disturb_network(chaos_t *chaos)
{
    static const relay_mode_t modes[] = {RELAY_OPEN, RELAY_OPEN, RELAY_STALLED, RELAY_CUT};
    relay_mode_t mode = modes[below(chaos, CS_COUNT_OF(modes))];
    chaos->cuts += mode == RELAY_CUT;
    chaos->stalls += mode == RELAY_STALLED;
    relay_set(chaos->relay[below(chaos, NODES)], mode);
}

static void kill_node(chaos_t *chaos, int node)
{
    cluster_kill(&chaos->cluster, node);
    chaos->back[node] = test_now() + below(chaos, 1500) / 1000.0;
    chaos->kills++;
}

static void watch_apply(chaos_t *chaos)
{
    static const char *const dirs[] = {"trash", "tmp"};
    chaos->apply_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    for (size_t i = 0; i < CS_COUNT_OF(chaos->apply_wd); i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/.crdtsync/%s", chaos->cluster.node[i / 2].root,
                 dirs[i % 2]);
        chaos->apply_wd[i] =
            inotify_add_watch(chaos->apply_fd, path, IN_CREATE | IN_MOVED_FROM | IN_DELETE);
        if (chaos->apply_wd[i] < 0) test_fail("cannot watch %s", path);
    }
}

/* The node of the last event, -1: none. */
static int read_events(chaos_t *chaos)
{
    union {
        struct inotify_event event;
        char bytes[4096];
    } buffer;
    int node = -1;
    ssize_t got;
    while ((got = read(chaos->apply_fd, &buffer, sizeof buffer)) > 0) {
        for (size_t i = 0; i < CS_COUNT_OF(chaos->apply_wd); i++) {
            if (chaos->apply_wd[i] == buffer.event.wd) node = (int)i / 2;
        }
    }
    return node;
}

/* Kills a node while it changes its folder. */
static void lie_in_wait(chaos_t *chaos)
{
    read_events(chaos); /* what is over */
    struct pollfd on = {.fd = chaos->apply_fd, .events = POLLIN};
    if (poll(&on, 1, 300) <= 0) return;
    poll(NULL, 0, (int)below(chaos, 3));
    int node = read_events(chaos);
    if (node < 0 || chaos->cluster.node[node].pid == 0) return;
    kill_node(chaos, node);
    chaos->ambushes++;
}

/* All of it, or a part. */
static void scan(chaos_t *chaos, int node)
{
    static const char *const parts[] = {"d0", "d1", "d0/e0", "f0.txt", "d2/f3.c"};
    const char *root = chaos->cluster.node[node].root;
    unsigned what = below(chaos, 2 * CS_COUNT_OF(parts));
    if (what >= CS_COUNT_OF(parts)) {
        cluster_do(&chaos->cluster, node, NULL, "scan %s", chaos->cluster.folder);
    } else { /* perhaps there is none */
        (void)cluster_succeeds(&chaos->cluster, node, "scan %s/%s", root, parts[what]);
    }
    chaos->scans++;
}

static void start_due(chaos_t *chaos, double now)
{
    for (int i = 0; i < NODES; i++) {
        if (chaos->cluster.node[i].pid == 0 && now >= chaos->back[i])
            cluster_start(&chaos->cluster, i);
    }
}

static void disturb(chaos_t *chaos)
{
    int node = (int)below(chaos, NODES);
    bool up = chaos->cluster.node[node].pid != 0;
    unsigned kind = below(chaos, 10);
    if (kind < 3) {
        disturb_network(chaos);
    } else if (kind < 4 && up) {
        kill_node(chaos, node);
    } else if (kind < 6) {
        lie_in_wait(chaos);
    } else if (up) {
        scan(chaos, node);
    }
    poll(NULL, 0, (int)below(chaos, 300));
    start_due(chaos, test_now());
}

static void heal(chaos_t *chaos)
{
    for (int i = 0; i < NODES; i++)
        relay_set(chaos->relay[i], RELAY_OPEN);
    start_due(chaos, 1e300);
}

/* What a user wrote through a file that was open while the engine replaced it is found by a
 * scan, hence a second round. */
static void settle(chaos_t *chaos)
{
    for (int round = 0; round < 2; round++)
        cluster_settle(&chaos->cluster, SETTLE_S);
    cluster_check_equal(&chaos->cluster);
}

static void judge(chaos_t *chaos)
{
    const char *roots[NODES];
    for (int i = 0; i < NODES; i++) {
        roots[i] = chaos->cluster.node[i].root;
        oracle_take_away(chaos->oracle, chaos->away[i]);
    }
    oracle_verdict_t verdict = oracle_judge(chaos->oracle, roots, NODES);
    printf("chaos: %u strings saved (%u through a replaced file), %u owed, %u missing\n",
           verdict.saved, verdict.late, verdict.owed, verdict.missing + verdict.missing_late);
    if (verdict.missing + verdict.missing_late > 0)
        test_fail("saved bytes are lost (logs, homes and folders: %s)", chaos->cluster.dir);
    if (verdict.owed == 0) test_fail("nothing is owed: the test proves nothing");
}

static void phase(chaos_t *chaos, double seconds)
{
    users_begin(chaos);
    double end = test_now() + seconds;
    while (test_now() < end || chaos->kills == 0 || chaos->cuts == 0)
        disturb(chaos);
    unsigned long actions = users_end(chaos);
    heal(chaos);
    double begin = test_now();
    settle(chaos);
    printf("chaos: %lu actions; so far %u kills (%u at work), %u cuts, %u stalls, %u scans; "
           "equal after %.1f s\n",
           actions, chaos->kills, chaos->ambushes, chaos->cuts, chaos->stalls, chaos->scans,
           test_now() - begin);
    judge(chaos);
}

static void set_up(chaos_t *chaos)
{
    cluster_t *cluster = &chaos->cluster;
    if (chaos->tight) setenv("CRDTSYNC_NODE_WATCH", "auto", 1);
    cs_prng_init(&chaos->prng, test_seed("chaos"));
    chaos->oracle = oracle_new();
    cluster_new(cluster, NODES);
    cluster_setting(cluster, "brake",
                    "off"); /* users this busy rewrite most of it in a minute */
    cluster_setting(cluster, "scan", "@every 2s");
    for (int i = 0; i < NODES; i++) {
        int next = (i + 1) % NODES;
        chaos->relay[i] = relay_new(cluster->node[next].port);
        cluster_pair(cluster, i, next, relay_port(chaos->relay[i]));
        snprintf(chaos->away[i], sizeof chaos->away[i], "%s/away%d", cluster->dir, i);
    }
    for (int i = 0; i < NODES; i++)
        cluster_start(cluster, i);
    watch_apply(chaos);
}

int main(int argc, char **argv)
{
    static chaos_t chaos;
    double left = 20;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) left = atof(argv[++i]);
        if (strcmp(argv[i], "--tight") == 0) chaos.tight = true;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up(&chaos);
    while (left > 0) {
        double seconds = left < PHASE_S ? left : PHASE_S;
        phase(&chaos, seconds);
        left -= seconds;
    }
    cluster_destroy(&chaos.cluster);
    for (int i = 0; i < NODES; i++)
        relay_destroy(&chaos.relay[i]);
    oracle_destroy(&chaos.oracle);
    close(chaos.apply_fd);
    return 0;
}
