/* net.h - links between nodes: ROUTER and DEALER sockets under CURVE (core.md 7.1).
 *
 * One ROUTER listens, one DEALER per dialled peer. Who is at the other end is what CURVE
 * proved: on the ROUTER from ZAP's User-Id of every frame, never from the routing id; on a
 * DEALER the pinned server key. A key that is not on the allow-list never gets past ZAP. All
 * calls are of the reactor's thread; callbacks come from its loop, never out of a call, and may
 * call anything here but cs_net_destroy. A link ends without notice at any time; what was
 * queued on it is gone, and after its down() nothing comes from it any more.
 *
 * Keep-alive: a message of one byte, which no handler sees. A dialler greets with it, so that
 * the listening side hears of the connection (ROUTER does not tell), and the listening side
 * probes with it whether a link still stands, or has room again. Two values of the byte are a
 * question and its answer, by which round trips are measured. */
#ifndef CS_IO_NET_H
#define CS_IO_NET_H

#include <czmq.h>

#include "base/buf.h"

typedef uint32_t cs_link_t; /* > 0, never used again */

typedef struct cs_net cs_net_t;

#define CS_NET_LATE_MS 10000u /* by far the longest that a link takes which works */

typedef enum cs_turned_away {
    CS_TURNED_KEY,      /* its key is not allowed */
    CS_TURNED_FULL,     /* there are links_max already */
    CS_TURNED_HANDSHAKE /* it speaks no ZMTP with CURVE, or ended before its handshake did */
} cs_turned_away_t;

typedef struct cs_net_handler {
    void *arg;
    /* key: 32 bytes, proven. outgoing: we dialled. */
    void (*up)(void *arg, cs_link_t link, const uint8_t *key, bool outgoing);
    void (*down)(void *arg, cs_link_t link);
    /* payload: empty unless the message has a second part. The frames may be kept: *_p is taken
     * if nulled. */
    void (*message)(void *arg, cs_link_t link, zframe_t **header_p, zframe_t **payload_p);
    /* A full link has room again. */
    void (*writable)(void *arg, cs_link_t link);
    /* So many bytes of payloads are encrypted for the socket, and not in memory any more. What
     * a link has when it goes down is never told. May be NULL. */
    void (*gone)(void *arg, cs_link_t link, uint64_t bytes);
    /* For status: a dialled peer turned us away (REFUSED), or cannot be reached (OFFLINE). Told
     * when it changes, per endpoint. */
    void (*dial_state)(void *arg, const uint8_t *key, cs_err_t err);
    /* Somebody dialled us and was not let in. May be NULL. */
    void (*turned_away)(void *arg, cs_turned_away_t why);
    /* A question of one byte has been without an answer for CS_NET_LATE_MS; told once of each.
     * May be NULL. */
    void (*late)(void *arg, cs_link_t link);
} cs_net_handler_t;

typedef struct cs_net_config {
    zloop_t *loop; /* borrowed */
    uint8_t public_key[32], secret_key[32];
    const char *const *listen; /* ZeroMQ endpoints; may be empty: only dials */
    size_t listen_count;
    uint32_t links_max;           /* incoming; beyond them new ones are turned away */
    const uint8_t (*allowed)[32]; /* as by cs_net_allow, before anybody can come; borrowed */
    size_t allowed_count;
} cs_net_config_t;

/* ret_detail: what failed, why, and what to do, for people (an address in use, ...). */
CS_MUST_USE cs_err_t cs_net_new(const cs_net_config_t *config, const cs_net_handler_t *handler,
                                cs_net_t **ret, cs_buf_t *ret_detail);
void cs_net_destroy(cs_net_t **net_p);

/* The bound endpoints, with ports resolved ("tcp://127.0.0.1:*" becomes its number). */
const char *cs_net_endpoint(const cs_net_t *net, size_t index); /* NULL beyond the last */

void cs_net_set_links_max(cs_net_t *net, uint32_t links_max); /* those that are up stay */
void cs_net_allow(cs_net_t *net, const uint8_t key[32]);
/* Also undials it and ends its links: down() follows. */
void cs_net_deny(cs_net_t *net, const uint8_t key[32]);
/* Keep dialling until undialled; idempotent for the same key and endpoint. Every endpoint of a
 * key is dialled, and may become a link of its own. CS_ERR_USAGE: that is no endpoint. */
CS_MUST_USE cs_err_t cs_net_dial(cs_net_t *net, const uint8_t key[32], const char *endpoint);
/* The same, but it is tried only while there is no link with that key, and one such address of
 * a key after the other. CS_ERR_USAGE is found when it is tried: it fails then like others. */
CS_MUST_USE cs_err_t cs_net_dial_spare(cs_net_t *net, const uint8_t key[32],
                                       const char *endpoint);
void cs_net_undial(cs_net_t *net, const uint8_t key[32]); /* down() follows */
/* This spare one alone; if a link came of it, once that ends. */
void cs_net_undial_spare(cs_net_t *net, const uint8_t key[32], const char *endpoint);
/* Take the identity of another key for this dial only (an invite's one-time key). */
CS_MUST_USE cs_err_t cs_net_dial_as(cs_net_t *net, const uint8_t key[32], const char *endpoint,
                                    const uint8_t public_key[32], const uint8_t secret_key[32]);

/* header: more than one byte. Never blocks. payload_p may be NULL, or empty; taken on success,
 * and not copied.
 * CS_ERR_AGAIN: the link is full (writable() will come), nothing sent; CS_ERR_OFFLINE: the link
 * is gone. */
CS_MUST_USE cs_err_t cs_net_send(cs_net_t *net, cs_link_t link, cs_slice_t header,
                                 cs_buf_t *payload_p);
/* Between a question to this peer and its answer, the newest on each of its links, the least of
 * them; 0: not known yet, or not connected. */
uint64_t cs_net_rtt_us(const cs_net_t *net, const uint8_t key[32]);
/* down() follows. A dialled peer is dialled again, after a while; one that dialled us may come
 * again. */
void cs_net_close_link(cs_net_t *net, cs_link_t link);

#endif
