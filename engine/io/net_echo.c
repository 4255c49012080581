/* net_echo.c - how long a peer takes to answer: now and then a question of one byte. */
#include <czmq.h>

#include "io/net_impl.h"

#define ASK_MS 15000u /* as often as ZeroMQ's own heartbeat (core.md 7.1) */

/* False: the link is full, or has just ended. */
static bool whisper(cs_net_t *net, const cs__link_t *link, cs__whisper_t what)
{
    const uint8_t byte = (uint8_t)what;
    const cs_slice_t message = cs_slice(&byte, 1);
    if (link->outgoing) return cs__send_parts(link->dial->socket, NULL, message, NULL) == 0;
    return cs__router_whisper(net, link, message);
}

void cs__echo_hear(cs_net_t *net, cs__link_t *link, uint8_t byte)
{
    if (byte == CS__WHISPER_ASK) {
        /* Whoever does not read what he asks for gets no answer, and costs nothing more. */
        (void)whisper(net, link, CS__WHISPER_ANSWER);
    } else if (byte == CS__WHISPER_ANSWER && link->asked_us > 0) {
        uint64_t took_us = (uint64_t)zclock_usecs() - link->asked_us;
        link->rtt_us = took_us > 0 ? took_us : 1;
        link->asked_us = 0;
        link->late = false;
        cs__net_wake(net, link->ask_at_ms);
    }
}

static bool may_ask(const cs__link_t *link)
{
    return link->known && !link->gone && !link->closing && link->asked_us == 0;
}

/* When the answer that is due will be late; CS__NEVER: it is known to be, or none is due. */
static uint64_t late_at_ms(const cs__link_t *link)
{
    bool waits = link->known && !link->gone && !link->closing && link->asked_us > 0;
    return waits && !link->late ? link->asked_us / 1000 + CS_NET_LATE_MS : CS__NEVER;
}

static void tell_late(cs_net_t *net, cs__link_t *link, uint64_t now_ms)
{
    if (now_ms < late_at_ms(link)) return;
    link->late = true;
    if (net->handler.late != NULL) net->handler.late(net->handler.arg, link->id);
}

void cs__echo_ask_due(cs_net_t *net, uint64_t now_ms)
{
    for (size_t i = 0; i < net->link_count; i++) {
        cs__link_t *link = net->links[i];
        tell_late(net, link, now_ms);
        if (!may_ask(link) || now_ms < link->ask_at_ms) continue;
        link->ask_at_ms = now_ms + ASK_MS; /* one that is full is asked next time */
        uint64_t now_us = (uint64_t)zclock_usecs();
        if (whisper(net, link, CS__WHISPER_ASK)) link->asked_us = now_us;
    }
}

uint64_t cs__echo_next(const cs_net_t *net)
{
    uint64_t next_ms = CS__NEVER;
    for (size_t i = 0; i < net->link_count; i++) {
        const cs__link_t *link = net->links[i];
        uint64_t at_ms = may_ask(link) ? link->ask_at_ms : late_at_ms(link);
        if (at_ms < next_ms) next_ms = at_ms;
    }
    return next_ms;
}

uint64_t cs_net_rtt_us(const cs_net_t *net, const uint8_t key[32])
{
    uint64_t least_us = 0;
    for (size_t i = 0; i < net->link_count; i++) {
        const cs__link_t *link = net->links[i];
        if (link->gone || link->closing || link->rtt_us == 0) continue;
        if (memcmp(link->key, key, CS_CURVE_KEY_BYTES) != 0) continue;
        if (least_us == 0 || link->rtt_us < least_us) least_us = link->rtt_us;
    }
    return least_us;
}
