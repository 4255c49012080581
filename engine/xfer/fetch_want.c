/* fetch_want.c - wants: their table, and the lists of their states. */
#include <string.h>

#include "base/mem.h"
#include "xfer/fetch_internal.h"

/* --- chains */

void cs__chain_init(cs_chain_t *head)
{
    head->prev = head->next = head;
}

void cs__chain_push(cs_chain_t *head, cs_chain_t *item)
{
    item->prev = head->prev;
    item->next = head;
    head->prev->next = item;
    head->prev = item;
}

void cs__chain_remove(cs_chain_t *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    cs__chain_init(item);
}

bool cs__chain_is_empty(const cs_chain_t *head)
{
    return head->next == head;
}

cs_want_t *cs__want_of(cs_chain_t *link)
{
    return (cs_want_t *)(void *)((char *)link - offsetof(cs_want_t, all));
}

/* --- the table */

static size_t bucket_of(const uint8_t *hash)
{
    return (hash[0] | (size_t)hash[1] << 8) % CS_FETCH_BUCKETS;
}

cs_want_t *cs__want_by_hash(const cs_fetch_t *fetch, const uint8_t *hash, cs_want_t *after)
{
    cs_want_t *want = after != NULL ? after->same_bucket : fetch->bucket[bucket_of(hash)];
    while (want != NULL && memcmp(want->content.hash, hash, CS_HASH_BYTES) != 0) {
        want = want->same_bucket;
    }
    return want;
}

cs_want_t *cs__want_find(const cs_fetch_t *fetch, const cs_content_t *content)
{
    cs_want_t *want = cs__want_by_hash(fetch, content->hash, NULL);
    while (want != NULL && !cs_content_eq(&want->content, content)) {
        want = cs__want_by_hash(fetch, content->hash, want);
    }
    return want;
}

/* --- the list that a want is in */

cs_mask_t cs__want_candidates(const cs_fetch_t *fetch, const cs_want_t *want)
{
    return fetch->usable & ~want->passed;
}

cs_source_t *cs__want_hinted(cs_fetch_t *fetch, const cs_want_t *want)
{
    if (want->hint >= CS_FETCH_PEERS_MAX) return NULL;
    bool may_have_it = (cs__want_candidates(fetch, want) >> want->hint & 1) != 0;
    return may_have_it ? &fetch->source[want->hint] : NULL;
}

/* READY wants wait with the source that surely has them, or in the common list. */
static cs_chain_t *ready_list(cs_fetch_t *fetch, const cs_want_t *want)
{
    cs_source_t *hinted = cs__want_hinted(fetch, want);
    if (hinted != NULL) return &hinted->ready;
    for (size_t i = 0; i < fetch->source_end; i++) {
        fetch->source[i].dry = false;
    }
    return &fetch->list[CS_WANT_READY];
}

static cs_chain_t *list_of(cs_fetch_t *fetch, const cs_want_t *want)
{
    if (want->state == CS_WANT_READY) return ready_list(fetch, want);
    bool large_asleep = want->state == CS_WANT_SLEEPING && !cs_content_is_small(&want->content);
    return large_asleep ? &fetch->asleep_large : &fetch->list[want->state];
}

/* --- from new to free */

cs_want_t *cs__want_new(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs_want_t *want = cs_calloc(1, sizeof *want);
    want->content = *content;
    want->hint = CS_FETCH_PEERS_MAX;
    want->needed = true;
    want->state = CS_WANT_SLEEPING;
    cs__chain_push(list_of(fetch, want), &want->list);
    cs__chain_push(&fetch->all, &want->all);
    cs_want_t **bucket = &fetch->bucket[bucket_of(content->hash)];
    want->same_bucket = *bucket;
    *bucket = want;
    fetch->wants++;
    fetch->large += !cs_content_is_small(content);
    fetch->count[CS_WANT_SLEEPING]++;
    fetch->missing += content->size;
    return want;
}

/* Bytes that this want adds to fetch->missing. */
static uint64_t missing_of(const cs_want_t *want)
{
    return want->state < CS_WANT_STAGED ? want->content.size - want->done_bytes : 0;
}

void cs__want_free(cs_fetch_t *fetch, cs_want_t *want)
{
    CS_ASSERT(want->orders == 0 && want->download == NULL);
    fetch->missing -= missing_of(want);
    fetch->count[want->state]--;
    fetch->wants--;
    fetch->large -= !cs_content_is_small(&want->content);
    cs__chain_remove(&want->list);
    cs__chain_remove(&want->all);
    cs_want_t **at = &fetch->bucket[bucket_of(want->content.hash)];
    while (*at != want) {
        at = &(*at)->same_bucket;
    }
    *at = want->same_bucket;
    cs_free(want);
}

/* --- states */

void cs__want_set(cs_fetch_t *fetch, cs_want_t *want, cs_want_state_t state)
{
    fetch->missing -= missing_of(want);
    fetch->count[want->state]--;
    cs__chain_remove(&want->list);
    want->state = state;
    fetch->count[state]++;
    fetch->missing += missing_of(want);
    cs__chain_push(list_of(fetch, want), &want->list);
}

void cs__want_done_bytes(cs_fetch_t *fetch, cs_want_t *want, uint64_t done)
{
    fetch->missing -= missing_of(want);
    want->done_bytes = done;
    fetch->missing += missing_of(want);
}

void cs__want_restart(cs_fetch_t *fetch, cs_want_t *want)
{
    cs_want_state_t state =
        cs_content_is_small(&want->content) ? CS_WANT_READY : CS_WANT_QUEUED;
    if (cs__want_candidates(fetch, want) == 0) state = CS_WANT_SLEEPING;
    cs__want_set(fetch, want, state);
}

void cs__want_hint(cs_fetch_t *fetch, cs_want_t *want, cs_source_t *source)
{
    want->hint = (uint8_t)(source - fetch->source);
    want->passed &= ~cs__source_bit(fetch, source);
    source->no_steal = false;
    bool waits = want->state == CS_WANT_READY || want->state == CS_WANT_RESTING ||
                 want->state == CS_WANT_SLEEPING;
    if (waits) cs__want_restart(fetch, want);
}

static void wake(cs_fetch_t *fetch, cs_chain_t *head)
{
    for (cs_chain_t *at = head->next, *next; at != head; at = next) {
        next = at->next;
        cs_want_t *want = (cs_want_t *)at;
        if (cs__want_candidates(fetch, want) != 0) cs__want_restart(fetch, want);
    }
}

void cs__want_wake(cs_fetch_t *fetch)
{
    wake(fetch, &fetch->list[CS_WANT_SLEEPING]);
    wake(fetch, &fetch->asleep_large);
}

void cs__want_rested(cs_fetch_t *fetch)
{
    cs_chain_t *head = &fetch->list[CS_WANT_RESTING];
    while (!cs__chain_is_empty(head)) {
        cs_want_t *want = (cs_want_t *)head->next;
        if (want->rest_until_ms > fetch->now_ms) break;
        cs__want_restart(fetch, want);
    }
}

void cs__want_end(cs_fetch_t *fetch, cs_want_t *want)
{
    if (want->again) {
        want->again = false;
        cs__want_restart(fetch, want);
    } else if (want->on_disk) {
        cs__want_set(fetch, want, CS_WANT_DISCARD);
    } else {
        cs__want_free(fetch, want);
    }
}

void cs__want_quiet(cs_fetch_t *fetch, cs_want_t *want)
{
    if (want->orders > 0) return;
    if (want->download != NULL) cs__download_quiet(fetch, want);
    if (want->state == CS_WANT_DYING || want->state == CS_WANT_DISCARDING) {
        cs__want_end(fetch, want);
    }
}
