/* commands_sync.c - sync --once: scan, exchange with whoever can be reached, apply, done.
 *
 * A peer that we dial counts as out of reach when it has not answered for REACH_MS, or sooner
 * when its machine says that nobody is there. Of one that is reached we wait until it has
 * everything on its disk, too: it may need bytes of ours. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"

#define REACH_MS     5000u /* a handshake takes milliseconds, but a name may have to be found */
#define GONE_MS      1000u /* after a refused connection: it may be starting */
#define LOOK_MS      20u   /* between two looks, and ... */
#define PAUSE_FACTOR 10u   /* ... looking costs at most a tenth of the time */
#define NEVER        UINT64_MAX

typedef struct sync_folder {
    char id[CS_ID_TEXT];
    bool left_out; /* paused, held or unusable: nothing more is waited for */
} sync_folder_t;

typedef struct syncing {
    sync_folder_t *folder; /* owned */
    size_t folder_count;
    uint64_t started_ms, until_ms, next_ms;
    size_t dialled, reached; /* members that we dial, and those that answered */
    int exit_code;           /* of folders that were left out */
    cs_buf_t error;
} syncing_t;

static void syncing_free(void *arg)
{
    syncing_t *sync = arg;
    cs_free(sync->folder);
    cs_buf_fini(&sync->error);
    cs_free(sync);
}

/* --- what is missing */

/* False: nobody waits for it any more. */
static bool may_come(const cs_daemon_t *daemon, const syncing_t *sync,
                     const cs_report_t *report, uint64_t now)
{
    uint64_t patience = REACH_MS;
    if (!cs_daemon_dials(daemon, report->key.b)) return false;
    if (cs_daemon_is_unreachable(daemon, report->key.b)) patience = GONE_MS;
    return now < sync->started_ms + patience;
}

static void look_there(cs_daemon_t *daemon, syncing_t *sync, const cs_mounted_t *folder,
                       uint64_t now, cs_buf_t *ret_missing)
{
    size_t count = 0;
    cs_report_t *reports = cs_node_reports(daemon->node, folder->record.number, &count);
    for (size_t i = 0; i < count; i++) {
        const cs_report_t *report = &reports[i];
        bool done = report->known && report->equal && report->applied;
        if (cs_daemon_dials(daemon, report->key.b)) sync->dialled++;
        sync->reached += report->connected;
        bool awaited = report->connected || may_come(daemon, sync, report, now);
        if (awaited && !(done && report->connected)) {
            cs__name_missing(daemon, folder, report, ret_missing);
        }
    }
    cs_free(reports);
}

static void leave_out(syncing_t *sync, sync_folder_t *folder, int exit_code, const char *why)
{
    folder->left_out = true;
    if (sync->exit_code == CS_EXIT_DONE) {
        sync->exit_code = exit_code;
        cs_buf_printf(&sync->error, "%s", why);
    }
}

static void look(cs_daemon_t *daemon, syncing_t *sync, uint64_t now, cs_buf_t *ret_missing)
{
    sync->dialled = sync->reached = 0;
    for (size_t i = 0; i < sync->folder_count; i++) {
        const cs_mounted_t *folder = cs_daemon_folder(daemon, sync->folder[i].id);
        if (folder == NULL || folder->leaving || sync->folder[i].left_out) continue;
        cs_folder_status_t status;
        bool held = cs_node_folder_status(daemon->node, folder->record.number, &status) &&
                    status.phase == CS_PHASE_HELD;
        if (held) {
            char why[256];
            snprintf(
                why, sizeof why,
                "cannot sync folder %s: a safety brake holds it; look, then: crdtsync held "
                "accept %s (or held reject)",
                folder->record.id, folder->record.id);
            leave_out(sync, &sync->folder[i], CS_EXIT_REFUSED, why);
            continue;
        }
        cs__missing_here(daemon, folder, ret_missing);
        look_there(daemon, sync, folder, now, ret_missing);
    }
}

/* --- the answer */

static void put_peers(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_json_t *json)
{
    size_t count = 0;
    cs_report_t *reports = cs_node_reports(daemon->node, folder->record.number, &count);
    cs_json_key(json, "peers");
    cs_json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        char name[65];
        cs__peer_name(daemon, reports[i].key.b, name);
        cs_json_begin(json, '{');
        cs_json_put_hex(json, "id", reports[i].key.b, CS_KEY_BYTES);
        cs_json_put_text(json, "name", name);
        cs_json_put_bool(json, "reached", reports[i].connected);
        cs_json_put_bool(json, "equal", reports[i].known && reports[i].equal);
        cs_json_end(json, '}');
    }
    cs_json_end(json, ']');
    cs_free(reports);
}

static void answer(cs_daemon_t *daemon, const cs_pending_t *pending)
{
    const syncing_t *sync = pending->arg;
    for (size_t i = 0; i < sync->folder_count; i++) {
        cs_folder_status_t status;
        const cs_mounted_t *folder = cs__folder_still(daemon, sync->folder[i].id, &status);
        if (folder == NULL) continue;
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_text(&json, "folder", folder->record.id);
        cs_json_put_text(&json, "state", cs_phase_text(status.phase));
        cs_json_put_hex(&json, "digest", status.state->root, CS_HASH_BYTES);
        put_peers(daemon, folder, &json);
        cs_json_end(&json, '}');
        pending->reply.data(pending->reply.arg, cs_json_line(&json));
        cs_json_fini(&json);
    }
}

static void end(cs_daemon_t *daemon, cs_pending_t *pending, int exit_code, cs_buf_t *error)
{
    cs_buf_t text = *error; /* the request, which may own it, goes first */
    *error = (cs_buf_t){0};
    cs_buf_put_u8(&text, 0);
    answer(daemon, pending);
    cs_pending_end(daemon, pending, exit_code, (const char *)text.data);
    cs_buf_fini(&text);
}

static void end_done(cs_daemon_t *daemon, cs_pending_t *pending)
{
    syncing_t *sync = pending->arg;
    int exit_code = sync->exit_code;
    if (exit_code == CS_EXIT_DONE && sync->dialled > 0 && sync->reached == 0) {
        exit_code = CS_EXIT_TIMEOUT;
        cs_buf_printf(&sync->error,
                      "timed out: no peer could be reached, so nothing was exchanged; see "
                      "crdtsync peer list, and start a node there");
    }
    end(daemon, pending, exit_code, &sync->error);
}

static void check(cs_daemon_t *daemon, cs_pending_t *pending, bool expired)
{
    syncing_t *sync = pending->arg;
    uint64_t now = (uint64_t)zclock_mono();
    (void)expired; /* also where only the next look is due */
    if (now < sync->next_ms && now < sync->until_ms) {
        pending->deadline_ms = sync->next_ms < sync->until_ms ? sync->next_ms : sync->until_ms;
        return;
    }
    cs_buf_t missing = {0};
    look(daemon, sync, now, &missing);
    if (pending->waiting == 0 && missing.len == 0) {
        end_done(daemon, pending);
    } else if (now >= sync->until_ms) {
        cs_buf_t error = {0};
        cs_buf_printf(&error, "timed out: %.*s; see crdtsync status", (int)missing.len,
                      (const char *)missing.data);
        end(daemon, pending, CS_EXIT_TIMEOUT, &error);
    } else {
        uint64_t pause = ((uint64_t)zclock_mono() - now) * PAUSE_FACTOR;
        sync->next_ms = now + (pause > LOOK_MS ? pause : LOOK_MS);
        /* Time alone puts a peer out of reach: look again then, whatever happens. */
        pending->deadline_ms = now + GONE_MS < sync->until_ms ? now + GONE_MS : sync->until_ms;
    }
    cs_buf_fini(&missing);
}

/* --- the request */

static void scanned(cs_daemon_t *daemon, cs_pending_t *pending, uint32_t number, cs_err_t err)
{
    syncing_t *sync = pending->arg;
    const cs_mounted_t *mounted = cs__folder_numbered(daemon, number);
    pending->waiting--;
    if (err == CS_OK || err == CS_ERR_HELD || mounted == NULL) return; /* held: seen by look */
    for (size_t i = 0; i < sync->folder_count; i++) {
        char why[2048];
        if (strcmp(sync->folder[i].id, mounted->record.id) != 0) continue;
        cs__scan_failed(mounted->record.id, mounted->record.path, err, why, sizeof why);
        leave_out(sync, &sync->folder[i], cs__exit_code(err), why);
    }
}

static syncing_t *begin(cs_ask_t *ask, cs_mounted_t *const *folders, size_t count)
{
    uint64_t now = (uint64_t)zclock_mono();
    uint64_t timeout = cs__ask_u64(ask, "timeout_ms", NEVER);
    syncing_t *sync = cs_calloc(1, sizeof *sync);
    sync->folder = cs_calloc(count, sizeof *sync->folder);
    sync->folder_count = count;
    sync->started_ms = now;
    sync->until_ms = timeout < NEVER - now ? now + timeout : NEVER;
    for (size_t i = 0; i < count; i++) {
        memcpy(sync->folder[i].id, folders[i]->record.id, CS_ID_TEXT);
        sync->folder[i].left_out = folders[i]->record.paused;
    }
    return sync;
}

int cs__cmd_sync(cs_ask_t *ask)
{
    cs_daemon_t *daemon = ask->daemon;
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    int exit_code = cs__ask_folders(ask, &folders, &count);
    if (exit_code == CS_EXIT_DONE && count > 0) {
        cs_pending_t *pending = cs__ask_pending(ask);
        syncing_t *sync = begin(ask, folders, count);
        pending->arg = sync;
        pending->arg_free = syncing_free;
        pending->scanned = scanned;
        pending->ticket = ++daemon->last_ticket;
        for (size_t i = 0; i < count; i++) {
            pending->waiting += !sync->folder[i].left_out;
        }
        pending->check = check;
        uint64_t ticket = pending->ticket;
        for (size_t i = 0; i < count; i++) {
            if (folders[i]->record.paused) continue;
            cs_daemon_scan(daemon, folders[i], NULL, 0, false, ticket);
        }
        exit_code = CS_ASK_LATER;
    }
    cs_free(folders);
    return exit_code;
}
