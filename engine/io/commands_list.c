/* commands_list.c - digest, folder list and peer list. */
#include "io/commands_internal.h"
#include "io/daemon_shell.h"

static void put_digest(cs_json_t *json, const cs_folder_status_t *status)
{
    cs_json_put_hex(json, "digest", status->state->root, CS_HASH_BYTES);
}

int cs__cmd_digest(cs_ask_t *ask)
{
    return cs__ask_each_folder(ask, put_digest);
}

int cs__cmd_folder_list(cs_ask_t *ask)
{
    cs_daemon_t *daemon = ask->daemon;
    for (size_t i = 0; i < daemon->folder_count; i++) {
        const cs_folder_record_t *record = &daemon->folders[i].record;
        if (daemon->folders[i].leaving) continue;
        const char *scan = record->setting[CS_SETTING_SCAN];
        cs_folder_status_t status = {.phase = CS_PHASE_ERROR};
        bool loaded = cs__folder_status(daemon, &daemon->folders[i], &status);
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_text(&json, "id", record->id);
        cs_json_put_path(&json, "path", cs_slice_text(record->path));
        cs_json_put_text(&json, "state", cs_phase_text(loaded ? status.phase : CS_PHASE_ERROR));
        cs_json_put_text(&json, "modes", record->modes_exec ? "exec" : "all");
        cs_json_put_text(&json, "scan",
                         scan != NULL ? scan
                                      : cs__schedule_default(daemon, &daemon->folders[i]));
        cs_json_end(&json, '}');
        cs__ask_data(ask, &json);
    }
    return CS_EXIT_DONE;
}

int cs__cmd_peer_list(cs_ask_t *ask)
{
    cs_peer_record_t *peers = NULL;
    size_t count = 0;
    cs_err_t err = cs_home_peers(ask->daemon->home, &peers, &count, &ask->detail);
    if (err != CS_OK) return CS_EXIT_FAILED;
    for (size_t i = 0; i < count; i++) {
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs__put_peer(ask->daemon, &peers[i], &json);
        cs_json_key(&json, "folders");
        cs_json_begin(&json, '[');
        for (size_t k = 0; k < peers[i].folders.count; k++) {
            cs_json_text(&json, peers[i].folders.at[k]);
        }
        cs_json_end(&json, ']');
        cs_json_end(&json, '}');
        cs__ask_data(ask, &json);
    }
    cs_home_peers_free(&peers, count);
    return CS_EXIT_DONE;
}
