/* json_out.c - see json_out.h. */
#include "io/json_out.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

static void separate(cs_json_t *json)
{
    if (json->comma) cs_buf_put_u8(&json->buf, ',');
    json->comma = true;
}

void cs_json_begin(cs_json_t *json, char bracket)
{
    separate(json);
    cs_buf_put_u8(&json->buf, (uint8_t)bracket);
    json->comma = false;
}

void cs_json_end(cs_json_t *json, char bracket)
{
    cs_buf_put_u8(&json->buf, (uint8_t)bracket);
    json->comma = true;
}

void cs_json_key(cs_json_t *json, const char *key)
{
    cs_json_text(json, key);
    cs_buf_put_u8(&json->buf, ':');
    json->comma = false;
}

cs_slice_t cs_json_line(const cs_json_t *json)
{
    return cs_buf_slice(&json->buf);
}

void cs_json_fini(cs_json_t *json)
{
    cs_buf_fini(&json->buf);
    *json = (cs_json_t){0};
}

/* --- UTF-8 */

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

size_t cs_utf8_next(cs_slice_t text)
{
    if (text.len == 0) return 0;
    const uint8_t *at = text.data;
    if (at[0] < 0x80) return 1;
    if (text.len < 2 || !is_tail(at[1])) return 0;
    if (at[0] >= 0xc2 && at[0] <= 0xdf) return 2;
    if (text.len < 3 || !is_tail(at[2])) return 0;
    /* No longer form than needed, no surrogates. */
    if (at[0] == 0xe0) return at[1] >= 0xa0 ? 3 : 0;
    if (at[0] == 0xed) return at[1] < 0xa0 ? 3 : 0;
    if (at[0] >= 0xe1 && at[0] <= 0xef) return 3;
    if (text.len < 4 || !is_tail(at[3])) return 0;
    if (at[0] == 0xf0) return at[1] >= 0x90 ? 4 : 0;
    if (at[0] == 0xf4) return at[1] < 0x90 ? 4 : 0;
    return at[0] >= 0xf1 && at[0] <= 0xf3 ? 4 : 0;
}

bool cs_utf8_valid(cs_slice_t text)
{
    while (text.len > 0) {
        size_t len = cs_utf8_next(text);
        if (len == 0) return false;
        text = cs_slice(text.data + len, text.len - len);
    }
    return true;
}

/* --- values */

static void put_ascii(cs_buf_t *buf, uint8_t byte)
{
    if (byte == '"' || byte == '\\') {
        cs_buf_put_u8(buf, '\\');
        cs_buf_put_u8(buf, byte);
    } else if (byte < 0x20 || byte == 0x7f) {
        cs_buf_printf(buf, "\\u%04x", (unsigned)byte);
    } else {
        cs_buf_put_u8(buf, byte);
    }
}

void cs_json_bytes(cs_json_t *json, cs_slice_t bytes)
{
    separate(json);
    cs_buf_put_u8(&json->buf, '"');
    while (bytes.len > 0) {
        size_t len = cs_utf8_next(bytes);
        if (len == 0) {
            cs_buf_printf(&json->buf, "\\udc%02x", (unsigned)bytes.data[0]);
            len = 1;
        } else if (len == 1) {
            put_ascii(&json->buf, bytes.data[0]);
        } else {
            cs_buf_put(&json->buf, bytes.data, len);
        }
        bytes = cs_slice(bytes.data + len, bytes.len - len);
    }
    cs_buf_put_u8(&json->buf, '"');
}

void cs_json_text(cs_json_t *json, const char *text)
{
    if (text != NULL) {
        cs_json_bytes(json, cs_slice_text(text));
        return;
    }
    separate(json);
    cs_buf_put(&json->buf, "null", 4);
}

void cs_json_thousandths(cs_json_t *json, uint64_t value)
{
    separate(json);
    cs_buf_printf(&json->buf, "%llu.%03u", (unsigned long long)(value / 1000),
                  (unsigned)(value % 1000));
}

void cs_json_bool(cs_json_t *json, bool value)
{
    separate(json);
    const char *text = value ? "true" : "false";
    cs_buf_put(&json->buf, text, strlen(text));
}

void cs_json_hex(cs_json_t *json, const void *data, size_t len)
{
    char *text = cs_malloc(2 * len + 1);
    cs_hex(text, data, len);
    cs_json_bytes(json, cs_slice(text, 2 * len));
    cs_free(text);
}

void cs_json_put_bytes(cs_json_t *json, const char *key, cs_slice_t bytes)
{
    cs_json_key(json, key);
    cs_json_bytes(json, bytes);
}

void cs_json_put_text(cs_json_t *json, const char *key, const char *text)
{
    cs_json_key(json, key);
    cs_json_text(json, text);
}

void cs_json_put_u64(cs_json_t *json, const char *key, uint64_t value)
{
    cs_json_key(json, key);
    separate(json);
    cs_buf_printf(&json->buf, "%llu", (unsigned long long)value);
}

void cs_json_put_bool(cs_json_t *json, const char *key, bool value)
{
    cs_json_key(json, key);
    cs_json_bool(json, value);
}

void cs_json_put_hex(cs_json_t *json, const char *key, const void *data, size_t len)
{
    cs_json_key(json, key);
    cs_json_hex(json, data, len);
}

void cs_json_put_path(cs_json_t *json, const char *key, cs_slice_t path)
{
    cs_json_put_bytes(json, key, path);
    if (cs_utf8_valid(path)) return;
    char hex_key[64];
    snprintf(hex_key, sizeof hex_key, "%s_hex", key);
    cs_json_put_hex(json, hex_key, path.data, path.len);
}

/* --- for people */

static bool is_byte_escape(const uint8_t *at, size_t left)
{
    return left >= 6 && memcmp(at, "\\udc", 4) == 0;
}

void cs_json_for_people(cs_slice_t document, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    for (size_t i = 0; i < document.len; i++) {
        const uint8_t *at = document.data + i;
        if (is_byte_escape(at, document.len - i)) {
            cs_buf_printf(ret, "\\\\x%c%c", at[4], at[5]);
            i += 5;
        } else if (at[0] == '\\' && i + 1 < document.len) {
            cs_buf_put(ret, at, 2); /* an escaped backslash begins nothing */
            i++;
        } else {
            cs_buf_put_u8(ret, at[0]);
        }
    }
}
