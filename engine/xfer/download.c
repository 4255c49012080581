/* download.c - a large content in progress: who is asked, what came, when it ends.
 *
 * Any contradiction in what its list says (list_walk.c) ends the download, and the peer that
 * vouched for its depth is passed over. */
#include <string.h>

#include "base/mem.h"
#include "xfer/fetch_internal.h"

void cs__download_begin(cs_fetch_t *fetch, cs_want_t *want, size_t index)
{
    CS_ASSERT(fetch->download[index] == NULL && want->download == NULL);
    cs_download_t *download = cs_calloc(1, sizeof *download);
    download->want = want;
    download->rate_ms = fetch->now_ms;
    download->hasher = cs_content_hasher_new(fetch->table);
    const cs_content_sink_t *sink = NULL;
    if (fetch->rows.row != NULL) {
        download->rows =
            cs_content_rows_new(fetch->rows.folder, fetch->rows.arg, fetch->rows.row);
        sink = cs_content_rows_begin(download->rows);
    }
    cs_content_hasher_begin(download->hasher, sink);
    want->download = download;
    fetch->download[index] = download;
    cs__want_set(fetch, want, CS_WANT_ACTIVE);
}

static void empty(cs_download_t *download)
{
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_free(download->leaf[i].slot);
        cs_free(download->leaf[i].parts);
    }
    for (uint32_t i = 0; i < download->frames; i++) {
        cs_free(download->frame[i].child);
    }
    download->leaves = download->frames = 0;
    download->inner.wanted = false;
    cs_buf_fini(&download->last_node);
    cs_content_hasher_destroy(&download->hasher);
    cs_content_rows_destroy(&download->rows);
}

void cs__download_free(cs_download_t **download_p)
{
    cs_download_t *download = *download_p;
    *download_p = NULL;
    if (download == NULL) return;
    empty(download);
    cs_free(download);
}

void cs__download_quiet(cs_fetch_t *fetch, cs_want_t *want)
{
    cs_download_t *download = want->download;
    if (download->stage != CS_DOWNLOAD_CLOSING) return;
    for (size_t i = 0; i < CS_FETCH_FILES_MAX; i++) {
        if (fetch->download[i] == download) fetch->download[i] = NULL;
    }
    cs__download_free(&want->download);
}

void cs__download_close(cs_fetch_t *fetch, cs_download_t *download)
{
    cs_want_t *want = download->want;
    download->stage = CS_DOWNLOAD_CLOSING;
    empty(download);
    cs__want_done_bytes(fetch, want, 0);
    if (want->orders == 0) cs__download_quiet(fetch, want);
}

void cs__download_fail(cs_fetch_t *fetch, cs_download_t *download)
{
    cs_want_t *want = download->want;
    want->passed |= download->mapper;
    cs__download_close(fetch, download);
    cs__want_restart(fetch, want);
}

cs_mask_t cs__download_candidates(const cs_fetch_t *fetch, const cs_download_t *download)
{
    cs_mask_t candidates = cs__want_candidates(fetch, download->want);
    /* Only who said what the root is can be blamed if it leads nowhere. */
    bool proved = download->stage == CS_DOWNLOAD_MAP || download->rooted;
    return proved ? candidates : candidates & download->mapper;
}

/* --- the window of leaves */

cs_leaf_t *cs__download_leaf(cs_download_t *download, uint32_t serial)
{
    for (uint32_t i = 0; i < download->leaves; i++) {
        if (download->leaf[i].serial == serial) return &download->leaf[i];
    }
    return NULL;
}

static void leaf_remove(cs_download_t *download, cs_leaf_t *leaf)
{
    cs_free(leaf->slot);
    cs_free(leaf->parts);
    size_t index = (size_t)(leaf - download->leaf);
    size_t after = download->leaves - index - 1;
    memmove(leaf, leaf + 1, after * sizeof *leaf);
    download->leaves--;
}

#define RATE_MS 1000u /* what a rate is measured over */

/* The newest second counts as much as all before it. */
static void measure(cs_download_t *download, uint64_t now_ms)
{
    uint64_t here = download->want->done_bytes, ms = now_ms - download->rate_ms;
    if (ms < RATE_MS) return;
    uint64_t came = here > download->rate_bytes ? here - download->rate_bytes : 0;
    uint64_t rate = came * 1000 / ms;
    download->rate = download->rate == 0 ? rate : (download->rate + rate) / 2;
    download->rate_ms = now_ms;
    download->rate_bytes = here;
}

void cs__download_slot_done(cs_fetch_t *fetch, cs_download_t *download, cs_leaf_t *leaf,
                            cs_slot_t *slot)
{
    CS_ASSERT(slot->state != CS_SLOT_DONE && leaf->left > 0);
    slot->state = CS_SLOT_DONE;
    leaf->left--;
    download->moved_ms = fetch->now_ms;
    cs__want_done_bytes(fetch, download->want, download->want->done_bytes + slot->len);
    measure(download, fetch->now_ms);
    if (leaf->left == 0 && leaf->state == CS_LEAF_FETCH) leaf_remove(download, leaf);
}

/* --- going on */

/* Something is on its way: from a peer, or in the hands of the disk. */
static bool is_waiting(const cs_download_t *download)
{
    if (download->map_askers != 0 || download->inner.askers != 0) return true;
    if (download->want->orders > 0) return true;
    for (uint32_t i = 0; i < download->leaves; i++) {
        const cs_leaf_t *leaf = &download->leaf[i];
        if (leaf->node.askers != 0 || leaf->state == CS_LEAF_PLACED) return true;
        for (uint32_t k = 0; k < leaf->count; k++) {
            uint8_t state = leaf->slot[k].state;
            if (state == CS_SLOT_ASKED || state == CS_SLOT_WRITING) return true;
        }
    }
    return false;
}

static bool needs_peers(const cs_download_t *download)
{
    return download->stage == CS_DOWNLOAD_MAP ||
           (download->stage == CS_DOWNLOAD_RUN && !(download->walked && download->leaves == 0));
}

void cs__download_advance(cs_fetch_t *fetch, cs_download_t *download)
{
    if (download->stage == CS_DOWNLOAD_RUN && !cs__list_go_down(fetch, download)) {
        cs__download_fail(fetch, download);
        return;
    }
    if (!needs_peers(download) || cs__download_candidates(fetch, download) != 0) return;
    if (is_waiting(download)) return;
    bool hopes = cs__partial_sources(fetch, download) != 0;
    if (hopes && fetch->now_ms < download->moved_ms + CS_FETCH_PARTIAL_MS) return;
    cs_want_t *want = download->want;
    if (download->stage == CS_DOWNLOAD_RUN && !download->rooted) {
        cs__download_fail(fetch, download); /* another one may say something else of the root */
        return;
    }
    cs__download_close(fetch, download);
    cs__want_set(fetch, want, CS_WANT_SLEEPING);
}

/* --- answers */

void cs__download_on_map(cs_fetch_t *fetch, cs_download_t *download, cs_mask_t bit,
                         const cs_content_map_t *map, bool partial)
{
    if (download->stage != CS_DOWNLOAD_MAP || (download->map_askers & bit) == 0) return;
    download->map_askers = 0;
    download->mapper = bit;
    download->moved_ms = fetch->now_ms;
    if (partial) download->partial |= bit;
    if (partial) download->want->passed |= bit; /* it has not all of it */
    download->root = map->root;
    download->depth = map->depth;
    download->zeros = map->zeros;
    download->stage = CS_DOWNLOAD_OPEN;
    if (map->depth >= 2) {
        download->inner = (cs_node_want_t){.name = map->root, .wanted = true};
        return;
    }
    download->walked = true;
    cs_leaf_t *leaf = cs__list_leaf(download, &map->root);
    if (map->depth == 1) return;
    leaf->node.wanted = false;
    leaf->state = CS_LEAF_READ;
    leaf->count = leaf->left = 1;
    leaf->slot = cs_calloc(1, sizeof leaf->slot[0]);
    leaf->slot[0].name = map->root;
    leaf->slot[0].len = (uint32_t)download->want->content.size; /* at most CS_CHUNK_MAX */
}

void cs__download_on_node(cs_fetch_t *fetch, cs_download_t *download, const cs_name_t *name,
                          cs_slice_t bytes)
{
    bool asked = cs__list_expects(download, name);
    download->moved_ms = fetch->now_ms;
    if (!cs__list_take(download, name, bytes)) {
        cs__download_fail(fetch, download);
    } else if (asked && download->rows != NULL) { /* others may want it long before the end */
        cs_content_rows_node(download->rows, name, bytes);
    }
}

void cs__download_on_chunk(cs_fetch_t *fetch, cs_download_t *download, const cs_name_t *name,
                           size_t len)
{
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        if (leaf->state != CS_LEAF_FETCH) continue;
        for (uint32_t k = 0; k < leaf->count; k++) {
            cs_slot_t *slot = &leaf->slot[k];
            if (slot->state > CS_SLOT_ASKED || !cs_name_eq(&slot->name, name)) continue;
            if (slot->len != len) {
                cs__download_fail(fetch, download);
                return;
            }
            slot->state = CS_SLOT_WRITING;
            slot->askers = 0;
            if (download->depth == 0) download->rooted = true;
            cs__landing_add(fetch, download->want, leaf->serial, k);
        }
    }
}

static bool node_release(cs_node_want_t *node, cs_mask_t bit, const cs_name_t *name)
{
    if ((node->askers & bit) == 0 || !cs_name_eq(&node->name, name)) return false;
    node->askers &= ~bit;
    return true;
}

static bool slots_release(cs_leaf_t *leaf, cs_mask_t bit, const cs_name_t *name, bool passed)
{
    bool touched = false;
    for (uint32_t k = 0; k < leaf->count; k++) {
        cs_slot_t *slot = &leaf->slot[k];
        if ((slot->askers & bit) == 0 || !cs_name_eq(&slot->name, name)) continue;
        slot->askers &= ~bit;
        touched = true;
        if (passed) cs__parts_lacks(leaf, cs__mask_source(bit), k);
        if (slot->state != CS_SLOT_ASKED || slot->askers != 0) continue;
        slot->state = CS_SLOT_WANTED;
        if (k < leaf->first) leaf->first = k;
    }
    return touched;
}

void cs__download_release(cs_fetch_t *fetch, cs_download_t *download, cs_mask_t bit,
                          const cs_ask_t *ask, bool passed)
{
    (void)fetch;
    bool touched = false;
    if (ask->kind == CS_ASK_MAP) {
        bool mine = memcmp(download->want->content.hash, ask->name.b, CS_HASH_BYTES) == 0;
        touched = mine && (download->map_askers & bit) != 0;
        if (mine) download->map_askers &= ~bit;
    }
    if (ask->kind == CS_ASK_NODE) touched = node_release(&download->inner, bit, &ask->name);
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        if (ask->kind == CS_ASK_NODE) touched |= node_release(&leaf->node, bit, &ask->name);
        if (ask->kind == CS_ASK_CHUNK) touched |= slots_release(leaf, bit, &ask->name, passed);
    }
    if (touched && passed) download->want->passed |= bit;
}
