/* control_test.c - the control socket with askers that behave badly, and what a crash leaves.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/cluster.h"

#define OUT_BYTES 8192

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

/* Machines are paired one after the other, and each hears of the later ones a moment after. */
Test(control, more_peers_than_members_are_awaited_for_a_moment, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 2);
    cluster_start(&cluster, 0);
    cluster_start(&cluster, 1);
    static const char request[] = "{\"cmd\":\"wait\",\"peers\":1,\"timeout_ms\":60000}\n";
    int fd = control_connect(&cluster.node[0]);
    cr_assert_gt(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), 0);
    cluster_pair(&cluster, 0, 1, 0);
    char out[OUT_BYTES];
    read_all(fd, out, sizeof out);
    cr_assert_not_null(strstr(out, "{\"end\":0,"), "%s", out);
    cluster_destroy(&cluster);
}

/* They come faster than one after the other is heard to the end. */
Test(control, many_who_go_away_keep_nobody_out, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    static const char request[] = "{\"cmd\":\"ping\"}\n";
    for (int i = 0; i < 4000; i++) {
        int fd = control_connect(&cluster.node[0]);
        (void)!send(fd, request, i % 2 == 0 ? sizeof request - 1 : 5, MSG_NOSIGNAL);
        close(fd);
        if (i % 100 == 99) expect_answer(&cluster.node[0], request, "{\"end\":0,");
    }
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

typedef struct holder {
    int lock, opened; /* an inotify of IN_OPEN on the lock file */
} holder_t;

/* Lets the lock go when it was tried twice. */
static void *hold(void *arg)
{
    holder_t *holder = arg;
    struct inotify_event event;
    for (int i = 0; i < 2; i++) {
        ssize_t got = read(holder->opened, &event, sizeof event);
        cr_assert_eq(got, (ssize_t)sizeof event);
    }
    close(holder->lock);
    return NULL;
}

Test(control, a_node_that_starts_waits_for_a_request_to_the_home_itself, .timeout = 120)
{
    cluster_t cluster;
    cluster_new(&cluster, 1);
    char path[300];
    snprintf(path, sizeof path, "%s/lock", cluster.node[0].home);
    holder_t holder = {open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600),
                       inotify_init1(IN_CLOEXEC)};
    cr_assert_eq(flock(holder.lock, LOCK_EX), 0);
    cr_assert_geq(inotify_add_watch(holder.opened, path, IN_OPEN), 0);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, hold, &holder), 0);
    cluster_start(&cluster, 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    close(holder.opened);
    cr_assert_eq(cluster_run(&cluster, 0, NULL, "node"), 1, "one home, one node");
    cluster_stop(&cluster, 0);
    cluster_destroy(&cluster);
}
