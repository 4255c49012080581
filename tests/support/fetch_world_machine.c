/* fetch_world_machine.c - what the machine asks of peers and orders of the disk: checked, and
 * put into their inboxes. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/fetch_world.h"

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

bool world_has_part(const world_t *world, const cs_name_t *name)
{
    return name->b[5] % 4 < 1 + world->now_ms / 1000 % 4;
}

/* It is not a leaf's business how its bits were found: they may be out of date. */
static void on_parts(world_t *world, const cs_fetch_action_t *action)
{
    const test_content_t *content = test_contents_find(&world->all, action->content.hash);
    const peer_t *peer = peer_of(world, action->peer);
    uint8_t bits[CS_PARTS_BYTES] = {0};
    uint64_t offset = action->offset;
    if (peer->temper != PARTIAL) return;
    for (size_t i = 0; i < action->count && offset < content->id.size; i++) {
        uint64_t left = content->id.size - offset,
                 len = left < CS_CHUNK_MIN ? left : CS_CHUNK_MIN;
        cs_name_t name;
        cs_chunk_name(world->all.table, cs_slice(content->bytes + offset, len), &name);
        if (world_has_part(world, &name)) bits[i / 8] |= (uint8_t)(1u << i % 8);
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
        uint64_t held = stats.bytes_asked + stats.bytes_to_disk;
        cr_assert(held <= CS_FETCH_MEMORY_BYTES);
        cr_assert(held == world->budget.bytes);
        cr_assert(held <= world->budget.bytes_max || held <= CS_CHUNK_MAX + 256);
    }
}
