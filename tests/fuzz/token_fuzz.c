/* token_fuzz.c - a text that is a token is exactly what encoding it gives. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "io/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

static void try_text(cs_slice_t text)
{
    cs_token_t token;
    if (cs_token_decode(text, &token) != CS_OK) return;
    cs_buf_t again = {0};
    cs_token_encode(&token, &again);
    while (text.len > 0 && strchr(" \t\r\n", text.data[0]) != NULL) {
        text = cs_slice(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1]) != NULL) {
        text.len--;
    }
    require(cs_slice_eq(text, cs_buf_slice(&again)));
    cs_buf_fini(&again);
    cs_token_fini(&token);
}

/* Bytes with a right check: otherwise nothing would get past it. */
static void try_packed(cs_slice_t packed)
{
    uint8_t check[32];
    char base64[4096];
    cs_buf_t whole = {0}, text = {0};
    if (packed.len > 2048) return;
    crypto_generichash(check, sizeof check, packed.data, packed.len, NULL, 0);
    cs_buf_put_slice(&whole, packed);
    cs_buf_put(&whole, check, 4);
    sodium_bin2base64(base64, sizeof base64, whole.data, whole.len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    cs_buf_printf(&text, CS_TOKEN_PREFIX "%s", base64);
    try_text(cs_buf_slice(&text));
    cs_buf_fini(&whole);
    cs_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_text(cs_slice(data, size));
    try_packed(cs_slice(data, size));
    return 0;
}
