/* plan_crash_test.c - apply is interrupted, or meets a user: whose work is what a scan finds?
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/site.h"

static sites_t sites;
static site_t *a, *b;

static void setup(void)
{
    sites_open(&sites, 2);
    a = &sites.site[0];
    b = &sites.site[1];
}

static void teardown(void)
{
    sites_close(&sites);
}

TestSuite(plan_crash, .init = setup, .fini = teardown);

static void save_by_rename(site_t *site, const char *path, const char *text)
{
    site_write(site, "new file", text);
    cs_test_rename(site->dir, "new file", path);
}

/* Each knows of the other's change of p; "theirs" was edited twice, so that it has the name. */
static void edit_both(void)
{
    site_write(a, "p", "base");
    sites_settle(&sites);
    site_write(a, "p", "mine");
    site_scan(a);
    site_write(b, "p", "theirs, first");
    site_scan(b);
    site_write(b, "p", "theirs");
    site_scan(b);
    cs_peer_exchange(&b->peer, &a->peer, true);
}

/* --- users who do by hand what apply is about to do */

Test(plan_crash, the_bytes_of_a_peer_written_by_a_user_are_his_edit)
{
    edit_both();
    save_by_rename(a, "p", "theirs");
    site_scan(a);
    sites_settle(&sites);
    cr_assert(site_shows(a, "p", "theirs"));
    cr_assert_not(site_tree_holds(b, "mine"), "he replaced it");
}

Test(plan_crash, a_directory_made_by_a_user_in_the_place_of_his_file)
{
    site_write(a, "p", "a file");
    site_scan(a);
    cs_test_mkdir(b->dir, "p");
    site_scan(b);
    cs_peer_exchange(&b->peer, &a->peer, true);
    cs_test_unlink(a->dir, "p");
    cs_test_mkdir(a->dir, "p");
    site_work(a);
    sites_settle(&sites);
    cr_assert_not(site_tree_holds(b, "a file"), "he removed it");
}

/* --- crashes: what apply had done by then is no work of a user */

typedef void (*user_t)(const char *shown);

static bool mine_is_his, theirs_is_his; /* what the user replaced or removed himself */

static void note_shown(const char *shown)
{
    mine_is_his = strcmp(shown, "mine") == 0;
    theirs_is_his = strcmp(shown, "theirs") == 0;
}

static void edit_in_place(const char *shown)
{
    note_shown(shown);
    site_write(a, "p", "later");
}

static void edit_by_rename(const char *shown)
{
    note_shown(shown);
    save_by_rename(a, "p", "later");
}

static void remove_it(const char *shown)
{
    note_shown(shown);
    cs_test_unlink(a->dir, "p");
}

static void move_it(const char *shown)
{
    (void)shown;
    mine_is_his = theirs_is_his = false;
    cs_test_rename(a->dir, "p", "elsewhere");
}

/* False: apply ended before call n. */
static bool crash_then(size_t n, user_t user)
{
    edit_both();
    a->spy.calls = 0;
    a->spy.at = n;
    a->spy.act = NULL;
    site_work(a);
    bool crashed = a->spy.crashed;
    a->spy.at = 0;
    if (!crashed) return false;
    bool mine = site_shows(a, "p", "mine");
    cr_assert(mine || site_shows(a, "p", "theirs"));
    user(mine ? "mine" : "theirs");
    site_restart(a);
    sites_settle(&sites);
    for (size_t i = 0; i < sites.len; i++) {
        cr_assert(mine_is_his || site_tree_holds(&sites.site[i], "mine"), "call %zu", n);
        cr_assert(theirs_is_his || site_tree_holds(&sites.site[i], "theirs"), "call %zu", n);
    }
    return true;
}

static void crash_everywhere_then(user_t user)
{
    size_t n = 1;
    while (crash_then(n, user)) {
        sites_close(&sites);
        setup();
        n++;
    }
    cr_assert_gt(n, 20);
}

Test(plan_crash, a_file_edited_after_a_crash_replaces_what_was_there)
{
    crash_everywhere_then(edit_in_place);
}

Test(plan_crash, a_file_saved_by_rename_after_a_crash_replaces_what_was_there)
{
    crash_everywhere_then(edit_by_rename);
}

Test(plan_crash, a_file_removed_after_a_crash_is_what_was_there)
{
    crash_everywhere_then(remove_it);
}

Test(plan_crash, a_file_moved_after_a_crash_is_what_was_there)
{
    crash_everywhere_then(move_it);
}

static void change_much(void)
{
    site_write(a, "edited", "new bytes");
    chmod(site_at(a, "mode"), 0755);
    cs_test_unlink(a->dir, "d/deleted");
    cs_test_unlink(a->dir, "d");
    cs_test_rename(a->dir, "moved", "to");
    cs_test_rename(a->dir, "over", "under");
    cs_test_rename(a->dir, "D", "E");
    site_write(a, "fresh/new", "fresh");
    cs_test_mkdir(a->dir, "empty");
}

/* False: it ended before call `n`. */
static bool crash_at(size_t n)
{
    static const char *const names[] = {"edited", "mode",  "d/deleted", "moved",
                                        "over",   "under", "D/1",       "D/s/2"};
    for (size_t i = 0; i < CS_COUNT_OF(names); i++) {
        site_write(a, names[i], names[i]);
    }
    sites_settle(&sites);
    change_much();
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    uint64_t ctr = cs_replica_state(b->peer.replica)->ctr;
    b->spy.calls = 0;
    b->spy.at = n;
    b->spy.act = NULL;
    site_work(b);
    bool crashed = b->spy.crashed;
    b->spy.at = 0;
    if (crashed) site_restart(b);
    cr_assert_eq(cs_replica_state(b->peer.replica)->ctr, ctr,
                 "operations after a crash before call %zu", n);
    sites_settle(&sites);
    cr_assert_eq(cs_replica_state(b->peer.replica)->ctr, ctr,
                 "operations after a crash before call %zu", n);
    return crashed;
}

Test(plan_crash, a_crash_anywhere_makes_no_operations)
{
    size_t n = 1;
    while (crash_at(n)) {
        sites_close(&sites);
        setup();
        n++;
    }
    cr_assert_gt(n, 50);
}
