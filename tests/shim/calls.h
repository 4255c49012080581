/* calls.h - the file-system calls of this process, each shown to a watcher before it is made
 * and after it returned.
 *
 * calls.c defines libc's own functions (renameat2, pwrite, fsync, ...), so that in a program it
 * is linked into, or under LD_PRELOAD, everybody's calls go through it: the engine's,
 * LevelDB's. Only calls about files and directories below a watched root are shown. What the
 * watcher itself calls meanwhile is not. */
#ifndef CS_TESTS_CALLS_H
#define CS_TESTS_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#define CALLS_PATH_BYTES 4352

typedef enum call_kind {
    CALL_LOOK,     /* changes nothing: stat, read, list, open */
    CALL_CREATE,   /* an open that may make a file, or empty it */
    CALL_WRITE,    /* `len` bytes at `offset` */
    CALL_TRUNCATE, /* to `offset` bytes */
    CALL_MODE,     /* permission bits or times */
    CALL_RENAME,
    CALL_LINK,
    CALL_UNLINK,
    CALL_MKDIR,
    CALL_RMDIR,
    CALL_SYMLINK,
    CALL_SYNC,   /* one file or directory */
    CALL_SYNC_FS /* the whole file system */
} call_kind_t;

typedef struct call {
    const char *name; /* of the function */
    call_kind_t kind;
    int dir;          /* `path` is relative to it; or the open file, if `path` is NULL */
    const char *path; /* of a LINK, RENAME: the old one */
    int to_dir;
    const char *to_path; /* NULL: there is no second one */
    unsigned flags;      /* of open, or renameat2 */
    int64_t offset, len;
    /* filled in for the watcher */
    char at[CALLS_PATH_BYTES], to[CALLS_PATH_BYTES]; /* absolute; empty: none */
} call_t;

typedef struct calls_watcher {
    /* False: the call is not made and fails with EIO, as all do in a process that is dead. */
    bool (*before)(const call_t *call);
    void (*after)(const call_t *call, long result); /* -1: it failed; may be NULL */
} calls_watcher_t;

/* NULL: nobody watches. `root`: absolute, without links in it, borrowed. */
void calls_watch(const calls_watcher_t *watcher);
void calls_add_root(const char *root);
void calls_forget_roots(void);
/* Others have much to write to the disk, /proc/meminfo says, so that a few files are flushed
 * one by one. */
void calls_pretend_busy(bool busy);
/* Which of the roots, in the order in which they were added, this path is below; -1: none. */
int calls_root_of(const char *path);

#endif
