/* rate_plan.c - see rate_plan.h. */
#include "io/rate_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/records.h"

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

uint32_t cs_rate_plan_at(const cs_rate_plan_t *plan, int64_t wall_s)
{
    uint32_t kib = plan->kib;
    uint64_t since = 0, last;
    for (size_t i = 0; i < plan->count; i++) {
        if (!cs_clock_last(&plan->change[i].from, wall_s, &last) || last < since) continue;
        since = last;
        kib = plan->change[i].kib;
    }
    return kib;
}
