/* clock.c - see clock.h. */
#include "io/clock.h"

#include <stdio.h>
#include <time.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_S    INT64_C(3600)
#define DAY_S     (24 * HOUR_S)

static int64_t milliseconds(clockid_t clock)
{
    struct timespec now;
    int rc = clock_gettime(clock, &now);
    CS_ASSERT(rc == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t cs_clock_mono_ms(void)
{
    return (uint64_t)milliseconds(CLOCK_MONOTONIC);
}

int64_t cs_clock_wall_ms(void)
{
    return milliseconds(CLOCK_REALTIME);
}

cs_civil_t cs_clock_local(int64_t wall_s)
{
    struct tm tm = {.tm_year = 70, .tm_mday = 1}; /* stays, if the year does not fit */
    time_t time = (time_t)wall_s;
    tzset(); /* localtime_r need not look at TZ */
    localtime_r(&time, &tm);
    return (cs_civil_t){.year = tm.tm_year + 1900,
                        .month = (uint8_t)(tm.tm_mon + 1),
                        .day = (uint8_t)tm.tm_mday,
                        .hour = (uint8_t)tm.tm_hour,
                        .minute = (uint8_t)tm.tm_min,
                        .second = (uint8_t)(tm.tm_sec < 60 ? tm.tm_sec : 59)};
}

void cs_clock_format(int64_t wall_ms, char ret[25])
{
    struct tm tm = {.tm_year = 70, .tm_mday = 1};
    int64_t ms = wall_ms < 0 ? 0 : wall_ms;
    time_t time = (time_t)(ms / 1000);
    char date[32];
    gmtime_r(&time, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(ret, 25, "%.19s.%03dZ", date, (int)(ms % 1000));
}

static int order(const cs_civil_t *a, const cs_civil_t *b)
{
    const int a_parts[] = {a->year, a->month, a->day, a->hour, a->minute};
    const int b_parts[] = {b->year, b->month, b->day, b->hour, b->minute};
    for (size_t i = 0; i < CS_COUNT_OF(a_parts); i++) {
        if (a_parts[i] != b_parts[i]) return a_parts[i] < b_parts[i] ? -1 : 1;
    }
    return 0;
}

/* Was something due between two minutes of which the clock made neighbours? */
static bool skipped_some(const cs_cron_t *cron, const cs_civil_t *before, const cs_civil_t *now)
{
    cs_civil_t next;
    if (now->minute == (before->minute + 1) % 60 &&
        now->hour == (before->hour + (now->minute == 0)) % 24) {
        return false; /* true neighbours, which spares the search */
    }
    return cs_cron_next(cron, before, &next) && order(&next, now) < 0;
}

/* The clock was put back, and shows this minute again. */
static bool is_repeated(int64_t minute_s, const cs_civil_t *now)
{
    static const int64_t back_s[] = {1800, 3600, 7200}; /* what zones put it back by */
    for (size_t i = 0; i < CS_COUNT_OF(back_s); i++) {
        cs_civil_t earlier = cs_clock_local(minute_s - back_s[i]);
        if (order(&earlier, now) == 0) return true;
    }
    return false;
}

static bool is_due(const cs_cron_t *cron, int64_t minute_s, const cs_civil_t *now)
{
    return cs_cron_suits(cron, now) && (cron->any_time || !is_repeated(minute_s, now));
}

uint64_t cs_clock_until(const cs_cron_t *cron, int64_t wall_ms, bool *ret_due)
{
    *ret_due = true;
    if (cron->every_s > 0) return UINT64_C(1000) * cron->every_s;
    int64_t minute_s = wall_ms / MINUTE_MS * 60;
    cs_civil_t before = cs_clock_local(minute_s);
    /* Minute by minute of real time, so that no rule of any zone has to be undone. */
    for (unsigned i = 0; i < 60; i++) {
        minute_s += 60;
        cs_civil_t now = cs_clock_local(minute_s);
        if (is_due(cron, minute_s, &now) || skipped_some(cron, &before, &now)) {
            return (uint64_t)(minute_s * 1000 - wall_ms);
        }
        before = now;
    }
    *ret_due = false;
    return (uint64_t)(60 * MINUTE_MS);
}

bool cs_clock_was_due(const cs_cron_t *cron, int64_t from_ms, int64_t now_ms)
{
    if (now_ms - from_ms > CS_CLOCK_BACK_MS) from_ms = now_ms - CS_CLOCK_BACK_MS;
    while (from_ms < now_ms) {
        bool due;
        from_ms += (int64_t)cs_clock_until(cron, from_ms, &due);
        if (due && from_ms <= now_ms) return true;
    }
    return false;
}

int64_t cs_clock_next_ms(const cs_cron_t *cron, int64_t now_ms)
{
    bool due = false;
    int64_t at_ms = now_ms;
    while (!due && at_ms - now_ms < CS_CLOCK_AHEAD_MS) {
        at_ms += (int64_t)cs_clock_until(cron, at_ms, &due);
    }
    return due ? at_ms : 0;
}

/* --- what was last */

static uint64_t minute_number(const cs_civil_t *at)
{
    uint64_t days =
        ((uint64_t)at->year * 12 + at->month) * 31 + at->day; /* in order, no more */
    return (days * 24 + at->hour) * 60 + at->minute;
}

/* The last minute of the schedule from `since_s` to now; false: none. */
static bool last_within(const cs_cron_t *cron, int64_t since_s, const cs_civil_t *now,
                        uint64_t *ret)
{
    cs_civil_t at = cs_clock_local(since_s), next;
    bool found = false;
    while (cs_cron_next(cron, &at, &next) && minute_number(&next) <= minute_number(now)) {
        *ret = minute_number(&next);
        found = true;
        at = next;
    }
    return found;
}

/* Longer and longer spans: what comes often is found in a short one. */
bool cs_clock_last(const cs_cron_t *cron, int64_t wall_s, uint64_t *ret)
{
    cs_civil_t now = cs_clock_local(wall_s);
    static const int64_t spans_s[] = {HOUR_S, DAY_S, 8 * DAY_S, 32 * DAY_S, 400 * DAY_S};
    for (size_t i = 0; i < CS_COUNT_OF(spans_s); i++) {
        if (last_within(cron, wall_s - spans_s[i], &now, ret)) return true;
    }
    return false;
}
