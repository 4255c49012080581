/* vv_test.c - version vectors: raise, merge, cut, encoding, limit; the join laws. */
#include <criterion/criterion.h>
#include <signal.h>

#include "base/digest.h"
#include "base/prng.h"
#include "crdt/vv.h"
#include "support/seed.h"

static void grow(cs_vv_t *vv, uint64_t rid, uint64_t ctr)
{
    cr_assert_eq(cs_vv_raise(vv, (cs_dot_t){rid, ctr}), CS_OK);
}

static cs_vv_t full_vv(void)
{
    cs_vv_t vv = {0};
    for (uint64_t rid = CS_REPLICAS_MAX; rid > 0; rid--) {
        grow(&vv, rid * 10, rid);
    }
    return vv;
}

Test(vv, raise_never_lowers)
{
    cs_vv_t vv = {0};
    grow(&vv, 5, 7);
    grow(&vv, 5, 3);
    cr_assert_eq(cs_vv_get(&vv, 5), 7);
    cr_assert_eq(cs_vv_get(&vv, 4), 0);
    cr_assert(cs_vv_has(&vv, (cs_dot_t){5, 7}));
    cr_assert(!cs_vv_has(&vv, (cs_dot_t){5, 8}));
    cr_assert(!cs_vv_has(&vv, (cs_dot_t){4, 1}));
    cs_vv_fini(&vv);
}

Test(vv, raise_of_counter_zero_is_a_bug_of_ours, .signal = SIGABRT)
{
    cs_vv_t vv = {0};
    cr_assert_eq(cs_vv_raise(&vv, (cs_dot_t){5, 0}), CS_OK);
}

Test(vv, slots_are_sorted_however_they_came)
{
    static const uint64_t rids[] = {9, 1, UINT64_MAX, 4, 2, 8};
    cs_vv_t vv = {0};
    for (size_t i = 0; i < CS_COUNT_OF(rids); i++) {
        grow(&vv, rids[i], i + 1);
    }
    cr_assert_eq(vv.len, CS_COUNT_OF(rids));
    for (uint32_t i = 1; i < vv.len; i++) {
        cr_assert_lt(cs_vv_slots(&vv)[i - 1].rid, cs_vv_slots(&vv)[i].rid);
    }
    cs_vv_fini(&vv);
}

Test(vv, three_slots_need_no_allocation)
{
    cs_vv_t vv = {0};
    for (uint64_t rid = 1; rid <= CS_VV_INLINE; rid++) {
        grow(&vv, rid, 1);
    }
    cr_assert_eq(vv.cap, 0);
    grow(&vv, CS_VV_INLINE + 1, 1);
    cr_assert_gt(vv.cap, 0);
    cs_vv_fini(&vv);
    cr_assert_eq(vv.cap, 0);
    grow(&vv, 1, 1); /* usable again */
    cs_vv_fini(&vv);
}

Test(vv, raise_beyond_the_limit_leaves_it_unchanged)
{
    cs_vv_t vv = full_vv(), before = {0};
    cs_vv_copy(&before, &vv);
    cr_assert_eq(cs_vv_raise(&vv, (cs_dot_t){15, 1}), CS_ERR_LIMIT);
    cr_assert_eq(cs_vv_cut(&vv, 15, 1), CS_ERR_LIMIT);
    cr_assert(cs_vv_eq(&vv, &before));
    grow(&vv, 10, 99); /* a known replica may still go on */
    cr_assert_eq(cs_vv_get(&vv, 10), 99);
    cs_vv_fini(&vv);
    cs_vv_fini(&before);
}

Test(vv, merge_beyond_the_limit_leaves_into_unchanged)
{
    cs_vv_t vv = full_vv(), before = {0}, from = {0};
    cs_vv_copy(&before, &vv);
    grow(&from, 10, 99);
    grow(&from, 15, 1);
    cr_assert_eq(cs_vv_merge(&vv, &from), CS_ERR_LIMIT);
    cr_assert(cs_vv_eq(&vv, &before));
    cr_assert_eq(cs_vv_cut(&vv, 20, 0), CS_OK);
    cr_assert_eq(cs_vv_merge(&vv, &from), CS_OK);
    cr_assert_eq(vv.len, CS_REPLICAS_MAX);
    cr_assert_eq(cs_vv_get(&vv, 10), 99);
    cs_vv_fini(&vv);
    cs_vv_fini(&before);
    cs_vv_fini(&from);
}

Test(vv, cut_sets_lowers_and_removes)
{
    cs_vv_t vv = {0};
    grow(&vv, 1, 5);
    grow(&vv, 2, 5);
    cr_assert_eq(cs_vv_cut(&vv, 1, 3), CS_OK);
    cr_assert_eq(cs_vv_get(&vv, 1), 3);
    cr_assert_eq(cs_vv_cut(&vv, 3, 4), CS_OK);
    cr_assert_eq(cs_vv_get(&vv, 3), 4);
    cr_assert_eq(cs_vv_cut(&vv, 1, 0), CS_OK);
    cr_assert_eq(cs_vv_cut(&vv, 9, 0), CS_OK);
    cr_assert_eq(vv.len, 2);
    cr_assert_eq(cs_vv_get(&vv, 1), 0);
    cs_vv_fini(&vv);
}

/* Few replicas and counters, so that they meet; up to 8 slots, so that inline and heap do, too.
 */
static void random_vv(cs_prng_t *prng, cs_vv_t *ret)
{
    cs_vv_fini(ret);
    for (uint64_t n = cs_prng_below(prng, 9); n > 0; n--) {
        grow(ret, 1 + cs_prng_below(prng, 8), 1 + cs_prng_below(prng, 4));
    }
}

Test(vv, merge_is_the_least_upper_bound)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("vv laws"));
    cs_vv_t a = {0}, b = {0}, ab = {0}, ba = {0};
    for (int round = 0; round < 20000; round++) {
        random_vv(&prng, &a);
        random_vv(&prng, &b);
        cs_vv_copy(&ab, &a);
        cr_assert_eq(cs_vv_merge(&ab, &b), CS_OK);
        cs_vv_copy(&ba, &b);
        cr_assert_eq(cs_vv_merge(&ba, &a), CS_OK);
        cr_assert(cs_vv_eq(&ab, &ba));
        bool a_covers = true;
        for (uint64_t rid = 1; rid <= 8; rid++) {
            uint64_t x = cs_vv_get(&a, rid), y = cs_vv_get(&b, rid);
            cr_assert_eq(cs_vv_get(&ab, rid), x > y ? x : y);
            a_covers = a_covers && x >= y;
        }
        cr_assert_eq(cs_vv_covers(&a, &b), a_covers);
        cr_assert(cs_vv_covers(&ab, &a) && cs_vv_covers(&ab, &b));
        cr_assert_eq(cs_vv_merge(&ab, &ab), CS_OK);
        cr_assert(cs_vv_eq(&ab, &ba));
    }
    cs_vv_fini(&a);
    cs_vv_fini(&b);
    cs_vv_fini(&ab);
    cs_vv_fini(&ba);
}

Test(vv, decodes_to_what_was_encoded_at_the_limit_too)
{
    cs_vv_t vv = full_vv(), again = {0};
    cs_buf_t bytes = {0};
    cs_vv_encode(&vv, &bytes);
    cs_reader_t reader = cs_reader(cs_buf_slice(&bytes));
    cs_vv_decode(&reader, &again);
    cr_assert_eq(cs_reader_end(&reader), CS_OK);
    cr_assert(cs_vv_eq(&vv, &again));
    cs_buf_fini(&bytes);
    cs_vv_fini(&vv);
    cs_vv_fini(&again);
}

static cs_err_t decode_hex(const char *hex, cs_vv_t *ret)
{
    uint8_t bytes[64];
    cs_slice_t text = cs_slice_text(hex);
    cr_assert(cs_unhex(bytes, text.len / 2, text));
    cs_reader_t reader = cs_reader(cs_slice(bytes, text.len / 2));
    cs_vv_decode(&reader, ret);
    return cs_reader_end(&reader);
}

#define RID1 "0100000000000000"
#define RID2 "0200000000000000"

Test(vv, golden_encoding)
{
    cs_vv_t vv = {0};
    grow(&vv, 2, 300);
    grow(&vv, 1, 5);
    cs_buf_t bytes = {0};
    cs_vv_encode(&vv, &bytes);
    char hex[64];
    cs_hex(hex, bytes.data, bytes.len);
    cr_assert_str_eq(hex, "02" RID1 "05" RID2 "ac02");
    cs_vv_t again = {0};
    cr_assert_eq(decode_hex(hex, &again), CS_OK);
    cr_assert(cs_vv_eq(&vv, &again));
    cs_buf_fini(&bytes);
    cs_vv_fini(&vv);
    cs_vv_fini(&again);
}

Test(vv, malformed_bytes_leave_it_empty)
{
    static const struct {
        const char *hex;
        cs_err_t err;
        const char *what;
    } cases[] = {
        {"", CS_ERR_MALFORMED, "nothing at all"},
        {"01" RID1, CS_ERR_MALFORMED, "cut off"},
        {"02" RID2 "01" RID1 "01", CS_ERR_MALFORMED, "out of order"},
        {"02" RID1 "01" RID1 "02", CS_ERR_MALFORMED, "one replica twice"},
        {"01" RID1 "00", CS_ERR_MALFORMED, "counter zero"},
        {"01"
         "0000000000000000"
         "01",
         CS_ERR_MALFORMED, "replica zero"},
        {"01" RID1 "8100", CS_ERR_MALFORMED, "a padded varint"},
        {"8020" RID1 "01", CS_ERR_MALFORMED, "more promised than could follow"},
        {"8120" RID1 "01", CS_ERR_LIMIT, "CS_REPLICAS_MAX + 1"},
    };
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++) {
        cs_vv_t vv = {0};
        grow(&vv, 77, 1);
        cr_expect_eq(decode_hex(cases[i].hex, &vv), cases[i].err, "%s", cases[i].what);
        cr_expect_eq(vv.len, 0, "%s", cases[i].what);
        cs_vv_fini(&vv);
    }
}
