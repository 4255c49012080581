/* gossip_budget_test.c - who has another node read all its rows again and again waits for it,
 * and the others do not. */
#include <criterion/criterion.h>

#include "node/gossip_internal.h"
#include "support/gossip_pair.h"

TestSuite(gossip_budget, .init = gp_init, .fini = gp_fini);

#define FILES 1000u

static const uint8_t zeros[CS_HASH_BYTES];
static const uint8_t no_seen[1];
static uint32_t xid;

static void say(uint32_t seq, cs_msg_t msg)
{
    msg.xid = xid;
    msg.seq = seq;
    msg.flags = CS_FLAG_INITIATOR;
    gp_say(msg);
}

static void ask(uint32_t seq, uint32_t method)
{
    cs_msg_t msg = {.type = CS_MSG_RECON_REQ, .u.recon_req = {.method = method}};
    if (seq == 1) {
        msg.u.recon_req.snap =
            (cs_msg_snap_t){.present = true, .root = zeros, .seen = {no_seen, 1}};
    }
    say(seq, msg);
}

static void begin(void)
{
    gn_node_create(gp.b, FILES);
    gn_node_flush(gp.b);
    gp_connect();
    while (gp_deliver(0)) {
    }
}

/* Drops what b has sent. Was the exchange refused? */
static bool refused(void)
{
    bool ret = false;
    gn_frames_t *link = &gp.world->links[1][0];
    while (link->len > 0) {
        gn_frame_t *frame = gn_frames_take(link, 0);
        cs_msg_t msg = {0};
        cr_assert_eq(cs_msg_decode(&msg, cs_buf_slice(&frame->bytes), cs_slice(NULL, 0)),
                     CS_OK);
        bool fin = msg.type == CS_MSG_FIN && msg.xid == xid;
        ret = ret || (fin && msg.u.fin.status == CS_FIN_REFUSED);
        cs_msg_fini(&msg);
        gn_frame_free(&frame);
    }
    return ret;
}

/* All symbols three times: the kept ones, and twice made of the rows. */
static bool compare_thrice(void)
{
    xid++;
    for (uint32_t seq = 1; seq <= 3; seq++)
        ask(seq, CS_RECON_SYMBOLS);
    return !refused();
}

Test(gossip_budget, who_asks_again_and_again_has_to_wait)
{
    begin();
    uint64_t most = CS__ROWS_TIMES * FILES + CS__ROWS_FREE;
    for (uint64_t rows = 0; rows <= most; rows += 2 * (uint64_t)FILES)
        cr_assert(compare_thrice(), "%llu rows", (unsigned long long)rows);
    cr_assert_not(compare_thrice(), "one past the limit");
    cr_assert_eq(gp.world->drops, 0, "it may be honest");
    gp.world->now_ms += 1000 * 2 * FILES / CS__ROWS_PER_S + 1;
    cr_assert(compare_thrice(), "what it owed has gone down");
    cr_assert_not(compare_thrice());
}

static void list(uint32_t seq)
{
    if (seq == 1) {
        ask(seq, CS_RECON_LIST);
    } else {
        say(seq, (cs_msg_t){.type = CS_MSG_LIST_REQ});
    }
}

Test(gossip_budget, one_exchange_reads_each_row_a_few_times)
{
    begin();
    xid++;
    uint64_t most = CS__ROWS_TIMES_EXCHANGE * FILES + CS__ROWS_FREE;
    uint32_t seq = 0;
    for (uint64_t rows = FILES; rows <= most; rows += FILES)
        list(++seq);
    cr_assert_eq(gp.world->drops, 0, "at the limit");
    list(++seq);
    cr_assert_eq(gp.world->drops, 1, "one past it");
    (void)refused();
}

Test(gossip_budget, what_is_wanted_counts_as_well)
{
    begin();
    static uint8_t digests[CS_WANT_MAX * CS_DIGEST_BYTES];
    cs_msg_t want = {.type = CS_MSG_WANT, .u.want.packed = {digests, sizeof digests}};
    xid++;
    ask(1, CS_RECON_SYMBOLS);
    uint64_t most = CS__ROWS_TIMES_EXCHANGE * FILES + CS__ROWS_FREE;
    uint32_t seq = 1;
    for (uint64_t rows = CS_WANT_MAX; rows <= most; rows += CS_WANT_MAX)
        say(++seq, want);
    cr_assert_eq(gp.world->drops, 0);
    say(++seq, want);
    cr_assert_eq(gp.world->drops, 1);
    (void)refused();
}
