/* commands_explain.c - explain: why a path looks as it does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "disk/ignore.h"
#include "io/commands_count.h"

typedef struct explained {
    uint32_t folder; /* number */
    char *root;      /* owned */
    cs_str_t *path;  /* owned */
    cs_fs_known_t known;
    /* what the worker saw */
    cs_err_t open_err, stat_err, ignore_err;
    cs_stat_t stat;
    cs_ignore_why_t ignore;
    bool looked; /* at the folder itself, not at what stands in its place */
} explained_t;

static void explained_free(void *state)
{
    explained_t *explained = state;
    cs_free(explained->root);
    cs_str_unref(&explained->path);
    cs_ignore_why_fini(&explained->ignore);
    cs_free(explained);
}

static void look_at_disk(void *state)
{
    explained_t *explained = state;
    cs_slice_t path = cs_slice_str(explained->path);
    cs_fs_t *fs = NULL;
    explained->open_err = cs_fs_linux_open_known(explained->root, &explained->known, &fs);
    if (explained->open_err != CS_OK) return;
    explained->stat_err = fs->ops->stat(fs, path, &explained->stat);
    bool is_dir = explained->stat_err == CS_OK && explained->stat.type == CS_NODE_DIR;
    cs_ignore_t *ignore = cs_ignore_new(fs);
    explained->ignore_err = cs_ignore_explain(ignore, path, is_dir, &explained->ignore);
    cs_ignore_destroy(&ignore);
    fs->ops->close_fs(&fs);
}

/* --- versions: what asks to be shown at one path */

typedef struct family {
    cs_items_t items;
    const cs_item_t **version; /* owned; the shown one first, then in order */
    size_t len;
    cs_str_t *eff; /* owned; NULL: the index does not know the path */
} family_t;

static void family_fini(family_t *family)
{
    cs_items_fini(&family->items);
    cs_free(family->version);
    cs_str_unref(&family->eff);
}

static int by_order(const void *a, const void *b)
{
    const cs_item_t *x = *(const cs_item_t *const *)a, *y = *(const cs_item_t *const *)b;
    bool x_dir = x->content.kind == CS_KIND_DIR, y_dir = y->content.kind == CS_KIND_DIR;
    if (x_dir != y_dir) return x_dir ? -1 : 1;
    if (x->rank != y->rank) return x->rank > y->rank ? -1 : 1;
    return cs_content_cmp(&y->content, &x->content);
}

static cs_err_t read_family(cs_replica_t *replica, const cs_str_t *path, family_t *ret)
{
    cs_err_t err = cs_replica_project(replica, cs_slice_str(path), &ret->items);
    if (err != CS_OK) return err;
    for (uint32_t i = 0; i < ret->items.len; i++) {
        const cs_item_t *item = &ret->items.item[i];
        bool named = cs_str_eq(item->path, path);
        if (named || (ret->eff == NULL && cs_str_eq(item->eff, path))) {
            cs_str_unref(&ret->eff);
            ret->eff = cs_str_ref(item->eff);
            if (named) break;
        }
    }
    ret->version = cs_calloc(ret->items.len + 1, sizeof(cs_item_t *));
    for (uint32_t i = 0; ret->eff != NULL && i < ret->items.len; i++) {
        const cs_item_t *item = &ret->items.item[i];
        if (cs_str_eq(item->eff, ret->eff)) ret->version[ret->len++] = item;
    }
    qsort(ret->version, ret->len, sizeof(cs_item_t *), by_order);
    return CS_OK;
}

/* Why the version stands where it does among those of its path. */
static void put_rule(const family_t *family, size_t i, bool below, cs_json_t *json)
{
    char text[160];
    const cs_item_t *first = family->version[0], *item = family->version[i];
    if (below || (i > 0 && first->content.kind == CS_KIND_DIR)) {
        snprintf(text, sizeof text, "a directory keeps the name, for what is in it needs it");
    } else if (family->len == 1) {
        snprintf(text, sizeof text, "it is the only version");
    } else if (i == 0 && first->rank == family->version[1]->rank) {
        snprintf(text, sizeof text,
                 "of equal heights, the greater content hash keeps the name");
    } else if (i == 0) {
        snprintf(text, sizeof text, "it has the greatest height, %lu",
                 (unsigned long)item->rank);
    } else if (item->rank == first->rank) {
        snprintf(text, sizeof text, "equal height, %lu, and a smaller content hash",
                 (unsigned long)item->rank);
    } else {
        snprintf(text, sizeof text, "its height, %lu, is less than %lu",
                 (unsigned long)item->rank, (unsigned long)first->rank);
    }
    cs_json_put_text(json, "rule", text);
}

/* Members, and whether they have the bytes. */
static void put_holders(cs_daemon_t *daemon, const cs_mounted_t *folder,
                        const cs_content_t *content, cs_json_t *json)
{
    static const char *const text[] = {
        [CS_HOLDS_UNKNOWN] = "unknown", [CS_HOLDS_YES] = "yes", [CS_HOLDS_NO] = "no"};
    size_t count = 0;
    cs_report_t *reports = cs_node_reports(daemon->node, folder->record.number, &count);
    cs_json_key(json, "from");
    cs_json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        char name[65];
        cs_holds_t holds =
            cs_node_holds(daemon->node, folder->record.number, &reports[i], content);
        cs__peer_name(daemon, reports[i].key.b, name);
        cs_json_begin(json, '{');
        cs_json_put_text(json, "name", name);
        cs_json_put_bool(json, "connected", reports[i].connected);
        cs_json_put_text(json, "has", text[holds]);
        cs_json_end(json, '}');
    }
    cs_json_end(json, ']');
    cs_free(reports);
}

/* This path was looked at on disk, and nothing is there. */
static bool is_gone(const explained_t *explained, const cs_str_t *path)
{
    bool missing =
        explained->stat_err == CS_ERR_NOT_FOUND || explained->stat_err == CS_ERR_NOT_DIR;
    return explained->looked && missing && cs_str_eq(path, explained->path);
}

/* What the index takes to be on disk, and a look at it does not find; NULL: it is as it says.
 */
static const char *contradiction(const explained_t *explained, const cs_str_t *path,
                                 const cs_why_t *why)
{
    if (why->kind != CS_WHY_HERE) return NULL;
    if (!explained->looked) return "not looked at";
    return is_gone(explained, path) ? "gone from this disk" : NULL;
}

static void put_version(cs_daemon_t *daemon, const cs_mounted_t *folder,
                        const explained_t *explained, const family_t *family, size_t i,
                        cs_json_t *json)
{
    const cs_item_t *item = family->version[i];
    cs_why_t why = cs_node_why(daemon->node, folder->record.number, item);
    bool shown = cs_str_eq(item->path, item->eff);
    cs_json_begin(json, '{');
    cs_json_put_path(json, "path", cs_slice_str(item->path));
    cs_json_put_bool(json, "shown", shown);
    cs_json_put_text(json, "kind", cs__kind_text(item->content.kind));
    cs__put_mode(json, item->content.kind, item->attr.mode);
    cs__put_version(daemon, folder, item, json);
    cs_json_put_u64(json, "height", item->rank);
    put_rule(family, i, i == 0 && !shown, json);
    const char *other = contradiction(explained, item->path, &why);
    cs_json_put_bool(json, "on_disk", why.kind == CS_WHY_HERE && other == NULL);
    cs_json_put_text(json, "state", other != NULL ? other : cs__why_text(&why));
    if (item->content.kind != CS_KIND_DIR) {
        uint64_t here = why.kind == CS_WHY_HERE ? item->content.size : why.bytes_here;
        cs_json_put_u64(json, "bytes_missing", item->content.size - here);
        put_holders(daemon, folder, &item->content, json);
    }
    cs_json_key(json, "writings");
    cs_json_begin(json, '[');
    for (uint32_t k = 0; k < item->back_len; k++) {
        cs__put_writing(daemon, folder, &item->back[k], json);
    }
    cs_json_end(json, ']');
    cs_json_end(json, '}');
}

/* --- what is said of a path that the index does not show */

typedef struct asked {
    const cs_str_t *path;
    bool found;
} asked_t;

static void look_for(void *arg, cs_slice_t path)
{
    asked_t *asked = arg;
    asked->found |= cs_slice_eq(path, cs_slice_str(asked->path));
}

static const char *trouble_of(cs_daemon_t *daemon, const cs_mounted_t *folder,
                              const cs_folder_status_t *status, const cs_str_t *path)
{
    asked_t asked = {.path = path};
    (void)cs_node_refused(daemon->node, folder->record.number, CS_STUCK_LIST_MAX, look_for,
                          &asked);
    if (asked.found) return cs_trouble_text(CS_TROUBLE_TOO_MANY_VERSIONS);
    for (size_t i = 0; i < status->troubles->len; i++) {
        const cs_trouble_item_t *item = &status->troubles->item[i];
        if (cs_str_eq(item->path, path)) return cs_trouble_text(item->trouble);
    }
    return NULL;
}

static const char *state_on_disk(const explained_t *explained, const char *trouble)
{
    if (explained->ignore.ignored) return "ignored";
    if (trouble != NULL) return trouble;
    switch (explained->stat.type) {
    case CS_NODE_SOCKET:
        return "socket";
    case CS_NODE_FIFO:
        return "fifo";
    case CS_NODE_DEVICE:
        return "device";
    case CS_NODE_DIR:
        return "directory";
    case CS_NODE_FILE:
    case CS_NODE_SYMLINK:
        return "not scanned yet";
    }
    return "not scanned yet";
}

/* Of one that the index shows. */
static const char *state_in_index(const explained_t *explained,
                                  const cs_folder_status_t *status, bool had)
{
    if (explained->ignore.ignored) return "ignored";
    if (!explained->looked) {
        return "in the index; the disk was not looked at, for the folder is not usable";
    }
    if (!had || !is_gone(explained, explained->path)) return "in the index";
    return status->phase == CS_PHASE_HELD
               ? "gone from this disk, and a safety brake holds that: see crdtsync held"
               : "gone from this disk, which no scan has seen yet";
}

/* NULL: nothing is known of such a path. */
static const char *state_of(const explained_t *explained, const cs_folder_status_t *status,
                            cs_replica_t *replica, const family_t *family, const char *trouble)
{
    cs_slice_t path = cs_slice_str(explained->path);
    cs_item_t row = {0};
    bool had = cs_replica_base(replica, path, &row) == CS_OK;
    cs_item_fini(&row);
    if (family->eff != NULL) return state_in_index(explained, status, had);
    if (had) return "to be removed: others removed it";
    if (cs_replica_is_dir(replica, path)) return "directory";
    return explained->stat_err == CS_OK ? state_on_disk(explained, trouble) : NULL;
}

static void put_ignore(const cs_ignore_why_t *why, cs_json_t *json)
{
    cs_json_key(json, "ignored");
    if (why->line == 0) {
        cs_json_text(json, NULL);
        return;
    }
    cs_json_begin(json, '{');
    cs_json_put_bool(json, "ignored", why->ignored);
    cs_json_put_path(json, "file", cs_buf_slice(&why->file));
    cs_json_put_u64(json, "line", why->line);
    cs_json_put_path(json, "rule", cs_buf_slice(&why->rule));
    cs_json_put_path(json, "path", cs_buf_slice(&why->path));
    cs_json_end(json, '}');
}

static void put_all(cs_daemon_t *daemon, const cs_mounted_t *folder,
                    const explained_t *explained, const family_t *family, const char *state,
                    cs_json_t *json)
{
    cs_folder_status_t status;
    cs_json_begin(json, '{');
    cs_json_put_path(json, "path", cs_slice_str(explained->path));
    cs_json_put_text(json, "folder", folder->record.id);
    cs_json_put_text(json, "state", state);
    if (cs__folder_status(daemon, folder, &status)) {
        cs_json_put_text(json, "folder_state", cs_phase_text(status.phase));
        cs_json_put_text(json, "error", trouble_of(daemon, folder, &status, explained->path));
    }
    if (family->eff != NULL && !cs_str_eq(family->eff, explained->path)) {
        cs_json_put_path(json, "beside", cs_slice_str(family->eff));
    }
    cs_json_key(json, "versions");
    cs_json_begin(json, '[');
    for (size_t i = 0; i < family->len; i++) {
        put_version(daemon, folder, explained, family, i, json);
    }
    cs_json_end(json, ']');
    put_ignore(&explained->ignore, json);
    cs_json_end(json, '}');
}

static int finish(cs_ask_t *ask, void *state)
{
    explained_t *explained = state;
    const cs_mounted_t *folder = cs__folder_numbered(ask->daemon, explained->folder);
    cs_folder_status_t status;
    if (folder == NULL || !cs__folder_status(ask->daemon, folder, &status)) {
        return cs__ask_fail(ask, CS_EXIT_FAILED, "cannot explain: the folder was removed");
    }
    explained->looked = explained->open_err == CS_OK && status.phase != CS_PHASE_ERROR;
    cs_replica_t *replica = cs_node_replica(ask->daemon->node, explained->folder);
    family_t family = {0};
    cs_err_t err = read_family(replica, explained->path, &family);
    const char *trouble = trouble_of(ask->daemon, folder, &status, explained->path);
    const char *text =
        err == CS_OK ? state_of(explained, &status, replica, &family, trouble) : NULL;
    int exit_code = CS_EXIT_DONE;
    if (err != CS_OK) {
        exit_code = cs__index_failed(ask, folder, err);
    } else if (text == NULL) {
        exit_code = cs__ask_fail(ask, CS_EXIT_FAILED,
                                 "cannot explain %.1024s: there is none in the index of folder "
                                 "%s nor on this disk; see crdtsync ls %s",
                                 explained->path->data, folder->record.id, folder->record.id);
    } else {
        cs_json_t json = {0};
        put_all(ask->daemon, folder, explained, &family, text, &json);
        cs__ask_data(ask, &json);
    }
    family_fini(&family);
    return exit_code;
}

int cs__cmd_explain(cs_ask_t *ask)
{
    cs_buf_t path = {0};
    const cs_mounted_t *folder = cs__ask_path(ask, 0, &path);
    if (folder == NULL) {
        cs_buf_fini(&path);
        return CS_EXIT_FAILED;
    }
    explained_t *explained = cs_calloc(1, sizeof *explained);
    explained->folder = folder->record.number;
    explained->root = cs_strdup(folder->record.path);
    explained->path = cs_str_new(path.data, path.len);
    explained->known = folder->fs_known;
    cs_buf_fini(&path);
    const cs_work_t work = {explained, look_at_disk, finish, explained_free};
    return cs__ask_work(ask, &work);
}
