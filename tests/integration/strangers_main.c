/* strangers_main.c - who is not let in, and links that are doubled, on real nodes: strangers
 * that speak nonsense, one byte a second, or nothing, that announce a huge frame, or repeat
 * what another one said; a thousand connections at a time; one node reached by two addresses;
 * two nodes that join each other at once. Memory stays bounded, and one line of the log tells.
 *
 *   strangers [SCENE]... */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/hostile.h"
#include "support/onlooker.h"
#include "support/relay.h"

static void pass(void *arg)
{
    (void)arg;
    poll(NULL, 0, 5);
}

static void others(cluster_t *c, const char *what)
{
    others_do_not_notice(c, what, pass, NULL);
}

static void said(cluster_t *c, const char *what, const char *event)
{
    expect_lines(&c->node[0], what, event, "somebody", pass, NULL);
}

/* --- strangers without a word of ZMTP */

static int connect_to(const cluster_node_t *node)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)node->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) test_fail("socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        test_fail("connect: %s", strerror(errno));
    return fd;
}

static void say(int fd, const void *bytes, size_t len)
{
    (void)!send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void expect_hung_up(int fd, const char *what)
{
    char drop[256];
    double end = test_now() + ONLOOKER_SOON_S;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (;;) {
        ssize_t got = recv(fd, drop, sizeof drop, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) break;
        if (test_now() > end) test_fail("%s: the stranger is still connected", what);
        poll(NULL, 0, 20);
    }
    close(fd);
}

/* ZMTP 3.1, CURVE, a client. */
static const uint8_t greeting[64] = {0xff, 0, 0, 0,   0,   0,   0,   0,  1,
                                     0x7f, 3, 1, 'C', 'U', 'R', 'V', 'E'};

static void nonsense(cluster_t *c)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
    uint8_t zeros[4096] = {0}, noise[4096];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 7 + 255);
    int fd[4];
    for (size_t i = 0; i < 4; i++)
        fd[i] = connect_to(&c->node[0]);
    say(fd[0], http, sizeof http - 1);
    say(fd[1], zeros, sizeof zeros);
    say(fd[2], noise, sizeof noise);
    others(c, "strangers that speak nonsense, and one that says nothing");
    for (size_t i = 0; i < 4; i++)
        expect_hung_up(fd[i], "nonsense");
    said(c, "nonsense", "peer.garbled");
}

/* Until it is given up, which is before its greeting is complete. */
static void slow_stranger(cluster_t *c)
{
    int fd = connect_to(&c->node[0]);
    for (size_t i = 0; i < 4; i++) {
        say(fd, greeting + i, 1);
        poll(NULL, 0, 1000);
    }
    others(c, "a stranger of one byte a second");
    expect_hung_up(fd, "one byte a second");
    said(c, "one byte a second", "peer.garbled");
}

/* A greeting that is right, and then a frame of so many bytes. */
static void huge_frame(cluster_t *c)
{
    static const uint8_t command[] = {6, 0, 0, 1, 0, 0, 0, 0, 0, 5, 'H', 'E', 'L', 'L', 'O'};
    int fd = connect_to(&c->node[0]);
    say(fd, greeting, sizeof greeting);
    say(fd, command, sizeof command);
    others(c, "a stranger with a frame of a terabyte");
    expect_hung_up(fd, "a huge frame");
    said(c, "a huge frame", "peer.garbled");
}

static bool is_up(void *arg)
{
    return ((hostile_t *)arg)->link != 0;
}

/* What a member said when it was let in, said again by somebody else. */
static void repeated(cluster_t *c)
{
    hostile_t member;
    uint8_t bytes[RELAY_KEPT];
    relay_t *relay = relay_new(c->node[0].port);
    cluster_node_t by_relay = c->node[0];
    by_relay.port = relay_port(relay);
    hostile_new(&member, c, 0x777);
    cluster_do(c, 0, NULL, "peer add %s --folder %s", member.id, c->folder);
    hostile_dial(&member, &by_relay);
    if (!hostile_await(&member, is_up, &member)) test_fail("a member is not let in");
    size_t len = relay_said(relay, bytes);
    expect_lines(&c->node[0], "a member", "peer.up", member.id, pass, NULL);
    hostile_destroy(&member);
    relay_destroy(&relay);
    int fd = connect_to(&c->node[0]);
    say(fd, bytes, len);
    others(c, "a handshake that is repeated");
    expect_hung_up(fd, "a repeated handshake");
    if (log_lines(&c->node[0], "peer.up", member.id) != 1)
        test_fail("a repeated handshake is let in");
    said(c, "a repeated handshake", "peer.garbled");
}

static bool is_refused(void *arg)
{
    return ((hostile_t *)arg)->refused > 0;
}

static void unknown_key(cluster_t *c)
{
    hostile_t stranger;
    hostile_new(&stranger, c, 0x777);
    hostile_dial(&stranger, &c->node[0]);
    if (!hostile_await(&stranger, is_refused, &stranger))
        test_fail("a stranger is not refused");
    if (stranger.ups != 0) test_fail("a stranger is let in");
    others(c, "a key that is not known");
    said(c, "a key that is not known", "peer.refused");
    hostile_destroy(&stranger);
}

/* A member, but there is room for one only. */
static void full(cluster_t *c)
{
    hostile_t member[2];
    for (size_t i = 0; i < 2; i++) {
        hostile_new(&member[i], c, 0x778 + i);
        cluster_do(c, 0, NULL, "peer add %s --folder %s", member[i].id, c->folder);
        hostile_dial(&member[i], &c->node[0]);
        if (i == 0) hostile_await_up(&member[i]);
    }
    if (!hostile_await(&member[1], is_refused, &member[1])) test_fail("one too many is let in");
    others(c, "no room for another one");
    said(c, "no room for another one", "peer.full");
    hostile_destroy(&member[0]);
    hostile_await_up(&member[1]); /* it tries again */
    hostile_destroy(&member[1]);
}

/* --- a thousand connections */

#define THOUSAND 1000

static void many(cluster_t *c)
{
    static int fd[THOUSAND];
    int before = open_files(&c->node[0]);
    for (unsigned round = 0; round < 3; round++) {
        double begin = test_now();
        for (int i = 0; i < THOUSAND; i++) {
            fd[i] = connect_to(&c->node[0]);
            say(fd[i], greeting, (size_t)i % sizeof greeting);
            if (i % 3 == 0) shutdown(fd[i], SHUT_WR);
        }
        printf("%d connections in %.2f s\n", THOUSAND, test_now() - begin);
        if (round == 1) others(c, "a thousand connections");
        for (int i = 0; i < THOUSAND; i++)
            close(fd[i]);
    }
    others(c, "thousands of connections that were closed");
    double end = test_now() + ONLOOKER_SOON_S;
    while (open_files(&c->node[0]) > before + 20) {
        if (test_now() > end)
            test_fail("%d open files, %d before", open_files(&c->node[0]), before);
        poll(NULL, 0, 50);
    }
    said(c, "a thousand connections", "peer.garbled");
}

/* Nothing is to be done: a link that took another one's place may be told, and who came before
 * his key was known. */
static void quiet(cluster_t *c, const char *what)
{
    for (int i = 0; i < c->count; i++) {
        unsigned lines = log_lines(&c->node[i], "warning", "peer.");
        if (lines > ONLOOKER_LINES_MAX)
            test_fail("%s: %u lines of node %d about it", what, lines, i);
    }
}

/* --- one node by two addresses: each dials the other, one of them through a relay */

static void two_addresses(void)
{
    cluster_t c;
    cluster_new(&c, 2);
    relay_t *relay = relay_new(c.node[0].port);
    cluster_pair(&c, 0, 1, 0);
    cluster_pair(&c, 1, 0, relay_port(relay));
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    double end = test_now() + ONLOOKER_SOON_S;
    while (relay_connections(relay) == 0) {
        if (test_now() > end) test_fail("the second address is not dialled");
        poll(NULL, 0, 5);
    }
    others(&c, "two addresses");
    for (int i = 0; i < 3; i++) {
        relay_set(relay, RELAY_CUT);
        others(&c, "one of them is cut");
        relay_set(relay, RELAY_OPEN);
        others(&c, "and there again");
    }
    /* The same key once more, by yet another name: it changes the record, and costs nobody a
     * link. */
    cluster_do(&c, 0, NULL, "peer add %s tcp://localhost:%d", c.node[1].id, c.node[1].port);
    others(&c, "another name of the same address");
    quiet(&c, "two addresses");
    cluster_settle(&c, 60);
    cluster_check_equal(&c);
    relay_destroy(&relay);
    cluster_destroy(&c);
}

/* --- two nodes that join each other at once */

static void last_line(char *text)
{
    text[strcspn(text, "\n")] = '\0';
}

static void join_each_other(void)
{
    cluster_t c;
    char token[2][CLUSTER_TEXT];
    cluster_new(&c, 2);
    for (int i = 0; i < 2; i++) {
        test_shell("mkdir %s/own%d && echo of %d > %s/own%d/file", c.dir, i, i, c.dir, i);
        cluster_do(&c, i, NULL, "folder add %s/own%d --id own%d", c.dir, i, i);
        cluster_start(&c, i);
        cluster_do(&c, i, token[i], "invite own%d --endpoint tcp://127.0.0.1:%d", i,
                   c.node[i].port);
        last_line(token[i]);
    }
    printf("two nodes join each other at once\n");
    const char *program = getenv("CRDTSYNC_BIN");
    test_shell("'%s' --home %s join %s %s/joined0 >/dev/null & first=$!; "
               "'%s' --home %s join %s %s/joined1 >/dev/null && wait $first",
               program, c.node[0].home, token[1], c.dir, program, c.node[1].home, token[0],
               c.dir);
    for (int i = 0; i < 2; i++) {
        test_shell("i=0; until cmp -s %s/own%d/file %s/joined%d/file; do i=$((i+1)); "
                   "[ $i -lt 1200 ] || exit 1; sleep 0.05; done",
                   c.dir, i, c.dir, 1 - i);
    }
    quiet(&c, "both join");
    cluster_destroy(&c);
}

/* --- all of it */

#define MEMORY_MIB 64 /* limits.memory-mib, the least there may be */
#define PEERS_MAX  1  /* limits.max-peers: node 1 is dialled, and does not count */

typedef struct scene {
    const char *name;
    void (*play)(cluster_t *c); /* on a pair of nodes that runs, or */
    void (*alone)(void);
} scene_t;

/* A log of its own for each. */
static void play(const scene_t *scene)
{
    cluster_t c;
    cluster_new(&c, 2);
    cluster_pair(&c, 0, 1, 0);
    test_shell("cd %s && sed -i 's/memory-mib = .*/memory-mib = %d/; "
               "s/max-peers = .*/max-peers = %d/' config && "
               "grep -q 'memory-mib = %d$' config && grep -q 'max-peers = %d$' config",
               c.node[0].home, MEMORY_MIB, PEERS_MAX, MEMORY_MIB, PEERS_MAX);
    cluster_start(&c, 0);
    cluster_start(&c, 1);
    cluster_settle(&c, 60);
    scene->play(&c);
    check_memory(&c.node[0], scene->name, MEMORY_MIB);
    cluster_check_equal(&c);
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const scene_t scenes[] = {
        {"nonsense", nonsense, NULL},
        {"slow", slow_stranger, NULL},
        {"huge", huge_frame, NULL},
        {"repeated", repeated, NULL},
        {"unknown", unknown_key, NULL},
        {"full", full, NULL},
        {"many", many, NULL},
        {"two", NULL, two_addresses},
        {"join", NULL, join_each_other},
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        bool chosen = argc == 1;
        for (int k = 1; k < argc; k++)
            chosen = chosen || strcmp(argv[k], scenes[i].name) == 0;
        if (!chosen) continue;
        if (scenes[i].play != NULL) play(&scenes[i]);
        if (scenes[i].alone != NULL) scenes[i].alone();
    }
    return 0;
}
