/* find_peers_test.c - who was told of one node finds the others, and needs the first no more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cluster.h"
#include "support/shell.h"

/* How many of its peers node `index` is linked with. */
static unsigned linked(cluster_t *cluster, int index)
{
    char out[CLUSTER_TEXT];
    unsigned count = 0;
    cluster_do(cluster, index, out, "status --json");
    for (const char *at = out; (at = strstr(at, "\"state\":\"connected\"")) != NULL; at++) {
        count++;
    }
    return count;
}

static void await_links(cluster_t *cluster, int index, unsigned count)
{
    while (linked(cluster, index) != count) {
        cluster_do(cluster, index, NULL, "ping");
    }
}

static bool knows_port(cluster_t *cluster, int index, int of)
{
    char command[600];
    snprintf(command, sizeof command, "grep -q 'heard = .*:%d' %s/peers/* 2>/dev/null",
             cluster->node[of].port, cluster->node[index].home);
    return system(command) == 0;
}

static void begin(cluster_t *cluster, const char *find)
{
    setenv("CRDTSYNC_NODE_FIND_PEERS", find, 1);
    cluster_new(cluster, 3);
    cluster_pair(cluster, 1, 0, 0); /* 1 and 2 know nothing of each other */
    cluster_pair(cluster, 2, 0, 0);
    for (int i = 0; i < 3; i++) {
        cluster_start(cluster, i);
    }
    node_text(&cluster->node[1], "a", "one");
    cluster_settle(cluster, 60);
}

Test(find_peers, one_address_is_enough, .timeout = 120)
{
    cluster_t c;
    begin(&c, "yes");
    await_links(&c, 1, 2);
    await_links(&c, 2, 2);
    cluster_stop(&c, 0);
    node_text(&c.node[1], "b", "without the first one");
    cluster_do(&c, 1, NULL, "scan");
    while (!node_has(&c.node[2], "b")) {
        cluster_do(&c, 2, NULL, "ping");
    }
    /* It is kept: they find each other after a restart, too. */
    cr_assert(knows_port(&c, 1, 2) || knows_port(&c, 2, 1));
    cluster_stop(&c, 1);
    cluster_stop(&c, 2);
    cluster_start(&c, 1);
    cluster_start(&c, 2);
    await_links(&c, 1, 1);
    cluster_start(&c, 0);
    await_links(&c, 0, 2);
    cluster_settle(&c, 60);
    cluster_check_equal(&c);
    cluster_destroy(&c);
}

Test(find_peers, only_if_it_may, .timeout = 120)
{
    cluster_t c;
    begin(&c, "no");
    cr_assert_eq(linked(&c, 1), 1);
    cr_assert_eq(linked(&c, 2), 1);
    for (int i = 0; i < 3; i++) {
        for (int of = 0; of < 3; of++) {
            cr_assert_not(knows_port(&c, i, of));
        }
    }
    cluster_destroy(&c);
}

/* A member that was removed here is dialled no more, whatever others say of it. */
Test(find_peers, but_not_who_was_removed, .timeout = 120)
{
    cluster_t c;
    begin(&c, "yes");
    await_links(&c, 1, 2);
    cluster_do(&c, 1, NULL, "peer remove %s", c.node[2].id);
    await_links(&c, 1, 1);
    cluster_stop(&c, 1);
    cluster_start(&c, 1);
    await_links(&c, 1, 1);
    cr_assert_eq(linked(&c, 1), 1);
    cluster_destroy(&c);
}
