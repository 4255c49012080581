/* deeds_test.c - events of our own doing are known, once; a user's never are. */
#include <criterion/criterion.h>

#include "node/deeds.h"

static cs_step_t *add(cs_steps_t *steps, cs_step_kind_t kind, const char *path,
                      const char *from)
{
    cs_step_t *step = cs_steps_add(steps, kind);
    step->item.path = cs_str_from(path);
    step->item.content.kind = CS_KIND_FILE;
    if (from != NULL) step->from = cs_str_from(from);
    return step;
}

static cs_deeds_t *deeds_of(cs_steps_t *steps)
{
    cs_deeds_t *deeds = cs_deeds_new(steps);
    cs_steps_fini(steps); /* they go to a worker, and are not ours to read */
    return deeds;
}

static bool take(cs_deeds_t *deeds, const char *path, cs_deed_t what)
{
    return cs_deeds_take(deeds, cs_slice_text(path), what, false);
}

Test(deeds, a_new_file_comes_once)
{
    cs_steps_t steps = {0};
    add(&steps, CS_STEP_WRITE, "f", NULL);
    cs_deeds_t *deeds = deeds_of(&steps);
    cr_assert(take(deeds, "f", CS_DEED_COME));
    cr_assert_not(take(deeds, "f", CS_DEED_COME), "the second one is a user's");
    cr_assert_not(take(deeds, "f", CS_DEED_GO), "nothing was replaced");
    cr_assert_not(take(deeds, "g", CS_DEED_COME));
    cs_deeds_destroy(&deeds);
}

Test(deeds, what_replaces_comes_and_goes)
{
    cs_steps_t steps = {0};
    add(&steps, CS_STEP_WRITE, "f", NULL)->replaces = true;
    cs_deeds_t *deeds = deeds_of(&steps);
    cr_assert(take(deeds, "f", CS_DEED_COME));
    cr_assert(take(deeds, "f", CS_DEED_GO));
    cr_assert_not(take(deeds, "f", CS_DEED_GO));
    cs_deeds_destroy(&deeds);
}

Test(deeds, a_move_has_two_names)
{
    cs_steps_t steps = {0};
    add(&steps, CS_STEP_MOVE, "to", "from");
    cs_deeds_t *deeds = deeds_of(&steps);
    cr_assert_not(take(deeds, "from", CS_DEED_COME));
    cr_assert(take(deeds, "from", CS_DEED_GO));
    cr_assert(take(deeds, "to", CS_DEED_COME));
    cr_assert_not(take(deeds, "to", CS_DEED_GO));
    cs_deeds_destroy(&deeds);
}

Test(deeds, a_deletion_goes_once)
{
    cs_steps_t steps = {0};
    add(&steps, CS_STEP_DELETE, "f", NULL);
    add(&steps, CS_STEP_RMDIR, "d", NULL);
    cs_deeds_t *deeds = deeds_of(&steps);
    cr_assert(take(deeds, "f", CS_DEED_GO));
    cr_assert_not(take(deeds, "f", CS_DEED_GO));
    cr_assert_not(take(deeds, "f", CS_DEED_COME), "a user made it anew");
    cr_assert(cs_deeds_take(deeds, cs_slice_text("d"), CS_DEED_GO, true));
    cs_deeds_destroy(&deeds);
}

static bool left(const cs_deeds_t *deeds, const char *path, uint16_t mode, int64_t mtime_ns)
{
    cs_left_t now = {.is_file = true, .mode = mode, .mtime_ns = mtime_ns};
    return cs_deeds_left(deeds, cs_slice_text(path), &now);
}

Test(deeds, what_is_left_is_known_by_its_looks)
{
    cs_steps_t steps = {0};
    cs_step_t *write = add(&steps, CS_STEP_WRITE, "f", NULL);
    write->item.attr.mode = 0666;
    write->item.mtime_ns = 5;
    add(&steps, CS_STEP_MOVE, "to", "from")->from_print.mtime_ns = 6;
    cs_step_t *chmod_step = add(&steps, CS_STEP_CHMOD, "x", NULL);
    chmod_step->item.attr.mode = 0755;
    chmod_step->expect.mtime_ns = 7;
    add(&steps, CS_STEP_WRITE, "l", NULL)->item.content.kind = CS_KIND_SYMLINK;
    cs_deeds_t *deeds = deeds_of(&steps);
    cr_assert(left(deeds, "f", 0666, 5));
    cr_assert(left(deeds, "f", 0644, 5), "by a umask");
    cr_assert_not(left(deeds, "f", 0644, 4), "a user wrote to it");
    cr_assert_not(left(deeds, "f", 0744, 5), "a user changed its mode");
    cr_assert_not(cs_deeds_left(deeds, cs_slice_text("f"), NULL), "a user deleted it");
    cr_assert(left(deeds, "to", 0, 6));
    cr_assert_not(left(deeds, "from", 0, 6));
    cr_assert(cs_deeds_left(deeds, cs_slice_text("from"), NULL));
    cr_assert(left(deeds, "x", 0755, 7));
    cr_assert_not(left(deeds, "x", 0644, 7));
    cs_left_t link = {.is_file = false};
    cr_assert_not(cs_deeds_left(deeds, cs_slice_text("l"), &link));
    cr_assert_not(left(deeds, "g", 0666, 5));
    cs_deeds_destroy(&deeds);
}

Test(deeds, directories_on_the_way_are_made_by_us)
{
    cs_steps_t steps = {0};
    add(&steps, CS_STEP_WRITE, "a/b/f", NULL);
    cs_deeds_t *deeds = deeds_of(&steps);
    cr_assert(cs_deeds_take(deeds, cs_slice_text("a"), CS_DEED_COME, true));
    cr_assert(cs_deeds_take(deeds, cs_slice_text("a/b"), CS_DEED_COME, true));
    cr_assert_not(cs_deeds_take(deeds, cs_slice_text("a/c"), CS_DEED_COME, true));
    cr_assert_not(cs_deeds_take(deeds, cs_slice_text("a"), CS_DEED_COME, false),
                  "a file by that name is a user's");
    cr_assert_not(cs_deeds_take(deeds, cs_slice_text("a"), CS_DEED_GO, true));
    cr_assert(cs_deeds_leads(deeds, cs_slice_text("a/b")));
    cr_assert_not(cs_deeds_leads(deeds, cs_slice_text("a/b/g")));
    cs_deeds_destroy(&deeds);
}

Test(deeds, without_any_everything_is_a_users)
{
    cr_assert_not(take(NULL, "f", CS_DEED_COME));
    cr_assert_not(left(NULL, "f", 0, 0));
    cr_assert_not(cs_deeds_leads(NULL, cs_slice_text("f")));
}
