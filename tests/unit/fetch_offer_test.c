/* fetch_offer_test.c - the fetch machine: small contents that come before they are asked for.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "support/fetching.h"

TestSuite(fetch_offer, .init = fetching_init, .fini = fetching_fini);

static cs_err_t offer(size_t index, size_t len)
{
    cs_name_t name;
    memcpy(name.b, id(index)->hash, sizeof name.b);
    return cs_fetch_offer(fetch, &name, cs_slice(all.content[index].bytes, len));
}

static void is_staged(size_t index)
{
    done(next(CS_FETCH_STAGE).ticket, CS_OK);
    cr_assert(cs_fetch_is_staged(fetch, id(index)));
    nothing();
}

Test(fetch_offer, it_is_staged_and_nobody_is_asked)
{
    size_t a = test_contents_small(&all, 100), b = test_contents_link(&all, 20);
    cs_fetch_peer_up(fetch, ANN);
    cr_assert_eq(offer(a, 100), CS_OK);
    cs_fetch_action_t stage = next(CS_FETCH_STAGE);
    cr_assert(stage.bytes.len == 100 && cs_content_eq(&stage.content, id(a)));
    want(a, ANN); /* while it is written */
    nothing();
    done(stage.ticket, CS_OK);
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
    cr_assert_eq(offer(b, 20), CS_OK);
    is_staged(b);
    cs_fetch_used(fetch, id(a));
    cs_fetch_used(fetch, id(b));
    cr_assert_eq(stats().staged, 0);
}

Test(fetch_offer, other_bytes_are_told)
{
    size_t a = test_contents_small(&all, 100);
    cr_assert_eq(offer(a, 99), CS_ERR_MISMATCH);
    nothing();
    cr_assert_eq(stats().wants, 0);
}

Test(fetch_offer, what_was_asked_for_is_taken_from_whoever_sends_it)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_peer_up(fetch, ANN);
    want(a, ANN);
    next(CS_FETCH_ASK_SMALL);
    cr_assert_eq(offer(a, 100), CS_OK);
    is_staged(a);
    cr_assert_eq(give_small(ANN, a), CS_OK); /* the answer */
    nothing();
    cr_assert(stats().staged == 1 && stats().bytes_asked == 0);
}

Test(fetch_offer, what_is_here_is_left)
{
    size_t a = test_contents_small(&all, 100);
    cr_assert_eq(offer(a, 100), CS_OK);
    cr_assert_eq(offer(a, 100), CS_OK); /* before the order was taken: the same again */
    is_staged(a);
    cr_assert_eq(offer(a, 100), CS_OK);
    nothing();
}

/* Who sends what nobody wants fills no disk. */
Test(fetch_offer, so_many_and_not_more_are_taken)
{
    size_t a[CS_FETCH_OFFERS_MAX + 1];
    for (size_t i = 0; i <= CS_FETCH_OFFERS_MAX; i++) {
        a[i] = test_contents_small(&all, 100);
        cr_assert_eq(offer(a[i], 100), CS_OK);
        if (i < CS_FETCH_OFFERS_MAX) is_staged(a[i]);
    }
    nothing();
    cr_assert_eq(stats().wants + stats().staged, CS_FETCH_OFFERS_MAX);
    want(a[CS_FETCH_OFFERS_MAX], 0); /* it is wanted: the limit is for others */
    cr_assert_eq(offer(a[CS_FETCH_OFFERS_MAX], 100), CS_OK);
    is_staged(a[CS_FETCH_OFFERS_MAX]);
}

Test(fetch_offer, what_there_is_no_memory_for_is_left)
{
    size_t a = test_contents_small(&all, 100), b = test_contents_small(&all, 100);
    cs_fetch_budget_t budget = {.bytes_max = CS_CHUNK_MAX};
    cs_fetch_share(fetch, &budget);
    cr_assert_eq(offer(a, 100), CS_OK); /* one thing in any case */
    cs_fetch_action_t stage = next(CS_FETCH_STAGE);
    budget.bytes_max = 199;
    cr_assert_eq(offer(b, 100), CS_OK);
    nothing();
    budget.bytes_max = 200;
    cr_assert_eq(offer(b, 100), CS_OK);
    is_staged(b);
    done(stage.ticket, CS_OK);
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
}

Test(fetch_offer, what_no_path_needs_is_swept)
{
    size_t a = test_contents_small(&all, 100);
    cs_fetch_mark(fetch);
    cr_assert_eq(offer(a, 100), CS_OK);
    is_staged(a);
    cs_fetch_sweep(fetch); /* of a pass that had begun before: its path may have been seen */
    nothing();
    cs_fetch_mark(fetch);
    cs_fetch_sweep(fetch);
    done(next(CS_FETCH_DISCARD).ticket, CS_OK);
    nothing();
    cr_assert_eq(stats().staged, 0);
}

Test(fetch_offer, a_full_disk_lets_it_sleep)
{
    size_t a = test_contents_small(&all, 100);
    cr_assert_eq(offer(a, 100), CS_OK);
    done(next(CS_FETCH_STAGE).ticket, CS_ERR_NOSPACE);
    nothing();
    cr_assert_eq(stats().sleeping, 1);
    cr_assert_eq(offer(a, 100), CS_OK);
    is_staged(a);
}
