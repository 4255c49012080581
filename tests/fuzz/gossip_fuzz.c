/* gossip_fuzz.c - a member that says anything, in any order: the gossip machine drops it or
 * goes on, its own assertions hold, and what it stored opens as the same. */
#include "support/speech.h"
#include "support/talker.h"

#define STEPS_MAX 400u

typedef struct run {
    talker_t talker;
    const talker_pool_t *pool;
    speech_t speech;
} run_t;

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

static void say(run_t *run, uint8_t type)
{
    cs_msg_t msg;
    uint8_t how = cs_read_u8(&run->speech.feed);
    cs_peer_t peer = 1 + how % PEERS;
    if (!run->talker.up[peer]) return;
    run->speech.xid = run->talker.xid;
    run->speech.seq = run->talker.seq;
    speech_make(&run->speech, (cs_msg_type_t)(CS_MSG_HELLO + type % (CS_MSG_LIST - 1)), how,
                &msg);
    run->talker.xid = run->speech.xid;
    run->talker.seq = run->speech.seq;
    deliver(run, peer, &msg);
}

static void step(run_t *run)
{
    uint8_t what = cs_read_u8(&run->speech.feed);
    if (what >= 32) {
        say(run, what);
    } else if (what % 4 == 0) {
        run->talker.now_ms += UINT64_C(10) * cs_read_u16(&run->speech.feed);
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
    run_t run = {.pool = talker_pool()};
    talker_begin(&run.talker);
    run.speech = (speech_t){.feed = cs_reader(cs_slice(data, size)),
                            .replica = run.talker.replica,
                            .keys = &run.pool->keys,
                            .name = run.pool->name,
                            .names = NAMES,
                            .own = "mine",
                            .entry = run.pool->entry,
                            .entries = POOL,
                            .seen = &run.pool->seen};
    talker_settle(&run.talker);
    for (unsigned i = 0; i < STEPS_MAX && cs_reader_left(&run.speech.feed) > 0; i++)
        step(&run);
    talker_end(&run.talker);
    speech_fini(&run.speech);
    return 0;
}
