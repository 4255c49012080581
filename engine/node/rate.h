/* rate.h - so many bytes a second, on average. A machine without a clock.
 *
 * What is sent or asked for is owed, and worked off at the rate in force; while something is
 * owed nothing more may follow. So one piece may be larger than what a second holds, a change
 * of the rate counts at once, and time without traffic is not saved up. */
#ifndef CS_NODE_RATE_H
#define CS_NODE_RATE_H

#include "base/base.h"

typedef struct cs_rate {
    uint64_t owed;  /* bytes */
    uint64_t at_ms; /* as of */
} cs_rate_t;

typedef enum cs_way { CS_UP, CS_DOWN, CS_WAYS } cs_way_t;

/* Bytes a second, of content: files and what lists their chunks. 0: no limit. */
typedef struct cs_limits {
    uint64_t all[CS_WAYS];  /* of all peers together */
    uint64_t each[CS_WAYS]; /* of each */
} cs_limits_t;

/* per_s: in force since at_ms; 0: without limit. */
bool cs_rate_may(cs_rate_t *rate, uint64_t per_s, uint64_t now_ms);
void cs_rate_spend(cs_rate_t *rate, uint64_t bytes);
/* When it may again; now_ms: at once. */
uint64_t cs_rate_due(const cs_rate_t *rate, uint64_t per_s, uint64_t now_ms);

#endif
