/* commands_scan.c - scan: one, of folders or of paths, and its answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"

typedef struct scan_state {
    uint64_t started_ms;
    bool puts_back;   /* held reject */
    char error[1536]; /* of the first folder that failed */
} scan_state_t;

static void put_report(cs_json_t *json, const char *folder, const cs_scan_report_t *report,
                       const scan_state_t *state)
{
    cs_json_begin(json, '{');
    cs_json_put_text(json, "folder", folder);
    cs_json_put_u64(json, "added", report->done.added);
    cs_json_put_u64(json, "changed", report->done.changed + report->done.chmodded);
    cs_json_put_u64(json, "moved", report->done.moved);
    cs_json_put_u64(json, "removed", report->done.removed);
    cs_json_put_u64(json, "unchanged", report->stats.unchanged);
    if (state->puts_back) cs_json_put_u64(json, "put_back", report->put_back);
    cs__put_troubles(json, &report->troubles);
    cs_json_key(json, "seconds");
    cs_json_thousandths(json, (uint64_t)zclock_mono() - state->started_ms);
    cs_json_end(json, '}');
}

void cs__scan_failed(const char *folder, const char *path, cs_err_t err, char *ret,
                     size_t ret_bytes)
{
    if (err == CS_ERR_HELD) {
        snprintf(
            ret, ret_bytes,
            "cannot take over the scan of folder %s: a safety brake holds it, for so much "
            "vanished or was rewritten; look, then: crdtsync held accept %s (or held reject)",
            folder, folder);
    } else if (err == CS_ERR_NOT_FOUND) {
        snprintf(ret, ret_bytes,
                 "cannot scan folder %s: it was removed; see crdtsync folder list", folder);
    } else if (err == CS_ERR_NOT_MOUNTED) {
        snprintf(
            ret, ret_bytes,
            "cannot scan folder %s: %.1024s is not mounted, or its marker is missing; "
            "mount it, or, if .crdtsync was deleted, write the marker that is in the home's "
            "folders/%s to .crdtsync/id",
            folder, path, folder);
    } else {
        snprintf(ret, ret_bytes, "cannot scan folder %s: %s; look at %.1024s", folder,
                 cs_err_text(err), path);
    }
}

void cs_commands_scanned(cs_daemon_t *daemon, uint64_t ticket, uint32_t folder, cs_err_t err,
                         const cs_scan_report_t *report)
{
    cs_pending_t *pending = NULL;
    for (size_t i = 0; i < daemon->pending_count; i++) {
        if (daemon->pending[i]->ticket == ticket) pending = daemon->pending[i];
    }
    if (ticket == 0 || pending == NULL) return; /* nobody asked, or he went away */
    if (pending->scanned != NULL) {
        pending->scanned(daemon, pending, folder, err);
        return;
    }
    scan_state_t *state = pending->arg;
    const cs_mounted_t *mounted = cs__folder_numbered(daemon, folder);
    const char *id = mounted != NULL ? mounted->record.id : "";
    if (err == CS_OK) {
        cs_json_t json = {0};
        put_report(&json, id, report, state);
        pending->reply.data(pending->reply.arg, cs_json_line(&json));
        cs_json_fini(&json);
    } else {
        int code = cs__exit_code(err);
        if (code > pending->exit_code) pending->exit_code = code;
        if (state->error[0] == '\0') {
            cs__scan_failed(id, mounted != NULL ? mounted->record.path : "", err, state->error,
                            sizeof state->error);
        }
    }
    if (--pending->waiting == 0) {
        cs_pending_end(daemon, pending, pending->exit_code, state->error);
    }
}

uint64_t cs__ask_scans(cs_ask_t *ask, size_t folders, bool puts_back)
{
    cs_pending_t *pending = cs__ask_pending(ask);
    scan_state_t *state = cs_calloc(1, sizeof *state);
    state->puts_back = puts_back;
    state->started_ms = (uint64_t)zclock_mono();
    pending->arg = state;
    pending->arg_free = cs_free;
    pending->ticket = ++ask->daemon->last_ticket;
    pending->gives_up = true;
    pending->waiting = folders;
    return pending->ticket;
}

/* --- paths */

typedef struct path_list {
    cs_str_t **str;   /* owned */
    cs_slice_t *item; /* owned; of these, sorted */
    size_t count;
    bool whole; /* one of them is the root */
} path_list_t;

static void path_list_fini(path_list_t *list)
{
    for (size_t i = 0; i < list->count; i++) {
        cs_str_unref(&list->str[i]);
    }
    cs_free(list->str);
    cs_free(list->item);
}

static int by_bytes(const void *a, const void *b)
{
    return cs_slice_cmp(*(const cs_slice_t *)a, *(const cs_slice_t *)b);
}

/* The arguments after a folder's id, or all of them if the first one is a path. */
static bool read_paths(cs_ask_t *ask, const cs_mounted_t *folder, path_list_t *ret)
{
    size_t args = cs__ask_arg_count(ask);
    cs_buf_t path = {0};
    bool good = true;
    ret->item = cs_calloc(args + 1, sizeof *ret->item);
    ret->str = cs_calloc(args + 1, sizeof(cs_str_t *));
    for (size_t i = 0; good && i < args; i++) {
        cs_arg_t arg;
        if (!cs__ask_arg(ask, i, &arg)) break;
        bool is_id = i == 0 && strchr(arg.raw, '/') == NULL;
        if (!is_id) good = cs__ask_path_in(ask, folder, &arg, &path);
        if (!is_id && good && path.len == 0) ret->whole = true;
        if (!is_id && good && path.len > 0) {
            ret->str[ret->count] = cs_str_new(path.data, path.len);
            ret->item[ret->count] = cs_slice_str(ret->str[ret->count]);
            ret->count++;
        }
        cs__arg_fini(&arg);
    }
    qsort(ret->item, ret->count, sizeof *ret->item, by_bytes);
    cs_buf_fini(&path);
    return good;
}

int cs__cmd_scan(cs_ask_t *ask)
{
    bool full = cs__ask_flag(ask, "full");
    cs_daemon_t *daemon = ask->daemon;
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    path_list_t paths = {0};
    int exit_code = cs__ask_folders(ask, &folders, &count);
    if (exit_code == CS_EXIT_DONE && cs__ask_arg_count(ask) > 0 &&
        !read_paths(ask, folders[0], &paths)) {
        exit_code = CS_EXIT_FAILED;
    }
    if (exit_code == CS_EXIT_DONE && count > 0) {
        bool some = paths.count > 0 && !paths.whole;
        uint64_t ticket = cs__ask_scans(ask, count, false);
        for (size_t i = 0; i < count; i++) {
            cs_daemon_scan(daemon, folders[i], some ? paths.item : NULL, some ? paths.count : 0,
                           full, ticket);
        }
        exit_code = CS_ASK_LATER;
    }
    path_list_fini(&paths);
    cs_free(folders);
    return exit_code;
}
