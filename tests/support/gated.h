/* gated.h - a process on a volume of the simulator behind a gate that a test controls. */
#ifndef CS_TESTS_GATED_H
#define CS_TESTS_GATED_H

#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "sim/mem_fs.h"

static cs_mem_volume_t *volume;
static cs_fs_t *fs;

/* A gate that writes down what it is asked, and lets one call fail. */
typedef struct watch {
    cs_buf_t log;
    unsigned asked, at; /* the at-th is refused, from 1; 0: none */
    cs_err_t err;
    size_t torn;
    bool dead;
    void (*act)(void); /* before the at-th */
} watch_t;

static watch_t watch;

static inline cs_err_t ask(void *arg, cs_mem_call_t *call)
{
    watch_t *w = arg;
    cs_buf_printf(&w->log, "%s %.*s %.*s %llu+%zu\n", cs_mem_call_name(call->kind),
                  (int)call->path.len, (const char *)call->path.data, (int)call->to.len,
                  (const char *)call->to.data, (unsigned long long)call->offset, call->len);
    if (++w->asked != w->at) return CS_OK;
    if (w->act != NULL) w->act();
    call->torn = w->torn;
    call->dead = w->dead;
    return w->err;
}

static inline void begin(cs_mem_config_t config)
{
    config.umask = 022;
    watch = (watch_t){0};
    volume = cs_mem_volume_new(&config);
    cr_assert_eq(cs_mem_user_mkdir(volume, cs_slice_text(".crdtsync")), CS_OK);
    cr_assert_eq(cs_mem_user_mkdir(volume, cs_slice_text(".crdtsync/tmp")), CS_OK);
    cs_mem_volume_flush(volume);
    cs_mem_gate_t gate = {ask, &watch};
    cr_assert_eq(cs_mem_fs_open(volume, &gate, &fs), CS_OK);
}

static inline void end(void)
{
    fs->ops->close_fs(&fs);
    cs_mem_volume_destroy(&volume);
    cs_buf_fini(&watch.log);
}

static inline cs_slice_t p(const char *text)
{
    return cs_slice_text(text);
}

static inline cs_file_t *create(const char *path)
{
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->create(fs, p(path), &file), CS_OK);
    return file;
}

static inline void put(const char *path, const char *text)
{
    cs_file_t *file = create(path);
    cr_assert_eq(fs->ops->write(file, 0, text, strlen(text)), CS_OK);
    fs->ops->close(&file);
}

static inline bool holds_in(cs_mem_volume_t *where, const char *path, const char *text)
{
    cs_mem_fd_t *fd = NULL;
    char data[64];
    size_t len = 0;
    if (cs_mem_user_open(where, p(path), 0, 0, &fd) != CS_OK) return false;
    cs_err_t err = cs_mem_user_pread(fd, 0, data, sizeof data, &len);
    cs_mem_user_close(&fd);
    return err == CS_OK && len == strlen(text) && memcmp(data, text, len) == 0;
}

static inline bool holds(const char *path, const char *text)
{
    return holds_in(volume, path, text);
}

static inline bool exists(const char *path)
{
    cs_stat_t st;
    return cs_mem_user_stat(volume, p(path), &st) == CS_OK;
}

#endif
