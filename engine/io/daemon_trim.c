/* daemon_trim.c - memory that work has freed goes back to the system.
 *
 * glibc keeps pages of its arenas that hold nothing any more: after a scan of 200,000 files
 * four fifths of what the process has. Giving them back takes about a millisecond, and taking
 * them again as long, so it is done now and then during work, and once when it has ended. */
#include <malloc.h>

#include "io/daemon_shell.h"

#define REST_MS 5000u
#define BUSY_MS 2000u /* while jobs are under way */

static int trim(zloop_t *loop, int timer_id, void *arg);

static void arm(cs_daemon_t *daemon, uint64_t in_ms)
{
    daemon->shell->trim_timer = zloop_timer(daemon->loop, (size_t)in_ms, 1, trim, daemon);
}

static int trim(zloop_t *loop, int timer_id, void *arg)
{
    (void)loop;
    (void)timer_id;
    cs_daemon_t *daemon = arg;
    cs_daemon_shell_t *shell = daemon->shell;
    uint64_t rested_ms = (uint64_t)zclock_mono() - shell->worked_ms;
    shell->trim_timer = -1;
    if (daemon->stopping) return -1;
    (void)malloc_trim(0);
    if (shell->jobs != NULL || rested_ms < BUSY_MS) {
        arm(daemon, BUSY_MS);
    } else if (rested_ms < REST_MS) {
        arm(daemon, REST_MS - rested_ms);
    }
    return 0;
}

void cs__daemon_works(cs_daemon_t *daemon)
{
    cs_daemon_shell_t *shell = daemon->shell;
    shell->worked_ms = (uint64_t)zclock_mono();
    if (shell->trim_timer < 0) arm(daemon, BUSY_MS);
}
