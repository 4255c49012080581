/* faults.h - what a preloaded library does to a node, told from outside while it runs.
 *
 * The test maps a file, whose name the node gets as CRDTSYNC_FAULTS, and writes this into it:
 * chosen system calls on chosen files fail, and the wall clock is another one. */
#ifndef CS_TESTS_FAULTS_H
#define CS_TESTS_FAULTS_H

#include <stdint.h>

#define FAULTS_ENV "CRDTSYNC_FAULTS"

#define FAULT_OPEN   1u
#define FAULT_READ   2u
#define FAULT_WRITE  4u
#define FAULT_SYNC   8u
#define FAULT_RENAME 16u
#define FAULT_MKDIR  32u
#define FAULT_LIST   64u  /* a directory: at once */
#define FAULT_LATER  128u /* a directory: once some of it was read */
#define FAULT_STAT   256u
#define FAULT_UNLINK 512u /* of files and of directories */
#define FAULT_RESIZE 1024u

typedef struct faults {
    _Atomic uint32_t calls; /* these fail, ... */
    int32_t error;          /* ... with this errno, ... */
    char path[256];         /* ... where the file's full path contains this */
    _Atomic uint32_t hits;  /* how many did */
    _Atomic int64_t wall_s; /* added to the wall clock */
} faults_t;

#endif
