/* net_rig.h - nodes of io/net on loopback, all in one reactor, with what they saw written down.
 */
#ifndef CS_TESTS_NET_RIG_H
#define CS_TESTS_NET_RIG_H

#include <czmq.h>

#include "io/net.h"

#define RIG_LINKS_MAX 64

typedef struct rig_keys {
    uint8_t public_key[32], secret_key[32];
} rig_keys_t;

typedef struct rig_link {
    cs_link_t id;
    uint8_t key[32];
    bool outgoing, up;
    unsigned messages, writables;
    size_t gone;   /* of payloads that were sent */
    size_t bytes;  /* header and payload of all messages */
    char last[64]; /* header of the newest message, cut and NUL-terminated */
} rig_link_t;

typedef struct rig_node {
    rig_keys_t keys;
    cs_net_t *net;
    rig_link_t links[RIG_LINKS_MAX]; /* in order of their up() */
    size_t link_count;
    unsigned refused, offline; /* calls of dial_state */
    void (*busy)(void *arg);   /* what it does with each message; NULL: nothing more */
    void *busy_arg;
} rig_node_t;

rig_keys_t rig_keys(void);
/* listen: NULL for none. keys: NULL for new ones. */
void rig_start(rig_node_t *node, zloop_t *loop, const rig_keys_t *keys, const char *listen,
               uint32_t links_max);
/* A key that is allowed before the port is open; NULL: none. */
void rig_start_knowing(rig_node_t *node, zloop_t *loop, const rig_keys_t *keys,
                       const char *listen, uint32_t links_max, const uint8_t (*known)[32]);
void rig_stop(rig_node_t *node);

const char *rig_endpoint(const rig_node_t *node);
void rig_dial(rig_node_t *from, const rig_node_t *to);
/* The newest link that is up, to anybody or to `key`; NULL: none. */
rig_link_t *rig_link(rig_node_t *node);
rig_link_t *rig_link_to(rig_node_t *node, const uint8_t *key);
size_t rig_links_up(const rig_node_t *node);
cs_err_t rig_say(rig_node_t *node, cs_link_t link, const char *text);

/* Runs the reactor until goal(arg) holds; false: not within the time. */
bool rig_await(zloop_t *loop, int timeout_ms, bool (*goal)(void *arg), void *arg);

/* A client without any of our code: its own context, a DEALER. route: NULL for none. */
typedef struct rig_client {
    void *context, *socket;
} rig_client_t;
rig_client_t rig_client(const char *endpoint, const uint8_t *server_key, const rig_keys_t *keys,
                        const char *route);
void rig_client_stop(rig_client_t *client);

#endif
