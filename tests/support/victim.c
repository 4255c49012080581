/* victim.c - see victim.h. */
#include "support/victim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 16
#define PATIENCE 60.0 /* seconds */

typedef struct way {
    const char *name;
    uint32_t cut;
    undo_how_t how;
} way_t;

static const way_t ways[VICTIM_WAYS] = {
    {"killed", 0, {0, UNDO_NOTHING, 0}},
    {"power cut, nothing survives", 1, {0, UNDO_CUT_OFF, 0}},
    {"power cut, names survive, bytes do not", 1, {256, UNDO_CUT_OFF, 0}},
    {"power cut, names and sizes survive, bytes do not", 1, {256, UNDO_ZEROS, 0}},
    {"power cut, half of the names survive, some bytes do", 1, {128, UNDO_SOME, 0x5a5a}},
    {"power cut, bytes survive, names do not", 1, {0, UNDO_NOTHING, 0}},
};

const char *victim_way(unsigned way)
{
    return ways[way].name;
}

const undo_how_t *victim_how(unsigned way)
{
    return &ways[way].how;
}

void victim_open(victim_t *victim, cluster_t *cluster, int node)
{
    *victim = (victim_t){.cluster = cluster, .node = node};
    snprintf(victim->state_path, sizeof victim->state_path, "%.200s/shim", cluster->dir);
    snprintf(victim->stash, sizeof victim->stash, "%.200s/stash", cluster->dir);
    if (mkdir(victim->stash, 0700) != 0 && errno != EEXIST)
        test_fail("mkdir %s", victim->stash);
    int fd = open(victim->state_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *victim->state) != 0)
        test_fail("%s", victim->state_path);
    victim->state =
        mmap(NULL, sizeof *victim->state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (victim->state == MAP_FAILED) test_fail("mmap %s", victim->state_path);
    close(fd);
}

void victim_close(victim_t *victim)
{
    munmap(victim->state, sizeof *victim->state);
}

/* --- processes */

static void set_environment(const victim_t *victim)
{
    const cluster_node_t *node = &victim->cluster->node[victim->node];
    const char *shim = getenv("CRDTSYNC_SHIM");
    char roots[sizeof node->home + sizeof node->root + 2];
    snprintf(roots, sizeof roots, "%s:%s", node->home, node->root);
    if (shim == NULL || setenv("LD_PRELOAD", shim, 1) != 0 ||
        setenv(SHIM_ROOTS, roots, 1) != 0 || setenv(SHIM_STATE, victim->state_path, 1) != 0 ||
        setenv(SHIM_STASH, victim->stash, 1) != 0) {
        _exit(126);
    }
}

static pid_t spawn(victim_t *victim, uint32_t at, unsigned way, char *line)
{
    const cluster_node_t *node = &victim->cluster->node[victim->node];
    char *argv[ARGS_MAX + 1] = {getenv("CRDTSYNC_BIN"), (char[]){"--home"}, strdup(node->home)};
    char *rest = NULL;
    int argc = 3;
    for (char *arg = strtok_r(line, " ", &rest); arg != NULL && argc < ARGS_MAX;
         arg = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = arg;
    }
    *victim->state = (shim_state_t){.at = at,
                                    .cut = ways[way].cut,
                                    .names_kept = ways[way].how.names_kept,
                                    .data = ways[way].how.data,
                                    .seed = ways[way].how.seed};
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) test_fail("fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int log = open(node->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        dup2(log, STDERR_FILENO);
        dup2(log, STDOUT_FILENO);
        set_environment(victim);
        execv(argv[0], argv);
        _exit(127);
    }
    free(argv[2]);
    return pid;
}

static int conclude(const victim_t *victim, int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return -1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 100) {
        test_fail("it ended with status %x: log %s", status,
                  victim->cluster->node[victim->node].log);
    }
    return WEXITSTATUS(status);
}

int victim_run(victim_t *victim, uint32_t at, unsigned way, const char *format, ...)
{
    char line[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    int status;
    pid_t pid = spawn(victim, at, way, line);
    if (waitpid(pid, &status, 0) != pid) test_fail("waitpid");
    return conclude(victim, status);
}

void victim_start(victim_t *victim, uint32_t at, unsigned way)
{
    victim->cluster->node[victim->node].pid = spawn(victim, at, way, (char[]){"node"});
}

static bool has_died(victim_t *victim)
{
    cluster_node_t *node = &victim->cluster->node[victim->node];
    int status;
    if (node->pid != 0 && waitpid(node->pid, &status, WNOHANG) == node->pid) {
        node->pid = 0;
        int code = conclude(victim, status);
        if (code != -1) test_fail("the node ended with %d: log %s", code, node->log);
    }
    return node->pid == 0;
}

bool victim_end(victim_t *victim)
{
    cluster_node_t *node = &victim->cluster->node[victim->node];
    int status;
    if (has_died(victim)) return true;
    kill(node->pid, SIGTERM);
    if (waitpid(node->pid, &status, 0) != node->pid) test_fail("waitpid");
    node->pid = 0;
    int code = conclude(victim, status);
    if (code > 0) test_fail("SIGTERM should end it with 0, not %d: log %s", code, node->log);
    return code == -1;
}

bool victim_live(victim_t *victim, uint32_t at, unsigned way)
{
    cluster_t *cluster = victim->cluster;
    int peers = -1;
    for (int i = 0; i < cluster->count; i++) {
        peers += i == victim->node || cluster->node[i].pid != 0;
    }
    victim_start(victim, at, way);
    double deadline = test_now() + PATIENCE;
    while (!cluster_succeeds(cluster, victim->node, "wait %s --peers %d --timeout 5",
                             cluster->folder, peers)) {
        if (has_died(victim)) return true;
        if (test_now() > deadline) {
            test_fail("not settled within %.0f s (%s)", PATIENCE, cluster->dir);
        }
        poll(NULL, 0, 5);
    }
    (void)cluster_succeeds(cluster, victim->node, "scan %s", cluster->folder);
    return victim_end(victim);
}
