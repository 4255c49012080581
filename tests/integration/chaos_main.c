/* chaos_main.c - users at work on three nodes while cables are cut and nodes are killed.
 *
 *   chaos [--seconds N]        default 20
 *
 * Three users edit, move, delete, chmod at once, each in the folder of his own node, whether it
 * runs or not. Connections go through relays that are cut and stalled at random; nodes are
 * killed
 * (-9) at random and started again. Every half minute everything is healed and the users rest:
 * then all trees and digests are equal, and every byte string that a user saved and that no
 * user knowingly replaced is the content of a file on every node. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "support/cluster.h"
#include "support/oracle.h"
#include "support/relay.h"
#include "support/seed.h"
#include "support/users.h"

#define NODES     3
#define PHASE_S   30
#define SETTLE_S  90
#define PAUSE_MS  60
#define FILES_MAX 150

typedef struct chaos {
    cluster_t cluster;
    relay_t *relay[NODES]; /* [i]: from node i to the next one */
    oracle_t *oracle;
    user_t *user[NODES];
    char away[NODES][300];
    double back[NODES]; /* when a killed node is started again */
    cs_prng_t prng;
    unsigned kills, cuts, stalls, scans;
} chaos_t;

static unsigned below(chaos_t *chaos, unsigned bound)
{
    return (unsigned)cs_prng_below(&chaos->prng, bound);
}

static void users_begin(chaos_t *chaos)
{
    for (int i = 0; i < NODES; i++) {
        chaos->user[i] =
            user_start(chaos->oracle, &(user_plan_t){.root = chaos->cluster.node[i].root,
                                                     .away = chaos->away[i],
                                                     .seed = cs_prng_u64(&chaos->prng),
                                                     .pause_ms = PAUSE_MS,
                                                     .files_max = FILES_MAX});
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
    if (kind < 4) {
        disturb_network(chaos);
    } else if (kind < 6 && up) {
        cluster_kill(&chaos->cluster, node);
        chaos->back[node] = test_now() + below(chaos, 1500) / 1000.0;
        chaos->kills++;
    } else if (up) {
        cluster_do(&chaos->cluster, node, NULL, "scan %s", chaos->cluster.folder);
        chaos->scans++;
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
    while (test_now() < end)
        disturb(chaos);
    unsigned long actions = users_end(chaos);
    heal(chaos);
    double begin = test_now();
    settle(chaos);
    printf("chaos: %lu actions; so far %u kills, %u cuts, %u stalls, %u scans; equal after "
           "%.1f s\n",
           actions, chaos->kills, chaos->cuts, chaos->stalls, chaos->scans, test_now() - begin);
    judge(chaos);
}

static void set_up(chaos_t *chaos)
{
    cluster_t *cluster = &chaos->cluster;
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
}

int main(int argc, char **argv)
{
    static chaos_t chaos;
    double left = argc == 3 && strcmp(argv[1], "--seconds") == 0 ? atof(argv[2]) : 20;
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up(&chaos);
    while (left > 0) {
        double seconds = left < PHASE_S ? left : PHASE_S;
        phase(&chaos, seconds);
        left -= seconds;
    }
    if (chaos.kills == 0 || chaos.cuts == 0) test_fail("nothing was killed or cut");
    cluster_destroy(&chaos.cluster);
    for (int i = 0; i < NODES; i++)
        relay_destroy(&chaos.relay[i]);
    oracle_destroy(&chaos.oracle);
    return 0;
}
