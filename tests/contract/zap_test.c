/* zap_test.c - the judge of keys starts and ends, whatever signals come meanwhile. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <zmq.h>

#include "io/zap.h"

#define ROUNDS    300
#define PERIOD_US 20

static void ignore(int signal)
{
    (void)signal;
}

/* Calls are interrupted: a handler, and no SA_RESTART. */
static void storm(long period_us)
{
    struct sigaction action = {.sa_handler = ignore};
    struct itimerval timer = {{0, period_us}, {0, period_us}};
    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    cr_assert_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

Test(zap, starts_and_ends_while_signals_come, .timeout = 120)
{
    storm(PERIOD_US);
    for (int i = 0; i < ROUNDS; i++) {
        void *context = zmq_ctx_new();
        cs_zap_t *zap = cs_zap_new(context);
        if (zap == NULL) storm(0);
        cr_assert_not_null(zap, "round %d", i);
        cs_zap_destroy(&zap);
        while (zmq_ctx_term(context) != 0) {
            cr_assert_eq(errno, EINTR);
        }
    }
    storm(0);
}
