/* watched.c - a loop that runs until something is told. */
#include "support/watched.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/watch_backend.h"

#define PATIENCE_MS 60000u /* of a loaded machine */
#define LOOK_MS     2u

static void look(void *arg, const cs_dirty_batch_t *batch)
{
    watched_t *self = arg;
    self->batches++;
    if (batch->all) self->alls++;
    for (size_t i = 0; i < batch->count; i++) {
        if (self->count == WATCHED_PATHS_MAX) abort();
        self->path[self->count] = cs_strdup(batch->path[i]->data);
        self->batch[self->count++] = self->batches;
    }
    cs_watcher_looked(self->watch);
}

static void changed(void *arg, const cs_watcher_state_t *state)
{
    ((watched_t *)arg)->state = *state;
}

typedef struct waiting {
    watched_t *self;
    bool (*is_so)(const watched_t *self, const void *what);
    const void *what;
    uint64_t until_ms;
} waiting_t;

static int on_timer(zloop_t *loop, int id, void *arg)
{
    (void)loop;
    (void)id;
    const waiting_t *waiting = arg;
    if (waiting->is_so(waiting->self, waiting->what)) return -1;
    if (cs_clock_mono_ms() < waiting->until_ms) return 0;
    fprintf(stderr, "FAILED: it was not told in time\n");
    abort();
}

static void wait_for(watched_t *self, bool (*is_so)(const watched_t *self, const void *what),
                     const void *what)
{
    waiting_t waiting = {self, is_so, what, cs_clock_mono_ms() + PATIENCE_MS};
    if (is_so(self, what)) return;
    int timer = zloop_timer(self->loop, LOOK_MS, 0, on_timer, &waiting);
    zloop_start(self->loop);
    zloop_timer_end(self->loop, timer);
}

static bool covers(const char *told, const char *path)
{
    size_t len = strlen(told);
    return strncmp(told, path, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

size_t watched_batch_of(const watched_t *self, const char *path)
{
    for (size_t i = self->count; i-- > 0;) {
        if (covers(self->path[i], path)) return self->batch[i];
    }
    return 0;
}

static bool was_told(const watched_t *self, const void *path)
{
    return watched_batch_of(self, path) != 0;
}

void watched_until_told(watched_t *self, const char *path)
{
    wait_for(self, was_told, path);
}

static bool has_alls(const watched_t *self, const void *what)
{
    return self->alls >= *(const size_t *)what;
}

void watched_until_all(watched_t *self, size_t alls)
{
    wait_for(self, has_alls, &alls);
}

typedef struct claim {
    bool (*is_so)(const watched_t *self);
} claim_t;

static bool holds(const watched_t *self, const void *what)
{
    return ((const claim_t *)what)->is_so(self);
}

void watched_until(watched_t *self, bool (*is_so)(const watched_t *self))
{
    claim_t claim = {is_so};
    wait_for(self, holds, &claim);
}

void watched_shell(const watched_t *self, const char *format, ...)
{
    char command[2048];
    int len = snprintf(command, sizeof command, "cd %s && ", self->root);
    va_list args;
    va_start(args, format);
    vsnprintf(command + len, sizeof command - (size_t)len, format, args);
    va_end(args);
    if (system(command) != 0) {
        fprintf(stderr, "FAILED: %s\n", command);
        abort();
    }
}

void watched_flush(watched_t *self, const char *name)
{
    watched_shell(self, "echo last >%s", name);
    watched_until_told(self, name);
}

void watched_forget(watched_t *self)
{
    while (self->count > 0) {
        cs_free(self->path[--self->count]);
    }
}

static bool is_started(const watched_t *self)
{
    return self->state.started && self->alls > 0;
}

static void start(watched_t *self, cs_watcher_by_t by, size_t budget)
{
    cs_watcher_config_t config = {.root = self->root,
                                  .by = by,
                                  .used = &self->used,
                                  .budget = budget,
                                  .arg = self,
                                  .look = look,
                                  .changed = changed};
    self->watch = cs_watcher_new(self->loop, &config);
}

void watched_open(watched_t *self, cs_watcher_by_t by, size_t budget)
{
    const char *tmp = getenv("TMPDIR");
    if (self->dir[0] == '\0') {
        snprintf(self->dir, sizeof self->dir, "%.80s/watched-XXXXXX", tmp ? tmp : "/tmp");
        if (mkdtemp(self->dir) == NULL) abort();
        snprintf(self->root, sizeof self->root, "%s/root", self->dir);
        if (mkdir(self->root, 0755) != 0) abort();
    }
    zsys_init();
    zsys_handler_set(NULL);
    self->loop = zloop_new();
    start(self, by, budget);
    watched_until(self, is_started);
    watched_forget(self);
}

void watched_close(watched_t *self)
{
    char command[256];
    cs_watcher_destroy(&self->watch);
    zloop_destroy(&self->loop);
    watched_forget(self);
    snprintf(command, sizeof command, "rm -rf %s", self->dir);
    if (system(command) != 0) fprintf(stderr, "could not remove %s\n", self->dir);
}

static void ignore_event(void *arg)
{
    (void)arg;
}

bool watched_has_fanotify(void)
{
    const char *tmp = getenv("TMPDIR");
    cs_watch_backend_t *backend = NULL;
    cs_watch_sink_t sink = {.received = ignore_event};
    if (cs__watch_fanotify(tmp ? tmp : "/tmp", &sink, &backend) != CS_OK) return false;
    backend->ops->destroy(backend);
    return true;
}
