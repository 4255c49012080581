/* lost.h - contents that are live and that nobody has: the known hole of docs/design.md. */
#ifndef CS_TESTS_LOST_H
#define CS_TESTS_LOST_H

#include "crdt/replica.h"

/* True if all that waits to be shown on `one` is among the families of contents that no base
 * table of `all` lists. Whether a user is owed those bytes is for the caller's oracle to say.
 */
bool test_lacks_only_the_lost(cs_replica_t *const *all, size_t count, cs_replica_t *one);

#endif
