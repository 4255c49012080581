/* fs_held_test.c - what a thread may rely on between hold(true) and hold(false): every promise
 * of the other files, and that nothing leaves the folder by a directory that was open. */
#include "contract/fs_fixture.h"

#include <dirent.h>

static size_t open_files(void)
{
    size_t count = 0;
    DIR *fds = opendir("/proc/self/fd");
    while (readdir(fds) != NULL)
        count++;
    closedir(fds);
    return count;
}

PROMISE_THAT_HOLDS(fs_held, names_are_found_in_more_directories_than_are_held)
{
    size_t before = open_files();
    for (char d = 'a'; d < 'a' + 9; d++)
        user_mkdir((char[]){d, '\0'});
    fs->ops->hold(fs, true);
    for (int turn = 0; turn < 3; turn++) {
        for (char d = 'a'; d < 'a' + 9; d++) {
            char from[] = ".crdtsync/tmp/x", path[] = "d/0";
            path[0] = d;
            path[2] = (char)('0' + turn);
            put(from, path);
            cs_err_t err = fs->ops->rename(fs, p(from), p(path), CS_RENAME_NOREPLACE);
            cr_assert_eq(err, CS_OK, "%s", path);
            cr_assert_eq(stat_of(path).print.size, 3);
            cr_assert_eq(stat_err(from), CS_ERR_NOT_FOUND);
            put(from, "other");
            err = fs->ops->rename(fs, p(from), p(path), CS_RENAME_NOREPLACE);
            cr_assert_eq(err, CS_ERR_EXISTS);
            cr_assert_eq(fs->ops->unlink(fs, p(from)), CS_OK);
        }
    }
    fs->ops->hold(fs, false);
    cr_assert_eq(open_files(), before);
    cr_assert(holds("a/0", "a/0") && holds("i/2", "i/2"));
}

PROMISE_THAT_HOLDS(fs_held, what_is_no_path_stays_none)
{
    user_write("file", "");
    user_symlink("/tmp", "out");
    cs_file_t *file = NULL;
    fs->ops->hold(fs, true);
    cr_assert_eq(fs->ops->create(fs, p("out/x"), &file), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->create(fs, p("out"), &file), CS_ERR_EXISTS);
    cr_assert_eq(fs->ops->open_write(fs, p("out"), &file), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->create(fs, p("file/x"), &file), CS_ERR_NOT_DIR);
    cr_assert_eq(fs->ops->create(fs, p("none/x"), &file), CS_ERR_NOT_FOUND);
    cr_assert_neq(fs->ops->create(fs, p(""), &file), CS_OK);
    cr_assert_eq(fs->ops->open_read(fs, p(""), &file), CS_ERR_IS_DIR);
    cr_assert_eq(stat_of("").type, CS_NODE_DIR);
    fs->ops->hold(fs, false);
    cr_assert_null(file);
}

PROMISE_THAT_HOLDS(fs_held, a_directory_that_is_made_again_is_found)
{
    user_mkdir("d");
    fs->ops->hold(fs, true);
    put("d/a", "A");
    cr_assert_eq(fs->ops->unlink(fs, p("d/a")), CS_OK);
    user_rmdir("d");
    cr_assert_eq(fs->ops->mkdir(fs, p("d")), CS_OK);
    put("d/b", "B");
    fs->ops->hold(fs, false);
    cr_assert(holds("d/b", "B"));
}

PROMISE_THAT_HOLDS(fs_held,
                   nothing_is_put_where_a_link_leads_that_took_the_place_of_a_directory)
{
    user_mkdir("d");
    user_mkdir("elsewhere");
    fs->ops->hold(fs, true);
    put("d/a", "A");
    user_rename("d", "old");
    user_symlink("elsewhere", "d");
    cs_file_t *file = NULL;
    cs_err_t err = fs->ops->create(fs, p("d/b"), &file);
    cr_assert(err == CS_OK || err == CS_ERR_ESCAPES);
    if (err == CS_OK) fs->ops->close(&file);
    fs->ops->hold(fs, false);
    cr_assert_eq(stat_err("elsewhere/b"), CS_ERR_NOT_FOUND);
    cr_assert_eq(stat_err("old/b"), err == CS_OK ? CS_OK : CS_ERR_NOT_FOUND);
    cr_assert_eq(fs->ops->create(fs, p("d/c"), &file), CS_ERR_ESCAPES, "all is as before");
}

PROMISE_THAT_HOLDS(fs_held, another_view_of_the_folder_holds_nothing)
{
    user_mkdir("d");
    fs->ops->hold(fs, true);
    put("d/a", "A");
    cs_fs_t *holder = fs;
    open_fs();
    user_rename("d", "old");
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->create(fs, p("d/b"), &file), CS_ERR_NOT_FOUND);
    fs->ops->close_fs(&fs);
    fs = holder;
    fs->ops->hold(fs, false);
}
