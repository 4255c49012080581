/* trash_bounds_test.c - what is beyond the bounds of the trash goes, the oldest first, so much
 * at a time. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "disk/trash.h"
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

TestSuite(trash_bounds, .init = setup, .fini = teardown);

Test(trash_bounds, a_run_drops_the_oldest_beyond_the_bound)
{
    cs_trash_count_t trash = {.bytes = CS_TRASH_UNCOUNTED};
    scene.config.trash = &trash;
    scene.config.trash_bytes_max = 10;
    scene_put_in_trash(&scene, "a", "1234");
    cr_assert_eq(trash.bytes, CS_TRASH_UNCOUNTED, "nobody has counted yet");
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    cr_assert_eq(trash.bytes, 4);
    scene_put_in_trash(&scene, "b", "123456");
    scene_expect_trash(&scene, "b:6 a:4 ");
    scene_put_in_trash(&scene, "c", "1");
    scene_expect_trash(&scene, "c:1 b:6 ");
    cr_assert_eq(trash.bytes, 7);
    scene_put_in_trash(&scene, "d", "12345678901"); /* more than all that may be there */
    scene_expect_trash(&scene, "d:11 ");
    scene_put_in_trash(&scene, "e", "1234");
    scene_expect_trash(&scene, "e:4 ");
    cr_assert_eq(trash.bytes, 4);
}

Test(trash_bounds, what_cannot_go_yet_costs_no_newer_one)
{
    scene_file(&scene, "a", "123");
    scene_delete(&scene, "a");
    char full[512];
    snprintf(full, sizeof full, "%s/a", scene.dir);
    int fd = open(full, O_WRONLY | O_CLOEXEC); /* somebody may write to it yet */
    cr_assert_geq(fd, 0);
    scene_apply_all(&scene);
    cs_steps_fini(&scene.steps);
    scene_put_in_trash(&scene, "b", "456");
    scene.config.trash_bytes_max = 3;
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    scene_expect_trash(&scene, "b:3 a:3 ");
    cr_assert_eq(close(fd), 0);
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    scene_expect_trash(&scene, "b:3 ");
}

/* The newest run has one file. All of it is over the bound. */
static void fill(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "f%zu", i);
        scene_file(&scene, name, "1");
        scene_delete(&scene, name);
        if ((i + 1) % SCENE_STEPS_MAX != 0 && i + 1 < count) continue;
        scene_apply_all(&scene);
        cs_steps_fini(&scene.steps);
    }
    scene_put_in_trash(&scene, "new", "1");
    scene.config.trash_bytes_max = 0;
}

static bool count_item(void *arg, const cs_trash_item_t *item)
{
    (void)item;
    ++*(size_t *)arg;
    return true;
}

static size_t in_trash(void)
{
    size_t count = 0;
    cr_assert_eq(cs_trash_each(scene.config.fs, &count, count_item), CS_OK);
    return count;
}

static void run_without_steps(void)
{
    cs_steps_t none = {0};
    cr_assert_eq(cs_apply(&scene.config, &none), CS_OK);
}

Test(trash_bounds, a_sweep_drops_so_many_and_no_more)
{
    cs_trash_count_t trash = {.bytes = CS_TRASH_UNCOUNTED};
    fill(CS_TRASH_DROPS_MAX - 1);
    scene.config.trash = &trash;
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    cr_expect_eq(in_trash(), 0);
    cr_expect_eq(trash.over, 0);
    cr_expect_eq(trash.bytes, 0);
}

Test(trash_bounds, what_a_sweep_left_goes_with_the_next_runs)
{
    cs_trash_count_t trash = {.bytes = CS_TRASH_UNCOUNTED};
    fill(2 * CS_TRASH_DROPS_MAX + 2);
    scene.config.trash = &trash;
    cr_assert_eq(cs_trash_sweep(&scene.config, NULL), CS_OK);
    cr_expect_eq(in_trash(), CS_TRASH_DROPS_MAX + 3);
    cr_expect_eq(trash.over, CS_TRASH_DROPS_MAX + 3);
    run_without_steps();
    cr_expect_eq(trash.over, 3);
    run_without_steps();
    scene_expect_trash(&scene, "new:1 "); /* the newest run waits for another one */
    cr_expect_eq(trash.over, 0, "and nobody tries again and again");
    run_without_steps();
    scene_put_in_trash(&scene, "newer", "12");
    scene_expect_trash(&scene, "newer:2 ");
}
