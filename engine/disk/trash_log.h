/* trash_log.h - what the files of one group of the trash are; private to disk.
 *
 *   .crdtsync/trash/<group>/log    records of all that the run may put here, written before it
 * does .crdtsync/trash/<group>/<i>    the file that step i took from `path`
 *   .crdtsync/trash/<group>/<i>t   the file that step i took from `from`, on its way to `path`
 *   .crdtsync/trash/<group>/<i>u   a user's file, seen to be that, whose name `path` was taken
 *
 * <group> is 16 hex digits, growing. A file <i> as `expect` says is what should be in the
 * trash. One as `staged` says never got to its path. Anything else is the work of a user, to be
 * given back. */
#ifndef CS_DISK_TRASH_LOG_H
#define CS_DISK_TRASH_LOG_H

#include "disk/apply_run.h"
#include "disk/trash.h"

typedef struct cs_trash_record {
    size_t index;
    cs_slice_t path, from;     /* borrowed; `from` empty: none */
    cs_print_t expect, staged; /* zeros: none */
} cs_trash_record_t;

void cs__trash_log_begin(cs_buf_t *log);
void cs__trash_log_add(cs_buf_t *log, const cs_trash_record_t *record);
void cs__trash_log_end(cs_buf_t *log);

/* A log read back. Records are in the order of their indices and borrow from `bytes`. */
typedef struct cs_trash_log {
    cs_buf_t bytes;
    cs_trash_record_t *record;
    size_t len;
} cs_trash_log_t;

/* Decodes log->bytes. CORRUPT: no records. */
CS_MUST_USE cs_err_t cs__trash_log_decode(cs_trash_log_t *log);
/* Empty if it cannot be read: then all stays until there is no room. */
void cs__trash_log_read(cs_fs_t *fs, cs_slice_t group, cs_trash_log_t *ret);
const cs_trash_record_t *cs__trash_log_find(const cs_trash_log_t *log,
                                            size_t index); /* NULL: none */
void cs__trash_log_fini(cs_trash_log_t *log);

/* The numbers of all groups, newest first; *ret is the caller's. */
CS_MUST_USE cs_err_t cs__trash_groups(cs_fs_t *fs, uint64_t **ret, size_t *ret_len);
/* "<index>" and a mark; false: no name of ours. */
bool cs__trash_read_name(const cs_str_t *name, size_t *ret_index, cs_trash_mark_t *ret_mark);
void cs__trash_group_path(uint64_t number, cs_buf_t *ret);
/* 0: not the name of a group. */
uint64_t cs__trash_group_number(cs_slice_t name);
/* The greatest number there is, 0 if none. */
CS_MUST_USE cs_err_t cs__trash_last(cs_fs_t *fs, uint64_t *ret);

static inline bool cs__trash_is_counted(const cs_apply_config_t *config)
{
    return config->trash != NULL && config->trash->bytes != CS_TRASH_UNCOUNTED;
}

/* Drops the oldest beyond the bounds, by what is counted: looks at them alone. The newest
 * group stays until there is another: were apply to end before its rows are written, the next
 * scan learns from it what apply took. */
void cs__trash_trim(const cs_apply_config_t *config);
/* cs_trash_sweep; is_start: after a crash perhaps, so that a path may be empty that was not to
 * be. */
CS_MUST_USE cs_err_t cs__trash_sweep(const cs_apply_config_t *config, bool is_start,
                                     const cs_cleanup_sink_t *sink);

#endif
