/* commands_count.h - what a folder shows and lacks, counted in turns. Private to commands*.c
 * and daemon_progress.c.
 */
#ifndef CS_IO_COMMANDS_COUNT_H
#define CS_IO_COMMANDS_COUNT_H

#include "io/commands_internal.h"

/* A file that cannot come for now. */
typedef struct cs_stuck {
    cs_str_t *path; /* owned */
    cs_why_t why;
    char by[65]; /* MISSING: who wrote it */
} cs_stuck_t;

#define CS_STUCK_LIST_MAX                                              \
    1000u /* named in `status`; more are counted, as a scan's troubles \
           */

typedef struct cs_count {
    uint32_t folder; /* number */
    bool quick;      /* approximate where exact costs much: for a screen that is drawn again */
    /* out */
    cs_tree_count_t tree;
    uint64_t needed_files, needed_bytes;
    bool estimated;    /* needed_bytes: so many are pending that only some were looked at */
    cs_stuck_t *stuck; /* owned */
    size_t stuck_len, stuck_cap;
    uint64_t stuck_total;
    /* within */
    bool begun, tree_done, paths_done, done;
    uint64_t began_ms, looked;
    uint64_t lacking, small_bytes; /* of the paths that were looked at */
    cs_base_walk_t walk;
    cs_buf_t last; /* pending path that was looked at, and its end */
} cs_count_t;

void cs__count_fini(cs_count_t *count);
/* Goes on until it is done, or the turn is over. A folder that is gone counts as done. */
CS_MUST_USE cs_err_t cs__count_turn(cs_daemon_t *daemon, cs_count_t *count, uint64_t until_ms);
/* "transfers": the large files on their way, each with its rate and the time left. */
void cs__put_transfers(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_json_t *json);
/* "missing content", "no space left on the disk", ... */
const char *cs__why_text(const cs_why_t *why);

#endif
