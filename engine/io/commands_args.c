/* commands_args.c - options, arguments and folders of a request. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "io/commands_internal.h"
#include "io/suggest.h"

/* --- options */

const char *cs__ask_text(const cs_ask_t *ask, const char *key)
{
    return json_string_value(json_object_get(ask->request, key));
}

uint64_t cs__ask_u64(const cs_ask_t *ask, const char *key, uint64_t otherwise)
{
    const json_t *value = json_object_get(ask->request, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return otherwise;
    return (uint64_t)json_integer_value(value);
}

bool cs__ask_flag(const cs_ask_t *ask, const char *key)
{
    return json_is_true(json_object_get(ask->request, key));
}

void cs__ask_texts(const cs_ask_t *ask, const char *key, cs_strings_t *ret)
{
    const json_t *list = json_object_get(ask->request, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text != NULL) cs_strings_add(ret, text);
    }
}

/* --- arguments */

size_t cs__ask_arg_count(const cs_ask_t *ask)
{
    return json_array_size(json_object_get(ask->request, "args"));
}

/* Bytes from hex, as a text; NULL: absent, or no such text. */
static char *unhex_text(const json_t *value)
{
    const char *hex = json_string_value(value);
    size_t len = json_string_length(value);
    if (hex == NULL || len % 2 != 0) return NULL;
    char *text = cs_calloc(len / 2 + 1, 1);
    if (cs_unhex(text, len / 2, cs_slice(hex, len)) && strlen(text) == len / 2) return text;
    cs_free(text);
    return NULL;
}

bool cs__ask_arg(const cs_ask_t *ask, size_t index, cs_arg_t *ret)
{
    const json_t *arg = json_array_get(json_object_get(ask->request, "args"), index);
    *ret = (cs_arg_t){.raw = unhex_text(json_object_get(arg, "raw"))};
    if (ret->raw == NULL) return false;
    ret->abs = unhex_text(json_object_get(arg, "abs"));
    ret->real = unhex_text(json_object_get(arg, "real"));
    return true;
}

void cs__arg_fini(cs_arg_t *arg)
{
    cs_free(arg->raw);
    cs_free(arg->abs);
    cs_free(arg->real);
    *arg = (cs_arg_t){0};
}

/* --- folders */

cs_mounted_t *cs__ask_folder_at(cs_ask_t *ask, const cs_arg_t *arg)
{
    cs_mounted_t *folder = NULL;
    if (arg->abs != NULL) folder = cs_daemon_folder_by_path(ask->daemon, arg->abs);
    if (folder == NULL && arg->real != NULL) {
        folder = cs_daemon_folder_by_path(ask->daemon, arg->real);
    }
    if (folder == NULL) {
        cs__ask_fail(ask, CS_EXIT_FAILED,
                     "cannot find a folder: %.1024s lies in none of this home; see crdtsync "
                     "folder list",
                     arg->raw);
    }
    return folder;
}

static void unknown_folder(cs_ask_t *ask, const char *id)
{
    const cs_daemon_t *daemon = ask->daemon;
    size_t words = 0;
    while (cs__ask_word(ask, words) != NULL) {
        words++;
    }
    const char **ids = cs_calloc(daemon->folder_count + words + 1, sizeof *ids);
    for (size_t i = 0; i < daemon->folder_count; i++) {
        ids[i] = daemon->folders[i].record.id;
    }
    for (size_t i = 0; i < words; i++) {
        ids[daemon->folder_count + i] = cs__ask_word(ask, i);
    }
    const char *nearest = cs_suggest(id, ids);
    cs_buf_t hint = {0};
    if (nearest != NULL) cs_buf_printf(&hint, "did you mean '%s'? ", nearest);
    cs_buf_put_u8(&hint, 0);
    cs__ask_fail(ask, CS_EXIT_FAILED,
                 "cannot find folder '%.200s': this home has no such folder; %ssee crdtsync "
                 "folder list",
                 id, (const char *)hint.data);
    cs_buf_fini(&hint);
    cs_free(ids);
}

/* Loaded, and not on its way out. */
static bool is_usable(cs_ask_t *ask, const cs_mounted_t *folder)
{
    if (folder->leaving) {
        cs__ask_fail(ask, CS_EXIT_FAILED,
                     "cannot use folder %s: it is being removed; look again in a moment",
                     folder->record.id);
        return false;
    }
    if (!folder->loaded) {
        cs__ask_fail(ask, CS_EXIT_FAILED,
                     "cannot use folder %s: its state could not be loaded; see the log of the "
                     "node",
                     folder->record.id);
        return false;
    }
    return true;
}

cs_mounted_t *cs__ask_folder(cs_ask_t *ask, const cs_arg_t *arg)
{
    bool is_path = strchr(arg->raw, '/') != NULL;
    cs_mounted_t *folder =
        is_path ? cs__ask_folder_at(ask, arg) : cs_daemon_folder(ask->daemon, arg->raw);
    if (folder == NULL && !is_path) unknown_folder(ask, arg->raw);
    return folder != NULL && is_usable(ask, folder) ? folder : NULL;
}

int cs__ask_folders(cs_ask_t *ask, cs_mounted_t ***ret, size_t *ret_count)
{
    cs_daemon_t *daemon = ask->daemon;
    cs_arg_t arg;
    *ret = cs_calloc(daemon->folder_count + 1, sizeof(cs_mounted_t *));
    *ret_count = 0;
    if (cs__ask_arg(ask, 0, &arg)) {
        cs_mounted_t *folder = cs__ask_folder(ask, &arg);
        cs__arg_fini(&arg);
        if (folder == NULL) return CS_EXIT_FAILED;
        (*ret)[(*ret_count)++] = folder;
        return CS_EXIT_DONE;
    }
    for (size_t i = 0; i < daemon->folder_count; i++) {
        if (daemon->folders[i].leaving) continue;
        if (daemon->folders[i].loaded) (*ret)[(*ret_count)++] = &daemon->folders[i];
    }
    return CS_EXIT_DONE;
}

int cs__ask_each_folder(cs_ask_t *ask,
                        void (*put)(cs_json_t *json, const cs_folder_status_t *status))
{
    cs_node_t *node = ask->daemon->node;
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    int exit_code = cs__ask_folders(ask, &folders, &count);
    for (size_t i = 0; i < count; i++) {
        cs_folder_status_t status;
        if (!cs_node_folder_status(node, folders[i]->record.number, &status)) continue;
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_text(&json, "folder", folders[i]->record.id);
        put(&json, &status);
        cs_json_end(&json, '}');
        cs__ask_data(ask, &json);
    }
    cs_free(folders);
    return exit_code;
}

int cs__ask_folder_numbers(cs_ask_t *ask, uint32_t **ret, size_t *ret_count)
{
    cs_mounted_t **folders = NULL;
    int exit_code = cs__ask_folders(ask, &folders, ret_count);
    *ret = cs_calloc(*ret_count + 1, sizeof **ret);
    for (size_t i = 0; i < *ret_count; i++) {
        (*ret)[i] = folders[i]->record.number;
    }
    cs_free(folders);
    return exit_code;
}

cs_mounted_t *cs__folder_numbered(cs_daemon_t *daemon, uint32_t number)
{
    for (size_t i = 0; i < daemon->folder_count; i++) {
        cs_mounted_t *folder = &daemon->folders[i];
        if (folder->record.number != number) continue;
        return folder->loaded && !folder->leaving ? folder : NULL;
    }
    return NULL;
}

const cs_mounted_t *cs__folder_still(cs_daemon_t *daemon, const char *id,
                                     cs_folder_status_t *ret)
{
    const cs_mounted_t *folder = cs_daemon_folder(daemon, id);
    if (folder == NULL) return NULL;
    return cs_node_folder_status(daemon->node, folder->record.number, ret) ? folder : NULL;
}

/* --- paths */

/* What follows `root` in `path`; false: it is not below. */
static bool strip_root(const char *root, const char *path, cs_buf_t *ret)
{
    size_t len = strlen(root);
    if (path == NULL || strncmp(root, path, len) != 0) return false;
    if (path[len] != '\0' && path[len] != '/') return false;
    while (path[len] == '/') {
        len++;
    }
    cs_buf_put(ret, path + len, strlen(path + len));
    return true;
}

bool cs__ask_path_in(cs_ask_t *ask, const cs_mounted_t *folder, const cs_arg_t *arg,
                     cs_buf_t *ret)
{
    cs_buf_clear(ret);
    const char *root = folder->record.path;
    if (!strip_root(root, arg->abs, ret) && !strip_root(root, arg->real, ret)) {
        if (arg->raw[0] == '/') goto refused;
        const char *raw = arg->raw;
        while (strncmp(raw, "./", 2) == 0) {
            raw += 2;
        }
        cs_buf_put(ret, raw, strlen(raw));
    }
    while (ret->len > 0 && ret->data[ret->len - 1] == '/') {
        ret->len--;
    }
    if (ret->len == 0 || cs_path_check(cs_buf_slice(ret)) == CS_OK) return true;
refused:
    cs__ask_fail(ask, CS_EXIT_FAILED,
                 "cannot use %.1024s: it is no path inside folder %s (%.512s); give another",
                 arg->raw, folder->record.id, root);
    return false;
}

cs_mounted_t *cs__ask_path(cs_ask_t *ask, size_t index, cs_buf_t *ret)
{
    cs_arg_t arg;
    if (!cs__ask_arg(ask, index, &arg)) {
        cs__ask_fail(ask, CS_EXIT_USAGE, "cannot see which path is meant: give one");
        return NULL;
    }
    cs_mounted_t *folder = cs__ask_folder_at(ask, &arg);
    if (folder != NULL && !is_usable(ask, folder)) folder = NULL;
    if (folder != NULL && !cs__ask_path_in(ask, folder, &arg, ret)) folder = NULL;
    if (folder != NULL && ret->len == 0) {
        cs__ask_fail(ask, CS_EXIT_USAGE,
                     "cannot use %.1024s: it is the root of folder %s; give something in it",
                     arg.raw, folder->record.id);
        folder = NULL;
    }
    cs__arg_fini(&arg);
    return folder;
}
