/* apply_parts_test.c - steps that share nothing may be performed in any order, and by several
 * threads at once: the tree is the same. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "io/threads.h"
#include "support/scene.h"

#define STEPS      600u
#define TEXTS      400u /* fewer: the first ones have two names each, one of them by a copy */
#define DIRS       7u   /* made by whoever needs one first */
#define USERS_STEP 333u /* a user's file has its name */
#define LOST_STEP  222u /* nothing is staged for it */

static scene_t scene;

static void setup(void)
{
    scene_open(&scene);
    scene.config.fs = scene.real; /* the spy is for one thread */
}

static void teardown(void)
{
    scene_close(&scene);
}

TestSuite(apply_parts, .init = setup, .fini = teardown);

static void text_of(size_t step, char ret[32])
{
    snprintf(ret, 32, "text %zu", step % TEXTS);
}

static void path_of(size_t step, char ret[64])
{
    snprintf(ret, 64, "made/%zu/below/%zu", step % DIRS, step);
}

static void prepare(void)
{
    char path[64], text[32];
    for (size_t i = 0; i < STEPS; i++) {
        path_of(i, path);
        text_of(i, text);
        cs_step_t *step = cs_steps_add(&scene.steps, CS_STEP_WRITE);
        step->item.path = cs_str_from(path);
        step->item.eff = cs_str_from(path);
        step->item.content = scene_content(&scene, text);
        step->item.attr.mode = 0640;
        step->item.mtime_ns = 1500000000000000000 + (int64_t)i;
        if (i < TEXTS && i != LOST_STEP) scene_stage(&scene, text);
    }
    path_of(USERS_STEP, path);
    scene_file(&scene, path, "a user's");
}

static void check_step(size_t index)
{
    char path[64], text[32];
    path_of(index, path);
    text_of(index, text);
    const cs_step_t *step = &scene.steps.item[index];
    if (index == USERS_STEP) {
        cr_assert_eq(step->err, CS_ERR_CHANGED);
        cr_assert(scene_holds(&scene, path, "a user's"));
    } else if (index == LOST_STEP) {
        cr_assert_eq(step->err, CS_ERR_NOT_FOUND);
        cr_assert_not(scene_has(&scene, path));
    } else {
        cr_assert_eq(step->err, CS_OK, "%s: %s", path, cs_err_name(step->err));
        cr_assert(scene_holds(&scene, path, text), "%s", path);
        cs_stat_t st = scene_stat(&scene, path);
        cr_assert_eq(st.mode, 0640);
        cr_assert_eq(st.print.mtime_ns, step->item.mtime_ns);
        cr_assert(cs_print_eq_but_ctime(&step->print, &st.print));
    }
}

static void check(cs_all_fn *all, cs_durability_t durability)
{
    scene.config.all = all;
    scene.config.durability = durability;
    prepare();
    cr_assert_eq(cs_apply(&scene.config, &scene.steps), CS_OK);
    for (size_t i = 0; i < STEPS; i++)
        check_step(i);
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 1, "of the user's path alone");
}

static size_t parts_seen;

static void backwards(cs_task_fn *task, void *arg, size_t count)
{
    parts_seen += count;
    while (count > 0)
        task(arg, --count);
}

Test(apply_parts, in_turn)
{
    check(NULL, CS_DURABILITY_GROUP);
}

Test(apply_parts, backwards)
{
    check(backwards, CS_DURABILITY_GROUP);
    cr_assert_gt(parts_seen, 2, "it was not asked");
}

Test(apply_parts, on_threads)
{
    check(cs_all_on_threads, CS_DURABILITY_NONE);
}
