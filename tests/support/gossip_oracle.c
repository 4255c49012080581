/* gossip_oracle.c - what must be true of a history, told from its operations alone. */
#include <string.h>

#include "recon/view.h"
#include "support/gossip_node.h"

/* --- bookkeeping */

void gn_fail(gn_world_t *world, const char *why)
{
    gn_trace(world, "FAIL %s", why);
    if (world->failure == NULL) world->failure = why;
}

void gn_oracle_written(gn_node_t *node)
{
    for (gn_event_t *event = node->world->events; event != NULL; event = event->next) {
        if (event->node == node->index && !event->lost) event->durable = true;
    }
}

void gn_oracle_crashed(gn_node_t *node)
{
    for (gn_event_t *event = node->world->events; event != NULL; event = event->next) {
        if (event->node == node->index && !event->durable) event->lost = true;
    }
}

void gn_oracle_restored(gn_node_t *node, uint64_t order)
{
    for (gn_event_t *event = node->world->events; event != NULL; event = event->next) {
        if (event->node != node->index || event->order <= order || event->maybe) continue;
        if (event->exposed)
            event->maybe = true;
        else
            event->lost = true;
    }
}

void gn_oracle_forgotten(gn_node_t *node, bool unexposed_only)
{
    for (gn_event_t *event = node->world->events; event != NULL; event = event->next) {
        if (event->node != node->index || (unexposed_only && event->exposed)) continue;
        event->maybe = true;
    }
}

void gn_oracle_reborn(gn_node_t *node, uint64_t old_rid, uint64_t exposed)
{
    uint64_t rid = cs_replica_state(node->replica)->rid;
    for (gn_event_t *event = node->world->events; event != NULL; event = event->next) {
        if (event->node != node->index || event->rid != old_rid || event->last <= exposed)
            continue;
        if (event->lost || event->maybe) continue;
        if (event->exposed) { /* the lost future has its own copy */
            event->maybe = true;
            continue;
        }
        event->rid = rid;
        event->first -= exposed;
        event->last -= exposed;
        if (event->added != 0) event->dot = (cs_dot_t){rid, event->dot.ctr - exposed};
    }
}

static bool overlaps(const gn_event_t *a, const gn_event_t *b)
{
    return a != b && a->rid == b->rid && a->first <= b->last && b->first <= a->last;
}

/* One that an image may have forgotten, or another node renamed, counts as long as its number
 * is the node's own: a copy of a copy takes nothing from the first one. */
static bool is_given_away(const gn_node_t *node, const gn_event_t *event)
{
    const cs_state_t *state = cs_replica_state(node->replica);
    if (event->lost || event->exposed) return false;
    if (!event->maybe) return true;
    return node->rolled && event->rid == state->rid && event->last <= state->exposed;
}

void gn_oracle_expose(gn_node_t *node)
{
    gn_world_t *world = node->world;
    for (gn_event_t *event = world->events; event != NULL; event = event->next) {
        if (event->node != node->index || !is_given_away(node, event)) continue;
        event->exposed = true;
        for (gn_event_t *other = world->events; other != NULL; other = other->next) {
            if (!other->exposed || !overlaps(event, other)) continue;
            if (node->rolled)
                world->hole = "numbers given away twice after a rollback";
            else
                gn_fail(world, "a number was given away twice");
        }
    }
}

void gn_world_count(gn_world_t *world, const cs_gossip_stats_t *stats)
{
    world->symbols += stats->symbols;
    world->parts += stats->parts;
    world->lists += stats->lists;
}

/* --- after each step */

static bool was_removed(const gn_world_t *world, uint64_t content, bool surely)
{
    for (const gn_event_t *event = world->events; event != NULL; event = event->next) {
        if (event->lost || (surely && event->maybe)) continue;
        for (unsigned i = 0; i < event->removed_count; i++) {
            if (event->removed[i] == content) return true;
        }
    }
    return false;
}

static bool overclaims(gn_node_t *node, const gn_event_t *event)
{
    cs_entry_t entry;
    cs_entry_init(&entry, &event->bucket);
    cs_err_t err = cs_replica_get(node->replica, &event->bucket, &entry);
    CS_ASSERT(err == CS_OK);
    bool covered = cs_vv_has(&cs_replica_state(node->replica)->seen, event->dot) ||
                   cs_vv_has(&entry.ctx, event->dot);
    bool live = cs_entry_find_k(&entry, event->dot) != NULL;
    cs_entry_fini(&entry);
    return covered && !live && !was_removed(node->world, event->added, false);
}

/* Not private to another node, and not a number that a copy may mint a second time. */
static bool is_known_outside(const gn_node_t *node, const gn_event_t *event)
{
    const cs_state_t *state = cs_replica_state(node->replica);
    return event->exposed && (event->rid != state->rid || event->last <= state->exposed);
}

/* The symbols kept for a durable moment are those of its rows, whatever changed since. */
static bool prefix_is_right(gn_node_t *node, const cs_snapshot_t *snapshot)
{
    const uint8_t *key = node->world->keys.sym;
    cs_state_t state = {0};
    cs_symbols_t kept = {0}, want;
    bool right = true;
    cs_err_t err = cs_replica_state_at(node->replica, snapshot, &state);
    if (err == CS_OK && state.rid == cs_replica_state(node->replica)->rid) {
        err = cs_replica_symbols_at(node->replica, &state, CS_SYMBOLS_MAX, &kept);
        cs_symbols_init(&want, kept.count);
        cs_view_t view = {.store = node->store, .snapshot = snapshot, .folder = 1};
        cs_view_walk_t *walk = cs_view_walk_new(&view, CS_WALK_ITEMS, cs_slice(NULL, 0));
        cs_slice_t item, bucket;
        while (cs_view_walk_next(walk, &item, &bucket))
            cs_symbols_put(&want, key, item.data);
        cs_view_walk_destroy(&walk);
        right = err == CS_OK && kept.count >= cs_symbols_kept(state.n) &&
                memcmp(kept.at, want.at, kept.count * sizeof *kept.at) == 0;
        cs_symbols_fini(&want);
        cs_symbols_fini(&kept);
    }
    cs_vv_fini(&state.seen);
    return right;
}

void gn_oracle_check(gn_world_t *world, gn_node_t *node)
{
    if (!node->up || world->hole != NULL) return;
    cs_snapshot_t *snapshot = cs_store_snapshot(node->store);
    if (!prefix_is_right(node, snapshot)) gn_fail(world, "symbols that are not of the rows");
    cs_store_release(node->store, &snapshot);
    for (const gn_event_t *event = world->events; event != NULL; event = event->next) {
        if (event->added == 0 || event->lost || event->maybe) continue;
        if (event->node != node->index && !is_known_outside(node, event)) continue;
        if (!overclaims(node, event)) continue;
        gn_trace(world, "%c: content %llu, dot %llx:%llu", 'A' + node->index,
                 (unsigned long long)event->added, (unsigned long long)event->dot.rid,
                 (unsigned long long)event->dot.ctr);
        gn_fail(world, "overclaim: covered, but neither live nor removed");
    }
}

/* --- at the end */

static bool is_live(const cs_items_t *items, uint64_t content)
{
    for (uint32_t i = 0; i < items->len; i++) {
        if (gn_content_number(&items->item[i].content) == content) return true;
    }
    return false;
}

static bool was_written(const gn_world_t *world, uint64_t content)
{
    for (const gn_event_t *event = world->events; event != NULL; event = event->next) {
        if (event->added == content && !event->lost) return true;
    }
    return false;
}

static void check_contents(gn_world_t *world, const cs_items_t *items)
{
    for (uint32_t i = 0; i < items->len; i++) {
        uint64_t content = gn_content_number(&items->item[i].content);
        if (!was_written(world, content)) gn_fail(world, "a content that never was");
    }
    for (const gn_event_t *event = world->events; event != NULL; event = event->next) {
        if (event->added == 0 || event->lost || event->maybe) continue;
        bool live = is_live(items, event->added);
        if (live && was_removed(world, event->added, true)) gn_fail(world, "resurrected");
        if (!live && !was_removed(world, event->added, false)) gn_fail(world, "lost");
    }
}

static bool same_items(const cs_items_t *a, const cs_items_t *b)
{
    if (a->len != b->len) return false;
    for (uint32_t i = 0; i < a->len; i++) {
        if (!cs_str_eq(a->item[i].path, b->item[i].path)) return false;
        if (!cs_content_eq(&a->item[i].content, &b->item[i].content)) return false;
    }
    return true;
}

/* No entry that is dead and covered by what anybody knows (core.md 12, I6). */
static void check_tombstones(gn_world_t *world, gn_node_t *node, const cs_vv_t *known)
{
    static const uint8_t prefix[] = {0, 0, 0, 1, 'e', '/'};
    cs_iter_t *iter = cs_store_iter(node->store, NULL);
    for (cs_iter_seek(iter, cs_slice(prefix, sizeof prefix)); cs_iter_valid(iter);
         cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, cs_slice(prefix, sizeof prefix))) break;
        cs_bucket_t bucket;
        memcpy(bucket.b, key.data + sizeof prefix, sizeof bucket.b);
        cs_entry_t entry;
        cs_entry_init(&entry, &bucket);
        cs_err_t err = cs_replica_get(node->replica, &bucket, &entry);
        CS_ASSERT(err == CS_OK);
        if (cs_entry_is_dead(&entry) && cs_vv_covers(known, &entry.ctx))
            gn_fail(world, "tombstone left");
        cs_entry_fini(&entry);
    }
    cs_iter_destroy(&iter);
}

void gn_oracle_final(gn_world_t *world)
{
    cs_items_t first = {0};
    cs_vv_t known = {0};
    for (unsigned i = 0; i < world->node_count; i++) {
        cs_err_t err = cs_vv_merge(&known, &cs_replica_state(world->nodes[i].replica)->seen);
        CS_ASSERT(err == CS_OK);
    }
    for (unsigned i = 0; i < world->node_count; i++) {
        gn_node_t *node = &world->nodes[i];
        cs_items_t items = {0};
        cs_err_t err = cs_replica_project_all(node->replica, i == 0 ? &first : &items);
        CS_ASSERT(err == CS_OK);
        if (i > 0 && !same_items(&first, &items)) gn_fail(world, "trees differ");
        check_tombstones(world, node, &known);
        cs_items_fini(&items);
    }
    check_contents(world, &first);
    cs_items_fini(&first);
    cs_vv_fini(&known);
}
