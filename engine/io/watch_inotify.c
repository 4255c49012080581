/* watch_inotify.c - a watch per directory, set by a walk that never takes long.
 *
 * A directory is watched first and listed then, so that nothing that comes into it is missed:
 * what the list shows may be told twice. The root is not held open between walks, so that it
 * can be unmounted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "disk/ignore.h"
#include "io/fs_linux_internal.h"
#include "io/os_err.h"
#include "io/watch_backend.h"
#include "io/watch_tree.h"

#define READ_BYTES  (64u << 10) /* some thousand events */
#define STEP_DIRS   64u         /* listed between two looks at the queue: a millisecond */
#define PAIR_MS     5u          /* the second half of a rename follows at once, or never */
#define MARKS_MAX   64u         /* trees told of when the walk ends; more are everything */
#define RECENT_HEAT 16u         /* a directory takes a watch from one colder by one change */

#define DIR_MASK                                                                      \
    (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
     IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

typedef struct inotify {
    cs_watch_backend_t backend;
    char *root; /* owned */
    cs_watch_limits_t limits;
    int fd;
    cs_wtree_t *tree;
    size_t missed;
    cs_err_t why;    /* some are missed */
    cs_wnode_t list; /* head of those to list; only its links are used */
    cs_fs_t *fs;     /* while there are any */
    cs_ignore_t *ignore;
    cs_str_t *mark[MARKS_MAX]; /* trees to tell of as covered when the walk ends; owned */
    size_t mark_count;
    cs_wnode_t *moving; /* went from its name, by `cookie` */
    uint32_t cookie;
    uint64_t moving_ms;
    cs_buf_t path;
    uint64_t now_ms;
} inotify_t;

/* --- nodes */

static void forget_to_list(cs_wnode_t *node)
{
    if (!node->to_list) return;
    node->listed_before->listed_after = node->listed_after;
    node->listed_after->listed_before = node->listed_before;
    node->to_list = node->fresh = false;
}

/* fresh: what is in it is news. */
static void want_list(inotify_t *self, cs_wnode_t *node, bool fresh)
{
    if (node->to_list) {
        node->fresh = node->fresh || fresh;
        return;
    }
    node->to_list = true;
    node->fresh = fresh;
    node->listed_before = &self->list;
    node->listed_after = self->list.listed_after;
    node->listed_before->listed_after = node->listed_after->listed_before = node;
}

static void drop_node(void *arg, cs_wnode_t *node)
{
    inotify_t *self = arg;
    forget_to_list(node);
    if (self->moving == node) self->moving = NULL;
    if (node->wd >= 0) (void)inotify_rm_watch(self->fd, node->wd); /* gone with its directory */
    atomic_fetch_sub(self->limits.used, 1);
}

static void remove_node(inotify_t *self, cs_wnode_t *node)
{
    if (node->parent != NULL) cs_wtree_remove(self->tree, node, drop_node, self);
}

static bool take_watch(inotify_t *self)
{
    if (atomic_fetch_add(self->limits.used, 1) < self->limits.budget) return true;
    atomic_fetch_sub(self->limits.used, 1);
    return false;
}

static void miss(inotify_t *self, cs_err_t why)
{
    self->missed++;
    if (self->why != CS_ERR_NOSPACE) self->why = why;
}

static cs_wnode_t *add_node(inotify_t *self, cs_wnode_t *parent, cs_slice_t name, bool fresh)
{
    cs_wnode_t *node = cs_wtree_child(self->tree, parent, name);
    if (node == NULL && !take_watch(self)) {
        miss(self, CS_ERR_NOSPACE);
        return NULL;
    }
    if (node == NULL) node = cs_wtree_add(self->tree, parent, name);
    want_list(self, node, fresh);
    return node;
}

/* --- the walk */

static void add_mark(inotify_t *self, cs_slice_t dir)
{
    if (self->mark_count == MARKS_MAX) {
        while (self->mark_count > 0) {
            cs_str_unref(&self->mark[--self->mark_count]);
        }
        dir = cs_slice(NULL, 0);
    }
    self->mark[self->mark_count++] = cs_str_new(dir.data, dir.len);
}

static void mark_all(inotify_t *self)
{
    self->missed = 0;                                  /* counted anew */
    want_list(self, cs_wtree_root(self->tree), false); /* and with it what is below */
    add_mark(self, cs_slice(NULL, 0));
}

static bool begin_walk(inotify_t *self)
{
    if (self->fs != NULL) return true;
    if (cs_fs_linux_open(self->root, &self->fs) != CS_OK) return false;
    self->ignore = cs_ignore_new(self->fs);
    return true;
}

static void end_walk(inotify_t *self)
{
    cs_ignore_destroy(&self->ignore);
    if (self->fs != NULL) self->fs->ops->close_fs(&self->fs);
}

/* False: it is not watched, and `node` is removed unless it is the root. */
static bool watch_dir(inotify_t *self, cs_wnode_t *node, int dir)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    int wd = inotify_add_watch(self->fd, path, DIR_MASK);
    if (wd < 0) {
        miss(self, errno == ENOSPC ? CS_ERR_NOSPACE : cs_os_err(errno));
        remove_node(self, node);
        return false;
    }
    cs_wnode_t *old = cs_wtree_by_wd(self->tree, wd);
    if (old != NULL && old != node) { /* it was renamed, which was not seen */
        cs_wtree_set_wd(self->tree, old, -1);
        remove_node(self, old);
    }
    cs_wtree_set_wd(self->tree, node, wd);
    return true;
}

static bool is_dir_entry(int dir, const struct dirent *entry, unsigned *ret_what)
{
    struct stat st;
    unsigned char type = entry->d_type;
    if (type == DT_UNKNOWN) {
        if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) return false;
        type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISLNK(st.st_mode) ? DT_LNK : DT_REG;
    }
    *ret_what = CS_HINT_LISTED | (type == DT_LNK ? (unsigned)CS_HINT_CLOSE : 0);
    return type == DT_DIR;
}

static void list_entry(inotify_t *self, cs_wnode_t *node, int dir, const struct dirent *entry,
                       bool fresh)
{
    cs_hint_t seen = {.is_dir = false};
    cs_slice_t name = cs_slice_text(entry->d_name);
    seen.is_dir = is_dir_entry(dir, entry, &seen.what);
    if (!seen.is_dir && !fresh) return;
    cs_wnode_path(node, name, &self->path);
    seen.path = cs_buf_slice(&self->path);
    if (seen.path.len > CS_PATH_MAX) return;
    if (seen.is_dir && cs_ignore_has(self->ignore, seen.path, true)) {
        cs_wnode_t *old = cs_wtree_child(self->tree, node, name);
        if (old != NULL) remove_node(self, old);
        return;
    }
    if (fresh) self->backend.sink.seen(self->backend.sink.arg, &seen);
    if (seen.is_dir) (void)add_node(self, node, name, fresh);
}

static void list_dir(inotify_t *self, cs_wnode_t *node, int fd, bool fresh)
{
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        close(fd);
        return;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        bool private = node->parent == NULL && strcmp(entry->d_name, CS_PRIVATE_DIR) == 0;
        bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!private && !dots) list_entry(self, node, fd, entry, fresh);
    }
    closedir(dir);
}

static void step(inotify_t *self, cs_wnode_t *node)
{
    int fd = -1;
    bool fresh = node->fresh;
    forget_to_list(node);
    cs_wnode_path(node, cs_slice(NULL, 0), &self->path);
    cs_slice_t path = cs_buf_slice(&self->path);
    bool ignored = false;
    cs_err_t err = cs__linux_open_at(self->fs, path, O_RDONLY | O_DIRECTORY, &fd);
    if (err == CS_OK && path.len > 0) {
        err = cs_ignore_matches(self->ignore, path, true, &ignored);
    }
    if (err == CS_OK && !ignored) err = cs_ignore_enter(self->ignore, path);
    if (ignored) {
        close(fd);
        remove_node(self, node);
        return;
    }
    if (err != CS_OK) { /* gone, of which an event tells; not readable; a mount */
        bool is_gone =
            err == CS_ERR_NOT_FOUND || err == CS_ERR_NOT_DIR || err == CS_ERR_ESCAPES;
        if (fd >= 0) close(fd);
        if (!is_gone && err != CS_ERR_CROSS_DEVICE) miss(self, err);
        remove_node(self, node);
        return;
    }
    if (node->wd < 0 && !watch_dir(self, node, fd)) {
        close(fd);
        return;
    }
    list_dir(self, node, fd, fresh);
}

static bool has_to_list(const inotify_t *self)
{
    return self->list.listed_after != &self->list;
}

static void forget_moved(inotify_t *self)
{
    cs_wnode_t *node = self->moving;
    self->moving = NULL;
    if (node != NULL) remove_node(self, node);
}

static bool inotify_work(cs_watch_backend_t *backend, uint64_t now_ms)
{
    inotify_t *self = (inotify_t *)backend;
    self->now_ms = now_ms;
    if (self->moving != NULL && now_ms >= self->moving_ms + PAIR_MS) forget_moved(self);
    if (!has_to_list(self)) return self->moving != NULL;
    if (!begin_walk(self)) {
        backend->sink.gone(backend->sink.arg);
        return false;
    }
    for (size_t i = 0; i < STEP_DIRS && has_to_list(self); i++) {
        step(self, self->list.listed_after);
    }
    if (has_to_list(self)) return true;
    end_walk(self);
    while (self->mark_count > 0) {
        cs_str_t *dir = self->mark[--self->mark_count];
        backend->sink.covered(backend->sink.arg, cs_slice_str(dir));
        cs_str_unref(&dir);
    }
    return self->moving != NULL;
}

/* --- events */

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

static void dir_came(inotify_t *self, cs_wnode_t *parent, const struct inotify_event *event)
{
    cs_slice_t name = cs_slice_text(event->name);
    bool moved = (event->mask & IN_MOVED_TO) != 0;
    cs_wnode_t *old = cs_wtree_child(self->tree, parent, name);
    cs_wnode_t *node = self->moving;
    if (moved && node != NULL && event->cookie == self->cookie && node != parent) {
        self->moving = NULL;
        if (old != NULL && old != node) remove_node(self, old);
        if (old != node) cs_wtree_move(self->tree, node, parent, name);
        return;
    }
    (void)add_node(self, parent, name, !moved);
    cs_wnode_path(parent, name, &self->path);
    if (moved) add_mark(self, cs_buf_slice(&self->path));
}

static void dir_left(inotify_t *self, cs_wnode_t *parent, const struct inotify_event *event)
{
    cs_wnode_t *node = cs_wtree_child(self->tree, parent, cs_slice_text(event->name));
    if (node == NULL) {
        if (self->missed > 0) self->missed--;
        return;
    }
    if ((event->mask & IN_MOVED_FROM) == 0) {
        remove_node(self, node);
        return;
    }
    forget_moved(self);
    self->moving = node;
    self->cookie = event->cookie;
    self->moving_ms = self->now_ms;
}

static void on_named(inotify_t *self, cs_wnode_t *node, const struct inotify_event *event)
{
    cs_slice_t name = cs_slice_text(event->name);
    if (node->parent == NULL && cs_slice_eq(name, cs_slice_text(CS_PRIVATE_DIR))) return;
    bool is_dir = (event->mask & IN_ISDIR) != 0;
    bool pairs = (event->mask & IN_MOVED_TO) != 0 && event->cookie == self->cookie;
    if (self->moving != NULL && !pairs) {
        bool is_own = node == self->moving;
        forget_moved(self);
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
        (void)add_node(self, node, name, false);
        add_mark(self, cs_buf_slice(&self->path));
    }
}

static void on_event(inotify_t *self, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        self->backend.sink.overflow(self->backend.sink.arg);
        mark_all(self); /* directories came unseen */
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
        remove_node(self, node);
    }
}

static bool inotify_read(cs_watch_backend_t *backend, uint64_t now_ms)
{
    inotify_t *self = (inotify_t *)backend;
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
    return ((const inotify_t *)backend)->fd;
}

static void inotify_rules_changed(cs_watch_backend_t *backend, cs_slice_t dir)
{
    inotify_t *self = (inotify_t *)backend;
    cs_wnode_t *node = cs_wtree_find(self->tree, dir);
    if (node == NULL) return;
    if (self->ignore != NULL) cs_ignore_forget(self->ignore);
    if (self->missed > 0) {
        mark_all(self);
    } else {
        want_list(self, node, false);
        add_mark(self, dir);
    }
}

/* Gives the watch of something colder to `dir`, of which all above is watched. */
static bool make_room(inotify_t *self, const cs_wnode_t *parent)
{
    cs_wnode_t *cold = cs_wtree_coldest(self->tree, parent, self->now_ms);
    if (cold == NULL || cs_wnode_heat(cold, self->now_ms) >= RECENT_HEAT) return false;
    remove_node(self, cold);
    self->missed++;
    return true;
}

static void inotify_warm(cs_watch_backend_t *backend, cs_slice_t dir, uint64_t now_ms)
{
    inotify_t *self = (inotify_t *)backend;
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
            child = add_node(self, node, name, false);
            if (child == NULL) return;
            if (self->missed > 0) self->missed--;
            cs_wnode_path(child, cs_slice(NULL, 0), &self->path);
            add_mark(self, cs_buf_slice(&self->path));
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
    const inotify_t *self = (const inotify_t *)backend;
    *ret_watched = cs_wtree_count(self->tree);
    *ret_missed = self->missed;
    *ret_why = self->missed > 0 ? self->why : CS_OK;
}

static void inotify_destroy(cs_watch_backend_t *backend)
{
    inotify_t *self = (inotify_t *)backend;
    end_walk(self);
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
    .work = inotify_work,
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
    inotify_t *self = cs_calloc(1, sizeof *self);
    self->backend = (cs_watch_backend_t){&ops, *sink};
    self->root = cs_strdup(root);
    self->limits = *limits;
    self->fd = fd;
    self->tree = cs_wtree_new();
    self->list.listed_before = self->list.listed_after = &self->list;
    atomic_fetch_add(limits->used, 1); /* the root's, within the budget or not */
    mark_all(self);
    *ret = &self->backend;
    return CS_OK;
}
