/* fs_fixture.h - a folder behind disk/fs.h, for the tests of its promises; here: Linux. */
#ifndef CS_TESTS_FS_FIXTURE_H
#define CS_TESTS_FS_FIXTURE_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "io/fs_linux.h"
#include "support/folder.h"

static char *dir;
static cs_fs_t *fs;

static inline void setup(void)
{
    umask(022);
    dir = cs_test_dir_new();
    cs_test_mkdir(dir, ".crdtsync/tmp");
    cr_assert_eq(cs_fs_linux_open(dir, &fs), CS_OK);
}

static inline void teardown(void)
{
    fs->ops->close_fs(&fs);
    cs_test_dir_remove(&dir);
}

static inline cs_slice_t p(const char *text)
{
    return cs_slice_text(text);
}

/* The name of a real file, for what the interface cannot make. */
static inline const char *at(const char *name)
{
    static char full[512];
    snprintf(full, sizeof full, "%s/%s", dir, name);
    return full;
}

static inline void put(const char *path, const char *text)
{
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->create(fs, p(path), &file), CS_OK);
    cr_assert_eq(fs->ops->write(file, 0, text, strlen(text)), CS_OK);
    fs->ops->close(&file);
    cr_assert_null(file);
}

static inline bool holds(const char *path, const char *text)
{
    cs_file_t *file = NULL;
    char data[64];
    size_t len = 0;
    if (fs->ops->open_read(fs, p(path), &file) != CS_OK) return false;
    cs_err_t err = fs->ops->read(file, 0, data, sizeof data, &len);
    fs->ops->close(&file);
    return err == CS_OK && len == strlen(text) && memcmp(data, text, len) == 0;
}

static inline cs_err_t stat_err(const char *path)
{
    cs_stat_t st;
    return fs->ops->stat(fs, p(path), &st);
}

static inline cs_stat_t stat_of(const char *path)
{
    cs_stat_t st = {0};
    cr_assert_eq(fs->ops->stat(fs, p(path), &st), CS_OK, "%s", path);
    return st;
}

#endif
