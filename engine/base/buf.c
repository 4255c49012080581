/* buf.c - the growing buffer and the checked reader. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define VARINT_BYTES_MAX 10u /* 64 bits, 7 a byte */
#define FIRST_BYTES      64u /* of a buffer: a key or a name, without growing on the way */

cs_buf_t cs_buf_of(size_t cap)
{
    return (cs_buf_t){.data = cs_malloc(cap), .cap = cap};
}

void cs_buf_fini(cs_buf_t *buf)
{
    cs_free(buf->data);
    *buf = (cs_buf_t){0};
}

void cs_buf_clear(cs_buf_t *buf)
{
    buf->len = 0;
}

static void grow(cs_buf_t *buf, size_t more)
{
    CS_ASSERT(more <= SIZE_MAX - buf->len);
    size_t cap = cs_grow(buf->cap == 0 ? FIRST_BYTES : buf->cap, buf->len + more);
    buf->data = cs_realloc_array(buf->data, cap, 1);
    buf->cap = cap;
}

void cs_buf_reserve(cs_buf_t *buf, size_t more)
{
    if (buf->cap - buf->len < more) grow(buf, more);
}

void cs_buf_put(cs_buf_t *buf, const void *data, size_t len)
{
    if (len == 0) return;
    if (buf->cap - buf->len < len) grow(buf, len);
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void cs_buf_put_slice(cs_buf_t *buf, cs_slice_t slice)
{
    cs_buf_put(buf, slice.data, slice.len);
}

void cs_buf_put_u8(cs_buf_t *buf, uint8_t value)
{
    if (buf->cap == buf->len) grow(buf, 1);
    buf->data[buf->len++] = value;
}

static void put_le(cs_buf_t *buf, uint64_t value, size_t len)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
    cs_buf_put(buf, bytes, len);
}

static void put_be(cs_buf_t *buf, uint64_t value, size_t len)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < len; i++) {
        bytes[len - 1 - i] = (uint8_t)(value >> (8 * i));
    }
    cs_buf_put(buf, bytes, len);
}

void cs_buf_put_u16(cs_buf_t *buf, uint16_t value)
{
    put_le(buf, value, 2);
}

void cs_buf_put_u32(cs_buf_t *buf, uint32_t value)
{
    put_le(buf, value, 4);
}

void cs_buf_put_u64(cs_buf_t *buf, uint64_t value)
{
    put_le(buf, value, 8);
}

void cs_buf_put_u32_be(cs_buf_t *buf, uint32_t value)
{
    put_be(buf, value, 4);
}

void cs_buf_put_u64_be(cs_buf_t *buf, uint64_t value)
{
    put_be(buf, value, 8);
}

void cs_buf_put_varint(cs_buf_t *buf, uint64_t value)
{
    uint8_t bytes[VARINT_BYTES_MAX];
    size_t len = 0;
    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    cs_buf_put(buf, bytes, len);
}

void cs_buf_vprintf(cs_buf_t *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    cs_buf_reserve(buf, FIRST_BYTES);
    size_t room = buf->cap - buf->len;
    /* The analyzer does not see the va_start of the caller.
     * NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    int len = vsnprintf((char *)buf->data + buf->len, room, format, args);
    CS_ASSERT(len >= 0);
    if ((size_t)len >= room) { /* vsnprintf writes a NUL behind the text */
        cs_buf_reserve(buf, (size_t)len + 1);
        vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
    }
    va_end(again);
    buf->len += (size_t)len;
}

void cs_buf_printf(cs_buf_t *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cs_buf_vprintf(buf, format, args);
    va_end(args);
}

cs_slice_t cs_buf_slice(const cs_buf_t *buf)
{
    return cs_slice(buf->data, buf->len);
}

cs_reader_t cs_reader(cs_slice_t slice)
{
    const uint8_t *end = slice.len == 0 ? slice.data : slice.data + slice.len;
    return (cs_reader_t){.at = slice.data, .end = end, .err = CS_OK};
}

void cs_reader_fail(cs_reader_t *reader, cs_err_t err)
{
    CS_ASSERT(err != CS_OK);
    if (reader->err == CS_OK) reader->err = err;
    reader->at = reader->end;
}

size_t cs_reader_left(const cs_reader_t *reader)
{
    return reader->at == reader->end ? 0 : (size_t)(reader->end - reader->at);
}

cs_slice_t cs_read_bytes(cs_reader_t *reader, size_t len)
{
    if (len > cs_reader_left(reader)) {
        cs_reader_fail(reader, CS_ERR_MALFORMED);
        return cs_slice(reader->at, 0);
    }
    cs_slice_t bytes = cs_slice(reader->at, len);
    if (len > 0) reader->at += len;
    return bytes;
}

void cs_read_copy(cs_reader_t *reader, void *ret, size_t len)
{
    cs_slice_t bytes = cs_read_bytes(reader, len);
    if (bytes.len > 0) {
        memcpy(ret, bytes.data, len);
    } else if (len > 0) {
        memset(ret, 0, len);
    }
}

static uint64_t read_le(cs_reader_t *reader, size_t len)
{
    cs_slice_t bytes = cs_read_bytes(reader, len);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value |= (uint64_t)bytes.data[i] << (8 * i);
    }
    return value;
}

static uint64_t read_be(cs_reader_t *reader, size_t len)
{
    cs_slice_t bytes = cs_read_bytes(reader, len);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | bytes.data[i];
    }
    return value;
}

uint8_t cs_read_u8(cs_reader_t *reader)
{
    return (uint8_t)read_le(reader, 1);
}

uint16_t cs_read_u16(cs_reader_t *reader)
{
    return (uint16_t)read_le(reader, 2);
}

uint32_t cs_read_u32(cs_reader_t *reader)
{
    return (uint32_t)read_le(reader, 4);
}

uint64_t cs_read_u64(cs_reader_t *reader)
{
    return read_le(reader, 8);
}

uint32_t cs_read_u32_be(cs_reader_t *reader)
{
    return (uint32_t)read_be(reader, 4);
}

uint64_t cs_read_u64_be(cs_reader_t *reader)
{
    return read_be(reader, 8);
}

uint64_t cs_read_varint(cs_reader_t *reader)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && reader->at != reader->end; i++) {
        uint8_t byte = *reader->at++;
        bool overflows = i + 1 == VARINT_BYTES_MAX && byte > 1;
        bool padded = i > 0 && byte == 0;
        if (overflows || padded) break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) return value;
    }
    cs_reader_fail(reader, CS_ERR_MALFORMED);
    return 0;
}

uint64_t cs_read_count(cs_reader_t *reader, uint64_t max, size_t min_bytes)
{
    CS_ASSERT(min_bytes > 0);
    uint64_t count = cs_read_varint(reader);
    if (count > max) {
        cs_reader_fail(reader, CS_ERR_LIMIT);
    } else if (count > cs_reader_left(reader) / min_bytes) {
        cs_reader_fail(reader, CS_ERR_MALFORMED);
    }
    return reader->err == CS_OK ? count : 0;
}

cs_err_t cs_reader_end(const cs_reader_t *reader)
{
    if (reader->err != CS_OK) return reader->err;
    return reader->at == reader->end ? CS_OK : CS_ERR_MALFORMED;
}
