/* gossip_user.c - the user of a node, and the disk that he sees: the base table. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support/gossip_node.h"

#define NAMES 2u

static const char *const names[NAMES] = {"a", "b.txt"};

static cs_content_t content_of(uint64_t number)
{
    cs_content_t content = {.kind = CS_KIND_FILE, .size = number};
    memcpy(content.hash, &number, sizeof number);
    return content;
}

uint64_t gn_content_number(const cs_content_t *content)
{
    return content->size;
}

static cs_print_t fresh_print(gn_world_t *world)
{
    uint64_t stamp = ++world->next_content;
    return (cs_print_t){.dev = 1,
                        .ino = stamp,
                        .btime_ns = (int64_t)stamp,
                        .mtime_ns = (int64_t)stamp,
                        .ctime_ns = (int64_t)stamp,
                        .size = stamp};
}

static void refused(void *arg, cs_slice_t path, cs_err_t err)
{
    (void)path;
    (void)err;
    gn_fail(arg, "a scan refused a path");
}

static void scan_one(gn_node_t *node, const cs_sighting_t *sighting)
{
    bool stage_now;
    cs_scan_result_t result;
    cs_replica_scan_begin(node->replica, refused, node->world);
    cs_err_t err = cs_replica_scan_add(node->replica, sighting, &stage_now);
    CS_ASSERT(err == CS_OK);
    err = cs_replica_scan_commit(node->replica, &result);
    CS_ASSERT(err == CS_OK);
}

/* The dot of a content in its entry. */
static cs_dot_t find_dot(gn_node_t *node, const cs_bucket_t *bucket, uint64_t number)
{
    cs_dot_t dot = {0};
    cs_entry_t entry;
    cs_entry_init(&entry, bucket);
    cs_err_t err = cs_replica_get(node->replica, bucket, &entry);
    CS_ASSERT(err == CS_OK);
    for (uint32_t i = 0; i < entry.k_len; i++) {
        if (gn_content_number(&entry.k[i].content) == number) dot = entry.k[i].dot;
    }
    cs_entry_fini(&entry);
    return dot;
}

static void operate(gn_node_t *node, cs_seen_kind_t what, cs_slice_t path, const cs_item_t *row)
{
    gn_world_t *world = node->world;
    gn_event_t *event = cs_calloc(1, sizeof *event);
    event->node = node->index;
    event->rid = cs_replica_state(node->replica)->rid;
    event->first = cs_replica_state(node->replica)->ctr + 1;
    cs_sighting_t sighting = {.what = what, .path = path, .mode = 0644};
    if (what != CS_SAW_VANISHED) {
        sighting.print = fresh_print(world);
        event->added = world->next_content;
        sighting.content = content_of(event->added);
    }
    if (row != NULL) {
        event->removed[event->removed_count++] = gn_content_number(&row->content);
        event->bucket = row->back[0].bucket;
    } else {
        cs_bucket_of(&world->keys, path, &event->bucket);
    }
    gn_trace(world, "%c op %d %.*s +%llu -%llu", 'A' + node->index, (int)what, (int)path.len,
             (const char *)path.data, (unsigned long long)event->added,
             (unsigned long long)event->removed[0]);
    scan_one(node, &sighting);
    event->last = cs_replica_state(node->replica)->ctr;
    event->order = ++world->next_order;
    if (event->added != 0) event->dot = find_dot(node, &event->bucket, event->added);
    if (event->added != 0 && event->dot.rid == 0)
        gn_fail(world, "an operation left no content");
    event->next = world->events;
    world->events = event;
    cs_gossip_local(node->gossip, world->now_ms);
    node->next_tick_ms = 0; /* it may be sooner now */
}

static bool path_is(const cs_item_t *item, const char *path)
{
    return cs_slice_eq(cs_slice_str(item->path), cs_slice_text(path));
}

void gn_node_user(gn_node_t *node)
{
    if (!node->up) return;
    gn_world_t *world = node->world;
    const char *name = names[cs_prng_below(&world->prng, NAMES)];
    cs_items_t rows = {0};
    cs_err_t err = cs_replica_base_family(node->replica, cs_slice_text(name), &rows);
    CS_ASSERT(err == CS_OK);
    bool taken = false;
    for (uint32_t i = 0; i < rows.len; i++)
        taken = taken || path_is(&rows.item[i], name);
    if (!taken && (rows.len == 0 || cs_prng_chance(&world->prng, 1, 2))) {
        operate(node, CS_SAW_APPEARED, cs_slice_text(name), NULL);
    } else {
        const cs_item_t *row = &rows.item[cs_prng_below(&world->prng, rows.len)];
        bool edit = cs_prng_chance(&world->prng, 3, 5);
        operate(node, edit ? CS_SAW_MODIFIED : CS_SAW_VANISHED, cs_slice_str(row->path), row);
    }
    cs_items_fini(&rows);
}

void gn_node_create(gn_node_t *node, uint32_t count)
{
    gn_world_t *world = node->world;
    cs_scan_result_t result;
    cs_replica_scan_begin(node->replica, refused, world);
    for (uint32_t i = 0; i < count; i++) {
        cs_print_t print = fresh_print(world);
        char path[64];
        snprintf(path, sizeof path, "dir%u/file%llu", i % 100, (unsigned long long)print.ino);
        cs_sighting_t sighting = {.what = CS_SAW_APPEARED,
                                  .path = cs_slice_text(path),
                                  .mode = 0644,
                                  .print = print,
                                  .content = content_of(print.ino)};
        bool stage_now;
        cs_err_t err = cs_replica_scan_add(node->replica, &sighting, &stage_now);
        CS_ASSERT(err == CS_OK);
        if (stage_now) gn_node_flush(node);
    }
    cs_err_t err = cs_replica_scan_commit(node->replica, &result);
    CS_ASSERT(err == CS_OK);
    gn_node_flush(node);
}

/* --- the disk follows */

static const cs_item_t *find_item(const cs_items_t *items, const cs_str_t *path)
{
    for (uint32_t i = 0; i < items->len; i++) {
        if (cs_str_eq(items->item[i].path, path)) return &items->item[i];
    }
    return NULL;
}

static bool shows(const cs_item_t *row, const cs_item_t *item)
{
    return row != NULL && cs_content_eq(&row->content, &item->content) &&
           cs_attr_eq(&row->attr, &item->attr);
}

static void follow(gn_node_t *node, cs_slice_t path)
{
    cs_items_t items = {0}, rows = {0};
    cs_err_t err = cs_replica_project(node->replica, path, &items);
    if (err == CS_OK) err = cs_replica_base_family(node->replica, path, &rows);
    CS_ASSERT(err == CS_OK);
    for (uint32_t i = 0; i < rows.len; i++) {
        if (find_item(&items, rows.item[i].path) != NULL) continue;
        cs_replica_vanished(node->replica, cs_slice_str(rows.item[i].path));
    }
    for (uint32_t i = 0; i < items.len; i++) {
        cs_item_t *item = &items.item[i];
        const cs_item_t *row = find_item(&rows, item->path);
        bool is_there = shows(row, item);
        if (is_there && !cs_item_learns(row, item)) continue;
        item->print = is_there ? row->print : fresh_print(node->world); /* looked at; written */
        cs_replica_applied(node->replica, item);
    }
    if (!cs_replica_settle(node->replica, path)) gn_fail(node->world, "base does not settle");
    cs_items_fini(&items);
    cs_items_fini(&rows);
}

void gn_node_materialise(gn_node_t *node)
{
    if (!node->up) return;
    cs_buf_t from = {0}, path = {0};
    while (cs_replica_pending(node->replica, cs_buf_slice(&from), &path)) {
        follow(node, cs_buf_slice(&path));
        cs_buf_clear(&from);
        cs_buf_put_slice(&from, cs_buf_slice(&path));
        cs_buf_put_u8(&from, 0);
    }
    cs_buf_fini(&from);
    cs_buf_fini(&path);
}
