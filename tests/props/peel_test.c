/* peel_test.c - symbols of two random sets give their difference; symbols of no sets give an
 * error, or never end, within bounds. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "recon/peel.h"
#include "support/seed.h"

static const uint8_t key[CS_SYM_KEY_BYTES] = {7, 7, 7};

typedef struct item {
    uint8_t b[CS_ITEM_BYTES];
} item_t;

static void fill(cs_prng_t *prng, item_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cs_prng_fill(prng, items[i].b, sizeof items[i].b);
}

static void put_all(const cs_symbols_t *symbols, const item_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cs_symbols_put(symbols, key, items[i].b);
}

/* As many symbols as it takes, `step` at a time; true if it completed. */
static bool peel(cs_peel_t *decoder, const cs_symbols_t *theirs, const cs_symbols_t *mine,
                 size_t step)
{
    while (!cs_peel_is_complete(decoder)) {
        size_t at = cs_peel_symbols(decoder), left = theirs->count - at;
        if (left == 0) return false;
        size_t count = step < left ? step : left;
        if (cs_peel_add(decoder, theirs->at + at, mine->at + at, count) != CS_OK) return false;
    }
    return true;
}

static int item_order(const void *a, const void *b)
{
    return memcmp(a, b, CS_ITEM_BYTES);
}

/* The plain definition: of what was found, one half is exactly `plus`, the other `minus`. */
static void expect_difference(const cs_peel_t *decoder, item_t *plus, size_t plus_count,
                              item_t *minus, size_t minus_count)
{
    size_t count, at[2] = {0, 0};
    const cs_peeled_t *items = cs_peel_items(decoder, &count);
    cr_assert_eq(count, plus_count + minus_count);
    item_t *got[2] = {cs_malloc((count + 1) * sizeof(item_t)),
                      cs_malloc((count + 1) * sizeof(item_t))};
    for (size_t i = 0; i < count; i++)
        memcpy(got[items[i].negative][at[items[i].negative]++].b, items[i].item, CS_ITEM_BYTES);
    cr_assert_eq(at[0], plus_count);
    item_t *want[2] = {plus, minus};
    for (int side = 0; side < 2; side++) {
        if (at[side] == 0) continue;
        qsort(got[side], at[side], sizeof(item_t), item_order);
        qsort(want[side], at[side], sizeof(item_t), item_order);
        cr_assert_arr_eq(got[side], want[side], at[side] * sizeof(item_t));
    }
    cs_free(got[0]);
    cs_free(got[1]);
}

static size_t difference_of(cs_prng_t *prng, size_t common, size_t plus, size_t minus)
{
    cs_symbols_t theirs, mine;
    item_t *items = cs_malloc((common + plus + minus + 1) * sizeof *items);
    size_t symbols = 4096 + 3 * (plus + minus); /* with few, some pairs do not come apart */
    cs_symbols_init(&theirs, symbols);
    cs_symbols_init(&mine, symbols);
    fill(prng, items, common + plus + minus);
    put_all(&theirs, items, common + plus);
    put_all(&mine, items, common);
    put_all(&mine, items + common + plus, minus);
    cs_peel_t *decoder = cs_peel_new(key);
    cr_assert(peel(decoder, &theirs, &mine, 1 + cs_prng_below(prng, 20)));
    expect_difference(decoder, items + common, plus, items + common + plus, minus);
    size_t used = cs_peel_symbols(decoder);
    cs_peel_destroy(&decoder);
    cs_symbols_fini(&theirs);
    cs_symbols_fini(&mine);
    cs_free(items);
    return used;
}

Test(peel, finds_the_difference_of_random_sets)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("peel"));
    for (unsigned round = 0; round < 400; round++)
        difference_of(&prng, cs_prng_below(&prng, 200), cs_prng_below(&prng, 60),
                      cs_prng_below(&prng, 60));
}

Test(peel, finds_none_one_two_and_many)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("peel_sizes"));
    difference_of(&prng, 0, 0, 0);
    difference_of(&prng, 1000, 0, 0);
    difference_of(&prng, 1000, 1, 0);
    difference_of(&prng, 1000, 1, 1);
    difference_of(&prng, 0, 500, 0);
    difference_of(&prng, 0, 0, 500);
    difference_of(&prng, 10, 4000, 4000);
}

Test(peel, takes_about_1_35_symbols_an_item)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("peel_cost"));
    size_t used = 0;
    for (unsigned round = 0; round < 10; round++)
        used += difference_of(&prng, 100, 1000, 1000);
    cr_assert_lt(used, 10 * 2000 * 1.45, "%zu symbols for ten times 2000 items", used);
}

/* --- what no two sets make */

/* Two items with one check never come apart: not complete, however many symbols. */
Test(peel, two_items_of_one_check_never_complete)
{
    cs_symbols_t theirs, mine;
    cs_symbols_init(&theirs, 4096);
    cs_symbols_init(&mine, 4096);
    item_t items[3];
    cs_prng_t prng;
    cs_prng_init(&prng, 3);
    fill(&prng, items, 3);
    put_all(&theirs, items, 1);
    uint64_t check = cs_item_check(key, items[1].b);
    for (unsigned i = 1; i < 3; i++) {
        for (cs_spread_t at = cs_spread(check); at.index < 4096; cs_spread_next(&at))
            cs_symbol_mix(&theirs.at[at.index], items[i].b, check, 1);
    }
    cs_peel_t *decoder = cs_peel_new(key);
    cr_assert_eq(cs_peel_add(decoder, theirs.at, mine.at, 1023), CS_OK);
    cr_assert_not(cs_peel_is_stuck(decoder), "so few symbols are no proof");
    cr_assert_not(peel(decoder, &theirs, &mine, 1));
    cr_assert_eq(cs_peel_symbols(decoder), 4096);
    cr_assert(cs_peel_is_stuck(decoder));
    size_t count;
    cs_peel_items(decoder, &count);
    cr_assert_eq(count, 1, "the third comes all the same");
    cs_peel_destroy(&decoder);
    cs_symbols_fini(&theirs);
    cs_symbols_fini(&mine);
}

Test(peel, an_item_in_a_symbol_that_it_does_not_map_to_is_a_lie)
{
    cs_symbol_t theirs[64] = {{{0}, 0, 0}}, mine[64] = {{{0}, 0, 0}};
    item_t item = {{5}};
    uint64_t check = cs_item_check(key, item.b), wrong = 1;
    for (cs_spread_t at = cs_spread(check); at.index <= wrong; cs_spread_next(&at))
        wrong += at.index == wrong;
    cs_symbol_mix(&theirs[wrong], item.b, check, 1);
    cs_peel_t *decoder = cs_peel_new(key);
    cr_assert_eq(cs_peel_add(decoder, theirs, mine, 64), CS_ERR_MISMATCH);
    cr_assert_eq(cs_peel_add(decoder, theirs, mine, 64), CS_ERR_MISMATCH, "it stays so");
    cr_assert_not(cs_peel_is_complete(decoder));
    cs_peel_destroy(&decoder);
}

/* Every symbol says that it holds another item alone: each found one makes others pure. */
Test(peel, symbols_that_give_more_items_than_there_are_symbols_are_a_lie)
{
    cs_symbols_t theirs, mine;
    cs_symbols_init(&theirs, 256);
    cs_symbols_init(&mine, 256);
    cs_prng_t prng;
    cs_prng_init(&prng, 4);
    cs_peel_t *decoder = cs_peel_new(key);
    for (unsigned i = 0; i < 256; i++) {
        item_t item;
        fill(&prng, &item, 1);
        cs_symbol_mix(&theirs.at[i], item.b, cs_item_check(key, item.b), 1);
    }
    cr_assert_eq(cs_peel_add(decoder, theirs.at, mine.at, 256), CS_ERR_MISMATCH);
    size_t count;
    cs_peel_items(decoder, &count);
    cr_assert_leq(count, 512);
    cs_peel_destroy(&decoder);
    cs_symbols_fini(&theirs);
    cs_symbols_fini(&mine);
}

Test(peel, random_symbols_are_bounded_work)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("peel_junk"));
    for (unsigned round = 0; round < 200; round++) {
        cs_symbol_t theirs[64], mine[64];
        cs_prng_fill(&prng, theirs, sizeof theirs);
        cs_prng_fill(&prng, mine, sizeof mine);
        for (unsigned i = 0; i < 64; i++) {
            if (cs_prng_chance(&prng, 1, 2)) theirs[i].count = mine[i].count + 1;
        }
        cs_peel_t *decoder = cs_peel_new(key);
        cs_err_t err = cs_peel_add(decoder, theirs, mine, 64);
        cr_assert(err == CS_OK || err == CS_ERR_MISMATCH);
        cr_assert_not(cs_peel_is_complete(decoder));
        cs_peel_destroy(&decoder);
    }
}

/* The estimate is a lower bound that is not far off, for sets of like and of unlike sizes. */
Test(peel, counts_tell_how_many_differ_before_any_is_found)
{
    static const size_t sizes[][2] = {
        {0, 0}, {100, 100}, {5000, 5000}, {9000, 1000}, {0, 3000}};
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("peel_least"));
    for (size_t i = 0; i < CS_COUNT_OF(sizes); i++) {
        size_t plus = sizes[i][0], minus = sizes[i][1];
        item_t *items = cs_malloc((plus + minus + 1) * sizeof *items);
        cs_symbols_t theirs, mine;
        cs_symbols_init(&theirs, 1024);
        cs_symbols_init(&mine, 1024);
        fill(&prng, items, plus + minus);
        put_all(&theirs, items, plus);
        put_all(&mine, items + plus, minus);
        cs_peel_guess_t guess;
        cs_peel_t *decoder = cs_peel_new(key);
        cr_assert_eq(cs_peel_add(decoder, theirs.at, mine.at, 115), CS_OK);
        cr_assert_not(cs_peel_guess(decoder, &guess), "too early");
        cr_assert_eq(cs_peel_add(decoder, theirs.at + 115, mine.at + 115, 909), CS_OK);
        cr_assert(cs_peel_guess(decoder, &guess));
        uint64_t least = guess.least;
        cr_assert_leq(least, plus + minus);
        if (plus + minus >= 3000)
            cr_assert_geq(least, (plus + minus) / 2, "%zu %zu: %llu", plus, minus,
                          (unsigned long long)least);
        cs_peel_destroy(&decoder);
        cs_symbols_fini(&theirs);
        cs_symbols_fini(&mine);
        cs_free(items);
    }
}

/* What is said to be enough is, nearly always, and is no waste. */
Test(peel, as_many_symbols_as_are_guessed_to_be_enough_are)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("peel_enough"));
    unsigned enough = 0;
    uint64_t guessed = 0, items = 0;
    for (unsigned round = 0; round < 60; round++) {
        size_t half = 100 + cs_prng_below(&prng, 900);
        item_t *item = cs_malloc(2 * half * sizeof *item);
        cs_symbols_t theirs, mine;
        cs_symbols_init(&theirs, 8192);
        cs_symbols_init(&mine, 8192);
        fill(&prng, item, 2 * half);
        put_all(&theirs, item, half);
        put_all(&mine, item + half, half);
        cs_peel_guess_t guess;
        cs_peel_t *decoder = cs_peel_new(key);
        cr_assert_eq(cs_peel_add(decoder, theirs.at, mine.at, half), CS_OK);
        if (half < 116) {
            cr_assert_not(cs_peel_guess(decoder, &guess));
        } else {
            cr_assert(cs_peel_guess(decoder, &guess));
            size_t more = guess.enough > half ? (size_t)guess.enough - half : 0;
            cr_assert_eq(cs_peel_add(decoder, theirs.at + half, mine.at + half, more), CS_OK);
            enough += cs_peel_is_complete(decoder);
            guessed += guess.enough;
            items += 2 * half;
        }
        cs_peel_destroy(&decoder);
        cs_symbols_fini(&theirs);
        cs_symbols_fini(&mine);
        cs_free(item);
    }
    cr_assert_geq(enough, 45, "%u of about 60", enough);
    cr_assert_lt(guessed, items * 2, "fewer than doubling would take");
}
