/* remove_test.c - a folder or a peer is forgotten; files are not. */
#include <stdio.h>

#include "support/cluster.h"
#include "support/shell.h"

/* --- folder remove */

Test(remove, a_folder_is_forgotten_and_its_files_are_not)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "1 added", "echo x >r/f && $B scan --home h");
    EXPECT(shell, 0, "crdtsync1:",
           "$B invite docs --endpoint tcp://127.0.0.1:9 --home h && $B peer add $(printf "
           "'%%064d' 7) --folder docs --name bob --home h");
    EXPECT(shell, 1, "did you mean 'docs'?", "$B folder remove dcs --home h");
    EXPECT(shell, 0, "docs: forgotten; its files stay in /", "$B folder remove docs --home h");
    EXPECT(shell, 0, "x", "cat r/f && ! ls -A r | grep crdtsync");
    EXPECT(shell, 1, "no such folder", "$B folder remove docs --home h");
    EXPECT(shell, 0, "[]",
           "$B folder list --json --home h; $B invite list --json --home h; $B "
           "peer list --json --home h | grep -o '\"folders\":\\[\\]'");
    EXPECT_NOT(shell, "docs");
    /* Neither its number nor its rows are those of the next one. */
    EXPECT(shell, 0, "1 added", "$B folder add r --id docs --home h && $B scan --home h");
    EXPECT(shell, 0, "{\"folder\":\"docs\",\"path\":\"/",
           "$B folder remove ./r --json --home h && test ! -e h/folders/docs");
    shell_free(shell);
}

Test(remove, a_folder_that_is_not_there_can_be_forgotten)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "forgotten", "mv r away && $B folder remove docs --home h");
    EXPECT(shell, 1, "remove what is left there", "$B folder add away --id docs --home h");
    EXPECT(shell, 0, "docs", "rm -r away/.crdtsync && $B folder add away --id docs --home h");
    shell_free(shell);
}

Test(remove_node, a_folder_is_removed_while_it_is_busy_and_comes_back, .timeout = 200)
{
    cluster_t cluster;
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    test_shell("for i in $(seq 3000); do echo content $i >%s/$i; done", cluster.node[0].root);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    cluster_do(&cluster, 0, NULL, "scan shared");
    cluster_do(&cluster, 1, NULL, "folder remove shared"); /* while it fetches */
    char out[CLUSTER_TEXT];
    cluster_do(&cluster, 1, out, "folder list --json");
    cr_assert_str_eq(out, "");
    test_shell("cd %s && printf %s >key", cluster.dir, cluster.secret);
    cluster_do(&cluster, 1, NULL, "folder add %s --id shared --key-file %s/key",
               cluster.node[1].root, cluster.dir);
    cluster_do(&cluster, 1, NULL, "peer add %s --folder shared", cluster.node[0].id);
    cluster_settle(&cluster, 100);
    cluster_check_equal(&cluster);
    cr_assert(node_reads(&cluster.node[1], "3000", "content 3000\n"));
    cluster_destroy(&cluster);
}

/* --- peer remove */

Test(remove, a_peer_is_removed_by_id_or_name)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "bob",
           "for i in 1 2 3; do $B peer add $(printf '%%064d' $i) --name bob$i "
           "--folder docs --home h; done; $B peer list --home h");
    EXPECT(shell, 0, "bob1: cut off", "$B peer remove bob1 --home h");
    EXPECT(shell, 1, "there is none", "$B peer remove bob1 --home h");
    EXPECT(shell, 1, "did you mean 'bob2'?", "$B peer remove bbo2 --home h");
    EXPECT(shell, 0, "\"name\":\"bob2\"",
           "$B peer remove $(printf '%%064d' 2) --json --home h");
    EXPECT(shell, 0, "bob3", "$B peer list --home h");
    EXPECT_NOT(shell, "bob2");
    EXPECT(shell, 0, "bob1",
           "$B peer add $(printf '%%064d' 1) --home h; $B peer list --home h");
    shell_free(shell);
}

/* The third node goes on telling of the removed one, which does not bring it back. */
Test(remove_node, a_removed_peer_is_cut_off_until_it_is_added_again, .timeout = 200)
{
    cluster_t cluster;
    cluster_new(&cluster, 3);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_pair(&cluster, 0, 2, 0);
    cluster_pair(&cluster, 1, 2, 0);
    for (int i = 0; i < 3; i++) {
        cluster_start(&cluster, i);
    }
    node_text(&cluster.node[0], "f", "1");
    cluster_settle(&cluster, 60);
    cluster_do(&cluster, 0, NULL, "peer remove %s", cluster.node[1].id);
    char out[CLUSTER_TEXT];
    cluster_do(&cluster, 0, out, "status --json");
    cr_assert_null(strstr(out, cluster.node[1].id), "%s", out);
    node_text(&cluster.node[0], "f", "2");
    cluster_do(&cluster, 0, NULL, "scan");
    cluster_do(&cluster, 0, NULL, "wait --timeout 60"); /* for the third one alone */
    cluster_stop(&cluster, 2);
    cluster_start(&cluster, 2);
    cluster_stop(&cluster, 0);
    cluster_start(&cluster, 0);
    cluster_do(&cluster, 0, NULL, "wait --timeout 60");
    cluster_do(&cluster, 0, out, "peer list --json");
    cr_assert_null(strstr(out, cluster.node[1].id), "%s", out);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_settle(&cluster, 60);
    cluster_check_equal(&cluster);
    cluster_do(&cluster, 0, out, "peer list --json");
    cr_assert_not_null(strstr(out, cluster.node[1].id), "%s", out);
    cluster_destroy(&cluster);
}

static bool knows(cluster_t *cluster, int index, int of)
{
    char out[CLUSTER_TEXT];
    cluster_do(cluster, index, out, "peer list --json");
    return strstr(out, cluster->node[of].id) != NULL;
}

static void await_known(cluster_t *cluster, int index, int of, bool known)
{
    while (knows(cluster, index, of) != known) {
        cluster_do(cluster, index, NULL, "ping");
    }
}

/* Also by one that was not there, and through one that was told. */
Test(remove_node, who_is_removed_at_one_node_is_cut_off_everywhere, .timeout = 200)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    cluster_new(&c, 4);
    for (int i = 0; i < 4; i++) {
        for (int k = i + 1; k < 4; k++) {
            cluster_pair(&c, i, k, 0);
        }
    }
    for (int i = 0; i < 4; i++) {
        cluster_start(&c, i);
    }
    node_text(&c.node[0], "f", "1");
    cluster_settle(&c, 60);
    cluster_stop(&c, 2);
    cluster_do(&c, 0, out, "peer remove %s --json", c.node[3].id);
    cr_assert_not_null(strstr(out, "\"everywhere\":true"), "%s", out);
    await_known(&c, 1, 3, false);
    cluster_stop(&c, 0);
    cluster_start(&c, 2);
    await_known(&c, 2, 3, false);
    /* What the removed one does reaches nobody, and the other way round. */
    node_text(&c.node[3], "mine", "alone");
    node_text(&c.node[1], "ours", "together");
    cluster_do(&c, 3, NULL, "scan");
    cluster_do(&c, 1, NULL, "scan");
    cluster_start(&c, 0);
    cluster_do(&c, 1, NULL, "wait --timeout 60"); /* for 0 and 2 */
    cr_assert(node_has(&c.node[0], "ours") && node_has(&c.node[2], "ours"));
    cr_assert_not(node_has(&c.node[3], "ours"));
    cr_assert_not(node_has(&c.node[1], "mine"));
    cr_assert_not(node_has(&c.node[2], "mine"));
    /* One word lets it in again, at all of them. */
    cluster_pair(&c, 2, 3, 0);
    await_known(&c, 0, 3, true);
    await_known(&c, 1, 3, true);
    cluster_settle(&c, 60);
    cr_assert(node_has(&c.node[3], "ours") && node_has(&c.node[0], "mine"));
    cluster_check_equal(&c);
    cluster_destroy(&c);
}
