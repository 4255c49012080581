/* commands_status.c - status, digest, folder list and peer list: what a node shows of itself.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/fs_linux.h"

static const char *link_text(cs_link_state_t state)
{
    switch (state) {
    case CS_LINK_OFFLINE:
        return "offline";
    case CS_LINK_CONNECTING:
        return "connecting";
    case CS_LINK_CONNECTED:
        return "connected";
    case CS_LINK_REFUSED:
        return "refused";
    }
    return "offline";
}

static void put_trouble(cs_json_t *json, cs_slice_t path, const char *reason)
{
    cs_json_begin(json, '{');
    cs_json_put_path(json, "path", path);
    cs_json_put_text(json, "reason", reason);
    cs_json_end(json, '}');
}

static void put_troubles(cs_json_t *json, const cs_troubles_t *troubles)
{
    for (size_t i = 0; i < troubles->len; i++) {
        put_trouble(json, cs_slice_str(troubles->item[i].path),
                    cs_trouble_text(troubles->item[i].trouble));
    }
}

void cs__put_troubles(cs_json_t *json, const cs_troubles_t *troubles)
{
    cs_json_key(json, "errors");
    cs_json_begin(json, '[');
    put_troubles(json, troubles);
    cs_json_end(json, ']');
    if (troubles->total > troubles->len) cs_json_put_u64(json, "errors_total", troubles->total);
}

/* What could not be read, and what cannot be written. */
static void put_errors(cs_json_t *json, const cs_folder_status_t *status)
{
    cs_json_key(json, "errors");
    cs_json_begin(json, '[');
    if (status->failed != CS_OK) {
        cs_slice_t path = status->failed_path == NULL ? cs_slice_text(".")
                                                      : cs_slice_str(status->failed_path);
        put_trouble(json, path, cs_err_text(status->failed));
    }
    put_troubles(json, status->troubles);
    cs_json_end(json, ']');
    if (status->troubles->total > status->troubles->len)
        cs_json_put_u64(json, "errors_total", status->troubles->total);
}

static cs_err_t check_root(const cs_mounted_t *folder)
{
    cs_fs_t *fs = NULL;
    if (cs_fs_linux_open(folder->record.path, &fs) != CS_OK) return CS_ERR_NOT_MOUNTED;
    cs_err_t err = cs_folder_check(fs, folder->record.marker);
    fs->ops->close_fs(&fs);
    return err;
}

/* Where no node runs nothing is under way, and nobody has looked at the root yet. */
static bool folder_status(cs_daemon_t *daemon, const cs_mounted_t *folder,
                          cs_folder_status_t *ret)
{
    if (!cs_node_folder_status(daemon->node, folder->record.number, ret)) return false;
    if (daemon->config.control) return true;
    if (ret->phase == CS_PHASE_SCANNING || ret->phase == CS_PHASE_SYNCING) {
        ret->phase = CS_PHASE_IDLE;
    }
    ret->err = check_root(folder);
    if (ret->err != CS_OK) ret->phase = CS_PHASE_ERROR;
    return true;
}

/* --- status */

static void put_node(cs_ask_t *ask, cs_json_t *json)
{
    cs_daemon_t *daemon = ask->daemon;
    cs_config_t config = {0};
    cs_buf_t detail = {0};
    cs_err_t err = cs_home_config(daemon->home, &config, &detail);
    cs_json_key(json, "node");
    cs_json_begin(json, '{');
    cs_json_put_hex(json, "id", daemon->public_key, sizeof daemon->public_key);
    cs_json_put_text(json, "name", err == CS_OK ? config.node_name : "");
    cs_json_put_text(json, "version", CRDTSYNC_VERSION);
    cs_json_key(json, "listen");
    cs_json_begin(json, '[');
    for (size_t i = 0; daemon->net != NULL && cs_net_endpoint(daemon->net, i) != NULL; i++) {
        cs_json_text(json, cs_net_endpoint(daemon->net, i));
    }
    cs_json_end(json, ']');
    cs_json_end(json, '}');
    cs_config_fini(&config);
    cs_buf_fini(&detail);
}

/* A folder whose state could not be loaded. */
static void put_unloaded(cs_json_t *json)
{
    cs_json_put_text(json, "state", cs_phase_text(CS_PHASE_ERROR));
    cs_json_put_text(json, "error", "its state could not be loaded");
}

static cs_err_t put_folder(cs_daemon_t *daemon, cs_mounted_t *folder, cs_json_t *json)
{
    cs_folder_status_t status;
    const cs_tree_count_t *count = NULL;
    cs_json_begin(json, '{');
    cs_json_put_text(json, "id", folder->record.id);
    cs_json_put_path(json, "path", cs_slice_text(folder->record.path));
    cs_err_t err = CS_OK;
    if (!folder_status(daemon, folder, &status)) {
        put_unloaded(json);
    } else {
        err = cs__count_tree(daemon, folder, &count);
        cs_json_put_text(json, "state", cs_phase_text(status.phase));
        if (status.phase == CS_PHASE_ERROR) {
            cs_json_put_text(json, "error", cs_err_text(status.err));
        }
        cs_json_put_u64(json, "files", count->tally.files);
        cs_json_put_u64(json, "dirs", count->tally.dirs);
        cs_json_put_u64(json, "bytes", count->tally.bytes);
        cs_json_put_u64(json, "conflicts", count->conflicts);
        cs_json_put_u64(json, "needed_files", status.needed_files);
        cs_json_put_u64(json, "needed_bytes", status.needed_bytes);
        cs_json_put_hex(json, "digest", status.state->root, CS_HASH_BYTES);
        put_errors(json, &status);
    }
    cs_json_end(json, '}');
    return err;
}

static void put_equal(cs_daemon_t *daemon, const uint8_t *key, cs_json_t *json)
{
    cs_json_key(json, "equal");
    cs_json_begin(json, '{');
    for (size_t i = 0; i < daemon->folder_count; i++) {
        size_t count = 0;
        cs_report_t *reports =
            cs_node_reports(daemon->node, daemon->folders[i].record.number, &count);
        for (size_t k = 0; k < count; k++) {
            if (memcmp(reports[k].key.b, key, CS_KEY_BYTES) != 0) continue;
            cs_json_put_bool(json, daemon->folders[i].record.id,
                             reports[k].known && reports[k].equal);
        }
        cs_free(reports);
    }
    cs_json_end(json, '}');
}

static void put_peer_head(cs_daemon_t *daemon, const cs_peer_record_t *peer, cs_json_t *json)
{
    cs_json_put_hex(json, "id", peer->key, CS_KEY_BYTES);
    cs_json_put_text(json, "name", peer->name != NULL ? peer->name : "");
    cs_json_put_text(json, "state", link_text(cs_daemon_link_state(daemon, peer->key)));
    cs_json_put_text(json, "endpoint", peer->endpoint != NULL ? peer->endpoint : "");
}

static void put_peer(cs_daemon_t *daemon, const cs_peer_record_t *peer, cs_json_t *json)
{
    cs_peer_status_t status = {0};
    cs_key_t key;
    memcpy(key.b, peer->key, sizeof key.b);
    (void)cs_node_peer_status(daemon->node, &key, &status); /* not connected: zeros */
    cs_json_begin(json, '{');
    put_peer_head(daemon, peer, json);
    put_equal(daemon, peer->key, json);
    cs_json_put_u64(json, "bytes_in", status.bytes_in);
    cs_json_put_u64(json, "bytes_out", status.bytes_out);
    cs_json_put_text(json, "rtt_ms", NULL); /* links measure none */
    cs_json_end(json, '}');
}

int cs__cmd_status(cs_ask_t *ask)
{
    cs_daemon_t *daemon = ask->daemon;
    cs_peer_record_t *peers = NULL;
    size_t peer_count = 0;
    cs_err_t err = cs_home_peers(daemon->home, &peers, &peer_count, &ask->detail);
    if (err != CS_OK) return CS_EXIT_FAILED;
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    put_node(ask, &json);
    cs_json_key(&json, "folders");
    cs_json_begin(&json, '[');
    for (size_t i = 0; err == CS_OK && i < daemon->folder_count; i++) {
        err = put_folder(daemon, &daemon->folders[i], &json);
    }
    cs_json_end(&json, ']');
    cs_json_key(&json, "peers");
    cs_json_begin(&json, '[');
    for (size_t i = 0; i < peer_count; i++) {
        put_peer(daemon, &peers[i], &json);
    }
    cs_json_end(&json, ']');
    cs_json_end(&json, '}');
    cs_home_peers_free(&peers, peer_count);
    if (err != CS_OK) {
        cs_json_fini(&json);
        return cs__ask_fail(ask, CS_EXIT_FAILED,
                            "cannot read the index: %s; see the log of the node",
                            cs_err_text(err));
    }
    cs__ask_data(ask, &json);
    return CS_EXIT_DONE;
}

/* --- lists */

int cs__cmd_digest(cs_ask_t *ask)
{
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    int exit_code = cs__ask_folders(ask, &folders, &count);
    for (size_t i = 0; i < count; i++) {
        cs_folder_status_t status;
        if (!cs_node_folder_status(ask->daemon->node, folders[i]->record.number, &status)) {
            continue;
        }
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_text(&json, "folder", folders[i]->record.id);
        cs_json_put_hex(&json, "digest", status.state->root, CS_HASH_BYTES);
        cs_json_end(&json, '}');
        cs__ask_data(ask, &json);
    }
    cs_free(folders);
    return exit_code;
}

int cs__cmd_folder_list(cs_ask_t *ask)
{
    cs_daemon_t *daemon = ask->daemon;
    for (size_t i = 0; i < daemon->folder_count; i++) {
        const cs_folder_record_t *record = &daemon->folders[i].record;
        const char *scan = record->setting[CS_SETTING_SCAN];
        cs_folder_status_t status = {.phase = CS_PHASE_ERROR};
        bool loaded = folder_status(daemon, &daemon->folders[i], &status);
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_text(&json, "id", record->id);
        cs_json_put_path(&json, "path", cs_slice_text(record->path));
        cs_json_put_text(&json, "state", cs_phase_text(loaded ? status.phase : CS_PHASE_ERROR));
        cs_json_put_text(&json, "modes", record->modes_exec ? "exec" : "all");
        cs_json_put_text(&json, "scan", scan != NULL ? scan : "@every 60s");
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
        put_peer_head(ask->daemon, &peers[i], &json);
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
