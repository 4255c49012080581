/* machine_test.c - clocks, randomness and addresses of the machine the tests run on. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "base/limits.h"
#include "io/addresses.h"
#include "io/clock.h"
#include "io/entropy.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   UINT64_C(3600000)

static cs_cron_t parsed(const char *text)
{
    cs_cron_t cron;
    cr_assert_eq(cs_cron_parse(text, &cron, NULL), CS_OK);
    return cron;
}

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

Test(clock, the_monotonic_clock_does_not_go_back)
{
    uint64_t before = cs_clock_mono_ms();
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t now = cs_clock_mono_ms();
        cr_assert_leq(before, now);
        before = now;
    }
    cr_assert_gt(cs_clock_wall_ms(), INT64_C(1700000000000));
}

Test(clock, times_in_logs_are_utc_with_milliseconds)
{
    char text[25];
    use_zone("CET-1");
    cs_clock_format(INT64_C(1714979289123), text);
    cr_assert_str_eq(text, "2024-05-06T07:08:09.123Z");
}

Test(clock, schedules_are_in_local_time)
{
    bool due;
    cs_cron_t cron = parsed("0 9 * * *");
    const int64_t eight_utc = INT64_C(1714982400000); /* 2024-05-06 08:00 */
    use_zone("UTC0");
    cr_assert_eq(cs_clock_until(&cron, eight_utc, &due), HOUR_MS);
    cr_assert(due);
    use_zone("XXX-1"); /* an hour ahead: it is nine already */
    cr_assert_eq(cs_clock_until(&cron, eight_utc, &due), HOUR_MS);
    cr_assert_not(due, "the next is tomorrow: ask again");
    cr_assert_eq(cs_clock_until(&cron, eight_utc - 1500, &due), 1500);
    cr_assert(due);
    cr_assert_eq(cs_clock_local(eight_utc / 1000).hour, 9);
}

Test(clock, an_interval_counts_from_now)
{
    bool due;
    cs_cron_t cron = parsed("@every 2h");
    cr_assert_eq(cs_clock_until(&cron, INT64_C(1714982400123), &due), 2 * HOUR_MS);
    cr_assert(due);
}

Test(clock, a_skipped_hour_is_due_after_it_and_a_repeated_one_goes_on)
{
    bool due;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    /* 2024-03-31: 02:00 is 03:00. 2024-10-27: 03:00 is 02:00 once more. */
    cs_cron_t cron = parsed("30 2 * * *");
    const int64_t before = INT64_C(1711846200000); /* 01:50 CET */
    uint64_t wait_ms = cs_clock_until(&cron, before, &due);
    cr_assert(due);
    cr_assert_eq((int64_t)wait_ms, 10 * MINUTE_MS,
                 "at 03:00 CEST, when 02:30 has been skipped");
    cr_assert_eq(cs_clock_until(&cron, before + (int64_t)wait_ms, &due), HOUR_MS);
    cr_assert_not(due, "once is enough");

    cron = parsed("*/10 * * * *");
    int64_t now = INT64_C(1729986900000); /* 2024-10-27 01:55 CEST */
    cr_assert_eq((int64_t)cs_clock_until(&cron, now, &due), 5 * MINUTE_MS);
    now += 5 * MINUTE_MS;
    for (unsigned i = 0; i < 3 * 6; i++) {
        wait_ms = cs_clock_until(&cron, now, &due);
        cr_assert(due);
        cr_assert_eq((int64_t)wait_ms, 10 * MINUTE_MS);
        now += (int64_t)wait_ms;
    }
    cr_assert_eq(cs_clock_local(now / 1000).hour, 4, "three hours after two, in winter time");
}

/* cron(8): what has its time in the hour that comes twice is done once. */
Test(clock, a_repeated_hour_is_no_second_time_for_what_has_a_time)
{
    bool due;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    cs_cron_t cron = parsed("30 2 * * *");
    const int64_t before = INT64_C(1729986900000); /* 2024-10-27 01:55 CEST */
    int64_t first = cs_clock_next_ms(&cron, before);
    cr_assert_eq(first - before, 35 * MINUTE_MS, "02:30 in summer time");
    cr_assert_eq(cs_clock_next_ms(&cron, first) - first, 25 * HOUR_MS, "tomorrow");
    cron = parsed("30 * * * *");
    first = cs_clock_next_ms(&cron, before);
    cr_assert_eq(cs_clock_next_ms(&cron, first) - first, HOUR_MS, "each hour is each hour");
    cr_assert_eq(cs_clock_until(&cron, first, &due), (int64_t)HOUR_MS);
}

Test(clock, what_was_missed_is_known_and_when_it_comes_next)
{
    use_zone("UTC0");
    cs_cron_t cron = parsed("0 3 * * *");
    const int64_t day = INT64_C(1714953600000); /* 2024-05-06 00:00 */
    cr_assert(cs_clock_was_due(&cron, day + 2 * (int64_t)HOUR_MS, day + 8 * (int64_t)HOUR_MS));
    cr_assert_not(
        cs_clock_was_due(&cron, day + 3 * (int64_t)HOUR_MS, day + 8 * (int64_t)HOUR_MS),
        "it was done");
    cr_assert(
        cs_clock_was_due(&cron, day + 3 * (int64_t)HOUR_MS - 1, day + 3 * (int64_t)HOUR_MS));
    cr_assert_not(
        cs_clock_was_due(&cron, day + 2 * (int64_t)HOUR_MS, day + 3 * (int64_t)HOUR_MS - 1));
    cr_assert_not(cs_clock_was_due(&cron, day + 8 * (int64_t)HOUR_MS, day),
                  "the clock was set back");
    cr_assert(cs_clock_was_due(&cron, 0, day), "years of them, too");
    cr_assert_eq(cs_clock_next_ms(&cron, day + 4 * (int64_t)HOUR_MS),
                 day + 27 * (int64_t)HOUR_MS);
    cron = parsed("0 0 29 2 *");
    cr_assert_eq(cs_clock_next_ms(&cron, day), 0, "not within a month");
}

Test(entropy, keys_are_pairs_of_curve_and_never_equal)
{
    uint8_t public_key[32], secret_key[32], again[32], other_public[32], other_secret[32];
    cs_entropy_init();
    cs_entropy_key_pair(public_key, secret_key);
    cs_entropy_public_key(secret_key, again);
    cr_assert_arr_eq(public_key, again, 32);
    cs_entropy_key_pair(other_public, other_secret);
    cr_assert_arr_neq(public_key, other_public, 32);
    cr_assert_arr_neq(secret_key, other_secret, 32);

    char z85_public[41], z85_secret[41], z85_derived[41];
    zmq_z85_encode(z85_public, public_key, 32);
    zmq_z85_encode(z85_secret, secret_key, 32);
    cr_assert_eq(zmq_curve_public(z85_derived, z85_secret), 0);
    cr_assert_str_eq(z85_public, z85_derived, "they are ZeroMQ's keys as well");
    cs_entropy_wipe(secret_key, sizeof secret_key);
    for (unsigned i = 0; i < sizeof secret_key; i++) {
        cr_assert_eq(secret_key[i], 0);
    }
}

Test(addresses, one_address_is_itself)
{
    cs_strings_t endpoints = {0};
    cr_assert_eq(cs_addresses_of("tcp://127.0.0.1:4711", &endpoints), CS_OK);
    cr_assert_eq(endpoints.count, 1);
    cr_assert_str_eq(endpoints.at[0], "tcp://127.0.0.1:4711");
    cr_assert_eq(cs_addresses_of("tcp://[::1]:4711", &endpoints), CS_OK);
    cr_assert_str_eq(endpoints.at[1], "tcp://[::1]:4711");
    cs_strings_fini(&endpoints);
}

/* Everything that is told can be connected to: a plain ZeroMQ pair over each. */
static void expect_reachable(const char *bind, bool v6)
{
    const int on = 1, soon_ms = 5000, linger = 0;
    void *context = zmq_ctx_new();
    void *server = zmq_socket(context, ZMQ_PULL);
    char bound[128];
    size_t len = sizeof bound;
    if (v6) zmq_setsockopt(server, ZMQ_IPV6, &on, sizeof on);
    zmq_setsockopt(server, ZMQ_RCVTIMEO, &soon_ms, sizeof soon_ms);
    cr_assert_eq(zmq_bind(server, bind), 0);
    zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, bound, &len);
    cs_strings_t endpoints = {0};
    cr_assert_eq(cs_addresses_of(bound, &endpoints), CS_OK);
    cr_assert_geq(endpoints.count, 1);
    cr_assert_leq(endpoints.count, CS_ENDPOINTS_MAX);
    for (size_t i = 0; i < endpoints.count; i++) {
        cr_assert(v6 || strchr(endpoints.at[i], '[') == NULL, "%s", endpoints.at[i]);
        cr_assert_null(cs_check_endpoint(endpoints.at[i]));
        void *client = zmq_socket(context, ZMQ_PUSH);
        char byte;
        zmq_setsockopt(client, ZMQ_IPV6, &on, sizeof on);
        zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger);
        cr_assert_eq(zmq_connect(client, endpoints.at[i]), 0);
        cr_assert_eq(zmq_send(client, "x", 1, 0), 1);
        cr_assert_eq(zmq_recv(server, &byte, 1, 0), 1, "%s", endpoints.at[i]);
        zmq_close(client);
    }
    cs_strings_fini(&endpoints);
    zmq_close(server);
    zmq_ctx_term(context);
}

Test(addresses, of_all_interfaces_can_be_reached)
{
    expect_reachable("tcp://*:*", true);
    expect_reachable("tcp://0.0.0.0:*", false);
}

Test(addresses, what_is_no_tcp_endpoint_is_refused)
{
    cs_strings_t endpoints = {0};
    cr_assert_eq(cs_addresses_of("ipc:///tmp/x", &endpoints), CS_ERR_USAGE);
    cr_assert_eq(cs_addresses_of("tcp://", &endpoints), CS_ERR_USAGE);
    cr_assert_eq(cs_addresses_of("", &endpoints), CS_ERR_USAGE);
    cr_assert_eq(endpoints.count, 0);
}
