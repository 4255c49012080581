/* net_dial.c - outgoing links: a DEALER per attempt, so that a link is a socket.
 *
 * Nothing that waits in a socket outlives its connection, in either direction, and an attempt
 * that libzmq would not repeat (after ZAP's 400, after a protocol error) is repeated like any
 * other. */
#include <errno.h>

#include <sodium.h>

#include "base/mem.h"
#include "io/net_impl.h"

#define WAIT_FIRST_MS 50u
#define WAIT_REFUSED_MS \
    250u /* the first wait after a refusal: people allow keys, not machines */
#define WAIT_MAX_MS 5000u
#define ATTEMPT_MS  20000u /* a name that does not resolve raises no event */
#define EVENTS                                                                    \
    (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_CLOSED |         \
     ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |                     \
     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | \
     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

static void tell_state(cs__dial_t *dial, cs_err_t err)
{
    if (dial->told == err || dial->gone) return;
    dial->told = err;
    dial->net->handler.dial_state(dial->net->handler.arg, dial->key, err);
}

static void fail(cs__dial_t *dial, cs_err_t err)
{
    dial->over = true;
    if (err == CS_ERR_REFUSED && dial->wait_ms < WAIT_REFUSED_MS) {
        dial->wait_ms = WAIT_REFUSED_MS;
    }
    cs__net_wake(dial->net, 0);
    tell_state(dial, err);
}

static void established(cs__dial_t *dial)
{
    dial->told = CS_OK;
    dial->since_ms = (uint64_t)zclock_mono();
    dial->due_ms = CS__NEVER;
    dial->link = cs__link_add(dial->net, dial->key, dial);
    /* The other side learns of us by a message; this one makes sure that there is one. */
    if (cs__send_parts(dial->socket, NULL, cs__keep_alive(), NULL) != 0) {
        cs__link_end(dial->net, dial->link);
        return;
    }
    cs__link_up(dial->net, dial->link);
}

/* The connection or the attempt ended. */
static void ended(cs__dial_t *dial, cs_err_t err)
{
    if (dial->link == NULL) {
        fail(dial, err);
        return;
    }
    if ((uint64_t)zclock_mono() - dial->since_ms >= WAIT_MAX_MS) dial->wait_ms = WAIT_FIRST_MS;
    cs__link_end(dial->net, dial->link);
}

/* Someone answered TCP, but there was no handshake. At once: a wrong server key, or no room. At
 * the time limit: a process that is stopped, or something else altogether. */
static cs_err_t judge_silence(const cs__dial_t *dial)
{
    bool timed_out = (uint64_t)zclock_mono() - dial->since_ms >= CS__HANDSHAKE_MS - 500;
    return dial->since_ms == 0 || timed_out ? CS_ERR_OFFLINE : CS_ERR_REFUSED;
}

static void read_events(cs__dial_t *dial)
{
    uint32_t value;
    while (!dial->over && !dial->gone) {
        switch (cs__monitor_next(dial->monitor, &value)) {
        case 0:
            return;
        case ZMQ_EVENT_CONNECTED:
            dial->since_ms = (uint64_t)zclock_mono();
            break;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            established(dial);
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
            ended(dial, CS_ERR_REFUSED);
            break;
        default: /* closed, disconnected, about to retry: all the same */
            ended(dial, judge_silence(dial));
            break;
        }
    }
}

static int on_event(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    (void)item;
    read_events(arg);
    return 0;
}

static void take(cs__dial_t *dial, zframe_t **header_p, zframe_t **payload_p, bool malformed)
{
    cs_net_t *net = dial->net;
    if (malformed) {
        cs__link_close(net, dial->link);
    } else if (cs__is_keep_alive(*header_p, *payload_p)) {
        cs__echo_hear(net, dial->link, *zframe_data(*header_p));
    } else {
        net->handler.message(net->handler.arg, dial->link->id, header_p, payload_p);
    }
}

static void set_writable(cs__dial_t *dial);

static int on_input(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    cs__dial_t *dial = arg;
    short revents = item->revents; /* the item is zloop's, and may move */
    read_events(dial);             /* up() comes before the first message */
    int64_t until_ms = zclock_mono() + CS__INPUT_MS;
    for (unsigned i = 0; i < CS__INPUT_MESSAGES && dial->link != NULL; i++) {
        if (i > 0 && zclock_mono() > until_ms) break;
        zframe_t *header, *payload;
        bool malformed;
        if (!cs__receive(dial->socket, &header, &payload, &malformed)) break;
        take(dial, &header, &payload, malformed);
        zframe_destroy(&header);
        zframe_destroy(&payload);
    }
    if ((revents & ZMQ_POLLOUT) != 0 && dial->link != NULL && dial->link->full) {
        set_writable(dial);
    }
    return 0;
}

/* zloop has one poller per socket: it is replaced when we wait for room as well. */
static void watch(cs__dial_t *dial, short events)
{
    cs__socket_unwatch(dial->net, dial->socket);
    cs_err_t err = cs__socket_watch(dial->net, dial->socket, events, on_input, dial);
    CS_ASSERT(err == CS_OK);
}

static void set_writable(cs__dial_t *dial)
{
    watch(dial, ZMQ_POLLIN);
    dial->link->full = false;
    dial->net->handler.writable(dial->net->handler.arg, dial->link->id);
}

cs_err_t cs__dial_send(cs__dial_t *dial, cs_slice_t header, cs_buf_t *payload_p)
{
    if (cs__send_parts(dial->socket, dial->link->out, header, payload_p) == 0) return CS_OK;
    if (!dial->link->full) watch(dial, ZMQ_POLLIN | ZMQ_POLLOUT);
    dial->link->full = true;
    return CS_ERR_AGAIN; /* also when it has just ended: then down() comes instead */
}

static void hang_up(cs__dial_t *dial)
{
    CS_ASSERT(dial->link == NULL);
    cs__socket_unwatch(dial->net, dial->socket);
    cs__socket_unwatch(dial->net, dial->monitor);
    cs__monitor_close(dial->socket, &dial->monitor);
    cs__socket_close(&dial->socket);
}

static bool set_keys(const cs__dial_t *dial)
{
    void *socket = dial->socket;
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, dial->key, CS_CURVE_KEY_BYTES) == 0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, dial->self_public, CS_CURVE_KEY_BYTES) ==
               0 &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, dial->self_secret, CS_CURVE_KEY_BYTES) ==
               0;
}

static cs_err_t attempt(cs__dial_t *dial, uint64_t now_ms)
{
    cs_net_t *net = dial->net;
    cs_err_t err = CS_ERR_IO;
    dial->over = false;
    dial->since_ms = 0;
    dial->due_ms = now_ms + ATTEMPT_MS;
    dial->socket = cs__socket_new(net, ZMQ_DEALER);
    if (dial->socket == NULL || !set_keys(dial)) goto out;
    dial->monitor = cs__monitor_new(net, dial->socket, EVENTS);
    if (dial->monitor == NULL) goto out;
    if (cs__socket_set_family(dial->socket, dial->endpoint, dial->name_v6) != 0 ||
        zmq_connect(dial->socket, dial->endpoint) != 0) {
        err = errno == EMFILE ? CS_ERR_IO : CS_ERR_USAGE;
        goto out;
    }
    err = cs__socket_watch(net, dial->monitor, ZMQ_POLLIN, on_event, dial);
    if (err == CS_OK) err = cs__socket_watch(net, dial->socket, ZMQ_POLLIN, on_input, dial);
out:
    if (err != CS_OK) hang_up(dial);
    cs__net_wake(net, dial->due_ms);
    return err;
}

/* A quarter to either side, so that a restarted node is not met by everybody at once. */
static uint64_t jittered(cs_net_t *net, uint32_t wait_ms)
{
    return wait_ms - wait_ms / 4 + cs_prng_below(&net->jitter, wait_ms / 2 + 1);
}

#define SPARE_MS   5000u /* how often a spare one looks whether it is needed */
#define STAGGER_MS 1000u /* between attempts at several addresses of one key */

/* Somebody else's attempt has come up, or may do so soon; 0: no. */
static uint64_t spared_until(const cs__dial_t *dial, uint64_t now_ms)
{
    const cs_net_t *net = dial->net;
    for (size_t i = 0; i < net->link_count; i++) {
        const cs__link_t *link = net->links[i];
        bool up = !link->gone && !link->closing && link->dial != dial;
        if (up && memcmp(link->key, dial->key, sizeof dial->key) == 0) return now_ms + SPARE_MS;
    }
    for (size_t i = 0; i < net->dial_count; i++) {
        const cs__dial_t *other = net->dials[i];
        bool tries = other != dial && other->spare && other->socket != NULL;
        if (!tries || memcmp(other->key, dial->key, sizeof dial->key) != 0) continue;
        if (now_ms < other->began_ms + STAGGER_MS) return other->began_ms + STAGGER_MS;
    }
    return 0;
}

/* True: it rests. */
static bool rests(cs__dial_t *dial, uint64_t now_ms)
{
    bool idle = dial->socket == NULL && now_ms >= dial->due_ms;
    bool tries = dial->socket != NULL && dial->link == NULL && !dial->over;
    if (!dial->spare || !(idle || tries)) return false;
    uint64_t until_ms = spared_until(dial, now_ms);
    if (until_ms == 0 || (tries && until_ms < now_ms + SPARE_MS)) return false;
    if (tries) hang_up(dial);
    dial->due_ms = until_ms;
    return true;
}

static void step(cs__dial_t *dial, uint64_t now_ms)
{
    if (rests(dial, now_ms)) return;
    if (dial->socket != NULL && now_ms >= dial->due_ms) fail(dial, CS_ERR_OFFLINE);
    if (dial->over) {
        hang_up(dial);
        dial->over = false;
        dial->name_v6 = !dial->name_v6;
        dial->due_ms = now_ms + jittered(dial->net, dial->wait_ms);
        dial->wait_ms = dial->wait_ms * 2 < WAIT_MAX_MS ? dial->wait_ms * 2 : WAIT_MAX_MS;
    } else if (dial->socket == NULL && now_ms >= dial->due_ms) {
        dial->began_ms = now_ms;
        cs_err_t err = attempt(dial, now_ms);
        if (err != CS_OK) fail(dial, CS_ERR_OFFLINE);
    }
}

void cs__dial_destroy(cs__dial_t *dial)
{
    hang_up(dial);
    sodium_free(dial->self_secret);
    cs_free(dial->endpoint);
    cs_free(dial);
}

void cs__dials_step(cs_net_t *net, uint64_t now_ms)
{
    for (size_t i = 0; i < net->dial_count; i++) {
        if (!net->dials[i]->gone) step(net->dials[i], now_ms);
    }
    size_t kept = 0;
    for (size_t i = 0; i < net->dial_count; i++) {
        cs__dial_t *dial = net->dials[i];
        if (dial->gone) {
            cs__dial_destroy(dial);
        } else {
            net->dials[kept++] = dial;
        }
    }
    net->dial_count = kept;
}

uint64_t cs__dials_next(const cs_net_t *net)
{
    uint64_t next_ms = CS__NEVER;
    for (size_t i = 0; i < net->dial_count; i++) {
        if (net->dials[i]->due_ms < next_ms) next_ms = net->dials[i]->due_ms;
    }
    return next_ms;
}

cs_err_t cs__dial_add(cs_net_t *net, const uint8_t *key, const char *endpoint,
                      const uint8_t *self_public, const uint8_t *self_secret, bool spare)
{
    cs__dial_t *dial = cs_calloc(1, sizeof *dial);
    dial->net = net;
    dial->wait_ms = WAIT_FIRST_MS;
    dial->spare = spare;
    dial->endpoint = cs_strdup(endpoint);
    dial->self_secret = sodium_malloc(CS_CURVE_KEY_BYTES);
    CS_ASSERT(dial->self_secret != NULL);
    memcpy(dial->key, key, sizeof dial->key);
    memcpy(dial->self_public, self_public, sizeof dial->self_public);
    memcpy(dial->self_secret, self_secret, CS_CURVE_KEY_BYTES);
    cs_err_t err = spare ? CS_OK : attempt(dial, (uint64_t)zclock_mono());
    if (err != CS_OK) {
        cs__dial_destroy(dial);
        return err;
    }
    if (spare) cs__net_wake(net, 0);
    if (net->dial_count == net->dial_cap) {
        net->dial_cap = cs_grow(net->dial_cap, net->dial_count + 1);
        net->dials = cs_realloc_array(net->dials, net->dial_cap, sizeof(cs__dial_t *));
    }
    net->dials[net->dial_count++] = dial;
    return CS_OK;
}
