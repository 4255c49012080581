/* fetch_test.c - the fetch machine: peers, small contents, what is given up. */
#include <criterion/criterion.h>
#include <string.h>

#include "support/fetching.h"

TestSuite(fetch, .init = fetching_init, .fini = fetching_fini);

Test(fetch, a_small_content_is_asked_for_staged_and_used)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    cs_fetch_action_t ask = next(CS_FETCH_ASK_SMALL);
    cr_assert(ask.peer == ANN && ask.count == 1);
    nothing();
    cr_assert(stats().bytes_missing == 100);
    cr_assert(give_small(ANN, a) == CS_OK);
    cs_fetch_action_t stage = next(CS_FETCH_STAGE);
    cr_assert(stage.bytes.len == 100 && !cs_fetch_is_staged(fetch, id(a)));
    done(stage.ticket, CS_OK);
    cr_assert(cs_fetch_is_staged(fetch, id(a)) && stats().bytes_missing == 0);
    cs_fetch_used(fetch, id(a));
    cr_assert(!cs_fetch_is_staged(fetch, id(a)) && stats().staged == 0);
    nothing();
}

Test(fetch, many_small_contents_share_a_request)
{
    for (int i = 0; i < 600; i++) {
        want(test_contents_small(&all, 10), 0);
    }
    cs_fetch_peer_up(fetch, ANN);
    cr_assert(next(CS_FETCH_ASK_SMALL).count == CS_FETCH_REQUEST_NAMES_MAX);
    cr_assert(next(CS_FETCH_ASK_SMALL).count == 600 - CS_FETCH_REQUEST_NAMES_MAX);
    nothing();
}

Test(fetch, who_announced_it_is_asked)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    cs_fetch_peer_up(fetch, BOB);
    want(a, BOB);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == BOB);
    nothing();
}

Test(fetch, one_that_has_got_it_since_is_asked_again_for_that_alone)
{
    size_t a = test_contents_small(&all, 100), b = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, ANN);
    want(b, ANN);
    cs_fetch_action_t ask = next(CS_FETCH_ASK_SMALL);
    cr_assert_eq(ask.count, 2);
    cs_name_t name[2] = {ask.names[0], ask.names[1]};
    cs_fetch_on_none(fetch, ANN, &name[0]);
    cs_fetch_on_have(fetch, ANN, &name[1]); /* before the answer that it had not */
    cs_fetch_on_none(fetch, ANN, &name[1]);
    ask = next(CS_FETCH_ASK_SMALL);
    cr_assert(ask.count == 1 && memcmp(&ask.names[0], &name[1], sizeof *name) == 0);
    cs_fetch_on_none(fetch, ANN, &name[1]);
    nothing();
    cs_fetch_on_have(fetch, ANN, &name[0]);
    cs_fetch_on_have(fetch, BOB, &name[1]); /* of whom nobody knows */
    ask = next(CS_FETCH_ASK_SMALL);
    cr_assert(ask.count == 1 && memcmp(&ask.names[0], &name[0], sizeof *name) == 0);
    nothing();
}

Test(fetch, wrong_bytes_are_told_and_asked_for_elsewhere)
{
    size_t a = test_contents_small(&all, 100), b = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    cs_fetch_peer_up(fetch, BOB);
    want(a, ANN);
    cs_name_t name = next(CS_FETCH_ASK_SMALL).names[0];
    cs_slice_t lie = cs_slice(all.content[b].bytes, 100);
    cr_assert(cs_fetch_on_data(fetch, ANN, &name, lie) == CS_ERR_MISMATCH);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == BOB);
}

Test(fetch, what_was_not_asked_for_is_ignored)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    cs_fetch_peer_up(fetch, BOB);
    want(a, ANN);
    next(CS_FETCH_ASK_SMALL);
    cr_assert(give_small(BOB, a) == CS_OK);
    nothing();
    cr_assert(give_small(ANN, a) == CS_OK);
    next(CS_FETCH_STAGE);
    cr_assert(give_small(ANN, a) == CS_OK);
    cr_assert(give_map(ANN, a, 0) == CS_OK);
    nothing();
}

Test(fetch, a_silent_peer_loses_its_requests_and_may_come_back)
{
    size_t a = test_contents_small(&all, 100), b = test_contents_small(&all, 50);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_SMALL);
    now_ms += CS_FETCH_TIMEOUT_MS - 1;
    cs_fetch_tick(fetch, now_ms);
    cr_assert(stats().sleeping == 0);
    now_ms += 1;
    cs_fetch_tick(fetch, now_ms);
    cr_assert(stats().sleeping == 1);
    want(b, ANN);
    nothing(); /* not before it speaks */
    cs_fetch_peer_up(fetch, BOB);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == BOB);
    cr_assert(give_small(ANN, a) == CS_OK); /* late, and still welcome */
    cr_assert(next(CS_FETCH_STAGE).bytes.len == 100);
    cr_assert(stats().sleeping == 0);
}

/* It may have dropped the requests and live on, with nothing new to tell. */
Test(fetch, a_peer_that_stays_silent_is_tried_again)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_SMALL);
    now_ms += CS_FETCH_TIMEOUT_MS;
    cs_fetch_tick(fetch, now_ms);
    now_ms += CS_FETCH_RETRY_MS - 1;
    cs_fetch_tick(fetch, now_ms);
    nothing();
    now_ms += 1;
    cs_fetch_tick(fetch, now_ms);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == ANN);
    cr_assert(give_small(ANN, a) == CS_OK);
    cr_assert(next(CS_FETCH_STAGE).bytes.len == 100);
}

Test(fetch, a_late_answer_is_asked_for_of_an_idle_peer)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == ANN);
    cs_fetch_peer_up(fetch, BOB);
    nothing();
    now_ms += CS_FETCH_ENDGAME_MS;
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == BOB);
    nothing();
    cr_assert(give_small(BOB, a) == CS_OK);
    next(CS_FETCH_STAGE);
    cr_assert(give_small(ANN, a) == CS_OK);
    nothing();
}

Test(fetch, a_peer_that_goes_leaves_its_requests_to_others)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    cs_fetch_peer_up(fetch, BOB);
    want(a, ANN);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == ANN);
    cs_fetch_peer_down(fetch, ANN);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == BOB);
    cs_fetch_peer_down(fetch, BOB);
    nothing();
    cr_assert(stats().sleeping == 1 && stats().bytes_asked == 0);
}

Test(fetch, a_superseded_content_is_discarded_once_the_disk_is_done)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_SMALL);
    cr_assert(give_small(ANN, a) == CS_OK);
    uint64_t stage = next(CS_FETCH_STAGE).ticket;
    cs_fetch_unwant(fetch, id(a));
    nothing();
    done(stage, CS_OK);
    uint64_t discard = next(CS_FETCH_DISCARD).ticket;
    want(a, 0); /* after all */
    nothing();
    done(discard, CS_OK);
    next(CS_FETCH_ASK_SMALL);
}

Test(fetch, nothing_is_discarded_that_was_never_written)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_SMALL);
    cs_fetch_unwant(fetch, id(a));
    nothing();
    cr_assert(give_small(ANN, a) == CS_OK); /* was on its way */
    nothing();
}

Test(fetch, a_full_disk_lets_it_sleep)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_SMALL);
    cr_assert(give_small(ANN, a) == CS_OK);
    done(next(CS_FETCH_STAGE).ticket, CS_ERR_NOSPACE);
    nothing();
    cr_assert(stats().sleeping == 1);
    cs_fetch_retry(fetch, 0);
    next(CS_FETCH_ASK_SMALL);
}

Test(fetch, what_no_path_needs_is_swept)
{
    size_t staged = test_contents_small(&all, 100), kept = test_contents_small(&all, 50);
    cs_fetch_peer_up(fetch, ANN);
    want(staged, 0);
    want(kept, 0);
    next(CS_FETCH_ASK_SMALL);
    cr_assert(give_small(ANN, staged) == CS_OK);
    done(next(CS_FETCH_STAGE).ticket, CS_OK);
    cs_fetch_mark(fetch);
    cr_assert(cs_fetch_is_staged(fetch, id(staged)));
    want(kept, 0);
    cs_fetch_sweep(fetch);
    nothing();
    cs_fetch_mark(fetch);
    cr_assert(!cs_fetch_is_staged(fetch, id(kept)));
    cs_fetch_sweep(fetch);
    cs_fetch_action_t discard = next(CS_FETCH_DISCARD);
    cr_assert(cs_content_eq(&discard.content, id(staged)));
    nothing();
    cr_assert(stats().wants == 0);
}

Test(fetch, what_an_earlier_run_staged_is_staged)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    cr_assert(cs_fetch_found(fetch, id(a)) == CS_OK);
    want(a, ANN);
    nothing();
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
    cs_fetch_unwant(fetch, id(a));
    next(CS_FETCH_DISCARD);
}

Test(fetch, what_nobody_has_is_missed_until_it_is_found)
{
    size_t a = test_contents_small(&all, 100);
    cs_content_t missed[2];
    cs_fetch_peer_up(fetch, ANN);
    want(a, ANN);
    cr_assert(cs_fetch_missed(fetch, missed, 2) == 0, "it is being asked for");
    cs_name_t name = next(CS_FETCH_ASK_SMALL).names[0];
    cr_assert(cs_fetch_found(fetch, id(a)) == CS_OK);
    cr_assert(!cs_fetch_is_staged(fetch, id(a)), "the answer may come yet");
    cs_fetch_on_none(fetch, ANN, &name);
    nothing();
    cr_assert(cs_fetch_missed(fetch, missed, 2) == 1 && cs_content_eq(&missed[0], id(a)));
    cr_assert(cs_fetch_found(fetch, id(a)) == CS_OK);
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
    cr_assert(cs_fetch_missed(fetch, missed, 2) == 0 && stats().bytes_missing == 0);
}

Test(fetch, an_id_that_no_bytes_have_keeps_nobody_busy)
{
    size_t a = test_contents_small(&all, 100);
    cs_content_t bogus = *id(a);
    bogus.size = 99;
    cs_fetch_peer_up(fetch, ANN);
    cr_assert(cs_fetch_want(fetch, &bogus, 0) == CS_OK);
    next(CS_FETCH_ASK_SMALL);
    cr_assert(give_small(ANN, a) == CS_OK); /* the peer is not to blame */
    nothing();
    cr_assert(stats().sleeping == 1);
}

/* Of a common budget the second machine gets what the first leaves, and one thing in any case.
 */
Test(fetch, machines_share_a_budget)
{
    enum { SIZE = 60000, COST = SIZE + 256, MOST = 20, COUNT = 30 };
    size_t content[COUNT];
    cs_fetch_budget_t budget = {.bytes_max = MOST * COST};
    cs_fetch_t *other = cs_fetch_new(all.table, NULL, 1);
    cs_fetch_action_t action;
    cs_fetch_share(fetch, &budget);
    cs_fetch_share(other, &budget);
    cs_fetch_peer_up(fetch, ANN);
    cs_fetch_peer_up(fetch, BOB);
    cs_fetch_peer_up(other, ANN);
    for (size_t i = 0; i < COUNT; i++) {
        content[i] = test_contents_small(&all, SIZE);
        want(content[i], 0);
        cr_assert(cs_fetch_want(other, id(content[i]), 0) == CS_OK);
    }
    size_t asked = 0;
    while (next_any(&action)) {
        asked += action.count;
    }
    cr_assert(asked == MOST && budget.bytes == budget.bytes_max);
    cr_assert(budget.tight, "there was more to ask for");

    for (asked = 0; cs_fetch_next(other, now_ms, &action);) {
        asked += action.count;
    }
    cr_assert(asked > 0, "one thing in any case");
    cr_assert(budget.bytes > budget.bytes_max &&
              budget.bytes <= budget.bytes_max + CS_CHUNK_MAX + 256);

    cr_assert(give_small(ANN, content[0]) == CS_OK);
    done(next(CS_FETCH_STAGE).ticket, CS_OK);
    nothing();
    cs_fetch_destroy(&other);
    cr_assert(next(CS_FETCH_ASK_SMALL).count == 1, "what the other one had is free");
    cr_assert_eq(budget.bytes, budget.bytes_max);
}

/* What a peer owes that says nothing any more keeps nobody else from being asked. */
Test(fetch, a_silent_peer_holds_no_budget)
{
    size_t a = test_contents_small(&all, 60000);
    cs_fetch_budget_t budget = {.bytes_max = 0};
    cs_fetch_share(fetch, &budget);
    cs_fetch_peer_up(fetch, ANN);
    want(a, ANN);
    cr_assert_eq(next(CS_FETCH_ASK_SMALL).peer, ANN);
    cs_fetch_peer_up(fetch, BOB);
    nothing();
    now_ms += CS_FETCH_TIMEOUT_MS;
    cs_fetch_tick(fetch, now_ms);
    cr_assert_eq(budget.bytes, 0);
    cr_assert_eq(next(CS_FETCH_ASK_SMALL).peer, BOB);
    cs_fetch_heard(fetch, ANN);
    cr_assert_eq(budget.bytes, 2 * (60000 + 256), "it may come after all");
    cs_fetch_peer_down(fetch, ANN);
    cs_fetch_peer_down(fetch, BOB);
    cr_assert_eq(budget.bytes, 0);
}

Test(fetch, bytes_that_the_caller_did_not_take_are_asked_for_again)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_SMALL);
    cr_assert(give_small(ANN, a) == CS_OK);
    cs_fetch_tick(fetch, now_ms); /* instead of cs_fetch_next */
    next(CS_FETCH_ASK_SMALL);
}
