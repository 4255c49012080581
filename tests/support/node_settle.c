/* node_settle.c - the fair end of a history: no more faults, and all must become equal. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/node_world.h"
#include "support/picture.h"

#define STEPS_MAX 300000u
#define FAIR_MS   900000u /* HAVEs come once a minute, a silent peer is passed over after two */

static bool knows_others(nw_world_t *world, nw_node_t *node)
{
    size_t count;
    cs_report_t *reports = cs_node_reports(node->node, NW_FOLDER, &count);
    bool all = count + 1 == world->node_count;
    for (size_t i = 0; i < count; i++)
        all = all && reports[i].known && reports[i].equal && reports[i].applied;
    cs_free(reports);
    return all;
}

bool nw_is_settled(nw_world_t *world)
{
    uint8_t root[CS_HASH_BYTES] = {0};
    for (unsigned i = 0; i < world->node_count; i++) {
        nw_node_t *node = &world->node[i];
        cs_folder_status_t status;
        if (!cs_node_folder_status(node->node, NW_FOLDER, &status)) return false;
        if (status.phase != CS_PHASE_IDLE || status.busy || !status.applied) return false;
        if (status.needed_files > 0 || node->answered != node->asked) return false;
        if (i == 0) memcpy(root, status.state->root, sizeof root);
        if (memcmp(root, status.state->root, sizeof root) != 0) return false;
    }
    for (unsigned i = 0; i < world->node_count; i++) {
        if (!knows_others(world, &world->node[i])) return false;
    }
    return true;
}

/* The first path that is not as it should be. */
static void show_pending(nw_node_t *node)
{
    cs_buf_t path = {0};
    cs_replica_t *replica = cs_node_replica(node->node, NW_FOLDER);
    if (cs_replica_pending(replica, cs_slice_text(""), &path))
        fprintf(stderr, "pending: %.*s\n", (int)path.len, (const char *)path.data);
    cs_buf_fini(&path);
}

static void show(nw_world_t *world)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        nw_node_t *node = &world->node[i];
        cs_folder_status_t status;
        if (!cs_node_folder_status(node->node, NW_FOLDER, &status)) continue;
        char *tree = tree_picture(node->real);
        fprintf(stderr,
                "node %u: %s, err %s, applied %d, busy %d, needed %llu, asked %llu, answered "
                "%llu, root %02x%02x\n%s",
                i, cs_phase_text(status.phase), cs_err_name(status.err), status.applied,
                status.busy, (unsigned long long)status.needed_files,
                (unsigned long long)node->asked, (unsigned long long)node->answered,
                status.state->root[0], status.state->root[1], tree);
        cs_free(tree);
        show_pending(node);
    }
}

static void compare_trees(nw_world_t *world)
{
    char *first = tree_picture(world->node[0].real);
    for (unsigned i = 1; i < world->node_count; i++) {
        char *other = tree_picture(world->node[i].real);
        if (strcmp(first, other) != 0) nw_fail(world, "equal roots, other trees");
        cs_free(other);
    }
    cs_free(first);
}

static void settle_once(nw_world_t *world)
{
    uint64_t began_ms = world->now_ms, began = world->steps;
    for (unsigned i = 0; i < world->node_count; i++)
        nw_scan(&world->node[i], NULL);
    while (world->failure == NULL && !nw_is_settled(world)) {
        nw_connect_all(world);
        if (!nw_step(world)) nw_pass_time(world);
        if (world->now_ms - began_ms > FAIR_MS) nw_fail(world, "not settled in time");
        if (world->steps - began > STEPS_MAX) nw_fail(world, "not settled in so many steps");
    }
}

/* Twice: a directory that a user made may look like one that waits to be removed, as long as
 * something else is to be done at its name. */
void nw_settle(nw_world_t *world)
{
    world->chaos = world->crashes = false;
    for (unsigned i = 0; i < world->node_count; i++) {
        nw_node_t *node = &world->node[i];
        nw_let_go(node);
        if (node->paused) nw_pause(node, false);
    }
    settle_once(world);
    settle_once(world);
    if (world->failure == NULL) compare_trees(world);
    if (world->failure == NULL) nw_texts_check(world);
    if (world->failure != NULL) show(world);
}
