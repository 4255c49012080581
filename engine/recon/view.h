/* view.h - the rows of one folder as of a snapshot: what an exchange reads (core.md 7.3).
 *
 * A snapshot does not change while the replica goes on, so entries, digests and the seen vector
 * that were sent along belong together however long the exchange takes. Nothing here is kept in
 * memory but the row at hand. Errors are those of the store; a row with a wrong seal is
 * CS_ERR_CORRUPT. */
#ifndef CS_RECON_VIEW_H
#define CS_RECON_VIEW_H

#include "base/store.h"
#include "base/symbols.h"
#include "crdt/entry.h"

typedef struct cs_view {
    cs_store_t *store;             /* borrowed */
    const cs_snapshot_t *snapshot; /* borrowed */
    uint32_t folder;
} cs_view_t;

/* enc(e) of a bucket. CS_ERR_NOT_FOUND. row is scratch that keeps the bytes behind ret. */
CS_MUST_USE cs_err_t cs_view_entry(const cs_view_t *view, const cs_bucket_t *bucket,
                                   cs_buf_t *row, cs_slice_t *ret);
/* The bucket whose live state has this digest. CS_ERR_NOT_FOUND. */
CS_MUST_USE cs_err_t cs_view_find(const cs_view_t *view, const uint8_t item[CS_ITEM_BYTES],
                                  cs_bucket_t *ret);
/* Digests greater than `after` (empty: all), sorted, at most `max`; ret is replaced. */
CS_MUST_USE cs_err_t cs_view_list(const cs_view_t *view, cs_slice_t after, size_t max,
                                  cs_buf_t *ret, bool *ret_last);

/* A walk over digests or entries in the order of their keys. */
typedef struct cs_view_walk cs_view_walk_t;
typedef enum cs_view_walk_kind { CS_WALK_ITEMS, CS_WALK_ENTRIES } cs_view_walk_kind_t;

cs_view_walk_t *cs_view_walk_new(const cs_view_t *view, cs_view_walk_kind_t kind,
                                 cs_slice_t from);
void cs_view_walk_destroy(cs_view_walk_t **walk_p);
/* key: digest or bucket; value: bucket or enc(e); valid until the next call. False: end or
 * error. */
bool cs_view_walk_next(cs_view_walk_t *walk, cs_slice_t *ret_key, cs_slice_t *ret_value);
CS_MUST_USE cs_err_t cs_view_walk_err(const cs_view_walk_t *walk); /* why it ended */

#endif
