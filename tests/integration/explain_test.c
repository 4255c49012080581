/* explain_test.c - `explain`: versions and their order, moves, ignore rules, what is missing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/cluster.h"
#include "support/shell.h"

static shell_t *docs(void)
{
    shell_t *shell = shell_new();
    EXPECT(
        shell, 0, "docs",
        "$B init --home h --name me --listen 'tcp://127.0.0.1:*' && mkdir -p r/sub r/out && "
        "echo x >r/sub/f && echo y >\"r/b$(printf '\\377')d\" && printf "
        "'*.o\\n\\n# no rule\\n!keep.o\\n/out/\\n' >r/.crdtsyncignore && touch r/a.o r/keep.o "
        "r/out/x && $B folder add r --id docs --home h");
    EXPECT(shell, 0, "added", "$B scan --home h");
    return shell;
}

static void explains(shell_t *shell)
{
    EXPECT(shell, 0, "g in folder docs (idle): in the index", "$B explain r/g --home h");
    EXPECT_ALSO(shell, "has the name: it is the only version");
    EXPECT_ALSO(shell, "written by me at sub/f, height 1");
    EXPECT_ALSO(shell, "moved from sub/f to g by me, height 2");
    EXPECT(shell, 0, "g in folder docs", "cd r && $B explain g --home ../h");
    EXPECT(shell, 0, "ignored by rule '*.o' in line 1 of .crdtsyncignore, which matches a.o",
           "$B explain r/a.o --home h");
    EXPECT(shell, 0, "taken back in by rule '!keep.o' in line 4 of",
           "$B explain r/keep.o --home h");
    EXPECT(shell, 0, "rule '/out/' in line 5 of .crdtsyncignore, which matches out",
           "$B explain r/out/x --home h");
    EXPECT(shell, 0, "{\"path\":\"b\\udcffd\",\"path_hex\":\"62ff64\",\"folder\":\"docs\",",
           "$B explain r/b* --json --home h");
    EXPECT_ALSO(
        shell, "\"versions\":[{\"path\":\"b\\udcffd\",\"path_hex\":\"62ff64\",\"shown\":true,");
    EXPECT_ALSO(shell, "\"on_disk\":true,");
    EXPECT_ALSO(shell, "\"ignored\":null}");
    EXPECT(shell, 0, "new in folder docs (idle): not scanned yet",
           "touch r/new; $B explain r/new --home h; s=$?; rm r/new; exit $s");
    EXPECT(shell, 0, "): fifo",
           "mkfifo r/ff; $B explain r/ff --home h; s=$?; rm r/ff; exit $s");
    EXPECT(shell, 0, "): directory", "$B explain r/sub --home h");
    EXPECT(shell, 1, "there is none in the index", "$B explain r/nosuch --home h");
    EXPECT(shell, 1, "lies in none", "$B explain /etc/passwd --home h");
    EXPECT(shell, 1, "is the root of folder docs", "$B explain r --home h");
    EXPECT(shell, 2, "something is missing", "$B explain --home h");
}

Test(explain, says_what_the_index_and_the_disk_know, .timeout = 120)
{
    shell_t *shell = docs();
    EXPECT(shell, 0, "1 moved", "mv r/sub/f r/g && echo z >r/sub/z && $B scan --home h");
    explains(shell);
    EXPECT(shell, 0, "",
           "{ $B node --home h >log 2>&1 & } && echo $! >pid && until $B ping --home h "
           "2>/dev/null; do kill -0 $! || exit 9; done");
    EXPECT(shell, 0, "", "$B scan --home h"); /* the one that a start begins is over then */
    explains(shell);
    EXPECT(shell, 0, "", "kill $(cat pid)");
    shell_free(shell);
}

/* What is not there is not said to be. */
Test(explain, looks_at_the_disk, .timeout = 120)
{
    shell_t *shell = docs();
    EXPECT(shell, 0, "(idle): gone from this disk, which no scan has seen yet",
           "rm r/sub/f && $B explain r/sub/f --home h");
    EXPECT_ALSO(shell, "by me: gone from this disk");
    EXPECT(shell, 0, "\"on_disk\":false,\"state\":\"gone from this disk\"",
           "$B explain r/sub/f --json --home h");
    EXPECT(shell, 5, "held accept",
           "$B folder set docs brake=1 --home h && rm r/keep.o && $B scan --home h");
    EXPECT(shell, 0, "(held): gone from this disk, and a safety brake holds that",
           "$B explain r/sub/f --home h");
    EXPECT(shell, 0, "(error): in the index; the disk was not looked at",
           "mv r away && mkdir r && $B explain r/sub/f --home h");
    EXPECT_ALSO(shell, "by me: not looked at");
    shell_free(shell);
}

static void explain(cluster_t *cluster, int node, const char *path, char *out)
{
    cluster_do(cluster, node, out, "explain %s/%s", cluster->node[node].root, path);
}

static void has(const char *out, const char *part)
{
    cr_assert_not_null(strstr(out, part), "no '%s' in: %s", part, out);
}

Test(explain, names_the_rule_that_orders_versions, .timeout = 120)
{
    cluster_t cluster;
    char out[CLUSTER_TEXT];
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    /* Two edits in a row against one: the greater height wins, whatever the hashes. */
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    node_text(&cluster.node[0], "r.txt", "c0");
    cluster_settle(&cluster, 60);
    cluster_stop(&cluster, 1);
    node_text(&cluster.node[0], "r.txt", "cA");
    cluster_do(&cluster, 0, NULL, "scan");
    node_text(&cluster.node[0], "r.txt", "cAA");
    cluster_do(&cluster, 0, NULL, "scan");
    node_text(&cluster.node[1], "r.txt", "cBBB");
    cluster_do(&cluster, 1, NULL, "scan");
    cluster_start(&cluster, 1);
    cluster_settle(&cluster, 60);
    for (int i = 0; i < 2; i++) {
        explain(&cluster, i, "r.txt", out);
        has(out, "has the name: it has the greatest height, 3");
        has(out, "stands beside it: its height, 2, is less than 3");
    }
    /* Asked of the sibling, the same is said. */
    char sibling[CLUSTER_TEXT];
    cluster_do(&cluster, 0, sibling, "conflicts --json");
    const char *name = strstr(sibling, "r.conflict-");
    cr_assert_not_null(name, "%s", sibling);
    *strchr(name, '"') = '\0';
    explain(&cluster, 0, name, out);
    has(out, "a sibling: it stands beside r.txt");
    cluster_stop(&cluster, 0);
    cluster_stop(&cluster, 1);
    cluster_destroy(&cluster);
}

/* What its author lost before anybody had it can come from nobody: it is said, and who wrote
 * it. */
Test(explain, names_what_is_missing_and_who_has_it, .timeout = 120)
{
    cluster_t cluster;
    char out[CLUSTER_TEXT], path[512];
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_setting(&cluster, "scan", "@hourly");
    cluster_start(&cluster, 0);
    node_text(&cluster.node[0], "lost.txt", "only here");
    node_text(&cluster.node[0], "kept.txt", "here as well");
    cluster_do(&cluster, 0, NULL, "scan");
    node_path(&cluster.node[0], "lost.txt", path, sizeof path);
    cr_assert_eq(remove(path), 0);
    cluster_start(&cluster, 1);
    while (!node_has(&cluster.node[1], "kept.txt")) {
        cluster_do(&cluster, 1, NULL, "ping");
    }
    do { /* until it has recorded that the other one is there as well */
        cluster_do(&cluster, 1, out, "status --json");
    } while (strstr(out, "missing content") == NULL || strstr(out, "\"needed_files\":2,"));
    has(out, "\"needed_files\":1,\"needed_bytes\":9,");
    has(out, "\"errors\":[{\"path\":\"lost.txt\",\"reason\":\"missing content\",\"by\":\"");
    has(out, "\"from\":[]}]");
    cluster_do(&cluster, 1, out, "status");
    has(out, "shared: missing content: lost.txt (written by ");
    has(out, "nobody connected has it)");
    explain(&cluster, 1, "lost.txt", out);
    has(out, "missing content");
    has(out, "missing here: 9 B; ");
    has(out, " has it not");
    cluster_do(&cluster, 1, out, "explain --json %s/lost.txt", cluster.node[1].root);
    has(out, "\"on_disk\":false,\"state\":\"missing content\",\"bytes_missing\":9,\"from\":[{");
    has(out, "\"connected\":true,\"has\":\"no\"}]");
    /* It comes once it is there again and its author is met anew; nothing is said any more. */
    cluster_stop(&cluster, 0);
    node_text(&cluster.node[0], "lost.txt", "only here");
    cluster_start(&cluster, 0);
    cluster_settle(&cluster, 60);
    cluster_do(&cluster, 1, out, "status --json");
    has(out, "\"needed_files\":0,\"needed_bytes\":0,");
    has(out, "\"errors\":[]");
    explain(&cluster, 1, "lost.txt", out);
    has(out, "    other members: ");
    has(out, " has it\n");
    has(out, "    knows of what was done before: up to ");
    cluster_do(&cluster, 1, out, "explain --json %s/lost.txt", cluster.node[1].root);
    has(out, "\"bytes_missing\":0,\"from\":[{");
    has(out, "\"context\":[\"");
    cluster_stop(&cluster, 0);
    cluster_stop(&cluster, 1);
    cluster_destroy(&cluster);
}

/* Who wrote it has a name, also when he is away, no node runs, or he gave that replica id up.
 */
Test(explain, names_authors_that_are_away, .timeout = 120)
{
    cluster_t cluster;
    char out[CLUSTER_TEXT];
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    node_text(&cluster.node[1], "his.txt", "his");
    cluster_settle(&cluster, 60);
    explain(&cluster, 0, "his.txt", out);
    char *by = strstr(out, ", by "), *end = by != NULL ? strchr(by, ':') : NULL;
    cr_assert_not_null(end, "%s", out);
    *end = '\0';
    char name[128];
    snprintf(name, sizeof name, "%s:", by);
    cluster_do(&cluster, 1, NULL, "reincarnate");
    cluster_settle(&cluster, 60);
    explain(&cluster, 0, "his.txt", out);
    has(out, name);
    cluster_stop(&cluster, 1);
    cluster_stop(&cluster, 0);
    explain(&cluster, 0, "his.txt", out);
    has(out, name);
    explain(&cluster, 1, "his.txt", out); /* his own, of the life before */
    has(out, name);
    cluster_start(&cluster, 0); /* he was not met in this life */
    explain(&cluster, 0, "his.txt", out);
    has(out, name);
    cluster_stop(&cluster, 0);
    cluster_destroy(&cluster);
}
