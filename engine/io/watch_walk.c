/* watch_walk.c - sets inotify's watches, by a walk that never takes long at a time.
 *
 * A directory is watched first and listed then, so that nothing that comes into it is missed:
 * what the list shows may be told twice. The root is not held open between walks, so that it
 * can be unmounted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "io/fs_linux_internal.h"
#include "io/os_err.h"
#include "io/watch_inotify.h"

#define STEP_DIRS 64u /* listed between two looks at the queue: a millisecond */
#define PAIR_MS   5u  /* the second half of a rename follows at once, or never */

#define DIR_MASK                                                                      \
    (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | \
     IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

static void forget_to_list(cs_wnode_t *node)
{
    if (!node->to_list) return;
    node->listed_before->listed_after = node->listed_after;
    node->listed_after->listed_before = node->listed_before;
    node->to_list = node->fresh = false;
}

/* fresh: what is in it is news. */
void cs__inotify_want_list(cs__inotify_t *self, cs_wnode_t *node, bool fresh)
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
    cs__inotify_t *self = arg;
    forget_to_list(node);
    if (self->moving == node) self->moving = NULL;
    if (node->wd >= 0) (void)inotify_rm_watch(self->fd, node->wd); /* gone with its directory */
    atomic_fetch_sub(self->limits.used, 1);
}

void cs__inotify_remove_node(cs__inotify_t *self, cs_wnode_t *node)
{
    if (node->parent != NULL) cs_wtree_remove(self->tree, node, drop_node, self);
}

static bool take_watch(cs__inotify_t *self)
{
    if (atomic_fetch_add(self->limits.used, 1) < self->limits.budget) return true;
    atomic_fetch_sub(self->limits.used, 1);
    return false;
}

static void miss(cs__inotify_t *self, cs_err_t why)
{
    self->missed++;
    if (self->why != CS_ERR_NOSPACE) self->why = why;
}

cs_wnode_t *cs__inotify_add_node(cs__inotify_t *self, cs_wnode_t *parent, cs_slice_t name,
                                 bool fresh)
{
    cs_wnode_t *node = cs_wtree_child(self->tree, parent, name);
    if (node == NULL && !take_watch(self)) {
        miss(self, CS_ERR_NOSPACE);
        return NULL;
    }
    if (node == NULL) node = cs_wtree_add(self->tree, parent, name);
    cs__inotify_want_list(self, node, fresh);
    return node;
}

/* --- the walk */

void cs__inotify_add_mark(cs__inotify_t *self, cs_slice_t dir)
{
    if (self->mark_count == CS_WATCH_MARKS_MAX) {
        while (self->mark_count > 0) {
            cs_str_unref(&self->mark[--self->mark_count]);
        }
        dir = cs_slice(NULL, 0);
    }
    self->mark[self->mark_count++] = cs_str_new(dir.data, dir.len);
}

void cs__inotify_mark_all(cs__inotify_t *self)
{
    self->missed = 0; /* counted anew */
    cs__inotify_want_list(self, cs_wtree_root(self->tree),
                          false); /* and with it what is below */
    cs__inotify_add_mark(self, cs_slice(NULL, 0));
}

static bool begin_walk(cs__inotify_t *self)
{
    if (self->fs != NULL) return true;
    if (cs_fs_linux_open(self->root, &self->fs) != CS_OK) return false;
    self->ignore = cs_ignore_new(self->fs);
    return true;
}

void cs__inotify_end_walk(cs__inotify_t *self)
{
    cs_ignore_destroy(&self->ignore);
    if (self->fs != NULL) self->fs->ops->close_fs(&self->fs);
}

/* False: it is not watched, and `node` is removed unless it is the root. */
static bool watch_dir(cs__inotify_t *self, cs_wnode_t *node, int dir)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    int wd = inotify_add_watch(self->fd, path, DIR_MASK);
    if (wd < 0) {
        miss(self, errno == ENOSPC ? CS_ERR_NOSPACE : cs_os_err(errno));
        cs__inotify_remove_node(self, node);
        return false;
    }
    cs_wnode_t *old = cs_wtree_by_wd(self->tree, wd);
    if (old != NULL && old != node) { /* it was renamed, which was not seen */
        cs_wtree_set_wd(self->tree, old, -1);
        cs__inotify_remove_node(self, old);
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

static void list_entry(cs__inotify_t *self, cs_wnode_t *node, int dir,
                       const struct dirent *entry, bool fresh)
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
        if (old != NULL) cs__inotify_remove_node(self, old);
        return;
    }
    if (fresh) self->backend.sink.seen(self->backend.sink.arg, &seen);
    if (seen.is_dir) (void)cs__inotify_add_node(self, node, name, fresh);
}

static void list_dir(cs__inotify_t *self, cs_wnode_t *node, int fd, bool fresh)
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

static void step(cs__inotify_t *self, cs_wnode_t *node)
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
        cs__inotify_remove_node(self, node);
        return;
    }
    if (err != CS_OK) { /* gone, of which an event tells; not readable; a mount */
        bool is_gone =
            err == CS_ERR_NOT_FOUND || err == CS_ERR_NOT_DIR || err == CS_ERR_ESCAPES;
        if (fd >= 0) close(fd);
        if (!is_gone && err != CS_ERR_CROSS_DEVICE) miss(self, err);
        cs__inotify_remove_node(self, node);
        return;
    }
    if (node->wd < 0 && !watch_dir(self, node, fd)) {
        close(fd);
        return;
    }
    list_dir(self, node, fd, fresh);
}

static bool has_to_list(const cs__inotify_t *self)
{
    return self->list.listed_after != &self->list;
}

void cs__inotify_forget_moved(cs__inotify_t *self)
{
    cs_wnode_t *node = self->moving;
    self->moving = NULL;
    if (node != NULL) cs__inotify_remove_node(self, node);
}

bool cs__inotify_work(cs_watch_backend_t *backend, uint64_t now_ms)
{
    cs__inotify_t *self = (cs__inotify_t *)backend;
    self->now_ms = now_ms;
    bool late = self->moving != NULL && now_ms >= self->moving_ms + PAIR_MS;
    if (late) cs__inotify_forget_moved(self);
    if (!has_to_list(self)) return self->moving != NULL;
    if (!begin_walk(self)) {
        backend->sink.gone(backend->sink.arg);
        return false;
    }
    for (size_t i = 0; i < STEP_DIRS && has_to_list(self); i++) {
        step(self, self->list.listed_after);
    }
    if (has_to_list(self)) return true;
    cs__inotify_end_walk(self);
    while (self->mark_count > 0) {
        cs_str_t *dir = self->mark[--self->mark_count];
        backend->sink.covered(backend->sink.arg, cs_slice_str(dir));
        cs_str_unref(&dir);
    }
    return self->moving != NULL;
}
