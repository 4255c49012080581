/* run_setup.c - folders, peers, invites: what a home is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/table.h"
#include "io/file.h"

/* One value alone on its line. */
static void print_value(void *arg, const json_t *document)
{
    printf("%s\n", cs_text_of(document, arg));
}

static int ask_value(const cs_run_t *run, json_t *request, const char *key)
{
    char name[16];
    snprintf(name, sizeof name, "%s", key);
    cs_show_t show = {.item = print_value, .arg = name};
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}

/* --- folder */

/* The secret that `folder key` printed, as hex; blanks around it are ignored. */
static bool read_key(const char *path, json_t *request)
{
    cs_buf_t text = {0};
    cs_buf_t detail = {0};
    bool good = cs_file_read(path, &text, &detail) == CS_OK;
    if (good) {
        cs_buf_put_u8(&text, 0);
        char *hex = (char *)text.data + strspn((char *)text.data, " \t\r\n");
        hex[strcspn(hex, " \t\r\n")] = '\0';
        good = json_object_set_new(request, "secret", json_string(hex)) == 0;
        if (!good) {
            cs_complain(
                "cannot read the key in %s: it is no text; take what crdtsync folder key "
                "prints",
                path);
        }
        explicit_bzero(text.data, text.len);
    } else {
        (void)cs_complain_buf(0, &detail);
    }
    cs_buf_fini(&text);
    cs_buf_fini(&detail);
    return good;
}

int cs_run_folder_add(cs_run_t *run)
{
    const char *key_file = cs_args_value(&run->args, "key-file");
    if (key_file != NULL && !cs_args_has(&run->args, "id")) {
        cs_complain(
            "wrong usage: --key-file is of a folder that has an id already; give it with "
            "--id");
        return CS_EXIT_USAGE;
    }
    json_t *request = cs_request_new(run, "folder add", 0);
    if (!cs_request_option(run, request, "id", "id") ||
        !cs_request_option(run, request, "modes", "modes")) {
        return cs_request_drop(request, CS_EXIT_USAGE);
    }
    if (key_file != NULL && !read_key(key_file, request)) {
        return cs_request_drop(request, CS_EXIT_FAILED);
    }
    return ask_value(run, request, "id");
}

static void folder_row(void *arg, const json_t *document)
{
    static const char *const keys[] = {"id", "state", "modes", "scan", "path"};
    for (size_t i = 0; i < CS_COUNT_OF(keys); i++) {
        cs_table_add(arg, cs_text_of(document, keys[i]));
    }
}

static void print_table(void *arg)
{
    cs_table_print(arg, stdout, cs_wants_color(STDOUT_FILENO));
}

static int ask_table(const cs_run_t *run, const char *cmd, const char *const *header,
                     size_t columns, void (*row)(void *arg, const json_t *document))
{
    cs_table_t table = cs_table(header, columns);
    cs_show_t show = {.item = row, .done = print_table, .arg = &table};
    json_t *request = cs_request_new(run, cmd, 0);
    int exit_code = cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
    cs_table_fini(&table);
    return exit_code;
}

int cs_run_folder_list(cs_run_t *run)
{
    static const char *const header[] = {"FOLDER", "STATE", "MODES", "SCAN", "PATH"};
    return ask_table(run, "folder list", header, CS_COUNT_OF(header), folder_row);
}

int cs_run_folder_key(cs_run_t *run)
{
    return ask_value(run, cs_request_new(run, "folder key", 0), "key");
}

/* What was set is no news; that it does nothing yet is. */
static void print_notes(void *arg, const json_t *document)
{
    (void)arg;
    const json_t *notes = json_object_get(document, "notes");
    for (size_t i = 0; i < json_array_size(notes); i++) {
        printf("%s: %s\n", cs_text_of(document, "folder"),
               json_string_value(json_array_get(notes, i)));
    }
}

int cs_run_folder_set(cs_run_t *run)
{
    json_t *request = cs_request_new(run, "folder set", 0);
    cs_show_t show = {.item = print_notes};
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}

/* --- peer */

int cs_run_peer_add(cs_run_t *run)
{
    json_t *request = cs_request_new(run, "peer add", 0);
    if (run->args.rest_count > 1 &&
        json_object_set_new(request, "endpoint", json_string(run->args.rest[1])) != 0) {
        cs_complain("wrong usage: the endpoint is no text in UTF-8; give another");
        return cs_request_drop(request, CS_EXIT_USAGE);
    }
    if (!cs_request_option(run, request, "name", "name") ||
        !cs_request_options(run, request, "folder", "folders")) {
        return cs_request_drop(request, CS_EXIT_USAGE);
    }
    return cs_client_ask(run, &request, CS_NEEDS_HOME, NULL);
}

static void peer_row(void *arg, const json_t *document)
{
    cs_buf_t folders = {0};
    const json_t *list = json_object_get(document, "folders");
    for (size_t i = 0; i < json_array_size(list); i++) {
        cs_buf_printf(&folders, "%s%s", i > 0 ? " " : "",
                      json_string_value(json_array_get(list, i)));
    }
    cs_buf_put_u8(&folders, 0);
    cs_table_add(arg, cs_text_of(document, "name"));
    cs_table_add(arg, cs_text_of(document, "state"));
    cs_table_add(arg, cs_text_of(document, "endpoint"));
    cs_table_add(arg, (const char *)folders.data);
    cs_table_add(arg, cs_text_of(document, "id"));
    cs_buf_fini(&folders);
}

int cs_run_peer_list(cs_run_t *run)
{
    static const char *const header[] = {"NAME", "STATE", "ENDPOINT", "FOLDERS", "ID"};
    return ask_table(run, "peer list", header, CS_COUNT_OF(header), peer_row);
}

/* --- invites */

int cs_run_invite(cs_run_t *run)
{
    json_t *request = cs_request_new(run, "invite", 0);
    const char *uses = cs_args_value(&run->args, "uses");
    uint32_t count = 1;
    if (uses != NULL && !cs_parse_u32(uses, 1, UINT32_MAX, &count)) {
        cs_complain("wrong usage: --uses '%s' is no number from 1; give one", uses);
        return cs_request_drop(request, CS_EXIT_USAGE);
    }
    json_object_set_new(request, "uses", json_integer(count));
    if (!cs_request_options(run, request, "endpoint", "endpoints")) {
        return cs_request_drop(request, CS_EXIT_USAGE);
    }
    return ask_value(run, request, "token");
}

static void invite_row(void *arg, const json_t *document)
{
    const json_t *uses = json_object_get(document, "uses_left");
    cs_table_add(arg, cs_text_of(document, "folder"));
    cs_table_add_u64(arg, (uint64_t)json_integer_value(uses));
    cs_table_add(arg, cs_text_of(document, "key"));
}

int cs_run_invite_list(cs_run_t *run)
{
    static const char *const header[] = {"FOLDER", ">USES LEFT", "KEY"};
    return ask_table(run, "invite list", header, CS_COUNT_OF(header), invite_row);
}

static void print_revoked(void *arg, const json_t *document)
{
    (void)arg;
    const json_t *revoked = json_object_get(document, "revoked");
    printf("%lld revoked\n", (long long)json_integer_value(revoked));
}

int cs_run_invite_revoke(cs_run_t *run)
{
    cs_show_t show = {.item = print_revoked};
    json_t *request = cs_request_new(run, "invite revoke", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}
