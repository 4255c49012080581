/* apply_run.h - one run of cs_apply, shared by the files that perform it; private to them.
 *
 *   check   the folder is there
 *   stage   bytes of every WRITE wait in .crdtsync/tmp, with mode and mtime
 *   log     what is about to enter the trash, and whence, in .crdtsync/trash/<group>/log
 *   flush
 *   go      the caller says that names may change
 *   names   deletions, moves, directories away, directories, writes, modes; STRICT: each
 *           flushed before the next
 *   flush
 *
 * Every change of a name is one system call that leaves the old or the new file there, and
 * every file that lost its name is in the trash at once, under a number that the log explains.
 * So a crash needs no repair but that of trash_sweep.c. A file that must leave its name before
 * its new one is free (a path turns from file to directory, or back) waits in the trash as
 * "<number>t". */
#ifndef CS_DISK_APPLY_RUN_H
#define CS_DISK_APPLY_RUN_H

#include "base/mutation.h"
#include "base/path.h"
#include "disk/apply.h"
#include "disk/flush.h"

#define CS_TMP_DIR   CS_PRIVATE_DIR "/tmp"
#define CS_TRASH_DIR CS_PRIVATE_DIR "/trash"

/* What the run knows about a step. */
typedef struct cs_work {
    cs_buf_t home;    /* where the bytes of a WRITE wait, or of a MOVE that was taken away */
    cs_stat_t staged; /* of what will be at the path: the file in `home`, or the moved one */
    bool is_copy;     /* `home` is a copy of our own: removed if it is not used */
    bool taken;       /* MOVE: left its name, waits in `home` */
    bool done;        /* its names were changed, or need no change */
} cs_work_t;

typedef struct cs_run {
    const cs_apply_config_t *config;
    cs_fs_t *fs;
    cs_steps_t *steps;
    cs_work_t *work;             /* one a step */
    cs_buf_t group;              /* directory of this run in the trash; empty: none */
    cs_content_hasher_t *hasher; /* made when first needed, as the buffer */
    uint8_t *buffer;
    bool few;           /* what was to be done when the bytes were flushed: a few WRITEs */
    cs_err_t flush_err; /* of STRICT, between names: no other name is changed */
} cs_run_t;

/* --- apply_fs.c: what several phases need of the file system */

/* A lost race with the user is CHANGED, whatever it looked like. */
cs_err_t cs__apply_raced(cs_err_t err);
/* Whether `st` is the file of a base row. ctime counts only while we changed no name of it. */
bool cs__apply_is(const cs_run_t *run, const cs_stat_t *st, uint8_t kind, uint16_t mode,
                  const cs_print_t *print, bool with_ctime);
/* Whether the file at `at` is still that of the replaced row. */
bool cs__apply_expects(const cs_run_t *run, const cs_step_t *step, cs_slice_t at,
                       bool with_ctime);
/* The same of a file that was taken from its name. A row without a ctime was seen within a
 * clock tick of its last write: another one may have left the same print, so that the bytes are
 * read. */
bool cs__apply_came_out(const cs_run_t *run, const cs_step_t *step, cs_slice_t at);
/* Whether the other file that has the bytes is where it should be: a user may have moved it
 * here. */
bool cs__apply_has_twin(const cs_run_t *run, const cs_step_t *step);
/* A WRITE that shares nothing with others: staged bytes get a name that is free. */
bool cs__apply_is_plain(const cs_run_t *run, size_t index);
typedef void cs__apply_each_t(cs_run_t *run, size_t index);
/* Calls each for those that are, several at a time perhaps. */
void cs__apply_all_plain(cs_run_t *run, cs__apply_each_t *each);
uint16_t cs__apply_disk_mode(const cs_run_t *run, uint16_t mode);
cs_err_t cs__apply_make_parents(cs_fs_t *fs, cs_slice_t path);
/* Never replaces: EXISTS. Makes missing parents of `to`. */
cs_err_t cs__apply_rename_new(cs_fs_t *fs, cs_slice_t from, cs_slice_t to);

/* --- apply_stage.c */
void cs__apply_stage(cs_run_t *run);
/* Verified; AGAIN: `from` cannot be read, or has other bytes; then there is nothing at `to`. */
cs_err_t cs__apply_copy(cs_run_t *run, cs_slice_t from, cs_slice_t to,
                        const cs_content_t *want);
void cs__apply_unstage(cs_run_t *run); /* removes unused copies */

/* --- apply_trash.c */
cs_err_t cs__apply_open_group(cs_run_t *run); /* if some step may need it */
void cs__apply_close_group(cs_run_t *run);    /* removes it if nothing entered */
void cs__apply_flush_log(const cs_run_t *run, cs_flush_t *flush);
/* Behind the number of a step, in the name of its file in the trash (trash_log.h). */
typedef enum cs_trash_mark {
    CS_TRASH_OLD = 0,
    CS_TRASH_TAKEN = 't',
    CS_TRASH_USERS = 'u'
} cs_trash_mark_t;
void cs__apply_entry(const cs_run_t *run, size_t index, cs_trash_mark_t mark, cs_buf_t *ret);
/* What came out of `path` is a user's, whose print need not show it: back to its name, or, if
 * that is taken by now, marked for the next sweep, which gives it back beside it. */
void cs__apply_give_back(cs_run_t *run, size_t index, cs_slice_t entry, cs_slice_t path);
void cs__apply_set_aside(cs_run_t *run, size_t index, cs_slice_t entry);

/* --- apply_move.c, apply_dirs.c, apply_put.c: each sets the step's err, and print if it is
 * CS_OK */
void cs__apply_delete(cs_run_t *run, size_t index);
void cs__apply_move_dirs(cs_run_t *run); /* whole directories at once, where all agree */
void cs__apply_move(cs_run_t *run, size_t index);
void cs__apply_put(cs_run_t *run, size_t index); /* what waits in `home` -> its path */
void cs__apply_settle(cs_run_t *run, size_t index);
/* What a base row may say of a file that apply has just named or given a mode. */
cs_print_t cs__apply_vouch(const cs_run_t *run, const cs_print_t *print);

#endif
