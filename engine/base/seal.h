/* seal.h - a checksum at the end of every stored value.
 *
 * LevelDB does not verify its log on repair and may return values damaged on disk (limits.md
 * 4), so values carry an XXH64 of their own: against rot, not against malice. */
#ifndef CS_BASE_SEAL_H
#define CS_BASE_SEAL_H

#include "base/buf.h"

#define CS_SEAL_BYTES 8u

/* Append the checksum (u64, little-endian) of what `buf` holds from offset `from` on. */
void cs_seal_append(cs_buf_t *buf, size_t from);

/* ret_payload: `value` without its seal, borrowed. CS_ERR_CORRUPT: too short, or it does not
 * match; ret_payload is left alone. */
CS_MUST_USE cs_err_t cs_seal_check(cs_slice_t value, cs_slice_t *ret_payload);

#endif
