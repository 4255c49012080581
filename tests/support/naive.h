/* naive.h - the projection of a whole state, straight from core.md section 4: slow and obvious.
 */
#ifndef CS_TESTS_NAIVE_H
#define CS_TESTS_NAIVE_H

#include "support/peer.h"

/* Replaces ret (initialised): "path|eff|content|mode|rank|backs" lines, sorted by path. */
void cs_naive_project(cs_peer_t *peer, cs_buf_t *ret);
/* The same text from the incremental projection. */
void cs_family_project(cs_peer_t *peer, cs_buf_t *ret);

#endif
