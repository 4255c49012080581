/* feed.h - a fuzz input taken apart piece by piece: numbers, and bytes with their length before
 * them. What is missing at the end reads as zeros and as nothing. */
#ifndef CS_TESTS_SUPPORT_FEED_H
#define CS_TESTS_SUPPORT_FEED_H

#include <stdlib.h>

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool condition)
{
    if (!condition) abort();
}

/* u8 length, 255: u16 length. */
static inline cs_slice_t feed_bytes(cs_reader_t *feed)
{
    size_t len = cs_read_u8(feed);
    if (len == 255) len = cs_read_u16(feed);
    if (len > cs_reader_left(feed)) len = cs_reader_left(feed);
    return cs_read_bytes(feed, len);
}

#endif
