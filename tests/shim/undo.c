/* undo.c - a log of what is not flushed yet, newest last (undo.h). */
#include "shim/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum kind { BYTES, MODE, MADE, REMOVED, RENAMED } kind_t;

/* A file with unflushed bytes: a descriptor of our own. */
typedef struct file {
    dev_t dev;
    ino_t ino;
    int fd;
    int uses;
} file_t;

typedef struct entry {
    struct entry *older;
    kind_t kind;
    int root;
    file_t *file;   /* BYTES, MODE */
    int64_t offset; /* BYTES: `old` was there, `old_len` bytes */
    int64_t size;   /* BYTES: of the file before */
    char *old;
    size_t old_len;
    mode_t mode;   /* MODE: the old one; REMOVED: a directory's */
    ino_t ino;     /* MADE */
    char *at, *to; /* names */
    char *stash;   /* REMOVED, RENAMED: where the file is that lost its name; or NULL */
    bool is_dir, exchanged;
    bool cuts; /* BYTES: what was there was cut off, not written over */
} entry_t;

static entry_t *newest;
static entry_t *pending; /* of the call that is being made */
static const char *stash_dir;
static unsigned stash_count;

static void *must(void *memory)
{
    if (memory == NULL) abort();
    return memory;
}

void undo_begin(const char *stash)
{
    stash_dir = stash;
}

static void free_entry(entry_t *entry)
{
    if (entry->file != NULL && --entry->file->uses == 0) {
        close(entry->file->fd);
        free(entry->file);
    }
    if (entry->stash != NULL) unlink(entry->stash);
    free(entry->stash);
    free(entry->old);
    free(entry->at);
    free(entry->to);
    free(entry);
}

static entry_t *new_entry(kind_t kind, const char *root_path)
{
    entry_t *entry = must(calloc(1, sizeof *entry));
    entry->kind = kind;
    entry->root = calls_root_of(root_path);
    return entry;
}

static void push(entry_t *entry)
{
    entry->older = newest;
    newest = entry;
}

/* --- before a call: what it will destroy */

static file_t *file_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return NULL;
    for (entry_t *entry = newest; entry != NULL; entry = entry->older) {
        file_t *file = entry->file;
        if (file != NULL && file->dev == st.st_dev && file->ino == st.st_ino) {
            file->uses++;
            return file;
        }
    }
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return NULL;
    file_t *file = must(calloc(1, sizeof *file));
    *file = (file_t){st.st_dev, st.st_ino, fd, 1};
    return file;
}

/* Through the descriptor, as its name may be another by now. */
static file_t *file_behind(const call_t *call)
{
    char link[40];
    if (call->path != NULL) return file_of(call->at);
    snprintf(link, sizeof link, "/proc/self/fd/%d", call->dir);
    return file_of(link);
}

/* All old bytes from `offset` on, at most `len`. */
static entry_t *save_bytes(file_t *file, const char *at, int64_t offset, int64_t len)
{
    struct stat st;
    if (file == NULL) return NULL;
    entry_t *entry = new_entry(BYTES, at);
    entry->file = file;
    if (fstat(file->fd, &st) != 0) abort();
    entry->offset = offset;
    entry->size = st.st_size;
    if (offset >= st.st_size) return entry;
    int64_t most = st.st_size - offset;
    entry->old_len = (size_t)(len < most ? len : most);
    entry->old = must(malloc(entry->old_len));
    if (pread(file->fd, entry->old, entry->old_len, offset) != (ssize_t)entry->old_len) abort();
    return entry;
}

static entry_t *save_cut(file_t *file, const char *at, int64_t offset)
{
    entry_t *entry = save_bytes(file, at, offset, INT64_MAX);
    if (entry != NULL) entry->cuts = true;
    return entry;
}

static entry_t *save_mode(const call_t *call)
{
    struct stat st;
    file_t *file = file_behind(call);
    if (file == NULL) return NULL;
    entry_t *entry = new_entry(MODE, call->at);
    entry->file = file;
    if (fstat(file->fd, &st) != 0) abort();
    entry->mode = st.st_mode & 07777;
    return entry;
}

static entry_t *save_names(kind_t kind, const call_t *call)
{
    entry_t *entry = new_entry(kind, call->at);
    entry->at = must(strdup(call->at));
    if (call->to[0] != '\0') entry->to = must(strdup(call->to));
    return entry;
}

/* The file at this path is about to lose that name. */
static void save_file(entry_t *entry, const char *path)
{
    struct stat st;
    char name[CALLS_PATH_BYTES];
    if (lstat(path, &st) != 0) return;
    entry->is_dir = S_ISDIR(st.st_mode);
    entry->mode = st.st_mode & 07777;
    if (entry->is_dir) return;
    snprintf(name, sizeof name, "%.4000s/%d.%u", stash_dir, (int)getpid(), stash_count++);
    (void)unlink(name); /* of a process that had our number and was killed */
    if (linkat(AT_FDCWD, path, AT_FDCWD, name, 0) != 0) abort();
    entry->stash = must(strdup(name));
}

static entry_t *save_open(const call_t *call)
{
    struct stat st;
    if (lstat(call->at, &st) != 0) return errno == ENOENT ? save_names(MADE, call) : NULL;
    bool cuts = (call->flags & O_TRUNC) != 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    return cuts ? save_cut(file_of(call->at), call->at, 0) : NULL;
}

static entry_t *save_rename(const call_t *call)
{
    entry_t *entry = save_names(RENAMED, call);
    entry->exchanged = (call->flags & RENAME_EXCHANGE) != 0;
    bool replaces = !entry->exchanged && (call->flags & RENAME_NOREPLACE) == 0;
    if (replaces) save_file(entry, call->to);
    return entry;
}

static entry_t *save_link(const call_t *call)
{
    entry_t *entry = new_entry(MADE, call->to);
    entry->at = must(strdup(call->to));
    return entry;
}

static entry_t *save_removed(const call_t *call)
{
    entry_t *entry = save_names(REMOVED, call);
    save_file(entry, call->at);
    return entry;
}

void undo_before(const call_t *call)
{
    switch (call->kind) {
    case CALL_WRITE:
        pending = save_bytes(file_behind(call), call->at, call->offset, call->len);
        break;
    case CALL_TRUNCATE:
        pending = save_cut(file_behind(call), call->at, call->offset);
        break;
    case CALL_MODE:
        pending = save_mode(call);
        break;
    case CALL_CREATE:
        pending = save_open(call);
        break;
    case CALL_MKDIR:
    case CALL_SYMLINK:
        pending = save_names(MADE, call);
        break;
    case CALL_LINK:
        pending = save_link(call);
        break;
    case CALL_RENAME:
        pending = save_rename(call);
        break;
    case CALL_UNLINK:
    case CALL_RMDIR:
        pending = save_removed(call);
        break;
    case CALL_LOOK:
    case CALL_SYNC:
    case CALL_SYNC_FS:
        pending = NULL;
        break;
    }
}

/* --- after a call: done, or flushed */

static bool is_in(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    return path != NULL && strncmp(path, dir, len) == 0 && path[len] == '/' &&
           strchr(path + len + 1, '/') == NULL;
}

static bool is_flushed(const entry_t *entry, const call_t *call, const struct stat *st)
{
    if (call->kind == CALL_SYNC_FS) return entry->root == calls_root_of(call->at);
    if (S_ISDIR(st->st_mode)) return is_in(entry->at, call->at) || is_in(entry->to, call->at);
    if (entry->kind == MADE) return entry->ino == st->st_ino;
    return entry->file != NULL && entry->file->ino == st->st_ino;
}

static void forget_flushed(const call_t *call)
{
    struct stat st;
    if (fstat(call->dir, &st) != 0) abort();
    for (entry_t **at = &newest; *at != NULL;) {
        entry_t *entry = *at;
        if (is_flushed(entry, call, &st)) {
            *at = entry->older;
            free_entry(entry);
        } else {
            at = &entry->older;
        }
    }
}

void undo_after(const call_t *call, long result)
{
    entry_t *entry = pending;
    pending = NULL;
    if (result < 0) {
        if (entry != NULL) free_entry(entry);
        return;
    }
    if (call->kind == CALL_SYNC || call->kind == CALL_SYNC_FS) forget_flushed(call);
    if (entry == NULL) return;
    struct stat st;
    if (entry->kind == MADE && lstat(entry->at, &st) == 0) {
        entry->ino = st.st_ino;
        entry->is_dir = S_ISDIR(st.st_mode);
    }
    push(entry);
}

/* --- the cut */

static void lose_bytes(const entry_t *entry, undo_data_t how)
{
    int fd = entry->file->fd;
    struct stat st;
    if (how == UNDO_EMPTIED && entry->cuts) return;
    if (fstat(fd, &st) != 0) abort();
    if (entry->old != NULL &&
        pwrite(fd, entry->old, entry->old_len, entry->offset) != (ssize_t)entry->old_len) {
        abort();
    }
    if (entry->size >= st.st_size || how != UNDO_ZEROS) {
        if (ftruncate(fd, entry->size) != 0) abort();
        return;
    }
    /* A hole reads as zeros. */
    if (ftruncate(fd, entry->size) != 0 || ftruncate(fd, st.st_size) != 0) abort();
}

static void lose_name(const entry_t *entry)
{
    if (entry->kind == MADE) {
        (void)(entry->is_dir ? rmdir(entry->at) : unlink(entry->at));
    } else if (entry->kind == REMOVED && entry->is_dir) {
        (void)!mkdir(entry->at, entry->mode);
    } else if (entry->kind == REMOVED && entry->stash != NULL) {
        (void)!rename(entry->stash, entry->at);
    } else if (entry->kind == RENAMED) {
        (void)!renameat2(AT_FDCWD, entry->to, AT_FDCWD, entry->at,
                         entry->exchanged ? RENAME_EXCHANGE : 0);
        if (entry->stash != NULL) (void)!rename(entry->stash, entry->to);
    }
}

static bool loses_bytes(const undo_how_t *how, const file_t *file)
{
    if (how->data != UNDO_SOME) return how->data != UNDO_NOTHING;
    return ((how->seed >> (file->ino % 16)) & 1u) != 0;
}

void undo_cut(const undo_how_t *how)
{
    unsigned names = 0;
    for (entry_t *entry = newest; entry != NULL; entry = entry->older) {
        names += entry->file == NULL;
    }
    unsigned to_lose = names - names * how->names_kept / 256;
    for (entry_t *entry = newest; entry != NULL; entry = entry->older) {
        if (entry->file == NULL) {
            if (to_lose > 0) lose_name(entry);
            to_lose -= to_lose > 0;
        } else if (loses_bytes(how, entry->file)) {
            if (entry->kind == MODE) {
                (void)!fchmod(entry->file->fd, entry->mode);
            } else {
                lose_bytes(entry, how->data);
            }
        }
    }
}

void undo_end(void)
{
    while (newest != NULL) {
        entry_t *entry = newest;
        newest = entry->older;
        free_entry(entry);
    }
}
