/* base_test.c - sealed values, packed batches, reproducible random numbers. */
#include <criterion/criterion.h>

#include "base/digest.h"
#include "base/prng.h"
#include "base/seal.h"
#include "base/store.h"

Test(seal, is_the_xxh64_of_what_follows_from)
{
    cs_buf_t buf = {0};
    cs_buf_put_slice(&buf, cs_slice_text("keyabc"));
    cs_seal_append(&buf, 3);
    char hex[64];
    cs_hex(hex, buf.data + 6, buf.len - 6);
    cr_assert_str_eq(hex, "990977adf52cbc44");
    cs_slice_t payload;
    cr_assert_eq(cs_seal_check(cs_slice(buf.data + 3, buf.len - 3), &payload), CS_OK);
    cr_assert(cs_slice_eq(payload, cs_slice_text("abc")));
    cs_buf_fini(&buf);
}

Test(seal, any_changed_or_missing_byte_is_corrupt)
{
    cs_buf_t buf = {0};
    cs_buf_put_slice(&buf, cs_slice_text("abc"));
    cs_seal_append(&buf, 0);
    cs_slice_t payload = cs_slice_text("before");
    for (size_t i = 0; i < buf.len; i++) {
        buf.data[i] ^= 1;
        cr_expect_eq(cs_seal_check(cs_buf_slice(&buf), &payload), CS_ERR_CORRUPT, "byte %zu",
                     i);
        buf.data[i] ^= 1;
        cr_expect_eq(cs_seal_check(cs_slice(buf.data, i), &payload), CS_ERR_CORRUPT,
                     "%zu bytes", i);
    }
    cr_assert(cs_slice_eq(payload, cs_slice_text("before")));
    cs_buf_fini(&buf);
}

Test(seal, of_nothing_is_a_seal)
{
    cs_buf_t buf = {0};
    cs_seal_append(&buf, 0);
    cr_assert_eq(buf.len, CS_SEAL_BYTES);
    cs_slice_t payload = cs_slice_text("before");
    cr_assert_eq(cs_seal_check(cs_buf_slice(&buf), &payload), CS_OK);
    cr_assert_eq(payload.len, 0);
    cs_buf_fini(&buf);
}

static void told_put(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_buf_printf(arg, "%.*s=%.*s;", (int)key.len, (const char *)key.data, (int)value.len,
                  (const char *)value.data);
}

static void told_delete(void *arg, cs_slice_t key)
{
    cs_buf_printf(arg, "-%.*s;", (int)key.len, (const char *)key.data);
}

Test(batch, gives_back_its_operations_in_order)
{
    cs_batch_t batch = {0};
    cs_buf_t told = {0};
    cs_batch_each(&batch, &told, told_put, told_delete);
    cr_assert_eq(told.len, 0);

    cs_batch_put(&batch, cs_slice_text("a"), cs_slice_text("1"));
    cs_batch_delete(&batch, cs_slice_text("b"));
    cs_batch_put(&batch, cs_slice_text("a"), cs_slice_text(""));
    cr_assert_eq(batch.count, 3);
    cs_batch_each(&batch, &told, told_put, told_delete);
    cr_assert(cs_slice_eq(cs_buf_slice(&told), cs_slice_text("a=1;-b;a=;")));

    cs_batch_clear(&batch);
    cr_assert_eq(batch.count, 0);
    cs_buf_clear(&told);
    cs_batch_each(&batch, &told, told_put, told_delete);
    cr_assert_eq(told.len, 0);
    cs_batch_fini(&batch);
    cs_buf_fini(&told);
}

Test(prng, is_xoshiro_seeded_by_splitmix)
{
    cs_prng_t prng;
    cs_prng_init(&prng, 0);
    cr_assert_eq(prng.s[0], 0xe220a8397b1dcdaf);
    cr_assert_eq(prng.s[3], 0xf88bb8a8724c81ec);
    prng = (cs_prng_t){.s = {1, 2, 3, 4}};
    static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240};
    for (size_t i = 0; i < CS_COUNT_OF(want); i++) {
        cr_expect_eq(cs_prng_u64(&prng), want[i]);
    }
}

Test(prng, below_is_uniform_enough_and_never_reaches_its_bound)
{
    enum { BOUND = 7, DRAWS = 70000 };
    cs_prng_t prng;
    cs_prng_init(&prng, 42);
    unsigned count[BOUND] = {0};
    for (int i = 0; i < DRAWS; i++) {
        count[cs_prng_below(&prng, BOUND)]++;
    }
    for (int i = 0; i < BOUND; i++) {
        cr_expect(count[i] > 9500 && count[i] < 10500, "%d came %u times", i, count[i]);
    }
    cr_assert_eq(cs_prng_below(&prng, 1), 0);
    cr_assert_lt(cs_prng_below(&prng, (UINT64_C(1) << 63) + 1), (UINT64_C(1) << 63) + 1);
}
