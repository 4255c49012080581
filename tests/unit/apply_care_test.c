/* apply_care_test.c - who is faster than apply wins; file systems that lack something. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "disk/trash.h"
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

TestSuite(apply_care, .init = setup, .fini = teardown);

Test(apply_care, a_file_that_differs_from_its_row_wins)
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
    scene_apply(&scene);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(scene.steps.item[i].err, CS_ERR_CHANGED, "%s", paths[i]);
        cr_assert(scene_holds(&scene, paths[i], "mine"));
    }
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 1, "still staged");
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

Test(apply_care, another_mode_is_another_file)
{
    scene_file(&scene, "f", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new")->expect_mode = 0600;
    scene_apply(&scene);
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

Test(apply_care, a_row_without_a_ctime_is_believed_if_the_bytes_are_right)
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
    scene_apply(&scene);
    cr_assert_eq(scene.steps.item[0].err, CS_OK);
    cr_assert_eq(scene.steps.item[1].err, CS_OK);
    cr_assert_eq(scene.steps.item[2].err, CS_ERR_CHANGED);
    cr_assert_eq(scene.steps.item[3].err, CS_ERR_CHANGED);
    cr_assert(scene_holds(&scene, "w", "new"));
    cr_assert(scene_holds(&scene, "w2", "own"));
    cr_assert(scene_holds(&scene, "d2", "own"));
}

Test(apply_care, a_row_without_a_ctime_vouches_for_no_more_elsewhere)
{
    scene_file(&scene, "m", "old");
    scene_file(&scene, "c", "old");
    scene_move(&scene, "m", "n")->from_print.ctime_ns = 0;
    scene_chmod(&scene, "c", 0600)->expect.ctime_ns = 0;
    scene_apply_all(&scene);
    cr_assert_eq(scene.steps.item[0].print.ctime_ns, 0);
    cr_assert_eq(scene.steps.item[1].print.ctime_ns, 0);
}

Test(apply_care, what_is_there_already_wins_over_a_new_file)
{
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    scene_write(&scene, "d/f", "new");
    scene_mkdir(&scene, "k");
    scene_file(&scene, "f", "mine");
    scene_file(&scene, "d", "mine");
    scene_file(&scene, "k", "mine");
    scene_apply(&scene);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(scene.steps.item[i].err, CS_ERR_CHANGED, "step %zu", i);
    }
    cr_assert(scene_holds(&scene, "f", "mine"));
    cr_assert(scene_holds(&scene, "d", "mine"));
    cr_assert(scene_holds(&scene, "k", "mine"));
}

Test(apply_care, no_link_is_followed_out_of_the_folder)
{
    char *other = cs_test_dir_new(), target[512];
    snprintf(target, sizeof target, "-> %s", other);
    scene_file(&scene, "d", target);
    scene_stage(&scene, "new");
    scene_write(&scene, "d/f", "new");
    scene_apply(&scene);
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_CHANGED);
    cr_assert_eq(rmdir(other), 0, "nothing was written there");
    cs_free(other);
}

Test(apply_care, without_exchange_old_bytes_are_kept_by_a_link)
{
    scene.spy.fs.features.exchange = false;
    scene_file(&scene, "f", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "f", "new"));
    cr_assert(scene_in_trash(&scene, "old"));
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    cr_assert(scene_in_trash(&scene, "old"));
}

Test(apply_care, without_exchange_and_links_files_change_names_all_the_same)
{
    scene.spy.fs.features.exchange = scene.spy.fs.features.noreplace = false;
    scene.spy.no_links = true;
    scene_file(&scene, "f", "old");
    scene_file(&scene, "m", "moved");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    scene_write(&scene, "g", "new");
    scene_move(&scene, "m", "n");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "f", "new"));
    cr_assert(scene_holds(&scene, "g", "new"));
    cr_assert(scene_holds(&scene, "n", "moved"));
    cr_assert(scene_in_trash(&scene, "old"));
}

Test(apply_care, an_unmounted_folder_is_not_written_to)
{
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    cs_test_rename(scene.dir, ".crdtsync", "elsewhere");
    cr_assert_eq(cs_apply(&scene.config, &scene.steps), CS_ERR_NOT_MOUNTED);
    cr_assert_not(scene_has(&scene, "f"));
}
