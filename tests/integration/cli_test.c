/* cli_test.c - the command line as scripts see it: exit codes, what is printed where, and the
 * control socket with askers that behave badly. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/cluster.h"
#include "support/support.h"

#define OUT_BYTES 8192

typedef struct fixture {
    tmp_t tmp;
    char out[OUT_BYTES]; /* of the last command: stdout and stderr */
} fixture_t;

/* A shell line in the temporary directory, $B being the program; the exit code. */
static int sh(fixture_t *fix, const char *format, ...)
{
    char line[2048], command[3072];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    snprintf(command, sizeof command, "cd %s && export B=%s && { %s ; } 2>&1", fix->tmp.path,
             getenv("CRDTSYNC_BIN"), line);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t len = fread(fix->out, 1, sizeof fix->out - 1, pipe);
    fix->out[len] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define EXPECT(fix, code, part, ...)                                                      \
    do {                                                                                  \
        int got_ = sh(fix, __VA_ARGS__);                                                  \
        cr_assert_eq(got_, code, "exit code %d: %s", got_, (fix)->out);                   \
        cr_assert_not_null(strstr((fix)->out, part), "no '%s' in: %s", part, (fix)->out); \
    } while (0)

static fixture_t begin(void)
{
    fixture_t fix = {.tmp = tmp_new()};
    unsetenv("CRDTSYNC_HOME");
    return fix;
}

/* --- usage */

Test(cli, mistakes_are_named_with_what_was_meant)
{
    fixture_t fix = begin();
    EXPECT(&fix, 2, "did you mean 'status'?", "$B stauts");
    EXPECT(&fix, 2, "did you mean 'folder list'?", "$B folder lsit");
    EXPECT(&fix, 2, "did you mean --json?", "$B status --jsno");
    EXPECT(&fix, 2, "folder needs one more word", "$B folder");
    EXPECT(&fix, 2, "something is missing", "$B folder add");
    EXPECT(&fix, 2, "is too much", "$B id x");
    EXPECT(&fix, 2, "see crdtsync --help", "$B");
    EXPECT(&fix, 2, "no number of seconds", "$B wait --timeout soon --home h");
    tmp_remove(&fix.tmp);
}

Test(cli, help_is_everywhere)
{
    static const char *const commands[] = {
        "init", "id",   "folder add", "folder list", "folder key", "invite",    "invite list",
        "join", "node", "peer add",   "peer list",   "ping",       "scan",      "wait",
        "held", "ls",   "status",     "digest",      "demo",       "conflicts", "config check"};
    fixture_t fix = begin();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        EXPECT(&fix, 0, "usage: crdtsync", "$B %s --help", commands[i]);
        cr_assert_not_null(strstr(fix.out, "--home DIR"));
        cr_assert_not_null(strstr(fix.out, "\nexample: crdtsync "));
        EXPECT(&fix, 0, "usage: crdtsync", "$B help %s", commands[i]);
    }
    EXPECT(&fix, 0, "usage: crdtsync folder", "$B folder --help");
    EXPECT(&fix, 0, "commands:", "$B --help");
    EXPECT(&fix, 0, "crdtsync 0.", "$B --version");
    tmp_remove(&fix.tmp);
}

/* --- homes */

Test(cli, init_makes_a_home_once)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix,
                    "$B init --home h --name a >id1 && $B id --home h >id2 && cmp id1 id2 "
                    "&& grep -qxE '[0-9a-f]{64}' id1"),
                 0, "%s", fix.out);
    EXPECT(&fix, 1, "there is one", "$B init --home h");
    EXPECT(&fix, 2, "must be tcp://", "$B init --home g --listen nonsense");
    EXPECT(&fix, 1, "crdtsync init", "$B id --home nowhere");
    EXPECT(&fix, 0, "{\"id\":\"", "$B --home h id --json");
    tmp_remove(&fix.tmp);
}

Test(cli, config_check_names_every_mistake_with_its_line)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h"), 0);
    EXPECT(&fix, 0, "", "$B config check --home h");
    cr_assert_eq(sh(&fix, "printf 'node\\n    nmae = \"x\"\\nlimits\\n    max-peers = many\\n' "
                          ">h/config"),
                 0);
    EXPECT(&fix, 1, "config:2: ", "$B config check --home h");
    cr_assert_not_null(strstr(fix.out, "config:4: "), "%s", fix.out);
    EXPECT(&fix, 1, "{\"line\":2,", "$B config check --json --home h");
    tmp_remove(&fix.tmp);
}

Test(cli, what_needs_a_node_says_so)
{
    fixture_t fix = begin();
    EXPECT(&fix, 3, "crdtsync init", "$B ping --home h");
    cr_assert_eq(sh(&fix, "$B init --home h"), 0);
    EXPECT(&fix, 3, "crdtsync node", "$B ping --home h");
    EXPECT(&fix, 3, "crdtsync node", "$B wait --home h");
    tmp_remove(&fix.tmp);
}

/* --- folders, without a node */

Test(cli, folders_do_not_overlap)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h && mkdir -p a/b c && ln -s a link"), 0);
    EXPECT(&fix, 0, "docs\n", "$B folder add a/b --id docs --home h");
    EXPECT(&fix, 1, "docs", "$B folder add a --id up --home h");
    EXPECT(&fix, 1, "docs", "$B folder add a/b/new --id down --home h");
    EXPECT(&fix, 1, "docs", "$B folder add link/b --id same --home h");
    EXPECT(&fix, 1, "has it already", "$B folder add c --id docs --home h");
    EXPECT(&fix, 1, "home", "$B folder add . --id home --home h");
    EXPECT(&fix, 1, "home", "$B folder add h/x --id home --home h");
    EXPECT(&fix, 2, "must be 1 to 64", "$B folder add c --id 'No!' --home h");
    EXPECT(&fix, 1, "not a directory", "touch f; $B folder add f --home h");
    cr_assert_eq(sh(&fix, "$B init --home g >x"), 0);
    EXPECT(&fix, 1, "a folder already", "$B folder add a/b --home g");
    EXPECT(&fix, 1, "a home", "$B folder add h/y --home g");
    EXPECT(&fix, 0, "docs", "$B folder list --home h");
    cr_assert_null(strstr(fix.out, "up"), "%s", fix.out);
    tmp_remove(&fix.tmp);
}

Test(cli, a_folder_is_found_by_any_path_in_it)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix,
                    "$B init --home h && mkdir -p r/sub && echo x >r/sub/f && echo y >r/g "
                    "&& ln -s r link && $B folder add r --id docs --home h"),
                 0);
    EXPECT(&fix, 0, "docs: 1 added", "$B scan ./r/sub --home h");
    EXPECT(&fix, 0, "docs: 1 added", "$B scan docs g --home h");
    EXPECT(&fix, 0, "\"path\":\"sub/f\"", "$B ls link/sub --json --home h");
    EXPECT(&fix, 1, "lies in none", "$B scan /etc --home h");
    EXPECT(&fix, 1, "no such folder", "$B scan dcos --home h");
    cr_assert_eq(sh(&fix, "$B digest docs --home h | grep -qxE '[0-9a-f]{64}'"), 0);
    tmp_remove(&fix.tmp);
}

Test(cli, names_are_bytes)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h && mkdir \"$(printf 'r\\377')\" && cd r* && echo x "
                          ">\"$(printf 'b\\377d')\" && cd .. && "
                          "$B folder add \"$(printf 'r\\377')\" --id docs --home h"),
                 0, "%s", fix.out);
    EXPECT(&fix, 0, "docs: 1 added", "$B scan --home h");
    EXPECT(&fix, 0, "\"path\":\"b\\udcffd\",\"path_hex\":\"62ff64\"", "$B ls --json --home h");
    EXPECT(&fix, 0, "b\\xffd", "$B ls --home h");
    EXPECT(&fix, 0, "r\\udcff\"", "$B folder list --json --home h");
    tmp_remove(&fix.tmp);
}

Test(cli, static_provisioning_takes_the_key_as_it_was_printed)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home g && $B init --home h && $B folder add r --id docs "
                          "--home g && $B folder key docs --home g >key && grep -qxE "
                          "'[0-9a-f]{64}' key"),
                 0);
    EXPECT(&fix, 2, "with --id", "$B folder add s --key-file key --home h");
    EXPECT(&fix, 0, "docs", "$B folder add s --id docs --key-file key --home h");
    cr_assert_eq(sh(&fix, "$B folder key docs --home h | cmp - key"), 0);
    EXPECT(&fix, 0, "",
           "$B peer add $($B id --home h) tcp://127.0.0.1:9 --name bob --folder "
           "docs --home g");
    EXPECT(&fix, 0, "bob", "$B peer list --home g");
    EXPECT(&fix, 2, "this node itself", "$B peer add $($B id --home g) --home g");
    EXPECT(&fix, 2, "64 hex digits", "$B peer add 1234 --home g");
    EXPECT(&fix, 1, "no folder 'dosc'", "$B peer add $($B id --home h) --folder dosc --home g");
    EXPECT(&fix, 2, "must be tcp://", "$B peer add $($B id --home h) localhost --home g");
    tmp_remove(&fix.tmp);
}

/* --- invites */

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

/* --- a running node */

static int control_connect(const cluster_node_t *node)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.90s/control.sock", node->home);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Everything until the node closes. */
static void read_all(int fd, char *out, size_t bytes)
{
    size_t len = 0;
    ssize_t got = 0;
    while (len + 1 < bytes && (got = recv(fd, out + len, bytes - 1 - len, 0)) > 0)
        len += (size_t)got;
    cr_assert_eq(got, 0, "the node should close");
    out[len] = '\0';
    close(fd);
}

static void expect_answer(const cluster_node_t *node, const char *request, const char *part)
{
    char out[OUT_BYTES];
    int fd = control_connect(node);
    cr_assert_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    read_all(fd, out, sizeof out);
    cr_assert_not_null(strstr(out, part), "%s", out);
}

Test(control, askers_that_behave_badly_are_told_so, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    const cluster_node_t *node = &cluster.node[0];
    expect_answer(node, "{\"cmd\":\"ping\"}\n", "{\"end\":0,\"error\":null}");
    expect_answer(node, "{\"cmd\":\n", "{\"end\":2,");
    expect_answer(node, "[]\n", "{\"end\":2,");
    expect_answer(node, "\n", "{\"end\":2,");
    expect_answer(node, "{\"cmd\":\"nonsense\"}\n", "unknown request 'nonsense'");
    expect_answer(node, "{\"cmd\":7}\n", "{\"end\":2,");
    expect_answer(node, "{\"cmd\":\"scan\",\"args\":[{\"raw\":\"7a7\"}]}\n", "{\"end\":");
    expect_answer(node, "{\"cmd\":\"join\",\"args\":7,\"token\":[]}\n", "{\"end\":2,");
    expect_answer(node, "{\"cmd\":\"wait\",\"peers\":-1,\"timeout_ms\":\"x\"}\n{\"cmd\":1}\n",
                  "{\"end\":0,");
    cluster_do(&cluster, 0, NULL, "ping");
    cluster_destroy(&cluster);
}

Test(control, a_line_without_an_end_is_given_up, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    char *block = malloc(1u << 20);
    memset(block, 'x', 1u << 20);
    int fd = control_connect(&cluster.node[0]);
    ssize_t sent = 1;
    for (int i = 0; sent > 0 && i < 64; i++)
        sent = send(fd, block, 1u << 20, MSG_NOSIGNAL);
    cr_assert_lt(sent, 0, "64 MiB were taken");
    close(fd);
    free(block);
    cluster_do(&cluster, 0, NULL, "ping");
    cluster_destroy(&cluster);
}

Test(control, who_goes_away_is_forgotten, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 2);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_start(&cluster, 0); /* node 1 never runs: a wait would last */
    static const char request[] = "{\"cmd\":\"wait\"}\n";
    for (int i = 0; i < 200; i++) {
        int fd = control_connect(&cluster.node[0]);
        cr_assert_gt(send(fd, request, i % 2 == 0 ? sizeof request - 1 : 5, MSG_NOSIGNAL), 0);
        close(fd);
    }
    cluster_do(&cluster, 0, NULL, "ping");
    cr_assert_eq(cluster_run(&cluster, 0, NULL, "wait --timeout 0.2"), 4);
    cr_assert_eq(cluster_run(&cluster, 0, NULL, "wait --peers 0 --timeout 60"), 0);
    cr_assert_eq(cluster_run(&cluster, 0, NULL, "wait --peers 2"), 2);
    cluster_destroy(&cluster);
}

Test(control, many_ask_at_once, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    enum { ASKERS = 40 };
    int fd[ASKERS];
    static const char request[] = "{\"cmd\":\"status\"}\n";
    for (int i = 0; i < ASKERS; i++)
        fd[i] = control_connect(&cluster.node[0]);
    for (int i = 0; i < ASKERS; i++)
        cr_assert_gt(send(fd[i], request, sizeof request - 1, MSG_NOSIGNAL), 0);
    for (int i = ASKERS; i-- > 0;) {
        char out[OUT_BYTES];
        read_all(fd[i], out, sizeof out);
        cr_assert_not_null(strstr(out, "{\"end\":0,"), "%s", out);
    }
    cluster_destroy(&cluster);
}

Test(control, a_socket_that_a_crash_left_harms_nobody, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    cluster_kill(&cluster, 0);
    char path[300];
    snprintf(path, sizeof path, "%s/control.sock", cluster.node[0].home);
    cr_assert_eq(access(path, F_OK), 0, "the crash left it");
    cr_assert_eq(cluster_run(&cluster, 0, NULL, "ping"), 3);
    cluster_do(&cluster, 0, NULL, "scan");
    cluster_start(&cluster, 0);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    cluster_stop(&cluster, 0);
    cr_assert_neq(access(path, F_OK), 0, "removed at a clean end");
    cluster_destroy(&cluster);
}

Test(control, a_second_node_is_refused_and_the_first_named, .timeout = 120)
{
    cluster_t cluster;
    fixture_t fix = begin();
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    char pid[32];
    snprintf(pid, sizeof pid, "process %d", (int)cluster.node[0].pid);
    EXPECT(&fix, 1, pid, "$B node --home %s", cluster.node[0].home);
    cluster_do(&cluster, 0, NULL, "ping");
    cluster_destroy(&cluster);
    tmp_remove(&fix.tmp);
}

Test(control, paths_of_any_length_are_no_hindrance, .timeout = 120)
{
    fixture_t fix = begin();
    char deep[160];
    memset(deep, 'd', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    EXPECT(
        &fix, 0, "stopped 0",
        "mkdir %s && $B init --home %s/h --listen 'tcp://127.0.0.1:*' && { $B node --home %s/h "
        "& } && until $B ping --home %s/h 2>/dev/null; do kill -0 $! || exit 9; done && $B "
        "status --home %s/h && kill $! && wait $!; echo stopped $?",
        deep, deep, deep, deep, deep);
    tmp_remove(&fix.tmp);
}
