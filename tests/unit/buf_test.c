/* buf_test.c - integers in and out, and a reader that stays within its bounds. */
#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/digest.h"

static cs_reader_t reader_of(const cs_buf_t *buf)
{
    return cs_reader(cs_buf_slice(buf));
}

/* Parses hex (at most 32 bytes) into storage of the caller. */
static cs_reader_t hex_reader(const char *hex, uint8_t storage[32])
{
    cs_slice_t text = cs_slice_text(hex);
    cr_assert(cs_unhex(storage, text.len / 2, text));
    return cs_reader(cs_slice(storage, text.len / 2));
}

Test(buf, integers_have_these_bytes)
{
    cs_buf_t buf = {0};
    cs_buf_put_u8(&buf, 0x01);
    cs_buf_put_u16(&buf, 0x0102);
    cs_buf_put_u32(&buf, 0x01020304);
    cs_buf_put_u64(&buf, 0x0102030405060708);
    cs_buf_put_u32_be(&buf, 0x01020304);
    cs_buf_put_u64_be(&buf, 0x0102030405060708);
    char hex[64];
    cs_hex(hex, buf.data, buf.len);
    cr_assert_str_eq(hex, "01"
                          "0201"
                          "04030201"
                          "0807060504030201"
                          "01020304"
                          "0102030405060708");

    cs_reader_t reader = reader_of(&buf);
    cr_assert_eq(cs_read_u8(&reader), 0x01);
    cr_assert_eq(cs_read_u16(&reader), 0x0102);
    cr_assert_eq(cs_read_u32(&reader), 0x01020304);
    cr_assert_eq(cs_read_u64(&reader), 0x0102030405060708);
    cr_assert_eq(cs_read_u32_be(&reader), 0x01020304);
    cr_assert_eq(cs_read_u64_be(&reader), 0x0102030405060708);
    cr_assert_eq(cs_reader_end(&reader), CS_OK);
    cs_buf_fini(&buf);
}

Test(buf, varints_come_back_and_have_the_shortest_form)
{
    static const struct {
        uint64_t value;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {1, "01"},
        {127, "7f"},
        {128, "8001"},
        {300, "ac02"},
        {16383, "ff7f"},
        {16384, "808001"},
        {UINT64_C(1) << 63, "80808080808080808001"},
        {UINT64_MAX, "ffffffffffffffffff01"},
    };
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++) {
        cs_buf_t buf = {0};
        char hex[32];
        cs_buf_put_varint(&buf, cases[i].value);
        cs_hex(hex, buf.data, buf.len);
        cr_expect_str_eq(hex, cases[i].hex);
        cs_reader_t reader = reader_of(&buf);
        cr_expect_eq(cs_read_varint(&reader), cases[i].value);
        cr_expect_eq(cs_reader_end(&reader), CS_OK);
        cs_buf_fini(&buf);
    }
}

Test(buf, malformed_varints_are_refused)
{
    static const char *const cases[] = {
        "",                       /* nothing */
        "80",                     /* cut off */
        "8000",                   /* zero in two bytes */
        "ff00",                   /* 127 in two bytes */
        "ffffffffffffffffff02",   /* 2^64 and more */
        "ffffffffffffffffff8100", /* eleven bytes */
        "ffffffffffffffffffff01",
    };
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++) {
        uint8_t bytes[32];
        cs_reader_t reader = hex_reader(cases[i], bytes);
        cr_expect_eq(cs_read_varint(&reader), 0, "%s", cases[i]);
        cr_expect_eq(reader.err, CS_ERR_MALFORMED, "%s", cases[i]);
    }
}

Test(buf, reader_stops_at_the_end_and_stays_failed)
{
    uint8_t bytes[32], copy[4] = {9, 9, 9, 9};
    cs_reader_t reader = hex_reader("010203", bytes);
    cr_assert_eq(cs_read_u16(&reader), 0x0201);
    cr_assert_eq(cs_reader_left(&reader), 1);
    cr_assert_eq(cs_read_u16(&reader), 0);
    cr_assert_eq(cs_reader_left(&reader), 0);
    cr_assert_eq(cs_read_u8(&reader), 0, "the last byte is no longer given out");
    cr_assert_eq(cs_read_bytes(&reader, 1).len, 0);
    cr_assert_eq(cs_read_bytes(&reader, SIZE_MAX).len, 0);
    cs_read_copy(&reader, copy, sizeof copy);
    cr_assert_eq(copy[0] | copy[3], 0);
    cs_reader_fail(&reader, CS_ERR_LIMIT);
    cr_assert_eq(cs_reader_end(&reader), CS_ERR_MALFORMED, "the first failure counts");
}

Test(buf, an_empty_reader_has_an_end_and_no_bytes)
{
    cs_reader_t reader = cs_reader(cs_slice(NULL, 0));
    cr_assert_eq(cs_reader_end(&reader), CS_OK);
    cr_assert_eq(cs_read_bytes(&reader, 0).len, 0);
    cr_assert_eq(cs_reader_end(&reader), CS_OK);
    cr_assert_eq(cs_read_u8(&reader), 0);
    cr_assert_eq(cs_reader_end(&reader), CS_ERR_MALFORMED);
}

Test(buf, trailing_bytes_are_malformed)
{
    uint8_t bytes[32];
    cs_reader_t reader = hex_reader("0102", bytes);
    cr_assert_eq(cs_read_u8(&reader), 1);
    cr_assert_eq(cs_reader_end(&reader), CS_ERR_MALFORMED);
}

Test(buf, a_count_is_no_more_than_could_follow)
{
    uint8_t bytes[32];
    cs_reader_t reader = hex_reader("03"
                                    "aabbccddeeff",
                                    bytes);
    cr_assert_eq(cs_read_count(&reader, 3, 2), 3);
    reader = hex_reader("03"
                        "aabbccddee",
                        bytes);
    cr_assert_eq(cs_read_count(&reader, 3, 2), 0);
    cr_assert_eq(reader.err, CS_ERR_MALFORMED);
    reader = hex_reader("04"
                        "aabbccddeeff0011",
                        bytes);
    cr_assert_eq(cs_read_count(&reader, 3, 2), 0);
    cr_assert_eq(reader.err, CS_ERR_LIMIT);
    reader = hex_reader("ffffffffffffffffff01", bytes);
    cr_assert_eq(cs_read_count(&reader, UINT64_MAX, 2), 0);
    cr_assert_eq(reader.err, CS_ERR_MALFORMED);
}

Test(buf, grows_and_is_usable_after_fini)
{
    cs_buf_t buf = {0};
    for (int i = 0; i < 1000; i++) {
        cs_buf_printf(&buf, "%d,", i % 10);
    }
    cr_assert_eq(buf.len, 2000);
    cr_assert_eq(memcmp(buf.data + 1996, "8,9,", 4), 0);
    size_t cap = buf.cap;
    cs_buf_clear(&buf);
    cr_assert_eq(buf.cap, cap);
    cs_buf_fini(&buf);
    cs_buf_put_slice(&buf, cs_slice_text("x"));
    cs_buf_put(&buf, NULL, 0);
    cr_assert(cs_slice_eq(cs_buf_slice(&buf), cs_slice_text("x")));
    cs_buf_fini(&buf);
}
