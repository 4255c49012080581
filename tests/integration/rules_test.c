/* rules_test.c - rules of what is ignored change while nodes run: what they let in again
 * appears at once, what they leave out stays on every disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cluster.h"
#include "support/shell.h"

#define RULES "d/.crdtsyncignore"

/* A node that waits for the other to have a file does so without scans that come by themselves.
 */
static void await(cluster_t *c, int node, const char *path)
{
    while (!node_has(&c->node[node], path)) {
        cluster_do(c, node, NULL, "ping");
    }
}

static void begin(cluster_t *c)
{
    cluster_new(c, 2);
    cluster_pair(c, 0, 1, 0);
    cluster_setting(c, "scan", "@hourly");
    for (int i = 0; i < 2; i++) {
        test_shell("mkdir -p %s/d", c->node[i].root);
    }
}

Test(rules, what_they_let_in_again_appears_after_a_scan_of_that_place, .timeout = 120)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    begin(&c);
    node_text(&c.node[0], "d/x.log", "a log");
    node_text(&c.node[0], "d/kept", "no log");
    node_text(&c.node[1], RULES, "*.log\n"); /* before it has heard of that one */
    cluster_start(&c, 0);
    cluster_do(&c, 0, NULL, "scan");
    cluster_start(&c, 1);
    await(&c, 1, "d/kept");
    await(&c, 0, RULES);
    cluster_do(&c, 1, NULL, "scan");
    cr_assert_not(node_has(&c.node[1], "d/x.log"));
    cluster_do(&c, 1, out, "explain --json %s/d/x.log", c.node[1].root);
    cr_assert_not_null(strstr(out, "\"ignored\":{\"ignored\":true"), "%s", out);
    test_shell("rm %s/" RULES, c.node[1].root);
    cluster_do(&c, 1, NULL, "scan %s d", c.folder); /* of that place alone */
    await(&c, 1, "d/x.log");
    cluster_settle(&c, 60);
    cluster_check_equal(&c);
    cluster_destroy(&c);
}

Test(rules, what_they_leave_out_stays_on_every_disk_and_goes_nowhere, .timeout = 120)
{
    cluster_t c;
    begin(&c);
    node_text(&c.node[0], "d/x.log", "as it was");
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, 60);
    cr_assert(node_has(&c.node[1], "d/x.log"));
    node_text(&c.node[0], RULES, "*.log\n");
    cluster_settle(&c, 60);
    for (int i = 0; i < 2; i++) {
        cr_assert(node_has(&c.node[i], "d/x.log"), "it stays at %d", i);
    }
    /* From here on each has his own. */
    node_text(&c.node[0], "d/x.log", "mine");
    node_text(&c.node[1], "d/x.log", "yours");
    node_text(&c.node[1], "d/y.log", "nobody else's");
    cluster_settle(&c, 60);
    test_shell("grep -qx mine %s/d/x.log && grep -qx yours %s/d/x.log && ! [ -e %s/d/y.log ]",
               c.node[0].root, c.node[1].root, c.node[0].root);
    /* Deleting one deletes nothing elsewhere. */
    test_shell("rm %s/d/x.log", c.node[0].root);
    cluster_settle(&c, 60);
    cr_assert(node_has(&c.node[1], "d/x.log"));
    cr_assert_not(node_has(&c.node[0], "d/x.log"));
    cluster_destroy(&c);
}
