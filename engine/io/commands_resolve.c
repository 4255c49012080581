/* commands_resolve.c - resolve: what a user would do with the files of a conflict, in one step.
 *
 * shown     siblings are deleted
 * SIBLING   its bytes replace what has the name; the siblings are deleted
 * all       siblings get ordinary names
 *
 * Files are changed as others' changes are applied (disk/apply.h): each is compared with the
 * base row that this node showed, and what is replaced goes to the trash. Then the paths are
 * scanned: what was done counts as the user's doing. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "disk/apply.h"
#include "disk/scan.h"
#include "io/commands_internal.h"

#define NAMES_MAX 1000u /* tried for one sibling that is kept beside */

typedef struct resolve {
    uint32_t folder; /* number */
    char *root;      /* owned */
    uint8_t marker[16];
    cs_fs_known_t known;
    cs_chunker_table_t *table; /* owned */
    cs_modes_t modes;
    cs_str_t *path;    /* owned; of the conflict */
    const char *keep;  /* "shown", "all" or "sibling" */
    cs_steps_t write;  /* the sibling's bytes to the path; at most one */
    cs_steps_t others; /* then the siblings are deleted or renamed */
    /* what came of it */
    cs_err_t err;
    cs_str_t *failed; /* owned; where */
} resolve_t;

static void resolve_free(void *state)
{
    resolve_t *resolve = state;
    cs_free(resolve->root);
    cs_chunker_table_destroy(&resolve->table);
    cs_str_unref(&resolve->path);
    cs_str_unref(&resolve->failed);
    cs_steps_fini(&resolve->write);
    cs_steps_fini(&resolve->others);
    cs_free(resolve);
}

/* --- in a worker */

static cs_err_t perform(resolve_t *resolve, const cs_apply_config_t *config, cs_steps_t *steps)
{
    cs_err_t err = steps->len > 0 ? cs_apply(config, steps) : CS_OK;
    for (size_t i = 0; err == CS_OK && i < steps->len; i++) {
        if (steps->item[i].err == CS_OK || resolve->failed != NULL) continue;
        const cs_step_t *step = &steps->item[i];
        resolve->err = step->err;
        resolve->failed = cs_str_ref(
            step->from != NULL && step->kind == CS_STEP_MOVE ? step->from : step->item.path);
    }
    return err != CS_OK ? err : resolve->err;
}

/* Nothing is deleted before the bytes that are kept have their name. */
static void run(void *state)
{
    resolve_t *resolve = state;
    cs_fs_t *fs = NULL;
    resolve->err = cs_fs_linux_open_known(resolve->root, &resolve->known, &fs);
    if (resolve->err != CS_OK) return;
    /* What others' changes replace is bounded by the folder's own runs; this is little. */
    cs_apply_config_t config = {.fs = fs,
                                .table = resolve->table,
                                .modes = resolve->modes,
                                .trash_bytes_max = UINT64_MAX};
    resolve->err = cs_folder_check(fs, resolve->marker);
    if (resolve->err == CS_OK) resolve->err = perform(resolve, &config, &resolve->write);
    if (resolve->err == CS_OK) resolve->err = perform(resolve, &config, &resolve->others);
    fs->ops->close_fs(&fs);
}

/* --- its end */

static void put_paths(const resolve_t *resolve, cs_step_kind_t kind, const char *key,
                      cs_json_t *json)
{
    cs_json_key(json, key);
    cs_json_begin(json, '[');
    for (size_t i = 0; i < resolve->others.len; i++) {
        const cs_step_t *step = &resolve->others.item[i];
        if (step->kind != kind || step->err != CS_OK) continue;
        cs_json_begin(json, '{');
        if (kind == CS_STEP_MOVE) cs_json_put_path(json, "from", cs_slice_str(step->from));
        cs_json_put_path(json, kind == CS_STEP_MOVE ? "to" : "path",
                         cs_slice_str(step->item.path));
        cs_json_end(json, '}');
    }
    cs_json_end(json, ']');
}

static void put_result(cs_ask_t *ask, const cs_mounted_t *folder, const resolve_t *resolve)
{
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_path(&json, "path", cs_slice_str(resolve->path));
    cs_json_put_text(&json, "folder", folder->record.id);
    cs_json_put_text(&json, "keep", resolve->keep);
    if (resolve->write.len > 0) {
        cs_json_put_path(&json, "kept", cs_slice_str(resolve->write.item[0].from));
    }
    put_paths(resolve, CS_STEP_DELETE, "removed", &json);
    put_paths(resolve, CS_STEP_MOVE, "renamed", &json);
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
}

typedef struct ending {
    int exit_code;
    char error[1536];
} ending_t;

static void scanned(cs_daemon_t *daemon, cs_pending_t *pending, uint32_t number, cs_err_t err)
{
    ending_t *ending = pending->arg;
    const cs_mounted_t *folder = cs__folder_numbered(daemon, number);
    if (err != CS_OK && ending->exit_code == CS_EXIT_DONE && folder != NULL) {
        ending->exit_code = cs__exit_code(err);
        cs__scan_failed(folder->record.id, folder->record.path, err, ending->error,
                        sizeof ending->error);
    }
    cs_pending_end(daemon, pending, ending->exit_code, ending->error);
}

/* What was done, also by half, is scanned before the answer ends. */
static void scan_paths(cs_daemon_t *daemon, const cs_mounted_t *folder,
                       const resolve_t *resolve, uint64_t ticket)
{
    cs_slice_t *paths = cs_calloc(2 * resolve->others.len + 1, sizeof *paths);
    size_t count = 0;
    paths[count++] = cs_slice_str(resolve->path);
    for (size_t i = 0; i < resolve->others.len; i++) {
        const cs_step_t *step = &resolve->others.item[i];
        paths[count++] = cs_slice_str(step->item.path);
        if (step->from != NULL) paths[count++] = cs_slice_str(step->from);
    }
    cs_daemon_scan(daemon, folder, paths, count, false, ticket);
    cs_free(paths);
}

static int finish(cs_ask_t *ask, void *state)
{
    const resolve_t *resolve = state;
    cs_daemon_t *daemon = ask->daemon;
    const cs_mounted_t *folder = cs__folder_numbered(daemon, resolve->folder);
    cs_pending_t *pending = cs_pending_find(daemon, ask->handle);
    if (folder == NULL) {
        return cs__ask_fail(ask, CS_EXIT_FAILED, "cannot resolve: the folder was removed");
    }
    ending_t *ending = cs_calloc(1, sizeof *ending);
    if (resolve->err == CS_OK) {
        put_result(ask, folder, resolve);
    } else {
        const char *where = resolve->failed != NULL ? resolve->failed->data : resolve->root;
        ending->exit_code = CS_EXIT_FAILED;
        snprintf(ending->error, sizeof ending->error,
                 "cannot resolve %.512s: %.512s: %s; nothing is lost: look at both, and at "
                 "crdtsync conflicts %s",
                 resolve->path->data, where, cs_err_text(resolve->err), folder->record.id);
    }
    pending->arg = ending;
    pending->arg_free = cs_free;
    pending->scanned = scanned;
    pending->ticket = ++daemon->last_ticket;
    scan_paths(daemon, folder, resolve, pending->ticket);
    return CS_ASK_LATER;
}

/* --- what is to be done */

static void expect(cs_step_t *step, const cs_item_t *row)
{
    step->replaces = true;
    step->expect_content = row->content;
    step->expect_mode = row->attr.mode;
    step->expect = row->print;
}

static void add_delete(cs_steps_t *steps, const cs_item_t *sibling)
{
    cs_step_t *step = cs_steps_add(steps, CS_STEP_DELETE);
    step->item.path = cs_str_ref(sibling->path);
    expect(step, sibling);
}

/* "r-2.txt": the first name that neither the index nor the base table has. */
static cs_str_t *ordinary_name(cs_replica_t *replica, const cs_str_t *path, uint32_t *number)
{
    cs_slice_t whole = cs_slice_str(path), base = cs_path_base(whole);
    size_t dot = base.len;
    while (dot > 1 && base.data[dot - 1] != '.') {
        dot--;
    }
    size_t stem = whole.len - base.len + (dot > 1 ? dot - 1 : base.len);
    for (; *number < NAMES_MAX; ++*number) {
        cs_buf_t name = {0};
        cs_item_t row = {0};
        cs_items_t items = {0};
        cs_buf_put(&name, whole.data, stem);
        cs_buf_printf(&name, "-%lu", (unsigned long)*number);
        cs_buf_put(&name, whole.data + stem, whole.len - stem);
        cs_slice_t text = cs_buf_slice(&name);
        bool is_free = cs_path_check(text) == CS_OK &&
                       cs_replica_base(replica, text, &row) == CS_ERR_NOT_FOUND &&
                       cs_replica_project(replica, text, &items) == CS_OK && items.len == 0 &&
                       !cs_replica_is_dir(replica, text);
        cs_str_t *ret = is_free ? cs_str_new(text.data, text.len) : NULL;
        cs_item_fini(&row);
        cs_items_fini(&items);
        cs_buf_fini(&name);
        if (ret != NULL) {
            ++*number;
            return ret;
        }
    }
    return NULL;
}

static bool add_rename(cs_replica_t *replica, cs_steps_t *steps, const cs_item_t *sibling,
                       uint32_t *number)
{
    cs_str_t *to = ordinary_name(replica, sibling->eff, number);
    if (to == NULL) return false;
    cs_step_t *step = cs_steps_add(steps, CS_STEP_MOVE);
    cs_item_copy(&step->item, sibling);
    cs_str_unref(&step->item.path);
    step->item.path = to;
    step->from = cs_str_ref(sibling->path);
    step->from_print = sibling->print;
    step->from_mode = sibling->attr.mode;
    return true;
}

static void add_write(cs_steps_t *steps, const cs_item_t *sibling, const cs_item_t *shown)
{
    cs_step_t *step = cs_steps_add(steps, CS_STEP_WRITE);
    cs_item_copy(&step->item, sibling);
    cs_str_unref(&step->item.path);
    step->item.path = cs_str_ref(sibling->eff);
    step->from = cs_str_ref(sibling->path);
    if (shown->path != NULL) expect(step, shown);
}

/* --- the request */

static bool is_sibling(const cs_item_t *row, const cs_str_t *path)
{
    return cs_str_eq(row->eff, path) && !cs_str_eq(row->path, path);
}

/* By its whole path in the folder, or its last component. */
static bool is_meant(const cs_item_t *row, const char *keep)
{
    cs_slice_t path = cs_slice_str(row->path), text = cs_slice_text(keep);
    return cs_slice_eq(path, text) || cs_slice_eq(cs_path_base(path), cs_path_base(text));
}

static int cannot(cs_ask_t *ask, const cs_str_t *path, int exit_code, const char *why)
{
    return cs__ask_fail(ask, exit_code, "cannot resolve %.1024s: %s", path->data, why);
}

static int plan_sibling(cs_ask_t *ask, resolve_t *resolve, const cs_items_t *rows,
                        const cs_item_t *meant, const cs_item_t *shown)
{
    cs_replica_t *replica = cs_node_replica(ask->daemon->node, resolve->folder);
    if (cs_replica_is_dir(replica, cs_slice_str(resolve->path))) {
        return cannot(ask, resolve->path, CS_EXIT_FAILED,
                      "a directory has the name; move the sibling to another one yourself");
    }
    add_write(&resolve->write, meant, shown);
    for (uint32_t i = 0; i < rows->len; i++) {
        const cs_item_t *row = &rows->item[i];
        if (is_sibling(row, resolve->path)) add_delete(&resolve->others, row);
    }
    return CS_EXIT_DONE;
}

static int plan(cs_ask_t *ask, resolve_t *resolve, const cs_items_t *rows, const char *keep)
{
    cs_replica_t *replica = cs_node_replica(ask->daemon->node, resolve->folder);
    static const cs_item_t none = {0};
    const cs_item_t *shown = &none, *meant = NULL;
    bool all = strcmp(keep, "all") == 0, only = strcmp(keep, "shown") == 0;
    uint32_t siblings = 0, number = 2;
    for (uint32_t i = 0; i < rows->len; i++) {
        const cs_item_t *row = &rows->item[i];
        if (cs_str_eq(row->path, resolve->path)) shown = row;
        if (!is_sibling(row, resolve->path)) continue;
        siblings++;
        if (!all && !only && is_meant(row, keep)) meant = row;
        if (only) add_delete(&resolve->others, row);
        if (all && !add_rename(replica, &resolve->others, row, &number)) {
            return cannot(ask, resolve->path, CS_EXIT_FAILED,
                          "there is no free name left; rename the sibling yourself");
        }
    }
    if (shown != &none && !cs_str_eq(shown->path, shown->eff)) {
        return cs__ask_fail(
            ask, CS_EXIT_USAGE,
            "cannot resolve %.1024s: it is a sibling; give the path beside which "
            "it stands: %.1024s",
            resolve->path->data, shown->eff->data);
    }
    if (siblings == 0) {
        return cannot(ask, resolve->path, CS_EXIT_FAILED,
                      "it has no untouched siblings on this disk; see crdtsync conflicts");
    }
    resolve->keep = all ? "all" : only ? "shown" : "sibling";
    if (all || only) return CS_EXIT_DONE;
    if (meant == NULL) {
        return cannot(
            ask, resolve->path, CS_EXIT_USAGE,
            "--keep names none of its siblings; give shown, all, or one of those that "
            "crdtsync conflicts lists");
    }
    return plan_sibling(ask, resolve, rows, meant, shown);
}

static resolve_t *resolve_new(const cs_mounted_t *folder, const cs_buf_t *path)
{
    resolve_t *resolve = cs_calloc(1, sizeof *resolve);
    resolve->folder = folder->record.number;
    resolve->root = cs_strdup(folder->record.path);
    memcpy(resolve->marker, folder->record.marker, sizeof resolve->marker);
    resolve->known = folder->fs_known;
    resolve->table = cs_chunker_table_new(&folder->keys);
    resolve->modes = folder->record.modes_exec ? CS_MODES_EXEC : CS_MODES_ALL;
    resolve->path = cs_str_new(path->data, path->len);
    return resolve;
}

int cs__cmd_resolve(cs_ask_t *ask)
{
    cs_buf_t path = {0};
    cs_items_t rows = {0};
    cs_arg_t keep = {0};
    const cs_mounted_t *folder = cs__ask_path(ask, 0, &path);
    if (folder == NULL || !cs__ask_arg(ask, 1, &keep)) {
        cs_buf_fini(&path);
        return CS_EXIT_FAILED;
    }
    resolve_t *resolve = resolve_new(folder, &path);
    cs_replica_t *replica = cs_node_replica(ask->daemon->node, folder->record.number);
    cs_err_t err = cs_replica_base_family(replica, cs_buf_slice(&path), &rows);
    int exit_code =
        err == CS_OK ? plan(ask, resolve, &rows, keep.raw) : cs__index_failed(ask, folder, err);
    cs_items_fini(&rows);
    cs__arg_fini(&keep);
    cs_buf_fini(&path);
    if (exit_code != CS_EXIT_DONE) {
        resolve_free(resolve);
        return exit_code;
    }
    const cs_work_t work = {resolve, run, finish, resolve_free};
    return cs__ask_work(ask, &work);
}
