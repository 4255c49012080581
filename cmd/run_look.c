/* run_look.c - status, digest, ls, conflicts. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/client.h"
#include "cmd/table.h"

#define SHORT_HASH 12 /* digits that tell contents apart for people */

static const char *text_of(const json_t *document, const char *key)
{
    const char *text = json_string_value(json_object_get(document, key));
    return text != NULL ? text : "";
}

static uint64_t number_of(const json_t *document, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(document, key));
}

static void print_table(cs_table_t *table)
{
    cs_table_print(table, stdout, cs_wants_color(STDOUT_FILENO));
    cs_table_fini(table);
}

static void print_visible(const char *text)
{
    cs_buf_t buf = {0};
    cs_put_visible(&buf, text);
    fwrite(buf.data, 1, buf.len, stdout);
    cs_buf_fini(&buf);
}

/* --- status */

static void print_node(const json_t *node)
{
    printf("node ");
    print_visible(text_of(node, "name"));
    printf(" (%.*s), crdtsync %s", SHORT_HASH, text_of(node, "id"), text_of(node, "version"));
    const json_t *listen = json_object_get(node, "listen");
    for (size_t i = 0; i < json_array_size(listen); i++) {
        printf("%s%s", i > 0 ? " " : ", listening on ",
               json_string_value(json_array_get(listen, i)));
    }
    printf(json_array_size(listen) > 0 ? "\n" : ", not running\n");
}

static void print_folders(const json_t *folders)
{
    static const char *const header[] = {"FOLDER",     ">FILES", ">SIZE", ">NEEDED",
                                         ">CONFLICTS", "STATE",  "PATH"};
    cs_table_t table = cs_table(header, CS_COUNT_OF(header));
    for (size_t i = 0; i < json_array_size(folders); i++) {
        const json_t *folder = json_array_get(folders, i);
        cs_table_add(&table, text_of(folder, "id"));
        cs_table_add_u64(&table, number_of(folder, "files"));
        cs_table_add_bytes(&table, number_of(folder, "bytes"));
        cs_table_add_u64(&table, number_of(folder, "needed_files"));
        cs_table_add_u64(&table, number_of(folder, "conflicts"));
        cs_table_add(&table, text_of(folder, "state"));
        cs_table_add(&table, text_of(folder, "path"));
    }
    if (json_array_size(folders) > 0) putchar('\n');
    if (json_array_size(folders) > 0) {
        cs_table_print(&table, stdout, cs_wants_color(STDOUT_FILENO));
    }
    cs_table_fini(&table);
}

static void print_troubles(const json_t *folders)
{
    for (size_t i = 0; i < json_array_size(folders); i++) {
        const json_t *folder = json_array_get(folders, i);
        const json_t *errors = json_object_get(folder, "errors");
        if (text_of(folder, "error")[0] != '\0') {
            printf("%s: %s\n", text_of(folder, "id"), text_of(folder, "error"));
        }
        for (size_t k = 0; k < json_array_size(errors); k++) {
            const json_t *item = json_array_get(errors, k);
            printf("%s: %s: ", text_of(folder, "id"), text_of(item, "reason"));
            print_visible(text_of(item, "path"));
            putchar('\n');
        }
    }
}

static void add_equal(cs_table_t *table, json_t *equal)
{
    size_t yes = 0;
    const char *key;
    json_t *value;
    json_object_foreach(equal, key, value) yes += json_is_true(value);
    char text[48];
    snprintf(text, sizeof text, "%zu of %zu", yes, json_object_size(equal));
    cs_table_add(table, text);
}

static void print_peers(const json_t *peers)
{
    static const char *const header[] = {"PEER", "STATE", "EQUAL", ">IN", ">OUT", "ENDPOINT"};
    cs_table_t table = cs_table(header, CS_COUNT_OF(header));
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        char id[SHORT_HASH + 1];
        snprintf(id, sizeof id, "%s", text_of(peer, "id"));
        cs_table_add(&table, text_of(peer, "name")[0] != '\0' ? text_of(peer, "name") : id);
        cs_table_add(&table, text_of(peer, "state"));
        add_equal(&table, json_object_get(peer, "equal"));
        cs_table_add_bytes(&table, number_of(peer, "bytes_in"));
        cs_table_add_bytes(&table, number_of(peer, "bytes_out"));
        cs_table_add(&table, text_of(peer, "endpoint"));
    }
    if (json_array_size(peers) > 0) putchar('\n');
    if (json_array_size(peers) > 0) {
        cs_table_print(&table, stdout, cs_wants_color(STDOUT_FILENO));
    }
    cs_table_fini(&table);
}

static void print_status(void *arg, const json_t *document)
{
    (void)arg;
    const json_t *folders = json_object_get(document, "folders");
    print_node(json_object_get(document, "node"));
    print_folders(folders);
    print_troubles(folders);
    print_peers(json_object_get(document, "peers"));
}

int cs_run_status(cs_run_t *run)
{
    cs_show_t show = {.item = print_status};
    json_t *request = cs_request_new(run, "status", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}

/* --- digest: alone, if it can be only one */

typedef struct digests {
    cs_table_t table;
} digests_t;

static void add_digest(void *arg, const json_t *document)
{
    digests_t *digests = arg;
    cs_table_add(&digests->table, text_of(document, "folder"));
    cs_table_add(&digests->table, text_of(document, "digest"));
}

static void print_digests(void *arg)
{
    const digests_t *digests = arg;
    size_t count = digests->table.count;
    for (size_t i = 0; i + 1 < count; i += 2) {
        if (count > 2) printf("%s ", digests->table.cell[i]);
        printf("%s\n", digests->table.cell[i + 1]);
    }
}

int cs_run_digest(cs_run_t *run)
{
    static const char *const header[] = {"FOLDER", "DIGEST"};
    digests_t digests = {.table = cs_table(header, CS_COUNT_OF(header))};
    cs_show_t show = {.item = add_digest, .done = print_digests, .arg = &digests};
    json_t *request = cs_request_new(run, "digest", 0);
    int exit_code = cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
    cs_table_fini(&digests.table);
    return exit_code;
}

/* --- ls */

static void add_item(void *arg, const json_t *document)
{
    bool here = json_is_true(json_object_get(document, "on_disk"));
    cs_table_add(arg, text_of(document, "mode"));
    cs_table_add(arg, text_of(document, "kind"));
    cs_table_add_bytes(arg, number_of(document, "size"));
    cs_table_add(arg, here ? "yes" : "no");
    cs_table_add(arg, text_of(document, "path"));
}

static void print_items(void *arg)
{
    print_table(arg);
}

int cs_run_ls(cs_run_t *run)
{
    static const char *const header[] = {"MODE", "KIND", ">SIZE", "ON DISK", "PATH"};
    cs_table_t table = cs_table(header, CS_COUNT_OF(header));
    cs_show_t show = {.item = add_item, .done = print_items, .arg = &table};
    json_t *request = cs_request_new(run, "ls", 0);
    int exit_code = cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
    cs_table_fini(&table);
    return exit_code;
}

/* --- conflicts */

static void add_version(cs_table_t *table, const char *path, const json_t *version)
{
    char hash[SHORT_HASH + 1];
    snprintf(hash, sizeof hash, "%s", text_of(version, "content"));
    cs_table_add(table, path);
    cs_table_add_bytes(table, number_of(version, "size"));
    cs_table_add(table, text_of(version, "by"));
    cs_table_add(table, hash);
}

static void print_conflicts(void *arg, const json_t *document)
{
    (void)arg;
    static const char *const header[] = {"PATH", ">SIZE", "BY", "CONTENT"};
    cs_table_t table = cs_table(header, CS_COUNT_OF(header));
    for (size_t i = 0; i < json_array_size(document); i++) {
        const json_t *conflict = json_array_get(document, i);
        const json_t *siblings = json_object_get(conflict, "siblings");
        add_version(&table, text_of(conflict, "path"), json_object_get(conflict, "shown"));
        for (size_t k = 0; k < json_array_size(siblings); k++) {
            const json_t *sibling = json_array_get(siblings, k);
            add_version(&table, text_of(sibling, "path"), sibling);
        }
    }
    if (table.count > 0) cs_table_print(&table, stdout, cs_wants_color(STDOUT_FILENO));
    cs_table_fini(&table);
}

int cs_run_conflicts(cs_run_t *run)
{
    cs_show_t show = {.item = print_conflicts};
    json_t *request = cs_request_new(run, "conflicts", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}
