/* part.h - the symbols of a part of the rows: of those digests whose top bits are a number
 * (core.md 8.1). A contiguous range of d/, read once. */
#ifndef CS_RECON_PART_H
#define CS_RECON_PART_H

#include "recon/recon.h"

/* bits: 0 (everything) to CS_PART_BITS_MAX; index < 2^bits. `count` symbols, or as many as are
 * told of so many items if count is 0. ret replaced; empty after an error of the store. */
CS_MUST_USE cs_err_t cs_part_encode(const cs_recon_t *recon, uint32_t bits, uint64_t index,
                                    size_t count, cs_symbols_t *ret, uint64_t *ret_n);

#endif
