/* events_test.c - `events` of a running node: live, since a number, over a restart. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cluster.h"
#include "support/shell.h"

static const char *home_of(const cluster_t *cluster, int node)
{
    return cluster->node[node].home;
}

Test(events, need_a_node)
{
    shell_t *shell = shell_new();
    EXPECT(shell, 0, "", "$B init --home h");
    EXPECT(shell, 3, "none is running", "$B events --home h");
    EXPECT(shell, 2, "no number of an event", "$B events --since x --home h");
    EXPECT(shell, 2, "no number of an event", "$B events --since -1 --home h");
    shell_free(shell);
}

/* A line that has `part`, within the time-out of the test. */
#define UNTIL(shell, file, part)                                                              \
    EXPECT(shell, 0, "", "until grep -q '%s' %s; do [ -d /proc/$(cat pid) ] || exit 9; done", \
           part, file)

/* What a program is told goes to `live`, what people are told to `people`. */
static void listen(shell_t *shell, const char *home, const char *since)
{
    EXPECT(shell, 0, "",
           "{ $B events %s --json --home %s >live 2>&1 & } && echo $! >pid && { $B events %s "
           "--home %s >people 2>&1 & } && echo $! >pid2",
           since, home, since, home);
}

Test(events, are_told_as_they_happen, .timeout = 120)
{
    cluster_t cluster;
    shell_t *shell = shell_new();
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0);
    listen(shell, home_of(&cluster, 0), "");
    cluster_start(&cluster, 1);
    UNTIL(shell, "live", "\"type\":\"peer.up\"");
    node_text(&cluster.node[0], "mine.txt", "1");
    cluster_do(&cluster, 0, NULL, "scan");
    UNTIL(shell, "live", "\"type\":\"scan.done\",\"folder\":\"shared\",\"added\":1");
    node_text(&cluster.node[1], "b\377d", "2");
    cluster_settle(&cluster, 60);
    UNTIL(shell, "live",
          "\"type\":\"file.written\",\"folder\":\"shared\",\"path\":\"b.udcffd\","
          "\"path_hex\":\"62ff64\"}");
    UNTIL(shell, "live", "\"type\":\"folder.state\",\"folder\":\"shared\",\"state\":\"idle\"");
    UNTIL(shell, "people", " file.written shared b.xffd");
    UNTIL(shell, "people", " scan.done shared 1 added");
    cluster_stop(&cluster, 1);
    UNTIL(shell, "live", "\"type\":\"peer.down\"");
    EXPECT(shell, 0, "", "kill $(cat pid) $(cat pid2)");
    /* Numbers grow by one. */
    EXPECT(
        shell, 0, "",
        "sed 's/{\"seq\":\\([0-9]*\\),.*/\\1/' live | awk 'NR > 1 && $1 != last + 1 { exit 1 } "
        "{ last = $1 }'");
    cluster_stop(&cluster, 0);
    cluster_destroy(&cluster);
    shell_free(shell);
}

/* A file that takes a while: how far it is, to the byte, and how long it will take. */
Test(events, tell_how_far_a_transfer_is, .timeout = 120)
{
    cluster_t cluster;
    shell_t *shell = shell_new();
    char out[CLUSTER_TEXT];
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    test_shell("head -c 8000000 /dev/urandom >%s/large", cluster.node[0].root);
    test_shell("cd %s && sed -i 's/^    up-kib = .*/    up-kib = \"800\"/' config && grep -q "
               "800 config",
               cluster.node[0].home);
    cluster_start(&cluster, 0);
    cluster_do(&cluster, 0, NULL, "scan");
    cluster_stop(&cluster, 0); /* so that nothing is new, and pushed */
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    listen(shell, home_of(&cluster, 1), "--since 0");
    UNTIL(shell, "live",
          "\"type\":\"progress\",\"folder\":\"shared\",\"needed_files\":1,"
          "\"needed_bytes\":[0-9]*,.*\"transfers\":\\[{\"path\":\"large\",\"bytes\":[1-9]["
          "0-9]*,\"size\":8000000,\"rate\":");
    UNTIL(shell, "live",
          "\"type\":\"exchange\",\"folder\":\"shared\",\"peer\":\"[^\"]*\",\"peer_id\":\""
          "[0-9a-f]*\",\"end\":\"done\",.*\"entries_in\":[1-9].*\"round_trips\":[1-9]");
    UNTIL(shell, "people", " exchange shared [^ ]* done, 1 in, 0 out, [0-9]* B, [1-9]");
    UNTIL(shell, "people", " progress shared 1 file, .* to come");
    cluster_do(&cluster, 1, out, "status --json");
    cr_assert_not_null(strstr(out, "\"transfers\":[{\"path\":\"large\",\"bytes\":"), "%s", out);
    /* What is here and what is needed are the file, in each of them. */
    EXPECT(shell, 0, "",
           "sed -n 's/.*\"needed_bytes\":\\([0-9]*\\),.*\"bytes\":\\([0-9]*\\),\"size\".*/\\1 "
           "\\2/p' live | awk '$1 + $2 != 8000000 { exit 1 }'");
    EXPECT(shell, 0, "", "kill $(cat pid) $(cat pid2)");
    cluster_settle(&cluster, 60);
    cluster_do(&cluster, 1, out, "status --json");
    cr_assert_not_null(strstr(out, "\"transfers\":[]"), "%s", out);
    cr_assert_not_null(strstr(out, "\"folders\":{\"shared\":{\"state\":\"equal\"}}"), "%s",
                       out);
    cluster_destroy(&cluster);
    shell_free(shell);
}

Test(events, go_on_after_a_number_and_over_a_restart, .timeout = 120)
{
    cluster_t cluster;
    shell_t *shell = shell_new();
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    const char *home = home_of(&cluster, 0);
    node_text(&cluster.node[0], "one", "1");
    cluster_do(&cluster, 0, NULL, "scan");
    EXPECT(shell, 0, "", "{ $B events --since 0 --json --home %s >all 2>&1 & } && echo $! >pid",
           home);
    /* What was before the first one is a gap. */
    UNTIL(shell, "all", "\"type\":\"gap\",\"from\":1,");
    UNTIL(shell, "all", "\"type\":\"scan.done\"");
    EXPECT(shell, 0, "", "kill $(cat pid); wait; tail -1 all >last");
    EXPECT(shell, 0, "", "sed 's/{\"seq\":\\([0-9]*\\),.*/\\1/' last >number");
    node_text(&cluster.node[0], "two", "2");
    cluster_do(&cluster, 0, NULL, "scan");
    EXPECT(shell, 0, "",
           "{ $B events --since $(cat number) --json --home %s >rest 2>&1 & } && echo $! >pid",
           home);
    UNTIL(shell, "rest", "\"type\":\"scan.done\"");
    EXPECT(shell, 0, "", "kill $(cat pid); wait; [ $(grep -c scan.done rest) = 1 ]");
    EXPECT_NOT(shell, "gap");
    EXPECT(shell, 1, "", "grep gap rest");
    cluster_stop(&cluster, 0);
    cluster_start(&cluster, 0);
    EXPECT(shell, 0, "",
           "{ $B events --since $(cat number) --json --home %s >later 2>&1 & } && echo $! >pid",
           home);
    UNTIL(shell, "later", "\"type\":\"gap\"");
    UNTIL(shell, "later", "\"type\":\"folder.state\"");
    EXPECT(shell, 0, "", "kill $(cat pid); wait; true");
    cluster_stop(&cluster, 0);
    cluster_destroy(&cluster);
    shell_free(shell);
}

/* Nothing happens any more, so that nothing is written that could fail. */
Test(events, end_with_their_reader, .timeout = 120)
{
    cluster_t cluster;
    shell_t *shell = shell_new();
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    node_text(&cluster.node[0], "one", "1");
    cluster_do(&cluster, 0, NULL, "scan");
    EXPECT(shell, 0, "scan.done",
           "mkfifo pipe; timeout 60 $B events --since 0 --home %s >pipe & timeout 60 grep -m 1 "
           "scan.done pipe "
           "&& wait $!",
           home_of(&cluster, 0));
    cluster_stop(&cluster, 0);
    cluster_destroy(&cluster);
    shell_free(shell);
}

/* There is more to say when it goes: what cannot be written any more was not asked for. */
Test(events, end_with_a_reader_that_takes_one_byte, .timeout = 120)
{
    cluster_t cluster;
    shell_t *shell = shell_new();
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    for (int i = 0; i < 6; i++) {
        node_text(&cluster.node[0], "one", i % 2 == 0 ? "even" : "odd and longer");
        cluster_do(&cluster, 0, NULL, "scan");
    }
    EXPECT(
        shell, 0, "",
        "mkfifo pipe; for i in $(seq 30); do timeout 60 $B events --since 0 --home %s >pipe & "
        "head -c 1 pipe >byte; wait $! || exit 1; done",
        home_of(&cluster, 0));
    cluster_stop(&cluster, 0);
    cluster_destroy(&cluster);
    shell_free(shell);
}
