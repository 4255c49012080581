/* stories.h - what scan and apply have to do at site 0 of a duet: each kind of step, scans
 * whole and partial, the trash, a start. */
#ifndef CS_TESTS_STORIES_H
#define CS_TESTS_STORIES_H

#include "support/duet.h"

typedef struct story {
    const char *name;
    void (*before)(duet_t *duet); /* the folder here, then at rest on both sites */
    void (*there)(duet_t *duet);  /* what the other user does; known here, not yet on disk */
    void (*here)(duet_t *duet);   /* what the user here did, which no scan has seen; or NULL */
    void (*work)(duet_t *duet);   /* the engine at work, while something happens */
    const char *paths[5];         /* where */
} story_t;

extern const story_t stories[];
extern const size_t story_count;

/* Everything before `work`. */
void story_begin(const story_t *story, duet_t *duet);

#endif
