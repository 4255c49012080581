/* scan_ops.c - what the user did, as dots (core.md 5.3). */
#include "base/mem.h"
#include "crdt/scan_i.h"

#include <string.h>

#define OP_DOTS_MAX 4u /* values that one operation may add to a store of an entry */

uint32_t cs__higher(uint32_t gen, uint32_t by)
{
    return gen >= CS_GEN_MAX ? CS_GEN_MAX : gen + by;
}

static size_t entry_bytes(const cs_entry_t *e)
{
    size_t bytes = (size_t)e->ctx.len * 18 + (size_t)e->a_len * 64;
    for (uint32_t i = 0; i < e->l_len; i++) {
        bytes += 160u + e->l[i].path->len;
    }
    for (uint32_t i = 0; i < e->k_len; i++) {
        bytes += 160u + e->k[i].path->len;
    }
    return bytes;
}

/* May operations still write to these entries? */
bool cs__has_room(cs_replica_t *r, const cs_links_t *links)
{
    if (r->state.seen.len >= CS_REPLICAS_MAX && cs_vv_get(&r->state.seen, r->state.rid) == 0) {
        return false;
    }
    for (uint32_t i = 0; i < links->len; i++) {
        const cs_cell_t *cell = cs__cell_get(r, &links->link[i].bucket);
        if (cell == NULL) continue;
        const cs_entry_t *e = &cell->entry;
        if (e->l_len + OP_DOTS_MAX > CS_DOTS_MAX || e->k_len + OP_DOTS_MAX > CS_DOTS_MAX) {
            return false;
        }
        if (e->a_len + OP_DOTS_MAX > CS_DOTS_MAX) return false;
        if (e->ctx.len >= CS_REPLICAS_MAX && cs_vv_get(&e->ctx, r->state.rid) == 0) {
            return false;
        }
        if (e->k_len + e->l_len < 64) {
            continue; /* far from the bound: paths are <= CS_PATH_MAX */
        }
        if (entry_bytes(e) + (size_t)OP_DOTS_MAX * (CS_PATH_MAX + 256u) > CS_ENTRY_BYTES_MAX) {
            return false;
        }
    }
    return true;
}

cs_dot_t cs__add_l(cs_replica_t *r, cs_cell_t *cell, cs_lval_t value)
{
    cs_dot_t dot = value.dot = cs__mint(r);
    cs_str_ref(value.path);
    cs_str_ref(value.hint_attr.tlv);
    cs_err_t err = cs_entry_add_l(&cell->entry, &value);
    CS_ASSERT(err == CS_OK); /* cs__has_room was asked */
    cs__cell_changed(r, cell);
    return dot;
}

/* lin null: the new content begins a lineage. */
static cs_dot_t add_k(cs_replica_t *r, cs_cell_t *cell, cs_kval_t value)
{
    cs_dot_t dot = value.dot = cs__mint(r);
    if (cs_dot_is_null(value.lin)) value.lin = dot;
    cs_str_ref(value.path);
    cs_str_ref(value.attr.tlv);
    cs_err_t err = cs_entry_add_k(&cell->entry, &value);
    CS_ASSERT(err == CS_OK);
    cs__cell_changed(r, cell);
    return dot;
}

void cs__add_a(cs_replica_t *r, cs_cell_t *cell, cs_aval_t value)
{
    value.dot = cs__mint(r);
    cs_str_ref(value.attr.tlv);
    cs_err_t err = cs_entry_add_a(&cell->entry, &value);
    CS_ASSERT(err == CS_OK);
    cs__cell_changed(r, cell);
}

void cs__remove_dot(cs_replica_t *r, cs_cell_t *cell, cs_dotstore_t store, cs_dot_t dot)
{
    cs_entry_remove(&cell->entry, store, dot);
    cs__cell_changed(r, cell);
}

/* Removes what the user knew of lin in a store, and what this scan minted: never more. */
void cs__remove_mine(cs_replica_t *r, const cs_item_t *row, cs_cell_t *cell,
                     cs_dotstore_t store, cs_dot_t lin)
{
    for (uint32_t i = 0; i < row->back_len; i++) {
        const cs_back_t *back = &row->back[i];
        if (memcmp(&back->bucket, &cell->entry.bucket, sizeof back->bucket) != 0) continue;
        if (!cs_dot_eq(back->lin, lin)) continue;
        uint32_t len = store == CS_L ? back->l_len : back->a_len;
        const cs_dot_t *dots = store == CS_L ? back->l_dots : back->a_dots;
        for (uint32_t j = 0; j < len; j++) {
            cs__remove_dot(r, cell, store, dots[j]);
        }
    }
    uint32_t len = 0;
    cs_dot_t *dots = cs__dots_of(&cell->entry, store, lin, &len);
    for (uint32_t j = 0; j < len; j++) {
        bool mine = cs__minted(r, dots[j]) || (CS_MUT(A_ALL_KNOWN) && store == CS_A);
        if (mine) cs__remove_dot(r, cell, store, dots[j]);
    }
    cs_free(dots);
}

static void sweep(cs_replica_t *r, const cs_item_t *row, const cs_link_t *link)
{
    cs_cell_t *cell = cs__enter(r, &link->bucket);
    if (cs_entry_owns_any(&cell->entry, link->lin)) return;
    cs__remove_mine(r, row, cell, CS_L, link->lin);
    if (!CS_MUT(A_NO_SWEEP)) cs__remove_mine(r, row, cell, CS_A, link->lin);
}

static bool knows_location(cs_replica_t *r, const cs_item_t *row, const cs_bucket_t *bucket,
                           cs_dot_t dot)
{
    if (cs__minted(r, dot)) return true;
    for (uint32_t i = 0; i < row->back_len; i++) {
        const cs_back_t *back = &row->back[i];
        if (memcmp(&back->bucket, bucket, sizeof *bucket) != 0) continue;
        for (uint32_t j = 0; j < back->l_len; j++) {
            if (cs_dot_eq(back->l_dots[j], dot)) return true;
        }
    }
    return false;
}

static bool owns_content(const cs_entry_t *entry, cs_dot_t lin, const cs_content_t *content)
{
    for (uint32_t i = 0; i < entry->k_len; i++) {
        const cs_kval_t *k = &entry->k[i];
        if (cs_dot_eq(cs_entry_owner(entry, k), lin) && cs_content_eq(&k->content, content)) {
            return true;
        }
    }
    return false;
}

/* A known location of the lineage whose hint is the row's content, or, with `stale`, one that
 * the lineage does not own any more; NULL: none. */
static const cs_lval_t *known_hint(cs_replica_t *r, const cs_item_t *row, const cs_link_t *link,
                                   bool stale)
{
    const cs_cell_t *cell = cs__cell_get(r, &link->bucket);
    for (uint32_t i = 0; cell != NULL && i < cell->entry.l_len; i++) {
        const cs_lval_t *l = &cell->entry.l[i];
        if (l->hint.kind == CS_KIND_NONE || !cs_dot_eq(l->lin, link->lin)) continue;
        bool fits = cs_content_eq(&l->hint, &row->content) ||
                    (stale && !owns_content(&cell->entry, link->lin, &l->hint));
        if (fits && knows_location(r, row, &link->bucket, l->dot)) return l;
    }
    return NULL;
}

const cs_lval_t *cs__hint_of(cs_replica_t *r, const cs_item_t *row, const cs_link_t *link)
{
    return known_hint(r, row, link, false);
}

/* The link's content leaves the lineage, which others keep where it was moved. What was there
 * then is replaced or deleted: it must not come back when the others go as well, each by a user
 * who still sees another, for its bytes are nowhere. */
void cs__forget_hints(cs_replica_t *r, const cs_item_t *row, const cs_link_t *link)
{
    cs_cell_t *cell = cs__enter(r, &link->bucket);
    const cs_lval_t *hinted;
    while (!CS_MUT(STALE_HINT) && (hinted = known_hint(r, row, link, true)) != NULL) {
        cs_lval_t l = *hinted;
        cs_str_ref(l.path);
        cs__remove_dot(r, cell, CS_L, l.dot);
        l.hint = (cs_content_t){0};
        l.hint_attr = (cs_attr_t){0};
        cs__add_l(r, cell, l);
        cs_str_unref(&l.path);
    }
}

/* Greatest rank of what the user had for this path, siblings included. */
uint32_t cs__seen_peers(cs_replica_t *r, const cs_str_t *path)
{
    if (r->scan->first) return 0;
    cs_family_t family;
    uint32_t rank = 0;
    cs_family_of(cs_slice_str(path), &family);
    cs__rows_family(r, &family, &r->rows);
    for (uint32_t i = 0; i < r->rows.len; i++) {
        const cs_item_t *row = r->rows.row[i];
        if (row->rank > rank && cs_str_eq(row->eff, path)) rank = row->rank;
    }
    return rank;
}

static cs_attr_t disk_attr(const cs_sight_t *sight, const cs_item_t *row)
{
    cs_attr_t attr = {0};
    if (sight->seen.content.kind != CS_KIND_FILE) return attr;
    attr.mode = sight->seen.mode;
    if (row != NULL) attr.tlv = row->attr.tlv; /* borrowed: add_* takes its own reference */
    return attr;
}

static void set_links(cs_links_t *links, cs_link_t only)
{
    links->link[0] = only;
    links->len = 1;
}

static cs_item_t *new_row(cs_scan_t *scan)
{
    cs_items_t *made = &scan->made;
    if (made->len == made->cap) {
        made->cap = (uint32_t)cs_grow(made->cap, made->len + 1u);
        made->item = cs_realloc_array(made->item, made->cap, sizeof *made->item);
    }
    cs_item_t *row = &made->item[made->len++];
    memset(row, 0, sizeof *row);
    return row;
}

void cs__op_create(cs_replica_t *r, const cs_sight_t *sight)
{
    cs_link_t link = {0};
    cs_bucket_of(&r->keys, cs_slice_str(sight->path), &link.bucket);
    cs_links_t links = {&link, 1};
    cs_err_t err = cs_path_check(cs_slice_str(sight->path));
    if (err == CS_OK && !cs__has_room(r, &links)) err = CS_ERR_LIMIT;
    if (err != CS_OK) {
        cs__refuse(r, NULL, cs_slice_str(sight->path), err);
        return;
    }
    cs__note(r, cs_slice_str(sight->path));
    cs_cell_t *cell = cs__enter(r, &link.bucket);
    uint32_t gen = cs__higher(cs__seen_peers(r, sight->path), 1);
    cs_attr_t attr = disk_attr(sight, NULL);
    cs_dot_t lin = add_k(r, cell,
                         (cs_kval_t){.gen = gen,
                                     .content = sight->seen.content,
                                     .attr = attr,
                                     .mtime_ns = sight->seen.mtime_ns,
                                     .path = sight->path});
    cs_dot_t at = cs__add_l(
        r, cell, (cs_lval_t){.lin = lin, .gen = gen, .how = CS_STAY, .path = sight->path});

    cs_item_t *row = new_row(r->scan);
    row->path = cs_str_ref(sight->path);
    row->eff = cs_str_ref(sight->path);
    row->content = sight->seen.content;
    row->attr = attr;
    row->mtime_ns = sight->seen.mtime_ns;
    row->print = sight->seen.print;
    row->rank = gen;
    cs_dot_t *dots = cs__backs_new(row, 1, 1);
    *dots = at;
    *row->back =
        (cs_back_t){.bucket = link.bucket, .lin = lin, .k = lin, .l_dots = dots, .l_len = 1};
    r->scan->result.added++;
}

static const cs_link_t *least(const cs_links_t *links)
{
    const cs_link_t *min = &links->link[0];
    for (uint32_t i = 1; i < links->len; i++) {
        const cs_link_t *link = &links->link[i];
        cs_back_t a = {.bucket = link->bucket, .lin = link->lin, .k = link->k};
        cs_back_t b = {.bucket = min->bucket, .lin = min->lin, .k = min->k};
        if (cs__back_cmp(&a, &b) < 0) min = link;
    }
    return min;
}

static void mutate_edit(cs_replica_t *r, cs_cell_t *cell, cs_dot_t lin)
{
    if (CS_MUT(FULL_CTX)) {
        while (cell->entry.k_len > 0) {
            cs_entry_remove(&cell->entry, CS_K, cell->entry.k[0].dot);
        }
    }
    uint32_t len = 0;
    cs_dot_t *dots = CS_MUT(A_EDIT_KILLS) ? cs__dots_of(&cell->entry, CS_A, lin, &len) : NULL;
    for (uint32_t i = 0; i < len; i++) {
        cs__remove_dot(r, cell, CS_A, dots[i]);
    }
    cs_free(dots);
}

void cs__op_edit(cs_replica_t *r, cs_work_t *work, const cs_sight_t *sight)
{
    const cs_item_t *row = work->row;
    cs_str_t *path = work->at;
    uint32_t gen = cs__higher(row->rank, 1);
    cs__note(r, cs_slice_str(path));
    cs_link_t to = *least(&work->links);
    cs_dot_t old_k = to.k;
    cs_cell_t *home = cs__enter(r, &to.bucket);
    for (uint32_t i = 0; i < work->links.len; i++) {
        const cs_link_t *link = &work->links.link[i];
        cs_cell_t *cell = cs__enter(r, &link->bucket);
        if (!cs_dot_is_null(link->k)) cs__remove_dot(r, cell, CS_K, link->k);
    }
    mutate_edit(r, home, to.lin);

    bool hint_only = cs_dot_is_null(old_k);
    bool adopt = !cs_str_eq(path, work->eff) && !(CS_MUT(E_HINT) && hint_only);
    if (adopt && !hint_only) to.lin = old_k;
    cs_attr_t attr = disk_attr(sight, row->content.kind == CS_KIND_FILE ? row : NULL);
    if (CS_MUT(A_KMODE) && attr.mode != 0) attr.mode = 0644;
    to.k = add_k(r, home,
                 (cs_kval_t){.lin = to.lin,
                             .gen = gen,
                             .content = sight->seen.content,
                             .attr = attr,
                             .mtime_ns = sight->seen.mtime_ns,
                             .path = path});
    if (adopt) { /* a sibling, or displaced by a directory: an ordinary file from now on */
        cs__remove_mine(r, row, home, CS_L, to.lin);
        cs__add_l(r, home,
                  (cs_lval_t){.lin = to.lin, .gen = gen, .how = CS_STAY, .path = path});
        cs_str_unref(&work->eff);
        work->eff = cs_str_ref(path);
    }
    for (uint32_t i = 0; i < work->links.len; i++) {
        const cs_link_t *link = &work->links.link[i];
        sweep(r, row, link);
        if (!cs_dot_eq(link->lin, to.lin)) cs__forget_hints(r, row, link);
    }
    set_links(&work->links, to);
    if (gen > work->rank) work->rank = gen;
    work->touched = work->rewrite = true;
    r->scan->result.changed++;
}

void cs__op_delete(cs_replica_t *r, cs_work_t *work)
{
    for (uint32_t i = 0; i < work->links.len; i++) {
        const cs_link_t *link = &work->links.link[i];
        cs_cell_t *cell = cs__enter(r, &link->bucket);
        cs_err_t err =
            cs_entry_cover(&cell->entry, cs__mint(r)); /* an event: HAVE must differ */
        CS_ASSERT(err == CS_OK);
        cs__cell_changed(r, cell);
        if (!cs_dot_is_null(link->k)) cs__remove_dot(r, cell, CS_K, link->k);
    }
    for (uint32_t i = 0; i < work->links.len; i++) {
        const cs_link_t *link = &work->links.link[i];
        sweep(r, work->row, link);
        cs__forget_hints(r, work->row, link);
    }
    cs_str_unref(&work->at);
    work->touched = work->rewrite = true;
    r->scan->result.removed++;
}
