/* recon_limits.h - where one way of finding what differs gives way to another, in a history:
 * small folders must reach partitions and lists, too. */
#ifndef CS_SIM_RECON_LIMITS_H
#define CS_SIM_RECON_LIMITS_H

#include <stdint.h>

struct cs_recon_limits;
/* 0, 3, 6...: those of the product; else small ones. */
const struct cs_recon_limits *cs_sim_recon_limits(uint64_t which);

#endif
