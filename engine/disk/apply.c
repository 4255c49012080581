/* apply.c - the phases of one run (apply_run.h). */
#include "base/mem.h"
#include "disk/flush.h"
#include "disk/trash_log.h"

/* Files whose flushes, four or five each, take no longer than one of all where much waits. */
#define FEW_MAX 4u

/* Without its directories the folder is not there: nothing may be written below an empty mount
 * point. */
static cs_err_t check_folder(cs_fs_t *fs)
{
    static const char *const dirs[] = {CS_TMP_DIR, CS_TRASH_DIR};
    for (size_t i = 0; i < CS_COUNT_OF(dirs); i++) {
        cs_stat_t st;
        cs_err_t err = fs->ops->stat(fs, cs_slice_text(dirs[i]), &st);
        if (err == CS_ERR_NOT_FOUND || err == CS_ERR_NOT_DIR) return CS_ERR_NOT_MOUNTED;
        if (err != CS_OK) return err;
        if (st.type != CS_NODE_DIR) return CS_ERR_NOT_MOUNTED;
    }
    return CS_OK;
}

static void make_directory(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    cs_fs_t *fs = run->fs;
    cs_slice_t path = cs_slice_str(step->item.path);
    cs_err_t err = cs__apply_make_parents(fs, path);
    if (err == CS_OK) err = fs->ops->mkdir(fs, path);
    cs_stat_t st = {0};
    if (err == CS_OK || err == CS_ERR_EXISTS) err = fs->ops->stat(fs, path, &st);
    if (err == CS_OK && st.type != CS_NODE_DIR) err = CS_ERR_CHANGED;
    if (err == CS_OK) step->print = st.print;
    step->err = cs__apply_raced(err);
    run->work[index].done = step->err == CS_OK;
}

/* What else is in it keeps a directory; that is as wanted. So is anything else at its path. */
static void remove_directory(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    cs_err_t err = run->fs->ops->rmdir(run->fs, cs_slice_str(step->item.path));
    step->idle = err != CS_OK;
    if (cs__apply_raced(err) == CS_ERR_CHANGED) err = CS_OK;
    step->err = err;
    run->work[index].done = step->err == CS_OK;
}

static cs_err_t change_mode(cs_run_t *run, cs_step_t *step)
{
    cs_fs_t *fs = run->fs;
    step->print = step->expect;
    if (!fs->features.modes) return CS_OK;
    cs_slice_t path = cs_slice_str(step->item.path);
    cs_stat_t st;
    cs_err_t err = fs->ops->stat(fs, path, &st);
    if (err != CS_OK) return err;
    if (!cs__apply_is(run, &st, step->expect_content.kind, step->expect_mode, &step->expect,
                      true)) {
        return CS_ERR_CHANGED;
    }
    uint16_t mode = cs__apply_disk_mode(run, step->item.attr.mode);
    err = fs->ops->chmod(fs, path, &step->expect, mode, &st);
    if (err != CS_OK) return err;
    /* Written to meanwhile: the old print stays, so that the next scan reads it. */
    bool vouched = step->expect.ctime_ns != 0;
    if (vouched && st.mode == mode && cs_print_eq_but_ctime(&st.print, &step->expect)) {
        step->print = cs__apply_vouch(run, &st.print);
    }
    return CS_OK;
}

static void chmod_file(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    step->err = cs__apply_raced(change_mode(run, step));
    run->work[index].done = step->err == CS_OK;
}

/* A file that a user changed meanwhile must not take along what another put there since. */
static void verify_file(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    cs_slice_t path = cs_slice_str(step->item.path);
    bool same = cs__apply_expects(run, step, path, true) && cs__apply_came_out(run, step, path);
    step->print = step->expect;
    step->err = same ? CS_OK : CS_ERR_CHANGED;
    run->work[index].done = same;
}

static cs_err_t flush(const cs_run_t *run)
{
    if (run->config->durability == CS_DURABILITY_NONE) return CS_OK;
    return run->fs->ops->sync(run->fs, NULL, 0);
}

/* A few files come: what others write to the file system need not be waited for. */
static bool is_few(const cs_run_t *run)
{
    size_t count = 0;
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_step_t *step = &run->steps->item[i];
        if (step->err != CS_OK || step->kind == CS_STEP_VERIFY) continue;
        if (step->kind != CS_STEP_WRITE || ++count > FEW_MAX) return false;
    }
    return true;
}

/* Before names change: what they will stand for, and the log. */
static cs_err_t flush_bytes(cs_run_t *run)
{
    cs_flush_t few = {0};
    if (run->config->durability == CS_DURABILITY_NONE) return CS_OK;
    run->few = is_few(run);
    if (!run->few) return flush(run);
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_step_t *step = &run->steps->item[i];
        if (step->err != CS_OK || step->kind != CS_STEP_WRITE) continue;
        cs_flush_add(&few, cs_buf_slice(&run->work[i].home));
    }
    cs__apply_flush_log(run, &few);
    return cs_flush_run(&few, run->fs);
}

/* After they have. */
static cs_err_t flush_names(const cs_run_t *run)
{
    cs_flush_t few = {0};
    if (run->config->durability == CS_DURABILITY_NONE) return CS_OK;
    if (!run->few) return flush(run);
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_step_t *step = &run->steps->item[i];
        if (step->err != CS_OK || step->kind != CS_STEP_WRITE) continue;
        cs_flush_name(&few, cs_slice_str(step->item.path));
    }
    if (run->group.len > 0) cs_flush_add(&few, cs_buf_slice(&run->group));
    cs_flush_add(&few, cs_slice_text(CS_TMP_DIR));
    return cs_flush_run(&few, run->fs);
}

static void perform(cs_run_t *run, cs_step_kind_t kind, cs__apply_each_t *each)
{
    bool flushes = run->config->durability == CS_DURABILITY_STRICT && kind != CS_STEP_VERIFY;
    for (size_t i = 0; i < run->steps->len && run->flush_err == CS_OK; i++) {
        const cs_step_t *step = &run->steps->item[i];
        if (step->kind != kind || step->err != CS_OK || run->work[i].done) continue;
        each(run, i);
        if (flushes) run->flush_err = flush(run);
    }
}

static void put_taken(cs_run_t *run, size_t index)
{
    if (run->work[index].taken) cs__apply_put(run, index);
}

/* In this order every name is free when it is wanted: what leaves goes first, directories that
 * become files before those files, files that become directories before what is in them. */
static void change_names(cs_run_t *run)
{
    perform(run, CS_STEP_DELETE, cs__apply_delete);
    cs__apply_move_dirs(run);
    perform(run, CS_STEP_MOVE, cs__apply_move);
    perform(run, CS_STEP_RMDIR, remove_directory);
    perform(run, CS_STEP_MKDIR, make_directory);
    perform(run, CS_STEP_MOVE, put_taken);
    bool one_by_one = run->config->durability == CS_DURABILITY_STRICT;
    if (!one_by_one) cs__apply_all_plain(run, cs__apply_put);
    perform(run, CS_STEP_WRITE, cs__apply_put);
    perform(run, CS_STEP_CHMOD, chmod_file);
}

/* Steps that need the trash and cannot have it fail; others go on. */
static void refuse_without_trash(cs_run_t *run, cs_err_t err)
{
    for (size_t i = 0; i < run->steps->len; i++) {
        cs_step_t *step = &run->steps->item[i];
        bool needs = step->kind == CS_STEP_DELETE || step->kind == CS_STEP_MOVE ||
                     (step->kind == CS_STEP_WRITE && step->replaces);
        if (needs && step->err == CS_OK) step->err = err;
    }
}

/* Bytes that were to be copied elsewhere and could not be stay at their name: it may be the
 * only one that has them. The scan that follows tells more. */
static void hold_sources(cs_run_t *run)
{
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_step_t *failed = &run->steps->item[i];
        if (failed->err == CS_OK || failed->kind != CS_STEP_WRITE) continue;
        for (size_t j = 0; j < run->steps->len; j++) {
            cs_step_t *step = &run->steps->item[j];
            if (step->err == CS_OK && step->replaces && step->kind != CS_STEP_CHMOD &&
                cs_content_eq(&step->expect_content, &failed->item.content)) {
                step->err = CS_ERR_CHANGED;
            }
        }
    }
}

static bool any_open(const cs_run_t *run)
{
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_step_t *step = &run->steps->item[i];
        if (step->err == CS_OK && step->kind != CS_STEP_VERIFY) return true;
    }
    return false;
}

static cs_err_t run_all(cs_run_t *run)
{
    cs__apply_stage(run);
    hold_sources(run);
    cs_err_t err = cs__apply_open_group(run);
    if (err != CS_OK) refuse_without_trash(run, err);
    perform(run, CS_STEP_VERIFY, verify_file);
    if (!any_open(run)) return CS_OK;
    if (!CS_MUT(APPLY_NO_SYNC)) err = flush_bytes(run);
    if (err != CS_OK) return err;
    if (run->config->go != NULL && !run->config->go(run->config->go_arg)) return CS_ERR_AGAIN;
    change_names(run);
    if (run->flush_err != CS_OK) return run->flush_err;
    return any_open(run) && !CS_MUT(APPLY_NO_FLUSH) ? flush_names(run) : CS_OK;
}

/* A user's file where a directory should be is not at the step's own path, but what must be
 * scanned. */
static size_t find_blocker(cs_fs_t *fs, cs_slice_t path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] != '/') continue;
        cs_stat_t st;
        if (fs->ops->stat(fs, cs_slice(path.data, i), &st) != CS_OK) return 0;
        if (st.type != CS_NODE_DIR) return i;
    }
    return 0;
}

static void conclude(cs_fs_t *fs, cs_step_t *step)
{
    if (step->err == CS_OK) step->item.print = step->print;
    bool changed = step->err == CS_ERR_CHANGED;
    step->blocked_len = changed ? find_blocker(fs, cs_slice_str(step->item.path)) : 0;
}

cs_err_t cs_apply(const cs_apply_config_t *config, cs_steps_t *steps)
{
    cs_err_t err = check_folder(config->fs);
    if (err != CS_OK) return err;
    cs_run_t run = {.config = config, .fs = config->fs, .steps = steps};
    run.work = cs_calloc(steps->len, sizeof *run.work);
    for (size_t i = 0; i < steps->len; i++) {
        steps->item[i].err = CS_OK;
    }

    err = run_all(&run);

    cs__apply_unstage(&run);
    cs__apply_close_group(&run);
    if (err == CS_OK && cs__trash_is_counted(config)) cs__trash_trim(config);
    for (size_t i = 0; i < steps->len; i++) {
        conclude(config->fs, &steps->item[i]);
        cs_buf_fini(&run.work[i].home);
    }
    cs_free(run.work);
    cs_buf_fini(&run.group);
    cs_content_hasher_destroy(&run.hasher);
    cs_free(run.buffer);
    return err;
}
