/* differ_test.c - both sides of finding what differs, against ones that do not play fair. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "support/recon_rig.h"

static rr_rig_t rig;

static void set_up(void)
{
    rr_init(&rig, &cs_recon_defaults);
}

static void tear_down(void)
{
    rr_fini(&rig);
}

static void put_both(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        rr_put(&rig.mine, i);
        rr_put(&rig.theirs, i);
    }
}

static cs_recon_ask_t next_ask(cs_recon_ask_kind_t kind)
{
    cs_recon_ask_t ask = {0};
    cr_assert(cs_differ_ask(rig.differ, &ask));
    cr_assert_eq(ask.kind, kind);
    return ask;
}

static cs_err_t say(cs_recon_ask_t ask)
{
    return cs_teller_ask(rig.teller, &ask);
}

/* Symbols of nobody, `count` of them from `start`, of a set of n. */
static cs_err_t feed_empty(uint64_t start, size_t count, uint64_t n)
{
    cs_symbols_t symbols;
    cs_buf_t wire = {0};
    cs_symbols_init(&symbols, count);
    cs_symbols_encode(symbols.at, count, start, n, &wire);
    cs_recon_answer_t answer = {
        .kind = CS_ANSWER_SYMBOLS, .start = start, .n = n, .bytes = cs_buf_slice(&wire)};
    cs_err_t err = cs_differ_feed(rig.differ, &answer);
    cs_buf_fini(&wire);
    cs_symbols_fini(&symbols);
    return err;
}

static cs_err_t feed_list(const char *bytes, size_t len, bool last)
{
    cs_recon_answer_t answer = {
        .kind = CS_ANSWER_LIST, .bytes = cs_slice(bytes, len), .last = last};
    return cs_differ_feed(rig.differ, &answer);
}

static void count_items(void *arg, cs_diff_t what, const cs_diff_item_t *item)
{
    (void)what;
    (void)item;
    (*(unsigned *)arg)++;
}

TestSuite(differ, .init = set_up, .fini = tear_down);
TestSuite(teller, .init = set_up, .fini = tear_down);

/* --- what it costs */

Test(differ, symbols_come_in_doubling_turns_and_stop_when_they_are_enough)
{
    unsigned found = 0;
    put_both(3000);
    for (unsigned i = 0; i < 10; i++) {
        rr_put(&rig.mine, 10000 + i);
        rr_put(&rig.theirs, 20000 + i);
    }
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cr_assert_eq(rr_run(&rig, &found, count_items), CS_OK);
    cr_assert_eq(found, 20);
    cr_assert_leq(rig.rounds, 4, "16, 32, 64, sometimes 128 symbols");
    cr_assert_leq(rig.bytes, 128 * 26);
    cr_assert_eq(rig.asked[CS_ASK_STOP], 1);
    cr_assert_eq(rig.asked[CS_ASK_LIST], 0);
}

Test(differ, a_set_of_another_size_is_listed_after_the_first_symbols)
{
    unsigned found = 0;
    put_both(100);
    for (unsigned i = 0; i < 100; i++)
        rr_put(&rig.theirs, 1000 + i);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cr_assert_eq(rr_run(&rig, &found, count_items), CS_OK);
    cr_assert_eq(found, 100);
    cr_assert_eq(rig.asked[CS_ASK_MORE], 0);
    cr_assert_eq(rig.asked[CS_ASK_LIST], 1);
    cr_assert_not(cs_differ_facts(rig.differ)->nonsense);
}

Test(differ, sets_with_nothing_in_common_are_listed_before_much_was_spent)
{
    unsigned found = 0;
    for (unsigned i = 0; i < 5000; i++) {
        rr_put(&rig.mine, 10000 + i);
        rr_put(&rig.theirs, 20000 + i);
    }
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cr_assert_eq(rr_run(&rig, &found, count_items), CS_OK);
    cr_assert_eq(found, 10000);
    cr_assert_eq(rig.asked[CS_ASK_LIST], 1);
    cr_assert_leq(cs_differ_facts(rig.differ)->symbols, 512, "counts tell that much differs");
    cr_assert_not(cs_differ_facts(rig.differ)->nonsense);
}

Test(differ, more_than_one_stream_holds_is_found_part_by_part)
{
    unsigned found = 0;
    rig.limits.symbols_max = 1024;
    rig.limits.sample_bits = 3;
    rig.limits.part_differences = 128;
    put_both(4000);
    for (unsigned i = 0; i < 600; i++) {
        rr_put(&rig.mine, 10000 + i);
        rr_put(&rig.theirs, 20000 + i);
    }
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cr_assert_eq(rr_run(&rig, &found, count_items), CS_OK);
    cr_assert_eq(found, 1200);
    cr_assert_eq(rig.asked[CS_ASK_LIST], 0);
    cr_assert_gt(cs_differ_facts(rig.differ)->parts, 8);
    cr_assert_leq(cs_differ_facts(rig.differ)->parts, 1 + 32);
}

/* --- a peer that says what it likes */

Test(differ, symbols_that_do_not_follow_or_are_too_many_are_malformed)
{
    put_both(100);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    next_ask(CS_ASK_SYMBOLS);
    cr_assert_eq(feed_empty(0, 8, 100), CS_OK);
    cr_assert_eq(feed_empty(0, 8, 100), CS_ERR_MALFORMED, "again");
    cr_assert_eq(feed_empty(9, 7, 100), CS_ERR_MALFORMED, "one is missing");
    cr_assert_eq(feed_list(NULL, 0, true), CS_ERR_MALFORMED, "no list was asked for");
}

Test(differ, one_symbol_more_than_was_asked_for_is_too_many)
{
    put_both(100);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    next_ask(CS_ASK_SYMBOLS);
    cr_assert_eq(feed_empty(0, 17, 100), CS_ERR_LIMIT);
}

Test(differ, a_set_larger_than_any_is_malformed)
{
    put_both(5);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    next_ask(CS_ASK_SYMBOLS);
    cr_assert_eq(feed_empty(0, 4, CS_ITEMS_MAX + 1), CS_ERR_MALFORMED);
}

/* Late ones are passed over, but only as many as were asked for. */
Test(differ, a_stream_without_end_is_malformed)
{
    put_both(100);
    rr_begin(&rig, CS_BY_LIST, false);
    cs_recon_answer_t answer = {.kind = CS_ANSWER_SYMBOLS, .bytes = cs_slice_text("")};
    cr_assert_eq(cs_differ_feed(rig.differ, &answer), CS_ERR_MALFORMED, "nothing at all");
    cr_assert_eq(feed_empty(0, 1, 100), CS_ERR_MALFORMED, "symbols were never asked for");
    cs_differ_destroy(&rig.differ);
    cs_teller_destroy(&rig.teller);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cr_assert_eq(rr_talk(&rig), CS_OK);
    cr_assert_eq(rig.asked[CS_ASK_STOP], 1, "equal sets are seen to be at once");
    cs_err_t err = CS_OK;
    unsigned late = 0;
    while (err == CS_OK && late < 100) {
        err = feed_empty(16 + late, 1, 100);
        late++;
    }
    cr_assert_eq(err, CS_ERR_MALFORMED);
    cr_assert_lt(late, 16, "what was asked for may take 34 bytes each");
}

/* An item where it does not belong: the list is read instead, and it is known why. */
Test(differ, symbols_of_no_set_lead_to_the_list)
{
    unsigned found = 0;
    put_both(50);
    rr_put(&rig.theirs, 999);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    next_ask(CS_ASK_SYMBOLS);
    cs_symbols_t lie;
    cs_buf_t wire = {0};
    cs_symbols_init(&lie, 16);
    uint8_t item[CS_ITEM_BYTES] = {1};
    for (unsigned i = 0; i < 16; i++)
        cs_symbol_mix(&lie.at[i], item, cs_item_check(RR_KEY, item), 1);
    for (unsigned i = 0; i < 50; i++) {
        rr_item(i, item);
        cs_symbols_put(&lie, RR_KEY, item);
    }
    cs_symbols_encode(lie.at, 16, 0, 51, &wire);
    cs_recon_answer_t answer = {
        .kind = CS_ANSWER_SYMBOLS, .n = 51, .bytes = cs_buf_slice(&wire)};
    cr_assert_eq(cs_differ_feed(rig.differ, &answer), CS_OK);
    cr_assert(cs_differ_facts(rig.differ)->nonsense);
    cr_assert_eq(rr_run(&rig, &found, count_items), CS_OK);
    cr_assert_eq(found, 1);
    cr_assert_eq(rig.asked[CS_ASK_LIST], 1);
    cs_buf_fini(&wire);
    cs_symbols_fini(&lie);
}

/* It says that I have an item which I have not. */
Test(differ, an_item_that_is_said_to_be_mine_and_is_not_leads_to_the_list)
{
    unsigned found = 0;
    put_both(50);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cr_assert_eq(say(next_ask(CS_ASK_SYMBOLS)), CS_OK);
    cs_symbols_t lie;
    cs_buf_t wire = {0};
    cs_symbols_init(&lie, 16);
    uint8_t item[CS_ITEM_BYTES];
    for (unsigned i = 0; i < 50; i++) {
        rr_item(i, item);
        cs_symbols_put(&lie, RR_KEY, item);
    }
    rr_item(777, item);
    cs_symbols_take(&lie, RR_KEY, item);
    cs_symbols_encode(lie.at, 16, 0, 50, &wire);
    cs_recon_answer_t answer = {
        .kind = CS_ANSWER_SYMBOLS, .n = 50, .bytes = cs_buf_slice(&wire)};
    cr_assert_eq(cs_differ_feed(rig.differ, &answer), CS_OK);
    cr_assert_eq(rr_run(&rig, &found, count_items), CS_OK);
    cr_assert_eq(found, 0);
    cr_assert(cs_differ_facts(rig.differ)->nonsense);
    cr_assert_eq(rig.asked[CS_ASK_LIST], 1);
    cs_buf_fini(&wire);
    cs_symbols_fini(&lie);
}

/* --- a peer that asks what it likes */

Test(teller, refuses_what_no_differ_asks)
{
    put_both(100);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cs_recon_ask_t more = {.kind = CS_ASK_MORE, .up_to = 32};
    cr_assert_eq(say(more), CS_ERR_MALFORMED, "more of nothing");
    cr_assert_eq(say((cs_recon_ask_t){.kind = CS_ASK_STOP}), CS_ERR_MALFORMED);
    cs_recon_ask_t part = {.kind = CS_ASK_SYMBOLS, .part_bits = CS_PART_BITS_MAX + 1};
    cr_assert_eq(say(part), CS_ERR_MALFORMED);
    part.part_bits = 4;
    part.part_index = 16;
    cr_assert_eq(say(part), CS_ERR_MALFORMED);
    part.part_index = 15;
    cr_assert_eq(say(part), CS_OK);
    part.part_bits = CS_PART_BITS_MAX;
    part.part_index = (1u << CS_PART_BITS_MAX) - 1;
    cr_assert_eq(say(part), CS_OK);
    cr_assert_eq(say((cs_recon_ask_t){.kind = CS_ASK_STOP}), CS_OK);
    cr_assert_eq(say(more), CS_ERR_MALFORMED, "it was stopped");
}

Test(teller, reads_its_rows_three_times_for_one_exchange_and_no_more)
{
    put_both(100);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cs_recon_ask_t half = {.kind = CS_ASK_SYMBOLS, .part_bits = 1};
    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(say(half), CS_OK);
    cs_recon_ask_t least = {.kind = CS_ASK_SYMBOLS, .part_bits = CS_PART_BITS_MAX};
    cr_assert_eq(say(least), CS_ERR_MALFORMED);
}

Test(teller, tells_no_more_than_was_asked_for_and_than_makes_sense)
{
    cs_recon_answer_t answer;
    put_both(100);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cr_assert_eq(say((cs_recon_ask_t){.kind = CS_ASK_SYMBOLS}), CS_OK);
    cr_assert(cs_teller_next(rig.teller, &answer));
    cr_assert(answer.start == 0 && answer.n == 100);
    cr_assert_not(cs_teller_next(rig.teller, &answer), "16 were sent");
    cr_assert_eq(say((cs_recon_ask_t){.kind = CS_ASK_MORE, .up_to = UINT64_MAX}), CS_OK);
    cr_assert(cs_teller_next(rig.teller, &answer));
    cr_assert_eq(answer.start, 16);
    cr_assert_leq(answer.bytes.len, 48 * CS_SYMBOL_BYTES_MAX, "64 in all: a list is cheaper");
    cr_assert_not(cs_teller_next(rig.teller, &answer));
}

Test(teller, tells_many_in_frames_of_bounded_size)
{
    cs_recon_answer_t answer;
    size_t frames = 0;
    put_both(12000);
    rr_begin(&rig, CS_BY_SYMBOLS, true);
    cr_assert_eq(say((cs_recon_ask_t){.kind = CS_ASK_SYMBOLS}), CS_OK);
    cr_assert_eq(say((cs_recon_ask_t){.kind = CS_ASK_MORE, .up_to = 6000}), CS_OK);
    while (cs_teller_next(rig.teller, &answer)) {
        cr_assert_leq(answer.bytes.len, CS_SYMBOLS_FRAME * CS_SYMBOL_BYTES_MAX);
        frames++;
    }
    cr_assert_eq(frames, 2);
}
