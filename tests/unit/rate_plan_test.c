/* rate_plan_test.c - limits that follow the clock. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/rate_plan.h"

static void setup(void)
{
    setenv("TZ", "UTC", 1);
}

TestSuite(rate_plan, .init = setup);

static int64_t at(int year, int month, int day, int hour, int minute)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute};
    return (int64_t)timegm(&tm);
}

static uint32_t rate(const char *text, int64_t wall_s)
{
    cs_rate_plan_t plan;
    cr_assert_eq(cs_rate_plan_parse(text, &plan), CS_OK, "%s", text);
    return cs_rate_plan_at(&plan, wall_s);
}

Test(rate_plan, a_number_holds_always)
{
    cr_assert_eq(rate("0", at(2024, 5, 6, 7, 8)), 0);
    cr_assert_eq(rate(" 500 ", at(2024, 5, 6, 7, 8)), 500);
    cr_assert_eq(rate("4294967295", at(1970, 1, 1, 0, 0)), UINT32_MAX);
}

/* 2024-05-06 is a Monday. */
Test(rate_plan, working_hours)
{
    const char *text = "0; 0 8 * * mon-fri = 500; 0 18 * * mon-fri = 0";
    cr_assert_eq(rate(text, at(2024, 5, 6, 7, 59)), 0);
    cr_assert_eq(rate(text, at(2024, 5, 6, 8, 0)), 500);
    cr_assert_eq(rate(text, at(2024, 5, 6, 17, 59)), 500);
    cr_assert_eq(rate(text, at(2024, 5, 6, 18, 0)), 0);
    cr_assert_eq(rate(text, at(2024, 5, 11, 12, 0)), 0); /* since Friday evening */
}

Test(rate_plan, what_began_long_ago_holds)
{
    const char *text = "1;0 0 1 * * = 2;0 0 2 1 * = 3";
    cr_assert_eq(rate(text, at(2024, 5, 31, 23, 59)), 2);
    cr_assert_eq(rate(text, at(2024, 1, 2, 0, 0)), 3);
    cr_assert_eq(rate(text, at(2024, 1, 31, 23, 59)), 3);
    cr_assert_eq(rate(text, at(2024, 2, 1, 0, 0)), 2);
    cr_assert_eq(rate("7; 0 0 2 1 * = 3", at(2024, 1, 1, 12, 0)), 3); /* of last year */
}

Test(rate_plan, of_one_minute_the_last_counts)
{
    cr_assert_eq(rate("1; 0 8 * * * = 2; 0 8 * * mon = 3", at(2024, 5, 6, 9, 0)), 3);
    cr_assert_eq(rate("1; 0 8 * * * = 2; 0 8 * * mon = 3", at(2024, 5, 7, 9, 0)), 2);
}

Test(rate_plan, what_is_none_is_refused)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "-1",
                                      "4294967296",
                                      "1;",
                                      "1; = 2",
                                      "1; 0 8 * * =",
                                      "1; 0 8 * * * 2",
                                      "1; @every 5m = 2",
                                      "1; 0 8 30 2 * = 2",
                                      "; 0 8 * * * = 2"};
    for (size_t i = 0; i < CS_COUNT_OF(bad); i++) {
        cs_rate_plan_t plan = {.kib = 42};
        cr_assert_eq(cs_rate_plan_parse(bad[i], &plan), CS_ERR_USAGE, "'%s'", bad[i]);
        cr_assert_eq(plan.kib, 42);
    }
}

Test(rate_plan, so_many_changes_and_bytes_and_no_more)
{
    char text[CS_RATE_TEXT_MAX + 2] = "0";
    cs_rate_plan_t plan;
    for (size_t i = 0; i < CS_RATE_CHANGES_MAX; i++) {
        strcat(text, ";0 8 * * * = 1");
    }
    cr_assert_eq(cs_rate_plan_parse(text, &plan), CS_OK);
    strcat(text, ";0 8 * * * = 1");
    cr_assert_eq(cs_rate_plan_parse(text, &plan), CS_ERR_USAGE);
    memset(text, ' ', sizeof text);
    text[0] = '5';
    text[CS_RATE_TEXT_MAX] = '\0';
    cr_assert_eq(cs_rate_plan_parse(text, &plan), CS_OK);
    text[CS_RATE_TEXT_MAX] = ' ';
    text[CS_RATE_TEXT_MAX + 1] = '\0';
    cr_assert_eq(cs_rate_plan_parse(text, &plan), CS_ERR_USAGE);
}
