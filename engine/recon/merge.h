/* merge.h - the difference of my digests and the peer's list of all of its own (core.md 8.2).
 *
 * Two sorted streams: my rows as they are read, the peer's list page by page, so memory is one
 * page whatever the size of the folder. */
#ifndef CS_RECON_MERGE_H
#define CS_RECON_MERGE_H

#include "recon/recon.h"

typedef struct cs_merge cs_merge_t;

cs_merge_t *cs_merge_new(const cs_view_t *view); /* the view is copied, its parts borrowed */
void cs_merge_destroy(cs_merge_t **merge_p);

/* One page of the peer's sorted digests, copied; only when the page before is used up, that is
 * after CS_DIFF_MORE. CS_ERR_MALFORMED: not ascending, or nothing was asked for. */
CS_MUST_USE cs_err_t cs_merge_list(cs_merge_t *merge, cs_slice_t digests, bool last);
/* Where the next page begins: after this digest; empty at first. */
cs_slice_t cs_merge_resume(const cs_merge_t *merge);
/* As cs_differ_next. */
CS_MUST_USE cs_err_t cs_merge_next(cs_merge_t *merge, cs_diff_t *ret, cs_diff_item_t *ret_item);

#endif
