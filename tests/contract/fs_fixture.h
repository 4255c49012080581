/* fs_fixture.h - a folder behind disk/fs.h, for the tests of its promises: on Linux, and on the
 * volume of the simulator.
 *
 * PROMISE(suite, name) defines one test for each, and one for Linux with all calls made between
 * hold(true) and hold(false); PROMISE_THAT_HOLDS is for those that call it. What a user does to
 * the folder goes through the user_ functions. */
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
#include "sim/mem_fs.h"
#include "support/folder.h"

#define PROMISE(suite, name)                                            \
    static void suite##_##name(void);                                   \
    Test(suite##_held, name, .init = setup_held, .fini = teardown_held) \
    {                                                                   \
        suite##_##name();                                               \
    }                                                                   \
    PROMISE_THAT_HOLDS(suite, name)

#define PROMISE_THAT_HOLDS(suite, name)                                    \
    static void suite##_##name(void);                                      \
    Test(suite, name, .init = setup, .fini = teardown)                     \
    {                                                                      \
        suite##_##name();                                                  \
    }                                                                      \
    Test(suite##_model, name, .init = setup_model, .fini = teardown_model) \
    {                                                                      \
        suite##_##name();                                                  \
    }                                                                      \
    static void suite##_##name(void)

static char *dir;               /* NULL: it is the model */
static cs_mem_volume_t *volume; /* NULL: it is the real one */
static cs_fs_t *fs;

static inline void open_fs(void)
{
    cr_assert_eq(
        volume == NULL ? cs_fs_linux_open(dir, &fs) : cs_mem_fs_open(volume, NULL, &fs), CS_OK);
}

static inline void setup(void)
{
    umask(022);
    dir = cs_test_dir_new();
    cs_test_mkdir(dir, ".crdtsync/tmp");
    open_fs();
}

static inline void teardown(void)
{
    fs->ops->close_fs(&fs);
    cs_test_dir_remove(&dir);
}

static inline void setup_held(void)
{
    setup();
    fs->ops->hold(fs, true);
}

static inline void teardown_held(void)
{
    fs->ops->hold(fs, false);
    teardown();
}

/* With what most Linux file systems offer; 2026, as clocks are not at 0. */
static inline void setup_model_as(cs_mem_config_t config)
{
    config.umask = 022;
    config.power_cuts = true;
    volume = cs_mem_volume_new(&config);
    cs_mem_volume_set_time(volume, 1780000000123456789);
    cr_assert_eq(cs_mem_user_mkdir(volume, cs_slice_text(".crdtsync")), CS_OK);
    cr_assert_eq(cs_mem_user_mkdir(volume, cs_slice_text(".crdtsync/tmp")), CS_OK);
    open_fs();
}

static inline void setup_model(void)
{
    setup_model_as((cs_mem_config_t){0});
}

static inline void teardown_model(void)
{
    fs->ops->close_fs(&fs);
    cs_mem_volume_destroy(&volume);
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

static inline void user_symlink(const char *target, const char *path)
{
    if (volume == NULL) {
        cr_assert_eq(symlink(target, at(path)), 0);
    } else {
        cr_assert_eq(cs_mem_user_symlink(volume, p(target), p(path)), CS_OK);
    }
}

static inline void user_fifo(const char *path)
{
    if (volume == NULL) {
        cr_assert_eq(mkfifo(at(path), 0600), 0);
    } else {
        cr_assert_eq(cs_mem_user_mknod(volume, p(path), CS_NODE_FIFO), CS_OK);
    }
}

static inline void user_mkdir(const char *path)
{
    if (volume == NULL) {
        cs_test_mkdir(dir, path);
        return;
    }
    for (size_t len = 1; len <= strlen(path); len++) {
        if (path[len] != '/' && path[len] != '\0') continue;
        cs_err_t err = cs_mem_user_mkdir(volume, cs_slice(path, len));
        cr_assert(err == CS_OK || err == CS_ERR_EXISTS);
    }
}

static inline void user_rmdir(const char *path)
{
    if (volume == NULL) {
        cr_assert_eq(rmdir(at(path)), 0);
    } else {
        cr_assert_eq(cs_mem_user_rmdir(volume, p(path)), CS_OK);
    }
}

static inline void user_rename(const char *from, const char *to)
{
    if (volume == NULL) {
        cs_test_rename(dir, from, to);
    } else {
        cr_assert_eq(cs_mem_user_rename(volume, p(from), p(to), CS_RENAME_REPLACE), CS_OK);
    }
}

/* A descriptor of the user's. */
typedef struct hand {
    int fd;
    cs_mem_fd_t *model;
} hand_t;

static inline hand_t user_open(const char *path, unsigned flags)
{
    hand_t hand = {.fd = -1};
    if (volume != NULL) {
        cr_assert_eq(cs_mem_user_open(volume, p(path), flags, 0666, &hand.model), CS_OK);
        return hand;
    }
    int how = (flags & CS_MEM_O_WRITE) != 0 ? O_RDWR : O_RDONLY;
    if ((flags & CS_MEM_O_CREATE) != 0) how |= O_CREAT;
    if ((flags & CS_MEM_O_EXCL) != 0) how |= O_EXCL;
    if ((flags & CS_MEM_O_TRUNC) != 0) how |= O_TRUNC;
    if ((flags & CS_MEM_O_APPEND) != 0) how |= O_APPEND;
    hand.fd = open(at(path), how | O_CLOEXEC, 0666);
    cr_assert_geq(hand.fd, 0, "%s", path);
    return hand;
}

static inline void user_pwrite(hand_t hand, off_t offset, const char *text)
{
    size_t len = strlen(text);
    if (volume == NULL) {
        cr_assert_eq(pwrite(hand.fd, text, len, offset), (ssize_t)len);
    } else {
        cr_assert_eq(cs_mem_user_pwrite(hand.model, (uint64_t)offset, text, len), CS_OK);
    }
}

static inline void user_close(hand_t hand)
{
    if (volume == NULL) {
        close(hand.fd);
    } else {
        cs_mem_user_close(&hand.model);
    }
}

/* Missing parents are made. */
static inline void user_write(const char *path, const char *text)
{
    if (volume == NULL) {
        cs_test_write(dir, path, text);
        return;
    }
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        char *parent = cs_strdup(path);
        parent[slash - path] = '\0';
        user_mkdir(parent);
        cs_free(parent);
    }
    hand_t hand = user_open(path, CS_MEM_O_WRITE | CS_MEM_O_CREATE | CS_MEM_O_TRUNC);
    user_pwrite(hand, 0, text);
    user_close(hand);
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
