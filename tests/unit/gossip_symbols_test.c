/* gossip_symbols_test.c - exchanges by symbols: what is said when, and to whom it is not. */
#include <criterion/criterion.h>
#include <string.h>

#include "recon/recon.h"
#include "support/gossip_pair.h"

TestSuite(gossip_symbols, .init = gp_init, .fini = gp_fini);

/* --- two honest nodes */

static void differ_a_little(void)
{
    gn_node_create(gp.a, 3000);
    gp_connect();
    gp_pass(3000);
    cr_assert(gp_equal_roots());
    gp.heard_count = 0;
    gn_node_create(gp.a, 4);
    gn_node_create(gp.b, 3);
}

Test(gossip_symbols, a_few_differences_are_found_without_a_list)
{
    differ_a_little();
    gp_pass(10000);
    cr_assert(gp_equal_roots());
    cr_assert_geq(gp_heard_count(CS_MSG_SYMS), 1);
    cr_assert_leq(gp_heard_count(CS_MSG_SYMS), 3, "16, 32 and 64 symbols for 7 entries");
    cr_assert_eq(gp_heard_count(CS_MSG_LIST), 0);
}

/* What both ends tell of one exchange fits together, and what of it was said fits what is told.
 */
Test(gossip_symbols, an_exchange_is_accounted_for)
{
    gn_node_create(gp.a, 3000);
    gp_connect();
    gp_pass(3000);
    unsigned before = gp.a->exchanges;
    cs_gossip_peer_down(gp.a->gossip, 2);
    cs_gossip_peer_down(gp.b->gossip, 1);
    gn_node_create(gp.a, 4);
    gn_node_create(gp.b, 3);
    gp_connect();
    gp_pass(10000);
    cr_assert(gp_equal_roots());
    cr_assert_eq(gp.a->exchanges, before + 1);
    const gn_node_t *asks = gp.a->exchange.init ? gp.a : gp.b;
    const gn_node_t *tells = asks == gp.a ? gp.b : gp.a;
    const cs_exchange_facts_t *one = &asks->exchange, *other = &tells->exchange;
    cr_assert(asks->exchange_end == CS_EXCHANGE_DONE &&
              tells->exchange_end == CS_EXCHANGE_DONE);
    cr_assert(one->init && !other->init);
    cr_assert(one->differences == 7 && one->found_all);
    cr_assert(one->entries_in + one->entries_out == 7, "%llu in, %llu out",
              (unsigned long long)one->entries_in, (unsigned long long)one->entries_out);
    cr_assert(one->entries_in == other->entries_out && one->entries_out == other->entries_in);
    cr_assert(one->bytes_in == other->bytes_out && one->bytes_out == other->bytes_in);
    cr_assert(one->bytes_in > 0 && one->symbols == other->symbols && one->symbols >= 7);
    cr_assert(one->trips >= 2 && one->trips <= 4, "%llu", (unsigned long long)one->trips);
}

Test(gossip_symbols, more_than_symbols_are_good_for_is_listed)
{
    gn_node_create(gp.a, 900);
    gn_node_create(gp.b, 1000);
    gp_connect();
    gp_pass(5000);
    cr_assert(gp_equal_roots());
    cr_assert_eq(cs_replica_state(gp.a->replica)->n, 1900);
    cr_assert_gt(gp_heard_count(CS_MSG_LIST), 0);
}

Test(gossip_symbols, much_smaller_sets_are_listed_at_once)
{
    gn_node_create(gp.a, 900);
    gn_node_create(gp.b, 100);
    gp_connect();
    gp_pass(5000);
    cr_assert(gp_equal_roots());
    cr_assert_eq(gp_heard_count(CS_MSG_SYMS), 0);
}

/* --- a asks by hand, b tells */

static const uint8_t zeros[CS_HASH_BYTES];
static const uint8_t no_seen[1];

static void ask(uint32_t seq, uint32_t bits, uint64_t index)
{
    cs_msg_t msg = {
        .type = CS_MSG_RECON_REQ,
        .xid = 5,
        .seq = seq,
        .flags = CS_FLAG_INITIATOR,
        .u.recon_req = {.method = CS_RECON_SYMBOLS, .part_bits = bits, .part_index = index}};
    cs_msg_snap_t snap = {.present = true, .root = zeros, .seen = {no_seen, 1}};
    if (seq == 1) msg.u.recon_req.snap = snap;
    gp_say(msg);
}

static void credit(uint32_t seq, uint64_t up_to, bool stop)
{
    gp_say((cs_msg_t){.type = CS_MSG_CREDIT,
                      .xid = 5,
                      .seq = seq,
                      .flags = CS_FLAG_INITIATOR,
                      .u.credit = {.up_to = up_to, .stop = stop}});
}

static void begin(unsigned files)
{
    gn_node_create(gp.b, files);
    gp_connect();
    while (gp_deliver(0)) {
    }
    ask(1, 0, 0);
}

static void last_of_b(cs_msg_t *ret)
{
    gn_frames_t *link = &gp.world->links[1][0];
    cr_assert_gt(link->len, 0);
    cr_assert_eq(
        cs_msg_decode(ret, cs_buf_slice(&link->items[link->len - 1]->bytes), cs_slice(NULL, 0)),
        CS_OK);
}

static void expect_symbols(uint64_t start, size_t count, uint64_t n, bool snap)
{
    cs_msg_t msg = {0};
    cs_symbols_t symbols = {0};
    last_of_b(&msg);
    cr_assert_eq(msg.type, CS_MSG_SYMS);
    cr_assert_eq(msg.u.syms.start, start);
    cr_assert_eq(msg.u.syms.n, start == 0 ? n : 0, "said once");
    cr_assert_eq(msg.u.syms.snap.present, snap);
    cr_assert_eq(cs_symbols_decode(msg.u.syms.symbols, start, n, 4096, &symbols), CS_OK);
    cr_assert_eq(symbols.count, count);
    if (start == 0) cr_assert_eq(symbols.at[0].count, n);
    cs_symbols_fini(&symbols);
    cs_msg_fini(&msg);
}

Test(gossip_symbols, come_16_at_first_then_as_credit_says)
{
    begin(300);
    expect_symbols(0, 16, 300, true);
    credit(2, 32, false);
    expect_symbols(16, 16, 300, false);
    credit(3, 1000, false);
    expect_symbols(32, 162 - 32, 300, false); /* 0.54 n: beyond, a list is cheaper */
    size_t before = gp.world->links[1][0].len;
    credit(4, 2000, false);
    cr_assert_eq(gp.world->links[1][0].len, before);
    credit(5, 0, true);
    credit(6, 3000, false);
    cr_assert_eq(gp.world->drops, 1, "no credit after stop");
}

Test(gossip_symbols, of_a_part_need_no_second_snapshot)
{
    begin(300);
    ask(2, 1, 0);
    cs_msg_t msg = {0};
    last_of_b(&msg);
    cr_assert_eq(msg.type, CS_MSG_SYMS);
    cr_assert_eq(msg.u.syms.start, 0);
    cr_assert(msg.u.syms.n > 100 && msg.u.syms.n < 200, "about half of them");
    uint64_t lower = msg.u.syms.n;
    cs_msg_fini(&msg);
    ask(3, 1, 1);
    expect_symbols(0, 16, 300 - lower, false);
    ask(4, 1, 2);
    cr_assert_eq(gp.world->drops, 1, "there is no such part");
}

Test(gossip_symbols, a_request_that_begins_nothing_and_has_no_snapshot_is_ignored)
{
    gp_connect();
    gp_drain();
    ask(2, 1, 0);
    cr_assert_eq(gp.world->links[1][0].len, 0);
    cr_assert_eq(gp.world->drops, 0);
}

/* --- b asks, a lies by hand */

/* The next frame of that type that b sends within `ms`; what else it sends is lost. */
static bool await_of_b(cs_msg_type_t type, uint64_t ms, cs_msg_t *ret)
{
    static cs_buf_t bytes; /* behind *ret */
    gn_frames_t *link = &gp.world->links[1][0];
    cs_msg_fini(ret);
    for (uint64_t end_ms = gp.world->now_ms + ms; gp.world->now_ms < end_ms;
         gp.world->now_ms += 50) {
        gn_node_tick(gp.b);
        gn_node_flush(gp.b);
        while (link->len > 0) {
            gn_frame_t *frame = gn_frames_take(link, 0);
            bool found = gp_type(frame) == type;
            cs_buf_clear(&bytes);
            cs_buf_put_slice(&bytes, cs_buf_slice(&frame->bytes));
            gn_frame_free(&frame);
            if (!found) continue;
            cs_err_t err = cs_msg_decode(ret, cs_buf_slice(&bytes), cs_slice(NULL, 0));
            cr_assert_eq(err, CS_OK);
            return true;
        }
    }
    return false;
}

static void lie(uint32_t xid)
{
    cs_symbols_t symbols;
    cs_buf_t wire = {0};
    uint8_t item[CS_ITEM_BYTES];
    memset(item, 0x55, sizeof item);
    cs_symbols_init(&symbols, 16);
    for (unsigned i = 0; i < 16; i++)
        cs_symbol_mix(&symbols.at[i], item, cs_item_check(gp.world->keys.sym, item), 1);
    cs_symbols_encode(symbols.at, 16, 0, 5, &wire);
    gp_say((cs_msg_t){
        .type = CS_MSG_SYMS,
        .xid = xid,
        .seq = 1,
        .u.syms = {.n = 5,
                   .symbols = cs_buf_slice(&wire),
                   .snap = {.present = true, .root = zeros, .n = 1, .seen = {no_seen, 1}}}});
    cs_buf_fini(&wire);
    cs_symbols_fini(&symbols);
}

/* a says by hand that it can so much, and that it has something else: b will ask. */
static void let_b_ask(uint32_t caps)
{
    uint8_t hash[CS_DIGEST_BYTES];
    cs_slice_t part = cs_slice(no_seen, 1);
    cs_hash(hash, sizeof hash, gp.world->keys.item, 32, &part, 1);
    gn_node_create(gp.b, 5);
    gp_connect();
    gp_say((cs_msg_t){
        .type = CS_MSG_HELLO,
        .u.hello = {
            .rid = 77, .nonce = 1, .caps = caps, .members_hash = zeros, .seen = {no_seen, 1}}});
    gp_say((cs_msg_t){
        .type = CS_MSG_HAVE,
        .u.have = {.root = zeros, .n = 5, .seen_hash = hash, .delta = {no_seen, 1}}});
}

Test(gossip_symbols, a_peer_whose_symbols_make_no_sense_is_listed_once_in_ten_minutes)
{
    cs_msg_t msg = {0};
    let_b_ask(CS_CAP_LIST | CS_CAP_SYMBOLS);
    cr_assert(await_of_b(CS_MSG_RECON_REQ, 20000, &msg));
    cr_assert_eq(msg.u.recon_req.method, CS_RECON_SYMBOLS);
    lie(msg.xid);
    cr_assert(await_of_b(CS_MSG_LIST_REQ, 100, &msg));
    gp_say((cs_msg_t){
        .type = CS_MSG_FIN, .xid = msg.xid, .seq = 2, .u.fin.status = CS_FIN_ABORTED});
    cr_assert(await_of_b(CS_MSG_RECON_REQ, 20000, &msg), "it tries again soon");
    lie(msg.xid);
    cr_assert(await_of_b(CS_MSG_FIN, 100, &msg), "but does not list again");
    cr_assert_not(await_of_b(CS_MSG_RECON_REQ, CS_LIST_GAP_MS - 30000, &msg));
    cr_assert(await_of_b(CS_MSG_RECON_REQ, 60000, &msg));
    lie(msg.xid);
    cr_assert(await_of_b(CS_MSG_LIST_REQ, 100, &msg));
    cr_assert_eq(gp.world->drops, 0);
    cs_msg_fini(&msg);
}

Test(gossip_symbols, a_peer_without_symbols_is_listed)
{
    cs_msg_t msg = {0};
    let_b_ask(CS_CAP_LIST);
    cr_assert(await_of_b(CS_MSG_RECON_REQ, 20000, &msg));
    cr_assert_eq(msg.u.recon_req.method, CS_RECON_LIST);
    cs_msg_fini(&msg);
}
