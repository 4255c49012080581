/* digest_test.c - known answers, from RFC 7693 and from Python's hashlib.blake2b. */
#include <criterion/criterion.h>

#include "base/digest.h"
#include "base/prng.h"
#include "support/entries.h"

static void expect_hex(const void *bytes, size_t len, const char *want)
{
    char hex[2 * 64 + 1];
    cs_hex(hex, bytes, len);
    cr_expect_str_eq(hex, want);
}

Test(digest, hash_of_abc_in_parts_is_that_of_the_rfc)
{
    const cs_slice_t parts[] = {cs_slice_text("a"), cs_slice(NULL, 0), cs_slice_text("bc")};
    uint8_t hash[64];
    cs_hash(hash, sizeof hash, NULL, 0, parts, CS_COUNT_OF(parts));
    expect_hex(hash, sizeof hash,
               "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
               "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

Test(digest, keys_of_a_folder_have_known_answers)
{
    cs_keys_t keys;
    test_keys(&keys);
    expect_hex(keys.bkt, 32,
               "ded14be7d05692567fdaa3b9965539d00542765642bc79dd980e6f819ce48c3c");
    expect_hex(keys.item, 32,
               "8d6d856d93a6125da313b7e25ad16c7c99ec19869cfb0969e7d0d829569a85bf");
    expect_hex(keys.sym, 16, "60ea985f4cd7fede03be8408bbacb426");
    expect_hex(keys.chunk, 32,
               "bbfb82041d66e54dfa2a265cd7b2cccc113b3c51375e67a1d0b6ccf4f14d2c63");
    expect_hex(keys.file, 32,
               "65328072c0eff1bdda61966619f5f9f8c1a5cbf3138ac28748d0e0decdfe1536");
    expect_hex(keys.list, 32,
               "57bf2464d3b3b4f0c65270dd0f2a36f3e69c3cf77147f35d45aedf80fa3e3120");
    expect_hex(keys.gear, 32,
               "e07b9d96d2e4a3cf43ea65bde69a33929b7ad3b38931ad9bbf2914a61567ec4e");
    expect_hex(keys.tag, 8, "bd5e30e28c9b65c4");
}

Test(digest, a_key_makes_another_hash)
{
    cs_keys_t keys;
    test_keys(&keys);
    cs_slice_t part = cs_slice_text("abc");
    uint8_t hash[16];
    cs_hash(hash, sizeof hash, keys.bkt, sizeof keys.bkt, &part, 1);
    expect_hex(hash, sizeof hash, "0200fadac92bafbded4baa4743acc07a");
}

Test(digest, sums_carry_and_borrow_through_all_bytes)
{
    uint8_t sum[CS_HASH_BYTES], one[CS_HASH_BYTES] = {1}, zero[CS_HASH_BYTES] = {0};
    memset(sum, 0xff, sizeof sum);
    cs_sum_add(sum, one);
    cr_assert_arr_eq(sum, zero, sizeof sum, "2^256 - 1 + 1 = 0");
    cs_sum_sub(sum, one);
    for (size_t i = 0; i < sizeof sum; i++) {
        cr_assert_eq(sum[i], 0xff);
    }
}

Test(digest, sums_do_not_depend_on_order)
{
    cs_prng_t prng;
    cs_prng_init(&prng, 1);
    uint8_t terms[8][CS_HASH_BYTES], there[CS_HASH_BYTES] = {0}, back[CS_HASH_BYTES] = {0};
    cs_prng_fill(&prng, terms, sizeof terms);
    for (size_t i = 0; i < 8; i++) {
        cs_sum_add(there, terms[i]);
    }
    for (size_t i = 8; i > 0; i--) {
        cs_sum_add(back, terms[i - 1]);
    }
    cr_assert_arr_eq(there, back, sizeof there);
    for (size_t i = 0; i < 8; i++) {
        cs_sum_sub(there, terms[i * 3 % 8]);
    }
    static const uint8_t zero[CS_HASH_BYTES];
    cr_assert_arr_eq(there, zero, sizeof there);
}

Test(digest, hex_is_read_in_either_case_and_nothing_else)
{
    uint8_t bytes[3];
    cr_assert(cs_unhex(bytes, 3, cs_slice_text("00fFA9")));
    expect_hex(bytes, 3, "00ffa9");
    cr_expect(!cs_unhex(bytes, 3, cs_slice_text("00ffa")));
    cr_expect(!cs_unhex(bytes, 3, cs_slice_text("00ffa900")));
    cr_expect(!cs_unhex(bytes, 3, cs_slice_text("00ffag")));
    cr_expect(!cs_unhex(bytes, 3, cs_slice_text("00ff a")));
    cr_expect(cs_unhex(bytes, 0, cs_slice_text("")));
}
