/* node_test.c - what a node does not do: spin, starve, invent, forget. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/node_world.h"
#include "support/tree.h"

static nw_world_t world;

static void finish(void)
{
    const char *failure = world.failure;
    nw_close(&world);
    cr_assert_null(failure, "%s", failure);
}

/* For so long nothing may fail; users and links rest. */
static void rest(uint64_t ms)
{
    uint64_t end_ms = world.now_ms + ms;
    for (unsigned i = 0; i < 20000 && world.failure == NULL && world.now_ms < end_ms; i++) {
        if (!nw_step(&world)) nw_pass_time(&world);
    }
}

static cs_folder_status_t status_of(unsigned index)
{
    cs_folder_status_t status = {.phase = CS_PHASE_ERROR};
    cr_assert(cs_node_folder_status(world.node[index].node, NW_FOLDER, &status));
    return status;
}

Test(node, two_nodes_become_equal)
{
    nw_open(&world, 1, 2);
    nw_write(&world.node[0], "a", "one");
    nw_write_large(&world.node[1], "d/large", 1);
    nw_settle(&world);
    finish();
}

Test(node, a_scan_that_is_asked_for_at_any_moment_is_done_soon)
{
    for (unsigned moment = 0; moment < 40; moment++) {
        nw_open(&world, 100 + moment, 1);
        for (unsigned i = 0; i < moment; i++) {
            if (!nw_step(&world)) nw_pass_time(&world);
        }
        nw_scan(&world.node[0], NULL);
        rest(1000);
        cr_expect_eq(status_of(0).phase, CS_PHASE_IDLE, "asked for after %u steps", moment);
        finish();
    }
}

Test(node, a_paused_folder_rests)
{
    nw_open(&world, 2, 2);
    nw_settle(&world);
    nw_pause(&world.node[1], true);
    nw_write(&world.node[1], "a", "mine");
    nw_write(&world.node[0], "a", "yours");
    nw_scan(&world.node[0], NULL);
    nw_scan(&world.node[1], NULL);
    rest(20000);
    cr_expect_eq(status_of(1).phase, CS_PHASE_PAUSED);
    nw_settle(&world);
    finish();
}

Test(node, a_folder_that_is_gone_rests_and_recovers)
{
    nw_open(&world, 3, 2);
    nw_settle(&world);
    char id[256], away[256];
    snprintf(id, sizeof id, "%s/.crdtsync/id", world.node[1].dir);
    snprintf(away, sizeof away, "%s/.crdtsync/away", world.node[1].dir);
    cr_assert_eq(rename(id, away), 0);
    nw_write(&world.node[0], "a", "one");
    nw_scan(&world.node[0], NULL);
    nw_scan(&world.node[1], NULL);
    rest(60000);
    cr_expect_eq(status_of(1).phase, CS_PHASE_ERROR);
    cr_expect_eq(world.node[1].last_answer, CS_ERR_NOT_MOUNTED);
    cr_assert_eq(rename(away, id), 0);
    rest(10000); /* by itself */
    cr_expect_eq(status_of(1).phase, CS_PHASE_IDLE);
    nw_settle(&world);
    finish();
}

/* Steps; `node` loses power as soon as it applied something while a batch was not yet written.
 */
static void work_and_crash(nw_node_t *node, unsigned steps)
{
    unsigned early = node->early_applies;
    for (unsigned k = 0; k < steps; k++) {
        if (!nw_step(&world)) nw_pass_time(&world);
        if (node->early_applies == early) continue;
        early = node->early_applies;
        nw_restart(node, true);
    }
}

/* Jobs that were not begun when a node stops did nothing, and nothing of them is recorded: else
 * the next scan takes what they did not make for deleted. */
Test(node, who_only_receives_mints_nothing_whenever_it_stops)
{
    for (unsigned seed = 200; seed < 230; seed++) {
        nw_open(&world, seed, 2);
        nw_node_t *user = &world.node[0], *other = &world.node[1];
        for (unsigned i = 0; i < 25 && world.failure == NULL; i++) {
            nw_user(user);
            nw_scan(user, NULL);
            nw_connect_all(&world);
            for (unsigned k = nw_pick(&world, 60); k > 0; k--) {
                if (!nw_step(&world)) nw_pass_time(&world);
            }
            nw_restart(other, false);
            cr_assert_eq(status_of(1).state->ctr, 0, "seed %u", seed);
        }
        nw_settle(&world);
        cr_assert_eq(status_of(1).state->ctr, 0, "seed %u", seed);
        finish();
    }
}

/* What apply shows must be known after a crash, else the next scan takes it for a user's. */
Test(node, who_only_receives_mints_nothing_whenever_it_crashes)
{
    for (unsigned seed = 100; seed < 130; seed++) {
        nw_open(&world, seed, 2);
        nw_node_t *user = &world.node[0], *other = &world.node[1];
        for (unsigned i = 0; i < 25 && world.failure == NULL; i++) {
            nw_user(user);
            nw_scan(user, NULL);
            nw_connect_all(&world);
            work_and_crash(other, nw_pick(&world, 60));
            cr_assert_eq(status_of(1).state->ctr, 0, "seed %u", seed);
        }
        nw_settle(&world);
        cr_assert_eq(status_of(1).state->ctr, 0, "seed %u", seed);
        finish();
    }
}

/* CS_DOTS_MAX - 1 versions of x in one entry: with one more it is full. */
static void join_versions(unsigned index, uint64_t rid, const char *text)
{
    cs_replica_t *replica = cs_node_replica(world.node[index].node, NW_FOLDER);
    const uint8_t secret[CS_SECRET_BYTES] = {7};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    cs_bucket_t bucket;
    cs_entry_t many, joined;
    cs_join_result_t result;
    cs_bucket_of(&keys, cs_slice_text("x"), &bucket);
    cs_entry_init(&many, &bucket);
    cs_entry_init(&joined, &bucket);
    for (uint32_t i = 1; i < CS_DOTS_MAX; i++) {
        cs_kval_t k = {.dot = {rid, i},
                       .lin = {rid, i},
                       .gen = 1,
                       .content = cs_tree_text(CS_KIND_FILE, text),
                       .path = cs_str_from("x")};
        cr_assert_eq(cs_entry_add_k(&many, &k), CS_OK);
    }
    cr_assert_eq(cs_replica_join(replica, &many, NULL, &joined, &result), CS_OK);
    cs_entry_fini(&many);
    cs_entry_fini(&joined);
}

static void is_x(void *arg, cs_slice_t path)
{
    *(bool *)arg = cs_slice_eq(path, cs_slice_text("x"));
}

Test(node, a_path_with_too_many_versions_is_named)
{
    bool named[2] = {false, false};
    nw_open_trusting(&world, 9, 2);
    nw_settle(&world);
    join_versions(0, 0x1000, "v");
    join_versions(1, 0x2000, "w");
    nw_write(&world.node[0], "other", "file");
    nw_scan(&world.node[0], NULL);
    rest(20000);
    for (unsigned i = 0; i < 2; i++) {
        (void)cs_node_refused(world.node[i].node, NW_FOLDER, 10, is_x, &named[i]);
    }
    cr_expect(named[0] || named[1]);
    nw_close(&world);
}

/* Of a run before; nothing tells whose it was. */
static void put_in_trash(const nw_node_t *node, unsigned group, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, ".crdtsync/trash/%016u/%u", group, i);
        cs_test_write(node->dir, path, "1");
    }
}

static bool is_in_trash(const nw_node_t *node, const char *what)
{
    char path[300];
    snprintf(path, sizeof path, "%s/.crdtsync/trash/%s", node->dir, what);
    return access(path, F_OK) == 0;
}

Test(node, a_full_trash_is_emptied_in_parts)
{
    nw_open(&world, 5, 1);
    const nw_node_t *node = &world.node[0];
    put_in_trash(node, 1, 2 * CS_TRASH_DROPS_MAX + 10);
    put_in_trash(node, 2, 1);
    char newest[300];
    snprintf(newest, sizeof newest, "%s/.crdtsync/trash/%016u/0", node->dir, 2);
    cr_assert_eq(truncate(newest, 1 << 30), 0); /* all that may be there (nw_open) */
    nw_settle(&world);
    cr_expect(is_in_trash(node, "0000000000000002/0"));
    cr_expect_not(is_in_trash(node, "0000000000000001"));
    cr_expect_gt(node->applies, 0, "though there is nothing to apply");
    finish();
}

Test(node, a_step_of_many_effects_gives_its_memory_back)
{
    cs_effects_t effects = {0};
    for (size_t i = 0; i < CS_EFFECTS_KEPT; i++) {
        (void)cs_effects_add(&effects, CS_FX_NOTE);
    }
    cs_effects_clear(&effects);
    cr_expect_eq(effects.cap, CS_EFFECTS_KEPT);

    for (size_t i = 0; i <= CS_EFFECTS_KEPT; i++) {
        (void)cs_effects_add(&effects, CS_FX_NOTE);
    }
    cs_effects_clear(&effects);
    cr_expect_eq(effects.cap, 0);
    cr_expect_null(effects.item);
    cr_expect_eq(cs_effects_add(&effects, CS_FX_NOTE)->kind, CS_FX_NOTE,
                 "it can be used again");
    cs_effects_fini(&effects);
}
