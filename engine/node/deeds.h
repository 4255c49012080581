/* deeds.h - what an apply job is about to do to the tree, so that a watcher knows its events.
 *
 * Each step says what it makes of which names: a name comes (written, moved here, made), or
 * goes. An event that fits is ours, once: a second one like it is a user's. Changes of mode and
 * time are ours as often as they come while the job runs; so are new directories on the way to
 * what comes. Known before the job begins, and forgotten when all events of it were read. */
#ifndef CS_NODE_DEEDS_H
#define CS_NODE_DEEDS_H

#include "disk/apply.h"

CS_HEADER_BEGIN

typedef enum cs_deed { CS_DEED_COME, CS_DEED_GO, CS_DEED_META } cs_deed_t;

typedef struct cs_deeds cs_deeds_t;
/* Of planned steps. Shares no strings with them: it may be used by another thread. */
cs_deeds_t *cs_deeds_new(const cs_steps_t *steps);
void cs_deeds_destroy(cs_deeds_t **deeds_p);

/* deeds may be NULL. True: it is the job's doing, and will not be a second time. */
bool cs_deeds_take(cs_deeds_t *deeds, cs_slice_t path, cs_deed_t what, bool is_dir);
/* The job touches this name, or one below it. */
bool cs_deeds_has(const cs_deeds_t *deeds, cs_slice_t path);

CS_HEADER_END

#endif
