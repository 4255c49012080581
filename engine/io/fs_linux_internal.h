/* fs_linux_internal.h - shared by the files of fs_linux. */
#ifndef CS_IO_FS_LINUX_INTERNAL_H
#define CS_IO_FS_LINUX_INTERNAL_H

#include "base/limits.h"
#include "io/fs_linux.h"

typedef struct cs__linux_fs {
    cs_fs_t fs;
    char *root_path; /* owned */
    int root;        /* O_PATH descriptor */
} cs__linux_fs_t;

typedef struct cs__linux_file {
    cs_file_t file;
    int fd;
    uint64_t opened_size;    /* when it was opened; 0: not asked */
    bool asked, tells_holes; /* whether this file system does is asked once */
} cs__linux_file_t;

/* A directory entry: the parent's descriptor and the last component. */
typedef struct cs__place {
    int dir;
    bool owned; /* dir is to be closed */
    char name[CS_NAME_MAX + 1];
} cs__place_t;

cs_err_t cs__linux_err(int error);
cs_err_t cs__linux_locate(cs_fs_t *fs, cs_slice_t path, cs__place_t *ret);
void cs__linux_leave(cs__place_t *place);
/* A descriptor of `path`, symbolic links never followed; O_CLOEXEC is added. */
cs_err_t cs__linux_open_at(cs_fs_t *fs, cs_slice_t path, int flags, int *ret_fd);
/* The same of what is in a directory, which may be held. */
cs_err_t cs__linux_open_entry(cs_fs_t *fs, cs_slice_t path, int flags, int *ret_fd);
cs_err_t cs__linux_open_root(cs_fs_t *fs, int *ret_fd); /* not only a path: to be flushed */
/* stat of name in dir; the empty name is dir itself. */
cs_err_t cs__linux_stat_at(int dir, const char *name, cs_stat_t *ret);
/* The same of an open file, asked of the file system itself. */
cs_err_t cs__linux_stat_open(int fd, cs_stat_t *ret);
void cs__linux_probe(cs_fs_t *fs);

/* fs_linux_file.c */
cs_err_t cs__linux_open_read(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret);
cs_err_t cs__linux_create(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret);
cs_err_t cs__linux_open_write(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret);
cs_err_t cs__linux_read(cs_file_t *file, uint64_t offset, void *data, size_t len,
                        size_t *ret_len);
cs_err_t cs__linux_write(cs_file_t *file, uint64_t offset, const void *data, size_t len);
cs_err_t cs__linux_truncate(cs_file_t *file, uint64_t size);
cs_err_t cs__linux_next_data(cs_file_t *file, uint64_t offset, uint64_t *ret);
cs_err_t cs__linux_write_zeros(cs_file_t *file, uint64_t offset, uint64_t len);
cs_err_t cs__linux_share(cs_file_t *file, uint64_t offset, cs_file_t *from,
                         uint64_t from_offset, uint64_t len);
cs_err_t cs__linux_fstat(cs_file_t *file, cs_stat_t *ret);
/* Makes pages clean: what is stored into them through a mapping shows from now on. */
void cs__linux_write_out(int fd);
void cs__linux_settle(cs_file_t *file);
void cs__linux_forget(cs_file_t *file, uint64_t offset, uint64_t len);
bool cs__linux_in_use(cs_file_t *file);
cs_err_t cs__linux_set_meta(cs_file_t *file, uint16_t mode, int64_t mtime_ns);
void cs__linux_close(cs_file_t **file_p);

/* fs_linux_hold.c */
void cs__linux_hold(cs_fs_t *fs, bool on);
bool cs__linux_holds(const cs_fs_t *fs); /* this thread does */
/* A directory, opened if it is not held yet; borrowed until after the call after the next. */
cs_err_t cs__linux_held(cs_fs_t *fs, cs_slice_t path, int *ret_fd);
void cs__linux_let_go(
    void); /* what this thread holds may not be what the paths name any more */

/* fs_linux_sync.c */
cs_err_t cs__linux_sync(cs_fs_t *fs, const cs_slice_t *paths, size_t count);

/* fs_linux_name.c */
cs_err_t cs__linux_readlink(cs_fs_t *fs, cs_slice_t path, cs_buf_t *ret);
cs_err_t cs__linux_symlink(cs_fs_t *fs, cs_slice_t target, cs_slice_t path);
cs_err_t cs__linux_mkdir(cs_fs_t *fs, cs_slice_t path);
cs_err_t cs__linux_rmdir(cs_fs_t *fs, cs_slice_t path);
cs_err_t cs__linux_unlink(cs_fs_t *fs, cs_slice_t path);
cs_err_t cs__linux_link(cs_fs_t *fs, cs_slice_t from, cs_slice_t to);
cs_err_t cs__linux_rename(cs_fs_t *fs, cs_slice_t from, cs_slice_t to, cs_rename_mode_t mode);
cs_err_t cs__linux_chmod(cs_fs_t *fs, cs_slice_t path, const cs_print_t *expect, uint16_t mode,
                         cs_stat_t *ret);

#endif
