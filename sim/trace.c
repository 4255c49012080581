/* trace.c - see trace.h. */
#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

void cs_trace_init(cs_trace_t *trace, FILE *lines)
{
    *trace = (cs_trace_t){.lines = lines};
    trace->hash = aligned_alloc(_Alignof(crypto_generichash_state), sizeof *trace->hash);
    CS_ASSERT(trace->hash != NULL);
    crypto_generichash_init(trace->hash, NULL, 0, CS_HASH_BYTES);
}

static void flush(cs_trace_t *trace)
{
    crypto_generichash_update(trace->hash, (const unsigned char *)trace->pending,
                              trace->len * sizeof trace->pending[0]);
    trace->len = 0;
}

void cs_trace_event(cs_trace_t *trace, uint32_t code, uint64_t now_us, uint64_t a, uint64_t b)
{
    if (trace->len + 4 > CS_COUNT_OF(trace->pending)) flush(trace);
    uint64_t *at = &trace->pending[trace->len];
    at[0] = code;
    at[1] = now_us;
    at[2] = a;
    at[3] = b;
    trace->len += 4;
    trace->events++;
}

void cs_trace_final(cs_trace_t *trace, uint8_t ret[CS_HASH_BYTES])
{
    flush(trace);
    crypto_generichash_final(trace->hash, ret, CS_HASH_BYTES);
}

void cs_trace_fini(cs_trace_t *trace)
{
    free(trace->hash);
    trace->hash = NULL;
}

void cs_trace_line(cs_trace_t *trace, uint64_t now_us, int who, const char *format, ...)
{
    if (trace->lines == NULL) return;
    va_list args;
    fprintf(trace->lines, "%9" PRIu64 ".%03u %c ", now_us / 1000, (unsigned)(now_us % 1000),
            who < 0 ? '-' : 'A' + who);
    va_start(args, format);
    vfprintf(trace->lines, format, args);
    va_end(args);
    fputc('\n', trace->lines);
}
