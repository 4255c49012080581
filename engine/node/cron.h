/* cron.h - when a schedule is due: five fields, or a name.
 *
 *   minute 0-59   hour 0-23   day of month 1-31   month 1-12 or jan..dec
 *   day of week 0-7 or sun..sat; 0 and 7 are Sunday
 *
 * each: * or numbers and ranges a-b, with a step (a-b/s; after * as well), in lists with
 * commas.
 *
 *   @hourly @daily @midnight @weekly @monthly @yearly @annually, and @every 30s, 5m, 1h30m
 *
 * As in Vixie's cron: if neither day field begins with '*', a day is due that suits one of
 * them, otherwise one that suits both. Pure arithmetic on civil time: the shell converts from
 * its clock and back, and so decides what a skipped or repeated hour means. */
#ifndef CS_NODE_CRON_H
#define CS_NODE_CRON_H

#include "base/buf.h"

#define CS_CRON_TEXT_MAX 256u /* bytes of an expression */

/* A local date and time of the Gregorian calendar. */
typedef struct cs_civil {
    int32_t year;  /* 1900..9999 */
    uint8_t month; /* 1..12 */
    uint8_t day;   /* 1..31 */
    uint8_t hour, minute, second;
} cs_civil_t;

typedef struct cs_cron {
    uint64_t minutes;             /* bit i: minute i */
    uint32_t hours, days, months; /* bit i: hour, day, month i */
    uint8_t weekdays;             /* bit 0: Sunday */
    bool any_day, any_weekday;    /* the field began with '*' */
    bool any_time;                /* that of minutes, or of hours */
    uint32_t every_s;             /* > 0: @every, and nothing else counts */
} cs_cron_t;

/* CS_ERR_USAGE: ret is unchanged; ret_detail, if not NULL, is given one clause that names the
 * field. What never comes (the 30th of February) is an error, too. */
CS_MUST_USE cs_err_t cs_cron_parse(const char *text, cs_cron_t *ret, cs_buf_t *ret_detail);

/* Is the minute of `at` one of the schedule? Not for @every. */
bool cs_cron_suits(const cs_cron_t *cron, const cs_civil_t *at);

/* The first minute of the schedule after the one of `after`. Not for @every, which counts from
 * the last time. False: none before the year 10000. */
bool cs_cron_next(const cs_cron_t *cron, const cs_civil_t *after, cs_civil_t *ret);

/* 0 is Sunday. */
unsigned cs_civil_weekday(const cs_civil_t *civil);
unsigned cs_civil_month_days(int32_t year, unsigned month);

#endif
