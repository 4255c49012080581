/* fetch_limits_test.c - the fetch machine: how much is wanted at a time. */
#include <criterion/criterion.h>
#include <string.h>

#include "support/fetching.h"

TestSuite(fetch_limits, .init = fetching_init, .fini = fetching_fini);

static cs_content_t numbered(uint32_t number)
{
    cs_content_t content = {.kind = CS_KIND_FILE, .size = 1};
    memcpy(content.hash, &number, sizeof number);
    return content;
}

Test(fetch_limits, wants_are_limited)
{
    cs_fetch_peer_up(fetch, ANN);
    for (uint32_t i = 0; i < CS_FETCH_WANTS_MAX; i++) {
        cr_assert(cs_fetch_room(fetch) == CS_FETCH_WANTS_MAX - i);
        cs_content_t content = numbered(i);
        cr_assert(cs_fetch_want(fetch, &content, 0) == CS_OK);
    }
    cr_assert(cs_fetch_room(fetch) == 0);
    cs_content_t known = numbered(1), more = numbered(CS_FETCH_WANTS_MAX);
    cr_assert(cs_fetch_want(fetch, &known, 0) == CS_OK);
    cr_assert(cs_fetch_want(fetch, &more, 0) == CS_ERR_AGAIN);
    cs_fetch_peer_down(fetch, ANN); /* now all sleep: the oldest goes */
    cr_assert(cs_fetch_room(fetch) == CS_FETCH_WANTS_MAX);
    cr_assert(cs_fetch_want(fetch, &more, 0) == CS_OK);
    cr_assert(stats().wants == CS_FETCH_WANTS_MAX);
}

static cs_content_t large_one(uint32_t number)
{
    cs_content_t content = numbered(number);
    content.size = UINT64_C(1) << 40;
    return content;
}

/* Whoever claims many of them must not keep the small ones of others waiting. */
Test(fetch_limits, large_wants_leave_room_for_small_ones)
{
    cs_fetch_peer_up(fetch, ANN);
    for (uint32_t i = 0; i < CS_FETCH_LARGE_MAX; i++) {
        cs_content_t content = large_one(i);
        cr_assert(cs_fetch_want(fetch, &content, 0) == CS_OK);
    }
    cs_content_t more = large_one(CS_FETCH_LARGE_MAX), small = numbered(1u << 20);
    cr_assert(cs_fetch_want(fetch, &more, 0) == CS_ERR_AGAIN);
    cr_assert(cs_fetch_want(fetch, &small, 0) == CS_OK);
    cr_assert(stats().large == CS_FETCH_LARGE_MAX);
    cs_fetch_peer_down(fetch, ANN); /* now all sleep: the oldest large one goes */
    cr_assert(cs_fetch_want(fetch, &more, 0) == CS_OK);
    cr_assert(stats().large == CS_FETCH_LARGE_MAX);
    cr_assert(stats().wants == CS_FETCH_LARGE_MAX + 1);
}
