/* clock.h - the two clocks: a monotonic one for everything, a wall clock for schedules and
 * logs.
 *
 * The core knows of neither; it is given monotonic milliseconds. */
#ifndef CS_IO_CLOCK_H
#define CS_IO_CLOCK_H

#include "node/cron.h"

uint64_t cs_clock_mono_ms(void); /* since some time in the past */

int64_t cs_clock_wall_ms(void); /* since 1970, UTC; jumps when people set the clock */
cs_civil_t cs_clock_local(int64_t wall_s);
/* "2024-05-06T07:08:09.123Z": 24 bytes and a NUL. */
void cs_clock_format(int64_t wall_ms, char ret[25]);

/* Milliseconds until the schedule is due after wall_ms, for one timer; @every counts from
 * wall_ms. A schedule that is not due within the next hour: an hour, and *ret_due false; then
 * ask again, as the wall clock may have been set meanwhile. What falls into an hour that the
 * clock skips in spring is due right after it; an hour that it repeats in autumn counts twice.
 */
uint64_t cs_clock_until(const cs_cron_t *cron, int64_t wall_ms, bool *ret_due);

#endif
