/* apply_fs.c - comparing files with base rows, parents, renames that never replace. */
#include "disk/apply_run.h"
#include "disk/scan.h"

cs_err_t cs__apply_raced(cs_err_t err)
{
    bool is_race = err == CS_ERR_NOT_FOUND || err == CS_ERR_EXISTS || err == CS_ERR_NOT_DIR ||
                   err == CS_ERR_IS_DIR || err == CS_ERR_ESCAPES || err == CS_ERR_NOT_EMPTY;
    return is_race ? CS_ERR_CHANGED : err;
}

bool cs__apply_is(const cs_run_t *run, const cs_stat_t *st, uint8_t kind, uint16_t mode,
                  const cs_print_t *print, bool with_ctime)
{
    if (st->type != (kind == CS_KIND_SYMLINK ? CS_NODE_SYMLINK : CS_NODE_FILE)) return false;
    if (st->type == CS_NODE_FILE && run->fs->features.modes) {
        cs_modes_t modes = run->config->modes;
        if (cs_mode_norm(modes, st->mode) != cs_mode_norm(modes, mode)) return false;
    }
    bool all = with_ctime && print->ctime_ns != 0;
    return all ? cs_print_eq(&st->print, print) : cs_print_eq_but_ctime(&st->print, print);
}

bool cs__apply_expects(const cs_run_t *run, const cs_step_t *step, cs_slice_t at,
                       bool with_ctime)
{
    cs_stat_t st;
    return run->fs->ops->stat(run->fs, at, &st) == CS_OK &&
           cs__apply_is(run, &st, step->expect_content.kind, step->expect_mode, &step->expect,
                        with_ctime);
}

bool cs__apply_came_out(const cs_run_t *run, const cs_step_t *step, cs_slice_t at)
{
    if (!cs__apply_expects(run, step, at, false)) return false;
    if (step->expect.ctime_ns != 0) return true;
    cs_content_t content;
    cs_stat_t st;
    cs_err_t err = cs_hash_path(run->fs, run->config->table, at, NULL, &content, &st);
    return err == CS_OK && cs_content_eq(&content, &step->expect_content);
}

bool cs__apply_has_twin(const cs_run_t *run, const cs_step_t *step)
{
    const cs_item_t *twin = &step->twin;
    if (twin->path == NULL) return true;
    cs_stat_t st;
    return run->fs->ops->stat(run->fs, cs_slice_str(twin->path), &st) == CS_OK &&
           cs__apply_is(run, &st, twin->content.kind, twin->attr.mode, &twin->print, true);
}

#define PART_STEPS 64u /* steps of a part: a thread is worth having for no fewer */

typedef struct parts {
    cs_run_t *run;
    cs__apply_each_t *each;
} parts_t;

bool cs__apply_is_plain(const cs_run_t *run, size_t index)
{
    const cs_step_t *step = &run->steps->item[index];
    return step->kind == CS_STEP_WRITE && step->err == CS_OK && !step->replaces &&
           !run->work[index].is_copy;
}

static void do_part(void *arg, size_t part)
{
    const parts_t *parts = arg;
    size_t end = (part + 1) * PART_STEPS, len = parts->run->steps->len;
    cs_fs_t *fs = parts->run->fs;
    fs->ops->hold(fs, true);
    for (size_t i = part * PART_STEPS; i < end && i < len; i++) {
        if (cs__apply_is_plain(parts->run, i)) parts->each(parts->run, i);
    }
    fs->ops->hold(fs, false);
}

void cs__apply_all_plain(cs_run_t *run, cs__apply_each_t *each)
{
    parts_t parts = {.run = run, .each = each};
    cs_all_fn *all = run->config->all != NULL ? run->config->all : cs_all_in_turn;
    all(do_part, &parts, (run->steps->len + PART_STEPS - 1) / PART_STEPS);
}

uint16_t cs__apply_disk_mode(const cs_run_t *run, uint16_t mode)
{
    return cs_mode_on_disk(run->fs, run->config->modes, mode);
}

cs_err_t cs__apply_make_parents(cs_fs_t *fs, cs_slice_t path)
{
    cs_slice_t parent = cs_path_parent(path);
    if (parent.len == 0) return CS_OK;
    cs_err_t err = fs->ops->mkdir(fs, parent);
    if (err == CS_ERR_NOT_FOUND) {
        err = cs__apply_make_parents(fs, parent);
        if (err == CS_OK) err = fs->ops->mkdir(fs, parent);
    }
    return err == CS_ERR_EXISTS ? CS_OK : err;
}

/* File systems without the flag and without links leave a moment between look and rename. */
static cs_err_t rename_new(cs_fs_t *fs, cs_slice_t from, cs_slice_t to)
{
    cs_err_t err = fs->ops->rename(
        fs, from, to, CS_MUT(NO_REPLACE) ? CS_RENAME_REPLACE : CS_RENAME_NOREPLACE);
    if (err != CS_ERR_UNSUPPORTED) return err;
    cs_stat_t st;
    err = fs->ops->stat(fs, to, &st);
    if (err == CS_OK) return CS_ERR_EXISTS;
    if (err != CS_ERR_NOT_FOUND) return err;
    return fs->ops->rename(fs, from, to, CS_RENAME_REPLACE);
}

cs_err_t cs__apply_rename_new(cs_fs_t *fs, cs_slice_t from, cs_slice_t to)
{
    cs_err_t err = rename_new(fs, from, to);
    if (err != CS_ERR_NOT_FOUND) return err;
    cs_stat_t st; /* which of the two is missing? */
    if (fs->ops->stat(fs, from, &st) != CS_OK) return err;
    err = cs__apply_make_parents(fs, to);
    return err == CS_OK ? rename_new(fs, from, to) : err;
}
