/* fetch_answer.c - what peers answer: nothing is believed that does not have the asked-for
 * hash. */
#include <string.h>

#include "xfer/fetch_internal.h"

/* Of which content are these bytes, as a file or, which is seldom asked for, as a link? */
static bool is_small(const cs_chunker_table_t *table, cs_slice_t bytes, const cs_name_t *hash,
                     cs_content_t *ret)
{
    static const cs_kind_t kinds[] = {CS_KIND_FILE, CS_KIND_SYMLINK};
    if (bytes.len >= CS_CHUNK_MIN) return false;
    for (size_t i = 0; i < CS_COUNT_OF(kinds); i++) {
        cs_content_of(table, kinds[i], bytes, ret);
        if (memcmp(ret->hash, hash->b, CS_HASH_BYTES) == 0) return true;
    }
    return false;
}

static bool waits(const cs_want_t *want)
{
    return want->state == CS_WANT_READY || want->state == CS_WANT_ASKED ||
           want->state == CS_WANT_RESTING || want->state == CS_WANT_SLEEPING;
}

static void land(cs_fetch_t *fetch, cs_want_t *want)
{
    want->askers = 0;
    cs__want_set(fetch, want, CS_WANT_STAGING);
    cs__landing_add(fetch, want, 0, 0);
}

static cs_err_t on_small(cs_fetch_t *fetch, cs_source_t *source, const cs_ask_t *ask,
                         cs_slice_t bytes)
{
    cs_content_t found = {0};
    if (!is_small(fetch->table, bytes, &ask->name, &found)) {
        cs__ask_release(fetch, source, ask, true);
        return CS_ERR_MISMATCH;
    }
    for (cs_want_t *want = cs__want_by_hash(fetch, ask->name.b, NULL); want != NULL;
         want = cs__want_by_hash(fetch, ask->name.b, want)) {
        if (!waits(want)) continue;
        want->askers &= ~cs__source_bit(fetch, source);
        if (cs_content_eq(&want->content, &found)) {
            land(fetch, want);
        } else { /* an id that no bytes can have: its hash is right and its size is not */
            want->passed = ~(cs_mask_t)0;
            cs__want_set(fetch, want, CS_WANT_SLEEPING);
        }
    }
    return CS_OK;
}

static cs_err_t on_chunk(cs_fetch_t *fetch, cs_source_t *source, const cs_ask_t *ask,
                         cs_slice_t bytes)
{
    cs_name_t name;
    cs_chunk_name(fetch->table, bytes, &name);
    if (!cs_name_eq(&name, &ask->name)) {
        cs__ask_release(fetch, source, ask, true);
        return CS_ERR_MISMATCH;
    }
    for (size_t i = 0; i < CS_FETCH_FILES_MAX; i++) {
        cs_download_t *download = fetch->download[i];
        if (download != NULL) cs__download_on_chunk(fetch, download, &name, bytes.len);
    }
    return CS_OK;
}

cs_err_t cs_fetch_on_data(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name,
                          cs_slice_t bytes)
{
    cs__landing_forget(fetch);
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source == NULL) return CS_OK; /* one too many: never asked, so never used */
    cs_ask_t *found = cs__ask_find(source, CS_ASK_SMALL, name);
    if (found == NULL) found = cs__ask_find(source, CS_ASK_CHUNK, name);
    if (found == NULL) return CS_OK; /* asked before the conversation began anew */
    cs_ask_t ask = *found;
    cs__ask_answered(fetch, source, found);
    fetch->landing_bytes = bytes;
    return ask.kind == CS_ASK_SMALL ? on_small(fetch, source, &ask, bytes)
                                    : on_chunk(fetch, source, &ask, bytes);
}

cs_err_t cs_fetch_offer(cs_fetch_t *fetch, const cs_name_t *name, cs_slice_t bytes)
{
    cs__landing_forget(fetch);
    cs_content_t found = {0};
    if (!is_small(fetch->table, bytes, name, &found)) return CS_ERR_MISMATCH;
    cs_want_t *want = cs__want_find(fetch, &found);
    bool takes = want != NULL ? waits(want) : fetch->wants < CS_FETCH_OFFERS_MAX;
    if (!takes || cs__fetch_room(fetch) < bytes.len) return CS_OK;
    if (want == NULL) want = cs__want_new(fetch, &found);
    fetch->landing_bytes = bytes;
    land(fetch, want);
    return CS_OK;
}

/* Depth cannot be proved by the hash, but most of what it could be is impossible. */
static bool depth_is_possible(uint64_t size, uint32_t depth)
{
    if (depth == 0) return size <= CS_CHUNK_MAX;
    return depth <= CS_LIST_DEPTH_MAX && size > CS_CHUNK_MIN;
}

cs_err_t cs_fetch_on_map(cs_fetch_t *fetch, cs_peer_t peer, const uint8_t hash[CS_HASH_BYTES],
                         const cs_content_map_t *map, bool partial)
{
    cs__landing_forget(fetch);
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source == NULL) return CS_OK;
    cs_name_t name;
    memcpy(name.b, hash, sizeof name.b);
    cs_ask_t *found = cs__ask_find(source, CS_ASK_MAP, &name);
    if (found == NULL) return CS_OK;
    cs_ask_t ask = *found;
    cs__ask_answered(fetch, source, found);
    cs_content_t content;
    cs_content_from_root(fetch->table, map->size, &map->root, &content);
    if (memcmp(content.hash, hash, CS_HASH_BYTES) != 0 ||
        !depth_is_possible(map->size, map->depth)) {
        cs__ask_release(fetch, source, &ask, true);
        return CS_ERR_MISMATCH;
    }
    cs_want_t *want = cs__want_find(fetch, &content);
    if (want != NULL && want->download != NULL) {
        cs__download_on_map(fetch, want->download, cs__source_bit(fetch, source), map, partial);
    }
    cs__ask_release(fetch, source, &ask, true); /* of another size: not what was asked */
    return CS_OK;
}

static bool asks_nodes(const cs_source_t *source)
{
    for (size_t i = source->head; i < source->len; i++) {
        if (source->ask[i].kind == CS_ASK_NODE) return true;
    }
    return false;
}

/* What was asked for on the connection before may be answered on this one. */
#define STRAYS_MAX CS_FETCH_REQUESTS_MAX

/* The name is that of the bytes: other bytes than those asked for are told by nothing else. */
cs_err_t cs_fetch_on_node(cs_fetch_t *fetch, cs_peer_t peer, cs_slice_t bytes)
{
    cs__landing_forget(fetch);
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source == NULL) return CS_OK;
    cs_name_t name;
    cs_node_name(fetch->table, bytes, &name);
    cs_ask_t *found = cs__ask_find(source, CS_ASK_NODE, &name);
    if (found == NULL) {
        bool stray = !asks_nodes(source) || source->strays++ < STRAYS_MAX;
        return stray ? CS_OK : CS_ERR_MISMATCH;
    }
    cs__ask_answered(fetch, source, found);
    for (size_t i = 0; i < CS_FETCH_FILES_MAX; i++) {
        cs_download_t *download = fetch->download[i];
        if (download != NULL) cs__download_on_node(fetch, download, &name, bytes);
    }
    return CS_OK;
}

void cs_fetch_on_have(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name)
{
    cs_source_t *source = cs__source_of(fetch, peer);
    if (source == NULL) return;
    cs__landing_forget(fetch);
    cs_ask_t *ask = cs__ask_find(source, CS_ASK_NONE, name);
    if (ask != NULL) ask->again = true;
    cs_want_t *want = NULL;
    while ((want = cs__want_by_hash(fetch, name->b, want)) != NULL) {
        if (want->state != CS_WANT_ASKED) cs__want_hint(fetch, want, source);
        want->passed &= ~cs__source_bit(fetch, source);
    }
    source->dry = false;
}

/* It will tell when it has it. News is with all neighbours before its bytes are, so the next
 * one would say the same: that is not asked at once. */
static void rest(cs_fetch_t *fetch, const cs_name_t *name)
{
    cs_want_t *want = NULL;
    while ((want = cs__want_by_hash(fetch, name->b, want)) != NULL) {
        if (want->state != CS_WANT_READY || cs__want_hinted(fetch, want) != NULL) continue;
        want->rest_until_ms = fetch->now_ms + CS_FETCH_REST_MS;
        cs__want_set(fetch, want, CS_WANT_RESTING);
    }
}

void cs_fetch_on_none(cs_fetch_t *fetch, cs_peer_t peer, const cs_name_t *name)
{
    cs__landing_forget(fetch);
    cs_source_t *source = cs__source_of(fetch, peer);
    cs_ask_t *found = source != NULL ? cs__ask_find(source, CS_ASK_NONE, name) : NULL;
    if (found == NULL) return;
    cs_ask_t ask = *found;
    cs__ask_answered(fetch, source, found);
    if (ask.late) return;
    cs__ask_release(fetch, source, &ask, !ask.again);
    if (ask.kind == CS_ASK_SMALL && !ask.again) rest(fetch, name);
}
