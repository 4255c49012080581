/* gossip_hot.c - the hot set, and the eager push of what is in it (core.md 7.2). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "node/gossip_internal.h"

/* --- the set. Buckets are keyed hashes already: eight of their bytes are a good hash. */

static size_t *slot_of(const cs__hot_t *hot, const cs_bucket_t *bucket, size_t *ret)
{
    uint64_t hash;
    memcpy(&hash, bucket->b, sizeof hash);
    size_t at = (size_t)hash & (hot->slot_count - 1);
    while (hot->slots[at] != 0) {
        const cs__hot_item_t *item = &hot->items[hot->slots[at] - 1];
        if (memcmp(item->bucket.b, bucket->b, CS_BUCKET_BYTES) == 0) break;
        at = (at + 1) & (hot->slot_count - 1);
    }
    *ret = at;
    return ret;
}

cs__hot_item_t *cs__hot_find(const cs__hot_t *hot, const cs_bucket_t *bucket)
{
    if (hot->len == 0) return NULL;
    size_t at = *slot_of(hot, bucket, &at);
    return hot->slots[at] == 0 ? NULL : &hot->items[hot->slots[at] - 1];
}

static void fill_slots(cs__hot_t *hot)
{
    cs_free(hot->slots);
    hot->slots = cs_calloc(hot->slot_count, sizeof *hot->slots);
    for (size_t i = 0; i < hot->len; i++) {
        size_t at = *slot_of(hot, &hot->items[i].bucket, &at);
        hot->slots[at] = (uint32_t)i + 1;
    }
}

/* Keeps at least half of the slots free. */
static void grow_slots(cs__hot_t *hot)
{
    if (2 * (hot->len + 1) <= hot->slot_count) return;
    hot->slot_count = hot->slot_count == 0 ? 64 : 2 * hot->slot_count;
    fill_slots(hot);
}

void cs__hot_add(cs__hot_t *hot, const cs_bucket_t *bucket, uint8_t hops, cs_peer_t from)
{
    cs__hot_item_t *known = cs__hot_find(hot, bucket);
    if (known != NULL) { /* changed again: nobody has this yet, and all should get it */
        known->had = 0;
        if (known->from != from) known->from = 0;
        if (hops < known->hops) known->hops = hops;
        return;
    }
    if (hot->len == CS_HOT_MAX) return; /* an exchange carries it */
    grow_slots(hot);
    if (hot->len == hot->cap) {
        hot->cap = cs_grow(hot->cap, hot->len + 1);
        hot->items = cs_realloc_array(hot->items, hot->cap, sizeof *hot->items);
    }
    size_t at = *slot_of(hot, bucket, &at);
    hot->items[hot->len] = (cs__hot_item_t){.bucket = *bucket, .from = from, .hops = hops};
    hot->slots[at] = (uint32_t)++hot->len;
}

void cs__hot_clear(cs__hot_t *hot)
{
    cs_free(hot->items);
    cs_free(hot->slots);
    *hot = (cs__hot_t){0};
}

/* The first ones are done with. */
static void hot_drop(cs__hot_t *hot, size_t count)
{
    if (count == hot->len) {
        cs__hot_clear(hot);
        return;
    }
    hot->len -= count;
    memmove(hot->items, hot->items + count, hot->len * sizeof *hot->items);
    fill_slots(hot);
}

/* --- the push */

typedef struct ready {
    cs__hot_item_t item;
    size_t at, len; /* where its encoding lies */
} ready_t;

typedef struct push {
    ready_t *ready;
    size_t count;
    size_t looked; /* of those that are hot: so many are done with */
    cs_buf_t bytes;
} push_t;

static int by_hops_and_bucket(const void *a, const void *b)
{
    const cs__hot_item_t *x = a, *y = b;
    if (x->hops != y->hops) return x->hops < y->hops ? -1 : 1;
    return memcmp(x->bucket.b, y->bucket.b, CS_BUCKET_BYTES);
}

static void note_own(cs_gossip_t *gossip, const cs_entry_t *entry)
{
    if (cs_entry_is_dead(entry)) gossip->deaths++;
    if (gossip->host.pushes != NULL) gossip->host.pushes(gossip->host.arg, entry);
}

static void announce(cs_gossip_t *gossip, cs__peer_t *const *peers, size_t count)
{
    cs_peer_t ids[CS_FANOUT_MAX];
    for (size_t i = 0; i < count; i++) {
        ids[i] = peers[i]->id;
    }
    if (gossip->host.pushes_to != NULL) gossip->host.pushes_to(gossip->host.arg, ids, count);
}

/* Encodes what is hot, in order. Enough of it known elsewhere, or unreadable: left to
 * exchanges. */
static void prepare(cs_gossip_t *gossip, push_t *ret)
{
    cs__hot_t *hot = &gossip->hot;
    qsort(hot->items, hot->len, sizeof *hot->items, by_hops_and_bucket);
    ret->ready = cs_calloc(hot->len, sizeof *ret->ready);
    for (; ret->looked < hot->len && ret->bytes.len < CS_EAGER_BYTES_MAX; ret->looked++) {
        size_t i = ret->looked;
        const cs__hot_item_t *item = &hot->items[i];
        if (item->had >= 2 || item->hops > CS_HOPS_MAX) continue;
        cs_entry_t entry;
        cs_entry_init(&entry, &item->bucket);
        if (cs_replica_get(gossip->config.replica, &item->bucket, &entry) == CS_OK) {
            size_t at = ret->bytes.len;
            cs_entry_encode(&entry, &ret->bytes);
            ret->ready[ret->count++] =
                (ready_t){.item = *item, .at = at, .len = ret->bytes.len - at};
            if (item->hops == 0) note_own(gossip, &entry);
        }
        cs_entry_fini(&entry);
    }
}

static void send_bundle(cs_gossip_t *gossip, cs__peer_t *peer, cs__bundle_t *bundle,
                        uint32_t hops)
{
    if (bundle->count == 0) return;
    cs_msg_t msg = {.type = CS_MSG_ENTRIES,
                    .u.entries = {.entries = cs__bundle_entries(bundle), .hops = hops}};
    cs__send(gossip, peer, &msg);
    gossip->stats.entries_sent += bundle->count;
    peer->pushed += bundle->packed.len;
    cs__bundle_clear(bundle);
}

static void push_to(cs_gossip_t *gossip, cs__peer_t *peer, const push_t *push)
{
    cs__bundle_t bundle = {0};
    uint32_t hops = 0;
    bool any = false, is_taken = peer->pushed == peer->push_taken;
    for (size_t i = 0; i < push->count; i++) {
        const ready_t *ready = &push->ready[i];
        if (ready->item.from == peer->id) continue;
        bool full = cs__bundle_is_full(&bundle, ready->len);
        if (full || ready->item.hops != hops) send_bundle(gossip, peer, &bundle, hops);
        hops = ready->item.hops;
        any = true;
        cs__bundle_put(&bundle, cs_slice(push->bytes.data + ready->at, ready->len));
    }
    send_bundle(gossip, peer, &bundle, hops);
    cs_buf_fini(&bundle.packed);
    if (!any) return;
    if (is_taken) peer->push_moved_ms = gossip->now_ms; /* its time begins */
    peer->eager_ms = gossip->now_ms;
    peer->told = false; /* now it may be where it was told that we are */
    cs__have_soon(gossip, peer, 0);
}

/* Up to CS_FANOUT_MAX checked peers, by chance if there are more; sorted by id within ret. */
static size_t choose(cs_gossip_t *gossip, cs__peer_t *ret[CS_FANOUT_MAX])
{
    size_t left = 0, count = 0;
    for (size_t i = 0; i < gossip->peer_count; i++) {
        left += gossip->peers[i]->checked && !gossip->peers[i]->dropped;
    }
    for (size_t i = 0; i < gossip->peer_count && count < CS_FANOUT_MAX; i++) {
        cs__peer_t *peer = gossip->peers[i];
        if (!peer->checked || peer->dropped) continue;
        if (cs_prng_below(&gossip->prng, left) < CS_FANOUT_MAX - count) ret[count++] = peer;
        left--;
    }
    return count;
}

void cs__push_taken(cs_gossip_t *gossip, cs__peer_t *peer, uint64_t taken)
{
    if (taken > peer->pushed) taken = peer->pushed;
    if (taken <= peer->push_taken) return;
    peer->push_taken = taken;
    peer->push_moved_ms = gossip->now_ms;
    cs__push_soon(gossip);
}

static bool has_room(cs_gossip_t *gossip, cs__peer_t *peer)
{
    if (peer->pushed - peer->push_taken < CS_EAGER_AHEAD_BYTES) return true;
    if (gossip->now_ms < peer->push_moved_ms + CS__STUCK_MS) return false;
    peer->push_taken = peer->pushed; /* dropped on the way, by a full queue */
    return true;
}

/* Of those chosen, the ones that can take more come first; returns how many. One that has no
 * room, but makes progress, is waited for: 0. */
static size_t with_room(cs_gossip_t *gossip, cs__peer_t *peers[CS_FANOUT_MAX], size_t count)
{
    size_t room = 0;
    for (size_t i = 0; i < count; i++) {
        if (has_room(gossip, peers[i])) {
            peers[room++] = peers[i];
        } else if (gossip->now_ms < peers[i]->push_moved_ms + CS__PATIENCE_MS) {
            return 0;
        }
    }
    return room;
}

void cs__cool(cs_gossip_t *gossip)
{
    cs__hot_clear(&gossip->hot);
    cs__sooner(&gossip->gc_due_ms, gossip->now_ms);
}

void cs__push(cs_gossip_t *gossip)
{
    gossip->push_due_ms = CS__NEVER;
    if (gossip->hot.len == 0) return;
    cs__peer_t *peers[CS_FANOUT_MAX];
    size_t count = choose(gossip, peers);
    if (count == 0) return; /* they stay hot until a peer comes */
    count = with_room(gossip, peers, count);
    if (count == 0) {
        gossip->push_due_ms = gossip->now_ms + CS__PUSH_MS;
        return;
    }
    push_t push = {0};
    prepare(gossip, &push);
    gossip->pushed_ms = gossip->now_ms;
    announce(gossip, peers, count);
    for (size_t i = 0; i < count; i++) {
        push_to(gossip, peers[i], &push);
    }
    hot_drop(&gossip->hot, push.looked);
    cs__sooner(&gossip->gc_due_ms, gossip->now_ms); /* they were not collected meanwhile */
    cs_free(push.ready);
    cs_buf_fini(&push.bytes);
    cs__push_soon(gossip); /* the rest, if any */
}

void cs__push_soon(cs_gossip_t *gossip)
{
    if (gossip->hot.len == 0) return;
    uint64_t at_ms = gossip->pushed_ms == 0 ? 0 : gossip->pushed_ms + CS__PUSH_MS;
    if (at_ms <= gossip->now_ms) {
        cs__push(gossip);
    } else {
        cs__sooner(&gossip->push_due_ms, at_ms);
    }
}
