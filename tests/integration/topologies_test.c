/* topologies_test.c - five nodes in a line, a ring, a star and a mesh: what each does reaches
 * all, also while some of them are away. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/cluster.h"

#define NODES 5

/* A file of its own, and one that all write. */
static void all_write(cluster_t *cluster, const char *text)
{
    for (int i = 0; i < NODES; i++) {
        if (cluster->node[i].pid == 0) continue;
        char name[32];
        snprintf(name, sizeof name, "own/%d-%s", i, text);
        node_text(&cluster->node[i], name, text);
        snprintf(name, sizeof name, "%d %s", i, text);
        node_text(&cluster->node[i], "shared", name);
    }
}

static void live(cluster_t *cluster)
{
    for (int i = 0; i < NODES; i++) {
        cluster_start(cluster, i);
    }
    all_write(cluster, "first");
    cluster_settle(cluster, 120);
    cluster_check_equal(cluster);
    cluster_kill(cluster, 2); /* in the middle of a line */
    all_write(cluster, "second");
    for (int i = 0; i < NODES; i++) {
        if (i != 2) cluster_do(cluster, i, NULL, "scan");
    }
    node_text(&cluster->node[2], "shared", "2 alone");
    cluster_start(cluster, 2);
    cluster_settle(cluster, 120);
    cluster_check_equal(cluster);
    for (int i = 0; i < NODES; i++) {
        char name[32];
        snprintf(name, sizeof name, "own/%d-first", i);
        cr_assert(node_has(&cluster->node[(i + 3) % NODES], name));
    }
    cluster_destroy(cluster);
}

Test(topologies, line, .timeout = 300)
{
    cluster_t cluster;
    cluster_new(&cluster, NODES);
    for (int i = 0; i + 1 < NODES; i++) {
        cluster_pair(&cluster, i, i + 1, 0);
    }
    live(&cluster);
}

Test(topologies, ring, .timeout = 300)
{
    cluster_t cluster;
    cluster_new(&cluster, NODES);
    for (int i = 0; i < NODES; i++) {
        cluster_pair(&cluster, i, (i + 1) % NODES, 0);
    }
    live(&cluster);
}

Test(topologies, star, .timeout = 300)
{
    cluster_t cluster;
    cluster_new(&cluster, NODES);
    for (int i = 1; i < NODES; i++) {
        cluster_pair(&cluster, i, 0, 0);
    }
    live(&cluster);
}

Test(topologies, mesh, .timeout = 300)
{
    cluster_t cluster;
    cluster_new(&cluster, NODES);
    for (int i = 0; i < NODES; i++) {
        for (int k = i + 1; k < NODES; k++) {
            cluster_pair(&cluster, i, k, 0);
        }
    }
    live(&cluster);
}
