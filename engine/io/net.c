/* net.c - the calls of net.h, and the housekeeping that carries them out. */
#include "io/net.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <sodium.h>

#include "base/limits.h"
#include "base/mem.h"
#include "io/net_impl.h"

#define SOCKETS_MAX \
    16384 /* of a ZeroMQ context; its default of 1023 ends at 300 dialled peers */

static void arm(cs_net_t *net, uint64_t at_ms)
{
    struct itimerspec spec = {{0, 0}, {0, 0}};
    uint64_t now_ms = (uint64_t)zclock_mono();
    uint64_t delay_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    net->timer_at_ms = at_ms;
    if (at_ms != CS__NEVER) {
        spec.it_value.tv_sec = (time_t)(delay_ms / 1000);
        spec.it_value.tv_nsec = delay_ms == 0 ? 1 : (long)(delay_ms % 1000) * 1000000;
    }
    int rc = timerfd_settime(net->timer_fd, 0, &spec, NULL);
    CS_ASSERT(rc == 0);
}

void cs__net_wake(cs_net_t *net, uint64_t at_ms)
{
    if (at_ms < net->timer_at_ms) arm(net, at_ms);
}

static int on_timer(zloop_t *loop, zmq_pollitem_t *item, void *arg)
{
    (void)loop;
    (void)item;
    cs_net_t *net = arg;
    uint64_t expirations;
    if (read(net->timer_fd, &expirations, sizeof expirations) < 0) {
        return 0; /* rearmed meanwhile */
    }
    uint64_t now_ms = (uint64_t)zclock_mono();
    net->timer_at_ms = CS__NEVER; /* what callbacks ask for from here on arms it anew */
    cs__links_tell_down(net);
    cs__router_probe_due(net, now_ms);
    cs__dials_step(net, now_ms);
    cs__echo_ask_due(net, now_ms);
    cs__links_reap(net);
    cs__router_update_full(net);
    cs__net_wake(net, cs__router_next_probe(net));
    cs__net_wake(net, cs__dials_next(net));
    cs__net_wake(net, cs__echo_next(net));
    return 0;
}

static cs_err_t open_timer(cs_net_t *net)
{
    net->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (net->timer_fd < 0) return CS_ERR_IO;
    zmq_pollitem_t item = {.fd = net->timer_fd, .events = ZMQ_POLLIN};
    if (zloop_poller(net->loop, &item, on_timer, net) != 0) return CS_ERR_IO;
    zloop_poller_set_tolerant(net->loop, &item);
    return CS_OK;
}

static void close_timer(cs_net_t *net)
{
    zmq_pollitem_t item = {.fd = net->timer_fd};
    if (net->timer_fd < 0) return;
    zloop_poller_end(net->loop, &item);
    close(net->timer_fd);
}

static cs_err_t open_context(cs_net_t *net, cs_buf_t *ret_detail)
{
    net->context = zmq_ctx_new();
    if (net->context == NULL) return CS_ERR_IO;
    zmq_ctx_set(net->context, ZMQ_IO_THREADS, 1); /* it is the CURVE core (limits.md) */
    zmq_ctx_set(net->context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    net->zap = cs_zap_new(net->context);
    cs_err_t err = net->zap == NULL ? CS_ERR_IO : open_timer(net);
    if (err == CS_OK) err = cs__outs_open(net);
    if (err != CS_OK) {
        cs_buf_printf(ret_detail, "cannot open sockets: %s; raise the limit of open files",
                      strerror(errno));
    }
    return err;
}

cs_err_t cs_net_new(const cs_net_config_t *config, const cs_net_handler_t *handler,
                    cs_net_t **ret, cs_buf_t *ret_detail)
{
    zsys_handler_set(NULL); /* SIGINT and SIGTERM are the daemon's */
    cs__raise_descriptor_limit();
    cs_net_t *net = cs_calloc(1, sizeof *net);
    net->loop = config->loop;
    net->handler = *handler;
    net->links_max = config->links_max;
    net->timer_fd = net->outs.fd = -1;
    net->timer_at_ms = CS__NEVER;
    net->secret_key = sodium_malloc(CS_CURVE_KEY_BYTES);
    CS_ASSERT(net->secret_key != NULL);
    memcpy(net->public_key, config->public_key, CS_CURVE_KEY_BYTES);
    memcpy(net->secret_key, config->secret_key, CS_CURVE_KEY_BYTES);
    uint64_t seed;
    randombytes_buf(&seed, sizeof seed);
    cs_prng_init(&net->jitter, seed);
    cs_err_t err = open_context(net, ret_detail);
    for (size_t i = 0; err == CS_OK && i < config->allowed_count; i++) {
        cs_net_allow(net, config->allowed[i]);
    }
    if (err == CS_OK) err = cs__router_open(net, config, ret_detail);
    if (err == CS_OK) {
        cs__router_update_full(net); /* links_max may be 0 */
        *ret = net;
    } else {
        cs_net_destroy(&net);
    }
    return err;
}

void cs_net_destroy(cs_net_t **net_p)
{
    cs_net_t *net = *net_p;
    if (net == NULL) return;
    for (size_t i = 0; i < net->link_count; i++) {
        cs__link_free(net->links[i]);
    }
    for (size_t i = 0; i < net->dial_count; i++) {
        net->dials[i]->link = NULL;
        cs__dial_destroy(net->dials[i]);
    }
    cs__router_close(net);
    close_timer(net);
    cs_zap_destroy(&net->zap);
    cs__outs_unwatch(net);
    if (net->context != NULL) zmq_ctx_term(net->context);
    cs__outs_close(net);
    sodium_free(net->secret_key);
    cs_keyset_fini(&net->allowed);
    cs_free(net->links);
    cs_free(net->dials);
    cs_free(net);
    *net_p = NULL;
}

const char *cs_net_endpoint(const cs_net_t *net, size_t index)
{
    return index < net->endpoint_count ? net->endpoints[index] : NULL;
}

void cs_net_allow(cs_net_t *net, const uint8_t key[32])
{
    if (cs_keyset_add(&net->allowed, key)) cs_zap_allow(net->zap, key);
}

void cs_net_set_links_max(cs_net_t *net, uint32_t links_max)
{
    net->links_max = links_max;
    cs__router_update_full(net);
}

void cs_net_deny(cs_net_t *net, const uint8_t key[32])
{
    if (cs_keyset_remove(&net->allowed, key)) cs_zap_deny(net->zap, key);
    cs_net_undial(net, key);
    for (size_t i = 0; i < net->link_count; i++) {
        if (memcmp(net->links[i]->key, key, CS_CURVE_KEY_BYTES) == 0) {
            cs__link_close(net, net->links[i]);
        }
    }
}

static bool is_dialled(const cs_net_t *net, const uint8_t *key, const char *endpoint,
                       const uint8_t *self_public)
{
    for (size_t i = 0; i < net->dial_count; i++) {
        const cs__dial_t *dial = net->dials[i];
        if (!dial->gone && memcmp(dial->key, key, CS_CURVE_KEY_BYTES) == 0 &&
            memcmp(dial->self_public, self_public, CS_CURVE_KEY_BYTES) == 0 &&
            strcmp(dial->endpoint, endpoint) == 0) {
            return true;
        }
    }
    return false;
}

cs_err_t cs_net_dial_as(cs_net_t *net, const uint8_t key[32], const char *endpoint,
                        const uint8_t public_key[32], const uint8_t secret_key[32])
{
    if (is_dialled(net, key, endpoint, public_key)) return CS_OK;
    return cs__dial_add(net, key, endpoint, public_key, secret_key, false);
}

cs_err_t cs_net_dial(cs_net_t *net, const uint8_t key[32], const char *endpoint)
{
    return cs_net_dial_as(net, key, endpoint, net->public_key, net->secret_key);
}

cs_err_t cs_net_dial_spare(cs_net_t *net, const uint8_t key[32], const char *endpoint)
{
    if (is_dialled(net, key, endpoint, net->public_key)) return CS_OK;
    return cs__dial_add(net, key, endpoint, net->public_key, net->secret_key, true);
}

void cs_net_undial(cs_net_t *net, const uint8_t key[32])
{
    for (size_t i = 0; i < net->dial_count; i++) {
        cs__dial_t *dial = net->dials[i];
        if (memcmp(dial->key, key, CS_CURVE_KEY_BYTES) != 0) continue;
        dial->gone = true;
        if (dial->link != NULL) cs__link_close(net, dial->link);
        cs__net_wake(net, 0);
    }
}

void cs_net_undial_spare(cs_net_t *net, const uint8_t key[32], const char *endpoint)
{
    for (size_t i = 0; i < net->dial_count; i++) {
        cs__dial_t *dial = net->dials[i];
        bool same = dial->spare && memcmp(dial->key, key, CS_CURVE_KEY_BYTES) == 0 &&
                    strcmp(dial->endpoint, endpoint) == 0;
        if (!same) continue;
        dial->last = true;
        dial->gone |= dial->link == NULL;
        cs__net_wake(net, 0);
    }
}

cs_err_t cs_net_send(cs_net_t *net, cs_link_t link, cs_slice_t header, cs_buf_t *payload_p)
{
    CS_ASSERT(header.len > 1); /* one byte alone is a keep-alive */
    cs__link_t *found = cs__link_find(net, link);
    if (found == NULL || found->gone || found->closing) return CS_ERR_OFFLINE;
    if (found->outgoing) return cs__dial_send(found->dial, header, payload_p);
    return cs__router_send(net, found, header, payload_p);
}

void cs_net_close_link(cs_net_t *net, cs_link_t link)
{
    cs__link_t *found = cs__link_find(net, link);
    if (found != NULL) cs__link_close(net, found);
}
