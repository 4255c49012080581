/* peers.h - who is connected, over which links (core.md 7.1).
 *
 * A peer is a key with at least one link. Of two links to the same key, one dialled by each,
 * both stay open; everything is said on the one dialled by the smaller key. A peer keeps its
 * handle while it has a link. */
#ifndef CS_NODE_PEERS_H
#define CS_NODE_PEERS_H

#include "node/node.h"

typedef struct cs_peer_entry {
    cs_peer_t id;
    cs_key_t key;
    cs_link_t in, out; /* 0: none; `in` is the newest they dialled */
    cs_link_t active;
    bool dropped; /* broke the protocol: nothing is said or heard until a new link comes up */
    uint64_t bytes_in, bytes_out;
    uint64_t up_ms, way_ms;  /* of the first link: node/neighbours.h */
    cs_rate_t rate[CS_WAYS]; /* content sent and asked for */
    uint64_t unsent; /* bytes of CHUNK payloads handed to the active link and not yet gone */
} cs_peer_entry_t;

typedef struct cs_peers {
    cs_peer_entry_t *item; /* sorted by key */
    size_t len, cap;
    cs_peer_t next;
} cs_peers_t;

int cs_key_cmp(const cs_key_t *a, const cs_key_t *b);
void cs_peers_fini(cs_peers_t *peers);
cs_peer_entry_t *cs_peers_by_id(cs_peers_t *peers, cs_peer_t id);
cs_peer_entry_t *cs_peers_by_key(const cs_peers_t *peers, const cs_key_t *key);
cs_peer_entry_t *cs_peers_by_link(cs_peers_t *peers, cs_link_t link);

typedef enum cs_peer_change {
    CS_PEER_SAME,  /* nothing that conversations would notice */
    CS_PEER_UP,    /* the first link */
    CS_PEER_MOVED, /* the active link is another one: conversations begin anew */
    CS_PEER_DOWN   /* the last link went; ret is a copy of what was */
} cs_peer_change_t;

cs_peer_change_t cs_peers_link_up(cs_peers_t *peers, const cs_key_t *self, const cs_key_t *key,
                                  cs_link_t link, bool outgoing, cs_peer_entry_t **ret);
cs_peer_change_t cs_peers_link_down(cs_peers_t *peers, const cs_key_t *self, cs_link_t link,
                                    cs_peer_entry_t *ret);

#endif
