/* replica_i.h - the inside of a replica, shared by the files of replica.h; for no one else.
 *
 *   cell   an entry in memory, with what its lineages show (candidates) as last indexed
 *   index  p/ rows: candidate path -> (bucket, lineage)
 *   view   projection of one family, built from index and cells
 *   dirty  paths whose family may disagree with the base rows; settled at the end of each
 * change
 *
 * The order of a change: cs__cell_open (before), change the entry, cs__cell_changed; then
 * cs__flush brings the index up to date, which is needed before any view; cs__settle_dirty
 * last. */
#ifndef CS_CRDT_REPLICA_I_H
#define CS_CRDT_REPLICA_I_H

#include "base/mutation.h"
#include "base/path.h"
#include "crdt/family.h"
#include "crdt/prefix.h"
#include "crdt/replica.h"
#include "crdt/workset.h"

#define CS_CLEAN_MAX   4096u /* decoded rows kept for reuse between changes */
#define CS_CONTENT_KEY 16u   /* bytes of a content hash in an h/ row */

/* What a content (or a hint) of a lineage asks to be shown (core.md 4, candidates()). */
typedef struct cs_cand {
    cs_str_t *path; /* owned reference */
    cs_content_t content;
    cs_attr_t attr;     /* owned reference */
    bool attr_explicit; /* from an A value */
    uint32_t attr_gen, rank;
    cs_dot_t lin, k;
    int64_t mtime_ns;
    bool tag_known;
    uint8_t tag[CS_SIBLING_TAG_BYTES]; /* of content: computed when a sibling name is first
                                          wanted */
} cs_cand_t;

typedef struct cs_cell {
    cs_entry_t entry;
    cs_onode_t *node; /* of CS_T_ENTRY */
    cs_cand_t *cand;  /* as indexed */
    uint32_t cand_len, cand_cap;
    cs_entry_digest_t digest; /* as counted in root, if digest_known */
    bool counted;             /* is part of root and n */
    bool digest_known;
    bool stale;    /* changed since the last flush */
    bool unrooted; /* changed since root was computed */
    bool due;      /* has a t/ row, as far as known here */
    bool due_known;
    uint64_t entered; /* scan that touched it */
} cs_cell_t;

typedef struct cs_cells {
    cs_cell_t **cell;
    uint32_t len, cap;
} cs_cells_t;

typedef struct cs_strs {
    cs_str_t **str; /* owned references */
    uint32_t len, cap;
} cs_strs_t;

typedef struct cs_ref {
    const cs_cell_t *cell;
    cs_cand_t *cand;
} cs_ref_t;

/* One displayed item: refs of equal path and content. */
typedef struct cs_group {
    uint32_t first, len; /* refs, sorted by bucket, lin, k */
    uint32_t rank;
    const cs_cand_t *attr; /* the one whose attributes count */
    cs_str_t *shown;       /* owned reference */
} cs_group_t;

typedef enum cs_below { CS_BELOW_UNKNOWN, CS_BELOW_NOTHING, CS_BELOW_SOMETHING } cs_below_t;

typedef struct cs_view {
    cs_below_t below; /* is a candidate below the family's own path, without tags? */
    cs_ref_t *ref;
    uint32_t ref_len, ref_cap;
    cs_group_t *group;
    uint32_t group_len, group_cap;
} cs_view_t;

typedef struct cs_rows {
    cs_item_t **row; /* borrowed from CS_T_BASE */
    uint32_t len, cap;
} cs_rows_t;

/* What is known of w/ and g/ (pending.c). */
typedef struct cs_pending {
    cs_buf_t first;   /* no row sorts before it */
    bool none;        /* no row at all */
    cs_omap_t parked; /* paths that wait for bytes, see cs_replica_park */
    bool changed;     /* one of them was touched: no longer parked */
    bool none_goes;   /* no row in g/: look-ups are spared */
} cs_pending_t;

typedef struct cs_scan cs_scan_t;

struct cs_replica {
    cs_workset_t ws;
    cs_keys_t keys;
    cs_modes_t modes;
    cs_state_t state;
    cs_vv_t heard; /* highest numbers met in any entry, since their contexts may be stripped */
    bool state_dirty;
    cs_prefix_t prefix;          /* of the live entries that state.root counts */
    bool keeps_symbols;          /* the next stage writes m/symbols down */
    bool symbols_kept;           /* m/symbols is there, and staged */
    uint8_t kept[CS_HASH_BYTES]; /* of this root */
    cs_cells_t stale, unrooted;
    cs_strs_t dirty;
    cs_strs_t lost;   /* paths that left DIRS: an empty directory may be on disk */
    cs_omap_t pushed; /* buckets for cs_replica_take_changed */
    cs_pending_t pending;
    cs_view_t view; /* scratch of settle */
    cs_rows_t rows;
    cs_buf_t key, seek; /* scratch */
    bool has_rows;      /* there are base rows; else perhaps */
    bool tagged_paths,
        tagged_rows; /* p/, b/ may have names with a tag: without, few look-ups do */
    cs_bucket_t gc_at;
    uint32_t clean_max; /* CS_CLEAN_MAX; less in tests */
    bool cleanup_off;   /* tests vary when core.md 5.5 happens */
    uint64_t base_changes;
    uint32_t batch_max; /* CS_BATCH_OPS_MAX; less in tests */
    int64_t born_max;   /* no file of a base row is younger, by its own time of birth */
    uint64_t scan_serial;
    cs_scan_t *scan; /* NULL: none open */
};

/* Forget clean rows: where no pointer to a cell or a row is held. */
static inline void cs__trim(cs_replica_t *r)
{
    if (r->ws.clean.len > r->clean_max) cs_workset_trim(&r->ws, r->clean_max);
}

/* Modes are compared as the folder's policy sees them (core.md 2). */
static inline uint16_t cs__norm(const cs_replica_t *r, uint16_t mode)
{
    if (r->modes == CS_MODES_ALL) return mode;
    return (mode & 0100) != 0 ? 0755 : 0644;
}

/* --- cells */
extern const cs_table_type_t cs__table_types[CS_TABLE_COUNT];
cs_cell_t *cs__cell_get(cs_replica_t *r, const cs_bucket_t *bucket); /* NULL: no entry */
cs_cell_t *cs__cell_make(cs_replica_t *r, const cs_bucket_t *bucket);
void cs__cell_open(cs_replica_t *r, cs_cell_t *cell);    /* before a change */
void cs__cell_changed(cs_replica_t *r, cs_cell_t *cell); /* after */
void cs__cell_delete(cs_replica_t *r, cs_cell_t *cell);  /* the entry is dead */
void cs__cell_index(cs_replica_t *r, cs_cell_t *cell);
void cs__hear(cs_vv_t *heard, const cs_entry_t *entry); /* its numbers count as heard of */
void cs__flush(cs_replica_t *r);                        /* index all stale cells */
void cs__root_flush(cs_replica_t *r); /* bring state.root, n and d/ up to date */
void cs__root_one(cs_replica_t *r, cs_cell_t *cell);
bool cs__entry_is_due(const cs_entry_t *entry); /* wants a t/ row */
void cs__due_set(cs_replica_t *r, const cs_bucket_t *bucket, bool due);
/* The bucket of a t/ row. False: a fault now; the seal says nothing of a key. */
bool cs__due_bucket(cs_replica_t *r, cs_slice_t key, cs_bucket_t *ret);
/* A lineage that can never be shown again (core.md 5.5); false: none. */
bool cs__entry_dead_lineage(const cs_entry_t *entry, cs_dot_t *ret);

/* --- candidates (candidates.c) */
void cs__cands_of(const cs_entry_t *entry, cs_cand_t **ret, uint32_t *ret_len,
                  uint32_t *ret_cap);
void cs__cands_clear(cs_cand_t *cand, uint32_t len);
/* Is the p/ row of cand that of one of them, too? Contents of one lineage at one path have one.
 */
bool cs__cands_have_row(const cs_cand_t *list, uint32_t len, const cs_cand_t *cand);
/* First L value of lin in the order of core.md 4, of those with a hint if `hinted`. */
const cs_lval_t *cs__best_l(const cs_entry_t *entry, cs_dot_t lin, bool hinted);
/* Order of attribute candidates: explicit first, gen desc, value asc. */
int cs__attr_order(const cs_cand_t *a, const cs_cand_t *b);

/* --- index and projection */
void cs__dirty(cs_replica_t *r, cs_slice_t path);
void cs__dirty_str(cs_replica_t *r, cs_str_t *path); /* takes a reference of its own */
bool cs__below(cs_replica_t *r, cs_slice_t dir);     /* a candidate path lies below dir */
/* The same, looked for at and behind `path` (below dir) first: deleted rows are slow to pass.
 */
bool cs__below_near(cs_replica_t *r, cs_slice_t dir, cs_slice_t path);
void cs__view_family(cs_replica_t *r, const cs_family_t *family, cs_view_t *view);
void cs__view_fini(cs_view_t *view);
const cs_group_t *cs__view_find(const cs_view_t *view, cs_slice_t shown);
void cs__item_from(const cs_view_t *view, const cs_group_t *group, cs_item_t *ret);
void cs__rows_family(cs_replica_t *r, const cs_family_t *family, cs_rows_t *rows);

/* --- base rows */
cs_item_t *cs__row(cs_replica_t *r, cs_slice_t path); /* NULL: none */
/* cs_base_decode would take that value; its print. */
CS_MUST_USE cs_err_t cs__base_check(cs_slice_t value, cs_print_t *ret);
void cs__row_put(cs_replica_t *r, cs_item_t *row); /* takes what row holds; *row is zeroed */
void cs__row_born(cs_replica_t *r, const cs_item_t *row); /* keeps born_max */
void cs__row_list(cs_replica_t *r, const cs_item_t *row); /* its h/ row */
void cs__row_delete(cs_replica_t *r, cs_slice_t path);
void cs__push_row(cs_rows_t *rows, cs_item_t *row);
/* Other rows with the bytes of this one: some of them if there are many. */
void cs__rows_like(cs_replica_t *r, const cs_item_t *row, cs_rows_t *ret);
/* Is this content, or the hint of lin if k is null, in the row's backing? */
bool cs__row_has(const cs_item_t *row, const cs_bucket_t *bucket, cs_dot_t lin, cs_dot_t k);
void cs__settle_dirty(cs_replica_t *r);
void cs__want(cs_replica_t *r, cs_slice_t path); /* set w/<path> */
bool cs__any_wanted(cs_replica_t *r);            /* is there a row in w/? */
/* g/<path>: no directory any more, but there may be one on disk. */
bool cs__is_going(cs_replica_t *r, cs_slice_t path);
void cs__going_set(cs_replica_t *r, cs_slice_t path, bool is_going);
void cs__pending_fini(cs_pending_t *pending);
/* Live dots of lin in a store, appended to a fresh array; NULL if none. */
cs_dot_t *cs__dots_of(const cs_entry_t *entry, cs_dotstore_t store, cs_dot_t lin,
                      uint32_t *ret_len);
uint32_t cs__agen_of(const cs_entry_t *entry, cs_dot_t lin); /* greatest gen of its A values */
int cs__back_cmp(const cs_back_t *a, const cs_back_t *b);
/* The block of item->back, zeroed: that many backs, and behind them room for the dots. */
cs_dot_t *cs__backs_new(cs_item_t *item, uint32_t backs, size_t dots);

/* --- opening and incarnations: every row of the store, value NULL if it cannot be read */
typedef void cs__each_row_fn(void *arg, cs_table_t table, cs_slice_t key, void *value);
cs_err_t cs__walk_rows(cs_replica_t *r, cs_table_t table, void *arg, cs__each_row_fn *each);
/* What a walk over all entries and base rows found (load.c); the replica has what is kept of
 * it: symbols, if they are not known yet, and what was heard of. n: how many entries were
 * expected. */
typedef struct cs_loaded {
    uint8_t root[CS_HASH_BYTES]; /* of the entries that could be read; and how many are live */
    uint64_t n, rows;
    bool clean; /* all could be read */
} cs_loaded_t;
/* m/symbols into the prefix; false, and the prefix as it was, if they are not of that state. */
bool cs__symbols_read(cs_replica_t *r, const cs_snapshot_t *snapshot, const cs_state_t *state);
cs_err_t cs__load(cs_replica_t *r, uint64_t n, cs_all_fn *all, cs_loaded_t *ret);
cs_err_t cs__amnesia(cs_replica_t *r); /* state.rid is the new one already */

/* Are the live states equal, as exchanges see it? */
bool cs__live_eq(const cs_entry_t *a, const cs_entry_t *b);

/* --- dots */
cs_dot_t cs__mint(cs_replica_t *r); /* seen and ctr move with it */

void cs__strs_push(cs_strs_t *strs, cs_str_t *str); /* takes the reference */
void cs__strs_clear(cs_strs_t *strs);

#endif
