/* apply_stage.c - before any name changes: the bytes of every WRITE wait in .crdtsync/tmp. */
#include <stdlib.h>

#include "base/mem.h"
#include "disk/apply_run.h"
#include "disk/bytes.h"

/* Makes `to`, which is empty, all holes, or all of what `from` is at this moment. */
static cs_err_t make_room(cs_run_t *run, cs_file_t *from, cs_file_t *to, uint64_t size,
                          bool *ret_shared)
{
    *ret_shared = false;
    if (size == 0) return CS_OK;
    cs_err_t err = to->ops->truncate(to, size);
    if (err != CS_OK || !run->fs->features.shares || size < CS_SHARE_MIN) return err;
    *ret_shared = to->ops->share(to, 0, from, 0, size) == CS_OK;
    if (*ret_shared) return CS_OK;
    err = to->ops->truncate(to, 0); /* some of it may have come */
    return err == CS_OK ? to->ops->truncate(to, size) : err;
}

static cs_err_t copy_bytes(cs_run_t *run, cs_file_t *from, cs_file_t *to, uint64_t size,
                           cs_content_t *ret)
{
    if (run->buffer == NULL) run->buffer = cs_malloc(CS_FILE_BUFFER_BYTES);
    if (run->hasher == NULL) run->hasher = cs_content_hasher_new(run->config->table);
    bool shared;
    cs_err_t err = make_room(run, from, to, size, &shared);
    if (err != CS_OK) return err;
    cs_content_hasher_begin(run->hasher, NULL);
    cs_pass_t pass = {.file = shared ? to : from, .size = size, .buffer = run->buffer};
    err = shared ? cs_file_hash(&pass, run->hasher) : cs_file_copy(&pass, to, run->hasher);
    if (err == CS_OK) cs_content_hasher_end(run->hasher, ret);
    return err;
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
        err = copy_bytes(run, source, target, want->size, &found);
        bool other = err == CS_OK && !cs_content_eq(&found, want);
        if (other || err == CS_ERR_CHANGED) err = CS_ERR_AGAIN;
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

cs_err_t cs__apply_copy(cs_run_t *run, cs_slice_t from, cs_slice_t to, const cs_content_t *want)
{
    bool is_link = want->kind == CS_KIND_SYMLINK;
    return (is_link ? copy_symlink : copy_file)(run, from, to, want);
}

/* As it is, most often: small files are dressed when they are written. */
static bool is_dressed(const cs_run_t *run, const cs_item_t *item, cs_work_t *work)
{
    cs_fs_t *fs = run->fs;
    cs_stat_t *st = &work->staged;
    return fs->features.modes && cs_content_is_small(&item->content) &&
           fs->ops->stat(fs, cs_buf_slice(&work->home), st) == CS_OK &&
           st->type == CS_NODE_FILE && st->print.size == item->content.size &&
           st->mode == cs__apply_disk_mode(run, item->attr.mode) &&
           st->print.mtime_ns == item->mtime_ns;
}

/* Mode and mtime; what is there must at least look like the content. */
static cs_err_t dress_file(cs_run_t *run, const cs_item_t *item, cs_work_t *work)
{
    cs_fs_t *fs = run->fs;
    if (is_dressed(run, item, work)) return CS_OK;
    cs_file_t *file = NULL;
    cs_err_t err = open_staged(fs, cs_buf_slice(&work->home), &file);
    if (err != CS_OK) return err;
    uint16_t mode = cs__apply_disk_mode(run, item->attr.mode);
    if (!fs->features.modes) {
        err = fs->ops->fstat(file, &work->staged);
        mode = work->staged.mode;
    }
    if (err == CS_OK) err = fs->ops->set_meta(file, mode, item->mtime_ns);
    if (err == CS_OK) err = fs->ops->fstat(file, &work->staged);
    if (err == CS_OK && work->staged.print.size != item->content.size) err = CS_ERR_NOT_FOUND;
    fs->ops->close(&file);
    return err;
}

static cs_err_t dress(cs_run_t *run, size_t index)
{
    const cs_item_t *item = &run->steps->item[index].item;
    cs_work_t *work = &run->work[index];
    if (item->content.kind != CS_KIND_SYMLINK) return dress_file(run, item, work);
    cs_err_t err = run->fs->ops->stat(run->fs, cs_buf_slice(&work->home), &work->staged);
    if (err != CS_OK) return err;
    return work->staged.type == CS_NODE_SYMLINK ? CS_OK : CS_ERR_NOT_FOUND;
}

typedef struct cs_use {
    const cs_content_t *content;
    size_t index;
} cs_use_t;

static int by_content(const void *a, const void *b)
{
    const cs_use_t *x = a, *y = b;
    int order = cs_content_cmp(x->content, y->content);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* Of several that want one staged file, the last gets it; the others copy it before. */
static void share_staged(cs_run_t *run)
{
    cs_use_t *use = cs_calloc(run->steps->len, sizeof *use);
    size_t len = 0;
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_step_t *step = &run->steps->item[i];
        if (step->kind != CS_STEP_WRITE) continue;
        if (step->from != NULL) {
            run->work[i].is_copy = true;
        } else {
            use[len++] = (cs_use_t){&step->item.content, i};
        }
    }
    if (len > 1) qsort(use, len, sizeof *use, by_content);
    for (size_t i = 0; i + 1 < len; i++) {
        run->work[use[i].index].is_copy = cs_content_eq(use[i].content, use[i + 1].content);
    }
    cs_free(use);
}

static void stage_one(cs_run_t *run, size_t index)
{
    cs_step_t *step = &run->steps->item[index];
    cs_work_t *work = &run->work[index];
    cs_buf_t staged = {0};
    cs_staged_path(&step->item.content, &staged);
    cs_buf_put_slice(&work->home, cs_buf_slice(&staged));

    cs_err_t err = CS_OK;
    if (work->is_copy) {
        cs_buf_printf(&work->home, ".%zu", index);
        err = cs__apply_copy(
            run, step->from != NULL ? cs_slice_str(step->from) : cs_buf_slice(&staged),
            cs_buf_slice(&work->home), &step->item.content);
        if (err != CS_OK) work->is_copy = false; /* removed already */
    }
    step->err = err == CS_OK ? dress(run, index) : err;
    cs_buf_fini(&staged);
}

void cs__apply_stage(cs_run_t *run)
{
    share_staged(run);
    for (size_t i = 0; i < run->steps->len; i++) {
        bool alone = run->steps->item[i].kind == CS_STEP_WRITE && !cs__apply_is_plain(run, i);
        if (alone) stage_one(run, i);
    }
    cs__apply_all_plain(run, stage_one); /* the last use of a staged file, after its copies */
}

/* Perhaps the only file that had these bytes has left its name in this very run: a copy that
 * found no place is a staged content from now on. */
static bool keep_copy(cs_run_t *run, size_t index)
{
    const cs_step_t *step = &run->steps->item[index];
    if (step->from == NULL) return false; /* staged already */
    cs_fs_t *fs = run->fs;
    cs_buf_t staged = {0};
    cs_staged_path(&step->item.content, &staged);
    cs_err_t err = fs->ops->rename(fs, cs_buf_slice(&run->work[index].home),
                                   cs_buf_slice(&staged), CS_RENAME_NOREPLACE);
    cs_buf_fini(&staged);
    return err == CS_OK;
}

void cs__apply_unstage(cs_run_t *run)
{
    for (size_t i = 0; i < run->steps->len; i++) {
        const cs_work_t *work = &run->work[i];
        if (!work->is_copy || work->done) continue;
        run->steps->item[i].kept = keep_copy(run, i);
        if (!run->steps->item[i].kept) {
            (void)run->fs->ops->unlink(run->fs, cs_buf_slice(&work->home));
        }
    }
}
