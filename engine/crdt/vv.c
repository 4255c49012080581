/* vv.c - sorted slots, inline while they are few. */
#include "crdt/vv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/mutation.h"

#define SLOT_BYTES_MIN 9u /* encoded: rid, one byte of counter */

int cs_dot_cmp(cs_dot_t a, cs_dot_t b)
{
    if (a.rid != b.rid) return a.rid < b.rid ? -1 : 1;
    return (a.ctr > b.ctr) - (a.ctr < b.ctr);
}

bool cs_dot_eq(cs_dot_t a, cs_dot_t b)
{
    return a.rid == b.rid && a.ctr == b.ctr;
}

bool cs_dot_is_null(cs_dot_t dot)
{
    return dot.rid == 0 && dot.ctr == 0;
}

void cs_dot_text(cs_dot_t dot, char ret[CS_DOT_TEXT])
{
    snprintf(ret, CS_DOT_TEXT, "%016" PRIx64 ":%" PRIu64, dot.rid, dot.ctr);
}

void cs_vv_fini(cs_vv_t *vv)
{
    if (vv->cap > 0) cs_free(vv->u.many);
    *vv = (cs_vv_t){0};
}

static cs_dot_t *vv_slots(cs_vv_t *vv)
{
    return vv->cap == 0 ? vv->u.few : vv->u.many;
}

const cs_dot_t *cs_vv_slots(const cs_vv_t *vv)
{
    return vv->cap == 0 ? vv->u.few : vv->u.many;
}

/* First slot at or after `rid`; vv->len if there is none. */
static uint32_t vv_find(const cs_vv_t *vv, uint64_t rid)
{
    const cs_dot_t *slots = cs_vv_slots(vv);
    uint32_t low = 0, high = vv->len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (slots[middle].rid < rid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool vv_is_at(const cs_vv_t *vv, uint32_t i, uint64_t rid)
{
    return i < vv->len && cs_vv_slots(vv)[i].rid == rid;
}

static void vv_reserve(cs_vv_t *vv, uint32_t len)
{
    uint32_t room = vv->cap == 0 ? CS_VV_INLINE : vv->cap;
    if (len <= room) return;
    uint32_t cap = (uint32_t)cs_grow(room, len);
    cs_dot_t *many = cs_realloc_array(vv->cap == 0 ? NULL : vv->u.many, cap, sizeof *many);
    if (vv->cap == 0) memcpy(many, vv->u.few, vv->len * sizeof *many);
    vv->u.many = many;
    vv->cap = cap;
}

void cs_vv_copy(cs_vv_t *to, const cs_vv_t *from)
{
    if (to == from) return;
    vv_reserve(to, from->len);
    if (from->len > 0) memcpy(vv_slots(to), cs_vv_slots(from), from->len * sizeof(cs_dot_t));
    to->len = from->len;
}

uint64_t cs_vv_get(const cs_vv_t *vv, uint64_t rid)
{
    uint32_t i = vv_find(vv, rid);
    return vv_is_at(vv, i, rid) ? cs_vv_slots(vv)[i].ctr : 0;
}

bool cs_vv_has(const cs_vv_t *vv, cs_dot_t dot)
{
    return dot.ctr + CS_MUT(CTX_OFF_BY_ONE) <= cs_vv_get(vv, dot.rid);
}

bool cs_vv_covers(const cs_vv_t *a, const cs_vv_t *b)
{
    const cs_dot_t *as = cs_vv_slots(a), *bs = cs_vv_slots(b);
    uint32_t i = 0;
    for (uint32_t k = 0; k < b->len; k++) {
        while (i < a->len && as[i].rid < bs[k].rid) {
            i++;
        }
        if (i == a->len || as[i].rid != bs[k].rid || as[i].ctr < bs[k].ctr) return false;
    }
    return true;
}

bool cs_vv_eq(const cs_vv_t *a, const cs_vv_t *b)
{
    const cs_dot_t *as = cs_vv_slots(a), *bs = cs_vv_slots(b);
    return a->len == b->len && (a->len == 0 || memcmp(as, bs, a->len * sizeof *as) == 0);
}

/* The slot of `rid`, made with counter 0 if need be; NULL if there is no room for it. */
static cs_dot_t *vv_slot(cs_vv_t *vv, uint64_t rid)
{
    uint32_t i = vv_find(vv, rid);
    if (vv_is_at(vv, i, rid)) return &vv_slots(vv)[i];
    if (vv->len >= CS_REPLICAS_MAX) return NULL;
    vv_reserve(vv, vv->len + 1);
    cs_dot_t *slot = &vv_slots(vv)[i];
    memmove(slot + 1, slot, (vv->len - i) * sizeof *slot);
    *slot = (cs_dot_t){.rid = rid, .ctr = 0};
    vv->len++;
    return slot;
}

cs_err_t cs_vv_raise(cs_vv_t *vv, cs_dot_t dot)
{
    CS_ASSERT(dot.rid != 0 && dot.ctr > 0); /* a stored zero would break "absent means zero" */
    cs_dot_t *slot = vv_slot(vv, dot.rid);
    if (slot == NULL) return CS_ERR_LIMIT;
    if (slot->ctr < dot.ctr) slot->ctr = dot.ctr;
    return CS_OK;
}

/* How many replicas a and b know together. */
static uint32_t vv_union_len(const cs_vv_t *a, const cs_vv_t *b)
{
    const cs_dot_t *as = cs_vv_slots(a), *bs = cs_vv_slots(b);
    uint32_t len = a->len, i = 0;
    for (uint32_t k = 0; k < b->len; k++) {
        while (i < a->len && as[i].rid < bs[k].rid) {
            i++;
        }
        if (i == a->len || as[i].rid != bs[k].rid) len++;
    }
    return len;
}

cs_err_t cs_vv_merge(cs_vv_t *into, const cs_vv_t *from)
{
    if (cs_vv_covers(into, from)) return CS_OK;
    uint32_t len = vv_union_len(into, from);
    if (len > CS_REPLICAS_MAX) return CS_ERR_LIMIT;
    vv_reserve(into, len);

    /* From the end, so that no slot is overwritten before it is read. */
    cs_dot_t *slots = vv_slots(into);
    const cs_dot_t *add = cs_vv_slots(from);
    uint32_t i = into->len, k = from->len;
    for (uint32_t out = len; k > 0; out--) {
        if (i > 0 && slots[i - 1].rid > add[k - 1].rid) {
            slots[out - 1] = slots[--i];
        } else {
            cs_dot_t slot = add[--k];
            if (i > 0 && slots[i - 1].rid == slot.rid) {
                i--;
                if (slots[i].ctr > slot.ctr) slot.ctr = slots[i].ctr;
            }
            slots[out - 1] = slot;
        }
    }
    into->len = len;
    return CS_OK;
}

cs_err_t cs_vv_cut(cs_vv_t *vv, uint64_t rid, uint64_t ctr)
{
    CS_ASSERT(rid != 0);
    if (ctr > 0) {
        cs_dot_t *slot = vv_slot(vv, rid);
        if (slot == NULL) return CS_ERR_LIMIT;
        slot->ctr = ctr;
        return CS_OK;
    }
    uint32_t i = vv_find(vv, rid);
    if (!vv_is_at(vv, i, rid)) return CS_OK;
    cs_dot_t *slot = &vv_slots(vv)[i];
    memmove(slot, slot + 1, (vv->len - i - 1) * sizeof *slot);
    vv->len--;
    return CS_OK;
}

void cs_vv_encode(const cs_vv_t *vv, cs_buf_t *ret)
{
    const cs_dot_t *slots = cs_vv_slots(vv);
    cs_buf_put_varint(ret, vv->len);
    for (uint32_t i = 0; i < vv->len; i++) {
        cs_buf_put_u64(ret, slots[i].rid);
        cs_buf_put_varint(ret, slots[i].ctr);
    }
}

void cs_vv_decode(cs_reader_t *reader, cs_vv_t *ret)
{
    uint32_t len = (uint32_t)cs_read_count(reader, CS_REPLICAS_MAX, SLOT_BYTES_MIN);
    ret->len = 0;
    vv_reserve(ret, len);
    cs_dot_t *slots = vv_slots(ret);
    uint64_t last = 0; /* so that rid 0 is out of order */
    for (uint32_t i = 0; i < len && reader->err == CS_OK; i++) {
        slots[i].rid = cs_read_u64(reader);
        slots[i].ctr = cs_read_varint(reader);
        if (slots[i].rid <= last || slots[i].ctr == 0) cs_reader_fail(reader, CS_ERR_MALFORMED);
        last = slots[i].rid;
    }
    ret->len = reader->err == CS_OK ? len : 0;
}
