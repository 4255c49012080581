/* view.c - projection of one family of paths (core.md 4, project()). */
#include "base/mem.h"
#include "crdt/replica_i.h"

#include <stdlib.h>
#include <string.h>

#define KEY_TAIL (1u + CS_BUCKET_BYTES + 16u) /* of a p/ row: NUL, bucket, lin */

bool cs__below(cs_replica_t *r, cs_slice_t dir)
{
    cs_buf_clear(&r->seek);
    cs_buf_put_slice(&r->seek, dir);
    cs_buf_put_u8(&r->seek, '/');
    return cs_workset_any(&r->ws, CS_T_PATH, cs_buf_slice(&r->seek));
}

bool cs__below_near(cs_replica_t *r, cs_slice_t dir, cs_slice_t path)
{
    cs_cursor_t cursor;
    cs_buf_clear(&r->seek);
    cs_buf_put_slice(&r->seek, path); /* begins with dir and '/' */
    cs_slice_t near = cs_buf_slice(&r->seek);
    cs_cursor_init(&cursor, &r->ws, CS_T_PATH);
    cs_cursor_seek_within(&cursor, near, cs_slice(near.data, dir.len + 1));
    bool found = cursor.valid;
    cs_cursor_fini(&cursor);
    return found || cs__below(r, dir);
}

static void push_ref(cs_view_t *view, const cs_cell_t *cell, cs_cand_t *cand)
{
    if (view->ref_len == view->ref_cap) {
        view->ref_cap = (uint32_t)cs_grow(view->ref_cap, view->ref_len + 1u);
        view->ref = cs_realloc_array(view->ref, view->ref_cap, sizeof *view->ref);
    }
    view->ref[view->ref_len++] = (cs_ref_t){cell, cand};
}

static cs_dot_t read_lin(const uint8_t *at)
{
    cs_reader_t reader = cs_reader(cs_slice(at, 16));
    cs_dot_t lin = {.rid = cs_read_u64_be(&reader)};
    lin.ctr = cs_read_u64_be(&reader);
    return lin;
}

/* `behind` is the first row that sorts behind those of `path` itself. */
static cs_below_t is_below(cs_slice_t path, const cs_cursor_t *cursor)
{
    cs_slice_t behind = cursor->beyond;
    if (!cursor->beyond_known) return CS_BELOW_UNKNOWN;
    if (behind.len <= path.len || !cs_slice_has_prefix(behind, path)) return CS_BELOW_NOTHING;
    uint8_t next = behind.data[path.len];
    if (next == '/') return CS_BELOW_SOMETHING;
    return next > '/' ? CS_BELOW_NOTHING : CS_BELOW_UNKNOWN; /* as "a-b" stands before "a/" */
}

/* Candidates of the p/ rows that begin with r->seek and belong to the family (NULL: all do, and
 * r->seek is the family's own path with a NUL). */
static void collect(cs_replica_t *r, const cs_family_t *family, cs_view_t *view)
{
    cs_cursor_t cursor;
    cs_slice_t prefix = cs_buf_slice(&r->seek);
    cs_cursor_init(&cursor, &r->ws, CS_T_PATH);
    cs_cursor_seek_within(&cursor, prefix, prefix);
    for (; cursor.valid; cs_cursor_next(&cursor)) {
        if (cursor.key.len < KEY_TAIL) continue;
        cs_slice_t path = cs_slice(cursor.key.data, cursor.key.len - KEY_TAIL);
        if (family != NULL && !cs_family_has(family, path)) continue;
        cs_bucket_t bucket;
        memcpy(bucket.b, path.data + path.len + 1, CS_BUCKET_BYTES);
        cs_dot_t lin = read_lin(path.data + path.len + 1 + CS_BUCKET_BYTES);
        const cs_cell_t *cell = cs__cell_get(r, &bucket);
        for (uint32_t i = 0; cell != NULL && i < cell->cand_len; i++) {
            cs_cand_t *cand = &cell->cand[i];
            if (!cs_dot_eq(cand->lin, lin)) continue;
            if (cs_slice_eq(cs_slice_str(cand->path), path)) push_ref(view, cell, cand);
        }
    }
    if (family == NULL) view->below = is_below(cs_slice(prefix.data, prefix.len - 1), &cursor);
    cs_cursor_fini(&cursor);
}

static int ref_group_order(const cs_ref_t *a, const cs_ref_t *b)
{
    if (a->cand->path != b->cand->path) {
        int order = cs_str_cmp(a->cand->path, b->cand->path);
        if (order != 0) return order;
    }
    int order = cs_content_cmp(&a->cand->content, &b->cand->content);
    if (CS_MUT(A_CONTENT) && order == 0) {
        order = (int)b->cand->attr.mode - (int)a->cand->attr.mode;
    }
    return order;
}

static int ref_order(const void *x, const void *y)
{
    const cs_ref_t *a = x, *b = y;
    int order = ref_group_order(a, b);
    if (order != 0) return order;
    order = memcmp(a->cell->entry.bucket.b, b->cell->entry.bucket.b, CS_BUCKET_BYTES);
    if (order == 0) order = cs_dot_cmp(a->cand->lin, b->cand->lin);
    return order != 0 ? order : cs_dot_cmp(a->cand->k, b->cand->k);
}

static cs_group_t *push_group(cs_view_t *view)
{
    if (view->group_len == view->group_cap) {
        view->group_cap = (uint32_t)cs_grow(view->group_cap, view->group_len + 1u);
        view->group = cs_realloc_array(view->group, view->group_cap, sizeof *view->group);
    }
    cs_group_t *group = &view->group[view->group_len++];
    memset(group, 0, sizeof *group);
    return group;
}

static void make_groups(cs_view_t *view)
{
    for (uint32_t i = 0; i < view->ref_len; i++) {
        const cs_cand_t *cand = view->ref[i].cand;
        cs_group_t *group = NULL;
        if (i > 0 && ref_group_order(&view->ref[i - 1], &view->ref[i]) == 0) {
            group = &view->group[view->group_len - 1];
        } else {
            group = push_group(view);
            group->first = i;
            group->attr = cand;
        }
        group->len++;
        if (cand->rank > group->rank) group->rank = cand->rank;
        if (cs__attr_order(cand, group->attr) < 0) group->attr = cand;
    }
}

static cs_cand_t *cand_of(const cs_view_t *view, const cs_group_t *group)
{
    return view->ref[group->first].cand;
}

/* Within a path: markers first, then rank desc, content desc. Groups come sorted by content
 * asc. */
static bool goes_before(const cs_view_t *view, const cs_group_t *a, const cs_group_t *b)
{
    const cs_cand_t *x = cand_of(view, a), *y = cand_of(view, b);
    if ((x->content.kind == CS_KIND_DIR) != (y->content.kind == CS_KIND_DIR)) {
        return x->content.kind == CS_KIND_DIR;
    }
    if (a->rank != b->rank && !CS_MUT(HASH_WINNER)) return a->rank > b->rank;
    int order = cs_content_cmp(&x->content, &y->content);
    return order != 0 ? order > 0 : a->first < b->first;
}

static void sort_groups(cs_view_t *view, uint32_t first, uint32_t end)
{
    for (uint32_t i = first + 1; i < end; i++) {
        cs_group_t group = view->group[i];
        uint32_t j = i;
        for (; j > first && goes_before(view, &group, &view->group[j - 1]); j--) {
            view->group[j] = view->group[j - 1];
        }
        view->group[j] = group;
    }
}

static bool is_candidate(const cs_view_t *view, const cs_str_t *path)
{
    for (uint32_t i = 0; i < view->ref_len; i++) {
        if (cs_str_eq(view->ref[i].cand->path, path)) return true;
    }
    return false;
}

static bool is_taken(cs_replica_t *r, const cs_view_t *view, const cs_str_t *name)
{
    if (is_candidate(view, name) || cs__below(r, cs_slice_str(name))) return true;
    for (uint32_t i = 0; i < view->group_len; i++) {
        if (view->group[i].shown != NULL && cs_str_eq(view->group[i].shown, name)) return true;
    }
    return false;
}

#define TAG_MIN 8u
#define TAG_MAX 20u

static cs_str_t *free_name(cs_replica_t *r, const cs_view_t *view, cs_cand_t *cand)
{
    uint32_t digits = TAG_MIN, again = 0;
    if (!cand->tag_known) cs_sibling_tag(&cand->content, cand->tag);
    cand->tag_known = true;
    for (;;) {
        cs_str_t *name = cs_sibling_tagged(cs_slice_str(cand->path), cand->tag, digits, again);
        if (!is_taken(r, view, name)) return name;
        cs_str_unref(&name);
        if (digits < TAG_MAX) {
            digits += 2;
        } else {
            again++;
        }
    }
}

/* Does something below this candidate path make a directory of it? */
static bool is_implied(cs_replica_t *r, const cs_family_t *family, const cs_view_t *view,
                       const cs_str_t *path)
{
    bool own = path->len == family->dir.len + family->name_len; /* the others bear a tag */
    if (own && view->below != CS_BELOW_UNKNOWN) return view->below == CS_BELOW_SOMETHING;
    return cs__below(r, cs_slice_str(path));
}

/* Winners first: their names are taken for all siblings, whatever the order. */
static void name_groups(cs_replica_t *r, const cs_family_t *family, cs_view_t *view)
{
    for (uint32_t first = 0, end = 0; first < view->group_len; first = end) {
        cs_str_t *path = cand_of(view, &view->group[first])->path;
        for (end = first + 1; end < view->group_len; end++) {
            if (!cs_str_eq(cand_of(view, &view->group[end])->path, path)) break;
        }
        sort_groups(view, first, end);
        cs_group_t *best = &view->group[first];
        bool is_dir = cand_of(view, best)->content.kind == CS_KIND_DIR;
        if (is_dir || !is_implied(r, family, view, path)) best->shown = cs_str_ref(path);
    }
    for (uint32_t i = 0; i < view->group_len; i++) {
        cs_group_t *group = &view->group[i];
        if (group->shown == NULL) group->shown = free_name(r, view, cand_of(view, group));
    }
}

static void view_clear(cs_view_t *view)
{
    for (uint32_t i = 0; i < view->group_len; i++) {
        cs_str_unref(&view->group[i].shown);
    }
    view->group_len = view->ref_len = 0;
    view->below = CS_BELOW_UNKNOWN;
}

void cs__view_fini(cs_view_t *view)
{
    view_clear(view);
    cs_free(view->ref);
    cs_free(view->group);
    memset(view, 0, sizeof *view);
}

void cs__view_family(cs_replica_t *r, const cs_family_t *family, cs_view_t *view)
{
    CS_ASSERT(r->stale.len == 0);
    view_clear(view);
    if (cs_family_name_is_apart(family)) {
        cs_buf_clear(&r->seek);
        cs_buf_put_slice(&r->seek, family->dir);
        cs_buf_put(&r->seek, family->name, family->name_len);
        cs_buf_put_u8(&r->seek, 0);
        collect(r, NULL, view);
    }
    for (uint32_t i = 0; r->tagged_paths || !cs_family_name_is_apart(family); i++) {
        cs_buf_clear(&r->seek);
        if (!cs_family_prefix(family, i, &r->seek)) break;
        collect(r, family, view);
    }
    if (view->ref_len > 1) qsort(view->ref, view->ref_len, sizeof *view->ref, ref_order);
    make_groups(view);
    name_groups(r, family, view);
}

const cs_group_t *cs__view_find(const cs_view_t *view, cs_slice_t shown)
{
    for (uint32_t i = 0; i < view->group_len; i++) {
        if (cs_slice_eq(cs_slice_str(view->group[i].shown), shown)) return &view->group[i];
    }
    return NULL;
}
