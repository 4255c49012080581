/* fs.h - the file system as the engine sees it: one folder, nothing outside of it.
 *
 * Scan and apply are procedures over these calls. engine/io implements them with openat2
 * (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV, so no symbolic link is ever
 * followed, at any component, nor is anything seen of what is mounted inside), sim with a model
 * in which users and crashes act between any two of them. Paths are relative to the folder's
 * root, checked by cs_path_check or below CS_PRIVATE_DIR; "" is the root itself. Every call may
 * fail with DENIED, IO, NOT_FOUND, NOT_DIR, ESCAPES, CROSS_DEVICE, NAME; others are named
 * below. */
#ifndef CS_DISK_FS_H
#define CS_DISK_FS_H

#include "base/buf.h"
#include "crdt/replica.h" /* cs_print_t, cs_kind_t */

CS_HEADER_BEGIN

typedef enum cs_node_type {
    CS_NODE_FILE,
    CS_NODE_SYMLINK,
    CS_NODE_DIR,
    CS_NODE_SOCKET,
    CS_NODE_FIFO,
    CS_NODE_DEVICE
} cs_node_type_t;

typedef struct cs_stat {
    cs_node_type_t type;
    uint16_t mode; /* 9 permission bits */
    uint32_t nlink;
    cs_print_t print; /* dev, ino, btime, size, mtime, ctime */
} cs_stat_t;

/* Equal in everything; a print of zeros equals nothing, not even itself. */
bool cs_print_eq(const cs_print_t *a, const cs_print_t *b);
/* The same, but for ctime, which a rename, link or chmod of ours changes. */
bool cs_print_eq_but_ctime(const cs_print_t *a, const cs_print_t *b);

typedef struct cs_dirent {
    cs_str_t *name; /* owned by the listing */
    cs_err_t err;   /* CS_OK, or why stat failed; then stat is undefined */
    cs_stat_t stat;
} cs_dirent_t;

typedef struct cs_listing {
    cs_dirent_t *item; /* unsorted, without "." and ".." */
    size_t len, cap;
} cs_listing_t;
void cs_listing_fini(cs_listing_t *listing);
/* Adds a zeroed entry; name: bytes, copied. */
cs_dirent_t *cs_listing_add(cs_listing_t *listing, cs_slice_t name);

/* What a power cut can undo of a folder. The database is flushed in any case. */
typedef enum cs_durability {
    CS_DURABILITY_GROUP,  /* nothing that others were told of; of others' changes, names that no
                             row knows of yet: of one group */
    CS_DURABILITY_STRICT, /* the same, of one file: each name is flushed before the next changes
                           */
    CS_DURABILITY_NONE    /* anything that the system has not written by itself */
} cs_durability_t;

typedef struct cs_fs cs_fs_t;
typedef struct cs_file cs_file_t; /* an open file */

typedef enum cs_rename_mode {
    CS_RENAME_NOREPLACE,
    CS_RENAME_EXCHANGE,
    CS_RENAME_REPLACE
} cs_rename_mode_t;

/* What this file system offers, probed once at open. */
typedef struct cs_fs_features {
    bool exchange, noreplace; /* renameat2 flags */
    bool modes;               /* keeps permission bits */
    bool btime, symlinks, links;
    bool shares;           /* files can have bytes in common (reflinks) */
    bool mapped_times;     /* writes through a mapping move times, after a settle */
    int64_t mtime_step_ns; /* granularity seen */
} cs_fs_features_t;

typedef struct cs_fs_ops {
    cs_err_t (*stat)(cs_fs_t *fs, cs_slice_t path, cs_stat_t *ret);   /* lstat */
    cs_err_t (*list)(cs_fs_t *fs, cs_slice_t dir, cs_listing_t *ret); /* with a stat of each */
    /* Regular files only: a symbolic link is ESCAPES, a directory IS_DIR, anything else
     * UNSUPPORTED. */
    cs_err_t (*open_read)(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret);
    cs_err_t (*create)(cs_fs_t *fs, cs_slice_t path,
                       cs_file_t **ret); /* O_EXCL, 0600, read-write; EXISTS, NOSPACE */
    cs_err_t (*open_write)(cs_fs_t *fs, cs_slice_t path,
                           cs_file_t **ret); /* existing, read-write: partial downloads */
    cs_err_t (*read)(cs_file_t *file, uint64_t offset, void *data, size_t len,
                     size_t *ret_len); /* fewer only at the end of the file */
    cs_err_t (*write)(cs_file_t *file, uint64_t offset, const void *data,
                      size_t len); /* all of it; NOSPACE */
    cs_err_t (*truncate)(cs_file_t *file, uint64_t size);
    /* Where the next bytes are, from offset on, that are not a hole; UINT64_MAX: there are
     * none. offset itself where the file system does not tell, or is not known to tell the
     * truth. */
    cs_err_t (*next_data)(cs_file_t *file, uint64_t offset, uint64_t *ret);
    /* `len` bytes below the size become zeros, a hole where the file system has such. NOSPACE.
     */
    cs_err_t (*write_zeros)(cs_file_t *file, uint64_t offset, uint64_t len);
    /* `len` bytes of `from`, another file of this folder, take the place of those at offset,
     * and stay common to both on the disk until one is changed. Only with features.shares; then
     * the caller looks whether they are what he expects: `from` may be changed by its user.
     * NOSPACE, UNSUPPORTED: some may have been replaced. */
    cs_err_t (*share)(cs_file_t *file, uint64_t offset, cs_file_t *from, uint64_t from_offset,
                      uint64_t len);
    cs_err_t (*fstat)(cs_file_t *file, cs_stat_t *ret);
    /* Writes through a mapping show in a stat only when they make a clean page dirty. After
     * this all pages are clean, so that whatever is written from now on shows. */
    void (*settle)(cs_file_t *file);
    /* These bytes will not be read again soon: the memory that caches them may go to others.
     * Only advice. */
    void (*forget)(cs_file_t *file, uint64_t offset, uint64_t len);
    /* Somebody has it open for writing, or mapped so. False where the system does not tell. */
    bool (*in_use)(cs_file_t *file);
    cs_err_t (*set_meta)(cs_file_t *file, uint16_t mode,
                         int64_t mtime_ns); /* & ~umask is the caller's */
    void (*close)(cs_file_t **file_p);
    cs_err_t (*readlink)(cs_fs_t *fs, cs_slice_t path, cs_buf_t *ret);
    cs_err_t (*symlink)(cs_fs_t *fs, cs_slice_t target, cs_slice_t path); /* EXISTS */
    cs_err_t (*mkdir)(cs_fs_t *fs, cs_slice_t path); /* 0777 & ~umask; EXISTS */
    cs_err_t (*rmdir)(cs_fs_t *fs, cs_slice_t path); /* NOT_EMPTY */
    cs_err_t (*unlink)(cs_fs_t *fs, cs_slice_t path);
    cs_err_t (*link)(cs_fs_t *fs, cs_slice_t from, cs_slice_t to); /* EXISTS, UNSUPPORTED */
    cs_err_t (*rename)(cs_fs_t *fs, cs_slice_t from, cs_slice_t to,
                       cs_rename_mode_t mode); /* EXISTS, UNSUPPORTED */
    /* Mode of an untouched regular file: opens it without following, compares its print (not
     * ctime) with `expect`, fchmod, stats again into ret. CHANGED: not the expected file,
     * nothing done. */
    cs_err_t (*chmod)(cs_fs_t *fs, cs_slice_t path, const cs_print_t *expect, uint16_t mode,
                      cs_stat_t *ret);
    /* A power cut takes nothing back any more: of all (count 0: syncfs), or of the bytes, modes
     * and times of these files and the names in these directories; more may be flushed. */
    cs_err_t (*sync)(cs_fs_t *fs, const cs_slice_t *paths, size_t count);
    cs_err_t (*space)(cs_fs_t *fs, uint64_t *ret_free, uint64_t *ret_total); /* bytes */
    /* Look the root up by its path again: something may have been mounted over it, or moved
     * away, since. NOT_FOUND: there is none now; the old one stays in use. */
    cs_err_t (*refresh)(cs_fs_t *fs);
    /* Until it is called with false, this thread's calls may keep open the directories they
     * come by. Who renames one meanwhile takes along what we put into it, as if he had done so
     * a moment later; one that is made by such a call is found. Not nested. */
    void (*hold)(cs_fs_t *fs, bool on);
    void (*close_fs)(cs_fs_t **fs_p);
} cs_fs_ops_t;

struct cs_fs { /* first member of every implementation's */
    const cs_fs_ops_t *ops;
    cs_fs_features_t features;
    uint16_t umask; /* of the process, read once */
};
struct cs_file {
    const cs_fs_ops_t *ops;
};
/* ns; two writes closer than this may leave the same times. */
int64_t cs_fs_tick_ns(const cs_fs_t *fs);

CS_HEADER_END

#endif
