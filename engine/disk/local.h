/* local.h - bytes of this folder by their names: where rows say that they are, if they still
 * are.
 *
 * A user may have changed any file since it was hashed, so whatever is read is verified, and
 * what does not match is tried elsewhere, then given up. Nothing here is an error of the
 * folder. */
#ifndef CS_DISK_LOCAL_H
#define CS_DISK_LOCAL_H

#include "disk/bytes.h"
#include "disk/fs.h"
#include "xfer/rows.h"

/* A reader keeps the last file open: chunks are asked for in runs. */
typedef struct cs_local {
    cs_fs_t *fs;
    const cs_chunker_table_t *table;
    const cs_rows_view_t *rows;
    cs_file_t *file; /* of `path`; NULL: none */
    cs_buf_t path;
    uint64_t offset; /* in `file`, of what was found last */
    /* The chunk found last was ended by the chunker: more of its content follows. */
    bool cut;
    uint8_t sized[CS_HASH_BYTES]; /* content of `size` bytes, which was looked up last */
    uint64_t size;                /* 0: none was */
} cs_local_t;

void cs_local_init(cs_local_t *local, cs_fs_t *fs, const cs_chunker_table_t *table,
                   const cs_rows_view_t *rows);
void cs_local_fini(cs_local_t *local);

/* Behind what is in ret (initialised), so that an answer is read into where it is sent from.
 * CS_ERR_NOT_FOUND, or what the store said: ret is as it was. */
CS_MUST_USE cs_err_t cs_local_chunk(cs_local_t *local, const cs_name_t *name, cs_buf_t *ret);
/* A small content, FILE or SYMLINK, by its hash. */
CS_MUST_USE cs_err_t cs_local_small(cs_local_t *local, const uint8_t hash[CS_HASH_BYTES],
                                    cs_buf_t *ret);
/* Is there a path, or a staged file, that has this content by what we know? */
bool cs_local_has(cs_local_t *local, const uint8_t hash[CS_HASH_BYTES], uint64_t size);

#endif
