/* apply.h - makes the disk show what the projection says, and never loses a byte of the user's
 * (core.md 5.6).
 *
 * plan    (core thread)  pending paths -> steps, and contents that must be fetched first
 * perform (worker)       steps -> system calls, in groups: one flush before names change, one
 *                        after; names wait until what the steps follow from is durable
 * record  (core thread)  results -> base rows
 *
 * A replaced or deleted file is moved to .crdtsync/trash and compared with the base row after
 * the move; if the user won the race it goes back, and the path is scanned before it is tried
 * again. */
#ifndef CS_DISK_APPLY_H
#define CS_DISK_APPLY_H

#include "base/tasks.h"
#include "disk/fs.h"
#include "xfer/content.h"

CS_HEADER_BEGIN

typedef enum cs_step_kind {
    CS_STEP_WRITE,  /* staged bytes, or a local copy of `from`, or a symlink -> path */
    CS_STEP_MOVE,   /* from -> path: bytes that are here already */
    CS_STEP_DELETE, /* path -> trash */
    CS_STEP_CHMOD,  /* mode only */
    CS_STEP_MKDIR,  /* an empty directory with a marker */
    CS_STEP_RMDIR,  /* a directory that nothing implies any more; NOT_EMPTY is no failure */
    CS_STEP_VERIFY  /* is the file still that of the row? Then the row learns its twins */
} cs_step_kind_t;

typedef struct cs_step {
    cs_step_kind_t kind;
    cs_item_t item; /* what the base row will be: path, content, attr, mtime, backing; owned */
    cs_str_t
        *from; /* MOVE: source path; WRITE: a path on disk with equal bytes to copy, or NULL */
    bool replaces; /* a base row exists at the path: what it says */
    cs_content_t expect_content;
    uint16_t expect_mode;
    cs_print_t expect; /* without a ctime the bytes are read before they are believed */
    cs_item_t twin; /* where the bytes that leave are wanted and said to be: its row; path NULL:
                       none. Owned */
    cs_print_t from_print; /* MOVE: print and mode of the source's base row */
    uint16_t from_mode;
    /* result */
    cs_err_t err; /* CS_OK; CS_ERR_CHANGED: the user won, rescan the path; LOCAL errors: report,
                     retry */
    cs_print_t print;   /* CS_OK: of what is at the path now; in `item` as well */
    bool kept;          /* a WRITE that failed, whose copy of `from` is now staged */
    bool idle;          /* an RMDIR that did nothing: there is something in it, or it is gone */
    size_t blocked_len; /* CHANGED: so many bytes of the path name a file where a directory
                           should be; or 0 */
} cs_step_t;

typedef struct cs_steps {
    cs_step_t *item; /* owned */
    size_t len, cap;
} cs_steps_t;
void cs_steps_fini(cs_steps_t *steps);
cs_step_t *cs_steps_add(cs_steps_t *steps, cs_step_kind_t kind); /* zeroed otherwise */

typedef struct cs_plan_query {
    void *arg;
    /* Is this content complete and verified in .crdtsync/tmp? */
    bool (*staged)(void *arg, const cs_content_t *content);
    /* The content of this item must be fetched; called at most once per content and plan. */
    void (*need)(void *arg, const cs_item_t *item);
    /* Small contents to be fetched; with so many of them a plan is full. 0: no bound. */
    size_t needs_max;
    /* Ignored paths are not materialised and their rows stay as they are; may be NULL. */
    bool (*ignored)(void *arg, cs_slice_t path);
    /* Paths that a scan must see first: left for another plan; may be NULL. */
    bool (*busy)(void *arg, cs_slice_t path);
} cs_plan_query_t;

/* Look at pending paths from *cursor on, until CS_GROUP_FILES_MAX steps or CS_GROUP_BYTES_MAX
 * bytes are planned, needs_max contents are to be fetched, `paths_max` paths were looked at, or
 * there are no more (cursor empty then). Paths that already agree are settled. What the replica
 * knows must be durable before the steps are performed: after a crash the next scan compares
 * the disk with it. */
CS_MUST_USE cs_err_t cs_plan(cs_replica_t *replica, const cs_plan_query_t *query,
                             size_t paths_max, cs_buf_t *cursor, cs_steps_t *ret);

/* The same for these paths only, parked or not, until the plan is full; *ret_looked of them
 * were looked at, and are parked no more unless `need` does. */
CS_MUST_USE cs_err_t cs_plan_paths(cs_replica_t *replica, const cs_plan_query_t *query,
                                   cs_str_t *const *paths, size_t count, size_t *ret_looked,
                                   cs_steps_t *ret);

#define CS_TRASH_UNCOUNTED UINT64_MAX
#define CS_TRASH_AUTO      UINT64_MAX /* a tenth of the file system, at most 10 GiB */

/* What is known of the trash from run to run. */
typedef struct cs_trash_count {
    uint64_t next;  /* number of the next group; 0: to be looked for */
    uint64_t bytes; /* in it: set by a sweep, raised by cs_apply, which then drops the oldest
                       beyond the bounds. CS_TRASH_UNCOUNTED: not known */
    uint64_t over;  /* files beyond the bounds for which a sweep took no time: cs_apply drops
                       so many of the oldest, CS_TRASH_DROPS_MAX at a time, steps or none */
} cs_trash_count_t;

typedef struct cs_apply_config {
    cs_fs_t *fs;
    const cs_chunker_table_t *table;
    cs_modes_t modes;
    cs_durability_t durability;
    uint64_t trash_bytes_max;
    cs_trash_count_t *trash; /* NULL: the caller keeps none */
    /* Asked once, when all bytes are there and flushed and no name has changed yet; may wait.
     * False: none may change. NULL: they may. */
    bool (*go)(void *arg);
    void *go_arg;
    cs_all_fn *all; /* for what the steps of a group have not in common; NULL: in turn */
} cs_apply_config_t;

/* Perform all steps; each gets its err and print. The return value is only about the folder as
 * a whole (NOT_MOUNTED, IO at flush: then no step may be recorded; AGAIN: `go` said no, and
 * nothing was changed). */
CS_MUST_USE cs_err_t cs_apply(const cs_apply_config_t *config, cs_steps_t *steps);

/* Record the results in the base table; changed paths are handed to `rescan`. */
void cs_record(cs_replica_t *replica, const cs_steps_t *steps,
               void (*rescan)(void *arg, cs_slice_t path), void *arg);

/* --- staging: .crdtsync/tmp/<64 hex of the content hash> */
void cs_staged_path(const cs_content_t *content,
                    cs_buf_t *ret); /* NUL-terminated relative path */
/* What else the file will get that is made of a content. */
typedef struct cs_dress {
    uint16_t mode; /* cs_mode_on_disk */
    int64_t mtime_ns;
} cs_dress_t;
/* Whole small contents, verified against the hash by who hands them over: written, not flushed.
 * dress: NULL where nobody knows yet; apply looks, and does what is missing. */
CS_MUST_USE cs_err_t cs_stage_small(cs_fs_t *fs, const cs_content_t *content, cs_slice_t bytes,
                                    const cs_dress_t *dress);

/* After a start, before the first scan: what a crash left in .crdtsync/tmp. A complete content
 * (its bytes were read and have the hash of its name) is handed over with `content`, anything
 * else (partial files) without; what `keep` refuses, or all if it is NULL, is removed. Then the
 * trash is swept. */
typedef struct cs_cleanup_sink {
    void *arg;
    bool (*keep)(void *arg, cs_slice_t name, const cs_content_t *content);
    void (*late)(void *arg, cs_slice_t path,
                 cs_slice_t now_at); /* as of cs_trash_sweep; may be NULL */
    /* Apply took the file of this print from `path`, newest groups first; may be NULL. */
    void (*took)(void *arg, cs_slice_t path, const cs_print_t *print);
} cs_cleanup_sink_t;
CS_MUST_USE cs_err_t cs_apply_cleanup(const cs_apply_config_t *config,
                                      const cs_cleanup_sink_t *sink);

CS_HEADER_END

#endif
