/* mishap.c - mounts, faults, and waiting for what a node says about them. */
#include "support/mishap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 20 /* between two looks at something that has no event */

/* --- mounts */

static bool put_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) close(fd);
    return good;
}

/* Who it was is root there. */
static bool put_root(const char *path, unsigned id)
{
    char text[32];
    snprintf(text, sizeof text, "0 %u 1", id);
    return put_file(path, text);
}

bool mishap_own_namespaces(int flags)
{
    unsigned user = getuid(), group = getgid();
    if ((flags & CLONE_NEWUSER) == 0 && unshare(flags) == 0) return true;
    return unshare(CLONE_NEWUSER | flags) == 0 && put_file("/proc/self/setgroups", "deny") &&
           put_root("/proc/self/uid_map", user) && put_root("/proc/self/gid_map", group);
}

static bool may_mount(void)
{
    if (!mishap_own_namespaces(CLONE_NEWNS)) return false;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static pid_t start(const mishap_t *mishap)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) test_fail("fork: %s", strerror(errno));
    if (pid > 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (mishap->mounts && !may_mount()) {
        printf("%s: not tried, for this process may not mount\n", mishap->name);
        fflush(NULL);
        _exit(MISHAP_SKIPPED);
    } else {
        double begin = test_now();
        mishap->run();
        printf("%s: %.1f s\n", mishap->name, test_now() - begin);
    }
    fflush(NULL);
    _exit(0);
}

#define AT_ONCE 6 /* on two cores they take turns, and mostly wait for timers */

typedef struct tally {
    size_t tried, failed;
} tally_t;

static void await_one(const mishap_t *mishaps, const pid_t *pids, size_t count, tally_t *tally)
{
    int status;
    pid_t pid = wait(&status);
    if (pid < 0) test_fail("wait: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == MISHAP_SKIPPED) return;
    tally->tried++;
    if (status == 0) return;
    tally->failed++;
    for (size_t i = 0; i < count; i++) {
        if (pids[i] == pid) fprintf(stderr, "FAILED: %s\n", mishaps[i].name);
    }
}

int mishap_main(int argc, char **argv, const mishap_t *mishaps, size_t count)
{
    pid_t pids[64] = {0};
    if (count > sizeof pids / sizeof pids[0]) test_fail("too many mishaps");
    size_t running = 0;
    tally_t tally = {0};
    bool is_long = argc > 1 && strcmp(argv[1], "--long") == 0;
    for (size_t i = 0; i < count; i++) {
        bool named = argc > 1 && !is_long && strstr(mishaps[i].name, argv[1]) != NULL;
        if (argc > 1 && !is_long ? !named : mishaps[i].is_long != is_long) continue;
        if (running == AT_ONCE) {
            await_one(mishaps, pids, count, &tally);
            running--;
        }
        pids[i] = start(&mishaps[i]);
        running++;
    }
    for (; running > 0; running--)
        await_one(mishaps, pids, count, &tally);
    if (tally.failed > 0) return 1;
    return tally.tried > 0 ? 0 : MISHAP_SKIPPED;
}

void mishap_small_disk(const char *dir, const char *options)
{
    struct stat st;
    char aside[300];
    snprintf(aside, sizeof aside, "%s.aside", dir);
    if (stat(dir, &st) != 0) test_fail("%s: %s", dir, strerror(errno));
    test_shell("cp -a %s %s", dir, aside);
    if (mount("small", dir, "tmpfs", 0, options) != 0)
        test_fail("mount %s: %s", dir, strerror(errno));
    test_shell("cp -a %s/. %s/ && rm -r %s", aside, dir, aside);
    if (chmod(dir, st.st_mode & 07777) != 0) test_fail("chmod %s", dir);
}

void mishap_remount(const char *dir, unsigned long flags, const char *options)
{
    if (mount("small", dir, NULL, MS_REMOUNT | flags, options) != 0)
        test_fail("remount %s: %s", dir, strerror(errno));
}

/* A process that looks at it this moment makes it busy. */
void mishap_unmount(const char *dir)
{
    double end = test_now() + SOON_S;
    while (umount(dir) != 0) {
        if (errno != EBUSY || test_now() > end)
            test_fail("umount %s: %s", dir, strerror(errno));
        poll(NULL, 0, LOOK_MS);
    }
}

/* --- clusters */

void mishap_pair(cluster_t *cluster)
{
    cluster_new(cluster, 2);
    cluster_pair(cluster, 1, 0, 0); /* the one that restarts dials: at once */
    node_text(&cluster->node[0], "one", "1");
    node_text(&cluster->node[1], "two", "2");
}

void mishap_start_pair(cluster_t *cluster)
{
    mishap_pair(cluster);
    cluster_start(cluster, 0);
    cluster_start(cluster, 1);
    cluster_settle(cluster, SETTLE_S);
}

void mishap_agree(cluster_t *cluster, const char *what)
{
    fprintf(stderr, "  %s\n", what);
    cluster_settle(cluster, SETTLE_S);
    cluster_check_equal(cluster);
}

/* --- what it says */

void mishap_await(cluster_t *cluster, int node, const char *command, const char *word)
{
    double end = test_now() + SOON_S;
    for (;;) {
        char out[CLUSTER_TEXT];
        (void)mishap_ask(cluster, node, out, "%s", command);
        if (strstr(out, word) != NULL) return;
        if (test_now() > end)
            test_fail("node %d: %s never says: %s; but: %s", node, command, word, out);
        poll(NULL, 0, LOOK_MS);
    }
}

void mishap_await_ping(cluster_t *cluster, int node, bool up)
{
    double end = test_now() + SOON_S;
    while (cluster_succeeds(cluster, node, "ping") != up) {
        if (test_now() > end)
            test_fail("node %d: ping goes on to %s", node, up ? "fail" : "succeed");
        poll(NULL, 0, LOOK_MS);
    }
}

int mishap_log_lines(const cluster_node_t *node, const char *word)
{
    char line[8192];
    int count = 0;
    FILE *log = fopen(node->log, "r");
    if (log == NULL) return 0;
    while (fgets(line, sizeof line, log) != NULL)
        count += strstr(line, word) != NULL;
    fclose(log);
    return count;
}

bool mishap_logged(const cluster_node_t *node, const char *word)
{
    return mishap_log_lines(node, word) > 0;
}

void mishap_await_log(const cluster_node_t *node, const char *word)
{
    double end = test_now() + SOON_S;
    while (!mishap_logged(node, word)) {
        if (test_now() > end) test_fail("%s never has: %s", node->log, word);
        poll(NULL, 0, LOOK_MS);
    }
}

void mishap_await_end(cluster_node_t *node, int exit_code)
{
    int status;
    if (waitpid(node->pid, &status, 0) != node->pid) test_fail("waitpid: %s", strerror(errno));
    node->pid = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != exit_code)
        test_fail("ended with status %x instead of exit code %d: %s", status, exit_code,
                  node->log);
}

int mishap_ask(cluster_t *cluster, int node, char *out, const char *format, ...)
{
    char arguments[2048], command[4096];
    va_list va;
    va_start(va, format);
    vsnprintf(arguments, sizeof arguments, format, va);
    va_end(va);
    snprintf(command, sizeof command, "'%s' --home '%s' %s 2>&1", getenv("CRDTSYNC_BIN"),
             cluster->node[node].home, arguments);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) test_fail("popen: %s", strerror(errno));
    size_t len = fread(out, 1, CLUSTER_TEXT - 1, pipe);
    out[len] = '\0';
    char drop[4096];
    while (fread(drop, 1, sizeof drop, pipe) > 0) {
    }
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void mishap_no_conflicts(cluster_t *cluster)
{
    for (int i = 0; i < cluster->count; i++) {
        char out[CLUSTER_TEXT];
        if (cluster->node[i].pid == 0) continue;
        cluster_do(cluster, i, out, "conflicts --json");
        if (strstr(out, "\"path\"") != NULL) test_fail("node %d has conflicts: %s", i, out);
    }
}

/* --- faults */

faults_t *mishap_faults(cluster_t *cluster, int index)
{
    cluster_node_t *node = &cluster->node[index];
    char file[sizeof node->faults];
    snprintf(file, sizeof file, "%s/faults%d", cluster->dir, index);
    memcpy(node->faults, file, sizeof file);
    snprintf(node->preload, sizeof node->preload, "%s", CS_FAULTS_LIB);
    int fd = open(node->faults, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(faults_t)) != 0)
        test_fail("%s: %s", node->faults, strerror(errno));
    void *map = mmap(NULL, sizeof(faults_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) test_fail("mmap: %s", strerror(errno));
    close(fd);
    return map;
}

void mishap_fail(faults_t *faults, uint32_t calls, int error, const char *path)
{
    faults->calls = 0;
    faults->error = error;
    snprintf(faults->path, sizeof faults->path, "%s", path);
    faults->hits = 0;
    faults->calls = calls;
}

void mishap_heal(faults_t *faults)
{
    faults->calls = 0;
}

void mishap_random_file(const cluster_node_t *node, const char *path, unsigned kib)
{
    char to[512];
    node_path(node, path, to, sizeof to);
    test_shell("head -c %u /dev/urandom > %s", kib << 10, to);
}
