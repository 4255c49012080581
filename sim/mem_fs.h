/* mem_fs.h - the file system of disk/fs.h in memory: a volume, processes and a user on it.
 *
 * A volume outlives the processes that use it, as a disk does. The engine sees it through a
 * cs_fs_t; before each of its calls a gate is asked, in which the owner switches to other
 * coroutines, lets the user act, or makes the call fail. The user sees it through the
 * cs_mem_user calls, by path and by descriptors, which follow the file and not its name.
 *
 * Errors are those of engine/io/fs_linux*.c, case by case; tests/contract runs against both.
 * Deterministic: the same calls give the same results, inode numbers and times. One thread.
 *
 * With power_cuts the volume remembers how to undo what is not flushed: a crash keeps a prefix
 * of the changes of names, modes, times and sizes, in order, and of the bytes of each write
 * all, none, or the first ones. Without, nothing is remembered and nothing can be lost. */
#ifndef CS_SIM_MEM_FS_H
#define CS_SIM_MEM_FS_H

#include "disk/fs.h"
#include "node/dirty.h"

typedef struct cs_mem_volume cs_mem_volume_t;

typedef struct cs_mem_config {
    uint64_t capacity; /* bytes in files; 0: 1 GiB */
    uint64_t inodes;   /* with the root; 0: 1,000,000 */
    uint64_t device;   /* what a print says; 0: 1. The bare mount point has device + 1000 */
    int64_t granularity_ns; /* of all times; 0: 1 ns */
    uint16_t umask;         /* of everybody */
    bool reuse_inodes;      /* the lowest free number, as ext4; else always a new one */
    bool power_cuts;        /* undo records are kept; else cs_mem_volume_crash loses nothing */
    bool ordered_data; /* a power cut that keeps a write's size and time keeps its bytes too */
    bool unprivileged; /* the owner's permission bits count for the engine and the user */
    /* FAT and its like: what is not there. */
    bool no_exchange, no_noreplace, no_symlinks, no_modes, no_btime, no_links;
    bool no_shares; /* as ext4 */
} cs_mem_config_t;

/* An empty folder of mode 0777 & ~umask, mounted, at time 0. NULL: all zero. */
cs_mem_volume_t *cs_mem_volume_new(const cs_mem_config_t *config);
/* No cs_fs_t and no descriptor may be open on it. */
void cs_mem_volume_destroy(cs_mem_volume_t **volume_p);
/* A backup of what is there now, as the user sees it: same numbers and times, all durable,
 * bytes shared. Unlinked files that are still open are not part of it. */
cs_mem_volume_t *cs_mem_volume_copy(const cs_mem_volume_t *volume);
void cs_mem_volume_set_device(cs_mem_volume_t *volume, uint64_t device);

/* The wall clock, ns since 1970; may go back. */
void cs_mem_volume_set_time(cs_mem_volume_t *volume, int64_t now_ns);
/* Below what is used: nothing more fits. */
void cs_mem_volume_set_capacity(cs_mem_volume_t *volume, uint64_t bytes, uint64_t inodes);
/* Bytes in files and inodes in use, unlinked ones that are open included. */
void cs_mem_volume_used(const cs_mem_volume_t *volume, uint64_t *ret_bytes,
                        uint64_t *ret_inodes);

/* From now on the folder's path leads to an empty directory of another device, which keeps what
 * is put there, or (point_exists false) nowhere. A process goes on in the old root until it
 * refreshes; descriptors go on. */
void cs_mem_volume_unmount(cs_mem_volume_t *volume, bool point_exists);
void cs_mem_volume_mount(cs_mem_volume_t *volume);

/* All is durable: what the kernel does by itself after half a minute. */
void cs_mem_volume_flush(cs_mem_volume_t *volume);
/* Power cut. What is lost is drawn from `random`, any number. Every open file and descriptor
 * fails with CS_ERR_IO from now on, and is to be closed; of processes, open again. */
void cs_mem_volume_crash(cs_mem_volume_t *volume, uint64_t random);

/* --- the engine's view */

typedef enum cs_mem_call_kind {
    CS_MEM_STAT,
    CS_MEM_LIST,
    CS_MEM_OPEN_READ,
    CS_MEM_CREATE,
    CS_MEM_OPEN_WRITE,
    CS_MEM_READ,
    CS_MEM_WRITE,
    CS_MEM_TRUNCATE,
    CS_MEM_NEXT_DATA,
    CS_MEM_WRITE_ZEROS,
    CS_MEM_SHARE,
    CS_MEM_FSTAT,
    CS_MEM_SETTLE,
    CS_MEM_IN_USE,
    CS_MEM_SET_META,
    CS_MEM_READLINK,
    CS_MEM_SYMLINK,
    CS_MEM_MKDIR,
    CS_MEM_RMDIR,
    CS_MEM_UNLINK,
    CS_MEM_LINK,
    CS_MEM_RENAME,
    CS_MEM_CHMOD,
    CS_MEM_SYNC,
    CS_MEM_SPACE,
    CS_MEM_REFRESH,
    CS_MEM_CALL_COUNT
} cs_mem_call_kind_t;

const char *cs_mem_call_name(cs_mem_call_kind_t kind);

typedef struct cs_mem_call {
    cs_mem_call_kind_t kind;
    cs_slice_t path;       /* of an open file: the one that it was opened by; borrowed */
    cs_slice_t to;         /* second path of LINK and RENAME, target of SYMLINK; else empty */
    uint64_t offset;       /* READ, WRITE, NEXT_DATA, WRITE_ZEROS, SHARE; TRUNCATE's new size */
    size_t len;            /* READ, WRITE, WRITE_ZEROS, SHARE */
    cs_rename_mode_t mode; /* RENAME */
    /* Set by the gate: */
    size_t torn; /* of a WRITE that it lets fail: so many bytes are written all the same */
    bool dead;   /* of any call that it lets fail: so do all later ones, without a gate */
} cs_mem_call_t;

/* Asked before each call, but for close: anything may happen in it. Not CS_OK: the call fails
 * with that and does nothing. (A SETTLE that fails does nothing, an IN_USE is false.) A
 * NOREPLACE without the kernel's flag asks twice, as it makes two system calls: as RENAME, then
 * as UNLINK of the old name. */
typedef struct cs_mem_gate {
    cs_err_t (*ask)(void *arg, cs_mem_call_t *call); /* NULL: nobody is asked */
    void *arg;
} cs_mem_gate_t;

/* gate: copied; may be NULL. CS_ERR_NOT_FOUND: unmounted, without a mount point. */
CS_MUST_USE cs_err_t cs_mem_fs_open(cs_mem_volume_t *volume, const cs_mem_gate_t *gate,
                                    cs_fs_t **ret);

/* --- the user's view: POSIX, but that symbolic links are not followed (CS_ERR_ESCAPES). Paths
 * as the engine's; errors too. */

typedef struct cs_mem_fd cs_mem_fd_t;

#define CS_MEM_O_WRITE  1u /* reading is always allowed */
#define CS_MEM_O_CREATE 2u
#define CS_MEM_O_EXCL   4u
#define CS_MEM_O_TRUNC  8u
#define CS_MEM_O_APPEND 16u /* each write goes to the end, whatever its offset */

/* What a watcher is told of a user's calls: as the kernel tells it, so not of writes through
 * mappings (cs_mem_user_poke). to: where a rename went, else empty. */
typedef void cs_mem_notice_t(void *arg, cs_dirty_kind_t kind, cs_slice_t path, cs_slice_t to);
void cs_mem_volume_watch(cs_mem_volume_t *volume, cs_mem_notice_t *notice, void *arg);

/* mode: of a file that is made, & ~umask. */
CS_MUST_USE cs_err_t cs_mem_user_open(cs_mem_volume_t *volume, cs_slice_t path, unsigned flags,
                                      uint16_t mode, cs_mem_fd_t **ret);
void cs_mem_user_close(cs_mem_fd_t **fd_p);
CS_MUST_USE cs_err_t cs_mem_user_pread(cs_mem_fd_t *fd, uint64_t offset, void *data, size_t len,
                                       size_t *ret_len); /* 0: end */
/* CS_ERR_NOSPACE: what fits was written. */
CS_MUST_USE cs_err_t cs_mem_user_pwrite(cs_mem_fd_t *fd, uint64_t offset, const void *data,
                                        size_t len);
/* Through a mapping, below the size: shows in the times only if nothing was written so since
 * the last flush or settle. CS_ERR_IO: beyond the size (SIGBUS), nothing done. */
CS_MUST_USE cs_err_t cs_mem_user_poke(cs_mem_fd_t *fd, uint64_t offset, const void *data,
                                      size_t len);
CS_MUST_USE cs_err_t cs_mem_user_ftruncate(cs_mem_fd_t *fd, uint64_t size);
CS_MUST_USE cs_err_t cs_mem_user_fstat(cs_mem_fd_t *fd, cs_stat_t *ret);
/* This file's bytes and all changes of names and metadata so far, as on a journal. */
CS_MUST_USE cs_err_t cs_mem_user_fsync(cs_mem_fd_t *fd);

CS_MUST_USE cs_err_t cs_mem_user_stat(cs_mem_volume_t *volume, cs_slice_t path, cs_stat_t *ret);
CS_MUST_USE cs_err_t cs_mem_user_list(cs_mem_volume_t *volume, cs_slice_t dir,
                                      cs_listing_t *ret);
CS_MUST_USE cs_err_t cs_mem_user_readlink(cs_mem_volume_t *volume, cs_slice_t path,
                                          cs_buf_t *ret);
CS_MUST_USE cs_err_t cs_mem_user_rename(cs_mem_volume_t *volume, cs_slice_t from, cs_slice_t to,
                                        cs_rename_mode_t mode);
CS_MUST_USE cs_err_t cs_mem_user_link(cs_mem_volume_t *volume, cs_slice_t from, cs_slice_t to);
CS_MUST_USE cs_err_t cs_mem_user_symlink(cs_mem_volume_t *volume, cs_slice_t target,
                                         cs_slice_t path);
CS_MUST_USE cs_err_t cs_mem_user_unlink(cs_mem_volume_t *volume, cs_slice_t path);
CS_MUST_USE cs_err_t cs_mem_user_mkdir(cs_mem_volume_t *volume, cs_slice_t path);
CS_MUST_USE cs_err_t cs_mem_user_rmdir(cs_mem_volume_t *volume, cs_slice_t path);
/* A socket, fifo or device. */
CS_MUST_USE cs_err_t cs_mem_user_mknod(cs_mem_volume_t *volume, cs_slice_t path,
                                       cs_node_type_t type);
/* Files and directories. */
CS_MUST_USE cs_err_t cs_mem_user_chmod(cs_mem_volume_t *volume, cs_slice_t path, uint16_t mode);
CS_MUST_USE cs_err_t cs_mem_user_utimens(cs_mem_volume_t *volume, cs_slice_t path,
                                         int64_t mtime_ns);

/* --- for oracles */

typedef struct cs_mem_item {
    cs_slice_t path;  /* borrowed, until the visit returns; as are bytes */
    cs_slice_t bytes; /* of a file, holes as zeros, or a symbolic link's target; else empty */
    cs_stat_t stat;
} cs_mem_item_t;

/* All of the volume, mounted or not, but for the root: bytewise by path, CS_PRIVATE_DIR
 * included. The visit must not change the volume. */
void cs_mem_volume_walk(const cs_mem_volume_t *volume,
                        void (*visit)(void *arg, const cs_mem_item_t *item), void *arg);

#endif
