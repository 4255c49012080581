/* flush.h - what a power cut must not take back, gathered to be flushed at once.
 *
 * Programs write without waiting for the disk, and flushing a file system waits for all of
 * them. So where a few files changed they are named one by one, with the directories that lead
 * to them: without those a file may have lost its name. */
#ifndef CS_DISK_FLUSH_H
#define CS_DISK_FLUSH_H

#include "disk/fs.h"

#define CS_FLUSH_PATHS_MAX 24u /* a flush each; more are flushed with all else */

/* Zero-initialised: nothing. */
typedef struct cs_flush {
    cs_str_t *path[CS_FLUSH_PATHS_MAX]; /* owned references */
    size_t len;
    bool all; /* more than can be named */
} cs_flush_t;

void cs_flush_all(cs_flush_t *flush);
/* The bytes, mode and times of a file, or the names in a directory; "": the root. */
void cs_flush_add(cs_flush_t *flush, cs_slice_t path);
/* The name `path`, there or gone: that is, the directories above it. */
void cs_flush_name(cs_flush_t *flush, cs_slice_t path);
bool cs_flush_is_empty(const cs_flush_t *flush);
/* Empties it, whatever comes of it. */
CS_MUST_USE cs_err_t cs_flush_run(cs_flush_t *flush, cs_fs_t *fs);
void cs_flush_fini(cs_flush_t *flush);

#endif
