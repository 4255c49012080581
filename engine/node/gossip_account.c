/* gossip_account.c - what an exchange took, for those who look: counted by frame, told when it
 * ends. Nothing depends on it. */
#include "node/gossip_internal.h"

const char *cs_exchange_end_text(cs_exchange_end_t end)
{
    switch (end) {
    case CS_EXCHANGE_PARTED:
        return "parted";
    case CS_EXCHANGE_DONE:
        return "done";
    case CS_EXCHANGE_REFUSED:
        return "refused";
    case CS_EXCHANGE_BROKEN:
        return "broken";
    case CS_EXCHANGE_SILENT:
        return "silent";
    }
    return "";
}

/* Entries and symbols of a frame; a role sends some kinds and takes the others. */
static void count_parts(const cs_msg_t *msg, uint64_t *entries, uint64_t *symbols)
{
    if (msg->type == CS_MSG_ENTRIES) {
        *entries += msg->u.entries.entries.count;
    } else if (msg->type == CS_MSG_PUSH) {
        *entries += msg->u.push.count;
    } else if (msg->type == CS_MSG_PUSH_REPLY) {
        *entries += msg->u.push_reply.count;
    } else if (msg->type == CS_MSG_SYMS) {
        *symbols += msg->u.syms.n;
    }
}

void cs__account_out(cs__exchange_t *exchange, const cs_msg_t *msg, uint64_t bytes)
{
    cs_exchange_facts_t *facts = &exchange->facts;
    facts->bytes_out += bytes;
    count_parts(msg, &facts->entries_out, &facts->symbols);
    exchange->spoke = true;
}

void cs__account_in(cs__exchange_t *exchange, const cs_msg_t *msg)
{
    cs_exchange_facts_t *facts = &exchange->facts;
    facts->bytes_in += msg->wire_bytes;
    count_parts(msg, &facts->entries_in, &facts->symbols);
    facts->trips += exchange->spoke;
    exchange->spoke = false;
}

/* Of everything its number is known from the start; else what the stream has told so far. */
void cs__account_now(const cs__peer_t *peer, uint64_t now_ms, cs_exchange_facts_t *ret)
{
    const cs__exchange_t *exchange = peer->exchange;
    *ret = exchange->facts;
    ret->init = exchange->init;
    ret->ms = now_ms - exchange->began_ms;
    bool all = exchange->init && exchange->differ == NULL;
    if (all && peer->have_known && peer->n > ret->differences) ret->differences = peer->n;
    ret->found_all = exchange->ended;
}

void cs__account_tell(cs_gossip_t *gossip, const cs__peer_t *peer)
{
    const cs__exchange_t *exchange = peer->exchange;
    bool began = exchange->in > 0; /* else it was a question that nobody heard */
    if (!began || gossip->host.exchange == NULL) return;
    cs_exchange_facts_t facts;
    cs__account_now(peer, gossip->now_ms, &facts);
    gossip->host.exchange(gossip->host.arg, peer->id, exchange->end, &facts);
}

/* Whether it gets anywhere is judged from one moment to the next, CS__EXCHANGE_MS later. */
void cs__account_tick(cs__exchange_t *exchange, uint64_t now_ms)
{
    if (now_ms < exchange->mark_ms + CS__EXCHANGE_MS) return;
    uint64_t bytes = exchange->facts.bytes_in + exchange->facts.bytes_out;
    exchange->crawls = bytes - exchange->mark_bytes < CS__CRAWL_BYTES;
    exchange->mark_ms = now_ms;
    exchange->mark_bytes = bytes;
}
