/* run_change.c - pause, resume, held, reincarnate, and what is forgotten. */
#include <stdio.h>

#include "cmd/client.h"
#include "cmd/table.h"

static const char *text_of(const json_t *document, const char *key)
{
    const char *text = json_string_value(json_object_get(document, key));
    return text != NULL ? text : "";
}

static long long number_of(const json_t *document, const char *key)
{
    return (long long)json_integer_value(json_object_get(document, key));
}

static void print_visible(const char *text)
{
    cs_buf_t buf = {0};
    cs_put_visible(&buf, text);
    fwrite(buf.data, 1, buf.len, stdout);
    cs_buf_fini(&buf);
}

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
    printf("%s: %s\n", text_of(document, "folder"), paused ? "paused" : "goes on");
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
    printf("%s: replica %s from now on\n", text_of(document, "folder"),
           text_of(document, "replica"));
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
    const char *folder = text_of(document, "folder");
    if (number_of(document, "files") > 0) {
        printf("%s: %lld files vanished or were rewritten here\n", folder,
               number_of(document, "files"));
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
    printf("%s: %lld removed, %lld changed, %lld moved, %lld added\n",
           text_of(document, "folder"), number_of(document, "removed"),
           number_of(document, "changed"), number_of(document, "moved"),
           number_of(document, "added"));
}

int cs_run_held_accept(cs_run_t *run)
{
    return ask(run, "held accept", CS_NEEDS_HOME, print_accepted);
}

static void print_rejected(void *arg, const json_t *document)
{
    (void)arg;
    const char *folder = text_of(document, "folder");
    printf(
        "%s: %lld files are put back as their bytes come, from this disk or from peers; what "
        "they replace goes to the trash (crdtsync wait %s --peers 0 ends when all are there)\n",
        folder, number_of(document, "put_back"), folder);
}

int cs_run_held_reject(cs_run_t *run)
{
    return ask(run, "held reject", CS_NEEDS_HOME, print_rejected);
}

/* --- removing */

static void print_forgotten(void *arg, const json_t *document)
{
    (void)arg;
    printf("%s: forgotten; its files stay in ", text_of(document, "folder"));
    print_visible(text_of(document, "path"));
    putchar('\n');
}

int cs_run_folder_remove(cs_run_t *run)
{
    return ask(run, "folder remove", CS_NEEDS_HOME, print_forgotten);
}

static void print_cut_off(void *arg, const json_t *document)
{
    (void)arg;
    const char *name = text_of(document, "name");
    print_visible(name[0] != '\0' ? name : text_of(document, "id"));
    printf(": cut off; what it has it keeps, and other members share with it until they remove "
           "it, too\n");
}

int cs_run_peer_remove(cs_run_t *run)
{
    return ask(run, "peer remove", CS_NEEDS_HOME, print_cut_off);
}
