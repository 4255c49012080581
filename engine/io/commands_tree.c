/* commands_tree.c - ls and conflicts: the replicated tree, from the index. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"

static const char *kind_text(uint8_t kind)
{
    static const char *const text[] = {
        [CS_KIND_NONE] = "none",
        [CS_KIND_FILE] = "file",
        [CS_KIND_SYMLINK] = "symlink",
        [CS_KIND_DIR] = "dir",
    };
    return kind < CS_COUNT_OF(text) ? text[kind] : "none";
}

static int index_failed(cs_ask_t *ask, const cs_mounted_t *folder, cs_err_t err)
{
    return cs__ask_fail(ask, CS_EXIT_FAILED,
                        "cannot read the index of folder %s: %s; see the log of the node",
                        folder->record.id, cs_err_text(err));
}

static void put_content(cs_json_t *json, const cs_content_t *content)
{
    cs_json_key(json, "content");
    if (content->kind == CS_KIND_FILE || content->kind == CS_KIND_SYMLINK) {
        cs_json_hex(json, content->hash, CS_HASH_BYTES);
    } else {
        cs_json_text(json, NULL);
    }
}

/* --- who wrote it */

void cs__peer_name(const cs_daemon_t *daemon, const uint8_t *key, char ret[65])
{
    cs_peer_record_t record = {0};
    cs_buf_t detail = {0};
    cs_err_t err = cs_home_peer_get(daemon->home, key, &record, &detail);
    if (err == CS_OK && record.name != NULL) {
        snprintf(ret, 65, "%s", record.name);
    } else {
        cs_hex(ret, key, 4);
    }
    cs_peer_record_fini(&record);
    cs_buf_fini(&detail);
}

void cs__member_name(cs_daemon_t *daemon, const cs_mounted_t *folder, uint64_t rid,
                     char ret[65])
{
    size_t count = 0;
    const cs_member_t *members = cs_node_members(daemon->node, folder->record.number, &count);
    cs_replica_t *replica = cs_node_replica(daemon->node, folder->record.number);
    for (size_t i = 0; rid != 0 && i < count; i++) {
        bool self = memcmp(members[i].key.b, daemon->public_key, CS_KEY_BYTES) == 0;
        if (rid != (self ? cs_replica_state(replica)->rid : members[i].rid)) continue;
        if (members[i].name[0] != '\0') {
            snprintf(ret, 65, "%s", members[i].name);
        } else {
            cs__peer_name(daemon, members[i].key.b, ret);
        }
        return;
    }
    snprintf(ret, 65, "%016llx", (unsigned long long)rid);
}

/* --- ls */

static bool on_disk(cs_replica_t *replica, const cs_item_t *item)
{
    cs_item_t row = {0};
    bool same = cs_replica_base(replica, cs_slice_str(item->path), &row) == CS_OK &&
                cs_content_eq(&row.content, &item->content);
    cs_item_fini(&row);
    return same;
}

static void ls_item(cs_ask_t *ask, const cs_mounted_t *folder, cs_replica_t *replica,
                    const cs_item_t *item)
{
    char mode[8];
    snprintf(mode, sizeof mode, "%04o", (unsigned)item->attr.mode);
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_path(&json, "path", cs_slice_str(item->path));
    cs_json_put_text(&json, "kind", kind_text(item->content.kind));
    cs_json_put_u64(&json, "size", item->content.size);
    cs_json_put_text(&json, "mode", item->content.kind == CS_KIND_FILE ? mode : NULL);
    put_content(&json, &item->content);
    cs_json_put_bool(&json, "on_disk", on_disk(replica, item));
    cs_json_put_text(&json, "folder", folder->record.id);
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
}

static int ls_folder(cs_ask_t *ask, cs_mounted_t *folder, cs_slice_t prefix)
{
    cs_replica_t *replica = cs_node_replica(ask->daemon->node, folder->record.number);
    cs_items_t items = {0};
    if (replica == NULL) return CS_EXIT_DONE;
    cs_err_t err = cs_replica_project_all(replica, &items);
    for (uint32_t i = 0; err == CS_OK && i < items.len; i++) {
        if (cs_slice_has_prefix(cs_slice_str(items.item[i].path), prefix)) {
            ls_item(ask, folder, replica, &items.item[i]);
        }
    }
    cs_items_fini(&items);
    return err == CS_OK ? CS_EXIT_DONE : index_failed(ask, folder, err);
}

/* FOLDER, FOLDER PREFIX, or one path that says both. */
static int ls_prefix(cs_ask_t *ask, const cs_mounted_t *folder, cs_buf_t *ret)
{
    cs_arg_t arg;
    size_t last = cs__ask_arg_count(ask) - 1;
    if (!cs__ask_arg(ask, last, &arg)) return CS_EXIT_DONE;
    bool good = true;
    if (last > 0 && arg.raw[0] != '/') {
        cs_buf_put(ret, arg.raw, strlen(arg.raw)); /* as it is: "dir/" is a prefix, too */
    } else if (last > 0 || strchr(arg.raw, '/') != NULL) {
        good = cs__ask_path_in(ask, folder, &arg, ret);
    }
    cs__arg_fini(&arg);
    return good ? CS_EXIT_DONE : CS_EXIT_FAILED;
}

int cs__cmd_ls(cs_ask_t *ask)
{
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    cs_buf_t prefix = {0};
    int exit_code = cs__ask_folders(ask, &folders, &count);
    if (exit_code == CS_EXIT_DONE && cs__ask_arg_count(ask) > 0) {
        exit_code = ls_prefix(ask, folders[0], &prefix);
    }
    for (size_t i = 0; exit_code == CS_EXIT_DONE && i < count; i++) {
        exit_code = ls_folder(ask, folders[i], cs_buf_slice(&prefix));
    }
    cs_buf_fini(&prefix);
    cs_free(folders);
    return exit_code;
}

/* --- conflicts */

static int by_eff(const void *a, const void *b)
{
    const cs_item_t *x = *(const cs_item_t *const *)a;
    const cs_item_t *y = *(const cs_item_t *const *)b;
    int order = cs_str_cmp(x->eff, y->eff);
    return order != 0 ? order : cs_str_cmp(x->path, y->path);
}

/* Siblings, sorted by what they stand beside. */
static size_t siblings_of(const cs_items_t *items, const cs_item_t ***ret)
{
    const cs_item_t **siblings = cs_calloc(items->len + 1, sizeof(cs_item_t *));
    size_t count = 0;
    for (uint32_t i = 0; i < items->len; i++) {
        const cs_item_t *item = &items->item[i];
        if (!cs_str_eq(item->path, item->eff)) siblings[count++] = item;
    }
    qsort(siblings, count, sizeof(cs_item_t *), by_eff);
    *ret = siblings;
    return count;
}

static size_t run_of(const cs_item_t *const *siblings, size_t count)
{
    size_t len = 1;
    while (len < count && cs_str_eq(siblings[len]->eff, siblings[0]->eff)) {
        len++;
    }
    return len;
}

cs_err_t cs__count_tree(cs_daemon_t *daemon, cs_mounted_t *folder, const cs_tree_count_t **ret)
{
    cs_replica_t *replica = cs_node_replica(daemon->node, folder->record.number);
    cs_tree_count_t *count = &folder->count;
    *ret = count;
    cs_err_t err = cs_replica_tally(replica, &count->tally);
    if (err != CS_OK) return err;
    cs_items_t items = {0};
    err = cs_replica_siblings(replica, &items);
    if (err == CS_OK) {
        const cs_item_t **siblings;
        size_t len = siblings_of(&items, &siblings);
        count->conflicts = 0;
        for (size_t i = 0; i < len; i += run_of(siblings + i, len - i)) {
            count->conflicts++;
        }
        cs_free(siblings);
    }
    cs_items_fini(&items);
    return err;
}

static void put_version(cs_ask_t *ask, const cs_mounted_t *folder, const cs_item_t *item,
                        cs_json_t *json)
{
    char name[65] = "";
    for (uint32_t i = 0; i < item->back_len && name[0] == '\0'; i++) {
        const cs_back_t *back = &item->back[i];
        cs__member_name(ask->daemon, folder, back->k.rid != 0 ? back->k.rid : back->lin.rid,
                        name);
    }
    put_content(json, &item->content);
    cs_json_put_u64(json, "size", item->content.size);
    cs_json_put_text(json, "by", name);
}

static cs_err_t put_conflict(cs_ask_t *ask, const cs_mounted_t *folder, cs_replica_t *replica,
                             const cs_item_t *const *siblings, size_t count, cs_json_t *json)
{
    cs_item_t shown = {0};
    cs_err_t err = cs_replica_base(replica, cs_slice_str(siblings[0]->eff), &shown);
    if (err != CS_OK && err != CS_ERR_NOT_FOUND) return err;
    cs_json_begin(json, '{');
    cs_json_put_path(json, "path", cs_slice_str(siblings[0]->eff));
    cs_json_key(json, "shown");
    if (err == CS_OK) {
        cs_json_begin(json, '{');
        put_version(ask, folder, &shown, json);
        cs_json_end(json, '}');
    } else {
        cs_json_text(json, NULL);
    }
    cs_json_key(json, "siblings");
    cs_json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        cs_json_begin(json, '{');
        cs_json_put_path(json, "path", cs_slice_str(siblings[i]->path));
        put_version(ask, folder, siblings[i], json);
        cs_json_end(json, '}');
    }
    cs_json_end(json, ']');
    cs_json_put_text(json, "folder", folder->record.id);
    cs_json_end(json, '}');
    cs_item_fini(&shown);
    return CS_OK;
}

static int conflicts_of(cs_ask_t *ask, const cs_mounted_t *folder, cs_json_t *json)
{
    cs_replica_t *replica = cs_node_replica(ask->daemon->node, folder->record.number);
    cs_items_t items = {0};
    if (replica == NULL) return CS_EXIT_DONE;
    cs_err_t err = cs_replica_siblings(replica, &items);
    if (err == CS_OK) {
        const cs_item_t **siblings;
        size_t count = siblings_of(&items, &siblings);
        for (size_t i = 0; err == CS_OK && i < count;) {
            size_t len = run_of(siblings + i, count - i);
            err = put_conflict(ask, folder, replica, siblings + i, len, json);
            i += len;
        }
        cs_free(siblings);
    }
    cs_items_fini(&items);
    return err == CS_OK ? CS_EXIT_DONE : index_failed(ask, folder, err);
}

int cs__cmd_conflicts(cs_ask_t *ask)
{
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    cs_json_t json = {0};
    int exit_code = cs__ask_folders(ask, &folders, &count);
    cs_json_begin(&json, '[');
    for (size_t i = 0; exit_code == CS_EXIT_DONE && i < count; i++) {
        exit_code = conflicts_of(ask, folders[i], &json);
    }
    cs_json_end(&json, ']');
    if (exit_code == CS_EXIT_DONE) {
        cs__ask_data(ask, &json);
    } else {
        cs_json_fini(&json);
    }
    cs_free(folders);
    return exit_code;
}
