/* recon_limits.c - see recon_limits.h. */
#include "sim/recon_limits.h"

#include "recon/recon.h"

static const cs_recon_limits_t least = {.symbols_max = 2,
                                        .symbols_min = 1,
                                        .symbols_first = 1,
                                        .sample_bits = 1,
                                        .part_differences = 1,
                                        .list_percent = 1000};
static const cs_recon_limits_t few = {.symbols_max = 8,
                                      .symbols_min = 4,
                                      .symbols_first = 2,
                                      .sample_bits = 2,
                                      .part_differences = 2,
                                      .list_percent = 100};
/* All symbols that any difference may need, at once. */
static const cs_recon_limits_t most = {.symbols_max = 4096,
                                       .symbols_min = 1024,
                                       .symbols_first = 1024,
                                       .sample_bits = 8,
                                       .part_differences = 8192,
                                       .list_percent = 1000};

const struct cs_recon_limits *cs_sim_recon_limits(uint64_t which)
{
    static const cs_recon_limits_t *const limits[] = {&cs_recon_defaults, &least, &few, &most};
    return limits[which % CS_COUNT_OF(limits)];
}
