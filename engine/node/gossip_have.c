/* gossip_have.c - HAVE: comparing roots, and the equality rule (core.md 6.1, 7.2). */
#include <string.h>

#include "base/mem.h"
#include "node/gossip_internal.h"

/* In quiet times that of all peers, and ours: so the last one is kept. Valid until the next
 * call. */
static const uint8_t *hash_seen(cs_gossip_t *gossip, const cs_vv_t *seen)
{
    if (gossip->hash_known && cs_vv_eq(&gossip->hashed, seen)) return gossip->seen_hash;
    cs_buf_t buf = {0};
    cs_vv_encode(seen, &buf);
    cs_slice_t part = cs_buf_slice(&buf);
    cs_hash(gossip->seen_hash, CS_DIGEST_BYTES, gossip->config.keys->item, 32, &part, 1);
    cs_buf_fini(&buf);
    cs_vv_copy(&gossip->hashed, seen);
    gossip->hash_known = true;
    return gossip->seen_hash;
}

/* What changed in our seen since the peer was told; from now on it counts as told. */
static void put_delta(cs_gossip_t *gossip, cs__peer_t *peer, cs_buf_t *ret)
{
    const cs_vv_t *seen = &cs__state(gossip)->seen;
    const cs_dot_t *slots = cs_vv_slots(seen);
    cs_vv_t delta = {0};
    for (uint32_t i = 0; i < seen->len; i++) {
        if (cs_vv_get(&peer->sent, slots[i].rid) == slots[i].ctr) continue;
        cs_err_t err = cs_vv_raise(&delta, slots[i]);
        CS_ASSERT(err == CS_OK); /* no more slots than in seen */
    }
    cs_vv_encode(&delta, ret);
    cs_vv_fini(&delta);
    cs_vv_copy(&peer->sent, seen);
}

bool cs__is_equal(const cs_gossip_t *gossip, const cs__peer_t *peer)
{
    const cs_state_t *state = cs__state(gossip);
    return peer->have_known && peer->n == state->n &&
           memcmp(peer->root, state->root, CS_HASH_BYTES) == 0;
}

static bool was_told(const cs_gossip_t *gossip, const cs__peer_t *peer)
{
    return peer->told && cs__is_own_stamp(gossip, peer->told_stamp) &&
           cs_vv_eq(&peer->sent, &cs__state(gossip)->seen);
}

static void set_told(cs_gossip_t *gossip, cs__peer_t *peer)
{
    const cs_state_t *state = cs__state(gossip);
    peer->told = true;
    peer->told_stamp = cs__own_stamp(gossip);
    peer->told_n = state->n;
    memcpy(peer->told_root, state->root, CS_HASH_BYTES);
    peer->have_sent_ms = gossip->now_ms;
    bool equal = cs__is_equal(gossip, peer);
    peer->period_ms = equal ? 2 * peer->period_ms : CS__HAVE_MS;
    if (peer->period_ms > CS__HAVE_MAX_MS) peer->period_ms = CS__HAVE_MAX_MS;
    uint64_t jitter = cs_prng_below(&gossip->prng, peer->period_ms / 5 * 2 + 1);
    peer->beat_due_ms = gossip->now_ms + peer->period_ms / 5 * 4 + jitter;
}

void cs__say_have(cs_gossip_t *gossip, cs__peer_t *peer)
{
    peer->news_due_ms = peer->beat_due_ms = CS__NEVER;
    if (!peer->checked || peer->dropped) return; /* HELLO goes first */
    const cs_state_t *state = cs__state(gossip);
    bool stale = CS_MUT(STALE_ROOT) && peer->told;
    cs_buf_t delta = {0};
    put_delta(gossip, peer, &delta);
    cs_msg_report_t reports[CS_REPORTS_MAX];
    cs_msg_t msg = {.type = CS_MSG_HAVE,
                    .u.have = {.root = stale ? peer->told_root : state->root,
                               .n = stale ? peer->told_n : state->n,
                               .seen_hash = hash_seen(gossip, &state->seen),
                               .delta = cs_buf_slice(&delta),
                               .applied = cs__is_applied(gossip),
                               .stamp = cs__own_stamp(gossip),
                               .taken = peer->taken,
                               .reports = reports,
                               .report_count = cs__reports_for(gossip, peer, reports)}};
    cs__send(gossip, peer, &msg);
    cs_buf_fini(&delta);
    set_told(gossip, peer);
    peer->taken_told = peer->taken;
    gossip->stats.have_sent++;
}

void cs__have_soon(cs_gossip_t *gossip, cs__peer_t *peer, uint32_t delay_ms)
{
    if (!peer->checked || peer->dropped) return;
    uint64_t at_ms = gossip->now_ms + delay_ms;
    if (peer->told && at_ms < peer->have_sent_ms + CS__HAVE_GAP_MS) {
        at_ms = peer->have_sent_ms + CS__HAVE_GAP_MS;
    }
    if (at_ms <= gossip->now_ms) {
        cs__say_have(gossip, peer);
    } else {
        cs__sooner(&peer->news_due_ms, at_ms);
    }
}

bool cs__owes_taken(const cs__peer_t *peer)
{
    return peer->taken - peer->taken_told >= CS_EAGER_AHEAD_BYTES / 2;
}

/* What was to be told may have been told since: by another HAVE, or a report of it came from
 * the peer itself. */
void cs__have_tick(cs_gossip_t *gossip, cs__peer_t *peer)
{
    uint64_t now_ms = gossip->now_ms;
    if (peer->news_due_ms > now_ms && peer->beat_due_ms > now_ms) return;
    bool news =
        !was_told(gossip, peer) || cs__has_reports_for(gossip, peer) || cs__owes_taken(peer);
    if (news || peer->beat_due_ms <= now_ms) {
        cs__say_have(gossip, peer);
    } else {
        peer->news_due_ms = CS__NEVER;
    }
}

/* Another root, theirs or ours: comparing may find something now. */
static void hope(const cs_gossip_t *gossip, cs__peer_t *peer)
{
    uint64_t soon_ms = gossip->now_ms + CS__EXCHANGE_MS;
    bool rests = peer->vain > CS__VAIN_MAX && peer->quiet_until_ms > soon_ms;
    if (rests) peer->quiet_until_ms = soon_ms;
}

/* One random neighbour and the one that was silent longest; the others hear at their own time.
 */
void cs__have_others_soon(cs_gossip_t *gossip, const cs__peer_t *but)
{
    if (gossip->peer_count == 0) return;
    cs__peer_t *oldest = gossip->peers[0];
    for (size_t i = 0; i < gossip->peer_count; i++) {
        cs__peer_t *peer = gossip->peers[i];
        if (peer->heard_ms < oldest->heard_ms) oldest = peer;
        if (was_told(gossip, peer)) continue;
        hope(gossip, peer);
        peer->period_ms = CS__HAVE_MS;
        if (peer != but && gossip->peer_count <= CS_FANOUT_MAX) {
            cs__have_soon(gossip, peer, CS__SOON_MS);
        }
    }
    cs__peer_t *random = gossip->peers[cs_prng_below(&gossip->prng, gossip->peer_count)];
    if (random != but) cs__have_soon(gossip, random, CS__SOON_MS);
    if (oldest != but) cs__have_soon(gossip, oldest, CS__SOON_MS);
}

/* --- receiving */

/* seen_of := seen_of joined with the delta, if that is what the sender says it is; ret_own: it
 * made changes of its own. CS_ERR_AGAIN: it is not; a HELLO was asked for. */
static cs_err_t rebuild_seen(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_have_t *have,
                             bool *ret_own)
{
    uint64_t own = cs_vv_get(&peer->seen_of, peer->rid);
    cs_vv_t delta = {0}, seen = {0};
    cs_reader_t reader = cs_reader(have->delta);
    cs_vv_decode(&reader, &delta);
    cs_err_t err = cs_reader_end(&reader);
    if (err == CS_OK) {
        cs_vv_copy(&seen, &peer->seen_of);
        err = cs_vv_merge(&seen, &delta);
    }
    if (err == CS_OK) {
        const uint8_t *hash = hash_seen(gossip, &seen);
        bool blind = CS_MUT(HAVE_NO_CHECK) || CS_MUT(STALE_BASE);
        if (memcmp(hash, have->seen_hash, CS_DIGEST_BYTES) != 0 && !blind) {
            err = CS_ERR_AGAIN;
        } else if (!cs__is_signed(gossip, &seen)) {
            err = CS_ERR_UNSIGNED;
        } else if (cs_replica_regressed(gossip->config.replica, &seen, NULL)) {
            err = CS_ERR_STALE;
        }
    }
    if (err == CS_OK) cs_vv_copy(&peer->seen_of, &seen);
    *ret_own = cs_vv_get(&peer->seen_of, peer->rid) != own;
    cs_vv_fini(&delta);
    cs_vv_fini(&seen);
    return err;
}

static void take_reports(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_have_t *have)
{
    cs_msg_report_t own = {.key = peer->key.b,
                           .stamp = have->stamp,
                           .root = have->root,
                           .n = have->n,
                           .applied = have->applied};
    bool news = cs__report_take(gossip, peer, &own);
    for (size_t i = 0; i < have->report_count; i++) {
        news = cs__report_take(gossip, peer, &have->reports[i]) || news;
    }
    for (size_t i = 0; news && i < gossip->peer_count; i++) {
        if (gossip->peers[i] == peer) continue;
        /* Of two who would relay it to each other, one hears it first, and keeps silent. */
        uint64_t delay_ms = CS__SOON_MS + cs_prng_below(&gossip->prng, CS__SOON_MS + 1);
        cs__have_soon(gossip, gossip->peers[i], (uint32_t)delay_ms);
    }
}

/* True if it says more than its last one. Of contents that come to it from others, one that
 * was asked in vain tells (CHAVE): of them a new root says nothing. */
static bool note_state(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_have_t *have,
                       bool own)
{
    bool moved = memcmp(peer->root, have->root, CS_HASH_BYTES) != 0;
    bool whole = have->applied && (moved || !peer->applied);
    bool content = !peer->have_known || peer->greeted || whole || own;
    bool more = content || moved;
    if (moved) hope(gossip, peer);
    peer->have_known = true;
    peer->greeted = false;
    peer->applied = have->applied;
    peer->n = have->n;
    memcpy(peer->root, have->root, CS_HASH_BYTES);
    if (content) gossip->host.peer_has_more(gossip->host.arg, peer->id);
    return more;
}

/* (root, n) are equal now: whatever is dead there is dead here. */
static void equality(cs_gossip_t *gossip, cs__peer_t *peer)
{
    peer->start_due_ms = CS__NEVER;
    peer->vain = 0;
    if (cs_vv_covers(&cs__state(gossip)->seen, &peer->seen_of)) return;
    if (cs_replica_claim(gossip->config.replica, &peer->seen_of) != CS_OK) {
        cs__alarm(gossip, "too many replica ids", (cs_dot_t){0});
        return;
    }
    gossip->stats.claims++;
    cs__sooner(&gossip->gc_due_ms, gossip->now_ms);
}

cs_err_t cs__on_have(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_have_t *have)
{
    gossip->stats.have_received++;
    if (!peer->checked) {
        cs__ask_hello(gossip, peer);
        return CS_OK;
    }
    bool own = false;
    cs_err_t err = rebuild_seen(gossip, peer, have, &own);
    if (err == CS_ERR_AGAIN) {
        cs__ask_hello(gossip, peer);
        return CS_OK;
    }
    if (err != CS_OK) return err;
    cs__push_taken(gossip, peer, have->taken);
    take_reports(gossip, peer, have);
    bool more = note_state(gossip, peer, have, own);
    bool equal = cs__is_equal(gossip, peer);
    if (equal) equality(gossip, peer);
    /* Even if all is equal: the peer's `wait` needs to hear that we are where it is. */
    if (!was_told(gossip, peer)) cs__have_soon(gossip, peer, 0);
    if (equal && more) gossip->host.changed(gossip->host.arg);
    if (!equal) {
        peer->period_ms = CS__HAVE_MS;
        cs__want_exchange(gossip, peer);
    }
    return CS_OK;
}
