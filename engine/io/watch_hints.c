/* watch_hints.c - what an event means: whose doing it is, and when to look. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/path.h"
#include "disk/ignore.h"
#include "io/watch_internal.h"

static void add(cs_watch_thread_t *thread, cs_slice_t path, cs_dirty_kind_t kind, bool is_new)
{
    cs_dirty_add(thread->dirty, path, kind, is_new, thread->now_ms);
}

void cs__watch_end_pair(cs_watch_thread_t *thread)
{
    size_t watched, missed = 0;
    cs_err_t why;
    if (!thread->from.waits) return;
    thread->from.waits = false;
    add(thread, cs_buf_slice(&thread->from.path), CS_DIRTY_GONE, false);
    /* It may be where nobody watches: a scan of everything sees a move, not a loss. */
    if (thread->backend != NULL) {
        thread->backend->ops->count(thread->backend, &watched, &missed, &why);
    }
    if (missed > 0) cs_dirty_add_all(thread->dirty, thread->now_ms);
}

/* Where links lead on the way does not matter: it is a hint about when to look. */
static bool look_at(cs_watch_thread_t *thread, cs_slice_t path, struct stat *ret)
{
    char text[CS_PATH_MAX + 1];
    if (path.len > CS_PATH_MAX) return false;
    memcpy(text, path.data, path.len);
    text[path.len] = '\0';
    if (thread->root_fd < 0) {
        thread->root_fd = open(thread->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (thread->root_fd < 0) return false;
    return fstatat(thread->root_fd, text, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A file that came with a name and is closed by nobody: a link, of either kind. */
static bool is_complete(cs_watch_thread_t *thread, cs_slice_t path)
{
    struct stat st;
    return look_at(thread, path, &st) && (!S_ISREG(st.st_mode) || st.st_nlink > 1);
}

/* Nobody wrote to it since a job did. */
static bool is_as_we_leave_it(cs_watch_thread_t *thread, cs_slice_t path)
{
    struct stat st;
    if (thread->deeds == NULL) return false;
    bool there = look_at(thread, path, &st);
    cs_left_t now = {.is_file = false};
    if (there) {
        now.is_file = S_ISREG(st.st_mode);
        now.mode = (uint16_t)(st.st_mode & CS_MODE_MAX);
        now.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    for (const cs_watch_deeds_t *at = thread->deeds; at != NULL; at = at->next) {
        if (cs_deeds_left(at->deeds, path, there ? &now : NULL)) return true;
    }
    return false;
}

/* The event may be counted for one that came before its directory was watched. */
static bool is_ours(cs_watch_thread_t *thread, cs_slice_t path, cs_deed_t what, bool is_dir)
{
    for (cs_watch_deeds_t *at = thread->deeds; at != NULL; at = at->next) {
        if (!cs_deeds_take(at->deeds, path, what, is_dir)) continue;
        return is_dir || is_as_we_leave_it(thread, path);
    }
    return false;
}

static bool is_on_our_way(const cs_watch_thread_t *thread, cs_slice_t dir)
{
    for (const cs_watch_deeds_t *at = thread->deeds; at != NULL; at = at->next) {
        if (cs_deeds_leads(at->deeds, dir)) return true;
    }
    return false;
}

static void came(cs_watch_thread_t *thread, const cs_hint_t *hint)
{
    if (is_ours(thread, hint->path, CS_DEED_COME, hint->is_dir)) return;
    if (hint->is_dir) {
        add(thread, hint->path, CS_DIRTY_MADE, true);
    } else {
        bool complete = is_complete(thread, hint->path);
        add(thread, hint->path, complete ? CS_DIRTY_DONE : CS_DIRTY_WRITING, true);
    }
}

/* In a directory that was not watched when it came there: whose it is, no event says. */
static void was_listed(cs_watch_thread_t *thread, const cs_hint_t *hint)
{
    bool ours = hint->is_dir ? is_on_our_way(thread, hint->path)
                             : is_as_we_leave_it(thread, hint->path);
    if (ours) return;
    bool complete = (hint->what & CS_HINT_CLOSE) != 0;
    add(thread, hint->path,
        hint->is_dir ? CS_DIRTY_MADE
        : complete   ? CS_DIRTY_DONE
                     : CS_DIRTY_WRITING,
        true);
}

static void moved_from(cs_watch_thread_t *thread, const cs_hint_t *hint)
{
    if (is_ours(thread, hint->path, CS_DEED_GO, hint->is_dir)) {
        thread->own_cookie = hint->cookie;
        return;
    }
    thread->from.waits = true;
    thread->from.cookie = hint->cookie;
    thread->from.at_ms = thread->now_ms;
    cs_buf_clear(&thread->from.path);
    cs_buf_put_slice(&thread->from.path, hint->path);
}

static void moved_to(cs_watch_thread_t *thread, const cs_hint_t *hint)
{
    /* What is in a directory would come unseen with it, unless it was ours before. */
    bool foreign = hint->is_dir && hint->cookie != thread->own_cookie;
    if (!foreign && is_ours(thread, hint->path, CS_DEED_COME, hint->is_dir)) {
        cs__watch_end_pair(thread);
    } else if (thread->from.waits) { /* seen() made sure that it is its other half */
        thread->from.waits = false;
        cs_dirty_move(thread->dirty, cs_buf_slice(&thread->from.path), hint->path,
                      thread->now_ms);
    } else {
        add(thread, hint->path, CS_DIRTY_DONE, false);
    }
}

/* Of several at once the order is not known: the last line that fits says when to look. */
static void on_hint(cs_watch_thread_t *thread, const cs_hint_t *hint)
{
    unsigned what = hint->what;
    if ((what & CS_HINT_LISTED) != 0) {
        was_listed(thread, hint);
    } else if ((what & CS_HINT_FROM) != 0) {
        moved_from(thread, hint);
    } else if ((what & CS_HINT_TO) != 0) {
        moved_to(thread, hint);
    } else if ((what & CS_HINT_DELETE) != 0) {
        bool alone = what == CS_HINT_DELETE;
        if (alone && is_ours(thread, hint->path, CS_DEED_GO, hint->is_dir)) return;
        add(thread, hint->path, CS_DIRTY_GONE, false);
    } else if ((what & CS_HINT_CLOSE) != 0) {
        add(thread, hint->path, CS_DIRTY_DONE, (what & CS_HINT_CREATE) != 0);
    } else if ((what & CS_HINT_CREATE) != 0) {
        came(thread, hint);
    } else if ((what & CS_HINT_MODIFY) != 0) {
        add(thread, hint->path, CS_DIRTY_WRITING, false);
    } else if (!hint->is_dir && !is_as_we_leave_it(thread, hint->path)) {
        add(thread, hint->path, CS_DIRTY_DONE, false);
    }
}

static void seen(void *arg, const cs_hint_t *hint)
{
    cs_watch_thread_t *thread = arg;
    bool second = (hint->what & CS_HINT_TO) != 0 && hint->cookie == thread->from.cookie;
    if (thread->from.waits && !second) cs__watch_end_pair(thread);
    on_hint(thread, hint);
    if (!cs_slice_eq(cs_path_base(hint->path), cs_slice_text(CS_IGNORE_FILE))) return;
    const cs_watch_backend_ops_t *ops = thread->backend->ops;
    cs_slice_t dir = cs_path_parent(hint->path);
    add(thread, dir, CS_DIRTY_DONE, false);
    ops->rules_changed(thread->backend, dir);
}

static void overflow(void *arg)
{
    cs_watch_thread_t *thread = arg;
    thread->state.overflows++;
    cs_dirty_add_all(thread->dirty, thread->now_ms);
}

static void covered(void *arg, cs_slice_t dir)
{
    cs_watch_thread_t *thread = arg;
    if (dir.len == 0) thread->state.started = true;
    add(thread, dir, CS_DIRTY_DONE, false);
}

static void gone(void *arg)
{
    ((cs_watch_thread_t *)arg)->gone = true;
}

cs_watch_sink_t cs__watch_sink(cs_watch_thread_t *thread, void (*received)(void *arg))
{
    return (cs_watch_sink_t){.arg = thread,
                             .received = received,
                             .seen = seen,
                             .overflow = overflow,
                             .covered = covered,
                             .gone = gone};
}
