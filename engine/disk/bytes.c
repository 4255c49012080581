/* bytes.c - see bytes.h. */
#include "disk/bytes.h"

#include <string.h>

#include "base/limits.h"

/* Holes begin and end at multiples of it, on nearly every file system. */
#define BLOCK_BYTES 4096u

bool cs_bytes_are_zero(cs_slice_t bytes)
{
    return bytes.len == 0 ||
           (bytes.data[0] == 0 && memcmp(bytes.data, bytes.data + 1, bytes.len - 1) == 0);
}

cs_err_t cs_file_read_all(cs_file_t *file, uint64_t offset, void *data, size_t len,
                          size_t *ret_len)
{
    size_t total = 0;
    while (total < len) {
        size_t got = 0;
        cs_err_t err =
            file->ops->read(file, offset + total, (uint8_t *)data + total, len - total, &got);
        if (err != CS_OK) return err;
        if (got == 0) break;
        total += got;
    }
    *ret_len = total;
    return CS_OK;
}

cs_err_t cs_file_hash(cs_file_t *file, uint64_t size, uint8_t *buffer, cs_cancelled_t cancelled,
                      void *cancel_arg, cs_content_hasher_t *hasher)
{
    uint64_t data_at = 0; /* no hole is known from here on */
    for (uint64_t at = 0; at < size;) {
        if (cancelled != NULL && cancelled(cancel_arg)) return CS_ERR_AGAIN;
        cs_err_t err = CS_OK;
        if (at >= data_at && size - at >= CS_HOLE_MIN) {
            err = file->ops->next_data(file, at, &data_at);
        }
        if (err != CS_OK) return err;
        if (data_at > at) {
            uint64_t end = data_at < size ? data_at : size;
            cs_content_hasher_zeros(hasher, end - at);
            at = end;
            continue;
        }
        size_t len =
            size - at < CS_FILE_BUFFER_BYTES ? (size_t)(size - at) : CS_FILE_BUFFER_BYTES;
        size_t got = 0;
        err = file->ops->read(file, at, buffer, len, &got);
        if (err != CS_OK) return err;
        if (got < len) return CS_ERR_CHANGED;
        cs_content_hasher_update(hasher, cs_slice(buffer, got));
        at += got;
    }
    return CS_OK;
}

/* --- writing */

/* How many of the first bytes are zeros, or (*ret_zero false) in blocks that have others. */
static size_t run_of(uint64_t offset, cs_slice_t bytes, bool *ret_zero)
{
    size_t len = 0;
    *ret_zero = false;
    while (len < bytes.len) {
        size_t block = (size_t)(BLOCK_BYTES - (offset + len) % BLOCK_BYTES);
        if (block > bytes.len - len) block = bytes.len - len;
        bool zero = cs_bytes_are_zero(cs_slice(bytes.data + len, block));
        if (len == 0) *ret_zero = zero;
        if (zero != *ret_zero) break;
        len += block;
    }
    return len;
}

cs_err_t cs_file_put(cs_file_t *file, uint64_t offset, cs_slice_t bytes)
{
    size_t done = 0, pending = 0; /* pending: looked at, not written, behind `done` */
    cs_err_t err = CS_OK;
    while (err == CS_OK && done + pending < bytes.len) {
        bool zero;
        size_t at = done + pending;
        size_t len = run_of(offset + at, cs_slice(bytes.data + at, bytes.len - at), &zero);
        if (!zero || len < CS_HOLE_MIN) {
            pending += len;
            continue;
        }
        if (pending > 0) {
            err = file->ops->write(file, offset + done, bytes.data + done, pending);
        }
        if (err == CS_OK) err = file->ops->write_zeros(file, offset + at, len);
        done = at + len;
        pending = 0;
    }
    if (err != CS_OK || pending == 0) return err;
    return file->ops->write(file, offset + done, bytes.data + done, pending);
}
