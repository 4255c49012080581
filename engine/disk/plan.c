/* plan.c - pending paths -> steps (plan_i.h). */
#include <string.h>

#include "base/mem.h"
#include "disk/plan_i.h"

static size_t paths_find(const cs_paths_t *paths, cs_slice_t path)
{
    size_t begin = 0, end = paths->len;
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (cs_slice_cmp(cs_slice_str(paths->item[middle]), path) < 0) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

bool cs__paths_has(const cs_paths_t *paths, cs_slice_t path)
{
    size_t i = paths_find(paths, path);
    return i < paths->len && cs_slice_eq(cs_slice_str(paths->item[i]), path);
}

bool cs__paths_add(cs_paths_t *paths, cs_slice_t path)
{
    size_t i = paths_find(paths, path);
    if (i < paths->len && cs_slice_eq(cs_slice_str(paths->item[i]), path)) return false;
    if (paths->len == paths->cap) {
        paths->cap = cs_grow(paths->cap, paths->len + 1);
        paths->item = cs_realloc_array(paths->item, paths->cap, sizeof(cs_str_t *));
    }
    memmove(paths->item + i + 1, paths->item + i, (paths->len - i) * sizeof(cs_str_t *));
    paths->item[i] = cs_str_new(path.data, path.len);
    paths->len++;
    return true;
}

static void paths_fini(cs_paths_t *paths)
{
    for (size_t i = 0; i < paths->len; i++) {
        cs_str_unref(&paths->item[i]);
    }
    cs_free(paths->item);
    *paths = (cs_paths_t){0};
}

static void planner_fini(cs_planner_t *planner)
{
    for (size_t i = 0; i < planner->want_len; i++) {
        cs_item_fini(&planner->want[i].item);
        cs_item_fini(&planner->want[i].row);
        cs_str_unref(&planner->want[i].copy_of);
    }
    cs_free(planner->want);
    for (size_t i = 0; i < planner->leave_len; i++) {
        cs_item_fini(&planner->leave[i].row);
    }
    cs_free(planner->leave);
    cs_steps_fini(&planner->modes);
    cs_steps_fini(&planner->dirs);
    cs_steps_fini(&planner->rmdirs);
    paths_fini(&planner->families);
    paths_fini(&planner->seen);
    paths_fini(&planner->parents);
    paths_fini(&planner->needed);
    for (size_t i = 0; i < planner->queue_len; i++) {
        cs_str_unref(&planner->queue[i]);
    }
    cs_free(planner->queue);
    cs_free(planner->blocked);
}

cs_err_t cs_plan(cs_replica_t *replica, const cs_plan_query_t *query, size_t paths_max,
                 cs_buf_t *cursor, cs_steps_t *ret)
{
    cs_planner_t planner = {.replica = replica, .query = query};
    cs_buf_t path = {0};
    cs_err_t err = CS_OK;
    bool more = true;
    for (size_t looked = 0; looked < paths_max && !cs__plan_is_full(&planner); looked++) {
        more = cs_replica_todo(replica, cs_buf_slice(cursor), &path);
        if (!more) break;
        err = cs__plan_look(&planner, cs_buf_slice(&path));
        if (err != CS_OK) break;
        cs_buf_clear(cursor);
        cs_buf_put_slice(cursor, cs_buf_slice(&path));
        cs_buf_put_u8(cursor, '\0'); /* just behind it: no path contains this byte */
    }
    if (err == CS_OK) {
        if (!more) cs_buf_clear(cursor);
        cs__plan_resolve(&planner, ret);
    }
    planner_fini(&planner);
    cs_buf_fini(&path);
    return err;
}

cs_err_t cs_plan_paths(cs_replica_t *replica, const cs_plan_query_t *query,
                       cs_str_t *const *paths, size_t count, size_t *ret_looked,
                       cs_steps_t *ret)
{
    cs_planner_t planner = {.replica = replica, .query = query};
    cs_err_t err = CS_OK;
    size_t looked = 0;
    while (err == CS_OK && looked < count && !cs__plan_is_full(&planner)) {
        cs_slice_t path = cs_slice_str(paths[looked++]);
        cs_replica_unpark(replica, path); /* before the plan says what it waits for now */
        err = cs__plan_look(&planner, path);
    }
    if (err == CS_OK) cs__plan_resolve(&planner, ret);
    *ret_looked = looked;
    planner_fini(&planner);
    return err;
}
