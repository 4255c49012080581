/* token_test.c - invite tokens: round trips, and each way in which one can be broken. */
#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#include "io/token.h"

/* "tcp://aaa...:9" of `len` bytes. */
static void make_endpoint(size_t len, char *ret)
{
    static const char scheme[] = "tcp://", port[] = ":9";
    size_t host = sizeof scheme - 1, end = len - (sizeof port - 1);
    memset(ret, 'a', len);
    for (size_t i = 0; i < host; i++) {
        ret[i] = scheme[i];
    }
    for (size_t i = end; i <= len; i++) {
        ret[i] = port[i - end];
    }
}

static cs_token_t sample(size_t endpoints, const char *endpoint)
{
    cs_token_t token = {.folder = "photos.2024"};
    memset(token.server_key, 0x11, sizeof token.server_key);
    memset(token.secret, 0xee, sizeof token.secret);
    for (size_t i = 0; i < endpoints; i++) {
        cs_strings_add(&token.endpoints, endpoint);
    }
    return token;
}

static cs_buf_t encoded(const cs_token_t *token)
{
    cs_buf_t text = {0};
    cs_token_encode(token, &text);
    return text;
}

static void expect_same(const cs_token_t *a, const cs_token_t *b)
{
    cr_assert_arr_eq(a->server_key, b->server_key, 32);
    cr_assert_arr_eq(a->secret, b->secret, 32);
    cr_assert_str_eq(a->folder, b->folder);
    cr_assert_eq(a->endpoints.count, b->endpoints.count);
    for (size_t i = 0; i < a->endpoints.count; i++) {
        cr_assert_str_eq(a->endpoints.at[i], b->endpoints.at[i]);
    }
}

static void expect_round_trip(cs_token_t *token)
{
    cs_buf_t text = encoded(token);
    cs_token_t back;
    cr_assert_eq(cs_token_decode(cs_buf_slice(&text), &back), CS_OK);
    expect_same(token, &back);
    cs_token_fini(&back);
    cs_buf_fini(&text);
    cs_token_fini(token);
}

Test(token, survives_the_round_trip)
{
    cs_token_t token = sample(2, "tcp://192.168.1.7:24242");
    expect_round_trip(&token);
}

Test(token, survives_the_round_trip_at_every_limit)
{
    char endpoint[CS_ENDPOINT_BYTES_MAX + 1];
    make_endpoint(sizeof endpoint - 1, endpoint);
    cs_token_t token = sample(CS_ENDPOINTS_MAX, endpoint);
    memset(token.folder, 'f', CS_FOLDER_ID_MAX);
    token.folder[CS_FOLDER_ID_MAX] = '\0';
    expect_round_trip(&token);
}

Test(token, is_one_line_of_harmless_characters)
{
    cs_token_t token = sample(1, "tcp://[fe80::1]:1");
    cs_buf_t text = encoded(&token);
    cs_buf_put_u8(&text, 0);
    cr_assert_eq(strspn((char *)text.data,
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789-_:"),
                 text.len - 1);
    cs_buf_fini(&text);
    cs_token_fini(&token);
}

Test(token, blanks_around_it_do_not_matter)
{
    cs_token_t token = sample(1, "tcp://host:1"), back;
    cs_buf_t text = encoded(&token), padded = {0};
    cs_buf_printf(&padded, " \n\t%.*s\r\n", (int)text.len, (char *)text.data);
    cr_assert_eq(cs_token_decode(cs_buf_slice(&padded), &back), CS_OK);
    expect_same(&token, &back);
    cs_buf_fini(&text);
    cs_buf_fini(&padded);
    cs_token_fini(&token);
    cs_token_fini(&back);
}

static cs_err_t decode(cs_slice_t text)
{
    cs_token_t token = {.folder = "as it was"};
    cs_err_t err = cs_token_decode(text, &token);
    if (err != CS_OK) cr_assert_str_eq(token.folder, "as it was");
    if (err == CS_OK) cs_token_fini(&token);
    return err;
}

Test(token, cut_short_or_with_any_character_changed_it_is_malformed)
{
    cs_token_t token = sample(2, "tcp://example.org:24242");
    cs_buf_t text = encoded(&token);
    for (size_t len = 0; len < text.len; len++) {
        cr_assert_eq(decode(cs_slice(text.data, len)), CS_ERR_MALFORMED, "%zu bytes", len);
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t before = text.data[i];
        text.data[i] = before == 'A' ? 'B' : 'A';
        cr_assert_eq(decode(cs_buf_slice(&text)), CS_ERR_MALFORMED, "character %zu", i);
        text.data[i] = before;
    }
    cr_assert_eq(decode(cs_buf_slice(&text)), CS_OK);
    cs_buf_put_u8(&text, 'A');
    cr_assert_eq(decode(cs_buf_slice(&text)), CS_ERR_MALFORMED);
    cs_buf_fini(&text);
    cs_token_fini(&token);
}

/* The text of packed bytes, with a check that is right. */
static cs_buf_t text_of(const cs_buf_t *packed)
{
    cs_buf_t whole = {0}, text = {0};
    uint8_t check[32];
    char base64[4096];
    crypto_generichash(check, sizeof check, packed->data, packed->len, NULL, 0);
    cs_buf_put_slice(&whole, cs_buf_slice(packed));
    cs_buf_put(&whole, check, 4);
    sodium_bin2base64(base64, sizeof base64, whole.data, whole.len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    cs_buf_printf(&text, "crdtsync1:%s", base64);
    cs_buf_fini(&whole);
    return text;
}

static void put_counted(cs_buf_t *buf, const char *text)
{
    cs_buf_put_u8(buf, (uint8_t)strlen(text));
    cs_buf_put(buf, text, strlen(text));
}

static cs_err_t decode_packed(uint8_t version, const char *folder, uint8_t endpoint_count,
                              const char *endpoint, bool surplus)
{
    cs_buf_t packed = {0};
    uint8_t keys[64] = {1};
    cs_buf_put_u8(&packed, version);
    cs_buf_put(&packed, keys, sizeof keys);
    put_counted(&packed, folder);
    cs_buf_put_u8(&packed, endpoint_count);
    for (unsigned i = 0; i < endpoint_count; i++) {
        put_counted(&packed, endpoint);
    }
    if (surplus) cs_buf_put_u8(&packed, 0);
    cs_buf_t text = text_of(&packed);
    cs_err_t err = decode(cs_buf_slice(&text));
    cs_buf_fini(&packed);
    cs_buf_fini(&text);
    return err;
}

Test(token, every_field_is_checked_even_if_the_sum_is_right)
{
    const char *good = "tcp://h:1";
    cr_assert_eq(decode_packed(1, "f", 1, good, false), CS_OK);
    cr_assert_eq(decode_packed(2, "f", 1, good, false), CS_ERR_VERSION);
    cr_assert_eq(decode_packed(1, "", 1, good, false), CS_ERR_MALFORMED);
    cr_assert_eq(decode_packed(1, "a/b", 1, good, false), CS_ERR_MALFORMED);
    cr_assert_eq(decode_packed(1, "f", 0, good, false), CS_ERR_MALFORMED);
    cr_assert_eq(decode_packed(1, "f", 1, "ipc:///etc/passwd", false), CS_ERR_MALFORMED);
    cr_assert_eq(decode_packed(1, "f", 1, "", false), CS_ERR_MALFORMED);
    cr_assert_eq(decode_packed(1, "f", 1, good, true), CS_ERR_MALFORMED);
    cr_assert_eq(decode_packed(1, "f", CS_ENDPOINTS_MAX, good, false), CS_OK);
    cr_assert_eq(decode_packed(1, "f", CS_ENDPOINTS_MAX + 1, good, false), CS_ERR_LIMIT);
    char folder[CS_FOLDER_ID_MAX + 2];
    memset(folder, 'f', sizeof folder);
    folder[sizeof folder - 1] = '\0';
    cr_assert_eq(decode_packed(1, folder, 1, good, false), CS_ERR_LIMIT);
    char endpoint[CS_ENDPOINT_BYTES_MAX + 2];
    make_endpoint(sizeof endpoint - 1, endpoint);
    cr_assert_eq(decode_packed(1, "f", 1, endpoint, false), CS_ERR_LIMIT);
}

Test(token, a_text_longer_than_any_token_is_refused)
{
    cs_buf_t text = {0};
    cs_buf_printf(&text, "crdtsync1:");
    for (unsigned i = 0; i < 4096; i++) {
        cs_buf_put_u8(&text, 'A');
    }
    cr_assert_eq(decode(cs_buf_slice(&text)), CS_ERR_LIMIT);
    cs_buf_fini(&text);
    cr_assert_eq(decode(cs_slice_text("something else")), CS_ERR_MALFORMED);
    cr_assert_eq(decode(cs_slice_text("")), CS_ERR_MALFORMED);
}
