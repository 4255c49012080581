/* seed.h - where a random test starts: printed, so that a failure can be run again. */
#ifndef CS_TESTS_SUPPORT_SEED_H
#define CS_TESTS_SUPPORT_SEED_H

#include <stdint.h>

/* CRDTSYNC_SEED if set, else new each time; printed to stderr with the name. */
uint64_t test_seed(const char *name);

#endif
