/* crash_setup_main.c - commands that set up are killed, or lose their power, before each of
 * their changes: init, folder add, join without a node and through one; and the inviting node,
 * while it lets a member in.
 *
 *   crash_setup [--all]        default: a sample of the ends
 *
 * Said again, the command does its work; a join may need a new invite, if the old one was used
 * up. What a command has acknowledged survives a power cut right after its end. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "support/support.h"
#include "support/victim.h"

#define TEXT "was here before\n"

static cluster_t
    cluster; /* node 0: has a folder; node 1: the newcomer, another one each time */
static bool all;
static unsigned newcomers, ends;
static char what[256]; /* for reports */

static void last_line(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    char *at = strrchr(text, '\n');
    if (at != NULL) memmove(text, at + 1, strlen(at));
}

static void newcomer(void)
{
    cluster_node_t *node = &cluster.node[1];
    unsigned number = newcomers++;
    snprintf(node->home, sizeof node->home, "%s/h%u", cluster.dir, number);
    snprintf(node->root, sizeof node->root, "%s/r%u", cluster.dir, number);
    snprintf(node->log, sizeof node->log, "%s/l%u", cluster.dir, number);
    node->port = free_port();
    if (mkdir(node->root, 0755) != 0) test_fail("mkdir %s", node->root);
    node_text(node, "mine", TEXT);
}

static void forget_newcomer(void)
{
    test_shell("rm -rf %s %s", cluster.node[1].home, cluster.node[1].root);
}

static void init_newcomer(void)
{
    cluster_do(&cluster, 1, NULL, "init --listen tcp://127.0.0.1:%d", cluster.node[1].port);
}

static bool has_folder(int node)
{
    char out[CLUSTER_TEXT];
    cluster_do(&cluster, node, out, "folder list --json");
    return strstr(out, cluster.folder) != NULL;
}

static void report(const char *command, uint32_t at, unsigned way)
{
    snprintf(what, sizeof what, "%s, %s before change %u", command, victim_way(way), at);
}

/* --- without another node */

static bool end_init(victim_t *victim, uint32_t at, unsigned way)
{
    char first[CLUSTER_TEXT] = "", again[CLUSTER_TEXT];
    newcomer();
    int code =
        victim_run(victim, at, way, "init --listen tcp://127.0.0.1:%d", cluster.node[1].port);
    if (code > 0) test_fail("%s: exit code %d", what, code);
    if (cluster_run(&cluster, 1, first, "id") != 0) {
        if (code == 0) test_fail("%s: an identity that was told is gone", what);
        init_newcomer();
    }
    cluster_do(&cluster, 1, again, "id");
    if (first[0] != '\0' && strcmp(first, again) != 0) test_fail("%s: two identities", what);
    cluster_do(&cluster, 1, NULL, "config check");
    cluster_do(&cluster, 1, NULL, "folder add %s --id %s", cluster.node[1].root,
               cluster.folder);
    forget_newcomer();
    return code == -1;
}

static bool end_add(victim_t *victim, uint32_t at, unsigned way)
{
    newcomer();
    init_newcomer();
    const char *root = cluster.node[1].root;
    int code = victim_run(victim, at, way, "folder add %s --id %s", root, cluster.folder);
    if (code > 0) test_fail("%s: exit code %d", what, code);
    if (!has_folder(1)) {
        if (code == 0) test_fail("%s: a folder that was added is gone", what);
        cluster_do(&cluster, 1, NULL, "folder add %s --id %s", root, cluster.folder);
    }
    cluster_do(&cluster, 1, NULL, "scan %s", cluster.folder);
    if (!node_reads(&cluster.node[1], "mine", TEXT)) test_fail("%s: the file is not", what);
    cluster_verify(&cluster, 1, what);
    forget_newcomer();
    return code == -1;
}

/* --- with node 0 */

static void new_token(char token[CLUSTER_TEXT])
{
    cluster_do(&cluster, 0, token, "invite --endpoint tcp://127.0.0.1:%d",
               cluster.node[0].port);
    last_line(token);
}

/* Joined at last: with the same token, if it is still good, or with a new one. */
static void join_anyhow(char token[CLUSTER_TEXT])
{
    if (cluster_succeeds(&cluster, 1, "id") && has_folder(1)) return;
    const char *root = cluster.node[1].root;
    if (cluster_succeeds(&cluster, 1, "join %s %s --timeout 5", token, root)) return;
    new_token(token);
    cluster_do(&cluster, 1, NULL, "join %s %s --timeout 20", token, root);
}

static void check_both(void)
{
    cluster_settle(&cluster, 60);
    cluster_check_equal(&cluster);
    for (int i = 0; i < 2; i++)
        cluster_verify(&cluster, i, what);
    if (!node_reads(&cluster.node[0], "theirs", TEXT) ||
        !node_reads(&cluster.node[1], "theirs", TEXT) ||
        !node_reads(&cluster.node[0], "mine", TEXT)) {
        test_fail("%s: files are lost (%s)", what, cluster.dir);
    }
    cluster_stop(&cluster, 1);
    char id[CLUSTER_TEXT];
    cluster_do(&cluster, 1, id, "id");
    last_line(id);
    cluster_do(&cluster, 0, NULL, "peer remove %s", id); /* or every join tells more members, */
    test_shell("rm %s/mine", cluster.node[0].root);      /* and every file has more versions */
    cluster_do(&cluster, 0, NULL, "scan %s", cluster.folder);
    forget_newcomer();
}

static bool end_join(victim_t *victim, uint32_t at, unsigned way)
{
    char token[CLUSTER_TEXT], listen[64];
    newcomer();
    new_token(token);
    /* The home that join makes has the usual port, which may be somebody else's. */
    snprintf(listen, sizeof listen, "tcp://127.0.0.1:%d", cluster.node[1].port);
    setenv("CRDTSYNC_NODE_LISTEN", listen, 1);
    int code =
        victim_run(victim, at, way, "join %s %s --timeout 20", token, cluster.node[1].root);
    if (code > 0) test_fail("%s: exit code %d", what, code);
    if (code == 0 && !has_folder(1)) test_fail("%s: a folder that was joined is gone", what);
    join_anyhow(token);
    cluster_start(&cluster, 1);
    unsetenv("CRDTSYNC_NODE_LISTEN");
    check_both();
    return code == -1;
}

static void await_ping(victim_t *victim)
{
    double end = test_now() + 30;
    while (!cluster_succeeds(&cluster, victim->node, "ping")) {
        if (test_now() > end || waitpid(cluster.node[victim->node].pid, NULL, WNOHANG) != 0) {
            test_fail("%s: the node does not come up", what);
        }
        poll(NULL, 0, 5);
    }
}

/* The node that joins, or the one that invites, is killed some changes after the command. */
static bool end_running(victim_t *victim, uint32_t at, unsigned way)
{
    char token[CLUSTER_TEXT];
    newcomer();
    init_newcomer();
    if (victim->node == 0) cluster_stop(&cluster, 0);
    victim_start(victim, 0, way);
    await_ping(victim);
    new_token(token);
    victim->state->at = victim->state->calls + at;
    (void)cluster_succeeds(&cluster, 1, "join %s %s --timeout 2", token, cluster.node[1].root);
    uint32_t made = victim->state->calls;
    bool died = victim_end(victim);
    died = died && made >= victim->state->at; /* not while it was stopping */
    if (cluster.node[0].pid == 0) cluster_start(&cluster, 0);
    join_anyhow(token);
    cluster_start(&cluster, 1);
    check_both();
    return died;
}

/* --- all ends */

typedef bool (*end_t)(victim_t *victim, uint32_t at, unsigned way);

/* Every so manieth end only, unless all are wanted; another one first for each way. */
static void run(const char *command, int node, end_t end, uint32_t stride)
{
    victim_t victim;
    victim_open(&victim, &cluster, node);
    double begin = test_now();
    unsigned before = ends;
    for (unsigned way = 0; way < VICTIM_WAYS; way++) {
        bool died = true;
        for (uint32_t at = all ? 1 : 1 + way; died; at += all ? 1 : stride) {
            report(command, at, way);
            died = end(&victim, at, way);
            if (getenv("CRASH_TRACE") != NULL) printf("%s: %s\n", what, victim.state->last);
            ends += died;
        }
    }
    printf("crash: %s: %u ends, %.1f s\n", command, ends - before, test_now() - begin);
    if (ends == before) test_fail("%s never died", command);
    victim_close(&victim);
}

int main(int argc, char **argv)
{
    all = argc > 1 && strcmp(argv[1], "--all") == 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    tmp_in_memory(TMP_SMALL_MIB);
    cluster_new(&cluster, 1);
    cluster.count = 2;
    node_text(&cluster.node[0], "theirs", TEXT);
    run("init", 1, end_init, 3);
    run("folder add", 1, end_add, 37);
    cluster_start(&cluster, 0);
    run("join", 1, end_join, 83);
    run("join through a node", 1, end_running, 61);
    run("invite", 0, end_running, 9);
    cluster_destroy(&cluster);
    return 0;
}
