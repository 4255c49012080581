/* run_look.c - digest, ls, search, conflicts, check. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/show.h"

/* --- digest: alone, if it can be only one */

typedef struct digests {
    cs_table_t table;
} digests_t;

static void add_digest(void *arg, const json_t *document)
{
    digests_t *digests = arg;
    cs_table_add(&digests->table, cs_text_of(document, "folder"));
    cs_table_add(&digests->table, cs_text_of(document, "digest"));
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

/* --- ls and search: a line as soon as it comes, for there may be a million */

#define SIZE_COLUMNS 10
#define NO_MODE      "    "

static void print_item(const json_t *item)
{
    const char *mode = cs_text_of(item, "mode");
    printf("%-4s  %-7s", mode[0] != '\0' ? mode : NO_MODE, cs_text_of(item, "kind"));
    cs_print_size(cs_number_of(item, "size"), SIZE_COLUMNS);
    printf("  %-7s  ", cs_true_of(item, "on_disk") ? "yes" : "no");
    cs_print_visible(cs_text_of(item, "path"));
}

static void print_head(bool *headed, const char *last)
{
    if (*headed) return;
    *headed = true;
    const char *bold = cs_wants_color(STDOUT_FILENO) ? "\033[1m" : "";
    printf("%s%-4s  %-7s%*s  %-7s  PATH%s%s\n", bold, "MODE", "KIND", SIZE_COLUMNS, "SIZE",
           "ON DISK", last, bold[0] != '\0' ? "\033[0m" : "");
}

static void ls_item(void *arg, const json_t *item)
{
    print_head(arg, "");
    print_item(item);
    putchar('\n');
}

int cs_run_ls(cs_run_t *run)
{
    bool headed = false;
    cs_show_t show = {.item = ls_item, .arg = &headed};
    json_t *request = cs_request_new(run, "ls", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}

static void search_item(void *arg, const json_t *item)
{
    const json_t *peers = json_object_get(item, "peers");
    print_head(arg, peers != NULL ? "  (WHO ELSE HAS IT)" : "");
    print_item(item);
    for (size_t i = 0; i < json_array_size(peers); i++) {
        printf(i == 0 ? "  (" : ", ");
        cs_print_visible(json_string_value(json_array_get(peers, i)));
    }
    printf(json_array_size(peers) > 0 ? ")\n" : "\n");
}

int cs_run_search(cs_run_t *run)
{
    bool headed = false;
    cs_show_t show = {.item = search_item, .arg = &headed};
    json_t *request = cs_request_new(run, "search", 0);
    if (cs_args_has(&run->args, "peers")) {
        json_object_set_new(request, "peers", json_true());
    }
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}

/* --- conflicts */

static void add_version(cs_table_t *table, const char *path, const json_t *version)
{
    char hash[CS_SHORT_HASH + 1];
    cs_short_of(version, "content", hash);
    cs_table_add(table, path);
    cs_table_add_bytes(table, cs_number_of(version, "size"));
    cs_table_add(table, cs_text_of(version, "by"));
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
        add_version(&table, cs_text_of(conflict, "path"), json_object_get(conflict, "shown"));
        for (size_t k = 0; k < json_array_size(siblings); k++) {
            const json_t *sibling = json_array_get(siblings, k);
            add_version(&table, cs_text_of(sibling, "path"), sibling);
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

/* --- check */

static void print_problem(void *arg, const json_t *document)
{
    (void)arg;
    printf("%s: ", cs_text_of(document, "folder"));
    cs_print_visible(cs_text_of(document, "path"));
    printf(": %s\n", cs_text_of(document, "problem"));
}

int cs_run_check(cs_run_t *run)
{
    cs_show_t show = {.item = print_problem};
    json_t *request = cs_request_new(run, "check", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}
