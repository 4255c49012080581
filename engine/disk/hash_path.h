/* hash_path.h - content of what is at a path, read while it stood still.
 *
 * Two equal stats around the read: what changes meanwhile is CS_ERR_CHANGED. So is what is no
 * file or link any more. A link is read a second time before that is said. */
#ifndef CS_DISK_HASH_PATH_H
#define CS_DISK_HASH_PATH_H

#include "disk/bytes.h"

/* A reader with its buffer, for many paths one after the other. Belongs to one thread. */
typedef struct cs_path_hasher cs_path_hasher_t;
cs_path_hasher_t *cs_path_hasher_new(cs_fs_t *fs, const cs_chunker_table_t *table);
void cs_path_hasher_destroy(cs_path_hasher_t **hasher_p);

/* type: FILE or SYMLINK. sink may be NULL. CS_ERR_AGAIN: cancelled. */
CS_MUST_USE cs_err_t cs_path_hasher_run(cs_path_hasher_t *hasher, cs_slice_t path,
                                        cs_node_type_t type, const cs_content_sink_t *sink,
                                        cs_content_t *ret, cs_stat_t *ret_stat);
/* cancelled: asked between reads; may be NULL. */
void cs_path_hasher_set_cancel(cs_path_hasher_t *hasher, cs_cancelled_t cancelled, void *arg);
void cs_path_hasher_set_hash(cs_path_hasher_t *hasher, cs_file_hash_t *hash_file);

#endif
