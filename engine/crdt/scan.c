/* scan.c - what the disk shows, collected and turned into operations in order
 * (core.md 5.2, 5.3). */
#include "base/mem.h"
#include "crdt/scan_i.h"

#include <stdlib.h>
#include <string.h>

void cs_replica_scan_begin(cs_replica_t *replica,
                           void (*refused)(void *arg, cs_slice_t path, cs_err_t), void *arg)
{
    cs_replica_scan_abort(replica);
    cs_scan_t *scan = cs_calloc(1, sizeof *scan);
    scan->refused = refused;
    scan->arg = arg;
    scan->ctr0 = replica->state.ctr;
    scan->first = !cs_workset_any(&replica->ws, CS_T_BASE, cs_slice(NULL, 0));
    scan->may_adopt = cs_workset_any(&replica->ws, CS_T_WANTED, cs_slice(NULL, 0));
    replica->scan = scan;
    replica->scan_serial++;
}

void cs_replica_scan_abort(cs_replica_t *replica)
{
    cs_scan_t *scan = replica->scan;
    replica->scan = NULL;
    if (scan == NULL) return;
    for (uint32_t i = 0; i < scan->sight_len; i++) {
        cs_str_unref(&scan->sight[i].path);
    }
    for (uint32_t i = 0; i < scan->work_len; i++) {
        cs_work_t *work = scan->work[i];
        cs_str_unref(&work->at);
        cs_str_unref(&work->eff);
        cs_free(work->links.link);
        cs_free(work->shown);
        cs_free(work);
    }
    cs_free(scan->sight);
    cs_free(scan->work);
    cs_omap_fini(&scan->by_path, NULL);
    cs_omap_fini(&scan->noted, NULL);
    cs_omap_fini(&scan->adopted, NULL);
    cs_omap_fini(&scan->took, cs_free);
    cs__view_fini(&scan->view);
    cs_items_fini(&scan->made);
    cs_free(scan);
}

void cs__scan_renamed(cs_scan_t *scan, uint64_t limit)
{
    scan->ctr0 = scan->ctr0 > limit ? scan->ctr0 - limit : 0;
}

void cs__refuse(cs_replica_t *r, cs_work_t *work, cs_slice_t path, cs_err_t err)
{
    if (work != NULL) work->refused = true;
    if (r->scan->refused != NULL) r->scan->refused(r->scan->arg, path, err);
}

cs_err_t cs_replica_scan_add(cs_replica_t *replica, const cs_sighting_t *sighting,
                             bool *ret_stage_now)
{
    cs_scan_t *scan = replica->scan;
    CS_ASSERT(scan != NULL);
    *ret_stage_now = false;
    cs_sight_t sight = {.seen = *sighting,
                        .path = cs_str_new(sighting->path.data, sighting->path.len)};
    sight.seen.path = cs_slice_str(sight.path);
    if (scan->first && cs__adopt(replica, &sight)) {
        scan->first = false; /* there are rows now */
        cs_str_unref(&sight.path);
        return replica->ws.fault;
    }
    if (scan->first && sighting->what == CS_SAW_APPEARED) {
        cs__op_create(replica, &sight);
        cs_str_unref(&sight.path);
        for (uint32_t i = 0; i < scan->made.len; i++) {
            cs__row_put(replica, &scan->made.item[i]);
        }
        scan->made.len = 0;
        *ret_stage_now = ++scan->early % CS_BATCH_OPS_MAX == 0;
        if (*ret_stage_now) cs__settle_dirty(replica);
        return replica->ws.fault;
    }
    if (scan->sight_len == scan->sight_cap) {
        scan->sight_cap = (uint32_t)cs_grow(scan->sight_cap, scan->sight_len + 1u);
        scan->sight = cs_realloc_array(scan->sight, scan->sight_cap, sizeof *scan->sight);
    }
    scan->sight[scan->sight_len++] = sight;
    return CS_OK;
}

static int sight_order(const void *x, const void *y)
{
    const cs_sight_t *a = x, *b = y;
    int order = cs_str_cmp(a->path, b->path);
    return order != 0 ? order : (int)a->seen.what - (int)b->seen.what;
}

typedef struct cs_plan {
    cs_sight_t **appeared; /* no row, or that of a marker */
    cs_sight_t **dirs;     /* empty directories */
    uint32_t appeared_len, dirs_len;
} cs_scan_plan_t;

static void appear(cs_scan_plan_t *plan, cs_sight_t *sight)
{
    plan->appeared[plan->appeared_len++] = sight;
}

/* A path with a row whose file is there: edit, chmod, or nothing but another print. */
static void classify_present(cs_replica_t *r, cs_scan_plan_t *plan, cs_item_t *row,
                             cs_sight_t *sight)
{
    bool has_content =
        sight->seen.what == CS_SAW_APPEARED || sight->seen.what == CS_SAW_MODIFIED;
    cs_work_t *work = cs__work(r, row);
    if (row->content.kind == CS_KIND_DIR) {
        if (!has_content) return;
        work->gone = true; /* a file where the marked directory was */
        appear(plan, sight);
        return;
    }
    bool other_inode = sight->seen.print.ino != row->print.ino;
    if (CS_MUT(RENAME_FIRST) && has_content && other_inode) {
        work->gone = true;
        appear(plan, sight);
        return;
    }
    if (!has_content) {
        sight->seen.content = row->content;
        if (sight->seen.what == CS_SAW_TOUCHED) sight->seen.mode = row->attr.mode;
    }
    work->sight = sight;
    work->rewrite = true;
}

static void classify(cs_replica_t *r, cs_scan_plan_t *plan, cs_sight_t *sight)
{
    cs_item_t *row = cs__row(r, cs_slice_str(sight->path));
    switch (sight->seen.what) {
    case CS_SAW_VANISHED:
        if (row != NULL) cs__work(r, row)->gone = true;
        return;
    case CS_SAW_EMPTY_DIR:
        if (row != NULL && row->content.kind != CS_KIND_DIR) cs__work(r, row)->gone = true;
        plan->dirs[plan->dirs_len++] = sight;
        return;
    case CS_SAW_APPEARED:
    case CS_SAW_MODIFIED:
        if (row == NULL) {
            appear(plan, sight);
        } else {
            classify_present(r, plan, row, sight);
        }
        return;
    case CS_SAW_CHMODDED:
    case CS_SAW_TOUCHED:
        if (row != NULL) classify_present(r, plan, row, sight);
        return;
    }
}

/* All operations of a work but its chmod; false if there is no room for them. */
static bool may(cs_replica_t *r, cs_work_t *work)
{
    if (cs__has_room(r, &work->links)) return true;
    cs__refuse(r, work, cs_slice_str(work->row->path), CS_ERR_LIMIT);
    return false;
}

static void delete_gone(cs_replica_t *r, bool markers)
{
    for (uint32_t i = 0; i < r->scan->work_len; i++) {
        cs_work_t *work = r->scan->work[i];
        bool is_marker = work->row->content.kind == CS_KIND_DIR;
        if (!work->gone || work->target != NULL || is_marker != markers) continue;
        if (CS_MUT(D_KEEP) && is_marker) continue;
        if (may(r, work)) cs__op_delete(r, work);
    }
}

static void move_gone(cs_replica_t *r)
{
    for (uint32_t i = 0; i < r->scan->work_len; i++) {
        cs_work_t *work = r->scan->work[i];
        if (work->target == NULL) continue;
        cs_err_t err = cs_path_check(cs_slice_str(work->target->path));
        if (err != CS_OK || !may(r, work)) {
            if (err != CS_OK) cs__refuse(r, work, cs_slice_str(work->target->path), err);
            continue;
        }
        cs__op_move(r, work, work->target->path, CS_MOVE, 0, work->links.len);
        cs_str_unref(&work->at);
        work->at = cs_str_ref(work->target->path);
        work->sight = work->target;
        work->touched = true;
        r->scan->result.moved++;
        if (!cs_content_eq(&work->sight->seen.content, &work->row->content)) {
            cs__op_edit(r, work, work->sight);
        }
    }
}

bool cs__is_edited(const cs_work_t *work)
{
    if (work->sight == NULL || work->touched || work->gone) return false;
    return !cs_content_eq(&work->sight->seen.content, &work->row->content);
}

static void edit_present(cs_replica_t *r)
{
    for (uint32_t i = 0; i < r->scan->work_len; i++) {
        cs_work_t *work = r->scan->work[i];
        if (!cs__is_edited(work) || !may(r, work)) continue;
        if (work->links.len > 0) {
            cs__op_edit(r, work, work->sight);
        } else { /* what was here lives elsewhere: a new file */
            cs__op_delete(r, work);
            cs__op_create(r, work->sight);
        }
    }
}

/* Two rows of one content: one of their families is pending. */
static void disown(cs_replica_t *r)
{
    if (!cs_workset_any(&r->ws, CS_T_WANTED, cs_slice(NULL, 0))) return;
    cs__flush(r);
    for (uint32_t i = 0; i < r->scan->work_len; i++) {
        cs_work_t *work = r->scan->work[i];
        if (work->gone || cs__is_edited(work)) cs__disown(r, work);
    }
}

/* Had the user anything in this directory? */
static bool was_filled(cs_replica_t *r, cs_slice_t dir)
{
    cs_buf_clear(&r->seek);
    cs_buf_put_slice(&r->seek, dir);
    cs_buf_put_u8(&r->seek, '/');
    return cs_workset_any(&r->ws, CS_T_BASE, cs_buf_slice(&r->seek));
}

/* Did the user make this directory, or leave it? Not if its marker is known, nor if it waits to
 * be removed: a pending path, and base knows of nothing there or below. */
static bool wants_marker(cs_replica_t *r, cs_slice_t path)
{
    const cs_item_t *row = cs__row(r, path);
    if (row != NULL && row->content.kind == CS_KIND_DIR && !CS_MUT(D_REMINT)) return false;
    bool pending = cs_workset_has(&r->ws, CS_T_WANTED, path);
    if (row == NULL && pending && !was_filled(r, path)) return false;
    return !cs_replica_is_dir(r, path);
}

/* A marker for each directory that nothing implies (core.md 5.5). */
static void mark_dirs(cs_replica_t *r, const cs_scan_plan_t *plan)
{
    uint32_t len = 0;
    cs__flush(r);
    for (uint32_t i = 0; i < plan->dirs_len && !CS_MUT(D_NO_MARK); i++) {
        if (wants_marker(r, cs_slice_str(plan->dirs[i]->path))) {
            plan->dirs[len++] = plan->dirs[i];
        }
    }
    for (uint32_t i = 0; i < len; i++) {
        plan->dirs[i]->seen.content = (cs_content_t){.kind = CS_KIND_DIR};
        cs__op_create(r, plan->dirs[i]);
    }
}

static void operate(cs_replica_t *r, const cs_scan_plan_t *plan)
{
    delete_gone(r, true);
    delete_gone(r, false);
    move_gone(r);
    edit_present(r);
    for (uint32_t i = 0; i < plan->appeared_len; i++) {
        if (!plan->appeared[i]->paired) cs__op_create(r, plan->appeared[i]);
    }
    mark_dirs(r, plan);
    if (r->state.ctr != r->scan->ctr0) cs__freeze(r);
    cs__settle_modes(r);
    cs__write_rows(r);
    if (!r->cleanup_off) cs__clean_up(r);
}

uint64_t cs_replica_scan_moves(cs_replica_t *replica, uint64_t max)
{
    const cs_scan_t *scan = replica->scan;
    CS_ASSERT(scan != NULL);
    uint64_t count = 0;
    cs_buf_t path = {0};
    for (uint32_t i = 0; i < scan->sight_len && count < max; i++) {
        const cs_sighting_t *seen = &scan->sight[i].seen;
        if (seen->what != CS_SAW_APPEARED) continue;
        count += cs_replica_find_content(replica, &seen->content, &path) == CS_OK;
    }
    cs_buf_fini(&path);
    return count;
}

cs_err_t cs_replica_scan_commit(cs_replica_t *replica, cs_scan_result_t *ret)
{
    cs_scan_t *scan = replica->scan;
    CS_ASSERT(scan != NULL);
    cs_scan_plan_t plan = {0};
    if (scan->sight_len > 0) { /* mostly nothing happened */
        plan.appeared = cs_calloc(scan->sight_len, sizeof(cs_sight_t *));
        plan.dirs = cs_calloc(scan->sight_len, sizeof(cs_sight_t *));
    }
    cs__flush(replica);
    if (scan->sight_len > 1) {
        qsort(scan->sight, scan->sight_len, sizeof *scan->sight, sight_order);
    }
    cs__adopt_all(replica);
    for (uint32_t i = 0; i < scan->sight_len; i++) {
        if (!scan->sight[i].adopted) classify(replica, &plan, &scan->sight[i]);
    }
    disown(replica);
    cs__pair_renames(replica, plan.appeared, plan.appeared_len);
    operate(replica, &plan);
    cs__flush(replica);
    cs__strs_clear(&replica->lost); /* the user removed these himself, or they are marked now */
    cs__settle_dirty(replica);
    *ret = scan->result;
    cs_free(plan.appeared);
    cs_free(plan.dirs);
    cs_replica_scan_abort(replica);
    return replica->ws.fault;
}
