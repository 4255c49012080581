/* cli_join_test.c - invites: joining with and without a node, and all the ways to be refused.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"

typedef struct pair {
    cluster_t cluster;
    char token[CLUSTER_TEXT];
} pair_t;

static void last_line(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    char *at = strrchr(text, '\n');
    if (at != NULL) memmove(text, at + 1, strlen(at));
}

/* Node 0 runs, with a file; node 1 has a home and no folder. */
static pair_t *pair_new(void)
{
    pair_t *pair = calloc(1, sizeof *pair);
    cluster_new(&pair->cluster, 1);
    cluster_node_t *b = &pair->cluster.node[1];
    snprintf(b->home, sizeof b->home, "%s/home1", pair->cluster.dir);
    snprintf(b->root, sizeof b->root, "%s/root1", pair->cluster.dir);
    snprintf(b->log, sizeof b->log, "%s/log1", pair->cluster.dir);
    pair->cluster.count = 2;
    cluster_do(&pair->cluster, 1, NULL, "init --name bob --listen tcp://127.0.0.1:%d",
               free_port());
    node_text(&pair->cluster.node[0], "hello", "from node 0\n");
    cluster_start(&pair->cluster, 0);
    cluster_do(&pair->cluster, 0, pair->token, "invite");
    last_line(pair->token);
    return pair;
}

static void pair_free(pair_t *pair)
{
    cluster_destroy(&pair->cluster);
    free(pair);
}

Test(cli_join, without_a_node_and_files_on_both_sides, .timeout = 120)
{
    pair_t *pair = pair_new();
    cluster_t *cluster = &pair->cluster;
    char out[CLUSTER_TEXT];
    cr_assert_eq(mkdir(cluster->node[1].root, 0755), 0);
    node_text(&cluster->node[1], "mine", "was here before\n");
    node_text(&cluster->node[1], "hello", "from node 0\n");
    cluster_do(cluster, 1, out, "join %s %s", pair->token, cluster->node[1].root);
    last_line(out);
    cr_assert_str_eq(out, cluster->folder);
    cluster_start(cluster, 1);
    cluster_settle(cluster, 60);
    cluster_check_equal(cluster);
    cr_assert(node_reads(&cluster->node[0], "mine", "was here before\n"));
    cluster_do(cluster, 1, out, "conflicts --json");
    cr_assert_str_eq(out, "[]\n", "equal content is no conflict");
    pair_free(pair);
}

Test(cli_join, through_a_running_node_it_syncs_at_once, .timeout = 120)
{
    pair_t *pair = pair_new();
    cluster_t *cluster = &pair->cluster;
    cluster_start(cluster, 1);
    cluster_do(cluster, 1, NULL, "join %s %s", pair->token, cluster->node[1].root);
    cluster_settle(cluster, 60);
    cluster_check_equal(cluster);
    cr_assert(node_reads(&cluster->node[1], "hello", "from node 0\n"));
    pair_free(pair);
}

Test(cli_join, an_invite_is_good_once, .timeout = 120)
{
    pair_t *pair = pair_new();
    cluster_t *cluster = &pair->cluster;
    char out[CLUSTER_TEXT];
    cluster_do(cluster, 1, NULL, "join %s %s", pair->token, cluster->node[1].root);
    cluster_do(cluster, 0, out, "invite list --json");
    cr_assert_str_eq(out, "");
    cr_assert_eq(cluster_run(cluster, 1, NULL, "--home %s/home2 join %s %s/root2", cluster->dir,
                             pair->token, cluster->dir),
                 5);
    cr_assert_eq(access(cluster->node[1].root, F_OK), 0);
    char path[300];
    snprintf(path, sizeof path, "%s/root2", cluster->dir);
    cr_assert_neq(access(path, F_OK), 0, "nothing was made");
    pair_free(pair);
}

Test(cli_join, refused_malformed_and_unanswered_differ, .timeout = 120)
{
    pair_t *pair = pair_new();
    cluster_t *cluster = &pair->cluster;
    const char *root = cluster->node[1].root;
    char *cut = strdup(pair->token);
    cut[strlen(cut) - 3] = '\0';
    cr_assert_eq(cluster_run(cluster, 1, NULL, "join %s %s", cut, root), 2);
    cr_assert_eq(cluster_run(cluster, 1, NULL, "join nonsense %s", root), 2);
    cluster_do(cluster, 0, NULL, "invite revoke %s", cluster->folder);
    cr_assert_eq(cluster_run(cluster, 1, NULL, "join %s %s", pair->token, root), 5);
    cluster_do(cluster, 0, pair->token, "invite");
    last_line(pair->token);
    cluster_stop(cluster, 0);
    cr_assert_eq(cluster_run(cluster, 1, NULL, "join %s %s --timeout 0.5", pair->token, root),
                 4);
    char out[CLUSTER_TEXT];
    cluster_do(cluster, 1, out, "folder list --json");
    cr_assert_str_eq(out, "");
    cr_assert_neq(access(root, F_OK), 0, "nothing was made");
    cluster_start(cluster, 0);
    cluster_do(cluster, 1, NULL, "join %s %s", pair->token, root); /* it was not used up */
    free(cut);
    pair_free(pair);
}

static void join_at_once(pair_t *pair, int joiners, int *ret_joined, int *ret_refused)
{
    char command[8192] = "";
    cluster_t *cluster = &pair->cluster;
    const char *program = getenv("CRDTSYNC_BIN");
    for (int i = 0; i < joiners; i++) {
        size_t len = strlen(command);
        snprintf(command + len, sizeof command - len,
                 "{ %s --home %s/many%d join %s %s/copy%d >/dev/null 2>&1; echo $?; } & ",
                 program, cluster->dir, i, pair->token, cluster->dir, i);
    }
    strcat(command, "wait");
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    int code;
    *ret_joined = *ret_refused = 0;
    while (fscanf(pipe, "%d", &code) == 1) {
        cr_assert(code == 0 || code == 5, "exit code %d", code);
        *(code == 0 ? ret_joined : ret_refused) += 1;
    }
    pclose(pipe);
}

Test(cli_join, of_many_at_once_as_many_get_in_as_the_invite_has_uses, .timeout = 120)
{
    pair_t *pair = pair_new();
    int joined, refused;
    join_at_once(pair, 4, &joined, &refused);
    cr_assert_eq(joined, 1);
    cr_assert_eq(refused, 3);
    cluster_do(&pair->cluster, 0, pair->token, "invite --uses 3");
    last_line(pair->token);
    char command[512];
    snprintf(command, sizeof command, "rm -rf %s/many* %s/copy*", pair->cluster.dir,
             pair->cluster.dir);
    cr_assert_eq(system(command), 0);
    join_at_once(pair, 5, &joined, &refused);
    cr_assert_eq(joined, 3);
    cr_assert_eq(refused, 2);
    pair_free(pair);
}
