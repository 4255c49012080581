/* spy_fs.h - a file system between the engine and a real one, where something happens before
 * the n-th call: a user acts, or the power fails. */
#ifndef CS_TESTS_SPY_FS_H
#define CS_TESTS_SPY_FS_H

#include "disk/fs.h"

typedef struct spy_fs {
    cs_fs_t fs;    /* what the engine is given */
    cs_fs_t *real; /* borrowed */
    size_t calls;  /* made so far, but for close */
    size_t at;     /* number of the call to act before, from 1; 0: never */
    void (*act)(
        void *arg); /* NULL: from then on nothing happens, and every call fails: a crash */
    void *arg;
    bool crashed;
    bool no_links;    /* as on FAT */
    bool flushes;     /* sync reaches the real one */
    size_t syncs;     /* calls of sync */
    size_t names;     /* names of the tree that were changed since the last of them, ... */
    size_t names_max; /* ... and the most that ever were */
    int64_t clock_ahead_ns; /* a scan takes it to be so much later: files seem to be at rest */
} spy_fs_t;

/* Flushing is skipped, unless `flushes`: few tests can tell, and many runs would wait for the
 * disk. */
void spy_fs_init(spy_fs_t *spy, cs_fs_t *real);

#endif
