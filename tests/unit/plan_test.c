/* plan_test.c - what the projection says becomes true on disk, with as few bytes moved as can
 * be. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crdt/family.h"
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

TestSuite(plan, .init = setup, .fini = teardown);

static cs_stat_t stat_of(const site_t *site, const char *path)
{
    cs_stat_t st = {0};
    cr_assert_eq(site->real->ops->stat(site->real, cs_slice_text(path), &st), CS_OK, "%s",
                 path);
    return st;
}

/* One site's work is seen by the other, which counts its steps from now on. */
static void begin(void)
{
    sites_settle(&sites);
    memset(b->done, 0, sizeof b->done);
    cr_assert_eq(b->failed, 0);
}

static void expect_steps(size_t write, size_t move, size_t del, size_t mode, size_t mkdir_,
                         size_t rmdir_)
{
    size_t want[] = {write, move, del, mode, mkdir_, rmdir_};
    for (size_t i = 0; i < CS_COUNT_OF(want); i++) {
        cr_assert_eq(b->done[i], want[i], "kind %zu: %zu steps, not %zu", i, b->done[i],
                     want[i]);
    }
    cr_assert_eq(b->failed, 0);
}

Test(plan, creations_edits_and_deletions_travel)
{
    site_write(a, "new", "1");
    site_write(a, "d/e/f", "2");
    cr_assert_eq(symlink("d/e", site_at(a, "link")), 0);
    begin();
    cr_assert(site_shows(b, "new", "1"));
    cr_assert(site_shows(b, "d/e/f", "2"));
    cr_assert(site_shows(b, "link", "-> d/e"));
    site_write(a, "new", "edited");
    cs_test_unlink(a->dir, "d/e/f");
    cs_test_unlink(a->dir, "d/e");
    cs_test_unlink(a->dir, "d");
    sites_settle(&sites);
    cr_assert(site_shows(b, "new", "edited"));
    cr_assert(site_shows(b, "d", NULL));
    expect_steps(1, 0, 1, 0, 0, 2);
}

Test(plan, empty_directories_come_and_go)
{
    cs_test_mkdir(a->dir, "d/e");
    begin();
    cr_assert_eq(stat_of(b, "d/e").type, CS_NODE_DIR);
    site_write(a, "d/e/f", "fills it");
    sites_settle(&sites);
    cr_assert(site_shows(b, "d/e/f", "fills it"));
    cs_test_unlink(a->dir, "d/e/f");
    sites_settle(&sites);
    cr_assert_eq(stat_of(b, "d/e").type, CS_NODE_DIR, "the user left it there");
    cs_test_unlink(a->dir, "d/e");
    cs_test_unlink(a->dir, "d");
    sites_settle(&sites);
    cr_assert(site_shows(b, "d", NULL));
}

Test(plan, a_mode_changes_without_a_write)
{
    site_write(a, "f", "text");
    begin();
    chmod(site_at(a, "f"), 0755);
    sites_settle(&sites);
    cr_assert_eq(stat_of(b, "f").mode, 0755);
    expect_steps(0, 0, 0, 1, 0, 0);
}

Test(plan, a_rename_moves_the_file)
{
    site_write(a, "from/f", "text");
    begin();
    uint64_t ino = stat_of(b, "from/f").print.ino;
    cs_test_mkdir(a->dir, "to");
    cs_test_rename(a->dir, "from/f", "to/g");
    cs_test_unlink(a->dir, "from");
    sites_settle(&sites);
    cr_assert_eq(stat_of(b, "to/g").print.ino, ino);
    cr_assert(site_shows(b, "from", NULL));
    expect_steps(0, 1, 0, 0, 0, 1);
}

Test(plan, a_rename_moves_the_file_whichever_name_is_first)
{
    site_write(a, "z", "text");
    begin();
    cs_test_rename(a->dir, "z", "a");
    sites_settle(&sites);
    expect_steps(0, 1, 0, 0, 0, 0);
}

Test(plan, a_renamed_directory_keeps_its_inode)
{
    site_write(a, "D/1", "one");
    site_write(a, "D/s/2", "two");
    site_write(a, "D/s/same", "");
    site_write(a, "D/same", "");
    begin();
    uint64_t ino = stat_of(b, "D").print.ino;
    cs_test_rename(a->dir, "D", "E");
    sites_settle(&sites);
    cr_assert_eq(stat_of(b, "E").print.ino, ino);
    cr_assert(site_shows(b, "E/s/2", "two"));
    cr_assert(site_shows(b, "D", NULL));
    expect_steps(0, 4, 0, 0, 0, 2);
}

Test(plan, a_rename_over_a_file_moves_it)
{
    site_write(a, "f", "moves over");
    site_write(a, "g", "goes");
    begin();
    cs_test_rename(a->dir, "f", "g");
    sites_settle(&sites);
    cr_assert(site_shows(b, "g", "moves over"));
    cr_assert(site_shows(b, "f", NULL));
    cr_assert_eq(b->done[CS_STEP_WRITE] + b->done[CS_STEP_MOVE], 1);
}

Test(plan, swapped_files_are_copied_locally)
{
    site_write(a, "f", "F");
    site_write(a, "g", "G");
    begin();
    cs_test_rename(a->dir, "f", "t");
    cs_test_rename(a->dir, "g", "f");
    cs_test_rename(a->dir, "t", "g");
    sites_settle(&sites);
    cr_assert(site_shows(b, "f", "G"));
    cr_assert(site_shows(b, "g", "F"));
    expect_steps(2, 0, 0, 0, 0, 0);
}

Test(plan, a_file_becomes_a_directory_and_back)
{
    site_write(a, "p", "file");
    begin();
    cs_test_unlink(a->dir, "p");
    site_write(a, "p/x", "in it");
    sites_settle(&sites);
    cr_assert(site_shows(b, "p/x", "in it"));
    cs_test_unlink(a->dir, "p/x");
    cs_test_unlink(a->dir, "p");
    site_write(a, "p", "file again");
    sites_settle(&sites);
    cr_assert(site_shows(b, "p", "file again"));
}

Test(plan, a_file_moves_below_its_own_name_and_back)
{
    site_write(a, "p", "some bytes");
    begin();
    cs_test_rename(a->dir, "p", "t");
    cs_test_mkdir(a->dir, "p");
    cs_test_rename(a->dir, "t", "p/x");
    sites_settle(&sites);
    cr_assert(site_shows(b, "p/x", "some bytes"));
    cs_test_rename(a->dir, "p/x", "t");
    cs_test_unlink(a->dir, "p");
    cs_test_rename(a->dir, "t", "p");
    sites_settle(&sites);
    cr_assert(site_shows(b, "p", "some bytes"));
}

Test(plan, a_file_moved_to_where_an_empty_directory_was_is_known_there)
{
    site_write(a, "f", "some bytes");
    cs_test_mkdir(a->dir, "p");
    begin();
    cs_test_unlink(a->dir, "p");
    cs_test_rename(a->dir, "f", "p");
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cr_assert(site_step(b));
    cr_assert(site_shows(b, "p", "some bytes"));
    cs_test_unlink(b->dir, "p"); /* before anything else looks: the base row must tell */
    sites_settle(&sites);
    cr_assert(site_shows(a, "p", NULL));
}

/* A directory that came and went while the file of that name stayed. */
Test(plan, a_file_that_outlived_a_directory_of_its_name_is_edited)
{
    site_write(a, "p", "the first");
    site_scan(a);
    site_write(b, "p/x", "in a directory");
    site_scan(b);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_test_unlink(b->dir, "p/x");
    cs_test_unlink(b->dir, "p");
    site_scan(b);
    cs_peer_exchange(&b->peer, &a->peer, true);
    site_write(a, "p", "the second");
    site_work(a); /* removes p/x and the directory p, of which it has neither */
    sites_settle(&sites);
    cr_assert(site_shows(b, "p", "the second"));
    cr_assert_not(site_tree_holds(b, "the first"));
}

Test(plan, a_conflict_shows_both)
{
    site_write(a, "r.txt", "c0");
    begin();
    site_write(a, "r.txt", "from a");
    site_write(b, "r.txt", "from b");
    sites_settle(&sites);
    cr_assert(site_tree_holds(a, "from a") && site_tree_holds(a, "from b"));
    cr_assert_not(site_tree_holds(b, "c0"));
}

Test(plan, a_file_learns_its_twin_after_a_look)
{
    site_write(a, "p", "some bytes");
    site_write(b, "p", "some bytes");
    begin();
    cr_assert_eq(b->done[CS_STEP_VERIFY], 0);
    cs_test_unlink(a->dir, "p");
    sites_settle(&sites);
    cr_assert(site_shows(b, "p", NULL), "both were removed as one");
}

Test(plan, a_file_changed_already_does_not_learn_its_twin)
{
    site_write(a, "p", "some bytes");
    site_write(b, "p", "some bytes");
    site_scan(a);
    site_scan(b);
    cs_peer_exchange(&a->peer, &b->peer, true);
    site_write(b, "p", "some other bytes");
    site_work(b);
    cr_assert_eq(b->failed, 1, "the look");
    sites_settle(&sites);
    cr_assert(site_shows(a, "p", "some other bytes"));
    cr_assert(site_tree_holds(a, "some bytes"), "he had replaced his own");
}

static cs_str_t *sibling_of(const site_t *site, const char *path, const char *text)
{
    cs_content_t content;
    cs_content_of(site->table, CS_KIND_FILE, cs_slice_text(text), &content);
    return cs_sibling_name(cs_slice_text(path), &content, 8, 0);
}

/* What is at p is a copy of its own sibling, in the way of a directory. It may leave as long as
 * the sibling is there: while its row says so, the user takes that away. */
Test(plan, a_copy_does_not_leave_when_the_other_file_has)
{
    site_write(a, "p/x", "in a directory");
    site_scan(a);
    site_write(b, "p", "some bytes");
    sites_settle(&sites);
    cs_str_t *sibling = sibling_of(b, "p", "some bytes");
    cr_assert(site_shows(b, sibling->data, "some bytes"));
    site_write(a, "p/y", "more of it");
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_test_unlink(b->dir, "p/x");
    cs_test_unlink(b->dir, "p");
    site_write(b, "p", "some bytes");
    site_scan(b);
    cs_test_unlink(b->dir, sibling->data);
    cs_str_unref(&sibling);
    site_work(b);
    sites_settle(&sites);
    cr_assert(site_shows(b, "p/y", "more of it"));
    cr_assert(site_tree_holds(a, "some bytes") && site_tree_holds(b, "some bytes"));
}
