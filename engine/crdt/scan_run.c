/* scan_run.c - one batch of a scan: what the user did becomes operations and base rows.
 *
 * To this it is as if the user had done just what the batch says, and nothing else yet. */
#include "base/mem.h"
#include "crdt/scan_i.h"

typedef struct cs_plan {
    cs_sight_t **appeared; /* to be created */
    cs_sight_t **dirs;     /* empty directories */
    uint32_t appeared_len, dirs_len;
} cs_scan_plan_t;

/* A path with a row whose file is there: edit, chmod, or nothing but another print. */
static void change(cs_replica_t *r, cs_item_t *row, cs_sight_t *sight)
{
    cs_work_t *work = cs__work(r, row);
    bool has_content =
        sight->seen.what == CS_SAW_APPEARED || sight->seen.what == CS_SAW_MODIFIED;
    if (!has_content) {
        sight->seen.content = row->content;
        if (sight->seen.what == CS_SAW_TOUCHED) sight->seen.mode = row->attr.mode;
    }
    work->sight = sight;
    work->rewrite = true;
}

static void take(cs_replica_t *r, cs_scan_plan_t *plan, cs_todo_t todo)
{
    cs_sight_t *sight = todo.sight;
    if ((todo.acts & CS_ACT_CREATE) != 0) plan->appeared[plan->appeared_len++] = sight;
    if ((todo.acts & CS_ACT_MARK) != 0) plan->dirs[plan->dirs_len++] = sight;
    cs_item_t *row = cs__row(r, cs_slice_str(sight->path));
    if (row == NULL) return;
    if ((todo.acts & CS_ACT_CHANGE) != 0) change(r, row, sight);
    if ((todo.acts & (CS_ACT_MOVE | CS_ACT_DELETE)) == 0) return;
    cs_work_t *work = cs__work(r, row);
    work->gone = true;
    if ((todo.acts & CS_ACT_MOVE) != 0) work->target = sight->to;
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

static bool is_edited(const cs_work_t *work)
{
    if (work->sight == NULL || work->touched || work->gone) return false;
    if (CS_MUT(TOUCH_EDITS) && work->sight->seen.what == CS_SAW_MODIFIED) return true;
    return !cs_content_eq(&work->sight->seen.content, &work->row->content);
}

static void edit_present(cs_replica_t *r)
{
    for (uint32_t i = 0; i < r->scan->work_len; i++) {
        cs_work_t *work = r->scan->work[i];
        if (!is_edited(work) || !may(r, work)) continue;
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
    if (!cs__any_wanted(r)) return;
    cs__flush(r);
    for (uint32_t i = 0; i < r->scan->work_len; i++) {
        cs_work_t *work = r->scan->work[i];
        if (work->gone || is_edited(work)) cs__disown(r, work);
    }
}

/* Did the user make this directory, or leave it? Not if its marker is known, nor if it waits to
 * be removed, and base knows of nothing there or below. */
static bool wants_marker(cs_replica_t *r, const cs_sight_t *sight)
{
    cs_slice_t path = cs_slice_str(sight->path);
    const cs_item_t *row = cs__row(r, path);
    if (row != NULL && row->content.kind == CS_KIND_DIR && !CS_MUT(D_REMINT)) return false;
    if (row == NULL && cs__is_going(r, path) && !sight->filled) return false;
    return !cs_replica_is_dir(r, path);
}

/* A marker for each directory that nothing implies (core.md 5.5). */
static void mark_dirs(cs_replica_t *r, const cs_scan_plan_t *plan)
{
    uint32_t len = 0;
    cs__flush(r);
    for (uint32_t i = 0; i < plan->dirs_len && !CS_MUT(D_NO_MARK); i++) {
        if (wants_marker(r, plan->dirs[i])) {
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
        cs__op_create(r, plan->appeared[i]);
    }
    mark_dirs(r, plan);
    if (r->state.ctr != r->scan->ctr0) cs__freeze(r);
    cs__settle_modes(r);
    cs__write_rows(r);
}

void cs__works_clear(cs_scan_t *scan)
{
    for (uint32_t i = 0; i < scan->work_len; i++) {
        cs_work_t *work = scan->work[i];
        cs_str_unref(&work->at);
        cs_str_unref(&work->eff);
        cs_free(work->links.link);
        cs_free(work->shown);
        cs_free(work);
    }
    scan->work_len = 0;
    cs_omap_fini(&scan->by_path, NULL);
    cs_omap_fini(&scan->noted, NULL);
}

void cs__scan_run(cs_replica_t *r, const cs_todo_t *todo, uint32_t len)
{
    cs_scan_plan_t plan = {0};
    cs__trim(r);
    cs__flush(r);
    if (len > 0) {
        plan.appeared = cs_calloc(len, sizeof(cs_sight_t *));
        plan.dirs = cs_calloc(len, sizeof(cs_sight_t *));
    }
    r->scan_serial++;
    r->scan->ctr0 = r->state.ctr;
    for (uint32_t i = 0; i < len; i++) {
        take(r, &plan, todo[i]);
    }
    disown(r);
    operate(r, &plan);
    cs__works_clear(r->scan);
    cs_free(plan.appeared);
    cs_free(plan.dirs);
}
