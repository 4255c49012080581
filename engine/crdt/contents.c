/* contents.c - where bytes are: on disk, and where those of a base row are shown now. */
#include "crdt/replica_i.h"

#include <string.h>

#include "base/mem.h"

cs_str_t *cs_replica_whereabouts(cs_replica_t *replica, const cs_back_t *back)
{
    const cs_cell_t *cell = cs__cell_get(replica, &back->bucket);
    if (cell == NULL) return NULL;
    const cs_entry_t *entry = &cell->entry;
    if (cs_dot_is_null(back->k)) {
        const cs_lval_t *hinted = cs__best_l(entry, back->lin, true);
        const cs_lval_t *where = hinted == NULL ? NULL : cs__best_l(entry, back->lin, false);
        return where == NULL ? NULL : cs_str_ref(where->path);
    }
    const cs_kval_t *k = cs_entry_find_k(entry, back->k);
    if (k == NULL) return NULL;
    const cs_lval_t *where = cs__best_l(entry, cs_entry_owner(entry, k), false);
    return cs_str_ref(where != NULL ? where->path : k->path);
}

/* Beyond so many, the bytes are safe somewhere, and looking would cost more than it saves. */
#define LIKE_MAX 64u

static bool gather(void *arg, cs_slice_t path)
{
    cs_strs_t *paths = arg;
    cs__strs_push(paths, cs_str_new(path.data, path.len));
    return paths->len <= LIKE_MAX;
}

void cs__rows_like(cs_replica_t *r, const cs_item_t *row, cs_rows_t *ret)
{
    cs_strs_t paths = {0}; /* loading a row changes the table under a cursor */
    ret->len = 0;
    cs_replica_each_content(r, &row->content, gather, &paths);
    for (uint32_t i = 0; i < paths.len; i++) {
        cs_item_t *other = cs__row(r, cs_slice_str(paths.str[i]));
        if (other == NULL || cs_str_eq(other->path, row->path)) continue;
        if (cs_content_eq(&other->content, &row->content)) cs__push_row(ret, other);
    }
    cs__strs_clear(&paths);
    cs_free(paths.str);
}

bool cs__row_has(const cs_item_t *row, const cs_bucket_t *bucket, cs_dot_t lin, cs_dot_t k)
{
    for (uint32_t i = 0; i < row->back_len; i++) {
        const cs_back_t *back = &row->back[i];
        if (memcmp(&back->bucket, bucket, sizeof *bucket) != 0) continue;
        if (!cs_dot_eq(back->k, k)) continue;
        if (!cs_dot_is_null(k) || cs_dot_eq(back->lin, lin)) return true;
    }
    return false;
}

static bool shares(const cs_item_t *a, const cs_item_t *b, const cs_back_t *back)
{
    return cs__row_has(a, &back->bucket, back->lin, back->k) &&
           cs__row_has(b, &back->bucket, back->lin, back->k);
}

bool cs_replica_twin(cs_replica_t *replica, const cs_item_t *row, cs_item_t *ret)
{
    cs_rows_t like = {0};
    bool looked = false, found = false;
    for (uint32_t i = 0; i < row->back_len && !found; i++) {
        cs_str_t *path = cs_replica_whereabouts(replica, &row->back[i]);
        bool live = path != NULL;
        cs_str_unref(&path);
        if (!live) continue;
        if (!looked) cs__rows_like(replica, row, &like);
        looked = true;
        for (uint32_t j = 0; j < like.len && !found; j++) {
            found = shares(row, like.row[j], &row->back[i]);
            if (found) cs_item_copy(ret, like.row[j]);
        }
    }
    cs_free(like.row);
    return found;
}

void cs_replica_each_content(cs_replica_t *replica, const cs_content_t *content,
                             bool (*each)(void *arg, cs_slice_t path), void *arg)
{
    cs_slice_t prefix = cs_slice(content->hash, CS_CONTENT_KEY);
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, &replica->ws, CS_T_CONTENT);
    cs_cursor_seek_within(&cursor, prefix, prefix);
    for (; cursor.valid; cs_cursor_next(&cursor)) {
        cs_slice_t path =
            cs_slice(cursor.key.data + CS_CONTENT_KEY, cursor.key.len - CS_CONTENT_KEY);
        if (!each(arg, path)) break;
    }
    cs_cursor_fini(&cursor);
}
