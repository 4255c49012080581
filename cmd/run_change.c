/* run_change.c - pause, resume, held, reincarnate, and what is forgotten. */
#include <inttypes.h>
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/show.h"

static int ask(const cs_run_t *run, const char *cmd, cs_needs_t needs,
               void (*print)(void *arg, const json_t *document))
{
    json_t *request = cs_request_new(run, cmd, 0);
    cs_show_t show = {.item = run->loudness < 0 ? NULL : print};
    return cs_client_ask(run, &request, needs, &show);
}

/* --- pause and resume */

static void print_paused(void *arg, const json_t *document)
{
    (void)arg;
    bool paused = json_is_true(json_object_get(document, "paused"));
    printf("%s: %s\n", cs_text_of(document, "folder"), paused ? "paused" : "goes on");
}

int cs_run_pause(cs_run_t *run)
{
    return ask(run, "pause", CS_NEEDS_HOME, print_paused);
}

int cs_run_resume(cs_run_t *run)
{
    return ask(run, "resume", CS_NEEDS_HOME, print_paused);
}

/* --- reincarnate */

static void print_replica(void *arg, const json_t *document)
{
    (void)arg;
    printf("%s: replica %s from now on\n", cs_text_of(document, "folder"),
           cs_text_of(document, "replica"));
}

int cs_run_reincarnate(cs_run_t *run)
{
    return ask(run, "reincarnate", CS_NEEDS_HOME, print_replica);
}

/* --- held */

static void print_held(void *arg, const json_t *document)
{
    bool *any = arg;
    if (!json_is_true(json_object_get(document, "held"))) return;
    *any = true;
    const char *folder = cs_text_of(document, "folder");
    if (cs_number_of(document, "files") > 0) {
        printf("%s: %" PRIu64 " files vanished or were rewritten here\n", folder,
               cs_number_of(document, "files"));
    } else {
        printf("%s: many files of a peer would be deleted there\n", folder);
    }
}

static void print_none(void *arg)
{
    const bool *any = arg;
    if (!*any) fprintf(stderr, "nothing is held\n");
}

int cs_run_held(cs_run_t *run)
{
    bool any = false;
    cs_show_t show = {.item = print_held, .done = print_none, .arg = &any};
    json_t *request = cs_request_new(run, "held", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}

static void print_accepted(void *arg, const json_t *document)
{
    (void)arg;
    printf("%s: %" PRIu64 " removed, %" PRIu64 " changed, %" PRIu64 " moved, %" PRIu64
           " added\n",
           cs_text_of(document, "folder"), cs_number_of(document, "removed"),
           cs_number_of(document, "changed"), cs_number_of(document, "moved"),
           cs_number_of(document, "added"));
}

int cs_run_held_accept(cs_run_t *run)
{
    return ask(run, "held accept", CS_NEEDS_HOME, print_accepted);
}

static void print_rejected(void *arg, const json_t *document)
{
    (void)arg;
    const char *folder = cs_text_of(document, "folder");
    printf(
        "%s: %" PRIu64
        " files are put back as their bytes come, from this disk or from peers; what "
        "they replace goes to the trash (crdtsync wait %s --peers 0 ends when all are there)\n",
        folder, cs_number_of(document, "put_back"), folder);
}

int cs_run_held_reject(cs_run_t *run)
{
    return ask(run, "held reject", CS_NEEDS_HOME, print_rejected);
}

/* --- removing */

static void print_forgotten(void *arg, const json_t *document)
{
    (void)arg;
    printf("%s: forgotten; its files stay in ", cs_text_of(document, "folder"));
    cs_print_visible(cs_text_of(document, "path"));
    putchar('\n');
}

int cs_run_folder_remove(cs_run_t *run)
{
    return ask(run, "folder remove", CS_NEEDS_HOME, print_forgotten);
}

static void print_cut_off(void *arg, const json_t *document)
{
    (void)arg;
    const char *name = cs_text_of(document, "name");
    cs_print_visible(name[0] != '\0' ? name : cs_text_of(document, "id"));
    printf(": cut off; what it has it keeps, %s\n",
           json_is_true(json_object_get(document, "everywhere"))
               ? "and the other members cut it off as soon as they hear of it"
               : "and other members share with it until they remove it, too");
}

int cs_run_peer_remove(cs_run_t *run)
{
    return ask(run, "peer remove", CS_NEEDS_HOME, print_cut_off);
}
