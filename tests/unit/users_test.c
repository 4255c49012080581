/* users_test.c - a user loses nothing by himself: alone in a folder, all that is owed is there.
 */
#include "support/users.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "support/seed.h"
#include "support/support.h"
#include "support/user_files.h"

#define ACTIONS 800

Test(users, alone_in_a_folder_everything_owed_is_there)
{
    tmp_t tmp = tmp_new();
    char root[300], away[300];
    snprintf(root, sizeof root, "%s/root", tmp.path);
    snprintf(away, sizeof away, "%s/away", tmp.path);
    cr_assert(mkdir(root, 0755) == 0);
    oracle_t *oracle = oracle_new();
    user_t *user = user_start(oracle, &(user_plan_t){.root = root,
                                                     .away = away,
                                                     .seed = test_seed("users"),
                                                     .pause_ms = 0,
                                                     .files_max = 60});
    while (user_actions(user) < ACTIONS)
        poll(NULL, 0, 1);
    user_stop(&user);
    const char *roots[] = {root};
    oracle_take_away(oracle, away);
    oracle_verdict_t verdict = oracle_judge(oracle, roots, 1);
    fprintf(stderr, "users: %u saved, %u owed\n", verdict.saved, verdict.owed);
    cr_assert(verdict.missing == 0 && verdict.missing_late == 0 && verdict.late == 0);
    cr_assert(verdict.owed > 0 && verdict.owed < verdict.saved);

    file_list_t files = {0};
    file_list(root, &files);
    cr_assert(verdict.owed == files.count, "nothing is there twice, nothing unknown");
    file_list_fini(&files);
    oracle_destroy(&oracle);
    tmp_remove(&tmp);
}
