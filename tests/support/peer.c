/* peer.c - see peer.h. Talks to the replica's inside where copying would cost the property
 * tests most of their time. */
#include "support/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void cs_peer_init(cs_peer_t *peer, uint64_t rid, cs_store_t *store)
{
    static cs_keys_t keys;
    static bool derived;
    if (!derived) {
        const uint8_t secret[CS_SECRET_BYTES] = "a secret of thirty-two bytes ...";
        cs_keys_derive(&keys, secret);
        derived = true;
    }
    memset(peer, 0, sizeof *peer);
    peer->store = store;
    cs_replica_config_t config = {.store = store, .folder = 7, .keys = keys, .fresh_rid = rid};
    cs_open_result_t result;
    cs_err_t err = cs_replica_open(&config, &peer->replica, &result);
    CS_ASSERT(err == CS_OK);
}

void cs_peer_fini(cs_peer_t *peer)
{
    cs_replica_destroy(&peer->replica);
    cs_tree_fini(&peer->tree);
    if (peer->store != NULL) cs_store_close(&peer->store);
    if (peer->disk != NULL) cs_mem_disk_destroy(&peer->disk);
}

void cs_peer_buckets(cs_peer_t *peer, cs_buckets_t *ret)
{
    cs_cursor_t cursor;
    ret->len = 0;
    cs_cursor_init(&cursor, &peer->replica->ws, CS_T_ENTRY);
    for (cs_cursor_seek(&cursor, cs_slice(NULL, 0)); cursor.valid; cs_cursor_next(&cursor)) {
        if (ret->len == ret->cap) {
            ret->cap = (uint32_t)cs_grow(ret->cap, ret->len + 8u);
            ret->at = cs_realloc_array(ret->at, ret->cap, sizeof *ret->at);
        }
        memcpy(ret->at[ret->len++].b, cursor.key.data, CS_BUCKET_BYTES);
    }
    cs_cursor_fini(&cursor);
}

/* --- rows */

static cs_onode_t *skip_deleted(cs_onode_t *node)
{
    while (node != NULL && !node->present)
        node = node->next[0];
    return node;
}

cs_onode_t *cs_peer_next(cs_onode_t *node)
{
    return skip_deleted(node->next[0]);
}

cs_onode_t *cs_peer_first(cs_peer_t *peer, cs_table_t table)
{
    cs_workset_t *ws = &peer->replica->ws;
    cs_strs_t keys = {0};
    cs_cursor_t cursor;
    if (peer->store != NULL && ws->types[table].decode != NULL) {
        cs_cursor_init(&cursor, ws, table);
        for (cs_cursor_seek(&cursor, cs_slice(NULL, 0)); cursor.valid;
             cs_cursor_next(&cursor)) {
            cs__strs_push(&keys, cs_str_new(cursor.key.data, cursor.key.len));
        }
        cs_cursor_fini(&cursor);
        for (uint32_t i = 0; i < keys.len; i++)
            cs_workset_node(ws, table, cs_slice_str(keys.str[i]));
        cs__strs_clear(&keys);
        cs_free(keys.str);
    }
    return skip_deleted(cs_omap_first(&ws->map[table]));
}

static void all_rows(cs_replica_t *r, cs_strs_t *ret)
{
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, &r->ws, CS_T_BASE);
    for (cs_cursor_seek(&cursor, cs_slice(NULL, 0)); cursor.valid; cs_cursor_next(&cursor)) {
        cs__strs_push(ret, cs_str_new(cursor.key.data, cursor.key.len));
    }
    cs_cursor_fini(&cursor);
}

void cs_peer_clone(cs_peer_t *to, cs_peer_t *from, cs_store_t *store)
{
    cs_replica_t *r = from->replica;
    cs_peer_init(to, r->state.rid, store);
    cs_tree_copy(&to->tree, &from->tree);
    cs_buckets_t buckets = {0};
    cs_peer_buckets(from, &buckets);
    for (uint32_t i = 0; i < buckets.len; i++) {
        cs_cell_t *cell = cs__cell_make(to->replica, &buckets.at[i]);
        cs__cell_open(to->replica, cell);
        cs_entry_copy(&cell->entry, &cs__cell_get(r, &buckets.at[i])->entry);
        cs__cell_changed(to->replica, cell);
    }
    free(buckets.at);
    cs_strs_t rows = {0};
    all_rows(r, &rows);
    for (uint32_t i = 0; i < rows.len; i++) {
        cs_item_t row = {0};
        cs_item_copy(&row, cs__row(r, cs_slice_str(rows.str[i])));
        cs__dirty(to->replica, cs_slice_str(rows.str[i]));
        cs__row_put(to->replica, &row);
    }
    cs__strs_clear(&rows);
    cs_free(rows.str);
    to->replica->state.ctr = r->state.ctr;
    to->replica->state.exposed = r->state.exposed;
    cs_vv_copy(&to->replica->state.seen, &r->state.seen);
    cs__settle_dirty(to->replica);
}

/* --- scan */

cs_print_t cs_peer_print(const cs_tree_node_t *node)
{
    return (cs_print_t){
        .dev = 1, .ino = node->ino, .btime_ns = (int64_t)node->ino, .size = node->content.size};
}

typedef struct seen {
    cs_seen_kind_t what;
    const cs_tree_node_t *node;  /* NULL: it vanished, */
    char path[2 * CS_TREE_NAME]; /* from here */
} seen_t;

typedef struct sights {
    seen_t *at;
    uint32_t len, cap;
} sights_t;

static void see(sights_t *ret, cs_seen_kind_t what, const char *path,
                const cs_tree_node_t *node)
{
    if (ret->len == ret->cap) {
        ret->cap = (uint32_t)cs_grow(ret->cap, ret->len + 16u);
        ret->at = cs_realloc_array(ret->at, ret->cap, sizeof *ret->at);
    }
    seen_t *seen = &ret->at[ret->len++];
    seen->what = what;
    seen->node = node;
    if (node == NULL) strcpy(seen->path, path);
}

static void see_node(cs_peer_t *peer, const cs_tree_node_t *node, const cs_item_t *row,
                     sights_t *ret)
{
    if (node->content.kind == CS_KIND_DIR) {
        if (cs_tree_is_empty(&peer->tree, node->path))
            see(ret, CS_SAW_EMPTY_DIR, node->path, node);
        return;
    }
    if (row == NULL || row->content.kind == CS_KIND_DIR) {
        see(ret, CS_SAW_APPEARED, node->path, node);
    } else if (!cs_content_eq(&row->content, &node->content)) {
        see(ret, CS_SAW_MODIFIED, node->path, node);
    } else if (row->attr.mode != node->mode) {
        see(ret, CS_SAW_CHMODDED, node->path, node);
    } else if (row->print.ino != node->ino) {
        see(ret, CS_SAW_TOUCHED, node->path, node);
    }
}

/* A merge of the rows and the tree, as the walk of a real disk is. */
static void look(cs_peer_t *peer, sights_t *ret)
{
    const cs_tree_t *tree = &peer->tree;
    cs_onode_t *n = cs_peer_first(peer, CS_T_BASE);
    ret->len = 0;
    for (uint32_t i = 0; n != NULL || i < tree->len;) {
        const cs_tree_node_t *node = i < tree->len ? &tree->node[i] : NULL;
        const cs_item_t *row = n != NULL ? n->value : NULL;
        int order = n == NULL ? 1 : node == NULL ? -1 : strcmp(row->path->data, node->path);
        bool same_kind = order == 0 && (row->content.kind == CS_KIND_DIR) ==
                                           (node->content.kind == CS_KIND_DIR);
        if (order <= 0 && !same_kind) see(ret, CS_SAW_VANISHED, row->path->data, NULL);
        if (order >= 0) see_node(peer, node, order == 0 ? row : NULL, ret);
        if (order <= 0) n = cs_peer_next(n);
        if (order >= 0) i++;
    }
}

static void tell(cs_peer_t *peer, const seen_t *seen)
{
    const cs_tree_node_t *node = seen->node;
    cs_sighting_t sighting = {.what = seen->what,
                              .path = cs_slice_text(node != NULL ? node->path : seen->path)};
    if (node != NULL && seen->what != CS_SAW_EMPTY_DIR) {
        sighting.content = node->content;
        sighting.mode = node->mode;
        sighting.print = cs_peer_print(node);
    }
    bool stage_now;
    cs_err_t err = cs_replica_scan_add(peer->replica, &sighting, &stage_now);
    CS_ASSERT(err == CS_OK);
}

/* What a test set stays set. */
static void reopen_replica(cs_peer_t *peer, bool after_crash)
{
    const cs_replica_t *old = peer->replica;
    bool cleanup_off = old->cleanup_off;
    uint32_t clean_max = old->clean_max, batch_max = old->batch_max;
    cs_replica_config_t config = {.folder = 7, .keys = old->keys, .fresh_rid = old->state.rid};
    cs_replica_destroy(&peer->replica);
    if (after_crash) {
        cs_store_close(&peer->store);
        cs_err_t err = cs_mem_store_open(peer->disk, &peer->store);
        CS_ASSERT(err == CS_OK);
        peer->staged = 0;
    }
    config.store = peer->store;
    cs_open_result_t result;
    cs_err_t err = cs_replica_open(&config, &peer->replica, &result);
    CS_ASSERT(err == CS_OK && result != CS_OPEN_AMNESIA);
    peer->replica->cleanup_off = cleanup_off;
    peer->replica->clean_max = clean_max;
    peer->replica->batch_max = batch_max;
}

void cs_peer_scan_cut(cs_peer_t *peer, cs_prng_t *prng)
{
    static sights_t sights;
    cs_scan_result_t result;
    uint64_t batches = cs_prng_below(prng, 6);
    bool more = true;
    look(peer, &sights);
    cs_peer_stage(peer);
    cs_replica_scan_begin(peer->replica, NULL, NULL);
    for (uint32_t i = 0; i < sights.len; i++) {
        tell(peer, &sights.at[i]);
        if (cs_prng_chance(prng, 1, 2)) cs_peer_stage(peer);
    }
    for (uint64_t i = 0; i < batches && more; i++) {
        cs_err_t err = cs_replica_scan_commit_some(peer->replica, &more, &result);
        CS_ASSERT(err == CS_OK);
        if (cs_prng_chance(prng, 3, 4)) cs_peer_stage(peer);
    }
    cs_mem_disk_crash(peer->disk, cs_prng_u64(prng));
    reopen_replica(peer, true);
}

cs_scan_result_t cs_peer_scan(cs_peer_t *peer)
{
    static sights_t sights; /* kept: this is what the property tests do most */
    cs_scan_result_t result;
    look(peer, &sights);
    cs_replica_scan_begin(peer->replica, NULL, NULL);
    for (uint32_t i = 0; i < sights.len; i++)
        tell(peer, &sights.at[i]);
    cs_err_t err = cs_replica_scan_commit(peer->replica, &result);
    CS_ASSERT(err == CS_OK);
    return result;
}

void cs_peer_stage(cs_peer_t *peer)
{
    if (peer->store == NULL) return;
    cs_batch_t batch = {0};
    if (cs_replica_stage(peer->replica, &batch)) {
        cs_err_t err = cs_store_write(peer->store, &batch, true);
        CS_ASSERT(err == CS_OK);
        peer->staged++;
    }
    cs_batch_fini(&batch);
}

void cs_peer_persist(cs_peer_t *peer, bool reopen)
{
    if (peer->store == NULL) return;
    cs_peer_stage(peer);
    for (; peer->staged > 0; peer->staged--)
        cs_replica_staged_durable(peer->replica);
    if (reopen) reopen_replica(peer, false);
}

void cs_peer_picture(cs_peer_t *peer, cs_buf_t *ret)
{
    cs_items_t items = {0};
    cs_err_t err = cs_replica_project_all(peer->replica, &items);
    CS_ASSERT(err == CS_OK);
    cs_buf_clear(ret);
    for (uint32_t i = 0; i < items.len; i++) {
        const cs_item_t *item = &items.item[i];
        const char *kind = item->content.kind == CS_KIND_DIR ? "/" : "=";
        cs_buf_printf(ret, "%s%s%.*s", item->path->data, kind, (int)item->content.size,
                      (const char *)item->content.hash);
        uint16_t mode = item->attr.mode;
        if (item->content.kind == CS_KIND_SYMLINK)
            cs_buf_printf(ret, "@");
        else if (item->content.kind == CS_KIND_FILE && mode != 0644) {
            if (mode == 0755)
                cs_buf_printf(ret, "*");
            else if (mode == 0600)
                cs_buf_printf(ret, "-");
            else
                cs_buf_printf(ret, "?%o", mode);
        }
        cs_buf_put_u8(ret, ' ');
    }
    cs_items_fini(&items);
}
