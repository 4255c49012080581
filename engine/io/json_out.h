/* json_out.h - writes JSON documents of one line.
 *
 * Paths are bytes. Each byte that is no part of valid UTF-8 becomes the escape \udcXX, as in
 * Python's surrogateescape, which no JSON library of C can write: hence this one. Everything
 * else is plain UTF-8; commas are put by the writer. */
#ifndef CS_IO_JSON_OUT_H
#define CS_IO_JSON_OUT_H

#include "base/buf.h"

CS_HEADER_BEGIN

/* Zero-initialise; the document is in buf. */
typedef struct cs_json {
    cs_buf_t buf;
    bool comma; /* the next value or key is not the first of its list */
} cs_json_t;

void cs_json_begin(cs_json_t *json, char bracket); /* '{' or '[' */
void cs_json_end(cs_json_t *json, char bracket);   /* '}' or ']' */
void cs_json_key(cs_json_t *json, const char *key);
cs_slice_t cs_json_line(const cs_json_t *json); /* borrowed */
void cs_json_fini(cs_json_t *json);

void cs_json_bytes(cs_json_t *json, cs_slice_t bytes);
void cs_json_text(cs_json_t *json, const char *text);      /* NULL: null */
void cs_json_thousandths(cs_json_t *json, uint64_t value); /* 1005: 1.005 */
void cs_json_bool(cs_json_t *json, bool value);
void cs_json_hex(cs_json_t *json, const void *data, size_t len);

/* With their key. */
void cs_json_put_bytes(cs_json_t *json, const char *key, cs_slice_t bytes);
void cs_json_put_text(cs_json_t *json, const char *key, const char *text);
void cs_json_put_u64(cs_json_t *json, const char *key, uint64_t value);
void cs_json_put_bool(cs_json_t *json, const char *key, bool value);
void cs_json_put_hex(cs_json_t *json, const char *key, const void *data, size_t len);
/* "KEY": as bytes, and "KEY_hex" if they are not valid UTF-8. */
void cs_json_put_path(cs_json_t *json, const char *key, cs_slice_t path);

/* Length of the valid UTF-8 sequence that `text` begins with, 0 if it begins with none. */
size_t cs_utf8_next(cs_slice_t text);
bool cs_utf8_valid(cs_slice_t text);

/* A document as a JSON library takes it: each lone \udcXX becomes the four characters \xXX,
 * which is how people are shown such a byte. Replaces ret. */
void cs_json_for_people(cs_slice_t document, cs_buf_t *ret);

CS_HEADER_END

#endif
