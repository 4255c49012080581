/* daemon_members.c - members of folders, as the home keeps them: records of peers. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/daemon_shell.h"
#include "io/standing_text.h"

cs_err_t cs__daemon_members_of(cs_daemon_t *daemon, const char *folder, cs_member_list_t *ret,
                               cs_buf_t *ret_detail)
{
    cs_peer_record_t *peers = NULL;
    size_t count = 0;
    cs_err_t err = cs_home_known(daemon->home, &peers, &count, ret_detail);
    if (err != CS_OK) return err;
    *ret = (cs_member_list_t){.item = cs_calloc(count, sizeof *ret->item),
                              .standing = cs_calloc(count, sizeof *ret->standing)};
    for (size_t i = 0; i < count; i++) {
        const cs_peer_record_t *peer = &peers[i];
        if (cs_standing_get(peer, folder, &ret->standing[ret->standing_count])) {
            ret->standing_count++;
        }
        if (!cs_strings_has(&peer->folders, folder)) continue;
        cs_member_t *member = &ret->item[ret->count++];
        memcpy(member->key.b, peer->key, sizeof member->key.b);
        if (peer->name != NULL) snprintf(member->name, sizeof member->name, "%s", peer->name);
    }
    cs_home_peers_free(&peers, count);
    return CS_OK;
}

void cs__member_list_fini(cs_member_list_t *list)
{
    cs_free(list->item);
    cs_free(list->standing);
    *list = (cs_member_list_t){0};
}

static void log_refused(cs_daemon_t *daemon, const char *folder, cs_buf_t *detail)
{
    cs_buf_put_u8(detail, 0);
    cs__daemon_log(daemon, CS_LOG_WARNING, "member.refused", folder, cs_slice_text(""),
                   (const char *)detail->data);
}

void cs__daemon_member(cs_daemon_t *daemon, const cs_effect_t *effect)
{
    const cs_mounted_t *folder = cs_daemon_folder_by_number(daemon, effect->folder);
    if (folder == NULL) return;
    const char *id = folder->record.id;
    cs_buf_t detail = {0};
    cs_peer_record_t record = {0};
    const cs_member_t *member = &effect->member;
    cs_err_t err = cs_home_peer_find(daemon->home, member->key.b, &record, &detail);
    if (record.name == NULL && cs_check_name(member->name) == NULL) {
        record.name = cs_strdup(member->name); /* a word about it may have come first */
    }
    if (err == CS_OK && record.removed) {
        cs_buf_printf(&detail, "it was removed here"); /* while this was on its way */
        err = CS_ERR_REFUSED;
    }
    if (err == CS_OK && !cs_strings_has(&record.folders, id)) {
        cs_peer_record_admit(&record, id);
        err = cs_home_peer_put(daemon->home, &record, &detail);
    }
    if (err == CS_OK) {
        cs_daemon_peer_changed(daemon, &record, false);
    } else {
        log_refused(daemon, id, &detail);
    }
    cs_peer_record_fini(&record);
    cs_buf_fini(&detail);
}

/* What somebody else said is told here: who is gone, and who says so. */
static void tell(cs_daemon_t *daemon, const cs_effect_t *effect, const char *folder)
{
    char name[65], by_name[65], text[200];
    cs_key_t by;
    if (!cs_standing_by(&effect->standing, &by)) return;
    cs__peer_name(daemon, effect->standing.key.b, name);
    cs__peer_name(daemon, by.b, by_name);
    if (effect->standing.out) {
        snprintf(text, sizeof text,
                 "%s is no member any more: %s removed it; let it in again by: crdtsync peer "
                 "add",
                 name, by_name);
    } else {
        snprintf(text, sizeof text, "%s is a member again: %s let it in", name, by_name);
    }
    cs__daemon_log(daemon, CS_LOG_INFO,
                   effect->standing.out ? "member.removed" : "member.again", folder,
                   cs_slice_text(""), text);
}

void cs__daemon_standing(cs_daemon_t *daemon, const cs_effect_t *effect)
{
    const cs_mounted_t *folder = cs_daemon_folder_by_number(daemon, effect->folder);
    if (folder == NULL) return;
    const char *id = folder->record.id;
    cs_buf_t detail = {0};
    cs_peer_record_t record = {0};
    const cs_standing_t *standing = &effect->standing;
    cs_err_t err = cs_home_peer_find(daemon->home, standing->key.b, &record, &detail);
    bool was_member = cs_strings_has(&record.folders, id);
    if (err == CS_OK) {
        cs_standing_put(&record, id, standing);
        if (standing->out) cs_strings_drop(&record.folders, id);
        if (standing->out && record.folders.count == 0) record.cut_off = true;
        if (effect->lifted) cs_peer_record_admit(&record, NULL);
        err = cs_home_peer_put(daemon->home, &record, &detail);
    }
    if (err == CS_OK) {
        bool news = standing->out ? was_member : effect->lifted;
        if (news && !effect->own) tell(daemon, effect, id);
        if (was_member && cs_peer_record_is_out(&record)) {
            cs__daemon_hang_up(daemon, record.key);
        }
    } else {
        log_refused(daemon, id, &detail);
    }
    cs_peer_record_fini(&record);
    cs_buf_fini(&detail);
}
