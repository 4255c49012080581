/* past.h - two nodes with a past, of which node 1 loses some: what must come of it. */
#ifndef CS_TESTS_PAST_H
#define CS_TESTS_PAST_H

#include "support/mishap.h"

/* Files, edits, moves, deletions, all of them known to both. Node 1 does not run then. */
void past_begin(cluster_t *c);
/* What happens while node 1 is down, on both sides. */
void past_edit(cluster_t *c, int round);
/* What was written while it was down is there, shown or as a sibling; nothing came back. */
void past_check(cluster_t *c, int round, const char *what);
/* What is equal is no conflict; removes the siblings that there are. */
void past_siblings(cluster_t *c, const char *what);

#endif
