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

/* --- what the machine does */

static uint64_t size_of(world_t *world, cs_fetch_kind_t kind, const cs_name_t *name)
{
    switch (kind) {
    case CS_FETCH_ASK_SMALL: {
        const test_content_t *content = test_contents_find(&world->all, name->b);
        cr_assert(content != NULL && cs_content_is_small(&content->id));
        return content->id.size;
    }
    case CS_FETCH_ASK_NODES: {
        const test_blob_t *node = test_contents_node_named(&world->all, name);
        return node != NULL ? node->len : 0; /* a liar's root */
    }
    case CS_FETCH_ASK_CHUNKS: {
        const test_blob_t *chunk = test_contents_chunk_named(&world->all, name);
        return chunk != NULL ? chunk->len : 0;
    }
    case CS_FETCH_ASK_MAP:
    case CS_FETCH_ASK_PARTS:
    case CS_FETCH_TELL:
    case CS_FETCH_OPEN:
    case CS_FETCH_STAGE:
    case CS_FETCH_LOCAL:
    case CS_FETCH_WRITE:
    case CS_FETCH_FINISH:
    case CS_FETCH_DISCARD:
        break;
    }
    return 0;
}

static peer_t *peer_of(world_t *world, cs_peer_t id)
{
    for (size_t i = 0; i < PEERS; i++) {
        if (world->peer[i].id == id) return &world->peer[i];
    }
    return NULL;
}

static void check_outstanding(const peer_t *peer)
{
    uint64_t bytes = 0, requests = 0, last = 0;
    for (size_t i = peer->head; i < peer->len; i++) {
        bytes += peer->inbox[i].size;
        if (peer->inbox[i].request != last) requests++;
        last = peer->inbox[i].request;
    }
    cr_assert(bytes <= CS_CREDIT_BYTES, "%zu bytes outstanding", (size_t)bytes);
    cr_assert(requests <= CS_FETCH_REQUESTS_MAX, "%zu requests outstanding", (size_t)requests);
}

static void check_place(world_t *world, const cs_fetch_action_t *action, size_t i)
{
    const test_content_t *content = test_contents_find(&world->all, action->content.hash);
    const test_blob_t *chunk = test_contents_chunk_named(&world->all, &action->names[i]);
    cr_assert(chunk != NULL && chunk->len == action->lens[i]);
    cr_assert(memcmp(content->bytes + action->offsets[i], chunk->bytes, chunk->len) == 0);
}

/* One in four of the chunks of a content, and more with time. */
static bool has_part(const world_t *world, const cs_name_t *name)
{
    return name->b[5] % 4 < 1 + world->now_ms / 1000 % 4;
}

/* It is not a leaf's business how its bits were found: they may be out of date. */
static void on_parts(world_t *world, const cs_fetch_action_t *action)
{
    const test_content_t *content = test_contents_find(&world->all, action->content.hash);
    const peer_t *peer = peer_of(world, action->peer);
    uint8_t bits[CS_FETCH_PARTS_BYTES] = {0};
    uint64_t offset = action->offset;
    if (peer->temper != PARTIAL) return;
    for (size_t i = 0; i < action->count && offset < content->id.size; i++) {
        uint64_t left = content->id.size - offset,
                 len = left < CS_CHUNK_MIN ? left : CS_CHUNK_MIN;
        cs_name_t name;
        cs_chunk_name(world->all.table, cs_slice(content->bytes + offset, len), &name);
        if (has_part(world, &name)) bits[i / 8] |= (uint8_t)(1u << i % 8);
        offset += len;
    }
    if (world_one_in(world, 8)) return; /* the answer is lost */
    cs_fetch_on_parts(world->fetch, peer->id, &content->id, action->offset,
                      cs_slice(bits, (action->count + 7) / 8), cs_slice(NULL, 0));
}

static void on_request(world_t *world, const cs_fetch_action_t *action)
{
    peer_t *peer = peer_of(world, action->peer);
    cr_assert(peer != NULL && peer->up && action->count > 0);
    cr_assert(action->count <= CS_FETCH_REQUEST_NAMES_MAX);
    world->requests++;
    uint64_t bytes = 0;
    for (size_t i = 0; i < action->count; i++) {
        if (peer->len == peer->cap) {
            peer->cap = cs_grow(peer->cap, peer->len + 1);
            peer->inbox = cs_realloc_array(peer->inbox, peer->cap, sizeof peer->inbox[0]);
        }
        uint64_t size = size_of(world, action->kind, &action->names[i]);
        if (action->offsets != NULL) check_place(world, action, i);
        peer->inbox[peer->len++] = (question_t){.kind = action->kind,
                                                .name = action->names[i],
                                                .size = size,
                                                .placed = action->offsets != NULL,
                                                .request = world->requests};
        bytes += size;
    }
    if (action->kind == CS_FETCH_ASK_SMALL) cr_assert(bytes <= CS_BUNDLE_BYTES);
    check_outstanding(peer);
}

static void check_bytes(const test_content_t *content, uint64_t offset, cs_slice_t bytes)
{
    cr_assert(offset + bytes.len <= content->id.size);
    cr_assert(memcmp(content->bytes + offset, bytes.data, bytes.len) == 0);
}

static void on_order(world_t *world, const cs_fetch_action_t *action)
{
    const test_content_t *content = test_contents_find(&world->all, action->content.hash);
    cr_assert(content != NULL && action->ticket != 0);
    size_t index = (size_t)(content - world->all.content);
    progress_t *progress = &world->progress[index];
    order_t order = {
        .ticket = action->ticket,
        .kind = action->kind,
        .content = index,
        .count = action->count,
        .offset = action->offset,
        .len = action->bytes.len,
    };
    if (action->kind == CS_FETCH_STAGE) {
        cr_assert(action->bytes.len == content->id.size);
        check_bytes(content, 0, action->bytes);
    } else if (action->kind == CS_FETCH_WRITE) {
        cr_assert(progress->part != NULL);
        check_bytes(content, action->offset, action->bytes);
        memcpy(progress->part + action->offset, action->bytes.data, action->bytes.len);
        if (progress->written[action->offset / CS_CHUNK_MIN]++ > 0) world->duplicates++;
    } else if (action->kind == CS_FETCH_LOCAL) {
        order.offsets = cs_memdup(action->offsets, action->count * sizeof order.offsets[0]);
        order.lens = cs_memdup(action->lens, action->count * sizeof order.lens[0]);
        for (size_t i = 0; i < action->count; i++) {
            cr_assert(action->offsets[i] + action->lens[i] <= content->id.size);
        }
    } else if (action->kind == CS_FETCH_FINISH) {
        cr_assert(action->proved);
        cr_assert(memcmp(progress->part, content->bytes, content->id.size) == 0);
    } else if (action->kind == CS_FETCH_DISCARD) {
        world->discards++;
        cr_assert(!progress->wanted);
    }
    if (world->orders == world->order_cap) {
        world->order_cap = cs_grow(world->order_cap, world->orders + 1);
        world->order = cs_realloc_array(world->order, world->order_cap, sizeof order);
    }
    world->order[world->orders++] = order;
}

void world_drain(world_t *world)
{
    cs_fetch_action_t action;
    while (cs_fetch_next(world->fetch, world->now_ms, &action)) {
        if (action.kind <= CS_FETCH_ASK_CHUNKS) {
            on_request(world, &action);
        } else if (action.kind == CS_FETCH_ASK_PARTS) {
            on_parts(world, &action);
        } else if (action.kind != CS_FETCH_TELL) {
            on_order(world, &action);
        }
        cs_fetch_stats_t stats;
        cs_fetch_stats(world->fetch, &stats);
        cr_assert(stats.bytes_asked + stats.bytes_to_disk <= CS_FETCH_MEMORY_BYTES);
    }
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
        return question->placed && has_part(world, &question->name);
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
