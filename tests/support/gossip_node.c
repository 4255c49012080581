/* gossip_node.c - see gossip_node.h: life and outbox of a node. */
#include "support/gossip_node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sim/recon_limits.h"

void gn_trace(gn_world_t *world, const char *format, ...)
{
    if (!world->trace) return;
    va_list args;
    va_start(args, format);
    printf("%8llu ", (unsigned long long)world->now_ms);
    vprintf(format, args);
    printf("\n");
    va_end(args);
}

cs_key_t gn_key(unsigned index)
{
    cs_key_t key = {{0}};
    key.b[0] = (uint8_t)(index + 1);
    return key;
}

/* --- frames */

void gn_frames_push(gn_frames_t *frames, gn_frame_t *frame)
{
    if (frames->len == frames->cap) {
        frames->cap = cs_grow(frames->cap, frames->len + 1);
        frames->items = cs_realloc_array(frames->items, frames->cap, sizeof(gn_frame_t *));
    }
    frames->items[frames->len++] = frame;
}

gn_frame_t *gn_frames_take(gn_frames_t *frames, size_t at)
{
    gn_frame_t *frame = frames->items[at];
    frames->len--;
    memmove(frames->items + at, frames->items + at + 1,
            (frames->len - at) * sizeof(gn_frame_t *));
    return frame;
}

gn_frame_t *gn_frame_copy(const gn_frame_t *frame)
{
    gn_frame_t *copy = cs_memdup(frame, sizeof *frame);
    copy->bytes = (cs_buf_t){0};
    cs_buf_put_slice(&copy->bytes, cs_buf_slice(&frame->bytes));
    return copy;
}

void gn_frame_free(gn_frame_t **frame_p)
{
    cs_buf_fini(&(*frame_p)->bytes);
    cs_free(*frame_p);
    *frame_p = NULL;
}

void gn_frames_fini(gn_frames_t *frames)
{
    for (size_t i = 0; i < frames->len; i++)
        gn_frame_free(&frames->items[i]);
    cs_free(frames->items);
    *frames = (gn_frames_t){0};
}

/* --- durability */

static void write_batch(gn_node_t *node)
{
    cs_batch_t batch = {0};
    if (cs_replica_stage(node->replica, &batch)) {
        cs_err_t err = cs_store_write(node->store, &batch, true);
        CS_ASSERT(err == CS_OK);
        cs_replica_staged_durable(node->replica);
    }
    cs_batch_fini(&batch);
    gn_oracle_written(node);
}

static bool gives_numbers_away(const gn_node_t *node)
{
    for (size_t i = 0; i < node->outbox.len; i++) {
        if (node->outbox.items[i]->bytes.data[1] != CS_MSG_HELLO) return true;
    }
    return false;
}

void gn_node_flush(gn_node_t *node)
{
    if (!node->up) return;
    if (gives_numbers_away(node)) {
        cs_replica_expose(node->replica);
        gn_oracle_expose(node);
    }
    write_batch(node);
    gn_world_t *world = node->world;
    for (size_t i = 0; i < node->outbox.len; i++) {
        gn_frame_t *frame = node->outbox.items[i];
        if (frame->is_entries) gn_frames_push(&world->past, gn_frame_copy(frame));
        gn_frames_push(&world->links[frame->from][frame->to], frame);
    }
    node->outbox.len = 0;
}

/* What waited names dots that have another name now. */
static void drop_outbox(gn_node_t *node)
{
    for (size_t i = 0; i < node->outbox.len; i++)
        gn_frame_free(&node->outbox.items[i]);
    node->outbox.len = 0;
}

static void reincarnate(gn_node_t *node)
{
    uint64_t old_rid = cs_replica_state(node->replica)->rid;
    uint64_t exposed = cs_replica_state(node->replica)->exposed;
    drop_outbox(node);
    cs_err_t err = cs_replica_reincarnate(node->replica, ++node->world->next_rid);
    CS_ASSERT(err == CS_OK);
    write_batch(node);
    gn_oracle_reborn(node, old_rid, exposed);
    node->rolled = false;
    node->image_count = 0;
    node->world->incarnations++;
}

static void reincarnate_if_asked(gn_node_t *node)
{
    if (!node->reborn) return;
    node->reborn = false;
    reincarnate(node);
    cs_gossip_restart(node->gossip, node->world->now_ms);
}

/* --- life */

static void open_replica(gn_node_t *node)
{
    gn_world_t *world = node->world;
    cs_err_t err = cs_mem_store_open(node->disk, &node->store);
    CS_ASSERT(err == CS_OK);
    cs_replica_config_t config = {
        .store = node->store, .folder = 1, .keys = world->keys, .fresh_rid = ++world->next_rid};
    cs_open_result_t result;
    err = cs_replica_open(&config, &node->replica, &result);
    CS_ASSERT(err == CS_OK);
    if (result == CS_OPEN_AMNESIA && !node->rows_lost) {
        gn_fail(world, "the state record does not fit the rows");
    }
    if (result == CS_OPEN_SAME && node->rows_lost) gn_fail(world, "lost rows went unnoticed");
}

static void open_gossip(gn_node_t *node)
{
    gn_world_t *world = node->world;
    cs_gossip_host_t host = gn_host(node);
    cs_gossip_config_t config = {.replica = node->replica,
                                 .store = node->store,
                                 .folder = 1,
                                 .keys = &world->keys,
                                 .self = gn_key(node->index),
                                 .seed = cs_prng_u64(&world->prng),
                                 .stamp = ++node->life << 32,
                                 .recon = cs_sim_recon_limits(world->seed / 3)};
    node->gossip = cs_gossip_new(&config, &host);
    for (unsigned i = 0; i < world->node_count; i++) {
        cs_member_t member = {.key = gn_key(i)};
        cs_gossip_add_member(node->gossip, &member);
    }
}

void gn_connect(gn_world_t *world, unsigned a, unsigned b)
{
    unsigned ends[2] = {a, b};
    world->linked[a][b] = world->linked[b][a] = true;
    for (unsigned i = 0; i < 2; i++) {
        gn_node_t *node = &world->nodes[ends[i]];
        cs_key_t key = gn_key(ends[1 - i]);
        cs_gossip_peer_up(node->gossip, ends[1 - i] + 1, &key, world->now_ms);
        gn_node_flush(node);
    }
}

bool gn_equal_roots(const gn_world_t *world, unsigned a, unsigned b)
{
    const cs_state_t *x = cs_replica_state(world->nodes[a].replica);
    const cs_state_t *y = cs_replica_state(world->nodes[b].replica);
    return x->n == y->n && memcmp(x->root, y->root, CS_HASH_BYTES) == 0;
}

void gn_node_start(gn_node_t *node)
{
    gn_world_t *world = node->world;
    open_replica(node);
    open_gossip(node);
    node->up = true;
    node->next_tick_ms = 0;
    for (unsigned i = 0; i < world->node_count; i++) {
        if (!world->linked[node->index][i]) continue;
        cs_key_t key = gn_key(i);
        cs_gossip_peer_up(node->gossip, i + 1, &key, world->now_ms);
    }
}

void gn_node_stop(gn_node_t *node)
{
    if (!node->up) return;
    node->up = false;
    gn_oracle_crashed(node);
    drop_outbox(node);
    gn_world_count(node->world, cs_gossip_stats(node->gossip));
    cs_gossip_destroy(&node->gossip);
    cs_replica_destroy(&node->replica);
    cs_store_close(&node->store);
}

void gn_node_fini(gn_node_t *node)
{
    gn_node_stop(node);
    gn_frames_fini(&node->outbox);
    for (unsigned i = 0; i < CS_COUNT_OF(node->images); i++) {
        cs_mem_disk_destroy(&node->images[i].disk);
    }
    cs_mem_disk_destroy(&node->disk);
}

void gn_node_save(gn_node_t *node)
{
    gn_node_flush(node);
    if (node->image_count == CS_COUNT_OF(node->images)) return;
    gn_image_t *image = &node->images[node->image_count++];
    cs_mem_disk_destroy(&image->disk);
    image->disk = cs_mem_disk_copy(node->disk);
    image->order = node->world->next_order;
}

void gn_node_restore(gn_node_t *node, unsigned index, bool noticed)
{
    gn_node_stop(node);
    cs_mem_disk_destroy(&node->disk);
    node->disk = cs_mem_disk_copy(node->images[index].disk);
    node->image_count = index + 1;
    gn_node_start(node);
    gn_oracle_restored(node, node->images[index].order);
    node->rolled = true;
    if (!noticed) return;
    reincarnate(node);
    cs_gossip_restart(node->gossip, node->world->now_ms);
}

void gn_node_copy(gn_node_t *node, gn_node_t *from, bool noticed)
{
    gn_node_flush(from);
    gn_node_stop(node);
    gn_oracle_forgotten(node, false);
    gn_oracle_forgotten(from, true); /* both may rename them */
    cs_mem_disk_destroy(&node->disk);
    node->disk = cs_mem_disk_copy(from->disk);
    node->image_count = 0;
    gn_node_start(node);
    node->rolled = from->rolled = true;
    if (!noticed) return;
    reincarnate(node);
    cs_gossip_restart(node->gossip, node->world->now_ms);
}

void gn_node_lose_rows(gn_node_t *node)
{
    gn_node_flush(node);
    bool any = cs_replica_state(node->replica)->n > 0;
    gn_node_stop(node);
    static const uint8_t entries[] = {0, 0, 0, 1, 'e', '/'};
    cs_mem_disk_lose_prefix(node->disk, cs_slice(entries, sizeof entries));
    gn_oracle_forgotten(node, false);
    node->rows_lost = any;
    node->image_count = 0;
    gn_node_start(node);
    node->rows_lost = false;
    node->rolled = false;
    gn_node_flush(node);
}

void gn_node_deliver(gn_node_t *node, const gn_frame_t *frame)
{
    if (!node->up) return;
    cs_msg_t msg = {0};
    cs_err_t err = cs_msg_decode(&msg, cs_buf_slice(&frame->bytes), cs_slice(NULL, 0));
    CS_ASSERT(err == CS_OK);
    gn_trace(node->world, "   %c<-%c %s", 'A' + node->index, 'A' + frame->from,
             cs_msg_type_name(msg.type));
    cs_gossip_message(node->gossip, frame->from + 1, &msg, node->world->now_ms);
    cs_msg_fini(&msg);
    reincarnate_if_asked(node);
    gn_node_tick(node);
}

void gn_node_tick(gn_node_t *node)
{
    if (!node->up) return;
    node->next_tick_ms = cs_gossip_tick(node->gossip, node->world->now_ms);
    reincarnate_if_asked(node);
}

/* --- all of them */

void gn_world_init(gn_world_t *world, uint64_t seed)
{
    static const uint8_t secret[CS_SECRET_BYTES] = {7};
    *world = (gn_world_t){.seed = seed, .now_ms = 1000, .next_rid = 100};
    cs_prng_init(&world->prng, seed);
    cs_keys_derive(&world->keys, secret);
}

void gn_world_start(gn_world_t *world)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        gn_node_t *node = &world->nodes[i];
        *node = (gn_node_t){.world = world, .index = i, .disk = cs_mem_disk_new()};
        gn_node_start(node);
        gn_node_flush(node);
    }
}

void gn_world_fini(gn_world_t *world)
{
    for (unsigned i = 0; i < world->node_count; i++)
        gn_node_fini(&world->nodes[i]);
    for (unsigned a = 0; a < world->node_count; a++) {
        for (unsigned b = 0; b < world->node_count; b++)
            gn_frames_fini(&world->links[a][b]);
    }
    gn_frames_fini(&world->late);
    gn_frames_fini(&world->past);
    while (world->events != NULL) {
        gn_event_t *event = world->events;
        world->events = event->next;
        cs_free(event);
    }
}
