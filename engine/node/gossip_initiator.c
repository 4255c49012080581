/* gossip_initiator.c - an exchange from the side that asked for it (core.md 7.3).
 *
 * The difference comes as a stream and is acted upon at once: what only the peer has is
 * fetched, what only I have is pushed, each within a window, so neither end holds more than the
 * windows. */
#include <string.h>

#include "node/gossip_internal.h"

#define WINDOW_BYTES   (UINT64_C(2) * CS_BUNDLE_BYTES) /* of entries that are not yet here */
#define ENTRY_BYTES    256u                            /* guess, until some came */
#define WANT_BATCH_MIN 64u

static void send_pushes(cs_gossip_t *gossip, cs__peer_t *peer, cs__bundle_t *bundle)
{
    cs_msg_t msg = {.type = CS_MSG_PUSH, .u.push = cs__bundle_entries(bundle)};
    peer->exchange->bundles_out++;
    cs__xsend(gossip, peer, &msg);
}

static void flush_pushes(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__bundle_t *bundle = &peer->exchange->push;
    if (bundle->count == 0) return;
    send_pushes(gossip, peer, bundle);
    gossip->stats.entries_sent += bundle->count;
    cs__bundle_clear(bundle);
}

static cs_err_t push_mine(cs_gossip_t *gossip, cs__peer_t *peer, const cs_bucket_t *bucket)
{
    cs__exchange_t *exchange = peer->exchange;
    cs_slice_t entry;
    cs_err_t err = cs_view_entry(&exchange->view, bucket, &exchange->row, &entry);
    if (err == CS_ERR_NOT_FOUND) err = CS_ERR_CORRUPT; /* its digest was there */
    if (err != CS_OK) return err;
    if (cs__bundle_is_full(&exchange->push, entry.len)) flush_pushes(gossip, peer);
    cs__bundle_put(&exchange->push, entry);
    return CS_OK;
}

/* --- wants: a queue of digests; those before wants_sent were asked for */

static size_t unanswered(const cs__exchange_t *exchange)
{
    return (exchange->wants.len - exchange->wants_at) / CS_DIGEST_BYTES;
}

static size_t window(const cs__exchange_t *exchange)
{
    uint64_t average = ENTRY_BYTES;
    if (exchange->entry_count > 0) average = exchange->entry_bytes / exchange->entry_count;
    uint64_t count = WINDOW_BYTES / (average + 1);
    if (count < WANT_BATCH_MIN) count = WANT_BATCH_MIN;
    return count < CS_WANT_MAX ? (size_t)count : CS_WANT_MAX;
}

static void flush_wants(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_t *exchange = peer->exchange;
    size_t len = exchange->wants.len - exchange->wants_sent;
    if (len == 0) return;
    cs_msg_t msg = {.type = CS_MSG_WANT,
                    .u.want.packed = {exchange->wants.data + exchange->wants_sent, len}};
    cs__xsend(gossip, peer, &msg);
    exchange->wants_sent = exchange->wants.len;
}

/* Takes an answered digest off the queue; answers mostly come in order. */
static bool strike(cs__exchange_t *exchange, const uint8_t *digest)
{
    uint8_t *data = exchange->wants.data;
    for (size_t at = exchange->wants_at; at < exchange->wants_sent; at += CS_DIGEST_BYTES) {
        if (memcmp(data + at, digest, CS_DIGEST_BYTES) != 0) continue;
        uint8_t *oldest = data + exchange->wants_at;
        memmove(oldest + CS_DIGEST_BYTES, oldest, at - exchange->wants_at);
        exchange->wants_at += CS_DIGEST_BYTES;
        return true;
    }
    return false;
}

static void compact(cs__exchange_t *exchange)
{
    size_t gone = exchange->wants_at;
    if (2 * gone <= exchange->wants.len) return;
    memmove(exchange->wants.data, exchange->wants.data + gone, exchange->wants.len - gone);
    exchange->wants.len -= gone;
    exchange->wants_sent -= gone;
    exchange->wants_at = 0;
}

/* --- the pump */

/* The first one begins the exchange. */
static void send_ask(cs_gossip_t *gossip, cs__peer_t *peer, const cs_recon_ask_t *ask)
{
    cs__exchange_t *exchange = peer->exchange;
    cs_buf_t seen = {0};
    cs_msg_t msg = {0};
    bool begins = exchange->out == 0;
    if (begins || ask->kind == CS_ASK_SYMBOLS) {
        msg.type = CS_MSG_RECON_REQ;
        msg.u.recon_req = (cs_msg_recon_req_t){
            .method = ask->kind == CS_ASK_SYMBOLS ? CS_RECON_SYMBOLS : CS_RECON_LIST,
            .part_bits = ask->part_bits,
            .part_index = ask->part_index};
        if (begins) msg.u.recon_req.snap = cs__snap_of(exchange, &seen);
    } else if (ask->kind == CS_ASK_LIST) {
        msg.type = CS_MSG_LIST_REQ;
        msg.u.list_req.packed = ask->after;
    } else {
        msg.type = CS_MSG_CREDIT;
        msg.u.credit = (cs_msg_credit_t){.up_to = ask->up_to, .stop = ask->kind == CS_ASK_STOP};
    }
    cs__xsend(gossip, peer, &msg);
    cs_buf_fini(&seen);
}

/* A peer whose symbols make no sense may make us read its list once in a while, not each time:
 * two entries of it might have been made to collide (core.md 8.4). */
static bool may_list(cs_gossip_t *gossip, cs__peer_t *peer)
{
    size_t at;
    if (!cs_differ_facts(peer->exchange->differ)->nonsense) return true;
    if (!cs__member_index(gossip, peer->key.b, &at)) return true;
    cs__member_state_t *state = &gossip->states[at];
    if (gossip->now_ms < state->list_again_ms) {
        peer->held_until_ms = state->list_again_ms;
        return false;
    }
    state->list_again_ms = gossip->now_ms + CS_LIST_GAP_MS;
    return true;
}

static cs_err_t ask_all(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs_recon_ask_t ask;
    cs_differ_t *differ = peer->exchange->differ;
    while (cs_differ_ask(differ, &ask)) {
        bool from_start = ask.kind == CS_ASK_LIST && ask.after.len == 0;
        if (from_start && !may_list(gossip, peer)) return CS_ERR_HELD;
        gossip->stats.lists += from_start;
        gossip->stats.parts += ask.kind == CS_ASK_SYMBOLS && ask.part_bits > 0;
        send_ask(gossip, peer, &ask);
    }
    return CS_OK;
}

static bool may_go_on(const cs__exchange_t *exchange)
{
    return unanswered(exchange) < window(exchange) &&
           exchange->bundles_out < exchange->bundles_credited + CS_BUNDLES_AHEAD;
}

static cs_err_t follow_difference(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_t *exchange = peer->exchange;
    while (!exchange->ended && may_go_on(exchange)) {
        cs_diff_t what;
        cs_diff_item_t item;
        cs_err_t err = cs_differ_next(exchange->differ, &what, &item);
        if (err != CS_OK) return err;
        switch (what) {
        case CS_DIFF_THEIRS:
            cs_buf_put(&exchange->wants, item.item, CS_DIGEST_BYTES);
            exchange->facts.differences++;
            break;
        case CS_DIFF_MINE:
            err = push_mine(gossip, peer, &item.bucket);
            if (err != CS_OK) return err;
            exchange->facts.differences++;
            break;
        case CS_DIFF_MORE:
            return CS_OK;
        case CS_DIFF_END:
            exchange->ended = true;
            break;
        }
    }
    return CS_OK;
}

/* Whatever the windows allow; FIN when all is answered and credited. */
static cs_err_t pump(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_t *exchange = peer->exchange;
    if (exchange->fin_sent) return CS_OK;
    if (exchange->differ != NULL && exchange->peer_known) {
        cs_err_t err = follow_difference(gossip, peer);
        if (err == CS_OK) err = ask_all(gossip, peer);
        if (err != CS_OK) return err;
        flush_wants(gossip, peer);
        flush_pushes(gossip, peer);
    }
    bool all = exchange->ended && unanswered(exchange) == 0 &&
               exchange->bundles_credited == exchange->bundles_out;
    if (!all) return CS_OK;
    exchange->fin_sent = true;
    cs__send_fin(gossip, peer, CS_FIN_DONE);
    return CS_OK;
}

/* By its last HAVE: more differ, by their number alone, than symbols are good for. */
static bool is_far(const cs_recon_limits_t *limits, const cs__peer_t *peer, uint64_t n)
{
    if (!peer->have_known) return false;
    uint64_t apart = n > peer->n ? n - peer->n : peer->n - n;
    return apart > CS_SYMBOLS_MIN && apart > peer->n / 100 * limits->list_percent;
}

static void begin_differing(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_t *exchange = peer->exchange;
    cs_recon_t recon = cs__recon_of(gossip, exchange);
    cs_symbols_t prefix = {0};
    bool symbols = (peer->caps & CS_CAP_SYMBOLS) != 0 && !is_far(recon.limits, peer, recon.n);
    if (symbols) prefix = cs__prefix_of(gossip, exchange);
    exchange->differ = cs_differ_new(&recon, symbols ? CS_BY_SYMBOLS : CS_BY_LIST, &prefix);
    cs_err_t err = ask_all(gossip, peer);
    CS_ASSERT(err == CS_OK); /* nothing made no sense so far */
}

void cs__initiator_begin(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_t *exchange = peer->exchange;
    if (exchange->state.n > 0) {
        begin_differing(gossip, peer);
        return;
    }
    cs_buf_t seen = {0};
    cs_msg_t msg = {
        .type = CS_MSG_RECON_REQ,
        .u.recon_req = {.snap = cs__snap_of(exchange, &seen), .method = CS_RECON_EVERYTHING}};
    cs__xsend(gossip, peer, &msg);
    cs_buf_fini(&seen);
}

/* --- frames */

static cs_err_t take(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_entries_t *entries)
{
    cs__replies_t replies = {.send = send_pushes};
    return cs__take_entries(gossip, peer, entries, peer->exchange, 0, &replies);
}

static cs_err_t on_answer(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_snap_t *snap,
                          const cs_recon_answer_t *answer)
{
    cs__exchange_t *exchange = peer->exchange;
    if (exchange->differ == NULL) return CS_ERR_MALFORMED;
    if (!exchange->peer_known) {
        cs_err_t err = cs__take_snap(gossip, exchange, snap);
        if (err != CS_OK) return err;
    }
    const cs_differ_facts_t *facts = cs_differ_facts(exchange->differ);
    uint64_t before = facts->symbols;
    cs_err_t err = cs_differ_feed(exchange->differ, answer);
    gossip->stats.symbols += facts->symbols - before;
    return err;
}

static cs_err_t on_list(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_list_t *list)
{
    cs_recon_answer_t answer = {
        .kind = CS_ANSWER_LIST, .bytes = list->digests, .last = list->last};
    return on_answer(gossip, peer, &list->snap, &answer);
}

static cs_err_t on_syms(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_syms_t *syms)
{
    cs_recon_answer_t answer = {
        .kind = CS_ANSWER_SYMBOLS, .start = syms->start, .n = syms->n, .bytes = syms->symbols};
    return on_answer(gossip, peer, &syms->snap, &answer);
}

/* Every entry asked for must be what its digest promised. */
static cs_err_t check_wanted(cs_gossip_t *gossip, cs__exchange_t *exchange,
                             const cs_msg_entries_t *entries)
{
    cs_slice_t rest = entries->packed, encoded;
    cs_err_t err = CS_OK;
    cs_entry_t entry;
    cs_entry_init(&entry, &(cs_bucket_t){0});
    while (err == CS_OK && cs_packed_next(&rest, &encoded)) {
        err = cs_entry_decode(encoded, &entry);
        if (err != CS_OK) break;
        cs_entry_digest_t digest;
        cs_entry_hash(gossip->config.keys, &entry, &digest);
        if (!strike(exchange, digest.item)) err = CS_ERR_MISMATCH;
        exchange->entry_bytes += encoded.len;
        exchange->entry_count++;
    }
    cs_entry_fini(&entry);
    compact(exchange);
    return err;
}

static cs_err_t on_entries(cs_gossip_t *gossip, cs__peer_t *peer,
                           const cs_msg_entries_body_t *body)
{
    cs__exchange_t *exchange = peer->exchange;
    if (exchange->differ != NULL) {
        cs_err_t err = check_wanted(gossip, exchange, &body->entries);
        return err == CS_OK ? take(gossip, peer, &body->entries) : err;
    }
    if (exchange->ended) return CS_ERR_MALFORMED;
    cs_err_t err = CS_OK;
    if (!exchange->peer_known) err = cs__take_snap(gossip, exchange, &body->snap);
    if (err == CS_OK) err = take(gossip, peer, &body->entries);
    if (err != CS_OK) return err;
    cs__send_credit(gossip, peer);
    exchange->ended = body->last;
    return CS_OK;
}

static cs_err_t on_gone(cs__exchange_t *exchange, cs_slice_t digests)
{
    const uint8_t *digest;
    while (cs_digest_next(&digests, &digest)) {
        if (!strike(exchange, digest)) return CS_ERR_MALFORMED;
    }
    compact(exchange);
    return CS_OK;
}

cs_err_t cs__initiator_frame(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_t *msg)
{
    cs_err_t err = CS_OK;
    if (msg->type == CS_MSG_LIST) {
        err = on_list(gossip, peer, &msg->u.list);
    } else if (msg->type == CS_MSG_SYMS) {
        err = on_syms(gossip, peer, &msg->u.syms);
    } else if (msg->type == CS_MSG_ENTRIES) {
        err = on_entries(gossip, peer, &msg->u.entries);
    } else if (msg->type == CS_MSG_GONE) {
        err = on_gone(peer->exchange, msg->u.gone.packed);
    } else if (msg->type == CS_MSG_PUSH_REPLY) {
        err = take(gossip, peer, &msg->u.push_reply);
    }
    return err == CS_OK ? pump(gossip, peer) : err;
}
