/* run_explain.c - explain: why a path looks as it does, in sentences. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/show.h"

static void print_holders(const json_t *version)
{
    const json_t *from = json_object_get(version, "from");
    uint64_t missing = cs_number_of(version, "bytes_missing");
    if (json_array_size(from) == 0 && missing == 0) return;
    printf(missing > 0 ? "    missing here: " : "    other members: ");
    if (missing > 0) cs_print_size(missing, 0);
    for (size_t i = 0; i < json_array_size(from); i++) {
        const json_t *member = json_array_get(from, i);
        const char *has = cs_text_of(member, "has");
        if (i > 0 || missing > 0) printf(i == 0 ? "; " : ", ");
        cs_print_visible(cs_text_of(member, "name"));
        printf("%s%s",
               has[0] == 'y'   ? " has it"
               : has[0] == 'n' ? " has it not"
                               : " may have it",
               cs_true_of(member, "connected") ? "" : " (not connected)");
    }
    putchar('\n');
}

static void print_context(const json_t *context)
{
    for (size_t i = 0; i < json_array_size(context); i++) {
        printf(i == 0 ? "    knows of what was done before: up to %s" : ", %s",
               json_string_value(json_array_get(context, i)));
    }
    if (json_array_size(context) > 0) putchar('\n');
}

static void print_writing(const json_t *writing)
{
    const json_t *moved = json_object_get(writing, "moved");
    printf("    dot %s, written by ", cs_text_of(writing, "dot"));
    cs_print_visible(cs_text_of(writing, "by"));
    if (cs_text_of(writing, "written_at")[0] != '\0') {
        printf(" at ");
        cs_print_visible(cs_text_of(writing, "written_at"));
        printf(", height %llu", (unsigned long long)cs_number_of(writing, "height"));
    }
    putchar('\n');
    print_context(json_object_get(writing, "context"));
    if (moved == NULL) return;
    printf("    moved ");
    if (cs_text_of(moved, "from")[0] != '\0') {
        printf("from ");
        cs_print_visible(cs_text_of(moved, "from"));
        putchar(' ');
    }
    printf("to ");
    cs_print_visible(cs_text_of(moved, "to"));
    printf(" by ");
    cs_print_visible(cs_text_of(moved, "by"));
    printf(", height %llu, dot %s\n", (unsigned long long)cs_number_of(moved, "height"),
           cs_text_of(moved, "dot"));
}

static void print_version(const json_t *version)
{
    const json_t *writings = json_object_get(version, "writings");
    char hash[CS_SHORT_HASH + 1];
    cs_short_of(version, "content", hash);
    printf("  ");
    cs_print_visible(cs_text_of(version, "path"));
    printf(": %s, ", cs_text_of(version, "kind"));
    cs_print_size(cs_number_of(version, "size"), 0);
    if (hash[0] != '\0') printf(", content %s", hash);
    if (cs_text_of(version, "mode")[0] != '\0') {
        printf(", mode %s", cs_text_of(version, "mode"));
    }
    printf(", by ");
    cs_print_visible(cs_text_of(version, "by"));
    printf(": %s\n    %s: %s\n", cs_text_of(version, "state"),
           cs_true_of(version, "shown") ? "has the name" : "stands beside it",
           cs_text_of(version, "rule"));
    for (size_t i = 0; i < json_array_size(writings); i++) {
        print_writing(json_array_get(writings, i));
    }
    print_holders(version);
}

static void print_ignored(const json_t *rule)
{
    if (!json_is_object(rule)) return;
    printf("  %s by rule '", cs_true_of(rule, "ignored") ? "ignored" : "taken back in");
    cs_print_visible(cs_text_of(rule, "rule"));
    printf("' in line %llu of ", (unsigned long long)cs_number_of(rule, "line"));
    cs_print_visible(cs_text_of(rule, "file"));
    printf(", which matches ");
    cs_print_visible(cs_text_of(rule, "path"));
    putchar('\n');
}

static void print_explained(void *arg, const json_t *document)
{
    (void)arg;
    const json_t *versions = json_object_get(document, "versions");
    cs_print_visible(cs_text_of(document, "path"));
    printf(" in folder %s (%s): %s\n", cs_text_of(document, "folder"),
           cs_text_of(document, "folder_state"), cs_text_of(document, "state"));
    if (cs_text_of(document, "error")[0] != '\0') {
        printf("  it could not be taken over: %s\n", cs_text_of(document, "error"));
    }
    if (cs_text_of(document, "beside")[0] != '\0') {
        printf("  a sibling: it stands beside ");
        cs_print_visible(cs_text_of(document, "beside"));
        putchar('\n');
    }
    print_ignored(json_object_get(document, "ignored"));
    for (size_t i = 0; i < json_array_size(versions); i++) {
        print_version(json_array_get(versions, i));
    }
}

int cs_run_explain(cs_run_t *run)
{
    cs_show_t show = {.item = print_explained};
    json_t *request = cs_request_new(run, "explain", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}
