/* users.h - a user at work in one folder: what people and editors do, and an oracle is told.
 *
 * One thread a user. It saves in place, by temporary file and rename, by backup and write; it
 * creates, moves and deletes files and directories, links, chmods; it swaps a file with its
 * sibling; sometimes it keeps a file open for a while before it writes. Names and lengths are
 * few, so that users meet and look alike.
 *
 * It never unlinks or overwrites by name: a file that the engine put there a moment ago would
 * go unread. Deleting is renaming to a private directory outside the folder, a save by rename
 * is an exchange whose other half goes there too. */
#ifndef CS_TESTS_USERS_H
#define CS_TESTS_USERS_H

#include "support/oracle.h"

typedef struct user user_t;

typedef struct user_plan {
    const char *root; /* the folder */
    const char *away; /* private, on the same file system; the user makes it */
    uint64_t seed;
    unsigned pause_ms; /* the longest between two actions */
    int files_max;     /* more than these: it deletes rather than creates */
} user_plan_t;

/* Starts to work at once. `plan` is copied, its strings are borrowed. */
user_t *user_start(oracle_t *oracle, const user_plan_t *plan);
/* Lets it finish its action. */
void user_stop(user_t **user_p);
/* Actions that succeeded so far. */
unsigned long user_actions(const user_t *user);

#endif
