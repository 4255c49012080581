/* mem_fs_i.h - shared by the files of mem_fs: inodes, and what is done to them.
 *
 * The engine's and the user's calls both end in the functions below, which know nothing of
 * gates and processes. Each of them that changes something is one operation: it begins with
 * cs__mem_begin, so that a power cut keeps all of its names or none. */
#ifndef CS_SIM_MEM_FS_I_H
#define CS_SIM_MEM_FS_I_H

#include "sim/mem_fs.h"

#define CS__MEM_FILE_BYTES_MAX (UINT64_C(16) << 40) /* a file of ext4 with blocks of 4 KiB */

typedef struct cs__inode cs__inode_t;

/* Bytes of a file; shared by copies of the volume, changed only by a sole owner. */
typedef struct cs__bytes {
    uint32_t refs;
    size_t cap;
    uint8_t data[];
} cs__bytes_t;

typedef struct cs__attrs {
    int64_t mtime_ns, ctime_ns;
    uint16_t mode;
} cs__attrs_t;

typedef struct cs__entry {
    cs_str_t *name;
    cs__inode_t *inode; /* a reference */
} cs__entry_t;

struct cs__inode {
    uint32_t refs; /* names, open files, undo records */
    uint32_t nlink;
    uint32_t opens, writers; /* descriptors of anybody; since the last power cut */
    cs_node_type_t type;
    bool counted; /* in what the volume has in use */
    bool bare;    /* of the mount point's own file system */
    bool frozen;  /* during a crash: later writes went to blocks that are lost */
    uint64_t ino;
    uint64_t poked; /* generation (flushes of the volume) in which a mapping dirtied a page */
    int64_t btime_ns;
    cs__attrs_t attrs;
    cs__bytes_t *bytes; /* the first `filled` bytes; zeros follow up to `size` */
    uint64_t filled, size;
    cs__entry_t *entry; /* of a directory: sorted by name */
    uint32_t len, cap;
    cs__inode_t *parent; /* of a directory; borrowed */
    cs__inode_t *twin;   /* during a copy of the volume: its copy */
};

typedef struct cs__undo cs__undo_t;

struct cs_mem_volume {
    cs_mem_config_t config;
    int64_t now_ns;     /* the clock, cut to the granularity */
    uint64_t boot;      /* power cuts so far */
    uint64_t flushes;   /* from 1 */
    cs__inode_t *root;  /* a reference */
    cs__inode_t *point; /* the bare mount point; NULL until it is needed */
    bool unmounted, point_exists;
    uint64_t used_bytes, used_inodes, next_ino;
    uint64_t *free_ino; /* to be reused; descending */
    size_t free_len, free_cap;
    cs__undo_t *undo; /* what is not flushed, oldest first */
    size_t undo_len, undo_cap;
    uint64_t op;             /* operations so far */
    cs_mem_notice_t *notice; /* NULL: nobody watches */
    void *notice_arg;
};

/* mem_volume.c */
cs__inode_t *cs__mem_ref(cs__inode_t *inode);
void cs__mem_unref(cs__inode_t **inode_p);
/* A new one without a name, in the directory's file system. CS_ERR_NOSPACE: no inode is left.
 */
CS_MUST_USE cs_err_t cs__mem_inode_new(cs_mem_volume_t *volume, const cs__inode_t *dir,
                                       cs_node_type_t type, uint16_t mode, cs__inode_t **ret);
/* Its number and bytes are free again if it has no name and nobody has it open. */
void cs__mem_release(cs_mem_volume_t *volume, cs__inode_t *inode);
void cs__mem_free_number(cs_mem_volume_t *volume, uint64_t ino);
/* Where the folder's path leads; NULL: nowhere. */
cs__inode_t *cs__mem_root(const cs_mem_volume_t *volume);
void cs__mem_stat(const cs_mem_volume_t *volume, const cs__inode_t *inode, cs_stat_t *ret);
int64_t cs__mem_time(const cs_mem_volume_t *volume, int64_t ns); /* as far as it can be kept */
/* Sets ctime, and mtime too if `changed`. */
void cs__mem_touch(cs_mem_volume_t *volume, cs__inode_t *inode, bool changed);
/* True if the owner's bits allow it, or bits do not count. */
bool cs__mem_may(const cs_mem_volume_t *volume, const cs__inode_t *inode, uint16_t bits);
void cs__mem_opened(cs__inode_t *inode, bool writable); /* takes a reference */
void cs__mem_closed(cs_mem_volume_t *volume, cs__inode_t **inode_p, bool writable,
                    uint64_t boot);

/* mem_bytes.c */
size_t cs__mem_read(const cs__inode_t *inode, uint64_t offset, void *data, size_t len);
/* CS_ERR_NOSPACE: what fits was written. */
CS_MUST_USE cs_err_t cs__mem_write(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t offset,
                                   const void *data, size_t len);
CS_MUST_USE cs_err_t cs__mem_poke(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t offset,
                                  const void *data, size_t len);
CS_MUST_USE cs_err_t cs__mem_truncate(cs_mem_volume_t *volume, cs__inode_t *inode,
                                      uint64_t size);
void cs__mem_set_meta(cs_mem_volume_t *volume, cs__inode_t *inode, const uint16_t *mode,
                      const int64_t *mtime_ns); /* NULL: as it is */
/* Without accounts, times or records. */
void cs__mem_put(cs__inode_t *inode, uint64_t offset, const void *data, size_t len);
void cs__mem_cut(cs__inode_t *inode, uint64_t size, uint64_t filled);
void cs__mem_bytes_unref(cs__bytes_t **bytes_p);

/* mem_names.c. root: of the view; paths as in disk/fs.h. */
typedef struct cs__mem_place {
    cs__inode_t *dir;   /* borrowed */
    cs__inode_t *child; /* borrowed; NULL: the name is free */
    cs_slice_t name;
    bool dots; /* "." or "..": no name that could be changed */
} cs__mem_place_t;

cs__inode_t *cs__mem_child(const cs__inode_t *dir, cs_slice_t name); /* NULL: none */
/* as_dir: what must be a directory, and no link to one. Else the last component may be a link.
 */
CS_MUST_USE cs_err_t cs__mem_resolve(const cs_mem_volume_t *volume, cs__inode_t *root,
                                     cs_slice_t path, bool as_dir, cs__inode_t **ret);
CS_MUST_USE cs_err_t cs__mem_locate(const cs_mem_volume_t *volume, cs__inode_t *root,
                                    cs_slice_t path, cs__mem_place_t *ret);
/* What stands there, itself. */
CS_MUST_USE cs_err_t cs__mem_look(const cs_mem_volume_t *volume, cs__inode_t *root,
                                  cs_slice_t path, cs__inode_t **ret);
CS_MUST_USE cs_err_t cs__mem_open(const cs_mem_volume_t *volume, cs__inode_t *root,
                                  cs_slice_t path, bool writable, cs__inode_t **ret);
CS_MUST_USE cs_err_t cs__mem_list(const cs_mem_volume_t *volume, cs__inode_t *root,
                                  cs_slice_t path, cs_listing_t *ret);
CS_MUST_USE cs_err_t cs__mem_readlink(const cs_mem_volume_t *volume, cs__inode_t *root,
                                      cs_slice_t path, cs_buf_t *ret);
/* A file, directory or special one; mode & ~umask. ret may be NULL. */
CS_MUST_USE cs_err_t cs__mem_make(cs_mem_volume_t *volume, const cs__mem_place_t *place,
                                  cs_node_type_t type, uint16_t mode, cs__inode_t **ret);
CS_MUST_USE cs_err_t cs__mem_create(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path,
                                    uint16_t mode, cs__inode_t **ret);
CS_MUST_USE cs_err_t cs__mem_mkdir(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path);
CS_MUST_USE cs_err_t cs__mem_symlink(cs_mem_volume_t *volume, cs__inode_t *root,
                                     cs_slice_t target, cs_slice_t path);
CS_MUST_USE cs_err_t cs__mem_unlink_at(cs_mem_volume_t *volume, cs__mem_place_t place);
CS_MUST_USE cs_err_t cs__mem_unlink(cs_mem_volume_t *volume, cs__inode_t *root,
                                    cs_slice_t path);
CS_MUST_USE cs_err_t cs__mem_rmdir(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t path);

/* mem_rename.c */
CS_MUST_USE cs_err_t cs__mem_link(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t from,
                                  cs_slice_t to);
CS_MUST_USE cs_err_t cs__mem_rename(cs_mem_volume_t *volume, cs__inode_t *root, cs_slice_t from,
                                    cs_slice_t to, cs_rename_mode_t mode);
/* Lets the name lead to `child`, or (NULL) nowhere: nlink, the directory's times, a record. */
void cs__mem_set(cs_mem_volume_t *volume, cs__inode_t *dir, cs_slice_t name,
                 cs__inode_t *child);
/* Only the entry, and nlink. Takes a reference to child; the former one's is the caller's. */
cs__inode_t *cs__mem_swap(cs__inode_t *dir, cs_str_t *name, cs__inode_t *child);

/* mem_undo.c. The notes are taken before the change, and only if the volume keeps them. */
void cs__mem_begin(cs_mem_volume_t *volume);
void cs__mem_note_attrs(cs_mem_volume_t *volume, cs__inode_t *inode);
void cs__mem_note_name(cs_mem_volume_t *volume, cs__inode_t *dir, cs_slice_t name);
void cs__mem_note_write(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t offset,
                        size_t len);
void cs__mem_note_truncate(cs_mem_volume_t *volume, cs__inode_t *inode, uint64_t size);
void cs__mem_fsync(cs_mem_volume_t *volume, cs__inode_t *inode);
void cs__mem_forget(cs_mem_volume_t *volume); /* all records */

#endif
