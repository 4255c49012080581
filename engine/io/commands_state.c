/* commands_state.c - pause, resume, reincarnate: a folder is told to stop, to go on, or to
 * begin anew under another replica id. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"

/* --- pause and resume */

static void answer_state(cs_ask_t *ask, const cs_mounted_t *folder)
{
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "folder", folder->record.id);
    cs_json_put_bool(&json, "paused", folder->record.paused);
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
}

static int pause_folders(cs_ask_t *ask, bool on)
{
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    int exit_code = cs__ask_folders(ask, &folders, &count);
    for (size_t i = 0; exit_code == CS_EXIT_DONE && i < count; i++) {
        exit_code =
            cs__exit_code(cs_daemon_set_paused(ask->daemon, folders[i], on, &ask->detail));
        if (exit_code == CS_EXIT_DONE) answer_state(ask, folders[i]);
    }
    cs_free(folders);
    return exit_code;
}

int cs__cmd_pause(cs_ask_t *ask)
{
    return pause_folders(ask, true);
}

int cs__cmd_resume(cs_ask_t *ask)
{
    return pause_folders(ask, false);
}

/* --- reincarnate */

typedef struct reborn {
    char (*folder)[CS_ID_TEXT]; /* owned; ids */
    size_t count;
} reborn_t;

static void reborn_free(void *arg)
{
    reborn_t *reborn = arg;
    cs_free(reborn->folder);
    cs_free(reborn);
}

static void answer_replica(cs_daemon_t *daemon, const cs_pending_t *pending, const char *id)
{
    cs_folder_status_t status;
    if (cs__folder_still(daemon, id, &status) == NULL) return;
    char rid[17];
    snprintf(rid, sizeof rid, "%016llx", (unsigned long long)status.state->rid);
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "folder", id);
    cs_json_put_text(&json, "replica", rid);
    cs_json_end(&json, '}');
    pending->reply.data(pending->reply.arg, cs_json_line(&json));
    cs_json_fini(&json);
}

/* Nothing is told before the new ids are on disk. */
static void check_reborn(cs_daemon_t *daemon, cs_pending_t *pending, bool expired)
{
    const reborn_t *reborn = pending->arg;
    (void)expired; /* it has no limit of its own */
    for (size_t i = 0; i < reborn->count; i++) {
        cs_folder_status_t status;
        bool is_there = cs__folder_still(daemon, reborn->folder[i], &status) != NULL;
        if (is_there && !status.durable) return;
    }
    for (size_t i = 0; i < reborn->count; i++) {
        answer_replica(daemon, pending, reborn->folder[i]);
    }
    cs_pending_end(daemon, pending, CS_EXIT_DONE, NULL);
}

int cs__cmd_reincarnate(cs_ask_t *ask)
{
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    int exit_code = cs__ask_folders(ask, &folders, &count);
    if (exit_code == CS_EXIT_DONE && count > 0) {
        reborn_t *reborn = cs_calloc(1, sizeof *reborn);
        reborn->folder = cs_calloc(count, sizeof *reborn->folder);
        reborn->count = count;
        for (size_t i = 0; i < count; i++) {
            memcpy(reborn->folder[i], folders[i]->record.id, CS_ID_TEXT);
            cs_event_t event = {.kind = CS_EV_REINCARNATE, .folder = folders[i]->record.number};
            cs_daemon_step(ask->daemon, &event);
        }
        cs_pending_t *pending = cs__ask_pending(ask);
        pending->arg = reborn;
        pending->arg_free = reborn_free;
        pending->check = check_reborn;
        exit_code = CS_ASK_LATER;
    }
    cs_free(folders);
    return exit_code;
}
