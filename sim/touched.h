/* touched.h - which paths a user has changed, so that whatever a scan mints is his doing.
 *
 * Kept for each node from one rest point to the next: there all of it has been looked at. A
 * path stands for its family (itself and the siblings that conflicts make of it), what is below
 * it, and the directories above it, which may have come or gone with it. */
#ifndef CS_SIM_TOUCHED_H
#define CS_SIM_TOUCHED_H

#include "base/buf.h"
#include "sim/history.h"

typedef struct cs_touched {
    cs_buf_t paths; /* of families, a NUL behind each */
    bool all;       /* the disk or the database is not what it was: no path tells */
} cs_touched_t;

void cs_touched_fini(cs_touched_t *touched);
void cs_touched_clear(cs_touched_t *touched);
void cs_touched_add(cs_touched_t *touched, const char *path);
/* What an action changes; its paths are those that are meant. Times alone are no change. */
void cs_touched_act(cs_touched_t *touched, const cs_act_t *act);
bool cs_touched_has(const cs_touched_t *touched, cs_slice_t path);
bool cs_touched_names(const cs_touched_t *touched, cs_slice_t path); /* not by `all` */

#endif
