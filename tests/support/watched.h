/* watched.h - a directory with a watcher, and what it told. */
#ifndef CS_TESTS_WATCHED_H
#define CS_TESTS_WATCHED_H

#include "io/watch.h"

#define WATCHED_PATHS_MAX 8192u

typedef struct watched {
    char dir[128]; /* everything; the folder is dir/root */
    char root[160];
    zloop_t *loop;
    cs_watcher_t *watch;
    cs_watcher_state_t state;
    atomic_size_t used;
    char *path[WATCHED_PATHS_MAX];   /* owned; all that was told, in order */
    size_t batch[WATCHED_PATHS_MAX]; /* number of the batch that it came in */
    size_t count, batches, alls;
} watched_t;

/* budget: of watches, 0: the kernel's. Returns once all is covered and was told of. */
void watched_open(watched_t *self, cs_watcher_by_t by, size_t budget);
void watched_close(watched_t *self);
bool watched_has_fanotify(void);

void watched_shell(const watched_t *self, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* in the root */

/* Runs the loop until it is so; fails the test if that takes too long. */
void watched_until_told(watched_t *self, const char *path);
void watched_until_all(watched_t *self, size_t alls);
void watched_until(watched_t *self, bool (*is_so)(const watched_t *self));
/* Saves `name` as a last event, and waits for it: all before it were told, or never will be. */
void watched_flush(watched_t *self, const char *name);

/* Number of the last batch that named the path or a directory above it; 0: none. */
size_t watched_batch_of(const watched_t *self, const char *path);
void watched_forget(watched_t *self); /* what was told so far */

#endif
