/* folder_life.c - a folder is loaded and let go; what gossip asks of it in between. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

/* --- what gossip asks of us */

static uint64_t queue(cs_folder_t *folder, cs_peer_t peer, const cs_msg_t *msg)
{
    cs_buf_t bytes = {0};
    cs_msg_encode(msg, &bytes);
    /* The others name numbers of ours, or follow from them. */
    bool exposes = msg->type != CS_MSG_HELLO && msg->type != CS_MSG_CHAVE &&
                   msg->type != CS_MSG_PARTS && msg->type != CS_MSG_STANDINGS &&
                   msg->type != CS_MSG_MARKS && msg->type != CS_MSG_PEX;
    uint64_t len = bytes.len;
    cs_outbox_push(&folder->outbox, peer, exposes, &bytes);
    return len;
}

void cs_folder_send_later(cs_folder_t *folder, cs_peer_t peer, cs_msg_t *msg)
{
    memcpy(msg->tag, folder->keys->tag, sizeof msg->tag);
    (void)queue(folder, peer, msg);
}

static uint64_t host_send(void *arg, cs_peer_t peer, const cs_msg_t *msg)
{
    return queue(arg, peer, msg);
}

static void host_drop(void *arg, cs_peer_t peer, const char *reason)
{
    cs_folder_drop(arg, peer, reason);
}

static void host_note_peer(void *arg, cs_peer_t peer, const char *what)
{
    cs_folder_note_peer(arg, peer, what);
}

static void host_exchange(void *arg, cs_peer_t id, cs_exchange_end_t end,
                          const cs_exchange_facts_t *facts)
{
    cs_folder_t *folder = arg;
    const cs_peer_entry_t *peer = cs_folder_peer(folder, id);
    if (peer == NULL || folder->fx == NULL) return;
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_NOTE);
    effect->folder = folder->config.number;
    effect->note = CS_NOTE_EXCHANGE;
    effect->key = peer->key;
    effect->text = cs_exchange_end_text(end);
    effect->exchange = *facts;
}

static cs_snapshot_t *host_snapshot(void *arg)
{
    return cs_store_snapshot(((cs_folder_t *)arg)->node->config.store);
}

static void host_reincarnate(void *arg, const char *reason)
{
    ((cs_folder_t *)arg)->reincarnate = reason;
}

static bool host_member(void *arg, const cs_member_t *member)
{
    cs_folder_t *folder = arg;
    if (cs__node_denies(folder->node, &member->key)) return false;
    if (cs_folder_is_out(folder, &member->key)) return false;
    cs_pex_touch(&folder->node->pex, &member->key);
    cs_folder_note_member(folder, member);
    return true;
}

/* A member who makes such numbers up should not make us take a new id for each. */
#define REBORN_MS 3600000u

/* Two writings with one number (core.md 3): who else writes with our numbers, we do so no more.
 */
static void note_reuse(cs_folder_t *folder, cs_dot_t dot)
{
    char text[CS_DOT_TEXT];
    cs_dot_text(dot, text);
    folder->reused = dot;
    cs_folder_note(folder, "dot.reused", cs_slice_text(text), CS_ERR_REUSE);
    bool again = folder->reborn_ms != 0 && folder->now_ms < folder->reborn_ms + REBORN_MS;
    if (dot.rid == cs_replica_state(folder->replica)->rid && !again) {
        folder->reborn_ms = folder->now_ms;
        folder->reincarnate = "another one writes with the numbers of this replica";
    }
}

static void host_alarm(void *arg, const char *what, cs_dot_t dot)
{
    cs_folder_t *folder = arg;
    if (strcmp(what, CS_ALARM_REUSE) == 0) {
        note_reuse(folder, dot);
        return;
    }
    bool corrupt = strcmp(what, CS_ALARM_CORRUPT) == 0;
    if (corrupt) folder->err = CS_ERR_CORRUPT;
    cs_folder_note(folder, what, cs_slice_text(""), corrupt ? CS_ERR_CORRUPT : CS_ERR_LIMIT);
}

static void host_refused(void *arg, cs_slice_t path)
{
    cs_folder_refused(arg, path);
}

static void host_met(void *arg, const cs_key_t *key, uint64_t rid)
{
    cs_folder_met(arg, key, rid);
}

static void host_changed(void *arg)
{
    cs_folder_plan_more(arg);
}

static void host_heard(void *arg, cs_peer_t peer, const cs_entry_t *entry, bool own)
{
    cs_folder_heard(arg, peer, entry, own);
}

static void host_pushes(void *arg, const cs_entry_t *entry)
{
    cs_folder_ahead_pushes(arg, entry);
}

static void host_pushes_to(void *arg, const cs_peer_t *peers, size_t count)
{
    cs_folder_ahead_pushes_to(arg, peers, count);
}

static void host_more(void *arg, cs_peer_t peer)
{
    cs_fetch_retry(((cs_folder_t *)arg)->fetch, peer);
}

/* --- life */

/* A replica id for this node, of a random number. */
static uint64_t rid_of(const cs_folder_t *folder, uint64_t number)
{
    return folder->marks != NULL ? cs_marks_rid(folder->marks, number) : number;
}

cs_err_t cs_folder_reincarnate(cs_folder_t *folder, uint64_t number)
{
    if (folder->marks != NULL) {
        /* What was given away goes on under the old id. */
        cs_marks_vouch(folder->marks, cs_replica_state(folder->replica)->exposed);
        if (!cs_marks_have_room(folder->marks)) return CS_ERR_LIMIT;
    }
    cs_err_t err = cs_replica_reincarnate(folder->replica, rid_of(folder, number));
    if (err == CS_OK && folder->marks != NULL) cs_marks_become(folder->marks, number);
    return err;
}

/* Its own numbers without a mark nobody would ever take: a database that has some is made anew.
 * An id that this node cannot sign for, of a copied database, is given up. */
static cs_err_t own_id(cs_folder_t *folder, cs_open_result_t opened)
{
    cs_marks_t *marks = folder->marks;
    const cs_state_t *state = cs_replica_state(folder->replica);
    const cs_vv_t *heard = cs_replica_heard(folder->replica);
    cs_marks_hold(marks, &state->seen, heard);
    bool covered =
        cs_marks_cover_dot(marks,
                           (cs_dot_t){state->rid, cs_vv_get(&state->seen, state->rid)}) &&
        cs_marks_cover_dot(marks, (cs_dot_t){state->rid, cs_vv_get(heard, state->rid)});
    if (!covered) return CS_ERR_CORRUPT;
    if (opened == CS_OPEN_SAME) {
        if (cs_marks_resume(marks, state->rid, state->exposed)) return CS_OK;
        return cs_folder_reincarnate(folder, folder->config.fresh_rid);
    }
    if (!cs_marks_have_room(marks)) return CS_ERR_LIMIT;
    cs_marks_become(marks, folder->config.fresh_rid);
    return CS_OK;
}

cs_err_t cs_folder_new(cs_node_t *node, const cs_folder_config_t *config, uint64_t now_ms,
                       cs_folder_t **ret, cs_open_result_t *ret_open)
{
    cs_folder_t *folder = cs_calloc(1, sizeof *folder);
    folder->node = node;
    folder->config = *config;
    folder->config.members = NULL;
    folder->config.standings = NULL;
    folder->now_ms = now_ms;
    folder->trash.bytes = CS_TRASH_UNCOUNTED;
    folder->keys = cs_calloc(1, sizeof *folder->keys);
    cs_keys_derive(folder->keys, config->secret);

    cs_marks_t *marks = NULL;
    if (node->config.signs) {
        marks = cs_marks_new(folder->keys, node->config.scheme, node->config.seed);
        folder->marks = marks;
    }
    cs_replica_config_t replica = {
        .store = node->config.store,
        .folder = config->number,
        .keys = *folder->keys,
        .modes = config->modes,
        .fresh_rid = rid_of(folder, config->fresh_rid),
        .all = node->config.all,
    };
    cs_err_t err = CS_OK;
    if (marks != NULL) err = cs_marks_load(marks, node->config.store, config->number);
    if (err == CS_OK) err = cs_replica_open(&replica, &folder->replica, ret_open);
    if (err == CS_OK && marks != NULL) err = own_id(folder, *ret_open);
    if (err != CS_OK) {
        cs_replica_destroy(&folder->replica);
        cs_marks_destroy(&folder->marks);
        cs_free(folder->keys);
        cs_free(folder);
        return err;
    }
    folder->table = cs_chunker_table_new(folder->keys);
    /* The paths of a group of steps are pending until its rows are durable: where none is, the
     * last life left nothing that no row tells. */
    folder->unsure = cs_replica_pending(folder->replica, cs_slice_text(""), &folder->scratch);
    cs_fetch_rows_t rows = {.folder = config->number,
                            .arg = folder,
                            .node = cs_folder_read_node,
                            .row = cs_folder_keep_row};
    folder->fetch = cs_fetch_new(folder->table, &rows, config->seed);
    cs_fetch_share(folder->fetch, &node->coming);

    cs_gossip_config_t gossip = {
        .replica = folder->replica,
        .store = node->config.store,
        .folder = config->number,
        .keys = folder->keys,
        .marks = marks,
        .self = node->config.self,
        .seed = config->seed,
        .stamp = config->stamp,
        .recon = config->recon,
    };
    memcpy(gossip.name, node->config.name, sizeof gossip.name);
    cs_gossip_host_t host = {folder,        host_send,        host_drop,   host_note_peer,
                             host_snapshot, host_reincarnate, host_member, host_alarm,
                             host_changed,  host_heard,       host_more,   host_refused,
                             host_met,      host_exchange,    host_pushes, host_pushes_to};
    folder->gossip = cs_gossip_new(&gossip, &host);
    cs_folder_load_members(folder, config);
    cs_folder_brake_load(folder);
    cs_folder_met(folder, &node->config.self, cs_replica_state(folder->replica)->rid);
    if (!config->on_request) cs_folder_want_scan(folder, NULL, 0, false, 0);
    cs_folder_plan_soon(folder);
    *ret = folder;
    return CS_OK;
}

static void answer_gone(cs_folder_t *folder, const uint64_t *tickets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_REPLY);
        effect->folder = folder->config.number;
        effect->ticket = tickets[i];
        effect->err = CS_ERR_NOT_FOUND;
    }
}

void cs_folder_leave(cs_folder_t *folder)
{
    folder->leaving = true;
    answer_gone(folder, folder->wish.tickets, folder->wish.ticket_count);
    answer_gone(folder, folder->running_wish.tickets, folder->running_wish.ticket_count);
    for (size_t i = 0; i < folder->answer_count; i++) {
        cs_scan_answer_t *answer = &folder->answers[i];
        answer_gone(folder, answer->tickets, answer->ticket_count);
        answer->ticket_count = 0;
    }
    folder->wish.ticket_count = folder->running_wish.ticket_count = 0;
}

bool cs_folder_has_left(const cs_folder_t *folder)
{
    return folder->leaving && folder->jobs == 0 && folder->staged == folder->durable;
}

void cs_folder_destroy(cs_folder_t **folder_p)
{
    cs_folder_t *folder = *folder_p;
    *folder_p = NULL;
    if (folder == NULL) return;
    cs_gossip_destroy(&folder->gossip);
    cs_fetch_destroy(&folder->fetch);
    cs_free(folder->told_of);
    cs_standings_fini(&folder->standings);
    cs_replica_destroy(&folder->replica);
    cs_marks_destroy(&folder->marks);
    cs_chunker_table_destroy(&folder->table);
    cs_outbox_fini(&folder->outbox);
    cs_folder_ahead_fini(folder);
    cs_folder_scan_fini(folder);
    for (size_t i = 0; i < folder->serve_count; i++) {
        cs_job_destroy(&folder->serve[i].job);
    }
    cs_free(folder->serve);
    cs_free(folder->serving);
    cs_batch_fini(&folder->rows);
    cs_folder_plan_fini(folder);
    cs_buf_fini(&folder->sweep_cursor);
    cs_free(folder->keys);
    cs_free(folder);
}
