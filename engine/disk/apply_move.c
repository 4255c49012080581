/* apply_move.c - files that leave their names: into the trash, or to another path. */
#include "disk/apply_run.h"

static cs_err_t look(cs_run_t *run, const cs_step_t *step)
{
    cs_stat_t st;
    cs_err_t err = run->fs->ops->stat(run->fs, cs_slice_str(step->from), &st);
    if (err != CS_OK) return cs__apply_raced(err);
    bool same = cs__apply_is(run, &st, step->item.content.kind, step->from_mode,
                             &step->from_print, true);
    return same ? CS_OK : CS_ERR_CHANGED;
}

static cs_err_t delete_one(cs_run_t *run, size_t index, cs_slice_t entry)
{
    const cs_step_t *step = &run->steps->item[index];
    cs_slice_t path = cs_slice_str(step->item.path);
    if (!cs__apply_expects(run, step, path, true)) return CS_ERR_CHANGED;
    if (!cs__apply_has_twin(run, step)) return CS_ERR_CHANGED;
    cs_err_t err = cs__apply_raced(cs__apply_rename_new(run->fs, path, entry));
    if (err != CS_OK || CS_MUT(DELETE_BLIND)) return err;
    if (cs__apply_came_out(run, step, entry)) return CS_OK;
    cs__apply_give_back(run, index, entry, path);
    return CS_ERR_CHANGED;
}

void cs__apply_delete(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    cs_buf_t entry = {0};
    cs__apply_entry(run, index, CS_TRASH_OLD, &entry);
    step->err = delete_one(run, index, cs_buf_slice(&entry));
    run->work[index].done = step->err == CS_OK;
    cs_buf_fini(&entry);
}

/* from -> to, and a second look there. EXISTS, NOT_DIR: `to` is not free; nothing was done. */
static cs_err_t shift(cs_run_t *run, const cs_step_t *step, cs_slice_t to, cs_stat_t *ret)
{
    cs_slice_t from = cs_slice_str(step->from);
    cs_err_t err = cs__apply_rename_new(run->fs, from, to);
    if (err != CS_OK) return err;
    err = run->fs->ops->stat(run->fs, to, ret);
    if (err == CS_OK && cs__apply_is(run, ret, step->item.content.kind, step->from_mode,
                                     &step->from_print, false)) {
        return CS_OK;
    }
    /* Touched between the look and the rename. If its name is taken by now it stays: a sweep of
     * the trash gives it back, and elsewhere a scan finds it. */
    (void)cs__apply_rename_new(run->fs, to, from);
    return CS_ERR_CHANGED;
}

static bool is_directory(cs_fs_t *fs, cs_slice_t path)
{
    cs_stat_t st;
    return fs->ops->stat(fs, path, &st) == CS_OK && st.type == CS_NODE_DIR;
}

/* Directly if the target is free. A directory there, or a file on the way, may leave in this
 * very run: then the file waits aside until cs__apply_put. */
static cs_err_t move_one(cs_run_t *run, size_t index)
{
    const cs_step_t *step = &run->steps->item[index];
    cs_work_t *work = &run->work[index];
    cs_slice_t to = cs_slice_str(step->item.path);
    cs_err_t err = look(run, step);
    if (err != CS_OK) return err;
    if (!step->replaces) {
        err = shift(run, step, to, &work->staged);
        if (err == CS_OK) {
            work->done = true;
            cs__apply_settle(run, index);
            return step->err;
        }
        bool may_wait = err == CS_ERR_NOT_DIR || err == CS_ERR_ESCAPES ||
                        (err == CS_ERR_EXISTS && is_directory(run->fs, to));
        if (!may_wait) return cs__apply_raced(err);
    }
    cs__apply_entry(run, index, CS_TRASH_TAKEN, &work->home);
    err = cs__apply_raced(shift(run, step, cs_buf_slice(&work->home), &work->staged));
    work->taken = err == CS_OK;
    return err;
}

void cs__apply_move(cs_run_t *run, size_t index)
{
    cs_err_t err = move_one(run, index);
    run->steps->item[index].err = err;
}
