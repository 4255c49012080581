/* buf.h - a growing byte buffer, and a reader that checks every bound.
 *
 * Integers are little-endian; varint is LEB128, at most 10 bytes, and only the shortest form is
 * accepted, so that equal values have equal bytes. A reader that once failed stays failed:
 * decode a whole record, then ask once. */
#ifndef CS_BASE_BUF_H
#define CS_BASE_BUF_H

#include <stdarg.h>

#include "base/err.h"
#include "base/str.h"

CS_HEADER_BEGIN

typedef struct cs_buf {
    uint8_t *data; /* owned */
    size_t len, cap;
} cs_buf_t;

cs_buf_t cs_buf_of(size_t cap);   /* empty, with room for exactly so much */
void cs_buf_fini(cs_buf_t *buf);  /* zero-initialise to begin; reusable after */
void cs_buf_clear(cs_buf_t *buf); /* keeps the capacity */
void cs_buf_reserve(cs_buf_t *buf, size_t more);
void cs_buf_put(cs_buf_t *buf, const void *data, size_t len);
void cs_buf_put_slice(cs_buf_t *buf, cs_slice_t slice);
void cs_buf_put_u8(cs_buf_t *buf, uint8_t value);
void cs_buf_put_u16(cs_buf_t *buf, uint16_t value);
void cs_buf_put_u32(cs_buf_t *buf, uint32_t value);
void cs_buf_put_u64(cs_buf_t *buf, uint64_t value);
void cs_buf_put_u32_be(cs_buf_t *buf, uint32_t value); /* keys only: sorts numerically */
void cs_buf_put_u64_be(cs_buf_t *buf, uint64_t value);
void cs_buf_put_varint(cs_buf_t *buf, uint64_t value);
/* A NUL follows the text, beyond buf->len. */
void cs_buf_vprintf(cs_buf_t *buf, const char *format, va_list args) CS_PRINTF(2, 0);
void cs_buf_printf(cs_buf_t *buf, const char *format, ...) CS_PRINTF(2, 3);
cs_slice_t cs_buf_slice(const cs_buf_t *buf);

typedef struct cs_reader {
    const uint8_t *at, *end; /* borrowed */
    cs_err_t err;            /* CS_OK, or the first failure */
} cs_reader_t;

cs_reader_t cs_reader(cs_slice_t slice);
uint8_t cs_read_u8(cs_reader_t *reader); /* 0 once failed, as all below */
uint16_t cs_read_u16(cs_reader_t *reader);
uint32_t cs_read_u32(cs_reader_t *reader);
uint64_t cs_read_u64(cs_reader_t *reader);
uint32_t cs_read_u32_be(cs_reader_t *reader);
uint64_t cs_read_u64_be(cs_reader_t *reader);
uint64_t cs_read_varint(cs_reader_t *reader);
/* A count of things that take at least `min_bytes` each: never more than could follow. */
uint64_t cs_read_count(cs_reader_t *reader, uint64_t max, size_t min_bytes);
cs_slice_t cs_read_bytes(cs_reader_t *reader, size_t len); /* empty once failed */
void cs_read_copy(cs_reader_t *reader, void *ret, size_t len);
void cs_reader_fail(cs_reader_t *reader, cs_err_t err); /* keeps an earlier failure */
size_t cs_reader_left(const cs_reader_t *reader);
/* CS_OK if nothing failed and nothing is left; trailing bytes are CS_ERR_MALFORMED. */
CS_MUST_USE cs_err_t cs_reader_end(const cs_reader_t *reader);

CS_HEADER_END

#endif
