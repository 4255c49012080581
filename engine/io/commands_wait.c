/* commands_wait.c - wait: until this disk and the others' have everything. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"

#define PAUSE_MIN_MS 20u /* between two looks */
#define PAUSE_FACTOR 10u /* looking costs at most a tenth of the time */
#define MEMBERS_MS                                                            \
    3000u /* until more peers than members are refused: it may be that others \
           * have paired just now, and this node is about to hear of them */
#define NEVER     UINT64_MAX
#define ALL_PEERS UINT64_MAX

typedef struct waiting {
    char (*folder)[CS_ID_TEXT]; /* owned; ids */
    size_t folder_count;
    uint64_t peers; /* how many must have it, ALL_PEERS: every member */
    uint64_t until_ms, next_ms;
    uint64_t members_ms; /* then there must be as many members */
} waiting_t;

static void waiting_free(void *arg)
{
    waiting_t *waiting = arg;
    cs_free(waiting->folder);
    cs_free(waiting);
}

static void put_error(cs_buf_t *ret, cs_err_t err)
{
    const char *remedy = cs_err_remedy(err);
    cs_buf_printf(ret, " (%s%s%s)", cs_err_text(err), remedy[0] != '\0' ? "; " : "", remedy);
}

bool cs__missing_here(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_buf_t *ret_missing)
{
    cs_folder_status_t status;
    if (!cs_node_folder_status(daemon->node, folder->record.number, &status)) {
        cs_buf_printf(ret_missing, "%s is not loaded", folder->record.id);
        return true;
    }
    if (status.applied && !status.busy && status.phase != CS_PHASE_ERROR &&
        status.phase != CS_PHASE_HELD) {
        return false;
    }
    cs_buf_printf(ret_missing, "%s%s: this node is %s", ret_missing->len > 0 ? ", " : "",
                  folder->record.id, cs_phase_text(status.phase));
    if (status.phase == CS_PHASE_ERROR) {
        put_error(ret_missing, status.err);
    } else if (status.failed != CS_OK) {
        put_error(ret_missing, status.failed);
    }
    if (status.needed_files > 0) {
        cs_buf_printf(ret_missing, " and lacks %llu path%s",
                      (unsigned long long)status.needed_files,
                      status.needed_files == 1 ? "" : "s");
    }
    return true;
}

/* Another member has the same name: many are called after their machine. */
static bool is_ambiguous(const cs_daemon_t *daemon, const cs_mounted_t *folder,
                         const cs_key_t *key)
{
    size_t count = 0, same = 0;
    const cs_member_t *members = cs_node_members(daemon->node, folder->record.number, &count);
    const char *name = NULL;
    for (size_t i = 0; i < count; i++) {
        if (memcmp(members[i].key.b, key->b, sizeof key->b) == 0) name = members[i].name;
    }
    for (size_t i = 0; name != NULL && name[0] != '\0' && i < count; i++) {
        same += strcmp(members[i].name, name) == 0;
    }
    return same > 1;
}

void cs__name_missing(cs_daemon_t *daemon, const cs_mounted_t *folder,
                      const cs_report_t *report, cs_buf_t *ret_missing)
{
    char name[65], id[CS_SHORT_ID_TEXT];
    const char *why = "has not got everything on its disk";
    if (!report->known) {
        why = "was never heard of";
    } else if (!report->equal) {
        why = "differs";
    }
    cs__peer_name(daemon, report->key.b, name);
    cs__short_id(report->key.b, id);
    bool ambiguous = is_ambiguous(daemon, folder, &report->key);
    cs_buf_printf(ret_missing, "%s%s: %s%s%s %s%s", ret_missing->len > 0 ? ", " : "",
                  folder->record.id, name, ambiguous ? " " : "", ambiguous ? id : "", why,
                  report->connected ? "" : " (not connected)");
}

static bool there(cs_daemon_t *daemon, const cs_mounted_t *folder, uint64_t peers,
                  cs_buf_t *ret_missing)
{
    size_t count = 0;
    cs_report_t *reports = cs_node_reports(daemon->node, folder->record.number, &count);
    uint64_t need = peers < count ? peers : count;
    uint64_t have = 0;
    for (size_t i = 0; i < count; i++) {
        have += reports[i].known && reports[i].equal && reports[i].applied;
    }
    for (size_t i = 0; have < need && i < count; i++) {
        if (!reports[i].known || !reports[i].equal || !reports[i].applied) {
            cs__name_missing(daemon, folder, &reports[i], ret_missing);
        }
    }
    cs_free(reports);
    return have >= need;
}

static size_t other_members(cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    size_t count = 0;
    cs_free(cs_node_reports(daemon->node, folder->record.number, &count));
    return count;
}

/* A folder that has fewer members than are waited for; NULL: none. */
static const cs_mounted_t *too_small(cs_daemon_t *daemon, const waiting_t *waiting)
{
    for (size_t i = 0; waiting->peers != ALL_PEERS && i < waiting->folder_count; i++) {
        const cs_mounted_t *folder = cs_daemon_folder(daemon, waiting->folder[i]);
        if (folder != NULL && other_members(daemon, folder) < waiting->peers) return folder;
    }
    return NULL;
}

/* Who or what is missing; empty: nothing. */
static void look(cs_daemon_t *daemon, const waiting_t *waiting, cs_buf_t *ret_missing)
{
    for (size_t i = 0; i < waiting->folder_count; i++) {
        const cs_mounted_t *folder = cs_daemon_folder(daemon, waiting->folder[i]);
        if (folder == NULL) continue; /* removed meanwhile */
        if (!cs__missing_here(daemon, folder, ret_missing)) {
            (void)there(daemon, folder, waiting->peers, ret_missing);
        }
    }
}

static void end_done(cs_daemon_t *daemon, cs_pending_t *pending)
{
    const waiting_t *waiting = pending->arg;
    for (size_t i = 0; i < waiting->folder_count; i++) {
        cs_folder_status_t status;
        const cs_mounted_t *folder = cs__folder_still(daemon, waiting->folder[i], &status);
        if (folder == NULL) continue;
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_text(&json, "folder", folder->record.id);
        cs_json_put_hex(&json, "digest", status.state->root, CS_HASH_BYTES);
        cs_json_end(&json, '}');
        pending->reply.data(pending->reply.arg, cs_json_line(&json));
        cs_json_fini(&json);
    }
    cs_pending_end(daemon, pending, CS_EXIT_DONE, NULL);
}

static void end_too_small(cs_daemon_t *daemon, cs_pending_t *pending,
                          const cs_mounted_t *folder)
{
    const waiting_t *waiting = pending->arg;
    size_t count = other_members(daemon, folder);
    cs_buf_t error = {0};
    cs_buf_printf(&error,
                  "cannot wait for %llu peers: folder %s has %zu other member%s; ask for at "
                  "most as many",
                  (unsigned long long)waiting->peers, folder->record.id, count,
                  count == 1 ? "" : "s");
    cs_buf_put_u8(&error, 0);
    cs_pending_end(daemon, pending, CS_EXIT_USAGE, (const char *)error.data);
    cs_buf_fini(&error);
}

static void end_missing(cs_daemon_t *daemon, cs_pending_t *pending, const cs_buf_t *missing)
{
    cs_buf_t error = {0};
    cs_buf_printf(&error, "timed out waiting: %.*s; see crdtsync status", (int)missing->len,
                  (const char *)missing->data);
    cs_buf_put_u8(&error, 0);
    cs_pending_end(daemon, pending, CS_EXIT_TIMEOUT, (const char *)error.data);
    cs_buf_fini(&error);
}

static void check(cs_daemon_t *daemon, cs_pending_t *pending, bool expired)
{
    waiting_t *waiting = pending->arg;
    uint64_t now = (uint64_t)zclock_mono();
    (void)expired; /* also where only the next look is due */
    uint64_t until_ms = waiting->until_ms;
    if (now < waiting->next_ms && now < until_ms) {
        pending->deadline_ms = cs_min_u64(waiting->next_ms, until_ms);
        return;
    }
    const cs_mounted_t *small = too_small(daemon, waiting);
    if (small != NULL && now >= waiting->members_ms) {
        end_too_small(daemon, pending, small);
        return;
    }
    cs_buf_t missing = {0};
    look(daemon, waiting, &missing);
    uint64_t after = (uint64_t)zclock_mono();
    if (missing.len == 0 && small == NULL) {
        end_done(daemon, pending);
    } else if (now >= until_ms) {
        end_missing(daemon, pending, &missing);
    } else {
        uint64_t pause = (after - now) * PAUSE_FACTOR;
        waiting->next_ms = after + (pause > PAUSE_MIN_MS ? pause : PAUSE_MIN_MS);
        /* A look follows what happens until then. */
        pending->deadline_ms =
            small != NULL ? cs_min_u64(waiting->members_ms, until_ms) : until_ms;
    }
    cs_buf_fini(&missing);
}

int cs__cmd_wait(cs_ask_t *ask)
{
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    uint64_t peers = cs__ask_u64(ask, "peers", ALL_PEERS);
    uint64_t timeout = cs__ask_u64(ask, "timeout_ms", NEVER);
    int exit_code = cs__ask_folders(ask, &folders, &count);
    if (exit_code == CS_EXIT_DONE) {
        uint64_t now = (uint64_t)zclock_mono();
        waiting_t *waiting = cs_calloc(1, sizeof *waiting);
        waiting->folder = cs_calloc(count + 1, sizeof *waiting->folder);
        waiting->folder_count = count;
        for (size_t i = 0; i < count; i++) {
            memcpy(waiting->folder[i], folders[i]->record.id, CS_ID_TEXT);
        }
        waiting->peers = peers;
        waiting->until_ms = timeout < NEVER - now ? now + timeout : NEVER;
        waiting->members_ms = cs_min_u64(now + MEMBERS_MS, waiting->until_ms);
        cs_pending_t *pending = cs__ask_pending(ask);
        pending->arg = waiting;
        pending->arg_free = waiting_free;
        pending->check = check;
        pending->deadline_ms = waiting->until_ms;
        exit_code = CS_ASK_LATER; /* the step that follows looks for the first time */
    }
    cs_free(folders);
    return exit_code;
}
