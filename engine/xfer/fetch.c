/* fetch.c - what is wanted, superseded, staged. */
#include "base/mem.h"
#include "xfer/fetch_internal.h"

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

cs_fetch_t *cs_fetch_new(const cs_chunker_table_t *table, const cs_fetch_rows_t *rows,
                         uint64_t seed)
{
    cs_fetch_t *fetch = cs_calloc(1, sizeof *fetch);
    fetch->table = table;
    fetch->seed = seed;
    if (rows != NULL) fetch->rows = *rows;
    fetch->turn = (size_t)(seed % CS_FETCH_PEERS_MAX);
    cs__chain_init(&fetch->all);
    for (size_t i = 0; i < CS_WANT_STATES; i++) {
        cs__chain_init(&fetch->list[i]);
    }
    cs__chain_init(&fetch->asleep_large);
    for (size_t i = 0; i < CS_FETCH_PEERS_MAX; i++) {
        cs__chain_init(&fetch->source[i].ready);
    }
    return fetch;
}

void cs_fetch_share(cs_fetch_t *fetch, cs_fetch_budget_t *budget)
{
    CS_ASSERT(fetch->asked + fetch->to_disk == 0);
    fetch->budget = budget;
}

void cs__fetch_hold(cs_fetch_t *fetch, uint64_t *of, uint64_t bytes)
{
    *of += bytes;
    if (fetch->budget != NULL) fetch->budget->bytes += bytes;
}

void cs__fetch_let(cs_fetch_t *fetch, uint64_t *of, uint64_t bytes)
{
    CS_ASSERT(*of >= bytes);
    *of -= bytes;
    if (fetch->budget != NULL) fetch->budget->bytes -= bytes;
}

uint64_t cs__fetch_room(const cs_fetch_t *fetch)
{
    uint64_t held = fetch->asked + fetch->to_disk;
    uint64_t room = held < CS_FETCH_MEMORY_BYTES ? CS_FETCH_MEMORY_BYTES - held : 0;
    cs_fetch_budget_t *budget = fetch->budget;
    if (budget == NULL) return room;
    uint64_t left = budget->bytes < budget->bytes_max ? budget->bytes_max - budget->bytes : 0;
    if (held == 0 && left < CS_FETCH_ONE_BYTES) left = CS_FETCH_ONE_BYTES;
    if (left < CS_FETCH_ONE_BYTES && left < room) budget->tight = true;
    return left < room ? left : room;
}

void cs_fetch_destroy(cs_fetch_t **fetch_p)
{
    cs_fetch_t *fetch = *fetch_p;
    *fetch_p = NULL;
    if (fetch == NULL) return;
    cs__fetch_let(fetch, &fetch->asked, fetch->asked);
    cs__fetch_let(fetch, &fetch->to_disk, fetch->to_disk);
    while (!cs__chain_is_empty(&fetch->all)) {
        cs_want_t *want = cs__want_of(fetch->all.next);
        if (want->download != NULL) cs__download_free(&want->download);
        want->orders = 0;
        cs__want_free(fetch, want);
    }
    for (size_t i = 0; i < CS_FETCH_PEERS_MAX; i++) {
        cs_free(fetch->source[i].ask);
    }
    cs_buf_fini(&fetch->node);
    cs_free(fetch->order);
    cs_free(fetch->landing);
    cs_free(fetch->names);
    cs_free(fetch->offsets);
    cs_free(fetch->lens);
    cs_free(fetch);
}

/* What has bytes on disk is not given up. */
static bool give_up_one(cs_fetch_t *fetch, cs_chain_t *head)
{
    for (cs_chain_t *at = head->next; at != head; at = at->next) {
        cs_want_t *want = (cs_want_t *)at;
        if (want->on_disk || want->orders > 0) continue;
        cs__want_free(fetch, want);
        return true;
    }
    return false;
}

/* True if there is space for a want of this content. */
static bool make_space(cs_fetch_t *fetch, const cs_content_t *content)
{
    if (!cs_content_is_small(content) && fetch->large >= CS_FETCH_LARGE_MAX) {
        return give_up_one(fetch, &fetch->asleep_large);
    }
    if (fetch->wants < CS_FETCH_WANTS_MAX) return true;
    return give_up_one(fetch, &fetch->list[CS_WANT_SLEEPING]) ||
           give_up_one(fetch, &fetch->asleep_large);
}

size_t cs_fetch_room(const cs_fetch_t *fetch)
{
    return CS_FETCH_WANTS_MAX - fetch->wants + fetch->count[CS_WANT_SLEEPING];
}

cs_err_t cs_fetch_want(cs_fetch_t *fetch, const cs_content_t *content, cs_peer_t peer)
{
    CS_ASSERT(content->kind == CS_KIND_FILE || content->kind == CS_KIND_SYMLINK);
    cs__landing_forget(fetch);
    cs_want_t *want = cs__want_find(fetch, content);
    if (want == NULL) {
        if (!make_space(fetch, content)) return CS_ERR_AGAIN;
        want = cs__want_new(fetch, content);
        cs__want_restart(fetch, want);
    } else if (want->state == CS_WANT_DISCARD) {
        cs__want_restart(fetch, want);
    } else if (want->state == CS_WANT_DYING || want->state == CS_WANT_DISCARDING) {
        want->again = true;
    }
    want->needed = true;
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source != NULL) cs__want_hint(fetch, want, source);
    return CS_OK;
}

cs_err_t cs_fetch_found(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs__landing_forget(fetch);
    cs_want_t *want = cs__want_find(fetch, content);
    if (want != NULL) {
        bool idle = want->orders == 0 && want->download == NULL;
        if (want->state != CS_WANT_SLEEPING || !idle) return CS_OK;
    } else {
        if (!make_space(fetch, content)) return CS_ERR_AGAIN;
        want = cs__want_new(fetch, content);
    }
    want->on_disk = true;
    cs__want_set(fetch, want, CS_WANT_STAGED);
    return CS_OK;
}

size_t cs_fetch_missed(const cs_fetch_t *fetch, cs_content_t *ret, size_t max)
{
    size_t count = 0;
    const cs_chain_t *heads[] = {&fetch->list[CS_WANT_SLEEPING], &fetch->asleep_large};
    for (size_t i = 0; i < CS_COUNT_OF(heads); i++) {
        const cs_chain_t *head = heads[i];
        for (const cs_chain_t *at = head->next; at != head && count < max; at = at->next) {
            ret[count++] = ((const cs_want_t *)at)->content;
        }
    }
    return count;
}

static void unwant(cs_fetch_t *fetch, cs_want_t *want)
{
    want->again = false;
    if (want->state > CS_WANT_STAGED) return;
    cs_download_t *download = want->download;
    if (download != NULL && download->stage != CS_DOWNLOAD_CLOSING) {
        cs__download_close(fetch, download);
    }
    if (want->orders > 0) {
        cs__want_set(fetch, want, CS_WANT_DYING);
    } else {
        cs__want_end(fetch, want);
    }
}

void cs_fetch_unwant(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs__landing_forget(fetch);
    cs_want_t *want = cs__want_find(fetch, content);
    if (want != NULL) unwant(fetch, want);
}

void cs_fetch_mark(cs_fetch_t *fetch)
{
    for (cs_chain_t *at = fetch->all.next; at != &fetch->all; at = at->next) {
        cs__want_of(at)->needed = false;
    }
}

void cs_fetch_sweep(cs_fetch_t *fetch)
{
    cs__landing_forget(fetch);
    for (cs_chain_t *at = fetch->all.next, *next; at != &fetch->all; at = next) {
        next = at->next;
        if (!cs__want_of(at)->needed) unwant(fetch, cs__want_of(at));
    }
}

bool cs_fetch_is_staged(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs_want_t *want = cs__want_find(fetch, content);
    bool staged = want != NULL && want->state == CS_WANT_STAGED;
    if (staged) want->needed = true;
    return staged;
}

void cs_fetch_used(cs_fetch_t *fetch, const cs_content_t *content)
{
    cs__landing_forget(fetch);
    cs_want_t *want = cs__want_find(fetch, content);
    if (want != NULL && want->state == CS_WANT_STAGED) cs__want_free(fetch, want);
}

static void forget_passed(cs_fetch_t *fetch, cs_mask_t bits)
{
    for (cs_chain_t *at = fetch->all.next; at != &fetch->all; at = at->next) {
        cs__want_of(at)->passed &= ~bits;
    }
    for (size_t i = 0; i < fetch->source_end; i++) {
        if ((bits >> i & 1) == 0) continue;
        cs_source_t *source = &fetch->source[i];
        source->dry = false;
        source->no_steal = false;
        for (size_t k = source->head; k < source->len; k++) {
            source->ask[k].again = true;
        }
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
    if (source == NULL) return;
    cs__source_revive(fetch, source);
    forget_passed(fetch, cs__source_bit(fetch, source));
}

bool cs_fetch_next(cs_fetch_t *fetch, uint64_t now_ms, cs_fetch_action_t *ret)
{
    fetch->now_ms = now_ms;
    if (cs__chain_is_empty(&fetch->all)) return false; /* at rest: most steps of a node */
    return cs__order_next(fetch, ret) || cs__ask_next(fetch, ret);
}

uint64_t cs_fetch_due(const cs_fetch_t *fetch)
{
    const cs_chain_t *head = &fetch->list[CS_WANT_RESTING];
    if (cs__chain_is_empty(head)) return UINT64_MAX;
    return ((const cs_want_t *)head->next)->rest_until_ms;
}

void cs_fetch_stats(const cs_fetch_t *fetch, cs_fetch_stats_t *ret)
{
    *ret = (cs_fetch_stats_t){
        .sleeping = fetch->count[CS_WANT_SLEEPING],
        .staged = fetch->count[CS_WANT_STAGED],
        .large = fetch->large,
        .bytes_missing = fetch->missing,
        .bytes_asked = fetch->asked,
        .bytes_to_disk = fetch->to_disk,
    };
    for (size_t i = 0; i < CS_WANT_STAGED; i++) {
        ret->wants += fetch->count[i];
    }
}

cs_fetch_state_t cs_fetch_state(const cs_fetch_t *fetch, const cs_content_t *content)
{
    const cs_want_t *want = cs__want_find(fetch, content);
    if (want == NULL || want->state > CS_WANT_STAGED) return CS_FETCH_UNWANTED;
    if (want->state == CS_WANT_STAGED) return CS_FETCH_HERE;
    if (want->state != CS_WANT_SLEEPING) return CS_FETCH_COMING;
    return cs__want_candidates(fetch, want) == 0 ? CS_FETCH_NOBODY : CS_FETCH_REFUSED;
}

bool cs_fetch_lacks(const cs_fetch_t *fetch, cs_peer_t peer, const cs_content_t *content)
{
    const cs_want_t *want = cs__want_find(fetch, content);
    for (uint32_t i = 0; want != NULL && i < fetch->source_end; i++) {
        if (fetch->source[i].peer == peer) return (want->passed >> i & 1) != 0;
    }
    return false;
}

/* Of one that stands still the rate fades: it is what it would be if something came just now.
 */
static uint64_t rate_of(const cs_download_t *download, uint64_t now_ms)
{
    uint64_t ms = now_ms - download->rate_ms;
    return ms <= 2000 ? download->rate : download->rate * 2000 / ms;
}

size_t cs_fetch_flows(const cs_fetch_t *fetch, cs_fetch_flow_t ret[CS_FETCH_FILES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < CS_FETCH_FILES_MAX; i++) {
        const cs_download_t *download = fetch->download[i];
        if (download == NULL || download->stage == CS_DOWNLOAD_CLOSING) continue;
        ret[count++] = (cs_fetch_flow_t){.content = download->want->content,
                                         .here = download->want->done_bytes,
                                         .rate = rate_of(download, fetch->now_ms)};
    }
    return count;
}

uint64_t cs_fetch_progress(const cs_fetch_t *fetch, const cs_content_t *content)
{
    const cs_want_t *want = cs__want_find(fetch, content);
    return want != NULL ? want->done_bytes : 0;
}
