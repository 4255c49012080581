/* fetch.c - wants and their states; what is wanted, superseded, staged. */
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

static cs_want_t *want_of_all(cs_chain_t *link)
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

static cs_want_t *want_new(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs_want_t *want = cs_calloc(1, sizeof *want);
    want->content = *content;
    want->hint = CS_FETCH_PEERS_MAX;
    want->state = CS_WANT_SLEEPING;
    cs__chain_push(&fetch->list[CS_WANT_SLEEPING], &want->list);
    cs__chain_push(&fetch->all, &want->all);
    cs_want_t **bucket = &fetch->bucket[bucket_of(content->hash)];
    want->same_bucket = *bucket;
    *bucket = want;
    fetch->wants++;
    fetch->count[CS_WANT_SLEEPING]++;
    fetch->missing += content->size;
    return want;
}

/* Bytes that this want adds to fetch->missing. */
static uint64_t missing_of(const cs_want_t *want)
{
    return want->state < CS_WANT_STAGED ? want->content.size - want->done_bytes : 0;
}

static void want_free(cs_fetch_t *fetch, cs_want_t *want)
{
    CS_ASSERT(want->orders == 0 && want->download == NULL);
    fetch->missing -= missing_of(want);
    fetch->count[want->state]--;
    fetch->wants--;
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

cs_mask_t cs__want_candidates(const cs_fetch_t *fetch, const cs_want_t *want)
{
    return fetch->usable & ~want->passed;
}

/* READY wants wait with the source that surely has them, or in the common list. */
static cs_chain_t *ready_list(cs_fetch_t *fetch, const cs_want_t *want)
{
    if (want->hint < CS_FETCH_PEERS_MAX &&
        (cs__want_candidates(fetch, want) >> want->hint & 1) != 0) {
        return &fetch->source[want->hint].ready;
    }
    for (size_t i = 0; i < CS_FETCH_PEERS_MAX; i++) {
        fetch->source[i].dry = false;
    }
    return &fetch->list[CS_WANT_READY];
}

void cs__want_set(cs_fetch_t *fetch, cs_want_t *want, cs_want_state_t state)
{
    fetch->missing -= missing_of(want);
    fetch->count[want->state]--;
    cs__chain_remove(&want->list);
    want->state = state;
    fetch->count[state]++;
    fetch->missing += missing_of(want);
    cs__chain_push(state == CS_WANT_READY ? ready_list(fetch, want) : &fetch->list[state],
                   &want->list);
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

void cs__want_wake(cs_fetch_t *fetch)
{
    cs_chain_t *head = &fetch->list[CS_WANT_SLEEPING];
    for (cs_chain_t *at = head->next, *next; at != head; at = next) {
        next = at->next;
        cs_want_t *want = (cs_want_t *)at;
        if (cs__want_candidates(fetch, want) != 0) cs__want_restart(fetch, want);
    }
}

/* Not wanted any more, and no order is out. */
static void want_end(cs_fetch_t *fetch, cs_want_t *want)
{
    if (want->again) {
        want->again = false;
        cs__want_restart(fetch, want);
    } else if (want->on_disk) {
        cs__want_set(fetch, want, CS_WANT_DISCARD);
    } else {
        want_free(fetch, want);
    }
}

void cs__want_quiet(cs_fetch_t *fetch, cs_want_t *want)
{
    if (want->orders > 0) return;
    if (want->download != NULL) cs__download_quiet(fetch, want);
    if (want->state == CS_WANT_DYING || want->state == CS_WANT_DISCARDING) {
        want_end(fetch, want);
    }
}

/* --- landings */

void cs__landing_add(cs_fetch_t *fetch, cs_want_t *want, uint32_t serial, uint32_t slot)
{
    if (fetch->landings == fetch->landing_cap) {
        fetch->landing_cap = cs_grow(fetch->landing_cap, fetch->landings + 1);
        fetch->landing =
            cs_realloc_array(fetch->landing, fetch->landing_cap, sizeof fetch->landing[0]);
    }
    fetch->landing[fetch->landings++] =
        (cs_landing_t){.want = want, .serial = serial, .slot = slot};
}

/* The caller did not take what became of the last bytes: they are gone, and asked for again. */
void cs__landing_forget(cs_fetch_t *fetch)
{
    for (; fetch->landed < fetch->landings; fetch->landed++) {
        const cs_landing_t *landing = &fetch->landing[fetch->landed];
        cs_want_t *want = landing->want;
        if (want->state == CS_WANT_STAGING) {
            cs__want_restart(fetch, want);
        } else if (want->download != NULL) {
            cs_leaf_t *leaf = cs__download_leaf(want->download, landing->serial);
            if (leaf != NULL) leaf->slot[landing->slot].state = CS_SLOT_WANTED;
            if (leaf != NULL) leaf->first = 0;
        }
    }
    fetch->landings = fetch->landed = 0;
}

/* --- public */

cs_fetch_t *cs_fetch_new(const cs_chunker_table_t *table, uint64_t seed)
{
    cs_fetch_t *fetch = cs_calloc(1, sizeof *fetch);
    fetch->table = table;
    fetch->turn = (uint32_t)(seed % CS_FETCH_PEERS_MAX);
    cs__chain_init(&fetch->all);
    for (size_t i = 0; i < CS_WANT_STATES; i++) {
        cs__chain_init(&fetch->list[i]);
    }
    for (size_t i = 0; i < CS_FETCH_PEERS_MAX; i++) {
        cs__chain_init(&fetch->source[i].ready);
    }
    return fetch;
}

void cs_fetch_destroy(cs_fetch_t **fetch_p)
{
    cs_fetch_t *fetch = *fetch_p;
    *fetch_p = NULL;
    if (fetch == NULL) return;
    while (!cs__chain_is_empty(&fetch->all)) {
        cs_want_t *want = want_of_all(fetch->all.next);
        if (want->download != NULL) cs__download_free(&want->download);
        want->orders = 0;
        want_free(fetch, want);
    }
    for (size_t i = 0; i < CS_FETCH_PEERS_MAX; i++) {
        cs_free(fetch->source[i].ask);
    }
    cs_free(fetch->order);
    cs_free(fetch->landing);
    cs_free(fetch->names);
    cs_free(fetch->offsets);
    cs_free(fetch->lens);
    cs_free(fetch);
}

/* `want` is (again) said to be at `source`. */
static void want_hint(cs_fetch_t *fetch, cs_want_t *want, cs_source_t *source)
{
    want->hint = (uint8_t)(source - fetch->source);
    want->passed &= ~cs__source_bit(fetch, source);
    source->no_steal = false;
    if (want->state == CS_WANT_READY || want->state == CS_WANT_SLEEPING) {
        cs__want_restart(fetch, want);
    }
}

cs_err_t cs_fetch_want(cs_fetch_t *fetch, const cs_content_t *content, cs_peer_t peer)
{
    CS_ASSERT(content->kind == CS_KIND_FILE || content->kind == CS_KIND_SYMLINK);
    cs__landing_forget(fetch);
    cs_want_t *want = cs__want_find(fetch, content);
    if (want == NULL) {
        if (fetch->wants >= CS_FETCH_WANTS_MAX) return CS_ERR_AGAIN;
        want = want_new(fetch, content);
        cs__want_restart(fetch, want);
    } else if (want->state == CS_WANT_DISCARD) {
        cs__want_restart(fetch, want);
    } else if (want->state == CS_WANT_DYING || want->state == CS_WANT_DISCARDING) {
        want->again = true;
    }
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source != NULL) want_hint(fetch, want, source);
    return CS_OK;
}

cs_err_t cs_fetch_found(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs__landing_forget(fetch);
    if (cs__want_find(fetch, content) != NULL) return CS_OK;
    if (fetch->wants >= CS_FETCH_WANTS_MAX) return CS_ERR_AGAIN;
    cs_want_t *want = want_new(fetch, content);
    want->on_disk = true;
    cs__want_set(fetch, want, CS_WANT_STAGED);
    return CS_OK;
}

void cs_fetch_unwant(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs__landing_forget(fetch);
    cs_want_t *want = cs__want_find(fetch, content);
    if (want == NULL) return;
    want->again = false;
    if (want->state > CS_WANT_STAGED) return;
    cs_download_t *download = want->download;
    if (download != NULL && download->stage != CS_DOWNLOAD_CLOSING) {
        cs__download_close(fetch, download);
    }
    if (want->orders > 0) {
        cs__want_set(fetch, want, CS_WANT_DYING);
    } else {
        want_end(fetch, want);
    }
}

bool cs_fetch_is_staged(const cs_fetch_t *fetch, const cs_content_t *content)
{
    const cs_want_t *want = cs__want_find(fetch, content);
    return want != NULL && want->state == CS_WANT_STAGED;
}

void cs_fetch_used(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs__landing_forget(fetch);
    cs_want_t *want = cs__want_find(fetch, content);
    if (want != NULL && want->state == CS_WANT_STAGED) want_free(fetch, want);
}

static void forget_passed(cs_fetch_t *fetch, cs_mask_t bits)
{
    for (cs_chain_t *at = fetch->all.next; at != &fetch->all; at = at->next) {
        want_of_all(at)->passed &= ~bits;
    }
    for (size_t i = 0; i < CS_FETCH_PEERS_MAX; i++) {
        if ((bits >> i & 1) == 0) continue;
        fetch->source[i].dry = false;
        fetch->source[i].no_steal = false;
    }
    cs__want_wake(fetch);
}

void cs_fetch_retry(cs_fetch_t *fetch, cs_peer_t peer)
{
    cs__landing_forget(fetch);
    if (peer == 0) {
        forget_passed(fetch, ~(cs_mask_t)0);
        return;
    }
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source != NULL) forget_passed(fetch, cs__source_bit(fetch, source));
}

bool cs_fetch_next(cs_fetch_t *fetch, uint64_t now_ms, cs_fetch_action_t *ret)
{
    fetch->now_ms = now_ms;
    return cs__order_next(fetch, ret) || cs__ask_next(fetch, ret);
}

void cs_fetch_stats(const cs_fetch_t *fetch, cs_fetch_stats_t *ret)
{
    *ret = (cs_fetch_stats_t){
        .sleeping = fetch->count[CS_WANT_SLEEPING],
        .staged = fetch->count[CS_WANT_STAGED],
        .bytes_missing = fetch->missing,
        .bytes_asked = fetch->asked,
        .bytes_to_disk = fetch->to_disk,
    };
    for (size_t i = 0; i < CS_WANT_STAGED; i++) {
        ret->wants += fetch->count[i];
    }
}

uint64_t cs_fetch_progress(const cs_fetch_t *fetch, const cs_content_t *content)
{
    const cs_want_t *want = cs__want_find(fetch, content);
    return want != NULL ? want->done_bytes : 0;
}
