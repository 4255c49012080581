/* fetch_order.c - orders to the disk worker, and what becomes of their answers. */
#include <string.h>

#include "base/mem.h"
#include "xfer/fetch_internal.h"

/* --- the table of orders; ticket = generation and index + 1 */

static uint64_t order_new(cs_fetch_t *fetch, const cs_order_t *order)
{
    if (fetch->order_free == 0) {
        uint32_t cap = (uint32_t)cs_grow(fetch->order_cap, fetch->order_cap + 16);
        fetch->order = cs_realloc_array(fetch->order, cap, sizeof fetch->order[0]);
        for (uint32_t i = cap; i-- > fetch->order_cap;) {
            fetch->order[i] = (cs_order_t){.next_free = fetch->order_free};
            fetch->order_free = i + 1;
        }
        fetch->order_cap = cap;
    }
    uint32_t index = fetch->order_free - 1;
    cs_order_t *at = &fetch->order[index];
    fetch->order_free = at->next_free;
    uint32_t generation = at->generation + 1;
    *at = *order;
    at->generation = generation;
    at->want->orders++;
    cs__fetch_hold(fetch, &fetch->to_disk, at->bytes);
    return (uint64_t)generation << 32 | (index + 1);
}

static cs_order_t order_take(cs_fetch_t *fetch, uint64_t ticket)
{
    uint32_t index = (uint32_t)ticket - 1;
    CS_ASSERT(index < fetch->order_cap);
    cs_order_t order = fetch->order[index];
    CS_ASSERT(order.want != NULL && order.generation == ticket >> 32);
    fetch->order[index] =
        (cs_order_t){.generation = order.generation, .next_free = fetch->order_free};
    fetch->order_free = index + 1;
    order.want->orders--;
    cs__fetch_let(fetch, &fetch->to_disk, order.bytes);
    if (order.kind == CS_FETCH_LOCAL) fetch->looks--;
    return order;
}

static bool emit(cs_fetch_t *fetch, cs_fetch_kind_t kind, cs_want_t *want,
                 cs_fetch_action_t *ret)
{
    cs_order_t order = {.want = want, .kind = kind, .bytes = 0};
    *ret = (cs_fetch_action_t){.kind = kind, .content = want->content};
    ret->ticket = order_new(fetch, &order);
    return true;
}

/* --- what is to be ordered */

static bool landing_next(cs_fetch_t *fetch, cs_fetch_action_t *ret)
{
    while (fetch->landed < fetch->landings) {
        const cs_landing_t *landing = &fetch->landing[fetch->landed++];
        cs_want_t *want = landing->want;
        cs_order_t order = {
            .want = want,
            .kind = CS_FETCH_STAGE,
            .serial = landing->serial,
            .slot = landing->slot,
            /* The same bytes in several places are in memory once, until the last is written.
             */
            .bytes = fetch->landed == fetch->landings ? fetch->landing_bytes.len : 0,
        };
        *ret = (cs_fetch_action_t){.content = want->content, .bytes = fetch->landing_bytes};
        if (want->state == CS_WANT_ACTIVE) {
            cs_leaf_t *leaf = cs__download_leaf(want->download, landing->serial);
            if (leaf == NULL) continue; /* given up because of another place of these bytes */
            order.kind = CS_FETCH_WRITE;
            ret->offset = leaf->slot[landing->slot].offset;
        } else if (want->state != CS_WANT_STAGING) {
            continue;
        }
        want->on_disk = true;
        ret->kind = order.kind;
        ret->ticket = order_new(fetch, &order);
        return true;
    }
    fetch->landings = fetch->landed = 0;
    return false;
}

/* Which chunks of a leaf are here already? */
static bool order_local(cs_fetch_t *fetch, cs_download_t *download, cs_leaf_t *leaf,
                        cs_fetch_action_t *ret)
{
    for (uint32_t i = 0; i < leaf->count; i++) {
        fetch->names[i] = leaf->slot[i].name;
        fetch->offsets[i] = leaf->slot[i].offset;
        fetch->lens[i] = leaf->slot[i].len;
    }
    leaf->state = CS_LEAF_LOCAL;
    cs_order_t order = {.want = download->want, .kind = CS_FETCH_LOCAL, .serial = leaf->serial};
    *ret = (cs_fetch_action_t){
        .kind = CS_FETCH_LOCAL,
        .content = download->want->content,
        .names = fetch->names,
        .offsets = fetch->offsets,
        .lens = fetch->lens,
        .count = leaf->count,
    };
    ret->ticket = order_new(fetch, &order);
    fetch->looks++;
    return true;
}

static bool download_next(cs_fetch_t *fetch, cs_download_t *download, cs_fetch_action_t *ret)
{
    cs_want_t *want = download->want;
    if (download->stage == CS_DOWNLOAD_OPEN) {
        download->stage = CS_DOWNLOAD_OPENING;
        want->on_disk = true;
        (void)emit(fetch, CS_FETCH_OPEN, want, ret);
        ret->size = want->content.size - download->zeros;
        return true;
    }
    if (download->stage != CS_DOWNLOAD_RUN) return false;
    if (download->rooted && download->depth > 0 && !download->told) {
        download->told = true;
        *ret = (cs_fetch_action_t){.kind = CS_FETCH_TELL, .content = want->content};
        return true;
    }
    if (download->walked && download->leaves == 0) {
        download->stage = CS_DOWNLOAD_FINISHING;
        (void)emit(fetch, CS_FETCH_FINISH, want, ret);
        ret->proved = cs__list_prove(download);
        return true;
    }
    for (uint32_t i = 0; i < download->leaves && fetch->looks < CS_FETCH_LOOKS_MAX; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        if (leaf->state == CS_LEAF_PLACED) return order_local(fetch, download, leaf, ret);
    }
    return false;
}

/* Fill free places, oldest want first; files beyond CS_FETCH_HUGE_BYTES leave one place to
 * others. */
static void begin_downloads(cs_fetch_t *fetch)
{
    size_t huge = 0, free_index = CS_FETCH_FILES_MAX;
    for (size_t i = 0; i < CS_FETCH_FILES_MAX; i++) {
        const cs_download_t *download = fetch->download[i];
        if (download == NULL) free_index = i;
        if (download != NULL && download->want->content.size > CS_FETCH_HUGE_BYTES) huge++;
    }
    if (free_index == CS_FETCH_FILES_MAX) return;
    cs_chain_t *head = &fetch->list[CS_WANT_QUEUED];
    for (cs_chain_t *at = head->next; at != head; at = at->next) {
        cs_want_t *want = (cs_want_t *)at;
        bool is_huge = want->content.size > CS_FETCH_HUGE_BYTES;
        if (want->download != NULL || (is_huge && huge + 1 >= CS_FETCH_FILES_MAX)) continue;
        cs__download_begin(fetch, want, free_index);
        return;
    }
}

static void names_reserve(cs_fetch_t *fetch)
{
    if (fetch->names != NULL) return;
    size_t max = CS_NODE_ITEMS_MAX; /* of one leaf; requests have fewer */
    fetch->names = cs_malloc(max * sizeof fetch->names[0]);
    fetch->offsets = cs_malloc(max * sizeof fetch->offsets[0]);
    fetch->lens = cs_malloc(max * sizeof fetch->lens[0]);
}

bool cs__order_next(cs_fetch_t *fetch, cs_fetch_action_t *ret)
{
    names_reserve(fetch);
    if (landing_next(fetch, ret)) return true;
    cs_chain_t *discard = &fetch->list[CS_WANT_DISCARD];
    if (!cs__chain_is_empty(discard)) {
        cs_want_t *want = (cs_want_t *)discard->next;
        cs__want_set(fetch, want, CS_WANT_DISCARDING);
        return emit(fetch, CS_FETCH_DISCARD, want, ret);
    }
    for (size_t i = 0; i < CS_FETCH_FILES_MAX; i++) {
        begin_downloads(fetch);
        cs_download_t *download = fetch->download[i];
        if (download == NULL || download->stage == CS_DOWNLOAD_CLOSING) continue;
        cs_want_t *want = download->want;
        cs__download_advance(fetch, download);
        if (want->download != download || want->state != CS_WANT_ACTIVE) continue;
        if (download_next(fetch, download, ret)) return true;
    }
    return false;
}

/* --- answers */

/* The disk refused: peers cannot help. */
static void give_up(cs_fetch_t *fetch, cs_want_t *want)
{
    cs__download_close(fetch, want->download);
    cs__want_set(fetch, want, CS_WANT_SLEEPING);
}

static void local_done(cs_fetch_t *fetch, cs_download_t *download, cs_leaf_t *leaf,
                       const cs_fetch_result_t *result)
{
    leaf->state = CS_LEAF_FETCH;
    leaf->first = 0;
    uint32_t serial = leaf->serial;
    for (size_t i = 0; i < result->found_count && leaf != NULL; i++) {
        uint32_t low = 0, high = leaf->count;
        while (low < high) { /* offsets ascend */
            uint32_t mid = (low + high) / 2;
            if (leaf->slot[mid].offset < result->found[i]) low = mid + 1;
            if (leaf->slot[mid].offset >= result->found[i]) high = mid;
        }
        if (low == leaf->count || leaf->slot[low].offset != result->found[i]) continue;
        if (leaf->slot[low].state == CS_SLOT_DONE) continue;
        cs__download_slot_done(fetch, download, leaf, &leaf->slot[low]);
        leaf = cs__download_leaf(download, serial); /* the last one removes it */
    }
}

static void finish_done(cs_fetch_t *fetch, cs_want_t *want, cs_err_t err)
{
    cs_content_rows_t *rows = want->download->rows;
    if (err == CS_OK && rows != NULL) cs_content_rows_end(rows);
    cs__download_close(fetch, want->download);
    cs__want_set(fetch, want, err == CS_OK ? CS_WANT_STAGED : CS_WANT_SLEEPING);
}

/* The want is active and its download goes on. */
static void download_done(cs_fetch_t *fetch, const cs_order_t *order,
                          const cs_fetch_result_t *result)
{
    cs_want_t *want = order->want;
    cs_download_t *download = want->download;
    if (order->kind == CS_FETCH_FINISH) {
        finish_done(fetch, want, result->err);
        return;
    }
    if (result->err != CS_OK) {
        give_up(fetch, want);
        return;
    }
    if (order->kind == CS_FETCH_OPEN) {
        download->stage = CS_DOWNLOAD_RUN;
        return;
    }
    cs_leaf_t *leaf = cs__download_leaf(download, order->serial);
    CS_ASSERT(leaf != NULL); /* a leaf stays while orders about it are out */
    if (order->kind == CS_FETCH_LOCAL) {
        local_done(fetch, download, leaf, result);
    } else {
        cs__download_slot_done(fetch, download, leaf, &leaf->slot[order->slot]);
    }
}

void cs_fetch_done(cs_fetch_t *fetch, uint64_t ticket, const cs_fetch_result_t *result)
{
    cs__landing_forget(fetch);
    cs_order_t order = order_take(fetch, ticket);
    cs_want_t *want = order.want;
    if (want->state == CS_WANT_STAGING) {
        cs__want_set(fetch, want, result->err == CS_OK ? CS_WANT_STAGED : CS_WANT_SLEEPING);
    } else if (want->state == CS_WANT_ACTIVE) {
        download_done(fetch, &order, result);
    } else if (want->state == CS_WANT_DISCARDING) {
        want->on_disk = false;
    }
    cs__want_quiet(fetch, want);
}
