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

/* What is to be done about a sight. */
enum {
    CS_ACT_CREATE = 1,
    CS_ACT_CHANGE = 2, /* edit, chmod, or another print */
    CS_ACT_MOVE = 4,
    CS_ACT_DELETE = 8,
    CS_ACT_MARK = 16 /* an empty directory */
};

typedef struct cs_sight {
    cs_sighting_t seen;  /* seen.path lies in `path` */
    cs_str_t *path;      /* owned reference */
    struct cs_sight *to; /* of a file that is not there any more: where it moved */
    uint8_t acts;        /* not done yet */
    bool lost;           /* the row's bytes are not at its path any more */
    bool paired;         /* an appeared path that a vanished one moved to */
    bool adopted;        /* the work of apply, and in base by now */
    bool tangled;        /* bytes that it shows, or showed, went from file to file */
    bool filled;         /* an empty directory in which the user had something */
} cs_sight_t;

typedef struct cs_sights {
    cs_sight_t *item; /* owned */
    uint32_t len, cap;
} cs_sights_t;

typedef struct cs_todo {
    cs_sight_t *sight;
    uint8_t acts;
} cs_todo_t;

typedef enum cs_scan_phase {
    CS_SCAN_WALK, /* sightings come */
    CS_SCAN_ALL,  /* few enough for one batch; else: */
    CS_SCAN_CREATE,
    CS_SCAN_CHANGE,
    CS_SCAN_TANGLED,
    CS_SCAN_MOVE,
    CS_SCAN_DELETE,
    CS_SCAN_FREED, /* new and moved files that were in the way of nothing but what is gone */
    CS_SCAN_REST,  /* in each other's way */
    CS_SCAN_MARK,
    CS_SCAN_DONE
} cs_scan_phase_t;

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
    bool first;        /* base was empty: creations need not wait */
    bool may_adopt;    /* there are pending paths */
    uint32_t early;    /* of them since the last stage */
    uint64_t ctr0;     /* dots above were minted by this batch */
    int64_t born_max;  /* no file that the user had at the beginning is younger */
    cs_sights_t ahead; /* new files that need not wait for the end of the walk */
    cs_sights_t sights;
    cs_scan_phase_t phase;
    uint32_t next;     /* sight to be looked at in this phase */
    uint32_t rounds;   /* of CS_SCAN_FREED */
    bool freed;        /* the last one did something */
    cs_buf_t free_dir; /* no file of base is there or above it */
    cs_todo_t *todo;   /* the batch; owned */
    uint32_t todo_len, todo_cap;
    cs_work_t **work; /* of the batch; owned */
    uint32_t work_len, work_cap;
    cs_omap_t by_path; /* row path -> work */
    cs_omap_t noted;   /* families */
    cs_omap_t adopted; /* backings of files accepted as apply's work */
    cs_omap_t took;    /* path -> owned print of the file that apply took from there */
    cs_omap_t stood;   /* path -> owned sight of a file that is back there */
    cs_view_t view;
    cs_items_t made; /* rows to be written */
    cs_scan_result_t result;
};

static inline bool cs__minted(const cs_replica_t *r, cs_dot_t dot)
{
    return dot.rid == r->state.rid && dot.ctr > r->scan->ctr0;
}

void cs__scan_renamed(cs_scan_t *scan, uint64_t limit);
void cs__refuse(cs_replica_t *r, cs_work_t *work, cs_slice_t path, cs_err_t err);

/* --- scan_batch.c, scan_run.c */
cs_sight_t *cs__sight_at(const cs_scan_t *scan, cs_slice_t path); /* NULL: none */
bool cs__may_go_ahead(cs_replica_t *r, const cs_sight_t *sight);
void cs__scan_order(cs_replica_t *r); /* after the walk: what is to be done, in which phases */
bool cs__scan_next(cs_replica_t *r);  /* one batch; false: it was the last */
void cs__todo_push(cs_scan_t *scan, cs_sight_t *sight, uint8_t acts);
void cs__todo_run(cs_replica_t *r);
void cs__scan_run(cs_replica_t *r, const cs_todo_t *todo, uint32_t len);
void cs__works_clear(cs_scan_t *scan);

/* --- scan_adopt.c: what is on disk by our own doing */
bool cs__adopt(cs_replica_t *r, const cs_sight_t *sight); /* true: no operation */
void cs__adopt_all(cs_replica_t *r);
/* Is what the row showed by this backing still shown, or may it be again? A location that the
 * user knew may show the bytes from its hint: they are his to delete. */
bool cs__back_lives(cs_replica_t *r, const cs_item_t *row, const cs_back_t *back);
void cs__forget_row(cs_replica_t *r, cs_slice_t path); /* no operation */
/* Before the work's file is edited, moved or deleted: leaves it the links that are its own. */
void cs__disown(cs_replica_t *r, cs_work_t *work);
bool cs__is_hollow(cs_replica_t *r,
                   const cs_item_t *row); /* there would be none; only where any is wanted */

/* --- scan_stand.c: files that stand where other bytes are wanted by now */
void cs__stand_saved(cs_replica_t *r, cs_sight_t *sight); /* again: then it appeared */
/* The file of this row vanished: it is back here, where it stood before. NULL: it is not. */
cs_sight_t *cs__stand_of(cs_replica_t *r, const cs_item_t *gone);

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
/* A location of the link's lineage, known to the row, from whose hint its bytes may be shown
 * again; NULL: none. */
const cs_lval_t *cs__hint_of(cs_replica_t *r, const cs_item_t *row, const cs_link_t *link);
/* The link's content has left the lineage: where others keep it, known locations lose hints
 * whose bytes nobody owns any more. */
void cs__forget_hints(cs_replica_t *r, const cs_item_t *row, const cs_link_t *link);
bool cs__has_room(cs_replica_t *r, const cs_links_t *links);
void cs__op_create(cs_replica_t *r, const cs_sight_t *sight);
void cs__op_edit(cs_replica_t *r, cs_work_t *work, const cs_sight_t *sight);
void cs__op_delete(cs_replica_t *r, cs_work_t *work);
/* --- scan_place.c. Moves links[first, first + len) of the work. */
void cs__op_move(cs_replica_t *r, cs_work_t *work, cs_str_t *to, cs_how_t how, uint32_t first,
                 uint32_t len);
void cs__op_chmod(cs_replica_t *r, cs_work_t *work, uint16_t mode, bool pin);

/* --- scan_pair.c, scan_settle.c */
bool cs__same_inode(const cs_print_t *a, const cs_print_t *b);
/* DELETE and CREATE become MOVE. wanted: as cs__any_wanted, now. */
void cs__pair_renames(cs_replica_t *r, bool wanted);
/* Is what the row shows displayed at its path? Changes the view. */
bool cs__stands(cs_replica_t *r, const cs_item_t *row);
/* Where the backing is displayed now; NULL: nowhere. The view is left at its family. */
const cs_str_t *cs__shown_at(cs_replica_t *r, const cs_link_t *link);
void cs__freeze(cs_replica_t *r);
void cs__settle_modes(cs_replica_t *r);
void cs__clean_up(cs_replica_t *r);
void cs__write_rows(cs_replica_t *r);

#endif
