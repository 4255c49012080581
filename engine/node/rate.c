/* rate.c - see rate.h. */
#include "node/rate.h"

bool cs_rate_may(cs_rate_t *rate, uint64_t per_s, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - rate->at_ms;
    uint64_t needed_ms = cs_rate_due(rate, per_s, rate->at_ms) - rate->at_ms;
    if (per_s == 0 || passed_ms >= needed_ms) {
        rate->owed = 0;
        rate->at_ms = now_ms;
        return true;
    }
    uint64_t paid = passed_ms * per_s / 1000; /* less than owed, which no peer makes huge */
    if (paid > 0) {
        rate->owed -= paid;
        rate->at_ms = now_ms;
    }
    return false;
}

void cs_rate_spend(cs_rate_t *rate, uint64_t bytes)
{
    rate->owed += bytes;
}

uint64_t cs_rate_due(const cs_rate_t *rate, uint64_t per_s, uint64_t now_ms)
{
    if (per_s == 0) return now_ms;
    uint64_t due = rate->at_ms + (rate->owed * 1000 + per_s - 1) / per_s;
    return due > now_ms ? due : now_ms;
}
