/* dots.c - values of the three stores, and sorted arrays of them. */
#include "crdt/dots.h"

#include <string.h>

#include "base/mem.h"

/* Bytes that all values have in common; in some, another field stands in what pads cs_dotted_t.
 */
#define HEAD_BYTES (offsetof(cs_dotted_t, gen) + sizeof(uint32_t))

_Static_assert(offsetof(cs_lval_t, gen) == offsetof(cs_dotted_t, gen), "L values begin alike");
_Static_assert(offsetof(cs_kval_t, gen) == offsetof(cs_dotted_t, gen), "K values begin alike");
_Static_assert(offsetof(cs_aval_t, gen) == offsetof(cs_dotted_t, gen), "A values begin alike");

cs_dotted_t cs__dotted_get(const void *value)
{
    cs_dotted_t head;
    memcpy(&head, value, HEAD_BYTES);
    return head;
}

void cs__dotted_set(void *value, cs_dotted_t head)
{
    memcpy(value, &head, HEAD_BYTES);
}

/* --- contents and attributes */

bool cs_content_eq(const cs_content_t *a, const cs_content_t *b)
{
    return cs_content_cmp(a, b) == 0;
}

int cs_content_cmp(const cs_content_t *a, const cs_content_t *b)
{
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->kind == CS_KIND_NONE) return 0;
    int order = memcmp(a->hash, b->hash, sizeof a->hash);
    if (order != 0) return order;
    return (a->size > b->size) - (a->size < b->size);
}

bool cs_attr_eq(const cs_attr_t *a, const cs_attr_t *b)
{
    return a->mode == b->mode && cs_str_eq(a->tlv, b->tlv);
}

void cs_attr_copy(cs_attr_t *to, const cs_attr_t *from)
{
    cs_attr_t copy = {.mode = from->mode, .tlv = cs_str_ref(from->tlv)};
    cs_attr_fini(to);
    *to = copy;
}

void cs_attr_fini(cs_attr_t *attr)
{
    cs_str_unref(&attr->tlv);
    attr->mode = 0;
}

static size_t str_bytes(const cs_str_t *str)
{
    return str == NULL ? 0 : str->len;
}

/* --- the three types of values */

static void lval_ref(void *value)
{
    cs_lval_t *l = value;
    cs_str_ref(l->path);
    cs_str_ref(l->hint_attr.tlv);
}

static void lval_unref(void *value)
{
    cs_lval_t *l = value;
    cs_str_unref(&l->path);
    cs_attr_fini(&l->hint_attr);
}

static bool lval_eq(const void *a, const void *b)
{
    const cs_lval_t *x = a, *y = b;
    return cs_dot_eq(x->lin, y->lin) && x->gen == y->gen && x->how == y->how &&
           cs_str_eq(x->path, y->path) && cs_content_eq(&x->hint, &y->hint) &&
           cs_attr_eq(&x->hint_attr, &y->hint_attr);
}

static size_t lval_string_bytes(const void *value)
{
    const cs_lval_t *l = value;
    return str_bytes(l->path) + str_bytes(l->hint_attr.tlv);
}

static void kval_ref(void *value)
{
    cs_kval_t *k = value;
    cs_str_ref(k->path);
    cs_str_ref(k->attr.tlv);
}

static void kval_unref(void *value)
{
    cs_kval_t *k = value;
    cs_str_unref(&k->path);
    cs_attr_fini(&k->attr);
}

static bool kval_eq(const void *a, const void *b)
{
    const cs_kval_t *x = a, *y = b;
    return cs_dot_eq(x->lin, y->lin) && x->gen == y->gen && x->mtime_ns == y->mtime_ns &&
           cs_content_eq(&x->content, &y->content) && cs_attr_eq(&x->attr, &y->attr) &&
           cs_str_eq(x->path, y->path);
}

static size_t kval_string_bytes(const void *value)
{
    const cs_kval_t *k = value;
    return str_bytes(k->path) + str_bytes(k->attr.tlv);
}

static void aval_ref(void *value)
{
    cs_aval_t *a = value;
    cs_str_ref(a->attr.tlv);
}

static void aval_unref(void *value)
{
    cs_aval_t *a = value;
    cs_attr_fini(&a->attr);
}

static bool aval_eq(const void *a, const void *b)
{
    const cs_aval_t *x = a, *y = b;
    return cs_dot_eq(x->lin, y->lin) && x->gen == y->gen && cs_attr_eq(&x->attr, &y->attr);
}

static size_t aval_string_bytes(const void *value)
{
    const cs_aval_t *a = value;
    return str_bytes(a->attr.tlv);
}

const cs_dottype_t *cs__dottype(cs_dotstore_t store)
{
    static const cs_dottype_t types[CS_DOTSTORE_COUNT] = {
        [CS_L] = {sizeof(cs_lval_t), 15, lval_ref, lval_unref, lval_eq, lval_string_bytes,
                  cs__lval_encode, cs__lval_decode},
        [CS_K] = {sizeof(cs_kval_t), 55, kval_ref, kval_unref, kval_eq, kval_string_bytes,
                  cs__kval_encode, cs__kval_decode},
        [CS_A] = {sizeof(cs_aval_t), 14, aval_ref, aval_unref, aval_eq, aval_string_bytes,
                  cs__aval_encode, cs__aval_decode},
    };
    return &types[store];
}

/* --- sorted arrays */

cs_dots_t cs__dots_get(const cs_entry_t *entry, cs_dotstore_t store)
{
    cs_dots_t dots = {.type = cs__dottype(store)};
    switch (store) {
    case CS_L:
        dots.data = (uint8_t *)entry->l, dots.len = entry->l_len, dots.cap = entry->l_cap;
        break;
    case CS_K:
        dots.data = (uint8_t *)entry->k, dots.len = entry->k_len, dots.cap = entry->k_cap;
        break;
    case CS_A:
        dots.data = (uint8_t *)entry->a, dots.len = entry->a_len, dots.cap = entry->a_cap;
        break;
    }
    return dots;
}

void cs__dots_set(cs_entry_t *entry, cs_dotstore_t store, cs_dots_t dots)
{
    switch (store) {
    case CS_L:
        entry->l = (void *)dots.data, entry->l_len = dots.len, entry->l_cap = dots.cap;
        break;
    case CS_K:
        entry->k = (void *)dots.data, entry->k_len = dots.len, entry->k_cap = dots.cap;
        break;
    case CS_A:
        entry->a = (void *)dots.data, entry->a_len = dots.len, entry->a_cap = dots.cap;
        break;
    }
}

void *cs__dots_at(const cs_dots_t *dots, uint32_t index)
{
    return dots->data + index * dots->type->bytes;
}

cs_dot_t cs__dots_dot(const cs_dots_t *dots, uint32_t index)
{
    cs_dot_t dot;
    memcpy(&dot, cs__dots_at(dots, index), sizeof dot);
    return dot;
}

uint32_t cs__dots_find(const cs_dots_t *dots, cs_dot_t dot, bool *ret_found)
{
    uint32_t low = 0, high = dots->len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cs_dot_cmp(cs__dots_dot(dots, middle), dot) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_found = low < dots->len && cs_dot_eq(cs__dots_dot(dots, low), dot);
    return low;
}

void cs__dots_reserve(cs_dots_t *dots, uint32_t len)
{
    if (len > dots->cap) cs__dots_fit(dots, (uint32_t)cs_grow(dots->cap, len));
}

void cs__dots_fit(cs_dots_t *dots, uint32_t len)
{
    if (len <= dots->cap) return;
    dots->cap = len;
    dots->data = cs_realloc_array(dots->data, len, dots->type->bytes);
}

void cs__dots_clear(cs_dots_t *dots)
{
    for (uint32_t i = 0; i < dots->len; i++) {
        dots->type->unref(cs__dots_at(dots, i));
    }
    dots->len = 0;
}

void cs__dots_push_ref(cs_dots_t *dots, const void *value)
{
    CS_ASSERT(dots->len < dots->cap);
    void *slot = cs__dots_at(dots, dots->len++);
    memcpy(slot, value, dots->type->bytes);
    dots->type->ref(slot);
}
