/* daemon_watch.c - a watcher per folder: what it notices becomes scans, what apply does it is
 * told of before. */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "io/daemon_shell.h"

#define WARM_MAX 64u /* directories of one batch of records that a watcher is told of */

typedef struct cs_shell_watch {
    cs_daemon_t *daemon;
    uint32_t folder;
    cs_watcher_by_t by;
    cs_watcher_t *watch;
    cs_watcher_state_t state;
    uint64_t ticket; /* of the scan of its last batch; 0: none is under way */
} cs_shell_watch_t;

struct cs_shell_watches {
    cs_shell_watch_t **item; /* owned, each on its own: watchers keep pointers to them */
    size_t count, cap;
    atomic_size_t used; /* watches of all of them */
};

static cs_shell_watch_t *find(const cs_daemon_t *daemon, uint32_t folder)
{
    const struct cs_shell_watches *watches = daemon->shell->watches;
    for (size_t i = 0; watches != NULL && i < watches->count; i++) {
        if (watches->item[i]->folder == folder) return watches->item[i];
    }
    return NULL;
}

cs_watcher_state_t cs_daemon_watch_state(const cs_daemon_t *daemon, uint32_t folder)
{
    const cs_shell_watch_t *self = find(daemon, folder);
    return self != NULL ? self->state : (cs_watcher_state_t){.by = CS_WATCH_OFF};
}

/* --- from the watcher */

static void look(void *arg, const cs_dirty_batch_t *batch)
{
    cs_shell_watch_t *self = arg;
    cs_slice_t *paths = cs_calloc(batch->count, sizeof *paths);
    for (size_t i = 0; i < batch->count; i++) {
        paths[i] = cs_slice_str(batch->path[i]);
    }
    self->ticket = ++self->daemon->last_ticket;
    const cs_mounted_t *folder = cs_daemon_folder_by_number(self->daemon, self->folder);
    CS_ASSERT(folder != NULL); /* it is forgotten before its folder goes */
    cs_daemon_scan(self->daemon, folder, paths, batch->all ? 0 : batch->count, false,
                   self->ticket);
    cs_free(paths);
}

bool cs__watch_scanned(cs_daemon_t *daemon, uint64_t ticket)
{
    const struct cs_shell_watches *watches = daemon->shell->watches;
    for (size_t i = 0; watches != NULL && i < watches->count; i++) {
        if (watches->item[i]->ticket != ticket) continue;
        watches->item[i]->ticket = 0;
        cs_watcher_looked(watches->item[i]->watch);
        return true;
    }
    return false;
}

static void log_state(const cs_shell_watch_t *self, const char *id)
{
    const cs_watcher_state_t *state = &self->state;
    const char *text = NULL;
    if (state->by == CS_WATCH_OFF) {
        text = state->why == CS_ERR_LIMIT ? "no more inotify instances; see crdtsync doctor"
                                          : "not watched; changes are found by scans";
    } else if (state->missed > 0) {
        text = "not every directory can be watched; the others are found by scans; see "
               "crdtsync doctor";
    }
    cs_log_level_t level = text != NULL ? CS_LOG_WARNING : CS_LOG_DEBUG;
    cs__daemon_log(self->daemon, level, "folder.watch", id, cs_slice_text(""),
                   text != NULL ? text : "every change is noticed");
}

/* While it starts it does not know yet. */
static bool misses_some(const cs_watcher_state_t *state)
{
    return state->started && state->missed > 0;
}

static void changed(void *arg, const cs_watcher_state_t *state)
{
    cs_shell_watch_t *self = arg;
    bool covered = cs_watcher_covers(&self->state);
    bool misses = misses_some(state) && !misses_some(&self->state);
    bool failed = state->by == CS_WATCH_OFF && state->why != CS_ERR_NOT_MOUNTED &&
                  state->why != self->state.why;
    self->state = *state;
    const cs_mounted_t *folder = cs_daemon_folder_by_number(self->daemon, self->folder);
    if (folder == NULL) return;
    bool covers = cs_watcher_covers(state);
    if (covers != covered || misses || failed) log_state(self, folder->record.id);
    if (covers != covered) cs__schedule_scan(self->daemon, folder);
}

/* --- jobs */

void cs__watch_job(cs_daemon_t *daemon, const cs_job_t *job)
{
    cs_shell_watch_t *self = find(daemon, job->folder);
    if (self == NULL || job->kind != CS_JOB_APPLY) return;
    cs_deeds_t *deeds = cs_deeds_new(&job->u.apply);
    cs_watcher_expect(self->watch, &deeds);
}

void cs__watch_job_done(cs_daemon_t *daemon, const cs_job_t *job)
{
    cs_shell_watch_t *self = find(daemon, job->folder);
    if (self != NULL && job->kind == CS_JOB_APPLY) cs_watcher_applied(self->watch);
}

typedef struct warming {
    cs_watcher_t *watch;
    cs_buf_t last;
    size_t count;
} warming_t;

static bool warm(void *arg, const cs_sighting_t *sighting)
{
    warming_t *warming = arg;
    cs_slice_t dir = cs_path_parent(sighting->path);
    if (warming->count > 0 && cs_slice_eq(dir, cs_buf_slice(&warming->last))) return true;
    cs_buf_clear(&warming->last);
    cs_buf_put_slice(&warming->last, dir);
    cs_watcher_warm(warming->watch, dir);
    return ++warming->count < WARM_MAX;
}

void cs__watch_records(cs_daemon_t *daemon, uint32_t folder, const cs_scan_records_t *records)
{
    const cs_shell_watch_t *self = find(daemon, folder);
    if (self == NULL || self->state.missed == 0) return;
    warming_t warming = {.watch = self->watch};
    cs_scan_records_each(records, &warming, warm);
    cs_buf_fini(&warming.last);
}

/* --- life */

static cs_watcher_by_t wanted_by(const cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    cs_watcher_by_t by = CS_WATCH_AUTO;
    const char *setting = folder->record.setting[CS_SETTING_WATCH];
    if (setting == NULL) setting = daemon->shell->settings.watch;
    if (setting != NULL) (void)cs_watcher_parse(setting, &by); /* checked when it was set */
    return by;
}

static void begin(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_watcher_by_t by)
{
    struct cs_shell_watches *watches = daemon->shell->watches;
    if (watches->count == watches->cap) {
        watches->cap = cs_grow(watches->cap, watches->count + 1);
        watches->item =
            cs_realloc_array(watches->item, watches->cap, sizeof(cs_shell_watch_t *));
    }
    cs_shell_watch_t *self = cs_calloc(1, sizeof *self);
    watches->item[watches->count++] = self;
    *self = (cs_shell_watch_t){.daemon = daemon, .folder = folder->record.number, .by = by};
    cs_watcher_config_t config = {.root = folder->record.path,
                                  .by = by,
                                  .used = &watches->used,
                                  .arg = self,
                                  .look = look,
                                  .changed = changed};
    self->watch = cs_watcher_new(daemon->loop, &config);
}

void cs__watch_folder(cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    if (daemon->shell->watches == NULL) return; /* for one request, or not yet started */
    cs_watcher_by_t by = wanted_by(daemon, folder);
    const cs_shell_watch_t *self = find(daemon, folder->record.number);
    if (self != NULL && self->by == by) return;
    cs__watch_forget(daemon, folder->record.number);
    if (by != CS_WATCH_OFF && folder->loaded) begin(daemon, folder, by);
}

void cs__watch_forget(cs_daemon_t *daemon, uint32_t folder)
{
    struct cs_shell_watches *watches = daemon->shell->watches;
    for (size_t i = 0; watches != NULL && i < watches->count; i++) {
        cs_shell_watch_t *self = watches->item[i];
        if (self->folder != folder) continue;
        cs_watcher_destroy(&self->watch);
        cs_free(self);
        watches->item[i] = watches->item[--watches->count];
        return;
    }
}

void cs__watch_start(cs_daemon_t *daemon)
{
    daemon->shell->watches = cs_calloc(1, sizeof *daemon->shell->watches);
    for (size_t i = 0; i < daemon->folder_count; i++) {
        cs__watch_folder(daemon, &daemon->folders[i]);
    }
}

void cs__watch_stop(cs_daemon_t *daemon)
{
    struct cs_shell_watches *watches = daemon->shell->watches;
    if (watches == NULL) return;
    while (watches->count > 0) {
        cs__watch_forget(daemon, watches->item[0]->folder);
    }
    cs_free(watches->item);
    cs_free(watches);
    daemon->shell->watches = NULL;
}
