/* look_test.c - commands that look at the index: ls, search, conflicts, status. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "support/cluster.h"
#include "support/shell.h"

/* A home h with the folder docs in r, scanned: plain, strange and nested names. */
static shell_t *docs(void)
{
    shell_t *shell = shell_new();
    EXPECT(shell, 0, "docs",
           "$B init --home h --listen 'tcp://127.0.0.1:*' && mkdir -p r/sub r/empty && echo x "
           ">r/sub/f.jpg && echo y >\"r/b$(printf '\\377')d\" && ln -s f r/link && $B folder "
           "add r --id docs --home h");
    EXPECT(shell, 0, "4 added", "$B scan --home h");
    return shell;
}

static void start_node(shell_t *shell)
{
    EXPECT(shell, 0, "",
           "{ $B node --home h >log 2>&1 & } && echo $! >pid && until $B ping --home h "
           "2>/dev/null; "
           "do kill -0 $! || exit 9; done");
}

static void stop_node(shell_t *shell)
{
    EXPECT(shell, 0, "", "kill $(cat pid) && while kill -0 $(cat pid) 2>/dev/null; do :; done");
}

/* --- search */

static void search_finds(shell_t *shell)
{
    EXPECT(shell, 0, "sub/f.jpg", "$B search '*.jpg' --home h");
    EXPECT_NOT(shell, "link");
    EXPECT(shell, 0, "sub/f.jpg", "$B search b/f --home h");
    EXPECT(shell, 0, "sub/f.jpg", "$B search 'sub/*' --home h");
    EXPECT(shell, 0, "sub/f.jpg", "$B search '**/f.jpg' --home h");
    EXPECT(shell, 0, "", "$B search '*.png' --home h");
    cr_assert_str_eq(shell->out, "");
    EXPECT(shell, 0, "{\"path\":\"b\\udcffd\",\"path_hex\":\"62ff64\",\"kind\":\"file\"",
           "$B search --json \"$(printf '\\377')\" --home h");
    EXPECT_ALSO(shell, "\"on_disk\":true");
    EXPECT_ALSO(shell, "\"folder\":\"docs\"");
    EXPECT_NOT(shell, "\"peers\"");
    EXPECT(shell, 0, "\"peers\":[]", "$B search --peers --json link --home h");
    EXPECT(shell, 2, "pattern is empty", "$B search '' --home h");
    EXPECT(shell, 2, "something is missing", "$B search --home h");
}

Test(look, search_takes_globs_and_parts_of_paths, .timeout = 120)
{
    shell_t *shell = docs();
    search_finds(shell);
    start_node(shell);
    search_finds(shell);
    stop_node(shell);
    shell_free(shell);
}

Test(look, search_tells_who_has_what_is_not_here, .timeout = 120)
{
    cluster_t cluster;
    char out[CLUSTER_TEXT];
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    node_text(&cluster.node[0], "dir/theirs.txt", "bytes");
    cluster_settle(&cluster, 60);
    cluster_do(&cluster, 1, out, "search --peers --json *.txt");
    cr_assert_not_null(strstr(out, "\"peers\":[\""), "%s", out);
    cr_assert_not_null(strstr(out, "\"path\":\"dir/theirs.txt\""), "%s", out);
    cluster_stop(&cluster, 0);
    cluster_stop(&cluster, 1);
    cluster_destroy(&cluster);
}

/* --- ls */

Test(look, ls_goes_by_paths_and_prefixes, .timeout = 120)
{
    shell_t *shell = docs();
    EXPECT(shell, 0, "0644  file          2 B  yes      sub/f.jpg", "$B ls docs sub/ --home h");
    EXPECT_NOT(shell, "link");
    EXPECT(shell, 0, "link", "$B ls docs li --home h");
    EXPECT_NOT(shell, "sub");
    EXPECT(shell, 0, "{\"path\":\"empty\",\"kind\":\"dir\",\"size\":0,\"mode\":null,",
           "$B ls --json --home h");
    shell_free(shell);
}

/* More than what is said ahead of a reader, and one who reads nothing for a while: the node
 * answers others meanwhile, and he gets it all. */
Test(look, a_long_listing_stops_nobody, .timeout = 400)
{
    shell_t *shell = docs();
    EXPECT(shell, 0, "", "mkdir r/many && cd r/many && seq 20000 | split -l1 -a4 -");
    EXPECT(shell, 0, "20000 added", "$B scan --home h");
    start_node(shell);
    EXPECT(shell, 0, "20004",
           "mkfifo gate && { $B ls --json --home h | { read line <gate; wc -l >lines; } & } && "
           "$B ping --home h && $B status --home h >/dev/null && $B ls docs sub/ --home h "
           ">/dev/null && echo go >gate && wait && cat lines");
    EXPECT(shell, 0, "20004", "$B ls --json --home h | sort -u | wc -l");
    /* One who goes away in the middle leaves nothing behind. */
    EXPECT(shell, 0, "path", "$B ls --json --home h | head -1; $B ping --home h");
    stop_node(shell);
    shell_free(shell);
}

/* --- conflicts */

static void make_conflict(cluster_t *cluster)
{
    cluster_new(cluster, 2);
    cluster_pair(cluster, 0, 1, 0);
    cluster_start(cluster, 0);
    cluster_start(cluster, 1);
    node_text(&cluster->node[0], "r.txt", "c0");
    cluster_settle(cluster, 60);
    cluster_stop(cluster, 1);
    node_text(&cluster->node[0], "r.txt", "cA");
    cluster_do(cluster, 0, NULL, "scan");
    node_text(&cluster->node[1], "r.txt", "cBB");
    cluster_do(cluster, 1, NULL, "scan");
    cluster_start(cluster, 1);
    cluster_settle(cluster, 60);
}

Test(look, conflicts_and_siblings_are_listed, .timeout = 120)
{
    cluster_t cluster;
    char out[CLUSTER_TEXT];
    make_conflict(&cluster);
    cluster_do(&cluster, 0, out, "conflicts --json");
    cr_assert_not_null(strstr(out, "[{\"path\":\"r.txt\",\"shown\":{\"content\":\""), "%s",
                       out);
    cr_assert_not_null(strstr(out, "\"siblings\":[{\"path\":\"r.conflict-"), "%s", out);
    cluster_do(&cluster, 0, out, "status --json");
    cr_assert_not_null(strstr(out, "\"conflicts\":1,"), "%s", out);
    /* The sibling follows its path. */
    cluster_do(&cluster, 0, out, "ls --json");
    const char *shown = strstr(out, "{\"path\":\"r.txt\"");
    const char *sibling = strstr(out, "{\"path\":\"r.conflict-");
    cr_assert(shown != NULL && sibling != NULL && shown < sibling, "%s", out);
    cluster_do(&cluster, 0, out, "ls --json shared r.con");
    cr_assert_not_null(strstr(out, "r.conflict-"), "%s", out);
    cr_assert_null(strstr(out, "{\"path\":\"r.txt\""), "%s", out);
    cluster_stop(&cluster, 0);
    cluster_do(&cluster, 0, out, "conflicts");
    cr_assert_not_null(strstr(out, "r.conflict-"), "%s", out);
    cluster_stop(&cluster, 1);
    cluster_destroy(&cluster);
}

/* --- status */

static const char *const status_keys[] = {
    /* of the node */
    "node", "id", "name", "version", "listen",
    /* of folders */
    "folders", "path", "state", "files", "dirs", "bytes", "conflicts", "needed_files",
    "needed_bytes", "digest", "errors",
    /* of peers */
    "peers", "endpoint", "equal", "bytes_in", "bytes_out", "rtt_ms"};

Test(look, status_knows_all_of_a_connected_peer, .timeout = 120)
{
    cluster_t cluster;
    char out[CLUSTER_TEXT];
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    cluster_settle(&cluster, 60);
    for (int node = 0; node < 2; node++) {
        double end = test_now() + 30;
        do {
            cluster_do(&cluster, node, out, "status --json");
            poll(NULL, 0, 10);
        } while (strstr(out, "\"rtt_ms\":null") != NULL && test_now() < end);
        cr_assert_null(strstr(out, "\"rtt_ms\":null"), "%s", out);
        for (size_t i = 0; i < sizeof status_keys / sizeof status_keys[0]; i++) {
            char key[64];
            snprintf(key, sizeof key, "\"%s\":", status_keys[i]);
            cr_assert_not_null(strstr(out, key), "%s is missing: %s", key, out);
        }
    }
    cluster_stop(&cluster, 0);
    cluster_stop(&cluster, 1);
    cluster_destroy(&cluster);
}
