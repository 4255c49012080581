/* apply_put.c - what waits gets its name, and whatever was there goes to the trash. */
#include "disk/apply_run.h"
#include "disk/scan.h"

static bool is_ours(const cs_run_t *run, size_t index, const cs_stat_t *st)
{
    const cs_work_t *work = &run->work[index];
    return st->type == work->staged.type && st->mode == work->staged.mode &&
           cs_print_eq_but_ctime(&st->print, &work->staged.print);
}

/* A moved file may have another mode now. A user's chmod between is overwritten, bytes cannot
 * be. If it cannot be set, the row says so, and the mode is a change of its own. */
static void adjust_mode(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    cs_work_t *work = &run->work[index];
    if (step->kind != CS_STEP_MOVE || work->staged.type != CS_NODE_FILE) return;
    cs_modes_t modes = run->config->modes;
    if (cs_mode_norm(modes, step->from_mode) == cs_mode_norm(modes, step->item.attr.mode)) {
        return;
    }
    uint16_t mode = cs__apply_disk_mode(run, step->item.attr.mode);
    cs_stat_t st;
    cs_err_t err = CS_OK;
    if (run->fs->features.modes) {
        err = run->fs->ops->chmod(run->fs, cs_slice_str(step->item.path), &work->staged.print,
                                  mode, &st);
    }
    if (err != CS_OK) {
        step->item.attr.mode = step->from_mode;
    } else if (run->fs->features.modes) {
        work->staged.mode = mode;
    }
}

/* The base row must not vouch for what comes a moment later: without a ctime the next scan
 * reads the file. Two things may come in the same tick, and bear the same ctime as our rename:
 * a write to the file, which makes its mtime as new; and another file in its place, with its
 * size and mtime and, once it is unlinked, its inode number: that one is born in this tick. */
cs_print_t cs__apply_vouch(const cs_run_t *run, const cs_print_t *print)
{
    int64_t tick_ns = cs_fs_tick_ns(run->fs);
    int64_t written_ns = print->ctime_ns - print->mtime_ns;
    bool written_before = written_ns >= tick_ns || written_ns <= -tick_ns;
    bool born_before = print->btime_ns != 0 && print->ctime_ns - print->btime_ns >= tick_ns;
    cs_print_t ret = *print;
    if (!(written_before && born_before) && !CS_MUT(NO_VOUCH)) ret.ctime_ns = 0;
    return ret;
}

void cs__apply_settle(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    cs_work_t *work = &run->work[index];
    adjust_mode(run, index);
    cs_stat_t st;
    cs_err_t err = run->fs->ops->stat(run->fs, cs_slice_str(step->item.path), &st);
    step->print = work->staged.print;
    bool vouched = step->kind != CS_STEP_MOVE || step->from_print.ctime_ns != 0;
    bool settled = err == CS_OK && vouched && is_ours(run, index, &st);
    step->print.ctime_ns = settled ? cs__apply_vouch(run, &st.print).ctime_ns : 0;
    step->err = CS_OK;
}

/* An empty directory, where the projection has none, is left over from what was in it. One that
 * ignored files keep is no race: it may stay for long. */
static cs_err_t put_new(cs_run_t *run, size_t index)
{
    cs_fs_t *fs = run->fs;
    cs_slice_t path = cs_slice_str(run->steps->item[index].item.path);
    cs_slice_t home = cs_buf_slice(&run->work[index].home);
    cs_err_t err = cs__apply_rename_new(fs, home, path);
    if (err == CS_ERR_EXISTS) {
        cs_err_t removed = fs->ops->rmdir(fs, path);
        if (removed == CS_ERR_NOT_EMPTY) return CS_ERR_IS_DIR;
        if (removed == CS_OK) err = cs__apply_rename_new(fs, home, path);
    }
    return cs__apply_raced(err);
}

/* The user's file came out: it goes back. If what we get for it is not ours, he wrote once more
 * after the exchange: then that is his newest, and the other one is for the sweep to give back.
 */
static void undo_exchange(cs_run_t *run, size_t index, cs_slice_t entry, cs_slice_t path)
{
    cs_fs_t *fs = run->fs;
    if (fs->ops->rename(fs, entry, path, CS_RENAME_EXCHANGE) != CS_OK) return;
    cs_stat_t st;
    cs_err_t err = fs->ops->stat(fs, entry, &st);
    if (err == CS_OK && is_ours(run, index, &st)) {
        (void)cs__apply_rename_new(fs, entry, cs_buf_slice(&run->work[index].home));
    } else {
        (void)fs->ops->rename(fs, entry, path, CS_RENAME_EXCHANGE);
        cs__apply_set_aside(run, index, entry);
    }
}

static cs_err_t put_by_exchange(cs_run_t *run, size_t index, cs_slice_t entry)
{
    const cs_step_t *step = &run->steps->item[index];
    cs_fs_t *fs = run->fs;
    cs_slice_t path = cs_slice_str(step->item.path),
               home = cs_buf_slice(&run->work[index].home);
    cs_err_t err = cs__apply_rename_new(fs, home, entry);
    if (err != CS_OK) return cs__apply_raced(err);
    err = fs->ops->rename(fs, entry, path, CS_RENAME_EXCHANGE);
    if (err != CS_OK) {
        (void)cs__apply_rename_new(fs, entry, home);
        return cs__apply_raced(err);
    }
    if (CS_MUT(EXCHANGE_BLIND) || cs__apply_came_out(run, step, entry)) return CS_OK;
    if (CS_MUT(EXCHANGE_KEPT)) return CS_ERR_CHANGED;
    undo_exchange(run, index, entry, path);
    return CS_ERR_CHANGED;
}

/* Weaker: who renames over the path between the second look and our rename loses his file. On
 * file systems that have no links either, the path is empty for a moment. */
static cs_err_t put_by_link(cs_run_t *run, size_t index, cs_slice_t entry)
{
    const cs_step_t *step = &run->steps->item[index];
    cs_fs_t *fs = run->fs;
    cs_slice_t path = cs_slice_str(step->item.path),
               home = cs_buf_slice(&run->work[index].home);
    cs_err_t err = fs->ops->link(fs, path, entry);
    if (err == CS_ERR_UNSUPPORTED) {
        err = cs__apply_rename_new(fs, path, entry);
        if (err != CS_OK) return cs__apply_raced(err);
        bool is_users = !cs__apply_came_out(run, step, entry);
        err = is_users ? CS_ERR_CHANGED : cs__apply_rename_new(fs, home, path);
        if (is_users) {
            cs__apply_give_back(run, index, entry, path);
        } else if (err != CS_OK) {
            (void)cs__apply_rename_new(fs, entry, path);
        }
        return cs__apply_raced(err);
    }
    if (err != CS_OK) return cs__apply_raced(err);
    if (cs__apply_came_out(run, step, entry) && cs__apply_expects(run, step, path, false)) {
        err = fs->ops->rename(fs, home, path, CS_RENAME_REPLACE);
        /* Written in place since the first look: that is in the trash alone now. */
        bool is_users = err == CS_OK && !cs__apply_came_out(run, step, entry);
        if (is_users) cs__apply_set_aside(run, index, entry);
    } else {
        err = CS_ERR_CHANGED;
    }
    if (err != CS_OK) (void)fs->ops->unlink(fs, entry); /* the other name of the same file */
    return cs__apply_raced(err);
}

void cs__apply_put(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    cs_work_t *work = &run->work[index];
    cs_buf_t entry = {0};
    if (!step->replaces) {
        step->err = put_new(run, index);
    } else if (!cs__apply_expects(run, step, cs_slice_str(step->item.path), true) ||
               !cs__apply_has_twin(run, step)) {
        step->err = CS_ERR_CHANGED;
    } else {
        cs__apply_entry(run, index, CS_TRASH_OLD, &entry);
        step->err = run->fs->features.exchange
                        ? put_by_exchange(run, index, cs_buf_slice(&entry))
                        : put_by_link(run, index, cs_buf_slice(&entry));
    }
    work->done = step->err == CS_OK;
    if (work->done) {
        cs__apply_settle(run, index);
    } else if (work->taken) { /* back to where it was; else the sweep brings it there */
        (void)cs__apply_rename_new(run->fs, cs_buf_slice(&work->home),
                                   cs_slice_str(step->from));
    }
    cs_buf_fini(&entry);
}
