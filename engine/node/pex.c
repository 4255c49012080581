/* pex.c - see pex.h. */
#include "node/pex.h"

#include <string.h>

#include "base/mem.h"
#include "node/peers.h"

static void drop_list(cs_pex_item_t *item)
{
    for (uint32_t i = 0; i < item->count; i++) {
        cs_str_unref(&item->endpoint[i]);
    }
    item->count = 0;
}

void cs_pex_fini(cs_pex_t *pex)
{
    for (size_t i = 0; i < pex->len; i++) {
        drop_list(&pex->item[i]);
        cs_str_unref(&pex->item[i].fixed);
    }
    cs_free(pex->item);
    *pex = (cs_pex_t){0};
}

static size_t place_of(const cs_pex_t *pex, const cs_key_t *key)
{
    size_t low = 0, high = pex->len;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (cs_key_cmp(&pex->item[mid].key, key) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

const cs_pex_item_t *cs_pex_find(const cs_pex_t *pex, const cs_key_t *key)
{
    size_t at = place_of(pex, key);
    bool found = at < pex->len && cs_key_cmp(&pex->item[at].key, key) == 0;
    return found ? &pex->item[at] : NULL;
}

static cs_pex_item_t *make(cs_pex_t *pex, const cs_key_t *key)
{
    size_t at = place_of(pex, key);
    if (at < pex->len && cs_key_cmp(&pex->item[at].key, key) == 0) return &pex->item[at];
    if (pex->len == pex->cap) {
        pex->cap = cs_grow(pex->cap, pex->len + 1);
        pex->item = cs_realloc_array(pex->item, pex->cap, sizeof *pex->item);
    }
    memmove(&pex->item[at + 1], &pex->item[at], (pex->len - at) * sizeof *pex->item);
    pex->len++;
    pex->item[at] = (cs_pex_item_t){.key = *key};
    return &pex->item[at];
}

/* "tcp://" and something printable. */
static bool is_endpoint(cs_slice_t text)
{
    const cs_slice_t scheme = cs_slice_text("tcp://");
    if (text.len <= scheme.len || text.len > CS_ENDPOINT_BYTES_MAX) return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f) return false;
    }
    return cs_slice_has_prefix(text, scheme);
}

static size_t keep_good(const cs_texts_t *texts, cs_slice_t ret[CS_ENDPOINTS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < texts->count && count < CS_ENDPOINTS_MAX; i++) {
        if (is_endpoint(texts->items[i])) ret[count++] = texts->items[i];
    }
    return count;
}

static bool is_same(const cs_pex_item_t *item, const cs_slice_t *endpoint, size_t count)
{
    if (item->count != count) return false;
    for (uint32_t i = 0; i < item->count; i++) {
        if (!cs_slice_eq(cs_slice_str(item->endpoint[i]), endpoint[i])) return false;
    }
    return true;
}

static size_t add_fixed(const cs_pex_item_t *item, cs_slice_t *endpoint, size_t count)
{
    if (item == NULL || item->fixed == NULL) return count;
    cs_slice_t fixed = cs_slice_str(item->fixed);
    for (size_t i = 0; i < count; i++) {
        if (cs_slice_eq(endpoint[i], fixed)) return count;
    }
    if (count == CS_ENDPOINTS_MAX) count--;
    endpoint[count] = fixed;
    return count + 1;
}

void cs_pex_fix(cs_pex_t *pex, const cs_key_t *key, const char *endpoint)
{
    if (!is_endpoint(cs_slice_text(endpoint))) return;
    cs_pex_item_t *item = make(pex, key);
    cs_str_unref(&item->fixed);
    item->fixed = cs_str_new(endpoint, strlen(endpoint));
}

bool cs_pex_set(cs_pex_t *pex, const cs_key_t *key, const cs_texts_t *endpoints,
                uint64_t said_ms, uint64_t now_ms, bool sure)
{
    cs_slice_t good[CS_ENDPOINTS_MAX];
    size_t count = keep_good(endpoints, good);
    const cs_pex_item_t *known = cs_pex_find(pex, key);
    count = add_fixed(known, good, count);
    if (known == NULL && count == 0) return false;
    if (known != NULL && known->version > 0 && !sure) {
        if (said_ms <= known->said_ms) return false;
        bool same = is_same(known, good, count);
        if (!same && now_ms < known->changed_ms + CS_PEX_GAP_MS) return false;
    }
    cs_pex_item_t *item = make(pex, key);
    if (said_ms > item->said_ms) item->said_ms = said_ms;
    if (is_same(item, good, count)) return false;
    drop_list(item);
    for (size_t i = 0; i < count; i++) {
        item->endpoint[i] = cs_str_new(good[i].data, good[i].len);
    }
    item->count = (uint32_t)count;
    item->changed_ms = now_ms;
    item->version = ++pex->version;
    return true;
}

const cs_pex_item_t *cs_pex_next(const cs_pex_t *pex, uint64_t after)
{
    const cs_pex_item_t *next = NULL;
    for (size_t i = 0; i < pex->len; i++) {
        const cs_pex_item_t *item = &pex->item[i];
        if (item->version > after && (next == NULL || item->version < next->version))
            next = item;
    }
    return next;
}
