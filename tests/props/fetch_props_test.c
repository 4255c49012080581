/* fetch_props_test.c - the fetch machine among honest, poor, lying, silent and fickle peers:
 * everything that an honest peer has is complete in the end. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "support/fetch_world.h"
#include "support/seed.h"

Test(fetch_props, everything_that_an_honest_peer_has_is_completed)
{
    uint64_t seed = test_seed("fetch");
    size_t parts = 0;
    for (uint64_t round = 0; round < 8; round++) {
        world_t world;
        world_init(&world, seed + round);
        world_add_contents(&world);
        for (size_t i = 0; i < PEERS; i++) {
            world_connect(&world, &world.peer[i]);
        }
        for (size_t i = 0; i < world.all.count; i++) {
            world_want(&world, i);
        }
        world_run(&world, 100000);
        cr_assert(world.discards == 0);
        cs_fetch_stats_t stats;
        cs_fetch_stats(world.fetch, &stats);
        cr_assert(stats.wants == 0 && stats.bytes_missing == 0 && stats.bytes_to_disk == 0);
        cr_assert(stats.staged == world.all.count);
        parts += world.parts;
        world_fini(&world);
    }
    cr_assert_gt(parts, 0, "nothing came from one that has a part");
}

Test(fetch_props, superseded_and_wanted_again_amid_disk_errors)
{
    uint64_t seed = test_seed("fetch");
    size_t discards = 0;
    for (uint64_t round = 0; round < 8; round++) {
        world_t world;
        world_init(&world, seed + round);
        world_add_contents(&world);
        world.disk_fails = true;
        for (size_t i = 0; i < PEERS; i++) {
            world_connect(&world, &world.peer[i]);
        }
        for (size_t i = 0; i < 4000; i++) {
            size_t index = (size_t)world_random(&world, world.all.count);
            if (world_one_in(&world, 3))
                index = world.all.count - 1 - index % 14; /* large ones */
            if (world_one_in(&world, 2)) {
                world_want(&world, index);
            } else {
                world_unwant(&world, index);
            }
            world_drain(&world);
            world_step(&world);
        }
        discards += world.discards;
        world_run(&world, 100000);
        for (size_t i = 0; i < world.all.count; i++) {
            if (world.progress[i].wanted) continue;
            cr_assert(world.progress[i].part == NULL && !world.progress[i].staged,
                      "content %zu was left on the disk", i);
        }
        world_fini(&world);
    }
    cr_assert_gt(discards, 0, "nothing was begun and given up");
}

Test(fetch_props, honest_peers_share_a_large_file)
{
    uint64_t seed = test_seed("fetch");
    world_t world;
    world_init(&world, seed);
    size_t index = test_contents_large(&world.all, 200, 7);
    for (int i = 0; i < 100; i++) { /* chunks of its own, so that they are not found twice */
        test_contents_chunk(&world.all, CS_CHUNK_MIN + 100 + (size_t)i);
    }
    world.progress = cs_calloc(world.all.count, sizeof world.progress[0]);
    size_t served[PEERS] = {0};
    for (size_t i = 0; i < PEERS; i++) {
        world.peer[i].temper = HONEST;
        world_connect(&world, &world.peer[i]);
    }
    for (size_t i = index; i < world.all.count; i++) {
        world_want(&world, i);
    }
    for (size_t i = 0; i < 100000 && !world_all_staged(&world); i++) {
        world_drain(&world);
        size_t pick = (size_t)world_random(&world, PEERS);
        peer_t *peer = &world.peer[pick];
        if (peer->head < peer->len) {
            if (peer->inbox[peer->head].kind == CS_FETCH_ASK_CHUNKS) served[pick]++;
            world_answer(&world, peer);
        }
        if (world.orders > 0) world_disk_step(&world);
        world.now_ms++;
    }
    cr_assert(world_all_staged(&world));
    for (size_t i = 0; i < PEERS; i++) {
        cr_assert(served[i] > 5, "peer %zu was hardly asked", i);
    }
    world_fini(&world);
}
