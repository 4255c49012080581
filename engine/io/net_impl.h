/* net_impl.h - what the files of net share: links, dials, and the one timer that defers work.
 *
 * Calls from outside only mark what is to change; housekeeping does it, from a poller of its
 * own (a timerfd). That keeps callbacks out of the caller's stack, and closes sockets at the
 * only point where zloop forgets its old poll set at once: in a poller's handler, not in a
 * timer's. */
#ifndef CS_IO_NET_IMPL_H
#define CS_IO_NET_IMPL_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/prng.h"
#include "io/keyset.h"
#include "io/net.h"
#include "io/zap.h"

#define CS__ROUTE_BYTES_MAX 255 /* ZeroMQ's limit of a routing id */
#define CS__NEVER           UINT64_MAX
#define CS__HANDSHAKE_MS    5000u
#define CS__INPUT_MESSAGES \
    64u                 /* read per wake-up of a socket, so that none starves the others; */
#define CS__INPUT_MS 20 /* and none is begun after so long, which a few large ones may take */

typedef struct cs__dial cs__dial_t;
typedef struct cs__out cs__out_t; /* payloads of one link that libzmq has */

typedef struct cs__link {
    cs_link_t id;
    uint8_t key[CS_CURVE_KEY_BYTES];
    cs__dial_t *dial; /* of an outgoing one, until it ends */
    cs__out_t *out;   /* owned */
    bool outgoing;    /* otherwise the fields up to `probe_wait_ms` apply */
    uint8_t route[CS__ROUTE_BYTES_MAX];
    size_t route_len;
    int fd; /* libzmq's, valid while its inode is `inode` */
    ino_t inode;
    uint64_t probe_at_ms; /* CS__NEVER: nothing is in doubt */
    uint32_t probe_wait_ms;
    uint64_t ask_at_ms; /* of the next question (net_echo.c) */
    uint64_t asked_us;  /* when the one was sent whose answer is due; 0: none is */
    bool late;          /* late() was called for that one */
    uint64_t rtt_us;    /* until the newest answer; 0: there was none */
    bool known;         /* up() was called, down() is owed */
    bool full;          /* writable() is owed */
    bool closing;       /* ours no more: what still comes is dropped */
    bool gone;          /* the connection has ended: to be freed */
} cs__link_t;

struct cs__dial {
    cs_net_t *net;
    uint8_t key[CS_CURVE_KEY_BYTES];
    uint8_t self_public[CS_CURVE_KEY_BYTES];
    uint8_t *self_secret; /* sodium_malloc */
    char *endpoint;
    void *socket, *monitor; /* one pair per attempt; NULL between two */
    cs__link_t *link;       /* while up */
    cs_err_t told;          /* newest dial_state; CS_OK: none since it was up */
    uint64_t due_ms;   /* without a socket: of the next attempt; with one: it failed by then */
    uint64_t since_ms; /* of the TCP connection, then of the link; 0: none yet */
    bool name_v6;      /* a host name is resolved to IPv4 and IPv6 by turns */
    uint32_t wait_ms;  /* before the next attempt */
    bool spare;        /* rests while there is a link with the key, of whatever dial */
    bool last;         /* undialled, once its link ends */
    uint64_t began_ms; /* spare: the last attempt */
    bool over;         /* this attempt has ended */
    bool gone;         /* undialled */
};

typedef struct cs__outs {
    int fd;           /* eventfd: something was let go of */
    atomic_bool told; /* by it, and not yet read */
} cs__outs_t;

struct cs_net {
    zloop_t *loop; /* borrowed */
    cs_net_handler_t handler;
    void *context; /* our own, as is its ZAP handler */
    cs_zap_t *zap;
    cs_keyset_t allowed;
    uint8_t public_key[CS_CURVE_KEY_BYTES];
    uint8_t *secret_key; /* sodium_malloc */
    void *router, *router_monitor;
    bool *shaking; /* by descriptor: accepted, and nothing came of it yet */
    size_t shaking_cap;
    size_t shakes_failed; /* told of, and not yet disconnected */
    char **endpoints;
    size_t endpoint_count;
    cs__link_t **links; /* ascending ids; removed by housekeeping only */
    size_t link_count, link_cap;
    cs__dial_t **dials; /* removed by housekeeping only */
    size_t dial_count, dial_cap;
    cs_link_t last_link;
    uint32_t links_max;
    bool zap_full;
    cs__outs_t outs;
    int timer_fd;
    uint64_t timer_at_ms;   /* CS__NEVER: disarmed */
    uint64_t sweep_at_ms;   /* next probe of all incoming links */
    uint64_t monitor_count; /* names the next monitor */
    cs_prng_t jitter;
};

/* Housekeeping at `at_ms` or earlier. */
void cs__net_wake(cs_net_t *net, uint64_t at_ms);

/* --- net_link.c */
cs__link_t *cs__link_add(cs_net_t *net, const uint8_t *key, cs__dial_t *dial);
void cs__link_free(cs__link_t *link);
cs__link_t *cs__link_find(const cs_net_t *net, cs_link_t id);
void cs__link_up(cs_net_t *net, cs__link_t *link);
/* The connection has ended: tells so at once. */
void cs__link_end(cs_net_t *net, cs__link_t *link);
/* We end it: housekeeping tells so. */
void cs__link_close(cs_net_t *net, cs__link_t *link);
/* The owed down() calls, then frees what is gone. */
void cs__links_tell_down(cs_net_t *net);
void cs__links_reap(cs_net_t *net);

/* --- net_out.c */
cs__out_t *cs__out_new(cs__outs_t *all);
void cs__out_unref(cs__out_t **out_p);
/* The last part of a message. The payload is taken; -1: and lost. */
CS_MUST_USE int cs__out_send(void *socket, cs__out_t *out, cs_buf_t *payload_p);
CS_MUST_USE cs_err_t cs__outs_open(cs_net_t *net);
void cs__outs_unwatch(cs_net_t *net);
void cs__outs_close(cs_net_t *net); /* once the context has ended */

/* --- net_echo.c */
/* What a message of one byte says. Other values are keep-alives, too. */
typedef enum cs__whisper {
    CS__WHISPER_ALIVE,
    CS__WHISPER_ASK,
    CS__WHISPER_ANSWER
} cs__whisper_t;
void cs__echo_hear(cs_net_t *net, cs__link_t *link, uint8_t byte);
void cs__echo_ask_due(cs_net_t *net, uint64_t now_ms);
uint64_t cs__echo_next(const cs_net_t *net);

/* --- net_router.c */
CS_MUST_USE cs_err_t cs__router_open(cs_net_t *net, const cs_net_config_t *config,
                                     cs_buf_t *ret_detail);
void cs__router_close(cs_net_t *net);
CS_MUST_USE cs_err_t cs__router_send(cs_net_t *net, cs__link_t *link, cs_slice_t header,
                                     cs_buf_t *payload_p);
/* False: there is no room, or nobody; that is found out elsewhere. */
bool cs__router_whisper(cs_net_t *net, const cs__link_t *link, cs_slice_t message);
/* Ends the TCP connection under an incoming link. */
void cs__router_eject(cs_net_t *net, cs__link_t *link);
void cs__router_probe_due(cs_net_t *net, uint64_t now_ms);
uint64_t cs__router_next_probe(const cs_net_t *net);
void cs__router_update_full(cs_net_t *net);

/* --- net_dial.c */
CS_MUST_USE cs_err_t cs__dial_add(cs_net_t *net, const uint8_t *key, const char *endpoint,
                                  const uint8_t *self_public, const uint8_t *self_secret,
                                  bool spare);
void cs__dial_destroy(cs__dial_t *dial); /* its link must have ended */
void cs__dials_step(cs_net_t *net, uint64_t now_ms);
uint64_t cs__dials_next(const cs_net_t *net);
CS_MUST_USE cs_err_t cs__dial_send(cs__dial_t *dial, cs_slice_t header, cs_buf_t *payload_p);

/* --- net_socket.c */
/* A socket with every option of core.md 7.1 but the keys; NULL: no descriptors left. */
void *cs__socket_new(cs_net_t *net, int type);
/* Before binding or connecting. IPv6 for its literals and, if `name_v6`, for names and '*';
 * never for an IPv4 address, which would then be called [::ffff:...]. */
int cs__socket_set_family(void *socket, const char *endpoint, bool name_v6);
void cs__socket_close(void **socket_p);
/* The receiving end of the socket's events, read without blocking; NULL: no descriptors left.
 */
void *cs__monitor_new(cs_net_t *net, void *socket, int events);
void cs__monitor_close(void *socket, void **monitor_p); /* before its socket is closed */
/* 0: none is waiting. */
int cs__monitor_next(void *monitor, uint32_t *ret_value);
CS_MUST_USE cs_err_t cs__socket_watch(cs_net_t *net, void *socket, short events,
                                      zloop_fn *handler, void *arg);
void cs__socket_unwatch(cs_net_t *net, void *socket);
void cs__raise_descriptor_limit(void);
/* Header and payload of the next message; false: none is waiting. A message that cannot be ours
 * (no part, more than two) comes with *ret_malformed and no frames. */
bool cs__receive(void *socket, zframe_t **ret_header, zframe_t **ret_payload,
                 bool *ret_malformed);
bool cs__is_keep_alive(zframe_t *header, zframe_t *payload);
cs_slice_t cs__keep_alive(void);
/* The parts after the routing id. errno is EAGAIN if the link is full. payload_p: taken on
 * success; NULL or empty: none, and then `out` is not used. */
CS_MUST_USE int cs__send_parts(void *socket, cs__out_t *out, cs_slice_t header,
                               cs_buf_t *payload_p);

#endif
