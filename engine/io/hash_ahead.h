/* hash_ahead.h - a large file is read and cut by one thread, and digested by another. */
#ifndef CS_IO_HASH_AHEAD_H
#define CS_IO_HASH_AHEAD_H

#include "disk/bytes.h"

#define CS_AHEAD_MIN (8u << 20) /* a smaller file is done before a thread has begun */

/* As cs_file_hash. The caller's thread digests, asks whether it is cancelled, and calls the
 * hasher's sink; the file is read by another until this returns. From the first hole on all is
 * done here. Takes 1 MiB of memory. */
CS_MUST_USE cs_err_t cs_file_hash_ahead(const cs_pass_t *pass, cs_content_hasher_t *hasher);

#endif
