/* watch_root.c - which backend watches a root, and whether the root is still the same. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/mem.h"
#include "io/watch_internal.h"

#define LIMITS_MS 60000u /* between two looks whether the kernel allows more watches */
#define BUDGET_UNKNOWN \
    4096u /* the kernel does not say what it allows: half of the oldest default */
#define MAX_WATCHES "/proc/sys/fs/inotify/max_user_watches"

static size_t kernel_budget(void)
{
    char text[32] = "";
    FILE *file = fopen(MAX_WATCHES, "re");
    bool known = file != NULL && fgets(text, sizeof text, file) != NULL;
    if (file != NULL) fclose(file);
    /* The other half is for others of this user. */
    return known ? (size_t)strtoul(text, NULL, 10) / 2 : BUDGET_UNKNOWN;
}

/* What is remounted is another one, even if device and inode are the same. */
static bool identify(const char *root, struct statx *ret)
{
    unsigned mask = STATX_INO;
#ifdef STATX_MNT_ID
    mask |= STATX_MNT_ID;
#endif
    memset(ret, 0, sizeof *ret);
    return statx(AT_FDCWD, root, AT_STATX_DONT_SYNC, mask, ret) == 0;
}

static bool is_same_root(const struct statx *a, const struct statx *b)
{
    bool same = a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
                a->stx_dev_minor == b->stx_dev_minor;
#ifdef STATX_MNT_ID
    same = same && a->stx_mnt_id == b->stx_mnt_id;
#endif
    return same;
}

/* NFS, CIFS, SMB, 9P, Ceph, FUSE. */
static bool is_remote(const char *root)
{
    static const unsigned long magics[] = {0x6969,     0xff534d42, 0xfe534d42,
                                           0x01021997, 0x00c36400, 0x65735546};
    struct statfs fs;
    if (statfs(root, &fs) != 0) return false;
    for (size_t i = 0; i < CS_COUNT_OF(magics); i++) {
        if (((unsigned long)fs.f_type & 0xffffffffu) == magics[i]) return true;
    }
    return false;
}

static void close_backend(cs_watcher_t *watch, cs_err_t why)
{
    cs_watch_thread_t *thread = &watch->thread;
    if (thread->backend != NULL) thread->backend->ops->destroy(thread->backend);
    thread->backend = NULL;
    thread->gone = false;
    thread->from.waits = false;
    thread->state = (cs_watcher_state_t){.why = why, .overflows = thread->state.overflows};
    cs_dirty_add_all(thread->dirty, thread->now_ms);
}

void cs__watch_open(cs_watcher_t *watch, void (*received)(void *arg))
{
    cs_watch_thread_t *thread = &watch->thread;
    cs_watcher_by_t by = watch->config.by;
    cs_watch_sink_t sink = cs__watch_sink(thread, received);
    watch->root_ms = thread->now_ms;
    if (!identify(thread->root, &watch->root_is)) {
        thread->state.why = CS_ERR_NOT_MOUNTED;
        return;
    }
    cs_err_t err = CS_ERR_UNSUPPORTED;
    if (by != CS_WATCH_INOTIFY) {
        err = cs__watch_fanotify(thread->root, &sink, &thread->backend);
        if (err == CS_OK) by = CS_WATCH_FANOTIFY;
    }
    if (err != CS_OK && by != CS_WATCH_FANOTIFY) {
        watch->budget = watch->config.budget != 0 ? watch->config.budget : kernel_budget();
        watch->limits_ms = thread->now_ms;
        cs_watch_limits_t limits = {watch->budget, watch->config.used};
        err = cs__watch_inotify(thread->root, &limits, &sink, &thread->backend);
        by = CS_WATCH_INOTIFY;
    }
    thread->state.by = err == CS_OK ? by : CS_WATCH_OFF;
    thread->state.why = err;
    thread->state.remote = is_remote(thread->root);
}

/* Something else may be there now; more watches may be allowed. */
void cs__watch_check_root(cs_watcher_t *watch, void (*received)(void *arg))
{
    cs_watch_thread_t *thread = &watch->thread;
    struct statx now;
    bool due = thread->now_ms >= watch->root_ms + CS_WATCH_ROOT_MS;
    if (!due && !thread->gone) return;
    watch->root_ms = thread->now_ms;
    bool same =
        !thread->gone && identify(thread->root, &now) && is_same_root(&now, &watch->root_is);
    if (thread->backend != NULL && !same) close_backend(watch, CS_ERR_NOT_MOUNTED);
    bool more = thread->state.missed > 0 && watch->config.budget == 0 &&
                thread->now_ms >= watch->limits_ms + LIMITS_MS;
    if (more) watch->limits_ms = thread->now_ms;
    if (more && kernel_budget() != watch->budget) close_backend(watch, CS_OK);
    if (thread->backend == NULL) cs__watch_open(watch, received);
}
