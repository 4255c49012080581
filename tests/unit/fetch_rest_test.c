/* fetch_rest_test.c - the fetch machine: who has a small content not yet will tell, and others
 * are asked in a while. */
#include <criterion/criterion.h>

#include "support/fetching.h"

/* Others may be asked for what the first one had not. */
static void rest_is_over(void)
{
    cr_assert_eq(cs_fetch_due(fetch), now_ms + CS_FETCH_REST_MS);
    now_ms = cs_fetch_due(fetch) - 1;
    cs_fetch_tick(fetch, now_ms);
    nothing();
    now_ms++;
    cs_fetch_tick(fetch, now_ms);
}

/* What BOB announced is asked of him; ANN and, if she is there, CAT could be asked as well. */
static cs_name_t bob_is_asked(size_t content, bool cat)
{
    cs_fetch_peer_up(fetch, ANN);
    cs_fetch_peer_up(fetch, BOB);
    if (cat) cs_fetch_peer_up(fetch, CAT);
    want(content, BOB);
    cs_fetch_action_t ask = next(CS_FETCH_ASK_SMALL);
    cr_assert_eq(ask.peer, BOB);
    return ask.names[0];
}

TestSuite(fetch_rest, .init = fetching_init, .fini = fetching_fini);

Test(fetch_rest, another_is_asked_when_one_has_it_not)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    cs_fetch_peer_up(fetch, BOB);
    want(a, ANN);
    cs_fetch_action_t ask = next(CS_FETCH_ASK_SMALL);
    cs_name_t name = ask.names[0];
    cs_fetch_on_none(fetch, ANN, &name);
    nothing();
    cr_assert(cs_fetch_state(fetch, id(a)) == CS_FETCH_COMING && stats().sleeping == 0);
    rest_is_over();
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == BOB);
    cs_fetch_on_none(fetch, BOB, &name);
    nothing();
    cr_assert(stats().sleeping == 1 && cs_fetch_due(fetch) == UINT64_MAX);
    cs_fetch_retry(fetch, BOB);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == BOB);
}

Test(fetch_rest, one_that_tells_that_it_has_it_now_is_asked_and_no_other)
{
    size_t a = test_contents_small(&all, 100);
    cs_name_t name = bob_is_asked(a, true);
    cs_fetch_on_none(fetch, BOB, &name);
    nothing();
    cs_fetch_on_have(fetch, BOB, &name);
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == BOB);
    nothing();
    cr_assert(give_small(BOB, a) == CS_OK);
    cr_assert(next(CS_FETCH_STAGE).bytes.len == 100);
}

Test(fetch_rest, one_that_goes_while_a_want_rests_leaves_it_to_others)
{
    size_t a = test_contents_small(&all, 100);
    cs_name_t name = bob_is_asked(a, false);
    cs_fetch_on_none(fetch, BOB, &name);
    cs_fetch_peer_down(fetch, BOB);
    nothing();
    rest_is_over();
    cr_assert(next(CS_FETCH_ASK_SMALL).peer == ANN);
    cs_fetch_on_none(fetch, ANN, &name);
    nothing();
    cr_assert(stats().sleeping == 1);
}

Test(fetch_rest, late_bytes_are_taken_while_a_want_rests)
{
    size_t a = test_contents_small(&all, 100);
    cs_name_t name = bob_is_asked(a, true);
    now_ms += CS_FETCH_TIMEOUT_MS;
    cs_fetch_tick(fetch, now_ms);
    cs_fetch_on_none(fetch, next(CS_FETCH_ASK_SMALL).peer, &name);
    nothing();
    cr_assert(cs_fetch_due(fetch) == now_ms + CS_FETCH_REST_MS);
    cr_assert(give_small(BOB, a) == CS_OK);
    cr_assert(next(CS_FETCH_STAGE).bytes.len == 100);
    cr_assert(cs_fetch_due(fetch) == UINT64_MAX);
}
