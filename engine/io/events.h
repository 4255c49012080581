/* events.h - what happened on a node, numbered, the newest of it kept.
 *
 * A ring of JSON lines, one an event. Numbers grow by one and go on where they were when the
 * node starts again, so that a listener who comes back asks for what follows the last number he
 * saw: he gets that, or is told that some are gone. Kept are CS_EVENTS_MAX, or fewer if they
 * are long. */
#ifndef CS_IO_EVENTS_H
#define CS_IO_EVENTS_H

#include "io/json_out.h"

#define CS_EVENTS_MAX       4096u
#define CS_EVENTS_BYTES_MAX (1u << 20) /* of their lines: paths have up to 4 KiB */

typedef struct cs_events cs_events_t;
cs_events_t *cs_events_new(uint64_t first_seq); /* the number of the first event, > 0 */
void cs_events_destroy(cs_events_t **events_p);

/* Begins {"seq","time","type"; the caller adds keys and hands it back. */
void cs_events_begin(cs_events_t *events, const char *type, cs_json_t *ret);
void cs_events_add(cs_events_t *events, cs_json_t *event_p); /* ended and freed here */

uint64_t cs_events_next_seq(const cs_events_t *events); /* of the next one that is added */
/* The first event after number `after`; ret_gap: so many before it are gone (they were dropped,
 * or `after` is of another life of the node). False: there is none. ret_line: borrowed until
 * the next event is added. */
bool cs_events_after(const cs_events_t *events, uint64_t after, uint64_t *ret_seq,
                     cs_slice_t *ret_line, uint64_t *ret_gap);

#endif
