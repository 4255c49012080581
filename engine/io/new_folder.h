/* new_folder.h - a path becomes a replica: `folder add` and `join`. */
#ifndef CS_IO_NEW_FOLDER_H
#define CS_IO_NEW_FOLDER_H

#include "io/daemon_internal.h"

typedef struct cs_new_folder {
    const char *id;
    const char *path;      /* absolute, without "." and ".." */
    const uint8_t *secret; /* CS_SECRET_BYTES */
    bool modes_exec;
} cs_new_folder_t;

/* May it be one? ret_real (owned): its path with all links resolved, which need not exist yet.
 * CS_ERR_EXISTS: the id is taken, or the path contains, or lies in, a folder or a home. */
CS_MUST_USE cs_err_t cs_new_folder_check(cs_daemon_t *daemon, const char *id, const char *path,
                                         char **ret_real, cs_buf_t *ret_detail);

/* Checks, makes missing directories, marks it, keeps its record and lets it run. On failure no
 * record and no marker is left. */
CS_MUST_USE cs_err_t cs_new_folder_make(cs_daemon_t *daemon, const cs_new_folder_t *folder,
                                        cs_buf_t *ret_detail);

#endif
