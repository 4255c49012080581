/* change_test.c - the commands that change what a home does: pause, reincarnate, held, sync
 * --once, settings. */
#include <stdio.h>

#include "support/cluster.h"
#include "support/shell.h"

/* --- pause and resume */

Test(change, a_paused_folder_says_so_and_goes_on_when_told)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "docs: paused\n", "$B pause docs --home h");
    EXPECT(shell, 0, "{\"folder\":\"docs\",\"paused\":true}", "$B pause --json --home h");
    EXPECT(shell, 0, "\"state\":\"paused\"", "$B status --json --home h");
    EXPECT(shell, 0, "1 added", "echo x >r/f && $B scan --home h");
    EXPECT(shell, 0, "docs: goes on\n", "$B resume --home h");
    EXPECT(shell, 0, "\"paused\":false", "$B resume ./r --json --home h");
    EXPECT(shell, 1, "did you mean 'docs'?", "$B pause dosc --home h");
    EXPECT(shell, 2, "is too much", "$B pause docs docs --home h");
    shell_free(shell);
}

Test(change_node, a_paused_folder_is_not_spoken_of_and_stays_so, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    node_text(&cluster.node[0], "before", "b");
    cluster_settle(&cluster, 60);
    cluster_do(&cluster, 1, NULL, "pause shared");
    node_text(&cluster.node[0], "during", "d");
    cluster_do(&cluster, 0, NULL, "scan shared");
    cr_assert_eq(cluster_run(&cluster, 0, NULL, "wait --timeout 1"), 4);
    cr_assert_not(node_has(&cluster.node[1], "during"));
    cluster_stop(&cluster, 1);
    cluster_start(&cluster, 1);
    char out[CLUSTER_TEXT];
    cluster_do(&cluster, 1, out, "status --json");
    cr_assert_not_null(strstr(out, "\"state\":\"paused\""), "%s", out);
    cr_assert_eq(cluster_run(&cluster, 0, NULL, "wait --timeout 1"), 4);
    cluster_do(&cluster, 1, NULL, "resume");
    cluster_settle(&cluster, 60);
    cr_assert(node_reads(&cluster.node[1], "during", "d"));
    cluster_destroy(&cluster);
}

/* --- reincarnate */

Test(change, each_reincarnation_is_another_replica)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "1 added", "echo x >r/f && $B scan --home h");
    EXPECT(shell, 0, "docs: replica ", "$B reincarnate docs --home h >a && cat a");
    EXPECT(shell, 0, "\"replica\":\"",
           "$B digest --home h >d1 && $B reincarnate --json --home h >b && cat b && "
           "! grep -q \"$(cut -d' ' -f3 a)\" b");
    EXPECT(shell, 0, "0 added, 0 changed, 0 moved, 0 removed, 1 unchanged", "$B scan --home h");
    EXPECT(shell, 1, "no such folder", "$B reincarnate other --home h");
    shell_free(shell);
}

Test(change_node, a_reborn_replica_goes_on_with_its_peers, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    node_text(&cluster.node[0], "f", "1");
    cluster_settle(&cluster, 60);
    cluster_do(&cluster, 0, NULL, "reincarnate shared");
    node_text(&cluster.node[0], "f", "2 of another life");
    cluster_settle(&cluster, 60);
    cluster_check_equal(&cluster);
    cr_assert(node_reads(&cluster.node[1], "f", "2 of another life"));
    cluster_destroy(&cluster);
}

/* --- held */

static void many_files(shell_t *shell)
{
    EXPECT(shell, 0, "1500 added",
           "for i in $(seq 1500); do echo content $i >r/$i; done && $B scan --home h");
}

Test(change, what_is_held_stays_held_over_a_restart, .timeout = 60)
{
    shell_t *shell = shell_with_folder();
    many_files(shell);
    EXPECT(shell, 0, "nothing is held", "$B held --home h");
    EXPECT(shell, 5, "held accept docs", "rm r/* && $B scan --home h");
    EXPECT(shell, 0, "docs: 1500 files vanished", "$B held --home h");
    EXPECT(shell, 0, "\"held\":true,\"by\":\"here\",\"files\":1500", "$B held --json --home h");
    EXPECT(shell, 0, "\"state\":\"held\"", "$B folder list --json --home h");
    EXPECT(shell, 0, "so much vanished or was rewritten; look, then: crdtsync held accept docs",
           "$B status --home h");
    EXPECT(shell, 5, "held reject", "$B scan --home h");
    EXPECT(shell, 1, "did you mean 'docs'?", "$B held accept doc --home h");
    EXPECT(shell, 0, "1500 removed", "$B held accept docs --home h");
    EXPECT(shell, 0, "nothing is held", "$B held --home h");
    EXPECT(shell, 1, "nothing is held in folder docs", "$B held reject docs --home h");
    shell_free(shell);
}

Test(change, what_is_there_again_is_held_no_more, .timeout = 60)
{
    shell_t *shell = shell_with_folder();
    many_files(shell);
    EXPECT(shell, 5, "brake", "mkdir away && mv r/* away && $B scan --home h");
    EXPECT(shell, 0, "1500 unchanged", "mv away/* r && $B scan --home h");
    EXPECT(shell, 0, "nothing is held", "$B held --home h");
    shell_free(shell);
}

/* Deleted on one node, rewritten on the same: both come back from the peer, and what was
 * written instead is in the trash. */
static void reject_on(cluster_t *cluster, const char *spoil, const char *instead, bool node_up)
{
    cluster_new(cluster, 2);
    cluster_pair(cluster, 0, 1, 0);
    const cluster_node_t *node = &cluster->node[0];
    test_shell(
        "cd %s && mkdir -p d/empty && for i in $(seq 100); do echo content $i >$i; done && "
        "for i in $(seq 101 1500); do echo content $i >d/$i; done",
        node->root);
    cluster_start(cluster, 0);
    cluster_start(cluster, 1);
    cluster_settle(cluster, 100);
    cluster_stop(cluster, 0);
    test_shell("cd %s && %s", node->root, spoil);
    cr_assert_eq(cluster_run(cluster, 0, NULL, "scan"), 5);
    if (node_up) cluster_start(cluster, 0);
    node_text(node, "new", "it stays");
    cr_assert_eq(cluster_run(cluster, 0, NULL, "scan"), 5);
    char out[CLUSTER_TEXT];
    cluster_do(cluster, 0, out, "held reject shared --json");
    cr_assert_not_null(strstr(out, "\"put_back\":140"), "%s", out); /* perhaps d/empty, too */
    if (!node_up) cluster_start(cluster, 0);
    cluster_settle(cluster, 100);
    cluster_check_equal(cluster);
    cr_assert(node_reads(node, "d/1500", "content 1500\n"));
    cr_assert(node_has(node, "d/empty"));
    cr_assert(node_reads(&cluster->node[1], "1", "content 1\n"));
    cr_assert(node_reads(&cluster->node[1], "new", "it stays"));
    if (instead != NULL) {
        test_shell("test $(grep -rl '%s' %s/.crdtsync/trash | wc -l) = 1400", instead,
                   node->root);
    }
    cluster_destroy(cluster);
}

Test(change_node, a_rejected_deletion_is_put_back_from_peers, .timeout = 300)
{
    cluster_t cluster;
    reject_on(&cluster, "rm -r d", NULL, false);
}

Test(change_node, a_rejected_rewrite_is_put_back_and_goes_to_the_trash, .timeout = 300)
{
    cluster_t cluster;
    reject_on(&cluster, "for i in d/[1-9]*; do echo ransom >$i; done", "ransom", true);
}

/* --- sync --once */

Test(change_node, one_sync_without_a_node_brings_and_takes, .timeout = 200)
{
    cluster_t cluster;
    char out[CLUSTER_TEXT];
    cluster_new(&cluster, 3);
    cluster_pair(&cluster, 0, 1, 0); /* 0 dials 1 and 2; 2 never runs */
    cluster_pair(&cluster, 0, 2, 0);
    cluster_start(&cluster, 1);
    node_text(&cluster.node[1], "theirs", "t");
    test_shell("head -c 3000000 /dev/urandom >%s/ours", cluster.node[0].root);
    cluster_do(&cluster, 1, NULL, "scan");
    cluster_do(&cluster, 0, out, "sync --once --timeout 100 --json");
    cr_assert_not_null(strstr(out, "\"reached\":true,\"equal\":true"), "%s", out);
    cr_assert_not_null(strstr(out, "\"reached\":false"), "%s", out);
    cr_assert(node_reads(&cluster.node[0], "theirs", "t"));
    test_shell("cmp %s/ours %s/ours", cluster.node[0].root, cluster.node[1].root);
    /* Again, with nothing to do; then with both up, where the node does it. */
    cluster_do(&cluster, 0, NULL, "sync --once --timeout 100");
    cluster_start(&cluster, 0);
    node_text(&cluster.node[0], "later", "l");
    cluster_do(&cluster, 0, NULL, "sync --once --timeout 100");
    cr_assert(node_reads(&cluster.node[1], "later", "l"));
    cluster_destroy(&cluster);
}

Test(change_node, a_sync_that_cannot_be_done_names_what_is_missing, .timeout = 200)
{
    cluster_t cluster;
    shell_t *shell = shell_new();
    cluster_new(&cluster, 2);
    const char *home = cluster.node[0].home;
    EXPECT(shell, 2, "--once", "$B sync --home %s", home);
    EXPECT(shell, 0, "shared: idle", "$B sync --once --home %s", home); /* alone */
    cluster_pair(&cluster, 0, 1, 0);
    EXPECT(shell, 4, "no peer could be reached", "$B sync --once --home %s", home);
    EXPECT(shell, 4, "node1 was never heard of (not connected)",
           "$B sync --once --timeout 0.1 --home %s", home);
    cluster_start(&cluster, 1);
    cluster_do(&cluster, 1, NULL, "pause");
    EXPECT(shell, 4, "shared: node1 ", "$B sync --once --timeout 2 --home %s", home);
    cluster_do(&cluster, 1, NULL, "resume");
    EXPECT(shell, 0, "node1 is equal", "$B sync --once --timeout 60 --home %s", home);
    EXPECT(shell, 1, "is not mounted", "mv %s away && $B sync --once --timeout 60 --home %s",
           cluster.node[0].root, home);
    EXPECT(shell, 0, "shared: paused",
           "mv away %s && $B pause --home %s && $B sync --once --home %s", cluster.node[0].root,
           home, home);
    cluster_destroy(&cluster);
    shell_free(shell);
}

Test(change_node, a_sync_lets_nothing_pass_that_is_held, .timeout = 200)
{
    shell_t *shell = shell_with_folder();
    many_files(shell);
    EXPECT(shell, 5, "held accept docs", "rm r/* && $B sync --once --home h");
    EXPECT(shell, 5, "\"state\":\"held\"", "$B sync --once --json --home h");
    shell_free(shell);
}

/* --- settings and config */

Test(change, a_setting_that_can_cost_something_says_so)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "\"notes\":[]", "$B folder set docs durability=strict --json --home h");
    EXPECT(shell, 2, "must be strict, group or none",
           "$B folder set docs durability=some --home h");
    EXPECT(shell, 0, "what a power cut makes", "$B folder set docs durability=none --home h");
    EXPECT(shell, 0, "\"durability\":\"none\"",
           "$B folder set docs brake=10%% --json --home h");
    EXPECT_ALSO(shell, "\"brake\":\"10%\"");
    EXPECT_ALSO(shell, "\"notes\":[\"durability=none: ");
    EXPECT(shell, 0, "\"watch\":\"inotify\"",
           "$B folder set docs watch=inotify --json --home h");
    EXPECT(shell, 2, "must be auto, inotify, fanotify or off",
           "$B folder set docs watch=often --home h");
    EXPECT(shell, 2, "did you mean 'durability'?",
           "$B folder set docs durabilty=none --home h");
    EXPECT(shell, 2, "percentage", "$B folder set docs brake=101%% --home h");
    EXPECT(shell, 2, "number of MiB", "$B folder set docs trash-mib=x --home h");
    shell_free(shell);
}

Test(change, the_brake_is_where_it_was_set)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "100 added",
           "for i in $(seq 100); do echo $i >r/$i; done; $B scan --home h");
    EXPECT(shell, 0, "", "$B folder set docs brake=10 --home h");
    EXPECT(shell, 0, "10 removed", "rm r/?0 r/100 && $B scan --home h");
    EXPECT(shell, 0, "", "$B folder set docs brake=40%% --home h");
    EXPECT(shell, 5, "brake", "rm r/[1-5]? && $B scan --home h");
    EXPECT(shell, 0, "45 removed", "$B folder set docs brake=off --home h && $B scan --home h");
    shell_free(shell);
}

static void reload(cluster_t *cluster, const char *expected)
{
    char text[512];
    snprintf(text, sizeof text, "kill -HUP %d; until grep -q '%s' %s; do :; done",
             (int)cluster->node[0].pid, expected, cluster->node[0].log);
    test_shell("%s", text);
}

Test(change_node, the_config_is_read_again_on_sighup, .timeout = 60)
{
    cluster_t cluster;
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    const char *home = cluster.node[0].home;
    reload(&cluster, "nothing changed");
    test_shell(
        "printf 'node\\n    name = \"other\"\\n    listen = \"tcp://*:1\"\\nlimits\\n    "
        "max-peers = 7\\nlog\\n    level = \"debug\"\\n' >%s/config",
        home);
    reload(&cluster, "log level debug, max-peers 7 from now on; after a restart only: name, "
                     "listen");
    test_shell("printf 'limits\\n    max-peers = many\\n' >%s/config", home);
    reload(&cluster, "line 2");
    cluster_do(&cluster, 0, NULL, "ping");
    cluster_destroy(&cluster);
}

Test(change_node, limits_are_taken_up_while_it_runs, .timeout = 60)
{
    cluster_t cluster;
    char out[CLUSTER_TEXT];
    cluster_new(&cluster, 1);
    test_shell("printf 'limits\\n    down-kib = \"2000\"\\n' >%s/config", cluster.node[0].home);
    cluster_start(&cluster, 0);
    cluster_do(&cluster, 0, out, "status --json");
    cr_assert_not_null(strstr(out, "\"limits\":{\"down_kib\":2000}"), "%s", out);
    test_shell("printf 'limits\\n    up-kib = \"7; * * * * * = 500\"\\n' >%s/config",
               cluster.node[0].home);
    reload(&cluster, "up-kib 7; . . . . . = 500, down-kib 0 from now on");
    cluster_do(&cluster, 0, out, "status --json");
    cr_assert_not_null(strstr(out, "\"limits\":{\"up_kib\":500}"), "%s", out);
    test_shell("printf 'limits\\n    up-kib = \"fast\"\\n' >%s/config", cluster.node[0].home);
    reload(&cluster, "KiB a second");
    cluster_destroy(&cluster);
}

/* Copies under other names with other bytes, and the originals gone: no moves. Moves are none
 * of the brake's business, however many. */
Test(change, an_encrypted_tree_is_held_and_a_moved_one_is_not, .timeout = 60)
{
    shell_t *shell = shell_with_folder();
    many_files(shell);
    EXPECT(shell, 0, "1500 moved", "mkdir r/d && mv r/[1-9]* r/d && $B scan --home h");
    EXPECT(shell, 5, "brake",
           "cd r/d && for i in *; do echo secret $i >$i.locked && rm $i; done; cd ../.. && $B "
           "scan --home h");
    EXPECT(shell, 0, "docs: 1500 files are put back", "$B held reject docs --home h");
    EXPECT(shell, 0, "1500", "ls r/d | grep -c locked"); /* they are files like any others */
    shell_free(shell);
}

/* --- pause in the middle of a transfer, by either side */

Test(change_node, a_transfer_that_was_paused_goes_on, .timeout = 200)
{
    cluster_t cluster;
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    cluster_settle(&cluster, 60);
    for (int i = 0; i < 2; i++) {
        test_shell("head -c 60000000 /dev/urandom >%s/large%d", cluster.node[0].root, i);
        cluster_do(&cluster, 0, NULL, "scan");
        cluster_do(&cluster, i, NULL, "pause shared");
        cluster_do(&cluster, i, NULL, "held"); /* it answers, and nothing hangs */
        cluster_do(&cluster, i, NULL, "resume shared");
        cluster_settle(&cluster, 100);
        cluster_check_equal(&cluster);
    }
    cluster_destroy(&cluster);
}

/* --- two at once, and interrupted */

Test(change, two_commands_at_once_take_turns, .timeout = 60)
{
    shell_t *shell = shell_with_folder();
    EXPECT(shell, 0, "", "for i in $(seq 300); do echo $i >r/$i; done");
    EXPECT(shell, 0, "done",
           "for i in 1 2 3 4; do $B scan --home h & $B pause --home h & $B resume --home h & "
           "done; "
           "wait; echo done");
    EXPECT_NOT(shell, "crdtsync: ");
    EXPECT(shell, 1, "forgotten",
           "$B resume -q --home h; $B folder remove docs --home h & $B folder remove docs "
           "--home h; "
           "a=$?; wait $!; b=$?; exit $((a + b))");
    EXPECT_ALSO(shell, "no such folder");
    shell_free(shell);
}

/* Wherever the signal falls, the home opens again and the next one does it all. */
Test(change, an_interrupted_command_is_asked_again, .timeout = 120)
{
    shell_t *shell = shell_with_folder();
    many_files(shell);
    EXPECT(shell, 5, "brake", "rm r/* && $B scan --home h");
    EXPECT(shell, 0, "held",
           "for t in 0.01 0.02 0.04 0.08; do timeout -s INT $t $B held reject docs "
           "--home h; done; $B folder list --home h; echo held");
    EXPECT(shell, 0, "", "$B held accept docs --home h; $B scan --home h");
    EXPECT(shell, 0, "docs",
           "for t in 0.01 0.02 0.03 0.05; do timeout -s KILL $t $B folder remove "
           "docs --home h; done; $B folder remove docs --home h; $B folder add s "
           "--id docs --home h");
    EXPECT(shell, 0, "0 added", "$B scan --home h");
    shell_free(shell);
}
