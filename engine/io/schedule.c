/* schedule.c - scans and pauses when their time has come: one timer for each schedule of a
 * folder, set anew after each firing.
 *
 * Only here does the wall clock matter: it decides when to look or rest, never what is found.
 */
#include <string.h>

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
    cs_setting_t setting; /* which schedule it is */
    char *text;           /* owned; of the schedule */
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

/* --- one timer */

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

/* --- when all was read again: kept, for a node may run for an hour a day */

static void verified_key(uint32_t folder, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_put_u32_be(ret, folder);
    cs_buf_printf(ret, "m/verified"); /* goes with the folder's rows */
}

static void note_verified(const cs_shell_timer_t *timer)
{
    cs_batch_t batch = {0};
    cs_buf_t key = {0}, value = {0};
    verified_key(timer->folder, &key);
    cs_buf_put_u64(&value, (uint64_t)cs_clock_wall_ms());
    cs_batch_put(&batch, cs_buf_slice(&key), cs_buf_slice(&value));
    cs_store_thread_write(timer->daemon->shell->writer, 0, 0, &batch);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

/* It counts on from the last time; for the first time, from now. */
static void count_on(cs_shell_timer_t *timer)
{
    cs_buf_t key = {0}, value = {0};
    int64_t now_ms = cs_clock_wall_ms();
    verified_key(timer->folder, &key);
    cs_err_t err = cs_store_get(timer->daemon->store, NULL, cs_buf_slice(&key), &value);
    if (err == CS_OK && value.len == sizeof(uint64_t)) {
        cs_reader_t reader = cs_reader(cs_buf_slice(&value));
        int64_t last_ms = (int64_t)cs_read_u64(&reader);
        /* A clock that was ahead then, or was set back since, puts nothing off. */
        if (last_ms > 0 && last_ms < now_ms) {
            timer->every_ms -= now_ms - last_ms;
            timer->seen_ms = last_ms;
        }
    } else {
        note_verified(timer);
    }
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

/* --- due */

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

static cs_shell_timer_t *find(const cs_daemon_t *daemon, uint32_t folder, cs_setting_t setting)
{
    const cs_shell_schedule_t *schedule = daemon->shell->schedule;
    for (size_t i = 0; schedule != NULL && i < schedule->count; i++) {
        cs_shell_timer_t *timer = schedule->timer[i];
        if (timer->folder == folder && timer->setting == setting) return timer;
    }
    return NULL;
}

/* --- pauses */

static bool is_of_pauses(cs_setting_t setting)
{
    return setting == CS_SETTING_PAUSE || setting == CS_SETTING_RESUME;
}

/* False: none is set, or neither time ever came. */
static bool should_be_paused(const cs_daemon_t *daemon, uint32_t folder, bool *ret)
{
    const cs_shell_timer_t *pause = find(daemon, folder, CS_SETTING_PAUSE),
                           *resume = find(daemon, folder, CS_SETTING_RESUME);
    int64_t now_s = cs_clock_wall_ms() / 1000;
    uint64_t paused = 0, resumed = 0;
    bool was_paused = pause != NULL && cs_clock_last(&pause->cron, now_s, &paused);
    bool was_resumed = resume != NULL && cs_clock_last(&resume->cron, now_s, &resumed);
    *ret = was_paused && (!was_resumed || paused > resumed);
    return was_paused || was_resumed;
}

/* As the later of the two times has it: both may have been missed. What a user did in between
 * holds until the next of them. */
static void follow_pauses(cs_daemon_t *daemon, uint32_t number)
{
    cs_mounted_t *folder = cs_daemon_folder_by_number(daemon, number);
    bool on;
    if (folder == NULL || !should_be_paused(daemon, number, &on)) return;
    if (folder->record.paused == on) return;
    cs_buf_t detail = {0};
    const char *event = on ? "folder.paused" : "folder.resumed";
    cs_err_t err = cs_daemon_set_paused(daemon, folder, on, &detail);
    cs_buf_put_u8(&detail, 0);
    cs__daemon_log(daemon, err == CS_OK ? CS_LOG_INFO : CS_LOG_WARNING, event,
                   folder->record.id, cs_slice_text(""),
                   err == CS_OK ? "by its schedule" : (const char *)detail.data);
    cs_buf_fini(&detail);
}

/* --- timers */

static void fire(cs_shell_timer_t *timer)
{
    if (is_of_pauses(timer->setting)) {
        follow_pauses(timer->daemon, timer->folder);
        return;
    }
    if (timer->setting == CS_SETTING_VERIFY) note_verified(timer);
    cs_event_t event = {.kind = CS_EV_SCAN,
                        .folder = timer->folder,
                        .full = timer->setting == CS_SETTING_VERIFY};
    cs_daemon_step(timer->daemon, &event);
}

static int on_timer(zloop_t *loop, int timer_id, void *arg)
{
    (void)loop;
    (void)timer_id;
    cs_shell_timer_t *timer = arg;
    timer->id = -1;
    if (is_due(timer)) {
        count_anew(timer);
        fire(timer);
    }
    arm(timer);
    return timer->daemon->stopping ? -1 : 0;
}

int64_t cs__schedule_next_ms(const cs_daemon_t *daemon, const cs_mounted_t *folder,
                             cs_setting_t setting)
{
    const cs_shell_timer_t *timer = find(daemon, folder->record.number, setting);
    if (timer == NULL) return 0;
    if (timer->cron.every_s == 0) return cs_clock_next_ms(&timer->cron, cs_clock_wall_ms());
    return cs_clock_wall_ms() + timer->every_ms - (int64_t)cs_clock_mono_ms();
}

const char *cs__schedule_default(const cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    cs_watcher_state_t state = cs_daemon_watch_state(daemon, folder->record.number);
    return cs_watcher_covers(&state) ? SCAN_WATCHED : SCAN_ALONE;
}

#define DAY_S     (24 * 3600u)
#define QUARTER_S 900u /* of an hour: zones differ by those, and change at them */

/* Over a year of minutes the longest gap would be the truth; a day of them is near it, and what
 * is not due within a day is said to be due in one. `status` asks: the C library looks at its
 * file of the zone whenever it is asked for a local time, which is to be seldom. */
static uint32_t longest_gap_s(const cs_cron_t *cron)
{
    int64_t from_s = cs_clock_wall_ms() / 1000 / QUARTER_S * QUARTER_S;
    uint32_t longest = 0, gap = 0;
    for (uint32_t at = 0; at < 2 * DAY_S; at += QUARTER_S) {
        cs_civil_t minute = cs_clock_local(from_s + at);
        for (uint32_t in_it = 0; in_it < QUARTER_S; in_it += 60) {
            gap += 60;
            if (gap > longest) longest = gap;
            if (cs_cron_suits(cron, &minute)) gap = 0;
            minute.minute = (uint8_t)((minute.minute + 1) % 60);
        }
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

/* --- set */

bool cs__schedule_has(cs_setting_t setting)
{
    return setting == CS_SETTING_SCAN || setting == CS_SETTING_VERIFY || is_of_pauses(setting);
}

cs_err_t cs__schedule_parse(cs_setting_t setting, const char *text, cs_cron_t *ret,
                            cs_buf_t *ret_detail)
{
    cs_err_t err = cs_cron_parse(text, ret, ret_detail);
    if (err != CS_OK || !is_of_pauses(setting) || ret->every_s == 0) return err;
    cs_buf_printf(ret_detail, "must be times of the day, not an interval");
    return CS_ERR_USAGE;
}

static void end(cs_shell_timer_t *timer)
{
    if (timer->id >= 0) zloop_timer_end(timer->daemon->loop, timer->id);
    cs_free(timer->text);
    cs_free(timer);
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
        end(schedule->timer[i]);
    }
    cs_free(schedule->timer);
    cs_free(schedule);
    daemon->shell->schedule = NULL;
}

static void forget(cs_daemon_t *daemon, uint32_t folder, cs_setting_t setting)
{
    cs_shell_schedule_t *schedule = daemon->shell->schedule;
    for (size_t i = 0; i < schedule->count; i++) {
        cs_shell_timer_t *timer = schedule->timer[i];
        if (timer->folder != folder || timer->setting != setting) continue;
        end(timer);
        schedule->timer[i] = schedule->timer[--schedule->count];
        return;
    }
}

void cs__schedule_forget(cs_daemon_t *daemon, uint32_t folder)
{
    if (daemon->shell->schedule == NULL) return;
    for (int setting = 0; setting < CS_SETTING_COUNT; setting++) {
        forget(daemon, folder, (cs_setting_t)setting);
    }
}

static cs_shell_timer_t *timer_of(cs_daemon_t *daemon, uint32_t folder, cs_setting_t setting)
{
    cs_shell_schedule_t *schedule = daemon->shell->schedule;
    cs_shell_timer_t *timer = find(daemon, folder, setting);
    if (timer != NULL) return timer;
    if (schedule->count == schedule->cap) {
        schedule->cap = cs_grow(schedule->cap, schedule->count + 1);
        schedule->timer =
            cs_realloc_array(schedule->timer, schedule->cap, sizeof(cs_shell_timer_t *));
    }
    timer = cs_calloc(1, sizeof *timer);
    *timer =
        (cs_shell_timer_t){.daemon = daemon, .folder = folder, .setting = setting, .id = -1};
    schedule->timer[schedule->count++] = timer;
    return timer;
}

/* True: there is another schedule now. One that stays counts on. */
static bool set(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_setting_t setting)
{
    uint32_t number = folder->record.number;
    const char *text = folder->record.setting[setting], *id = folder->record.id;
    const cs_shell_timer_t *known = find(daemon, number, setting);
    cs_cron_t cron;
    cs_buf_t detail = {0};
    if (text != NULL && cs__schedule_parse(setting, text, &cron, &detail) != CS_OK) {
        cs_buf_put_u8(&detail, 0);
        cs__daemon_log(daemon, CS_LOG_WARNING, "schedule.refused", id, cs_slice_text(text),
                       (const char *)detail.data);
        text = NULL;
    }
    cs_buf_fini(&detail);
    if (text == NULL && setting == CS_SETTING_SCAN) {
        text = cs__schedule_default(daemon, folder);
        cs_err_t err = cs_cron_parse(text, &cron, NULL);
        CS_ASSERT(err == CS_OK);
    }
    if (text == NULL) {
        forget(daemon, number, setting);
        return known != NULL;
    }
    if (known != NULL && strcmp(known->text, text) == 0) return false;
    cs_shell_timer_t *timer = timer_of(daemon, number, setting);
    cs_free(timer->text);
    timer->text = cs_strdup(text);
    timer->cron = cron;
    if (timer->id >= 0) zloop_timer_end(daemon->loop, timer->id);
    count_anew(timer);
    if (setting == CS_SETTING_VERIFY) count_on(timer);
    arm(timer);
    return true;
}

void cs__schedule_scan(cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    /* Without: a daemon for one request, or not yet started. */
    if (daemon->shell->schedule != NULL) (void)set(daemon, folder, CS_SETTING_SCAN);
}

void cs__schedule_folder(cs_daemon_t *daemon, cs_mounted_t *folder)
{
    if (daemon->shell->schedule == NULL) return;
    cs__schedule_scan(daemon, folder);
    (void)set(daemon, folder, CS_SETTING_VERIFY);
    bool pause = set(daemon, folder, CS_SETTING_PAUSE),
         resume = set(daemon, folder, CS_SETTING_RESUME);
    if (pause || resume) follow_pauses(daemon, folder->record.number);
}
