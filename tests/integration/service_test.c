/* service_test.c - what a node tells the service manager, and when: the test is the manager. */
#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/cluster.h"

#define NOTE_BYTES     4096
#define NOTE_TIMEOUT_S 60

/* Binds what $NOTIFY_SOCKET then names: a path, or an abstract name that begins with '@'. */
static int manager(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    cr_assert_lt(len, sizeof address.sun_path);
    memcpy(address.sun_path, name, len);
    if (name[0] == '@') address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, bytes), 0, "cannot bind %s", name);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

/* The next datagram; "" if none comes in time. */
static const char *next_note(int fd, char note[NOTE_BYTES], int timeout_s)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    ssize_t len = 0;
    if (poll(&item, 1, timeout_s * 1000) == 1) len = recv(fd, note, NOTE_BYTES - 1, 0);
    note[len > 0 ? len : 0] = '\0';
    return note;
}

static bool has_line(const char *note, const char *line)
{
    size_t len = strlen(line);
    for (const char *at = note; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, line, len) == 0) return true;
    }
    return false;
}

#define EXPECT_NOTE(fd, note, line) \
    cr_assert(has_line(next_note(fd, note, NOTE_TIMEOUT_S), line), "%s: '%s'", line, note)

static pid_t start_node(const cluster_node_t *node)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    execl(getenv("CRDTSYNC_BIN"), "crdtsync", "--home", node->home, "node", (char *)NULL);
    _exit(127);
}

static int exit_code(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* From the start to the end of a node. */
static void expect_life(cluster_t *cluster, const char *socket_name)
{
    char note[NOTE_BYTES];
    int fd = manager(socket_name);
    const cluster_node_t *node = &cluster->node[0];
    pid_t pid = start_node(node);

    EXPECT_NOTE(fd, note, "READY=1");
    cr_assert(has_line(note, "STATUS=1 folder, listening on tcp://"), "%s", note);
    /* It really serves: no command has to try twice. */
    cluster_do(cluster, 0, NULL, "ping");
    cluster_do(cluster, 0, NULL, "wait --peers 0 --timeout 60");

    cr_assert_eq(kill(pid, SIGHUP), 0);
    EXPECT_NOTE(fd, note, "RELOADING=1");
    cr_assert(has_line(note, "MONOTONIC_USEC="), "%s", note);
    EXPECT_NOTE(fd, note, "READY=1");

    cr_assert_eq(kill(pid, SIGTERM), 0);
    EXPECT_NOTE(fd, note, "STOPPING=1");
    cr_assert_eq(exit_code(pid), 0);
    cr_assert_str_eq(next_note(fd, note, 0), "");
    close(fd);
}

Test(service, the_manager_hears_of_a_whole_life, .timeout = 300)
{
    cluster_t cluster;
    char name[108];
    cluster_new(&cluster, 1);
    snprintf(name, sizeof name, "%.60s/notify.sock", cluster.dir);
    expect_life(&cluster, name);
    snprintf(name, sizeof name, "@crdtsync-test-%d", (int)getpid());
    expect_life(&cluster, name);
    unsetenv("NOTIFY_SOCKET");
    cluster_destroy(&cluster);
}

/* The journal is a file here, as the variable says that it is ours. */
static void expect_levels(bool ours, const char *first)
{
    cluster_t cluster;
    char stream[64], line[512] = "";
    struct stat st;
    cluster_new(&cluster, 1);
    const cluster_node_t *node = &cluster.node[0];
    FILE *journal = fopen(node->log, "w+");
    cr_assert_eq(fstat(fileno(journal), &st), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino + (ours ? 0 : 1));
    setenv("JOURNAL_STREAM", stream, 1);
    cluster_start(&cluster, 0); /* appends to that file */
    cluster_stop(&cluster, 0);
    unsetenv("JOURNAL_STREAM");
    cr_assert_not_null(fgets(line, sizeof line, journal));
    cr_assert_eq(strncmp(line, first, strlen(first)), 0, "%s", line);
    fclose(journal);
    cluster_destroy(&cluster);
}

Test(service, the_journal_gets_levels_and_nobody_else, .timeout = 300)
{
    expect_levels(true, "<6>crdtsync: info: node.ready ");
    expect_levels(false, "crdtsync: info: node.ready ");
}

/* Nobody listens: that is no reason to stop. */
Test(service, a_manager_that_is_gone_does_no_harm, .timeout = 300)
{
    cluster_t cluster;
    cluster_new(&cluster, 1);
    setenv("NOTIFY_SOCKET", "/nowhere/notify.sock", 1);
    cluster_start(&cluster, 0);
    cluster_stop(&cluster, 0);
    unsetenv("NOTIFY_SOCKET");
    cluster_destroy(&cluster);
}

Test(service, what_cannot_serve_is_never_ready, .timeout = 300)
{
    cluster_t cluster;
    char name[108], note[NOTE_BYTES];
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0); /* holds the home */
    snprintf(name, sizeof name, "%.60s/notify.sock", cluster.dir);
    int fd = manager(name);
    cr_assert_eq(exit_code(start_node(&cluster.node[0])), 1);
    cr_assert_str_eq(next_note(fd, note, 0), "");
    close(fd);
    unsetenv("NOTIFY_SOCKET");
    cluster_stop(&cluster, 0);
    cluster_destroy(&cluster);
}
