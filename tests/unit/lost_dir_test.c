/* lost_dir_test.c - a directory that others removed, and the user's move emptied before that
 * was done here, is none that he made. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/folder.h"
#include "support/site.h"

#define TAGGED "a.conflict-01234567" /* competes for names with "a" */

static cs_peer_t a, b;

static void setup(void)
{
    cs_peer_init(&a, 1, NULL);
    cs_peer_init(&b, 2, NULL);
}

static void teardown(void)
{
    cs_peer_fini(&a);
    cs_peer_fini(&b);
}

TestSuite(lost_dir, .init = setup, .fini = teardown);

static void put(cs_peer_t *peer, const char *path, const char *text)
{
    cs_content_t content = cs_tree_text(CS_KIND_FILE, text);
    cs_tree_write(&peer->tree, path, &content, 0644);
}

Test(lost_dir, is_no_new_directory_when_its_family_settles)
{
    put(&a, "a/z", "z");
    put(&a, TAGGED, "tagged");
    cs_peer_scan(&a);
    cs_peer_exchange(&a, &b, true);
    cs_peer_catch_up(&b);
    cs_tree_rmtree(&b.tree, "a");
    cs_peer_scan(&b);
    cs_peer_exchange(&a, &b, true); /* known at A, not on its disk */

    cs_tree_rename(&a.tree, "a/z", "b");
    cs_tree_find(&a.tree, TAGGED)->mode = 0755;
    cs_peer_scan(&a);
    uint64_t ctr = a.replica->state.ctr;
    cs_peer_scan(&a);
    cr_assert_eq(a.replica->state.ctr, ctr, "the second scan found something");

    cs_peer_catch_up(&a);
    cr_assert_not(cs_tree_has_dir(&a.tree, "a"));
}

/* The same on disk: it goes there, too. */
Test(lost_dir, is_removed)
{
    sites_t sites;
    struct stat st;
    sites_open(&sites, 2);
    site_t *here = &sites.site[0], *there = &sites.site[1];
    cs_test_mkdir(here->dir, "a");
    site_write(here, "a/z", "z");
    site_write(here, TAGGED, "tagged");
    sites_settle(&sites);
    cs_test_unlink(there->dir, "a/z");
    cr_assert_eq(remove(site_at(there, "a")), 0);
    site_scan(there);
    cs_peer_exchange(&here->peer, &there->peer, true);

    cs_test_rename(here->dir, "a/z", "b");
    cr_assert_eq(chmod(site_at(here, TAGGED), 0755), 0);
    site_scan(here);
    site_work(here);
    sites_settle(&sites);
    cr_assert_neq(stat(site_at(here, "a"), &st), 0);
    cr_assert_neq(stat(site_at(there, "a"), &st), 0);
    sites_close(&sites);
}
