/* kills.c - see kills.h. */
#include "support/kills.h"

#include <poll.h>

static bool is_done(cluster_t *cluster)
{
    return cluster_succeeds(cluster, 0, "wait %s --peers 1 --timeout 0.01", cluster->folder);
}

bool kills_await(cluster_t *cluster, const relay_t *relay, uint64_t until, uint64_t least,
                 int timeout_s)
{
    double deadline = test_now() + timeout_s;
    while (relay_bytes(relay) < until) {
        uint64_t before = relay_bytes(relay);
        poll(NULL, 0, 1);
        bool rests = before >= least && relay_bytes(relay) == before;
        if (rests && is_done(cluster)) return false;
        if (test_now() > deadline) test_fail("nothing passes any more (%s)", cluster->dir);
    }
    return true;
}

void kills_restart(cluster_t *cluster, unsigned which)
{
    for (int i = 0; i < 2; i++) {
        if ((which & (1u << i)) != 0) cluster_kill(cluster, i);
    }
    for (int i = 0; i < 2; i++) {
        if ((which & (1u << i)) != 0) cluster_start(cluster, i);
    }
}
