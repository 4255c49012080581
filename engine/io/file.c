/* file.c - temporary file, fsync, rename, fsync of the directory. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/os_err.h"

static const char *remedy(cs_err_t err)
{
    if (err == CS_ERR_DENIED) return "check its owner and mode";
    if (err == CS_ERR_NOSPACE) return "make room on the file system";
    if (err == CS_ERR_READ_ONLY) return "remount the file system for writing";
    return "check that the path is right";
}

/* Reports errno. */
static cs_err_t failed(cs_buf_t *ret_detail, const char *what, const char *path)
{
    int error = errno;
    cs_err_t err = cs_os_err(error);
    cs_buf_clear(ret_detail);
    cs_buf_printf(ret_detail, "cannot %s %s: %s; %s", what, path, strerror(error), remedy(err));
    return err;
}

cs_err_t cs_file_read(const char *path, cs_buf_t *ret, cs_buf_t *ret_detail)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return failed(ret_detail, "read", path);
    cs_buf_clear(ret);
    ssize_t got = 0;
    do {
        uint8_t chunk[4096];
        got = read(fd, chunk, sizeof chunk);
        if (got > 0) cs_buf_put(ret, chunk, (size_t)got);
    } while ((got > 0 && ret->len <= CS_FILE_BYTES_MAX) || (got < 0 && errno == EINTR));

    cs_err_t err = got < 0 ? failed(ret_detail, "read", path) : CS_OK;
    close(fd);
    if (err == CS_OK && ret->len > CS_FILE_BYTES_MAX) {
        cs_buf_clear(ret_detail);
        cs_buf_printf(ret_detail,
                      "cannot read %s: it is larger than 1 MiB; restore it or remove it", path);
        err = CS_ERR_LIMIT;
    }
    return err;
}

static bool write_all(int fd, cs_slice_t bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t put = write(fd, bytes.data + done, bytes.len - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        done += (size_t)put;
    }
    return true;
}

/* ".name.tmp" beside the file: names that begin with a dot are no records. */
static void temporary_path(const char *path, cs_buf_t *ret)
{
    const char *slash = strrchr(path, '/');
    size_t dir_len = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    cs_buf_put(ret, path, dir_len);
    cs_buf_printf(ret, ".%s.tmp", path + dir_len);
    cs_buf_put_u8(ret, '\0');
}

cs_err_t cs_file_sync_parent(const char *path, cs_buf_t *ret_detail)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *dir = cs_malloc(len + 2);
    memcpy(dir, len > 0 ? path : ".", len > 0 ? len : 1);
    dir[len > 0 ? len : 1] = '\0';
    cs_err_t err = CS_OK;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) err = failed(ret_detail, "sync", dir);
    if (fd >= 0) close(fd);
    cs_free(dir);
    return err;
}

cs_err_t cs_file_write(const char *path, cs_slice_t bytes, cs_buf_t *ret_detail)
{
    cs_buf_t name = {0};
    temporary_path(path, &name);
    const char *temporary = (const char *)name.data;
    cs_err_t err = CS_OK;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err = failed(ret_detail, "write", path);
        goto out;
    }
    bool good = fchmod(fd, 0600) == 0 && write_all(fd, bytes) && fsync(fd) == 0;
    good = good && rename(temporary, path) == 0;
    if (!good) err = failed(ret_detail, "write", path);
    close(fd);
    if (good) {
        err = cs_file_sync_parent(path, ret_detail);
    } else {
        unlink(temporary);
    }
out:
    cs_buf_fini(&name);
    return err;
}

cs_err_t cs_file_remove(const char *path, cs_buf_t *ret_detail)
{
    if (unlink(path) != 0) return failed(ret_detail, "remove", path);
    return cs_file_sync_parent(path, ret_detail);
}
