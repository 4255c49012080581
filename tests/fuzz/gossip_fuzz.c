/* gossip_fuzz.c - a member that says anything, in any order: the gossip machine drops it or
 * goes on, its own assertions hold, and what it stored opens as the same.
 *
 * Messages go through the codec, so that they are as odd as a member can make them and no
 * odder. Fields are often what an honest peer would say: true roots, entries, exchange ids. */
#include <string.h>

#include "base/mem.h"
#include "support/talker.h"

#define STEPS_MAX 400u

typedef struct run {
    cs_reader_t feed;
    talker_t talker;
    const talker_pool_t *pool;
    cs_buf_t packed, seen, digests; /* what a message borrows */
    uint8_t root[CS_HASH_BYTES];
} run_t;

/* --- parts of messages */

static cs_slice_t seen_of(run_t *run)
{
    cs_vv_t vv = {0};
    cs_err_t err = CS_OK;
    uint8_t how = cs_read_u8(&run->feed);
    cs_buf_clear(&run->seen);
    if (how % 4 == 0) return feed_bytes(&run->feed);
    if (how % 2 == 0) cs_vv_copy(&vv, &cs_replica_state(run->talker.replica)->seen);
    if (how % 4 != 2) err = cs_vv_merge(&vv, &run->pool->seen);
    if (how >= 128 && err == CS_OK) {
        uint64_t rid = 1 + cs_read_u8(&run->feed), ctr = 1 + cs_read_u8(&run->feed);
        err = cs_vv_raise(&vv, (cs_dot_t){rid, ctr == 256 ? UINT64_MAX : ctr});
    }
    if (err == CS_OK) cs_vv_encode(&vv, &run->seen);
    cs_vv_fini(&vv);
    return cs_buf_slice(&run->seen);
}

static const uint8_t *root_of(run_t *run, uint64_t *ret_n)
{
    const cs_state_t *state = cs_replica_state(run->talker.replica);
    uint8_t how = cs_read_u8(&run->feed);
    memset(run->root, how < 128 ? 0 : how, sizeof run->root);
    if (how % 4 == 1) memcpy(run->root, state->root, sizeof run->root);
    *ret_n = how % 4 == 1 ? state->n : how % 3 == 0 ? 0 : cs_read_u32(&run->feed);
    return run->root;
}

/* Entries of the pool, of this replica, and of the input. */
static cs_msg_entries_t entries_of(run_t *run)
{
    uint32_t count = cs_read_u8(&run->feed) % 8;
    cs_buf_t own = {0};
    cs_buf_clear(&run->packed);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t which = cs_read_u8(&run->feed);
        cs_slice_t entry;
        if (which % 4 == 0) {
            entry = feed_bytes(&run->feed);
        } else if (which % 4 == 1) {
            talker_entry(&run->talker, run->pool->name[which % NAMES], &own);
            entry = cs_buf_slice(&own);
        } else {
            entry = cs_buf_slice(&run->pool->entry[which % POOL]);
        }
        cs_packed_put(&run->packed, entry);
    }
    cs_buf_fini(&own);
    return (cs_msg_entries_t){count, cs_buf_slice(&run->packed)};
}

static void digest_of(const cs_keys_t *keys, cs_slice_t bytes, uint8_t ret[CS_DIGEST_BYTES])
{
    cs_entry_t entry = {0};
    cs_entry_digest_t digest = {{0}, {0}};
    if (cs_entry_decode(bytes, &entry) == CS_OK) cs_entry_hash(keys, &entry, &digest);
    memcpy(ret, digest.item, CS_DIGEST_BYTES);
    cs_entry_fini(&entry);
}

static int digest_order(const void *a, const void *b)
{
    return memcmp(a, b, CS_DIGEST_BYTES);
}

/* Mostly in order, as lists have to be. */
static cs_msg_packed_t digests_of(run_t *run, uint32_t max)
{
    uint8_t how = cs_read_u8(&run->feed);
    uint32_t count = how % (max + 1);
    cs_buf_t own = {0};
    cs_buf_clear(&run->digests);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t which = cs_read_u8(&run->feed), digest[CS_DIGEST_BYTES];
        memset(digest, which, sizeof digest);
        if (which % 4 == 1) {
            talker_entry(&run->talker, which < 128 ? "mine" : run->pool->name[0], &own);
            digest_of(&run->pool->keys, cs_buf_slice(&own), digest);
        } else if (which % 4 != 0) {
            digest_of(&run->pool->keys, cs_buf_slice(&run->pool->entry[which % POOL]), digest);
        }
        cs_buf_put(&run->digests, digest, sizeof digest);
    }
    if (how < 200 && count > 1) {
        qsort(run->digests.data, count, CS_DIGEST_BYTES, digest_order);
    }
    cs_buf_fini(&own);
    return (cs_msg_packed_t){cs_buf_slice(&run->digests)};
}

static cs_msg_snap_t snap_of(run_t *run)
{
    cs_msg_snap_t snap = {.present = cs_read_u8(&run->feed) % 2 == 1};
    if (!snap.present) return snap;
    snap.root = root_of(run, &snap.n);
    snap.seen = seen_of(run);
    return snap;
}

/* --- messages */

static void fill_hello(run_t *run, cs_msg_hello_t *hello, cs_msg_member_t *member)
{
    static uint8_t key[CS_KEY_BYTES];
    uint64_t n;
    hello->rid = cs_read_u8(&run->feed);
    hello->nonce = cs_read_u8(&run->feed);
    hello->caps = CS_CAP_LIST;
    hello->answer = cs_read_u8(&run->feed) % 2 == 1;
    hello->members_hash = root_of(run, &n);
    hello->seen = seen_of(run);
    key[0] = cs_read_u8(&run->feed);
    *member = (cs_msg_member_t){.key = key, .name = cs_slice_text("x"), .rid = key[0]};
    hello->members = (cs_msg_members_t){member, key[0] % 2};
}

static void fill_have(run_t *run, cs_msg_have_t *have, cs_msg_report_t *report)
{
    static uint8_t hash[CS_HASH_BYTES], key[CS_KEY_BYTES], root[CS_HASH_BYTES];
    have->root = root_of(run, &have->n);
    have->delta = seen_of(run);
    memset(hash, 0, sizeof hash);
    if (cs_read_u8(&run->feed) % 2 == 1) {
        cs_hash(hash, 16, run->pool->keys.item, sizeof run->pool->keys.item, &have->delta, 1);
    }
    have->seen_hash = hash;
    have->stamp = cs_read_u8(&run->feed);
    have->applied = have->stamp % 2 == 1;
    key[0] = cs_read_u8(&run->feed) % 8;
    *report = (cs_msg_report_t){.key = key, .root = root, .stamp = have->stamp, .n = key[0]};
    have->reports = report;
    have->report_count = have->stamp % 3 == 0 ? 1 : 0;
}

static void fill_exchange(run_t *run, cs_msg_t *msg)
{
    switch ((unsigned)msg->type) {
    case CS_MSG_RECON_REQ:
        msg->u.recon_req.method = cs_read_u8(&run->feed) % 4;
        msg->u.recon_req.snap = snap_of(run);
        break;
    case CS_MSG_CREDIT:
        msg->u.credit.up_to = cs_read_u8(&run->feed);
        msg->u.credit.stop = cs_read_u8(&run->feed) % 4 == 0;
        break;
    case CS_MSG_SYMS:
        msg->u.syms = (cs_msg_syms_t){.symbols = feed_bytes(&run->feed), .snap = snap_of(run)};
        break;
    case CS_MSG_WANT:
    case CS_MSG_GONE:
        msg->u.want = digests_of(run, 8);
        break;
    case CS_MSG_LIST_REQ:
        msg->u.list_req = digests_of(run, 1);
        break;
    case CS_MSG_FIN:
        msg->u.fin.status = cs_read_u8(&run->feed) % 4;
        break;
    case CS_MSG_LIST:
        msg->u.list.last = cs_read_u8(&run->feed) % 4 != 0;
        msg->u.list.snap = snap_of(run);
        msg->u.list.digests = digests_of(run, 8).packed;
        break;
    case CS_MSG_PUSH:
    case CS_MSG_PUSH_REPLY:
        msg->u.push = entries_of(run);
        break;
    case CS_MSG_ENTRIES:
        msg->u.entries.hops = cs_read_u8(&run->feed) % 8;
        msg->u.entries.last = cs_read_u8(&run->feed) % 2 == 1;
        msg->u.entries.snap = snap_of(run);
        msg->u.entries.entries = entries_of(run);
        break;
    }
}

static void deliver(run_t *run, cs_peer_t peer, const cs_msg_t *msg)
{
    cs_buf_t frame = {0};
    cs_msg_t received = {0};
    cs_msg_encode(msg, &frame);
    cs_err_t err = cs_msg_decode(&received, cs_buf_slice(&frame), cs_slice(NULL, 0));
    if (err == CS_OK)
        cs_gossip_message(run->talker.gossip, peer, &received, run->talker.now_ms);
    cs_msg_fini(&received);
    cs_buf_fini(&frame);
}

/* One of a type that is gossip's: HELLO to LIST. */
static void say(run_t *run, uint8_t type)
{
    cs_msg_t msg = {.type = (cs_msg_type_t)(CS_MSG_HELLO + type % (CS_MSG_LIST - 1))};
    cs_msg_member_t member;
    cs_msg_report_t report;
    uint8_t how = cs_read_u8(&run->feed);
    cs_peer_t peer = 1 + how % PEERS;
    if (!run->talker.up[peer]) return;
    memcpy(msg.tag, run->pool->keys.tag, sizeof msg.tag);
    if (msg.type == CS_MSG_HELLO) {
        fill_hello(run, &msg.u.hello, &member);
    } else if (msg.type == CS_MSG_HAVE) {
        fill_have(run, &msg.u.have, &report);
    } else {
        fill_exchange(run, &msg);
        if ((how & 2) != 0) msg.flags = CS_FLAG_INITIATOR;
        if ((how & 4) != 0 && msg.type != CS_MSG_ENTRIES) {
            run->talker.xid = 7;
            run->talker.seq = 0;
        }
        msg.xid = (how & 8) != 0 ? 0 : run->talker.xid;
        msg.seq = (how & 16) != 0 ? cs_read_u8(&run->feed) : ++run->talker.seq;
    }
    deliver(run, peer, &msg);
}

static void step(run_t *run)
{
    uint8_t what = cs_read_u8(&run->feed);
    if (what >= 32) {
        say(run, what);
    } else if (what % 4 == 0) {
        run->talker.now_ms += UINT64_C(10) * cs_read_u16(&run->feed);
    } else if (what % 4 == 1) {
        const char *path = run->pool->name[what % NAMES];
        talker_edit(&run->talker, path, what >= 16);
    } else if (what % 4 == 2) {
        talker_reconnect(&run->talker, 1 + what / 4 % PEERS);
    } else {
        cs_gossip_set_applied(run->talker.gossip, what >= 16, run->talker.now_ms);
        if (cs_gossip_is_paused(run->talker.gossip))
            cs_gossip_resume(run->talker.gossip, run->talker.now_ms);
    }
    talker_settle(&run->talker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_t run = {.feed = cs_reader(cs_slice(data, size)), .pool = talker_pool()};
    talker_begin(&run.talker);
    talker_settle(&run.talker);
    for (unsigned i = 0; i < STEPS_MAX && cs_reader_left(&run.feed) > 0; i++)
        step(&run);
    talker_end(&run.talker);
    cs_buf_fini(&run.packed);
    cs_buf_fini(&run.seen);
    cs_buf_fini(&run.digests);
    return 0;
}
