/* commands_held.c - what a safety brake holds: shown, let pass, or undone. */
#include "io/commands_internal.h"

static const char *held_by(const cs_folder_status_t *status)
{
    if (status->held_files > 0) return "here";
    return status->held_by_peer ? "peer" : NULL;
}

static void put_held(cs_json_t *json, const cs_folder_status_t *status)
{
    cs_json_put_bool(json, "held", held_by(status) != NULL);
    cs_json_put_text(json, "by", held_by(status));
    cs_json_put_u64(json, "files", status->held_files);
}

int cs__cmd_held(cs_ask_t *ask)
{
    return cs__ask_each_folder(ask, put_held);
}

static const cs_mounted_t *the_folder(cs_ask_t *ask, cs_folder_status_t *ret)
{
    cs_arg_t arg;
    if (!cs__ask_arg(ask, 0, &arg)) {
        cs__ask_fail(ask, CS_EXIT_USAGE,
                     "cannot decide: no folder is given; name the one that is held");
        return NULL;
    }
    const cs_mounted_t *folder = cs__ask_folder(ask, &arg);
    cs__arg_fini(&arg);
    if (folder == NULL) return NULL;
    if (cs_node_folder_status(ask->daemon->node, folder->record.number, ret)) return folder;
    cs__ask_fail(ask, CS_EXIT_FAILED,
                 "cannot decide about folder %s: it is not loaded; see the "
                 "log of the node",
                 folder->record.id);
    return NULL;
}

/* The scan that follows tells what passed. What is held only by now is let pass, too. */
int cs__cmd_held_accept(cs_ask_t *ask)
{
    cs_folder_status_t status;
    const cs_mounted_t *folder = the_folder(ask, &status);
    if (folder == NULL) return CS_EXIT_FAILED;
    cs_event_t event = {
        .kind = CS_EV_RELEASE,
        .folder = folder->record.number,
        .ticket = cs__ask_scans(ask, 1, false),
    };
    cs_daemon_step(ask->daemon, &event);
    return CS_ASK_LATER;
}

int cs__cmd_held_reject(cs_ask_t *ask)
{
    cs_folder_status_t status;
    const cs_mounted_t *folder = the_folder(ask, &status);
    if (folder == NULL) return CS_EXIT_FAILED;
    if (status.held_files == 0 && status.held_by_peer) {
        return cs__ask_fail(
            ask, CS_EXIT_FAILED,
            "cannot reject what is held in folder %s: nothing changed here; a peer has many "
            "files that were deleted since it was last heard of, and they are not deleted "
            "there "
            "before crdtsync held accept %s; copy them there under other names to keep them",
            folder->record.id, folder->record.id);
    }
    if (status.held_files == 0) {
        return cs__ask_fail(ask, CS_EXIT_FAILED,
                            "cannot reject: nothing is held in folder %s; see crdtsync held",
                            folder->record.id);
    }
    cs_event_t event = {
        .kind = CS_EV_REJECT,
        .folder = folder->record.number,
        .ticket = cs__ask_scans(ask, 1, true),
    };
    cs_daemon_step(ask->daemon, &event);
    return CS_ASK_LATER;
}
