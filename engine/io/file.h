/* file.h - small files read whole, and written whole and atomically. */
#ifndef CS_IO_FILE_H
#define CS_IO_FILE_H

#include "base/buf.h"

#define CS_FILE_BYTES_MAX (1u << 20) /* a home's files are far smaller */

/* All errors: "what failed: why; what to do" in ret_detail. */

/* Replaces ret. CS_ERR_NOT_FOUND; CS_ERR_LIMIT: larger than CS_FILE_BYTES_MAX. */
CS_MUST_USE cs_err_t cs_file_read(const char *path, cs_buf_t *ret, cs_buf_t *ret_detail);

/* Mode 0600. Durable on return; a crash leaves the old file or the new one. One writer at a
 * time: the home's lock. */
CS_MUST_USE cs_err_t cs_file_write(const char *path, cs_slice_t bytes, cs_buf_t *ret_detail);

/* Durable on return. CS_ERR_NOT_FOUND if there is none. */
CS_MUST_USE cs_err_t cs_file_remove(const char *path, cs_buf_t *ret_detail);

/* Makes creations, renames and removals in the directory that holds `path` durable. */
CS_MUST_USE cs_err_t cs_file_sync_parent(const char *path, cs_buf_t *ret_detail);

#endif
