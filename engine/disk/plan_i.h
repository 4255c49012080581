/* plan_i.h - one run of cs_plan, shared by its files; private to them.
 *
 * look     families of pending paths are compared with their base rows. What is to be shown and
 *          is not at its path becomes a want, a row of which nothing is to be shown a leave.
 *          Whoever leaves or is replaced takes along the family where his bytes are shown now,
 *          and a want the family where its bytes are on disk: so that a rename is seen from
 *          both ends.
 * resolve  a want is met by a leave (MOVE), by staged bytes, by a copy of another file, or has
 *          to wait for its bytes; leaves that no one wants are deleted.
 *
 * Moves start only at paths that are not shown any more: a path that gets other bytes is
 * replaced in one call and never missing, for a crash in between would read as a deletion. */
#ifndef CS_DISK_PLAN_I_H
#define CS_DISK_PLAN_I_H

#include "base/path.h"
#include "disk/apply.h"

/* A set of paths, or other byte strings. */
typedef struct cs_paths {
    cs_str_t **item; /* sorted; references */
    size_t len, cap;
} cs_paths_t;

bool cs__paths_add(cs_paths_t *paths, cs_slice_t path); /* false: was in it */
bool cs__paths_has(const cs_paths_t *paths, cs_slice_t path);

typedef struct cs_want {
    cs_item_t item;
    cs_item_t row;     /* replaced; path NULL: none */
    cs_str_t *copy_of; /* a file on disk with these bytes; NULL: none */
    bool staged, met;
} cs_want_t;

typedef struct cs_leave {
    cs_item_t row;
    bool taken; /* by a MOVE */
    bool waits; /* shown somewhere that cannot be dealt with now: not to be deleted yet */
} cs_leave_t;

typedef struct cs_planner {
    cs_replica_t *replica;
    const cs_plan_query_t *query;
    cs_want_t *want;
    size_t want_len, want_cap;
    cs_leave_t *leave;
    size_t leave_len, leave_cap;
    cs_steps_t modes, dirs, rmdirs; /* CHMOD, MKDIR, RMDIR */
    cs_paths_t families;            /* looked at, by the path that led there */
    cs_paths_t seen;                /* displayed paths compared */
    cs_paths_t parents;             /* directories asked after */
    cs_paths_t needed;              /* hashes of contents asked for */
    cs_str_t **queue;               /* paths whose families are to be looked at */
    size_t queue_len, queue_cap;
    cs_content_t *blocked; /* wanted at busy paths */
    size_t blocked_len, blocked_cap;
    size_t count; /* steps to expect */
    size_t needs; /* small contents to be fetched; one that two paths want is counted twice */
    uint64_t bytes;
} cs_planner_t;

/* --- plan_look.c */
CS_MUST_USE cs_err_t cs__plan_look(cs_planner_t *planner, cs_slice_t path);
bool cs__plan_is_full(const cs_planner_t *planner);

/* --- plan_resolve.c */
void cs__plan_resolve(cs_planner_t *planner, cs_steps_t *ret);

#endif
