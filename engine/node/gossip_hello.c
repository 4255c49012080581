/* gossip_hello.c - introductions: who is there, and the baseline for what follows
 * (core.md 6.4). */
#include <string.h>

#include "base/mem.h"
#include "node/gossip_internal.h"

#define ASK_GAP_MS 200u /* a baseline that never fits must not become a storm */

/* Our seen with the own slot cut to what was exposed: HELLO gives nothing away. */
static void set_baseline(cs_gossip_t *gossip, cs__peer_t *peer)
{
    const cs_state_t *state = cs__state(gossip);
    cs_vv_copy(&peer->sent, &state->seen);
    if (CS_MUT(HELLO_EXPOSES)) return;
    if (cs_vv_get(&peer->sent, state->rid) <= state->exposed) return;
    cs_err_t err = cs_vv_cut(&peer->sent, state->rid, state->exposed);
    CS_ASSERT(err == CS_OK); /* the slot is there, so none is added */
}

/* What entries told us of others and `seen` does not cover: a peer that was put back to an
 * older state learns from it that its numbers were used, before it uses them again. */
static void put_heard(const cs_gossip_t *gossip, cs_buf_t *ret)
{
    const cs_vv_t *heard = cs_replica_heard(gossip->config.replica);
    const cs_state_t *state = cs__state(gossip);
    const cs_dot_t *slots = cs_vv_slots(heard);
    cs_vv_t above = {0};
    for (uint32_t i = 0; i < heard->len; i++) {
        bool mine = slots[i].rid == state->rid;
        if (mine || cs_vv_get(&state->seen, slots[i].rid) >= slots[i].ctr) continue;
        cs_err_t err = cs_vv_raise(&above, slots[i]);
        CS_ASSERT(err == CS_OK); /* no more slots than in heard */
    }
    if (above.len > 0) cs_vv_encode(&above, ret);
    cs_vv_fini(&above);
}

void cs__say_hello(cs_gossip_t *gossip, cs__peer_t *peer)
{
    set_baseline(gossip, peer);
    cs_buf_t seen = {0}, heard = {0};
    cs_vv_encode(&peer->sent, &seen);
    put_heard(gossip, &heard);
    uint8_t hash[CS_HASH_BYTES];
    cs__members_hash(gossip, hash);
    size_t count;
    cs_msg_member_t *members = cs__members_for(gossip, &count);
    cs_msg_t msg = {.type = CS_MSG_HELLO,
                    .u.hello = {.rid = cs__state(gossip)->rid,
                                .nonce = gossip->nonce,
                                .caps = CS_CAP_LIST | CS_CAP_SYMBOLS,
                                .members_hash = hash,
                                .seen = cs_buf_slice(&seen),
                                .heard = cs_buf_slice(&heard),
                                .members = {members, count},
                                .answer = !peer->checked}};
    cs__send(gossip, peer, &msg);
    peer->pushed = peer->push_taken = 0;
    peer->member_news = false;
    gossip->introductions++;
    peer->hello_sent_ms = gossip->now_ms;
    peer->hello_due_ms = peer->checked ? CS__NEVER : gossip->now_ms + CS__HELLO_MS;
    cs_free(members);
    cs_buf_fini(&seen);
    cs_buf_fini(&heard);
}

void cs__ask_hello(cs_gossip_t *gossip, cs__peer_t *peer)
{
    peer->checked = false;
    uint64_t at_ms = peer->hello_sent_ms + ASK_GAP_MS;
    if (at_ms <= gossip->now_ms) {
        cs__say_hello(gossip, peer);
    } else {
        cs__sooner(&peer->hello_due_ms, at_ms);
    }
}

/* Another life of the peer: nothing of the one before goes on. */
static void forget_if_reborn(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_hello_t *hello)
{
    if (peer->rid == hello->rid && peer->nonce == hello->nonce) return;
    cs__exchange_close(gossip, peer);
    peer->have_known = false;
    peer->rid = hello->rid;
    peer->nonce = hello->nonce;
}

/* Its replica id is ours: a copy of this node. An id that is signed for is of one key. */
static cs_err_t copy_met(const cs_gossip_t *gossip, const cs__peer_t *peer)
{
    bool same = memcmp(&peer->key, &gossip->config.self, sizeof peer->key) == 0;
    bool lies = gossip->config.marks != NULL && !same;
    return lies ? CS_ERR_UNSIGNED : CS_ERR_STALE;
}

cs_err_t cs__on_hello(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_hello_t *hello)
{
    if (hello->rid == cs__state(gossip)->rid) return copy_met(gossip, peer);
    cs_vv_t seen = {0}, heard = {0};
    cs_err_t err = cs__read_seen(gossip, hello->seen, &seen);
    if (err == CS_OK && hello->heard.len > 0 && !CS_MUT(EXPOSED_SEEN)) {
        err = cs__read_seen(gossip, hello->heard, &heard);
    }
    if (err == CS_OK) {
        forget_if_reborn(gossip, peer, hello);
        if (CS_MUT(STALE_BASE)) (void)!cs_vv_merge(&seen, &peer->seen_of);
        cs_vv_copy(&peer->seen_of, &seen);
    }
    cs_vv_fini(&seen);
    cs_vv_fini(&heard);
    if (err != CS_OK) return err;
    if (peer->checked && hello->answer) cs__forget_marked(peer); /* it may have missed some */
    peer->greetings += !peer->checked || hello->answer;
    gossip->introductions++;
    peer->checked = peer->greeted = true;
    peer->taken = peer->taken_told = 0;
    peer->caps = hello->caps;
    /* A HAVE that it could not use took reports with it: tell them all again. */
    memset(peer->stamps, 0, gossip->member_count * sizeof *peer->stamps);
    peer->hello_due_ms = peer->member_news ? gossip->now_ms : CS__NEVER;
    /* Also of an equal list: the replica ids of its members may be new to us. */
    cs__members_take(gossip, &hello->members);
    if (hello->answer) cs__say_hello(gossip, peer);
    cs__push_soon(gossip);
    peer->told = false;
    cs__have_soon(gossip, peer, 0);
    return CS_OK;
}
