/* scan.c - what the disk shows, collected and turned into operations in order
 * (core.md 5.2, 5.3). */
#include "base/mem.h"
#include "crdt/scan_i.h"

#include <stdlib.h>
#include <string.h>

static void sights_clear(cs_sights_t *sights)
{
    for (uint32_t i = 0; i < sights->len; i++) {
        cs_str_unref(&sights->item[i].path);
    }
    sights->len = 0;
}

static void sight_free(void *sight)
{
    cs_str_unref(&((cs_sight_t *)sight)->path);
    cs_free(sight);
}

static void push_sight(cs_sights_t *sights, cs_sight_t sight)
{
    if (sights->len == sights->cap) {
        sights->cap = (uint32_t)cs_grow(sights->cap, sights->len + 1u);
        sights->item = cs_realloc_array(sights->item, sights->cap, sizeof *sights->item);
    }
    sights->item[sights->len++] = sight;
}

void cs_replica_scan_begin(cs_replica_t *replica,
                           void (*refused)(void *arg, cs_slice_t path, cs_err_t), void *arg)
{
    cs_replica_scan_abort(replica);
    cs_scan_t *scan = cs_calloc(1, sizeof *scan);
    scan->refused = refused;
    scan->arg = arg;
    scan->ctr0 = replica->state.ctr;
    scan->born_max = replica->born_max;
    bool *has = &replica->has_rows;
    if (!*has) *has = cs_workset_any(&replica->ws, CS_T_BASE, cs_slice(NULL, 0));
    scan->first = !*has;
    scan->may_adopt = cs__any_wanted(replica);
    replica->scan = scan;
    replica->scan_serial++;
}

void cs_replica_scan_abort(cs_replica_t *replica)
{
    cs_scan_t *scan = replica->scan;
    replica->scan = NULL;
    if (scan == NULL) return;
    sights_clear(&scan->ahead);
    sights_clear(&scan->sights);
    cs_free(scan->ahead.item);
    cs_free(scan->sights.item);
    cs__works_clear(scan);
    cs_free(scan->work);
    cs_free(scan->todo);
    cs_buf_fini(&scan->free_dir);
    cs_omap_fini(&scan->adopted, NULL);
    cs_omap_fini(&scan->took, cs_free);
    cs_omap_fini(&scan->stood, sight_free);
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

/* Base was empty: nothing can have vanished, and there is nothing to be remembered. */
static void create_first(cs_replica_t *r, cs_sight_t *sight, bool *ret_stage_now)
{
    cs_scan_t *scan = r->scan;
    cs__op_create(r, sight);
    cs_str_unref(&sight->path);
    for (uint32_t i = 0; i < scan->made.len; i++) {
        cs__row_put(r, &scan->made.item[i]);
    }
    scan->made.len = 0;
    *ret_stage_now = ++scan->early % r->batch_max == 0;
    if (*ret_stage_now) cs__settle_dirty(r);
}

static void create_ahead(cs_replica_t *r, cs_sight_t sight, bool *ret_stage_now)
{
    cs_scan_t *scan = r->scan;
    push_sight(&scan->ahead, sight);
    if (scan->ahead.len < r->batch_max) return;
    for (uint32_t i = 0; i < scan->ahead.len; i++) {
        cs__todo_push(scan, &scan->ahead.item[i], CS_ACT_CREATE);
    }
    cs__todo_run(r);
    sights_clear(&scan->ahead);
    *ret_stage_now = true;
}

cs_err_t cs_replica_scan_add(cs_replica_t *replica, const cs_sighting_t *sighting,
                             bool *ret_stage_now)
{
    cs_scan_t *scan = replica->scan;
    CS_ASSERT(scan != NULL && scan->phase == CS_SCAN_WALK);
    *ret_stage_now = false;
    cs_sight_t sight = {.seen = *sighting,
                        .path = cs_str_new(sighting->path.data, sighting->path.len)};
    sight.seen.path = cs_slice_str(sight.path);
    bool first = scan->first, ahead = !first && cs__may_go_ahead(replica, &sight);
    if ((first || ahead) && cs__adopt(replica, &sight)) {
        scan->first = false; /* there are rows now */
        cs_str_unref(&sight.path);
    } else if (first && sighting->what == CS_SAW_APPEARED) {
        create_first(replica, &sight, ret_stage_now);
    } else if (ahead) {
        create_ahead(replica, sight, ret_stage_now);
    } else {
        push_sight(&scan->sights, sight);
    }
    return replica->ws.fault;
}

/* The walk is over: what waited for it. */
static void end_walk(cs_replica_t *r)
{
    cs_scan_t *scan = r->scan;
    for (uint32_t i = 0; i < scan->ahead.len; i++) {
        push_sight(&scan->sights, scan->ahead.item[i]);
    }
    scan->ahead.len = 0;
    cs__flush(r);
    cs__scan_order(r);
}

cs_err_t cs_replica_scan_commit_some(cs_replica_t *replica, bool *ret_more,
                                     cs_scan_result_t *ret)
{
    cs_scan_t *scan = replica->scan;
    CS_ASSERT(scan != NULL);
    if (scan->phase == CS_SCAN_WALK) end_walk(replica);
    *ret_more = cs__scan_next(replica) && replica->ws.fault == CS_OK;
    *ret = scan->result;
    if (!*ret_more) cs_replica_scan_abort(replica);
    return replica->ws.fault;
}

/* Did the user have these bytes before this scan? */
static bool had(cs_replica_t *r, const cs_content_t *content, cs_buf_t *path)
{
    if (cs_replica_find_content(r, content, path) != CS_OK) return false;
    const cs_item_t *row = cs__row(r, cs_buf_slice(path));
    return row != NULL && row->print.btime_ns <= r->scan->born_max; /* not one made ahead */
}

uint64_t cs_replica_scan_moves(cs_replica_t *replica, uint64_t max)
{
    const cs_sights_t *sights = &replica->scan->sights;
    uint64_t count = 0;
    cs_buf_t path = {0};
    for (uint32_t i = 0; i < sights->len && count < max; i++) {
        const cs_sighting_t *seen = &sights->item[i].seen;
        if (seen->what != CS_SAW_APPEARED) continue;
        cs__trim(replica);
        count += had(replica, &seen->content, &path);
    }
    cs_buf_fini(&path);
    return count;
}

cs_err_t cs_replica_scan_commit(cs_replica_t *replica, cs_scan_result_t *ret)
{
    bool more = true;
    cs_err_t err = CS_OK;
    while (more) {
        err = cs_replica_scan_commit_some(replica, &more, ret);
    }
    return err;
}
