/* trash.h - what others' changes replaced or deleted: .crdtsync/trash, within its bounds. */
#ifndef CS_DISK_TRASH_H
#define CS_DISK_TRASH_H

#include "disk/apply.h"

/* Trash: a file that a process wrote to after it was put there (it held it open), or that a
 * crash left on its way, is given back: to `path`, or beside what is there now, under the name
 * that a sibling would have. `late` hears where it is, so that it is scanned. Then the oldest
 * beyond the bounds are dropped. Looks at every file: for full scans, not for each small one.
 * sink may be NULL; its `keep` is not called. */
CS_MUST_USE cs_err_t cs_trash_sweep(const cs_apply_config_t *config,
                                    const cs_cleanup_sink_t *sink);
/* Contents that the trash has are staged, as copies; `found` hears of each. */
CS_MUST_USE cs_err_t cs_trash_find(const cs_apply_config_t *config, const cs_content_t *wanted,
                                   size_t count,
                                   void (*found)(void *arg, const cs_content_t *content),
                                   void *arg);

/* --- for people */
typedef struct cs_trash_item {
    cs_slice_t path; /* where it was */
    cs_slice_t at;   /* where it is, below .crdtsync/trash */
    cs_stat_t stat;  /* its ctime is when it was put there, where the file system tells */
} cs_trash_item_t;
/* The newest first, until `each` says false. */
CS_MUST_USE cs_err_t cs_trash_each(cs_fs_t *fs, void *arg,
                                   bool (*each)(void *arg, const cs_trash_item_t *item));
/* Takes the newest file that was at `what`, or the one in the trash that `what` names itself,
 * out to `to` (empty: to where it was); ret_to (initialised) says where. It is a user's file
 * from then on, for a scan to find. CS_ERR_NOT_FOUND: none; CS_ERR_EXISTS: something is there,
 * and stays. */
CS_MUST_USE cs_err_t cs_trash_restore(cs_fs_t *fs, cs_slice_t what, cs_slice_t to,
                                      cs_buf_t *ret_to, cs_stat_t *ret);

#endif
