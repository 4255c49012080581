/* merge.c - my sorted digests beside the peer's list. */
#include <string.h>

#include "base/mem.h"
#include "recon/merge.h"

struct cs_merge {
    cs_view_walk_t *mine;
    bool have_mine, mine_ended;
    cs_diff_item_t my_item;      /* if have_mine: the next one of mine */
    cs_buf_t page;               /* the peer's */
    size_t at;                   /* bytes of the page used up */
    uint8_t last[CS_ITEM_BYTES]; /* the greatest digest of all pages so far */
    bool any, ended;             /* `last` is set; no page follows */
};

cs_merge_t *cs_merge_new(const cs_view_t *view)
{
    cs_merge_t *merge = cs_calloc(1, sizeof *merge);
    merge->mine = cs_view_walk_new(view, CS_WALK_ITEMS, cs_slice(NULL, 0));
    return merge;
}

void cs_merge_destroy(cs_merge_t **merge_p)
{
    if (*merge_p == NULL) return;
    cs_view_walk_destroy(&(*merge_p)->mine);
    cs_buf_fini(&(*merge_p)->page);
    cs_free(*merge_p);
    *merge_p = NULL;
}

static bool page_used_up(const cs_merge_t *merge)
{
    return merge->at == merge->page.len;
}

/* Strictly ascending, beyond all that came before. */
static bool ascends(const cs_merge_t *merge, cs_slice_t digests)
{
    const uint8_t *before = merge->any ? merge->last : NULL;
    for (size_t at = 0; at < digests.len; at += CS_ITEM_BYTES) {
        const uint8_t *item = digests.data + at;
        if (before != NULL && memcmp(before, item, CS_ITEM_BYTES) >= 0) return false;
        before = item;
    }
    return true;
}

cs_err_t cs_merge_list(cs_merge_t *merge, cs_slice_t digests, bool last)
{
    if (merge->ended || !page_used_up(merge)) return CS_ERR_MALFORMED;
    if (digests.len % CS_ITEM_BYTES != 0 || !ascends(merge, digests)) return CS_ERR_MALFORMED;
    if (digests.len == 0 && !last) return CS_ERR_MALFORMED; /* would never end */
    cs_buf_clear(&merge->page);
    cs_buf_put_slice(&merge->page, digests);
    merge->at = 0;
    merge->ended = last;
    if (digests.len > 0) {
        memcpy(merge->last, digests.data + digests.len - CS_ITEM_BYTES, CS_ITEM_BYTES);
        merge->any = true;
    }
    return CS_OK;
}

cs_slice_t cs_merge_resume(const cs_merge_t *merge)
{
    return cs_slice(merge->last, merge->any ? CS_ITEM_BYTES : 0);
}

static cs_err_t load_mine(cs_merge_t *merge)
{
    if (merge->have_mine || merge->mine_ended) return CS_OK;
    cs_slice_t item, bucket;
    if (!cs_view_walk_next(merge->mine, &item, &bucket)) {
        merge->mine_ended = true;
        return cs_view_walk_err(merge->mine);
    }
    if (bucket.len != CS_BUCKET_BYTES) return CS_ERR_CORRUPT;
    memcpy(merge->my_item.item, item.data, CS_ITEM_BYTES);
    memcpy(merge->my_item.bucket.b, bucket.data, CS_BUCKET_BYTES);
    merge->have_mine = true;
    return CS_OK;
}

static cs_diff_t take_mine(cs_merge_t *merge, cs_diff_item_t *ret)
{
    *ret = merge->my_item;
    merge->have_mine = false;
    return CS_DIFF_MINE;
}

static cs_diff_t take_theirs(cs_merge_t *merge, cs_diff_item_t *ret)
{
    *ret = (cs_diff_item_t){0};
    memcpy(ret->item, merge->page.data + merge->at, CS_ITEM_BYTES);
    merge->at += CS_ITEM_BYTES;
    return CS_DIFF_THEIRS;
}

cs_err_t cs_merge_next(cs_merge_t *merge, cs_diff_t *ret, cs_diff_item_t *ret_item)
{
    for (;;) {
        cs_err_t err = load_mine(merge);
        if (err != CS_OK) return err;
        if (page_used_up(merge)) {
            if (!merge->ended) {
                *ret = CS_DIFF_MORE;
            } else if (!merge->have_mine) {
                *ret = CS_DIFF_END;
            } else {
                *ret = take_mine(merge, ret_item);
            }
            return CS_OK;
        }
        int order = -1; /* the peer's first */
        if (merge->have_mine) {
            order = memcmp(merge->page.data + merge->at, merge->my_item.item, CS_ITEM_BYTES);
        }
        if (order != 0) {
            *ret = order < 0 ? take_theirs(merge, ret_item) : take_mine(merge, ret_item);
            return CS_OK;
        }
        merge->have_mine = false;
        merge->at += CS_ITEM_BYTES;
    }
}
