/* apply_stage.c - before any name changes: the bytes of every WRITE wait in .crdtsync/tmp. */
#include <string.h>

#include "base/mem.h"
#include "disk/apply_run.h"

#define COPY_BYTES (256u << 10) /* of one read */

/* Copy and hash at once: what was read is what is written, whatever happens to the source. */
static cs_err_t copy_bytes(cs_run_t *run, cs_file_t *from, cs_file_t *to, cs_content_t *ret)
{
    if (run->buffer == NULL) run->buffer = cs_malloc(COPY_BYTES);
    if (run->hasher == NULL) run->hasher = cs_content_hasher_new(run->config->table);
    cs_content_hasher_begin(run->hasher, NULL);
    for (uint64_t at = 0;;) {
        size_t got = 0;
        cs_err_t err = from->ops->read(from, at, run->buffer, COPY_BYTES, &got);
        if (err != CS_OK) return err;
        if (got == 0) break;
        cs_content_hasher_update(run->hasher, cs_slice(run->buffer, got));
        err = to->ops->write(to, at, run->buffer, got);
        if (err != CS_OK) return err;
        at += got;
    }
    cs_content_hasher_end(run->hasher, ret);
    return CS_OK;
}

static cs_err_t create_over(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    cs_err_t err = fs->ops->create(fs, path, ret);
    if (err != CS_ERR_EXISTS) return err;
    err = fs->ops->unlink(fs, path); /* left by a crash */
    return err == CS_OK ? fs->ops->create(fs, path, ret) : err;
}

/* A file staged by an earlier try may bear a mode that forbids writing. */
static cs_err_t open_staged(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    cs_err_t err = fs->ops->open_write(fs, path, ret);
    if (err != CS_ERR_DENIED) return err;
    cs_stat_t st;
    err = fs->ops->stat(fs, path, &st);
    if (err == CS_OK) err = fs->ops->chmod(fs, path, &st.print, 0600, &st);
    return err == CS_OK ? fs->ops->open_write(fs, path, ret) : err;
}

/* Failures to read the source are AGAIN: the content has to come from elsewhere. */
static cs_err_t copy_file(cs_run_t *run, cs_slice_t from, cs_slice_t to,
                          const cs_content_t *want)
{
    cs_fs_t *fs = run->fs;
    cs_file_t *source = NULL, *target = NULL;
    bool is_staged = cs_slice_has_prefix(from, cs_slice_text(CS_TMP_DIR));
    cs_err_t err =
        is_staged ? open_staged(fs, from, &source) : fs->ops->open_read(fs, from, &source);
    if (err != CS_OK) return CS_ERR_AGAIN;
    err = create_over(fs, to, &target);
    if (err == CS_OK) {
        cs_content_t found = {0};
        err = copy_bytes(run, source, target, &found);
        if (err == CS_OK && !cs_content_eq(&found, want)) err = CS_ERR_AGAIN;
        fs->ops->close(&target);
        if (err != CS_OK) (void)fs->ops->unlink(fs, to);
    }
    fs->ops->close(&source);
    return err;
}

static cs_err_t copy_symlink(cs_run_t *run, cs_slice_t from, cs_slice_t to,
                             const cs_content_t *want)
{
    cs_fs_t *fs = run->fs;
    cs_buf_t target = {0};
    cs_err_t err = fs->ops->readlink(fs, from, &target) == CS_OK ? CS_OK : CS_ERR_AGAIN;
    if (err == CS_OK) {
        cs_content_t found;
        cs_content_of(run->config->table, CS_KIND_SYMLINK, cs_buf_slice(&target), &found);
        if (!cs_content_eq(&found, want)) err = CS_ERR_AGAIN;
    }
    if (err == CS_OK) {
        err = fs->ops->symlink(fs, cs_buf_slice(&target), to);
        if (err == CS_ERR_EXISTS) {
            err = fs->ops->unlink(fs, to);
            if (err == CS_OK) err = fs->ops->symlink(fs, cs_buf_slice(&target), to);
        }
    }
    cs_buf_fini(&target);
    return err;
}

static cs_err_t dress(cs_run_t *run, size_t index)
{
    const cs_item_t *item = &run->steps->item[index].item;
    cs_work_t *work = &run->work[index];
    cs_slice_t home = cs_buf_slice(&work->home);
    cs_fs_t *fs = run->fs;
    cs_err_t err = fs->ops->stat(fs, home, &work->staged);
    if (err != CS_OK) return err;
    bool is_link = item->content.kind == CS_KIND_SYMLINK;
    if (work->staged.type != (is_link ? CS_NODE_SYMLINK : CS_NODE_FILE))
        return CS_ERR_NOT_FOUND;
    if (is_link) return CS_OK;
    if (work->staged.print.size != item->content.size) return CS_ERR_NOT_FOUND;

    cs_file_t *file = NULL;
    err = open_staged(fs, home, &file);
    if (err != CS_OK) return err;
    uint16_t mode =
        fs->features.modes ? cs__apply_disk_mode(run, item->attr.mode) : work->staged.mode;
    err = fs->ops->set_meta(file, mode, item->mtime_ns);
    if (err == CS_OK) err = fs->ops->fstat(file, &work->staged);
    fs->ops->close(&file);
    return err;
}

static bool is_staged_write(const cs_step_t *step)
{
    return step->kind == CS_STEP_WRITE && step->from == NULL && step->err == CS_OK;
}

static bool wanted_later(const cs_run_t *run, size_t index)
{
    const cs_content_t *content = &run->steps->item[index].item.content;
    for (size_t i = index + 1; i < run->steps->len; i++) {
        const cs_step_t *step = &run->steps->item[i];
        if (is_staged_write(step) && cs_content_eq(&step->item.content, content)) return true;
    }
    return false;
}

static cs_err_t stage_one(cs_run_t *run, size_t index)
{
    const cs_step_t *step = &run->steps->item[index];
    cs_work_t *work = &run->work[index];
    cs_buf_t staged = {0};
    cs_staged_path(&step->item.content, &staged);
    cs_buf_put_slice(&work->home, cs_buf_slice(&staged));

    cs_err_t err = CS_OK;
    work->is_copy = step->from != NULL || wanted_later(run, index);
    if (work->is_copy) {
        cs_buf_printf(&work->home, ".%zu", index);
        bool is_link = step->item.content.kind == CS_KIND_SYMLINK;
        err = (is_link ? copy_symlink : copy_file)(
            run, step->from != NULL ? cs_slice_str(step->from) : cs_buf_slice(&staged),
            cs_buf_slice(&work->home), &step->item.content);
        if (err != CS_OK) work->is_copy = false; /* removed already */
    }
    if (err == CS_OK) err = dress(run, index);
    cs_buf_fini(&staged);
    return err;
}

void cs__apply_stage(cs_run_t *run)
{
    for (size_t i = 0; i < run->steps->len; i++) {
        cs_step_t *step = &run->steps->item[i];
        if (step->kind == CS_STEP_WRITE) step->err = stage_one(run, i);
    }
}

void cs__apply_unstage(cs_run_t *run)
{
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_work_t *work = &run->work[i];
        if (work->is_copy && !work->done)
            (void)run->fs->ops->unlink(run->fs, cs_buf_slice(&work->home));
    }
}
