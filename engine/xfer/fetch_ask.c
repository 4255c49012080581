/* fetch_ask.c - which peer is asked for what next: peers in turn, small contents first. */
#include "base/mem.h"
#include "xfer/fetch_internal.h"

/* Requests that small contents may not take while large ones wait. */
#define REQUESTS_FOR_LARGE 2u
#define NODE_BYTES         (CS_NODE_ITEMS_MAX * CS_NODE_ITEM_BYTES + CS_ASK_OVERHEAD)
#define MAP_BYTES          CS_ASK_OVERHEAD
/* Late wants looked at for an idle peer. */
#define ENDGAME_LOOKS 64u

typedef struct asking {
    cs_fetch_t *fetch;
    cs_source_t *source;
    cs_mask_t bit;
    uint8_t request;
    uint64_t before, room; /* bytes: asked of it already, and that may be added */
    size_t count;          /* names so far */
} asking_t;

static bool emit(asking_t *asking, cs_fetch_kind_t kind, const cs_content_t *content,
                 cs_fetch_action_t *ret)
{
    if (asking->count == 0) return false;
    *ret = (cs_fetch_action_t){
        .kind = kind,
        .peer = asking->source->peer,
        .names = asking->fetch->names,
        .count = asking->count,
        .size = asking->source->bytes - asking->before,
    };
    if (content != NULL) ret->content = *content;
    return true;
}

static void add(asking_t *asking, cs_ask_kind_t kind, const cs_name_t *name, uint64_t bytes)
{
    CS_ASSERT(bytes <= asking->room);
    asking->room -= bytes;
    asking->fetch->names[asking->count++] = *name;
    cs__source_ask(asking->fetch, asking->source, asking->request, kind, name, bytes);
}

static size_t index_of(const asking_t *asking)
{
    return (size_t)(asking->source - asking->fetch->source);
}

static bool once(cs_mask_t mask)
{
    return mask != 0 && (mask & (mask - 1)) == 0;
}

/* --- small contents */

static uint64_t small_bytes(const cs_want_t *want)
{
    uint64_t size = want->content.size; /* of a symlink: any number that somebody made up */
    return (size < CS_CHUNK_MIN ? size : CS_CHUNK_MIN) + CS_ASK_OVERHEAD;
}

static void ask_small(asking_t *asking, cs_want_t *want)
{
    cs_name_t name;
    for (size_t i = 0; i < CS_HASH_BYTES; i++) {
        name.b[i] = want->content.hash[i];
    }
    add(asking, CS_ASK_SMALL, &name, small_bytes(want));
    want->askers |= asking->bit;
    want->asked_ms = asking->fetch->now_ms;
    if (want->state == CS_WANT_READY) cs__want_set(asking->fetch, want, CS_WANT_ASKED);
}

/* As many of a list as one request takes. True if the end was reached. */
static bool take_small(asking_t *asking, cs_chain_t *head, uint64_t *budget)
{
    for (cs_chain_t *at = head->next, *next; at != head; at = next) {
        next = at->next;
        cs_want_t *want = (cs_want_t *)at;
        uint64_t bytes = small_bytes(want);
        if (bytes > *budget || asking->count == CS_FETCH_REQUEST_NAMES_MAX) return false;
        if ((want->passed & asking->bit) != 0) continue;
        *budget -= bytes;
        ask_small(asking, want);
    }
    return true;
}

/* From the lists of sources that have more than they can be asked now. */
static void steal_small(asking_t *asking, uint64_t *budget)
{
    for (size_t i = 0; i < asking->fetch->source_end && asking->count == 0; i++) {
        cs_source_t *other = &asking->fetch->source[i];
        if (other == asking->source || cs__chain_is_empty(&other->ready)) continue;
        bool busy = cs__source_request(other) == CS_FETCH_REQUESTS_MAX ||
                    cs__source_room(asking->fetch, other) < CS_CHUNK_MIN;
        if (busy) take_small(asking, &other->ready, budget);
    }
}

static void late_small(asking_t *asking, uint64_t budget)
{
    cs_fetch_t *fetch = asking->fetch;
    cs_chain_t *head = &fetch->list[CS_WANT_ASKED];
    size_t looks = 0;
    for (cs_chain_t *at = head->next; at != head && looks < ENDGAME_LOOKS;
         at = at->next, looks++) {
        cs_want_t *want = (cs_want_t *)at;
        if (fetch->now_ms - want->asked_ms < CS_FETCH_ENDGAME_MS) {
            break; /* in order of asking */
        }
        if (!once(want->askers) || ((want->askers | want->passed) & asking->bit) != 0) continue;
        if (small_bytes(want) > budget) break;
        budget -= small_bytes(want);
        ask_small(asking, want);
    }
}

static bool small_next(asking_t *asking, cs_fetch_action_t *ret)
{
    cs_source_t *source = asking->source;
    bool ready = asking->fetch->count[CS_WANT_READY] > 0, idle = source->bytes == 0;
    uint64_t budget = asking->room < CS_BUNDLE_BYTES ? asking->room : CS_BUNDLE_BYTES;
    if (ready) take_small(asking, &source->ready, &budget);
    if (ready && asking->count == 0 && !source->dry) {
        bool end = take_small(asking, &asking->fetch->list[CS_WANT_READY], &budget);
        source->dry = end && asking->count == 0;
    }
    if (ready && asking->count == 0 && idle && !source->no_steal) steal_small(asking, &budget);
    if (asking->count == 0 && idle) late_small(asking, budget);
    return emit(asking, CS_FETCH_ASK_SMALL, NULL, ret);
}

/* --- large contents */

static bool map_next(asking_t *asking, cs_download_t *download, cs_fetch_action_t *ret)
{
    cs_want_t *want = download->want;
    cs_mask_t candidates = cs__download_candidates(asking->fetch, download);
    if (download->stage != CS_DOWNLOAD_MAP || download->map_askers != 0) return false;
    if ((candidates & asking->bit) == 0 || asking->room < MAP_BYTES) return false;
    const cs_source_t *hinted = cs__want_hinted(asking->fetch, want);
    if (hinted != NULL && hinted != asking->source) return false;
    cs_name_t name;
    for (size_t i = 0; i < CS_HASH_BYTES; i++) {
        name.b[i] = want->content.hash[i];
    }
    add(asking, CS_ASK_MAP, &name, MAP_BYTES);
    download->map_askers |= asking->bit;
    return emit(asking, CS_FETCH_ASK_MAP, &want->content, ret);
}

/* All of it, as far as is known. */
static bool has_whole(const asking_t *asking, const cs_download_t *download)
{
    return (cs__download_candidates(asking->fetch, download) & asking->bit) != 0;
}

static bool has_part(const asking_t *asking, const cs_download_t *download)
{
    return (cs__partial_sources(asking->fetch, download) & asking->bit) != 0;
}

static void add_node(asking_t *asking, const cs_download_t *download, cs_node_want_t *node,
                     bool whole)
{
    if (!node->wanted || asking->room < NODE_BYTES) return;
    if (cs__list_expects(download, &node->name)) return;
    uint64_t now_ms = asking->fetch->now_ms;
    if (!whole && now_ms < node->asked_ms + CS_FETCH_PARTS_MS) return; /* it had it not */
    if (!whole) node->asked_ms = now_ms;
    node->askers |= asking->bit;
    add(asking, CS_ASK_NODE, &node->name, NODE_BYTES);
}

static bool nodes_next(asking_t *asking, cs_download_t *download, cs_fetch_action_t *ret)
{
    if (download->stage != CS_DOWNLOAD_RUN) return false;
    bool whole = has_whole(asking, download);
    if (!whole && !has_part(asking, download)) return false;
    add_node(asking, download, &download->inner, whole);
    for (uint32_t i = 0; i < download->leaves; i++) {
        add_node(asking, download, &download->leaf[i].node, whole);
    }
    return emit(asking, CS_FETCH_ASK_NODES, &download->want->content, ret);
}

/* The same chunk elsewhere in the window is on its way: its bytes will do for this place, too.
 */
static bool is_coming(const cs_download_t *download, const cs_name_t *name)
{
    for (uint32_t i = 0; i < download->leaves; i++) {
        const cs_leaf_t *leaf = &download->leaf[i];
        if (leaf->state != CS_LEAF_FETCH) continue;
        for (uint32_t k = 0; k < leaf->count; k++) {
            const cs_slot_t *slot = &leaf->slot[k];
            if (slot->state == CS_SLOT_ASKED && cs_name_eq(&slot->name, name)) return true;
        }
    }
    return false;
}

static void ask_slot(asking_t *asking, cs_slot_t *slot)
{
    asking->fetch->offsets[asking->count] = slot->offset;
    asking->fetch->lens[asking->count] = slot->len;
    slot->state = CS_SLOT_ASKED;
    slot->askers |= asking->bit;
    slot->asked_ms = asking->fetch->now_ms;
    add(asking, CS_ASK_CHUNK, &slot->name, slot->len + CS_ASK_OVERHEAD);
}

/* False: the request is full. */
static bool take_slot(asking_t *asking, cs_slot_t *slot, uint64_t *budget)
{
    uint64_t bytes = slot->len + CS_ASK_OVERHEAD;
    bool full =
        asking->count == CS_FETCH_REQUEST_NAMES_MAX || (asking->count > 0 && bytes > *budget);
    if (full || bytes > asking->room) return false;
    *budget = bytes < *budget ? *budget - bytes : 0;
    ask_slot(asking, slot);
    return true;
}

static bool take_in_order(asking_t *asking, cs_download_t *download, cs_leaf_t *leaf,
                          uint64_t *budget)
{
    for (uint32_t k = leaf->first; k < leaf->count; k++) {
        cs_slot_t *slot = &leaf->slot[k];
        bool coming = slot->state == CS_SLOT_WANTED && is_coming(download, &slot->name);
        bool ask = slot->state == CS_SLOT_WANTED && !coming;
        if (ask && !take_slot(asking, slot, budget)) return false;
        if (k == leaf->first && !coming) leaf->first++;
    }
    return true;
}

static void take_first(asking_t *asking, cs_download_t *download, uint64_t budget)
{
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        if (leaf->state != CS_LEAF_FETCH) continue;
        if (!take_in_order(asking, download, leaf, &budget)) return;
    }
}

static void take_rarest(asking_t *asking, cs_download_t *download, bool whole, uint64_t budget)
{
    cs_rarest_t at = {
        .salt = ++asking->fetch->salts, .source = index_of(asking), .whole = whole};
    cs_slot_t *slot;
    while (cs__parts_next(asking->fetch, download, &at, &slot)) {
        if (is_coming(download, &slot->name)) continue;
        if (!take_slot(asking, slot, &budget)) return;
    }
}

/* With places, unless the source has the whole file. */
static bool emit_chunks(asking_t *asking, const cs_download_t *download, bool whole,
                        cs_fetch_action_t *ret)
{
    if (!emit(asking, CS_FETCH_ASK_CHUNKS, &download->want->content, ret)) return false;
    if (whole) return true;
    ret->offsets = asking->fetch->offsets;
    ret->lens = asking->fetch->lens;
    return true;
}

static bool chunks_next(asking_t *asking, cs_download_t *download, cs_fetch_action_t *ret)
{
    if (download->stage != CS_DOWNLOAD_RUN) return false;
    bool whole = has_whole(asking, download);
    if (!whole && !has_part(asking, download)) return false;
    if (whole && !cs__parts_known(download)) {
        take_first(asking, download, CS_FETCH_REQUEST_BYTES);
    } else {
        take_rarest(asking, download, whole, CS_FETCH_REQUEST_BYTES);
    }
    return emit_chunks(asking, download, whole, ret);
}

/* No request: it is answered or not, and takes no room. */
static bool parts_next(asking_t *asking, cs_download_t *download, cs_fetch_action_t *ret)
{
    if (download->stage != CS_DOWNLOAD_RUN || has_whole(asking, download)) return false;
    const cs_leaf_t *leaf = cs__parts_due(asking->fetch, download, index_of(asking));
    if (leaf == NULL) return false;
    *ret = (cs_fetch_action_t){.kind = CS_FETCH_ASK_PARTS,
                               .peer = asking->source->peer,
                               .content = download->want->content,
                               .offset = leaf->slot[0].offset,
                               .count = leaf->count};
    return true;
}

/* What another was asked long ago, for a source that has nothing else to do. */
static bool late_chunks_next(asking_t *asking, cs_download_t *download, cs_fetch_action_t *ret)
{
    cs_fetch_t *fetch = asking->fetch;
    if (download->stage != CS_DOWNLOAD_RUN || asking->source->bytes > 0) return false;
    bool whole = has_whole(asking, download);
    if (!whole && !has_part(asking, download)) return false;
    for (uint32_t i = 0; i < download->leaves && asking->count == 0; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        for (uint32_t k = 0; k < leaf->count && asking->count == 0; k++) {
            cs_slot_t *slot = &leaf->slot[k];
            bool late = slot->state == CS_SLOT_ASKED && once(slot->askers) &&
                        (slot->askers & asking->bit) == 0 &&
                        fetch->now_ms - slot->asked_ms >= CS_FETCH_ENDGAME_MS;
            if (!late || slot->len + CS_ASK_OVERHEAD > asking->room) continue;
            if (whole || cs__parts_has(leaf, index_of(asking), k)) ask_slot(asking, slot);
        }
    }
    return emit_chunks(asking, download, whole, ret);
}

static bool large_next(asking_t *asking, cs_fetch_action_t *ret)
{
    typedef bool step_t(asking_t *, cs_download_t *, cs_fetch_action_t *);
    static step_t *const steps[] = {parts_next, map_next, nodes_next, chunks_next,
                                    late_chunks_next};
    if (asking->fetch->count[CS_WANT_ACTIVE] == 0) return false;
    for (size_t s = 0; s < CS_COUNT_OF(steps); s++) {
        for (size_t i = 0; i < CS_FETCH_FILES_MAX; i++) {
            cs_download_t *download = asking->fetch->download[i];
            if (download != NULL && steps[s](asking, download, ret)) return true;
        }
    }
    return false;
}

static bool source_next(cs_fetch_t *fetch, cs_source_t *source, cs_fetch_action_t *ret)
{
    cs_mask_t bit = cs__source_bit(fetch, source);
    if ((fetch->usable & bit) == 0 || source->held) return false;
    asking_t asking = {
        .fetch = fetch,
        .source = source,
        .bit = bit,
        .request = cs__source_request(source),
        .before = source->bytes,
        .room = cs__source_room(fetch, source),
    };
    if (asking.request == CS_FETCH_REQUESTS_MAX || asking.room == 0) return false;
    bool large_first =
        cs__source_requests(source) + REQUESTS_FOR_LARGE >= CS_FETCH_REQUESTS_MAX;
    if (large_first) return large_next(&asking, ret) || small_next(&asking, ret);
    return small_next(&asking, ret) || large_next(&asking, ret);
}

/* Some want could be asked for, perhaps of one more: of what rests, is written or is here
 * nothing is asked. */
static bool is_awake(const cs_fetch_t *fetch)
{
    return fetch->count[CS_WANT_READY] > 0 || fetch->count[CS_WANT_ASKED] > 0 ||
           fetch->count[CS_WANT_QUEUED] > 0 || fetch->count[CS_WANT_ACTIVE] > 0;
}

bool cs__ask_next(cs_fetch_t *fetch, cs_fetch_action_t *ret)
{
    if (!is_awake(fetch)) return false;
    for (size_t i = 0; i < fetch->source_end; i++) {
        size_t index = (fetch->turn + i) % fetch->source_end;
        if (!source_next(fetch, &fetch->source[index], ret)) continue;
        fetch->turn = index + 1;
        return true;
    }
    return false;
}
