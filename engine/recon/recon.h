/* recon.h - what differs between two snapshots, mine and a peer's (core.md 8).
 *
 * The differ is fed what the peer says of its digests and yields, one at a time, those that
 * only the peer has and those that only I have. It merges two sorted streams: my rows as they
 * are read, the peer's list page by page, so memory is one page whatever the size of the
 * folder. */
#ifndef CS_RECON_RECON_H
#define CS_RECON_RECON_H

#include "recon/view.h"

typedef struct cs_differ cs_differ_t;

typedef enum cs_diff {
    CS_DIFF_THEIRS, /* only the peer has it: fetch */
    CS_DIFF_MINE,   /* only I have it: push */
    CS_DIFF_MORE,   /* feed the next page first */
    CS_DIFF_END
} cs_diff_t;

typedef struct cs_diff_item {
    uint8_t item[CS_ITEM_BYTES];
    cs_bucket_t bucket; /* MINE */
} cs_diff_item_t;

cs_differ_t *cs_differ_new(const cs_view_t *view); /* the view is copied, its parts borrowed */
void cs_differ_destroy(cs_differ_t **differ_p);

/* One page of the peer's sorted digests, copied; only when the page before is used up, that is
 * after CS_DIFF_MORE. CS_ERR_MALFORMED: not ascending, or nothing was asked for; drop the peer.
 */
CS_MUST_USE cs_err_t cs_differ_list(cs_differ_t *differ, cs_slice_t digests, bool last);
/* Where the next page begins: after this digest; empty at first. */
cs_slice_t cs_differ_resume(const cs_differ_t *differ);

/* Errors are those of the store. */
CS_MUST_USE cs_err_t cs_differ_next(cs_differ_t *differ, cs_diff_t *ret,
                                    cs_diff_item_t *ret_item);

#endif
