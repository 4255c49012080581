/* trace.h - what happened, as a hash, and as lines for whoever wants to read it.
 *
 * Each event is a record of numbers: two runs of one seed are the same if their hashes are.
 * Times of files are in no record, so that wall clocks do not show (core.md 12). Lines are only
 * made when somebody reads them. */
#ifndef CS_SIM_TRACE_H
#define CS_SIM_TRACE_H

#include <sodium.h>
#include <stdio.h>

#include "base/digest.h"

typedef struct cs_trace {
    crypto_generichash_state *hash; /* owned; it wants to lie where malloc does not put it */
    uint64_t pending[64];           /* numbers not hashed yet */
    uint32_t len;
    uint64_t events;
    FILE *lines; /* borrowed; NULL: none */
} cs_trace_t;

void cs_trace_init(cs_trace_t *trace, FILE *lines);
void cs_trace_event(cs_trace_t *trace, uint32_t code, uint64_t now_us, uint64_t a, uint64_t b);
void cs_trace_final(cs_trace_t *trace, uint8_t ret[CS_HASH_BYTES]); /* once */
void cs_trace_fini(cs_trace_t *trace);

/* A line at a time; `who`: a node's index, or negative. */
void cs_trace_line(cs_trace_t *trace, uint64_t now_us, int who, const char *format, ...)
    CS_PRINTF(4, 5);

#endif
