/* commands_internal.h - a request inside the daemon, and what its handlers share. Private to
 * commands*.c.
 *
 * {"cmd": NAME, "args": [{"raw","abs","real"}...], options...}. Arguments are bytes, in hex:
 * as typed, made absolute with links resolved up to the last component, and with all links
 * resolved (absent if that cannot be done). */
#ifndef CS_IO_COMMANDS_INTERNAL_H
#define CS_IO_COMMANDS_INTERNAL_H

#include "io/daemon_internal.h"
#include "io/exit_codes.h"
#include "io/json_out.h"

#define CS_ASK_LATER (-1) /* not an exit code: a pending request will end it */

typedef struct cs_ask {
    cs_daemon_t *daemon;
    const json_t *request;
    cs_reply_t reply;
    cs_buf_t detail; /* what failed: why; what to do. Not NUL-terminated */
    uint64_t handle; /* of the pending request, 0: none */
} cs_ask_t;

/* The exit code; detail is set unless it is 0. */
typedef int cs_handler_t(cs_ask_t *ask);

cs_handler_t cs__cmd_status, cs__cmd_digest, cs__cmd_ls, cs__cmd_conflicts, cs__cmd_search;
cs_handler_t cs__cmd_events, cs__cmd_explain, cs__cmd_resolve, cs__cmd_check;
cs_handler_t cs__cmd_doctor;
cs_handler_t cs__cmd_pause, cs__cmd_resume, cs__cmd_reincarnate;
cs_handler_t cs__cmd_folder_remove, cs__cmd_peer_remove;
cs_handler_t cs__cmd_sync, cs__cmd_held_reject, cs__cmd_trash, cs__cmd_trash_restore;
cs_handler_t cs__cmd_scan, cs__cmd_held, cs__cmd_held_accept, cs__cmd_wait, cs__cmd_ping;
cs_handler_t cs__cmd_folder_add, cs__cmd_folder_list, cs__cmd_folder_key, cs__cmd_folder_set;
cs_handler_t cs__cmd_peer_add, cs__cmd_peer_list;
cs_handler_t cs__cmd_invite, cs__cmd_invite_list, cs__cmd_invite_revoke, cs__cmd_join;

/* The nth word that may follow the command's own, as `list` does `invite`; NULL: no more. */
const char *cs__ask_word(const cs_ask_t *ask, size_t nth);

/* --- answering */
void cs__ask_data(cs_ask_t *ask, cs_json_t *document_p); /* sends and frees it */
int cs__ask_fail(cs_ask_t *ask, int exit_code, const char *format, ...) CS_PRINTF(3, 4);
int cs__exit_code(cs_err_t err);
/* A request that goes on after its handler; the handler then returns CS_ASK_LATER. */
cs_pending_t *cs__ask_pending(cs_ask_t *ask);

/* What to tell of a scan that failed: of the folder with this id and path. */
void cs__scan_failed(const char *folder, const char *path, cs_err_t err, char *ret,
                     size_t ret_bytes);
/* A pending request that ends when so many folders have answered the ticket that it returns. */
uint64_t cs__ask_scans(cs_ask_t *ask, size_t folders, bool puts_back);

/* --- long answers (commands_turns.c) */
#define CS_TURN_MORE (-2) /* not an exit code: there is more to say */
/* Says a part of the answer, up to about until_ms: CS_TURN_MORE, or the exit code with
 * ask->detail as of a handler. There is no ask->request any more. What it walks through may
 * have changed since, folders may have been removed. */
typedef int cs_turn_t(cs_ask_t *ask, void *state, uint64_t until_ms);
/* What a handler returns that answers in turns. The state is freed at the end. */
int cs__ask_turns(cs_ask_t *ask, cs_turn_t *turn, void *state, void (*state_free)(void *state));
bool cs__turn_is_over(uint64_t until_ms);

/* --- answers that need the disk (commands_work.c) */
typedef struct cs_work {
    void *state;              /* owned */
    void (*run)(void *state); /* in a worker: touches nothing but the state */
    /* Then, on the reactor's thread, as a turn. CS_TURN_MORE: run again; CS_ASK_LATER:
     * something else ends the pending request ask->handle. */
    int (*finish)(cs_ask_t *ask, void *state);
    void (*state_free)(void *state);
} cs_work_t;
/* What a handler returns that waits for a worker. */
int cs__ask_work(cs_ask_t *ask, const cs_work_t *work);

/* --- options */
const char *cs__ask_text(const cs_ask_t *ask, const char *key); /* NULL: not given */
uint64_t cs__ask_u64(const cs_ask_t *ask, const char *key, uint64_t otherwise);
bool cs__ask_flag(const cs_ask_t *ask, const char *key);
/* An array of texts; ret zero-initialised. */
void cs__ask_texts(const cs_ask_t *ask, const char *key, cs_strings_t *ret);

/* --- arguments */
typedef struct cs_arg {
    char *raw, *abs, *real; /* owned; abs and real may be NULL */
} cs_arg_t;

size_t cs__ask_arg_count(const cs_ask_t *ask);
bool cs__ask_arg(const cs_ask_t *ask, size_t index, cs_arg_t *ret); /* false: not there */
void cs__arg_fini(cs_arg_t *arg);

/* The folder that an argument names: an id, or, with a '/', the path of something in it. NULL:
 * ask->detail says why. */
cs_mounted_t *cs__ask_folder(cs_ask_t *ask, const cs_arg_t *arg);
/* The folder that something lies in, whatever its name looks like. */
cs_mounted_t *cs__ask_folder_at(cs_ask_t *ask, const cs_arg_t *arg);
/* Path inside the folder; empty: its root. false: it lies outside, ask->detail says so. */
bool cs__ask_path_in(cs_ask_t *ask, const cs_mounted_t *folder, const cs_arg_t *arg,
                     cs_buf_t *ret);
/* The argument is a path of something in a folder, whatever it looks like; ret: inside of it,
 * not its root. NULL: ask->detail says why. */
cs_mounted_t *cs__ask_path(cs_ask_t *ask, size_t index, cs_buf_t *ret);
/* The folder of the first argument, or all; *ret is owned (the array only). The exit code. */
int cs__ask_folders(cs_ask_t *ask, cs_mounted_t ***ret, size_t *ret_count);
/* An object with "folder" and what `put` adds, for the folder of the first argument or for each
 * that is loaded. The exit code. */
int cs__ask_each_folder(cs_ask_t *ask,
                        void (*put)(cs_json_t *json, const cs_folder_status_t *status));
/* The same as numbers, which outlast a turn; *ret is owned. */
int cs__ask_folder_numbers(cs_ask_t *ask, uint32_t **ret, size_t *ret_count);
/* NULL: it was removed, or could not be loaded. */
cs_mounted_t *cs__folder_numbered(cs_daemon_t *daemon, uint32_t number);
/* Also NULL: the node does not know it. For requests that outlast their handler. */
const cs_mounted_t *cs__folder_still(cs_daemon_t *daemon, const char *id,
                                     cs_folder_status_t *ret);

/* --- shared by views */
/* Name of the member with this replica id (also this node's), else the id in hex. */
void cs__member_name(cs_daemon_t *daemon, const cs_mounted_t *folder, uint64_t rid,
                     char ret[65]);
/* Who wrote the version: of several that wrote the same bytes, the first. */
void cs__item_author(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_item_t *item,
                     char ret[65]);
/* Is anything missing on this disk? Then it is told, after a comma if there is something
 * before.
 */
bool cs__missing_here(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_buf_t *ret_missing);
void cs__name_missing(cs_daemon_t *daemon, const cs_mounted_t *folder,
                      const cs_report_t *report, cs_buf_t *ret_missing);
#define CS_SHORT_ID_TEXT 9u /* with its NUL: the first digits of a key */
void cs__short_id(const uint8_t *key, char ret[CS_SHORT_ID_TEXT]);
/* Name of the peer with this key as its record has it, else its first digits. */
void cs__peer_name(const cs_daemon_t *daemon, const uint8_t *key, char ret[65]);
void cs__put_troubles(cs_json_t *json, const cs_troubles_t *troubles);
const char *cs__kind_text(uint8_t kind);                            /* cs_kind_t */
void cs__put_content(cs_json_t *json, const cs_content_t *content); /* "content" */
void cs__put_mode(cs_json_t *json, uint8_t kind, uint16_t mode);    /* "mode" */
/* "content", "size", "by" */
void cs__put_version(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_item_t *item,
                     cs_json_t *json);
/* One writing of the bytes, as an object: its dot, by whom, and how it came to this path. */
void cs__put_writing(cs_daemon_t *daemon, const cs_mounted_t *folder, const cs_back_t *back,
                     cs_json_t *json);
/* "id", "name", "state", "endpoint" */
/* "equal" and "folders": how the peer is with each folder that it shares. */
void cs__put_shared(cs_daemon_t *daemon, const uint8_t *key, cs_json_t *json);
void cs__put_peer(cs_daemon_t *daemon, const cs_peer_record_t *peer, cs_json_t *json);
/* Also where no node runs: then nothing is under way. False: it could not be loaded. */
CS_MUST_USE bool cs__folder_status(cs_daemon_t *daemon, const cs_mounted_t *folder,
                                   cs_folder_status_t *ret);
uint64_t cs__count_conflicts(const cs_items_t *siblings); /* paths they stand beside */
int cs__index_failed(cs_ask_t *ask, const cs_mounted_t *folder, cs_err_t err);

/* commands_watch.c: the key "schedules" of a folder: those that are set, without that of scans,
 * and when each is due next. */
void cs__put_schedules(const cs_daemon_t *daemon, const cs_mounted_t *folder, cs_json_t *json);
/* The key "watch" of a folder. dirs: without the root. */
void cs__put_watch(cs_daemon_t *daemon, const cs_mounted_t *folder, uint64_t dirs,
                   cs_json_t *json);

#endif
