/* commands.c - requests: one table of handlers, and those that have not ended. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"

typedef struct command {
    const char *name;
    cs_handler_t *handler;
} command_t;

static const command_t commands[] = {
    {"ping", cs__cmd_ping},
    {"status", cs__cmd_status},
    {"digest", cs__cmd_digest},
    {"ls", cs__cmd_ls},
    {"conflicts", cs__cmd_conflicts},
    {"search", cs__cmd_search},
    {"events", cs__cmd_events},
    {"explain", cs__cmd_explain},
    {"resolve", cs__cmd_resolve},
    {"check", cs__cmd_check},
    {"doctor", cs__cmd_doctor},
    {"scan", cs__cmd_scan},
    {"wait", cs__cmd_wait},
    {"sync", cs__cmd_sync},
    {"held", cs__cmd_held},
    {"held accept", cs__cmd_held_accept},
    {"held reject", cs__cmd_held_reject},
    {"trash", cs__cmd_trash},
    {"trash restore", cs__cmd_trash_restore},
    {"pause", cs__cmd_pause},
    {"resume", cs__cmd_resume},
    {"reincarnate", cs__cmd_reincarnate},
    {"folder add", cs__cmd_folder_add},
    {"folder list", cs__cmd_folder_list},
    {"folder key", cs__cmd_folder_key},
    {"folder set", cs__cmd_folder_set},
    {"folder remove", cs__cmd_folder_remove},
    {"peer add", cs__cmd_peer_add},
    {"peer list", cs__cmd_peer_list},
    {"peer remove", cs__cmd_peer_remove},
    {"invite", cs__cmd_invite},
    {"invite list", cs__cmd_invite_list},
    {"invite revoke", cs__cmd_invite_revoke},
    {"join", cs__cmd_join},
};

int cs__cmd_ping(cs_ask_t *ask)
{
    (void)ask;
    return CS_EXIT_DONE;
}

/* --- answering */

void cs__ask_data(cs_ask_t *ask, cs_json_t *document_p)
{
    ask->reply.data(ask->reply.arg, cs_json_line(document_p));
    cs_json_fini(document_p);
}

int cs__ask_fail(cs_ask_t *ask, int exit_code, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cs_buf_clear(&ask->detail);
    cs_buf_put(&ask->detail, text, strlen(text));
    return exit_code;
}

int cs__exit_code(cs_err_t err)
{
    if (err == CS_OK) return CS_EXIT_DONE;
    if (err == CS_ERR_USAGE) return CS_EXIT_USAGE;
    if (err == CS_ERR_OFFLINE) return CS_EXIT_NO_NODE;
    if (err == CS_ERR_TIMEOUT) return CS_EXIT_TIMEOUT;
    if (err == CS_ERR_REFUSED || err == CS_ERR_HELD) return CS_EXIT_REFUSED;
    return CS_EXIT_FAILED;
}

cs_pending_t *cs__ask_pending(cs_ask_t *ask)
{
    cs_pending_t *pending = cs_pending_new(ask->daemon, &ask->reply);
    ask->handle = pending->handle;
    return pending;
}

/* --- pending requests */

cs_pending_t *cs_pending_new(cs_daemon_t *daemon, const cs_reply_t *reply)
{
    cs_pending_t *pending = cs_calloc(1, sizeof *pending);
    pending->handle = ++daemon->last_handle;
    pending->reply = *reply;
    pending->deadline_ms = UINT64_MAX;
    if (daemon->pending_count == daemon->pending_cap) {
        daemon->pending_cap = cs_grow(daemon->pending_cap, daemon->pending_count + 1);
        daemon->pending =
            cs_realloc_array(daemon->pending, daemon->pending_cap, sizeof(cs_pending_t *));
    }
    daemon->pending[daemon->pending_count++] = pending;
    return pending;
}

cs_pending_t *cs_pending_find(const cs_daemon_t *daemon, uint64_t handle)
{
    for (size_t i = 0; i < daemon->pending_count; i++) {
        if (daemon->pending[i]->handle == handle) return daemon->pending[i];
    }
    return NULL;
}

static void take_out(cs_daemon_t *daemon, cs_pending_t *pending)
{
    size_t i = 0;
    while (daemon->pending[i] != pending) {
        i++;
    }
    daemon->pending_count--;
    memmove(&daemon->pending[i], &daemon->pending[i + 1],
            (daemon->pending_count - i) * sizeof(cs_pending_t *));
    if (pending->arg_free != NULL) pending->arg_free(pending->arg);
    cs_free(pending);
}

void cs_pending_end(cs_daemon_t *daemon, cs_pending_t *pending, int exit_code,
                    const char *error)
{
    cs_reply_t reply = pending->reply;
    char *text = error != NULL && exit_code != CS_EXIT_DONE ? cs_strdup(error) : NULL;
    take_out(daemon, pending); /* first: the asker may begin something else at once */
    reply.end(reply.arg, exit_code, text);
    cs_free(text);
}

void cs_daemon_forget(cs_daemon_t *daemon, uint64_t handle)
{
    cs_pending_t *pending = cs_pending_find(daemon, handle);
    if (pending == NULL) return;
    bool gives_up = pending->gives_up;
    cs_event_t event = {.kind = CS_EV_UNSCAN, .ticket = pending->ticket};
    take_out(daemon, pending);
    if (gives_up && event.ticket != 0) cs_daemon_step(daemon, &event);
}

void cs_commands_fini(cs_daemon_t *daemon)
{
    while (daemon->pending_count > 0) {
        take_out(daemon, daemon->pending[daemon->pending_count - 1]);
    }
    cs_free(daemon->pending);
    daemon->pending = NULL;
    daemon->pending_cap = 0;
}

void cs_commands_check(cs_daemon_t *daemon, uint64_t now_ms)
{
    for (size_t i = 0; i < daemon->pending_count;) {
        cs_pending_t *pending = daemon->pending[i];
        if (pending->check != NULL) {
            pending->check(daemon, pending, now_ms >= pending->deadline_ms);
        }
        if (i < daemon->pending_count && daemon->pending[i] == pending) i++;
    }
}

uint64_t cs_commands_deadline(const cs_daemon_t *daemon)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < daemon->pending_count; i++) {
        if (daemon->pending[i]->deadline_ms < first) first = daemon->pending[i]->deadline_ms;
    }
    return first;
}

/* --- dispatch */

static const command_t *lookup(const char *name)
{
    for (size_t i = 0; name != NULL && i < CS_COUNT_OF(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

const char *cs__ask_word(const cs_ask_t *ask, size_t nth)
{
    const char *name = ask->request != NULL ? cs__ask_text(ask, "cmd") : NULL;
    size_t len = name != NULL ? strlen(name) : 0;
    for (size_t i = 0; len > 0 && i < CS_COUNT_OF(commands); i++) {
        const char *other = commands[i].name;
        bool longer = strncmp(other, name, len) == 0 && other[len] == ' ';
        if (longer && nth-- == 0) return other + len + 1;
    }
    return NULL;
}

static void answer(cs_ask_t *ask, int exit_code)
{
    if (exit_code != CS_EXIT_DONE && ask->detail.len == 0) {
        cs__ask_fail(ask, exit_code, "the request failed");
    }
    cs_buf_put_u8(&ask->detail, 0);
    ask->reply.end(ask->reply.arg, exit_code,
                   exit_code != CS_EXIT_DONE ? (const char *)ask->detail.data : NULL);
}

uint64_t cs_daemon_request(cs_daemon_t *daemon, const json_t *request, const cs_reply_t *reply)
{
    cs_ask_t ask = {.daemon = daemon, .request = request, .reply = *reply};
    const char *name = cs__ask_text(&ask, "cmd");
    const command_t *command = lookup(name);
    int exit_code = CS_EXIT_USAGE;
    if (daemon->stopping) {
        exit_code = cs__ask_fail(&ask, CS_EXIT_FAILED,
                                 "cannot take the request: the node is stopping; try again");
    } else if (command == NULL) {
        cs__ask_fail(&ask, exit_code,
                     "unknown request '%.64s': this node does not know it; start the node of "
                     "this version",
                     name != NULL ? name : "");
    } else {
        exit_code = command->handler(&ask);
    }
    if (exit_code != CS_ASK_LATER) {
        answer(&ask, exit_code);
        ask.handle = 0;
    } else {
        /* Its deadline is to be noticed; and what it waits for may be so already. */
        cs_event_t event = {.kind = CS_EV_TICK};
        cs_daemon_step(daemon, &event);
    }
    cs_buf_fini(&ask.detail);
    return cs_pending_find(daemon, ask.handle) != NULL ? ask.handle : 0;
}
