/* cron_test.c - schedules: what is read, what is refused, and when they are due. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "node/cron.h"

static cs_cron_t parsed(const char *text)
{
    cs_cron_t cron = {0};
    cs_buf_t detail = {0};
    cs_err_t err = cs_cron_parse(text, &cron, &detail);
    cs_buf_put_u8(&detail, 0);
    cr_assert_eq(err, CS_OK, "%s: %s", text, (const char *)detail.data);
    cs_buf_fini(&detail);
    return cron;
}

static void print(const cs_civil_t *at, char ret[32])
{
    snprintf(ret, 32, "%04d-%02u-%02u %02u:%02u:%02u", at->year, at->month, at->day, at->hour,
             at->minute, at->second);
}

/* "2024-05-05 10:20:30" */
static cs_civil_t civil(const char *text)
{
    char *at;
    cs_civil_t civil = {.year = (int32_t)strtol(text, &at, 10)};
    uint8_t *parts[] = {&civil.month, &civil.day, &civil.hour, &civil.minute, &civil.second};
    for (size_t i = 0; i < CS_COUNT_OF(parts); i++) {
        *parts[i] = (uint8_t)strtol(at + 1, &at, 10);
    }
    cr_assert_eq(*at, '\0');
    return civil;
}

static void expect_next(const char *text, const char *after, const char *expected)
{
    cs_cron_t cron = parsed(text);
    cs_civil_t from = civil(after), next;
    char got[32];
    cr_assert(cs_cron_next(&cron, &from, &next), "%s", text);
    print(&next, got);
    cr_assert_str_eq(got, expected, "%s after %s: %s", text, after, got);
}

Test(cron, the_next_minute_is_strictly_later)
{
    expect_next("* * * * *", "2024-05-05 10:20:30", "2024-05-05 10:21:00");
    expect_next("20 10 * * *", "2024-05-05 10:20:00", "2024-05-06 10:20:00");
    expect_next("20 10 * * *", "2024-05-05 10:19:59", "2024-05-05 10:20:00");
    expect_next("* * * * *", "2024-12-31 23:59:59", "2025-01-01 00:00:00");
}

Test(cron, steps_ranges_lists_and_names)
{
    expect_next("*/15 * * * *", "2024-05-05 10:31:00", "2024-05-05 10:45:00");
    expect_next("5-20/7 3 * * *", "2024-05-05 03:12:00", "2024-05-05 03:19:00");
    expect_next("5-20/7 3 * * *", "2024-05-05 03:19:00", "2024-05-06 03:05:00");
    expect_next("0 1,13,22-23 * * *", "2024-05-05 13:00:00", "2024-05-05 22:00:00");
    expect_next("0 0 * JAN-mar Sun", "2024-04-01 00:00:00", "2025-01-05 00:00:00");
    expect_next("0 0 * * 7", "2024-05-01 00:00:00", "2024-05-05 00:00:00");
    expect_next("0 0 * * 5-7", "2024-05-04 12:00:00", "2024-05-05 00:00:00");
    expect_next("\t 0  0 1 1 *  ", "2024-05-01 00:00:00", "2025-01-01 00:00:00");
}

Test(cron, months_end_when_they_do)
{
    expect_next("0 0 31 * *", "2024-03-31 00:00:00", "2024-05-31 00:00:00");
    expect_next("0 0 30 * *", "2024-01-30 00:00:00", "2024-03-30 00:00:00");
    expect_next("59 23 28-31 2 *", "2023-02-28 23:59:00", "2024-02-28 23:59:00");
}

Test(cron, leap_days_wait_for_leap_years)
{
    expect_next("0 12 29 2 *", "2024-02-29 12:00:00", "2028-02-29 12:00:00");
    expect_next("0 12 29 2 *", "2096-02-29 12:00:00", "2104-02-29 12:00:00");
    expect_next("0 12 29 2 *", "1999-01-01 00:00:00", "2000-02-29 12:00:00");
}

Test(cron, two_day_fields_are_alternatives_unless_one_begins_with_a_star)
{
    /* 13 May 2024 is a Monday, Fridays are the 3rd, 10th, 17th. */
    expect_next("0 0 13 * fri", "2024-05-11 00:00:00", "2024-05-13 00:00:00");
    expect_next("0 0 13 * fri", "2024-05-13 00:00:00", "2024-05-17 00:00:00");
    expect_next("0 0 */13 * fri", "2024-05-01 00:00:00", "2024-06-14 00:00:00");
    expect_next("0 0 13 * *", "2024-05-13 00:00:00", "2024-06-13 00:00:00");
    expect_next("0 0 * * fri", "2024-05-13 00:00:00", "2024-05-17 00:00:00");
}

Test(cron, names_with_an_at_mean_their_five_fields)
{
    expect_next("@hourly", "2024-05-05 10:20:30", "2024-05-05 11:00:00");
    expect_next("@daily", "2024-05-05 10:20:30", "2024-05-06 00:00:00");
    expect_next("@midnight", "2024-05-05 10:20:30", "2024-05-06 00:00:00");
    expect_next("@weekly", "2024-05-05 10:20:30", "2024-05-12 00:00:00");
    expect_next("@monthly ", "2024-05-05 10:20:30", "2024-06-01 00:00:00");
    expect_next("@yearly", "2024-05-05 10:20:30", "2025-01-01 00:00:00");
    expect_next("@annually", "2024-05-05 10:20:30", "2025-01-01 00:00:00");
}

Test(cron, intervals)
{
    cr_assert_eq(parsed("@every 30s").every_s, 30);
    cr_assert_eq(parsed(" @every  5m ").every_s, 300);
    cr_assert_eq(parsed("@every 1h30m").every_s, 5400);
    cr_assert_eq(parsed("@every 8784h").every_s, 366u * 24 * 3600);
    cr_assert_eq(parsed("@hourly").every_s, 0);
}

static void expect_refused(const char *text, const char *about)
{
    cs_cron_t cron = {.every_s = 77};
    cs_buf_t detail = {0};
    cr_assert_eq(cs_cron_parse(text, &cron, &detail), CS_ERR_USAGE, "%s", text);
    cs_buf_put_u8(&detail, 0);
    cr_assert_not_null(strstr((const char *)detail.data, about), "%s: %s", text,
                       (const char *)detail.data);
    cr_assert_eq(cron.every_s, 77, "a failure leaves the result as it was");
    cs_buf_fini(&detail);
}

Test(cron, mistakes_name_their_field)
{
    expect_refused("", "minute: missing");
    expect_refused("* * * *", "day of week: missing");
    expect_refused("* * * * * *", "five fields");
    expect_refused("60 * * * *", "minute: out of range (0-59)");
    expect_refused("* 24 * * *", "hour");
    expect_refused("* * 0 * *", "day of month");
    expect_refused("* * * 13 *", "month");
    expect_refused("* * * * 8", "day of week");
    expect_refused("* * * foo *", "month");
    expect_refused("* jan * * *", "hour");
    expect_refused("5/2 * * * *", "minute");
    expect_refused("*/0 * * * *", "minute");
    expect_refused("*/99999999999 * * * *", "minute");
    expect_refused("1, * * * *", "minute");
    expect_refused("1-2-3 * * * *", "minute");
    expect_refused("* 9-5 * * *", "hour");
    expect_refused("-1 * * * *", "minute");
    expect_refused("**/2 * * * *", "minute");
    expect_refused("0 0 30 feb *", "day of month");
    expect_refused("0 0 31 4,6,9,11 *", "day of month");
}

Test(cron, mistakes_in_names_with_an_at)
{
    expect_refused("@never", "no such name");
    expect_refused("@hourlyish", "no such name");
    expect_refused("@hourly 5", "nothing may follow");
    expect_refused("@every", "@every");
    expect_refused("@every 5", "unit");
    expect_refused("@every s", "number");
    expect_refused("@every 0s", "second");
    expect_refused("@every 5m 3s", "one interval");
    expect_refused("@every 8785h", "year");
    expect_refused("@every 999999999h999999999h", "year");
}

Test(cron, a_long_expression_is_read_up_to_the_limit)
{
    char text[CS_CRON_TEXT_MAX + 2];
    memset(text, ' ', sizeof text);
    memcpy(text, "* * * * *", 9);
    text[CS_CRON_TEXT_MAX] = '\0';
    (void)parsed(text);
    text[CS_CRON_TEXT_MAX] = ' ';
    text[CS_CRON_TEXT_MAX + 1] = '\0';
    expect_refused(text, "longer");
}

Test(cron, weekdays_and_month_lengths)
{
    cr_assert_eq(cs_civil_weekday(&(cs_civil_t){.year = 1970, .month = 1, .day = 1}), 4);
    cr_assert_eq(cs_civil_weekday(&(cs_civil_t){.year = 2000, .month = 2, .day = 29}), 2);
    cr_assert_eq(cs_civil_weekday(&(cs_civil_t){.year = 2026, .month = 11, .day = 20}), 5);
    cr_assert_eq(cs_civil_month_days(1900, 2), 28);
    cr_assert_eq(cs_civil_month_days(2000, 2), 29);
    cr_assert_eq(cs_civil_month_days(2023, 12), 31);
}

static void put_random_field(cs_prng_t *prng, cs_buf_t *text, unsigned min, unsigned max)
{
    unsigned span = max - min + 1;
    unsigned a = min + (unsigned)cs_prng_below(prng, span);
    unsigned b = a + (unsigned)cs_prng_below(prng, max - a + 1);
    switch (cs_prng_below(prng, 5)) {
    case 0:
        cs_buf_printf(text, "%u ", a);
        break;
    case 1:
        cs_buf_printf(text, "%u-%u ", a, b);
        break;
    case 2:
        cs_buf_printf(text, "*/%u ", 1 + (unsigned)cs_prng_below(prng, span - 1));
        break;
    case 3:
        cs_buf_printf(text, "%u,%u-%u/2 ", min, a, b);
        break;
    default:
        cs_buf_printf(text, "* ");
        break;
    }
}

static bool same(const cs_civil_t *a, const cs_civil_t *b)
{
    char text_a[32], text_b[32];
    print(a, text_a);
    print(b, text_b);
    return strcmp(text_a, text_b) == 0;
}

static cs_civil_t a_minute_later(cs_civil_t at)
{
    cs_cron_t always = parsed("* * * * *");
    cs_civil_t next;
    cr_assert(cs_cron_next(&always, &at, &next));
    return next;
}

Test(cron, nothing_due_lies_between_now_and_the_next_time)
{
    const uint64_t seed = 20240229;
    cs_prng_t prng;
    cs_prng_init(&prng, seed);
    for (unsigned round = 0; round < 300; round++) {
        cs_buf_t text = {0};
        put_random_field(&prng, &text, 0, 59);
        put_random_field(&prng, &text, 0, 23);
        put_random_field(&prng, &text, 1, 28);
        put_random_field(&prng, &text, 1, 12);
        put_random_field(&prng, &text, 0, 7);
        cs_buf_put_u8(&text, 0);
        cs_cron_t cron = parsed((const char *)text.data);
        cs_civil_t at = {.year = 2023 + (int)cs_prng_below(&prng, 3),
                         .month = (uint8_t)(1 + cs_prng_below(&prng, 12)),
                         .day = (uint8_t)(1 + cs_prng_below(&prng, 28)),
                         .hour = (uint8_t)cs_prng_below(&prng, 24),
                         .minute = (uint8_t)cs_prng_below(&prng, 60)};
        cs_civil_t next;
        cr_assert(cs_cron_next(&cron, &at, &next));
        cr_assert(cs_cron_suits(&cron, &next));
        for (unsigned i = 0; i < 3000; i++) {
            at = a_minute_later(at);
            if (same(&at, &next)) break;
            cr_assert_not(cs_cron_suits(&cron, &at), "seed %llu, round %u: %s",
                          (unsigned long long)seed, round, (const char *)text.data);
        }
        cs_buf_fini(&text);
    }
}
