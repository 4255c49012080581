/* run_status.c - status, once. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/show.h"

static void print_node(const json_t *node)
{
    printf("node ");
    cs_print_visible(cs_text_of(node, "name"));
    printf(" (%.*s), crdtsync %s", CS_SHORT_HASH, cs_text_of(node, "id"),
           cs_text_of(node, "version"));
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
        cs_table_add(&table, cs_text_of(folder, "id"));
        cs_table_add_u64(&table, cs_number_of(folder, "files"));
        cs_table_add_bytes(&table, cs_number_of(folder, "bytes"));
        cs_table_add_u64(&table, cs_number_of(folder, "needed_files"));
        cs_table_add_u64(&table, cs_number_of(folder, "conflicts"));
        cs_table_add(&table, cs_text_of(folder, "state"));
        cs_table_add(&table, cs_text_of(folder, "path"));
    }
    if (json_array_size(folders) > 0) putchar('\n');
    if (json_array_size(folders) > 0) {
        cs_table_print(&table, stdout, cs_wants_color(STDOUT_FILENO));
    }
    cs_table_fini(&table);
}

#define TROUBLES_SHOWN 20u /* of a folder, without -v */

/* "written by bob; carol has it, who is not connected" */
static void print_holders(const json_t *item)
{
    const json_t *from = json_object_get(item, "from");
    if (from == NULL) return;
    printf(" (written by ");
    cs_print_visible(cs_text_of(item, "by"));
    printf("; ");
    for (size_t i = 0; i < json_array_size(from); i++) {
        printf("%s", i > 0 ? ", " : "");
        cs_print_visible(json_string_value(json_array_get(from, i)));
    }
    printf(json_array_size(from) == 0 ? "nobody connected has it)"
                                      : " had it: it comes when one of them connects)");
}

static void print_trouble(const json_t *folder, const json_t *item)
{
    printf("%s: %s: ", cs_text_of(folder, "id"), cs_text_of(item, "reason"));
    cs_print_visible(cs_text_of(item, "path"));
    print_holders(item);
    const char *remedy = cs_text_of(item, "remedy");
    printf("%s%s\n", remedy[0] != '\0' ? "; " : "", remedy);
}

static void print_troubles(const json_t *folders, bool all)
{
    for (size_t i = 0; i < json_array_size(folders); i++) {
        const json_t *folder = json_array_get(folders, i);
        const json_t *errors = json_object_get(folder, "errors");
        size_t listed = json_array_size(errors);
        uint64_t total = cs_number_of(folder, "errors_total");
        if (total < listed) total = listed;
        size_t shown = all || listed <= TROUBLES_SHOWN ? listed : TROUBLES_SHOWN;
        if (cs_text_of(folder, "error")[0] != '\0') {
            const char *remedy = cs_text_of(folder, "remedy");
            printf("%s: %s%s%s\n", cs_text_of(folder, "id"), cs_text_of(folder, "error"),
                   remedy[0] != '\0' ? "; " : "", remedy);
        }
        for (size_t k = 0; k < shown; k++) {
            print_trouble(folder, json_array_get(errors, k));
        }
        if (total > shown) {
            printf("%s: and %llu more%s\n", cs_text_of(folder, "id"),
                   (unsigned long long)(total - shown),
                   shown < listed ? " (-v shows them)" : "");
        }
    }
}

/* Only what is weaker than it could be, or asked for. */
static void print_watch(const json_t *folder, bool all)
{
    const json_t *watch = json_object_get(folder, "watch");
    if (watch == NULL || cs_text_of(folder, "error")[0] != '\0') return;
    uint64_t watched = cs_number_of(watch, "watched"),
             dirs = cs_number_of(watch, "directories");
    uint64_t stale_s = cs_number_of(watch, "staleness_s");
    const char *id = cs_text_of(folder, "id"), *scan = cs_text_of(watch, "scan");
    const char *next = cs_text_of(watch, "next_scan");
    const char *at = next[0] != '\0' ? ", next at " : "";
    if (watched == 0 && all) {
        printf("%s: not watched; changes are found by the scan, %s%s%s\n", id, scan, at, next);
    } else if (watched > 0 && watched < dirs) {
        printf(
            "%s: %llu of %llu directories are watched, changes in the others are found within "
            "%llu s; crdtsync doctor says why\n",
            id, (unsigned long long)watched, (unsigned long long)dirs,
            (unsigned long long)stale_s);
    } else if (watched > 0 && all) {
        printf("%s: all %llu directories are watched, by %s; scan %s%s%s\n", id,
               (unsigned long long)dirs, cs_text_of(watch, "by"), scan, at, next);
    }
}

/* Pauses are always told: somebody may wonder why nothing moves. */
static void print_schedules(const json_t *folder, bool all)
{
    static const struct {
        const char *key, *next, *text;
        bool quiet;
    } schedules[] = {{"verify", "next_verify", "every file is read again", true},
                     {"pause", "next_pause", "pauses", false},
                     {"resume", "next_resume", "goes on", false}};
    const json_t *set = json_object_get(folder, "schedules");
    for (size_t i = 0; i < CS_COUNT_OF(schedules); i++) {
        const char *when = cs_text_of(set, schedules[i].key),
                   *next = cs_text_of(set, schedules[i].next);
        if (when[0] == '\0' || (schedules[i].quiet && !all)) continue;
        printf("%s: %s by its schedule, %s%s%s\n", cs_text_of(folder, "id"), schedules[i].text,
               when, next[0] != '\0' ? ", next at " : "", next);
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

/* A line for each folder that is not as the peer's, and for which that is worth saying. */
static void print_shared(const json_t *peers)
{
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        json_t *folders = json_object_get(peer, "folders"), *folder;
        const char *id;
        json_object_foreach(folders, id, folder)
        {
            cs_buf_t text = {0};
            cs_put_shared(folder, "", "", &text);
            if (text.len == 0) continue;
            cs_print_visible(cs_text_of(peer, "name"));
            printf(": %s: %.*s\n", id, (int)text.len, (const char *)text.data);
            cs_buf_fini(&text);
        }
    }
}

static bool is_ambiguous(const json_t *peers, const char *name)
{
    size_t same = 0;
    for (size_t i = 0; i < json_array_size(peers); i++) {
        same += strcmp(cs_text_of(json_array_get(peers, i), "name"), name) == 0;
    }
    return same > 1;
}

/* The name, the first digits of the id, or both where others have that name. */
static void add_peer(cs_table_t *table, const json_t *peers, const json_t *peer)
{
    char id[CS_SHORT_HASH + 1], text[CS_SHORT_HASH + 80];
    const char *name = cs_text_of(peer, "name");
    cs_short_of(peer, "id", id);
    bool both = name[0] != '\0' && is_ambiguous(peers, name);
    snprintf(text, sizeof text, "%s %s", name, id);
    cs_table_add(table, both ? text : name[0] != '\0' ? name : id);
}

static void print_peers(const json_t *peers)
{
    static const char *const header[] = {"PEER", "STATE", "EQUAL", ">IN", ">OUT", "ENDPOINT"};
    cs_table_t table = cs_table(header, CS_COUNT_OF(header));
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        add_peer(&table, peers, peer);
        cs_table_add(&table, cs_text_of(peer, "state"));
        add_equal(&table, json_object_get(peer, "equal"));
        cs_table_add_bytes(&table, cs_number_of(peer, "bytes_in"));
        cs_table_add_bytes(&table, cs_number_of(peer, "bytes_out"));
        cs_table_add(&table, cs_text_of(peer, "endpoint"));
    }
    if (json_array_size(peers) > 0) putchar('\n');
    if (json_array_size(peers) > 0) {
        cs_table_print(&table, stdout, cs_wants_color(STDOUT_FILENO));
    }
    cs_table_fini(&table);
}

static void print_status(void *arg, const json_t *document)
{
    const cs_run_t *run = arg;
    const json_t *folders = json_object_get(document, "folders");
    print_node(json_object_get(document, "node"));
    print_folders(folders);
    for (size_t i = 0; i < json_array_size(folders); i++) {
        print_watch(json_array_get(folders, i), run->loudness > 0);
        print_schedules(json_array_get(folders, i), run->loudness > 0);
    }
    print_troubles(folders, run->loudness > 0);
    print_peers(json_object_get(document, "peers"));
    print_shared(json_object_get(document, "peers"));
}

int cs_run_status(cs_run_t *run)
{
    if (cs_args_has(&run->args, "watch")) return cs_run_watch(run);
    cs_show_t show = {.item = print_status, .arg = run};
    json_t *request = cs_request_new(run, "status", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}
