/* outbox.h - messages that wait until what they speak of is durable (core.md 6.5).
 *
 * In order. A message queued while changes are not yet staged waits for the next stage; then
 * for that stage to become durable. HELLO exposes no number of ours, every other message may.
 */
#ifndef CS_NODE_OUTBOX_H
#define CS_NODE_OUTBOX_H

#include "xfer/fetch.h" /* cs_peer_t */

typedef struct cs_outbox_item {
    cs_peer_t peer;
    uint64_t wait; /* stage; UINT64_MAX: not staged yet */
    bool exposes;
    cs_buf_t bytes; /* owned: an encoded message */
} cs_outbox_item_t;

typedef struct cs_outbox {
    cs_outbox_item_t *item; /* a queue: [first, len) */
    size_t first, len, cap;
} cs_outbox_t;

void cs_outbox_fini(cs_outbox_t *outbox);
/* bytes are taken. */
void cs_outbox_push(cs_outbox_t *outbox, cs_peer_t peer, bool exposes, cs_buf_t *bytes);
bool cs_outbox_wants_exposure(const cs_outbox_t *outbox);  /* an unstaged message exposes */
void cs_outbox_stage(cs_outbox_t *outbox, uint64_t stage); /* unstaged ones wait for `stage` */
/* The next message whose stage is <= durable, its bytes given away; false: none. */
bool cs_outbox_pop(cs_outbox_t *outbox, uint64_t durable, cs_peer_t *ret_peer,
                   cs_buf_t *ret_bytes);
void cs_outbox_forget(cs_outbox_t *outbox, cs_peer_t peer); /* it is gone: its messages too */

#endif
