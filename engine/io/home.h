/* home.h - a node's directory: who it is, and what it was told (cli.md, "A home").
 *
 *     config           ZPL, the user's: written at init and never again
 *     identity         the secret key
 *     folders/<id>  peers/<key>  invites/<key>     one record each (records.h)
 *     next-folder      the number that the next folder gets
 *     db/  lock  control.sock                      of the node that runs
 *
 * Everything is 0700 or 0600. Records are written whole and atomically and survive the loss of
 * db/. Writers hold the lock; reading needs none. Every failure leaves "what failed: why; what
 * to do" in ret_detail. A file that is not what it should be is CS_ERR_MALFORMED, named with
 * its line. */
#ifndef CS_IO_HOME_H
#define CS_IO_HOME_H

#include "io/config.h"
#include "io/identity.h"
#include "io/records.h"

CS_HEADER_BEGIN

typedef struct cs_home cs_home_t;

/* The home's path: `option`, else $CRDTSYNC_HOME, else $XDG_STATE_HOME/crdtsync, else
 * ~/.local/state/crdtsync; empty variables count as unset. Owned by the caller.
 * CS_ERR_USAGE: none of them is set. */
CS_MUST_USE cs_err_t cs_home_resolve(const char *option, char **ret_path, cs_buf_t *ret_detail);

/* Makes a home with a fresh identity. name NULL: the host's; listen empty: the default.
 * CS_ERR_EXISTS: there is one, untouched. CS_ERR_NOT_EMPTY: the directory holds something else.
 * CS_ERR_USAGE: a bad name or endpoint. */
CS_MUST_USE cs_err_t cs_home_init(const char *path, const char *name,
                                  const cs_strings_t *listen, cs_buf_t *ret_detail);

/* CS_ERR_NOT_FOUND: no home there. CS_ERR_DENIED: the identity can be read by others, too. */
CS_MUST_USE cs_err_t cs_home_open(const char *path, cs_home_t **ret, cs_buf_t *ret_detail);
/* The same in two: without the secret key, which who only asks the node does not need and which
 * takes longer than all else; then that. CS_ERR_MALFORMED: it is none. */
CS_MUST_USE cs_err_t cs_home_find(const char *path, cs_home_t **ret, cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_read_identity(cs_home_t *home, cs_buf_t *ret_detail);
void cs_home_close(cs_home_t **home_p); /* unlocks */

/* Waits for the home's lock. CS_ERR_BUSY after timeout_ms, naming the process that holds it. */
CS_MUST_USE cs_err_t cs_home_lock(cs_home_t *home, uint32_t timeout_ms, cs_buf_t *ret_detail);
void cs_home_unlock(cs_home_t *home); /* not locked: nothing */
/* What whoever waits for the lock is told of its holder, until it is told another (NULL:
 * nothing but who it is). */
void cs_home_lock_note(const cs_home_t *home, const char *text);

const char *cs_home_path(const cs_home_t *home);              /* absolute */
const char *cs_home_db(const cs_home_t *home);                /* path of the database */
const char *cs_home_socket(const cs_home_t *home);            /* path of the control socket */
const cs_identity_t *cs_home_identity(const cs_home_t *home); /* it was read */

/* Reads the file `config` and the environment now. A missing file is an empty one.
 * CS_ERR_MALFORMED: ret_detail names the first mistake and how many there are. */
CS_MUST_USE cs_err_t cs_home_config(const cs_home_t *home, cs_config_t *ret,
                                    cs_buf_t *ret_detail);
/* All mistakes for `config check`; CS_OK if the file could be read. */
CS_MUST_USE cs_err_t cs_home_config_check(const cs_home_t *home, cs_mistakes_t *ret,
                                          cs_buf_t *ret_detail);

/* A number that no folder of this home ever had; needs the lock. */
CS_MUST_USE cs_err_t cs_home_folder_number(cs_home_t *home, uint32_t *ret,
                                           cs_buf_t *ret_detail);

/* Lists are sorted by id or key; free them with the function of the same kind. One bad file
 * fails the list. get: CS_ERR_NOT_FOUND. put: replaces; CS_ERR_USAGE: a text its file cannot
 * hold. put and remove need the lock. */
CS_MUST_USE cs_err_t cs_home_folders(const cs_home_t *home, cs_folder_record_t **ret,
                                     size_t *ret_count, cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_folder_get(const cs_home_t *home, const char *id,
                                        cs_folder_record_t *ret, cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_folder_put(cs_home_t *home, const cs_folder_record_t *record,
                                        cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_folder_remove(cs_home_t *home, const char *id,
                                           cs_buf_t *ret_detail);
void cs_home_folders_free(cs_folder_record_t **records_p, size_t count);

/* Those that are let in; `known`: and those that were, and are not any more. */
CS_MUST_USE cs_err_t cs_home_peers(const cs_home_t *home, cs_peer_record_t **ret,
                                   size_t *ret_count, cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_known(const cs_home_t *home, cs_peer_record_t **ret,
                                   size_t *ret_count, cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_peer_get(const cs_home_t *home, const uint8_t key[CS_KEY_BYTES],
                                      cs_peer_record_t *ret, cs_buf_t *ret_detail);
/* The same; a fresh one, not yet kept, if there is none. */
CS_MUST_USE cs_err_t cs_home_peer_find(const cs_home_t *home, const uint8_t key[CS_KEY_BYTES],
                                       cs_peer_record_t *ret, cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_peer_put(cs_home_t *home, const cs_peer_record_t *record,
                                      cs_buf_t *ret_detail);
void cs_home_peers_free(cs_peer_record_t **records_p, size_t count);

CS_MUST_USE cs_err_t cs_home_invites(const cs_home_t *home, cs_invite_record_t **ret,
                                     size_t *ret_count, cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_invite_get(const cs_home_t *home, const uint8_t key[CS_KEY_BYTES],
                                        cs_invite_record_t *ret, cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_invite_put(cs_home_t *home, const cs_invite_record_t *record,
                                        cs_buf_t *ret_detail);
CS_MUST_USE cs_err_t cs_home_invite_remove(cs_home_t *home, const uint8_t key[CS_KEY_BYTES],
                                           cs_buf_t *ret_detail);
void cs_home_invites_free(cs_invite_record_t **records_p, size_t count);

CS_HEADER_END

#endif
