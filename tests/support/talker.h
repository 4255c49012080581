/* talker.h - a small node whose peers say anything: replica, gossip machine, and pieces of
 * truth.
 *
 * It does what a folder does around its gossip machine, and requires what the machine promises:
 * nothing is sent to who is gone, all that is sent can be decoded, no alarm of the store. */
#ifndef CS_TESTS_SUPPORT_TALKER_H
#define CS_TESTS_SUPPORT_TALKER_H

#include "node/gossip.h"
#include "sim/mem_store.h"
#include "support/feed.h"

#define PEERS 2u
#define POOL  6u
#define NAMES 3u

typedef struct talker {
    cs_store_t *store;
    cs_replica_t *replica;
    cs_gossip_t *gossip;
    uint64_t now_ms, next_rid, edits;
    bool up[PEERS + 1], dropped[PEERS + 1], reborn, gives_away;
    uint32_t xid, seq; /* of the newest exchange */
    cs_buf_t frame;    /* scratch */
} talker_t;

/* Of an honest member: entries of NAMES paths, each as it was and as it is later. */
typedef struct talker_pool {
    cs_keys_t keys;
    const char *name[NAMES];
    cs_buf_t entry[POOL];
    cs_vv_t seen;
} talker_pool_t;
const talker_pool_t *talker_pool(void); /* made once */

void talker_begin(talker_t *talker);
void talker_settle(talker_t *talker); /* what the folder does after each call */
void talker_end(talker_t *talker);    /* what was stored opens as the same */
void talker_edit(talker_t *talker, const char *path, bool gone);
void talker_reconnect(talker_t *talker, cs_peer_t peer); /* up if it was down, and back */

#endif
