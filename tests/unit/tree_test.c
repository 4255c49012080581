/* tree_test.c - the comparison of trees sees names, types, bytes, targets, modes; nothing else.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"
#include "support/support.h"

static tmp_t tmp;
static cluster_node_t side[2]; /* only their roots are used */
static char why[512];

static void set_up(void)
{
    tmp = tmp_new();
    for (int i = 0; i < 2; i++) {
        snprintf(side[i].root, sizeof side[i].root, "%.200s/side%d", tmp.path, i);
        cr_assert(mkdir(side[i].root, 0755) == 0);
        node_text(&side[i], "a/b", "text");
        node_text(&side[i], "c", "");
    }
}

static void tear_down(void)
{
    tmp_remove(&tmp);
}

TestSuite(tree, .init = set_up, .fini = tear_down);

static bool differ(void)
{
    return tree_differs(side[0].root, side[1].root, why, sizeof why);
}

static const char *at(int i, const char *path)
{
    static char full[512];
    node_path(&side[i], path, full, sizeof full);
    return full;
}

Test(tree, equal_ones_are_equal)
{
    cr_assert(!differ(), "%s", why);
    node_text(&side[0], ".crdtsync/id", "private");
    cr_assert(!differ(), "the private directory does not count: %s", why);
    cr_assert(chmod(at(0, "a"), 0700) == 0);
    cr_assert(!differ(), "nor do modes of directories: %s", why);
}

Test(tree, a_name_more_on_either_side_is_a_difference)
{
    node_text(&side[0], "a/z", "");
    cr_assert(differ());
    node_text(&side[1], "a/z", "");
    cr_assert(!differ(), "%s", why);
    cr_assert(mkdir(at(1, "a/empty"), 0755) == 0);
    cr_assert(differ());
}

Test(tree, bytes_modes_types_and_targets_are_differences)
{
    node_text(&side[0], "a/b", "tex!");
    cr_assert(differ());
    node_text(&side[0], "a/b", "text");
    cr_assert(chmod(at(0, "c"), 0600) == 0);
    cr_assert(differ());
    cr_assert(unlink(at(0, "c")) == 0 && symlink("x", at(0, "c")) == 0);
    cr_assert(differ());
    cr_assert(unlink(at(1, "c")) == 0 && symlink("y", at(1, "c")) == 0);
    cr_assert(differ());
    cr_assert(unlink(at(1, "c")) == 0 && symlink("x", at(1, "c")) == 0);
    cr_assert(!differ(), "%s", why);
}

Test(tree, a_longer_file_is_a_difference)
{
    node_text(&side[1], "a/b", "text and more");
    cr_assert(differ());
}
