/* relay.c - one thread, one poll loop, two sockets and two buffers a connection. */
#include "support/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/cluster.h"

#define CONNECTIONS_MAX 32
#define WAY_BYTES       65536
#define STOP            (RELAY_CUT + 1)
#define SLOW_MS         1000 /* RELAY_SLOW: between two bytes of a way */

/* Bytes on their way in one direction: read from `from`, not yet written to `to`. */
typedef struct way {
    int from, to;
    size_t head, len;
    bool kept; /* what passes is */
    char bytes[WAY_BYTES];
} way_t;

typedef struct connection {
    way_t there, back;
} connection_t;

struct relay {
    int listener, wake, port, target;
    pthread_t thread;
    atomic_int wanted; /* a mode, or STOP */
    atomic_int mode;   /* what the loop has made true */
    atomic_ullong bytes;
    atomic_int count;
    uint8_t said[RELAY_KEPT];
    atomic_size_t said_len;
    bool taken; /* a connection was */
    connection_t *open[CONNECTIONS_MAX];
};

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons((uint16_t)port)};
}

static void drop(relay_t *relay, int index)
{
    connection_t *gone = relay->open[index];
    close(gone->there.from);
    close(gone->there.to);
    free(gone);
    int count = atomic_load(&relay->count) - 1;
    relay->open[index] = relay->open[count];
    atomic_store(&relay->count, count);
}

/* Connecting on loopback ends at once: the target listens or it does not. */
static int dial(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void take(relay_t *relay)
{
    int fd = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    int count = atomic_load(&relay->count);
    int other = count < CONNECTIONS_MAX && atomic_load(&relay->mode) != RELAY_CUT
                    ? dial(relay->target)
                    : -1;
    if (other < 0) {
        close(fd);
        return;
    }
    connection_t *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) abort();
    fresh->there.from = fresh->back.to = fd;
    fresh->there.to = fresh->back.from = other;
    fresh->there.kept = !relay->taken;
    relay->taken = true;
    relay->open[count] = fresh;
    atomic_store(&relay->count, count + 1);
}

static void keep(relay_t *relay, const char *bytes, size_t len)
{
    size_t have = atomic_load(&relay->said_len);
    size_t more = len < RELAY_KEPT - have ? len : RELAY_KEPT - have;
    memcpy(relay->said + have, bytes, more);
    atomic_store(&relay->said_len, have + more);
}

/* False: the connection is over. */
static bool move_bytes(relay_t *relay, way_t *way)
{
    if (way->len == 0) {
        way->head = 0;
        ssize_t n = recv(way->from, way->bytes, sizeof way->bytes, 0);
        if (n == 0) return false;
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        way->len = (size_t)n;
    }
    size_t most = atomic_load(&relay->mode) == RELAY_SLOW ? 1 : way->len;
    ssize_t n = send(way->to, way->bytes + way->head, most, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (way->kept) keep(relay, way->bytes + way->head, (size_t)n);
    way->head += (size_t)n;
    way->len -= (size_t)n;
    atomic_fetch_add(&relay->bytes, (unsigned long long)n);
    return true;
}

/* A byte of each way. */
static void trickle(relay_t *relay)
{
    for (int i = atomic_load(&relay->count) - 1; i >= 0; i--) {
        connection_t *c = relay->open[i];
        if (!move_bytes(relay, &c->there) || !move_bytes(relay, &c->back)) drop(relay, i);
    }
}

static short wish(const way_t *in, const way_t *out)
{
    return (short)((in->len == 0 ? POLLIN : 0) | (out->len > 0 ? POLLOUT : 0));
}

/* fds: the wake-up, the listener, then two of each connection. */
static nfds_t watch(const relay_t *relay, struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = relay->wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = relay->listener, .events = POLLIN};
    nfds_t count = 2;
    if (atomic_load(&relay->mode) != RELAY_OPEN) return count;
    for (int i = 0; i < atomic_load(&relay->count); i++) {
        const connection_t *c = relay->open[i];
        fds[count++] =
            (struct pollfd){.fd = c->there.from, .events = wish(&c->there, &c->back)};
        fds[count++] = (struct pollfd){.fd = c->there.to, .events = wish(&c->back, &c->there)};
    }
    return count;
}

static void obey(relay_t *relay)
{
    uint64_t drained;
    if (read(relay->wake, &drained, sizeof drained) < 0 && errno != EAGAIN) abort();
    int wanted = atomic_load(&relay->wanted);
    while (wanted >= RELAY_CUT && atomic_load(&relay->count) > 0)
        drop(relay, 0);
    atomic_store(&relay->mode, wanted);
}

static void *loop(void *arg)
{
    relay_t *relay = arg;
    struct pollfd fds[2 + 2 * CONNECTIONS_MAX];
    while (atomic_load(&relay->mode) != STOP) {
        nfds_t count = watch(relay, fds);
        bool slow = atomic_load(&relay->mode) == RELAY_SLOW;
        int ready = poll(fds, count, slow ? SLOW_MS : -1);
        if (ready < 0 && errno != EINTR) abort();
        if (slow && ready == 0) trickle(relay);
        for (int i = (int)(count - 2) / 2 - 1; i >= 0; i--) {
            if ((fds[2 + 2 * i].revents | fds[3 + 2 * i].revents) == 0) continue;
            connection_t *c = relay->open[i];
            if (!move_bytes(relay, &c->there) || !move_bytes(relay, &c->back)) drop(relay, i);
        }
        if (fds[0].revents != 0) obey(relay);
        if (fds[1].revents != 0) take(relay);
    }
    return NULL;
}

relay_t *relay_new(int target_port)
{
    relay_t *relay = calloc(1, sizeof *relay);
    if (relay == NULL) abort();
    relay->target = target_port;
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;
    relay->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    relay->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (relay->wake < 0 || relay->listener < 0 ||
        bind(relay->listener, (struct sockaddr *)&address, len) != 0 ||
        listen(relay->listener, CONNECTIONS_MAX) != 0 ||
        getsockname(relay->listener, (struct sockaddr *)&address, &len) != 0) {
        test_fail("relay: %s", strerror(errno));
    }
    relay->port = ntohs(address.sin_port);
    if (pthread_create(&relay->thread, NULL, loop, relay) != 0) test_fail("relay: no thread");
    return relay;
}

int relay_port(const relay_t *relay)
{
    return relay->port;
}

static void ask(relay_t *relay, int wanted)
{
    uint64_t one = 1;
    atomic_store(&relay->wanted, wanted);
    if (write(relay->wake, &one, sizeof one) != sizeof one) abort();
}

void relay_set(relay_t *relay, relay_mode_t mode)
{
    ask(relay, mode);
    while (atomic_load(&relay->mode) != (int)mode)
        poll(NULL, 0, 1);
}

uint64_t relay_bytes(const relay_t *relay)
{
    return atomic_load(&relay->bytes);
}

size_t relay_said(const relay_t *relay, uint8_t *ret)
{
    size_t len = atomic_load(&relay->said_len);
    memcpy(ret, relay->said, len);
    return len;
}

int relay_connections(const relay_t *relay)
{
    return atomic_load(&relay->count);
}

void relay_destroy(relay_t **relay_p)
{
    relay_t *relay = *relay_p;
    if (relay == NULL) return;
    *relay_p = NULL;
    ask(relay, STOP);
    pthread_join(relay->thread, NULL);
    close(relay->listener);
    close(relay->wake);
    free(relay);
}
