/* node_life.c - nodes of a world: started, stopped, asked for scans. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "crdt/replica_i.h"
#include "disk/scan.h"
#include "io/fs_linux.h"
#include "sim/recon_limits.h"
#include "support/folder.h"
#include "support/node_world.h"

static const uint8_t marker[16] = {5, 5, 5};

/* As a home has it: a word that somebody is out ends what its record says. */
static bool was_removed(const nw_node_t *node, unsigned whom)
{
    cs_key_t key = nw_key(whom);
    for (size_t i = 0; i < node->standing_count; i++) {
        const cs_standing_t *word = &node->standing[i];
        if (memcmp(&word->key, &key, sizeof key) == 0) return word->out;
    }
    return false;
}

static void start(nw_node_t *node)
{
    nw_world_t *world = node->world;
    cs_member_t members[NW_NODES_MAX] = {{.rid = 0}};
    size_t count = 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        if (i == node->index || was_removed(node, i)) continue;
        members[count] = (cs_member_t){.key = nw_key(i)};
        snprintf(members[count++].name, sizeof members[0].name, "n%u", i);
    }
    if (cs_mem_store_open(node->disk, &node->store) != CS_OK) abort();
    cs_node_config_t config = {.store = node->store,
                               .self = nw_key(node->index),
                               .signs = !world->trusts,
                               .memory_bytes = world->seed % 4 == 2 ? 1 : 0};
    memcpy(config.seed, nw_seed(node->index), sizeof config.seed);
    snprintf(config.name, sizeof config.name, "n%u", node->index);
    node->node = cs_node_new(&config);
    cs_folder_config_t folder = {.id = "f",
                                 .number = NW_FOLDER,
                                 .secret = {7},
                                 .trash_bytes_max = 1u << 30,
                                 .fresh_rid = cs_prng_u64(&world->prng) | 1,
                                 .seed = cs_prng_u64(&world->prng),
                                 .stamp = ++node->lives << 32,
                                 .recon = cs_sim_recon_limits(world->seed / 3),
                                 .members = members,
                                 .member_count = count,
                                 .standings = node->standing,
                                 .standing_count = node->standing_count};
    memcpy(folder.marker, marker, sizeof marker);
    cs_open_result_t opened;
    if (cs_node_add_folder(node->node, &folder, world->now_ms, &opened) != CS_OK) abort();
    if (opened == CS_OPEN_AMNESIA) nw_fail(world, "amnesia");
    /* Scans are cut into batches, in one life of two. */
    cs_replica_t *replica = cs_node_replica(node->node, NW_FOLDER);
    if (cs_prng_chance(&world->prng, 1, 2))
        replica->batch_max = 1 + (uint32_t)cs_prng_below(&world->prng, 4);
    node->up = true;
    node->paused = false;
    node->asked = node->answered = 0;
    cs_event_t event = {.kind = CS_EV_TICK};
    nw_event(node, &event);
}

static void stop(nw_node_t *node)
{
    nw_world_t *world = node->world;
    node->up = false;
    for (size_t i = 0; i < NW_LINKS_MAX; i++) {
        nw_link_t *link = &world->link[i];
        if (link->node[0] == node->index || link->node[1] == node->index)
            nw_disconnect(world, link);
    }
    for (nw_job_t *job; (job = node->jobs) != NULL;) {
        node->jobs = job->next;
        cs_store_release(node->store, &job->snapshot);
        cs_job_destroy(&job->job);
        cs_free(job);
    }
    for (nw_write_t *write; (write = node->writes) != NULL;) {
        node->writes = write->next;
        cs_batch_fini(&write->batch);
        cs_free(write);
    }
    cs_effects_clear(&node->fx);
    cs_node_destroy(&node->node);
    cs_store_close(&node->store);
}

void nw_restart(nw_node_t *node, bool crash)
{
    nw_world_t *world = node->world;
    nw_trace(world, "%u %s", node->index, crash ? "crashes" : "restarts");
    if (!crash) {
        cs_node_stop(node->node);
        nw_end_jobs(node);
    }
    stop(node);
    node->spy.crashed = false;
    for (unsigned i = crash ? nw_pick(world, 3) : 0; i > 0 && world->chaos; i--)
        nw_user(node);
    start(node);
}

static void open_world(nw_world_t *world, uint64_t seed, unsigned node_count, bool trusts)
{
    *world =
        (nw_world_t){.seed = seed, .node_count = node_count, .now_ms = 1000, .trusts = trusts};
    cs_prng_init(&world->prng, seed);
    umask(022);
    for (unsigned i = 0; i < node_count; i++) {
        nw_node_t *node = &world->node[i];
        *node = (nw_node_t){.world = world, .index = i, .dir = cs_test_dir_new(), .held = -1};
        if (cs_fs_linux_open(node->dir, &node->real) != CS_OK) abort();
        if (cs_folder_mark(node->real, marker) != CS_OK) abort();
        spy_fs_init(&node->spy, node->real);
        node->spy.act = nw_happen;
        node->spy.arg = node;
        node->disk = cs_mem_disk_new();
        start(node);
    }
}

void nw_open(nw_world_t *world, uint64_t seed, unsigned node_count)
{
    open_world(world, seed, node_count, false);
}

void nw_open_trusting(nw_world_t *world, uint64_t seed, unsigned node_count)
{
    open_world(world, seed, node_count, true);
}

void nw_close(nw_world_t *world)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        nw_node_t *node = &world->node[i];
        stop(node);
        nw_let_go(node);
        cs_effects_fini(&node->fx);
        cs_mem_disk_destroy(&node->disk);
        node->real->ops->close_fs(&node->real);
        cs_test_dir_remove(&node->dir);
    }
    cs_free(world->text);
}

void nw_scan(nw_node_t *node, const char *path)
{
    cs_slice_t slice = cs_slice_text(path != NULL ? path : "");
    cs_event_t event = {.kind = CS_EV_SCAN,
                        .folder = NW_FOLDER,
                        .ticket = ++node->asked,
                        .paths = &slice,
                        .path_count = path != NULL};
    nw_trace(node->world, "%u scan %s", node->index, path != NULL ? path : "all");
    nw_event(node, &event);
}

void nw_pause(nw_node_t *node, bool on)
{
    cs_event_t event = {.kind = CS_EV_PAUSE, .folder = NW_FOLDER, .on = on};
    nw_trace(node->world, "%u %s", node->index, on ? "pause" : "resume");
    node->paused = on;
    nw_event(node, &event);
}
