/* token.c - packs, checks and unpacks a token. */
#include "io/token.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"

#define VERSION     1u
#define CHECK_BYTES 4u
/* All of it: key, secret, folder, endpoints, each with its length, version, count, check. */
#define PACKED_MAX \
    (3 + 64 + CS_FOLDER_ID_MAX + CS_ENDPOINTS_MAX * (1 + CS_ENDPOINT_BYTES_MAX) + CHECK_BYTES)
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

static void check_of(cs_slice_t packed, uint8_t ret[CHECK_BYTES])
{
    uint8_t hash[crypto_generichash_BYTES];
    crypto_generichash(hash, sizeof hash, packed.data, packed.len, NULL, 0);
    memcpy(ret, hash, CHECK_BYTES);
}

static void put_text(cs_buf_t *buf, const char *text)
{
    size_t len = strlen(text);
    CS_ASSERT(len <= UINT8_MAX);
    cs_buf_put_u8(buf, (uint8_t)len);
    cs_buf_put(buf, text, len);
}

void cs_token_encode(const cs_token_t *token, cs_buf_t *ret)
{
    cs_buf_t packed = {0};
    uint8_t check[CHECK_BYTES];
    CS_ASSERT(token->endpoints.count >= 1);
    CS_ASSERT(token->endpoints.count <= CS_ENDPOINTS_MAX);
    cs_buf_reserve(&packed, PACKED_MAX);
    cs_buf_put_u8(&packed, VERSION);
    cs_buf_put(&packed, token->server_key, sizeof token->server_key);
    cs_buf_put(&packed, token->secret, sizeof token->secret);
    put_text(&packed, token->folder);
    cs_buf_put_u8(&packed, (uint8_t)token->endpoints.count);
    for (size_t i = 0; i < token->endpoints.count; i++) {
        put_text(&packed, token->endpoints.at[i]);
    }
    check_of(cs_buf_slice(&packed), check);
    cs_buf_put(&packed, check, sizeof check);

    size_t text_len = sodium_base64_encoded_len(packed.len, VARIANT); /* with its NUL */
    cs_buf_clear(ret);
    cs_buf_put(ret, CS_TOKEN_PREFIX, strlen(CS_TOKEN_PREFIX));
    cs_buf_reserve(ret, text_len);
    sodium_bin2base64((char *)ret->data + ret->len, text_len, packed.data, packed.len, VARIANT);
    ret->len += text_len - 1;
    sodium_memzero(packed.data, packed.len);
    cs_buf_fini(&packed);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static cs_slice_t trimmed(cs_slice_t text)
{
    while (text.len > 0 && is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[0])) {
        text = cs_slice(text.data + 1, text.len - 1);
    }
    return text;
}

/* A counted text of 1..max bytes without a NUL. */
static void read_text(cs_reader_t *reader, size_t max, char *ret)
{
    cs_slice_t text = cs_read_bytes(reader, cs_read_u8(reader));
    if (text.len > max) cs_reader_fail(reader, CS_ERR_LIMIT);
    if (text.len == 0 || memchr(text.data, 0, text.len) != NULL) {
        cs_reader_fail(reader, CS_ERR_MALFORMED);
    }
    if (reader->err != CS_OK) return;
    memcpy(ret, text.data, text.len);
    ret[text.len] = '\0';
}

static void read_endpoints(cs_reader_t *reader, cs_strings_t *ret)
{
    char endpoint[CS_ENDPOINT_BYTES_MAX + 1];
    uint8_t count = cs_read_u8(reader);
    if (count > CS_ENDPOINTS_MAX) cs_reader_fail(reader, CS_ERR_LIMIT);
    if (count == 0) cs_reader_fail(reader, CS_ERR_MALFORMED);
    for (uint8_t i = 0; i < count && reader->err == CS_OK; i++) {
        read_text(reader, CS_ENDPOINT_BYTES_MAX, endpoint);
        if (reader->err == CS_OK && cs_check_endpoint(endpoint) != NULL) {
            cs_reader_fail(reader, CS_ERR_MALFORMED);
        }
        if (reader->err == CS_OK) cs_strings_add(ret, endpoint);
    }
}

static cs_err_t unpack(cs_slice_t packed, cs_token_t *ret)
{
    uint8_t check[CHECK_BYTES];
    if (packed.len < CHECK_BYTES) return CS_ERR_MALFORMED;
    packed.len -= CHECK_BYTES;
    check_of(packed, check);
    if (memcmp(check, packed.data + packed.len, CHECK_BYTES) != 0) return CS_ERR_MALFORMED;
    cs_reader_t reader = cs_reader(packed);
    if (cs_read_u8(&reader) != VERSION) cs_reader_fail(&reader, CS_ERR_VERSION);
    cs_read_copy(&reader, ret->server_key, sizeof ret->server_key);
    cs_read_copy(&reader, ret->secret, sizeof ret->secret);
    read_text(&reader, CS_FOLDER_ID_MAX, ret->folder);
    if (reader.err == CS_OK && cs_check_folder_id(ret->folder) != NULL) {
        cs_reader_fail(&reader, CS_ERR_MALFORMED);
    }
    read_endpoints(&reader, &ret->endpoints);
    return cs_reader_end(&reader);
}

cs_err_t cs_token_decode(cs_slice_t text, cs_token_t *ret)
{
    uint8_t packed[PACKED_MAX];
    size_t len = 0;
    cs_slice_t prefix = cs_slice_text(CS_TOKEN_PREFIX);
    cs_token_t token = {.endpoints = {0}};
    text = trimmed(text);
    if (!cs_slice_has_prefix(text, prefix)) return CS_ERR_MALFORMED;
    if (text.len > prefix.len + sodium_base64_ENCODED_LEN(PACKED_MAX, VARIANT)) {
        return CS_ERR_LIMIT;
    }
    const char *base64 = (const char *)text.data + prefix.len;
    const char *end;
    if (sodium_base642bin(packed, sizeof packed, base64, text.len - prefix.len, NULL, &len,
                          &end, VARIANT) != 0 ||
        end != (const char *)text.data + text.len) {
        return CS_ERR_MALFORMED;
    }
    cs_err_t err = unpack(cs_slice(packed, len), &token);
    sodium_memzero(packed, sizeof packed);
    if (err == CS_OK) {
        *ret = token;
    } else {
        cs_token_fini(&token);
    }
    return err;
}

void cs_token_fini(cs_token_t *token)
{
    cs_strings_fini(&token->endpoints);
    sodium_memzero(token, sizeof *token);
}
