/* commands_remove.c - folder remove and peer remove: what a home is told to forget. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/standing_text.h"
#include "io/suggest.h"

/* --- folder */

/* Nobody comes in by them any more. */
static cs_err_t revoke_invites(cs_ask_t *ask, const char *folder)
{
    cs_home_t *home = ask->daemon->home;
    cs_invite_record_t *invites = NULL;
    size_t count = 0;
    cs_err_t err = cs_home_invites(home, &invites, &count, &ask->detail);
    for (size_t i = 0; err == CS_OK && i < count; i++) {
        if (strcmp(invites[i].folder, folder) != 0) continue;
        err = cs_home_invite_remove(home, invites[i].key, &ask->detail);
    }
    cs_home_invites_free(&invites, count);
    cs_daemon_invites_changed(ask->daemon);
    return err;
}

/* Another folder of this name, some day, is not theirs by itself. */
static cs_err_t withdraw_rights(cs_ask_t *ask, const char *folder)
{
    cs_home_t *home = ask->daemon->home;
    cs_peer_record_t *peers = NULL;
    size_t count = 0;
    cs_err_t err = cs_home_peers(home, &peers, &count, &ask->detail);
    for (size_t i = 0; err == CS_OK && i < count; i++) {
        if (!cs_strings_has(&peers[i].folders, folder)) continue;
        cs_strings_drop(&peers[i].folders, folder);
        err = cs_home_peer_put(home, &peers[i], &ask->detail);
    }
    cs_home_peers_free(&peers, count);
    return err;
}

typedef struct removal {
    uint32_t number;
    cs_json_t answer; /* owned */
} removal_t;

static void removal_free(void *arg)
{
    removal_t *removal = arg;
    cs_json_fini(&removal->answer);
    cs_free(removal);
}

static void check_removed(cs_daemon_t *daemon, cs_pending_t *pending, bool expired)
{
    const removal_t *removal = pending->arg;
    (void)expired; /* it has no limit of its own */
    if (cs_daemon_is_leaving(daemon, removal->number)) return;
    pending->reply.data(pending->reply.arg, cs_json_line(&removal->answer));
    cs_pending_end(daemon, pending, CS_EXIT_DONE, NULL);
}

static void put_removed(cs_json_t *json, const cs_folder_record_t *record)
{
    cs_json_begin(json, '{');
    cs_json_put_text(json, "folder", record->id);
    cs_json_put_path(json, "path", cs_slice_text(record->path));
    cs_json_end(json, '}');
}

/* Also one whose state could not be loaded. */
static cs_mounted_t *find_folder(cs_ask_t *ask, const cs_arg_t *arg)
{
    cs_mounted_t *folder = cs_daemon_folder(ask->daemon, arg->raw);
    bool broken = folder != NULL && !folder->loaded && !folder->leaving;
    return broken ? folder : cs__ask_folder(ask, arg);
}

/* What it is asked for first can be asked for again: its record goes last. Then it is
 * forgotten, whether the asker waits for the end or not. */
int cs__cmd_folder_remove(cs_ask_t *ask)
{
    cs_arg_t arg;
    if (!cs__ask_arg(ask, 0, &arg)) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot remove a folder: none is given; name one");
    }
    cs_mounted_t *folder = find_folder(ask, &arg);
    cs__arg_fini(&arg);
    if (folder == NULL) return CS_EXIT_FAILED;
    const char *id = folder->record.id;
    cs_err_t err = revoke_invites(ask, id);
    if (err == CS_OK) err = withdraw_rights(ask, id);
    if (err == CS_OK) err = cs_home_folder_remove(ask->daemon->home, id, &ask->detail);
    if (err != CS_OK) return CS_EXIT_FAILED;

    removal_t *removal = cs_calloc(1, sizeof *removal);
    removal->number = folder->record.number;
    put_removed(&removal->answer, &folder->record);
    cs_pending_t *pending = cs__ask_pending(ask);
    pending->arg = removal;
    pending->arg_free = removal_free;
    cs_daemon_leave(ask->daemon, folder);
    pending->check = check_removed; /* the step that follows looks for the first time */
    return CS_ASK_LATER;
}

/* --- peer */

/* All of it, or as many digits as are shown where names are equal. */
static bool is_id(const cs_peer_record_t *peer, const char *text)
{
    char id[2 * CS_KEY_BYTES + 1];
    size_t len = strlen(text);
    cs_hex(id, peer->key, CS_KEY_BYTES);
    return len >= CS_SHORT_ID_TEXT - 1 && strncasecmp(id, text, len) == 0;
}

/* By its id, the first digits of that, or a name that only one has. False: ask->detail says
 * why. */
static bool find_peer(cs_ask_t *ask, const char *text, const cs_peer_record_t *peers,
                      size_t count, size_t *ret)
{
    const char **names = cs_calloc(count + 1, sizeof *names);
    size_t found = 0, named = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = peers[i].name;
        bool same = is_id(&peers[i], text) || (name != NULL && strcmp(name, text) == 0);
        if (same) *ret = i;
        found += same;
        if (name != NULL) names[named++] = name;
    }
    const char *nearest = cs_suggest(text, names);
    if (found > 1) {
        cs__ask_fail(ask, CS_EXIT_FAILED,
                     "cannot remove peer '%.100s': %zu are called so; give the id, see "
                     "crdtsync peer list",
                     text, found);
    } else if (found == 0 && nearest != NULL) {
        cs__ask_fail(ask, CS_EXIT_FAILED,
                     "cannot remove peer '%.100s': there is none; did you mean '%.100s'? See "
                     "crdtsync peer list",
                     text, nearest);
    } else if (found == 0) {
        cs__ask_fail(ask, CS_EXIT_FAILED,
                     "cannot remove peer '%.100s': there is none; see crdtsync peer list",
                     text);
    }
    cs_free(names);
    return found == 1;
}

/* False: some folder has no word of it that others could hear. */
static bool is_said(const cs_peer_record_t *before, const cs_peer_record_t *now)
{
    bool all = true;
    for (size_t i = 0; i < before->folders.count; i++) {
        cs_standing_t word;
        all = all && cs_standing_get(now, before->folders.at[i], &word) && word.out;
    }
    return all;
}

/* First the words, which are kept as they are said: a crash in between leaves it out of its
 * folders, and the command can be given again. The record stays: members who have not heard of
 * it yet would bring it back by telling of it. */
static int remove_peer(cs_ask_t *ask, const cs_peer_record_t *peer)
{
    cs_home_t *home = ask->daemon->home;
    cs_peer_record_t record = {0};
    cs_daemon_peer_removed(ask->daemon, peer->key, true);
    cs_err_t err = cs_home_peer_get(home, peer->key, &record, &ask->detail);
    if (err == CS_OK) {
        cs_peer_record_remove(&record);
        err = cs_home_peer_put(home, &record, &ask->detail);
    }
    if (err == CS_OK) {
        cs_json_t json = {0};
        cs_json_begin(&json, '{');
        cs_json_put_hex(&json, "id", peer->key, CS_KEY_BYTES);
        cs_json_put_text(&json, "name", peer->name != NULL ? peer->name : "");
        cs_json_put_bool(&json, "everywhere", is_said(peer, &record));
        cs_json_end(&json, '}');
        cs__ask_data(ask, &json);
    }
    cs_peer_record_fini(&record);
    return cs__exit_code(err);
}

int cs__cmd_peer_remove(cs_ask_t *ask)
{
    cs_arg_t arg;
    cs_peer_record_t *peers = NULL;
    size_t count = 0, at = 0;
    if (!cs__ask_arg(ask, 0, &arg)) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot remove a peer: none is given; name one");
    }
    int exit_code = CS_EXIT_FAILED;
    cs_err_t err = cs_home_peers(ask->daemon->home, &peers, &count, &ask->detail);
    if (err == CS_OK && find_peer(ask, arg.raw, peers, count, &at)) {
        exit_code = remove_peer(ask, &peers[at]);
    }
    cs_home_peers_free(&peers, count);
    cs__arg_fini(&arg);
    return exit_code;
}
