/* schedule.c - scans when their time has come: one timer a folder, set anew after each firing.
 *
 * Only here does the wall clock matter: it decides when to look, never what is found. */
#include "base/mem.h"
#include "io/clock.h"
#include "io/daemon_shell.h"
#include "node/cron.h"

#define SCAN_ALONE   "@every 60s" /* nothing else looks */
#define SCAN_WATCHED "@hourly"    /* beside a watcher that misses nothing it knows of */

/* The clock that timers run by stands still while the machine sleeps, and people set the other
 * one: so it is looked at so often at least. */
#define RECHECK_MS 300000u

typedef struct cs_shell_timer {
    cs_daemon_t *daemon;
    uint32_t folder;
    cs_cron_t cron;
    int id;           /* zloop's; -1: none */
    int64_t seen_ms;  /* wall clock: what was due until then was done */
    int64_t every_ms; /* @every: monotonic, when it is due */
} cs_shell_timer_t;

struct cs_shell_schedule {
    cs_shell_timer_t **timer; /* owned, each on its own: the loop keeps pointers to them */
    size_t count, cap;
};

static int on_timer(zloop_t *loop, int timer_id, void *arg);

static void arm(cs_shell_timer_t *timer)
{
    bool due;
    uint64_t left_ms;
    if (timer->cron.every_s > 0) {
        int64_t left = timer->every_ms - (int64_t)cs_clock_mono_ms();
        left_ms = left > 0 ? (uint64_t)left : 0;
    } else {
        left_ms = cs_clock_until(&timer->cron, cs_clock_wall_ms(), &due);
        if (left_ms > RECHECK_MS) left_ms = RECHECK_MS;
    }
    timer->id = zloop_timer(timer->daemon->loop, (size_t)left_ms, 1, on_timer, timer);
}

static void count_anew(cs_shell_timer_t *timer)
{
    timer->seen_ms = cs_clock_wall_ms();
    timer->every_ms = (int64_t)cs_clock_mono_ms() + INT64_C(1000) * timer->cron.every_s;
}

/* Runs that were missed, because the machine slept, are made up for by one. A clock that was
 * set back makes nothing due again. */
static bool is_due(cs_shell_timer_t *timer)
{
    if (timer->cron.every_s > 0) return (int64_t)cs_clock_mono_ms() >= timer->every_ms;
    int64_t now_ms = cs_clock_wall_ms();
    bool due = cs_clock_was_due(&timer->cron, timer->seen_ms, now_ms);
    timer->seen_ms = now_ms;
    return due;
}

static int on_timer(zloop_t *loop, int timer_id, void *arg)
{
    (void)loop;
    (void)timer_id;
    cs_shell_timer_t *timer = arg;
    timer->id = -1;
    if (is_due(timer)) {
        count_anew(timer);
        cs_event_t event = {.kind = CS_EV_SCAN, .folder = timer->folder};
        cs_daemon_step(timer->daemon, &event);
    }
    arm(timer);
    return timer->daemon->stopping ? -1 : 0;
}

int64_t cs__schedule_next_ms(const cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    const cs_shell_schedule_t *schedule = daemon->shell->schedule;
    for (size_t i = 0; schedule != NULL && i < schedule->count; i++) {
        const cs_shell_timer_t *timer = schedule->timer[i];
        if (timer->folder != folder->record.number) continue;
        if (timer->cron.every_s == 0) return cs_clock_next_ms(&timer->cron, cs_clock_wall_ms());
        return cs_clock_wall_ms() + timer->every_ms - (int64_t)cs_clock_mono_ms();
    }
    return 0;
}

const char *cs__schedule_default(const cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    cs_watcher_state_t state = cs_daemon_watch_state(daemon, folder->record.number);
    return cs_watcher_covers(&state) ? SCAN_WATCHED : SCAN_ALONE;
}

#define DAY_S (24 * 3600u)

/* Over a year of minutes the longest gap would be the truth; a day of them is near it, and what
 * is not due within a day is said to be due in one. */
static uint32_t longest_gap_s(const cs_cron_t *cron)
{
    int64_t now_s = cs_clock_wall_ms() / 1000;
    uint32_t longest = 0, gap = 0;
    for (uint32_t at = 0; at < 2 * DAY_S; at += 60) {
        cs_civil_t minute = cs_clock_local(now_s + at);
        gap += 60;
        if (gap > longest) longest = gap;
        if (cs_cron_suits(cron, &minute)) gap = 0;
    }
    return longest;
}

uint32_t cs__schedule_period_s(const cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    cs_cron_t cron;
    const char *setting = folder->record.setting[CS_SETTING_SCAN];
    if (setting == NULL) setting = cs__schedule_default(daemon, folder);
    if (cs_cron_parse(setting, &cron, NULL) != CS_OK) return 60;
    return cron.every_s > 0 ? cron.every_s : longest_gap_s(&cron);
}

void cs__schedule_start(cs_daemon_t *daemon)
{
    daemon->shell->schedule = cs_calloc(1, sizeof *daemon->shell->schedule);
    for (size_t i = 0; i < daemon->folder_count; i++) {
        cs__schedule_folder(daemon, &daemon->folders[i]);
    }
}

void cs__schedule_stop(cs_daemon_t *daemon)
{
    cs_shell_schedule_t *schedule = daemon->shell->schedule;
    if (schedule == NULL) return;
    for (size_t i = 0; i < schedule->count; i++) {
        if (schedule->timer[i]->id >= 0) zloop_timer_end(daemon->loop, schedule->timer[i]->id);
        cs_free(schedule->timer[i]);
    }
    cs_free(schedule->timer);
    cs_free(schedule);
    daemon->shell->schedule = NULL;
}

void cs__schedule_forget(cs_daemon_t *daemon, uint32_t folder)
{
    cs_shell_schedule_t *schedule = daemon->shell->schedule;
    for (size_t i = 0; schedule != NULL && i < schedule->count; i++) {
        cs_shell_timer_t *timer = schedule->timer[i];
        if (timer->folder != folder) continue;
        if (timer->id >= 0) zloop_timer_end(daemon->loop, timer->id);
        cs_free(timer);
        schedule->timer[i] = schedule->timer[--schedule->count];
        return;
    }
}

static cs_shell_timer_t *timer_of(cs_daemon_t *daemon, uint32_t folder)
{
    cs_shell_schedule_t *schedule = daemon->shell->schedule;
    for (size_t i = 0; i < schedule->count; i++) {
        if (schedule->timer[i]->folder == folder) return schedule->timer[i];
    }
    if (schedule->count == schedule->cap) {
        schedule->cap = cs_grow(schedule->cap, schedule->count + 1);
        schedule->timer =
            cs_realloc_array(schedule->timer, schedule->cap, sizeof(cs_shell_timer_t *));
    }
    cs_shell_timer_t *timer = cs_calloc(1, sizeof *timer);
    *timer = (cs_shell_timer_t){.daemon = daemon, .folder = folder, .id = -1};
    schedule->timer[schedule->count++] = timer;
    return timer;
}

void cs__schedule_folder(cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    if (daemon->shell->schedule == NULL) {
        return; /* a daemon for one request, or not yet started */
    }
    cs_shell_timer_t *timer = timer_of(daemon, folder->record.number);
    const char *setting = folder->record.setting[CS_SETTING_SCAN];
    cs_buf_t detail = {0};
    if (setting == NULL || cs_cron_parse(setting, &timer->cron, &detail) != CS_OK) {
        if (setting != NULL) {
            cs_buf_put_u8(&detail, 0);
            cs__daemon_log(daemon, CS_LOG_WARNING, "schedule.refused", folder->record.id,
                           cs_slice_text(setting), (const char *)detail.data);
        }
        cs_err_t err = cs_cron_parse(cs__schedule_default(daemon, folder), &timer->cron, NULL);
        CS_ASSERT(err == CS_OK);
    }
    cs_buf_fini(&detail);
    if (timer->id >= 0) zloop_timer_end(daemon->loop, timer->id);
    count_anew(timer);
    arm(timer);
}
