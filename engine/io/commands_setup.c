/* commands_setup.c - folder add and key, peer add: what a home is told about others. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/entropy.h"
#include "io/new_folder.h"

#define RANDOM_ID_CHARS 16u /* 5 bits each: never two alike */

static void random_id(char ret[CS_ID_TEXT])
{
    static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* none alike */
    uint8_t bytes[RANDOM_ID_CHARS];
    cs_entropy_fill(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        ret[i] = digits[bytes[i] % 32];
    }
    ret[sizeof bytes] = '\0';
}

/* --- folder */

static int read_policy(cs_ask_t *ask, cs_new_folder_t *folder, uint8_t secret[CS_SECRET_BYTES])
{
    const char *modes = cs__ask_text(ask, "modes");
    const char *hex = cs__ask_text(ask, "secret");
    if (modes != NULL && strcmp(modes, "all") != 0 && strcmp(modes, "exec") != 0) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot add a folder: modes '%.32s' is unknown; give all or exec",
                            modes);
    }
    folder->modes_exec = modes != NULL && strcmp(modes, "exec") == 0;
    folder->secret = secret;
    if (hex == NULL) {
        cs_entropy_fill(secret, CS_SECRET_BYTES);
    } else if (!cs_unhex(secret, CS_SECRET_BYTES, cs_slice_text(hex))) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot add a folder: the key is not 64 hex digits; take what "
                            "crdtsync folder key prints on the other side");
    }
    return CS_EXIT_DONE;
}

static void answer_folder(cs_ask_t *ask, const char *id)
{
    cs_json_t json = {0};
    const cs_mounted_t *folder = cs_daemon_folder(ask->daemon, id);
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "id", id);
    cs_json_put_path(&json, "path", cs_slice_text(folder->record.path));
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
}

int cs__cmd_folder_add(cs_ask_t *ask)
{
    uint8_t secret[CS_SECRET_BYTES] = {0};
    char id[CS_ID_TEXT];
    cs_new_folder_t folder = {.id = cs__ask_text(ask, "id")};
    cs_arg_t arg = {0};
    int exit_code = read_policy(ask, &folder, secret);
    const char *why = folder.id != NULL ? cs_check_folder_id(folder.id) : NULL;
    if (exit_code == CS_EXIT_DONE && why != NULL) {
        exit_code = cs__ask_fail(ask, CS_EXIT_USAGE,
                                 "cannot add a folder: the id '%.100s' %s; give another --id",
                                 folder.id, why);
    }
    if (exit_code == CS_EXIT_DONE && (!cs__ask_arg(ask, 0, &arg) || arg.abs == NULL)) {
        exit_code = cs__ask_fail(ask, CS_EXIT_USAGE,
                                 "cannot add a folder: its path cannot be resolved; give one "
                                 "that can");
    }
    if (exit_code == CS_EXIT_DONE) {
        if (folder.id == NULL) {
            random_id(id);
            folder.id = id;
        }
        folder.path = arg.abs;
        cs_err_t err = cs_new_folder_make(ask->daemon, &folder, &ask->detail);
        exit_code = err == CS_OK ? CS_EXIT_DONE : CS_EXIT_FAILED;
        if (err == CS_OK) answer_folder(ask, folder.id);
    }
    cs__arg_fini(&arg);
    cs_entropy_wipe(secret, sizeof secret);
    return exit_code;
}

int cs__cmd_folder_key(cs_ask_t *ask)
{
    cs_arg_t arg;
    if (!cs__ask_arg(ask, 0, &arg)) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot print a key: no folder is given; name one");
    }
    const cs_mounted_t *folder = cs__ask_folder(ask, &arg);
    cs__arg_fini(&arg);
    if (folder == NULL) return CS_EXIT_FAILED;
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "id", folder->record.id);
    cs_json_put_hex(&json, "key", folder->record.secret, CS_SECRET_BYTES);
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
    return CS_EXIT_DONE;
}

/* --- peer */

static int check_peer(cs_ask_t *ask, const char *id, uint8_t key[CS_KEY_BYTES])
{
    const char *endpoint = cs__ask_text(ask, "endpoint");
    const char *name = cs__ask_text(ask, "name");
    if (id == NULL || !cs_unhex(key, CS_KEY_BYTES, cs_slice_text(id))) {
        return cs__ask_fail(
            ask, CS_EXIT_USAGE,
            "cannot add a peer: its id is not 64 hex digits; take what crdtsync "
            "id prints there");
    }
    if (memcmp(key, ask->daemon->public_key, CS_KEY_BYTES) == 0) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot add a peer: this is the id of this node itself; give the "
                            "other's");
    }
    const char *why = endpoint != NULL ? cs_check_endpoint(endpoint) : NULL;
    if (why != NULL) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot add a peer: the endpoint '%.200s' %s; give another",
                            endpoint, why);
    }
    why = name != NULL ? cs_check_name(name) : NULL;
    if (why != NULL) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot add a peer: the name %s; give another --name", why);
    }
    return CS_EXIT_DONE;
}

static int add_folders(cs_ask_t *ask, cs_peer_record_t *record)
{
    cs_strings_t folders = {0};
    int exit_code = CS_EXIT_DONE;
    cs__ask_texts(ask, "folders", &folders);
    for (size_t i = 0; exit_code == CS_EXIT_DONE && i < folders.count; i++) {
        if (cs_daemon_folder(ask->daemon, folders.at[i]) == NULL) {
            exit_code = cs__ask_fail(ask, CS_EXIT_FAILED,
                                     "cannot add a peer: this home has no folder '%.100s'; add "
                                     "it first, or see crdtsync folder list",
                                     folders.at[i]);
        } else if (!cs_strings_has(&record->folders, folders.at[i])) {
            cs_strings_add(&record->folders, folders.at[i]);
        }
    }
    cs_strings_fini(&folders);
    return exit_code;
}

/* What is given replaces, what is not stays. */
static int change_peer(cs_ask_t *ask, cs_peer_record_t *record)
{
    cs_daemon_t *daemon = ask->daemon;
    const char *endpoint = cs__ask_text(ask, "endpoint");
    const char *name = cs__ask_text(ask, "name");
    int exit_code = add_folders(ask, record);
    if (exit_code != CS_EXIT_DONE) return exit_code;
    bool moved = endpoint != NULL &&
                 (record->endpoint == NULL || strcmp(record->endpoint, endpoint) != 0);
    if (moved) {
        cs_free(record->endpoint);
        record->endpoint = cs_strdup(endpoint);
    }
    cs_peer_record_admit(record, NULL);
    if (name != NULL) {
        cs_free(record->name);
        record->name = cs_strdup(name);
    }
    cs_err_t err = cs_home_peer_put(daemon->home, record, &ask->detail);
    if (err != CS_OK) return cs__exit_code(err);
    if (moved && daemon->net != NULL) cs_net_undial(daemon->net, record->key);
    cs_daemon_peer_changed(daemon, record, true);
    return CS_EXIT_DONE;
}

int cs__cmd_peer_add(cs_ask_t *ask)
{
    cs_arg_t id = {0};
    cs_peer_record_t record = {0};
    bool given = cs__ask_arg(ask, 0, &id);
    uint8_t key[CS_KEY_BYTES];
    int exit_code = check_peer(ask, given ? id.raw : NULL, key);
    cs__arg_fini(&id);
    if (exit_code != CS_EXIT_DONE) return exit_code;
    cs_err_t err = cs_home_peer_find(ask->daemon->home, key, &record, &ask->detail);
    exit_code = err == CS_OK ? change_peer(ask, &record) : CS_EXIT_FAILED;
    if (exit_code == CS_EXIT_DONE) {
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_hex(&json, "id", record.key, CS_KEY_BYTES);
        cs_json_end(&json, '}');
        cs__ask_data(ask, &json);
    }
    cs_peer_record_fini(&record);
    return exit_code;
}
