/* trash_test.c - what was replaced or deleted, what came late, what a crash left. */
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

TestSuite(trash, .init = setup, .fini = teardown);

Test(trash, groups_of_the_trash_are_numbered_with_and_without_a_counter)
{
    cs_trash_count_t trash = {.bytes = CS_TRASH_UNCOUNTED};
    scene.config.trash = &trash;
    for (int i = 0; i < 4; i++) {
        scene.config.trash = i < 2 ? &trash : NULL;
        scene_file(&scene, "f", "old");
        scene_delete(&scene, "f");
        scene_apply_all(&scene);
        cs_steps_fini(&scene.steps);
    }
    cr_assert_eq(trash.next, 3);
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
    scene_apply_all(&scene);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    late_at[0] = '\0';
    cr_assert_eq(cs_trash_sweep(&scene.config, &(cs_cleanup_sink_t){.late = on_late}), CS_OK);
}

Test(trash, a_late_write_to_a_deleted_file_brings_it_back)
{
    scene_file(&scene, "d/f", "old");
    scene_delete(&scene, "d/f");
    scene_rmdir(&scene, "d");
    write_late("d/f", "late bytes");
    cr_assert_str_eq(late_at, "d/f");
    cr_assert(scene_holds(&scene, "d/f", "late bytes"));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

Test(trash, a_late_write_to_a_replaced_file_appears_beside_it)
{
    scene_file(&scene, "f.txt", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "f.txt", "new");
    write_late("f.txt", "late bytes");
    cr_assert_eq(strncmp(late_at, "f.conflict-", 11), 0, "%s", late_at);
    cr_assert(scene_holds(&scene, "f.txt", "new"));
    cr_assert(scene_holds(&scene, late_at, "late bytes"));
}

/* Its bytes were seen to be a user's, whose print tells nothing; its name was taken then. */
Test(trash, what_is_marked_as_a_users_is_given_back)
{
    scene_file(&scene, "f.txt", "his");
    scene_delete(&scene, "f.txt");
    scene_apply_all(&scene);
    char at[512], marked[600];
    snprintf(at, sizeof at, "%s/.crdtsync/trash/0000000000000001/0", scene.dir);
    snprintf(marked, sizeof marked, "%su", at);
    cr_assert_eq(rename(at, marked), 0);
    scene_file(&scene, "f.txt", "his newest");
    late_at[0] = '\0';
    cr_assert_eq(cs_trash_sweep(&scene.config, &(cs_cleanup_sink_t){.late = on_late}), CS_OK);
    cr_assert_eq(strncmp(late_at, "f.conflict-", 11), 0, "%s", late_at);
    cr_assert(scene_holds(&scene, "f.txt", "his newest"));
    cr_assert(scene_holds(&scene, late_at, "his"));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

/* Its next write would go nowhere. */
Test(trash, what_a_program_writes_to_is_not_dropped)
{
    scene_file(&scene, "f", "old");
    scene_file(&scene, "g", "other");
    char full[512];
    snprintf(full, sizeof full, "%s/f", scene.dir);
    int fd = open(full, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    bool can_tell = fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
    cr_assert(!can_tell || fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
    scene_delete(&scene, "f");
    scene_delete(&scene, "g");
    scene_apply_all(&scene);
    scene.config.trash_bytes_max = 0;
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    cr_assert_not(scene_anywhere(&scene, "other"));
    if (can_tell) {
        cr_assert(scene_in_trash(&scene, "old"));
        cr_assert_eq(pwrite(fd, "new", 3, 0), 3);
        cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
        cr_assert(scene_holds(&scene, "f", "new"));
    }
    close(fd);
}

Test(trash, an_untouched_trash_is_kept_within_its_bounds)
{
    for (int i = 0; i < 3; i++) {
        char text[16];
        snprintf(text, sizeof text, "old %d", i);
        scene_file(&scene, "f", text);
        scene_delete(&scene, "f");
        scene_apply_all(&scene);
        cs_steps_fini(&scene.steps);
    }
    scene.config.trash_bytes_max = 10; /* two of five bytes */
    late_at[0] = '\0';
    cr_assert_eq(cs_trash_sweep(&scene.config, &(cs_cleanup_sink_t){.late = on_late}), CS_OK);
    cr_assert_str_eq(late_at, "");
    cr_assert_not(scene_anywhere(&scene, "old 0"));
    cr_assert(scene_anywhere(&scene, "old 1") && scene_anywhere(&scene, "old 2"));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 2);
}

Test(trash, a_damaged_log_keeps_its_files)
{
    scene_file(&scene, "f", "old");
    scene_delete(&scene, "f");
    scene_apply_all(&scene);
    scene_file(&scene, ".crdtsync/trash/0000000000000001/log", "crdtsync trash 1\nrot");
    scene_file(&scene, ".crdtsync/trash/0000000000000001/0", "late");
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    cr_assert(scene_in_trash(&scene, "late"));
    scene.config.trash_bytes_max = 3;
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

/* --- staging */

Test(trash, what_is_staged_twice_is_there_once)
{
    cs_content_t content = scene_content(&scene, "right");
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(cs_stage_small(scene.real, &content, cs_slice_text("right"), NULL), CS_OK);
    }
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 1);
}

static bool keep_complete(void *arg, cs_slice_t name, const cs_content_t *content)
{
    (void)name;
    *(size_t *)arg += content != NULL;
    return content != NULL;
}

Test(trash, a_start_keeps_what_is_complete)
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

static void note_found(void *arg, const cs_content_t *content)
{
    (void)content;
    ++*(size_t *)arg;
}

Test(trash, what_is_wanted_is_found_in_it)
{
    scene_file(&scene, "f", "deleted");
    scene_delete(&scene, "f");
    scene_apply_all(&scene);
    cs_content_t wanted[] = {scene_content(&scene, "deleted"),
                             scene_content(&scene, "another")};
    size_t found = 0;
    cr_assert_eq(cs_trash_find(&scene.config, wanted, 2, note_found, &found), CS_OK);
    cr_assert_eq(found, 1);
    cs_buf_t path = {0};
    cs_staged_path(&wanted[0], &path);
    cs_buf_put_u8(&path, 0);
    cr_assert(scene_holds(&scene, (const char *)path.data, "deleted"));
    cs_buf_fini(&path);
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 1);
}

static const cs_fs_ops_t *real_ops;
static size_t opened, created;

static cs_err_t count_open(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    opened++;
    return real_ops->open_read(fs, path, ret);
}

static cs_err_t count_create(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    created++;
    return real_ops->create(fs, path, ret);
}

#define SAME 20u /* in the trash, and wanted, all of one size */

/* A chaos of small files took minutes for a scan: each file of the trash was copied for each
 * that was wanted, and lacked the right digest. */
Test(trash, what_is_in_it_is_read_once_and_copied_only_if_it_is_wanted)
{
    cs_content_t wanted[SAME];
    char text[16];
    for (unsigned i = 0; i < SAME; i++) {
        snprintf(text, sizeof text, "old %02u", i);
        scene_put_in_trash(&scene, "f", text);
        snprintf(text, sizeof text, i == 7 ? "old %02u" : "new %02u", i);
        wanted[i] = scene_content(&scene, text);
    }
    cs_fs_t *fs = scene.config.fs;
    real_ops = fs->ops;
    cs_fs_ops_t counting = *real_ops;
    counting.open_read = count_open;
    counting.create = count_create;
    fs->ops = &counting;
    size_t found = 0;
    cr_assert_eq(cs_trash_find(&scene.config, wanted, SAME, note_found, &found), CS_OK);
    fs->ops = real_ops;
    cr_assert_eq(found, 1);
    cr_assert_eq(created, 1);
    cr_assert_eq(opened, SAME + 1, "%zu", opened); /* the copy reads again */
}

/* --- for people */

static cs_err_t restore(const char *what, const char *to, const char *expected_at)
{
    cs_buf_t at = {0};
    cs_stat_t st;
    cs_err_t err =
        cs_trash_restore(scene.config.fs, cs_slice_text(what), cs_slice_text(to), &at, &st);
    cr_assert(cs_slice_eq(cs_buf_slice(&at), cs_slice_text(expected_at)));
    cs_buf_fini(&at);
    return err;
}

Test(trash, the_newest_of_a_path_is_listed_and_restored_first)
{
    scene_put_in_trash(&scene, "d/f", "old");
    scene_put_in_trash(&scene, "g", "other");
    scene_put_in_trash(&scene, "d/f", "newer");
    scene_expect_trash(&scene, "d/f:5 g:5 d/f:3 ");
    cr_assert_eq(restore("d/f", "", "d/f"), CS_OK);
    cr_assert(scene_holds(&scene, "d/f", "newer"));
    cr_assert_eq(restore("d/f", "", "d/f"), CS_ERR_EXISTS);
    cr_assert(scene_holds(&scene, "d/f", "newer"));
    cr_assert_eq(restore("d/f", "elsewhere/f", "elsewhere/f"), CS_OK);
    cr_assert(scene_holds(&scene, "elsewhere/f", "old"));
    cr_assert_eq(restore("d/f", "", ""), CS_ERR_NOT_FOUND);
    cr_assert_eq(restore(".crdtsync/trash/0000000000000002/0", "g/h", "g/h"), CS_OK);
    cr_assert(scene_holds(&scene, "g/h", "other"));
    scene_expect_trash(&scene, "");
}

Test(trash, nothing_is_restored_below_a_file)
{
    scene_put_in_trash(&scene, "d/f", "old");
    cr_assert_eq(scene.real->ops->rmdir(scene.real, cs_slice_text("d")), CS_OK);
    scene_file(&scene, "d", "a file now");
    cr_assert_eq(restore("d/f", "", "d/f"), CS_ERR_NOT_DIR);
    scene_expect_trash(&scene, "d/f:3 ");
    cr_assert(scene_holds(&scene, "d", "a file now"));
}
