/* walk.h - a tree in bytewise order of full paths.
 *
 * A path sorts like any string of bytes, '/' included, as the store iterates. What is below a
 * directory "a" therefore does not follow "a" at once: "a", "a-b", "a.b", "a/x", "a0". So a
 * directory occurs twice in the sorted listing of its parent: as "a" (ENTRY) and as "a/"
 * (BELOW), where its own listing begins, if the caller enters it. Memory: the listings of the
 * directories on the current path. */
#ifndef CS_DISK_WALK_H
#define CS_DISK_WALK_H

#include "disk/fs.h"

typedef enum cs_walk_what {
    CS_WALK_ENTRY, /* something is at path, or err says why that is not known */
    CS_WALK_BELOW, /* the place of what is below the directory `path`: cs_walk_enter, or pass by
                    */
    CS_WALK_LEAVE, /* all below the directory entered was seen */
    CS_WALK_END
} cs_walk_what_t;

typedef struct cs_walk_event {
    cs_walk_what_t what;
    cs_slice_t path; /* borrowed until the next call; "" is the root */
    cs_err_t err;    /* of stat; NAME: the path is too long */
    cs_stat_t stat;  /* if err is CS_OK; not for LEAVE */
    bool pruned;     /* BELOW: cs_walk_prune was called at the ENTRY */
    bool top;        /* one of the paths given, not found in a listing */
    bool parent; /* ENTRY, top: nothing is at a path given, and this is the directory where it
                    was missed first; there is no BELOW */
} cs_walk_event_t;

typedef struct cs_walk cs_walk_t;
cs_walk_t *cs_walk_new(cs_fs_t *fs);
void cs_walk_destroy(cs_walk_t **walk_p);

/* The whole tree without CS_PRIVATE_DIR, in which the root is entered already. */
CS_MUST_USE cs_err_t cs_walk_begin_all(cs_walk_t *walk);
/* These files and subtrees; sorted bytewise. Each has an ENTRY and a BELOW, whatever is there.
 */
void cs_walk_begin_paths(cs_walk_t *walk, const cs_slice_t *paths, size_t count);

void cs_walk_next(cs_walk_t *walk, cs_walk_event_t *ret);
/* After an ENTRY: its BELOW shall say so. */
void cs_walk_prune(cs_walk_t *walk);
/* After the ENTRY or BELOW of a directory: has it no entries at all? */
CS_MUST_USE cs_err_t cs_walk_is_empty(cs_walk_t *walk, bool *ret);
/* After the BELOW of a directory. Failure: not entered, and no LEAVE. */
CS_MUST_USE cs_err_t cs_walk_enter(cs_walk_t *walk);

#endif
