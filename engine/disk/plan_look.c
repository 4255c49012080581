/* plan_look.c - projection against base rows, family by family. */
#include "base/mem.h"
#include "disk/plan_i.h"

/* Renames may lead from family to family without end. */
#define QUEUE_MAX ((size_t)CS_GROUP_FILES_MAX * 2)

bool cs__plan_is_full(const cs_planner_t *planner)
{
    size_t needs_max = planner->query->needs_max;
    return planner->count >= CS_GROUP_FILES_MAX || planner->bytes >= CS_GROUP_BYTES_MAX ||
           (needs_max > 0 && planner->needs >= needs_max);
}

static bool is_busy(const cs_planner_t *planner, cs_slice_t path)
{
    const cs_plan_query_t *query = planner->query;
    return query->busy != NULL && query->busy(query->arg, path);
}

static bool is_ignored(const cs_planner_t *planner, cs_slice_t path)
{
    const cs_plan_query_t *query = planner->query;
    return query->ignored != NULL && query->ignored(query->arg, path);
}

static void enqueue(cs_planner_t *planner, cs_str_t *path)
{
    if (planner->queue_len >= QUEUE_MAX) return;
    if (planner->queue_len == planner->queue_cap) {
        planner->queue_cap = cs_grow(planner->queue_cap, planner->queue_len + 1);
        planner->queue =
            cs_realloc_array(planner->queue, planner->queue_cap, sizeof(cs_str_t *));
    }
    planner->queue[planner->queue_len++] = cs_str_ref(path);
}

/* The row's bytes leave this path: perhaps they are wanted at another. */
static void follow(cs_planner_t *planner, const cs_item_t *row)
{
    for (uint32_t i = 0; i < row->back_len; i++) {
        cs_str_t *path = cs_replica_whereabouts(planner->replica, &row->back[i]);
        if (path != NULL) enqueue(planner, path);
        cs_str_unref(&path);
    }
}

typedef struct cs_source {
    const cs_planner_t *planner;
    cs_slice_t not_this;
    cs_str_t *found;
} cs_source_t;

static bool take_source(void *arg, cs_slice_t path)
{
    cs_source_t *source = arg;
    if (cs_slice_eq(path, source->not_this) || is_busy(source->planner, path)) return true;
    source->found = cs_str_new(path.data, path.len);
    return false;
}

static void find_source(cs_planner_t *planner, cs_want_t *want)
{
    cs_source_t source = {.planner = planner, .not_this = cs_slice_str(want->item.path)};
    cs_replica_each_content(planner->replica, &want->item.content, take_source, &source);
    want->copy_of = source.found;
    if (want->copy_of != NULL) enqueue(planner, want->copy_of);
}

static void add_want(cs_planner_t *planner, cs_item_t *item_p, cs_item_t *row_p)
{
    if (planner->want_len == planner->want_cap) {
        planner->want_cap = cs_grow(planner->want_cap, planner->want_len + 1);
        planner->want =
            cs_realloc_array(planner->want, planner->want_cap, sizeof *planner->want);
    }
    cs_want_t *want = &planner->want[planner->want_len++];
    *want = (cs_want_t){.item = *item_p};
    *item_p = (cs_item_t){0};
    if (row_p != NULL) {
        want->row = *row_p;
        *row_p = (cs_item_t){0};
        follow(planner, &want->row);
    }
    want->staged = planner->query->staged(planner->query->arg, &want->item.content);
    if (!want->staged) find_source(planner, want);
    if (!want->staged && want->copy_of == NULL) {
        if (cs_content_is_small(&want->item.content)) planner->needs++;
        return;
    }
    planner->count++;
    planner->bytes += want->item.content.size;
}

static void add_leave(cs_planner_t *planner, cs_item_t *row_p)
{
    if (planner->leave_len == planner->leave_cap) {
        planner->leave_cap = cs_grow(planner->leave_cap, planner->leave_len + 1);
        planner->leave =
            cs_realloc_array(planner->leave, planner->leave_cap, sizeof *planner->leave);
    }
    cs_leave_t *leave = &planner->leave[planner->leave_len++];
    *leave = (cs_leave_t){.row = *row_p};
    *row_p = (cs_item_t){0};
    follow(planner, &leave->row);
    planner->count++;
}

static void add_blocked(cs_planner_t *planner, const cs_content_t *content)
{
    if (planner->blocked_len == planner->blocked_cap) {
        planner->blocked_cap = cs_grow(planner->blocked_cap, planner->blocked_len + 1);
        planner->blocked =
            cs_realloc_array(planner->blocked, planner->blocked_cap, sizeof(cs_content_t));
    }
    planner->blocked[planner->blocked_len++] = *content;
}

static void add_mode(cs_planner_t *planner, cs_item_t *item_p, const cs_item_t *row)
{
    cs_step_t *step = cs_steps_add(&planner->modes, CS_STEP_CHMOD);
    step->item = *item_p;
    *item_p = (cs_item_t){0};
    step->replaces = true;
    step->expect_content = row->content;
    step->expect_mode = row->attr.mode;
    step->expect = row->print;
    planner->count++;
}

/* Nothing is to be done but to see whether the row may learn what backs its bytes as well. */
static void add_verify(cs_planner_t *planner, cs_item_t *item_p, const cs_item_t *row)
{
    cs_step_t *step = cs_steps_add(&planner->modes, CS_STEP_VERIFY);
    step->item = *item_p;
    *item_p = (cs_item_t){0};
    step->item.mtime_ns = row->mtime_ns;
    step->replaces = true;
    step->expect_content = row->content;
    step->expect_mode = row->attr.mode;
    step->expect = row->print;
    planner->count++;
}

static void add_dir(cs_planner_t *planner, cs_item_t *item_p)
{
    cs_step_t *step = cs_steps_add(&planner->dirs, CS_STEP_MKDIR);
    step->item = *item_p;
    *item_p = (cs_item_t){0};
    planner->count++;
}

static void drop_directory(cs_planner_t *planner, cs_slice_t path)
{
    if (!cs__paths_add(&planner->parents, path)) return;
    cs_step_t *step = cs_steps_add(&planner->rmdirs, CS_STEP_RMDIR);
    step->item.path = cs_str_new(path.data, path.len);
    planner->count++;
}

/* A marker that is gone: with its directory, unless something else needs that. */
static void drop_marker(cs_planner_t *planner, const cs_item_t *row)
{
    cs_slice_t path = cs_slice_str(row->path);
    if (cs_replica_is_dir(planner->replica, path)) {
        cs_replica_vanished(planner->replica, path);
    } else {
        drop_directory(planner, path);
    }
}

static bool is_marker(const cs_item_t *item)
{
    return item->content.kind == CS_KIND_DIR;
}

/* One displayed path; either may be NULL. What is needed is taken out of them. True: they
 * agree. */
static bool compare(cs_planner_t *planner, cs_item_t *item, cs_item_t *row)
{
    const cs_item_t *either = item != NULL ? item : row;
    CS_ASSERT(either != NULL);
    cs_slice_t path = cs_slice_str(either->path);
    bool is_new = cs__paths_add(&planner->seen, path);
    bool agree = item != NULL && row != NULL && cs_content_eq(&item->content, &row->content) &&
                 cs_attr_eq(&item->attr, &row->attr);
    if (agree && !cs_item_learns(row, item)) return true;
    if (!is_new || is_ignored(planner, path)) return false;
    if (is_busy(planner, path)) {
        if (item != NULL) add_blocked(planner, &item->content);
        return false;
    }
    if (agree) {
        add_verify(planner, item, row);
        return false;
    }
    if (item != NULL && row != NULL && cs_content_eq(&item->content, &row->content)) {
        add_mode(planner, item, row);
        return false;
    }
    bool both_files = item != NULL && row != NULL && !is_marker(item) && !is_marker(row);
    if (both_files) {
        add_want(planner, item, row);
        return false;
    }
    if (row != NULL && is_marker(row)) {
        drop_marker(planner, row);
    } else if (row != NULL) {
        add_leave(planner, row);
    }
    if (item != NULL && is_marker(item)) {
        add_dir(planner, item);
    } else if (item != NULL) {
        add_want(planner, item, NULL);
    }
    return false;
}

static cs_err_t look_family(cs_planner_t *planner, cs_slice_t path)
{
    if (!cs__paths_add(&planner->families, path)) return CS_OK;
    cs_items_t items = {0}, rows = {0};
    cs_err_t err = cs_replica_project(planner->replica, path, &items);
    if (err == CS_OK) err = cs_replica_base_family(planner->replica, path, &rows);
    bool agree = err == CS_OK;
    uint32_t i = 0, j = 0;
    while (err == CS_OK && (i < items.len || j < rows.len)) {
        int order = i == items.len  ? 1
                    : j == rows.len ? -1
                                    : cs_str_cmp(items.item[i].path, rows.item[j].path);
        cs_item_t *item = order <= 0 ? &items.item[i++] : NULL;
        cs_item_t *row = order >= 0 ? &rows.item[j++] : NULL;
        if (!compare(planner, item, row)) agree = false;
    }
    if (agree && items.len + rows.len == 0 && !cs_replica_is_dir(planner->replica, path)) {
        drop_directory(planner, path); /* pending because it is a directory no more */
    } else if (agree) {
        (void)cs_replica_settle(planner->replica, path);
    }
    cs_items_fini(&items);
    cs_items_fini(&rows);
    return err;
}

cs_err_t cs__plan_look(cs_planner_t *planner, cs_slice_t path)
{
    cs_err_t err = look_family(planner, path);
    while (err == CS_OK && planner->queue_len > 0) {
        cs_str_t *next = planner->queue[--planner->queue_len];
        if (!cs__plan_is_full(planner)) err = look_family(planner, cs_slice_str(next));
        cs_str_unref(&next);
    }
    return err;
}
