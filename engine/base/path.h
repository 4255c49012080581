/* path.h - paths inside a folder: components joined by '/', no leading or trailing one; bytes.
 */
#ifndef CS_BASE_PATH_H
#define CS_BASE_PATH_H

#include "base/err.h"
#include "base/str.h"

/* The engine's own directory in a folder's root; never replicated. */
#define CS_PRIVATE_DIR ".crdtsync"

/* CS_ERR_MALFORMED: empty, NUL, "//", "." or "..", or first component CS_PRIVATE_DIR.
 * CS_ERR_LIMIT: longer than CS_PATH_MAX, or a component longer than CS_NAME_MAX. */
CS_MUST_USE cs_err_t cs_path_check(cs_slice_t path);

cs_slice_t cs_path_parent(cs_slice_t path); /* empty for a path of one component */
cs_slice_t cs_path_base(cs_slice_t path);   /* the last component */

/* True if `path` lies below `dir` (not equal to it). The empty dir is the root. */
bool cs_path_is_below(cs_slice_t path, cs_slice_t dir);
/* True if `path` is `top`, or lies below it. */
bool cs_path_is_within(cs_slice_t path, cs_slice_t top);
/* The engine's own directory, or in it. */
bool cs_path_is_private(cs_slice_t path);

#endif
