/* commands_status.c - status: what a node shows of itself, its folders and its peers. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_count.h"
#include "io/daemon_shell.h"
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
    case CS_LINK_INDIRECT:
        return "indirect";
    }
    return "offline";
}

static void put_remedy(cs_json_t *json, const char *remedy)
{
    if (remedy[0] != '\0') cs_json_put_text(json, "remedy", remedy);
}

static void put_trouble(cs_json_t *json, cs_slice_t path, const char *reason,
                        const char *remedy)
{
    cs_json_begin(json, '{');
    cs_json_put_path(json, "path", path);
    cs_json_put_text(json, "reason", reason);
    put_remedy(json, remedy);
    cs_json_end(json, '}');
}

static void put_troubles(cs_json_t *json, const cs_troubles_t *troubles)
{
    for (size_t i = 0; i < troubles->len; i++) {
        put_trouble(json, cs_slice_str(troubles->item[i].path),
                    cs_trouble_text(troubles->item[i].trouble),
                    cs_trouble_remedy(troubles->item[i].trouble));
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

/* Members from whom contents could come that nobody has who is connected: those that had
 * everything when they were last heard of. */
static void find_holders(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_strings_t *ret)
{
    size_t count = 0;
    cs_report_t *reports = cs_node_reports(daemon->node, folder->record.number, &count);
    for (size_t i = 0; i < count; i++) {
        const cs_report_t *report = &reports[i];
        if (report->connected || !report->known || !report->equal || !report->applied) continue;
        char name[65];
        cs__peer_name(daemon, report->key.b, name);
        cs_strings_add(ret, name);
    }
    cs_free(reports);
}

static void put_stuck(cs_json_t *json, const cs_stuck_t *stuck, const cs_strings_t *holders)
{
    cs_json_begin(json, '{');
    cs_json_put_path(json, "path", cs_slice_str(stuck->path));
    cs_json_put_text(json, "reason", cs__why_text(&stuck->why));
    if (stuck->why.kind == CS_WHY_FAILED) put_remedy(json, cs_err_remedy(stuck->why.err));
    if (stuck->why.kind == CS_WHY_MISSING) {
        cs_json_put_text(json, "by", stuck->by);
        cs_json_key(json, "from");
        cs_json_begin(json, '[');
        for (size_t i = 0; i < holders->count; i++) {
            cs_json_text(json, holders->at[i]);
        }
        cs_json_end(json, ']');
    }
    cs_json_end(json, '}');
}

static bool is_named(const cs_count_t *count, const cs_str_t *path)
{
    for (size_t i = 0; path != NULL && i < count->stuck_len; i++) {
        if (cs_str_eq(count->stuck[i].path, path)) return true;
    }
    return false;
}

static void put_refused(void *arg, cs_slice_t path)
{
    put_trouble(arg, path, cs_trouble_text(CS_TROUBLE_TOO_MANY_VERSIONS),
                cs_trouble_remedy(CS_TROUBLE_TOO_MANY_VERSIONS));
}

/* What could not be read, what cannot be written, and what could not be taken of peers. */
static void put_errors(cs_daemon_t *daemon, const cs_mounted_t *folder,
                       const cs_folder_status_t *status, const cs_count_t *count,
                       cs_json_t *json)
{
    const cs_troubles_t *troubles = status->troubles;
    uint64_t total = troubles->total + count->stuck_total;
    cs_strings_t holders = {0};
    find_holders(daemon, folder, &holders);
    cs_json_key(json, "errors");
    cs_json_begin(json, '[');
    if (status->failed != CS_OK && !is_named(count, status->failed_path)) {
        cs_slice_t path = status->failed_path == NULL ? cs_slice_text(".")
                                                      : cs_slice_str(status->failed_path);
        put_trouble(json, path, cs_err_text(status->failed), cs_err_remedy(status->failed));
        total++;
    }
    if (status->reused.rid != 0) {
        put_trouble(json, cs_slice_text("."), cs_err_text(CS_ERR_REUSE),
                    cs_err_remedy(CS_ERR_REUSE));
        total++;
    }
    put_troubles(json, troubles);
    for (size_t i = 0; i < count->stuck_len; i++) {
        put_stuck(json, &count->stuck[i], &holders);
    }
    uint64_t refused = cs_node_refused(daemon->node, folder->record.number, CS_STUCK_LIST_MAX,
                                       put_refused, json);
    cs_json_end(json, ']');
    cs_strings_fini(&holders);
    total += refused;
    bool more = troubles->total > troubles->len || count->stuck_total > count->stuck_len ||
                refused > CS_STUCK_LIST_MAX;
    if (more) cs_json_put_u64(json, "errors_total", total);
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
bool cs__folder_status(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_folder_status_t *ret)
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

/* KiB a second, those that are in force. */
static void put_limits(const cs_limits_t *limits, cs_json_t *json)
{
    const struct {
        const char *key;
        uint64_t bytes;
    } each[] = {{"up_kib", limits->all[CS_UP]},
                {"down_kib", limits->all[CS_DOWN]},
                {"peer_up_kib", limits->each[CS_UP]},
                {"peer_down_kib", limits->each[CS_DOWN]}};
    cs_json_key(json, "limits");
    cs_json_begin(json, '{');
    for (size_t i = 0; i < CS_COUNT_OF(each); i++) {
        if (each[i].bytes > 0) cs_json_put_u64(json, each[i].key, each[i].bytes >> 10);
    }
    cs_json_end(json, '}');
}

static void put_node(cs_ask_t *ask, cs_json_t *json)
{
    const cs_daemon_t *daemon = ask->daemon;
    cs_json_key(json, "node");
    cs_json_begin(json, '{');
    cs_json_put_hex(json, "id", daemon->public_key, sizeof daemon->public_key);
    cs_json_put_text(json, "name", daemon->shell->settings.node_name);
    cs_json_put_text(json, "version", CRDTSYNC_VERSION);
    cs_json_key(json, "listen");
    cs_json_begin(json, '[');
    for (size_t i = 0; daemon->net != NULL && cs_net_endpoint(daemon->net, i) != NULL; i++) {
        cs_json_text(json, cs_net_endpoint(daemon->net, i));
    }
    cs_json_end(json, ']');
    put_limits(&daemon->shell->limits, json);
    cs_json_end(json, '}');
}

/* A folder whose state could not be loaded. */
static void put_unloaded(cs_json_t *json)
{
    cs_json_put_text(json, "state", cs_phase_text(CS_PHASE_ERROR));
    cs_json_put_text(json, "error", "its state could not be loaded");
}

static void put_folder_error(cs_json_t *json, const char *id, const cs_folder_status_t *status)
{
    if (status->phase == CS_PHASE_ERROR) {
        cs_json_put_text(json, "error", cs_err_text(status->err));
        put_remedy(json, cs_err_remedy(status->err));
    } else if (status->phase == CS_PHASE_HELD) {
        char remedy[128];
        snprintf(remedy, sizeof remedy, "look, then: crdtsync held accept %s (or held reject)",
                 id);
        cs_json_put_text(json, "error", "so much vanished or was rewritten");
        put_remedy(json, remedy);
    }
}

/* How far a scan is that runs, and of how much, as the last one of everything counted. */
static void put_scan(const cs_daemon_t *daemon, const cs_mounted_t *folder,
                     const cs_folder_status_t *status, cs_json_t *json)
{
    uint64_t looked = 0, all = status->files + status->dirs;
    if (!cs__daemon_scan_looked(daemon, folder->record.number, &looked)) return;
    cs_json_key(json, "scan");
    cs_json_begin(json, '{');
    cs_json_put_u64(json, "looked_at", looked);
    if (all >= looked) cs_json_put_u64(json, "of", all);
    cs_json_end(json, '}');
}

static void put_folder(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_count_t *count,
                       cs_json_t *json)
{
    cs_folder_status_t status;
    cs_json_begin(json, '{');
    cs_json_put_text(json, "id", folder->record.id);
    cs_json_put_path(json, "path", cs_slice_text(folder->record.path));
    if (!cs__folder_status(daemon, folder, &status)) {
        put_unloaded(json);
        cs_json_end(json, '}');
        return;
    }
    cs_json_put_text(json, "state", cs_phase_text(status.phase));
    put_folder_error(json, folder->record.id, &status);
    cs_json_put_u64(json, "files", count->tree.tally.files);
    cs_json_put_u64(json, "dirs", count->tree.tally.dirs);
    cs_json_put_u64(json, "bytes", count->tree.tally.bytes);
    cs_json_put_u64(json, "conflicts", count->tree.conflicts);
    cs_json_put_u64(json, "needed_files", count->needed_files);
    cs_json_put_u64(json, "needed_bytes", count->needed_bytes);
    if (count->estimated) cs_json_put_bool(json, "needed_bytes_estimated", true);
    cs__put_transfers(daemon, folder, json);
    put_scan(daemon, folder, &status, json);
    cs_json_put_hex(json, "digest", status.state->root, CS_HASH_BYTES);
    cs__put_watch(daemon, folder, status.dirs, json);
    cs__put_schedules(daemon, folder, json);
    put_errors(daemon, folder, &status, count, json);
    cs_json_end(json, '}');
}

void cs__put_peer(cs_daemon_t *daemon, const cs_peer_record_t *peer, cs_json_t *json)
{
    cs_json_put_hex(json, "id", peer->key, CS_KEY_BYTES);
    cs_json_put_text(json, "name", peer->name != NULL ? peer->name : "");
    cs_json_put_text(json, "state", link_text(cs_daemon_link_state(daemon, peer->key)));
    const char *heard = peer->heard.count > 0 ? peer->heard.at[0] : "";
    cs_json_put_text(json, "endpoint", peer->endpoint != NULL ? peer->endpoint : heard);
}

static void put_round_trip(const cs_daemon_t *daemon, const uint8_t *key, cs_json_t *json)
{
    uint64_t rtt_us = daemon->net != NULL ? cs_net_rtt_us(daemon->net, key) : 0;
    if (rtt_us == 0) {
        cs_json_put_text(json, "rtt_ms", NULL);
        return;
    }
    cs_json_key(json, "rtt_ms");
    cs_json_thousandths(json, rtt_us);
}

static void put_peer(cs_daemon_t *daemon, const cs_peer_record_t *peer, cs_json_t *json)
{
    cs_peer_status_t status = {0};
    cs_key_t key;
    memcpy(key.b, peer->key, sizeof key.b);
    (void)cs_node_peer_status(daemon->node, &key, &status); /* not connected: zeros */
    cs_json_begin(json, '{');
    cs__put_peer(daemon, peer, json);
    cs__put_shared(daemon, peer->key, json);
    cs_json_put_u64(json, "bytes_in", status.bytes_in);
    cs_json_put_u64(json, "bytes_out", status.bytes_out);
    put_round_trip(daemon, peer->key, json);
    cs_json_end(json, '}');
}

static void put_peers(cs_daemon_t *daemon, const cs_peer_record_t *peers, size_t count,
                      cs_json_t *json)
{
    cs_json_key(json, "peers");
    cs_json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        put_peer(daemon, &peers[i], json);
    }
    cs_json_end(json, ']');
}

/* --- in turns: what the folders have is counted, then all is said at once */

typedef struct showing {
    cs_count_t *count; /* owned; of each folder */
    size_t len, at;
} showing_t;

static void showing_free(void *state)
{
    showing_t *showing = state;
    for (size_t i = 0; i < showing->len; i++) {
        cs__count_fini(&showing->count[i]);
    }
    cs_free(showing->count);
    cs_free(showing);
}

/* Folders that are new, or could not be loaded, have no count. */
static const cs_count_t *count_of(const showing_t *showing, const cs_mounted_t *folder)
{
    static const cs_count_t none = {0};
    for (size_t i = 0; i < showing->len; i++) {
        if (showing->count[i].folder == folder->record.number) return &showing->count[i];
    }
    return &none;
}

static int say(cs_ask_t *ask, const showing_t *showing)
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
    for (size_t i = 0; i < daemon->folder_count; i++) {
        const cs_mounted_t *folder = &daemon->folders[i];
        if (folder->leaving) continue;
        put_folder(daemon, folder, count_of(showing, folder), &json);
    }
    cs_json_end(&json, ']');
    put_peers(daemon, peers, peer_count, &json);
    cs_json_end(&json, '}');
    cs_home_peers_free(&peers, peer_count);
    cs__ask_data(ask, &json);
    return CS_EXIT_DONE;
}

static int turn(cs_ask_t *ask, void *state, uint64_t until_ms)
{
    showing_t *showing = state;
    while (showing->at < showing->len) {
        cs_count_t *count = &showing->count[showing->at];
        cs_err_t err = cs__count_turn(ask->daemon, count, until_ms);
        if (err != CS_OK) {
            return cs__ask_fail(ask, CS_EXIT_FAILED,
                                "cannot read the index: %s; see the log of the node",
                                cs_err_text(err));
        }
        if (!count->done) return CS_TURN_MORE;
        showing->at++;
    }
    return say(ask, showing);
}

int cs__cmd_status(cs_ask_t *ask)
{
    const cs_daemon_t *daemon = ask->daemon;
    showing_t *showing = cs_calloc(1, sizeof *showing);
    showing->count = cs_calloc(daemon->folder_count + 1, sizeof *showing->count);
    showing->len = daemon->folder_count;
    for (size_t i = 0; i < showing->len; i++) {
        showing->count[i].folder = daemon->folders[i].record.number;
        showing->count[i].quick = cs__ask_flag(ask, "quick");
    }
    return cs__ask_turns(ask, turn, showing, showing_free);
}
