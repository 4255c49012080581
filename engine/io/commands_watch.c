/* commands_watch.c - how a folder is watched, for `status`. */
#include "io/clock.h"
#include "io/commands_internal.h"
#include "io/daemon_shell.h"

static const char *by_text(cs_watcher_by_t by)
{
    switch (by) {
    case CS_WATCH_OFF:
    case CS_WATCH_AUTO:
        return "off";
    case CS_WATCH_INOTIFY:
        return "inotify";
    case CS_WATCH_FANOTIFY:
        return "fanotify";
    }
    return "off";
}

static void put_next(const cs_daemon_t *daemon, const cs_mounted_t *folder,
                     cs_setting_t setting, const char *key, cs_json_t *json)
{
    char next[25];
    int64_t next_ms = cs__schedule_next_ms(daemon, folder, setting);
    if (next_ms <= 0) return;
    cs_clock_format(next_ms, next);
    cs_json_put_text(json, key, next);
}

void cs__put_schedules(const cs_daemon_t *daemon, const cs_mounted_t *folder, cs_json_t *json)
{
    static const struct {
        cs_setting_t setting;
        const char *next;
    } schedules[] = {{CS_SETTING_VERIFY, "next_verify"},
                     {CS_SETTING_PAUSE, "next_pause"},
                     {CS_SETTING_RESUME, "next_resume"}};
    cs_json_key(json, "schedules");
    cs_json_begin(json, '{');
    for (size_t i = 0; i < CS_COUNT_OF(schedules); i++) {
        const char *text = folder->record.setting[schedules[i].setting];
        if (text == NULL) continue;
        cs_json_put_text(json, cs_setting_key(schedules[i].setting), text);
        put_next(daemon, folder, schedules[i].setting, schedules[i].next, json);
    }
    cs_json_end(json, '}');
}

/* dirs: as the last scan of everything counted them, without the root. */
void cs__put_watch(cs_daemon_t *daemon, const cs_mounted_t *folder, uint64_t dirs,
                   cs_json_t *json)
{
    cs_watcher_state_t state = cs_daemon_watch_state(daemon, folder->record.number);
    const char *scan = folder->record.setting[CS_SETTING_SCAN];
    uint32_t period_s = cs__schedule_period_s(daemon, folder);
    uint64_t watched = state.by == CS_WATCH_OFF ? 0 : state.watched, total = dirs + 1;
    bool complete = state.by != CS_WATCH_OFF && state.started && state.missed == 0;
    if (total < watched + state.missed && !state.all) total = watched + state.missed;
    if (complete && !state.all) total = watched; /* newer than the scan */
    if (state.all) watched = total;
    cs_json_key(json, "watch");
    cs_json_begin(json, '{');
    cs_json_put_text(json, "by", by_text(state.by));
    cs_json_put_u64(json, "watched", watched);
    cs_json_put_u64(json, "directories", total);
    cs_json_put_text(json, "scan", scan != NULL ? scan : cs__schedule_default(daemon, folder));
    put_next(daemon, folder, CS_SETTING_SCAN, "next_scan", json);
    /* Worst case of a directory: of one that nobody watches, and of changes that no watcher
     * is told of. */
    cs_json_put_u64(json, "staleness_s", cs_watcher_covers(&state) ? 0 : period_s);
    cs_json_put_u64(json, "scan_s", period_s);
    if (state.why != CS_OK && state.by != CS_WATCH_OFF) {
        cs_json_put_text(json, "why",
                         state.why == CS_ERR_NOSPACE ? "limit of watches"
                                                     : cs_err_text(state.why));
    }
    cs_json_end(json, '}');
}
