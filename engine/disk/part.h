/* part.h - large files on their way in: .crdtsync/tmp/<64 hex of the content hash>.part
 *
 * A sparse file of the final size. Nothing about it is kept anywhere else: after a restart its
 * chunks are hashed again and those that are right need not be fetched again. When all are
 * there the file gets its staged name (cs_staged_path, disk/apply.h). It is not read once more:
 * every chunk had its name when it was written, was cut where a scan would cut it, and the list
 * is the one of these chunks, so the whole is what its content hash says. Nothing is flushed
 * here: apply does that before it gives the bytes a name in the tree.
 *
 * Calls about one content must not run at the same time, except cs_part_write, and cs_part_fill
 * about other chunks. */
#ifndef CS_DISK_PART_H
#define CS_DISK_PART_H

#include "disk/fs.h"
#include "xfer/rows.h"

/* What is left for others is respected. */
bool cs_part_fits(uint64_t size, uint64_t free_bytes, uint64_t total);

/* Make the file, or take the one that is there (also under its staged name, left by an earlier
 * run). need: bytes that it will take on the disk. CS_ERR_NOSPACE: a new file would not fit. */
CS_MUST_USE cs_err_t cs_part_open(cs_fs_t *fs, const cs_content_t *content, uint64_t need,
                                  bool *ret_has_bytes);

/* bytes: a chunk that has its name. CS_ERR_MISMATCH: no scan would cut this one there; nothing
 * was written. */
CS_MUST_USE cs_err_t cs_part_write(cs_fs_t *fs, const cs_chunker_table_t *table,
                                   const cs_content_t *content, uint64_t offset,
                                   cs_slice_t bytes);

/* Chunks of a list, parallel arrays; owned by the caller. */
typedef struct cs_part_chunks {
    cs_name_t *names;
    uint64_t *offsets;
    uint32_t *lens;
    size_t count;
} cs_part_chunks_t;

/* Which chunks are right already; those that are not, but are found in other local files, are
 * copied. The good ones are moved to the front: chunks[0..*ret_found). view->store NULL: only
 * look. Errors of single files count as not found; the return value is about the partial file.
 * CS_ERR_MISMATCH: as above. */
CS_MUST_USE cs_err_t cs_part_fill(cs_fs_t *fs, const cs_chunker_table_t *table,
                                  const cs_rows_view_t *view, const cs_content_t *content,
                                  cs_part_chunks_t *chunks, size_t *ret_found);

/* Where a chunk belongs. */
typedef struct cs_part_place {
    const cs_name_t *name;
    uint64_t offset;
    uint32_t len;
} cs_part_place_t;
/* One chunk of it, for somebody else: of the partial or the staged file, behind what is in ret
 * (initialised). CS_ERR_NOT_FOUND: neither is there, or the bytes are not those of the name;
 * ret is as it was. */
CS_MUST_USE cs_err_t cs_part_read(cs_fs_t *fs, const cs_chunker_table_t *table,
                                  const cs_content_t *content, const cs_part_place_t *place,
                                  cs_buf_t *ret);

/* Give it its staged name. proved: all chunks are there, and the list is theirs. If not:
 * CS_ERR_MISMATCH, and the file was removed. */
CS_MUST_USE cs_err_t cs_part_finish(cs_fs_t *fs, const cs_content_t *content, bool proved);

/* Remove the partial and the staged file. Their absence is no error. */
CS_MUST_USE cs_err_t cs_part_discard(cs_fs_t *fs, const cs_content_t *content);

#endif
