/* draw.h - decisions of a simulated history, each for itself.
 *
 * A decision is a hash of the seed and of what is decided (which message on which link, which
 * slice of which job), not the next number of a stream. So leaving one action out of a history
 * changes little about the others, which is what shrinking needs (core.md 12). */
#ifndef CS_SIM_DRAW_H
#define CS_SIM_DRAW_H

#include "base/prng.h"

typedef enum cs_draw_stream {
    CS_DRAW_OPTIONS,
    CS_DRAW_ACTION,
    CS_DRAW_LATENCY, /* of a message: link and end, number of the message */
    CS_DRAW_FRAME,   /* what happens to it */
    CS_DRAW_RECONNECT,
    CS_DRAW_STORE, /* time of a batch: node, number of the batch */
    CS_DRAW_SLICE, /* of a job: node and job, number of the slice */
    CS_DRAW_LIFE,  /* what a life begins with: node, life */
    CS_DRAW_STEP,  /* the random number that each event carries: node, number of the event */
    CS_DRAW_CRASH,
    CS_DRAW_CALL, /* a failing call: node, number of the call */
    CS_DRAW_USER,
    CS_DRAW_NEIGHBOUR, /* of a node: which try */
    CS_DRAW_SCALE,
    CS_DRAW_NOTICE /* of a watcher: node, number of the draw */
} cs_draw_stream_t;

/* 64 bits that depend on nothing else. */
uint64_t cs_draw(uint64_t seed, cs_draw_stream_t stream, uint64_t a, uint64_t b);
/* In 0..bound-1; bound > 0. */
uint64_t cs_draw_below(uint64_t seed, cs_draw_stream_t stream, uint64_t a, uint64_t b,
                       uint64_t bound);

#endif
