/* json_out_test.c - documents that any reader of JSON takes, whatever bytes names are. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "io/json_out.h"
#include "support/seed.h"

static void expect(cs_json_t *json, const char *text)
{
    cs_slice_t line = cs_json_line(json);
    cr_assert_eq(line.len, strlen(text), "%.*s", (int)line.len, (const char *)line.data);
    cr_assert_eq(memcmp(line.data, text, line.len), 0, "%.*s", (int)line.len,
                 (const char *)line.data);
    cs_json_fini(json);
}

Test(json_out, puts_commas_between_and_nowhere_else)
{
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_u64(&json, "a", 1);
    cs_json_key(&json, "list");
    cs_json_begin(&json, '[');
    cs_json_begin(&json, '{');
    cs_json_end(&json, '}');
    cs_json_begin(&json, '[');
    cs_json_end(&json, ']');
    cs_json_text(&json, NULL);
    cs_json_bool(&json, false);
    cs_json_end(&json, ']');
    cs_json_key(&json, "s");
    cs_json_thousandths(&json, 1005);
    cs_json_end(&json, '}');
    expect(&json, "{\"a\":1,\"list\":[{},[],null,false],\"s\":1.005}");
}

Test(json_out, escapes_what_json_forbids)
{
    cs_json_t json = {0};
    cs_json_text(&json, "a\"b\\c\nd\x7f");
    expect(&json, "\"a\\\"b\\\\c\\u000ad\\u007f\"");
}

Test(json_out, bytes_that_are_no_utf8_become_lone_surrogates)
{
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_path(&json, "path",
                     cs_slice("b\xff"
                              "d",
                              3));
    cs_json_end(&json, '}');
    expect(&json, "{\"path\":\"b\\udcffd\",\"path_hex\":\"62ff64\"}");
}

Test(json_out, a_valid_path_has_no_hex_beside_it)
{
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_path(&json, "path", cs_slice_text("gr\xc3\xbc\xc3\x9f/\xf0\x9f\x8c\x8d"));
    cs_json_end(&json, '}');
    expect(&json, "{\"path\":\"gr\xc3\xbc\xc3\x9f/\xf0\x9f\x8c\x8d\"}");
}

Test(json_out, knows_utf8_as_the_standard_has_it)
{
    static const char *const bad[] = {
        "\x80",             /* a tail alone */
        "\xc0\xaf",         /* longer than needed */
        "\xe0\x80\xaf",     /* the same */
        "\xf0\x80\x80\xaf", /* the same */
        "\xed\xa0\x80",     /* a surrogate */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xf5\x80\x80\x80", /* the same */
        "\xe2\x82",         /* cut short */
        "\xff",
    };
    for (size_t i = 0; i < CS_COUNT_OF(bad); i++)
        cr_assert_not(cs_utf8_valid(cs_slice_text(bad[i])), "%zu", i);
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < CS_COUNT_OF(good); i++)
        cr_assert(cs_utf8_valid(cs_slice_text(good[i])), "%zu", i);
}

/* What a person is shown of `bytes`: each byte that is no UTF-8 as \xHH. */
static void for_people(cs_slice_t bytes, cs_buf_t *ret)
{
    for (size_t i = 0; i < bytes.len;) {
        cs_slice_t rest = cs_slice(bytes.data + i, bytes.len - i);
        size_t len = cs_utf8_next(rest);
        if (len == 0) {
            cs_buf_printf(ret, "\\x%02x", (unsigned)bytes.data[i]);
            len = 1;
        } else {
            cs_buf_put(ret, rest.data, len);
        }
        i += len;
    }
}

/* Bytes that come often in what goes wrong: halves of letters, quotes, escapes. */
static void random_name(cs_prng_t *prng, cs_buf_t *ret)
{
    static const char *const pieces[] = {"\\",
                                         "\"",
                                         "\\udc",
                                         "\xc3\xbc",
                                         "\xc3",
                                         "\xed\xb3\xbf",
                                         "\n",
                                         "a",
                                         "\xff",
                                         "\x80",
                                         "\xf0\x9f\x8c\x8d",
                                         "u",
                                         "x"};
    size_t count = (size_t)cs_prng_below(prng, 12);
    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[cs_prng_below(prng, CS_COUNT_OF(pieces))];
        cs_buf_put(ret, piece, strlen(piece));
    }
}

Test(json_out, whatever_the_name_people_and_json_readers_get_it)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("json_out"));
    for (int round = 0; round < 20000; round++) {
        cs_buf_t name = {0}, text = {0}, want = {0};
        cs_json_t json = {0};
        random_name(&prng, &name);
        cs_json_begin(&json, '[');
        cs_json_bytes(&json, cs_buf_slice(&name));
        cs_json_end(&json, ']');
        cs_json_for_people(cs_json_line(&json), &text);
        json_t *parsed = json_loadb((const char *)text.data, text.len, 0, NULL);
        cr_assert_not_null(parsed, "%.*s", (int)text.len, (const char *)text.data);
        const json_t *item = json_array_get(parsed, 0);
        for_people(cs_buf_slice(&name), &want);
        cs_slice_t got = cs_slice(json_string_value(item), json_string_length(item));
        cr_assert(cs_slice_eq(got, cs_buf_slice(&want)), "%.*s", (int)got.len,
                  (const char *)got.data);
        json_decref(parsed);
        cs_json_fini(&json);
        cs_buf_fini(&name);
        cs_buf_fini(&text);
        cs_buf_fini(&want);
    }
}
