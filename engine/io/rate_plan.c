/* rate_plan.c - see rate_plan.h. */
#include "io/rate_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/records.h"

#define HOUR_S INT64_C(3600)
#define DAY_S  (24 * HOUR_S)

/* --- reading */

static char *trimmed(char *text)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        text[--len] = '\0';
    }
    return text;
}

static bool parse_change(char *text, struct cs_rate_change *ret)
{
    char *equals = strrchr(text, '=');
    if (equals == NULL) return false;
    *equals = '\0';
    return cs_cron_parse(trimmed(text), &ret->from, NULL) == CS_OK && ret->from.every_s == 0 &&
           cs_parse_u32(trimmed(equals + 1), 0, UINT32_MAX, &ret->kib);
}

static bool parse(char *text, cs_rate_plan_t *ret)
{
    char *rest = text, *part = strsep(&rest, ";");
    if (!cs_parse_u32(trimmed(part), 0, UINT32_MAX, &ret->kib)) return false;
    while ((part = strsep(&rest, ";")) != NULL) {
        if (ret->count == CS_RATE_CHANGES_MAX) return false;
        if (!parse_change(part, &ret->change[ret->count++])) return false;
    }
    return true;
}

cs_err_t cs_rate_plan_parse(const char *text, cs_rate_plan_t *ret)
{
    cs_rate_plan_t plan = {0};
    if (strlen(text) > CS_RATE_TEXT_MAX) return CS_ERR_USAGE;
    snprintf(plan.text, sizeof plan.text, "%s", text);
    char *copy = cs_strdup(text);
    bool good = parse(copy, &plan);
    cs_free(copy);
    if (good) *ret = plan;
    return good ? CS_OK : CS_ERR_USAGE;
}

/* --- what is in force */

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
static bool last_of(const cs_cron_t *cron, int64_t wall_s, const cs_civil_t *now, uint64_t *ret)
{
    static const int64_t spans_s[] = {HOUR_S, DAY_S, 8 * DAY_S, 32 * DAY_S, 400 * DAY_S};
    for (size_t i = 0; i < CS_COUNT_OF(spans_s); i++) {
        if (last_within(cron, wall_s - spans_s[i], now, ret)) return true;
    }
    return false;
}

uint32_t cs_rate_plan_at(const cs_rate_plan_t *plan, int64_t wall_s)
{
    cs_civil_t now = cs_clock_local(wall_s);
    uint32_t kib = plan->kib;
    uint64_t since = 0, last;
    for (size_t i = 0; i < plan->count; i++) {
        if (!last_of(&plan->change[i].from, wall_s, &now, &last) || last < since) continue;
        since = last;
        kib = plan->change[i].kib;
    }
    return kib;
}
