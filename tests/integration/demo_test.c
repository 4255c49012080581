/* demo_test.c - the demo tells its story, and leaves nothing behind. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

#define OUT_BYTES 8192

typedef struct demo {
    tmp_t tmp;
    pid_t pid;
    int fd; /* its stdout and stderr */
    char out[OUT_BYTES];
    size_t len;
} demo_t;

static demo_t start(const char *nodes)
{
    demo_t demo = {.tmp = tmp_new()};
    int pipe_fd[2];
    cr_assert_eq(pipe2(pipe_fd, O_CLOEXEC), 0);
    fflush(NULL);
    demo.pid = fork();
    if (demo.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        /* Nodes that are left behind are found by their group. */
        setpgid(0, 0);
        setenv("TMPDIR", demo.tmp.path, 1);
        setenv("CRDTSYNC_HOME", "/nonexistent", 1);
        setenv("CRDTSYNC_NODE_LISTEN", "nonsense", 1);
        dup2(pipe_fd[1], STDOUT_FILENO);
        dup2(pipe_fd[1], STDERR_FILENO);
        execl(getenv("CRDTSYNC_BIN"), "crdtsync", "demo", "--nodes", nodes, (char *)NULL);
        _exit(127);
    }
    cr_assert_gt(demo.pid, 0);
    close(pipe_fd[1]);
    demo.fd = pipe_fd[0];
    return demo;
}

/* Reads until the text is there; false: it ended without. */
static bool read_until(demo_t *demo, const char *text)
{
    while (demo->len + 1 < OUT_BYTES) {
        demo->out[demo->len] = '\0';
        if (text != NULL && strstr(demo->out, text) != NULL) return true;
        ssize_t got = read(demo->fd, demo->out + demo->len, OUT_BYTES - 1 - demo->len);
        if (got <= 0) break;
        demo->len += (size_t)got;
    }
    demo->out[demo->len] = '\0';
    return false;
}

static int finish(demo_t *demo)
{
    int status;
    (void)read_until(demo, NULL); /* nobody holds its output open any more */
    close(demo->fd);
    cr_assert_eq(waitpid(demo->pid, &status, 0), demo->pid);
    cr_assert(WIFEXITED(status), "%s", demo->out);
    cr_assert_neq(kill(-demo->pid, 0), 0, "something still runs");
    return WEXITSTATUS(status);
}

static void expect_nothing_left(demo_t *demo)
{
    DIR *dir = opendir(demo->tmp.path);
    const struct dirent *entry;
    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL)
        cr_assert_eq(entry->d_name[0], '.', "left behind: %s", entry->d_name);
    closedir(dir);
    tmp_remove(&demo->tmp);
}

static void expect_story(const char *nodes, const char *end)
{
    demo_t demo = start(nodes);
    int code = finish(&demo);
    cr_assert_eq(code, 0, "%s", demo.out);
    cr_assert_eq(demo.out[demo.len - 1], '\n');
    demo.out[demo.len - 1] = '\0';
    const char *last = strrchr(demo.out, '\n') + 1;
    cr_assert_eq(strncmp(last, end, strlen(end)), 0, "%s", last);
    const char *digest = last + strlen(end);
    cr_assert_eq(strspn(digest, "0123456789abcdef"), 64, "%s", last);
    cr_assert_eq(strlen(digest), 64, "%s", last);
    expect_nothing_left(&demo);
}

Test(demo, three_nodes_agree, .timeout = 300)
{
    expect_story("3", "demo: 3 nodes, 14 files, 1 siblings: all trees equal, digest ");
}

Test(demo, a_line_of_five_agrees, .timeout = 300)
{
    expect_story("5", "demo: 5 nodes, 14 files, 1 siblings: all trees equal, digest ");
}

/* `all`: as Ctrl-C does it, which every process of the terminal gets. */
static void interrupt_at(const char *text, int signal, bool all)
{
    demo_t demo = start("3");
    cr_assert(read_until(&demo, text), "%s", demo.out);
    kill(all ? -demo.pid : demo.pid, signal);
    int code = finish(&demo);
    cr_assert_eq(code, 1, "%s", demo.out);
    cr_assert_not_null(strstr(demo.out, "the demo was interrupted"), "%s", demo.out);
    cr_assert_null(strstr(demo.out, "the demo failed"), "%s", demo.out);
    cr_assert_null(strstr(demo.out, "all trees equal"), "%s", demo.out);
    expect_nothing_left(&demo);
}

Test(demo, interrupted_it_leaves_nothing, .timeout = 300)
{
    interrupt_at("nodes in ", SIGINT, false);
    interrupt_at("first sync", SIGTERM, false);
    interrupt_at("on purpose", SIGHUP, false);
}

Test(demo, ctrl_c_is_told_from_a_failure, .timeout = 300)
{
    interrupt_at("nodes in ", SIGINT, true);
    interrupt_at("first sync", SIGINT, true);
    interrupt_at("an edit", SIGINT, true);
    interrupt_at("on purpose", SIGINT, true);
}

Test(demo, counts_that_make_no_sense_are_refused)
{
    static const char *const counts[] = {"1", "0", "x", "1000"};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        demo_t demo = start(counts[i]);
        int code = finish(&demo);
        cr_assert_eq(code, 2, "%s", demo.out);
        expect_nothing_left(&demo);
    }
}
