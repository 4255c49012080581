/* json_fuzz.c - any bytes make a document that a JSON library reads, once it is for people. */
#include <jansson.h>
#include <string.h>

#include "io/json_out.h"
#include "support/feed.h"

static void check_value(cs_slice_t bytes, const json_t *document)
{
    const json_t *value = json_object_get(document, "path");
    require(json_is_string(value));
    const json_t *hex = json_object_get(document, "path_hex");
    require((hex == NULL) == cs_utf8_valid(bytes));
    if (hex == NULL) {
        require(json_string_length(value) == bytes.len);
        require(bytes.len == 0 || memcmp(json_string_value(value), bytes.data, bytes.len) == 0);
    } else {
        require(json_string_length(hex) == 2 * bytes.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_slice_t bytes = cs_slice(data, size);
    cs_buf_t shown = {0};
    cs_json_for_people(bytes, &shown); /* any text, a document or not */

    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_path(&json, "path", bytes);
    cs_json_end(&json, '}');
    cs_json_for_people(cs_json_line(&json), &shown);
    json_error_t error;
    json_t *document = json_loadb((const char *)shown.data, shown.len, JSON_ALLOW_NUL, &error);
    check_value(bytes, document);
    json_decref(document);
    cs_json_fini(&json);
    cs_buf_fini(&shown);
    return 0;
}
