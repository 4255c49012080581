/* sim_oracle_test.c - each check of the oracle fires at what it is for, and not at crashes, old
 * images, copies and lost rows that are legal. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/entries.h"
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

TestSuite(sim_oracle, .init = set_up, .fini = tear_down);

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

/* --- what is right */

Test(sim_oracle, a_file_made_shared_and_removed_is_fine)
{
    static const bool all[JD_NODES] = {true, true, true};
    cs_oracle_counts_t counts;
    jd_share(&w, 0, 0);
    jd_share(&w, 1, 1);
    jd_remove(&w, 2, 0);
    jd_write(&w, 2, true);
    jd_expose(&w, 2);
    settle(2);
    FINE();
    cr_assert(cs_oracle_check_rest(w.oracle, all, &counts), "%s", cs_oracle_failure(w.oracle));
    cr_assert_eq(counts.entries, 1);
    cr_assert_eq(counts.contents, 1);
    cr_assert_eq(counts.minted, 5);
    cr_assert_eq(counts.removed, 2);
    cr_assert_eq(cs_oracle_minted(w.oracle), 5);
    cr_assert_eq(cs_oracle_minted_by(w.oracle, 0), 2);
}

Test(sim_oracle, numbers_of_a_batch_that_a_crash_took_may_be_used_again)
{
    jd_image_t before = jd_save(&w, 0);
    jd_create(&w, 0, 0); /* never written */
    jd_restore(&w, 0, &before);
    jd_share(&w, 0, 1);
    FINE();
    cr_assert(jd_rests(&w), "%s", cs_oracle_failure(w.oracle));
    jd_image_fini(&before);
}

/* --- numbers */

Test(sim_oracle, a_dot_that_a_stranger_minted)
{
    cs_dot_t dot = {1, 1};
    cs_lval_t l = test_lval(dot, dot, "f0");
    cr_assert_eq(cs_entry_add_l(&w.node[1].entry[0], &l), CS_OK);
    w.node[1].dirty[0] = true;
    jd_write(&w, 1, true);
    SAYS("minted by a stranger");
}

Test(sim_oracle, a_dot_of_a_replica_that_never_was)
{
    cs_dot_t dot = {9, 1};
    cs_lval_t l = test_lval(dot, dot, "f0");
    cr_assert_eq(cs_entry_add_l(&w.node[1].entry[0], &l), CS_OK);
    w.node[1].dirty[0] = true;
    jd_write(&w, 1, true);
    SAYS("a replica that never was");
}

Test(sim_oracle, a_number_minted_without_a_scan)
{
    jd_create(&w, 0, 0);
    jd_write(&w, 0, false);
    SAYS("no scan");
}

Test(sim_oracle, a_dot_that_left_before_exposed_was_durable)
{
    jd_create(&w, 0, 0);
    jd_write(&w, 0, true);
    jd_fetch(&w, 1, 0, 0);
    jd_write(&w, 1, false);
    SAYS("left before `exposed` covered it");
}

Test(sim_oracle, a_number_that_is_said_before_exposed_covers_it)
{
    jd_share(&w, 0, 0);
    jd_create(&w, 0, 1);
    jd_write(&w, 0, true);
    const jd_node_t *node = &w.node[0];
    cr_assert_lt(node->exposed, node->ctr);
    cs_oracle_said(w.oracle, 0, node->rid, node->exposed);
    cs_oracle_said(w.oracle, 1, node->rid, node->ctr); /* heard of: not for it to judge */
    FINE();
    cs_oracle_said(w.oracle, 0, node->rid, node->exposed + 1);
    SAYS("I8: number 1:3 left, and only 2 is exposed");
}

Test(sim_oracle, a_counter_that_goes_back)
{
    jd_share(&w, 0, 0);
    w.node[0].ctr--;
    jd_write(&w, 0, true);
    SAYS("I8");
}

Test(sim_oracle, a_value_that_changed_under_its_dot)
{
    jd_share(&w, 0, 0);
    w.node[1].entry[0].k[0].mtime_ns++;
    w.node[1].dirty[0] = true;
    jd_write(&w, 1, true);
    SAYS("I7: a dot has another value here");
}

/* --- live and dead */

Test(sim_oracle, a_dot_that_vanished)
{
    jd_share(&w, 0, 0);
    cs_entry_remove(&w.node[1].entry[0], CS_L, w.node[1].entry[0].l[0].dot);
    w.node[1].dirty[0] = true;
    jd_write(&w, 1, false);
    SAYS("I3: a dot vanished");
}

Test(sim_oracle, a_dot_that_was_dead_is_live_again)
{
    jd_share(&w, 0, 0);
    jd_remove(&w, 1, 0);
    jd_write(&w, 1, true);
    jd_fetch(&w, 1, 0, 0);
    jd_write(&w, 1, false);
    SAYS("I7: a dot that was dead here");
}

Test(sim_oracle, a_removal_that_did_not_reach_all_at_rest)
{
    jd_share(&w, 0, 0);
    jd_remove(&w, 1, 0);
    jd_write(&w, 1, true);
    FINE();
    cr_assert_not(jd_rests(&w));
    SAYS("I3: a dot is live that was removed");
}

Test(sim_oracle, a_file_that_others_lack_at_rest)
{
    jd_create(&w, 0, 0);
    jd_write(&w, 0, true);
    cr_assert_not(jd_rests(&w));
    SAYS("I1: not the state of node 0");
}

Test(sim_oracle, seen_that_covers_what_is_not_there)
{
    jd_create(&w, 0, 0);
    jd_write(&w, 0, true);
    jd_expose(&w, 0);
    jd_learn(&w, 1, 0);
    jd_write(&w, 1, false);
    SAYS("overclaim: seen");
}

Test(sim_oracle, ctx_that_covers_what_is_not_there)
{
    jd_create(&w, 0, 0);
    jd_write(&w, 0, true);
    jd_expose(&w, 0);
    cr_assert_eq(cs_entry_cover(&w.node[1].entry[0], (cs_dot_t){1, 1}), CS_OK);
    w.node[1].dirty[0] = true;
    jd_write(&w, 1, false);
    SAYS("overclaim: ctx");
}

Test(sim_oracle, seen_that_names_what_was_never_given_away)
{
    jd_create(&w, 0, 0);
    jd_write(&w, 0, true);
    jd_learn(&w, 1, 0);
    jd_write(&w, 1, false);
    SAYS("I8: seen names");
}

Test(sim_oracle, garbage_collected_before_seen_covers_it)
{
    jd_create(&w, 0, 0);
    jd_remove(&w, 0, 0);
    jd_write(&w, 0, true);
    jd_expose(&w, 0);
    jd_fetch(&w, 1, 0, 0); /* an eager push: a tombstone */
    jd_write(&w, 1, false);
    FINE();
    jd_strip(&w, 1, 0);
    jd_write(&w, 1, false);
    SAYS("is forgotten, and seen does not cover it");
}

Test(sim_oracle, seen_that_shrinks)
{
    jd_share(&w, 0, 0);
    cr_assert_eq(cs_vv_cut(&w.node[1].seen, 1, 1), CS_OK);
    jd_write(&w, 1, false);
    SAYS("I7: seen of 1 shrank");
}

Test(sim_oracle, a_live_dot_beyond_ctx)
{
    jd_share(&w, 0, 0);
    cs_vv_fini(&w.node[1].entry[0].ctx);
    w.node[1].dirty[0] = true;
    jd_write(&w, 1, false);
    SAYS("W: ctx");
}

/* --- sums, rest */

Test(sim_oracle, a_wrong_root)
{
    w.lie = true;
    jd_write(&w, 0, false);
    SAYS("I1: root");
}

Test(sim_oracle, rows_without_their_record)
{
    static const uint8_t key[] = {0, 0, 0, JD_FOLDER, 'e', '/', 1,  2,  3,  4,  5,
                                  6, 7, 8, 9,         10,  11,  12, 13, 14, 15, 16};
    cs_batch_t batch = {0};
    cs_batch_delete(&batch, cs_slice(key, sizeof key));
    cs_oracle_wrote(w.oracle, 0, &batch, true);
    cs_batch_fini(&batch);
    SAYS("without the state record");
}

Test(sim_oracle, a_row_that_cannot_be_read)
{
    static const uint8_t key[] = {0, 0, 0, JD_FOLDER, 'm', '/', 's', 't', 'a', 't', 'e'};
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice(key, sizeof key), cs_slice_text("no checksum"));
    cs_oracle_wrote(w.oracle, 0, &batch, true);
    cs_batch_fini(&batch);
    SAYS("m/state cannot be read");
}

Test(sim_oracle, a_tombstone_left_at_rest)
{
    jd_create(&w, 0, 0);
    jd_remove(&w, 0, 0);
    jd_write(&w, 0, true);
    cr_assert_not(jd_rests(&w));
    SAYS("I6: a tombstone");
}

Test(sim_oracle, a_lineage_left_that_nothing_shows)
{
    jd_share(&w, 0, 0);
    cs_entry_t *entry = &w.node[1].entry[0];
    cr_assert_eq(cs_entry_cover(entry, jd_mint(&w, 1)), CS_OK);
    cs_entry_remove(entry, CS_K, entry->k[0].dot);
    w.node[1].dirty[0] = true;
    jd_write(&w, 1, true);
    jd_expose(&w, 1);
    settle(1);
    FINE();
    cr_assert_not(jd_rests(&w));
    SAYS("I6: a lineage");
}
