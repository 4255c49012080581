/* prefix.c - symbols, changes, moments: see prefix.h. */
#include "crdt/prefix.h"

#include <string.h>

#include "base/mem.h"

void cs__prefix_init(cs_prefix_t *prefix, uint64_t n)
{
    cs_symbols_fini(&prefix->symbols);
    cs_symbols_init(&prefix->symbols, cs_symbols_kept(n));
}

void cs__prefix_fini(cs_prefix_t *prefix)
{
    cs_symbols_fini(&prefix->symbols);
    cs_free(prefix->change);
    cs_free(prefix->mark);
    *prefix = (cs_prefix_t){0};
}

/* Beyond the limit what came before is forgotten, and with it the moments that need it: the
 * next one that becomes durable is known again. */
static void remember(cs_prefix_t *prefix, const uint8_t *item, bool came)
{
    if (prefix->change_len == CS_PREFIX_UNDO_MAX) {
        prefix->change_at += prefix->change_len;
        prefix->change_len = 0;
    }
    if (prefix->change_len == prefix->change_cap) {
        prefix->change_cap = (uint32_t)cs_grow(prefix->change_cap, prefix->change_len + 1u);
        prefix->change =
            cs_realloc_array(prefix->change, prefix->change_cap, sizeof *prefix->change);
    }
    cs_change_t *change = &prefix->change[prefix->change_len++];
    memcpy(change->item, item, sizeof change->item);
    change->came = came;
}

void cs__prefix_note(cs_prefix_t *prefix, const uint8_t key[CS_SYM_KEY_BYTES],
                     const uint8_t item[CS_ITEM_BYTES], bool came)
{
    if (prefix->symbols.count == 0) return;
    if (came) {
        cs_symbols_put(&prefix->symbols, key, item);
    } else {
        cs_symbols_take(&prefix->symbols, key, item);
    }
    remember(prefix, item, came);
}

void cs__prefix_mark(cs_prefix_t *prefix, const uint8_t root[CS_HASH_BYTES], uint64_t n)
{
    if (prefix->symbols.count == 0) return;
    if (prefix->mark_len == prefix->mark_cap) {
        prefix->mark_cap = (uint32_t)cs_grow(prefix->mark_cap, prefix->mark_len + 1u);
        prefix->mark = cs_realloc_array(prefix->mark, prefix->mark_cap, sizeof *prefix->mark);
    }
    cs_mark_t *mark = &prefix->mark[prefix->mark_len++];
    memcpy(mark->root, root, sizeof mark->root);
    mark->n = n;
    mark->at = prefix->change_at + prefix->change_len;
}

void cs__prefix_durable(cs_prefix_t *prefix)
{
    if (prefix->mark_len < 2) return;
    prefix->mark_len--;
    memmove(prefix->mark, prefix->mark + 1, prefix->mark_len * sizeof *prefix->mark);
    if (prefix->mark[0].at <= prefix->change_at) return;
    uint32_t gone = (uint32_t)(prefix->mark[0].at - prefix->change_at);
    prefix->change_len -= gone;
    prefix->change_at += gone;
    memmove(prefix->change, prefix->change + gone, prefix->change_len * sizeof *prefix->change);
    if (prefix->change_len == 0) {
        cs_free(prefix->change);
        prefix->change = NULL;
        prefix->change_cap = 0;
    }
}

/* The newest moment of that root: equal ones have equal sets, and fewer changes follow it. */
static const cs_mark_t *find_mark(const cs_prefix_t *prefix, const uint8_t *root, uint64_t n)
{
    for (uint32_t i = prefix->mark_len; i > 0; i--) {
        const cs_mark_t *mark = &prefix->mark[i - 1];
        if (mark->n == n && memcmp(mark->root, root, CS_HASH_BYTES) == 0) return mark;
    }
    return NULL;
}

cs_err_t cs__prefix_at(const cs_prefix_t *prefix, const uint8_t key[CS_SYM_KEY_BYTES],
                       const uint8_t root[CS_HASH_BYTES], uint64_t n, size_t count,
                       cs_symbols_t *ret)
{
    cs_symbols_fini(ret);
    const cs_mark_t *mark = find_mark(prefix, root, n);
    if (mark == NULL || mark->at < prefix->change_at) return CS_ERR_NOT_FOUND;
    if (count > prefix->symbols.count) count = prefix->symbols.count;
    ret->at = cs_memdup(prefix->symbols.at, count * sizeof *ret->at);
    ret->count = count;
    for (uint64_t i = mark->at - prefix->change_at; i < prefix->change_len; i++) {
        const cs_change_t *change = &prefix->change[i];
        if (change->came) {
            cs_symbols_take(ret, key, change->item);
        } else {
            cs_symbols_put(ret, key, change->item);
        }
    }
    return CS_OK;
}

void cs__prefix_encode(const cs_prefix_t *prefix, const uint8_t root[CS_HASH_BYTES], uint64_t n,
                       cs_buf_t *ret)
{
    cs_buf_put(ret, root, CS_HASH_BYTES);
    cs_buf_put_varint(ret, n);
    size_t count = cs_symbols_kept(n); /* more are left of a set that was larger */
    if (count > prefix->symbols.count) count = prefix->symbols.count;
    cs_symbols_encode(prefix->symbols.at, count, 0, n, ret);
}

bool cs__prefix_decode(cs_prefix_t *prefix, cs_slice_t value, const uint8_t root[CS_HASH_BYTES],
                       uint64_t n)
{
    cs_reader_t reader = cs_reader(value);
    uint8_t of_root[CS_HASH_BYTES];
    cs_read_copy(&reader, of_root, sizeof of_root);
    uint64_t of_n = cs_read_varint(&reader);
    if (reader.err != CS_OK || of_n != n || memcmp(of_root, root, sizeof of_root) != 0) {
        return false;
    }
    cs_slice_t rest = cs_read_bytes(&reader, cs_reader_left(&reader));
    cs_symbols_t symbols = {0};
    size_t count = cs_symbols_kept(n);
    cs_err_t err = cs_symbols_decode(rest, 0, n, count, &symbols);
    if (err != CS_OK || symbols.count != count) {
        cs_symbols_fini(&symbols);
        return false;
    }
    cs_symbols_fini(&prefix->symbols);
    prefix->symbols = symbols;
    return true;
}
