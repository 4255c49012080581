/* cluster.c - processes, homes and pairing. */
#include "support/cluster.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload/faults.h"

#define ARGS_MAX 32

double test_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void test_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "FAILED: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    if (getenv("CLUSTER_HOLD") != NULL) pause(); /* to look at the nodes */
    abort();
}

void test_shell(const char *format, ...)
{
    char command[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    if (system(command) != 0) test_fail("%s", command);
}

/* Below the ports that the kernel gives to outgoing connections: one of those might have it
 * before our node does. */
#define PORT_MIN  10240u
#define PORT_SPAN 22000u

/* Of the ports that tests of this machine have drawn each is one's own as long as it lives:
 * the name of a socket that nobody connects to says so, and it stays open. */
static bool is_ours_alone(uint16_t port)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "crdtsync-test-%u", port);
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&name, bytes) == 0) return true;
    if (fd >= 0) close(fd);
    return false;
}

int free_port(void)
{
    for (int tries = 0; tries < 100; tries++) {
        uint16_t random;
        if (getrandom(&random, sizeof random, 0) != sizeof random) break;
        uint16_t port = (uint16_t)(PORT_MIN + random % PORT_SPAN);
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons(port)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool is_free = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
        if (fd >= 0) close(fd);
        if (is_free && is_ours_alone(port)) return port;
    }
    test_fail("no free port: %s", strerror(errno));
}

static const char *program(void)
{
    const char *path = getenv("CRDTSYNC_BIN");
    if (path == NULL) test_fail("CRDTSYNC_BIN is not set");
    return path;
}

/* --- running the program */

/* In the child. */
static void become(const cluster_node_t *node)
{
    if (node->uid != 0 &&
        (setgroups(0, NULL) != 0 || setgid(node->uid) != 0 || setuid(node->uid) != 0)) {
        _exit(126);
    }
    if (node->faults[0] != '\0') {
        setenv("LD_PRELOAD", node->preload, 1);
        setenv(FAULTS_ENV, node->faults, 1);
    }
    setenv("CRDTSYNC_NODE_WATCH", "off", 0);     /* tests order their scans, unless they say */
    setenv("CRDTSYNC_NODE_FIND_PEERS", "no", 0); /* who is linked with whom is theirs, too */
    prctl(PR_SET_PDEATHSIG, SIGKILL);            /* no node outlives a test that fails */
}

static pid_t spawn(const cluster_node_t *node, char *const *args, int arg_count, int out,
                   const char *log)
{
    char *argv[ARGS_MAX + 4];
    int argc = 0;
    argv[argc++] = strdup(program());
    argv[argc++] = strdup("--home");
    argv[argc++] = strdup(node->home);
    for (int i = 0; i < arg_count; i++)
        argv[argc++] = args[i];
    argv[argc] = NULL;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) test_fail("fork: %s", strerror(errno));
    if (pid == 0) {
        become(node);
        if (out >= 0) dup2(out, STDOUT_FILENO);
        if (log != NULL) {
            int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
            dup2(fd, STDERR_FILENO);
        }
        execv(argv[0], argv);
        _exit(127);
    }
    for (int i = 0; i < 3; i++)
        free(argv[i]);
    return pid;
}

static int split(char *line, char **args)
{
    int count = 0;
    char *rest = NULL;
    for (char *at = strtok_r(line, " ", &rest); at != NULL; at = strtok_r(NULL, " ", &rest)) {
        if (count == ARGS_MAX) test_fail("too many arguments");
        args[count++] = at;
    }
    return count;
}

static void read_all(int fd, char *out)
{
    size_t len = 0;
    char drop[512];
    for (;;) {
        bool room = out != NULL && len + 1 < CLUSTER_TEXT;
        ssize_t n =
            room ? read(fd, out + len, CLUSTER_TEXT - 1 - len) : read(fd, drop, sizeof drop);
        if (n <= 0) break;
        if (room) len += (size_t)n;
    }
    if (out != NULL) out[len] = '\0';
}

static int run(const cluster_node_t *node, char *out, const char *errors, const char *format,
               va_list va)
{
    char line[2048];
    char *args[ARGS_MAX];
    vsnprintf(line, sizeof line, format, va);
    int count = split(line, args);
    int pipe_fd[2];
    if (pipe2(pipe_fd, O_CLOEXEC) != 0) test_fail("pipe: %s", strerror(errno));
    pid_t pid = spawn(node, args, count, pipe_fd[1], errors);
    close(pipe_fd[1]);
    read_all(pipe_fd[0], out);
    close(pipe_fd[0]);
    int status;
    if (waitpid(pid, &status, 0) != pid) test_fail("waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int cluster_run(cluster_t *cluster, int node, char *out, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int code = run(&cluster->node[node], out, NULL, format, va);
    va_end(va);
    return code;
}

void cluster_do(cluster_t *cluster, int node, char *out, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int code = run(&cluster->node[node], out, NULL, format, va);
    va_end(va);
    if (code == 0) return;
    test_fail("node %d: crdtsync %s ...: exit code %d (logs and homes: %s)", node, format, code,
              cluster->dir);
}

bool cluster_succeeds(cluster_t *cluster, int node, const char *format, ...)
{
    va_list va;
    va_start(va, format);
    int code = run(&cluster->node[node], NULL, "/dev/null", format, va);
    va_end(va);
    return code == 0;
}

/* --- set-up */

static void last_line(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    char *at = strrchr(text, '\n');
    if (at != NULL) memmove(text, at + 1, strlen(at));
}

/* The key file that every node but a drawing first one takes. */
static void write_key(const cluster_t *cluster, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fprintf(file, "%s\n", cluster->secret) < 0 || fclose(file) != 0)
        test_fail("%s: %s", path, strerror(errno));
}

static void add_folder(cluster_t *cluster, int index, const char *key)
{
    const cluster_node_t *node = &cluster->node[index];
    char out[CLUSTER_TEXT];
    if (cluster->secret[0] != '\0') {
        write_key(cluster, key);
        cluster_do(cluster, index, NULL, "folder add %s --id %s --key-file %s", node->root,
                   cluster->folder, key);
        return;
    }
    cluster_do(cluster, index, NULL, "folder add %s --id %s", node->root, cluster->folder);
    cluster_do(cluster, index, out, "folder key %s", cluster->folder);
    last_line(out);
    snprintf(cluster->secret, sizeof cluster->secret, "%.64s", out);
}

void cluster_new_with(cluster_t *cluster, int count, const char *secret)
{
    memset(cluster, 0, sizeof *cluster);
    char dir[sizeof cluster->dir];
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.80s/crdtsync-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(dir) == NULL) test_fail("mkdtemp: %s", strerror(errno));
    memcpy(cluster->dir, dir, sizeof dir);
    cluster->count = count;
    snprintf(cluster->folder, sizeof cluster->folder, "shared");
    snprintf(cluster->secret, sizeof cluster->secret, "%s", secret);

    char out[CLUSTER_TEXT];
    char key[256];
    snprintf(key, sizeof key, "%s/key", dir);
    for (int i = 0; i < count; i++) {
        cluster_node_t *node = &cluster->node[i];
        snprintf(node->home, sizeof node->home, "%s/home%d", dir, i);
        snprintf(node->root, sizeof node->root, "%s/root%d", dir, i);
        snprintf(node->log, sizeof node->log, "%s/log%d", dir, i);
        node->port = free_port();
        if (mkdir(node->root, 0755) != 0) test_fail("mkdir: %s", strerror(errno));
        cluster_do(cluster, i, out, "init --name node%d --listen tcp://127.0.0.1:%d", i,
                   node->port);
        cluster_do(cluster, i, out, "id");
        last_line(out);
        snprintf(node->id, sizeof node->id, "%.64s", out);
        add_folder(cluster, i, key);
    }
}

void cluster_new(cluster_t *cluster, int count)
{
    cluster_new_with(cluster, count, "");
}

void cluster_pair(cluster_t *cluster, int from, int to, int port)
{
    const cluster_node_t *a = &cluster->node[from];
    const cluster_node_t *b = &cluster->node[to];
    cluster_do(cluster, from, NULL, "peer add %s tcp://127.0.0.1:%d --name node%d --folder %s",
               b->id, port != 0 ? port : b->port, to, cluster->folder);
    cluster_do(cluster, to, NULL, "peer add %s --name node%d --folder %s", a->id, from,
               cluster->folder);
}

void cluster_start(cluster_t *cluster, int index)
{
    cluster_node_t *node = &cluster->node[index];
    char *args[] = {(char[]){"node"}};
    node->pid = spawn(node, args, 1, -1, node->log);
    double deadline = test_now() + 60;
    while (!cluster_succeeds(cluster, index, "ping")) {
        int status;
        if (waitpid(node->pid, &status, WNOHANG) == node->pid) {
            test_fail("node %d ended at start: status %x, log %s", index, status, node->log);
        }
        if (test_now() > deadline)
            test_fail("node %d does not answer: log %s", index, node->log);
        poll(NULL, 0, 5);
    }
}

static int end(cluster_node_t *node, int signal)
{
    int status = 0;
    kill(node->pid, signal);
    if (waitpid(node->pid, &status, 0) != node->pid) test_fail("waitpid: %s", strerror(errno));
    node->pid = 0;
    return status;
}

void cluster_stop(cluster_t *cluster, int index)
{
    cluster_node_t *node = &cluster->node[index];
    if (node->pid == 0) return;
    int status = end(node, SIGTERM);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        test_fail("node %d: SIGTERM should end it with 0: status %x, log %s", index, status,
                  node->log);
    }
}

void cluster_kill(cluster_t *cluster, int index)
{
    if (cluster->node[index].pid != 0) end(&cluster->node[index], SIGKILL);
}

void cluster_destroy(cluster_t *cluster)
{
    for (int i = 0; i < cluster->count; i++)
        cluster_stop(cluster, i);
    if (getenv("CLUSTER_KEEP") != NULL) {
        fprintf(stderr, "kept: %s\n", cluster->dir);
        return;
    }
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+rwX %s && rm -rf %s", cluster->dir,
             cluster->dir);
    if (system(command) != 0) fprintf(stderr, "could not remove %s\n", cluster->dir);
}

/* --- convergence */

static void dump_status(cluster_t *cluster)
{
    for (int i = 0; i < cluster->count; i++) {
        char out[CLUSTER_TEXT];
        if (cluster->node[i].pid == 0) continue;
        cluster_run(cluster, i, out, "status --json");
        fprintf(stderr, "node %d: %s\n", i, out);
    }
}

/* By the shell: values have blanks. */
void cluster_setting(cluster_t *cluster, const char *key, const char *value)
{
    for (int i = 0; i < cluster->count; i++)
        test_shell("'%s' --home %s folder set %s '%s=%s' >/dev/null", program(),
                   cluster->node[i].home, cluster->folder, key, value);
}

void cluster_settle(cluster_t *cluster, int timeout_s)
{
    double deadline = test_now() + timeout_s;
    int running = 0;
    for (int i = 0; i < cluster->count; i++)
        running += cluster->node[i].pid != 0;
    for (int i = 0; i < cluster->count; i++) {
        if (cluster->node[i].pid != 0) cluster_do(cluster, i, NULL, "scan %s", cluster->folder);
    }
    for (int i = 0; i < cluster->count; i++) {
        if (cluster->node[i].pid == 0) continue;
        double left = 0;
        int code = 0;
        do { /* 2: it has not heard of all members yet */
            left = deadline - test_now();
            code = cluster_run(cluster, i, NULL, "wait %s --peers %d --timeout %.1f",
                               cluster->folder, running - 1, left > 1 ? left : 1.0);
        } while (code == 2 && left > 1);
        if (code == 0) continue;
        dump_status(cluster);
        test_fail("node %d: not settled within %d s: exit code %d (logs and homes: %s)", i,
                  timeout_s, code, cluster->dir);
    }
}
