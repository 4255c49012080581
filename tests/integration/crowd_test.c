/* crowd_test.c - more nodes than are linked as a mesh, all paired with one of them: each ends
 * up with links to some of the others, no one with too many, and what any does reaches all. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/neighbours.h"
#include "support/cluster.h"

#define NODES (CS_MESH_MEMBERS_MAX + 3u)

static cluster_t cluster;

/* As its status says. */
static unsigned links_of(int node)
{
    static char out[CLUSTER_TEXT * 8];
    unsigned count = 0;
    char command[700];
    snprintf(command, sizeof command, "%s --home %s peer list --json", getenv("CRDTSYNC_BIN"),
             cluster.node[node].home);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t len = fread(out, 1, sizeof out - 1, pipe);
    out[len] = '\0';
    cr_assert_eq(pclose(pipe), 0);
    for (const char *at = out; (at = strstr(at, "\"connected\"")) != NULL; at++)
        count++;
    return count;
}

static bool has_its_links(int node)
{
    unsigned links = links_of(node);
    return links >= CS_NEIGHBOURS_WANTED && links <= CS_NEIGHBOURS_MAX;
}

/* Looks whenever a link of it came or went, since it was started. */
static void await_links_of(int node)
{
    char line[1024];
    if (has_its_links(node)) return;
    snprintf(line, sizeof line, "echo $$; exec %s --home %s events --since 0 --json",
             getenv("CRDTSYNC_BIN"), cluster.node[node].home);
    FILE *events = popen(line, "r");
    cr_assert_not_null(events);
    cr_assert_not_null(fgets(line, sizeof line, events));
    pid_t pid = (pid_t)atol(line);
    bool has = false;
    while (!has && fgets(line, sizeof line, events) != NULL) {
        bool link =
            strstr(line, "\"peer.up\"") != NULL || strstr(line, "\"peer.down\"") != NULL;
        has = link && has_its_links(node);
    }
    cr_assert(has, "node %d has %u links", node, links_of(node));
    kill(pid, SIGTERM);
    (void)pclose(events);
}

static void await_links(int first)
{
    for (int node = first; node < (int)NODES; node++)
        await_links_of(node);
}

Test(crowd, of_more_than_a_mesh_each_has_some_links_and_hears_of_all, .timeout = 600)
{
    setenv("CRDTSYNC_NODE_FIND_PEERS", "yes", 1);
    cluster_new(&cluster, NODES);
    for (int i = 1; i < (int)NODES; i++)
        cluster_pair(&cluster, i, 0, 0);
    for (int i = 0; i < (int)NODES; i++)
        cluster_start(&cluster, i);
    node_text(&cluster.node[NODES - 1], "last", "of the last one");
    cluster_settle(&cluster, 120);
    cluster_check_equal(&cluster);
    await_links(0);
    cluster_stop(&cluster, 0); /* the only one that anybody was told of */
    node_text(&cluster.node[1], "first", "of the first that is left");
    cluster_settle(&cluster, 120);
    cluster_check_equal(&cluster);
    await_links(1);
    cluster_destroy(&cluster);
}
