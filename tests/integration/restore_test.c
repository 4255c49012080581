/* restore_test.c - what the trash lists and gives back. */
#include "support/cluster.h"
#include "support/shell.h"

/* Two nodes that share `shared`; node 1 has what node 0 replaced and deleted in its trash. */
static void fill_trash(cluster_t *cluster)
{
    cluster_new(cluster, 2);
    cluster_pair(cluster, 0, 1, 0);
    cluster_start(cluster, 0);
    cluster_start(cluster, 1);
    test_shell("mkdir %s/d", cluster->node[0].root);
    node_text(&cluster->node[0], "d/gone", "what was deleted");
    node_text(&cluster->node[0], "kept", "first");
    cluster_settle(cluster, 60);
    test_shell("rm -r %s/d", cluster->node[0].root);
    node_text(&cluster->node[0], "kept", "second, and longer");
    cluster_settle(cluster, 60);
}

static void restore_and_look(cluster_t *cluster)
{
    char out[CLUSTER_TEXT], path[512];
    cluster_do(cluster, 1, out, "trash shared --json");
    cr_assert_not_null(strstr(out, "\"path\":\"kept\",\"kind\":\"file\",\"size\":5,"), "%s",
                       out);
    cr_assert_not_null(strstr(out, "\"path\":\"d/gone\""), "%s", out);
    node_path(&cluster->node[1], "kept", path, sizeof path);
    cr_assert_eq(cluster_run(cluster, 1, NULL, "trash restore %s", path), 1);
    cr_assert(node_reads(&cluster->node[1], "kept", "second, and longer"));
    cluster_do(cluster, 1, out, "trash restore %s --to %s.old --json", path, path);
    cr_assert_not_null(strstr(out, "\"path\":\"kept.old\",\"size\":5"), "%s", out);
    cluster_do(cluster, 1, NULL, "trash restore d/gone"); /* as the list names it */
    cr_assert(node_reads(&cluster->node[1], "d/gone", "what was deleted"));
    cr_assert_eq(cluster_run(cluster, 1, NULL, "trash restore d/gone"), 1);
    cluster_do(cluster, 1, out, "trash --json");
    cr_assert_str_eq(out, "");
}

Test(restore_node, the_trash_gives_back_and_never_replaces, .timeout = 200)
{
    cluster_t cluster;
    fill_trash(&cluster);
    restore_and_look(&cluster);
    cluster_settle(&cluster, 60); /* it is a user's change like any other */
    cr_assert(node_reads(&cluster.node[0], "d/gone", "what was deleted"));
    cr_assert(node_reads(&cluster.node[0], "kept.old", "first"));
    cluster_check_equal(&cluster);
    cluster_destroy(&cluster);
}

Test(restore_node, the_trash_is_reached_without_a_node, .timeout = 200)
{
    cluster_t cluster;
    fill_trash(&cluster);
    cluster_stop(&cluster, 1);
    restore_and_look(&cluster);
    cluster_start(&cluster, 1);
    cluster_settle(&cluster, 60);
    cr_assert(node_reads(&cluster.node[0], "kept.old", "first"));
    cluster_destroy(&cluster);
}

Test(restore, what_cannot_be_restored_is_named)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "FOLDER", "$B trash --home h");
    EXPECT(shell, 1, "no such file", "$B trash restore r/f --home h");
    EXPECT(shell, 1, "lies in none", "$B trash restore /etc/passwd --home h");
    EXPECT(shell, 2, "did you mean 'trash restore'?", "$B trash restor r/f --home h");
    EXPECT(shell, 1, "not mounted", "mv r s; $B trash docs --home h");
    shell_free(shell);
}
