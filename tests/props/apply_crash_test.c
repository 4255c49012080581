/* apply_crash_test.c - the power fails between any two calls of cs_apply.
 *
 * After a start each replaced path shows old or new, nothing is lost, and what was left undone
 * can be done. */
#include <criterion/criterion.h>
#include <string.h>

#include "support/tales.h"

typedef struct run {
    const tale_t *tale;
    size_t at;
} run_t;

static void fail(const run_t *run, const char *what, const char *detail)
{
    cr_assert_fail("%s: crash before call %zu: %s: %s", run->tale->name, run->at, what, detail);
}

static bool keep_complete(void *arg, cs_slice_t name, const cs_content_t *content)
{
    (void)arg;
    (void)name;
    return content != NULL;
}

/* What a scan and a plan would make of the folder now: the steps that are still to be done. */
static void plan_again(scene_t *scene, const scene_t *before)
{
    for (size_t i = 0; i < before->steps.len; i++) {
        const cs_step_t *step = &before->steps.item[i];
        const char *path = step->item.path->data, *text = before->new_text[i];
        bool is_done = text != NULL && scene_holds(scene, path, text);
        bool has_source = step->from != NULL && scene_holds(scene, step->from->data, text);
        cs_step_t *again = NULL;
        switch (step->kind) {
        case CS_STEP_WRITE:
            if (is_done) break;
            if (has_source) {
                again = scene_copy(scene, step->from->data, path);
            } else {
                scene_stage(scene, text);
            }
            if (!has_source) again = scene_write(scene, path, text);
            break;
        case CS_STEP_MOVE:
            if (is_done) break;
            cr_assert(has_source, "%s is neither moved nor there", step->from->data);
            again = scene_move(scene, step->from->data, path);
            break;
        case CS_STEP_DELETE:
            if (scene_holds(scene, path, before->old_text[i])) scene_delete(scene, path);
            break;
        case CS_STEP_CHMOD:
            again = scene_chmod(scene, path, step->item.attr.mode);
            break;
        case CS_STEP_MKDIR:
            scene_mkdir(scene, path);
            break;
        case CS_STEP_RMDIR:
            if (scene_count(scene, path) > 0) scene_rmdir(scene, path);
            break;
        case CS_STEP_VERIFY:
            break;
        }
        if (again != NULL) again->item.attr.mode = step->item.attr.mode;
    }
}

static void check_after_crash(const run_t *run, scene_t *scene)
{
    for (size_t i = 0; i < scene->steps.len; i++) {
        const cs_step_t *step = &scene->steps.item[i];
        const char *path = step->item.path->data, *old = scene->old_text[i];
        if (old != NULL && !scene_anywhere(scene, old)) fail(run, "old bytes lost", old);
        if (step->kind != CS_STEP_WRITE || old == NULL) continue;
        if (!scene_holds(scene, path, old) && !scene_holds(scene, path, scene->new_text[i])) {
            fail(run, "neither old nor new", path);
        }
    }
}

static void check_done(const run_t *run, const scene_t *scene, const scene_t *before)
{
    for (size_t i = 0; i < before->steps.len; i++) {
        const cs_step_t *step = &before->steps.item[i];
        const char *path = step->item.path->data;
        if (before->new_text[i] != NULL) {
            if (!scene_holds(scene, path, before->new_text[i])) {
                fail(run, "not done at last", path);
            }
        } else if (before->old_text[i] != NULL &&
                   scene_holds(scene, path, before->old_text[i])) {
            fail(run, "not deleted at last", path);
        }
    }
    for (size_t i = 0; i < scene->steps.len; i++) {
        if (scene->steps.item[i].err != CS_OK) {
            fail(run, "second run", cs_err_name(scene->steps.item[i].err));
        }
    }
}

static void crash(const run_t *run, lack_t lack)
{
    scene_t scene;
    scene_open(&scene);
    tale_take_away(&scene, lack);
    run->tale->build(&scene);
    scene.spy.at = run->at;
    cs_err_t err = cs_apply(&scene.config, &scene.steps);
    (void)err; /* the process that would see it is gone */

    scene.spy.at = 0;
    scene.spy.crashed = false;
    cs_cleanup_sink_t sink = {.keep = keep_complete};
    cr_assert_eq(cs_apply_cleanup(&scene.config, &sink), CS_OK);
    check_after_crash(run, &scene);

    scene_t again = scene;
    again.steps = (cs_steps_t){0};
    plan_again(&again, &scene);
    cr_assert_eq(cs_apply(&again.config, &again.steps), CS_OK);
    check_done(run, &again, &scene);
    cs_steps_fini(&again.steps);
    scene_close(&scene);
}

static void crash_everywhere(lack_t lack)
{
    for (size_t i = 0; i < tale_count; i++) {
        size_t calls = tale_count_calls(&tales[i], lack);
        for (size_t at = 1; at <= calls; at++) {
            crash(&(run_t){.tale = &tales[i], .at = at}, lack);
        }
    }
}

Test(apply_crash, power_fails)
{
    crash_everywhere(NOTHING);
}

Test(apply_crash, power_fails_without_exchange)
{
    crash_everywhere(EXCHANGE);
}

Test(apply_crash, power_fails_without_exchange_and_links)
{
    crash_everywhere(LINKS);
}
