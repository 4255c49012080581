/* dirty.h - which paths to look at, and when: what a watcher noticed, until it is handed over.
 *
 * Nothing here is believed: a path is a hint, and the scan that follows decides by the disk. So
 * hints may be merged, widened or given late, but none may be dropped. Time comes in as a
 * number.
 *
 *   DONE     a name is complete (closed, moved here, a mode): at once, with what comes within
 *            CS_DIRTY_TOGETHER_MS
 *   WRITING  somebody writes: when it is closed (DONE), or quiet for CS_DIRTY_QUIET_MS, or
 * after CS_DIRTY_LONG_MS, then ever later, if it is never quiet GONE     a name vanished: often
 * it comes back at once, when an editor saves MADE     a new directory: at once, unless
 * something comes into it, which says it all
 *
 * A path that was handed over rests before it is handed over again, longer each time while it
 * changes during its rests. More than CS_DIRTY_MAX paths become their directories, as whole
 * trees; then the directories above; then everything. */
#ifndef CS_NODE_DIRTY_H
#define CS_NODE_DIRTY_H

#include "base/str.h"

CS_HEADER_BEGIN

#define CS_DIRTY_MAX         4096u  /* paths; with CS_PATH_MAX each, 16 MiB at worst */
#define CS_DIRTY_RESTING_MAX 1024u  /* paths whose last hand-over is remembered */
#define CS_DIRTY_TOGETHER_MS 2u     /* a save is a handful of calls within a millisecond */
#define CS_DIRTY_GONE_MS     30u    /* an editor flushes between moving away and writing anew */
#define CS_DIRTY_QUIET_MS    100u   /* of a file still open for writing (limits.md) */
#define CS_DIRTY_LONG_MS     1000u  /* without quiet, ... */
#define CS_DIRTY_LONG_MAX_MS 30000u /* ... doubled up to this */
#define CS_DIRTY_REST_MS     50u    /* between hand-overs of one path, ... */
#define CS_DIRTY_REST_MAX_MS 500u   /* ... doubled up to this */
#define CS_DIRTY_RECENT_MS   2000u  /* so long without a change, and it starts anew */

typedef enum cs_dirty_kind {
    CS_DIRTY_DONE,
    CS_DIRTY_WRITING,
    CS_DIRTY_GONE,
    CS_DIRTY_MADE
} cs_dirty_kind_t;

typedef struct cs_dirty cs_dirty_t;
cs_dirty_t *cs_dirty_new(void);
void cs_dirty_destroy(cs_dirty_t **dirty_p);

/* path: "" is everything. is_new: the name was not there before. */
void cs_dirty_add(cs_dirty_t *dirty, cs_slice_t path, cs_dirty_kind_t kind, bool is_new,
                  uint64_t now_ms);
/* A rename: both are handed over together, so that the scan sees a move. Late, as GONE, but at
 * once if `from` was new: then it is how editors save. */
void cs_dirty_move(cs_dirty_t *dirty, cs_slice_t from, cs_slice_t to, uint64_t now_ms);
void cs_dirty_add_all(cs_dirty_t *dirty, uint64_t now_ms); /* hints were lost */

/* Nothing is due before this: the last scan took long. */
void cs_dirty_rest_until(cs_dirty_t *dirty, uint64_t at_ms);
/* When to ask again; UINT64_MAX: nothing is dirty. May be early. */
uint64_t cs_dirty_due(const cs_dirty_t *dirty);
size_t cs_dirty_count(const cs_dirty_t *dirty);  /* paths that wait */
size_t cs_dirty_memory(const cs_dirty_t *dirty); /* and those that are remembered */

typedef struct cs_dirty_batch {
    bool all;
    cs_str_t **path; /* owned references; sorted bytewise */
    size_t count;
} cs_dirty_batch_t;
void cs_dirty_batch_fini(cs_dirty_batch_t *batch);

/* What is due. False: nothing; ret is zeroed. */
bool cs_dirty_take(cs_dirty_t *dirty, uint64_t now_ms, cs_dirty_batch_t *ret);

CS_HEADER_END

#endif
