/* watch_inotify.c - a watch per directory: what its events say. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"
#include "io/os_err.h"
#include "io/watch_inotify.h"

#define READ_BYTES  (64u << 10) /* some thousand events */
#define RECENT_HEAT 16u         /* a directory takes a watch from one colder by one change */

static unsigned what_of(uint32_t mask)
{
    return ((mask & IN_MODIFY) != 0 ? (unsigned)CS_HINT_MODIFY : 0) |
           ((mask & IN_CLOSE_WRITE) != 0 ? (unsigned)CS_HINT_CLOSE : 0) |
           ((mask & IN_CREATE) != 0 ? (unsigned)CS_HINT_CREATE : 0) |
           ((mask & IN_DELETE) != 0 ? (unsigned)CS_HINT_DELETE : 0) |
           ((mask & IN_MOVED_FROM) != 0 ? (unsigned)CS_HINT_FROM : 0) |
           ((mask & IN_MOVED_TO) != 0 ? (unsigned)CS_HINT_TO : 0) |
           ((mask & IN_ATTRIB) != 0 ? (unsigned)CS_HINT_META : 0);
}

static void dir_came(cs__inotify_t *self, cs_wnode_t *parent, const struct inotify_event *event)
{
    cs_slice_t name = cs_slice_text(event->name);
    bool moved = (event->mask & IN_MOVED_TO) != 0;
    cs_wnode_t *old = cs_wtree_child(self->tree, parent, name);
    cs_wnode_t *node = self->moving;
    if (moved && node != NULL && event->cookie == self->cookie && node != parent) {
        self->moving = NULL;
        if (old != NULL && old != node) cs__inotify_remove_node(self, old);
        if (old != node) cs_wtree_move(self->tree, node, parent, name);
        return;
    }
    (void)cs__inotify_add_node(self, parent, name, !moved);
    cs_wnode_path(parent, name, &self->path);
    if (moved) cs__inotify_add_mark(self, cs_buf_slice(&self->path));
}

static void dir_left(cs__inotify_t *self, cs_wnode_t *parent, const struct inotify_event *event)
{
    cs_wnode_t *node = cs_wtree_child(self->tree, parent, cs_slice_text(event->name));
    if (node == NULL) {
        if (self->missed > 0) self->missed--;
        return;
    }
    if ((event->mask & IN_MOVED_FROM) == 0) {
        cs__inotify_remove_node(self, node);
        return;
    }
    cs__inotify_forget_moved(self);
    self->moving = node;
    self->cookie = event->cookie;
    self->moving_ms = self->now_ms;
}

static void on_named(cs__inotify_t *self, cs_wnode_t *node, const struct inotify_event *event)
{
    cs_slice_t name = cs_slice_text(event->name);
    if (node->parent == NULL && cs_slice_eq(name, cs_slice_text(CS_PRIVATE_DIR))) return;
    bool is_dir = (event->mask & IN_ISDIR) != 0;
    bool pairs = (event->mask & IN_MOVED_TO) != 0 && event->cookie == self->cookie;
    if (self->moving != NULL && !pairs) {
        bool is_own = node == self->moving;
        cs__inotify_forget_moved(self);
        if (is_own) return;
        node = cs_wtree_by_wd(self->tree, event->wd);
        if (node == NULL) return; /* it was below what moved away */
    }
    cs_wnode_warm(node, self->now_ms);
    cs_wnode_path(node, name, &self->path);
    cs_hint_t seen = {.path = cs_buf_slice(&self->path),
                      .what = what_of(event->mask),
                      .is_dir = is_dir,
                      .cookie = event->cookie};
    if (seen.path.len <= CS_PATH_MAX && seen.what != 0) {
        self->backend.sink.seen(self->backend.sink.arg, &seen);
    }
    if (!is_dir) return;
    if ((event->mask & (IN_CREATE | IN_MOVED_TO)) != 0) dir_came(self, node, event);
    if ((event->mask & (IN_DELETE | IN_MOVED_FROM)) != 0) dir_left(self, node, event);
    /* It may be readable now. */
    bool unknown = cs_wtree_child(self->tree, node, name) == NULL;
    if ((event->mask & IN_ATTRIB) != 0 && unknown) {
        if (self->missed > 0) self->missed--;
        (void)cs__inotify_add_node(self, node, name, false);
        cs__inotify_add_mark(self, cs_buf_slice(&self->path));
    }
}

static void on_event(cs__inotify_t *self, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        self->backend.sink.overflow(self->backend.sink.arg);
        cs__inotify_mark_all(self); /* directories came unseen */
        return;
    }
    cs_wnode_t *node = cs_wtree_by_wd(self->tree, event->wd);
    if (node == NULL) return;
    if (event->len > 0) {
        on_named(self, node, event);
        return;
    }
    bool ended = (event->mask & (IN_UNMOUNT | IN_IGNORED | IN_DELETE_SELF)) != 0;
    bool moved = (event->mask & IN_MOVE_SELF) != 0;
    if (node->parent == NULL && (ended || moved)) {
        self->backend.sink.gone(self->backend.sink.arg);
    } else if ((event->mask & IN_IGNORED) != 0) {
        cs_wtree_set_wd(self->tree, node, -1);
        cs__inotify_remove_node(self, node);
    }
}

static bool inotify_read(cs_watch_backend_t *backend, uint64_t now_ms)
{
    cs__inotify_t *self = (cs__inotify_t *)backend;
    _Alignas(struct inotify_event) char bytes[READ_BYTES];
    self->now_ms = now_ms;
    ssize_t len = read(self->fd, bytes, sizeof bytes);
    if (len <= 0) return false;
    backend->sink.received(backend->sink.arg);
    for (const char *at = bytes; at < bytes + len;) {
        const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
        on_event(self, event);
        at += sizeof *event + event->len;
    }
    return true;
}

/* --- the rest */

static int inotify_fd(const cs_watch_backend_t *backend)
{
    return ((const cs__inotify_t *)backend)->fd;
}

static void inotify_rules_changed(cs_watch_backend_t *backend, cs_slice_t dir)
{
    cs__inotify_t *self = (cs__inotify_t *)backend;
    cs_wnode_t *node = cs_wtree_find(self->tree, dir);
    if (node == NULL) return;
    if (self->ignore != NULL) cs_ignore_forget(self->ignore);
    if (self->missed > 0) {
        cs__inotify_mark_all(self);
    } else {
        cs__inotify_want_list(self, node, false);
        cs__inotify_add_mark(self, dir);
    }
}

/* Gives the watch of something colder to `dir`, of which all above is watched. */
static bool make_room(cs__inotify_t *self, const cs_wnode_t *parent)
{
    cs_wnode_t *cold = cs_wtree_coldest(self->tree, parent, self->now_ms);
    if (cold == NULL || cs_wnode_heat(cold, self->now_ms) >= RECENT_HEAT) return false;
    cs__inotify_remove_node(self, cold);
    self->missed++;
    return true;
}

static void inotify_warm(cs_watch_backend_t *backend, cs_slice_t dir, uint64_t now_ms)
{
    cs__inotify_t *self = (cs__inotify_t *)backend;
    self->now_ms = now_ms;
    cs_wnode_t *node = cs_wtree_root(self->tree);
    while (dir.len > 0) {
        const uint8_t *slash = memchr(dir.data, '/', dir.len);
        size_t len = slash != NULL ? (size_t)(slash - dir.data) : dir.len;
        cs_slice_t name = cs_slice(dir.data, len);
        cs_wnode_t *child = cs_wtree_child(self->tree, node, name);
        if (child == NULL) {
            bool full = atomic_load(self->limits.used) >= self->limits.budget;
            if (full && !make_room(self, node)) return;
            child = cs__inotify_add_node(self, node, name, false);
            if (child == NULL) return;
            if (self->missed > 0) self->missed--;
            cs_wnode_path(child, cs_slice(NULL, 0), &self->path);
            cs__inotify_add_mark(self, cs_buf_slice(&self->path));
        }
        node = child;
        size_t skip = slash != NULL ? len + 1 : len;
        dir = cs_slice(dir.data + skip, dir.len - skip);
    }
    cs_wnode_warm(node, now_ms);
}

static void inotify_count(const cs_watch_backend_t *backend, size_t *ret_watched,
                          size_t *ret_missed, cs_err_t *ret_why)
{
    const cs__inotify_t *self = (const cs__inotify_t *)backend;
    *ret_watched = cs_wtree_count(self->tree);
    *ret_missed = self->missed;
    *ret_why = self->missed > 0 ? self->why : CS_OK;
}

static void inotify_destroy(cs_watch_backend_t *backend)
{
    cs__inotify_t *self = (cs__inotify_t *)backend;
    cs__inotify_end_walk(self);
    while (self->mark_count > 0) {
        cs_str_unref(&self->mark[--self->mark_count]);
    }
    atomic_fetch_sub(self->limits.used, cs_wtree_count(self->tree));
    cs_wtree_destroy(&self->tree);
    close(self->fd); /* and with it all watches */
    cs_buf_fini(&self->path);
    cs_free(self->root);
    cs_free(self);
}

static const cs_watch_backend_ops_t ops = {
    .name = "inotify",
    .fd = inotify_fd,
    .read = inotify_read,
    .work = cs__inotify_work,
    .rules_changed = inotify_rules_changed,
    .warm = inotify_warm,
    .count = inotify_count,
    .destroy = inotify_destroy,
};

cs_err_t cs__watch_inotify(const char *root, const cs_watch_limits_t *limits,
                           const cs_watch_sink_t *sink, cs_watch_backend_t **ret)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return errno == EMFILE ? CS_ERR_LIMIT : cs_os_err(errno);
    cs__inotify_t *self = cs_calloc(1, sizeof *self);
    self->backend = (cs_watch_backend_t){&ops, *sink};
    self->root = cs_strdup(root);
    self->limits = *limits;
    self->fd = fd;
    self->tree = cs_wtree_new();
    self->list.listed_before = self->list.listed_after = &self->list;
    atomic_fetch_add(limits->used, 1); /* the root's, within the budget or not */
    cs__inotify_mark_all(self);
    *ret = &self->backend;
    return CS_OK;
}
