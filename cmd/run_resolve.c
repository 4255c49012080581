/* run_resolve.c - resolve: one conflict ends. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/show.h"
#include "io/request.h"

static void print_list(const json_t *document, const char *key, const char *word)
{
    const json_t *list = json_object_get(document, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        printf("%s ", word);
        if (json_object_get(item, "from") != NULL) {
            cs_print_visible(cs_text_of(item, "from"));
            printf(" -> ");
            cs_print_visible(cs_text_of(item, "to"));
        } else {
            cs_print_visible(cs_text_of(item, "path"));
        }
        putchar('\n');
    }
}

static void print_result(void *arg, const json_t *document)
{
    (void)arg;
    if (json_object_get(document, "kept") != NULL) {
        printf("replaced ");
        cs_print_visible(cs_text_of(document, "path"));
        printf(" by ");
        cs_print_visible(cs_text_of(document, "kept"));
        putchar('\n');
    }
    print_list(document, "removed", "removed");
    print_list(document, "renamed", "renamed");
}

int cs_run_resolve(cs_run_t *run)
{
    const char *keep = cs_args_value(&run->args, "keep");
    if (keep == NULL || keep[0] == '\0') {
        cs_complain(
            "wrong usage: --keep is missing; give shown, all, or the name of a sibling");
        return CS_EXIT_USAGE;
    }
    const char *const args[] = {run->args.rest[0], keep};
    json_t *request = cs_request("resolve", args, CS_COUNT_OF(args));
    cs_show_t show = {.item = run->loudness < 0 ? NULL : print_result};
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}
