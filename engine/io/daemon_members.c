/* daemon_members.c - members of folders, as the home keeps them: records of peers. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/daemon_shell.h"
#include "io/standing_text.h"

static void add_member(const cs_peer_record_t *peer, cs_member_list_t *ret)
{
    ret->item = cs_realloc_array(ret->item, ret->count + 1, sizeof *ret->item);
    cs_member_t *member = &ret->item[ret->count++];
    *member = (cs_member_t){.rid = 0};
    memcpy(member->key.b, peer->key, sizeof member->key.b);
    if (peer->name != NULL) snprintf(member->name, sizeof member->name, "%s", peer->name);
}

static void add_standing(const cs_peer_record_t *peer, const char *folder,
                         cs_member_list_t *ret)
{
    for (size_t i = 0; i < peer->standings.count; i++) {
        char id[CS_ID_TEXT];
        cs_standing_t standing = {.version = 0};
        bool good = cs_standing_parse(peer->standings.at[i], id, &standing);
        if (!good || strcmp(id, folder) != 0) continue;
        memcpy(standing.key.b, peer->key, sizeof standing.key.b);
        ret->standing =
            cs_realloc_array(ret->standing, ret->standing_count + 1, sizeof *ret->standing);
        ret->standing[ret->standing_count++] = standing;
    }
}

cs_err_t cs__daemon_members_of(cs_daemon_t *daemon, const char *folder, cs_member_list_t *ret,
                               cs_buf_t *ret_detail)
{
    cs_peer_record_t *peers = NULL;
    size_t count = 0;
    cs_err_t err = cs_home_peers(daemon->home, &peers, &count, ret_detail);
    for (size_t i = 0; err == CS_OK && i < count; i++) {
        if (cs_strings_has(&peers[i].folders, folder)) add_member(&peers[i], ret);
        add_standing(&peers[i], folder, ret);
    }
    cs_home_peers_free(&peers, count);
    if (err == CS_OK) err = cs_home_removed(daemon->home, &peers, &count, ret_detail);
    for (size_t i = 0; err == CS_OK && i < count; i++) {
        add_standing(&peers[i], folder, ret);
    }
    cs_home_peers_free(&peers, count);
    if (err != CS_OK) cs__member_list_fini(ret);
    return err;
}

void cs__member_list_fini(cs_member_list_t *list)
{
    cs_free(list->item);
    cs_free(list->standing);
    *list = (cs_member_list_t){0};
}

static const char *folder_of(const cs_daemon_t *daemon, const cs_effect_t *effect)
{
    for (size_t i = 0; i < daemon->folder_count; i++) {
        const cs_folder_record_t *record = &daemon->folders[i].record;
        if (record->number == effect->folder) return record->id;
    }
    return NULL;
}

/* A fresh one if there is none yet. */
static cs_err_t get_record(cs_daemon_t *daemon, const cs_key_t *key, const char *name,
                           cs_peer_record_t *ret, cs_buf_t *detail)
{
    cs_err_t err = cs_home_peer_get(daemon->home, key->b, ret, detail);
    if (err != CS_ERR_NOT_FOUND) return err;
    cs_buf_clear(detail);
    memcpy(ret->key, key->b, sizeof ret->key);
    if (cs_check_name(name) == NULL) ret->name = cs_strdup(name);
    return CS_OK;
}

static void log_refused(cs_daemon_t *daemon, const char *folder, cs_buf_t *detail)
{
    cs_buf_put_u8(detail, 0);
    cs__daemon_log(daemon, CS_LOG_WARNING, "member.refused", folder, cs_slice_text(""),
                   (const char *)detail->data);
}

void cs__daemon_member(cs_daemon_t *daemon, const cs_effect_t *effect)
{
    const char *id = folder_of(daemon, effect);
    if (id == NULL) return;
    cs_buf_t detail = {0};
    cs_peer_record_t record = {0};
    const cs_member_t *member = &effect->member;
    cs_err_t err = get_record(daemon, &member->key, member->name, &record, &detail);
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
    const char *id = folder_of(daemon, effect);
    if (id == NULL) return;
    cs_buf_t detail = {0};
    cs_peer_record_t record = {0};
    const cs_standing_t *standing = &effect->standing;
    cs_err_t err = get_record(daemon, &standing->key, "", &record, &detail);
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
