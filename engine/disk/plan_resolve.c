/* plan_resolve.c - who gets his bytes whence; steps in an order in which they can be performed.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "disk/plan_i.h"

static bool shares_backing(const cs_item_t *a, const cs_item_t *b)
{
    for (uint32_t i = 0; i < a->back_len; i++) {
        for (uint32_t j = 0; j < b->back_len; j++) {
            const cs_back_t *x = &a->back[i], *y = &b->back[j];
            bool same_bucket = cs_slice_eq(cs_slice(x->bucket.b, CS_BUCKET_BYTES),
                                           cs_slice(y->bucket.b, CS_BUCKET_BYTES));
            if (same_bucket && cs_dot_eq(x->k, y->k)) return true;
        }
    }
    return false;
}

static bool same_name(const cs_item_t *a, const cs_item_t *b)
{
    return cs_slice_eq(cs_path_base(cs_slice_str(a->path)),
                       cs_path_base(cs_slice_str(b->path)));
}

/* How well a leave suits a want with equal bytes: the same file, the same name, anything. */
static unsigned suits(const cs_want_t *want, const cs_leave_t *leave)
{
    if (leave->taken) return 0;
    if (shares_backing(&want->item, &leave->row)) return 3;
    return same_name(&want->item, &leave->row) ? 2 : 1;
}

static bool is_blocked(const cs_planner_t *planner, const cs_content_t *content)
{
    for (size_t i = 0; i < planner->blocked_len; i++) {
        if (cs_content_eq(&planner->blocked[i], content)) return true;
    }
    return false;
}

static void expect_row(cs_planner_t *planner, cs_step_t *step, const cs_item_t *row)
{
    if (row->path == NULL) return;
    (void)cs_replica_twin(planner->replica, row, &step->twin);
    step->replaces = true;
    step->expect_content = row->content;
    step->expect_mode = row->attr.mode;
    step->expect = row->print;
}

static cs_step_t *meet(cs_planner_t *planner, cs_want_t *want, cs_step_kind_t kind,
                       cs_steps_t *ret)
{
    cs_step_t *step = cs_steps_add(ret, kind);
    step->item = want->item;
    want->item = (cs_item_t){0};
    expect_row(planner, step, &want->row);
    want->met = true;
    return step;
}

static void move(cs_planner_t *planner, cs_want_t *want, cs_leave_t *leave, cs_steps_t *ret)
{
    cs_step_t *step = meet(planner, want, CS_STEP_MOVE, ret);
    step->from = cs_str_ref(leave->row.path);
    step->from_print = leave->row.print;
    step->from_mode = leave->row.attr.mode;
    leave->taken = true;
}

static int by_content(const void *a, const void *b)
{
    const cs_leave_t *x = a, *y = b;
    int order = cs_content_cmp(&x->row.content, &y->row.content);
    return order != 0 ? order : cs_str_cmp(x->row.path, y->row.path);
}

/* The first of the sorted leaves that may have these bytes. */
static size_t find_leave(const cs_planner_t *planner, const cs_content_t *content)
{
    size_t begin = 0, end = planner->leave_len;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (cs_content_cmp(&planner->leave[middle].row.content, content) < 0) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

/* The best pairs first: a want must not take another one's own file. */
static void pair(cs_planner_t *planner, cs_steps_t *ret)
{
    if (planner->leave_len == 0) return;
    qsort(planner->leave, planner->leave_len, sizeof *planner->leave, by_content);
    for (unsigned least = 3; least > 0; least--) {
        for (size_t i = 0; i < planner->want_len; i++) {
            cs_want_t *want = &planner->want[i];
            if (want->met) continue;
            for (size_t j = find_leave(planner, &want->item.content);
                 j < planner->leave_len && !want->met; j++) {
                cs_leave_t *leave = &planner->leave[j];
                if (!cs_content_eq(&want->item.content, &leave->row.content)) break;
                if (suits(want, leave) >= least) move(planner, want, leave, ret);
            }
        }
    }
}

/* Bytes that are wanted where nothing can be done now stay on disk until it can. */
static bool must_wait(cs_planner_t *planner, const cs_item_t *row)
{
    if (is_blocked(planner, &row->content)) return true;
    bool waits = false;
    for (uint32_t i = 0; i < row->back_len && !waits; i++) {
        cs_str_t *path = cs_replica_whereabouts(planner->replica, &row->back[i]);
        waits = path != NULL && !cs__paths_has(&planner->families, cs_slice_str(path));
        cs_str_unref(&path);
    }
    return waits;
}

static void need(cs_planner_t *planner, const cs_want_t *want)
{
    const cs_content_t *content = &want->item.content;
    if (!cs__paths_add(&planner->needed, cs_slice(content->hash, CS_HASH_BYTES))) return;
    planner->query->need(planner->query->arg, &want->item);
}

static void write_wants(cs_planner_t *planner, cs_steps_t *ret)
{
    for (size_t i = 0; i < planner->want_len; i++) {
        cs_want_t *want = &planner->want[i];
        if (want->met) continue;
        if (!want->staged && want->copy_of == NULL) {
            need(planner, want);
            continue;
        }
        if (want->row.path != NULL && must_wait(planner, &want->row)) continue;
        cs_step_t *step = meet(planner, want, CS_STEP_WRITE, ret);
        if (!want->staged) step->from = cs_str_ref(want->copy_of);
    }
}

static void delete_leaves(cs_planner_t *planner, cs_steps_t *ret)
{
    for (size_t i = 0; i < planner->leave_len; i++) {
        cs_leave_t *leave = &planner->leave[i];
        if (leave->taken) continue;
        leave->waits = must_wait(planner, &leave->row);
        if (leave->waits) continue;
        cs_step_t *step = cs_steps_add(ret, CS_STEP_DELETE);
        step->item.path = cs_str_ref(leave->row.path);
        expect_row(planner, step, &leave->row);
    }
}

/* Directories above `path` that nothing implies any more go with what was in them. */
static void remove_above(cs_planner_t *planner, cs_slice_t path)
{
    for (cs_slice_t dir = cs_path_parent(path); dir.len > 0; dir = cs_path_parent(dir)) {
        if (!cs__paths_add(&planner->parents, dir)) return; /* asked, and so were those above */
        if (cs_replica_is_dir(planner->replica, dir)) return;
        cs_step_t *step = cs_steps_add(&planner->rmdirs, CS_STEP_RMDIR);
        step->item.path = cs_str_new(dir.data, dir.len);
    }
}

static void remove_parents(cs_planner_t *planner)
{
    for (size_t i = 0; i < planner->leave_len; i++) {
        if (!planner->leave[i].waits) {
            remove_above(planner, cs_slice_str(planner->leave[i].row.path));
        }
    }
    for (size_t i = 0, len = planner->rmdirs.len; i < len; i++) {
        remove_above(planner, cs_slice_str(planner->rmdirs.item[i].item.path));
    }
}

static int deepest_first(const void *a, const void *b)
{
    return cs_str_cmp(((const cs_step_t *)b)->item.path, ((const cs_step_t *)a)->item.path);
}

static void append(cs_steps_t *steps, cs_steps_t *more)
{
    for (size_t i = 0; i < more->len; i++) {
        *cs_steps_add(steps, more->item[i].kind) = more->item[i];
        more->item[i] = (cs_step_t){.kind = more->item[i].kind};
    }
}

void cs__plan_resolve(cs_planner_t *planner, cs_steps_t *ret)
{
    cs_steps_t moves = {0}, writes = {0};
    pair(planner, &moves);
    write_wants(planner, &writes);
    delete_leaves(planner, ret);
    remove_parents(planner);
    if (planner->rmdirs.len > 1) {
        qsort(planner->rmdirs.item, planner->rmdirs.len, sizeof(cs_step_t), deepest_first);
    }
    append(ret, &moves);
    append(ret, &planner->rmdirs);
    append(ret, &planner->dirs);
    append(ret, &writes);
    append(ret, &planner->modes);
    cs_steps_fini(&moves);
    cs_steps_fini(&writes);
}
