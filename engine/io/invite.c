/* invite.c - the inviter's side: who comes with a one-time key hands over his own, and is told
 * the folder's secret.
 *
 * The use is counted durably before the secret leaves; a crash in between costs a use, never
 * gives one away. */
#include "io/invite_internal.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

cs_invites_t *cs__invites(cs_daemon_t *daemon)
{
    if (daemon->invites == NULL) daemon->invites = cs_calloc(1, sizeof *daemon->invites);
    return daemon->invites;
}

void cs_invite_fini(cs_daemon_t *daemon)
{
    cs_invites_t *invites = daemon->invites;
    daemon->invites = NULL;
    if (invites == NULL) return;
    cs_free(invites->open);
    cs_free(invites->link);
    cs_free(invites);
}

/* --- open invites */

static cs_open_invite_t *find_open(const cs_invites_t *invites, const uint8_t *key)
{
    for (size_t i = 0; invites != NULL && i < invites->open_count; i++) {
        if (memcmp(invites->open[i].record.key, key, CS_KEY_BYTES) == 0) {
            return &invites->open[i];
        }
    }
    return NULL;
}

static void put_open(cs_invites_t *invites, const cs_invite_record_t *record)
{
    if (invites->open_count == invites->open_cap) {
        invites->open_cap = cs_grow(invites->open_cap, invites->open_count + 1);
        invites->open =
            cs_realloc_array(invites->open, invites->open_cap, sizeof *invites->open);
    }
    invites->open[invites->open_count++] = (cs_open_invite_t){.record = *record};
}

static bool is_listed(const cs_invite_record_t *records, size_t count, const uint8_t *key)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(records[i].key, key, CS_KEY_BYTES) == 0) return true;
    }
    return false;
}

/* Turn away what is no longer open: at once, unless it was just used up and its WELCOME may
 * still be under way. */
static void close_others(cs_daemon_t *daemon, const cs_invite_record_t *records, size_t count)
{
    cs_invites_t *invites = daemon->invites;
    for (size_t i = 0; i < invites->open_count;) {
        cs_open_invite_t *open = &invites->open[i];
        bool leaving = open->record.uses_left == 0 && open->links > 0;
        if (leaving || is_listed(records, count, open->record.key)) {
            i++;
            continue;
        }
        cs_net_deny(daemon->net, open->record.key);
        *open = invites->open[--invites->open_count];
    }
}

void cs_daemon_invites_changed(cs_daemon_t *daemon)
{
    if (daemon->net == NULL) return; /* nobody can come */
    cs_invites_t *invites = cs__invites(daemon);
    cs_invite_record_t *records = NULL;
    size_t count = 0;
    cs_buf_t detail = {0};
    if (cs_home_invites(daemon->home, &records, &count, &detail) == CS_OK) {
        for (size_t i = 0; i < count; i++) {
            cs_open_invite_t *open = find_open(invites, records[i].key);
            if (open != NULL) {
                open->record = records[i];
                continue;
            }
            put_open(invites, &records[i]);
            cs_net_allow(daemon->net, records[i].key);
        }
        close_others(daemon, records, count);
    }
    cs_home_invites_free(&records, count);
    cs_buf_fini(&detail);
}

/* --- links */

static cs_invite_link_t *find_link(const cs_invites_t *invites, cs_link_t link)
{
    for (size_t i = 0; invites != NULL && i < invites->link_count; i++) {
        if (invites->link[i].link == link) return &invites->link[i];
    }
    return NULL;
}

bool cs_invite_owns(const cs_daemon_t *daemon, const uint8_t key[32], bool outgoing)
{
    const cs_invites_t *invites = daemon->invites;
    if (invites == NULL) return false;
    if (outgoing) return invites->join != NULL && cs__join_dials(invites->join, key);
    return find_open(invites, key) != NULL;
}

void cs_invite_link_up(cs_daemon_t *daemon, cs_link_t link, const uint8_t key[32],
                       bool outgoing)
{
    cs_invites_t *invites = cs__invites(daemon);
    if (outgoing) {
        if (invites->join != NULL) cs__join_link_up(daemon, invites->join, link);
        return;
    }
    cs_open_invite_t *open = find_open(invites, key);
    if (open == NULL) return;
    open->links++;
    if (invites->link_count == invites->link_cap) {
        invites->link_cap = cs_grow(invites->link_cap, invites->link_count + 1);
        invites->link =
            cs_realloc_array(invites->link, invites->link_cap, sizeof *invites->link);
    }
    cs_invite_link_t *entry = &invites->link[invites->link_count++];
    *entry = (cs_invite_link_t){.link = link};
    memcpy(entry->key, key, sizeof entry->key);
}

void cs_invite_link_down(cs_daemon_t *daemon, cs_link_t link)
{
    cs_invites_t *invites = daemon->invites;
    if (invites == NULL) return;
    if (invites->join != NULL) cs__join_link_down(invites->join, link);
    cs_invite_link_t *entry = find_link(invites, link);
    if (entry == NULL) return;
    cs_open_invite_t *open = find_open(invites, entry->key);
    *entry = invites->link[--invites->link_count];
    if (open == NULL) return;
    open->links--;
    if (open->record.uses_left == 0) cs_daemon_invites_changed(daemon);
}

/* --- JOIN */

static void send_to(cs_daemon_t *daemon, cs_link_t link, const cs_msg_t *msg)
{
    cs_buf_t header = {0};
    cs_msg_encode(msg, &header);
    /* A link with nothing queued takes one message; one that has gone needs none. */
    cs_err_t err = cs_net_send(daemon->net, link, cs_buf_slice(&header), NULL);
    if (err != CS_OK) cs_net_close_link(daemon->net, link);
    cs_buf_fini(&header);
}

static void refuse(cs_daemon_t *daemon, cs_link_t link, const char *why)
{
    cs_msg_t msg = {.type = CS_MSG_ERROR};
    msg.u.error = (cs_msg_error_t){.code = CS_ERR_REFUSED, .text = cs_slice_text(why)};
    send_to(daemon, link, &msg);
}

/* The joiner's record, with this folder in it. */
static cs_err_t admit(cs_daemon_t *daemon, const char *folder, const cs_msg_join_t *join,
                      cs_buf_t *detail)
{
    cs_peer_record_t peer = {0};
    cs_err_t err = cs_home_peer_find(daemon->home, join->key, &peer, detail);
    if (err == CS_OK && peer.name == NULL && join->name.len <= CS_MEMBER_NAME_MAX) {
        char name[CS_MEMBER_NAME_MAX + 1] = {0};
        if (join->name.len > 0) memcpy(name, join->name.data, join->name.len);
        if (cs_check_name(name) == NULL) peer.name = cs_strdup(name);
    }
    cs_peer_record_admit(&peer, folder); /* invited again, perhaps */
    if (err == CS_OK) err = cs_home_peer_put(daemon->home, &peer, detail);
    if (err == CS_OK) cs_daemon_peer_changed(daemon, &peer, true);
    cs_peer_record_fini(&peer);
    return err;
}

static cs_err_t count_use(cs_daemon_t *daemon, cs_invite_record_t *record, cs_buf_t *detail)
{
    cs_invite_record_t lowered = *record;
    lowered.uses_left--;
    cs_err_t err = lowered.uses_left > 0
                       ? cs_home_invite_put(daemon->home, &lowered, detail)
                       : cs_home_invite_remove(daemon->home, lowered.key, detail);
    if (err == CS_OK) *record = lowered;
    return err;
}

/* Who else shares the folder, by the home's records; *ret_peers keeps what the members point
 * to. */
typedef struct member_list {
    cs_msg_member_t *item; /* owned */
    size_t count;
    cs_peer_record_t *peers; /* owned */
    size_t peer_count;
} member_list_t;

static void list_members(cs_daemon_t *daemon, const char *folder, const char *self_name,
                         member_list_t *ret)
{
    cs_buf_t detail = {0};
    cs_err_t err = cs_home_peers(daemon->home, &ret->peers, &ret->peer_count, &detail);
    if (err != CS_OK) ret->peer_count = 0; /* then it learns of them from the members' lists */
    ret->item = cs_calloc(ret->peer_count + 1, sizeof *ret->item);
    ret->item[ret->count++] =
        (cs_msg_member_t){.key = daemon->public_key, .name = cs_slice_text(self_name)};
    for (size_t i = 0; i < ret->peer_count && ret->count < CS_MEMBERS_MAX; i++) {
        const cs_peer_record_t *peer = &ret->peers[i];
        if (!cs_strings_has(&peer->folders, folder)) continue;
        const char *name = peer->name != NULL ? peer->name : "";
        if (strlen(name) > CS_MEMBER_NAME_MAX) name = "";
        ret->item[ret->count++] =
            (cs_msg_member_t){.key = peer->key, .name = cs_slice_text(name)};
    }
    cs_buf_fini(&detail);
}

static void welcome(cs_daemon_t *daemon, cs_link_t link, const cs_mounted_t *folder)
{
    cs_config_t config = {0};
    cs_buf_t detail = {0};
    member_list_t members = {0};
    bool named = cs_home_config(daemon->home, &config, &detail) == CS_OK &&
                 strlen(config.node_name) <= CS_MEMBER_NAME_MAX;
    list_members(daemon, folder->record.id, named ? config.node_name : "", &members);
    cs_msg_t msg = {.type = CS_MSG_WELCOME};
    msg.u.welcome = (cs_msg_welcome_t){
        .folder_id = cs_slice_text(folder->record.id),
        .secret = folder->record.secret,
        .modes = folder->record.modes_exec ? CS_MODES_EXEC : CS_MODES_ALL,
        .folder_name = cs_slice_text(folder->record.id),
        .members = {members.item, members.count},
    };
    send_to(daemon, link, &msg);
    cs_free(members.item);
    cs_home_peers_free(&members.peers, members.peer_count);
    cs_config_fini(&config);
    cs_buf_fini(&detail);
}

static void on_join(cs_daemon_t *daemon, cs_invite_link_t *entry, const cs_msg_join_t *join)
{
    cs_link_t link = entry->link;
    cs_open_invite_t *open = find_open(daemon->invites, entry->key);
    if (entry->joined) return;
    entry->joined = true;
    if (open == NULL || open->record.uses_left == 0) {
        refuse(daemon, link, "the invite is used up");
        return;
    }
    const cs_mounted_t *folder = cs_daemon_folder(daemon, open->record.folder);
    if (folder == NULL || memcmp(join->key, daemon->public_key, CS_KEY_BYTES) == 0) {
        refuse(daemon, link, folder == NULL ? "the folder is gone" : "this is the same node");
        return;
    }
    cs_buf_t detail = {0};
    cs_err_t err = count_use(daemon, &open->record, &detail);
    /* From here on `open`, `entry` and `folder` may have moved. */
    char id[CS_ID_TEXT];
    memcpy(id, folder->record.id, sizeof id);
    if (err == CS_OK) err = admit(daemon, id, join, &detail);
    folder = cs_daemon_folder(daemon, id);
    if (err != CS_OK || folder == NULL) {
        refuse(daemon, link, "the inviting node could not keep your key; see its log");
    } else {
        welcome(daemon, link, folder);
    }
    cs_buf_fini(&detail);
}

void cs_invite_message(cs_daemon_t *daemon, cs_link_t link, cs_slice_t header)
{
    cs_invites_t *invites = cs__invites(daemon);
    bool joining = invites->join != NULL && cs__join_has_link(invites->join, link);
    cs_invite_link_t *entry = find_link(invites, link);
    cs_msg_t msg = {0};
    cs_err_t err = cs_msg_decode(&msg, header, cs_slice(NULL, 0));
    if (err != CS_OK && err != CS_ERR_UNSUPPORTED) {
        cs_net_close_link(daemon->net, link);
        return;
    }
    if (err == CS_OK && joining) {
        cs__join_message(daemon, invites->join, &msg);
    } else if (err == CS_OK && entry != NULL && msg.type == CS_MSG_JOIN) {
        on_join(daemon, entry, &msg.u.join);
    }
    cs_msg_fini(&msg);
}

void cs_invite_refused(cs_daemon_t *daemon, const uint8_t key[32])
{
    cs_invites_t *invites = cs__invites(daemon);
    if (invites->join != NULL && cs__join_dials(invites->join, key)) {
        cs__join_refused(daemon, invites->join);
    }
}
