/* candidates.c - what the lineages of an entry ask to be shown (core.md 4, candidates()). */
#include "base/mem.h"
#include "crdt/replica_i.h"

#include <string.h>

static int cmp_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* gen desc, MOVE before STAY, path asc, dot asc. */
static int l_order(const cs_lval_t *a, const cs_lval_t *b)
{
    int order = cmp_u32(b->gen, a->gen);
    if (order == 0) order = cmp_u32(a->how, b->how);
    if (order == 0) order = cs_str_cmp(a->path, b->path);
    return order != 0 ? order : cs_dot_cmp(a->dot, b->dot);
}

const cs_lval_t *cs__best_l(const cs_entry_t *entry, cs_dot_t lin, bool hinted)
{
    const cs_lval_t *best = NULL;
    for (uint32_t i = 0; i < entry->l_len; i++) {
        const cs_lval_t *l = &entry->l[i];
        if (!cs_dot_eq(l->lin, lin) || (hinted && l->hint.kind == CS_KIND_NONE)) continue;
        if (best == NULL || l_order(l, best) < 0) best = l;
    }
    return best;
}

static int attr_value_order(const cs_attr_t *a, const cs_attr_t *b)
{
    if (a->mode != b->mode) return a->mode < b->mode ? -1 : 1;
    cs_slice_t x = a->tlv == NULL ? cs_slice(NULL, 0) : cs_slice_str(a->tlv);
    cs_slice_t y = b->tlv == NULL ? cs_slice(NULL, 0) : cs_slice_str(b->tlv);
    return cs_slice_cmp(x, y);
}

int cs__attr_order(const cs_cand_t *a, const cs_cand_t *b)
{
    if (a->attr_explicit != b->attr_explicit) return a->attr_explicit ? -1 : 1;
    int order = cmp_u32(b->attr_gen, a->attr_gen);
    return order != 0 ? order : attr_value_order(&a->attr, &b->attr);
}

static const cs_aval_t *best_a(const cs_entry_t *entry, cs_dot_t lin)
{
    const cs_aval_t *best = NULL;
    for (uint32_t i = 0; i < entry->a_len; i++) {
        const cs_aval_t *a = &entry->a[i];
        if (!cs_dot_eq(a->lin, lin)) continue;
        int order = best == NULL ? -1 : cmp_u32(best->gen, a->gen);
        if (order == 0) order = attr_value_order(&a->attr, &best->attr);
        if (CS_MUT(A_LATEST_DOT) && best != NULL && a->gen == best->gen) order = 1;
        if (order < 0) best = a;
    }
    return best;
}

/* attr(l, gen, own) of core.md 4. */
static void set_attr(cs_cand_t *cand, const cs_entry_t *entry, uint32_t gen,
                     const cs_attr_t *own)
{
    if (cand->content.kind != CS_KIND_FILE) return;
    const cs_aval_t *a = entry->a_len == 0 ? NULL : best_a(entry, cand->lin);
    cand->attr_explicit = a != NULL;
    cand->attr_gen = a != NULL ? a->gen : gen;
    cs_attr_copy(&cand->attr, a != NULL ? &a->attr : own);
    if (CS_MUT(A_DEFAULT) && a == NULL) cand->attr.mode = 0644;
}

static cs_cand_t *next_cand(cs_cand_t **list, uint32_t *len, uint32_t *cap)
{
    if (*len == *cap) {
        *cap = (uint32_t)cs_grow(*cap, *len + 1u);
        if (*len == 0) *cap = 1; /* the usual case: one */
        *list = cs_realloc_array(*list, *cap, sizeof **list);
    }
    cs_cand_t *cand = &(*list)[(*len)++];
    memset(cand, 0, sizeof *cand);
    return cand;
}

void cs__cands_of(const cs_entry_t *entry, cs_cand_t **ret, uint32_t *ret_len,
                  uint32_t *ret_cap)
{
    for (uint32_t i = 0; i < entry->k_len; i++) {
        const cs_kval_t *k = &entry->k[i];
        cs_cand_t *cand = next_cand(ret, ret_len, ret_cap);
        cand->lin = cs_entry_owner(entry, k);
        cand->k = k->dot;
        cand->content = k->content;
        cand->mtime_ns = k->mtime_ns;
        const cs_lval_t *where = cs__best_l(entry, cand->lin, false);
        cand->path = cs_str_ref(where != NULL ? where->path : k->path);
        cand->rank = where != NULL && where->gen > k->gen ? where->gen : k->gen;
        set_attr(cand, entry, k->gen, &k->attr);
    }
    /* Deleted concurrently with a move: the move wins, with the bytes of its hint. */
    uint32_t owners = *ret_len;
    for (uint32_t i = 0; i < entry->l_len; i++) {
        const cs_lval_t *l = &entry->l[i];
        bool owns = false;
        for (uint32_t j = 0; j < owners && !owns; j++) {
            owns = cs_dot_eq((*ret)[j].lin, l->lin);
        }
        if (owns || cs__best_l(entry, l->lin, false) != l) continue;
        const cs_lval_t *hinted = cs__best_l(entry, l->lin, true);
        if (hinted == NULL) continue;
        cs_cand_t *cand = next_cand(ret, ret_len, ret_cap);
        cand->lin = l->lin;
        cand->content = hinted->hint;
        cand->path = cs_str_ref(l->path);
        cand->rank = l->gen;
        set_attr(cand, entry, l->gen, &hinted->hint_attr);
    }
}

void cs__cands_clear(cs_cand_t *cand, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        cs_str_unref(&cand[i].path);
        cs_attr_fini(&cand[i].attr);
    }
}

static bool lineage_is_dead(const cs_entry_t *entry, cs_dot_t lin)
{
    return !cs_entry_owns_any(entry, lin) && cs__best_l(entry, lin, true) == NULL;
}

bool cs__entry_dead_lineage(const cs_entry_t *entry, cs_dot_t *ret)
{
    for (uint32_t i = 0; i < entry->l_len; i++) {
        *ret = entry->l[i].lin;
        if (lineage_is_dead(entry, *ret)) return true;
    }
    for (uint32_t i = 0; i < entry->a_len; i++) {
        *ret = entry->a[i].lin;
        if (lineage_is_dead(entry, *ret)) return true;
    }
    return false;
}
