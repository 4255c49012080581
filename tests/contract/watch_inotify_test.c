/* watch_inotify_test.c - what inotify alone can run out of: watches, and room in its queue. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/watch_backend.h"
#include "support/watched.h"

TestSuite(watch_inotify, .timeout = 120);

static bool counts_missed(const watched_t *self)
{
    return self->state.missed > 0;
}

static void make_root(watched_t *self)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(self->dir, sizeof self->dir, "%.80s/watched-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(self->dir));
    snprintf(self->root, sizeof self->root, "%s/root", self->dir);
    cr_assert_eq(mkdir(self->root, 0755), 0);
}

Test(watch_inotify, as_many_directories_as_there_are_watches_are_covered)
{
    watched_t self = {.dir = ""};
    make_root(&self);
    watched_shell(&self, "mkdir -p a/b c");
    watched_open(&self, CS_WATCH_INOTIFY, 4); /* with the root */
    cr_assert(cs_watcher_covers(&self.state));
    cr_assert_eq(self.state.watched, 4u);
    watched_close(&self);
    cr_assert_eq(atomic_load(&self.used), 0u, "all are given back");
}

Test(watch_inotify, one_directory_more_is_missed_and_said_so)
{
    watched_t self = {.dir = ""};
    make_root(&self);
    watched_shell(&self, "mkdir -p a/b c/d");
    watched_open(&self, CS_WATCH_INOTIFY, 4);
    watched_until(&self, counts_missed);
    cr_assert_not(cs_watcher_covers(&self.state));
    cr_assert_eq(self.state.watched, 4u);
    cr_assert_eq(self.state.missed, 1u);
    cr_assert_eq(self.state.why, CS_ERR_NOSPACE);
    watched_close(&self);
}

Test(watch_inotify, a_directory_that_changes_takes_the_watch_of_one_that_does_not)
{
    watched_t self = {.dir = ""};
    make_root(&self);
    watched_shell(&self, "mkdir cold1 cold2 cold3 cold4");
    watched_open(&self, CS_WATCH_INOTIFY, 5);
    cr_assert(cs_watcher_covers(&self.state));
    watched_shell(&self, "mkdir hot");
    watched_until(&self, counts_missed);
    cs_watcher_warm(self.watch, cs_slice_text("hot")); /* a scan found a change there */
    watched_until_told(&self, "hot");                  /* it is looked at once it is watched */
    watched_forget(&self);
    watched_shell(&self, "echo 1 >hot/f");
    watched_until_told(&self, "hot/f");
    cr_assert_leq(atomic_load(&self.used), 5u);
    watched_close(&self);
}

Test(watch_inotify, a_file_moved_to_where_nobody_watches_is_looked_for_everywhere)
{
    watched_t self = {.dir = ""};
    make_root(&self);
    watched_shell(&self, "mkdir -p a b; echo 1 >f");
    watched_open(&self, CS_WATCH_INOTIFY, 2);
    watched_until(&self, counts_missed);
    size_t alls = self.alls;
    watched_shell(&self, "mv f a/f; mv a/f b/f");
    watched_until_all(&self, alls + 1);
    watched_close(&self);
}

/* --- the queue: a backend that is not read meanwhile */

static size_t overflows, seen;

static void on_received(void *arg)
{
    (void)arg;
}

static void on_seen(void *arg, const cs_hint_t *hint)
{
    (void)arg;
    (void)hint;
    seen++;
}

static void on_overflow(void *arg)
{
    (void)arg;
    overflows++;
}

static void on_covered(void *arg, cs_slice_t dir)
{
    (void)arg;
    if (dir.len == 0) (*(size_t *)arg)++;
}

static size_t queue_max(void)
{
    size_t max = 16384;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    if (file != NULL) {
        cr_assert_eq(fscanf(file, "%zu", &max), 1);
        fclose(file);
    }
    return max;
}

Test(watch_inotify, an_overflow_is_told_and_what_came_meanwhile_is_watched)
{
    watched_t self = {.dir = ""};
    size_t covered = 0;
    make_root(&self);
    cs_watch_limits_t limits = {100000, &self.used};
    cs_watch_sink_t sink = {.arg = &covered,
                            .received = on_received,
                            .seen = on_seen,
                            .overflow = on_overflow,
                            .covered = on_covered,
                            .gone = on_received};
    cs_watch_backend_t *backend = NULL;
    cr_assert_eq(cs__watch_inotify(self.root, &limits, &sink, &backend), CS_OK);
    while (backend->ops->work(backend, 1000)) {
        continue;
    }
    cr_assert_eq(covered, 1u);
    size_t files = queue_max() + 10;
    for (size_t i = 0; i < files; i++) { /* one event each, all different */
        char path[256];
        snprintf(path, sizeof path, "%s/%zu", self.root, i);
        cr_assert_eq(mknod(path, S_IFREG | 0644, 0), 0);
    }
    watched_shell(&self, "mkdir late");
    while (backend->ops->read(backend, 2000)) {
        continue;
    }
    cr_assert_eq(overflows, 1u);
    while (backend->ops->work(backend, 3000)) {
        continue;
    }
    cr_assert_eq(covered, 2u, "and then everything is to be looked at once more");
    seen = 0;
    watched_shell(&self, "echo 1 >late/f");
    cr_assert(backend->ops->read(backend, 4000));
    cr_assert_gt(seen, 0u, "a directory whose coming was lost is watched");
    backend->ops->destroy(backend);
    watched_shell(&self, "rm -rf %s", self.dir);
}
