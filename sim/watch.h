/* watch.h - somebody looks on while a history runs: to count, or to draw it.
 *
 * What he is told changes nothing: a run that is watched has the trace of one that is not. */
#ifndef CS_SIM_WATCH_H
#define CS_SIM_WATCH_H

#include "base/base.h"

typedef enum cs_sight_kind {
    CS_SIGHT_FRAME, /* from `peer` to `node`: arrived; of a stray one `odd` */
    CS_SIGHT_LOST,  /* the same: never arrives */
    CS_SIGHT_STATE, /* root of the node is another one, or its phase; not idle: `odd`.
                     * number: messages in the longest chain up to it, each of which changed a
                     * state */
    CS_SIGHT_UP,    /* a connection from `node` to `peer` */
    CS_SIGHT_DOWN,  /* it ended */
    CS_SIGHT_BLOCK, /* none between `node` and `peer` before then_us */
    CS_SIGHT_START, /* of the node's process */
    CS_SIGHT_STOP,  /* cleanly */
    CS_SIGHT_KILL,  /* not; with a power cut: `odd` */
    CS_SIGHT_ACT,   /* `number`: place in the history */
    CS_SIGHT_REST
} cs_sight_kind_t;

typedef struct cs_sight {
    cs_sight_kind_t kind;
    unsigned node, peer; /* indexes */
    uint64_t now_us;
    uint64_t then_us; /* FRAME, LOST: when it was sent */
    unsigned type;    /* of a frame: cs_msg_type_t */
    uint64_t bytes;   /* of a frame */
    uint64_t number;
    const uint8_t *root; /* of a state: 32 bytes, borrowed */
    bool odd;
} cs_sight_t;

typedef struct cs_sim_watch {
    void *arg;
    void (*see)(void *arg, const cs_sight_t *sight); /* NULL: nobody looks */
} cs_sim_watch_t;

#endif
