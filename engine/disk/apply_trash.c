/* apply_trash.c - the group of the trash that one run of cs_apply fills. */
#include <string.h>

#include "disk/trash_log.h"

#define GROUP_TRIES 16u /* another process's groups would have to grow as fast as we look */

void cs__apply_entry(const cs_run_t *run, size_t index, cs_trash_mark_t mark, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_put_slice(ret, cs_buf_slice(&run->group));
    cs_buf_printf(ret, "/%zu", index);
    if (mark != CS_TRASH_OLD) cs_buf_put_u8(ret, (uint8_t)mark);
}

void cs__apply_set_aside(cs_run_t *run, size_t index, cs_slice_t entry)
{
    cs_buf_t marked = {0};
    cs__apply_entry(run, index, CS_TRASH_USERS, &marked);
    (void)cs__apply_rename_new(run->fs, entry, cs_buf_slice(&marked));
    cs_buf_fini(&marked);
}

void cs__apply_give_back(cs_run_t *run, size_t index, cs_slice_t entry, cs_slice_t path)
{
    if (cs__apply_rename_new(run->fs, entry, path) == CS_OK) return;
    cs__apply_set_aside(run, index, entry);
}

static void log_path(const cs_run_t *run, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_put_slice(ret, cs_buf_slice(&run->group));
    cs_buf_printf(ret, "/log");
}

/* What step `index` may put into the trash; false: nothing. */
static bool describe(const cs_run_t *run, size_t index, cs_trash_record_t *ret)
{
    const cs_step_t *step = &run->steps->item[index];
    if (step->err != CS_OK) return false;
    bool is_move = step->kind == CS_STEP_MOVE;
    bool is_write = step->kind == CS_STEP_WRITE && step->replaces;
    if (step->kind != CS_STEP_DELETE && !is_move && !is_write) return false;
    *ret = (cs_trash_record_t){.index = index, .path = cs_slice_str(step->item.path)};
    if (step->kind == CS_STEP_DELETE || step->replaces) ret->expect = step->expect;
    if (is_write) ret->staged = run->work[index].staged.print;
    if (is_move) {
        ret->from = cs_slice_str(step->from);
        ret->staged = step->from_print;
    }
    return true;
}

static cs_err_t make_group(cs_run_t *run)
{
    cs_trash_count_t *count = run->config->trash;
    uint64_t number = count != NULL ? count->next : 0;
    cs_fs_t *fs = run->fs;
    cs_err_t err = CS_ERR_EXISTS;
    for (uint32_t i = 0; err == CS_ERR_EXISTS && i < GROUP_TRIES; i++) {
        if (number == 0) {
            err = cs__trash_last(fs, &number);
            if (err != CS_OK) return err;
            number++;
        }
        cs__trash_group_path(number, &run->group);
        err = fs->ops->mkdir(fs, cs_buf_slice(&run->group));
        if (err == CS_ERR_EXISTS) number = 0;
    }
    if (err != CS_OK) cs_buf_clear(&run->group);
    if (err == CS_OK && count != NULL) count->next = number + 1;
    return err;
}

static cs_err_t write_log(cs_run_t *run, const cs_buf_t *log)
{
    if (CS_MUT(NO_TRASH_LOG)) return CS_OK;
    cs_buf_t path = {0};
    log_path(run, &path);
    cs_file_t *file = NULL;
    cs_err_t err = run->fs->ops->create(run->fs, cs_buf_slice(&path), &file);
    if (err == CS_OK) {
        err = file->ops->write(file, 0, log->data, log->len);
        file->ops->close(&file);
    }
    cs_buf_fini(&path);
    return err;
}

cs_err_t cs__apply_open_group(cs_run_t *run)
{
    cs_buf_t log = {0};
    cs__trash_log_begin(&log);
    bool needed = false;
    for (size_t i = 0; i < run->steps->len; i++) {
        cs_trash_record_t record;
        if (!describe(run, i, &record)) continue;
        cs__trash_log_add(&log, &record);
        needed = true;
    }
    cs__trash_log_end(&log);
    cs_err_t err = needed ? make_group(run) : CS_OK;
    if (err == CS_OK && needed) {
        err = write_log(run, &log);
        if (err != CS_OK) cs__apply_close_group(run);
    }
    cs_buf_fini(&log);
    return err;
}

void cs__apply_flush_log(const cs_run_t *run, cs_flush_t *flush)
{
    if (run->group.len == 0) return;
    cs_buf_t path = {0};
    log_path(run, &path);
    cs_flush_add(flush, cs_buf_slice(&path));
    cs_flush_add(flush, cs_buf_slice(&run->group));
    cs_flush_add(flush, cs_slice_text(CS_TRASH_DIR));
    cs_buf_fini(&path);
}

void cs__apply_close_group(cs_run_t *run)
{
    if (run->group.len == 0) return;
    cs_listing_t listing = {0};
    cs_err_t err = run->fs->ops->list(run->fs, cs_buf_slice(&run->group), &listing);
    bool is_empty = err == CS_OK && listing.len <= 1; /* the log */
    bool counts = cs__trash_is_counted(run->config);
    for (size_t i = 0; counts && i < listing.len; i++) {
        const cs_dirent_t *entry = &listing.item[i];
        bool is_log = strcmp(entry->name->data, "log") == 0;
        if (entry->err == CS_OK && !is_log) {
            run->config->trash->bytes += entry->stat.print.size;
        }
    }
    cs_listing_fini(&listing);
    if (!is_empty) return;
    cs_buf_t path = {0};
    log_path(run, &path);
    (void)run->fs->ops->unlink(run->fs, cs_buf_slice(&path));
    (void)run->fs->ops->rmdir(run->fs, cs_buf_slice(&run->group));
    cs_buf_fini(&path);
    cs_buf_clear(&run->group);
}
