/* fetch_source.c - peers: what each was asked, how much more it may be asked, what it answers.
 */
#include <string.h>

#include "base/mem.h"
#include "xfer/fetch_internal.h"

/* Credit: prompt answers double it in a round trip, slow ones halve it, so that what is
 * outstanding is about as much as the peer sends in a second. */
#define CREDIT_BEGIN (1u << 20)
#define CREDIT_MIN   CS_BUNDLE_BYTES
#define PROMPT_MS    500u
#define SLOW_MS      2000u

cs_source_t *cs__source_of(cs_fetch_t *fetch, cs_peer_t peer)
{
    if (peer == 0) return NULL;
    for (size_t i = 0; i < fetch->source_end; i++) {
        if (fetch->source[i].peer == peer) return &fetch->source[i];
    }
    return NULL;
}

cs_mask_t cs__source_bit(const cs_fetch_t *fetch, const cs_source_t *source)
{
    return (cs_mask_t)1 << (source - fetch->source);
}

uint32_t cs__source_requests(const cs_source_t *source)
{
    uint32_t used = 0;
    for (size_t i = 0; i < CS_FETCH_REQUESTS_MAX; i++) {
        if (source->open[i] > 0) used++;
    }
    return used;
}

uint8_t cs__source_request(const cs_source_t *source)
{
    uint8_t i = 0;
    while (i < CS_FETCH_REQUESTS_MAX && source->open[i] > 0) {
        i++;
    }
    return i;
}

uint64_t cs__source_room(const cs_fetch_t *fetch, const cs_source_t *source)
{
    uint64_t credit = source->credit;
    /* Whatever the credit, one thing may be asked for. */
    if (source->bytes == 0 && credit < CS_FETCH_ONE_BYTES) credit = CS_FETCH_ONE_BYTES;
    uint64_t memory = cs__fetch_room(fetch);
    uint64_t room = source->bytes < credit ? credit - source->bytes : 0;
    return room < memory ? room : memory;
}

/* Answered asks leave gaps: close them, and grow if there were few. */
static void make_space(cs_source_t *source)
{
    size_t len = 0;
    for (size_t i = source->head; i < source->len; i++) {
        if (source->ask[i].kind != CS_ASK_NONE) source->ask[len++] = source->ask[i];
    }
    source->head = 0;
    source->len = len;
    if (len < source->cap / 2) return;
    source->cap = cs_grow(source->cap, 2 * len + 16);
    source->ask = cs_realloc_array(source->ask, source->cap, sizeof source->ask[0]);
}

void cs__source_ask(cs_fetch_t *fetch, cs_source_t *source, uint8_t request, cs_ask_kind_t kind,
                    const cs_name_t *name, uint64_t bytes)
{
    if (source->len == source->cap) make_space(source);
    if (source->bytes == 0) source->heard_ms = fetch->now_ms; /* its time begins */
    source->ask[source->len++] = (cs_ask_t){
        .name = *name,
        .kind = (uint8_t)kind,
        .request = request,
        .bytes = (uint32_t)bytes,
        .asked_ms = fetch->now_ms,
    };
    source->open[request]++;
    source->bytes += bytes;
    cs__fetch_hold(fetch, &fetch->asked, bytes);
    CS_ASSERT(source->bytes <= CS_CREDIT_BYTES);
    CS_ASSERT(fetch->asked + fetch->to_disk <= CS_FETCH_MEMORY_BYTES);
}

cs_ask_t *cs__ask_find(cs_source_t *source, cs_ask_kind_t kind, const cs_name_t *name)
{
    for (size_t i = source->head; i < source->len; i++) {
        cs_ask_t *ask = &source->ask[i];
        if (ask->kind == CS_ASK_NONE || (kind != CS_ASK_NONE && ask->kind != kind)) continue;
        if (cs_name_eq(&ask->name, name)) return ask;
    }
    return NULL;
}

static void ask_remove(cs_fetch_t *fetch, cs_source_t *source, cs_ask_t *ask)
{
    CS_ASSERT(source->bytes >= ask->bytes);
    source->open[ask->request]--;
    source->bytes -= ask->bytes;
    if (!source->stalled) cs__fetch_let(fetch, &fetch->asked, ask->bytes);
    ask->kind = CS_ASK_NONE;
    while (source->head < source->len && source->ask[source->head].kind == CS_ASK_NONE) {
        source->head++;
    }
    if (source->head == source->len) source->head = source->len = 0;
}

static void release_small(cs_fetch_t *fetch, cs_source_t *source, const cs_ask_t *ask,
                          bool passed)
{
    cs_mask_t bit = cs__source_bit(fetch, source);
    for (cs_want_t *want = cs__want_by_hash(fetch, ask->name.b, NULL); want != NULL;
         want = cs__want_by_hash(fetch, ask->name.b, want)) {
        if ((want->askers & bit) == 0) continue;
        want->askers &= ~bit;
        if (passed) want->passed |= bit;
        if (passed && want->hint < CS_FETCH_PEERS_MAX && &fetch->source[want->hint] != source) {
            source->no_steal = true;
        }
        if (want->state == CS_WANT_ASKED && want->askers == 0) cs__want_restart(fetch, want);
    }
}

void cs__ask_release(cs_fetch_t *fetch, cs_source_t *source, const cs_ask_t *ask, bool passed)
{
    if (ask->kind == CS_ASK_SMALL) {
        release_small(fetch, source, ask, passed);
        return;
    }
    cs_mask_t bit = cs__source_bit(fetch, source);
    for (size_t i = 0; i < CS_FETCH_FILES_MAX; i++) {
        cs_download_t *download = fetch->download[i];
        if (download != NULL) cs__download_release(fetch, download, bit, ask, passed);
    }
}

static void release_all(cs_fetch_t *fetch, cs_source_t *source)
{
    for (size_t i = source->head; i < source->len; i++) {
        cs_ask_t *ask = &source->ask[i];
        if (ask->kind == CS_ASK_NONE || ask->late) continue;
        ask->late = true;
        cs__ask_release(fetch, source, ask, false);
    }
}

/* Wants that only a source that is gone could have served fall asleep; those that waited for it
 * in particular go to the common list. */
static void settle_waiting(cs_fetch_t *fetch)
{
    for (cs_chain_t *at = fetch->all.next, *next; at != &fetch->all; at = next) {
        next = at->next;
        cs_want_t *want = cs__want_of(at);
        bool waits = want->state == CS_WANT_READY || want->state == CS_WANT_QUEUED;
        if (!waits) continue;
        bool hinted = want->hint < CS_FETCH_PEERS_MAX;
        bool hint_lost = hinted && (fetch->usable >> want->hint & 1) == 0;
        if (hint_lost || cs__want_candidates(fetch, want) == 0) cs__want_restart(fetch, want);
    }
}

static void use_again(cs_fetch_t *fetch, cs_source_t *source)
{
    source->stalled = false;
    source->dry = false;
    cs__fetch_hold(fetch, &fetch->asked, source->bytes);
    fetch->usable |= cs__source_bit(fetch, source);
    cs__want_wake(fetch);
}

void cs__ask_answered(cs_fetch_t *fetch, cs_source_t *source, cs_ask_t *ask)
{
    uint64_t age_ms = fetch->now_ms - ask->asked_ms;
    source->heard_ms = fetch->now_ms;
    if (age_ms < PROMPT_MS) {
        source->credit += ask->bytes;
        if (source->credit > CS_CREDIT_BYTES) source->credit = CS_CREDIT_BYTES;
    } else if (age_ms > SLOW_MS && fetch->now_ms - source->shrunk_ms > SLOW_MS) {
        source->credit = source->credit / 2 > CREDIT_MIN ? source->credit / 2 : CREDIT_MIN;
        source->shrunk_ms = fetch->now_ms;
    }
    ask_remove(fetch, source, ask);
    if (source->stalled) use_again(fetch, source);
}

void cs__source_revive(cs_fetch_t *fetch, cs_source_t *source)
{
    if (!source->stalled) return;
    for (size_t i = source->head; i < source->len; i++) {
        cs_ask_t *ask = &source->ask[i];
        if (ask->kind != CS_ASK_NONE) ask_remove(fetch, source, ask);
    }
    use_again(fetch, source);
}

/* --- public */

void cs_fetch_peer_up(cs_fetch_t *fetch, cs_peer_t peer)
{
    CS_ASSERT(peer != 0);
    cs__landing_forget(fetch);
    if (cs__source_of(fetch, peer) != NULL) return;
    size_t place = 0;
    while (place < CS_FETCH_PEERS_MAX && fetch->source[place].peer != 0) {
        place++;
    }
    if (place == CS_FETCH_PEERS_MAX) return; /* enough others */
    if (place == fetch->source_end) fetch->source_end++;
    cs_source_t *source = &fetch->source[place];
    source->peer = peer;
    source->credit = CREDIT_BEGIN;
    source->stalled = source->untold = source->no_steal = source->dry = source->held = false;
    source->strays = 0;
    fetch->usable |= cs__source_bit(fetch, source);
    cs__want_wake(fetch);
}

void cs_fetch_hold(cs_fetch_t *fetch, cs_peer_t peer, bool held)
{
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source != NULL) source->held = held;
}

void cs_fetch_heard(cs_fetch_t *fetch, cs_peer_t peer)
{
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source == NULL) return;
    source->heard_ms = fetch->now_ms;
    if (source->stalled) use_again(fetch, source);
}

void cs_fetch_peer_down(cs_fetch_t *fetch, cs_peer_t peer)
{
    cs__landing_forget(fetch);
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source == NULL) return;
    cs_mask_t bit = cs__source_bit(fetch, source);
    fetch->usable &= ~bit;
    release_all(fetch, source);
    settle_waiting(fetch);
    if (!source->stalled) cs__fetch_let(fetch, &fetch->asked, source->bytes);
    source->peer = 0;
    source->bytes = 0;
    source->head = source->len = 0;
    memset(source->open, 0, sizeof source->open);
    for (cs_chain_t *at = fetch->all.next; at != &fetch->all; at = at->next) {
        cs_want_t *want = cs__want_of(at);
        want->passed &= ~bit;
        if (want->hint < CS_FETCH_PEERS_MAX && &fetch->source[want->hint] == source) {
            want->hint = CS_FETCH_PEERS_MAX;
        }
        if (want->download == NULL) continue;
        want->download->mapper &= ~bit;
        cs__parts_leave(want->download, (size_t)(source - fetch->source));
    }
    CS_ASSERT(cs__chain_is_empty(&source->ready));
    while (fetch->source_end > 0 && fetch->source[fetch->source_end - 1].peer == 0) {
        fetch->source_end--;
    }
}

void cs_fetch_tick(cs_fetch_t *fetch, uint64_t now_ms)
{
    cs__landing_forget(fetch);
    fetch->now_ms = now_ms;
    cs__want_rested(fetch);
    for (size_t i = 0; i < fetch->source_end; i++) {
        cs_source_t *source = &fetch->source[i];
        if (source->peer == 0 || source->bytes == 0) continue;
        if (source->stalled) {
            if (now_ms - source->stalled_ms >= CS_FETCH_RETRY_MS) {
                cs__source_revive(fetch, source);
            }
            continue;
        }
        if (now_ms - source->heard_ms >= CS_FETCH_TIMEOUT_MS) {
            /* Others may be asked for as much: it may never come. */
            cs__fetch_let(fetch, &fetch->asked, source->bytes);
            source->stalled = source->untold = true;
            source->stalled_ms = now_ms;
            fetch->usable &= ~cs__source_bit(fetch, source);
            release_all(fetch, source);
            settle_waiting(fetch);
            continue;
        }
        for (size_t k = source->head; k < source->len; k++) { /* oldest first */
            cs_ask_t *ask = &source->ask[k];
            if (now_ms - ask->asked_ms < CS_FETCH_REQUEST_MS) break;
            if (ask->kind == CS_ASK_NONE || ask->late) continue;
            ask->late = true;
            cs__ask_release(fetch, source, ask, true);
        }
    }
}

cs_peer_t cs_fetch_next_silent(cs_fetch_t *fetch)
{
    for (size_t i = 0; i < fetch->source_end; i++) {
        cs_source_t *source = &fetch->source[i];
        bool silent = source->peer != 0 && source->untold;
        source->untold = false;
        if (silent) return source->peer;
    }
    return 0;
}
