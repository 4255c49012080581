/* fs_names_test.c - what every implementation of disk/fs.h promises: renames, links, modes. */
#include "contract/fs_fixture.h"

PROMISE(fs_names, rename_noreplace_keeps_what_is_there)
{
    put("a", "A");
    put("b", "B");
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_NOREPLACE), CS_ERR_EXISTS);
    cr_assert(holds("a", "A") && holds("b", "B"));
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("c"), CS_RENAME_NOREPLACE), CS_OK);
    cr_assert(holds("c", "A"));
    cr_assert_eq(stat_err("a"), CS_ERR_NOT_FOUND);
}

PROMISE(fs_names, rename_noreplace_works_without_the_kernel_flag)
{
    fs->features.noreplace = false;
    put("a", "A");
    put("b", "B");
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_NOREPLACE), CS_ERR_EXISTS);
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("c"), CS_RENAME_NOREPLACE), CS_OK);
    cr_assert(holds("c", "A") && holds("b", "B"));
    cr_assert_eq(stat_of("c").nlink, 1);
}

PROMISE(fs_names, rename_exchange_swaps)
{
    if (!fs->features.exchange) cr_skip("no RENAME_EXCHANGE on this file system");
    put("a", "A");
    put("b", "B");
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_EXCHANGE), CS_OK);
    cr_assert(holds("a", "B") && holds("b", "A"));
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("none"), CS_RENAME_EXCHANGE), CS_ERR_NOT_FOUND);
    fs->features.exchange = false;
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_EXCHANGE), CS_ERR_UNSUPPORTED);
}

PROMISE(fs_names, rename_replace_replaces)
{
    put("a", "A");
    put("b", "B");
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_REPLACE), CS_OK);
    cr_assert(holds("b", "A"));
}

PROMISE(fs_names, directories_are_made_once_and_removed_only_when_empty)
{
    cr_assert_eq(fs->ops->mkdir(fs, p("d")), CS_OK);
    cr_assert_eq(stat_of("d").mode, 0755);
    cr_assert_eq(fs->ops->mkdir(fs, p("d")), CS_ERR_EXISTS);
    cr_assert_eq(fs->ops->mkdir(fs, p("x/y")), CS_ERR_NOT_FOUND);
    put("d/f", "");
    cr_assert_eq(fs->ops->rmdir(fs, p("d")), CS_ERR_NOT_EMPTY);
    cr_assert_eq(fs->ops->unlink(fs, p("d/f")), CS_OK);
    cr_assert_eq(fs->ops->rmdir(fs, p("d")), CS_OK);
    cr_assert_eq(fs->ops->rmdir(fs, p("d")), CS_ERR_NOT_FOUND);
    cr_assert_eq(fs->ops->unlink(fs, p("d")), CS_ERR_NOT_FOUND);
}

PROMISE(fs_names, link_gives_a_second_name_and_never_overwrites)
{
    put("a", "A");
    cr_assert_eq(fs->ops->link(fs, p("a"), p("b")), CS_OK);
    cr_assert_eq(fs->ops->link(fs, p("a"), p("b")), CS_ERR_EXISTS);
    cr_assert_eq(stat_of("a").nlink, 2);
    cr_assert_eq(stat_of("a").print.ino, stat_of("b").print.ino);
}

PROMISE(fs_names, chmod_changes_the_expected_file_even_of_mode_0000)
{
    put("a", "A");
    cs_stat_t before = stat_of("a"), after = {0};
    cr_assert_eq(fs->ops->chmod(fs, p("a"), &before.print, 0, &after), CS_OK);
    cr_assert_eq(after.mode, 0);
    cr_assert_eq(fs->ops->chmod(fs, p("a"), &before.print, 0755, &after),
                 CS_OK); /* not ctime */
    cr_assert_eq(after.mode, 0755);
    cs_stat_t now = stat_of("a");
    cr_assert(cs_print_eq(&after.print, &now.print));
}

PROMISE(fs_names, chmod_leaves_another_file_alone)
{
    put("a", "A");
    cs_stat_t before = stat_of("a"), after = {0};
    cr_assert_eq(fs->ops->unlink(fs, p("a")), CS_OK);
    put("a", "BB");
    cr_assert_eq(fs->ops->chmod(fs, p("a"), &before.print, 0755, &after), CS_ERR_CHANGED);
    cr_assert_eq(stat_of("a").mode, 0600);
    cr_assert_eq(fs->ops->chmod(fs, p("none"), &before.print, 0755, &after), CS_ERR_NOT_FOUND);
}
