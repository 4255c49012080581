/* fs_linux_hold.c - directories that a thread keeps open between hold(true) and hold(false).
 *
 * Of a thousand small files that get their names, each would open .crdtsync/tmp once and its
 * own directory twice, and most are in the directory of the one before. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fs_linux_internal.h"

#define HELD_MAX \
    4u /* a call needs two at once; a group of files goes from one to a few others */

typedef struct held_dir {
    cs_buf_t path;
    int fd; /* -1: none */
    uint64_t used;
} held_dir_t;

typedef struct held {
    const cs_fs_t *fs;
    uint64_t uses;
    held_dir_t dir[HELD_MAX];
} held_t;

static _Thread_local held_t *held; /* NULL: none are held */

static void drop(held_dir_t *dir)
{
    if (dir->fd >= 0) close(dir->fd);
    dir->fd = -1;
}

void cs__linux_let_go(void)
{
    for (size_t i = 0; held != NULL && i < HELD_MAX; i++) {
        drop(&held->dir[i]);
    }
}

void cs__linux_hold(cs_fs_t *fs, bool on)
{
    CS_ASSERT(on == (held == NULL));
    if (on) {
        held = cs_calloc(1, sizeof *held);
        held->fs = fs;
        for (size_t i = 0; i < HELD_MAX; i++) {
            held->dir[i].fd = -1;
        }
        return;
    }
    cs__linux_let_go();
    for (size_t i = 0; i < HELD_MAX; i++) {
        cs_buf_fini(&held->dir[i].path);
    }
    cs_free(held);
    held = NULL;
}

bool cs__linux_holds(const cs_fs_t *fs)
{
    return held != NULL && held->fs == fs;
}

/* The one of that path, or a free place, or that which was not used for longest. */
static held_dir_t *place_for(cs_slice_t path)
{
    held_dir_t *oldest = &held->dir[0];
    for (size_t i = 0; i < HELD_MAX; i++) {
        held_dir_t *dir = &held->dir[i];
        if (dir->fd >= 0 && cs_slice_eq(cs_buf_slice(&dir->path), path)) return dir;
        if (oldest->fd >= 0 && (dir->fd < 0 || dir->used < oldest->used)) oldest = dir;
    }
    drop(oldest);
    return oldest;
}

cs_err_t cs__linux_held(cs_fs_t *fs, cs_slice_t path, int *ret_fd)
{
    held_dir_t *dir = place_for(path);
    if (dir->fd < 0) {
        cs_err_t err = cs__linux_open_at(fs, path, O_PATH | O_DIRECTORY, &dir->fd);
        if (err != CS_OK) {
            dir->fd = -1;
            return err;
        }
        cs_buf_clear(&dir->path);
        cs_buf_put_slice(&dir->path, path);
    }
    dir->used = ++held->uses;
    *ret_fd = dir->fd;
    return CS_OK;
}
