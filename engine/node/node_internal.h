/* node_internal.h - what a node consists of. Private to engine/node. */
#ifndef CS_NODE_NODE_INTERNAL_H
#define CS_NODE_NODE_INTERNAL_H

#include "node/folder.h"
#include "node/neighbours.h"
#include "node/pex.h"

struct cs_node {
    cs_node_config_t config;
    cs_peers_t peers;
    cs_folder_t **folders; /* owned; sorted by number */
    size_t folder_count, folder_cap;
    uint64_t last_job;
    cs_key_t *denied; /* owned; sorted */
    size_t denied_count, denied_cap;
    cs_pex_t pex; /* where members listen */
    cs_neighbours_t neighbours;
    uint64_t neighbours_of; /* what was looked at: node_neighbours.c */
    uint64_t links_changed; /* counts */
    bool stopping;
    uint64_t now_ms; /* of the last step */
    cs_limits_t limits;
    cs_rate_t rate[CS_WAYS];  /* of all peers */
    size_t turn;              /* the folder that is first to use them */
    cs_fetch_budget_t coming; /* contents that were asked for and are not on the disk */
    uint64_t going_max;       /* bytes of those that are read for peers */
};

cs_folder_t *cs__node_folder(const cs_node_t *node, uint32_t number); /* NULL: unknown */
/* members.c: keys that are no members, whatever others say */
bool cs__node_denies(const cs_node_t *node, const cs_key_t *key);
void cs__node_permit(cs_node_t *node, const cs_key_t *key);
/* Its conversations end. say: and members are told. */
void cs__node_deny(cs_node_t *node, const cs_key_t *key, bool say);
/* node.c: a member from now on. */
void cs__node_allow(cs_node_t *node, cs_folder_t *folder, const cs_member_t *member);
/* Nothing more is said to it or heard of it, until a new link comes up. */
void cs__node_drop(cs_effects_t *effects, cs_peer_entry_t *peer, const char *why);

/* folder_pex.c: the effect that keeps where it listens. */
void cs__node_address(const cs_node_t *node, cs_effects_t *effects, const cs_key_t *key);
void cs__node_addresses(cs_node_t *node, const cs_event_t *event); /* from the shell */

/* node_neighbours.c: links that are wanted now, or not any more. */
void cs__node_neighbours(cs_node_t *node, cs_effects_t *effects);

/* node_limits.c */
bool cs__node_limits(const cs_node_t *node, cs_way_t way); /* there are any */
/* Content for, or of, this peer: may some more begin to flow? */
bool cs__node_may(cs_node_t *node, cs_peer_entry_t *peer, cs_way_t way);
/* peer: NULL if it is gone. */
void cs__node_spend(cs_node_t *node, cs_peer_entry_t *peer, cs_way_t way, uint64_t bytes);
/* When it may. */
uint64_t cs__node_due(const cs_node_t *node, const cs_peer_entry_t *peer, cs_way_t way);

/* Of contents in flight: half may come, half may go. */
void cs__node_share_memory(cs_node_t *node, uint64_t memory_bytes);
/* One more request of it may be read. Each peer has its part, so that those that take nothing
 * cost the others nothing. */
bool cs__node_has_room(const cs_node_t *node, const cs_peer_entry_t *peer);

#endif
