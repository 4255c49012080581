/* watch_test.c - `status --watch` on a terminal of its own, and without one. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "support/cluster.h"
#include "support/shell.h"

typedef struct terminal {
    int fd;    /* of the other side */
    int slave; /* kept open, to ask what became of it */
    pid_t pid;
    char seen[1 << 20]; /* all that was written */
    size_t len;
} terminal_t;

static terminal_t *terminal_new(unsigned short columns)
{
    terminal_t *terminal = calloc(1, sizeof *terminal);
    cr_assert_not_null(terminal);
    terminal->fd = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(terminal->fd >= 0 && grantpt(terminal->fd) == 0 && unlockpt(terminal->fd) == 0);
    terminal->slave = open(ptsname(terminal->fd), O_RDWR | O_NOCTTY);
    cr_assert_geq(terminal->slave, 0);
    struct winsize size = {.ws_col = columns, .ws_row = 20};
    cr_assert_eq(ioctl(terminal->slave, TIOCSWINSZ, &size), 0);
    return terminal;
}

/* `status --watch` with the terminal as its own. */
static void begin(terminal_t *terminal, const char *home, const char *no_color)
{
    terminal->pid = fork();
    cr_assert_geq(terminal->pid, 0);
    if (terminal->pid > 0) return;
    setsid();
    (void)!ioctl(terminal->slave, TIOCSCTTY, 0);
    for (int fd = 0; fd <= 2; fd++) {
        dup2(terminal->slave, fd);
    }
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    if (no_color != NULL) setenv("NO_COLOR", no_color, 1);
    execl(getenv("CRDTSYNC_BIN"), "crdtsync", "status", "--watch", "--home", home,
          (char *)NULL);
    _exit(127);
}

static bool saw(const terminal_t *terminal, const char *part)
{
    return memmem(terminal->seen, terminal->len, part, strlen(part)) != NULL;
}

static void read_more(terminal_t *terminal)
{
    struct pollfd poll_fd = {.fd = terminal->fd, .events = POLLIN};
    if (poll(&poll_fd, 1, 100) <= 0) return;
    ssize_t got = read(terminal->fd, terminal->seen + terminal->len,
                       sizeof terminal->seen - terminal->len);
    if (got > 0) terminal->len += (size_t)got;
}

/* Within the time-out of the test. */
static void until(terminal_t *terminal, const char *part)
{
    while (!saw(terminal, part)) {
        cr_assert_eq(waitpid(terminal->pid, NULL, WNOHANG), 0, "it ended: %.*s",
                     (int)terminal->len, terminal->seen);
        read_more(terminal);
    }
}

/* The exit code; what was written until then is read. */
static int end(terminal_t *terminal)
{
    int status;
    while (waitpid(terminal->pid, &status, WNOHANG) == 0) {
        read_more(terminal);
    }
    read_more(terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* As it was: echo and lines, its own screen, a cursor. */
static void check_restored(terminal_t *terminal)
{
    struct termios now;
    cr_assert_eq(tcgetattr(terminal->slave, &now), 0);
    cr_assert((now.c_lflag & ECHO) != 0 && (now.c_lflag & ICANON) != 0);
    cr_assert(saw(terminal, "\033[?25h\033[?1049l"));
}

static void terminal_free(terminal_t *terminal)
{
    close(terminal->fd);
    close(terminal->slave);
    free(terminal);
}

static void start(cluster_t *cluster)
{
    cluster_new(cluster, 1);
    cluster_start(cluster, 0);
    node_text(&cluster->node[0], "one", "1");
    cluster_do(cluster, 0, NULL, "scan");
}

static void finish(cluster_t *cluster)
{
    cluster_stop(cluster, 0);
    cluster_destroy(cluster);
}

Test(watch, draws_a_screen_and_gives_it_back, .timeout = 120)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    static const int codes[] = {0, 128 + SIGTERM, 128 + SIGHUP};
    cluster_t cluster;
    start(&cluster);
    for (int i = 0; i < 3; i++) {
        terminal_t *terminal = terminal_new(80);
        begin(terminal, cluster.node[0].home, NULL);
        until(terminal, "\033[?1049h\033[?25l");
        until(terminal, "1 files, 1 B");
        /* It is drawn over, not scrolled. */
        until(terminal, "\033[J\033[H");
        cr_assert(saw(terminal, "\033[1mnode node0"));
        kill(terminal->pid, signals[i]);
        cr_assert_eq(end(terminal), codes[i]);
        check_restored(terminal);
        terminal_free(terminal);
    }
    finish(&cluster);
}

Test(watch, follows_what_happens_until_q, .timeout = 120)
{
    cluster_t cluster;
    start(&cluster);
    terminal_t *terminal = terminal_new(80);
    begin(terminal, cluster.node[0].home, "1");
    until(terminal, "1 files, 1 B");
    node_text(&cluster.node[0], "two", "22");
    cluster_do(&cluster, 0, NULL, "scan");
    until(terminal, "2 files, 3 B");
    cr_assert_not(saw(terminal, "\033[1m"), "NO_COLOR");
    cr_assert_eq(write(terminal->fd, "xq", 2), 2);
    cr_assert_eq(end(terminal), 0);
    check_restored(terminal);
    terminal_free(terminal);
    finish(&cluster);
}

Test(watch, keeps_to_narrow_terminals, .timeout = 120)
{
    cluster_t cluster;
    start(&cluster);
    terminal_t *terminal = terminal_new(10);
    begin(terminal, cluster.node[0].home, "1");
    until(terminal, "\033[Hnode node0\033[K\r\n\033[K\r\nshared    \033[K\r\n\033[J");
    kill(terminal->pid, SIGINT);
    cr_assert_eq(end(terminal), 0);
    terminal_free(terminal);
    finish(&cluster);
}

Test(watch, ends_with_its_node, .timeout = 120)
{
    cluster_t cluster;
    start(&cluster);
    terminal_t *terminal = terminal_new(80);
    begin(terminal, cluster.node[0].home, NULL);
    until(terminal, "1 files, 1 B");
    cluster_stop(&cluster, 0);
    cr_assert_eq(end(terminal), 3);
    check_restored(terminal);
    cr_assert(saw(terminal, "no node is running"));
    terminal_free(terminal);
    cluster_destroy(&cluster);
}

Test(watch, prints_lines_where_there_is_no_terminal, .timeout = 120)
{
    cluster_t cluster;
    shell_t *shell = shell_new();
    start(&cluster);
    const char *home = cluster.node[0].home;
    EXPECT(
        shell, 0, "",
        "{ $B status --watch --home %s >lines 2>&1 & } && echo $! >pid && { $B status --watch "
        "--json --home %s >json 2>&1 & } && echo $! >pid2 && until grep -q 'shared idle: 1 "
        "files, 1 B' lines && grep -q '\"files\":1,' json; do :; done",
        home, home);
    node_text(&cluster.node[0], "two", "22");
    cluster_do(&cluster, 0, NULL, "scan");
    EXPECT(
        shell, 0, "",
        "until grep -q 'shared idle: 2 files, 3 B' lines && grep -q '\"files\":2,' json; do :; "
        "done; kill -INT $(cat pid) $(cat pid2)");
    EXPECT(shell, 1, "", "grep -l \"$(printf '\\033')\" lines json");
    cluster_stop(&cluster, 0);
    EXPECT(shell, 3, "no node is running", "$B status --watch --home %s", home);
    cluster_destroy(&cluster);
    shell_free(shell);
}
