/* project.c - the projection as others ask for it: items with their backing. */
#include "base/mem.h"
#include "crdt/replica_i.h"

#include <stdlib.h>
#include <string.h>

cs_dot_t *cs__dots_of(const cs_entry_t *entry, cs_dotstore_t store, cs_dot_t lin,
                      uint32_t *ret_len)
{
    uint32_t len = store == CS_L ? entry->l_len : entry->a_len, found = 0;
    cs_dot_t *dots = NULL;
    for (uint32_t i = 0; i < len; i++) {
        cs_dot_t of = store == CS_L ? entry->l[i].lin : entry->a[i].lin;
        if (!cs_dot_eq(of, lin)) continue;
        if (dots == NULL) dots = cs_calloc(len - i, sizeof *dots);
        dots[found++] = store == CS_L ? entry->l[i].dot : entry->a[i].dot;
    }
    *ret_len = found;
    return dots;
}

uint32_t cs__agen_of(const cs_entry_t *entry, cs_dot_t lin)
{
    uint32_t gen = 0;
    for (uint32_t i = 0; i < entry->a_len; i++) {
        if (cs_dot_eq(entry->a[i].lin, lin) && entry->a[i].gen > gen) gen = entry->a[i].gen;
    }
    return gen;
}

/* Those of one lineage, to *at, which moves behind them. */
static void put_dots(const cs_ref_t *ref, cs_back_t *back, cs_dot_t **at)
{
    const cs_entry_t *entry = &ref->cell->entry;
    back->l_dots = *at;
    for (uint32_t i = 0; i < entry->l_len; i++) {
        if (cs_dot_eq(entry->l[i].lin, back->lin)) *(*at)++ = entry->l[i].dot;
    }
    back->l_len = (uint32_t)(*at - back->l_dots);
    back->a_dots = *at;
    for (uint32_t i = 0; i < entry->a_len; i++) {
        if (cs_dot_eq(entry->a[i].lin, back->lin)) *(*at)++ = entry->a[i].dot;
    }
    back->a_len = (uint32_t)(*at - back->a_dots);
}

static size_t count_dots(const cs_ref_t *ref)
{
    const cs_entry_t *entry = &ref->cell->entry;
    size_t count = 0;
    for (uint32_t i = 0; i < entry->l_len; i++) {
        count += cs_dot_eq(entry->l[i].lin, ref->cand->lin);
    }
    for (uint32_t i = 0; i < entry->a_len; i++) {
        count += cs_dot_eq(entry->a[i].lin, ref->cand->lin);
    }
    return count;
}

void cs__item_from(const cs_view_t *view, const cs_group_t *group, cs_item_t *ret)
{
    const cs_cand_t *cand = view->ref[group->first].cand;
    cs_item_t item = {
        .path = cs_str_ref(group->shown),
        .eff = cs_str_ref(cand->path),
        .content = cand->content,
        .rank = group->rank,
    };
    cs_attr_copy(&item.attr, &group->attr->attr);
    size_t dots = 0;
    for (uint32_t i = 0; i < group->len; i++) {
        dots += count_dots(&view->ref[group->first + i]);
    }
    cs_dot_t *at = cs__backs_new(&item, group->len, dots);
    for (uint32_t i = 0; i < group->len; i++) {
        const cs_ref_t *ref = &view->ref[group->first + i];
        cs_back_t *back = &item.back[i];
        *back = (cs_back_t){
            .bucket = ref->cell->entry.bucket, .lin = ref->cand->lin, .k = ref->cand->k};
        put_dots(ref, back, &at);
        uint32_t agen = cs__agen_of(&ref->cell->entry, back->lin);
        if (agen > item.agen) item.agen = agen;
        if (ref->cand->mtime_ns > item.mtime_ns) item.mtime_ns = ref->cand->mtime_ns;
    }
    cs_item_fini(ret);
    *ret = item;
}

static cs_item_t *push_item(cs_items_t *items)
{
    if (items->len == items->cap) {
        items->cap = (uint32_t)cs_grow(items->cap, items->len + 1u);
        items->item = cs_realloc_array(items->item, items->cap, sizeof *items->item);
    }
    cs_item_t *item = &items->item[items->len++];
    memset(item, 0, sizeof *item);
    return item;
}

static void add_view(const cs_view_t *view, cs_items_t *ret)
{
    for (uint32_t i = 0; i < view->group_len; i++) {
        cs__item_from(view, &view->group[i], push_item(ret));
    }
}

static int item_order(const void *a, const void *b)
{
    return cs_str_cmp(((const cs_item_t *)a)->path, ((const cs_item_t *)b)->path);
}

static void sort_items(cs_items_t *items)
{
    if (items->len > 1) qsort(items->item, items->len, sizeof *items->item, item_order);
}

cs_err_t cs_replica_project(cs_replica_t *replica, cs_slice_t path, cs_items_t *ret)
{
    cs_family_t family;
    cs_family_of(path, &family);
    cs_items_clear(ret);
    cs__trim(replica);
    cs__view_family(replica, &family, &replica->view);
    add_view(&replica->view, ret);
    sort_items(ret);
    return replica->ws.fault;
}

cs_err_t cs_replica_base_family(cs_replica_t *replica, cs_slice_t path, cs_items_t *ret)
{
    cs_family_t family;
    cs_family_of(path, &family);
    cs_items_clear(ret);
    cs__trim(replica);
    cs__rows_family(replica, &family, &replica->rows);
    for (uint32_t i = 0; i < replica->rows.len; i++) {
        cs_item_copy(push_item(ret), replica->rows.row[i]);
    }
    sort_items(ret);
    return replica->ws.fault;
}

bool cs_replica_is_dir(cs_replica_t *replica, cs_slice_t path)
{
    if (cs__below(replica, path)) return true;
    cs_family_t family;
    cs_family_of(path, &family);
    cs__view_family(replica, &family, &replica->view);
    const cs_group_t *group = cs__view_find(&replica->view, path);
    return group != NULL && replica->view.ref[group->first].cand->content.kind == CS_KIND_DIR;
}

/* The path that a p/ row begins with. */
static cs_slice_t path_of_key(cs_slice_t key)
{
    size_t len = 0;
    while (len < key.len && key.data[len] != 0) {
        len++;
    }
    return cs_slice(key.data, len);
}

bool cs_replica_next_path(cs_replica_t *replica, cs_slice_t from, cs_slice_t within,
                          cs_buf_t *ret_path)
{
    cs_cursor_t cursor;
    cs_buf_clear(ret_path);
    cs_cursor_init(&cursor, &replica->ws, CS_T_PATH);
    cs_cursor_seek_within(&cursor, cs_slice_cmp(from, within) < 0 ? within : from, within);
    bool found = cursor.valid;
    if (found) cs_buf_put_slice(ret_path, path_of_key(cursor.key));
    cs_cursor_fini(&cursor);
    return found;
}

/* Every family once, in the order of its first path. */
cs_err_t cs_replica_project_all(cs_replica_t *replica, cs_items_t *ret)
{
    cs_omap_t done = {0};
    cs_buf_t at = {0};
    cs_cursor_t cursor;
    cs_items_clear(ret);
    cs_cursor_init(&cursor, &replica->ws, CS_T_PATH);
    cs_cursor_seek(&cursor, cs_slice(NULL, 0));
    while (cursor.valid) {
        size_t len = path_of_key(cursor.key).len;
        cs_buf_clear(&at);
        cs_buf_put(&at, cursor.key.data, len);
        cs_buf_put_u8(&at, 0); /* begins all rows of this path */
        cs_family_t family;
        cs_family_of(cs_slice(at.data, len), &family);
        bool is_new = true;
        if (replica->tagged_paths || !cs_family_name_is_apart(&family)) {
            cs_family_key(&family, &replica->key);
            cs_omap_insert(&done, cs_buf_slice(&replica->key), &is_new);
        } /* else no other path is of this family */
        if (is_new) {
            cs__trim(replica);
            cs__view_family(replica, &family, &replica->view);
            add_view(&replica->view, ret);
        }
        do {
            cs_cursor_next(&cursor);
        } while (cursor.valid && cs_slice_has_prefix(cursor.key, cs_buf_slice(&at)));
    }
    cs_cursor_fini(&cursor);
    cs_buf_fini(&at);
    cs_omap_fini(&done, NULL);
    sort_items(ret);
    return replica->ws.fault;
}
