/* watch_inotify.h - shared by watch_inotify.c, which reads events, and watch_walk.c, which sets
 * watches. Private to them. */
#ifndef CS_IO_WATCH_INOTIFY_H
#define CS_IO_WATCH_INOTIFY_H

#include <sys/inotify.h>

#include "disk/ignore.h"
#include "io/watch_backend.h"
#include "io/watch_tree.h"

#define CS_WATCH_MARKS_MAX 64u /* trees told of when the walk ends; more are everything */

typedef struct cs__inotify {
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
    cs_str_t
        *mark[CS_WATCH_MARKS_MAX]; /* trees to tell of as covered when the walk ends; owned */
    size_t mark_count;
    cs_wnode_t *moving; /* went from its name, by `cookie` */
    uint32_t cookie;
    uint64_t moving_ms;
    cs_buf_t path;
    uint64_t now_ms;
} cs__inotify_t;

/* watch_walk.c */

/* It is to be listed, and with it what is below. fresh: what is in it is news. */
void cs__inotify_want_list(cs__inotify_t *self, cs_wnode_t *node, bool fresh);
/* NULL: there is no watch left for it, which is counted. */
cs_wnode_t *cs__inotify_add_node(cs__inotify_t *self, cs_wnode_t *parent, cs_slice_t name,
                                 bool fresh);
void cs__inotify_remove_node(cs__inotify_t *self, cs_wnode_t *node); /* the root stays */
void cs__inotify_forget_moved(cs__inotify_t *self); /* the second half of a rename never came */
/* To be told of as covered when the walk ends. */
void cs__inotify_add_mark(cs__inotify_t *self, cs_slice_t dir);
void cs__inotify_mark_all(cs__inotify_t *self); /* list and tell of everything anew */
bool cs__inotify_work(cs_watch_backend_t *backend, uint64_t now_ms);
void cs__inotify_end_walk(cs__inotify_t *self);

#endif
