/* daemon_effects.c - what the core asks for, done. No decisions: each effect is one call. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/daemon_shell.h"

static const char *folder_name(const cs_daemon_t *daemon, uint32_t number)
{
    const cs_mounted_t *folder = cs_daemon_folder_by_number(daemon, number);
    return folder != NULL ? folder->record.id : NULL;
}

/* Events that come by the thousand are no lines of the log. */
static void note_path(cs_daemon_t *daemon, const cs_effect_t *effect, cs_slice_t path)
{
    const char *folder = folder_name(daemon, effect->folder);
    cs__daemon_event(daemon, effect->text, folder, path, NULL);
    cs__daemon_log(daemon, CS_LOG_DEBUG, effect->text, folder, path, NULL);
}

static void note_scan(cs_daemon_t *daemon, const cs_effect_t *effect)
{
    cs_json_t json = {0};
    const cs_scan_result_t *done = &effect->scan.done;
    const char *folder = folder_name(daemon, effect->folder);
    if (!cs__daemon_event_begin(daemon, effect->text, folder, &json)) return;
    cs_json_put_u64(&json, "added", done->added);
    cs_json_put_u64(&json, "changed", done->changed + done->chmodded);
    cs_json_put_u64(&json, "moved", done->moved);
    cs_json_put_u64(&json, "removed", done->removed);
    cs__daemon_event_end(daemon, &json);
}

static void note_trouble(cs_daemon_t *daemon, const cs_effect_t *effect)
{
    char text[160];
    cs_slice_t path = cs_slice_text("");
    const cs_troubles_t *troubles = &effect->scan.troubles;
    if (troubles->len > 0) {
        const cs_trouble_item_t *item = troubles->item;
        path = cs_slice_str(item->path);
        snprintf(text, sizeof text, "%s; %s", cs_trouble_text(item->trouble),
                 cs_trouble_remedy(item->trouble));
    } else {
        snprintf(text, sizeof text, "%llu more paths; see: crdtsync status --json",
                 (unsigned long long)troubles->total);
    }
    cs__daemon_log(daemon, CS_LOG_WARNING, effect->text, folder_name(daemon, effect->folder),
                   path, text);
}

static void note(cs_daemon_t *daemon, const cs_effect_t *effect)
{
    if (effect->note == CS_NOTE_TROUBLE) {
        note_trouble(daemon, effect);
        return;
    }
    if (effect->note == CS_NOTE_SCAN) {
        note_scan(daemon, effect);
        return;
    }
    if (effect->note == CS_NOTE_EXCHANGE) {
        cs__daemon_event_exchange(daemon, folder_name(daemon, effect->folder), effect);
        return;
    }
    if (effect->note == CS_NOTE_PEER) {
        cs__daemon_note_peer(daemon, effect->link, effect->text);
        return;
    }
    if (effect->note == CS_NOTE_PATH) {
        note_path(daemon, effect, cs_slice_str(effect->path));
        return;
    }
    cs_slice_t path = effect->path != NULL ? cs_slice_str(effect->path) : cs_slice_text("");
    cs_log_level_t level = effect->err == CS_OK ? CS_LOG_INFO : CS_LOG_WARNING;
    const char *remedy = cs_err_remedy(effect->err);
    char text[160];
    snprintf(text, sizeof text, "%s%s%s", cs_err_text(effect->err),
             remedy[0] != '\0' ? "; " : "", remedy);
    cs__daemon_log(daemon, level, effect->text, folder_name(daemon, effect->folder), path,
                   text);
}

void cs__daemon_perform(cs_daemon_t *daemon, cs_effect_t *effect)
{
    switch (effect->kind) {
    case CS_FX_SEND:
        cs__daemon_send(daemon, effect);
        break;
    case CS_FX_DROP:
        cs__daemon_drop_link(daemon, effect->link, effect->text);
        break;
    case CS_FX_STORE:
        cs_store_thread_write(daemon->shell->writer, effect->folder, effect->token,
                              &effect->batch);
        break;
    case CS_FX_JOB:
        cs__daemon_start_job(daemon, effect);
        break;
    case CS_FX_CREDIT:
        cs__daemon_job_credit(daemon, effect->token);
        break;
    case CS_FX_SCAN_CANCEL:
        cs__daemon_cancel_job(daemon, effect->token);
        break;
    case CS_FX_REPLY:
        if (cs__watch_scanned(daemon, effect->ticket)) break;
        cs_commands_scanned(daemon, effect->ticket, effect->folder, effect->err, &effect->scan);
        break;
    case CS_FX_MEMBER:
        cs__daemon_member(daemon, effect);
        break;
    case CS_FX_STANDING:
        cs__daemon_standing(daemon, effect);
        break;
    case CS_FX_REPLICA:
        cs__daemon_log(daemon, CS_LOG_WARNING, "incarnation",
                       folder_name(daemon, effect->folder), cs_slice_text(""), effect->text);
        break;
    case CS_FX_ADDRESS:
        cs__daemon_pex_heard(daemon, effect);
        break;
    case CS_FX_NEIGHBOUR:
        cs__daemon_neighbour(daemon, effect);
        break;
    case CS_FX_LEFT:
        cs__daemon_left(daemon, effect->folder);
        break;
    case CS_FX_NOTE:
        note(daemon, effect);
        break;
    }
}
