/* limits.h - where one way of finding what differs gives way to another, in a history: small
 * folders must reach partitions and lists, too. */
#ifndef CS_TESTS_SUPPORT_LIMITS_H
#define CS_TESTS_SUPPORT_LIMITS_H

#include <stdint.h>

struct cs_recon_limits;
/* Those of the product for one seed of three. */
const struct cs_recon_limits *seed_limits(uint64_t seed);

#endif
