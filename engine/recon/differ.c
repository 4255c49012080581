/* differ.c - the merge of my sorted digests with the peer's list. */
#include <string.h>

#include "base/mem.h"
#include "recon/recon.h"

struct cs_differ {
    cs_view_walk_t *mine;
    bool have_mine, mine_ended;
    cs_diff_item_t my_item;      /* if have_mine: the next one of mine */
    cs_buf_t page;               /* the peer's */
    size_t at;                   /* bytes of the page used up */
    uint8_t last[CS_ITEM_BYTES]; /* the greatest digest of all pages so far */
    bool any, ended;             /* `last` is set; no page follows */
};

cs_differ_t *cs_differ_new(const cs_view_t *view)
{
    cs_differ_t *differ = cs_calloc(1, sizeof *differ);
    differ->mine = cs_view_walk_new(view, CS_WALK_ITEMS, cs_slice(NULL, 0));
    return differ;
}

void cs_differ_destroy(cs_differ_t **differ_p)
{
    if (*differ_p == NULL) return;
    cs_view_walk_destroy(&(*differ_p)->mine);
    cs_buf_fini(&(*differ_p)->page);
    cs_free(*differ_p);
    *differ_p = NULL;
}

static bool page_used_up(const cs_differ_t *differ)
{
    return differ->at == differ->page.len;
}

/* Strictly ascending, beyond all that came before. */
static bool ascends(const cs_differ_t *differ, cs_slice_t digests)
{
    const uint8_t *before = differ->any ? differ->last : NULL;
    for (size_t at = 0; at < digests.len; at += CS_ITEM_BYTES) {
        const uint8_t *item = digests.data + at;
        if (before != NULL && memcmp(before, item, CS_ITEM_BYTES) >= 0) return false;
        before = item;
    }
    return true;
}

cs_err_t cs_differ_list(cs_differ_t *differ, cs_slice_t digests, bool last)
{
    if (differ->ended || !page_used_up(differ)) return CS_ERR_MALFORMED;
    if (digests.len % CS_ITEM_BYTES != 0 || !ascends(differ, digests)) return CS_ERR_MALFORMED;
    if (digests.len == 0 && !last) return CS_ERR_MALFORMED; /* would never end */
    cs_buf_clear(&differ->page);
    cs_buf_put_slice(&differ->page, digests);
    differ->at = 0;
    differ->ended = last;
    if (digests.len > 0) {
        memcpy(differ->last, digests.data + digests.len - CS_ITEM_BYTES, CS_ITEM_BYTES);
        differ->any = true;
    }
    return CS_OK;
}

cs_slice_t cs_differ_resume(const cs_differ_t *differ)
{
    return cs_slice(differ->last, differ->any ? CS_ITEM_BYTES : 0);
}

static cs_err_t load_mine(cs_differ_t *differ)
{
    if (differ->have_mine || differ->mine_ended) return CS_OK;
    cs_slice_t item, bucket;
    if (!cs_view_walk_next(differ->mine, &item, &bucket)) {
        differ->mine_ended = true;
        return cs_view_walk_err(differ->mine);
    }
    if (bucket.len != CS_BUCKET_BYTES) return CS_ERR_CORRUPT;
    memcpy(differ->my_item.item, item.data, CS_ITEM_BYTES);
    memcpy(differ->my_item.bucket.b, bucket.data, CS_BUCKET_BYTES);
    differ->have_mine = true;
    return CS_OK;
}

static cs_diff_t take_mine(cs_differ_t *differ, cs_diff_item_t *ret)
{
    *ret = differ->my_item;
    differ->have_mine = false;
    return CS_DIFF_MINE;
}

static cs_diff_t take_theirs(cs_differ_t *differ, cs_diff_item_t *ret)
{
    *ret = (cs_diff_item_t){0};
    memcpy(ret->item, differ->page.data + differ->at, CS_ITEM_BYTES);
    differ->at += CS_ITEM_BYTES;
    return CS_DIFF_THEIRS;
}

cs_err_t cs_differ_next(cs_differ_t *differ, cs_diff_t *ret, cs_diff_item_t *ret_item)
{
    for (;;) {
        cs_err_t err = load_mine(differ);
        if (err != CS_OK) return err;
        if (page_used_up(differ)) {
            if (!differ->ended) {
                *ret = CS_DIFF_MORE;
            } else if (!differ->have_mine) {
                *ret = CS_DIFF_END;
            } else {
                *ret = take_mine(differ, ret_item);
            }
            return CS_OK;
        }
        int order = -1; /* the peer's first */
        if (differ->have_mine) {
            order = memcmp(differ->page.data + differ->at, differ->my_item.item, CS_ITEM_BYTES);
        }
        if (order != 0) {
            *ret = order < 0 ? take_theirs(differ, ret_item) : take_mine(differ, ret_item);
            return CS_OK;
        }
        differ->have_mine = false;
        differ->at += CS_ITEM_BYTES;
    }
}
