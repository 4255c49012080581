/* net_rig.c - see net_rig.h. */
#include "support/net_rig.h"

#include <stdlib.h>
#include <string.h>

static void fatal(const char *what, const char *why)
{
    fprintf(stderr, "net rig: %s: %s\n", what, why);
    abort();
}

static rig_link_t *by_id(rig_node_t *node, cs_link_t id)
{
    for (size_t i = 0; i < node->link_count; i++) {
        if (node->links[i].id == id) return &node->links[i];
    }
    fatal("link", "never announced");
    return NULL;
}

static void on_up(void *arg, cs_link_t id, const uint8_t *key, bool outgoing)
{
    rig_node_t *node = arg;
    if (node->link_count == RIG_LINKS_MAX) fatal("links", "too many");
    rig_link_t *link = &node->links[node->link_count++];
    *link = (rig_link_t){.id = id, .outgoing = outgoing, .up = true};
    memcpy(link->key, key, sizeof link->key);
}

static void on_down(void *arg, cs_link_t id)
{
    rig_link_t *link = by_id(arg, id);
    if (!link->up) fatal("down", "twice");
    link->up = false;
}

static void on_message(void *arg, cs_link_t id, zframe_t **header_p, zframe_t **payload_p)
{
    rig_link_t *link = by_id(arg, id);
    if (!link->up) fatal("message", "after down");
    size_t len = zframe_size(*header_p);
    link->messages++;
    link->bytes += len + (*payload_p == NULL ? 0 : zframe_size(*payload_p));
    if (len >= sizeof link->last) len = sizeof link->last - 1;
    memcpy(link->last, zframe_data(*header_p), len);
    link->last[len] = '\0';
    const rig_node_t *node = arg;
    if (node->busy != NULL) node->busy(node->busy_arg);
}

static void on_writable(void *arg, cs_link_t id)
{
    by_id(arg, id)->writables++;
}

static void on_gone(void *arg, cs_link_t id, uint64_t bytes)
{
    rig_link_t *link = by_id(arg, id);
    if (!link->up) fatal("gone", "after down");
    link->gone += bytes;
}

static void on_dial_state(void *arg, const uint8_t *key, cs_err_t err)
{
    rig_node_t *node = arg;
    (void)key;
    node->refused += err == CS_ERR_REFUSED;
    node->offline += err == CS_ERR_OFFLINE;
}

rig_keys_t rig_keys(void)
{
    rig_keys_t keys;
    char public_text[41], secret_text[41];
    if (zmq_curve_keypair(public_text, secret_text) != 0) fatal("keys", zmq_strerror(errno));
    zmq_z85_decode(keys.public_key, public_text);
    zmq_z85_decode(keys.secret_key, secret_text);
    return keys;
}

void rig_start(rig_node_t *node, zloop_t *loop, const rig_keys_t *keys, const char *listen,
               uint32_t links_max)
{
    rig_start_knowing(node, loop, keys, listen, links_max, NULL);
}

void rig_start_knowing(rig_node_t *node, zloop_t *loop, const rig_keys_t *keys,
                       const char *listen, uint32_t links_max, const uint8_t (*known)[32])
{
    *node = (rig_node_t){.keys = keys == NULL ? rig_keys() : *keys};
    cs_net_config_t config = {.loop = loop,
                              .listen = &listen,
                              .listen_count = listen == NULL ? 0 : 1,
                              .links_max = links_max,
                              .allowed = known,
                              .allowed_count = known == NULL ? 0 : 1};
    memcpy(config.public_key, node->keys.public_key, 32);
    memcpy(config.secret_key, node->keys.secret_key, 32);
    cs_net_handler_t handler = {.arg = node,
                                .up = on_up,
                                .down = on_down,
                                .message = on_message,
                                .writable = on_writable,
                                .gone = on_gone,
                                .dial_state = on_dial_state};
    cs_buf_t detail = {0};
    if (cs_net_new(&config, &handler, &node->net, &detail) != CS_OK) {
        cs_buf_put_u8(&detail, 0);
        fatal("cs_net_new", (const char *)detail.data);
    }
    cs_buf_fini(&detail);
}

void rig_stop(rig_node_t *node)
{
    cs_net_destroy(&node->net);
}

const char *rig_endpoint(const rig_node_t *node)
{
    return cs_net_endpoint(node->net, 0);
}

void rig_dial(rig_node_t *from, const rig_node_t *to)
{
    if (cs_net_dial(from->net, to->keys.public_key, rig_endpoint(to)) != CS_OK) {
        fatal("dial", "failed");
    }
}

rig_link_t *rig_link_to(rig_node_t *node, const uint8_t *key)
{
    for (size_t i = node->link_count; i-- > 0;) {
        rig_link_t *link = &node->links[i];
        if (link->up && (key == NULL || memcmp(link->key, key, 32) == 0)) return link;
    }
    return NULL;
}

rig_link_t *rig_link(rig_node_t *node)
{
    return rig_link_to(node, NULL);
}

size_t rig_links_up(const rig_node_t *node)
{
    size_t count = 0;
    for (size_t i = 0; i < node->link_count; i++) {
        count += node->links[i].up;
    }
    return count;
}

cs_err_t rig_say(rig_node_t *node, cs_link_t link, const char *text)
{
    return cs_net_send(node->net, link, cs_slice_text(text), NULL);
}

typedef struct await {
    bool (*goal)(void *arg);
    void *arg;
    int64_t until_ms;
    bool reached;
} await_t;

static int on_check(zloop_t *loop, int timer, void *arg)
{
    (void)loop;
    (void)timer;
    await_t *await = arg;
    await->reached = await->goal(await->arg);
    return await->reached || zclock_mono() >= await->until_ms ? -1 : 0;
}

bool rig_await(zloop_t *loop, int timeout_ms, bool (*goal)(void *arg), void *arg)
{
    await_t await = {.goal = goal, .arg = arg, .until_ms = zclock_mono() + timeout_ms};
    int timer = zloop_timer(loop, 1, 0, on_check, &await);
    zloop_start(loop);
    zloop_timer_end(loop, timer);
    return await.reached;
}

rig_client_t rig_client(const char *endpoint, const uint8_t *server_key, const rig_keys_t *keys,
                        const char *route)
{
    const int linger = 0, few = 4;
    rig_client_t client = {.context = zmq_ctx_new()};
    client.socket = zmq_socket(client.context, ZMQ_DEALER);
    zmq_setsockopt(client.socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(client.socket, ZMQ_RCVHWM, &few, sizeof few);
    if (route != NULL) zmq_setsockopt(client.socket, ZMQ_ROUTING_ID, route, strlen(route));
    zmq_setsockopt(client.socket, ZMQ_CURVE_SERVERKEY, server_key, 32);
    zmq_setsockopt(client.socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, 32);
    zmq_setsockopt(client.socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, 32);
    if (zmq_connect(client.socket, endpoint) != 0) fatal("connect", zmq_strerror(errno));
    return client;
}

void rig_client_stop(rig_client_t *client)
{
    zmq_close(client->socket);
    zmq_ctx_term(client->context);
}
