/* fetch_world.c - see fetch_world.h. */
#include "support/fetch_world.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"

uint64_t world_random(world_t *world, uint64_t bound)
{
    return cs_prng_below(&world->prng, bound);
}

bool world_one_in(world_t *world, uint64_t n)
{
    return world_random(world, n) == 0;
}

/* --- what the disk does */

static void open_part(world_t *world, progress_t *progress, uint64_t size)
{
    cs_free(progress->written);
    progress->written = cs_calloc(size / CS_CHUNK_MIN + 1, 1);
    if (progress->part == NULL) progress->part = cs_calloc(size, 1);
    (void)world;
}

void world_disk_step(world_t *world)
{
    size_t pick = (size_t)world_random(world, world->orders < 4 ? world->orders : 4);
    order_t order = world->order[pick];
    memmove(&world->order[pick], &world->order[pick + 1],
            (--world->orders - pick) * sizeof order);
    const test_content_t *content = &world->all.content[order.content];
    progress_t *progress = &world->progress[order.content];
    cs_fetch_result_t result = {0};
    if (world->disk_fails && world_one_in(world, 30)) result.err = CS_ERR_NOSPACE;
    if (order.kind == CS_FETCH_DISCARD) result.err = CS_OK;
    bool fine = result.err == CS_OK;
    if (order.kind == CS_FETCH_OPEN && fine) open_part(world, progress, content->id.size);
    if (order.kind == CS_FETCH_LOCAL) { /* some are there */
        for (size_t i = 0; i < order.count; i++) {
            if (!world_one_in(world, 10)) continue;
            memcpy(progress->part + order.offsets[i], content->bytes + order.offsets[i],
                   order.lens[i]);
            order.offsets[result.found_count++] = order.offsets[i];
        }
        result.found = order.offsets;
    }
    if ((order.kind == CS_FETCH_STAGE || order.kind == CS_FETCH_FINISH) && fine) {
        progress->staged = true;
    }
    if (order.kind == CS_FETCH_DISCARD) {
        cs_free(progress->part);
        progress->part = NULL;
        progress->staged = false;
    }
    cs_fetch_done(world->fetch, order.ticket, &result);
    cs_free(order.offsets);
    cs_free(order.lens);
}

/* --- what peers do */

static void disconnect(world_t *world, peer_t *peer)
{
    peer->up = false;
    peer->head = peer->len = 0;
    cs_fetch_peer_down(world->fetch, peer->id);
}

void world_connect(world_t *world, peer_t *peer)
{
    peer->up = true;
    cs_fetch_peer_up(world->fetch, peer->id);
}

/* A poor peer has every third content, and none of the insides of large ones. */
static bool has(const world_t *world, const peer_t *peer, const question_t *question)
{
    if (peer->temper == PARTIAL && question->kind == CS_FETCH_ASK_CHUNKS) {
        return question->placed && world_has_part(world, &question->name);
    }
    if (peer->temper == PARTIAL) return question->kind != CS_FETCH_ASK_SMALL;
    if (peer->temper != POOR) return true;
    return question->kind <= CS_FETCH_ASK_MAP && question->name.b[0] % 3 == 0;
}

static cs_err_t answer_map(world_t *world, peer_t *peer, const question_t *question, bool lie)
{
    const test_content_t *content = test_contents_find(&world->all, question->name.b);
    cs_content_map_t map = {
        .size = content->id.size, .root = content->root, .depth = content->depth};
    if (lie && world_one_in(world, 2))
        map.root.b[3] ^= 1;
    else if (lie)
        map.depth = (map.depth + 1 + (uint32_t)world_random(world, 5)) % 7;
    bool partial = peer->temper == PARTIAL;
    return cs_fetch_on_map(world->fetch, peer->id, question->name.b, &map, partial);
}

static cs_err_t answer_bytes(world_t *world, peer_t *peer, const question_t *question, bool lie)
{
    const test_content_t *content = test_contents_find(&world->all, question->name.b);
    const test_blob_t *blob = question->kind == CS_FETCH_ASK_NODES
                                  ? test_contents_node_named(&world->all, &question->name)
                                  : test_contents_chunk_named(&world->all, &question->name);
    if (question->kind != CS_FETCH_ASK_SMALL && blob == NULL) {
        cs_fetch_on_none(world->fetch, peer->id, &question->name);
        return CS_OK;
    }
    bool small = question->kind == CS_FETCH_ASK_SMALL;
    size_t len = small ? content->id.size : blob->len;
    uint8_t *bytes = cs_memdup(small ? content->bytes : blob->bytes, len);
    if (lie && len > 0) bytes[world_random(world, len)] ^= 1;
    cs_err_t err =
        question->kind == CS_FETCH_ASK_NODES
            ? cs_fetch_on_node(world->fetch, peer->id, cs_slice(bytes, len))
            : cs_fetch_on_data(world->fetch, peer->id, &question->name, cs_slice(bytes, len));
    world_drain(world);
    cs_free(bytes);
    return err;
}

void world_answer(world_t *world, peer_t *peer)
{
    question_t question = peer->inbox[peer->head++];
    if (peer->head == peer->len) peer->head = peer->len = 0;
    if (peer->temper == SILENT) return;
    if (peer->temper == FICKLE && world_one_in(world, 20)) {
        disconnect(world, peer);
        return;
    }
    if (!has(world, peer, &question)) {
        cs_fetch_on_none(world->fetch, peer->id, &question.name);
        return;
    }
    world->parts += question.placed;
    bool lie = peer->temper == LIAR && world_one_in(world, 10);
    cs_err_t err = question.kind == CS_FETCH_ASK_MAP
                       ? answer_map(world, peer, &question, lie)
                       : answer_bytes(world, peer, &question, lie);
    if (err == CS_OK) return;
    cr_assert(err == CS_ERR_MISMATCH || err == CS_ERR_MALFORMED);
    cr_assert(peer->temper == LIAR);
    disconnect(world, peer);
}

/* --- the world */

void world_init(world_t *world, uint64_t seed)
{
    *world = (world_t){.now_ms = 1000};
    cs_prng_init(&world->prng, seed);
    test_contents_init(&world->all, seed);
    world->fetch = cs_fetch_new(world->all.table, NULL, seed);
    world->budget.bytes_max = seed % 3 * (3u << 20);
    cs_fetch_share(world->fetch, &world->budget);
    for (size_t i = 0; i < PEERS; i++) {
        world->peer[i] = (peer_t){.id = (cs_peer_t)(100 + i), .temper = (temper_t)(i % 6)};
    }
}

void world_add_contents(world_t *world)
{
    for (int i = 0; i < 300; i++) {
        test_contents_small(&world->all, (size_t)world_random(world, 3000));
    }
    for (int i = 0; i < 10; i++) {
        test_contents_small(&world->all, 60000 + (size_t)world_random(world, 5000));
        test_contents_link(&world->all, 1 + (size_t)world_random(world, 60));
        test_contents_chunk(&world->all, CS_CHUNK_MIN + (size_t)world_random(world, 200000));
    }
    for (int i = 0; i < 4; i++) {
        test_contents_large(&world->all, 1 + (size_t)world_random(world, 40),
                            2 + (size_t)world_random(world, 9));
    }
    world->progress = cs_calloc(world->all.count, sizeof world->progress[0]);
}

void world_fini(world_t *world)
{
    cs_fetch_destroy(&world->fetch);
    for (size_t i = 0; i < world->all.count; i++) {
        cs_free(world->progress[i].part);
        cs_free(world->progress[i].written);
    }
    for (size_t i = 0; i < PEERS; i++) {
        cs_free(world->peer[i].inbox);
    }
    for (size_t i = 0; i < world->orders; i++) {
        cs_free(world->order[i].offsets);
        cs_free(world->order[i].lens);
    }
    cs_free(world->progress);
    cs_free(world->order);
    test_contents_fini(&world->all);
}

void world_want(world_t *world, size_t index)
{
    cs_peer_t hint = world_one_in(world, 2) ? 0 : world->peer[world_random(world, PEERS)].id;
    cr_assert(cs_fetch_want(world->fetch, &world->all.content[index].id, hint) == CS_OK);
    world->progress[index].wanted = true;
}

void world_unwant(world_t *world, size_t index)
{
    cs_fetch_unwant(world->fetch, &world->all.content[index].id);
    world->progress[index].wanted = false;
}

bool world_all_staged(const world_t *world)
{
    for (size_t i = 0; i < world->all.count; i++) {
        if (!world->progress[i].wanted) continue;
        if (!cs_fetch_is_staged(world->fetch, &world->all.content[i].id)) return false;
        cr_assert(world->progress[i].staged);
    }
    return true;
}

/* One event; false: nobody has anything to do but wait. */
bool world_step(world_t *world)
{
    peer_t *peer = &world->peer[world_random(world, PEERS)];
    for (size_t i = 0; i < PEERS && (!peer->up || peer->head == peer->len); i++) {
        peer = &world->peer[i];
    }
    bool question = peer->up && peer->head < peer->len;
    if (!question && world->orders == 0) return false;
    if (world->orders > 0 && (!question || world_one_in(world, 2))) {
        world_disk_step(world);
    } else {
        world_answer(world, peer);
    }
    return true;
}

void world_run(world_t *world, size_t steps_max)
{
    for (size_t i = 0; i < steps_max; i++) {
        world_drain(world);
        bool moved = world_step(world);
        if (!moved && world_all_staged(world)) return;
        world->now_ms += moved ? world_random(world, 5) : 1000;
        cs_fetch_tick(world->fetch, world->now_ms);
        if (world_one_in(world, 200) || (!moved && world_one_in(world, 10)))
            cs_fetch_retry(world->fetch, 0);
        peer_t *back = &world->peer[world_random(world, PEERS)];
        if (!back->up && back->temper != LIAR && world_one_in(world, 20))
            world_connect(world, back);
    }
    cs_fetch_stats_t stats;
    cs_fetch_stats(world->fetch, &stats);
    cr_assert_fail("not complete: %zu wants, %zu asleep, %zu bytes missing",
                   (size_t)stats.wants, (size_t)stats.sleeping, (size_t)stats.bytes_missing);
}
