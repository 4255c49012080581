/* peers.c - a sorted array: peers are few. */
#include "node/peers.h"

#include <string.h>

#include "base/mem.h"

int cs_key_cmp(const cs_key_t *a, const cs_key_t *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

void cs_peers_fini(cs_peers_t *peers)
{
    cs_free(peers->item);
    *peers = (cs_peers_t){0};
}

cs_peer_entry_t *cs_peers_by_id(cs_peers_t *peers, cs_peer_t id)
{
    for (size_t i = 0; i < peers->len; i++) {
        if (peers->item[i].id == id) return &peers->item[i];
    }
    return NULL;
}

static size_t position(const cs_peers_t *peers, const cs_key_t *key)
{
    size_t i = 0;
    while (i < peers->len && cs_key_cmp(&peers->item[i].key, key) < 0) {
        i++;
    }
    return i;
}

cs_peer_entry_t *cs_peers_by_key(const cs_peers_t *peers, const cs_key_t *key)
{
    size_t i = position(peers, key);
    if (i == peers->len || cs_key_cmp(&peers->item[i].key, key) != 0) return NULL;
    return &peers->item[i];
}

cs_peer_entry_t *cs_peers_by_link(cs_peers_t *peers, cs_link_t link)
{
    for (size_t i = 0; i < peers->len; i++) {
        cs_peer_entry_t *peer = &peers->item[i];
        if (peer->in == link || peer->out == link) return peer;
    }
    return NULL;
}

/* The link that both ends agree on: the one dialled by the smaller key, if it is there. */
static cs_link_t preferred(const cs_peer_entry_t *peer, const cs_key_t *self)
{
    bool ours = cs_key_cmp(self, &peer->key) < 0;
    cs_link_t first = ours ? peer->out : peer->in;
    cs_link_t second = ours ? peer->in : peer->out;
    return first != 0 ? first : second;
}

/* True: another link than before. What waited on that one is not this one's. */
static bool choose(cs_peer_entry_t *peer, const cs_key_t *self)
{
    cs_link_t was = peer->active;
    peer->active = preferred(peer, self);
    if (peer->active != was) peer->unsent = 0;
    return peer->active != was;
}

cs_peer_change_t cs_peers_link_up(cs_peers_t *peers, const cs_key_t *self, const cs_key_t *key,
                                  cs_link_t link, bool outgoing, cs_peer_entry_t **ret)
{
    size_t i = position(peers, key);
    bool known = i < peers->len && cs_key_cmp(&peers->item[i].key, key) == 0;
    if (!known) {
        if (peers->len == peers->cap) {
            peers->cap = cs_grow(peers->cap, peers->len + 1);
            peers->item = cs_realloc_array(peers->item, peers->cap, sizeof *peers->item);
        }
        memmove(&peers->item[i + 1], &peers->item[i], (peers->len - i) * sizeof *peers->item);
        peers->item[i] = (cs_peer_entry_t){.id = ++peers->next, .key = *key};
        peers->len++;
    }
    cs_peer_entry_t *peer = &peers->item[i];
    if (peer->dropped) { /* a new beginning; the old links are on their way out */
        peer->in = peer->out = peer->active = 0;
        peer->dropped = false;
    }
    if (outgoing) {
        peer->out = link;
    } else {
        peer->in = link;
    }
    *ret = peer;
    bool moved = choose(peer, self);
    if (!known) return CS_PEER_UP;
    return moved ? CS_PEER_MOVED : CS_PEER_SAME;
}

cs_peer_change_t cs_peers_link_down(cs_peers_t *peers, const cs_key_t *self, cs_link_t link,
                                    cs_peer_entry_t *ret)
{
    cs_peer_entry_t *peer = cs_peers_by_link(peers, link);
    if (peer == NULL) return CS_PEER_SAME; /* replaced by a newer one before */
    if (peer->in == link) peer->in = 0;
    if (peer->out == link) peer->out = 0;
    bool moved = choose(peer, self);
    *ret = *peer;
    if (peer->active == 0) {
        size_t i = (size_t)(peer - peers->item);
        memmove(peer, peer + 1, (peers->len - i - 1) * sizeof *peer);
        peers->len--;
        return CS_PEER_DOWN;
    }
    return moved ? CS_PEER_MOVED : CS_PEER_SAME;
}
