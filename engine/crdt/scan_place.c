/* scan_place.c - operations that keep a file's bytes: moves, freezes, chmods
 * (core.md 5.3, 5.4). */
#include "base/mem.h"
#include "crdt/scan_i.h"

#include <string.h>

static bool owns_other(const cs_entry_t *entry, cs_dot_t lin, cs_dot_t but)
{
    for (uint32_t i = 0; i < entry->k_len; i++) {
        const cs_kval_t *k = &entry->k[i];
        if (!cs_dot_eq(k->dot, but) && cs_dot_eq(cs_entry_owner(entry, k), lin)) return true;
    }
    return false;
}

void cs__op_move(cs_replica_t *r, cs_work_t *work, cs_str_t *to, cs_how_t how, uint32_t first,
                 uint32_t len)
{
    const cs_item_t *row = work->row;
    uint32_t gen = how == CS_STAY ? 0 : cs__seen_peers(r, to);
    gen = cs__higher(gen > row->rank ? gen : row->rank, 1);
    cs__note(r, cs_slice_str(to));
    for (uint32_t i = first; i < first + len; i++) {
        cs_link_t *link = &work->links.link[i];
        cs_cell_t *cell = cs__enter(r, &link->bucket);
        bool has_k = !cs_dot_is_null(link->k);
        cs_lval_t value = {.gen = gen, .how = (uint8_t)how, .path = to};
        if (how == CS_MOVE || !has_k || CS_MUT(FREEZE_HINT)) {
            value.hint = row->content;
            value.hint_attr = row->attr;
            if (CS_MUT(A_HINT) && row->attr.mode != 0) value.hint_attr.mode = 0644;
        }
        bool split = has_k && !cs_dot_eq(link->k, link->lin) &&
                     owns_other(&cell->entry, link->lin, link->k);
        cs_link_t old = *link;
        if (split) {
            link->lin = link->k;
        } else {
            cs__remove_mine(r, row, cell, CS_L, link->lin);
        }
        value.lin = link->lin;
        cs__add_l(r, cell, value);
        if (split) cs__forget_hints(r, row, &old);
    }
    cs_str_unref(&work->eff);
    work->eff = cs_str_ref(to);
    if (gen > work->rank) work->rank = gen;
    work->rewrite = true;
}

/* Does the lineage own a content that is not among the links? */
static bool owns_beyond(const cs_entry_t *entry, cs_dot_t lin, const cs_links_t *links)
{
    for (uint32_t i = 0; i < entry->k_len; i++) {
        const cs_kval_t *k = &entry->k[i];
        if (!cs_dot_eq(cs_entry_owner(entry, k), lin)) continue;
        bool listed = false;
        for (uint32_t j = 0; j < links->len && !listed; j++) {
            listed = cs_dot_eq(links->link[j].k, k->dot);
        }
        if (!listed) return true;
    }
    return false;
}

/* Greatest gen of the A dots that this chmod replaces. */
static uint32_t replaced_gen(cs_replica_t *r, const cs_work_t *work)
{
    uint32_t gen = work->row->agen;
    for (uint32_t i = 0; i < work->links.len; i++) {
        const cs_link_t *link = &work->links.link[i];
        const cs_cell_t *cell = cs__enter(r, &link->bucket);
        for (uint32_t j = 0; j < cell->entry.a_len; j++) {
            const cs_aval_t *a = &cell->entry.a[j];
            bool mine = cs__minted(r, a->dot) && cs_dot_eq(a->lin, link->lin);
            if (mine && a->gen > gen) gen = a->gen;
        }
    }
    return gen;
}

static void split_off(cs_replica_t *r, cs_work_t *work, bool pin)
{
    bool moves = pin || !cs_str_eq(work->at, work->eff);
    uint32_t gen = cs__higher(work->row->rank, 1);
    for (uint32_t i = 0; i < work->links.len && moves && !CS_MUT(A_NO_SPLIT); i++) {
        cs_link_t *link = &work->links.link[i];
        if (cs_dot_is_null(link->k) || cs_dot_eq(link->k, link->lin)) continue;
        cs_cell_t *cell = cs__enter(r, &link->bucket);
        if (!owns_beyond(&cell->entry, link->lin, &work->links)) continue;
        cs__note(r, cs_slice_str(work->at));
        cs__add_l(r, cell,
                  (cs_lval_t){.lin = link->k, .gen = gen, .how = CS_STAY, .path = work->at});
        cs__forget_hints(r, work->row, link);
        link->lin = link->k;
        if (gen > work->rank) work->rank = gen;
        cs_str_unref(&work->eff);
        work->eff = cs_str_ref(work->at);
    }
}

static void mutate_update(cs_replica_t *r, cs_cell_t *cell, cs_dot_t lin)
{
    for (uint32_t i = 0; CS_MUT(A_UPDATE) && i < cell->entry.k_len; i++) {
        cs_kval_t k = cell->entry.k[i];
        if (cs__minted(r, k.dot) || !cs_dot_eq(cs_entry_owner(&cell->entry, &k), lin)) continue;
        cs_str_ref(k.path);
        cs_str_ref(k.attr.tlv);
        cs__remove_dot(r, cell, CS_K, k.dot);
        k.dot = cs__mint(r);
        cs_err_t err = cs_entry_add_k(&cell->entry, &k);
        CS_ASSERT(err == CS_OK);
        i = UINT32_MAX; /* the store has moved: from the beginning */
    }
}

void cs__op_chmod(cs_replica_t *r, cs_work_t *work, uint16_t mode, bool pin)
{
    cs_links_t *links = &work->links;
    cs__own(r, links);
    split_off(r, work, pin);
    work->rewrite = true;
    if (pin) {
        cs__own(r, links);
        if (cs__mode_of(r, links) == mode) return;
    }
    uint32_t gen = replaced_gen(r, work); /* a pin never beats a chmod of a user */
    gen = cs__higher(gen, pin && !CS_MUT(A_PIN_GEN) ? 0 : 1);
    if (CS_MUT(A_NO_GEN)) gen = 1;
    cs_attr_t attr = {.mode = mode, .tlv = work->row->attr.tlv};
    for (uint32_t i = 0; i < links->len; i++) {
        const cs_link_t *link = &links->link[i];
        bool done = false;
        for (uint32_t j = 0; j < i && !done; j++) {
            done = memcmp(&links->link[j].bucket, &link->bucket, sizeof link->bucket) == 0 &&
                   cs_dot_eq(links->link[j].lin, link->lin);
        }
        if (done) continue;
        cs_cell_t *cell = cs__enter(r, &link->bucket);
        cs__remove_mine(r, work->row, cell, CS_A, link->lin);
        cs__add_a(r, cell, (cs_aval_t){.lin = link->lin, .gen = gen, .attr = attr});
        mutate_update(r, cell, link->lin);
    }
    if (!pin) r->scan->result.chmodded++;
}
