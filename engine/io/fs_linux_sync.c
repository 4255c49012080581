/* fs_linux_sync.c - all of a file system is flushed, or a few of its files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/fs_linux_internal.h"

/* Bytes that the system has to write: less is done in a few ms, as fast as one file after the
 * other is flushed. */
#define MUCH_KIB 4096u

static cs_err_t sync_all(cs_fs_t *fs)
{
    int fd = -1;
    cs_err_t err = cs__linux_open_root(fs, &fd);
    if (err != CS_OK) return err;
    if (syncfs(fd) != 0) err = cs__linux_err(errno);
    close(fd);
    return err;
}

static unsigned long long kib_of(const char *text, const char *what)
{
    const char *at = strstr(text, what);
    return at == NULL ? 0 : strtoull(at + strlen(what), NULL, 10);
}

/* 5 us. */
static bool much_waits(void)
{
    char text[4096];
    int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    return kib_of(text, "\nDirty:") + kib_of(text, "\nWriteback:") >= MUCH_KIB;
}

/* False: it cannot be flushed alone, as what is gone, links, what we may not read, and
 * directories of some network's file systems. */
static bool sync_one(cs_fs_t *fs, cs_slice_t path, cs_err_t *ret)
{
    int fd = -1;
    if (cs__linux_open_at(fs, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, &fd) != CS_OK) {
        return false;
    }
    int error = fsync(fd) == 0 ? 0 : errno;
    close(fd);
    *ret = error == 0 ? CS_OK : cs__linux_err(error);
    return error != EINVAL && error != EOPNOTSUPP;
}

cs_err_t cs__linux_sync(cs_fs_t *fs, const cs_slice_t *paths, size_t count)
{
    cs_err_t err = CS_OK;
    if (count == 0 || !much_waits()) return sync_all(fs);
    for (size_t i = 0; i < count && err == CS_OK; i++) {
        if (!sync_one(fs, paths[i], &err)) return sync_all(fs);
    }
    return err;
}
