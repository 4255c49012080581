/* scan_i.h - a scan while it becomes operations (core.md 5.2-5.5); private to the scan_*.c
 * files.
 *
 * Base rows stay as they were until the end: every operation is judged by what the user had. A
 * row that an operation may concern becomes a `work` beforehand, together with what was
 * displayed of it and the mode it showed, so that side effects can be told from intent
 * afterwards. */
#ifndef CS_CRDT_SCAN_I_H
#define CS_CRDT_SCAN_I_H

#include "crdt/replica_i.h"

#define CS_MODE_NONE 0xffffu /* nothing of the backing is live */

typedef struct cs_sight {
    cs_sighting_t seen; /* seen.path lies in `path` */
    cs_str_t *path;     /* owned reference */
    bool paired;        /* an appeared path that a vanished one moved to */
    bool adopted;       /* the work of apply, and in base by now */
} cs_sight_t;

/* Backing of the user's file while operations go on. */
typedef struct cs_link {
    cs_bucket_t bucket;
    cs_dot_t lin, k;
} cs_link_t;

typedef struct cs_links {
    cs_link_t *link;
    uint32_t len;
} cs_links_t;

typedef struct cs_work {
    cs_item_t *row;           /* as at the beginning; borrowed */
    cs_str_t *at;             /* where the file is on disk now, owned reference; NULL: gone */
    cs_str_t *eff;            /* of the row to be written, owned reference */
    const cs_sight_t *sight;  /* NULL: as base */
    const cs_sight_t *target; /* appeared path it moved to */
    cs_links_t links;
    uint8_t *shown;  /* per back of row: displayed at its path at the beginning; NULL: none */
    uint32_t rank;   /* of the row to be written */
    uint16_t before; /* mode that its backing showed */
    bool gone, touched, rewrite, refused;
} cs_work_t;

struct cs_scan {
    void (*refused)(void *arg, cs_slice_t path, cs_err_t err);
    void *arg;
    bool first;     /* base was empty: creations need not wait */
    bool may_adopt; /* there are pending paths */
    uint32_t early; /* of them since the last stage */
    uint64_t ctr0;  /* dots above were minted by this scan */
    cs_sight_t *sight;
    uint32_t sight_len, sight_cap;
    cs_work_t **work; /* owned */
    uint32_t work_len, work_cap;
    cs_omap_t by_path; /* row path -> work */
    cs_omap_t noted;   /* families */
    cs_omap_t adopted; /* backings of files accepted as apply's work */
    cs_omap_t took;    /* path -> owned print of the file that apply took from there */
    cs_view_t view;
    cs_items_t made; /* rows to be written */
    cs_scan_result_t result;
};

static inline bool cs__minted(const cs_replica_t *r, cs_dot_t dot)
{
    return dot.rid == r->state.rid && dot.ctr > r->scan->ctr0;
}

bool cs__is_edited(const cs_work_t *work); /* other bytes than the row's are at its path */
void cs__scan_renamed(cs_scan_t *scan, uint64_t limit);
void cs__refuse(cs_replica_t *r, cs_work_t *work, cs_slice_t path, cs_err_t err);

/* --- scan_adopt.c: what is on disk by our own doing */
bool cs__adopt(cs_replica_t *r, const cs_sight_t *sight); /* true: no operation */
void cs__adopt_all(cs_replica_t *r);
/* Before the work's file is edited, moved or deleted: leaves it the links that are its own. */
void cs__disown(cs_replica_t *r, cs_work_t *work);

/* --- scan_note.c: what was there before an operation */
cs_work_t *cs__work(cs_replica_t *r, cs_item_t *row); /* the work of a row, made if needed */
void cs__note(cs_replica_t *r, cs_slice_t path);      /* before a path's family may change */
cs_cell_t *cs__enter(cs_replica_t *r, const cs_bucket_t *bucket); /* before an entry changes */
const cs_cand_t *cs__link_cand(cs_replica_t *r, const cs_link_t *link); /* NULL: not live */
uint16_t cs__mode_of(cs_replica_t *r, const cs_links_t *links);
void cs__own(cs_replica_t *r, cs_links_t *links); /* owners as they are now */

/* --- scan_ops.c: core.md 5.3 */
uint32_t cs__higher(uint32_t gen, uint32_t by); /* saturates */
/* These mint: the entry has room, the value's strings stay the caller's. */
cs_dot_t cs__add_l(cs_replica_t *r, cs_cell_t *cell, cs_lval_t value);
void cs__add_a(cs_replica_t *r, cs_cell_t *cell, cs_aval_t value);
void cs__remove_dot(cs_replica_t *r, cs_cell_t *cell, cs_dotstore_t store, cs_dot_t dot);
/* Removes what the user knew of lin in a store, and what this scan minted: never more. */
void cs__remove_mine(cs_replica_t *r, const cs_item_t *row, cs_cell_t *cell,
                     cs_dotstore_t store, cs_dot_t lin);
uint32_t cs__seen_peers(cs_replica_t *r, const cs_str_t *path);
bool cs__has_room(cs_replica_t *r, const cs_links_t *links);
void cs__op_create(cs_replica_t *r, const cs_sight_t *sight);
void cs__op_edit(cs_replica_t *r, cs_work_t *work, const cs_sight_t *sight);
void cs__op_delete(cs_replica_t *r, cs_work_t *work);
/* --- scan_place.c. Moves links[first, first + len) of the work. */
void cs__op_move(cs_replica_t *r, cs_work_t *work, cs_str_t *to, cs_how_t how, uint32_t first,
                 uint32_t len);
void cs__op_chmod(cs_replica_t *r, cs_work_t *work, uint16_t mode, bool pin);

/* --- scan_pair.c, scan_settle.c */
void cs__pair_renames(cs_replica_t *r, cs_sight_t **appeared, uint32_t len);
/* Where the backing is displayed now; NULL: nowhere. The view is left at its family. */
const cs_str_t *cs__shown_at(cs_replica_t *r, const cs_link_t *link);
void cs__freeze(cs_replica_t *r);
void cs__settle_modes(cs_replica_t *r);
void cs__clean_up(cs_replica_t *r);
void cs__write_rows(cs_replica_t *r);

#endif
