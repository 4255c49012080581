/* recon_test.c - one promise, every way: what is found is what differs, all of it. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "support/recon_rig.h"
#include "support/seed.h"

#define NUMBERS 3000u

typedef struct way {
    const char *name;
    cs_differ_way_t way;
    bool tiny, prefix;
} way_t;

static const way_t ways[] = {
    {"list", CS_BY_LIST, false, false},
    {"symbols", CS_BY_SYMBOLS, false, true},
    {"symbols, made of the rows", CS_BY_SYMBOLS, false, false},
    {"few symbols, then partitions or a list", CS_BY_SYMBOLS, true, true},
};

typedef struct found {
    bool mine[NUMBERS], theirs[NUMBERS];       /* who has it */
    bool as_mine[NUMBERS], as_theirs[NUMBERS]; /* what was told */
    uint8_t item[NUMBERS][CS_ITEM_BYTES];
} found_t;

static void note(void *arg, cs_diff_t what, const cs_diff_item_t *item)
{
    found_t *found = arg;
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (memcmp(found->item[i], item->item, CS_ITEM_BYTES) != 0) continue;
        if (what == CS_DIFF_THEIRS) {
            found->as_theirs[i] = true;
            return;
        }
        uint8_t bucket[CS_BUCKET_BYTES];
        rr_item(~(uint64_t)i, bucket);
        cr_assert_arr_eq(item->bucket.b, bucket, sizeof bucket);
        found->as_mine[i] = true;
        return;
    }
    cr_assert_fail("an item that nobody has");
}

/* The plain definition. */
static void expect_all(const found_t *found, const char *name)
{
    for (unsigned i = 0; i < NUMBERS; i++) {
        cr_assert_eq(found->as_mine[i], found->mine[i] && !found->theirs[i], "%s: %u", name, i);
        cr_assert_eq(found->as_theirs[i], found->theirs[i] && !found->mine[i], "%s: %u", name,
                     i);
    }
}

typedef struct asked {
    unsigned of[CS_ASK_LIST + 1], parts;
} asked_t;

static void run(const found_t *sets, const way_t *way, asked_t *asked)
{
    rr_rig_t rig;
    found_t *found = cs_memdup(sets, sizeof *sets);
    rr_init(&rig, way->tiny ? &rr_tiny : &cs_recon_defaults);
    for (unsigned i = 0; i < NUMBERS; i++) {
        rr_item(i, found->item[i]);
        if (found->mine[i]) rr_put(&rig.mine, i);
        if (found->theirs[i]) rr_put(&rig.theirs, i);
    }
    rr_begin(&rig, way->way, way->prefix);
    cr_assert_eq(rr_run(&rig, found, note), CS_OK, "%s", way->name);
    expect_all(found, way->name);
    cr_assert_not(cs_differ_facts(rig.differ)->nonsense, "%s", way->name);
    for (unsigned i = 0; asked != NULL && i < CS_COUNT_OF(rig.asked); i++)
        asked->of[i] += rig.asked[i];
    if (asked != NULL) asked->parts += rig.parts;
    rr_fini(&rig);
    cs_free(found);
}

static void every_way(const found_t *sets)
{
    for (size_t i = 0; i < CS_COUNT_OF(ways); i++)
        run(sets, &ways[i], NULL);
}

static found_t *sets_new(void)
{
    return cs_calloc(1, sizeof(found_t));
}

/* The first `common` in both, then `plus` of theirs, `minus` of mine. */
static void sized(unsigned common, unsigned plus, unsigned minus)
{
    found_t *sets = sets_new();
    for (unsigned i = 0; i < common; i++)
        sets->mine[i] = sets->theirs[i] = true;
    for (unsigned i = common; i < common + plus; i++)
        sets->theirs[i] = true;
    for (unsigned i = common + plus; i < common + plus + minus; i++)
        sets->mine[i] = true;
    every_way(sets);
    cs_free(sets);
}

Test(recon, sets_that_differ_in_none_one_two_and_many)
{
    sized(500, 0, 0);
    sized(500, 1, 0);
    sized(500, 0, 1);
    sized(500, 1, 1);
    sized(2000, 100, 100);
    sized(2000, 0, 300);
}

Test(recon, sets_of_which_one_is_empty_or_both_are)
{
    sized(0, 0, 0);
    sized(0, 1, 0);
    sized(0, 0, 1);
    sized(0, 700, 0);
    sized(0, 0, 700);
}

Test(recon, sets_that_have_nothing_in_common)
{
    sized(0, 1, 1);
    sized(0, 400, 400);
    sized(0, 1000, 20);
    sized(0, 20, 1000);
}

Test(recon, random_sets)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("recon"));
    asked_t asked = {0};
    for (unsigned round = 0; round < 60; round++) {
        found_t *sets = sets_new();
        uint64_t size = cs_prng_below(&prng, NUMBERS), odd = 1 + cs_prng_below(&prng, 200);
        for (unsigned i = 0; i < size; i++) {
            bool differs = cs_prng_chance(&prng, 1, odd), mine = cs_prng_chance(&prng, 1, 2);
            sets->mine[i] = !differs || mine;
            sets->theirs[i] = !differs || !mine;
        }
        every_way(sets);
        run(sets, &ways[3], &asked);
        cs_free(sets);
    }
    cr_assert(asked.of[CS_ASK_LIST] > 0 && asked.of[CS_ASK_STOP] > 0, "both ends were reached");
    cr_assert_gt(asked.parts, 0, "and partitions");
}
