/* gossip_exchange.c - exchanges: when they begin, how frames are numbered, how they end (7.3).
 */
#include <string.h>

#include "base/mem.h"
#include "node/gossip_internal.h"

/* --- life */

/* One that gets nowhere is no reason to keep others waiting. True: there is a place now. */
static bool make_place(cs_gossip_t *gossip, bool init)
{
    for (size_t i = 0; i < gossip->peer_count; i++) {
        cs__peer_t *peer = gossip->peers[i];
        const cs__exchange_t *exchange = peer->exchange;
        if (exchange == NULL || exchange->init != init || !exchange->crawls) continue;
        cs__exchange_abort(gossip, peer, CS_EXCHANGE_SILENT);
        cs__note_peer(gossip, peer, CS_PEER_SILENT);
        return true;
    }
    return false;
}

static size_t count_role(const cs_gossip_t *gossip, bool init)
{
    size_t count = 0;
    for (size_t i = 0; i < gossip->peer_count; i++) {
        const cs__exchange_t *exchange = gossip->peers[i]->exchange;
        count += exchange != NULL && exchange->init == init;
    }
    return count;
}

void cs__exchange_close(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_t *exchange = peer->exchange;
    if (exchange == NULL) return;
    cs__account_tell(gossip, peer);
    peer->ended = true;
    peer->end = exchange->end;
    peer->exchange = NULL;
    cs_differ_destroy(&exchange->differ);
    cs_teller_destroy(&exchange->teller);
    cs_view_walk_destroy(&exchange->everything);
    if (exchange->snapshot != NULL) {
        cs_store_release(gossip->config.store, &exchange->snapshot);
    }
    cs_vv_fini(&exchange->state.seen);
    cs_vv_fini(&exchange->peer_seen);
    cs_buf_fini(&exchange->row);
    cs_buf_fini(&exchange->push.packed);
    cs_buf_fini(&exchange->wants);
    cs_free(exchange);
}

/* A snapshot and what it says of itself. CS_ERR_NOT_FOUND: nothing is durable yet. */
static cs_err_t open_exchange(cs_gossip_t *gossip, cs__peer_t *peer, bool init, uint32_t xid)
{
    cs__exchange_t *exchange = cs_calloc(1, sizeof *exchange);
    exchange->init = init;
    exchange->xid = xid;
    exchange->began_ms = exchange->heard_ms = exchange->mark_ms = gossip->now_ms;
    exchange->snapshot = gossip->host.snapshot(gossip->host.arg);
    exchange->view = (cs_view_t){.store = gossip->config.store,
                                 .snapshot = exchange->snapshot,
                                 .folder = gossip->config.folder};
    peer->exchange = exchange;
    peer->start_due_ms = CS__NEVER;
    gossip->stats.exchanges++;
    cs_err_t err =
        cs_replica_state_at(gossip->config.replica, exchange->snapshot, &exchange->state);
    if (CS_MUT(SNAP_SEEN)) cs_vv_copy(&exchange->state.seen, &cs__state(gossip)->seen);
    /* A snapshot of a former incarnation has numbers in it that must never leave (core.md 6.4).
     */
    if (err == CS_OK && exchange->state.rid != cs__state(gossip)->rid) err = CS_ERR_NOT_FOUND;
    if (err != CS_OK) cs__exchange_close(gossip, peer);
    return err;
}

cs_recon_t cs__recon_of(const cs_gossip_t *gossip, const cs__exchange_t *exchange)
{
    return (cs_recon_t){.view = exchange->view,
                        .key = gossip->config.keys->sym,
                        .n = exchange->state.n,
                        .limits = gossip->config.recon};
}

cs_symbols_t cs__prefix_of(cs_gossip_t *gossip, const cs__exchange_t *exchange)
{
    cs_symbols_t prefix = {0};
    cs_err_t err = cs_replica_symbols_at(gossip->config.replica, &exchange->state,
                                         gossip->config.recon->symbols_max, &prefix);
    CS_ASSERT((err == CS_OK) == (prefix.count > 0));
    return prefix;
}

/* A list costs 16 B an entry, so large folders that need them compare less often. */
static uint64_t rest_ms(const cs_gossip_t *gossip, const cs__exchange_t *exchange)
{
    bool listed = exchange->differ != NULL && cs_differ_facts(exchange->differ)->listed;
    if (exchange->teller != NULL) listed = cs_teller_listed(exchange->teller);
    return CS__CROSS_MS + (listed ? cs__state(gossip)->n / 250 : 0);
}

/* It came to an end and nothing differed: if roots do all the same, then one of them is no root
 * of anything, or both changed meanwhile. */
static uint64_t note_vain(cs_gossip_t *gossip, cs__peer_t *peer)
{
    const cs_exchange_facts_t *facts = &peer->exchange->facts;
    bool vain = facts->entries_in + facts->entries_out == 0;
    peer->vain = vain ? peer->vain + 1 : 0;
    if (peer->vain <= CS__VAIN_MAX) return 0;
    uint32_t over = peer->vain - CS__VAIN_MAX;
    if (over == CS__VAIN_MAX) cs__note_peer(gossip, peer, CS_PEER_VAIN);
    uint64_t ms = (uint64_t)CS__CROSS_MS << (over < 10 ? over : 10);
    return ms < CS__VAIN_MAX_MS ? ms : CS__VAIN_MAX_MS;
}

void cs__exchange_done(cs_gossip_t *gossip, cs__peer_t *peer)
{
    bool changed = peer->exchange->changed;
    peer->exchange->end = CS_EXCHANGE_DONE;
    peer->quiet_until_ms =
        gossip->now_ms + rest_ms(gossip, peer->exchange) + note_vain(gossip, peer);
    if (CS_MUT(CLAIM_EXCHANGE)) {
        (void)!cs_replica_claim(gossip->config.replica, &peer->exchange->peer_seen);
    }
    cs__exchange_close(gossip, peer);
    peer->have_sent_ms = 0; /* at once, whatever the rate */
    cs__have_soon(gossip, peer, 0);
    if (changed) cs__have_others_soon(gossip, peer);
    gossip->host.changed(gossip->host.arg);
}

static void close_failed(cs_gossip_t *gossip, cs__peer_t *peer, cs_exchange_end_t end)
{
    peer->exchange->end = end;
    cs__exchange_close(gossip, peer);
    if (peer->quiet_until_ms < gossip->now_ms + CS__RETRY_MS) {
        peer->quiet_until_ms = gossip->now_ms + CS__RETRY_MS;
    }
    if (peer->quiet_until_ms < peer->held_until_ms) {
        peer->quiet_until_ms = peer->held_until_ms;
    }
    peer->start_due_ms = peer->quiet_until_ms; /* unless we are equal by then */
}

void cs__exchange_abort(cs_gossip_t *gossip, cs__peer_t *peer, cs_exchange_end_t end)
{
    if (peer->exchange == NULL) return;
    cs__send_fin(gossip, peer, CS_FIN_ABORTED);
    close_failed(gossip, peer, end);
}

/* Who begins, and whose request goes on if two cross. By key, not by replica id (core.md 7.2):
 * a late HELLO of a former incarnation would let each side think that it is the greater one. */
static bool is_greater(const cs_gossip_t *gossip, const cs__peer_t *peer)
{
    return memcmp(gossip->config.self.b, peer->key.b, CS_KEY_BYTES) > 0;
}

void cs__want_exchange(cs_gossip_t *gossip, cs__peer_t *peer)
{
    if (peer->exchange != NULL || gossip->paused) return;
    uint64_t at_ms = gossip->now_ms;
    if (!is_greater(gossip, peer)) at_ms += CS__CROSS_MS;
    if (peer->eager_ms != 0 && gossip->now_ms < peer->eager_ms + CS__CROSS_MS) {
        at_ms += CS__SETTLE_MS;
    }
    if (at_ms < peer->quiet_until_ms) at_ms = peer->quiet_until_ms;
    cs__sooner(&peer->start_due_ms, at_ms);
    if (peer->start_due_ms <= gossip->now_ms) cs__try_start(gossip, peer);
}

void cs__try_start(cs_gossip_t *gossip, cs__peer_t *peer)
{
    peer->start_due_ms = CS__NEVER;
    if (peer->exchange != NULL || !peer->checked || gossip->paused) return;
    if (cs__is_equal(gossip, peer)) return;
    if (count_role(gossip, true) >= CS_EXCHANGES_INITIATOR_MAX && !make_place(gossip, true)) {
        peer->start_due_ms = gossip->now_ms + CS__CROSS_MS;
        return;
    }
    cs_err_t err = open_exchange(gossip, peer, true, ++gossip->next_xid);
    if (err != CS_OK) {
        peer->start_due_ms = gossip->now_ms + CS__RETRY_MS;
        if (err != CS_ERR_NOT_FOUND) cs__alarm_store(gossip, err);
        return;
    }
    cs__initiator_begin(gossip, peer);
}

/* --- frames */

void cs__xsend(cs_gossip_t *gossip, cs__peer_t *peer, cs_msg_t *msg)
{
    cs__exchange_t *exchange = peer->exchange;
    msg->xid = exchange->xid;
    msg->seq = ++exchange->out;
    msg->flags = exchange->init ? CS_FLAG_INITIATOR : 0;
    cs__account_out(exchange, msg, cs__send(gossip, peer, msg));
}

void cs__send_fin(cs_gossip_t *gossip, cs__peer_t *peer, cs_fin_status_t status)
{
    cs_msg_t msg = {.type = CS_MSG_FIN, .u.fin.status = status};
    cs__xsend(gossip, peer, &msg);
}

void cs__send_credit(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs_msg_t msg = {.type = CS_MSG_CREDIT, .u.credit.up_to = ++peer->exchange->bundles_in};
    cs__xsend(gossip, peer, &msg);
}

cs_msg_snap_t cs__snap_of(const cs__exchange_t *exchange, cs_buf_t *seen)
{
    cs_buf_clear(seen);
    cs_vv_encode(&exchange->state.seen, seen);
    return (cs_msg_snap_t){.present = true,
                           .root = exchange->state.root,
                           .n = exchange->state.n,
                           .seen = cs_buf_slice(seen)};
}

cs_err_t cs__take_snap(cs_gossip_t *gossip, cs__exchange_t *exchange, const cs_msg_snap_t *snap)
{
    if (!snap->present || exchange->peer_known) return CS_ERR_MALFORMED;
    cs_err_t err = cs__read_seen(gossip, snap->seen, &exchange->peer_seen);
    exchange->peer_known = err == CS_OK;
    return err;
}

/* --- beginning as responder */

static void refuse(cs_gossip_t *gossip, cs__peer_t *peer, uint32_t xid)
{
    cs_msg_t msg = {.type = CS_MSG_FIN, .xid = xid, .seq = 1, .u.fin.status = CS_FIN_REFUSED};
    (void)cs__send(gossip, peer, &msg);
}

/* One exchange a pair. True: the request gives way to what is there. */
static bool gives_way(const cs_gossip_t *gossip, const cs__peer_t *peer, uint32_t xid)
{
    const cs__exchange_t *exchange = peer->exchange;
    if (exchange == NULL) return false;
    if (exchange->init) return is_greater(gossip, peer);
    return (int32_t)(xid - exchange->xid) <= 0; /* a late frame of an older one */
}

cs_err_t cs__on_recon_req(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_t *msg)
{
    const cs_msg_recon_req_t *request = &msg->u.recon_req;
    if (!peer->checked) {
        cs__ask_hello(gossip, peer);
        return CS_OK;
    }
    if (msg->xid == 0 || (msg->flags & CS_FLAG_INITIATOR) == 0) return CS_ERR_MALFORMED;
    if (msg->seq != 1 || gives_way(gossip, peer, msg->xid)) return CS_OK;
    cs__exchange_close(gossip, peer);
    bool full = count_role(gossip, false) >= CS_EXCHANGES_RESPONDER_MAX;
    bool vain = peer->vain > CS__VAIN_MAX && gossip->now_ms < peer->quiet_until_ms;
    bool rests = cs__responder_rests(gossip, peer);
    if (gossip->paused || vain || rests || (full && !make_place(gossip, false))) {
        refuse(gossip, peer, msg->xid);
        return CS_OK;
    }
    cs_err_t err = open_exchange(gossip, peer, false, msg->xid);
    if (err == CS_ERR_NOT_FOUND) {
        refuse(gossip, peer, msg->xid);
        return CS_OK;
    }
    if (err != CS_OK) return err;
    peer->exchange->in = 1;
    cs__account_in(peer->exchange, msg);
    err = cs__take_snap(gossip, peer->exchange, &request->snap);
    return err == CS_OK ? cs__responder_begin(gossip, peer, request) : err;
}

/* --- any later frame */

static cs_err_t on_fin(cs_gossip_t *gossip, cs__peer_t *peer, uint32_t status)
{
    cs__exchange_t *exchange = peer->exchange;
    bool done = status == CS_FIN_DONE && (!exchange->init || exchange->fin_sent);
    if (!exchange->init) cs__send_fin(gossip, peer, done ? CS_FIN_DONE : CS_FIN_ABORTED);
    if (done) {
        cs__exchange_done(gossip, peer);
    } else {
        bool refused = exchange->init && status == CS_FIN_REFUSED;
        close_failed(gossip, peer, refused ? CS_EXCHANGE_REFUSED : CS_EXCHANGE_BROKEN);
    }
    return CS_OK;
}

static cs_err_t on_credit(cs__exchange_t *exchange, const cs_msg_credit_t *credit)
{
    if (credit->up_to > exchange->bundles_out) return CS_ERR_MALFORMED;
    if (credit->up_to > exchange->bundles_credited) exchange->bundles_credited = credit->up_to;
    return CS_OK;
}

cs_err_t cs__on_exchange(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_t *msg)
{
    cs__exchange_t *exchange = peer->exchange;
    if (msg->seq <= exchange->in) return CS_OK; /* a repeated frame */
    if (msg->seq != exchange->in + 1) {         /* something was lost */
        cs__exchange_abort(gossip, peer, CS_EXCHANGE_BROKEN);
        cs__note_peer(gossip, peer, CS_PEER_FRAMES);
        return CS_OK;
    }
    exchange->in = msg->seq;
    cs__account_in(exchange, msg);
    exchange->heard_ms = gossip->now_ms;
    if (msg->type == CS_MSG_FIN) return on_fin(gossip, peer, msg->u.fin.status);
    if (msg->type == CS_MSG_CREDIT && exchange->teller == NULL) {
        cs_err_t err = on_credit(exchange, &msg->u.credit);
        if (err != CS_OK) return err;
    }
    return exchange->init ? cs__initiator_frame(gossip, peer, msg)
                          : cs__responder_frame(gossip, peer, msg);
}
