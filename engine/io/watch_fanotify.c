/* watch_fanotify.c - one mark for the whole file system: nothing to set up, nothing to run out
 * of.
 *
 * Needs CAP_SYS_ADMIN, and CAP_DAC_READ_SEARCH to open directories by their handles. Events
 * name a directory by handle; where it is now is asked once and remembered, also if it is none
 * of ours, for others write to the file system, too. Whenever a directory is renamed or removed
 * all that was remembered is asked anew. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "crdt/omap.h"
#include "disk/ignore.h"
#include "io/fs_linux.h"
#include "io/os_err.h"
#include "io/watch_backend.h"

#define READ_BYTES (64u << 10)
#define DIRS_MAX   16384u /* remembered; 200 bytes each, and asking costs 33 us (limits.md) */

#define FS_MASK                                                                         \
    (FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_CREATE | FAN_DELETE | FAN_RENAME | \
     FAN_ONDIR)

typedef struct place {
    bool ours; /* in the folder, and not ignored */
    cs_buf_t path;
} place_t;

typedef struct fanotify {
    cs_watch_backend_t backend;
    char *root; /* owned; resolved */
    int fd;
    bool begun;
    cs_omap_t dirs; /* handle -> place_t */
    /* while events of one read are told */
    int mount; /* -1: not yet opened */
    cs_fs_t *fs;
    cs_ignore_t *ignore;
    uint32_t cookie;
    cs_buf_t path, other;
} fanotify_t;

static void free_place(void *value)
{
    place_t *place = value;
    cs_buf_fini(&place->path);
    cs_free(place);
}

static void forget_dirs(fanotify_t *self)
{
    cs_omap_fini(&self->dirs, free_place);
}

/* --- where a directory is */

/* Where the kernel says the directory is; false: it is gone, or outside of the folder. */
static bool path_of(fanotify_t *self, struct file_handle *handle, cs_buf_t *ret)
{
    char link[64];
    char path[PATH_MAX + 1];
    if (self->mount < 0) self->mount = open(self->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->mount < 0) return false;
    int fd = open_by_handle_at(self->mount, handle, O_PATH | O_CLOEXEC);
    if (fd < 0) return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path);
    close(fd);
    size_t root_len = strcmp(self->root, "/") == 0 ? 0 : strlen(self->root);
    if (len < (ssize_t)root_len || len == (ssize_t)sizeof path) return false;
    if (memcmp(path, self->root, root_len) != 0) return false;
    if ((size_t)len == root_len) return true;
    if (path[root_len] != '/') return false;
    cs_buf_put_slice(ret, cs_slice(path + root_len + 1, (size_t)len - root_len - 1));
    return true;
}

static bool is_ignored(fanotify_t *self, cs_slice_t dir)
{
    bool ignored = false;
    if (dir.len == 0) return false;
    if (self->fs == NULL && cs_fs_linux_open(self->root, &self->fs) != CS_OK) return false;
    if (self->ignore == NULL) self->ignore = cs_ignore_new(self->fs);
    return cs_ignore_matches(self->ignore, dir, true, &ignored) == CS_OK && ignored;
}

/* The place is borrowed until the next call. */
static const place_t *place_of(fanotify_t *self, struct file_handle *handle)
{
    bool is_new;
    cs_slice_t key =
        cs_slice(&handle->handle_type, sizeof handle->handle_type + handle->handle_bytes);
    const cs_onode_t *found = cs_omap_find(&self->dirs, key);
    if (found != NULL) return found->value;
    if (self->dirs.len >= DIRS_MAX) forget_dirs(self);
    place_t *place = cs_calloc(1, sizeof *place);
    place->ours = path_of(self, handle, &place->path);
    cs_slice_t path = cs_buf_slice(&place->path);
    if (place->ours) place->ours = !cs_path_is_private(path) && !is_ignored(self, path);
    cs_omap_insert(&self->dirs, key, &is_new)->value = place;
    return place;
}

/* --- events */

typedef struct names { /* of one event */
    const struct fanotify_event_info_fid *at, *from, *to;
} names_t;

/* The records between the two; they are aligned to four bytes, and need no more. */
static names_t names_of(const char *at, const char *end)
{
    names_t names = {NULL, NULL, NULL};
    while (at + sizeof(struct fanotify_event_info_header) <= end) {
        const struct fanotify_event_info_fid *info = (const void *)at;
        if (info->hdr.len == 0) break;
        if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME) names.at = info;
        if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_OLD_DFID_NAME) names.from = info;
        if (info->hdr.info_type == FAN_EVENT_INFO_TYPE_NEW_DFID_NAME) names.to = info;
        at += info->hdr.len;
    }
    return names;
}

/* False: none of ours, or the directory itself. */
static bool resolve(fanotify_t *self, const struct fanotify_event_info_fid *info, cs_buf_t *ret)
{
    if (info == NULL) return false;
    _Alignas(struct file_handle) char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    struct file_handle *handle = (void *)bytes;
    const struct file_handle *given = (const void *)info->handle;
    if (given->handle_bytes > MAX_HANDLE_SZ) return false;
    memcpy(handle, given, sizeof *given + given->handle_bytes);
    const char *name = (const char *)given->f_handle + given->handle_bytes;
    if (strcmp(name, ".") == 0) return false;
    const place_t *place = place_of(self, handle);
    if (!place->ours) return false;
    cs_buf_clear(ret);
    cs_buf_put_slice(ret, cs_buf_slice(&place->path));
    if (ret->len > 0) cs_buf_put_u8(ret, '/');
    cs_buf_put_slice(ret, cs_slice_text(name));
    return ret->len <= CS_PATH_MAX && !cs_path_is_private(cs_buf_slice(ret));
}

static void tell(fanotify_t *self, const cs_buf_t *path, unsigned what, bool is_dir)
{
    cs_hint_t seen = {cs_buf_slice(path), what, is_dir, self->cookie};
    if (what != 0) self->backend.sink.seen(self->backend.sink.arg, &seen);
}

static unsigned what_of(uint64_t mask)
{
    return ((mask & FAN_MODIFY) != 0 ? (unsigned)CS_HINT_MODIFY : 0) |
           ((mask & FAN_CLOSE_WRITE) != 0 ? (unsigned)CS_HINT_CLOSE : 0) |
           ((mask & FAN_CREATE) != 0 ? (unsigned)CS_HINT_CREATE : 0) |
           ((mask & FAN_DELETE) != 0 ? (unsigned)CS_HINT_DELETE : 0) |
           ((mask & FAN_ATTRIB) != 0 ? (unsigned)CS_HINT_META : 0);
}

static void on_event(fanotify_t *self, const struct fanotify_event_metadata *event,
                     const char *bytes)
{
    if ((event->mask & FAN_Q_OVERFLOW) != 0) {
        self->backend.sink.overflow(self->backend.sink.arg);
        forget_dirs(self);
        return;
    }
    names_t names = names_of(bytes + event->metadata_len, bytes + event->event_len);
    bool is_dir = (event->mask & FAN_ONDIR) != 0;
    if (resolve(self, names.at, &self->path)) {
        tell(self, &self->path, what_of(event->mask), is_dir);
    }
    bool from = resolve(self, names.from, &self->path),
         to = resolve(self, names.to, &self->other);
    if (from || to) self->cookie++;
    if (from) tell(self, &self->path, CS_HINT_FROM, is_dir);
    if (to) tell(self, &self->other, CS_HINT_TO, is_dir);
    if (is_dir && (event->mask & (FAN_RENAME | FAN_DELETE)) != 0) forget_dirs(self);
}

/* Nothing is held open while nothing happens, so that the file system can be unmounted. */
static void let_go(fanotify_t *self)
{
    cs_ignore_destroy(&self->ignore);
    if (self->fs != NULL) self->fs->ops->close_fs(&self->fs);
    if (self->mount >= 0) close(self->mount);
    self->mount = -1;
}

static bool fanotify_read(cs_watch_backend_t *backend, uint64_t now_ms)
{
    fanotify_t *self = (fanotify_t *)backend;
    (void)now_ms;
    _Alignas(uint64_t) char bytes[READ_BYTES];
    ssize_t len = read(self->fd, bytes, sizeof bytes);
    if (len <= 0) return false;
    backend->sink.received(backend->sink.arg);
    const char *end = bytes + len;
    for (const char *at = bytes; end - at >= (ssize_t)FAN_EVENT_METADATA_LEN;) {
        struct fanotify_event_metadata event; /* copied: it may lie at any four bytes */
        memcpy(&event, at, sizeof event);
        if (event.event_len < FAN_EVENT_METADATA_LEN || event.event_len > end - at) break;
        if (event.vers == FANOTIFY_METADATA_VERSION) on_event(self, &event, at);
        at += event.event_len;
    }
    let_go(self);
    return true;
}

/* --- the rest */

static int fanotify_fd(const cs_watch_backend_t *backend)
{
    return ((const fanotify_t *)backend)->fd;
}

static bool fanotify_work(cs_watch_backend_t *backend, uint64_t now_ms)
{
    fanotify_t *self = (fanotify_t *)backend;
    (void)now_ms;
    if (!self->begun) backend->sink.covered(backend->sink.arg, cs_slice(NULL, 0));
    self->begun = true;
    return false;
}

static void fanotify_rules_changed(cs_watch_backend_t *backend, cs_slice_t dir)
{
    fanotify_t *self = (fanotify_t *)backend;
    forget_dirs(self);
    cs_ignore_destroy(&self->ignore);
    backend->sink.covered(backend->sink.arg, dir);
}

static void fanotify_warm(cs_watch_backend_t *backend, cs_slice_t dir, uint64_t now_ms)
{
    (void)backend;
    (void)dir;
    (void)now_ms;
}

static void fanotify_count(const cs_watch_backend_t *backend, size_t *ret_watched,
                           size_t *ret_missed, cs_err_t *ret_why)
{
    (void)backend;
    *ret_watched = SIZE_MAX; /* as many as there are */
    *ret_missed = 0;
    *ret_why = CS_OK;
}

static void fanotify_destroy(cs_watch_backend_t *backend)
{
    fanotify_t *self = (fanotify_t *)backend;
    let_go(self);
    close(self->fd);
    forget_dirs(self);
    cs_buf_fini(&self->path);
    cs_buf_fini(&self->other);
    cs_free(self->root);
    cs_free(self);
}

static const cs_watch_backend_ops_t ops = {
    .name = "fanotify",
    .patient = true,
    .fd = fanotify_fd,
    .read = fanotify_read,
    .work = fanotify_work,
    .rules_changed = fanotify_rules_changed,
    .warm = fanotify_warm,
    .count = fanotify_count,
    .destroy = fanotify_destroy,
};

/* By name and by handle, both: else events would come that nobody can place. */
static bool can_place(const char *root)
{
    _Alignas(struct file_handle) char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    struct file_handle *handle = (void *)bytes;
    int mount_id;
    handle->handle_bytes = MAX_HANDLE_SZ;
    if (name_to_handle_at(AT_FDCWD, root, handle, &mount_id, 0) != 0) return false;
    int mount = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = mount >= 0 ? open_by_handle_at(mount, handle, O_PATH | O_CLOEXEC) : -1;
    if (fd >= 0) close(fd);
    if (mount >= 0) close(mount);
    return fd >= 0;
}

cs_err_t cs__watch_fanotify(const char *root, const cs_watch_sink_t *sink,
                            cs_watch_backend_t **ret)
{
    int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_NONBLOCK | FAN_CLOEXEC,
                           O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == EMFILE ? CS_ERR_LIMIT : cs_os_err(errno);
    char *resolved = realpath(root, NULL);
    bool good =
        resolved != NULL && can_place(resolved) &&
        fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FS_MASK, AT_FDCWD, resolved) == 0;
    if (!good) {
        free(resolved);
        close(fd);
        return CS_ERR_UNSUPPORTED;
    }
    fanotify_t *self = cs_calloc(1, sizeof *self);
    self->backend = (cs_watch_backend_t){&ops, *sink};
    self->root = cs_strdup(resolved);
    free(resolved);
    self->fd = fd;
    self->mount = -1;
    *ret = &self->backend;
    return CS_OK;
}
