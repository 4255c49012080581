/* lies.c - see lies.h. */
#include "support/lies.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"

cs_buf_t lies_frame(const hostile_t *h, uint8_t version, uint8_t type, const void *body,
                    size_t len)
{
    cs_buf_t frame = {0};
    cs_buf_put_u8(&frame, version);
    cs_buf_put_u8(&frame, type);
    cs_buf_put_u16(&frame, 0);
    cs_buf_put_u64(&frame, 0);
    cs_buf_put(&frame, h->member.keys.tag, CS_TAG_BYTES);
    cs_buf_put(&frame, body, len);
    return frame;
}

void lies_out_of_order(hostile_t *h)
{
    static const uint8_t zeros[CS_HASH_BYTES];
    uint8_t empty = 0;
    cs_msg_snap_t snap = {.present = true, .root = zeros, .seen = cs_slice(&empty, 1)};
    cs_msg_t begin = {.type = CS_MSG_RECON_REQ,
                      .xid = 9,
                      .seq = 1,
                      .flags = CS_FLAG_INITIATOR,
                      .u.recon_req = {.method = CS_RECON_LIST, .snap = snap}};
    cs_msg_t fin = {.type = CS_MSG_FIN, .xid = 9, .seq = 7, .flags = CS_FLAG_INITIATOR};
    cs_msg_t want = {.type = CS_MSG_WANT, .xid = 9, .seq = 2, .flags = CS_FLAG_INITIATOR};
    cs_msg_t list = {.type = CS_MSG_LIST, .xid = 4711, .seq = 3, .u.list = {.last = true}};
    cs_msg_t credit = {.type = CS_MSG_CREDIT, .xid = 77, .seq = 1, .u.credit.up_to = 5};
    want.u.want.packed = cs_slice(zeros, CS_DIGEST_BYTES);
    hostile_say(h, &fin, NULL);
    hostile_say(h, &begin, NULL);
    hostile_say(h, &want, NULL);
    hostile_say(h, &begin, NULL);
    hostile_say(h, &fin, NULL);
    hostile_say(h, &list, NULL);
    hostile_say(h, &credit, NULL);
    if (h->xid == 0) return;
    cs_msg_t gap = {.type = CS_MSG_FIN, .xid = h->xid, .seq = 7};
    hostile_say(h, &gap, NULL);
}

#define BUNDLE 100u

void lies_files(hostile_t *h, unsigned count, uint64_t size)
{
    static char path[BUNDLE][48];
    const char *paths[BUNDLE];
    for (unsigned i = 0; i < count; i += BUNDLE) {
        for (unsigned k = 0; k < BUNDLE; k++) {
            paths[k] = path[k];
            snprintf(path[k], sizeof path[k], "claimed-%u/%u/%u", (unsigned)(size >> 32), k,
                     i + k);
            member_claim(&h->member, path[k], i + k + 1 + size, size);
        }
        hostile_push(h, paths, BUNDLE);
        hostile_run(h, 5); /* a full link would lose some */
    }
}

void lies_numbers(hostile_t *h, const char *path)
{
    cs_buf_t bytes = {0}, packed = {0};
    cs_entry_t entry;
    member_write(&h->member, path, cs_slice_text(path));
    member_entry(h->member.replica, &h->member.keys, path, &bytes);
    cs_entry_init(&entry, &(cs_bucket_t){0});
    if (cs_entry_decode(cs_buf_slice(&bytes), &entry) != CS_OK) abort();
    for (uint32_t i = 0; i < h->others.len; i++) {
        cs_dot_t dot = {cs_vv_slots(&h->others)[i].rid, UINT64_MAX / 2};
        if (cs_vv_raise(&entry.ctx, dot) != CS_OK) abort();
    }
    cs_buf_clear(&bytes);
    cs_entry_encode(&entry, &bytes);
    cs_packed_put(&packed, cs_buf_slice(&bytes));
    cs_msg_t msg = {.type = CS_MSG_ENTRIES, .u.entries.entries = {1, cs_buf_slice(&packed)}};
    hostile_say(h, &msg, NULL);
    cs_entry_fini(&entry);
    cs_buf_fini(&bytes);
    cs_buf_fini(&packed);
}

void lies_histories(hostile_t *h)
{
    static const uint8_t no_members[CS_HASH_BYTES];
    cs_vv_t all = {0};
    cs_buf_t seen = {0};
    for (uint64_t rid = 1; rid <= CS_REPLICAS_MAX; rid++) {
        if (cs_vv_raise(&all, (cs_dot_t){rid << 32, UINT64_MAX / 2}) != CS_OK) abort();
    }
    cs_vv_encode(&all, &seen);
    cs_msg_t hello = {.type = CS_MSG_HELLO,
                      .u.hello = {.rid = 77,
                                  .nonce = 2,
                                  .members_hash = no_members,
                                  .seen = cs_buf_slice(&seen),
                                  .heard = cs_buf_slice(&seen)}};
    hostile_say(h, &hello, NULL);
    cs_vv_fini(&all);
    cs_buf_fini(&seen);
}
