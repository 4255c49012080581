/* apply_test.c - steps are performed, and nothing of a user's is lost when he was faster. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/folder.h"
#include "support/scene.h"

static scene_t scene;

static void setup(void)
{
    scene_open(&scene);
}

static void teardown(void)
{
    scene_close(&scene);
}

TestSuite(apply, .init = setup, .fini = teardown);

static void apply(void)
{
    cr_assert_eq(cs_apply(&scene.config, &scene.steps), CS_OK);
}

static void apply_all(void)
{
    apply();
    for (size_t i = 0; i < scene.steps.len; i++) {
        cr_assert_eq(scene.steps.item[i].err, CS_OK, "step %zu: %s", i,
                     cs_err_name(scene.steps.item[i].err));
    }
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 0);
}

static cs_stat_t stat_of(const char *path)
{
    cs_stat_t st = {0};
    cr_assert_eq(scene.real->ops->stat(scene.real, cs_slice_text(path), &st), CS_OK, "%s",
                 path);
    return st;
}

static size_t in_trash(const char *text)
{
    return scene_anywhere(&scene, text) && !scene_tree_holds(&scene, text);
}

Test(apply, a_new_file_gets_its_name_mode_and_mtime)
{
    scene_stage(&scene, "one");
    scene_write(&scene, "a/b/c", "one")->item.attr.mode = 0640;
    apply_all();
    cr_assert(scene_holds(&scene, "a/b/c", "one"));
    cs_stat_t st = stat_of("a/b/c");
    cr_assert_eq(st.mode, 0640);
    cr_assert_eq(st.print.mtime_ns, scene.steps.item[0].item.mtime_ns);
    cr_assert(cs_print_eq(&st.print, &scene.steps.item[0].print));
    cr_assert(cs_print_eq(&st.print, &scene.steps.item[0].item.print));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

Test(apply, exec_policy_subtracts_the_umask)
{
    scene.config.modes = CS_MODES_EXEC;
    scene.spy.fs.umask = 077;
    scene_stage(&scene, "x");
    scene_write(&scene, "x", "x")->item.attr.mode = 0755;
    apply_all();
    cr_assert_eq(stat_of("x").mode, 0700);
}

Test(apply, a_replaced_file_goes_to_the_trash)
{
    scene_file(&scene, "f", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    apply_all();
    cr_assert(scene_holds(&scene, "f", "new"));
    cr_assert(in_trash("old"));
}

Test(apply, one_staged_content_serves_several_paths)
{
    scene_stage(&scene, "same");
    scene_write(&scene, "a", "same");
    scene_write(&scene, "b", "same")->item.attr.mode = 0600;
    scene_write(&scene, "c", "same");
    apply_all();
    cr_assert(scene_holds(&scene, "a", "same") && scene_holds(&scene, "b", "same") &&
              scene_holds(&scene, "c", "same"));
    cr_assert_eq(stat_of("b").mode, 0600);
    cr_assert_eq(stat_of("a").nlink, 1);
}

Test(apply, a_local_copy_is_verified)
{
    scene_file(&scene, "from", "text");
    scene_copy(&scene, "from", "to");
    cs_step_t *bad = scene_copy(&scene, "from", "bad");
    bad->item.content = scene_content(&scene, "other");
    apply();
    cr_assert_eq(scene.steps.item[0].err, CS_OK);
    cr_assert_eq(scene.steps.item[1].err, CS_ERR_AGAIN);
    cr_assert(scene_holds(&scene, "to", "text"));
    cr_assert(scene_holds(&scene, "from", "text"));
    cr_assert_not(scene_has(&scene, "bad"));
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 0);
}

Test(apply, what_was_not_staged_is_not_found)
{
    scene_write(&scene, "a", "nowhere");
    apply();
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_NOT_FOUND);
    cr_assert_not(scene_has(&scene, "a"));
}

Test(apply, symbolic_links_are_written_copied_and_replaced)
{
    scene_file(&scene, "old", "-> /gone");
    scene_file(&scene, "file", "bytes");
    scene_stage(&scene, "-> a/b");
    scene_write(&scene, "old", "-> a/b");
    scene_write(&scene, "file", "-> a/b");
    scene_write(&scene, "new", "-> a/b");
    apply_all();
    cr_assert(scene_holds(&scene, "old", "-> a/b"));
    cr_assert(scene_holds(&scene, "file", "-> a/b"));
    cr_assert(scene_holds(&scene, "new", "-> a/b"));
    cr_assert(in_trash("-> /gone"));
    cr_assert(in_trash("bytes"));
}

Test(apply, a_deleted_file_goes_to_the_trash)
{
    scene_file(&scene, "d/f", "old");
    scene_delete(&scene, "d/f");
    scene_rmdir(&scene, "d");
    apply_all();
    cr_assert_not(scene_has(&scene, "d"));
    cr_assert(in_trash("old"));
}

Test(apply, a_directory_that_is_not_empty_stays)
{
    scene_file(&scene, "d/ignored", "i");
    scene_rmdir(&scene, "d");
    scene_rmdir(&scene, "never");
    apply_all();
    cr_assert(scene_holds(&scene, "d/ignored", "i"));
}

Test(apply, a_move_keeps_the_inode_and_takes_the_new_mode)
{
    scene_file(&scene, "a", "text");
    uint64_t ino = stat_of("a").print.ino;
    scene_move(&scene, "a", "new/b")->item.attr.mode = 0755;
    apply_all();
    cr_assert_not(scene_has(&scene, "a"));
    cr_assert(scene_holds(&scene, "new/b", "text"));
    cs_stat_t st = stat_of("new/b");
    cr_assert_eq(st.print.ino, ino);
    cr_assert_eq(st.mode, 0755);
    cr_assert(cs_print_eq(&st.print, &scene.steps.item[0].print));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

Test(apply, a_move_over_a_file_puts_that_into_the_trash)
{
    scene_file(&scene, "a", "moved");
    scene_file(&scene, "b", "under");
    scene_move(&scene, "a", "b");
    apply_all();
    cr_assert_not(scene_has(&scene, "a"));
    cr_assert(scene_holds(&scene, "b", "moved"));
    cr_assert(in_trash("under"));
}

Test(apply, a_file_moves_into_a_directory_of_its_own_name)
{
    scene_file(&scene, "p", "text");
    scene_move(&scene, "p", "p/x");
    scene_mkdir(&scene, "p/empty");
    apply_all();
    cr_assert(scene_holds(&scene, "p/x", "text"));
    cr_assert(scene_has(&scene, "p/empty"));
}

Test(apply, a_file_replaces_the_directory_it_was_in)
{
    scene_file(&scene, "d/x", "text");
    scene_file(&scene, "d/y", "gone");
    scene_move(&scene, "d/x", "d");
    scene_delete(&scene, "d/y");
    scene_rmdir(&scene, "d");
    apply_all();
    cr_assert(scene_holds(&scene, "d", "text"));
    cr_assert(in_trash("gone"));
}

Test(apply, a_file_that_cannot_replace_its_directory_goes_back)
{
    scene_file(&scene, "d/x", "text");
    scene_file(&scene, "d/ignored", "i");
    scene_move(&scene, "d/x", "d");
    scene_rmdir(&scene, "d");
    apply();
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_IS_DIR);
    cr_assert(scene_holds(&scene, "d/x", "text"));
    cr_assert(scene_holds(&scene, "d/ignored", "i"));
}

Test(apply, two_files_swap_their_bytes_by_copies)
{
    scene_file(&scene, "a", "A");
    scene_file(&scene, "b", "B");
    scene_copy(&scene, "b", "a");
    scene_copy(&scene, "a", "b");
    apply_all();
    cr_assert(scene_holds(&scene, "a", "B"));
    cr_assert(scene_holds(&scene, "b", "A"));
}

Test(apply, a_whole_directory_is_renamed_as_one)
{
    scene_file(&scene, "D/1", "one");
    scene_file(&scene, "D/s/2", "two");
    uint64_t ino = stat_of("D/s").print.ino;
    scene_move(&scene, "D/1", "x/E/1");
    scene_move(&scene, "D/s/2", "x/E/s/2");
    scene_rmdir(&scene, "D/s");
    scene_rmdir(&scene, "D");
    apply_all();
    cr_assert_not(scene_has(&scene, "D"));
    cr_assert(scene_holds(&scene, "x/E/1", "one"));
    cr_assert(scene_holds(&scene, "x/E/s/2", "two"));
    cr_assert_eq(stat_of("x/E/s").print.ino, ino);
}

Test(apply, a_directory_with_more_in_it_is_not_renamed)
{
    scene_file(&scene, "D/1", "one");
    scene_file(&scene, "D/s/2", "two");
    scene_file(&scene, "D/ignored", "i");
    uint64_t ino = stat_of("D/s").print.ino, outer = stat_of("D").print.ino;
    scene_move(&scene, "D/1", "E/1");
    scene_move(&scene, "D/s/2", "E/s/2");
    scene_rmdir(&scene, "D/s");
    scene_rmdir(&scene, "D");
    apply_all();
    cr_assert_eq(stat_of("D").print.ino, outer);
    cr_assert(scene_holds(&scene, "D/ignored", "i"));
    cr_assert(scene_holds(&scene, "E/s/2", "two"));
    cr_assert_eq(stat_of("E/s").print.ino, ino, "the inner one is");
}

Test(apply, a_directory_that_stays_displayed_is_not_renamed)
{
    scene_file(&scene, "D/1", "one");
    uint64_t ino = stat_of("D").print.ino;
    scene_move(&scene, "D/1", "E/1");
    apply_all();
    cr_assert_eq(stat_of("D").print.ino, ino);
    cr_assert(scene_holds(&scene, "E/1", "one"));
}

Test(apply, a_mode_alone_changes_in_place)
{
    scene_file(&scene, "f", "text");
    uint64_t ino = stat_of("f").print.ino;
    scene_chmod(&scene, "f", 0700);
    apply_all();
    cs_stat_t st = stat_of("f");
    cr_assert_eq(st.mode, 0700);
    cr_assert_eq(st.print.ino, ino);
    cr_assert(cs_print_eq(&st.print, &scene.steps.item[0].print));
}

Test(apply, a_file_that_differs_from_its_row_wins)
{
    scene_file(&scene, "w", "old");
    scene_file(&scene, "d", "old");
    scene_file(&scene, "m", "old");
    scene_file(&scene, "c", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "w", "new");
    scene_delete(&scene, "d");
    scene_move(&scene, "m", "n");
    scene_chmod(&scene, "c", 0600);
    static const char *const paths[] = {"w", "d", "m", "c"};
    for (size_t i = 0; i < 4; i++) {
        scene_file(&scene, paths[i], "mine");
    }
    apply();
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(scene.steps.item[i].err, CS_ERR_CHANGED, "%s", paths[i]);
        cr_assert(scene_holds(&scene, paths[i], "mine"));
    }
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 1, "still staged");
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

Test(apply, another_mode_is_another_file)
{
    scene_file(&scene, "f", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new")->expect_mode = 0600;
    apply();
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_CHANGED);
    cr_assert(scene_holds(&scene, "f", "old"));
}

/* Bytes that no print can tell from the old ones. */
static void rewrite_unseen(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", scene.dir, path);
    struct stat st;
    cr_assert_eq(stat(full, &st), 0);
    scene_file(&scene, path, text);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    cr_assert_eq(utimensat(AT_FDCWD, full, times, 0), 0);
}

Test(apply, a_row_without_a_ctime_is_believed_if_the_bytes_are_right)
{
    static const char *const paths[] = {"w", "d", "w2", "d2"};
    for (size_t i = 0; i < 4; i++) {
        scene_file(&scene, paths[i], "old");
    }
    scene_stage(&scene, "new");
    scene_write(&scene, "w", "new");
    scene_delete(&scene, "d");
    scene_write(&scene, "w2", "new");
    scene_delete(&scene, "d2");
    for (size_t i = 0; i < 4; i++) {
        scene.steps.item[i].expect.ctime_ns = 0;
    }
    rewrite_unseen("w2", "own");
    rewrite_unseen("d2", "own");
    apply();
    cr_assert_eq(scene.steps.item[0].err, CS_OK);
    cr_assert_eq(scene.steps.item[1].err, CS_OK);
    cr_assert_eq(scene.steps.item[2].err, CS_ERR_CHANGED);
    cr_assert_eq(scene.steps.item[3].err, CS_ERR_CHANGED);
    cr_assert(scene_holds(&scene, "w", "new"));
    cr_assert(scene_holds(&scene, "w2", "own"));
    cr_assert(scene_holds(&scene, "d2", "own"));
}

Test(apply, a_row_without_a_ctime_vouches_for_no_more_elsewhere)
{
    scene_file(&scene, "m", "old");
    scene_file(&scene, "c", "old");
    scene_move(&scene, "m", "n")->from_print.ctime_ns = 0;
    scene_chmod(&scene, "c", 0600)->expect.ctime_ns = 0;
    apply_all();
    cr_assert_eq(scene.steps.item[0].print.ctime_ns, 0);
    cr_assert_eq(scene.steps.item[1].print.ctime_ns, 0);
}

Test(apply, what_is_there_already_wins_over_a_new_file)
{
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    scene_write(&scene, "d/f", "new");
    scene_mkdir(&scene, "k");
    scene_file(&scene, "f", "mine");
    scene_file(&scene, "d", "mine");
    scene_file(&scene, "k", "mine");
    apply();
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(scene.steps.item[i].err, CS_ERR_CHANGED, "step %zu", i);
    }
    cr_assert(scene_holds(&scene, "f", "mine"));
    cr_assert(scene_holds(&scene, "d", "mine"));
    cr_assert(scene_holds(&scene, "k", "mine"));
}

Test(apply, no_link_is_followed_out_of_the_folder)
{
    char *other = cs_test_dir_new(), target[512];
    snprintf(target, sizeof target, "-> %s", other);
    scene_file(&scene, "d", target);
    scene_stage(&scene, "new");
    scene_write(&scene, "d/f", "new");
    apply();
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_CHANGED);
    cr_assert_eq(rmdir(other), 0, "nothing was written there");
    cs_free(other);
}

Test(apply, without_exchange_old_bytes_are_kept_by_a_link)
{
    scene.spy.fs.features.exchange = false;
    scene_file(&scene, "f", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    apply_all();
    cr_assert(scene_holds(&scene, "f", "new"));
    cr_assert(in_trash("old"));
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL, NULL), CS_OK);
    cr_assert(in_trash("old"));
}

Test(apply, without_exchange_and_links_files_change_names_all_the_same)
{
    scene.spy.fs.features.exchange = scene.spy.fs.features.noreplace = false;
    scene.spy.no_links = true;
    scene_file(&scene, "f", "old");
    scene_file(&scene, "m", "moved");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    scene_write(&scene, "g", "new");
    scene_move(&scene, "m", "n");
    apply_all();
    cr_assert(scene_holds(&scene, "f", "new"));
    cr_assert(scene_holds(&scene, "g", "new"));
    cr_assert(scene_holds(&scene, "n", "moved"));
    cr_assert(in_trash("old"));
}

Test(apply, an_unmounted_folder_is_not_written_to)
{
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    cs_test_rename(scene.dir, ".crdtsync", "elsewhere");
    cr_assert_eq(cs_apply(&scene.config, &scene.steps), CS_ERR_NOT_MOUNTED);
    cr_assert_not(scene_has(&scene, "f"));
}

Test(apply, groups_of_the_trash_are_numbered_with_and_without_a_counter)
{
    uint64_t next = 0;
    scene.config.trash_next = &next;
    for (int i = 0; i < 4; i++) {
        scene.config.trash_next = i < 2 ? &next : NULL;
        scene_file(&scene, "f", "old");
        scene_delete(&scene, "f");
        apply_all();
        cs_steps_fini(&scene.steps);
    }
    cr_assert_eq(next, 3);
    cr_assert(scene_holds(&scene, ".crdtsync/trash/0000000000000001/0", "old"));
    cr_assert(scene_holds(&scene, ".crdtsync/trash/0000000000000004/0", "old"));
}

/* --- the trash */

static char late_at[256];

static void on_late(void *arg, cs_slice_t path, cs_slice_t now_at)
{
    (void)arg;
    (void)path;
    snprintf(late_at, sizeof late_at, "%.*s", (int)now_at.len, (const char *)now_at.data);
}

static void write_late(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", scene.dir, path);
    int fd = open(full, O_WRONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    apply_all();
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    late_at[0] = '\0';
    cr_assert_eq(cs_trash_sweep(&scene.config, on_late, NULL), CS_OK);
}

Test(apply, a_late_write_to_a_deleted_file_brings_it_back)
{
    scene_file(&scene, "d/f", "old");
    scene_delete(&scene, "d/f");
    scene_rmdir(&scene, "d");
    write_late("d/f", "late bytes");
    cr_assert_str_eq(late_at, "d/f");
    cr_assert(scene_holds(&scene, "d/f", "late bytes"));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

Test(apply, a_late_write_to_a_replaced_file_appears_beside_it)
{
    scene_file(&scene, "f.txt", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "f.txt", "new");
    write_late("f.txt", "late bytes");
    cr_assert_eq(strncmp(late_at, "f.conflict-", 11), 0, "%s", late_at);
    cr_assert(scene_holds(&scene, "f.txt", "new"));
    cr_assert(scene_holds(&scene, late_at, "late bytes"));
}

Test(apply, an_untouched_trash_is_kept_within_its_bounds)
{
    for (int i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "old %d", i);
        scene_file(&scene, "f", text);
        scene_delete(&scene, "f");
        apply_all();
        cs_steps_fini(&scene.steps);
    }
    scene.config.trash_bytes_max = 10; /* two of five bytes */
    late_at[0] = '\0';
    cr_assert_eq(cs_trash_sweep(&scene.config, on_late, NULL), CS_OK);
    cr_assert_str_eq(late_at, "");
    cr_assert_not(scene_anywhere(&scene, "old 0"));
    cr_assert(scene_anywhere(&scene, "old 1") && scene_anywhere(&scene, "old 2"));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 2);
}

Test(apply, a_damaged_log_keeps_its_files)
{
    scene_file(&scene, "f", "old");
    scene_delete(&scene, "f");
    apply_all();
    scene_file(&scene, ".crdtsync/trash/0000000000000001/log", "crdtsync trash 1\nrot");
    scene_file(&scene, ".crdtsync/trash/0000000000000001/0", "late");
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL, NULL), CS_OK);
    cr_assert(in_trash("late"));
    scene.config.trash_bytes_max = 3;
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL, NULL), CS_OK);
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

/* --- staging */

Test(apply, bytes_with_another_hash_are_not_staged)
{
    cs_content_t content = scene_content(&scene, "right");
    cr_assert_eq(cs_stage_small(scene.real, scene.table, &content, cs_slice_text("wrong")),
                 CS_ERR_MISMATCH);
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 0);
    cr_assert_eq(cs_stage_small(scene.real, scene.table, &content, cs_slice_text("right")),
                 CS_OK);
    cr_assert_eq(cs_stage_small(scene.real, scene.table, &content, cs_slice_text("right")),
                 CS_OK);
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 1);
}

static bool keep_complete(void *arg, cs_slice_t name, const cs_content_t *content)
{
    (void)name;
    *(size_t *)arg += content != NULL;
    return content != NULL;
}

Test(apply, a_start_keeps_what_is_complete)
{
    scene_stage(&scene, "whole");
    scene_stage(&scene, "torn");
    cs_content_t torn = scene_content(&scene, "torn");
    cs_buf_t path = {0};
    cs_staged_path(&torn, &path);
    scene_file(&scene, (const char *)path.data, "to");
    scene_file(&scene, ".crdtsync/tmp/stray", "s");
    cs_buf_fini(&path);
    size_t kept = 0;
    cs_cleanup_sink_t sink = {.arg = &kept, .keep = keep_complete};
    cr_assert_eq(cs_apply_cleanup(&scene.config, &sink), CS_OK);
    cr_assert_eq(kept, 1);
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 1);
    cr_assert(scene_anywhere(&scene, "whole"));
}
