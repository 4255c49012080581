/* watch_backend.h - what tells of changes below a root: inotify or fanotify. Private to
 * watch*.c.
 *
 * A backend says which names saw what, in the order of the kernel's queue; what is to be done
 * about it is watch.c's. All calls come from one thread. Paths are relative to the root; what
 * is in .crdtsync, in ignored directories or on other file systems is never told. */
#ifndef CS_IO_WATCH_BACKEND_H
#define CS_IO_WATCH_BACKEND_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/err.h"

typedef enum cs_hint_bit {
    CS_HINT_MODIFY = 1, /* written to, and open */
    CS_HINT_CLOSE = 2,  /* closed by a writer */
    CS_HINT_CREATE = 4, /* a new name: file, link, directory, ... */
    CS_HINT_DELETE = 8,
    CS_HINT_FROM = 16, /* half of a rename; the other half has the same cookie */
    CS_HINT_TO = 32,
    CS_HINT_META = 64,
    CS_HINT_LISTED = 128 /* it was found in a new directory: when it came nobody saw */
} cs_hint_bit_t;

typedef struct cs_hint {
    cs_slice_t path; /* borrowed */
    unsigned what;   /* cs_hint_bit_t, one or more */
    bool is_dir;
    uint32_t cookie; /* FROM, TO */
} cs_hint_t;

typedef struct cs_watch_sink {
    void *arg;
    void (*received)(void *arg); /* events were read, and are told next */
    void (*seen)(void *arg, const cs_hint_t *seen);
    void (*overflow)(void *arg); /* the kernel dropped some */
    /* A tree is watched from now on; what is in it may have changed before: "" is the root. */
    void (*covered)(void *arg, cs_slice_t dir);
    void (*gone)(void *arg); /* the root was moved, deleted or unmounted */
} cs_watch_sink_t;

typedef struct cs_watch_limits {
    size_t budget;       /* of watches, for all folders of the process */
    atomic_size_t *used; /* by them; borrowed */
} cs_watch_limits_t;

typedef struct cs_watch_backend cs_watch_backend_t;
typedef struct cs_watch_backend_ops {
    const char *name;
    /* Events may wait. Where a new directory has to be watched first they may not: what is put
     * into it until then is found by a look. */
    bool patient;
    int (*fd)(const cs_watch_backend_t *self);
    /* Tells what one read of the descriptor gives; false: nothing was there. */
    bool (*read)(cs_watch_backend_t *self, uint64_t now_ms);
    /* Goes on with what takes long; true: there is more to do. */
    bool (*work)(cs_watch_backend_t *self, uint64_t now_ms);
    void (*rules_changed)(cs_watch_backend_t *self, cs_slice_t dir);
    /* Something changed in a directory that a scan looked at. */
    void (*warm)(cs_watch_backend_t *self, cs_slice_t dir, uint64_t now_ms);
    /* Directories watched; how many at least are not, and why: NOSPACE is the limit. */
    void (*count)(const cs_watch_backend_t *self, size_t *ret_watched, size_t *ret_missed,
                  cs_err_t *ret_why);
    void (*destroy)(cs_watch_backend_t *self);
} cs_watch_backend_ops_t;
struct cs_watch_backend { /* first member of each */
    const cs_watch_backend_ops_t *ops;
    cs_watch_sink_t sink;
};

/* root: absolute. LIMIT: no more instances; UNSUPPORTED, DENIED: not here, not for us. */
CS_MUST_USE cs_err_t cs__watch_inotify(const char *root, const cs_watch_limits_t *limits,
                                       const cs_watch_sink_t *sink, cs_watch_backend_t **ret);
CS_MUST_USE cs_err_t cs__watch_fanotify(const char *root, const cs_watch_sink_t *sink,
                                        cs_watch_backend_t **ret);

#endif
