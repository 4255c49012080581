/* fs_linux_name.c - directory entries: links, directories, renames, modes by path. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "io/fs_linux_internal.h"

/* What a call that returned `failed` means. */
static cs_err_t outcome(int failed)
{
    return failed == 0 ? CS_OK : cs__linux_err(errno);
}

cs_err_t cs__linux_readlink(cs_fs_t *fs, cs_slice_t path, cs_buf_t *ret)
{
    cs__place_t place;
    cs_err_t err = cs__linux_locate(fs, path, &place);
    if (err != CS_OK) return err;
    char target[PATH_MAX];
    ssize_t len = readlinkat(place.dir, place.name, target, sizeof target);
    cs__linux_leave(&place);
    if (len < 0) {
        return errno == EINVAL ? CS_ERR_CHANGED : cs__linux_err(errno); /* no link (any more) */
    }
    cs_buf_clear(ret);
    cs_buf_put(ret, target, (size_t)len);
    return CS_OK;
}

cs_err_t cs__linux_symlink(cs_fs_t *fs, cs_slice_t target, cs_slice_t path)
{
    char text[PATH_MAX];
    if (target.len >= sizeof text) return CS_ERR_NAME;
    if (target.len == 0 || memchr(target.data, '\0', target.len) != NULL) return CS_ERR_NAME;
    memcpy(text, target.data, target.len);
    text[target.len] = '\0';
    cs__place_t place;
    cs_err_t err = cs__linux_locate(fs, path, &place);
    if (err != CS_OK) return err;
    int failed = symlinkat(text, place.dir, place.name);
    cs__linux_leave(&place);
    /* FAT and its like say EPERM. */
    return failed != 0 && errno == EPERM ? CS_ERR_UNSUPPORTED : outcome(failed);
}

cs_err_t cs__linux_mkdir(cs_fs_t *fs, cs_slice_t path)
{
    cs__place_t place;
    cs_err_t err = cs__linux_locate(fs, path, &place);
    if (err != CS_OK) return err;
    err = outcome(mkdirat(place.dir, place.name, 0777));
    cs__linux_leave(&place);
    cs__linux_let_go();
    if (err == CS_OK && cs_slice_eq(path, cs_slice_text(CS_PRIVATE_DIR "/tmp"))) {
        cs__linux_probe(fs);
    }
    return err;
}

static cs_err_t unlink_at(cs_fs_t *fs, cs_slice_t path, int flags)
{
    cs__place_t place;
    cs_err_t err = cs__linux_locate(fs, path, &place);
    if (err != CS_OK) return err;
    int failed = unlinkat(place.dir, place.name, flags);
    cs__linux_leave(&place);
    return outcome(failed);
}

cs_err_t cs__linux_rmdir(cs_fs_t *fs, cs_slice_t path)
{
    cs_err_t err = unlink_at(fs, path, AT_REMOVEDIR);
    return err == CS_ERR_EXISTS ? CS_ERR_NOT_EMPTY : err; /* POSIX allows either */
}

cs_err_t cs__linux_unlink(cs_fs_t *fs, cs_slice_t path)
{
    return unlink_at(fs, path, 0);
}

static cs_err_t locate_two(cs_fs_t *fs, cs_slice_t from, cs_slice_t to, cs__place_t *ret_from,
                           cs__place_t *ret_to)
{
    cs_err_t err = cs__linux_locate(fs, from, ret_from);
    if (err != CS_OK) return err;
    err = cs__linux_locate(fs, to, ret_to);
    if (err != CS_OK) cs__linux_leave(ret_from);
    return err;
}

cs_err_t cs__linux_link(cs_fs_t *fs, cs_slice_t from, cs_slice_t to)
{
    cs__place_t source, target;
    cs_err_t err = locate_two(fs, from, to, &source, &target);
    if (err != CS_OK) return err;
    int failed = linkat(source.dir, source.name, target.dir, target.name, 0);
    cs__linux_leave(&target);
    cs__linux_leave(&source);
    return failed != 0 && errno == EPERM ? CS_ERR_UNSUPPORTED : outcome(failed);
}

/* Without the flag: link and unlink never overwrite either, but take a moment of two names. */
static int rename_without_flag(const cs__place_t *source, const cs__place_t *target)
{
    if (linkat(source->dir, source->name, target->dir, target->name, 0) != 0) return -1;
    return unlinkat(source->dir, source->name, 0);
}

cs_err_t cs__linux_rename(cs_fs_t *fs, cs_slice_t from, cs_slice_t to, cs_rename_mode_t mode)
{
    if (mode == CS_RENAME_EXCHANGE && !fs->features.exchange) return CS_ERR_UNSUPPORTED;
    cs__place_t source, target;
    cs_err_t err = locate_two(fs, from, to, &source, &target);
    if (err != CS_OK) return err;
    int failed = -1;
    bool by_link = mode == CS_RENAME_NOREPLACE && !fs->features.noreplace;
    switch (mode) {
    case CS_RENAME_NOREPLACE:
        failed = by_link ? rename_without_flag(&source, &target)
                         : renameat2(source.dir, source.name, target.dir, target.name,
                                     RENAME_NOREPLACE);
        break;
    case CS_RENAME_EXCHANGE:
        failed = renameat2(source.dir, source.name, target.dir, target.name, RENAME_EXCHANGE);
        break;
    case CS_RENAME_REPLACE:
        failed = renameat(source.dir, source.name, target.dir, target.name);
        break;
    }
    cs__linux_leave(&target);
    cs__linux_leave(&source);
    return failed != 0 && by_link && errno == EPERM ? CS_ERR_UNSUPPORTED : outcome(failed);
}

/* By O_PATH and /proc/self/fd, as a file of mode 0000 cannot be opened any other way. */
cs_err_t cs__linux_chmod(cs_fs_t *fs, cs_slice_t path, const cs_print_t *expect, uint16_t mode,
                         cs_stat_t *ret)
{
    int fd = -1;
    cs_err_t err = cs__linux_open_at(fs, path, O_PATH, &fd);
    if (err != CS_OK) return err;
    cs_stat_t st = {0};
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    err = cs__linux_stat_at(fd, "", &st);
    if (err != CS_OK) goto out;
    if (st.type != CS_NODE_FILE || !cs_print_eq_but_ctime(&st.print, expect)) {
        err = CS_ERR_CHANGED;
        goto out;
    }
    err = outcome(chmod(link, mode & CS_MODE_MAX));
    if (err == CS_OK) err = cs__linux_stat_at(fd, "", ret);
out:
    close(fd);
    return err;
}
