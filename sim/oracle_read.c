/* oracle_read.c - the oracle's own reading of proto/ENTRY.md and of m/state. */
#include <string.h>

#include <xxhash.h>

#include "base/mem.h"
#include "sim/oracle_i.h"

#define SEAL_BYTES 8u

typedef struct or_reader {
    const uint8_t *at, *end;
    bool bad;
} or_reader_t;

static const uint8_t *take(or_reader_t *r, uint64_t len)
{
    if (r->bad || (uint64_t)(r->end - r->at) < len) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += len;
    return at;
}

/* Little-endian. */
static uint64_t fixed(or_reader_t *r, unsigned bytes)
{
    const uint8_t *at = take(r, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; at != NULL && i < bytes; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

static uint64_t varint(or_reader_t *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = fixed(r, 1);
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            if (shift > 0 && byte == 0) r->bad = true; /* not the shortest form */
            return value;
        }
    }
    r->bad = true;
    return 0;
}

bool or_unseal(cs_slice_t value, cs_slice_t *ret)
{
    if (value.len < SEAL_BYTES) return false;
    *ret = cs_slice(value.data, value.len - SEAL_BYTES);
    or_reader_t r = {.at = value.data + ret->len, .end = value.data + value.len};
    return fixed(&r, SEAL_BYTES) == XXH64(ret->data, ret->len, 0);
}

/* --- values */

static void read_dot(or_reader_t *r, uint64_t *ret_rid, uint64_t *ret_ctr)
{
    *ret_rid = fixed(r, 8);
    *ret_ctr = varint(r);
    if (*ret_rid == 0 || *ret_ctr == 0) r->bad = true;
}

static void read_lin(or_reader_t *r, or_value_t *v)
{
    v->lin_rid = v->rid;
    v->lin_ctr = v->ctr;
    uint64_t form = fixed(r, 1);
    if (form == 1) v->lin_ctr = varint(r);
    if (form == 2) read_dot(r, &v->lin_rid, &v->lin_ctr);
    if (form > 2 || v->lin_ctr == 0) r->bad = true;
}

static cs_slice_t read_string(or_reader_t *r)
{
    uint64_t len = varint(r);
    const uint8_t *at = take(r, len);
    return cs_slice(at, at != NULL ? (size_t)len : 0);
}

static void read_attr(or_reader_t *r, or_value_t *v)
{
    v->mode = (uint16_t)fixed(r, 2);
    read_string(r); /* opaque attributes */
}

static void read_content(or_reader_t *r, or_value_t *v)
{
    v->kind = (uint8_t)fixed(r, 1);
    if (v->kind == 0) return;
    v->hash = take(r, OR_HASH);
    v->size = varint(r);
    if (v->kind == 1) read_attr(r, v);
    if (v->kind > 3) r->bad = true;
}

static void read_value(or_reader_t *r, or_store_t store, or_value_t *v)
{
    const uint8_t *start = r->at;
    *v = (or_value_t){.store = (uint8_t)store};
    read_dot(r, &v->rid, &v->ctr);
    read_lin(r, v);
    v->gen = (uint32_t)varint(r);
    switch (store) {
    case OR_L:
        v->how = (uint8_t)fixed(r, 1);
        v->path = read_string(r);
        read_content(r, v);
        break;
    case OR_K:
        read_content(r, v);
        if (v->kind == 0) r->bad = true;
        fixed(r, 8); /* mtime */
        v->path = read_string(r);
        break;
    case OR_A:
        read_attr(r, v);
        break;
    }
    if (store != OR_A && v->path.len == 0) r->bad = true;
    v->bytes = cs_slice(start, (size_t)(r->at - start));
}

bool or_read_value(cs_slice_t bytes, uint8_t store, or_value_t *ret)
{
    or_reader_t reader = {.at = bytes.data, .end = bytes.data + bytes.len};
    read_value(&reader, (or_store_t)store, ret);
    return !reader.bad && reader.at == reader.end;
}

static void read_slots(or_reader_t *r, or_slots_t *ret)
{
    uint64_t count = varint(r), last = 0;
    ret->len = 0;
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        if (ret->len == ret->cap) {
            ret->cap = cs_grow(ret->cap, ret->len + 1);
            ret->at = cs_realloc_array(ret->at, ret->cap, sizeof *ret->at);
        }
        or_slot_t *slot = &ret->at[ret->len++];
        read_dot(r, &slot->rid, &slot->ctr);
        if (slot->rid <= last) r->bad = true;
        last = slot->rid;
    }
}

static bool ascend(const or_value_t *a, const or_value_t *b)
{
    if (a->store != b->store) return true;
    return a->rid != b->rid ? a->rid < b->rid : a->ctr < b->ctr;
}

static void read_store(or_reader_t *r, or_store_t store, or_values_t *ret)
{
    uint64_t count = varint(r);
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        if (ret->len == ret->cap) {
            ret->cap = cs_grow(ret->cap, ret->len + 1);
            ret->at = cs_realloc_array(ret->at, ret->cap, sizeof *ret->at);
        }
        or_value_t *v = &ret->at[ret->len++];
        read_value(r, store, v);
        if (ret->len > 1 && !ascend(v - 1, v)) r->bad = true;
    }
}

bool or_read_entry(cs_slice_t bytes, or_values_t *ret_values, or_slots_t *ret_ctx,
                   size_t *ret_live)
{
    or_reader_t r = {.at = bytes.data, .end = bytes.data + bytes.len};
    take(&r, OR_BUCKET);
    ret_values->len = 0;
    for (unsigned store = 0; store < OR_STORES; store++) {
        read_store(&r, (or_store_t)store, ret_values);
    }
    *ret_live = (size_t)(r.at - bytes.data);
    read_slots(&r, ret_ctx);
    return !r.bad && r.at == r.end;
}

bool or_read_state(cs_slice_t bytes, or_state_t *ret, or_slots_t *ret_seen)
{
    or_reader_t r = {.at = bytes.data, .end = bytes.data + bytes.len};
    *ret = (or_state_t){.rid = fixed(&r, 8)};
    ret->ctr = varint(&r);
    ret->exposed = varint(&r);
    ret->n = varint(&r);
    ret->root = take(&r, OR_HASH);
    read_slots(&r, ret_seen);
    return !r.bad && r.at == r.end && ret->rid != 0;
}

uint64_t or_slot_of(const or_slots_t *slots, uint64_t rid)
{
    for (size_t i = 0; i < slots->len; i++) {
        if (slots->at[i].rid == rid) return slots->at[i].ctr;
    }
    return 0;
}
