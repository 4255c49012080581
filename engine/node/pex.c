/* pex.c - see pex.h. */
#include "node/pex.h"

#include <string.h>

#include "base/mem.h"
#include "node/peers.h"

/* --- lists */

static void list_clear(cs_pex_list_t *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        cs_str_unref(&list->at[i]);
    }
    list->count = 0;
}

static bool list_has(const cs_pex_list_t *list, cs_slice_t text)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (cs_slice_eq(cs_slice_str(list->at[i]), text)) return true;
    }
    return false;
}

static void list_add(cs_pex_list_t *list, cs_slice_t text)
{
    if (list->count == CS_ENDPOINTS_MAX || list_has(list, text)) return;
    list->at[list->count++] = cs_str_new(text.data, text.len);
}

static bool list_eq(const cs_pex_list_t *a, const cs_pex_list_t *b)
{
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++) {
        same = cs_str_eq(a->at[i], b->at[i]);
    }
    return same;
}

/* It has its place, the last one if need be. */
static void list_keep(cs_pex_list_t *list, const cs_str_t *fixed)
{
    if (fixed == NULL || list_has(list, cs_slice_str(fixed))) return;
    if (list->count == CS_ENDPOINTS_MAX) cs_str_unref(&list->at[--list->count]);
    list_add(list, cs_slice_str(fixed));
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

static cs_pex_list_t read_list(const cs_texts_t *texts)
{
    cs_pex_list_t ret = {.count = 0};
    for (size_t i = 0; i < texts->count; i++) {
        if (is_endpoint(texts->items[i])) list_add(&ret, texts->items[i]);
    }
    return ret;
}

/* --- the table */

void cs_pex_fini(cs_pex_t *pex)
{
    for (size_t i = 0; i < pex->len; i++) {
        list_clear(&pex->item[i].list);
        list_clear(&pex->item[i].later);
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

static cs_pex_item_t *find(const cs_pex_t *pex, const cs_key_t *key)
{
    size_t at = place_of(pex, key);
    bool found = at < pex->len && cs_key_cmp(&pex->item[at].key, key) == 0;
    return found ? &pex->item[at] : NULL;
}

const cs_pex_item_t *cs_pex_find(const cs_pex_t *pex, const cs_key_t *key)
{
    return find(pex, key);
}

static cs_pex_item_t *make(cs_pex_t *pex, const cs_key_t *key)
{
    cs_pex_item_t *known = find(pex, key);
    if (known != NULL) return known;
    size_t at = place_of(pex, key);
    if (pex->len == pex->cap) {
        pex->cap = cs_grow(pex->cap, pex->len + 1);
        pex->item = cs_realloc_array(pex->item, pex->cap, sizeof *pex->item);
    }
    CS_ASSERT(pex->item != NULL); /* len < cap: clang-tidy does not see it */
    for (size_t i = pex->len++; i > at; i--) {
        pex->item[i] = pex->item[i - 1];
    }
    pex->item[at] = (cs_pex_item_t){.key = *key};
    return &pex->item[at];
}

static void drop_later(cs_pex_t *pex, cs_pex_item_t *item)
{
    pex->waiting -= item->later.count > 0;
    list_clear(&item->later);
}

/* Takes what is in `list`. True: it is another one. */
static bool put_in_force(cs_pex_t *pex, cs_pex_item_t *item, cs_pex_list_t *list)
{
    list_keep(list, item->fixed);
    drop_later(pex, item);
    bool same = list_eq(list, &item->list);
    if (same) {
        list_clear(list);
        return false;
    }
    list_clear(&item->list);
    item->list = *list;
    list->count = 0;
    item->version = ++pex->version;
    return true;
}

static bool is_within_gap(const cs_pex_item_t *item, uint64_t now_ms)
{
    return item->changed_ms != 0 && now_ms < item->changed_ms + CS_PEX_GAP_MS;
}

static bool take_itself(cs_pex_t *pex, cs_pex_item_t *item, cs_pex_list_t *list,
                        uint64_t now_ms)
{
    item->said_ms = item->direct_ms = now_ms;
    list_keep(list, item->fixed);
    if (is_within_gap(item, now_ms) && !list_eq(list, &item->list)) {
        drop_later(pex, item);
        pex->waiting += list->count > 0;
        item->later = *list;
        list->count = 0;
        return false;
    }
    bool changed = put_in_force(pex, item, list);
    if (changed) item->changed_ms = now_ms;
    return changed;
}

static bool take_others(cs_pex_t *pex, cs_pex_item_t *item, cs_pex_list_t *list,
                        uint64_t said_ms, uint64_t now_ms)
{
    bool own_word = item->direct_ms != 0 && now_ms < item->direct_ms + CS_PEX_OWN_WORD_MS;
    bool older = item->version > 0 && said_ms <= item->said_ms;
    if (own_word || older || is_within_gap(item, now_ms)) return false;
    item->said_ms = said_ms;
    for (uint32_t i = 0; i < item->list.count; i++) {
        list_add(list, cs_slice_str(item->list.at[i]));
    }
    bool changed = put_in_force(pex, item, list);
    if (changed) item->changed_ms = now_ms;
    return changed;
}

bool cs_pex_set(cs_pex_t *pex, const cs_key_t *key, const cs_texts_t *endpoints,
                cs_pex_word_t word, uint64_t said_ms, uint64_t now_ms)
{
    cs_pex_list_t list = read_list(endpoints);
    const cs_pex_item_t *known = cs_pex_find(pex, key);
    bool fixed = known != NULL && known->fixed != NULL;
    if (list.count == 0 && !fixed && word != CS_PEX_OURS) return false;
    cs_pex_item_t *item = make(pex, key);
    bool changed = false;
    switch (word) {
    case CS_PEX_OURS:
        changed = put_in_force(pex, item, &list);
        break;
    case CS_PEX_KEPT:
        changed = item->version == 0 && put_in_force(pex, item, &list);
        break;
    case CS_PEX_ITSELF:
        changed = take_itself(pex, item, &list, now_ms);
        break;
    case CS_PEX_OTHERS:
        changed = take_others(pex, item, &list, said_ms, now_ms);
        break;
    }
    list_clear(&list);
    return changed;
}

const cs_key_t *cs_pex_ripen(cs_pex_t *pex, uint64_t now_ms)
{
    for (size_t i = 0; pex->waiting > 0 && i < pex->len; i++) {
        cs_pex_item_t *item = &pex->item[i];
        if (item->later.count == 0 || is_within_gap(item, now_ms)) continue;
        cs_pex_list_t list = item->later;
        item->later.count = 0;
        pex->waiting--;
        item->changed_ms = now_ms;
        if (put_in_force(pex, item, &list)) return &item->key;
    }
    return NULL;
}

void cs_pex_fix(cs_pex_t *pex, const cs_key_t *key, const char *endpoint)
{
    if (!is_endpoint(cs_slice_text(endpoint))) return;
    cs_pex_item_t *item = make(pex, key);
    cs_str_t *fixed = cs_str_new(endpoint, strlen(endpoint)), *old = item->fixed;
    item->fixed = fixed;
    cs_pex_list_t list = {.count = 0};
    for (uint32_t i = 0; i < item->list.count; i++) {
        bool was = old != NULL && cs_str_eq(item->list.at[i], old);
        list_add(&list, cs_slice_str(was ? fixed : item->list.at[i]));
    }
    if (item->version > 0) (void)put_in_force(pex, item, &list);
    list_clear(&list);
    cs_str_unref(&old);
}

void cs_pex_touch(cs_pex_t *pex, const cs_key_t *key)
{
    cs_pex_item_t *item = find(pex, key);
    if (item != NULL && item->version > 0) item->version = ++pex->version;
}

const cs_pex_item_t *cs_pex_next(const cs_pex_t *pex, uint64_t after)
{
    const cs_pex_item_t *next = NULL;
    for (size_t i = 0; i < pex->len; i++) {
        const cs_pex_item_t *item = &pex->item[i];
        bool sooner = next == NULL || item->version < next->version;
        if (item->version > after && sooner) next = item;
    }
    return next;
}
