/* join_test.c - the laws of join on random entries, and its bounds.
 *
 * One entry in eight dots carries a second value for it, as if a dot had been used twice: the
 * laws must hold even then, or replicas would differ for ever (core.md 3). */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/entries.h"
#include "support/seed.h"

enum { ROUNDS = 20000 };

static const test_scope_t scope = {5, 8};

static bool entry_eq(const cs_entry_t *a, const cs_entry_t *b)
{
    return cs_entry_live_eq(a, b) && cs_vv_eq(&a->ctx, &b->ctx);
}

static void join(const cs_entry_t *a, const cs_entry_t *b, cs_entry_t *ret)
{
    cr_assert_eq(cs_entry_join(a, NULL, b, NULL, ret, NULL), CS_OK);
}

static void random_entry(cs_prng_t *prng, cs_entry_t *ret)
{
    test_entry_of(scope, test_sets_random(prng, scope), prng, ret);
}

Test(join, is_commutative_associative_idempotent_and_absorbs)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("join laws"));
    cs_entry_t a = {0}, b = {0}, c = {0}, ab = {0}, ba = {0}, bc = {0}, left = {0}, right = {0};
    for (int round = 0; round < ROUNDS; round++) {
        random_entry(&prng, &a);
        random_entry(&prng, &b);
        random_entry(&prng, &c);
        join(&a, &b, &ab);
        join(&b, &a, &ba);
        cr_assert(entry_eq(&ab, &ba), "a + b = b + a");
        join(&b, &c, &bc);
        join(&ab, &c, &left);
        join(&a, &bc, &right);
        cr_assert(entry_eq(&left, &right), "(a + b) + c = a + (b + c)");
        join(&a, &a, &left);
        cr_assert(entry_eq(&left, &a), "a + a = a");
        join(&ab, &b, &left);
        cr_assert(entry_eq(&left, &ab), "(a + b) + b = a + b");
    }
    cs_entry_t *all[] = {&a, &b, &c, &ab, &ba, &bc, &left, &right};
    for (size_t i = 0; i < CS_COUNT_OF(all); i++) {
        cs_entry_fini(all[i]);
    }
}

Test(join, is_that_of_sets_under_any_implicit_contexts)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("join and sets"));
    cs_entry_t a = {0}, b = {0}, joined = {0};
    cs_vv_t ia = {0}, ib = {0};
    for (int round = 0; round < ROUNDS; round++) {
        test_sets_t x = test_sets_random(&prng, scope), y = test_sets_random(&prng, scope);
        uint64_t ix = test_known_random(&prng, scope), iy = test_known_random(&prng, scope);
        test_entry_of(scope, x, NULL, &a);
        test_entry_of(scope, y, NULL, &b);
        test_vv_of(scope, ix, &ia);
        test_vv_of(scope, iy, &ib);
        cr_assert_eq(cs_entry_join(&a, &ia, &b, &ib, &joined, NULL), CS_OK);
        test_sets_t want = test_sets_join(x, ix, y, iy), have = test_sets_of(scope, &joined);
        cr_assert_eq(want.live, have.live, "round %d", round);
        cr_assert_eq(want.known, have.known, "round %d", round);
        cs_vv_t all = {0};
        test_vv_of(scope, x.known | y.known, &all);
        cr_assert(cs_vv_eq(&all, &joined.ctx));
        cs_vv_fini(&all);
    }
    cs_vv_fini(&ia);
    cs_vv_fini(&ib);
    cs_entry_fini(&a);
    cs_entry_fini(&b);
    cs_entry_fini(&joined);
}

Test(join, does_not_miss_a_context_that_was_collected)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("garbage collection"));
    cs_entry_t a = {0}, b = {0}, stripped = {0}, full = {0}, lean = {0};
    cs_vv_t seen = {0};
    for (int round = 0; round < ROUNDS; round++) {
        test_sets_t x = test_sets_random(&prng, scope);
        test_entry_of(scope, x, &prng, &a);
        random_entry(&prng, &b);
        test_vv_of(scope, x.known | test_known_random(&prng, scope), &seen);
        cs_entry_copy(&stripped, &a);
        cs_entry_strip(&stripped);
        cr_assert(cs_vv_covers(&a.ctx, &stripped.ctx));
        cr_assert_eq(cs_entry_join(&a, &seen, &b, NULL, &full, NULL), CS_OK);
        cr_assert_eq(cs_entry_join(&stripped, &seen, &b, NULL, &lean, NULL), CS_OK);
        cr_assert(cs_entry_live_eq(&full, &lean), "round %d", round);
        cr_assert_eq(cs_vv_merge(&full.ctx, &seen), CS_OK);
        cr_assert_eq(cs_vv_merge(&lean.ctx, &seen), CS_OK);
        cr_assert(cs_vv_eq(&full.ctx, &lean.ctx), "round %d", round);
    }
    cs_entry_t *all[] = {&a, &b, &stripped, &full, &lean};
    for (size_t i = 0; i < CS_COUNT_OF(all); i++) {
        cs_entry_fini(all[i]);
    }
    cs_vv_fini(&seen);
}

Test(join, keeps_the_larger_of_two_values_of_a_dot_and_reports_it)
{
    cs_dot_t dot = {3, 1}, reuse = {0};
    cs_entry_t a = {0}, b = {0}, joined = {0};
    cs_kval_t small = test_kval(dot, dot, "r"), large = test_kval(dot, dot, "r");
    large.content.hash[0]++;
    cr_assert_eq(cs_entry_add_k(&a, &small), CS_OK);
    cr_assert_eq(cs_entry_add_k(&b, &large), CS_OK);
    cr_assert_eq(cs_entry_join(&a, NULL, &b, NULL, &joined, &reuse), CS_OK);
    cr_assert(cs_dot_eq(reuse, dot));
    cr_assert(cs_entry_live_eq(&joined, &b));
    cr_assert_eq(cs_entry_join(&b, NULL, &a, NULL, &joined, &reuse), CS_OK);
    cr_assert(cs_dot_eq(reuse, dot));
    cr_assert(cs_entry_live_eq(&joined, &b));
    cr_assert_eq(cs_entry_join(&b, NULL, &b, NULL, &joined, &reuse), CS_OK);
    cr_assert(cs_dot_is_null(reuse));
    cs_entry_fini(&a);
    cs_entry_fini(&b);
    cs_entry_fini(&joined);
}

/* K values (rid, 1) .. (rid, count). */
static void fill_k(cs_entry_t *entry, uint64_t rid, uint32_t count)
{
    for (uint32_t ctr = 1; ctr <= count; ctr++) {
        cs_kval_t k = test_kval((cs_dot_t){rid, ctr}, (cs_dot_t){rid, 1}, "r");
        cr_assert_eq(cs_entry_add_k(entry, &k), CS_OK);
    }
}

Test(join, with_one_dot_too_many_leaves_ret_empty)
{
    cs_entry_t a = {0}, b = {0}, joined = {0};
    fill_k(&a, 1, CS_DOTS_MAX / 2);
    fill_k(&b, 2, CS_DOTS_MAX / 2);
    cr_assert_eq(cs_entry_join(&a, NULL, &b, NULL, &joined, NULL), CS_OK);
    cr_assert_eq(joined.k_len, CS_DOTS_MAX);

    cs_kval_t one_more = test_kval((cs_dot_t){3, 1}, (cs_dot_t){1, 1}, "r");
    cr_assert_eq(cs_entry_add_k(&b, &one_more), CS_OK);
    cs_dot_t reuse = {9, 9};
    cr_assert_eq(cs_entry_join(&a, NULL, &b, NULL, &joined, &reuse), CS_ERR_LIMIT);
    cr_assert(cs_entry_is_dead(&joined));
    cr_assert_eq(joined.ctx.len, 0);
    cr_assert(cs_dot_is_null(reuse));
    cs_entry_fini(&a);
    cs_entry_fini(&b);
    cs_entry_fini(&joined);
}

Test(join, with_one_replica_too_many_leaves_ret_empty)
{
    cs_entry_t a = {0}, b = {0}, joined = {0};
    for (uint64_t rid = 1; rid <= CS_REPLICAS_MAX; rid++) {
        cr_assert_eq(cs_entry_cover(rid % 2 == 0 ? &a : &b, (cs_dot_t){rid, 1}), CS_OK);
    }
    cr_assert_eq(cs_entry_join(&a, NULL, &b, NULL, &joined, NULL), CS_OK);
    cr_assert_eq(joined.ctx.len, CS_REPLICAS_MAX);
    cr_assert_eq(cs_entry_cover(&b, (cs_dot_t){CS_REPLICAS_MAX + 1, 1}), CS_OK);
    cr_assert_eq(cs_entry_join(&a, NULL, &b, NULL, &joined, NULL), CS_ERR_LIMIT);
    cr_assert_eq(joined.ctx.len, 0);
    cs_entry_fini(&a);
    cs_entry_fini(&b);
    cs_entry_fini(&joined);
}

/* A values (rid, 1) .. (rid, count) of `tlv_len` opaque bytes each. */
static void fill_a(cs_entry_t *entry, uint64_t rid, uint32_t count, size_t tlv_len)
{
    static const uint8_t zeros[CS_TLV_BYTES_MAX];
    for (uint32_t ctr = 1; ctr <= count; ctr++) {
        cs_aval_t a = test_aval((cs_dot_t){rid, ctr}, (cs_dot_t){rid, 1}, 0600);
        a.attr.tlv = cs_str_new(zeros, tlv_len);
        cr_assert_eq(cs_entry_add_a(entry, &a), CS_OK);
    }
}

Test(join, of_more_bytes_than_an_entry_may_have_leaves_ret_empty)
{
    cs_entry_t a = {0}, b = {0}, joined = {0};
    fill_a(&a, 1, 140, CS_TLV_BYTES_MAX);
    fill_a(&b, 2, 100, CS_TLV_BYTES_MAX);
    cr_assert_eq(cs_entry_join(&a, NULL, &b, NULL, &joined, NULL), CS_OK);
    fill_a(&b, 3, 40, CS_TLV_BYTES_MAX);
    cr_assert_eq(cs_entry_join(&a, NULL, &b, NULL, &joined, NULL), CS_ERR_LIMIT);
    cr_assert(cs_entry_is_dead(&joined));
    cs_entry_fini(&a);
    cs_entry_fini(&b);
    cs_entry_fini(&joined);
}
