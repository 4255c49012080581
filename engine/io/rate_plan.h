/* rate_plan.h - a limit of bytes a second that follows the clock.
 *
 *   500
 *   0; 0 8 * * mon-fri = 500; 0 18 * * mon-fri = 0
 *
 * KiB a second, 0: no limit. Each "CRON = RATE" holds from a minute of that schedule on until
 * another one's comes; before the first of them ever did, the rate in front. Where several
 * begin in one minute the last of them counts. Local time, as of cron(8). */
#ifndef CS_IO_RATE_PLAN_H
#define CS_IO_RATE_PLAN_H

#include "node/cron.h"

CS_HEADER_BEGIN

#define CS_RATE_CHANGES_MAX 8u   /* of one plan */
#define CS_RATE_TEXT_MAX    511u /* bytes of one */

typedef struct cs_rate_plan {
    char text[CS_RATE_TEXT_MAX + 1]; /* as given; empty: no limit */
    uint32_t kib;
    size_t count;
    struct cs_rate_change {
        cs_cron_t from;
        uint32_t kib;
    } change[CS_RATE_CHANGES_MAX];
} cs_rate_plan_t;

/* CS_ERR_USAGE: ret is unchanged. */
CS_MUST_USE cs_err_t cs_rate_plan_parse(const char *text, cs_rate_plan_t *ret);
/* KiB a second in force at that local time. Looks back 400 days at most. */
uint32_t cs_rate_plan_at(const cs_rate_plan_t *plan, int64_t wall_s);

CS_HEADER_END

#endif
