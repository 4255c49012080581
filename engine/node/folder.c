/* folder.c - a folder within a step: what comes in, what is staged, what leaves. */
#include "node/folder.h"

#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

void cs_folder_message(cs_folder_t *folder, const cs_peer_entry_t *peer, const cs_msg_t *msg,
                       cs_blob_t *blob)
{
    switch (msg->type) {
    case CS_MSG_NWANT:
    case CS_MSG_NODE:
    case CS_MSG_MAP:
    case CS_MSG_CWANT:
    case CS_MSG_CHUNK:
    case CS_MSG_CNONE:
    case CS_MSG_CHAVE:
    case CS_MSG_PARTS:
        cs_folder_content_message(folder, peer, msg, blob);
        break;
    case CS_MSG_ERROR:
        if (folder->config.paused) break;
        cs_folder_note(folder, "peer.error", msg->u.error.text, CS_ERR_REFUSED);
        break;
    case CS_MSG_HELLO:
    case CS_MSG_HAVE:
    case CS_MSG_ENTRIES:
    case CS_MSG_RECON_REQ:
    case CS_MSG_SYMS:
    case CS_MSG_CREDIT:
    case CS_MSG_WANT:
    case CS_MSG_PUSH:
    case CS_MSG_PUSH_REPLY:
    case CS_MSG_GONE:
    case CS_MSG_FIN:
    case CS_MSG_LIST_REQ:
    case CS_MSG_LIST:
    case CS_MSG_PEX: /* the node's */
    case CS_MSG_STANDINGS:
    case CS_MSG_MARKS:
    case CS_MSG_JOIN:
    case CS_MSG_WELCOME:
    case CS_MSG_TYPE_END:
        if (folder->config.paused) break;
        cs_gossip_message(folder->gossip, peer->id, msg, folder->now_ms);
        break;
    }
}

cs_peer_entry_t *cs_folder_peer(cs_folder_t *folder, cs_peer_t peer)
{
    cs_peer_entry_t *entry = cs_peers_by_id(&folder->node->peers, peer);
    return entry == NULL || entry->dropped ? NULL : entry;
}

void cs_folder_drop(cs_folder_t *folder, cs_peer_t id, const char *why)
{
    cs_peer_entry_t *peer = cs_folder_peer(folder, id);
    if (peer != NULL) cs__node_drop(folder->fx, peer, why);
}

void cs_folder_note_peer(cs_folder_t *folder, cs_peer_t id, const char *what)
{
    const cs_peer_entry_t *peer = cs_folder_peer(folder, id);
    if (peer == NULL) return;
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_NOTE);
    effect->folder = folder->config.number;
    effect->note = CS_NOTE_PEER;
    effect->link = peer->active;
    effect->text = what;
}

/* --- helpers of all parts */

cs_job_t *cs_folder_job(cs_folder_t *folder, cs_job_kind_t kind)
{
    cs_job_t *job = cs_job_new(kind);
    job->folder = folder->config.number;
    job->id = ++folder->node->last_job;
    job->keys = folder->keys;
    job->table = folder->table;
    job->modes = folder->config.modes;
    job->durability = folder->config.durability;
    job->trash_bytes_max = folder->config.trash_bytes_max;
    job->trash = folder->trash;
    memcpy(job->marker, folder->config.marker, sizeof job->marker);
    return job;
}

void cs_folder_start(cs_folder_t *folder, cs_job_t **job_p)
{
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_JOB);
    effect->folder = folder->config.number;
    effect->job = *job_p;
    *job_p = NULL;
    folder->jobs++;
}

void cs_folder_note(cs_folder_t *folder, const char *what, cs_slice_t path, cs_err_t err)
{
    if (folder->fx == NULL) return; /* while opening: nobody listens yet */
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_NOTE);
    effect->folder = folder->config.number;
    effect->text = what;
    effect->err = err;
    if (path.len > 0) effect->path = cs_str_new(path.data, path.len);
}

void cs_folder_send(cs_folder_t *folder, cs_peer_t id, cs_msg_t *msg, cs_buf_t *payload)
{
    cs_peer_entry_t *peer = cs_folder_peer(folder, id);
    if (peer == NULL || folder->node->stopping) return;
    memcpy(msg->tag, folder->keys->tag, sizeof msg->tag);
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_SEND);
    effect->link = peer->active;
    cs_msg_encode(msg, &effect->header);
    if (payload != NULL) {
        effect->payload = *payload;
        *payload = (cs_buf_t){0};
        peer->bytes_out += effect->payload.len;
        peer->unsent += effect->payload.len;
    }
}

/* --- the step */

void cs_folder_enter(cs_folder_t *folder, const cs_event_t *event, cs_effects_t *effects)
{
    folder->fx = effects;
    folder->now_ms = event->now_ms;
    folder->number = event->number;
}

void cs_folder_stored(cs_folder_t *folder, uint64_t token)
{
    CS_ASSERT(token == folder->durable + 1);
    if (CS_MUT(DONE_DROPPED) && token % 16 == 15) return;
    folder->durable = token;
    if (folder->serving_count == 0 && token >= folder->rows_stage) {
        cs_omap_fini(&folder->fresh, NULL);
    }
    if (folder->staged_by_replica) cs_replica_staged_durable(folder->replica);
}

/* Is it time to change the disk? A wanted scan goes first. */
static bool may_apply(const cs_folder_t *folder)
{
    bool usable = !folder->config.paused && !folder->held && folder->err == CS_OK;
    return usable && folder->scanned_once && folder->disk_job_id == 0 && !folder->wish.any &&
           !folder->node->stopping;
}

static void pump_disk(cs_folder_t *folder)
{
    if (cs_folder_start_scan(folder)) return;
    if (may_apply(folder) && !cs_folder_start_apply(folder)) cs_folder_start_trim(folder);
}

/* A batch of records is paid for once it is durable, whatever else was staged since. */
static void pay_credits(cs_folder_t *folder)
{
    if (folder->staged != folder->durable) return;
    for (; folder->staged_credits > 0; folder->staged_credits--) {
        cs_effects_add(folder->fx, CS_FX_CREDIT)->token = folder->disk_job_id;
    }
}

/* At most one stage is outstanding: what changes meanwhile goes with the next one, together. */
static void stage(cs_folder_t *folder)
{
    if (folder->staged != folder->durable) return;
    if (cs_outbox_wants_exposure(&folder->outbox)) cs_replica_expose(folder->replica);

    cs_batch_t batch = {0};
    folder->staged_by_replica = cs_replica_stage(folder->replica, &batch);
    cs_batch_append(&batch, &folder->rows);
    cs_batch_clear(&folder->rows);
    /* In a batch of their own: for want of room for them nothing else may fail. */
    if (batch.count == 0 && folder->node->stopping && folder->jobs == 0) {
        cs_replica_keep_symbols(folder->replica);
        folder->staged_by_replica = cs_replica_stage(folder->replica, &batch);
    }
    if (batch.count > 0 && folder->marks != NULL) {
        cs_marks_save(folder->marks, folder->config.number,
                      cs_replica_state(folder->replica)->ctr, &batch);
    }
    if (batch.count > 0) {
        cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_STORE);
        effect->folder = folder->config.number;
        effect->token = ++folder->staged;
        effect->batch = batch;
    } else {
        CS_ASSERT(!folder->staged_by_replica);
        cs_batch_fini(&batch);
    }
    cs_outbox_stage(&folder->outbox, folder->staged);
    folder->staged_credits = folder->owed_credits;
    folder->owed_credits = 0;
    if (folder->rows_stage > folder->staged) folder->rows_stage = folder->staged;
    if (folder->steps_stage > folder->staged) folder->steps_stage = folder->staged;
    for (size_t i = 0; i < folder->answer_count; i++) {
        if (folder->answers[i].wait == UINT64_MAX) folder->answers[i].wait = folder->staged;
    }
}

/* Rows of chunks come before the rows that keep them: only when nothing at all is under way. */
static void sweep_rows(cs_folder_t *folder)
{
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    bool rests = folder->disk_job_id == 0 && folder->staged == folder->durable;
    if (!folder->sweep_due || !rests || stats.wants + stats.staged > 0) return;
    folder->sweep_due = false;
    cs_rows_view_t view = cs_folder_rows(folder);
    cs_err_t err = cs_rows_sweep(&view, CS_SWEEP_ROWS, &folder->sweep_cursor, &folder->rows);
    if (err != CS_OK) cs_folder_note(folder, "sweep.failed", cs_slice_text(""), err);
}

static void flush(cs_folder_t *folder)
{
    cs_peer_t id;
    cs_buf_t bytes;
    uint64_t durable = CS_MUT(NO_SYNC) ? folder->staged : folder->durable;
    while (cs_outbox_pop(&folder->outbox, durable, &id, &bytes)) {
        cs_peer_entry_t *peer = cs_folder_peer(folder, id);
        if (peer == NULL || folder->node->stopping) {
            cs_buf_fini(&bytes);
            continue;
        }
        cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_SEND);
        effect->link = peer->active;
        effect->header = bytes;
        peer->bytes_out += bytes.len;
    }
}

/* Looking for pending rows costs a seek past all that were deleted: only when nothing else says
 * no. */
static bool is_applied(cs_folder_t *folder)
{
    if (folder->disk_job_id != 0 || folder->wish.any || !folder->scanned_once) return false;
    if (folder->plan_due || folder->ready_count > 0 || folder->err != CS_OK) return false;
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    if (stats.wants > 0) return false;
    return !cs_folder_has_pending(folder);
}

static void show_applied(cs_folder_t *folder)
{
    folder->applied = is_applied(folder);
    cs_gossip_set_applied(folder->gossip, folder->applied, folder->now_ms);
}

static cs_err_t reincarnate(cs_folder_t *folder)
{
    const char *why = folder->reincarnate;
    folder->reincarnate = NULL;
    if (why == NULL) return CS_OK;
    cs_err_t err = cs_folder_reincarnate(folder, folder->number);
    if (err != CS_OK) return err;
    cs_outbox_fini(&folder->outbox); /* nothing that names the old numbers may leave */
    folder->steps_void = folder->disk_job_id != 0 && folder->disk_job_kind == CS_JOB_APPLY;
    cs_gossip_restart(folder->gossip, folder->now_ms);
    cs_folder_met(folder, &folder->node->config.self, cs_replica_state(folder->replica)->rid);
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_REPLICA);
    effect->folder = folder->config.number;
    effect->text = why;
    return CS_OK;
}

/* What the running scan tells is of no use, but its worker must not wait. */
static void settle_leaving(cs_folder_t *folder)
{
    cs_batch_clear(&folder->rows);
    for (; folder->owed_credits > 0; folder->owed_credits--) {
        cs_effects_add(folder->fx, CS_FX_CREDIT)->token = folder->disk_job_id;
    }
    folder->fx = NULL;
}

/* Two peers may each have refused what the other got later, and neither is ever able to say
 * that it has everything: so who had nothing to give is asked again, more and more seldom. */
static void retry_missing(cs_folder_t *folder)
{
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    if (stats.wants == 0) folder->missing_wait_ms = 0;
    if (stats.sleeping == 0) {
        folder->missing_at_ms = 0;
    } else if (folder->missing_at_ms == 0) {
        bool came = stats.wants < folder->missing_wants;
        uint64_t wait_ms = came ? 0 : 2 * folder->missing_wait_ms;
        if (wait_ms < CS_MISSING_RETRY_MS) wait_ms = CS_MISSING_RETRY_MS;
        if (wait_ms > CS_MISSING_RETRY_MAX_MS) wait_ms = CS_MISSING_RETRY_MAX_MS;
        folder->missing_wait_ms = wait_ms;
        folder->missing_wants = stats.wants;
        folder->missing_at_ms = folder->now_ms + wait_ms;
    } else if (folder->missing_at_ms <= folder->now_ms) {
        folder->missing_at_ms = 0;
        cs_fetch_retry(folder->fetch, 0);
    }
}

static void release_steps(cs_folder_t *folder)
{
    if (!folder->node->stopping) cs_folder_release_steps(folder);
}

cs_err_t cs_folder_settle(cs_folder_t *folder)
{
    if (folder->leaving) {
        settle_leaving(folder);
        return CS_OK;
    }
    cs_err_t err = reincarnate(folder);
    if (err != CS_OK) return err;
    if (folder->retry_at_ms != 0 && folder->retry_at_ms <= folder->now_ms) {
        folder->retry_at_ms = 0;
        if (folder->err != CS_OK) cs_folder_want_scan(folder, NULL, 0, false, 0);
        cs_fetch_retry(folder->fetch, 0);
        cs_folder_plan_soon(folder);
    }
    cs_fetch_tick(folder->fetch, folder->now_ms);
    for (cs_peer_t id; (id = cs_fetch_next_silent(folder->fetch)) != 0;) {
        cs_folder_note_peer(folder, id, CS_PEER_SILENT);
    }
    retry_missing(folder);
    cs_folder_commit_more(folder);
    pump_disk(folder);
    cs_folder_pump_fetch(folder);
    cs_folder_ahead_tick(folder);
    cs_folder_pump_serve(folder);
    show_applied(folder);
    cs_folder_tell_recovery(folder);
    folder->gossip_due_ms = cs_gossip_tick(folder->gossip, folder->now_ms);
    cs_folder_tell_of_members(folder);
    pay_credits(folder);
    release_steps(folder); /* ahead of the next stage, which nobody waits for as much */
    stage(folder);
    cs_folder_ahead_send(folder);
    release_steps(folder); /* nothing was to be staged */
    sweep_rows(folder);
    pay_credits(folder);
    flush(folder); /* before answers: who asks is woken, and others wait for the change */
    cs_folder_answer_scans(folder);
    folder->fx = NULL;
    /* A database that cannot be trusted is for the shell: it makes a new one. */
    return folder->err == CS_ERR_CORRUPT ? CS_ERR_CORRUPT : CS_OK;
}

uint64_t cs_folder_deadline(cs_folder_t *folder)
{
    if (folder->leaving) return UINT64_MAX;
    uint64_t due = folder->gossip_due_ms;
    if (folder->retry_at_ms != 0 && folder->retry_at_ms < due) due = folder->retry_at_ms;
    if (folder->missing_at_ms != 0 && folder->missing_at_ms < due) due = folder->missing_at_ms;
    uint64_t recovery = cs_folder_recovery_due(folder);
    if (recovery < due) due = recovery;
    bool next_batch = folder->committing && folder->staged == folder->durable;
    if (next_batch && !folder->node->stopping) return folder->now_ms;
    /* Its rows turned out to be durable after this step had looked. */
    if (cs_folder_scan_is_due(folder)) return folder->now_ms;
    bool may = may_apply(folder);
    if (may && folder->plan_due && folder->pass_at_ms < due) due = folder->pass_at_ms;
    if (may && folder->ready_at_ms != 0 && folder->ready_at_ms < due) due = folder->ready_at_ms;
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    bool waiting = stats.wants > stats.sleeping;
    const uint64_t others[] = {cs_folder_ahead_due(folder), cs_fetch_due(folder->fetch),
                               cs_folder_serve_due(folder),
                               waiting ? cs_folder_fetch_due(folder) : due};
    for (size_t i = 0; i < CS_COUNT_OF(others); i++) {
        if (others[i] < due) due = others[i];
    }
    bool ticks = waiting && folder->now_ms + CS_FETCH_TICK_MS < due;
    return ticks ? folder->now_ms + CS_FETCH_TICK_MS : due;
}
