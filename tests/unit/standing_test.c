/* standing_test.c - words about members: signed, ordered, kept. */
#include <criterion/criterion.h>
#include <string.h>

#include "node/standing.h"
#include "support/node_world.h"

static cs_keys_t folder, other;
static cs_standings_t known;

static void setup(void)
{
    cs_keys_derive(&folder, (const uint8_t[CS_SECRET_BYTES]){7});
    cs_keys_derive(&other, (const uint8_t[CS_SECRET_BYTES]){8});
}

static void teardown(void)
{
    cs_standings_fini(&known);
}

TestSuite(standing, .init = setup, .fini = teardown);

static cs_standing_t word(unsigned of, uint32_t version, bool out, unsigned by)
{
    cs_standing_t ret = {.key = nw_key(of), .version = version, .out = out};
    cs_standing_sign(&ret, &folder, nw_seed(by));
    return ret;
}

Test(standing, is_the_word_of_the_key_that_signed_it)
{
    cs_standing_t said = word(2, 1, true, 0);
    cs_key_t by;
    cr_assert(cs_standing_by(&said, &by));
    cr_assert(memcmp(&by, &(cs_key_t[]){nw_key(0)}, sizeof by) == 0);
    cr_assert(cs_standing_check(&said, &folder));
    cr_assert_not(cs_standing_check(&said, &other), "it is about another folder");
}

Test(standing, changed_in_any_way_it_is_worth_nothing)
{
    const cs_standing_t said = word(2, 5, true, 0);
    for (size_t i = 0; i < sizeof said; i++) {
        cs_standing_t forged = said;
        ((uint8_t *)&forged)[i] ^= 2;
        if (memcmp(&forged.key, &said.key, sizeof said.key) == 0 &&
            forged.version == said.version && *(const uint8_t *)&forged.out == said.out &&
            memcmp(forged.signer, said.signer, sizeof said.signer) == 0 &&
            memcmp(forged.signature, said.signature, sizeof said.signature) == 0) {
            continue; /* padding */
        }
        if (*(const uint8_t *)&forged.out > 1) continue; /* no bool: the codec makes none */
        cr_assert_not(cs_standing_check(&forged, &folder), "byte %zu", i);
    }
    cs_standing_t forged = said;
    forged.out = false;
    cr_assert_not(cs_standing_check(&forged, &folder));
    forged = said;
    memset(forged.signer, 0, sizeof forged.signer);
    cr_assert_not(cs_standing_check(&forged, &folder), "a key of small order");
}

Test(standing, nobody_lets_himself_in)
{
    cr_assert_not(cs_standing_check(&(cs_standing_t[]){word(1, 3, false, 1)}[0], &folder));
    cr_assert(cs_standing_check(&(cs_standing_t[]){word(1, 3, true, 1)}[0], &folder));
}

Test(standing, later_words_count_and_of_equal_ones_the_removal)
{
    cs_standing_t in = word(1, 2, false, 0), out = word(1, 2, true, 0),
                  later = word(1, 3, false, 2), another = word(1, 2, true, 2);
    cr_assert_lt(cs_standing_cmp(&in, &out), 0);
    cr_assert_lt(cs_standing_cmp(&out, &later), 0);
    cr_assert_eq(cs_standing_cmp(&out, &out), 0);
    cr_assert_eq(cs_standing_cmp(&out, &another), 0, "they say the same");
}

/* All who heard the same words know the same, whatever the order. */
Test(standing, order_of_arrival_does_not_matter)
{
    cs_standing_t said[] = {word(1, 1, false, 0), word(1, 2, true, 0), word(1, 2, true, 2),
                            word(1, 2, false, 2), word(2, 1, true, 0), word(2, 1, false, 1)};
    size_t count = sizeof said / sizeof said[0];
    cs_standing_t expected[2] = {{.version = 0}};
    for (unsigned order = 0; order < 720; order++) {
        size_t left[6] = {0, 1, 2, 3, 4, 5}, len = count;
        unsigned rest = order;
        cs_standings_t heard = {0};
        while (len > 0) {
            size_t at = rest % len;
            rest /= (unsigned)len;
            const cs_standing_t *next = &said[left[at]];
            if (cs_standings_wants(&heard, next)) cs_standings_set(&heard, next);
            left[at] = left[--len];
        }
        cr_assert_eq(heard.len, 2);
        if (order == 0) memcpy(expected, heard.item, sizeof expected);
        for (size_t i = 0; i < 2; i++)
            cr_assert_eq(cs_standing_cmp(&heard.item[i], &expected[i]), 0);
        cs_standings_fini(&heard);
    }
}

Test(standing, at_the_end_of_numbers_the_removal_has_the_last_word)
{
    cs_standing_t in = word(1, UINT32_MAX, false, 0), out = word(1, UINT32_MAX, true, 0);
    cs_standings_set(&known, &in);
    cr_assert(cs_standings_wants(&known, &out));
    cs_standings_set(&known, &out);
    cr_assert_not(cs_standings_wants(&known, &in));
}

Test(standing, there_is_room_for_so_many)
{
    cs_standing_t next = {.version = 1};
    for (uint32_t i = 0; i < CS_STANDINGS_KEPT_MAX; i++) {
        memcpy(next.key.b, &i, sizeof i);
        cr_assert_not(cs_standings_full(&known));
        cs_standings_set(&known, &next);
    }
    cr_assert(cs_standings_full(&known));
}

Test(standing, each_is_told_once_in_the_order_in_which_it_came)
{
    cs_standing_t first = word(2, 1, true, 0), second = word(1, 1, true, 0);
    uint64_t at = 0;
    cr_assert_null(cs_standings_next(&known, at, &at));
    cs_standings_set(&known, &first);
    cs_standings_set(&known, &second);
    cr_assert_eq(cs_standing_cmp(cs_standings_next(&known, at, &at), &first), 0);
    cr_assert_eq(cs_standing_cmp(cs_standings_next(&known, at, &at), &second), 0);
    cr_assert_null(cs_standings_next(&known, at, &at));
    first.version = 2;
    cs_standings_set(&known, &first);
    cr_assert_eq(cs_standings_next(&known, at, &at)->version, 2);
    cr_assert_null(cs_standings_next(&known, at, &at));
}
