/* deeds.h - what an apply job is about to do to the tree, so that a watcher knows its events.
 *
 * Each step says what it makes of which names: a name comes (written, moved here, made), or
 * goes. An event that fits is ours, once: a second one like it is a user's. So are new
 * directories on the way to what comes. Where there is no event to count (a file that stood in
 * a directory before that was watched) or several may have become one (changes of mode), what
 * the file looks like decides. Known before the job begins, forgotten when its events were
 * read. */
#ifndef CS_NODE_DEEDS_H
#define CS_NODE_DEEDS_H

#include "disk/apply.h"

CS_HEADER_BEGIN

typedef enum cs_deed { CS_DEED_COME, CS_DEED_GO } cs_deed_t;

typedef struct cs_deeds cs_deeds_t;
/* Of planned steps. Shares no strings with them: it may be used by another thread. */
cs_deeds_t *cs_deeds_new(const cs_steps_t *steps);
void cs_deeds_destroy(cs_deeds_t **deeds_p);

/* deeds may be NULL. True: it is the job's doing, and will not be a second time. */
bool cs_deeds_take(cs_deeds_t *deeds, cs_slice_t path, cs_deed_t what, bool is_dir);
/* The job makes this directory, or one below it. */
bool cs_deeds_leads(const cs_deeds_t *deeds, cs_slice_t path);
typedef struct cs_left {
    bool is_file;     /* else a link, or anything that is no directory */
    uint16_t mode;    /* permission bits */
    int64_t mtime_ns; /* a write changes it: what we write bears the time of another's save */
} cs_left_t;
/* What is there now is what the job leaves, up to bits of the mode that a umask takes away.
 * NULL: nothing is there. A link is never known for ours: looking at it again costs little. */
bool cs_deeds_left(const cs_deeds_t *deeds, cs_slice_t path, const cs_left_t *now);

CS_HEADER_END

#endif
