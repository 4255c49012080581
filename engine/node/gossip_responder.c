/* gossip_responder.c - an exchange from the side that was asked: answers from its snapshot
 * (7.3). */
#include <string.h>

#include "node/gossip_internal.h"

/* --- what it costs */

bool cs__responder_rests(cs_gossip_t *gossip, cs__peer_t *peer)
{
    uint64_t paid = (gossip->now_ms - peer->rows_ms) * CS__ROWS_PER_S / 1000;
    peer->rows_owed -= paid < peer->rows_owed ? paid : peer->rows_owed;
    peer->rows_ms = gossip->now_ms;
    return peer->rows_owed > CS__ROWS_TIMES * cs__state(gossip)->n + CS__ROWS_FREE;
}

static cs_err_t charge(cs__peer_t *peer, uint64_t rows)
{
    cs__exchange_t *exchange = peer->exchange;
    peer->rows_owed += rows;
    exchange->rows += rows;
    uint64_t most = CS__ROWS_TIMES_EXCHANGE * exchange->state.n + CS__ROWS_FREE;
    return exchange->rows > most ? CS_ERR_LIMIT : CS_OK;
}

static cs_err_t charge_told(cs__peer_t *peer)
{
    cs__exchange_t *exchange = peer->exchange;
    uint64_t before = exchange->told_rows;
    exchange->told_rows = cs_teller_rows(exchange->teller);
    return charge(peer, exchange->told_rows - before);
}

/* --- what differs */

static void send_answer(cs_gossip_t *gossip, cs__peer_t *peer, const cs_recon_answer_t *answer)
{
    cs__exchange_t *exchange = peer->exchange;
    cs_buf_t seen = {0};
    cs_msg_snap_t snap = {0};
    cs_msg_t msg = {0};
    if (exchange->out == 0) snap = cs__snap_of(exchange, &seen);
    switch (answer->kind) {
    case CS_ANSWER_SYMBOLS:
        msg.type = CS_MSG_SYMS;
        msg.u.syms = (cs_msg_syms_t){.start = answer->start,
                                     .n = answer->start == 0 ? answer->n : 0,
                                     .symbols = answer->bytes,
                                     .snap = snap};
        break;
    case CS_ANSWER_LIST:
        msg.type = CS_MSG_LIST;
        msg.u.list =
            (cs_msg_list_t){.digests = answer->bytes, .last = answer->last, .snap = snap};
        break;
    }
    cs__xsend(gossip, peer, &msg);
    cs_buf_fini(&seen);
}

static cs_err_t tell(cs_gossip_t *gossip, cs__peer_t *peer, const cs_recon_ask_t *ask)
{
    cs_teller_t *teller = peer->exchange->teller;
    if (teller == NULL) return CS_ERR_MALFORMED; /* it was asked for everything */
    cs_recon_answer_t answer;
    cs_err_t err = cs_teller_ask(teller, ask);
    while (err == CS_OK && cs_teller_next(teller, &answer)) {
        send_answer(gossip, peer, &answer);
    }
    if (err == CS_OK) err = cs_teller_err(teller);
    return err == CS_OK ? charge_told(peer) : err;
}

static cs_err_t tell_symbols(cs_gossip_t *gossip, cs__peer_t *peer,
                             const cs_msg_recon_req_t *request)
{
    if (request->method != CS_RECON_SYMBOLS) return CS_ERR_MALFORMED;
    return tell(gossip, peer,
                &(cs_recon_ask_t){.kind = CS_ASK_SYMBOLS,
                                  .part_bits = request->part_bits,
                                  .part_index = request->part_index});
}

static cs_err_t tell_list(cs_gossip_t *gossip, cs__peer_t *peer, cs_slice_t after)
{
    return tell(gossip, peer, &(cs_recon_ask_t){.kind = CS_ASK_LIST, .after = after});
}

static void make_teller(cs_gossip_t *gossip, cs__exchange_t *exchange, bool symbols)
{
    cs_recon_t recon = cs__recon_of(gossip, exchange);
    cs_symbols_t prefix = {0};
    if (symbols) prefix = cs__prefix_of(gossip, exchange);
    exchange->teller = cs_teller_new(&recon, &prefix);
}

/* --- ENTRIES */

static void send_entries(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__bundle_t *bundle = &peer->exchange->push;
    if (bundle->count == 0) return;
    cs_msg_t msg = {.type = CS_MSG_ENTRIES, .u.entries.entries = cs__bundle_entries(bundle)};
    cs__xsend(gossip, peer, &msg);
    gossip->stats.entries_sent += bundle->count;
    cs__bundle_clear(bundle);
}

static cs_err_t put_wanted(cs_gossip_t *gossip, cs__peer_t *peer, const uint8_t *digest)
{
    cs__exchange_t *exchange = peer->exchange;
    cs_bucket_t bucket;
    cs_slice_t entry;
    cs_err_t err = cs_view_find(&exchange->view, digest, &bucket);
    if (err == CS_OK) err = cs_view_entry(&exchange->view, &bucket, &exchange->row, &entry);
    if (err != CS_OK) return err;
    if (cs__bundle_is_full(&exchange->push, entry.len)) send_entries(gossip, peer);
    cs__bundle_put(&exchange->push, entry);
    return CS_OK;
}

static cs_err_t on_want(cs_gossip_t *gossip, cs__peer_t *peer, cs_slice_t digests)
{
    if (digests.len > (size_t)CS_WANT_MAX * CS_DIGEST_BYTES) return CS_ERR_LIMIT;
    cs_buf_t gone = {0};
    const uint8_t *digest;
    cs_err_t err = charge(peer, digests.len / CS_DIGEST_BYTES);
    while (err == CS_OK && cs_digest_next(&digests, &digest)) {
        err = put_wanted(gossip, peer, digest);
        if (err != CS_ERR_NOT_FOUND) continue;
        cs_buf_put(&gone, digest, CS_DIGEST_BYTES);
        err = CS_OK;
    }
    if (err == CS_OK) {
        send_entries(gossip, peer);
        cs_msg_t msg = {.type = CS_MSG_GONE, .u.gone.packed = cs_buf_slice(&gone)};
        if (gone.len > 0) cs__xsend(gossip, peer, &msg);
    }
    cs_buf_fini(&gone);
    return err;
}

/* --- everything, for a peer that has nothing: as many pages as it gave credit for */

static bool is_dead(cs_slice_t encoded) /* no value in L, K and A: their counts are zero */
{
    static const uint8_t none[3] = {0};
    return encoded.len >= CS_BUCKET_BYTES + sizeof none &&
           memcmp(encoded.data + CS_BUCKET_BYTES, none, sizeof none) == 0;
}

static void send_page(cs_gossip_t *gossip, cs__peer_t *peer, bool last)
{
    cs__exchange_t *exchange = peer->exchange;
    cs_buf_t seen = {0};
    cs_msg_t msg = {
        .type = CS_MSG_ENTRIES,
        .u.entries = {.entries = cs__bundle_entries(&exchange->push), .last = last}};
    if (exchange->bundles_out == 0) msg.u.entries.snap = cs__snap_of(exchange, &seen);
    exchange->bundles_out++;
    cs__xsend(gossip, peer, &msg);
    gossip->stats.entries_sent += exchange->push.count;
    cs__bundle_clear(&exchange->push);
    cs_buf_fini(&seen);
}

static cs_err_t stream(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_t *exchange = peer->exchange;
    cs_slice_t bucket, entry;
    while (exchange->everything != NULL &&
           exchange->bundles_out < exchange->bundles_credited + CS_BUNDLES_AHEAD) {
        if (cs_view_walk_next(exchange->everything, &bucket, &entry)) {
            peer->rows_owed++;
            if (is_dead(entry)) continue;
            if (cs__bundle_is_full(&exchange->push, entry.len)) send_page(gossip, peer, false);
            cs__bundle_put(&exchange->push, entry);
            continue;
        }
        cs_err_t err = cs_view_walk_err(exchange->everything);
        if (err != CS_OK) return err;
        cs_view_walk_destroy(&exchange->everything);
        send_page(gossip, peer, true);
    }
    return CS_OK;
}

static cs_err_t on_credit(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_credit_t *credit)
{
    if (peer->exchange->teller == NULL) return stream(gossip, peer);
    cs_recon_ask_t more = {.kind = credit->stop ? CS_ASK_STOP : CS_ASK_MORE,
                           .up_to = credit->up_to};
    return tell(gossip, peer, &more);
}

cs_err_t cs__responder_begin(cs_gossip_t *gossip, cs__peer_t *peer,
                             const cs_msg_recon_req_t *request)
{
    cs_slice_t start = cs_slice(NULL, 0);
    cs__exchange_t *exchange = peer->exchange;
    if (request->method == CS_RECON_SYMBOLS) {
        make_teller(gossip, exchange, true);
        return tell_symbols(gossip, peer, request);
    }
    if (request->method == CS_RECON_LIST) {
        make_teller(gossip, exchange, false);
        return tell_list(gossip, peer, start);
    }
    if (request->method == CS_RECON_EVERYTHING) {
        exchange->everything = cs_view_walk_new(&exchange->view, CS_WALK_ENTRIES, start);
        return stream(gossip, peer);
    }
    cs__send_fin(gossip, peer, CS_FIN_REFUSED);
    cs__exchange_close(gossip, peer);
    return CS_OK;
}

/* --- PUSH */

static void send_replies(cs_gossip_t *gossip, cs__peer_t *peer, cs__bundle_t *bundle)
{
    cs_msg_t msg = {.type = CS_MSG_PUSH_REPLY, .u.push_reply = cs__bundle_entries(bundle)};
    cs__xsend(gossip, peer, &msg);
}

static cs_err_t on_push(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_entries_t *entries)
{
    cs__replies_t replies = {.send = send_replies};
    cs_err_t err = cs__take_entries(gossip, peer, entries, peer->exchange, 0, &replies);
    if (err == CS_OK) cs__send_credit(gossip, peer);
    return err;
}

cs_err_t cs__responder_frame(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_t *msg)
{
    if (msg->type == CS_MSG_RECON_REQ) return tell_symbols(gossip, peer, &msg->u.recon_req);
    if (msg->type == CS_MSG_LIST_REQ) return tell_list(gossip, peer, msg->u.list_req.packed);
    if (msg->type == CS_MSG_WANT) return on_want(gossip, peer, msg->u.want.packed);
    if (msg->type == CS_MSG_PUSH) return on_push(gossip, peer, &msg->u.push);
    if (msg->type == CS_MSG_CREDIT) return on_credit(gossip, peer, &msg->u.credit);
    return CS_OK;
}
