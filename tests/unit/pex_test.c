/* pex_test.c - where members listen: whose word counts, when, and that what nobody can dial is
 * not kept. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "node/pex.h"

#define DAY_MS CS_PEX_OWN_WORD_MS

static cs_pex_t pex;

static void fini(void)
{
    cs_pex_fini(&pex);
}

TestSuite(pex, .fini = fini);

static cs_key_t key(uint8_t number)
{
    return (cs_key_t){{number}};
}

static bool set(uint8_t number, const char *a, const char *b, cs_pex_word_t word,
                uint64_t said_ms, uint64_t now_ms)
{
    cs_slice_t texts[2] = {cs_slice_text(a), cs_slice_text(b != NULL ? b : "")};
    cs_texts_t list = {texts, b != NULL ? 2 : 1};
    cs_key_t of = key(number);
    return cs_pex_set(&pex, &of, &list, word, said_ms, now_ms);
}

static bool itself(const char *a, const char *b, uint64_t now_ms)
{
    return set(1, a, b, CS_PEX_ITSELF, 0, now_ms);
}

static bool others(const char *a, const char *b, uint64_t said_ms, uint64_t now_ms)
{
    return set(1, a, b, CS_PEX_OTHERS, said_ms, now_ms);
}

static const char *at(uint8_t number, size_t index)
{
    cs_key_t of = key(number);
    const cs_pex_item_t *item = cs_pex_find(&pex, &of);
    return item != NULL && index < item->list.count ? item->list.at[index]->data : NULL;
}

Test(pex, others_add_what_is_younger)
{
    cr_assert(others("tcp://a:1", NULL, 5000, 50000));
    cr_assert_not(others("tcp://b:1", NULL, 4999, 90000), "older");
    cr_assert_not(others("tcp://b:1", NULL, 5000, 90000), "as old");
    cr_assert(others("tcp://b:1", "tcp://c:1", 5001, 90000));
    cr_assert_str_eq(at(1, 0), "tcp://b:1");
    cr_assert_str_eq(at(1, 1), "tcp://c:1");
    cr_assert_str_eq(at(1, 2), "tcp://a:1", "what was known is tried after it");
    cr_assert_not(others("", NULL, 60000, 190000), "nothing");
    cr_assert_str_eq(at(1, 0), "tcp://b:1");
}

Test(pex, a_members_own_word_counts_alone)
{
    cr_assert(others("tcp://a:1", NULL, 5000, 50000));
    cr_assert(itself("tcp://b:1", NULL, 90000));
    cr_assert_null(at(1, 1), "it knows where it listens");
    cr_assert_not(others("tcp://evil:1", NULL, 90001, 90000 + DAY_MS - 1), "for a day");
    cr_assert(others("tcp://c:1", NULL, 90001, 90000 + DAY_MS));
    cr_assert_str_eq(at(1, 1), "tcp://b:1");
}

Test(pex, what_was_kept_gives_way_to_any_word)
{
    cr_assert(set(1, "tcp://old:1", NULL, CS_PEX_KEPT, 0, 7000));
    cr_assert_not(set(1, "tcp://older:1", NULL, CS_PEX_KEPT, 0, 7000), "something is known");
    cr_assert(itself("tcp://new:1", NULL, 7001), "there is no gap to be kept");
    cr_assert_str_eq(at(1, 0), "tcp://new:1");
    cr_assert_not(set(1, "tcp://old:1", NULL, CS_PEX_KEPT, 0, 90000));
}

/* What it says last is not lost, it only waits. */
Test(pex, who_says_another_thing_each_time_is_followed_now_and_then)
{
    cr_assert(itself("tcp://a:1", NULL, 1000));
    cr_assert_not(itself("tcp://b:1", NULL, 1001));
    cr_assert_not(itself("tcp://c:1", NULL, 1000 + CS_PEX_GAP_MS - 1));
    cr_assert_null(cs_pex_ripen(&pex, 1000 + CS_PEX_GAP_MS - 1));
    cr_assert_str_eq(at(1, 0), "tcp://a:1");
    const cs_key_t *ripe = cs_pex_ripen(&pex, 1000 + CS_PEX_GAP_MS);
    cr_assert(ripe != NULL && ripe->b[0] == 1);
    cr_assert_str_eq(at(1, 0), "tcp://c:1");
    cr_assert_null(cs_pex_ripen(&pex, 1000 + CS_PEX_GAP_MS), "once");
    /* It took it back: nothing waits. */
    cr_assert_not(itself("tcp://d:1", NULL, 1002 + CS_PEX_GAP_MS));
    cr_assert_not(itself("tcp://c:1", NULL, 1003 + CS_PEX_GAP_MS));
    cr_assert_null(cs_pex_ripen(&pex, 90000));
    cr_assert_not(others("tcp://e:1", NULL, 1, 1001), "nor others within the gap");
}

Test(pex, what_is_no_endpoint_is_left_out)
{
    char longest[CS_ENDPOINT_BYTES_MAX + 2];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "tcp://", 6);
    longest[CS_ENDPOINT_BYTES_MAX + 1] = '\0';
    cr_assert_not(itself(longest, "http://a:1", 1));
    cr_assert_null(at(1, 0));
    longest[CS_ENDPOINT_BYTES_MAX] = '\0';
    cr_assert(itself(longest, "tcp://a\n:1", 1));
    cr_assert_str_eq(at(1, 0), longest);
    cr_assert_null(at(1, 1));
    cr_assert_not(set(2, "tcp://", "tcp://\x7f", CS_PEX_ITSELF, 0, 1));
}

Test(pex, more_than_a_member_may_have_are_cut)
{
    char text[CS_ENDPOINTS_MAX + 1][16];
    cs_slice_t texts[CS_ENDPOINTS_MAX + 1];
    cs_key_t of = key(1);
    for (size_t i = 0; i <= CS_ENDPOINTS_MAX; i++) {
        snprintf(text[i], sizeof text[i], "tcp://a:%zu", i);
        texts[i] = cs_slice_text(text[i]);
    }
    cs_texts_t list = {texts, CS_ENDPOINTS_MAX + 1};
    cr_assert(cs_pex_set(&pex, &of, &list, CS_PEX_ITSELF, 0, 1));
    cr_assert_eq(cs_pex_find(&pex, &of)->list.count, CS_ENDPOINTS_MAX);
    /* One that a user gave has its place all the same. */
    cs_pex_fix(&pex, &of, "tcp://given:1");
    cr_assert_eq(cs_pex_find(&pex, &of)->list.count, CS_ENDPOINTS_MAX);
    cr_assert_str_eq(at(1, CS_ENDPOINTS_MAX - 1), "tcp://given:1");
}

Test(pex, what_a_user_gave_stays_until_he_gives_another)
{
    cs_key_t of = key(1);
    cs_pex_fix(&pex, &of, "tcp://outside:1");
    cr_assert(set(1, "tcp://inside:1", NULL, CS_PEX_KEPT, 0, 1));
    cr_assert_str_eq(at(1, 1), "tcp://outside:1");
    cs_pex_fix(&pex, &of, "tcp://moved:1");
    cr_assert_str_eq(at(1, 1), "tcp://moved:1");
    cr_assert_null(at(1, 2));
    cr_assert(itself("tcp://moved:1", NULL, 30000));
    cr_assert_null(at(1, 1), "once is enough");
}

Test(pex, lists_are_told_in_the_order_of_their_changes)
{
    cr_assert_null(cs_pex_next(&pex, 0));
    set(3, "tcp://c:1", NULL, CS_PEX_ITSELF, 0, 1);
    set(1, "tcp://a:1", NULL, CS_PEX_ITSELF, 0, 1);
    set(2, "tcp://b:1", NULL, CS_PEX_ITSELF, 0, 1);
    const cs_pex_item_t *first = cs_pex_next(&pex, 0);
    cr_assert_eq(first->key.b[0], 3);
    cr_assert_eq(cs_pex_next(&pex, first->version)->key.b[0], 1);
    set(3, "tcp://d:1", NULL, CS_PEX_ITSELF, 0, 20000);
    cr_assert_eq(cs_pex_next(&pex, 0)->key.b[0], 1);
    cr_assert_eq(cs_pex_next(&pex, pex.version - 1)->key.b[0], 3);
    cr_assert_null(cs_pex_next(&pex, pex.version));
}
