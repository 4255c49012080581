/* commands_invite.c - invite, its list, and revoking: one-time keys that are let in. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "io/addresses.h"
#include "io/commands_internal.h"
#include "io/entropy.h"
#include "io/token.h"

/* The folder that is named, or the only one. */
static const cs_mounted_t *choose_folder(cs_ask_t *ask)
{
    cs_daemon_t *daemon = ask->daemon;
    cs_arg_t arg;
    if (cs__ask_arg(ask, 0, &arg)) {
        const cs_mounted_t *folder = cs__ask_folder(ask, &arg);
        cs__arg_fini(&arg);
        return folder;
    }
    if (daemon->folder_count == 1) return &daemon->folders[0];
    cs__ask_fail(
        ask, CS_EXIT_FAILED,
        "cannot choose a folder: this home has %zu; name one, see crdtsync folder list",
        daemon->folder_count);
    return NULL;
}

/* --- endpoints */

static bool port_is_open(const char *listen)
{
    const char *colon = strrchr(listen, ':');
    return colon == NULL || strcmp(colon, ":*") == 0;
}

static int bound_endpoints(cs_ask_t *ask, cs_strings_t *ret)
{
    const cs_daemon_t *daemon = ask->daemon;
    for (size_t i = 0; daemon->net != NULL && cs_net_endpoint(daemon->net, i) != NULL; i++) {
        cs_err_t err = cs_addresses_of(cs_net_endpoint(daemon->net, i), ret);
        (void)err; /* an endpoint of another kind is not for invites */
    }
    if (ret->count > 0) return CS_EXIT_DONE;
    cs_config_t config = {0};
    cs_err_t err = cs_home_config(daemon->home, &config, &ask->detail);
    if (err != CS_OK) return CS_EXIT_FAILED;
    for (size_t i = 0; i < config.listen.count; i++) {
        if (port_is_open(config.listen.at[i])) continue;
        err = cs_addresses_of(config.listen.at[i], ret);
        (void)err;
    }
    cs_config_fini(&config);
    if (ret->count > 0) return CS_EXIT_DONE;
    return cs__ask_fail(ask, CS_EXIT_FAILED,
                        "cannot make an invite: the port that this node listens on is not "
                        "known; start the node first, or give --endpoint");
}

static int endpoints_of(cs_ask_t *ask, cs_strings_t *ret)
{
    cs__ask_texts(ask, "endpoints", ret);
    if (ret->count == 0) return bound_endpoints(ask, ret);
    if (ret->count > CS_ENDPOINTS_MAX) {
        return cs__ask_fail(
            ask, CS_EXIT_USAGE,
            "cannot make an invite: %zu endpoints are too many; give at most %u", ret->count,
            CS_ENDPOINTS_MAX);
    }
    for (size_t i = 0; i < ret->count; i++) {
        const char *why = cs_check_endpoint(ret->at[i]);
        if (why == NULL && strlen(ret->at[i]) > CS_ENDPOINT_BYTES_MAX) why = "is too long";
        if (why != NULL) {
            return cs__ask_fail(ask, CS_EXIT_USAGE,
                                "cannot make an invite: the endpoint '%.200s' %s; give another",
                                ret->at[i], why);
        }
    }
    return CS_EXIT_DONE;
}

/* --- invite */

static void answer_token(cs_ask_t *ask, const cs_token_t *token)
{
    cs_buf_t text = {0};
    cs_json_t json = {0};
    cs_token_encode(token, &text);
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "folder", token->folder);
    cs_json_put_bytes(&json, "token", cs_buf_slice(&text));
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
    cs_entropy_wipe(text.data, text.len);
    cs_buf_fini(&text);
}

int cs__cmd_invite(cs_ask_t *ask)
{
    const cs_mounted_t *folder = choose_folder(ask);
    if (folder == NULL) return CS_EXIT_FAILED;
    uint64_t uses = cs__ask_u64(ask, "uses", 1);
    if (uses == 0 || uses > UINT32_MAX) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot make an invite: it must be good for one use at least; give "
                            "another --uses");
    }
    cs_token_t token = {0};
    cs_invite_record_t record = {.uses_left = (uint32_t)uses};
    int exit_code = endpoints_of(ask, &token.endpoints);
    if (exit_code == CS_EXIT_DONE) {
        cs_entropy_key_pair(record.key, token.secret);
        memcpy(token.server_key, ask->daemon->public_key, sizeof token.server_key);
        snprintf(token.folder, sizeof token.folder, "%s", folder->record.id);
        snprintf(record.folder, sizeof record.folder, "%s", folder->record.id);
        cs_err_t err = cs_home_invite_put(ask->daemon->home, &record, &ask->detail);
        exit_code = cs__exit_code(err);
    }
    if (exit_code == CS_EXIT_DONE) {
        cs_daemon_invites_changed(ask->daemon);
        answer_token(ask, &token);
    }
    cs_token_fini(&token);
    return exit_code;
}

int cs__cmd_invite_list(cs_ask_t *ask)
{
    cs_invite_record_t *invites = NULL;
    size_t count = 0;
    cs_err_t err = cs_home_invites(ask->daemon->home, &invites, &count, &ask->detail);
    if (err != CS_OK) return CS_EXIT_FAILED;
    for (size_t i = 0; i < count; i++) {
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_text(&json, "folder", invites[i].folder);
        cs_json_put_u64(&json, "uses_left", invites[i].uses_left);
        cs_json_put_hex(&json, "key", invites[i].key, CS_KEY_BYTES);
        cs_json_end(&json, '}');
        cs__ask_data(ask, &json);
    }
    cs_home_invites_free(&invites, count);
    return CS_EXIT_DONE;
}

int cs__cmd_invite_revoke(cs_ask_t *ask)
{
    const cs_mounted_t *folder = choose_folder(ask);
    if (folder == NULL) return CS_EXIT_FAILED;
    cs_invite_record_t *invites = NULL;
    size_t count = 0;
    uint64_t revoked = 0;
    cs_err_t err = cs_home_invites(ask->daemon->home, &invites, &count, &ask->detail);
    for (size_t i = 0; err == CS_OK && i < count; i++) {
        if (strcmp(invites[i].folder, folder->record.id) != 0) continue;
        err = cs_home_invite_remove(ask->daemon->home, invites[i].key, &ask->detail);
        if (err == CS_OK) revoked++;
    }
    cs_home_invites_free(&invites, count);
    cs_daemon_invites_changed(ask->daemon);
    if (err != CS_OK) return CS_EXIT_FAILED;
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "folder", folder->record.id);
    cs_json_put_u64(&json, "revoked", revoked);
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
    return CS_EXIT_DONE;
}
