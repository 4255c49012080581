/* gossip.c - life of the machine, its peers, dispatch of messages, timers. */
#include <string.h>

#include "base/mem.h"
#include "node/gossip_internal.h"

cs_gossip_t *cs_gossip_new(const cs_gossip_config_t *config, const cs_gossip_host_t *host)
{
    cs_gossip_t *gossip = cs_calloc(1, sizeof *gossip);
    gossip->config = *config;
    if (config->recon == NULL) gossip->config.recon = &cs_recon_defaults;
    gossip->host = *host;
    gossip->push_due_ms = CS__NEVER;
    gossip->gc_due_ms = 0;
    cs_prng_init(&gossip->prng, config->seed);
    gossip->nonce = (uint32_t)cs_prng_u64(&gossip->prng);
    gossip->next_xid = (uint32_t)cs_prng_u64(&gossip->prng);
    cs_member_t self = {.key = config->self};
    memcpy(self.name, config->name, sizeof self.name);
    cs_gossip_add_member(gossip, &self);
    return gossip;
}

static void free_peer(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_close(gossip, peer);
    cs_vv_fini(&peer->seen_of);
    cs_vv_fini(&peer->sent);
    cs_vv_fini(&peer->marked);
    if (!CS_MUT(PEER_LEAK)) cs_free(peer->stamps);
    cs_free(peer);
}

void cs_gossip_destroy(cs_gossip_t **gossip_p)
{
    cs_gossip_t *gossip = *gossip_p;
    if (gossip == NULL) return;
    for (size_t i = 0; i < gossip->peer_count; i++) {
        free_peer(gossip, gossip->peers[i]);
    }
    cs_free(gossip->peers);
    cs__hot_clear(&gossip->hot);
    cs_vv_fini(&gossip->hashed);
    cs__members_fini(gossip);
    cs_free(gossip);
    *gossip_p = NULL;
}

uint64_t cs__send(cs_gossip_t *gossip, cs__peer_t *peer, cs_msg_t *msg)
{
    memcpy(msg->tag, gossip->config.keys->tag, CS_TAG_BYTES);
    if (msg->type != CS_MSG_MARKS) cs__say_marks(gossip, peer, msg->type);
    return gossip->host.send(gossip->host.arg, peer->id, msg);
}

void cs__alarm(cs_gossip_t *gossip, const char *what, cs_dot_t dot)
{
    gossip->host.alarm(gossip->host.arg, what, dot);
}

void cs__note_peer(cs_gossip_t *gossip, const cs__peer_t *peer, const char *what)
{
    if (gossip->host.note_peer == NULL) return;
    gossip->host.note_peer(gossip->host.arg, peer->id, what);
}

void cs__alarm_store(cs_gossip_t *gossip, cs_err_t err)
{
    cs__alarm(gossip, err == CS_ERR_CORRUPT ? CS_ALARM_CORRUPT : "store", (cs_dot_t){0});
}

cs_err_t cs__read_seen(cs_gossip_t *gossip, cs_slice_t bytes, cs_vv_t *ret)
{
    cs_reader_t reader = cs_reader(bytes);
    cs_vv_decode(&reader, ret);
    cs_err_t err = cs_reader_end(&reader);
    if (err != CS_OK) return err;
    if (!cs__is_signed(gossip, ret)) return CS_ERR_UNSIGNED;
    return cs_replica_regressed(gossip->config.replica, ret, NULL) ? CS_ERR_STALE : CS_OK;
}

/* --- peers */

static size_t peer_place(const cs_gossip_t *gossip, cs_peer_t id)
{
    size_t at = 0;
    while (at < gossip->peer_count && gossip->peers[at]->id < id) {
        at++;
    }
    return at;
}

static cs__peer_t *find_peer(const cs_gossip_t *gossip, cs_peer_t id)
{
    size_t at = peer_place(gossip, id);
    bool found = at < gossip->peer_count && gossip->peers[at]->id == id;
    return found ? gossip->peers[at] : NULL;
}

uint32_t cs_gossip_greetings(const cs_gossip_t *gossip, cs_peer_t id)
{
    const cs__peer_t *peer = find_peer(gossip, id);
    return peer != NULL && peer->checked && !peer->member_news ? peer->greetings : 0;
}

uint64_t cs_gossip_introductions(const cs_gossip_t *gossip)
{
    return gossip->introductions;
}

/* What a conversation begins with, also after a restart. */
static void reset_peer(cs_gossip_t *gossip, cs__peer_t *peer)
{
    cs__exchange_close(gossip, peer);
    peer->checked = peer->have_known = peer->told = false;
    cs_vv_fini(&peer->seen_of);
    cs_vv_fini(&peer->sent);
    cs__forget_marked(peer);
    peer->period_ms = CS__HAVE_MS;
    peer->news_due_ms = peer->beat_due_ms = peer->start_due_ms = CS__NEVER;
    peer->quiet_until_ms = 0;
    cs__say_hello(gossip, peer);
}

void cs_gossip_peer_up(cs_gossip_t *gossip, cs_peer_t id, const cs_key_t *key, uint64_t now_ms)
{
    gossip->now_ms = now_ms;
    if (find_peer(gossip, id) != NULL) return;
    if (gossip->peer_count == gossip->peer_cap) {
        gossip->peer_cap = cs_grow(gossip->peer_cap, gossip->peer_count + 1);
        gossip->peers = cs_realloc_array(gossip->peers, gossip->peer_cap, sizeof(cs__peer_t *));
    }
    cs__peer_t *peer = cs_calloc(1, sizeof *peer);
    peer->id = id;
    peer->key = *key;
    peer->stamps = cs_calloc(gossip->member_cap, sizeof *peer->stamps);
    peer->heard_ms = now_ms;
    size_t at = peer_place(gossip, id);
    cs__peer_t **place = gossip->peers + at;
    memmove(place + 1, place, (gossip->peer_count - at) * sizeof(cs__peer_t *));
    *place = peer;
    gossip->peer_count++;
    if (!gossip->stopped) reset_peer(gossip, peer);
}

void cs_gossip_peer_down(cs_gossip_t *gossip, cs_peer_t id)
{
    cs__peer_t *peer = find_peer(gossip, id);
    if (peer == NULL) return;
    size_t at = peer_place(gossip, id);
    cs__peer_t **place = gossip->peers + at;
    gossip->peer_count--;
    memmove(place, place + 1, (gossip->peer_count - at) * sizeof(cs__peer_t *));
    free_peer(gossip, peer);
}

bool cs__is_applied(const cs_gossip_t *gossip)
{
    return gossip->applied &&
           memcmp(gossip->applied_root, cs__state(gossip)->root, CS_HASH_BYTES) == 0;
}

static void set_applied(cs_gossip_t *gossip, bool applied)
{
    gossip->applied = applied;
    memcpy(gossip->applied_root, cs__state(gossip)->root, CS_HASH_BYTES);
}

void cs_gossip_restart(cs_gossip_t *gossip, uint64_t now_ms)
{
    gossip->now_ms = now_ms;
    gossip->stopped = false;
    if (gossip->applied) set_applied(gossip, true); /* other names, the same files */
    gossip->nonce = (uint32_t)cs_prng_u64(&gossip->prng);
    cs__cool(gossip);
    gossip->push_due_ms = CS__NEVER;
    for (size_t i = 0; i < gossip->peer_count; i++) {
        if (!gossip->peers[i]->dropped) reset_peer(gossip, gossip->peers[i]);
    }
}

/* --- what handlers found */

static const char *reason_of(cs_err_t err)
{
    return cs_err_text(err);
}

/* Acts on what a handler returned. Last thing that an entry point does with the peer. */
static void conclude(cs_gossip_t *gossip, cs__peer_t *peer, cs_err_t err)
{
    if (err == CS_OK || gossip->stopped) return;
    if (err == CS_ERR_STALE) {
        gossip->stopped = true; /* before the call: it may restart us at once */
        gossip->host.reincarnate(gossip->host.arg, "a peer knows a later state of this node");
        return;
    }
    if (err == CS_ERR_UNSIGNED) err = cs__unsigned(gossip, peer);
    if (err == CS_ERR_AGAIN) return;
    if (err == CS_ERR_MALFORMED || err == CS_ERR_LIMIT || err == CS_ERR_MISMATCH ||
        err == CS_ERR_UNSIGNED) {
        cs__exchange_close(gossip, peer);
        peer->dropped = true;
        gossip->host.drop(gossip->host.arg, peer->id, reason_of(err));
        return;
    }
    cs__exchange_abort(gossip, peer, CS_EXCHANGE_BROKEN);
    if (err != CS_ERR_HELD) cs__alarm_store(gossip, err);
}

static cs_err_t late_frame(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_t *msg)
{
    if (msg->type == CS_MSG_ENTRIES) {
        return cs__on_eager(gossip, peer, &msg->u.entries.entries, CS_HOPS_MAX);
    }
    if (msg->type == CS_MSG_PUSH || msg->type == CS_MSG_PUSH_REPLY) {
        return cs__on_eager(gossip, peer, &msg->u.push, CS_HOPS_MAX);
    }
    return CS_OK;
}

static cs_err_t dispatch(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_t *msg)
{
    if (msg->type == CS_MSG_HELLO) return cs__on_hello(gossip, peer, &msg->u.hello);
    if (msg->type == CS_MSG_MARKS) return cs__on_marks(gossip, peer, &msg->u.marks);
    if (msg->type == CS_MSG_HAVE) return cs__on_have(gossip, peer, &msg->u.have);
    if (msg->type == CS_MSG_ENTRIES && msg->xid == 0) {
        const cs_msg_entries_body_t *body = &msg->u.entries;
        return cs__on_eager(gossip, peer, &body->entries, body->hops);
    }
    const cs__exchange_t *exchange = peer->exchange;
    bool from_initiator = (msg->flags & CS_FLAG_INITIATOR) != 0;
    if (exchange != NULL && exchange->xid == msg->xid && exchange->init != from_initiator) {
        return cs__on_exchange(gossip, peer, msg);
    }
    if (msg->type == CS_MSG_RECON_REQ) return cs__on_recon_req(gossip, peer, msg);
    return late_frame(gossip, peer, msg);
}

void cs_gossip_message(cs_gossip_t *gossip, cs_peer_t id, const cs_msg_t *msg, uint64_t now_ms)
{
    gossip->now_ms = now_ms;
    cs__peer_t *peer = find_peer(gossip, id);
    if (peer == NULL || peer->dropped || gossip->stopped) return;
    peer->heard_ms = now_ms;
    conclude(gossip, peer, dispatch(gossip, peer, msg));
}

static void take_changed(void *arg, const cs_bucket_t *bucket)
{
    cs_gossip_t *gossip = arg;
    cs__hot_add(&gossip->hot, bucket, 0, 0);
}

void cs_gossip_local(cs_gossip_t *gossip, uint64_t now_ms)
{
    gossip->now_ms = now_ms;
    if (gossip->stopped) return;
    cs_replica_take_changed(gossip->config.replica, take_changed, gossip);
    if (gossip->hot.len > 0) cs__sooner(&gossip->gc_due_ms, now_ms + CS__GC_MS);
    cs__push_soon(gossip);
    cs__have_others_soon(gossip, NULL);
}

void cs_gossip_set_applied(cs_gossip_t *gossip, bool applied, uint64_t now_ms)
{
    gossip->now_ms = now_ms;
    if (cs__is_applied(gossip) == applied) return;
    set_applied(gossip, applied);
    for (size_t i = 0; i < gossip->peer_count && !gossip->stopped; i++) {
        cs__have_soon(gossip, gossip->peers[i], CS__PUSH_MS);
    }
}

/* --- timers */

static bool is_hot(void *arg, const cs_bucket_t *bucket)
{
    const cs_gossip_t *gossip = arg;
    return cs__hot_find(&gossip->hot, bucket) != NULL;
}

static void collect_garbage(cs_gossip_t *gossip)
{
    if (gossip->gc_due_ms > gossip->now_ms) return;
    bool more = cs_replica_gc(gossip->config.replica, CS__GC_SLICE, is_hot, gossip);
    gossip->gc_due_ms = more ? gossip->now_ms + 1 : CS__NEVER;
}

static void tick_peer(cs_gossip_t *gossip, cs__peer_t *peer, uint64_t *next_ms)
{
    uint64_t now_ms = gossip->now_ms;
    const cs__exchange_t *exchange = peer->exchange;
    if (exchange != NULL) cs__account_tick(peer->exchange, now_ms);
    if (exchange != NULL && exchange->heard_ms + CS__EXCHANGE_MS <= now_ms) {
        cs__exchange_abort(gossip, peer, CS_EXCHANGE_SILENT);
        cs__note_peer(gossip, peer, CS_PEER_SILENT);
    }
    if (peer->hello_due_ms <= now_ms) cs__say_hello(gossip, peer);
    cs__have_tick(gossip, peer);
    if (peer->start_due_ms <= now_ms) cs__try_start(gossip, peer);
    cs__sooner(next_ms, peer->hello_due_ms);
    cs__sooner(next_ms, peer->news_due_ms);
    cs__sooner(next_ms, peer->beat_due_ms);
    cs__sooner(next_ms, peer->start_due_ms);
    if (peer->exchange != NULL) {
        cs__sooner(next_ms, peer->exchange->heard_ms + CS__EXCHANGE_MS);
    }
}

uint64_t cs_gossip_tick(cs_gossip_t *gossip, uint64_t now_ms)
{
    gossip->now_ms = now_ms;
    if (gossip->stopped) return CS__NEVER;
    uint64_t next_ms = CS__NEVER;
    if (gossip->push_due_ms <= now_ms) cs__push(gossip);
    for (size_t i = 0; i < gossip->peer_count && !gossip->stopped; i++) {
        if (!gossip->peers[i]->dropped) tick_peer(gossip, gossip->peers[i], &next_ms);
    }
    collect_garbage(gossip);
    cs__sooner(&next_ms, gossip->push_due_ms);
    cs__sooner(&next_ms, gossip->gc_due_ms);
    return next_ms;
}

bool cs_gossip_is_paused(const cs_gossip_t *gossip)
{
    return gossip->paused;
}

void cs_gossip_resume(cs_gossip_t *gossip, uint64_t now_ms)
{
    gossip->now_ms = now_ms;
    gossip->paused = false;
    gossip->deaths = UINT64_MAX / 2; /* somebody looked: not again in this run */
    for (size_t i = 0; i < gossip->peer_count && !gossip->stopped; i++) {
        gossip->peers[i]->told = false; /* again: what differs is exchanged now */
        cs__have_soon(gossip, gossip->peers[i], 0);
    }
}

const cs_gossip_stats_t *cs_gossip_stats(const cs_gossip_t *gossip)
{
    return &gossip->stats;
}
