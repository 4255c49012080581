/* deeds_test.c - events of our own doing are known, once; a user's never are. */
#include <criterion/criterion.h>

#include "node/deeds.h"

static cs_step_t *add(cs_steps_t *steps, cs_step_kind_t kind, const char *path,
                      const char *from)
{
    cs_step_t *step = cs_steps_add(steps, kind);
    step->item.path = cs_str_from(path);
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

Test(deeds, modes_change_as_often_as_they_do)
{
    cs_steps_t steps = {0};
    add(&steps, CS_STEP_CHMOD, "f", NULL);
    cs_deeds_t *deeds = deeds_of(&steps);
    cr_assert(take(deeds, "f", CS_DEED_META));
    cr_assert(take(deeds, "f", CS_DEED_META));
    cr_assert_not(take(deeds, "g", CS_DEED_META));
    cr_assert_not(take(deeds, "f", CS_DEED_COME));
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
    cr_assert(cs_deeds_has(deeds, cs_slice_text("a/b")));
    cr_assert_not(cs_deeds_has(deeds, cs_slice_text("a/b/g")));
    cs_deeds_destroy(&deeds);
}

Test(deeds, without_any_everything_is_a_users)
{
    cr_assert_not(take(NULL, "f", CS_DEED_COME));
    cr_assert_not(cs_deeds_has(NULL, cs_slice_text("f")));
}
