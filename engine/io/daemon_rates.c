/* daemon_rates.c - limits of bytes a second: from the config and the clock to the core. */
#include <string.h>

#include "io/clock.h"
#include "io/daemon_shell.h"

#define MINUTE_MS 60000

static uint64_t bytes(const cs_rate_plan_t *plan, int64_t wall_s)
{
    return (uint64_t)cs_rate_plan_at(plan, wall_s) << 10;
}

static bool changes_with_time(const cs_config_t *config)
{
    size_t changes = 0;
    for (size_t i = 0; i < CS_RATE_COUNT; i++) {
        changes += config->rate[i].count;
    }
    return changes > 0;
}

static int on_minute(zloop_t *loop, int timer_id, void *arg)
{
    (void)loop;
    (void)timer_id;
    cs_daemon_t *daemon = arg;
    daemon->shell->rate_timer = -1;
    cs__daemon_rates(daemon);
    return daemon->stopping ? -1 : 0;
}

void cs__daemon_rates(cs_daemon_t *daemon)
{
    cs_daemon_shell_t *shell = daemon->shell;
    const cs_rate_plan_t *plan = shell->settings.rate;
    int64_t wall_ms = cs_clock_wall_ms(), now_s = wall_ms / 1000;
    cs_limits_t limits = {
        .all = {bytes(&plan[CS_RATE_UP], now_s), bytes(&plan[CS_RATE_DOWN], now_s)},
        .each = {bytes(&plan[CS_RATE_PEER_UP], now_s), bytes(&plan[CS_RATE_PEER_DOWN], now_s)},
    };
    if (memcmp(&limits, &shell->limits, sizeof limits) != 0) {
        shell->limits = limits;
        cs_event_t event = {.kind = CS_EV_LIMITS, .limits = &limits};
        cs_daemon_step(daemon, &event);
    }
    if (shell->rate_timer >= 0) zloop_timer_end(daemon->loop, shell->rate_timer);
    shell->rate_timer = -1;
    if (!changes_with_time(&shell->settings)) return;
    size_t left_ms = (size_t)(MINUTE_MS - wall_ms % MINUTE_MS);
    shell->rate_timer = zloop_timer(daemon->loop, left_ms, 1, on_minute, daemon);
}
