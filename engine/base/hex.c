/* hex.c - apart from digests, for programs without libsodium. */
#include "base/digest.h"

void cs_hex(char *ret, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * len] = '\0';
}

/* 0..15, or 16 for anything but a digit. */
static unsigned hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f') return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return (unsigned)(c - 'A') + 10;
    return 16;
}

bool cs_unhex(void *ret, size_t len, cs_slice_t text)
{
    if (text.len % 2 != 0 || text.len / 2 != len) return false;
    uint8_t *bytes = ret;
    for (size_t i = 0; i < len; i++) {
        unsigned high = hex_digit(text.data[2 * i]), low = hex_digit(text.data[2 * i + 1]);
        if (high > 15 || low > 15) return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
