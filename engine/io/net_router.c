/* net_router.c - incoming links: one ROUTER, peers told apart by routing id and proven key.
 *
 * ROUTER says neither that a peer came nor that it left. A link begins with its first message
 * (our dialler greets with a keep-alive), and it has ended when a send fails with EHOSTUNREACH.
 * So links are probed with keep-alives: those that the monitor reports as disconnected, those
 * that were full, those we threw out, and now and then all. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/mem.h"
#include "io/net_impl.h"

#define INPUT_BYTES    (4u << 20) /* read per wake-up, beside CS__INPUT_MESSAGES */
#define PROBE_FIRST_MS 1u
#define PROBE_FULL_MAX_MS                                                                  \
    32u                    /* a fast peer drains half a queue in less, a slow one can wait \
                            */
#define PROBE_MAX_MS 1000u /* by then libzmq knows; the sweep catches the rest */
#define SWEEP_MS     15000u
#define EVENTS                                                                       \
    (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)

static cs__link_t *find_route(const cs_net_t *net, zframe_t *route)
{
    for (size_t i = 0; i < net->link_count; i++) {
        cs__link_t *link = net->links[i];
        if (!link->outgoing && !link->gone && link->route_len == zframe_size(route) &&
            memcmp(link->route, zframe_data(route), link->route_len) == 0) {
            return link;
        }
    }
    return NULL;
}

void cs__router_update_full(cs_net_t *net)
{
    uint32_t open = 0;
    for (size_t i = 0; i < net->link_count; i++) {
        const cs__link_t *link = net->links[i];
        open += !link->outgoing && !link->gone && !link->closing;
    }
    bool full = open >= net->links_max;
    if (full != net->zap_full) cs_zap_set_full(net->zap, full);
    net->zap_full = full;
}

static void probe_soon(cs_net_t *net, cs__link_t *link)
{
    link->probe_wait_ms = PROBE_FIRST_MS;
    link->probe_at_ms = (uint64_t)zclock_mono() + PROBE_FIRST_MS;
    cs__net_wake(net, link->probe_at_ms);
}

/* 0, or what was wrong: EAGAIN, EHOSTUNREACH. */
static int send_to(const cs_net_t *net, const cs__link_t *link, cs_slice_t header,
                   cs_buf_t *payload_p)
{
    if (zmq_send(net->router, link->route, link->route_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        return errno == EAGAIN ? EAGAIN : EHOSTUNREACH;
    }
    int rc = cs__send_parts(net->router, link->out, header, payload_p);
    return rc == 0 ? 0 : EHOSTUNREACH;
}

cs_err_t cs__router_send(cs_net_t *net, cs__link_t *link, cs_slice_t header,
                         cs_buf_t *payload_p)
{
    int err = send_to(net, link, header, payload_p);
    if (err == 0) return CS_OK;
    if (err != EAGAIN) {
        link->gone = true; /* down() comes from housekeeping, not out of this call */
        cs__net_wake(net, 0);
        return CS_ERR_OFFLINE;
    }
    if (!link->full) probe_soon(net, link);
    link->full = true;
    return CS_ERR_AGAIN;
}

bool cs__router_whisper(cs_net_t *net, const cs__link_t *link, cs_slice_t message)
{
    return send_to(net, link, message, NULL) == 0;
}

void cs__router_eject(cs_net_t *net, cs__link_t *link)
{
    struct stat st;
    /* There is no call for it without libzmq's drafts. The inode says that the descriptor is
     * still this connection and has not been closed and reused by the I/O thread. */
    if (link->fd >= 0 && fstat(link->fd, &st) == 0 && st.st_ino == link->inode) {
        (void)shutdown(link->fd, SHUT_RDWR);
    }
    probe_soon(net, link);
}

static void remember_descriptor(cs_net_t *net, cs__link_t *link, zframe_t *header)
{
    struct stat st;
    const char *text = zframe_meta(header, "__fd"); /* what zmq_msg_get(ZMQ_SRCFD) reads */
    int fd = text == NULL ? -1 : (int)strtol(text, NULL, 10);
    if (fd < 0 || fstat(fd, &st) != 0) return;
    link->fd = fd;
    link->inode = st.st_ino;
    if ((size_t)fd < net->shaking_cap) net->shaking[fd] = false;
}

/* The first message of a connection; NULL if that has ended already. */
static cs__link_t *admit(cs_net_t *net, const uint8_t *key, zframe_t *route, zframe_t *header)
{
    cs__link_t *link = cs__link_add(net, key, NULL);
    link->route_len = zframe_size(route);
    memcpy(link->route, zframe_data(route), link->route_len);
    remember_descriptor(net, link, header);
    /* Denied, or the last place taken, between its handshake and now. */
    if (!cs_keyset_has(&net->allowed, key) || net->zap_full) {
        cs__link_close(net, link);
        return link;
    }
    if (send_to(net, link, cs__keep_alive(), NULL) == EHOSTUNREACH) {
        cs__link_end(net, link);
        return NULL;
    }
    cs__router_update_full(net);
    cs__link_up(net, link);
    return link;
}

static bool proven_key(zframe_t *header, uint8_t ret[CS_CURVE_KEY_BYTES])
{
    const char *user = zframe_meta(header, "User-Id");
    size_t len = 0;
    return user != NULL &&
           sodium_hex2bin(ret, CS_CURVE_KEY_BYTES, user, strlen(user), NULL, &len, NULL) == 0 &&
           len == CS_CURVE_KEY_BYTES;
}

static void take(cs_net_t *net, zframe_t *route, zframe_t **header_p, zframe_t **payload_p,
                 bool malformed)
{
    uint8_t key[CS_CURVE_KEY_BYTES];
    if (!proven_key(*header_p, key)) return; /* cannot be: ZAP sets it */
    cs__link_t *link = find_route(net, route);
    if (link != NULL && memcmp(link->key, key, sizeof key) != 0) {
        /* The id is another's now: libzmq allows that only once its owner has left. */
        cs__link_end(net, link);
        link = NULL;
    }
    if (link == NULL) link = admit(net, key, route, *header_p);
    if (link == NULL || link->closing) return;
    if (malformed) {
        cs__link_close(net, link);
    } else if (cs__is_keep_alive(*header_p, *payload_p)) {
        cs__echo_hear(net, link, *zframe_data(*header_p));
    } else {
        net->handler.message(net->handler.arg, link->id, header_p, payload_p);
    }
}

static int on_input(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    (void)item;
    cs_net_t *net = arg;
    size_t bytes = 0;
    int64_t until_ms = zclock_mono() + CS__INPUT_MS;
    for (unsigned i = 0; i < CS__INPUT_MESSAGES && bytes < INPUT_BYTES; i++) {
        if (i > 0 && zclock_mono() > until_ms) break;
        zframe_t *route = zframe_recv(net->router);
        if (route == NULL) break;
        zframe_t *header, *payload;
        bool malformed;
        if (zframe_more(route) && cs__receive(net->router, &header, &payload, &malformed)) {
            bytes += zframe_size(header) + (payload == NULL ? 0 : zframe_size(payload));
            take(net, route, &header, &payload, malformed);
            zframe_destroy(&header);
            zframe_destroy(&payload);
        }
        zframe_destroy(&route);
    }
    return 0;
}

/* Only a doubt: the descriptor may be a newer connection's by now. */
static void doubt(cs_net_t *net, uint32_t fd)
{
    for (size_t i = 0; i < net->link_count; i++) {
        cs__link_t *link = net->links[i];
        if (!link->outgoing && !link->gone && link->fd == (int)fd) probe_soon(net, link);
    }
}

static void turn_away(cs_net_t *net, cs_turned_away_t why)
{
    if (net->handler.turned_away != NULL) net->handler.turned_away(net->handler.arg, why);
}

static void begin_handshake(cs_net_t *net, uint32_t fd)
{
    if (fd >= net->shaking_cap) {
        size_t cap = cs_grow(net->shaking_cap, fd + 1);
        net->shaking = cs_realloc_array(net->shaking, cap, sizeof *net->shaking);
        memset(net->shaking + net->shaking_cap, 0, cap - net->shaking_cap);
        net->shaking_cap = cap;
    }
    net->shaking[fd] = true;
}

/* libzmq does not tell of every handshake that fails: not of one that is ended for a frame that
 * is too large. */
static void end_handshake(cs_net_t *net, uint32_t fd)
{
    if (fd >= net->shaking_cap || !net->shaking[fd]) return;
    net->shaking[fd] = false;
    if (net->shakes_failed == 0) {
        turn_away(net, CS_TURNED_HANDSHAKE);
    } else {
        net->shakes_failed--; /* that one, or one like it */
    }
}

static int on_event(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    (void)item;
    cs_net_t *net = arg;
    uint32_t value;
    for (int event; (event = cs__monitor_next(net->router_monitor, &value)) != 0;) {
        if (event == ZMQ_EVENT_ACCEPTED) {
            begin_handshake(net, value);
        } else if (event == ZMQ_EVENT_DISCONNECTED) {
            doubt(net, value);
            end_handshake(net, value);
        } else {
            bool auth = event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
            cs_turned_away_t key = net->zap_full ? CS_TURNED_FULL : CS_TURNED_KEY;
            net->shakes_failed++;
            turn_away(net, auth ? key : CS_TURNED_HANDSHAKE);
        }
    }
    return 0;
}

static void probe(cs_net_t *net, cs__link_t *link, uint64_t now_ms)
{
    int err = send_to(net, link, cs__keep_alive(), NULL);
    if (err == EHOSTUNREACH) {
        cs__link_end(net, link);
        return;
    }
    bool writable = link->full && err == 0;
    if (writable) link->full = false;
    uint32_t wait_ms_max = link->full ? PROBE_FULL_MAX_MS : PROBE_MAX_MS;
    if (link->probe_wait_ms < wait_ms_max) {
        link->probe_wait_ms *= 2;
        link->probe_at_ms = now_ms + link->probe_wait_ms;
    } else if (link->full || link->closing) {
        link->probe_at_ms = now_ms + wait_ms_max;
    } else {
        link->probe_at_ms = CS__NEVER;
    }
    if (writable && !link->closing) net->handler.writable(net->handler.arg, link->id);
}

void cs__router_probe_due(cs_net_t *net, uint64_t now_ms)
{
    if (net->router == NULL) return;
    bool sweep = now_ms >= net->sweep_at_ms;
    if (sweep) net->sweep_at_ms = now_ms + SWEEP_MS;
    for (size_t i = 0; i < net->link_count; i++) {
        cs__link_t *link = net->links[i];
        if (link->outgoing || link->gone) continue;
        if (sweep && link->closing) cs__router_eject(net, link);
        if (sweep && link->probe_at_ms == CS__NEVER) {
            link->probe_wait_ms = PROBE_MAX_MS; /* once */
        }
        if (sweep || now_ms >= link->probe_at_ms) probe(net, link, now_ms);
    }
}

uint64_t cs__router_next_probe(const cs_net_t *net)
{
    uint64_t next_ms = CS__NEVER;
    for (size_t i = 0; i < net->link_count; i++) {
        const cs__link_t *link = net->links[i];
        if (link->outgoing || link->gone) continue;
        if (net->sweep_at_ms < next_ms) next_ms = net->sweep_at_ms;
        if (link->probe_at_ms < next_ms) next_ms = link->probe_at_ms;
    }
    return next_ms;
}

static cs_err_t bind_failed(const char *endpoint, cs_buf_t *ret_detail)
{
    int err = errno;
    if (err == EADDRINUSE) {
        cs_buf_printf(ret_detail,
                      "cannot listen on %s: another program uses this address; stop it, "
                      "or choose another port",
                      endpoint);
        return CS_ERR_BUSY;
    }
    if (err == EINVAL || err == EPROTONOSUPPORT) {
        cs_buf_printf(ret_detail, "%s is not an endpoint; write tcp://ADDRESS:PORT", endpoint);
        return CS_ERR_USAGE;
    }
    if (err == EACCES) {
        cs_buf_printf(ret_detail, "not allowed to listen on %s; choose a port above 1023",
                      endpoint);
        return CS_ERR_DENIED;
    }
    cs_buf_printf(ret_detail, "cannot listen on %s: %s; check the address", endpoint,
                  zmq_strerror(err));
    return CS_ERR_IO;
}

static cs_err_t listen_on(cs_net_t *net, const char *endpoint, cs_buf_t *ret_detail)
{
    char bound[1024];
    size_t len = sizeof bound;
    if (cs__socket_set_family(net->router, endpoint, true) != 0 ||
        zmq_bind(net->router, endpoint) != 0 ||
        zmq_getsockopt(net->router, ZMQ_LAST_ENDPOINT, bound, &len) != 0) {
        return bind_failed(endpoint, ret_detail);
    }
    net->endpoints[net->endpoint_count++] = cs_strdup(bound);
    return CS_OK;
}

cs_err_t cs__router_open(cs_net_t *net, const cs_net_config_t *config, cs_buf_t *ret_detail)
{
    const int server = 1;
    net->endpoints = cs_calloc(config->listen_count, sizeof(char *));
    if (config->listen_count == 0) return CS_OK;
    net->router = cs__socket_new(net, ZMQ_ROUTER);
    if (net->router != NULL) {
        net->router_monitor = cs__monitor_new(net, net->router, EVENTS);
    }
    if (net->router_monitor == NULL) {
        cs_buf_printf(ret_detail, "cannot open sockets: %s; raise the limit of open files",
                      zmq_strerror(errno));
        return CS_ERR_IO;
    }
    if (zmq_setsockopt(net->router, ZMQ_CURVE_SERVER, &server, sizeof server) != 0 ||
        zmq_setsockopt(net->router, ZMQ_CURVE_SECRETKEY, net->secret_key, CS_CURVE_KEY_BYTES) !=
            0) {
        return CS_ERR_UNSUPPORTED;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        cs_err_t err = listen_on(net, config->listen[i], ret_detail);
        if (err != CS_OK) return err;
    }
    net->sweep_at_ms = (uint64_t)zclock_mono() + SWEEP_MS;
    cs_err_t err = cs__socket_watch(net, net->router, ZMQ_POLLIN, on_input, net);
    if (err != CS_OK) return err;
    return cs__socket_watch(net, net->router_monitor, ZMQ_POLLIN, on_event, net);
}

void cs__router_close(cs_net_t *net)
{
    cs__socket_unwatch(net, net->router);
    cs__socket_unwatch(net, net->router_monitor);
    cs__monitor_close(net->router, &net->router_monitor);
    cs__socket_close(&net->router);
    for (size_t i = 0; i < net->endpoint_count; i++) {
        cs_free(net->endpoints[i]);
    }
    cs_free(net->endpoints);
    cs_free(net->shaking);
}
