/* history_test.c - the notation of test vectors does on disk what it says. */
#include "support/history.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "support/support.h"

static tmp_t tmp;
static wanted_t wanted;
static char found[1024];

static void set_up(void)
{
    uint8_t secret[CS_SECRET_BYTES] = {9};
    tmp = tmp_new();
    wanted_search(&wanted, secret, "c0 cA cB keep");
}

static void tear_down(void)
{
    tmp_remove(&tmp);
}

TestSuite(history, .init = set_up, .fini = tear_down);

static bool shows(const char *tree)
{
    return history_shows(&wanted, tmp.path, tree, found, sizeof found);
}

Test(history, a_tree_that_was_made_is_shown)
{
    history_make(&wanted, tmp.path, "r.txt=c0 d/x=cA e/");
    cr_assert(shows("d/x=cA e/ r.txt=c0"), "found: %s", found);
    cr_assert(!shows("d/x=cA r.txt=c0"), "an empty directory counts");
    cr_assert(!shows("d/x=cA e/ r.txt=c0 z=c0"), "a missing file");
    cr_assert(!shows("d/x=cB e/ r.txt=c0"), "other bytes");
    cr_assert(!shows("d/x=cA e/ r.txt=c0*"), "another mode");
}

Test(history, plays_one_stage_at_a_time)
{
    const char *history = "mv r.txt q.txt, put r.txt cA 600; chmod 755 q.txt; rm r.txt; rmr d";
    cr_assert(history_stages(history) == 4 && history_stages("") == 0);
    history_make(&wanted, tmp.path, "r.txt=c0 d/x=cA");
    history_play(&wanted, tmp.path, history, 0);
    cr_assert(shows("q.txt=c0 r.txt=cA- d/x=cA"), "found: %s", found);
    history_play(&wanted, tmp.path, history, 1);
    cr_assert(shows("q.txt=c0* r.txt=cA- d/x=cA"), "found: %s", found);
    history_play(&wanted, tmp.path, history, 2);
    history_play(&wanted, tmp.path, history, 3);
    history_play(&wanted, tmp.path, history, 4);
    cr_assert(shows("q.txt=c0*"), "found: %s", found);
}

Test(history, tags_are_expanded_in_paths)
{
    char tree[100];
    history_make(&wanted, tmp.path, "r.conflict-#cA.txt=cA");
    snprintf(tree, sizeof tree, "r.conflict-%.8s.txt=cA", wanted_get(&wanted, "cA", 2)->tag);
    cr_assert(shows(tree), "found: %s", found);
}
