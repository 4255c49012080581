/* fetch_parts.c - sources that have a large content in part, being about to fetch it
 * themselves: which chunks of the window each has, and which are rare.
 *
 * They are asked, and answer; nothing waits for an answer, and a wrong one costs a CNONE. */
#include <string.h>

#include "base/mem.h"
#include "xfer/fetch_internal.h"

/* Chunks of a leaf that a source may refuse though it said that it has them. */
#define REFUSED_MAX 64u

static cs_parts_t *parts_of(const cs_leaf_t *leaf, size_t source)
{
    for (uint32_t i = 0; i < leaf->parts_count; i++) {
        if (leaf->parts[i].source == source) return &leaf->parts[i];
    }
    return NULL;
}

static bool bit(const uint8_t *bits, uint32_t slot)
{
    return (bits[slot / 8] >> slot % 8 & 1) != 0;
}

static void set_bit(uint8_t *bits, uint32_t slot)
{
    bits[slot / 8] |= (uint8_t)(1u << slot % 8);
}

size_t cs__mask_source(cs_mask_t bit)
{
    size_t i = 0;
    while ((bit >> i & 1) == 0) {
        i++;
    }
    return i;
}

bool cs__parts_has(const cs_leaf_t *leaf, size_t source, uint32_t slot)
{
    const cs_parts_t *parts = parts_of(leaf, source);
    return parts != NULL && bit(parts->bits, slot);
}

void cs__parts_lacks(cs_leaf_t *leaf, size_t source, uint32_t slot)
{
    cs_parts_t *parts = parts_of(leaf, source);
    if (parts == NULL) return;
    parts->bits[slot / 8] &= (uint8_t) ~(1u << slot % 8);
    parts->refused++;
}

void cs__parts_leave(cs_download_t *download, size_t source)
{
    download->partial &= ~((cs_mask_t)1 << source);
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        cs_parts_t *parts = parts_of(leaf, source);
        if (parts == NULL) continue;
        *parts = leaf->parts[--leaf->parts_count];
    }
}

cs_mask_t cs__partial_sources(const cs_fetch_t *fetch, const cs_download_t *download)
{
    cs_mask_t partial = download->partial & fetch->usable;
    return download->rooted ? partial : partial & download->mapper; /* as candidates */
}

/* --- asking */

static bool has_wanted(const cs_leaf_t *leaf)
{
    for (uint32_t k = leaf->first; k < leaf->count; k++) {
        if (leaf->slot[k].state == CS_SLOT_WANTED) return true;
    }
    return false;
}

/* Whoever was passed over is asked now and then whether it has begun; whoever has, more often.
 */
cs_leaf_t *cs__parts_due(cs_fetch_t *fetch, cs_download_t *download, size_t source)
{
    bool is_partial = (download->partial >> source & 1) != 0;
    uint64_t pause_ms = is_partial ? CS_FETCH_PARTS_MS : CS_FETCH_PROBE_MS;
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        if (leaf->state != CS_LEAF_FETCH) continue;
        cs_parts_t *parts = parts_of(leaf, source);
        if (parts != NULL && fetch->now_ms < parts->asked_ms + pause_ms) continue;
        if (!has_wanted(leaf)) continue;
        if (parts == NULL) {
            size_t count = leaf->parts_count + 1;
            leaf->parts = cs_realloc_array(leaf->parts, count, sizeof leaf->parts[0]);
            parts = &leaf->parts[leaf->parts_count++];
            *parts = (cs_parts_t){.source = (uint8_t)source};
        }
        parts->asked_ms = fetch->now_ms;
        return leaf;
    }
    return NULL;
}

/* --- the rarest first */

static uint32_t rarity_of(const cs_leaf_t *leaf, uint32_t slot)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < leaf->parts_count; i++) {
        const cs_parts_t *parts = &leaf->parts[i];
        count += bit(parts->bits, slot) || bit(parts->coming, slot);
    }
    return count;
}

/* Each request of each node begins elsewhere: those who walk the same way, one behind the
 * other, would have the same chunks and nothing for each other. */
static uint32_t first_of(const cs_fetch_t *fetch, const cs_rarest_t *at, uint32_t serial,
                         uint32_t count)
{
    uint64_t mixed = (fetch->seed ^ at->salt << 32 ^ serial) * 0x9e3779b97f4a7c15u;
    return (uint32_t)((mixed >> 32) % count);
}

bool cs__parts_known(const cs_download_t *download)
{
    for (uint32_t i = 0; i < download->leaves; i++) {
        const cs_leaf_t *leaf = &download->leaf[i];
        for (uint32_t k = 0; k < leaf->parts_count; k++) {
            if (leaf->parts[k].known) return true;
        }
    }
    return false;
}

/* One that has it in part can be asked for this slot, and will be in its turn: so whoever has
 * the whole file, and may be the only one, is left to those who find it nowhere else. */
static bool is_to_be_had(const cs_fetch_t *fetch, const cs_download_t *download,
                         const cs_leaf_t *leaf, uint32_t slot)
{
    cs_mask_t whole = cs__download_candidates(fetch, download);
    cs_mask_t partial = cs__partial_sources(fetch, download) & ~whole;
    for (uint32_t i = 0; i < leaf->parts_count; i++) {
        const cs_parts_t *parts = &leaf->parts[i];
        const cs_source_t *source = &fetch->source[parts->source];
        if (!bit(parts->bits, slot) || (partial >> parts->source & 1) == 0) continue;
        if (source->held || cs__source_request(source) == CS_FETCH_REQUESTS_MAX) continue;
        uint64_t bytes = leaf->slot[slot].len + CS_ASK_OVERHEAD;
        if (cs__source_room(fetch, source) >= bytes) return true;
    }
    return false;
}

/* The next slot of this leaf that is as rare as `at` says. */
static bool next_in_leaf(const cs_fetch_t *fetch, const cs_download_t *download,
                         const cs_leaf_t *leaf, cs_rarest_t *at, cs_slot_t **ret)
{
    if (leaf->state != CS_LEAF_FETCH) return false;
    uint32_t first = first_of(fetch, at, leaf->serial, leaf->count);
    while (at->seen < leaf->count) {
        uint32_t slot = (first + at->seen++) % leaf->count;
        *ret = &leaf->slot[slot];
        if ((*ret)->state != CS_SLOT_WANTED) continue;
        if (!at->whole && !cs__parts_has(leaf, at->source, slot)) continue;
        uint32_t rarity = rarity_of(leaf, slot);
        if (rarity > at->most) at->most = rarity;
        if (rarity != at->rarity) continue;
        if (!at->whole || !is_to_be_had(fetch, download, leaf, slot)) return true;
    }
    return false;
}

bool cs__parts_next(const cs_fetch_t *fetch, const cs_download_t *download, cs_rarest_t *at,
                    cs_slot_t **ret)
{
    if (download->leaves == 0) return false;
    uint32_t first = first_of(fetch, at, download->serial, download->leaves);
    for (; at->rarity <= at->most; at->rarity++, at->leaf = 0) {
        for (; at->leaf < download->leaves; at->leaf++, at->seen = 0) {
            const cs_leaf_t *leaf = &download->leaf[(first + at->leaf) % download->leaves];
            if (next_in_leaf(fetch, download, leaf, at, ret)) return true;
        }
    }
    return false;
}

/* --- what peers say */

static cs_leaf_t *leaf_at(cs_download_t *download, uint64_t from)
{
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        bool placed = leaf->state >= CS_LEAF_PLACED;
        if (placed && leaf->slot[0].offset == from) return leaf;
    }
    return NULL;
}

static void copy_bits(uint8_t ret[CS_PARTS_BYTES], cs_slice_t bits)
{
    memset(ret, 0, CS_PARTS_BYTES);
    if (bits.len > 0 && bits.len <= CS_PARTS_BYTES) memcpy(ret, bits.data, bits.len);
}

static void take_bits(cs_leaf_t *leaf, size_t source, cs_slice_t bits, cs_slice_t coming)
{
    cs_parts_t *parts = parts_of(leaf, source);
    if (parts == NULL) return;                /* it was not asked */
    if (parts->refused > REFUSED_MAX) return; /* bits are cleared as it refuses */
    parts->known = true;
    copy_bits(parts->bits, bits);
    copy_bits(parts->coming, coming);
}

void cs_fetch_on_parts(cs_fetch_t *fetch, cs_peer_t peer, const cs_content_t *content,
                       uint64_t from, cs_slice_t bits, cs_slice_t coming)
{
    cs__landing_forget(fetch);
    cs_source_t *source = cs__source_of(fetch, peer);
    cs_want_t *want = cs__want_find(fetch, content);
    if (source == NULL || want == NULL) return;
    size_t index = (size_t)(source - fetch->source);
    cs_download_t *download = want->download;
    if (want->state == CS_WANT_SLEEPING && download == NULL && bits.len == 0) {
        want->passed &= ~cs__source_bit(fetch, source);
        cs__want_restart(fetch, want);
    } else if (want->state == CS_WANT_ACTIVE && download != NULL) {
        download->partial |= cs__source_bit(fetch, source);
        cs_leaf_t *leaf = leaf_at(download, from);
        if (leaf != NULL && bits.len > 0) take_bits(leaf, index, bits, coming);
    }
}

/* --- what peers are told */

static cs_download_t *running(const cs_fetch_t *fetch, const cs_content_t *content)
{
    const cs_want_t *want = cs__want_find(fetch, content);
    if (want == NULL || want->state != CS_WANT_ACTIVE || want->download == NULL) return NULL;
    bool runs = want->download->stage == CS_DOWNLOAD_RUN;
    return runs && want->download->rooted ? want->download : NULL;
}

bool cs_fetch_partial_map(const cs_fetch_t *fetch, const cs_content_t *content,
                          cs_content_map_t *ret)
{
    const cs_download_t *download = running(fetch, content);
    if (download == NULL) return false;
    *ret = (cs_content_map_t){.size = content->size,
                              .root = download->root,
                              .depth = download->depth,
                              .zeros = download->zeros};
    return true;
}

size_t cs_fetch_parts(const cs_fetch_t *fetch, const cs_content_t *content, uint64_t from,
                      uint32_t count, uint8_t ret[CS_PARTS_BYTES],
                      uint8_t ret_coming[CS_PARTS_BYTES])
{
    cs_download_t *download = running(fetch, content);
    if (download == NULL || count == 0 || count > CS_NODE_ITEMS_MAX) return 0;
    const cs_leaf_t *leaf = leaf_at(download, from);
    if (leaf == NULL && from >= download->placed) return 0;
    if (leaf != NULL && leaf->count != count) return 0;
    cs_mask_t whole = cs__download_candidates(fetch, download);
    copy_bits(ret, cs_slice(NULL, 0));
    copy_bits(ret_coming, cs_slice(NULL, 0));
    for (uint32_t k = 0; k < count; k++) {
        const cs_slot_t *slot = leaf != NULL ? &leaf->slot[k] : NULL;
        /* A leaf that is out of the window is complete. */
        if (slot == NULL || slot->state == CS_SLOT_DONE) {
            set_bit(ret, k);
        } else if (slot->state == CS_SLOT_WRITING || (slot->askers & whole) != 0) {
            set_bit(ret_coming, k);
        }
    }
    return (count + 7) / 8;
}
