/* contents.c - where bytes are: on disk, and where those of a base row are shown now. */
#include "crdt/replica_i.h"

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
