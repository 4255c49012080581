/* outbox.c - a queue in an array, moved down when its empty part outgrows the rest. */
#include "node/outbox.h"

#include <string.h>

#include "base/mem.h"

void cs_outbox_fini(cs_outbox_t *outbox)
{
    for (size_t i = outbox->first; i < outbox->len; i++) {
        cs_buf_fini(&outbox->item[i].bytes);
    }
    cs_free(outbox->item);
    *outbox = (cs_outbox_t){0};
}

void cs_outbox_push(cs_outbox_t *outbox, cs_peer_t peer, bool exposes, cs_buf_t *bytes)
{
    if (outbox->len == outbox->cap && outbox->first > outbox->cap / 2) {
        outbox->len -= outbox->first;
        memmove(outbox->item, outbox->item + outbox->first, outbox->len * sizeof *outbox->item);
        outbox->first = 0;
    }
    if (outbox->len == outbox->cap) {
        outbox->cap = cs_grow(outbox->cap, outbox->len + 1);
        outbox->item = cs_realloc_array(outbox->item, outbox->cap, sizeof *outbox->item);
    }
    outbox->item[outbox->len++] = (cs_outbox_item_t){
        .peer = peer, .wait = UINT64_MAX, .exposes = exposes, .bytes = *bytes};
    *bytes = (cs_buf_t){0};
}

/* Unstaged messages are the tail of the queue. */
bool cs_outbox_wants_exposure(const cs_outbox_t *outbox)
{
    for (size_t i = outbox->len; i > outbox->first && outbox->item[i - 1].wait == UINT64_MAX;
         i--) {
        if (outbox->item[i - 1].exposes) return true;
    }
    return false;
}

void cs_outbox_stage(cs_outbox_t *outbox, uint64_t stage)
{
    for (size_t i = outbox->len; i > outbox->first && outbox->item[i - 1].wait == UINT64_MAX;
         i--) {
        outbox->item[i - 1].wait = stage;
    }
}

bool cs_outbox_pop(cs_outbox_t *outbox, uint64_t durable, cs_peer_t *ret_peer,
                   cs_buf_t *ret_bytes)
{
    if (outbox->first == outbox->len || outbox->item[outbox->first].wait > durable) {
        return false;
    }
    cs_outbox_item_t *item = &outbox->item[outbox->first++];
    *ret_peer = item->peer;
    *ret_bytes = item->bytes;
    if (outbox->first == outbox->len) outbox->first = outbox->len = 0;
    return true;
}

void cs_outbox_forget(cs_outbox_t *outbox, cs_peer_t peer)
{
    size_t kept = outbox->first;
    for (size_t i = outbox->first; i < outbox->len; i++) {
        if (outbox->item[i].peer == peer) {
            cs_buf_fini(&outbox->item[i].bytes);
        } else {
            outbox->item[kept++] = outbox->item[i];
        }
    }
    outbox->len = kept;
}
