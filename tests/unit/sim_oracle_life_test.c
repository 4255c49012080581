/* sim_oracle_life_test.c - what the oracle makes of old images, new incarnations, copied homes
 * and lost rows. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/judged.h"

static jd_world_t w;

static void set_up(void)
{
    jd_init(&w);
}

static void tear_down(void)
{
    jd_fini(&w);
}

TestSuite(sim_oracle_life, .init = set_up, .fini = tear_down);

#define SAYS(what) cr_assert(jd_says(&w, what), "%s", cs_oracle_failure(w.oracle))
#define FINE()     cr_assert_null(cs_oracle_failure(w.oracle), "%s", cs_oracle_failure(w.oracle))

/* Everybody has everything that anybody has, as it is at `best`. */
static void settle(unsigned best)
{
    for (unsigned i = 0; i < JD_NODES; i++) {
        for (unsigned other = 0; other < JD_NODES; other++)
            jd_learn(&w, i, other);
        for (unsigned file = 0; file < JD_FILES; file++) {
            if (i != best) jd_fetch(&w, i, best, file);
            jd_strip(&w, i, file);
        }
        jd_write(&w, i, false);
    }
}

/* Node 0 has a file that is its own, is saved, and gives it away; then it is as it was saved.
 */
static jd_image_t roll_back(void)
{
    jd_share(&w, 1, 1);
    jd_create(&w, 0, 0);
    jd_write(&w, 0, true);
    jd_image_t image = jd_save(&w, 0);
    jd_expose(&w, 0);
    jd_fetch(&w, 1, 0, 0);
    jd_learn(&w, 1, 0);
    jd_write(&w, 1, false);
    jd_remove(&w, 0, 1); /* of the lost future, but it may be known */
    jd_write(&w, 0, true);
    jd_expose(&w, 0);
    jd_restore(&w, 0, &image);
    return image;
}

Test(sim_oracle_life, an_image_that_takes_a_new_id_is_fine)
{
    jd_image_t image = roll_back();
    jd_reborn(&w, 0, 77);
    jd_write(&w, 0, false);
    FINE();
    cr_assert_not(cs_oracle_hole(w.oracle));
    jd_image_fini(&image);
}

Test(sim_oracle_life, after_a_rollback_a_lost_removal_is_not_owed)
{
    jd_image_t image = roll_back();
    jd_reborn(&w, 0, 77);
    jd_write(&w, 0, false);
    jd_expose(&w, 0);
    cs_entry_t joined; /* both copies of the file */
    cs_entry_init(&joined, &w.node[0].entry[0].bucket);
    cr_assert_eq(
        cs_entry_join(&w.node[0].entry[0], NULL, &w.node[1].entry[0], NULL, &joined, NULL),
        CS_OK);
    cs_entry_fini(&w.node[0].entry[0]);
    w.node[0].entry[0] = joined;
    settle(0);
    FINE();
    cr_assert(jd_rests(&w), "%s", cs_oracle_failure(w.oracle));
    jd_image_fini(&image);
}

Test(sim_oracle_life, a_dot_that_keeps_its_name_over_an_incarnation)
{
    jd_image_t image = roll_back();
    cs_entry_t *entry = &w.node[0].entry[0], kept;
    cs_entry_init(&kept, &entry->bucket);
    cs_entry_copy(&kept, entry);
    jd_reborn(&w, 0, 77);
    cs_entry_fini(entry);
    *entry = kept;
    w.node[0].dirty[0] = false;
    jd_write(&w, 0, false);
    SAYS("kept the name of an old incarnation");
    jd_image_fini(&image);
}

Test(sim_oracle_life, numbers_given_away_twice_after_a_rollback_are_the_hole)
{
    jd_image_t image = roll_back();
    jd_create(&w, 0, 1); /* numbers of the lost future, with another meaning */
    jd_write(&w, 0, true);
    cr_assert_not(cs_oracle_hole(w.oracle));
    jd_expose(&w, 0);
    cr_assert(cs_oracle_hole(w.oracle));
    FINE();
    jd_image_fini(&image);
}

Test(sim_oracle_life, a_removal_that_nobody_heard_of_is_undone_by_an_image)
{
    jd_share(&w, 1, 0);
    jd_image_t image = jd_save(&w, 0);
    jd_remove(&w, 0, 0);
    jd_write(&w, 0, true);
    jd_restore(&w, 0, &image);
    cr_assert(jd_rests(&w), "%s", cs_oracle_failure(w.oracle));
    jd_restore(&w, 0, &image);
    cs_entry_fini(&w.node[2].entry[0]); /* so whoever lacks the file now, lost it */
    w.node[2].dirty[0] = true;
    jd_write(&w, 2, false);
    SAYS("I3: a dot vanished");
    jd_image_fini(&image);
}

Test(sim_oracle_life, a_copied_home_may_take_a_new_id_or_the_other_may)
{
    jd_share(&w, 0, 0);
    jd_create(&w, 0, 1);
    jd_write(&w, 0, true);
    jd_copy(&w, 2, 0);
    jd_reborn(&w, 2, 77);
    jd_write(&w, 2, false);
    jd_reborn(&w, 0, 78);
    jd_write(&w, 0, false);
    FINE();
}

Test(sim_oracle_life, a_copied_home_with_the_same_id_runs_into_the_hole)
{
    jd_share(&w, 0, 0);
    jd_copy(&w, 2, 0);
    for (unsigned node = 0; node < JD_NODES; node += 2) {
        jd_create(&w, node, 1);
        jd_write(&w, node, true);
        cr_assert_not(cs_oracle_hole(w.oracle));
        jd_expose(&w, node);
    }
    cr_assert(cs_oracle_hole(w.oracle));
    FINE();
}

static void lose(unsigned node, const char *table)
{
    cs_buf_t prefix = {0};
    cs_buf_put_u32_be(&prefix, JD_FOLDER);
    cs_buf_put_slice(&prefix, cs_slice_text(table));
    cs_oracle_lost_rows(w.oracle, node, cs_buf_slice(&prefix));
    cs_buf_fini(&prefix);
}

Test(sim_oracle_life, lost_rows_must_be_noticed)
{
    jd_share(&w, 0, 0);
    lose(0, "b/");
    jd_write(&w, 0, false);
    FINE(); /* those were not of the state */
    lose(0, "e/");
    jd_write(&w, 0, false);
    SAYS("lost rows went unnoticed");
}

Test(sim_oracle_life, lost_rows_end_in_a_new_id_that_knows_nothing)
{
    jd_share(&w, 0, 0);
    jd_share(&w, 1, 1);
    jd_create(&w, 0, 0); /* its only copy is lost with the rows */
    jd_write(&w, 0, true);
    lose(0, "e/");
    jd_node_t *node = &w.node[0];
    cs_vv_fini(&node->seen);
    for (unsigned file = 0; file < JD_FILES; file++)
        cs_entry_fini(&node->entry[file]);
    node->rid = 77;
    node->ctr = node->exposed = 0;
    jd_write(&w, 0, false);
    FINE();
    settle(1); /* all comes back, and nothing more is known than before */
    FINE();
    cr_assert(jd_rests(&w), "%s", cs_oracle_failure(w.oracle));
}
