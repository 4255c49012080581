/* invite_join.c - the joiner's side: dial with the one-time key, hand over our own, keep what
 * comes back.
 *
 * A node that knows the inviter already dials it anew for this: while a join is under way every
 * outgoing link to that key is the join's. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "io/entropy.h"
#include "io/invite_internal.h"
#include "io/new_folder.h"
#include "io/token.h"

#define ENDPOINT_MS 3000u /* for each of several endpoints, in turn */

struct cs_join {
    cs_daemon_t *daemon;
    uint64_t handle; /* of the pending request */
    cs_token_t token;
    uint8_t one_time_key[CS_KEY_BYTES];
    char *path, *name;          /* owned */
    size_t endpoint;            /* dialled now */
    cs_link_t link;             /* 0: not up */
    uint64_t until_ms, next_ms; /* of the whole, and of this endpoint */
};

bool cs__join_dials(const cs_join_t *join, const uint8_t *key)
{
    return memcmp(join->token.server_key, key, CS_KEY_BYTES) == 0;
}

bool cs__join_has_link(const cs_join_t *join, cs_link_t link)
{
    return join->link == link;
}

/* --- its life */

static void redial_known(cs_daemon_t *daemon, const uint8_t *key)
{
    cs_peer_record_t peer = {0};
    cs_buf_t detail = {0};
    /* A daemon for one request has no time for peers. */
    if (daemon->config.control &&
        cs_home_peer_get(daemon->home, key, &peer, &detail) == CS_OK) {
        cs_daemon_peer_changed(daemon, &peer, false);
    }
    cs_peer_record_fini(&peer);
    cs_buf_fini(&detail);
}

static void join_free(void *arg)
{
    cs_join_t *join = arg;
    cs_daemon_t *daemon = join->daemon;
    uint8_t key[CS_KEY_BYTES];
    memcpy(key, join->token.server_key, sizeof key);
    if (daemon->invites != NULL && daemon->invites->join == join) daemon->invites->join = NULL;
    cs_token_fini(&join->token);
    cs_free(join->path);
    cs_free(join->name);
    cs_free(join);
    if (daemon->net == NULL || daemon->stopping) return;
    cs_net_undial(daemon->net, key);
    redial_known(daemon, key);
}

static void end(cs_join_t *join, int exit_code, const char *error)
{
    cs_daemon_t *daemon = join->daemon;
    for (size_t i = 0; i < daemon->pending_count; i++) {
        if (daemon->pending[i]->handle != join->handle) continue;
        cs_pending_end(daemon, daemon->pending[i], exit_code, error);
        return;
    }
}

static cs_err_t dial(cs_join_t *join)
{
    cs_daemon_t *daemon = join->daemon;
    cs_net_undial(daemon->net, join->token.server_key);
    return cs_net_dial_as(daemon->net, join->token.server_key,
                          join->token.endpoints.at[join->endpoint], join->one_time_key,
                          join->token.secret);
}

static void check(cs_daemon_t *daemon, cs_pending_t *pending, bool expired)
{
    (void)daemon;
    cs_join_t *join = pending->arg;
    uint64_t now = (uint64_t)zclock_mono();
    if (!expired) return;
    if (now >= join->until_ms) {
        end(join, CS_EXIT_TIMEOUT,
            "cannot join: the inviting node did not answer; see that it runs and can be "
            "reached, and try again");
        return;
    }
    if (join->link == 0 && join->token.endpoints.count > 1 && now >= join->next_ms) {
        join->endpoint = (join->endpoint + 1) % join->token.endpoints.count;
        join->next_ms = now + ENDPOINT_MS;
        if (dial(join) != CS_OK) join->next_ms = now + 1;
    }
    bool more = join->link == 0 && join->token.endpoints.count > 1;
    pending->deadline_ms =
        more && join->next_ms < join->until_ms ? join->next_ms : join->until_ms;
}

/* --- what happens on the link */

void cs__join_link_up(cs_daemon_t *daemon, cs_join_t *join, cs_link_t link)
{
    join->link = link;
    cs_buf_t header = {0};
    cs_msg_t msg = {.type = CS_MSG_JOIN};
    msg.u.join = (cs_msg_join_t){.key = daemon->public_key, .name = cs_slice_text(join->name)};
    cs_msg_encode(&msg, &header);
    cs_err_t err = cs_net_send(daemon->net, link, cs_buf_slice(&header), NULL);
    if (err != CS_OK) cs_net_close_link(daemon->net, link); /* it is dialled again */
    cs_buf_fini(&header);
}

void cs__join_link_down(cs_join_t *join, cs_link_t link)
{
    if (join->link == link) join->link = 0;
}

void cs__join_refused(cs_daemon_t *daemon, cs_join_t *join)
{
    (void)daemon;
    end(join, CS_EXIT_REFUSED,
        "cannot join: the inviting node refuses this invite, which is used up, revoked or "
        "forged; ask for a new one");
}

/* --- WELCOME */

static bool text_of(cs_slice_t slice, char *ret, size_t ret_bytes)
{
    if (slice.len >= ret_bytes) return false;
    if (slice.len > 0) memcpy(ret, slice.data, slice.len);
    ret[slice.len] = '\0';
    return strlen(ret) == slice.len;
}

static cs_err_t keep_member(cs_join_t *join, const uint8_t *key, cs_slice_t name,
                            const char *endpoint, cs_buf_t *detail)
{
    const cs_daemon_t *daemon = join->daemon;
    cs_peer_record_t peer = {0};
    char text[CS_MEMBER_NAME_MAX + 1];
    cs_err_t err = cs_home_peer_find(daemon->home, key, &peer, detail);
    if (peer.name == NULL && text_of(name, text, sizeof text) && cs_check_name(text) == NULL) {
        peer.name = cs_strdup(text);
    }
    if (endpoint != NULL && peer.endpoint == NULL) peer.endpoint = cs_strdup(endpoint);
    if (endpoint != NULL) cs_peer_record_admit(&peer, NULL); /* we asked it ourselves */
    if (peer.removed) {
        cs_peer_record_fini(&peer);
        return err;
    }
    cs_peer_record_admit(&peer, join->token.folder);
    if (err == CS_OK) err = cs_home_peer_put(daemon->home, &peer, detail);
    cs_peer_record_fini(&peer);
    return err;
}

/* The inviter, dialled from now on where it answered; of the others we have only the keys. */
static cs_err_t keep_members(cs_join_t *join, const cs_msg_welcome_t *welcome, cs_buf_t *detail)
{
    const char *endpoint = join->token.endpoints.at[join->endpoint];
    const uint8_t *inviter = join->token.server_key;
    cs_slice_t name = {0};
    cs_err_t err = CS_OK;
    for (size_t i = 0; err == CS_OK && i < welcome->members.count; i++) {
        const cs_msg_member_t *member = &welcome->members.items[i];
        if (memcmp(member->key, inviter, CS_KEY_BYTES) == 0) {
            name = member->name;
        } else if (memcmp(member->key, join->daemon->public_key, CS_KEY_BYTES) != 0) {
            err = keep_member(join, member->key, member->name, NULL, detail);
        }
    }
    return err == CS_OK ? keep_member(join, inviter, name, endpoint, detail) : err;
}

static void tell_members(cs_daemon_t *daemon, const char *folder)
{
    cs_peer_record_t *peers = NULL;
    size_t count = 0;
    cs_buf_t detail = {0};
    /* A daemon for one request ends now; the node will read the records when it starts. */
    if (daemon->config.control &&
        cs_home_peers(daemon->home, &peers, &count, &detail) == CS_OK) {
        for (size_t i = 0; i < count; i++) {
            if (cs_strings_has(&peers[i].folders, folder)) {
                cs_daemon_peer_changed(daemon, &peers[i], false);
            }
        }
    }
    cs_home_peers_free(&peers, count);
    cs_buf_fini(&detail);
}

static const char *unacceptable(const cs_join_t *join, const cs_msg_welcome_t *welcome)
{
    char id[CS_ID_TEXT];
    if (!text_of(welcome->folder_id, id, sizeof id) || strcmp(id, join->token.folder) != 0) {
        return "it answered with another folder than the invite's; ask for a new one";
    }
    if (welcome->flags != 0 || welcome->modes > CS_MODES_EXEC) {
        return "the folder needs a later version of this program; install it";
    }
    return NULL;
}

static void answer(cs_join_t *join)
{
    cs_daemon_t *daemon = join->daemon;
    const cs_mounted_t *folder = cs_daemon_folder(daemon, join->token.folder);
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "id", join->token.folder);
    if (folder != NULL) cs_json_put_path(&json, "path", cs_slice_text(folder->record.path));
    cs_json_end(&json, '}');
    for (size_t i = 0; i < daemon->pending_count; i++) {
        const cs_pending_t *pending = daemon->pending[i];
        if (pending->handle == join->handle) {
            pending->reply.data(pending->reply.arg, cs_json_line(&json));
        }
    }
    cs_json_fini(&json);
}

static void on_welcome(cs_daemon_t *daemon, cs_join_t *join, const cs_msg_welcome_t *welcome)
{
    const char *why = unacceptable(join, welcome);
    cs_buf_t detail = {0};
    if (why != NULL) {
        cs_buf_printf(&detail, "cannot join: %s", why);
        cs_buf_put_u8(&detail, 0);
        end(join, CS_EXIT_FAILED, (const char *)detail.data);
        cs_buf_fini(&detail);
        return;
    }
    cs_new_folder_t folder = {
        .id = join->token.folder,
        .path = join->path,
        .secret = welcome->secret,
        .modes_exec = welcome->modes == CS_MODES_EXEC,
    };
    cs_err_t err = keep_members(join, welcome, &detail);
    if (err == CS_OK) err = cs_new_folder_make(daemon, &folder, &detail);
    if (err == CS_OK) {
        char id[CS_ID_TEXT];
        memcpy(id, join->token.folder, sizeof id);
        answer(join);
        end(join, CS_EXIT_DONE, NULL);
        tell_members(daemon, id);
    } else {
        cs_buf_put_u8(&detail, 0);
        end(join, CS_EXIT_FAILED, (const char *)detail.data);
    }
    cs_buf_fini(&detail);
}

void cs__join_message(cs_daemon_t *daemon, cs_join_t *join, const cs_msg_t *msg)
{
    if (msg->type == CS_MSG_WELCOME) on_welcome(daemon, join, &msg->u.welcome);
    if (msg->type != CS_MSG_ERROR) return;
    cs_slice_t text = msg->u.error.text;
    char error[256];
    snprintf(error, sizeof error,
             "cannot join: the inviting node says: %.*s; ask for a new one",
             (int)(text.len < 128 ? text.len : 128), (const char *)text.data);
    end(join, CS_EXIT_REFUSED, error);
}

/* --- the request */

static int check_request(cs_ask_t *ask, cs_join_t *join)
{
    cs_daemon_t *daemon = ask->daemon;
    const char *text = cs__ask_text(ask, "token");
    cs_arg_t arg = {0};
    char *real = NULL;
    if (text == NULL || cs_token_decode(cs_slice_text(text), &join->token) != CS_OK) {
        return cs__ask_fail(
            ask, CS_EXIT_USAGE,
            "cannot join: this is no invite, or a part of one; copy all of what "
            "crdtsync invite prints");
    }
    if (memcmp(join->token.server_key, daemon->public_key, CS_KEY_BYTES) == 0) {
        return cs__ask_fail(ask, CS_EXIT_FAILED,
                            "cannot join: the invite is of this node itself; join on another");
    }
    if (daemon->net == NULL || cs__invites(daemon)->join != NULL) {
        return cs__ask_fail(ask, CS_EXIT_FAILED,
                            "cannot join: another join is under way; try again after it");
    }
    if (!cs__ask_arg(ask, 0, &arg) || arg.abs == NULL) {
        cs__arg_fini(&arg);
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot join: the path cannot be resolved; give one that can");
    }
    cs_err_t err =
        cs_new_folder_check(daemon, join->token.folder, arg.abs, &real, &ask->detail);
    if (err == CS_OK) join->path = cs_strdup(real);
    cs_free(real);
    cs__arg_fini(&arg);
    return err == CS_OK ? CS_EXIT_DONE : CS_EXIT_FAILED;
}

static int choose_name(cs_ask_t *ask, cs_join_t *join)
{
    const char *name = cs__ask_text(ask, "name");
    const char *why = name != NULL ? cs_check_name(name) : NULL;
    if (why != NULL) {
        return cs__ask_fail(ask, CS_EXIT_USAGE, "cannot join: the name %s; give another --name",
                            why);
    }
    cs_config_t config = {0};
    if (name == NULL) {
        cs_err_t err = cs_home_config(ask->daemon->home, &config, &ask->detail);
        if (err != CS_OK) return CS_EXIT_FAILED;
        name = config.node_name;
    }
    join->name = cs_strdup(strlen(name) <= CS_MEMBER_NAME_MAX ? name : "");
    cs_config_fini(&config);
    return CS_EXIT_DONE;
}

#define TIMEOUT_MS 30000u

int cs__cmd_join(cs_ask_t *ask)
{
    cs_daemon_t *daemon = ask->daemon;
    cs_join_t *join = cs_calloc(1, sizeof *join);
    join->daemon = daemon;
    int exit_code = check_request(ask, join);
    if (exit_code == CS_EXIT_DONE) exit_code = choose_name(ask, join);
    if (exit_code != CS_EXIT_DONE) {
        cs_token_fini(&join->token);
        cs_free(join->path);
        cs_free(join->name);
        cs_free(join);
        return exit_code;
    }
    cs_entropy_public_key(join->token.secret, join->one_time_key);
    uint64_t now = (uint64_t)zclock_mono();
    uint64_t timeout = cs__ask_u64(ask, "timeout_ms", TIMEOUT_MS);
    join->until_ms = timeout < UINT64_MAX - now ? now + timeout : UINT64_MAX;
    join->next_ms = now + ENDPOINT_MS;
    cs__invites(daemon)->join = join;
    cs_pending_t *pending = cs__ask_pending(ask);
    join->handle = pending->handle;
    pending->arg = join;
    pending->arg_free = join_free;
    pending->check = check;
    pending->deadline_ms = now; /* the step that follows sets the next one */
    cs_err_t err = dial(join);
    if (err != CS_OK) {
        end(join, CS_EXIT_FAILED,
            "cannot join: the invite's endpoint cannot be dialled; ask for a new one");
    }
    return CS_ASK_LATER;
}
