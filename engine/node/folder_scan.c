/* folder_scan.c - scans: wished for, run by a worker, turned into operations, answered when
 * durable. */
#include "node/folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "disk/ignore.h"
#include "node/node_internal.h"

static void wish_fini(cs_scan_wish_t *wish)
{
    for (size_t i = 0; i < wish->path_count; i++) {
        cs_str_unref(&wish->paths[i]);
    }
    cs_free(wish->paths);
    cs_free(wish->tickets);
    *wish = (cs_scan_wish_t){0};
}

void cs_folder_want_scan(cs_folder_t *folder, const cs_slice_t *paths, size_t count, bool full,
                         uint64_t ticket)
{
    cs_scan_wish_t *wish = &folder->wish;
    wish->any = true;
    wish->full = wish->full || full;
    if (count == 0) wish->all = true;
    for (size_t i = 0; i < count && !wish->all; i++) {
        if (wish->path_count == wish->path_cap) {
            wish->path_cap = cs_grow(wish->path_cap, wish->path_count + 1);
            wish->paths = cs_realloc_array(wish->paths, wish->path_cap, sizeof(cs_str_t *));
        }
        wish->paths[wish->path_count++] = cs_str_new(paths[i].data, paths[i].len);
    }
    if (ticket == 0) wish->unasked = true;
    if (ticket == 0) return;
    if (wish->ticket_count == wish->ticket_cap) {
        wish->ticket_cap = cs_grow(wish->ticket_cap, wish->ticket_count + 1);
        wish->tickets =
            cs_realloc_array(wish->tickets, wish->ticket_cap, sizeof *wish->tickets);
    }
    wish->tickets[wish->ticket_count++] = ticket;
}

/* True: those who asked for it are gone, and nobody else wants it. */
static bool take_ticket(cs_scan_wish_t *wish, uint64_t ticket)
{
    size_t kept = 0;
    for (size_t i = 0; i < wish->ticket_count; i++) {
        if (wish->tickets[i] != ticket) wish->tickets[kept++] = wish->tickets[i];
    }
    bool had = kept < wish->ticket_count;
    wish->ticket_count = kept;
    return had && kept == 0 && !wish->unasked && !wish->release && !wish->reject;
}

void cs_folder_forget_scan(cs_folder_t *folder, uint64_t ticket)
{
    if (take_ticket(&folder->wish, ticket)) wish_fini(&folder->wish);
    if (!take_ticket(&folder->running_wish, ticket) || folder->disk_job_id == 0) return;
    if (folder->committing) return; /* it was read to the end */
    cs_effects_add(folder->fx, CS_FX_SCAN_CANCEL)->token = folder->disk_job_id;
}

static int path_order(const void *a, const void *b)
{
    cs_str_t *const *x = a;
    cs_str_t *const *y = b;
    return cs_str_cmp(*x, *y);
}

/* In order, each once, and none that is below another. */
static void sort_paths(cs_scan_wish_t *wish)
{
    qsort(wish->paths, wish->path_count, sizeof(cs_str_t *), path_order);
    size_t kept = 0;
    for (size_t i = 0; i < wish->path_count; i++) {
        cs_slice_t path = cs_slice_str(wish->paths[i]);
        cs_slice_t last = kept > 0 ? cs_slice_str(wish->paths[kept - 1]) : cs_slice_text("");
        bool covered = kept > 0 && cs_path_is_within(path, last);
        if (covered) {
            cs_str_unref(&wish->paths[i]);
        } else {
            wish->paths[kept++] = wish->paths[i];
        }
    }
    wish->path_count = kept;
}

static void refused(void *arg, cs_slice_t path, cs_err_t err)
{
    cs_folder_t *folder = arg;
    (void)err;
    cs_troubles_add(&folder->troubles, path, CS_TROUBLE_TOO_MANY_VERSIONS);
}

#define MISSED_MAX 64u /* contents for which one scan looks into the trash */

/* The worker compares with base rows of a snapshot: what apply and the scan before recorded
 * must be in it. */
bool cs_folder_scan_is_due(const cs_folder_t *folder)
{
    return folder->wish.any && folder->disk_job_id == 0 && !folder->node->stopping &&
           folder->rows_stage <= folder->durable;
}

bool cs_folder_start_scan(cs_folder_t *folder)
{
    if (!cs_folder_scan_is_due(folder)) return false;
    folder->running_wish = folder->wish;
    folder->wish = (cs_scan_wish_t){0};
    cs_scan_wish_t *wish = &folder->running_wish;
    wish->all = wish->all || folder->unsure;

    cs_job_t *job = cs_folder_job(folder, CS_JOB_SCAN);
    job->u.scan.full = wish->full;
    job->u.scan.background = wish->all && wish->ticket_count == 0 && folder->scanned_once;
    job->u.scan.first = !folder->scanned_once;
    job->u.scan.unsure = folder->unsure;
    if (wish->all) {
        job->u.scan.missed = cs_calloc(MISSED_MAX, sizeof(cs_content_t));
        job->u.scan.missed_count =
            cs_fetch_missed(folder->fetch, job->u.scan.missed, MISSED_MAX);
    } else {
        sort_paths(wish);
        job->u.scan.paths = wish->paths;
        job->u.scan.path_count = wish->path_count;
        wish->paths = NULL;
        wish->path_count = wish->path_cap = 0;
    }
    folder->scan_lost = 0;
    cs_scan_records_fini(&folder->reject_lost);
    folder->scan_failed = false;
    folder->owed_credits = folder->staged_credits = 0;
    if (wish->all) cs_troubles_fini(&folder->troubles);
    cs_replica_scan_begin(folder->replica, refused, folder);
    folder->disk_job_kind = CS_JOB_SCAN;
    folder->disk_job_id = job->id;
    cs_folder_start(folder, &job);
    for (uint32_t i = 0; i < CS_SCAN_CREDITS; i++) {
        cs_effects_add(folder->fx, CS_FX_CREDIT)->token = folder->disk_job_id;
    }
    return true;
}

static bool take_sighting(void *arg, const cs_sighting_t *sighting)
{
    cs_folder_t *folder = arg;
    cs_folder_brake_saw(folder, sighting);
    if (cs_folder_brake_keeps(folder, sighting)) return true;
    bool stage_now = false;
    cs_err_t err = cs_replica_scan_add(folder->replica, sighting, &stage_now);
    if (err != CS_OK) {
        cs_folder_note(folder, "scan.sighting", sighting->path, err);
        folder->scan_failed = err != CS_ERR_LIMIT && err != CS_ERR_MALFORMED;
    }
    folder->scan_ahead = folder->scan_ahead || stage_now; /* every step stages its changes */
    return !folder->scan_failed;
}

void cs_folder_records(cs_folder_t *folder, cs_scan_records_t *records)
{
    folder->scan_ahead = false;
    if (!folder->scan_failed && !folder->leaving) {
        cs_folder_ahead_saw(folder, &records->ahead);
        cs_scan_records_each(records, folder, take_sighting);
    }
    if (folder->scan_ahead) cs_gossip_local(folder->gossip, folder->now_ms);
    cs_batch_append(&folder->rows, &records->rows);
    cs_scan_records_fini(records);
    folder->owed_credits++; /* paid by settle, once not too much waits to be durable */
}

static void answer_later(cs_folder_t *folder, const cs_scan_report_t *report, cs_err_t err)
{
    cs_scan_wish_t *wish = &folder->running_wish;
    if (folder->answer_count == folder->answer_cap) {
        folder->answer_cap = cs_grow(folder->answer_cap, folder->answer_count + 1);
        folder->answers =
            cs_realloc_array(folder->answers, folder->answer_cap, sizeof *folder->answers);
    }
    folder->answers[folder->answer_count++] = (cs_scan_answer_t){
        .tickets = wish->tickets,
        .ticket_count = wish->ticket_count,
        .wait = UINT64_MAX, /* settle fills it in when it stages */
        .report = *report,
        .err = err,
    };
    wish->tickets = NULL;
    wish_fini(wish);
}

/* An event for those who listen; scans that found nothing are none. */
static void tell_scan(cs_folder_t *folder, const cs_scan_answer_t *answer)
{
    const cs_scan_result_t *done = &answer->report.done;
    uint64_t found = done->added + done->changed + done->chmodded + done->moved + done->removed;
    if (answer->err != CS_OK || found == 0) return;
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_NOTE);
    effect->folder = folder->config.number;
    effect->note = CS_NOTE_SCAN;
    effect->text = "scan.done";
    effect->scan.done = *done;
}

void cs_folder_answer_scans(cs_folder_t *folder)
{
    size_t kept = 0;
    for (size_t i = 0; i < folder->answer_count; i++) {
        cs_scan_answer_t *answer = &folder->answers[i];
        if (answer->wait > folder->durable) {
            folder->answers[kept++] = *answer;
            continue;
        }
        tell_scan(folder, answer);
        for (size_t t = 0; t < answer->ticket_count; t++) {
            cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_REPLY);
            effect->folder = folder->config.number;
            effect->ticket = answer->tickets[t];
            effect->err = answer->err;
            effect->scan = answer->report;
            effect->scan.troubles = (cs_troubles_t){0};
            const cs_troubles_t *troubles = &answer->report.troubles;
            for (size_t k = 0; k < troubles->len; k++) {
                cs_troubles_add(&effect->scan.troubles, cs_slice_str(troubles->item[k].path),
                                troubles->item[k].trouble);
            }
            effect->scan.troubles.total = troubles->total;
        }
        cs_troubles_fini(&answer->report.troubles);
        cs_free(answer->tickets);
    }
    folder->answer_count = kept;
}

/* Paths that waited for this scan may be planned again. */
static void clear_busy(cs_folder_t *folder)
{
    for (size_t i = 0; i < folder->busy_count; i++) {
        cs_str_unref(&folder->busy[i]);
    }
    folder->busy_count = 0;
}

static void scan_succeeded(cs_folder_t *folder)
{
    bool all = folder->running_wish.all;
    if (all) folder->scanned_once = true;
    if (all) folder->unsure = false;
    if (all) folder->sweep_due = true;
    if (folder->err != CS_OK) {
        cs_gossip_restart(folder->gossip, folder->now_ms);
        cs_folder_note(folder, "folder.recovered", cs_slice_text(""), CS_OK);
    }
    folder->err = CS_OK; /* and peers may ask for contents again */
    clear_busy(folder);
    cs_folder_tell_troubles(folder);
    cs_gossip_local(folder->gossip, folder->now_ms);
    cs_folder_plan_soon(folder);
}

/* All operations are done, or none will be. */
static void end_scan(cs_folder_t *folder, cs_err_t err)
{
    folder->rows_stage = folder->staged + 1;
    if (err == CS_OK) {
        scan_succeeded(folder);
    } else if (err != CS_ERR_AGAIN && err != CS_ERR_HELD) {
        if (folder->err != err) cs_folder_note(folder, "folder.error", cs_slice_text(""), err);
        folder->err = err;
        folder->retry_at_ms = folder->now_ms + CS_RETRY_MS;
    }
    answer_later(folder, &folder->scan_report, err);
    folder->scan_report = (cs_scan_report_t){0};
}

static void forget_ignored_in(cs_folder_t *folder, cs_slice_t top)
{
    cs_onode_t *node = cs_omap_seek(&folder->ignored, top);
    while (node != NULL && cs_slice_has_prefix(cs_onode_key(node), top)) {
        cs_onode_t *next = node->next[0];
        if (cs_path_is_within(cs_onode_key(node), top)) cs_omap_remove(&folder->ignored, node);
        node = next;
    }
}

/* Where it was looked the rules may be others: what they left out is tried again. */
static void forget_ignored(cs_folder_t *folder, const cs_job_scan_t *scan)
{
    if (folder->running_wish.all) cs_omap_fini(&folder->ignored, NULL);
    for (size_t i = 0; i < scan->path_count; i++) {
        cs_slice_t top = cs_slice_str(scan->paths[i]);
        bool rules = cs_slice_eq(cs_path_base(top), cs_slice_text(CS_IGNORE_FILE));
        forget_ignored_in(folder, rules ? cs_path_parent(top) : top);
    }
}

void cs_folder_scanned(cs_folder_t *folder, cs_job_t *job)
{
    cs_job_scan_t *scan = &job->u.scan;
    folder->trash = job->trash;
    folder->scan_report = (cs_scan_report_t){.stats = scan->stats};
    cs_err_t err = folder->scan_failed && job->err == CS_OK ? CS_ERR_IO : job->err;

    for (size_t i = 0; i < scan->found_count; i++) {
        const cs_content_t *content = &scan->found[i];
        if (cs_fetch_found(folder->fetch, content) != CS_OK) break; /* fetched again */
        if (cs_fetch_is_staged(folder->fetch, content)) {
            cs_folder_content_staged(folder, content);
        }
    }
    for (size_t i = 0; i < scan->took_count; i++) {
        const cs_took_t *took = &scan->took[i];
        cs_replica_scan_took(folder->replica, cs_slice_str(took->path), &took->print);
    }
    if (err == CS_OK) {
        forget_ignored(folder, scan);
        if (folder->running_wish.all) folder->stats = scan->stats;
        err = cs_folder_commit_scan(folder, &folder->scan_report);
    } else {
        cs_replica_scan_abort(folder->replica);
    }
    cs_folder_take_troubles(folder, scan);
    folder->scan_report.troubles = scan->troubles;
    scan->troubles = (cs_troubles_t){0};
    if (!folder->committing) {
        end_scan(folder, err);
        return;
    }
    folder->disk_job_id = job->id; /* the base table is not for others yet */
    cs_gossip_local(folder->gossip, folder->now_ms);
}

/* Each batch is durable before another follows: memory, and the time that a step takes, are
 * those of one. */
void cs_folder_commit_more(cs_folder_t *folder)
{
    if (!folder->committing || folder->node->stopping) return;
    if (folder->staged != folder->durable) return;
    cs_err_t err = cs_replica_scan_commit_some(folder->replica, &folder->committing,
                                               &folder->scan_report.done);
    if (!folder->committing) {
        folder->disk_job_id = 0;
        end_scan(folder, err);
        return;
    }
    cs_gossip_local(folder->gossip, folder->now_ms);
}

void cs_folder_scan_fini(cs_folder_t *folder)
{
    wish_fini(&folder->wish);
    wish_fini(&folder->running_wish);
    for (size_t i = 0; i < folder->answer_count; i++) {
        cs_troubles_fini(&folder->answers[i].report.troubles);
        cs_free(folder->answers[i].tickets);
    }
    cs_free(folder->answers);
    cs_troubles_fini(&folder->scan_report.troubles);
    clear_busy(folder);
    cs_free(folder->busy);
    cs_scan_records_fini(&folder->reject_lost);
    cs_troubles_fini(&folder->troubles);
    cs_omap_fini(&folder->told, NULL);
    cs_str_unref(&folder->failed.path);
}
