/* watch_tree_test.c - directories by name, by watch, and by heat. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "io/watch_tree.h"

static cs_wnode_t *add(cs_wtree_t *tree, cs_wnode_t *parent, const char *name)
{
    return cs_wtree_add(tree, parent, cs_slice_text(name));
}

static cs_wnode_t *find(cs_wtree_t *tree, const char *path)
{
    return cs_wtree_find(tree, cs_slice_text(path));
}

static bool is_at(const cs_wnode_t *node, const char *path)
{
    cs_buf_t at = {0};
    cs_wnode_path(node, cs_slice_text(""), &at);
    bool same = cs_slice_eq(cs_buf_slice(&at), cs_slice_text(path));
    cs_buf_fini(&at);
    return same;
}

static void count_drop(void *arg, cs_wnode_t *node)
{
    cr_assert_eq(node->children, 0u);
    (*(int *)arg)++;
}

Test(watch_tree, a_node_has_the_path_of_its_names)
{
    cs_wtree_t *tree = cs_wtree_new();
    cs_wnode_t *root = cs_wtree_root(tree), *a = add(tree, root, "a"), *b = add(tree, a, "b");
    cs_buf_t path = {0};
    cr_assert(is_at(root, ""));
    cr_assert(is_at(b, "a/b"));
    cs_wnode_path(b, cs_slice_text("file"), &path);
    cr_assert(cs_slice_eq(cs_buf_slice(&path), cs_slice_text("a/b/file")));
    cs_wnode_path(root, cs_slice_text("file"), &path);
    cr_assert(cs_slice_eq(cs_buf_slice(&path), cs_slice_text("file")));
    cr_assert_eq(find(tree, "a/b"), b);
    cr_assert_eq(find(tree, ""), root);
    cr_assert_null(find(tree, "a/c"));
    cr_assert_null(find(tree, "b"));
    cs_buf_fini(&path);
    cs_wtree_destroy(&tree);
}

Test(watch_tree, a_renamed_directory_takes_along_what_is_below)
{
    cs_wtree_t *tree = cs_wtree_new();
    cs_wnode_t *root = cs_wtree_root(tree), *a = add(tree, root, "a"), *b = add(tree, a, "b"),
               *c = add(tree, b, "c"), *x = add(tree, root, "x");
    cs_wtree_move(tree, b, x, cs_slice_text("y"));
    cr_assert(is_at(c, "x/y/c"));
    cr_assert_eq(find(tree, "x/y/c"), c);
    cr_assert_null(find(tree, "a/b"));
    cr_assert_eq(a->children, 0u);
    cr_assert_eq(x->children, 1u);
    cs_wtree_destroy(&tree);
}

Test(watch_tree, removing_takes_all_below_the_lowest_first)
{
    cs_wtree_t *tree = cs_wtree_new();
    cs_wnode_t *root = cs_wtree_root(tree), *a = add(tree, root, "a");
    int dropped = 0;
    for (int i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        cs_wnode_t *node = add(tree, a, name);
        cs_wtree_set_wd(tree, add(tree, node, "below"), 100 + i);
    }
    add(tree, root, "other");
    cs_wtree_remove(tree, a, count_drop, &dropped);
    cr_assert_eq(dropped, 21);
    cr_assert_eq(cs_wtree_count(tree), 2u);
    cr_assert_null(cs_wtree_by_wd(tree, 105));
    cr_assert_not_null(find(tree, "other"));
    cs_wtree_destroy(&tree);
}

Test(watch_tree, a_watch_descriptor_leads_to_one_node)
{
    cs_wtree_t *tree = cs_wtree_new();
    cs_wnode_t *root = cs_wtree_root(tree), *a = add(tree, root, "a"),
               *b = add(tree, root, "b");
    cs_wtree_set_wd(tree, a, 1);
    cs_wtree_set_wd(tree, b, 2);
    cr_assert_eq(cs_wtree_by_wd(tree, 1), a);
    cr_assert_eq(cs_wtree_by_wd(tree, 2), b);
    cs_wtree_set_wd(tree, a, 3);
    cr_assert_null(cs_wtree_by_wd(tree, 1));
    cs_wtree_set_wd(tree, b, 3); /* taken over */
    cs_wtree_set_wd(tree, a, -1);
    cr_assert_eq(cs_wtree_by_wd(tree, 3), b);
    cs_wtree_destroy(&tree);
}

Test(watch_tree, heat_halves_with_time)
{
    cs_wtree_t *tree = cs_wtree_new();
    cs_wnode_t *a = add(tree, cs_wtree_root(tree), "a");
    cs_wnode_warm(a, 1000);
    cs_wnode_warm(a, 1000);
    uint32_t two = cs_wnode_heat(a, 1000);
    cr_assert_eq(cs_wnode_heat(a, 1000 + CS_WATCH_HALF_MS - 1), two);
    cr_assert_eq(cs_wnode_heat(a, 1000 + CS_WATCH_HALF_MS), two / 2);
    cr_assert_eq(cs_wnode_heat(a, 1000 + 40ull * CS_WATCH_HALF_MS), 0u);
    cs_wtree_destroy(&tree);
}

Test(watch_tree, the_coldest_has_nothing_below_and_is_not_the_root)
{
    cs_wtree_t *tree = cs_wtree_new();
    cs_wnode_t *root = cs_wtree_root(tree);
    cr_assert_null(cs_wtree_coldest(tree, NULL, 1000));
    cs_wnode_t *a = add(tree, root, "a"), *b = add(tree, a, "b"), *c = add(tree, root, "c");
    cs_wnode_warm(b, 1000);
    cr_assert_eq(cs_wtree_coldest(tree, NULL, 1000), c);
    cr_assert_eq(cs_wtree_coldest(tree, c, 1000), b, "a has a watched one below");
    cs_wnode_warm(c, 1000);
    cs_wnode_warm(c, 1000);
    cr_assert_eq(cs_wtree_coldest(tree, NULL, 1000), b);
    cs_wtree_destroy(&tree);
}
