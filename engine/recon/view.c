/* view.c - keys and seals of the rows d/ and e/ (crdt/replica.h has the table of keys). */
#include "recon/view.h"

#include <string.h>

#include "base/mem.h"
#include "base/seal.h"

#define PREFIX_BYTES 6u /* u32 folder, letter, '/' */
#define KEY_BYTES    (PREFIX_BYTES + 16u)

static size_t put_key(uint8_t ret[KEY_BYTES], uint32_t folder, char letter, cs_slice_t suffix)
{
    CS_ASSERT(suffix.len <= KEY_BYTES - PREFIX_BYTES);
    for (unsigned i = 0; i < 4; i++) {
        ret[i] = (uint8_t)(folder >> (24 - 8 * i));
    }
    ret[4] = (uint8_t)letter;
    ret[5] = '/';
    if (suffix.len > 0) memcpy(ret + PREFIX_BYTES, suffix.data, suffix.len);
    return PREFIX_BYTES + suffix.len;
}

static cs_err_t get(const cs_view_t *view, char letter, cs_slice_t suffix, cs_buf_t *row,
                    cs_slice_t *ret)
{
    uint8_t key[KEY_BYTES];
    size_t len = put_key(key, view->folder, letter, suffix);
    cs_err_t err = cs_store_get(view->store, view->snapshot, cs_slice(key, len), row);
    if (err != CS_OK) return err;
    return cs_seal_check(cs_buf_slice(row), ret);
}

cs_err_t cs_view_entry(const cs_view_t *view, const cs_bucket_t *bucket, cs_buf_t *row,
                       cs_slice_t *ret)
{
    return get(view, 'e', cs_slice(bucket->b, CS_BUCKET_BYTES), row, ret);
}

cs_err_t cs_view_find(const cs_view_t *view, const uint8_t item[CS_ITEM_BYTES],
                      cs_bucket_t *ret)
{
    cs_buf_t row = {0};
    cs_slice_t value;
    cs_err_t err = get(view, 'd', cs_slice(item, CS_ITEM_BYTES), &row, &value);
    if (err == CS_OK && value.len != CS_BUCKET_BYTES) err = CS_ERR_CORRUPT;
    if (err == CS_OK) memcpy(ret->b, value.data, CS_BUCKET_BYTES);
    cs_buf_fini(&row);
    return err;
}

struct cs_view_walk {
    cs_iter_t *iter;
    uint8_t prefix[PREFIX_BYTES];
    cs_err_t err;
    bool begun;
};

cs_view_walk_t *cs_view_walk_new(const cs_view_t *view, cs_view_walk_kind_t kind,
                                 cs_slice_t from)
{
    cs_view_walk_t *walk = cs_calloc(1, sizeof *walk);
    uint8_t key[KEY_BYTES];
    size_t len = put_key(key, view->folder, kind == CS_WALK_ITEMS ? 'd' : 'e', from);
    memcpy(walk->prefix, key, PREFIX_BYTES);
    walk->iter = cs_store_iter(view->store, view->snapshot);
    cs_iter_seek(walk->iter, cs_slice(key, len));
    return walk;
}

void cs_view_walk_destroy(cs_view_walk_t **walk_p)
{
    if (*walk_p == NULL) return;
    cs_iter_destroy(&(*walk_p)->iter);
    cs_free(*walk_p);
    *walk_p = NULL;
}

bool cs_view_walk_next(cs_view_walk_t *walk, cs_slice_t *ret_key, cs_slice_t *ret_value)
{
    if (walk->err != CS_OK) return false;
    if (walk->begun && cs_iter_valid(walk->iter)) cs_iter_next(walk->iter);
    walk->begun = true;
    if (!cs_iter_valid(walk->iter)) {
        walk->err = cs_iter_err(walk->iter);
        return false;
    }
    cs_slice_t key = cs_iter_key(walk->iter);
    if (!cs_slice_has_prefix(key, cs_slice(walk->prefix, PREFIX_BYTES))) return false;
    if (key.len != KEY_BYTES) walk->err = CS_ERR_CORRUPT;
    if (walk->err == CS_OK) walk->err = cs_seal_check(cs_iter_value(walk->iter), ret_value);
    *ret_key = cs_slice(key.data + PREFIX_BYTES, key.len - PREFIX_BYTES);
    return walk->err == CS_OK;
}

cs_err_t cs_view_walk_err(const cs_view_walk_t *walk)
{
    return walk->err;
}

cs_err_t cs_view_list(const cs_view_t *view, cs_slice_t after, size_t max, cs_buf_t *ret,
                      bool *ret_last)
{
    cs_buf_clear(ret);
    cs_view_walk_t *walk = cs_view_walk_new(view, CS_WALK_ITEMS, after);
    cs_slice_t item, bucket;
    *ret_last = true;
    while (cs_view_walk_next(walk, &item, &bucket)) {
        if (cs_slice_eq(item, after)) continue;
        if (ret->len >= max * CS_ITEM_BYTES) {
            *ret_last = false;
            break;
        }
        cs_buf_put_slice(ret, item);
    }
    cs_err_t err = walk->err;
    cs_view_walk_destroy(&walk);
    return err;
}
