/* mem_fs_process.h - a process on a volume: shared by mem_fs.c and mem_file.c. */
#ifndef CS_SIM_MEM_FS_PROCESS_H
#define CS_SIM_MEM_FS_PROCESS_H

#include "sim/mem_fs_i.h"

typedef struct cs__mem_fs {
    cs_fs_t fs;
    cs_mem_volume_t *volume; /* borrowed */
    cs_mem_gate_t gate;
    cs__inode_t *root; /* a reference */
    uint64_t boot;     /* of the volume, when it was opened */
    cs_err_t dead;     /* what all calls return; CS_OK: it lives */
} cs__mem_fs_t;

/* Not CS_OK: the call is not to be made. */
CS_MUST_USE cs_err_t cs__mem_ask(cs__mem_fs_t *self, cs_mem_call_t *call);

/* mem_file.c */
cs_file_t *cs__mem_file_new(cs__mem_fs_t *self, cs__inode_t *inode, cs_slice_t path,
                            bool writable);
cs_err_t cs__mem_file_read(cs_file_t *file, uint64_t offset, void *data, size_t len,
                           size_t *ret_len);
cs_err_t cs__mem_file_write(cs_file_t *file, uint64_t offset, const void *data, size_t len);
cs_err_t cs__mem_file_truncate(cs_file_t *file, uint64_t size);
cs_err_t cs__mem_file_next_data(cs_file_t *file, uint64_t offset, uint64_t *ret);
cs_err_t cs__mem_file_write_zeros(cs_file_t *file, uint64_t offset, uint64_t len);
cs_err_t cs__mem_file_share(cs_file_t *file, uint64_t offset, cs_file_t *from,
                            uint64_t from_offset, uint64_t len);
cs_err_t cs__mem_file_stat(cs_file_t *file, cs_stat_t *ret);
void cs__mem_file_settle(cs_file_t *file);
void cs__mem_file_forget(cs_file_t *file, uint64_t offset, uint64_t len);
bool cs__mem_file_in_use(cs_file_t *file);
cs_err_t cs__mem_file_set_meta(cs_file_t *file, uint16_t mode, int64_t mtime_ns);
void cs__mem_file_close(cs_file_t **file_p);

#endif
