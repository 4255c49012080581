/* fs_linux.h - the file system interface on Linux (disk/fs.h).
 *
 * Every path is resolved by openat2 below the root's descriptor with RESOLVE_BENEATH and
 * RESOLVE_NO_SYMLINKS, or its parent is and the last component is used without following.
 * Nothing is cached between calls: a directory that was moved away must not be written into.
 * Calls on one cs_fs_t may come from several threads, except probing: at open, and when
 * .crdtsync/tmp is made.
 *
 * An open root keeps a file system from being unmounted: close it when the folder rests for
 * long. */
#ifndef CS_IO_FS_LINUX_H
#define CS_IO_FS_LINUX_H

#include "disk/fs.h"

CS_HEADER_BEGIN

/* root: an absolute path, or one relative to a working directory that does not change; symbolic
 * links in it are followed. Features are probed in .crdtsync/tmp, now if it exists, else when
 * it is made; until then none is claimed. NOT_FOUND, NOT_DIR, DENIED, IO; UNSUPPORTED: no
 * openat2. */
CS_MUST_USE cs_err_t cs_fs_linux_open(const char *root, cs_fs_t **ret);

/* Is its file system one whose word about holes is believed? fd: of anything on it. */
bool cs_fs_linux_tells_holes(int fd);

/* What was probed below a root that is opened again and again, and in which .crdtsync/tmp. */
typedef struct cs_fs_known {
    cs_print_t tmp; /* only what stays as it is while the directory is in use */
    cs_fs_features_t features;
} cs_fs_known_t;

/* The same; nothing is probed if `known` (zeroed at first) tells what would be found. */
CS_MUST_USE cs_err_t cs_fs_linux_open_known(const char *root, cs_fs_known_t *known,
                                            cs_fs_t **ret);

CS_HEADER_END

#endif
