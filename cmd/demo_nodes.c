/* demo_nodes.c - see demo_nodes.h. */
#include "cmd/demo_nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/demo_tree.h"

#define ARGS_MAX   16u
#define START_MS   20000 /* a node that does not answer by then never will */
#define STOP_MS    10000
#define ASK_MS     20 /* between two pings */
#define OUTPUT_MAX (1u << 20)
#define SELF       "/proc/self/exe"

static volatile sig_atomic_t interrupted;

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* Signals are let through while waiting only. Ctrl-C reaches all processes of a terminal: one
 * that we wait for may end by it before ours comes through. */
bool cs_demo_interrupted(const cs_demo_t *demo)
{
    sigset_t pending;
    sigpending(&pending);
    for (size_t i = 0; i < CS_COUNT_OF(stop_signals); i++) {
        bool blocked = sigismember(&demo->mask, stop_signals[i]) == 1;
        if (!blocked && sigismember(&pending, stop_signals[i]) == 1) interrupted = 1;
    }
    return interrupted != 0;
}

/* --- processes */

/* The demo's nodes are told everything on their command line. */
static char **clean_environment(const cs_demo_node_t *node)
{
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **clean = cs_calloc(count + 2, sizeof(char *));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], "CRDTSYNC_", 9) != 0) clean[kept++] = environ[i];
    }
    if (node->listen != NULL) {
        cs_buf_t text = {0};
        cs_buf_printf(&text, "CRDTSYNC_NODE_LISTEN=%s", node->listen);
        cs_buf_put_u8(&text, 0);
        clean[kept] = (char *)text.data; /* lives until exec */
    }
    return clean;
}

/* out, err: descriptors for its output; -1: as ours. */
static pid_t spawn(const cs_demo_t *demo, const cs_demo_node_t *node, const char *const *args,
                   int out, int err)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) return pid;
    char *argv[ARGS_MAX + 4] = {cs_strdup("crdtsync"), cs_strdup("--home"), node->home};
    for (size_t i = 0; i < ARGS_MAX && args[i] != NULL; i++) {
        argv[3 + i] = cs_strdup(args[i]);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing outlives the demo, however that ends */
    sigprocmask(SIG_SETMASK, &demo->mask, NULL);
    if (out >= 0) dup2(out, STDOUT_FILENO);
    if (err >= 0) dup2(err, STDERR_FILENO);
    execve(SELF, argv, clean_environment(node));
    _exit(127);
}

/* Waits for input or a process (a pidfd); false: time is up, or a signal came. */
static bool wait_fd(const cs_demo_t *demo, int fd, int timeout_ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    struct timespec limit = {.tv_sec = timeout_ms / 1000,
                             .tv_nsec = (timeout_ms % 1000) * 1000000l};
    if (interrupted) return false;
    int ready = ppoll(&item, 1, timeout_ms >= 0 ? &limit : NULL, &demo->mask);
    return ready > 0 && !interrupted;
}

static bool read_output(const cs_demo_t *demo, int fd, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    for (;;) {
        if (!wait_fd(demo, fd, -1)) return false;
        cs_buf_reserve(ret, 4096);
        ssize_t got = read(fd, ret->data + ret->len, 4096);
        if (got <= 0) break;
        ret->len += (size_t)got;
        if (ret->len > OUTPUT_MAX) return false;
    }
    if (ret->len > 0 && ret->data[ret->len - 1] == '\n') ret->len--;
    cs_buf_put_u8(ret, 0);
    return true;
}

/* The exit code; -1: it did not end by itself. */
static int run(cs_demo_t *demo, cs_demo_node_t *node, cs_buf_t *ret_out, int err,
               const char *const *args)
{
    int pipe_fd[2];
    if (pipe2(pipe_fd, O_CLOEXEC) != 0) return -1;
    pid_t pid = spawn(demo, node, args, pipe_fd[1], err);
    close(pipe_fd[1]);
    bool good = pid > 0 && read_output(demo, pipe_fd[0], ret_out);
    close(pipe_fd[0]);
    if (pid > 0 && !good) kill(pid, SIGTERM);
    int status = 0;
    bool ended = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    return good && ended ? WEXITSTATUS(status) : -1;
}

bool cs_demo_run(cs_demo_t *demo, cs_demo_node_t *node, cs_buf_t *ret_out,
                 const char *const *args)
{
    cs_buf_t out = {0};
    int code = run(demo, node, ret_out != NULL ? ret_out : &out, -1, args);
    cs_buf_fini(&out);
    if (code == 0) return true;
    if (!cs_demo_interrupted(demo)) {
        cs_complain("the demo failed: crdtsync %s on %s ended with %d; see above", args[0],
                    node->name, code);
    }
    return false;
}

/* --- nodes */

static void show_log(const cs_demo_node_t *node)
{
    char line[512];
    FILE *log = fopen(node->log, "re");
    while (log != NULL && fgets(line, sizeof line, log) != NULL) {
        fprintf(stderr, "  %s: %s", node->name, line);
    }
    if (log != NULL) fclose(log);
}

/* Where it listens now, so that it does so after a restart as well. */
static bool keep_endpoint(cs_demo_t *demo, cs_demo_node_t *node)
{
    cs_buf_t out = {0};
    bool good = cs_demo_run(demo, node, &out, (const char *[]){"status", "--json", NULL});
    json_t *status = good ? json_loads((const char *)out.data, 0, NULL) : NULL;
    const json_t *list = json_object_get(json_object_get(status, "node"), "listen");
    const char *endpoint = json_string_value(json_array_get(list, 0));
    good = endpoint != NULL;
    if (good && node->listen == NULL) node->listen = cs_strdup(endpoint);
    json_decref(status);
    cs_buf_fini(&out);
    return good;
}

static bool answers(cs_demo_t *demo, cs_demo_node_t *node)
{
    cs_buf_t out = {0};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int pid_fd = pidfd_open(node->pid, 0);
    bool up = false;
    for (int waited = 0; !up && waited < START_MS && pid_fd >= 0; waited += ASK_MS) {
        up = run(demo, node, &out, null, (const char *[]){"ping", NULL}) == 0;
        if (!up && wait_fd(demo, pid_fd, ASK_MS)) break; /* it ended */
        if (interrupted) break;
    }
    if (pid_fd >= 0) close(pid_fd);
    if (null >= 0) close(null);
    cs_buf_fini(&out);
    return up;
}

bool cs_demo_start(cs_demo_t *demo, cs_demo_node_t *node)
{
    int log = open(node->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    node->pid = spawn(demo, node, (const char *[]){"node", NULL}, log, log);
    if (log >= 0) close(log);
    if (node->pid > 0 && answers(demo, node) && keep_endpoint(demo, node)) return true;
    if (!cs_demo_interrupted(demo)) {
        cs_complain("the demo failed: %s does not start; see its log", node->name);
        show_log(node);
    }
    return false;
}

/* Ends it in any case; true: by itself and well. */
static bool end_process(const cs_demo_t *demo, cs_demo_node_t *node)
{
    cs_demo_t patient = *demo;
    sigfillset(&patient.mask); /* a second Ctrl-C changes nothing */
    interrupted = 0;
    int status = 0;
    int pid_fd = pidfd_open(node->pid, 0);
    kill(node->pid, SIGTERM);
    if (pid_fd < 0 || !wait_fd(&patient, pid_fd, STOP_MS)) kill(node->pid, SIGKILL);
    if (pid_fd >= 0) close(pid_fd);
    bool gone = waitpid(node->pid, &status, 0) == node->pid;
    node->pid = 0;
    return gone && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool cs_demo_stop(cs_demo_t *demo, cs_demo_node_t *node)
{
    if (cs_demo_interrupted(demo)) return false;
    if (end_process(demo, node)) return true;
    if (!cs_demo_interrupted(demo)) {
        cs_complain("the demo failed: %s did not stop cleanly; see its log", node->name);
        show_log(node);
    }
    return false;
}

/* --- the whole */

static char *path_of(const char *dir, const char *name, const char *what)
{
    cs_buf_t path = {0};
    cs_buf_printf(&path, "%s/%s%s%s", dir, name, what != NULL ? "/" : "",
                  what != NULL ? what : "");
    cs_buf_put_u8(&path, 0);
    return (char *)path.data;
}

static void catch_signals(cs_demo_t *demo)
{
    sigset_t blocked;
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&blocked);
    for (size_t i = 0; i < CS_COUNT_OF(stop_signals); i++) {
        sigaddset(&blocked, stop_signals[i]);
        sigaction(stop_signals[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, &demo->mask);
}

static bool make_dir(cs_demo_t *demo)
{
    const char *tmp = getenv("TMPDIR");
    char *pattern =
        path_of(tmp != NULL && tmp[0] == '/' ? tmp : "/tmp", "crdtsync-demo-XXXXXX", NULL);
    if (mkdtemp(pattern) != NULL) {
        demo->dir = pattern;
        return true;
    }
    cs_complain("cannot make %s: %s; set TMPDIR", pattern, strerror(errno));
    cs_free(pattern);
    return false;
}

bool cs_demo_begin(cs_demo_t *demo, size_t count)
{
    *demo = (cs_demo_t){.count = count};
    interrupted = 0;
    catch_signals(demo);
    if (!make_dir(demo)) return false;
    for (size_t i = 0; i < count; i++) {
        cs_demo_node_t *node = &demo->node[i];
        snprintf(node->name, sizeof node->name, "node%zu", i + 1);
        char *dir = path_of(demo->dir, node->name, NULL);
        bool made = mkdir(dir, 0700) == 0;
        node->home = path_of(dir, "home", NULL);
        node->root = path_of(dir, "folder", NULL);
        node->log = path_of(dir, "log", NULL);
        cs_free(dir);
        made = made && mkdir(node->root, 0755) == 0;
        if (!made) cs_complain("cannot write in %s: %s", demo->dir, strerror(errno));
        if (!made || !cs_demo_run(demo, node, NULL,
                                  (const char *[]){"init", "--name", node->name, "--listen",
                                                   "tcp://127.0.0.1:*", NULL})) {
            return false;
        }
    }
    return true;
}

void cs_demo_end(cs_demo_t *demo)
{
    for (size_t i = 0; i < demo->count; i++) {
        cs_demo_node_t *node = &demo->node[i];
        if (node->pid > 0) (void)end_process(demo, node); /* at the end, however it ends */
        cs_free(node->home);
        cs_free(node->root);
        cs_free(node->log);
        cs_free(node->listen);
    }
    if (demo->dir != NULL) cs_demo_remove(demo->dir);
    cs_free(demo->dir);
}
