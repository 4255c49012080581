/* shrink.h - a short history that still fails, out of a long one.
 *
 * Delta debugging (Zeller, Hildebrandt: Simplifying and isolating failure-inducing input, 2002)
 * over actions, then nodes, then faults and other options, then what is left of each action. As
 * every decision is drawn for itself (draw.h), what remains goes on much as before. */
#ifndef CS_SIM_SHRINK_H
#define CS_SIM_SHRINK_H

#include "sim/history.h"

typedef struct cs_shrink {
    void *arg;
    bool (*fails)(void *arg, const cs_history_t *history);   /* in the way that is looked for */
    void (*shorter)(void *arg, const cs_history_t *history); /* progress; may be NULL */
    uint32_t tries_max;                                      /* runs of `fails` */
    uint32_t tries;                                          /* out */
} cs_shrink_t;

/* from: fails. ret (zero): fails, too, and no single action of it can be left out, unless the
 * tries ran out. */
void cs_shrink_history(cs_shrink_t *shrink, const cs_history_t *from, cs_history_t *ret);

#endif
