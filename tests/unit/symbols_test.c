/* symbols_test.c - known answers for checks and indices, sums, and the wire form. The answers
 * were computed by a program of its own, in Python: SipHash from its paper, doubles from
 * math.sqrt. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/digest.h"
#include "base/prng.h"
#include "base/symbols.h"
#include "support/seed.h"

static const uint8_t key[CS_SYM_KEY_BYTES] = {0, 1, 2,  3,  4,  5,  6,  7,
                                              8, 9, 10, 11, 12, 13, 14, 15};

Test(symbols, the_check_of_an_item_is_siphash)
{
    static const uint64_t want[] = {0x98a0d3c0ef557701, 0xe3065481874f9dd5, 0x92e417876ee33c93};
    for (unsigned i = 0; i < 3; i++) {
        uint8_t item[CS_ITEM_BYTES];
        memset(item, (int)i, sizeof item);
        cr_expect_eq(cs_item_check(key, item), want[i]);
    }
}

/* count and sum of all indices below the limit, the first ones, the last one. */
typedef struct sequence {
    uint64_t check;
    unsigned count;
    uint64_t sum, first[8], last;
} sequence_t;

/* The fifth and sixth begin with states within 2^10 of 2^64, whose steps are the 1 of max(). */
static const sequence_t sequences[] = {
    {0x0000000000000000, 2, 6442450943, {0, 6442450943}, 6442450943},
    {0x0000000000000001, 56, 3990836019512, {0, 1, 2, 3, 6, 11, 19, 44}, 915290325750},
    {0x0123456789abcdef, 54, 2225209569891, {0, 1, 2, 4, 6, 8, 20, 24}, 778953282104},
    {0xdeadbeefcafef00d, 61, 1827390652426, {0, 1, 3, 9, 10, 20, 21, 31}, 740231918076},
    {0x747c72fcab152a63, 50, 1566863938446, {0, 1, 6, 49, 98, 131, 166, 210}, 714669167017},
    {0x6d626c52d569f063, 61, 3378283271420, {0, 1, 2, 3, 7, 9, 12, 59}, 1017356523703},
    {0xffffffffffffffff, 50, 1720652277569, {0, 3, 29, 59, 80, 101, 128, 145}, 755855674205},
    {0x98a0d3c0ef557701, 55, 2088071225093, {0, 1, 2, 5, 8, 10, 13, 18}, 1020965787812},
    {0x8b838d0354ead59d,
     13,
     1866662827526,
     {0, 4555500749, 4930060717, 4986922628, 5788883645, 8773421414, 14481236542, 23735885835},
     1091844856411},
};

Test(symbols, indices_are_those_of_the_conformance_vectors)
{
    for (size_t i = 0; i < CS_COUNT_OF(sequences); i++) {
        const sequence_t *want = &sequences[i];
        unsigned count = 0;
        uint64_t sum = 0, last = 0;
        for (cs_spread_t at = cs_spread(want->check); at.index < CS_SYMBOL_INDEX_MAX;
             cs_spread_next(&at)) {
            if (count < 8 && count < want->count) cr_expect_eq(at.index, want->first[count]);
            cr_assert(count == 0 || at.index > last, "strictly ascending");
            last = at.index;
            sum += last;
            count++;
        }
        cr_expect_eq(count, want->count);
        cr_expect_eq(sum, want->sum);
        cr_expect_eq(last, want->last);
    }
}

Test(symbols, an_item_maps_to_an_index_as_often_as_the_distribution_says)
{
    enum { ITEMS = 40000, INDICES = 16 };
    unsigned hits[INDICES] = {0};
    cs_prng_t prng;
    cs_prng_init(&prng, 1);
    for (unsigned i = 0; i < ITEMS; i++) {
        for (cs_spread_t at = cs_spread(cs_prng_u64(&prng)); at.index < INDICES;
             cs_spread_next(&at))
            hits[at.index]++;
    }
    for (unsigned i = 0; i < INDICES; i++) {
        double share = (double)hits[i] / ITEMS, want = 1.0 / (1.0 + i / 2.0);
        cr_expect(share > want - 0.04 && share < want + 0.04, "%u: %f, not %f", i, share, want);
    }
}

static void random_item(cs_prng_t *prng, uint8_t ret[CS_ITEM_BYTES])
{
    cs_prng_fill(prng, ret, CS_ITEM_BYTES);
}

Test(symbols, what_is_put_and_taken_leaves_nothing)
{
    uint8_t item[20][CS_ITEM_BYTES];
    cs_symbols_t symbols;
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("symbols"));
    cs_symbols_init(&symbols, 64);
    for (unsigned i = 0; i < 20; i++) {
        random_item(&prng, item[i]);
        cs_symbols_put(&symbols, key, item[i]);
    }
    cr_assert_eq(symbols.at[0].count, 20, "all map to 0");
    for (unsigned i = 0; i < 20; i++)
        cs_symbols_take(&symbols, key, item[i]);
    for (unsigned i = 0; i < 64; i++)
        cr_assert(cs_symbol_is_zero(&symbols.at[i]));
    cs_symbols_fini(&symbols);
}

Test(symbols, as_many_are_kept_as_twice_the_items_up_to_the_limit)
{
    cr_expect_eq(cs_symbols_kept(0), 64);
    cr_expect_eq(cs_symbols_kept(32), 64);
    cr_expect_eq(cs_symbols_kept(33), 128);
    cr_expect_eq(cs_symbols_kept(32768), 65536);
    cr_expect_eq(cs_symbols_kept(32769), 65536);
    cr_expect_eq(cs_symbols_kept(CS_ITEMS_MAX), 65536);
}

/* --- wire */

static cs_symbols_t some_symbols(cs_prng_t *prng, unsigned n, size_t count)
{
    cs_symbols_t symbols;
    cs_symbols_init(&symbols, count);
    for (unsigned i = 0; i < n; i++) {
        uint8_t item[CS_ITEM_BYTES];
        random_item(prng, item);
        cs_symbols_put(&symbols, key, item);
    }
    return symbols;
}

Test(symbols, decode_is_the_inverse_of_encode_and_25_bytes_a_symbol)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("symbols_wire"));
    cs_symbols_t symbols = some_symbols(&prng, 5000, 8192), again = {0};
    cs_buf_t wire = {0};
    cs_symbols_encode(symbols.at + 64, 8000, 64, 5000, &wire);
    cr_assert_eq(cs_symbols_decode(cs_buf_slice(&wire), 64, 5000, 8000, &again), CS_OK);
    cr_assert_eq(again.count, 8000);
    cr_assert_arr_eq(again.at, symbols.at + 64, 8000 * sizeof *again.at);
    cr_expect_lt(wire.len, 8000 * 25.2);
    cs_symbols_fini(&again);
    cs_symbols_fini(&symbols);
    cs_buf_fini(&wire);
}

Test(symbols, bytes_on_the_wire_are_those_of_the_golden_vector)
{
    static const char *const want = "00000000000000000000000000000000"
                                    "017755efc0d3a0980003030303030303030303030303030303"
                                    "d59d4f87815406e301";
    uint8_t item[2][CS_ITEM_BYTES] = {{0}};
    memset(item[1], 3, sizeof item[1]);
    cs_symbol_t symbols[2] = {{{0}, 0, 0}, {{0}, 0, 0}};
    cs_symbol_mix(&symbols[0], item[0], 0x98a0d3c0ef557701, 1);
    cs_symbol_mix(&symbols[1], item[1], 0xe3065481874f9dd5, 0);
    cs_buf_t wire = {0};
    cs_symbols_encode(symbols, 2, 0, 1, &wire);
    char hex[2 * 50 + 1];
    cr_assert_eq(wire.len, 50);
    cs_hex(hex, wire.data, wire.len);
    cr_expect_str_eq(hex, want, "%s", hex);
    cs_symbols_t again = {0};
    cr_assert_eq(cs_symbols_decode(cs_buf_slice(&wire), 0, 1, 2, &again), CS_OK);
    cr_assert_arr_eq(again.at, symbols, sizeof symbols);
    cs_symbols_fini(&again);
    cs_buf_fini(&wire);
}

static cs_err_t decode(const cs_buf_t *wire, size_t len, uint64_t start, uint64_t n, size_t max)
{
    cs_symbols_t symbols = {0};
    cs_err_t err = cs_symbols_decode(cs_slice(wire->data, len), start, n, max, &symbols);
    if (err != CS_OK) cr_assert_null(symbols.at);
    cs_symbols_fini(&symbols);
    return err;
}

Test(symbols, broken_bytes_and_counts_beyond_the_set_are_refused)
{
    cs_prng_t prng;
    cs_prng_init(&prng, 7);
    cs_symbols_t symbols = some_symbols(&prng, 9, 8);
    cs_buf_t wire = {0};
    cs_symbols_encode(symbols.at, 8, 0, 9, &wire);
    cr_assert_eq(wire.len, 200);
    cr_expect_eq(decode(&wire, 200, 0, 9, 8), CS_OK);
    cr_expect_eq(decode(&wire, 200, 0, 9, 7), CS_ERR_LIMIT);
    cr_expect_eq(decode(&wire, 199, 0, 9, 8), CS_ERR_MALFORMED);
    cr_expect_eq(decode(&wire, 24, 0, 9, 8), CS_ERR_MALFORMED);
    cr_expect_eq(decode(&wire, 0, 0, 9, 8), CS_ERR_MALFORMED);
    cr_expect_eq(decode(&wire, 25, 0, CS_ITEMS_MAX, 8), CS_OK);
    cr_expect_eq(decode(&wire, 25, 0, CS_ITEMS_MAX + 1, 8), CS_ERR_MALFORMED);
    cr_expect_eq(decode(&wire, 25, CS_SYMBOL_INDEX_MAX, 9, 8), CS_ERR_MALFORMED);
    symbols.at[3].count = 10; /* of a set of 9 */
    cs_buf_clear(&wire);
    cs_symbols_encode(symbols.at, 8, 0, 9, &wire);
    cr_expect_eq(decode(&wire, wire.len, 0, 9, 8), CS_ERR_MALFORMED);
    symbols.at[3].count = UINT64_MAX; /* minus one */
    cs_buf_clear(&wire);
    cs_symbols_encode(symbols.at, 8, 0, 9, &wire);
    cr_expect_eq(decode(&wire, wire.len, 0, 9, 8), CS_ERR_MALFORMED);
    cs_symbols_fini(&symbols);
    cs_buf_fini(&wire);
}
