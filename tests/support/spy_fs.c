/* spy_fs.c - see spy_fs.h. */
#include "support/spy_fs.h"

#include "base/mem.h"
#include "base/path.h"

typedef struct spy_file {
    cs_file_t file;
    cs_file_t *real;
    spy_fs_t *spy;
    bool is_clock; /* what a scan asks for the time */
} spy_file_t;

static bool pass(spy_fs_t *spy)
{
    spy->calls++;
    if (spy->calls == spy->at) {
        if (spy->act != NULL) {
            spy->act(spy->arg);
        } else {
            spy->crashed = true;
        }
    }
    return !spy->crashed;
}

static spy_fs_t *spy_of(cs_fs_t *fs)
{
    return (spy_fs_t *)fs;
}

static spy_file_t *file_of(cs_file_t *file)
{
    return (spy_file_t *)file;
}

#define PASS_FS(call, ...)      \
    spy_fs_t *spy = spy_of(fs); \
    return pass(spy) ? spy->real->ops->call(spy->real, __VA_ARGS__) : CS_ERR_IO

#define PASS_FILE(call, ...)          \
    spy_file_t *self = file_of(file); \
    return pass(self->spy) ? self->real->ops->call(self->real, __VA_ARGS__) : CS_ERR_IO

static cs_err_t spy_stat(cs_fs_t *fs, cs_slice_t path, cs_stat_t *ret)
{
    PASS_FS(stat, path, ret);
}

static cs_err_t spy_list(cs_fs_t *fs, cs_slice_t dir, cs_listing_t *ret)
{
    PASS_FS(list, dir, ret);
}

typedef cs_err_t (*open_t)(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret);

static cs_err_t open_by(spy_fs_t *spy, open_t real_open, cs_slice_t path, cs_file_t **ret)
{
    if (!pass(spy)) return CS_ERR_IO;
    cs_file_t *real = NULL;
    cs_err_t err = real_open(spy->real, path, &real);
    if (err != CS_OK) return err;
    spy_file_t *file = cs_calloc(1, sizeof *file);
    *file = (spy_file_t){.file.ops = spy->fs.ops, .real = real, .spy = spy};
    file->is_clock = cs_slice_eq(path, cs_slice_text(CS_PRIVATE_DIR "/tmp/now"));
    *ret = &file->file;
    return CS_OK;
}

static cs_err_t spy_open_read(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    return open_by(spy_of(fs), spy_of(fs)->real->ops->open_read, path, ret);
}

static cs_err_t spy_create(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    return open_by(spy_of(fs), spy_of(fs)->real->ops->create, path, ret);
}

static cs_err_t spy_open_write(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    return open_by(spy_of(fs), spy_of(fs)->real->ops->open_write, path, ret);
}

static cs_err_t spy_read(cs_file_t *file, uint64_t offset, void *data, size_t len,
                         size_t *ret_len)
{
    PASS_FILE(read, offset, data, len, ret_len);
}

static cs_err_t spy_write(cs_file_t *file, uint64_t offset, const void *data, size_t len)
{
    PASS_FILE(write, offset, data, len);
}

static cs_err_t spy_truncate(cs_file_t *file, uint64_t size)
{
    PASS_FILE(truncate, size);
}

static cs_err_t spy_next_data(cs_file_t *file, uint64_t offset, uint64_t *ret)
{
    PASS_FILE(next_data, offset, ret);
}

static cs_err_t spy_write_zeros(cs_file_t *file, uint64_t offset, uint64_t len)
{
    PASS_FILE(write_zeros, offset, len);
}

static cs_err_t spy_share(cs_file_t *file, uint64_t offset, cs_file_t *from,
                          uint64_t from_offset, uint64_t len)
{
    PASS_FILE(share, offset, file_of(from)->real, from_offset, len);
}

static cs_err_t spy_fstat(cs_file_t *file, cs_stat_t *ret)
{
    spy_file_t *self = file_of(file);
    if (!pass(self->spy)) return CS_ERR_IO;
    cs_err_t err = self->real->ops->fstat(self->real, ret);
    if (err == CS_OK && self->is_clock) ret->print.mtime_ns += self->spy->clock_ahead_ns;
    return err;
}

static void spy_settle(cs_file_t *file)
{
    spy_file_t *self = file_of(file);
    if (pass(self->spy)) self->real->ops->settle(self->real);
}

static bool spy_in_use(cs_file_t *file)
{
    spy_file_t *self = file_of(file);
    return pass(self->spy) && self->real->ops->in_use(self->real);
}

static cs_err_t spy_set_meta(cs_file_t *file, uint16_t mode, int64_t mtime_ns)
{
    PASS_FILE(set_meta, mode, mtime_ns);
}

static void spy_close(cs_file_t **file_p)
{
    if (*file_p == NULL) return;
    spy_file_t *self = file_of(*file_p);
    self->real->ops->close(&self->real);
    cs_free(self);
    *file_p = NULL;
}

static cs_err_t spy_readlink(cs_fs_t *fs, cs_slice_t path, cs_buf_t *ret)
{
    PASS_FS(readlink, path, ret);
}

static cs_err_t spy_symlink(cs_fs_t *fs, cs_slice_t target, cs_slice_t path)
{
    PASS_FS(symlink, target, path);
}

static cs_err_t spy_link(cs_fs_t *fs, cs_slice_t from, cs_slice_t to)
{
    if (spy_of(fs)->no_links) return CS_ERR_UNSUPPORTED;
    PASS_FS(link, from, to);
}

static void count_name(spy_fs_t *spy)
{
    spy->names++;
    if (spy->names > spy->names_max) spy->names_max = spy->names;
}

static cs_err_t spy_rename(cs_fs_t *fs, cs_slice_t from, cs_slice_t to, cs_rename_mode_t mode)
{
    if (spy_of(fs)->no_links && mode != CS_RENAME_REPLACE) return CS_ERR_UNSUPPORTED;
    cs_slice_t own = cs_slice_text(CS_PRIVATE_DIR "/");
    if (!cs_slice_has_prefix(from, own) || !cs_slice_has_prefix(to, own))
        count_name(spy_of(fs));
    PASS_FS(rename, from, to, mode);
}

static cs_err_t spy_chmod(cs_fs_t *fs, cs_slice_t path, const cs_print_t *expect, uint16_t mode,
                          cs_stat_t *ret)
{
    PASS_FS(chmod, path, expect, mode, ret);
}

static cs_err_t spy_space(cs_fs_t *fs, uint64_t *ret_free, uint64_t *ret_total)
{
    PASS_FS(space, ret_free, ret_total);
}

static cs_err_t by_path(cs_fs_t *fs, cs_err_t (*call)(cs_fs_t *fs, cs_slice_t path),
                        cs_slice_t path)
{
    spy_fs_t *spy = spy_of(fs);
    return pass(spy) ? call(spy->real, path) : CS_ERR_IO;
}

static cs_err_t spy_mkdir(cs_fs_t *fs, cs_slice_t path)
{
    return by_path(fs, spy_of(fs)->real->ops->mkdir, path);
}

static cs_err_t spy_rmdir(cs_fs_t *fs, cs_slice_t path)
{
    return by_path(fs, spy_of(fs)->real->ops->rmdir, path);
}

static cs_err_t spy_unlink(cs_fs_t *fs, cs_slice_t path)
{
    return by_path(fs, spy_of(fs)->real->ops->unlink, path);
}

static cs_err_t spy_sync(cs_fs_t *fs, const cs_slice_t *paths, size_t count)
{
    spy_fs_t *spy = spy_of(fs);
    if (!pass(spy)) return CS_ERR_IO;
    spy->syncs++;
    spy->names = 0;
    return spy->flushes ? spy->real->ops->sync(spy->real, paths, count) : CS_OK;
}

static cs_err_t spy_refresh(cs_fs_t *fs)
{
    spy_fs_t *spy = spy_of(fs);
    return pass(spy) ? spy->real->ops->refresh(spy->real) : CS_ERR_IO;
}

static void spy_hold(cs_fs_t *fs, bool on)
{
    spy_of(fs)->real->ops->hold(spy_of(fs)->real, on);
}

static void spy_close_fs(cs_fs_t **fs_p)
{
    *fs_p = NULL; /* the owner of the real one closes it */
}

static const cs_fs_ops_t spy_ops = {
    .stat = spy_stat,
    .list = spy_list,
    .open_read = spy_open_read,
    .create = spy_create,
    .open_write = spy_open_write,
    .read = spy_read,
    .write = spy_write,
    .truncate = spy_truncate,
    .next_data = spy_next_data,
    .write_zeros = spy_write_zeros,
    .share = spy_share,
    .fstat = spy_fstat,
    .settle = spy_settle,
    .in_use = spy_in_use,
    .set_meta = spy_set_meta,
    .close = spy_close,
    .readlink = spy_readlink,
    .symlink = spy_symlink,
    .mkdir = spy_mkdir,
    .rmdir = spy_rmdir,
    .unlink = spy_unlink,
    .link = spy_link,
    .rename = spy_rename,
    .chmod = spy_chmod,
    .sync = spy_sync,
    .space = spy_space,
    .refresh = spy_refresh,
    .hold = spy_hold,
    .close_fs = spy_close_fs,
};

void spy_fs_init(spy_fs_t *spy, cs_fs_t *real)
{
    *spy = (spy_fs_t){.fs = *real, .real = real};
    spy->fs.ops = &spy_ops;
}
