/* seed.c - seeds from the environment or the kernel. */
#include "support/seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

uint64_t test_seed(const char *name)
{
    uint64_t seed = 1;
    const char *given = getenv("CRDTSYNC_SEED");
    if (given != NULL) {
        seed = strtoull(given, NULL, 0);
    } else if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        seed = 1;
    }
    fprintf(stderr, "%s: CRDTSYNC_SEED=0x%llx\n", name, (unsigned long long)seed);
    return seed;
}
