/* relay_test.c - the relay passes bytes both ways, and cuts, stalls and heals as told. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/relay.h"

#define SOON_MS  50    /* long enough for a byte that should not have come */
#define LIMIT_MS 10000 /* a byte that should come is there long before */

static struct sockaddr_in at(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port)};
}

/* A listening socket and its port. */
static int listen_any(int *ret_port)
{
    struct sockaddr_in address = at(0);
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 8) == 0);
    cr_assert(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static int dial(int port)
{
    struct sockaddr_in address = at(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, timeout_ms) == 1;
}

static void expect(int fd, const char *text)
{
    char got[64] = "";
    cr_assert(readable(fd, LIMIT_MS));
    cr_assert(recv(fd, got, strlen(text), MSG_WAITALL) == (ssize_t)strlen(text));
    cr_assert_str_eq(got, text);
}

static bool ended(int fd)
{
    char byte;
    return readable(fd, LIMIT_MS) && recv(fd, &byte, 1, 0) <= 0;
}

typedef struct rig {
    int listener, near, far, port;
    relay_t *relay;
} rig_t;

static rig_t connect_through(void)
{
    rig_t rig;
    rig.listener = listen_any(&rig.port);
    rig.relay = relay_new(rig.port);
    rig.near = dial(relay_port(rig.relay));
    rig.far = accept(rig.listener, NULL, NULL);
    cr_assert(rig.far >= 0);
    return rig;
}

static void end(rig_t *rig)
{
    close(rig->near);
    close(rig->far);
    close(rig->listener);
    relay_destroy(&rig->relay);
}

Test(relay, passes_bytes_both_ways_and_counts_them)
{
    rig_t rig = connect_through();
    cr_assert(send(rig.near, "there", 5, 0) == 5);
    expect(rig.far, "there");
    cr_assert(send(rig.far, "and back", 8, 0) == 8);
    expect(rig.near, "and back");
    /* They are counted after they were passed on: the reader may be ahead of the count. */
    while (relay_bytes(rig.relay) < 13)
        sched_yield();
    cr_assert(relay_bytes(rig.relay) == 13);
    end(&rig);
}

Test(relay, moves_more_than_its_buffers_hold)
{
    enum { TOTAL = 4 << 20 };
    rig_t rig = connect_through();
    static char sent[65536], got[65536];
    size_t out = 0, in = 0;
    while (in < TOTAL) {
        for (size_t i = 0; i < sizeof sent; i++)
            sent[i] = (char)((out + i) * 31 >> 3);
        ssize_t n = out < TOTAL ? send(rig.near, sent, sizeof sent, MSG_DONTWAIT) : 0;
        if (n > 0) out += (size_t)n;
        n = recv(rig.far, got, sizeof got, MSG_DONTWAIT);
        for (ssize_t i = 0; i < n; i++)
            cr_assert(got[i] == (char)((in + (size_t)i) * 31 >> 3));
        if (n > 0) in += (size_t)n;
    }
    end(&rig);
}

Test(relay, a_cut_ends_both_sides_and_refuses_new_ones_until_healed)
{
    rig_t rig = connect_through();
    relay_set(rig.relay, RELAY_CUT);
    cr_assert(relay_connections(rig.relay) == 0);
    cr_assert(ended(rig.near) && ended(rig.far));
    int refused = dial(relay_port(rig.relay));
    cr_assert(ended(refused));
    close(refused);

    relay_set(rig.relay, RELAY_OPEN);
    close(rig.near);
    close(rig.far);
    rig.near = dial(relay_port(rig.relay));
    rig.far = accept(rig.listener, NULL, NULL);
    cr_assert(send(rig.near, "again", 5, 0) == 5);
    expect(rig.far, "again");
    end(&rig);
}

Test(relay, a_stall_keeps_the_connection_and_holds_the_bytes_back)
{
    rig_t rig = connect_through();
    relay_set(rig.relay, RELAY_STALLED);
    cr_assert(send(rig.near, "late", 4, 0) == 4);
    cr_assert(!readable(rig.far, SOON_MS));
    relay_set(rig.relay, RELAY_OPEN);
    expect(rig.far, "late");
    end(&rig);
}

Test(relay, a_target_that_does_not_listen_ends_the_connection)
{
    rig_t rig = connect_through();
    close(rig.listener);
    int lost = dial(relay_port(rig.relay));
    cr_assert(ended(lost));
    close(lost);
    rig.listener = listen_any(&rig.port);
    end(&rig);
}
