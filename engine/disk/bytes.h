/* bytes.h - bytes of open files: read, hashed, written, copied. What is zeros stays, or
 * becomes, a hole. */
#ifndef CS_DISK_BYTES_H
#define CS_DISK_BYTES_H

#include "disk/fs.h"
#include "xfer/content.h"

#define CS_FILE_BUFFER_BYTES (256u << 10) /* of one read: a chunk of average size */

/* Holes begin and end at multiples of it, on nearly every file system. */
#define CS_BLOCK_BYTES 4096u

bool cs_bytes_are_zero(cs_slice_t bytes);

/* Asked between reads; may be NULL. */
typedef bool (*cs_cancelled_t)(void *arg);

/* A file read from one end to the other. */
typedef struct cs_pass {
    cs_file_t *file;
    uint64_t from, size; /* bytes [from, size) */
    uint8_t *buffer;     /* CS_FILE_BUFFER_BYTES */
    cs_cancelled_t cancelled;
    void *cancel_arg;
} cs_pass_t;

/* One read: up to CS_FILE_BUFFER_BYTES from `at` < size on. CS_ERR_CHANGED: the file is
 * shorter.
 */
CS_MUST_USE cs_err_t cs_pass_read(const cs_pass_t *pass, uint64_t at, uint8_t *data,
                                  size_t *ret_len);
/* Hands the bytes to the hasher; holes are not read. CS_ERR_CHANGED: the file is shorter.
 * CS_ERR_AGAIN: cancelled. */
CS_MUST_USE cs_err_t cs_file_hash(const cs_pass_t *pass, cs_content_hasher_t *hasher);
/* The same in some other way: with threads. */
typedef cs_err_t cs_file_hash_t(const cs_pass_t *pass, cs_content_hasher_t *hasher);
/* cs_file_hash, and writes them to `to`, which is all one hole: what is hashed is what is
 * written, whatever happens to the file. */
CS_MUST_USE cs_err_t cs_file_copy(const cs_pass_t *pass, cs_file_t *to,
                                  cs_content_hasher_t *hasher);

/* Writes bytes below the size of a file. Runs of CS_HOLE_MIN zeros become holes. NOSPACE. */
CS_MUST_USE cs_err_t cs_file_put(cs_file_t *file, uint64_t offset, cs_slice_t bytes);

#endif
