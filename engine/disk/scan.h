/* scan.h - what changed on disk since the base table was written (core.md 5.2).
 *
 * A merge of two ordered streams: the walk of the tree (bytewise by full path) and an iteration
 * of b/ in a snapshot. Nothing is kept per unchanged file. Files whose print (size, mtime,
 * ctime, ino, dev) equals the row's are clean, unless their mtime is within CS_RACY_NS of the
 * scan's own start (the mtime of a file just written in .crdtsync/tmp) and the file system's
 * times are coarse, or stand still while a mapping is written to: those are read again. A file
 * is hashed between two equal fstats, else reported as changing. What cannot be read is
 * reported and counts as untouched, never as vanished; so do ignored paths and what is below
 * another mount.
 *
 * A print taken within a clock tick of the last write does not vouch for later writes in that
 * tick: it is handed out with ctime 0, so that the next scan reads the file again.
 *
 * A path has one sighting, but for a file replaced by an empty directory: VANISHED, then
 * EMPTY_DIR. A directory is empty if it has no entries at all; one with only ignored entries
 * exists, but gets no marker. */
#ifndef CS_DISK_SCAN_H
#define CS_DISK_SCAN_H

#include "disk/flush.h"
#include "xfer/content.h"

CS_HEADER_BEGIN

typedef enum cs_trouble {
    CS_TROUBLE_UNREADABLE,
    CS_TROUBLE_CHANGING,
    CS_TROUBLE_SOCKET,
    CS_TROUBLE_FIFO,
    CS_TROUBLE_DEVICE,
    CS_TROUBLE_NAME /* not representable */,
    CS_TROUBLE_MOUNT,
    CS_TROUBLE_TOO_MANY_VERSIONS
} cs_trouble_t;
/* As in JSON: "unreadable", "changing", ... */
const char *cs_trouble_text(cs_trouble_t trouble);
/* What a person can do about it, as a clause. */
const char *cs_trouble_remedy(cs_trouble_t trouble);

typedef struct cs_scan_sink {
    void *arg;
    /* Sightings in bytewise order of paths; slices are borrowed. False stops the scan
     * (CS_ERR_AGAIN). */
    bool (*sighting)(void *arg, const cs_sighting_t *sighting);
    void (*trouble)(void *arg, cs_slice_t path, cs_trouble_t trouble);
    /* Rows of the insides of large files (xfer/rows.h); may be NULL. */
    void (*row)(void *arg, cs_slice_t key, cs_slice_t value);
    /* Between files: true = give up (the node is stopping); may be NULL. */
    bool (*cancelled)(void *arg);
} cs_scan_sink_t;

struct cs_pass; /* disk/bytes.h */

typedef struct cs_scan_config {
    cs_fs_t *fs;
    cs_store_t *store;
    const cs_snapshot_t *snapshot; /* of the base table */
    uint32_t folder;
    const cs_chunker_table_t *table;
    cs_modes_t modes;
    uint8_t marker[16]; /* must equal .crdtsync/id, else CS_ERR_NOT_MOUNTED */
    bool full;          /* rehash everything */
    /* Restrict to these files or subtrees, sorted; NULL: all. Of one that is gone, the nearest
     * directory that is left is looked at too: it may be empty now. */
    const cs_slice_t *paths;
    size_t path_count;
    /* How large files are read (cs_file_hash_t); NULL: cs_file_hash. */
    cs_err_t (*hash_file)(const struct cs_pass *pass, cs_content_hasher_t *hasher);
    /* Returns once what is written bears another time than what was (CS_TICK_NS). A large file
     * that is young is read after that, so that it need not be read once more. NULL: it is. */
    void (*pass_tick)(void);
    /* Called for each thing that is looked at, on the thread of the caller; may be NULL. */
    void (*looked)(void *arg);
    void *looked_arg;
} cs_scan_config_t;

typedef struct cs_scan_stats {
    uint64_t files, dirs, bytes; /* on disk, without ignored ones */
    uint64_t unchanged, hashed_files, hashed_bytes;
} cs_scan_stats_t;

/* CS_ERR_NOT_MOUNTED: marker missing or different, nothing reported. CS_ERR_AGAIN: cancelled.
 * Other errors: the base table could not be read, or the root is gone; what was reported must
 * be dropped. */
CS_MUST_USE cs_err_t cs_scan(const cs_scan_config_t *config, const cs_scan_sink_t *sink,
                             cs_scan_stats_t *ret);
/* What this tells may be in memory only, as programs save without waiting for the disk. The
 * caller flushes what is added to `flush` before anything durable, or anybody else, knows of
 * it: after a power cut the disk would show something older, which the next scan would take for
 * the user's doing. */
void cs_sighting_flush(const cs_sighting_t *sighting, cs_flush_t *flush);

/* Make .crdtsync/{id,tmp,trash} and write the marker: only for a folder that was just added. */
CS_MUST_USE cs_err_t cs_folder_mark(cs_fs_t *fs, const uint8_t marker[16]);
/* CS_OK, CS_ERR_NOT_MOUNTED, or why that cannot be known: IO, DENIED. */
CS_MUST_USE cs_err_t cs_folder_check(cs_fs_t *fs, const uint8_t marker[16]);
/* It is a folder no longer: removes what cs_folder_mark made and what was on its way, but for
 * a trash with something in it. Nothing where the marker is another. */
void cs_folder_unmark(cs_fs_t *fs, const uint8_t marker[16]);

/* Hash one regular file or symlink as it is now: the stable-read rule. CS_ERR_CHANGED: it moved
 * under our hands. ret_stat is that of the bytes hashed. */
CS_MUST_USE cs_err_t cs_hash_path(cs_fs_t *fs, const cs_chunker_table_t *table, cs_slice_t path,
                                  const cs_content_sink_t *sink, cs_content_t *ret,
                                  cs_stat_t *ret_stat);

/* norm(m) of core.md 2. */
uint16_t cs_mode_norm(cs_modes_t modes, uint16_t mode);
/* What a file of that mode gets on this disk. Only where the policy forgets what the umask
 * takes away: else the next scan would read the umask's work as a chmod by the user. */
uint16_t cs_mode_on_disk(const cs_fs_t *fs, cs_modes_t modes, uint16_t mode);

CS_HEADER_END

#endif
