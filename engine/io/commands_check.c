/* commands_check.c - check: the index against its digest, the disk against the index.
 *
 * A worker reads a snapshot of the index and hashes every file. Where a node runs the disk
 * moves on meanwhile: what seems wrong on it is looked at again, with a newer snapshot, before
 * it is reported. Nothing is changed. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "disk/scan.h"
#include "io/commands_internal.h"
#include "io/daemon_shell.h"

#define LOOKS        3u     /* at what seems wrong on the disk */
#define PROBLEMS_MAX 10000u /* kept by path, of one folder; beyond, only counted */

typedef struct problem {
    cs_str_t *path; /* owned */
    char text[112];
} problem_t;

typedef struct problems {
    problem_t *item; /* owned */
    size_t len, cap;
    uint64_t total;
} problems_t;

typedef struct checking {
    cs_daemon_t *daemon; /* of it, a worker uses the store and whether the pool stops */
    uint32_t *folder;    /* owned; numbers */
    size_t count, at;
    bool any; /* a problem was reported */
    /* of folder[at] */
    char *root; /* owned */
    uint8_t marker[16];
    cs_fs_known_t known;
    cs_keys_t keys;
    cs_modes_t modes;
    cs_snapshot_t *snapshot;
    uint32_t looks;
    problems_t index, disk;
    cs_err_t err;
} checking_t;

static void problems_clear(problems_t *problems)
{
    for (size_t i = 0; i < problems->len; i++) {
        cs_str_unref(&problems->item[i].path);
    }
    cs_free(problems->item);
    *problems = (problems_t){0};
}

static void add(problems_t *problems, cs_slice_t path, const char *text)
{
    problems->total++;
    if (problems->len == PROBLEMS_MAX) return;
    if (problems->len == problems->cap) {
        problems->cap = cs_grow(problems->cap, problems->len + 1);
        problems->item =
            cs_realloc_array(problems->item, problems->cap, sizeof *problems->item);
    }
    problem_t *problem = &problems->item[problems->len++];
    problem->path = cs_str_new(path.data, path.len);
    size_t len = strnlen(text, sizeof problem->text - 1);
    memcpy(problem->text, text, len);
    problem->text[len] = '\0';
}

static void folder_clear(checking_t *checking)
{
    cs_free(checking->root);
    checking->root = NULL;
    cs_store_release(checking->daemon->store, &checking->snapshot);
    problems_clear(&checking->index);
    problems_clear(&checking->disk);
    checking->looks = 0;
    checking->err = CS_OK;
}

static void checking_free(void *state)
{
    checking_t *checking = state;
    folder_clear(checking);
    cs_free(checking->folder);
    cs_free(checking);
}

/* --- in a worker */

static bool cancelled(void *arg)
{
    return cs_pool_is_stopping(((checking_t *)arg)->daemon->shell->pool);
}

static void on_problem(void *arg, cs_slice_t path, const char *text)
{
    add(&((checking_t *)arg)->index, path, text);
}

/* As the base row has it, but for ctime. */
static bool same_print(const checking_t *checking, const cs_sighting_t *sighting)
{
    cs_buf_t key = {0}, value = {0};
    cs_base_front_t front = {0};
    cs_base_key(checking->folder[checking->at], sighting->path, &key);
    bool same = cs_store_get(checking->daemon->store, checking->snapshot, cs_buf_slice(&key),
                             &value) == CS_OK &&
                cs_base_peek(cs_buf_slice(&value), &front) == CS_OK &&
                cs_print_eq_but_ctime(&front.print, &sighting->print);
    cs_buf_fini(&key);
    cs_buf_fini(&value);
    return same;
}

/* NULL: nothing is wrong. */
static const char *text_of(const checking_t *checking, const cs_sighting_t *sighting)
{
    switch (sighting->what) {
    case CS_SAW_APPEARED:
        return "it is on this disk and not in the index: no scan has seen it yet";
    case CS_SAW_MODIFIED:
        return same_print(checking, sighting)
                   ? "its bytes are not those of the index, though its times are: damaged"
                   : "its bytes are not those of the index: no scan has seen it yet";
    case CS_SAW_CHMODDED:
        return "its mode is not that of the index: no scan has seen it yet";
    case CS_SAW_TOUCHED:
        return NULL; /* the same bytes */
    case CS_SAW_VANISHED:
        return "it is in the index as on this disk, and is not there";
    case CS_SAW_EMPTY_DIR:
        return "it is empty and not in the index: no scan has seen it yet";
    }
    return NULL;
}

static bool on_sighting(void *arg, const cs_sighting_t *sighting)
{
    checking_t *checking = arg;
    const char *text = text_of(checking, sighting);
    if (text != NULL) add(&checking->disk, sighting->path, text);
    return true;
}

static void on_trouble(void *arg, cs_slice_t path, cs_trouble_t trouble)
{
    checking_t *checking = arg;
    add(&checking->disk, path, cs_trouble_text(trouble));
}

/* All files, or those that seemed wrong. */
static cs_err_t check_disk(checking_t *checking, cs_fs_t *fs, const problems_t *again)
{
    cs_chunker_table_t *table = cs_chunker_table_new(&checking->keys);
    cs_slice_t *paths = cs_calloc(again->len + 1, sizeof *paths);
    for (size_t i = 0; i < again->len; i++) {
        paths[i] = cs_slice_str(again->item[i].path);
    }
    cs_scan_config_t config = {
        .fs = fs,
        .store = checking->daemon->store,
        .snapshot = checking->snapshot,
        .folder = checking->folder[checking->at],
        .table = table,
        .modes = checking->modes,
        .full = true,
        .paths = again->len > 0 ? paths : NULL,
        .path_count = again->len,
    };
    memcpy(config.marker, checking->marker, sizeof config.marker);
    const cs_scan_sink_t sink = {checking, on_sighting, on_trouble, NULL, cancelled};
    cs_scan_stats_t stats;
    cs_err_t err = cs_scan(&config, &sink, &stats);
    cs_free(paths);
    cs_chunker_table_destroy(&table);
    return err;
}

static void run(void *state)
{
    checking_t *checking = state;
    cs_fs_t *fs = NULL;
    problems_t again = checking->disk;
    checking->disk = (problems_t){0};
    if (checking->looks++ == 0) {
        const cs_verify_t verify = {
            .store = checking->daemon->store,
            .snapshot = checking->snapshot,
            .folder = checking->folder[checking->at],
            .keys = &checking->keys,
            .arg = checking,
            .problem = on_problem,
            .cancelled = cancelled,
        };
        checking->err = cs_replica_verify(&verify);
    }
    if (checking->err == CS_OK) {
        checking->err = cs_fs_linux_open_known(checking->root, &checking->known, &fs);
        bool gone = checking->err == CS_ERR_NOT_FOUND || checking->err == CS_ERR_NOT_DIR;
        if (gone) checking->err = CS_ERR_NOT_MOUNTED;
    }
    if (checking->err == CS_OK) checking->err = check_disk(checking, fs, &again);
    if (fs != NULL) fs->ops->close_fs(&fs);
    problems_clear(&again);
}

/* --- its end */

static void tell(cs_ask_t *ask, const char *folder, cs_slice_t path, const char *text)
{
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_path(&json, "path", path);
    cs_json_put_text(&json, "problem", text);
    cs_json_put_text(&json, "folder", folder);
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
}

static void tell_all(cs_ask_t *ask, const char *folder, const problems_t *problems)
{
    for (size_t i = 0; i < problems->len; i++) {
        tell(ask, folder, cs_slice_str(problems->item[i].path), problems->item[i].text);
    }
    if (problems->total > problems->len) {
        char text[64];
        snprintf(text, sizeof text, "and %llu more",
                 (unsigned long long)(problems->total - problems->len));
        tell(ask, folder, cs_slice_text("."), text);
    }
}

/* False: there are none. */
static bool tell_pending(cs_ask_t *ask, const cs_mounted_t *folder)
{
    cs_replica_t *replica = cs_node_replica(ask->daemon->node, folder->record.number);
    uint64_t pending = cs_replica_count_pending(replica, PROBLEMS_MAX);
    cs_folder_status_t status;
    if (pending == 0 || !cs__folder_status(ask->daemon, folder, &status) || status.applied) {
        return false;
    }
    char text[112];
    snprintf(text, sizeof text, "%llu%s paths are not yet as the index says: crdtsync status",
             (unsigned long long)pending, pending == PROBLEMS_MAX ? " or more" : "");
    tell(ask, folder->record.id, cs_slice_text("."), text);
    return true;
}

/* The next folder that is still there. False: none. */
static bool begin_folder(checking_t *checking)
{
    cs_daemon_t *daemon = checking->daemon;
    for (; checking->at < checking->count; checking->at++) {
        const cs_mounted_t *folder =
            cs__folder_numbered(daemon, checking->folder[checking->at]);
        if (folder == NULL) continue;
        checking->root = cs_strdup(folder->record.path);
        checking->known = folder->fs_known;
        checking->keys = folder->keys;
        checking->modes = folder->record.modes_exec ? CS_MODES_EXEC : CS_MODES_ALL;
        memcpy(checking->marker, folder->record.marker, sizeof checking->marker);
        checking->snapshot = cs_store_snapshot(daemon->store);
        return true;
    }
    return false;
}

static int finish_all(cs_ask_t *ask, const checking_t *checking)
{
    if (!checking->any) return CS_EXIT_DONE;
    return cs__ask_fail(
        ask, CS_EXIT_FAILED,
        "something is wrong: see above; what a scan has not seen: crdtsync scan; "
        "what is damaged: crdtsync explain");
}

static int finish(cs_ask_t *ask, void *state)
{
    checking_t *checking = state;
    const cs_mounted_t *folder =
        cs__folder_numbered(ask->daemon, checking->folder[checking->at]);
    bool again = checking->err == CS_OK && checking->disk.len > 0 &&
                 ask->daemon->config.control && checking->looks < LOOKS && folder != NULL;
    if (again) {
        cs_store_release(ask->daemon->store, &checking->snapshot);
        checking->snapshot = cs_store_snapshot(ask->daemon->store);
        return CS_TURN_MORE;
    }
    if (folder != NULL) {
        const char *id = folder->record.id;
        checking->any |=
            checking->index.total + checking->disk.total > 0 || checking->err != CS_OK;
        tell_all(ask, id, &checking->index);
        tell_all(ask, id, &checking->disk);
        if (checking->err != CS_OK) {
            tell(ask, id, cs_slice_text("."), cs_err_text(checking->err));
        }
        checking->any |= tell_pending(ask, folder);
    }
    folder_clear(checking);
    checking->at++;
    return begin_folder(checking) ? CS_TURN_MORE : finish_all(ask, checking);
}

int cs__cmd_check(cs_ask_t *ask)
{
    checking_t *checking = cs_calloc(1, sizeof *checking);
    checking->daemon = ask->daemon;
    int exit_code = cs__ask_folder_numbers(ask, &checking->folder, &checking->count);
    if (exit_code != CS_EXIT_DONE || !begin_folder(checking)) {
        checking_free(checking);
        return exit_code;
    }
    const cs_work_t work = {checking, run, finish, checking_free};
    return cs__ask_work(ask, &work);
}
