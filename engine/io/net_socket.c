/* net_socket.c - ZeroMQ sockets as we want them: options, monitors, frames. */
#include <sys/resource.h>

#include "base/limits.h"
#include "base/mem.h"
#include "io/net_impl.h"

#define ZAP_ENFORCE_DOMAIN 93   /* stable by number; zmq.h of 4.3.4 shows it with drafts only */
#define BACKLOG            1024 /* connection storms overflow the default of 100 (limits.md 2) */
#define HEARTBEAT_MS       15000
#define HEARTBEAT_DEAD_MS  45000
#define CONNECT_MS         10000
#define CIPHER_BYTES       64 /* CURVE adds 33 to a frame; the limit is checked before decryption */
#define DESCRIPTORS_WANTED 65536

static int set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

static bool set_common(void *socket)
{
    const int64_t message_bytes = CS_MESSAGE_BYTES_MAX + CIPHER_BYTES;
    return zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_bytes, sizeof message_bytes) == 0 &&
           set_int(socket, ZMQ_LINGER, 0) == 0 && set_int(socket, ZMQ_SNDHWM, CS_HWM) == 0 &&
           set_int(socket, ZMQ_RCVHWM, CS_HWM) == 0 && set_int(socket, ZMQ_RCVTIMEO, 0) == 0 &&
           set_int(socket, ZMQ_SNDTIMEO, 0) == 0 &&
           set_int(socket, ZMQ_HANDSHAKE_IVL, CS__HANDSHAKE_MS) == 0 &&
           set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) == 0 &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_DEAD_MS) == 0;
}

static bool set_of_type(void *socket, int type)
{
    if (type == ZMQ_ROUTER) {
        return set_int(socket, ZMQ_ROUTER_MANDATORY, 1) == 0 &&
               set_int(socket, ZMQ_BACKLOG, BACKLOG) == 0 &&
               set_int(socket, ZAP_ENFORCE_DOMAIN, 1) == 0 &&
               zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, CS_ZAP_DOMAIN, strlen(CS_ZAP_DOMAIN)) ==
                   0;
    }
    /* An attempt is one connection: we dial anew ourselves, as libzmq does not after ZAP's 400
     * or a protocol error. So that its own retry is seen as the end of the attempt, it never
     * comes. */
    return set_int(socket, ZMQ_IMMEDIATE, 1) == 0 &&
           set_int(socket, ZMQ_RECONNECT_IVL, 24 * 3600 * 1000) == 0 &&
           set_int(socket, ZMQ_CONNECT_TIMEOUT, CONNECT_MS) == 0;
}

void *cs__socket_new(cs_net_t *net, int type)
{
    void *socket = zmq_socket(net->context, type);
    if (socket == NULL) return NULL;
    bool set = set_common(socket) && set_of_type(socket, type);
    CS_ASSERT(set);
    return socket;
}

int cs__socket_set_family(void *socket, const char *endpoint, bool name_v6)
{
    const char *scheme = strstr(endpoint, "://");
    const char *host = scheme == NULL ? endpoint : scheme + 3;
    size_t len = strspn(host, "0123456789.");
    bool v4 = len > 0 && host[len] == ':', literal_v6 = host[0] == '[';
    return set_int(socket, ZMQ_IPV6, literal_v6 || (!v4 && name_v6));
}

void cs__socket_close(void **socket_p)
{
    if (*socket_p != NULL) zmq_close(*socket_p);
    *socket_p = NULL;
}

/* The reader may not go first: libzmq's I/O thread would wait for ever to tell it of an event,
 * and with it every link of this process (libzmq#3575). */
void cs__monitor_close(void *socket, void **monitor_p)
{
    if (socket != NULL) (void)zmq_socket_monitor(socket, NULL, 0);
    cs__socket_close(monitor_p);
}

void *cs__monitor_new(cs_net_t *net, void *socket, int events)
{
    char name[64];
    snprintf(name, sizeof name, "inproc://monitor-%llu",
             (unsigned long long)net->monitor_count++);
    if (zmq_socket_monitor(socket, name, events) != 0) return NULL;
    void *monitor = zmq_socket(net->context, ZMQ_PAIR);
    /* Without a bound: a full monitor would block libzmq's I/O thread. */
    if (monitor != NULL && set_int(monitor, ZMQ_RCVHWM, 0) == 0 &&
        set_int(monitor, ZMQ_LINGER, 0) == 0 && set_int(monitor, ZMQ_RCVTIMEO, 0) == 0 &&
        zmq_connect(monitor, name) == 0) {
        return monitor;
    }
    cs__monitor_close(socket, &monitor);
    return NULL;
}

int cs__monitor_next(void *monitor, uint32_t *ret_value)
{
    zmsg_t *msg = zmsg_recv(monitor);
    if (msg == NULL) return 0;
    uint16_t event;
    zframe_t *first = zmsg_first(msg);
    CS_ASSERT(zframe_size(first) == sizeof event + sizeof *ret_value);
    memcpy(&event, zframe_data(first), sizeof event);
    memcpy(ret_value, zframe_data(first) + sizeof event, sizeof *ret_value);
    zmsg_destroy(&msg);
    return event;
}

cs_err_t cs__socket_watch(cs_net_t *net, void *socket, short events, zloop_fn *handler,
                          void *arg)
{
    zmq_pollitem_t item = {.socket = socket, .events = events};
    if (zloop_poller(net->loop, &item, handler, arg) != 0) return CS_ERR_IO;
    zloop_poller_set_tolerant(net->loop, &item);
    return CS_OK;
}

void cs__socket_unwatch(cs_net_t *net, void *socket)
{
    zmq_pollitem_t item = {.socket = socket};
    if (socket != NULL) zloop_poller_end(net->loop, &item);
}

void cs__raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    rlim_t wanted = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    /* Failure leaves what there is; links then fail one by one, and say so. */
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

bool cs__receive(void *socket, zframe_t **ret_header, zframe_t **ret_payload,
                 bool *ret_malformed)
{
    *ret_payload = NULL;
    *ret_malformed = false;
    *ret_header = zframe_recv(socket);
    if (*ret_header == NULL) return false;
    if (zframe_more(*ret_header)) *ret_payload = zframe_recv(socket);
    bool more = *ret_payload != NULL && zframe_more(*ret_payload);
    if (!more) return true;
    *ret_malformed = true;
    while (more) {
        zframe_t *surplus = zframe_recv(socket);
        more = surplus != NULL && zframe_more(surplus);
        zframe_destroy(&surplus);
    }
    return true;
}

cs_slice_t cs__keep_alive(void)
{
    return cs_slice("\0", 1);
}

bool cs__is_keep_alive(zframe_t *header, zframe_t *payload)
{
    return payload == NULL && zframe_size(header) == 1;
}

int cs__send_parts(void *socket, cs__out_t *out, cs_slice_t header, cs_buf_t *payload_p)
{
    bool more = payload_p != NULL && payload_p->len > 0;
    int rc = zmq_send(socket, header.data, header.len, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    if (rc < 0) return -1;
    /* The first part was taken, so the second one is, or both vanish with the connection. */
    if (more) (void)!cs__out_send(socket, out, payload_p);
    return 0;
}
