/* bytes.c - see bytes.h. */
#include "disk/bytes.h"

#include <string.h>

#include "base/limits.h"

bool cs_bytes_are_zero(cs_slice_t bytes)
{
    return bytes.len == 0 ||
           (bytes.data[0] == 0 && memcmp(bytes.data, bytes.data + 1, bytes.len - 1) == 0);
}

cs_err_t cs_pass_read(const cs_pass_t *pass, uint64_t at, uint8_t *data, size_t *ret_len)
{
    uint64_t left = pass->size - at;
    size_t len = left < CS_FILE_BUFFER_BYTES ? (size_t)left : CS_FILE_BUFFER_BYTES;
    cs_err_t err = pass->file->ops->read(pass->file, at, data, len, ret_len);
    return err == CS_OK && *ret_len < len ? CS_ERR_CHANGED : err;
}

/* What is at `at`, *ret_len bytes. to NULL: they are only hashed. */
static cs_err_t pass_bytes(const cs_pass_t *pass, uint64_t at, cs_file_t *to,
                           cs_content_hasher_t *hasher, size_t *ret_len)
{
    cs_err_t err = cs_pass_read(pass, at, pass->buffer, ret_len);
    if (err != CS_OK) return err;
    cs_content_hasher_update(hasher, cs_slice(pass->buffer, *ret_len));
    return to == NULL ? CS_OK : to->ops->write(to, at, pass->buffer, *ret_len);
}

static cs_err_t run_pass(const cs_pass_t *pass, cs_file_t *to, cs_content_hasher_t *hasher)
{
    uint64_t data_at = 0; /* no hole is known from here on */
    for (uint64_t at = pass->from; at < pass->size;) {
        if (pass->cancelled != NULL && pass->cancelled(pass->cancel_arg)) return CS_ERR_AGAIN;
        cs_err_t err = CS_OK;
        if (at >= data_at && pass->size - at >= CS_HOLE_MIN) {
            err = pass->file->ops->next_data(pass->file, at, &data_at);
        }
        size_t got = 0;
        if (err == CS_OK && data_at > at) {
            uint64_t end = data_at < pass->size ? data_at : pass->size;
            cs_content_hasher_zeros(hasher, end - at);
            at = end;
        } else if (err == CS_OK) {
            err = pass_bytes(pass, at, to, hasher, &got);
        }
        if (err != CS_OK) return err;
        at += got;
    }
    return CS_OK;
}

cs_err_t cs_file_hash(const cs_pass_t *pass, cs_content_hasher_t *hasher)
{
    return run_pass(pass, NULL, hasher);
}

cs_err_t cs_file_copy(const cs_pass_t *pass, cs_file_t *to, cs_content_hasher_t *hasher)
{
    return run_pass(pass, to, hasher);
}

/* --- writing */

/* How many of the first bytes are zeros, or (*ret_zero false) in blocks that have others. */
static size_t run_of(uint64_t offset, cs_slice_t bytes, bool *ret_zero)
{
    size_t len = 0;
    *ret_zero = false;
    while (len < bytes.len) {
        size_t block = (size_t)(CS_BLOCK_BYTES - (offset + len) % CS_BLOCK_BYTES);
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
