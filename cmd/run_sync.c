/* run_sync.c - scan, sync --once and wait. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "io/strings.h"

static void print_scan(void *arg, const json_t *document)
{
    (void)arg;
    printf("%s: %" PRIu64 " added, %" PRIu64 " changed, %" PRIu64 " moved, %" PRIu64
           " removed, %" PRIu64 " unchanged (%.2f s)\n",
           json_string_value(json_object_get(document, "folder")),
           cs_number_of(document, "added"), cs_number_of(document, "changed"),
           cs_number_of(document, "moved"), cs_number_of(document, "removed"),
           cs_number_of(document, "unchanged"),
           json_number_value(json_object_get(document, "seconds")));
    const json_t *errors = json_object_get(document, "errors");
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *item = json_array_get(errors, i);
        printf("  left alone, %s: ", json_string_value(json_object_get(item, "reason")));
        cs_print_visible(json_string_value(json_object_get(item, "path")));
        putchar('\n');
    }
}

int cs_run_scan(cs_run_t *run)
{
    json_t *request = cs_request_new(run, "scan", 0);
    if (cs_args_has(&run->args, "full")) json_object_set_new(request, "full", json_true());
    cs_show_t show = {.item = run->loudness < 0 ? NULL : print_scan};
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}

/* --- sync */

static void print_synced(void *arg, const json_t *document)
{
    (void)arg;
    const json_t *peers = json_object_get(document, "peers");
    printf("%s: %s", json_string_value(json_object_get(document, "folder")),
           json_string_value(json_object_get(document, "state")));
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *peer = json_array_get(peers, i);
        bool reached = json_is_true(json_object_get(peer, "reached"));
        bool equal = json_is_true(json_object_get(peer, "equal"));
        printf(i == 0 ? "; " : ", ");
        cs_print_visible(json_string_value(json_object_get(peer, "name")));
        printf(" %s", !reached ? "was not reached" : equal ? "is equal" : "differs");
    }
    putchar('\n');
}

int cs_run_sync(cs_run_t *run)
{
    if (!cs_args_has(&run->args, "once")) {
        cs_complain(
            "wrong usage: sync goes on for ever in a node; give --once for one time, or "
            "start one with: crdtsync node");
        return CS_EXIT_USAGE;
    }
    json_t *request = cs_request_new(run, "sync", 0);
    if (!cs_request_timeout(run, request)) {
        json_decref(request);
        return CS_EXIT_USAGE;
    }
    cs_show_t show = {.item = run->loudness < 0 ? NULL : print_synced};
    return cs_client_ask(run, &request, CS_NEEDS_NETWORK, &show);
}

int cs_run_wait(cs_run_t *run)
{
    json_t *request = cs_request_new(run, "wait", 0);
    const char *peers = cs_args_value(&run->args, "peers");
    uint32_t count;
    if (peers != NULL && !cs_parse_u32(peers, 0, UINT32_MAX, &count)) {
        cs_complain("wrong usage: --peers '%s' is no number; give one", peers);
        json_decref(request);
        return CS_EXIT_USAGE;
    }
    if (peers != NULL) json_object_set_new(request, "peers", json_integer(count));
    if (!cs_request_timeout(run, request)) {
        json_decref(request);
        return CS_EXIT_USAGE;
    }
    return cs_client_ask(run, &request, CS_NEEDS_NODE, NULL);
}
