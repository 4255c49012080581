/* tales.h - small folders with steps: each kind of step, and those that get in each other's
 * way. */
#ifndef CS_TESTS_TALES_H
#define CS_TESTS_TALES_H

#include "support/scene.h"

typedef struct tale {
    const char *name;
    void (*build)(scene_t *scene);
    const char *paths[4]; /* where the user acts */
} tale_t;

extern const tale_t tales[];
extern const size_t tale_count;

/* What the file system lacks. */
typedef enum lack { NOTHING, EXCHANGE, LINKS } lack_t;
void tale_take_away(scene_t *scene, lack_t lack);
/* Calls that a run makes if nothing happens; every step must do its work then. */
size_t tale_count_calls(const tale_t *tale, lack_t lack);

#endif
