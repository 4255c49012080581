/* entry.c - an entry in memory: values added, removed, found. */
#include "crdt/entry.h"

#include <string.h>

#include "base/mem.h"
#include "crdt/dots.h"

static const cs_dotstore_t all_stores[CS_DOTSTORE_COUNT] = {CS_L, CS_K, CS_A};

void cs_bucket_of(const cs_keys_t *keys, cs_slice_t birth_path, cs_bucket_t *ret)
{
    cs_hash(ret->b, sizeof ret->b, keys->bkt, sizeof keys->bkt, &birth_path, 1);
}

void cs_entry_init(cs_entry_t *entry, const cs_bucket_t *bucket)
{
    *entry = (cs_entry_t){.bucket = *bucket};
}

void cs_entry_fini(cs_entry_t *entry)
{
    cs__entry_clear(entry);
    cs_free(entry->l);
    cs_free(entry->k);
    cs_free(entry->a);
    *entry = (cs_entry_t){.bucket = entry->bucket};
}

void cs__entry_clear(cs_entry_t *entry)
{
    for (size_t i = 0; i < CS_DOTSTORE_COUNT; i++) {
        cs_dots_t dots = cs__dots_get(entry, all_stores[i]);
        cs__dots_clear(&dots);
        cs__dots_set(entry, all_stores[i], dots);
    }
    cs_vv_fini(&entry->ctx);
}

void cs_entry_copy(cs_entry_t *to, const cs_entry_t *from)
{
    if (to == from) return;
    to->bucket = from->bucket;
    cs_vv_copy(&to->ctx, &from->ctx);
    for (size_t i = 0; i < CS_DOTSTORE_COUNT; i++) {
        cs_dots_t source = cs__dots_get(from, all_stores[i]),
                  copy = cs__dots_get(to, all_stores[i]);
        cs__dots_clear(&copy);
        cs__dots_fit(&copy, source.len);
        for (uint32_t k = 0; k < source.len; k++) {
            cs__dots_push_ref(&copy, cs__dots_at(&source, k));
        }
        cs__dots_set(to, all_stores[i], copy);
    }
}

bool cs_entry_is_dead(const cs_entry_t *entry)
{
    return entry->l_len == 0 && entry->k_len == 0 && entry->a_len == 0;
}

static bool dots_eq(const cs_dots_t *a, const cs_dots_t *b)
{
    if (a->len != b->len) return false;
    for (uint32_t i = 0; i < a->len; i++) {
        if (!cs_dot_eq(cs__dots_dot(a, i), cs__dots_dot(b, i))) return false;
        if (!a->type->eq(cs__dots_at(a, i), cs__dots_at(b, i))) return false;
    }
    return true;
}

bool cs_entry_live_eq(const cs_entry_t *a, const cs_entry_t *b)
{
    if (memcmp(a->bucket.b, b->bucket.b, CS_BUCKET_BYTES) != 0) return false;
    for (size_t i = 0; i < CS_DOTSTORE_COUNT; i++) {
        cs_dots_t x = cs__dots_get(a, all_stores[i]), y = cs__dots_get(b, all_stores[i]);
        if (!dots_eq(&x, &y)) return false;
    }
    return true;
}

bool cs_entry_fits(const cs_entry_t *entry)
{
    /* Above what any value takes without its strings, and any slot of ctx. */
    enum { FIXED_BYTES = 160, SLOT_BYTES = 18, HEAD_BYTES = 64 };
    size_t bound = HEAD_BYTES + (size_t)entry->ctx.len * SLOT_BYTES;
    for (size_t i = 0; i < CS_DOTSTORE_COUNT; i++) {
        cs_dots_t dots = cs__dots_get(entry, all_stores[i]);
        if (dots.len > CS_DOTS_MAX) return false;
        for (uint32_t k = 0; k < dots.len; k++) {
            bound += FIXED_BYTES + dots.type->string_bytes(cs__dots_at(&dots, k));
        }
    }
    if (bound <= CS_ENTRY_BYTES_MAX) return true; /* as good as always */

    cs_buf_t exact = {0};
    cs_entry_encode(entry, &exact);
    bool fits = exact.len <= CS_ENTRY_BYTES_MAX;
    cs_buf_fini(&exact);
    return fits;
}

/* Cover `dot`; *ret_old: what undoes it by a cut. */
static cs_err_t raise_ctx(cs_entry_t *entry, cs_dot_t dot, uint64_t *ret_old)
{
    *ret_old = cs_vv_get(&entry->ctx, dot.rid);
    return cs_vv_raise(&entry->ctx, dot);
}

static void undo_raise(cs_entry_t *entry, cs_dot_t dot, uint64_t old)
{
    cs_err_t err = cs_vv_cut(&entry->ctx, dot.rid, old);
    CS_ASSERT(err == CS_OK); /* the slot exists */
}

static void dots_erase(cs_entry_t *entry, cs_dotstore_t store, uint32_t index)
{
    cs_dots_t dots = cs__dots_get(entry, store);
    uint8_t *slot = cs__dots_at(&dots, index);
    memmove(slot, slot + dots.type->bytes, (dots.len - index - 1) * dots.type->bytes);
    dots.len--;
    cs__dots_set(entry, store, dots);
}

/* Takes over the references of `value` in any case. */
static cs_err_t add(cs_entry_t *entry, cs_dotstore_t store, void *value)
{
    cs_dots_t dots = cs__dots_get(entry, store);
    cs_dot_t dot = cs__dotted_get(value).dot;
    bool found;
    uint32_t index = cs__dots_find(&dots, dot, &found);
    CS_ASSERT(!found);

    uint64_t old = 0;
    cs_err_t err = dots.len < CS_DOTS_MAX ? raise_ctx(entry, dot, &old) : CS_ERR_LIMIT;
    if (err != CS_OK) {
        dots.type->unref(value);
        return err;
    }
    cs__dots_reserve(&dots, dots.len + 1);
    uint8_t *slot = cs__dots_at(&dots, index);
    memmove(slot + dots.type->bytes, slot, (dots.len - index) * dots.type->bytes);
    memcpy(slot, value, dots.type->bytes);
    dots.len++;
    cs__dots_set(entry, store, dots);

    if (cs_entry_fits(entry)) return CS_OK;
    dots_erase(entry, store, index);
    undo_raise(entry, dot, old);
    dots.type->unref(value);
    return CS_ERR_LIMIT;
}

cs_err_t cs_entry_add_l(cs_entry_t *entry, cs_lval_t *value)
{
    return add(entry, CS_L, value);
}

cs_err_t cs_entry_add_k(cs_entry_t *entry, cs_kval_t *value)
{
    return add(entry, CS_K, value);
}

cs_err_t cs_entry_add_a(cs_entry_t *entry, cs_aval_t *value)
{
    return add(entry, CS_A, value);
}

bool cs_entry_remove(cs_entry_t *entry, cs_dotstore_t store, cs_dot_t dot)
{
    cs_dots_t dots = cs__dots_get(entry, store);
    bool found;
    uint32_t index = cs__dots_find(&dots, dot, &found);
    if (found) {
        dots.type->unref(cs__dots_at(&dots, index));
        dots_erase(entry, store, index); /* W: ctx covers it already */
        return true;
    }
    /* Dead already, by ctx or by `seen`: at the limit the latter is enough. */
    cs_err_t err = cs_entry_cover(entry, dot);
    (void)err;
    return false;
}

cs_err_t cs_entry_cover(cs_entry_t *entry, cs_dot_t dot)
{
    if (cs_vv_has(&entry->ctx, dot)) return CS_OK;
    uint64_t old;
    cs_err_t err = raise_ctx(entry, dot, &old);
    if (err != CS_OK) return err;
    if (cs_entry_fits(entry)) return CS_OK;
    undo_raise(entry, dot, old);
    return CS_ERR_LIMIT;
}

static const void *find(const cs_entry_t *entry, cs_dotstore_t store, cs_dot_t dot)
{
    cs_dots_t dots = cs__dots_get(entry, store);
    bool found;
    uint32_t index = cs__dots_find(&dots, dot, &found);
    return found ? cs__dots_at(&dots, index) : NULL;
}

const cs_lval_t *cs_entry_find_l(const cs_entry_t *entry, cs_dot_t dot)
{
    return find(entry, CS_L, dot);
}

const cs_kval_t *cs_entry_find_k(const cs_entry_t *entry, cs_dot_t dot)
{
    return find(entry, CS_K, dot);
}

const cs_aval_t *cs_entry_find_a(const cs_entry_t *entry, cs_dot_t dot)
{
    return find(entry, CS_A, dot);
}

cs_dot_t cs_entry_owner(const cs_entry_t *entry, const cs_kval_t *k)
{
    for (uint32_t i = 0; i < entry->l_len; i++) {
        if (cs_dot_eq(entry->l[i].lin, k->dot)) return k->dot;
    }
    return k->lin;
}

bool cs_entry_owns_any(const cs_entry_t *entry, cs_dot_t lin)
{
    for (uint32_t i = 0; i < entry->k_len; i++) {
        if (cs_dot_eq(cs_entry_owner(entry, &entry->k[i]), lin)) return true;
    }
    return false;
}

void cs_entry_strip(cs_entry_t *entry)
{
    cs_vv_t live = {0};
    for (size_t i = 0; i < CS_DOTSTORE_COUNT; i++) {
        cs_dots_t dots = cs__dots_get(entry, all_stores[i]);
        for (uint32_t k = 0; k < dots.len; k++) {
            cs_err_t err = cs_vv_raise(&live, cs__dots_dot(&dots, k));
            CS_ASSERT(err == CS_OK); /* W: a part of ctx */
        }
    }
    cs_vv_fini(&entry->ctx);
    entry->ctx = live; /* moved, not copied: `live` is used no more */
}
