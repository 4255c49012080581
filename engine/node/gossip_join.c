/* gossip_join.c - entries coming in: checked, joined, answered (core.md 6.4, 7.2, 7.3). */
#include <string.h>

#include "node/gossip_internal.h"

void cs__bundle_put(cs__bundle_t *bundle, cs_slice_t encoded)
{
    cs_packed_put(&bundle->packed, encoded);
    bundle->count++;
}

bool cs__bundle_is_full(const cs__bundle_t *bundle, size_t next_bytes)
{
    return bundle->count > 0 && bundle->packed.len + next_bytes > CS_BUNDLE_BYTES;
}

void cs__bundle_clear(cs__bundle_t *bundle)
{
    cs_buf_clear(&bundle->packed);
    bundle->count = 0;
}

cs_msg_entries_t cs__bundle_entries(const cs__bundle_t *bundle)
{
    return (cs_msg_entries_t){.count = bundle->count, .packed = cs_buf_slice(&bundle->packed)};
}

static void flush(cs_gossip_t *gossip, cs__peer_t *peer, cs__replies_t *replies)
{
    if (replies->bundle.count == 0) return;
    replies->send(gossip, peer, &replies->bundle);
    gossip->stats.entries_sent += replies->bundle.count;
    cs__bundle_clear(&replies->bundle);
}

static void reply(cs_gossip_t *gossip, cs__peer_t *peer, cs__replies_t *replies,
                  const cs_entry_t *result)
{
    if (gossip->paused) return;
    cs_buf_t encoded = {0};
    cs_entry_encode(result, &encoded);
    if (cs__bundle_is_full(&replies->bundle, encoded.len)) flush(gossip, peer, replies);
    cs__bundle_put(&replies->bundle, cs_buf_slice(&encoded));
    cs_buf_fini(&encoded);
}

/* The fuse: rows lost while seen survived would look like this (core.md 6.4). Deaths that this
 * process witnessed are no surprise. */
static bool fuse_blows(cs_gossip_t *gossip, cs__exchange_t *exchange)
{
    if (exchange == NULL) return false;
    uint64_t limit = cs__state(gossip)->n * CS_FUSE_PERCENT / 100;
    if (limit < CS_FUSE_ENTRIES) limit = CS_FUSE_ENTRIES;
    return ++exchange->refuted > limit + gossip->deaths;
}

static void note_join(cs_gossip_t *gossip, cs__peer_t *peer, const cs_entry_t *result,
                      const cs_join_result_t *join, bool eager, uint32_t hops)
{
    if (join->reuse.rid != 0) cs__alarm(gossip, CS_ALARM_REUSE, join->reuse);
    /* A HAVE may leave before the folder has looked: it must not claim what the disk lacks. */
    if (join->changed) gossip->applied = false;
    if (join->changed && cs_entry_is_dead(result)) gossip->deaths++;
    if (!eager) return;
    if (join->changed && hops < CS_HOPS_MAX) {
        cs__hot_add(&gossip->hot, &result->bucket, (uint8_t)(hops + 1), peer->id);
    } else if (!join->changed && !join->differs) {
        cs__hot_item_t *item = cs__hot_find(&gossip->hot, &result->bucket);
        if (item != NULL && item->had < UINT8_MAX) item->had++;
    }
}

/* The mistake: what was joined may be gone from there. */
static void read_back(cs_replica_t *replica, cs_entry_t *result)
{
    cs_bucket_t bucket = result->bucket;
    (void)cs_replica_gc(replica, UINT32_MAX, NULL, NULL);
    (void)!cs_replica_get(replica, &bucket, result);
}

/* Ours stays as it is; nobody is to blame. */
static void refuse(cs_gossip_t *gossip, const cs_entry_t *received)
{
    cs__alarm(gossip, "too many versions", (cs_dot_t){0});
    const cs_str_t *path = received->l_len > 0   ? received->l[0].path
                           : received->k_len > 0 ? received->k[0].path
                                                 : NULL;
    if (path != NULL && gossip->host.refused != NULL) {
        gossip->host.refused(gossip->host.arg, cs_slice_str(path));
    }
}

static cs_err_t join_one(cs_gossip_t *gossip, cs__peer_t *peer, const cs_entry_t *received,
                         cs__exchange_t *exchange, uint32_t hops, cs__replies_t *replies)
{
    cs_replica_t *replica = gossip->config.replica;
    if (!cs__is_entry_signed(gossip, received)) return CS_ERR_UNSIGNED;
    if (cs_replica_regressed(replica, NULL, received)) return CS_ERR_STALE;
    const cs_vv_t *ib = exchange != NULL ? &exchange->peer_seen : NULL;
    if (CS_MUT(IB_NEWER) && exchange != NULL) ib = &peer->seen_of;
    if (CS_MUT(IB_EAGER) && exchange == NULL) ib = &peer->seen_of;
    cs_entry_t result;
    cs_entry_init(&result, &received->bucket);
    cs_join_result_t join = {0};
    cs_err_t err = cs_replica_join(replica, received, ib, &result, &join);
    if (err == CS_ERR_LIMIT) {
        refuse(gossip, received);
        cs_entry_fini(&result);
        return CS_OK;
    }
    if (err == CS_OK && CS_MUT(REPLY_AFTER_GC)) read_back(replica, &result);
    if (err == CS_OK) {
        note_join(gossip, peer, &result, &join, exchange == NULL, hops);
        bool own = exchange == NULL && hops == 0;
        bool heard = own || (exchange == NULL && join.changed);
        if (heard && gossip->host.heard != NULL) {
            gossip->host.heard(gossip->host.arg, peer->id, received, own);
        }
        if (join.changed) replies->changed = true;
        bool refuted = cs_entry_is_dead(&result) && !cs_entry_is_dead(received);
        if (refuted && fuse_blows(gossip, exchange)) {
            err = CS_ERR_HELD;
        } else if (join.differs) {
            reply(gossip, peer, replies, &result);
        }
    }
    cs_entry_fini(&result);
    return err;
}

static cs_err_t decode_and_join(cs_gossip_t *gossip, cs__peer_t *peer, cs_slice_t encoded,
                                cs__exchange_t *exchange, uint32_t hops, cs__replies_t *replies)
{
    cs_entry_t entry;
    cs_entry_init(&entry, &(cs_bucket_t){0});
    cs_err_t err = cs_entry_decode(encoded, &entry);
    if (err == CS_OK) err = join_one(gossip, peer, &entry, exchange, hops, replies);
    cs_entry_fini(&entry);
    return err;
}

static void blow_fuse(cs_gossip_t *gossip)
{
    gossip->paused = true;
    cs__alarm(gossip, "refutations", (cs_dot_t){0});
}

cs_err_t cs__take_entries(cs_gossip_t *gossip, cs__peer_t *peer,
                          const cs_msg_entries_t *entries, cs__exchange_t *exchange,
                          uint32_t hops, cs__replies_t *replies)
{
    cs_slice_t rest = entries->packed, encoded;
    cs_err_t err = CS_OK;
    bool all_signed = true; /* what is not is left out */
    while (err == CS_OK && cs_packed_next(&rest, &encoded)) {
        err = decode_and_join(gossip, peer, encoded, exchange, hops, replies);
        if (err == CS_ERR_UNSIGNED) {
            all_signed = false;
            err = CS_OK;
        }
        gossip->stats.entries_received++;
    }
    if (err == CS_OK) flush(gossip, peer, replies);
    cs_buf_fini(&replies->bundle.packed);
    if (err == CS_ERR_HELD) blow_fuse(gossip);
    if (entries->count > 0) cs__sooner(&gossip->gc_due_ms, gossip->now_ms + CS__GC_MS);
    if (exchange != NULL && replies->changed) exchange->changed = true;
    if (replies->changed) gossip->host.changed(gossip->host.arg);
    return err == CS_OK && !all_signed ? CS_ERR_UNSIGNED : err;
}

static void reply_eager(cs_gossip_t *gossip, cs__peer_t *peer, cs__bundle_t *bundle)
{
    if (!peer->checked) return;
    cs_msg_t msg = {.type = CS_MSG_ENTRIES,
                    .u.entries = {.entries = cs__bundle_entries(bundle),
                                  .hops = 1}}; /* 0 is for what its own user does */
    cs__send(gossip, peer, &msg);
    peer->pushed += bundle->packed.len; /* it counts them, too */
}

cs_err_t cs__on_eager(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_entries_t *entries,
                      uint32_t hops)
{
    cs__replies_t replies = {.send = reply_eager};
    peer->eager_ms = gossip->now_ms;
    peer->taken += entries->packed.len;
    cs_err_t err = cs__take_entries(gossip, peer, entries, NULL, hops, &replies);
    if (err != CS_OK) return err;
    if (cs__owes_taken(peer)) cs__have_soon(gossip, peer, 0);
    cs__push_soon(gossip);
    return CS_OK;
}
