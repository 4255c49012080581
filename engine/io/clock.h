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
 * ask again, as the wall clock may have been set meanwhile. As cron(8) does: what falls into an
 * hour that the clock skips in spring is due right after it; in an hour that it repeats in
 * autumn only schedules whose field of minutes or of hours begins with '*' are due once more.
 */
uint64_t cs_clock_until(const cs_cron_t *cron, int64_t wall_ms, bool *ret_due);
/* Was it due after from_ms, and not later than now_ms? Not for @every. Of more than
 * CS_CLOCK_BACK_MS only the last part is looked at. */
#define CS_CLOCK_BACK_MS (INT64_C(8) * 24 * 3600 * 1000)
bool cs_clock_was_due(const cs_cron_t *cron, int64_t from_ms, int64_t now_ms);
/* When it is due next; 0: not within CS_CLOCK_AHEAD_MS. Not for @every. */
#define CS_CLOCK_AHEAD_MS (INT64_C(32) * 24 * 3600 * 1000)
int64_t cs_clock_next_ms(const cs_cron_t *cron, int64_t now_ms);
/* The last minute of the schedule up to wall_s, as a number that is greater for a later one
 * (local time); false: none within 400 days. Not for @every. */
bool cs_clock_last(const cs_cron_t *cron, int64_t wall_s, uint64_t *ret);

#endif
