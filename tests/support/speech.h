/* speech.h - messages of gossip made up by a fuzz input: from an honest peer's truth to
 * nonsense.
 *
 * They go through the codec afterwards, so that they are as odd as a member can make them and
 * no odder. Fields are often what an honest peer would say: true roots, entries, exchange ids.
 */
#ifndef CS_TESTS_SPEECH_H
#define CS_TESTS_SPEECH_H

#include "base/symbols.h"
#include "crdt/replica.h"
#include "proto/frame.h"
#include "support/feed.h"

typedef struct speech {
    cs_reader_t feed;
    cs_replica_t *replica; /* of the node that is spoken to; borrowed */
    const cs_keys_t *keys;
    const char *const *name; /* paths that others know of */
    size_t names;
    const char *own;       /* one that only the node knows of */
    const cs_buf_t *entry; /* encoded ones of others */
    size_t entries;
    const cs_vv_t *seen; /* theirs */
    uint32_t xid, seq;   /* of the newest exchange */
    /* what a message borrows */
    cs_buf_t packed, vector, heard, digests, symbols;
    uint8_t root[CS_HASH_BYTES];
    cs_msg_member_t member;
    cs_msg_report_t report;
    uint8_t key[CS_KEY_BYTES], hash[CS_HASH_BYTES], report_root[CS_HASH_BYTES];
} speech_t;

void speech_fini(speech_t *speech);
/* type: one of gossip's, HELLO to LIST. Valid until the next call. */
void speech_make(speech_t *speech, cs_msg_type_t type, uint8_t how, cs_msg_t *ret);

#endif
