/* rate_test.c - what is owed is worked off, and nothing else. */
#include <criterion/criterion.h>

#include "node/rate.h"

Test(rate, without_a_limit_nothing_waits)
{
    cs_rate_t rate = {0};
    cs_rate_spend(&rate, UINT64_C(1) << 40);
    cr_assert(cs_rate_may(&rate, 0, 1000));
    cr_assert_eq(cs_rate_due(&rate, 0, 1000), 1000);
}

Test(rate, what_was_spent_is_worked_off)
{
    cs_rate_t rate = {0};
    cr_assert(cs_rate_may(&rate, 1000, 5000));
    cs_rate_spend(&rate, 2000);
    cr_assert_eq(cs_rate_due(&rate, 1000, 5000), 7000);
    cr_assert_not(cs_rate_may(&rate, 1000, 5000));
    cr_assert_not(cs_rate_may(&rate, 1000, 6999));
    cr_assert_eq(cs_rate_due(&rate, 1000, 6999), 7000);
    cr_assert(cs_rate_may(&rate, 1000, 7000));
}

Test(rate, rest_is_not_saved_up)
{
    cs_rate_t rate = {0};
    cr_assert(cs_rate_may(&rate, 1000, 1000000));
    cs_rate_spend(&rate, 1);
    cr_assert_not(cs_rate_may(&rate, 1000, 1000000));
    cr_assert(cs_rate_may(&rate, 1000, 1000001));
}

/* Looks that come too often for a byte to be paid must not keep it from being paid. */
Test(rate, it_goes_on_however_often_one_looks)
{
    cs_rate_t rate = {0};
    cr_assert(cs_rate_may(&rate, 100, 0));
    cs_rate_spend(&rate, 10);
    for (uint64_t at = 0; at < 100; at++) {
        cr_assert_not(cs_rate_may(&rate, 100, at), "at %llu", (unsigned long long)at);
    }
    cr_assert(cs_rate_may(&rate, 100, 100));
}

Test(rate, another_rate_counts_at_once)
{
    cs_rate_t rate = {0};
    cr_assert(cs_rate_may(&rate, 1000, 0));
    cs_rate_spend(&rate, 100000);
    cr_assert_not(cs_rate_may(&rate, 1000, 50000)); /* half of it is paid */
    cr_assert_eq(cs_rate_due(&rate, 50000, 50000), 51000);
    cr_assert(cs_rate_may(&rate, 0, 50000));
    cr_assert(cs_rate_may(&rate, 1000, 50000)); /* and the debt is gone */
}
