/* undo.h - what a power cut takes back: everything below the watched roots that was not
 * flushed.
 *
 * A model that is harsher than the usual file systems, within what they promise:
 *
 * fsync and fdatasync make a file's bytes durable, and the entry under which it was created; of
 * a directory: the changes of its names.
 *
 * syncfs makes everything below the one root durable that the call was about: home and folder
 * count as two file systems.
 *
 * Names survive in the order in which they changed: so many, or none, or all.
 *
 * Bytes survive or not, file by file, whatever became of names: what is lost leaves the old
 * size, or the new size with zeros; EMPTIED: that the file was cut survives, and nothing that
 * was written since.
 *
 * The state is restored in place, so that inodes stay what they are (only ctime moves). One
 * thread at a time: the caller has the lock, from undo_before to undo_after. */
#ifndef CS_TESTS_UNDO_H
#define CS_TESTS_UNDO_H

#include "shim/calls.h"

typedef enum undo_data {
    UNDO_CUT_OFF,
    UNDO_ZEROS,
    UNDO_NOTHING,
    UNDO_SOME,
    UNDO_EMPTIED
} undo_data_t;

typedef struct undo_how {
    unsigned names_kept; /* in 256ths of the changes, oldest first: 0 none, 256 all */
    undo_data_t data;    /* SOME: as the bits of `seed` say, file by file */
    unsigned seed;
} undo_how_t;

/* An empty directory on the same file system, not below a root: for files that lost their last
 * name. Borrowed. */
void undo_begin(const char *stash);
void undo_before(const call_t *call);
void undo_after(const call_t *call, long result);
void undo_cut(const undo_how_t *how);
void undo_end(void); /* all that is remembered is durable now */

#endif
