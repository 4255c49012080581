/* node_limits_test.c - limits of bytes a second, in the time of a model. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "node/node_internal.h"
#include "support/node_world.h"

#define KIB     1024u
#define FILES   40u
#define SMALL   (48u * KIB)
#define LARGE   (2048u * KIB)
#define CONTENT (FILES * SMALL + LARGE) /* of `fill`: almost 4 MiB */
#define RATE    (128u * KIB)
#define SECONDS (CONTENT / RATE)
/* ms. The last piece is not waited for; one is sent whole, and index messages do not count. */
#define AT_LEAST (SECONDS * 900u)
#define AT_MOST  (SECONDS * 1300u)

static nw_world_t world;

static void put(unsigned index, const char *name, size_t bytes)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", world.node[index].dir, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        uint64_t word = cs_prng_u64(&world.prng);
        cr_assert_eq(fwrite(&word, sizeof word, 1, file), 1);
    }
    cr_assert_eq(fclose(file), 0);
}

static void fill(unsigned index)
{
    for (unsigned i = 0; i < FILES; i++) {
        char name[16];
        snprintf(name, sizeof name, "small%u", i);
        put(index, name, SMALL);
    }
    put(index, "large", LARGE);
}

static void limit(unsigned index, cs_limits_t limits)
{
    nw_event(&world.node[index], &(cs_event_t){.kind = CS_EV_LIMITS, .limits = &limits});
}

static bool has_all(unsigned index)
{
    cs_folder_status_t mine, status;
    return cs_node_folder_status(world.node[0].node, NW_FOLDER, &mine) &&
           cs_node_folder_status(world.node[index].node, NW_FOLDER, &status) &&
           status.applied && status.state->n == mine.state->n && mine.state->n > FILES;
}

static uint64_t bytes_to(unsigned index)
{
    cs_peer_status_t status;
    cs_key_t key = nw_key(index);
    cr_assert(cs_node_peer_status(world.node[0].node, &key, &status));
    return status.bytes_out;
}

/* Virtual milliseconds until the others have on disk what node 0 has. */
static uint64_t time_to_equal(void)
{
    nw_scan(&world.node[0], NULL);
    nw_connect_all(&world);
    uint64_t began_ms = world.now_ms;
    for (;;) {
        bool done = true;
        for (unsigned i = 1; i < world.node_count; i++) {
            done = done && has_all(i);
        }
        if (done) return world.now_ms - began_ms;
        if (!nw_step(&world)) nw_pass_time(&world);
        cr_assert_lt(world.now_ms - began_ms, 600000u, "not equal in ten minutes");
        cr_assert_null(world.failure, "%s", world.failure);
    }
}

static void open_two(void)
{
    nw_open(&world, 11, 2);
    fill(0);
}

Test(node_limits, without_any_it_takes_no_time)
{
    open_two();
    cr_assert_lt(time_to_equal(), 5000u);
    nw_close(&world);
}

Test(node_limits, what_is_sent)
{
    open_two();
    limit(0, (cs_limits_t){.all[CS_UP] = RATE});
    uint64_t ms = time_to_equal();
    cr_assert(ms > AT_LEAST && ms < AT_MOST, "%llu ms", (unsigned long long)ms);
    nw_close(&world);
}

Test(node_limits, what_is_asked_for)
{
    open_two();
    limit(1, (cs_limits_t){.all[CS_DOWN] = RATE});
    uint64_t ms = time_to_equal();
    cr_assert(ms > AT_LEAST && ms < AT_MOST, "%llu ms", (unsigned long long)ms);
    nw_close(&world);
}

Test(node_limits, of_each_peer)
{
    open_two();
    limit(0, (cs_limits_t){.each[CS_UP] = RATE});
    limit(1, (cs_limits_t){.each[CS_DOWN] = 4 * RATE});
    uint64_t ms = time_to_equal();
    cr_assert(ms > AT_LEAST && ms < AT_MOST, "%llu ms", (unsigned long long)ms);
    nw_close(&world);
}

/* Only one node has the files, and two want them: in total it sends no faster than to one. */
Test(node_limits, of_all_peers_together)
{
    nw_open(&world, 12, 3);
    fill(0);
    limit(0, (cs_limits_t){.all[CS_UP] = RATE});
    uint64_t ms = time_to_equal();
    cr_assert(ms > AT_LEAST, "%llu ms", (unsigned long long)ms);
    nw_close(&world);
}

/* Bytes of contents that node 0 has read for one and has not got rid of. */
static uint64_t most_queued(void)
{
    uint64_t most = 0;
    for (size_t i = 0; i < NW_LINKS_MAX; i++) {
        const nw_link_t *link = &world.link[i];
        for (unsigned end = 0; link->up && end < 2; end++) {
            uint64_t bytes = 0;
            const nw_frame_t *frame = link->node[end] == 0 ? link->queue[end].first : NULL;
            for (; frame != NULL; frame = frame->next) {
                bytes += frame->payload.len;
            }
            if (bytes > most) most = bytes;
        }
    }
    return most;
}

/* Until three others have all of the files. */
static uint64_t most_queued_with(uint64_t seed, bool least)
{
    uint64_t most = 0;
    nw_open(&world, seed, 4);
    cr_assert_eq(world.node[0].node->going_max == 0, least, "the world draws it from the seed");
    fill(0);
    nw_scan(&world.node[0], NULL);
    nw_connect_all(&world);
    while (!(has_all(1) && has_all(2) && has_all(3))) {
        if (!nw_step(&world)) nw_pass_time(&world);
        cr_assert_null(world.failure, "%s", world.failure);
        uint64_t queued = most_queued();
        if (queued > most) most = queued;
    }
    nw_close(&world);
    return most;
}

/* With the least memory one request of each is answered at a time, and all get there. Without a
 * limit there are more, though not in every history. */
Test(node_limits, of_memory, .timeout = 200)
{
    uint64_t most = 0;
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t least = most_queued_with(14 + 4 * i, true);
        cr_assert_leq(least, CS_FETCH_REQUEST_BYTES);
    }
    for (uint64_t seed = 13; seed < 100 && most <= CS_FETCH_REQUEST_BYTES; seed += 4) {
        most = most_queued_with(seed, false);
    }
    cr_assert_gt(most, CS_FETCH_REQUEST_BYTES, "the test shows nothing");
}

Test(node_limits, memory_is_shared_among_peers)
{
    cs_node_t node = {.peers.len = 4};
    cs_peer_entry_t peer = {.unsent = 0};
    cs__node_share_memory(&node, CS_MEMORY_BASE_BYTES + (8u << 20) * 2);
    cr_assert_eq(node.coming.bytes_max, 8u << 20);
    const uint64_t part = 2u << 20;
    peer.unsent = part - CS_FETCH_REQUEST_BYTES;
    cr_assert(cs__node_has_room(&node, &peer));
    peer.unsent++;
    cr_assert_not(cs__node_has_room(&node, &peer));

    node.peers.len = 1000; /* less than a request for each: one, then */
    cr_assert_not(cs__node_has_room(&node, &peer));
    peer.unsent = 0;
    cr_assert(cs__node_has_room(&node, &peer));

    cs__node_share_memory(&node, 0); /* no common limit: a peer's own */
    node.peers.len = 1;
    peer.unsent = CS_CREDIT_BYTES - CS_FETCH_REQUEST_BYTES;
    cr_assert(cs__node_has_room(&node, &peer));
    peer.unsent++;
    cr_assert_not(cs__node_has_room(&node, &peer));
}

/* A rate at which one chunk takes longer than a silent peer is waited for: who is told that his
 * request waits asks nobody else, and for nothing twice. */
Test(node_limits, slow_is_not_silent)
{
    open_two();
    limit(0, (cs_limits_t){.all[CS_UP] = 16 * KIB});
    uint64_t ms = time_to_equal();
    cr_assert_gt(ms, AT_LEAST * 8);
    cr_assert_lt(bytes_to(1), CONTENT + CONTENT / 10);
    nw_close(&world);
}

Test(node_limits, a_change_counts_at_once)
{
    open_two();
    limit(0, (cs_limits_t){.all[CS_UP] = 1 * KIB});
    nw_scan(&world.node[0], NULL);
    nw_connect_all(&world);
    while (world.now_ms < 60000u) {
        if (!nw_step(&world)) nw_pass_time(&world);
    }
    cr_assert_not(has_all(1));
    limit(0, (cs_limits_t){0});
    cr_assert_lt(time_to_equal(), 5000u);
    nw_close(&world);
}
