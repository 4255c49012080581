/* replica.h - one replica's state of one folder: entries, index, base table, knowledge.
 *
 * A working set over a store: what was touched is decoded in memory, reads go through it to the
 * store, and `stage` packs everything changed since the last call into one batch, with the
 * state record m/state (core.md 6.4, 6.5). Without a store (NULL) all state stays in memory:
 * the property tests run on that.
 *
 *   cs_replica_join       entries of peers          -> dirty paths, silent rebase
 *   cs_replica_scan_*     what the disk shows       -> dots (core.md 5.3-5.5), base rows
 *   cs_replica_project    entries -> items of a family of paths (core.md 4)
 *   cs_replica_pending    paths where disk and projection may differ, for the materialiser
 *   cs_replica_applied    what the materialiser did -> base rows
 *   cs_replica_claim, _gc, _reincarnate             knowledge (core.md 6)
 *
 * Keys of the store, all after the folder number (u32 big-endian):
 *   m/state                     rid, ctr, exposed, n, root, seen
 *   m/symbols                   root, n, the first symbols of a set with them (core.md 8.1)
 *   m/held                      of the node: what the safety brake holds
 *   e/<bucket>                  enc(e)
 *   d/<item16>                  bucket          digest -> entry
 *   t/<bucket>                  empty           tombstones and unstripped entries
 *   p/<path>\0<bucket><lin>     empty           candidate path -> lineage
 *   b/<path>                    base row
 *   h/<content hash16><path>    empty           content on disk -> path
 *   w/<path>                    empty           projection may differ from base here
 *   g/<path>                    empty           in w/, too: a directory that has to go
 *
 * Every value ends with its XXH64; n/, c/ and the like belong to xfer. No function reads a
 * clock or calls the OS; randomness (a new replica id) is passed in. */
#ifndef CS_CRDT_REPLICA_H
#define CS_CRDT_REPLICA_H

#include "base/store.h"
#include "base/symbols.h"
#include "base/tasks.h"
#include "crdt/entry.h"

CS_HEADER_BEGIN

typedef struct cs_replica cs_replica_t;

/* What identifies the bytes behind a name. All zero: unknown, never equal to anything. */
typedef struct cs_print {
    uint64_t dev, ino;
    int64_t btime_ns, mtime_ns, ctime_ns; /* btime 0: the file system has none */
    uint64_t size;
} cs_print_t;

/* Backing of a displayed path: one content (or hint) of one lineage. */
typedef struct cs_back {
    cs_bucket_t bucket;
    cs_dot_t lin, k; /* k null: only a hint of a location backs it */
    cs_dot_t *l_dots,
        *a_dots; /* base rows only; dots of lin known to the user: part of the row's block */
    uint32_t l_len, a_len;
} cs_back_t;

/* A displayed path: an item of the projection, and a row of the base table (core.md 5.1). */
typedef struct cs_item {
    cs_str_t *path; /* displayed; owned, as all below */
    cs_str_t *eff;  /* effective path: equals `path` unless a sibling */
    cs_content_t content;
    cs_attr_t attr;
    int64_t mtime_ns;
    uint32_t rank, agen;
    cs_back_t *back; /* sorted by bucket, lin, k; one block with all their dots */
    uint32_t back_len;
    cs_print_t print; /* base rows only */
} cs_item_t;

void cs_item_fini(cs_item_t *item);
void cs_item_copy(cs_item_t *to, const cs_item_t *from); /* `to` initialised (zero) */

typedef struct cs_items {
    cs_item_t *item; /* owned; sorted by path */
    uint32_t len, cap;
} cs_items_t;
void cs_items_clear(cs_items_t *items); /* keeps its array */
void cs_items_fini(cs_items_t *items);

typedef enum cs_modes {
    CS_MODES_ALL,
    CS_MODES_EXEC
} cs_modes_t; /* folder policy (core.md 2) */

typedef struct cs_replica_config {
    cs_store_t *store; /* borrowed; NULL: memory only */
    uint32_t folder;   /* number that begins every key */
    cs_keys_t keys;
    cs_modes_t modes;
    uint64_t fresh_rid; /* random, non-zero: used if there is no state, or none to trust */
    cs_all_fn *all;     /* how the parts of a database are read; NULL: one after the other */
} cs_replica_config_t;

typedef enum cs_open_result {
    CS_OPEN_NEW,    /* no state record, no rows: a first start */
    CS_OPEN_SAME,   /* state verified by a full walk */
    CS_OPEN_AMNESIA /* rows and record disagree: seen = {}, new rid (core.md 6.4) */
} cs_open_result_t;

/* Load m/state, recompute root and n by a walk over e/. CS_ERR_CORRUPT, CS_ERR_IO: *ret NULL;
 * the caller rebuilds the database (an empty one opens as CS_OPEN_NEW). */
CS_MUST_USE cs_err_t cs_replica_open(const cs_replica_config_t *config, cs_replica_t **ret,
                                     cs_open_result_t *ret_result);
void cs_replica_destroy(cs_replica_t **replica_p);

/* The index against itself, in a snapshot: every row can be read, the digest is that of the
 * entries, what is derived from them is there. Changes nothing; any thread may call it. */
typedef struct cs_verify {
    cs_store_t *store;
    const cs_snapshot_t *snapshot;
    uint32_t folder;
    const cs_keys_t *keys;
    void *arg;
    void (*problem)(void *arg, cs_slice_t path, const char *text); /* path ".": the whole */
    bool (*cancelled)(void *arg);                                  /* may be NULL */
} cs_verify_t;
/* CS_ERR_AGAIN: cancelled. Else what the store answers: it cannot be read at all. */
CS_MUST_USE cs_err_t cs_replica_verify(const cs_verify_t *config);

/* --- knowledge */
typedef struct cs_state {
    uint64_t rid, ctr, exposed;
    uint64_t n; /* live entries */
    uint8_t root[CS_HASH_BYTES];
    cs_vv_t seen;
} cs_state_t;

const cs_state_t *
cs_replica_state(cs_replica_t *replica); /* borrowed; brings root and n up to date */
/* CS_OK, or what the store answered: destroy the replica and open it anew. It stages nothing
 * more. */
cs_err_t cs_replica_fault(const cs_replica_t *replica);
/* The record as of a snapshot: root, n and seen of one durable moment. ret initialised (zero).
 */
CS_MUST_USE cs_err_t cs_replica_state_at(cs_replica_t *replica, const cs_snapshot_t *snapshot,
                                         cs_state_t *ret);
/* The first symbols of the live entries as of a durable moment, at most `count`; how many there
 * are: at least cs_symbols_kept(state->n). ret replaced. CS_ERR_NOT_FOUND, ret empty: so much
 * changed since that it is not known; it is, once what was staged since is durable. */
CS_MUST_USE cs_err_t cs_replica_symbols_at(cs_replica_t *replica, const cs_state_t *state,
                                           size_t count, cs_symbols_t *ret);
/* Before anything naming dots of mine leaves: the next staged record has exposed = ctr. */
void cs_replica_expose(cs_replica_t *replica);
/* Equality rule (core.md 6.1): the caller has checked root, n and H128(seen). CS_ERR_LIMIT:
 * unchanged. */
CS_MUST_USE cs_err_t cs_replica_claim(cs_replica_t *replica, const cs_vv_t *peer_seen);
/* The highest numbers met in any entry. It claims nothing: what a peer is told of its own past,
 * so that a restored image learns of it before it speaks (core.md 6.4). Borrowed. */
const cs_vv_t *cs_replica_heard(const cs_replica_t *replica);
/* Would these name a number of mine that I never exposed (core.md 6.4)? Either may be NULL. */
bool cs_replica_regressed(const cs_replica_t *replica, const cs_vv_t *vv,
                          const cs_entry_t *entry);
/* New incarnation: (old, exposed + i) becomes (new, i) everywhere, in one stage. */
CS_MUST_USE cs_err_t cs_replica_reincarnate(cs_replica_t *replica, uint64_t new_rid);
/* Garbage collection of up to `max` entries whose ctx is covered (core.md 6.2); true: more to
 * do. Entries for which hot() says so are left alone. */
bool cs_replica_gc(cs_replica_t *replica, uint32_t max,
                   bool (*hot)(void *arg, const cs_bucket_t *), void *arg);

/* --- entries */
/* ret initialised; absent = empty entry, CS_OK. */
CS_MUST_USE cs_err_t cs_replica_get(cs_replica_t *replica, const cs_bucket_t *bucket,
                                    cs_entry_t *ret);

typedef struct cs_join_result {
    bool changed;   /* my live state changed */
    bool differs;   /* the result is not what was received: send it back */
    cs_dot_t reuse; /* a dot with two values, else null: raise ALARM dot_reuse */
} cs_join_result_t;

/* Join a received entry, ia = my seen, ib = the peer's seen of its snapshot or NULL. ret_entry
 * (initialised) receives the join itself, for the reply. CS_ERR_LIMIT: nothing changed, report
 * `too many versions`. Dirty paths are queued, rows with equal content and attr are rebased. */
CS_MUST_USE cs_err_t cs_replica_join(cs_replica_t *replica, const cs_entry_t *received,
                                     const cs_vv_t *ib, cs_entry_t *ret_entry,
                                     cs_join_result_t *ret);

/* --- projection. `path` may be effective or displayed: the items of all paths that share its
 * family (same directory, stem and extension: what may compete for a sibling name). Includes a
 * DIR item where a marker is displayed. ret initialised (zero), replaced. */
CS_MUST_USE cs_err_t cs_replica_project(cs_replica_t *replica, cs_slice_t path,
                                        cs_items_t *ret);
/* True if path is in DIRS: a proper prefix of a candidate path, or a DIR candidate is there. */
bool cs_replica_is_dir(cs_replica_t *replica, cs_slice_t path);
/* The whole tree, items and no implied directories; for tests and digest checks. */
CS_MUST_USE cs_err_t cs_replica_project_all(cs_replica_t *replica, cs_items_t *ret);
/* The least path >= from, of those that begin with `within`, at which something asks to be
 * shown: the effective paths of the projection, for looking at it in turns. False: there is
 * none, or the store failed (cs_replica_fault). ret_path replaced. */
bool cs_replica_next_path(cs_replica_t *replica, cs_slice_t from, cs_slice_t within,
                          cs_buf_t *ret_path);

/* --- the disk as observed (core.md 5.2 -> 5.3) */
typedef enum cs_seen_kind {
    CS_SAW_APPEARED, /* no base row; or the base row is a DIR and this is none */
    CS_SAW_MODIFIED, /* bytes (and perhaps mode, kind) differ from base */
    CS_SAW_CHMODDED, /* only the normalised mode differs */
    CS_SAW_TOUCHED,  /* same bytes and mode, other print: base.print is updated, no operation */
    CS_SAW_VANISHED, /* base row, nothing on disk (a DIR row: no directory there) */
    CS_SAW_EMPTY_DIR /* an empty directory without a marker in base */
} cs_seen_kind_t;

typedef struct cs_sighting {
    cs_seen_kind_t what;
    cs_slice_t path;      /* borrowed */
    cs_content_t content; /* APPEARED, MODIFIED */
    uint16_t mode;        /* normalised by the policy; FILE only */
    int64_t mtime_ns;
    cs_print_t print; /* all but VANISHED */
    bool rewritten;   /* TOUCHED: by mtime, size or inode as well; for the scan's worker only */
} cs_sighting_t;

typedef struct cs_scan_result {
    uint64_t added, changed, moved, removed, chmodded;
} cs_scan_result_t;

/* One scan at a time. `add` buffers; new files that cannot be the new name of a file which
 * vanished become operations and rows at once, CS_BATCH_OPS_MAX at a time (true = please stage
 * now). `commit_some` pairs renames and does the rest (edits, moves, deletions, freeze, modes,
 * clean-up), in batches of as many where a scan saw more: each leaves the replica as a scan in
 * between would have, so it may be staged, and the last one not follow. Until `more` is false,
 * call it again: joins may come in between, reports of the materialiser may not. `commit` is
 * all of them; `ret` is the sum so far. Errors of single paths (LIMIT: too many versions) are
 * reported to `refused` and skipped. `abort` drops what was buffered. */
void cs_replica_scan_begin(cs_replica_t *replica,
                           void (*refused)(void *arg, cs_slice_t path, cs_err_t), void *arg);
CS_MUST_USE cs_err_t cs_replica_scan_add(cs_replica_t *replica, const cs_sighting_t *sighting,
                                         bool *ret_stage_now);
/* Before commit: apply took the file of this print from `path`, and its row may not tell, for
 * apply or its record was interrupted (core.md 5.6). What is at `path` now is then no change of
 * that file by a user. */
void cs_replica_scan_took(cs_replica_t *replica, cs_slice_t path, const cs_print_t *print);
/* How many of the paths that appeared so far have the bytes of some row, counted up to `max`:
 * so many may have been moved there. */
uint64_t cs_replica_scan_moves(cs_replica_t *replica, uint64_t max);
CS_MUST_USE cs_err_t cs_replica_scan_commit_some(cs_replica_t *replica, bool *ret_more,
                                                 cs_scan_result_t *ret);
CS_MUST_USE cs_err_t cs_replica_scan_commit(cs_replica_t *replica, cs_scan_result_t *ret);
void cs_replica_scan_abort(cs_replica_t *replica);

/* --- base table and materialiser */
/* CS_ERR_NOT_FOUND: no row. ret initialised (zero), replaced. */
CS_MUST_USE cs_err_t cs_replica_base(cs_replica_t *replica, cs_slice_t path, cs_item_t *ret);
void cs_base_encode(const cs_item_t *row,
                    cs_buf_t *ret); /* value of b/, without path and seal */
CS_MUST_USE cs_err_t cs_base_decode(cs_slice_t path, cs_slice_t value, cs_item_t *ret);

/* Base rows whose path is in the family of `path` (see cs_replica_project), whatever is
 * displayed there now. Sorted by path; ret initialised (zero), replaced. */
CS_MUST_USE cs_err_t cs_replica_base_family(cs_replica_t *replica, cs_slice_t path,
                                            cs_items_t *ret);

/* The front of a row, all that a scan compares, without decoding the backing. A value begins
 * with the print (dev, ino, btime, mtime, ctime, size: u64 each), then content and attr as
 * encoded by cs_content_encode and cs_attr_encode; sealed (base/seal.h). CS_ERR_CORRUPT. */
typedef struct cs_base_front {
    cs_print_t print;
    cs_content_t content;
    uint16_t mode;
} cs_base_front_t;
CS_MUST_USE cs_err_t cs_base_peek(cs_slice_t value, cs_base_front_t *ret);
/* Appends the key of a row: folder number, "b/", path. */
#define CS_BASE_KEY_BYTES 6u /* before the path */
void cs_base_key(uint32_t folder, cs_slice_t path, cs_buf_t *ret);

/* Next path >= from in w/ (memory and store), false at the end. ret (initialised) is replaced.
 * A path stands for its family, tags removed: nothing need be displayed at it itself. A path
 * without items and rows is there because it is no directory any more: rmdir, then settle. */
bool cs_replica_pending(cs_replica_t *replica, cs_slice_t from, cs_buf_t *ret_path);
/* How many they are, counted up to `max`. */
uint64_t cs_replica_count_pending(cs_replica_t *replica, uint64_t max);
/* The same in turns: at most `max` of those behind *last (empty at first), which moves on. */
uint64_t cs_replica_count_pending_from(cs_replica_t *replica, cs_buf_t *last, uint64_t max);
/* A parked path waits for something from elsewhere and need not be looked at: cs_replica_todo
 * is cs_replica_pending without them. What changes a path's entries or rows ends that;
 * `changed`: it did, since unpark_all. In memory only. Paths with siblings are never parked. */
void cs_replica_park(cs_replica_t *replica, cs_slice_t path);
void cs_replica_unpark(cs_replica_t *replica, cs_slice_t path);
void cs_replica_unpark_all(cs_replica_t *replica);
bool cs_replica_parked_changed(const cs_replica_t *replica);
bool cs_replica_todo(cs_replica_t *replica, cs_slice_t from, cs_buf_t *ret_path);
/* The disk shows `item` at its path now (print filled in; its backing as projected when
 * planned). */
void cs_replica_applied(cs_replica_t *replica, const cs_item_t *item);
/* The disk shows nothing at path any more, as wanted. */
void cs_replica_vanished(cs_replica_t *replica, cs_slice_t path);
/* Projection and base agree on the family of path: forget w/<path>. If base equals the
 * projection but for backing or rank, the rows are rebased first (core.md 5.1). False: they do
 * not agree. */
bool cs_replica_settle(cs_replica_t *replica, cs_slice_t path);
/* A path on disk with this content, for local copies. CS_ERR_NOT_FOUND. ret_path replaced. */
CS_MUST_USE cs_err_t cs_replica_find_content(cs_replica_t *replica, const cs_content_t *content,
                                             cs_buf_t *ret_path);
/* The effective path where the content (or hint) of this backing is shown now; NULL: nowhere.
 * Owned. */
cs_str_t *cs_replica_whereabouts(cs_replica_t *replica, const cs_back_t *back);
/* The same bytes are displayed: by a content, too, that the row does not know? The row may
 * learn it by cs_replica_applied, if the file was seen to be that of the row. */
bool cs_item_learns(const cs_item_t *row, const cs_item_t *item);
/* The row of another path that some live content of this row's backing backs as well: true, and
 * a copy of it. The bytes are there, if that is still so on disk. */
bool cs_replica_twin(cs_replica_t *replica, const cs_item_t *row, cs_item_t *ret);
/* Paths whose rows have this content, in bytewise order, until `each` says false. The replica
 * must not change meanwhile. */
void cs_replica_each_content(cs_replica_t *replica, const cs_content_t *content,
                             bool (*each)(void *arg, cs_slice_t path), void *arg);

/* What the base table shows: one pass over its rows (0.2 us each), nothing kept. */
typedef struct cs_tally {
    uint64_t files, dirs,
        bytes; /* files and symbolic links; directories that they imply, too */
} cs_tally_t;
CS_MUST_USE cs_err_t cs_replica_tally(cs_replica_t *replica, cs_tally_t *ret);
/* Base rows shown beside another path: untouched siblings. Sorted by path; ret initialised
 * (zero), replaced. Reads the keys of all rows. */
CS_MUST_USE cs_err_t cs_replica_siblings(cs_replica_t *replica, cs_items_t *ret);

/* Both in turns, of so many rows each: what changes between two of them is counted as it was
 * met. Zero-initialise. */
typedef struct cs_base_walk {
    cs_buf_t last; /* path of the last row that was counted */
    bool done;
    cs_tally_t tally;
    cs_items_t siblings;
} cs_base_walk_t;
CS_MUST_USE cs_err_t cs_replica_walk_base(cs_replica_t *replica, uint32_t rows,
                                          cs_base_walk_t *walk);
void cs_base_walk_fini(cs_base_walk_t *walk);
/* Grows with each change of a base row; in memory only: equal numbers, equal rows. */
uint64_t cs_replica_base_changes(const cs_replica_t *replica);

/* --- buckets whose live state changed by local operations since the last call, for eager
 * pushes. Calls `each` per bucket in sorted order, then forgets them. */
void cs_replica_take_changed(cs_replica_t *replica,
                             void (*each)(void *arg, const cs_bucket_t *), void *arg);

/* --- durability. stage: appends all changes since the last stage, and m/state, to batch; false
 * if there are none. Until `staged_durable` the working set keeps them readable; several stages
 * may be outstanding, they become durable in order. If a batch could not be written, destroy
 * the replica and open it anew: the store still holds the last durable moment. */
bool cs_replica_stage(cs_replica_t *replica, cs_batch_t *batch);
/* Let the next stage write down the symbols, 2 MB if there are many files. Whoever opens the
 * replica with the root that it has then need not make them of all entries again. */
void cs_replica_keep_symbols(cs_replica_t *replica);
/* Since the last stage rows of entries, paths or files changed: more than what others know. */
bool cs_replica_rows_changed(cs_replica_t *replica);
void cs_replica_staged_durable(cs_replica_t *replica); /* the oldest outstanding stage */

CS_HEADER_END

#endif
