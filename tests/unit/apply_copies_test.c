/* apply_copies_test.c - bytes that are wanted at another path are never in the trash only. */
#include <criterion/criterion.h>

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

TestSuite(apply_copies, .init = setup, .fini = teardown);

static bool staged_holds(const char *text)
{
    cs_content_t content = scene_content(&scene, text);
    cs_buf_t path = {0};
    cs_staged_path(&content, &path);
    cs_buf_put_u8(&path, 0);
    bool holds = scene_holds(&scene, (const char *)path.data, text);
    cs_buf_fini(&path);
    return holds;
}

Test(apply_copies, bytes_that_could_not_be_copied_keep_their_names)
{
    scene_file(&scene, "f", "the only one");
    scene_file(&scene, "stale", "the only one");
    scene_file(&scene, "gone", "the only one");
    scene_copy(&scene, "stale", "sibling");
    scene_file(&scene, "stale", "edited meanwhile");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    scene_delete(&scene, "gone");
    cr_assert_eq(cs_apply(&scene.config, &scene.steps), CS_OK);
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_AGAIN);
    cr_assert_eq(scene.steps.item[1].err, CS_ERR_CHANGED);
    cr_assert_eq(scene.steps.item[2].err, CS_ERR_CHANGED);
    cr_assert(scene_holds(&scene, "f", "the only one"));
    cr_assert(scene_holds(&scene, "gone", "the only one"));
}

Test(apply_copies, a_copy_that_finds_its_place_taken_is_staged)
{
    scene_file(&scene, "f", "old");
    scene_copy(&scene, "f", "sibling");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    scene_file(&scene, "sibling", "a user's");
    cr_assert_eq(cs_apply(&scene.config, &scene.steps), CS_OK);
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_CHANGED);
    cr_assert(scene.steps.item[0].kept);
    cr_assert(scene_holds(&scene, "f", "new") && scene_holds(&scene, "sibling", "a user's"));
    cr_assert(staged_holds("old"));
}

static bool count_complete(void *arg, cs_slice_t name, const cs_content_t *content)
{
    (void)name;
    *(size_t *)arg += content != NULL;
    return content != NULL;
}

Test(apply_copies, a_start_takes_a_copy_for_a_staged_content)
{
    cs_content_t content = scene_content(&scene, "copy");
    cs_buf_t path = {0};
    cs_staged_path(&content, &path);
    cs_buf_printf(&path, ".7");
    cs_buf_put_u8(&path, 0);
    scene_file(&scene, (const char *)path.data, "copy");
    cs_buf_fini(&path);
    size_t complete = 0;
    cs_cleanup_sink_t sink = {.arg = &complete, .keep = count_complete};
    cr_assert_eq(cs_apply_cleanup(&scene.config, &sink), CS_OK);
    cr_assert_eq(complete, 1);
    cr_assert(staged_holds("copy"));
}
