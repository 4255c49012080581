/* roundtrip_test.c - random entries encoded and decoded, whole and with a byte changed. */
#include <criterion/criterion.h>

#include "support/entries.h"
#include "support/seed.h"

enum { ROUNDS = 20000 };

static const test_scope_t scope = {4, 8};

static void expect_canonical(cs_slice_t bytes, const cs_entry_t *entry)
{
    cs_buf_t again = {0};
    cs_entry_encode(entry, &again);
    cr_assert(cs_slice_eq(cs_buf_slice(&again), bytes), "two encodings of one state");
    cs_buf_fini(&again);
}

Test(roundtrip, gives_back_the_same_state_in_the_same_bytes)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("entry codec"));
    cs_entry_t entry = {0}, again = {0};
    cs_buf_t bytes = {0};
    unsigned accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        test_entry_of(scope, test_sets_random(&prng, scope), &prng, &entry);
        cs_buf_clear(&bytes);
        cs_entry_encode(&entry, &bytes);
        cr_assert_eq(cs_entry_decode(cs_buf_slice(&bytes), &again), CS_OK);
        cr_assert(cs_entry_live_eq(&entry, &again) && cs_vv_eq(&entry.ctx, &again.ctx));
        expect_canonical(cs_buf_slice(&bytes), &again);

        /* A changed byte gives another state or none: an encoding nobody else has. */
        bytes.data[cs_prng_below(&prng, bytes.len)] ^= (uint8_t)(1 + cs_prng_below(&prng, 255));
        if (cs_entry_decode(cs_buf_slice(&bytes), &again) != CS_OK) continue;
        accepted++;
        expect_canonical(cs_buf_slice(&bytes), &again);
        cr_assert(!(cs_entry_live_eq(&entry, &again) && cs_vv_eq(&entry.ctx, &again.ctx)));
    }
    cr_assert_gt(accepted, ROUNDS / 100); /* else the second half tests nothing */
    cs_buf_fini(&bytes);
    cs_entry_fini(&entry);
    cs_entry_fini(&again);
}
