/* peer_materialise.c - the disk of a peer follows the projection, wholly or in part. */
#include "support/peer.h"

#include <string.h>

#include "base/mem.h"

static void prune(cs_peer_t *peer, const char *path)
{
    char dir[CS_TREE_NAME];
    strcpy(dir, path);
    for (;;) {
        if (dir[0] == '\0') return;
        const cs_tree_node_t *node = cs_tree_find(&peer->tree, dir);
        if (node != NULL) {
            if (node->content.kind != CS_KIND_DIR || !cs_tree_is_empty(&peer->tree, dir))
                return;
            if (cs__row(peer->replica, cs_slice_text(dir)) != NULL) return;
            if (cs_replica_is_dir(peer->replica, cs_slice_text(dir))) return;
            cs_tree_remove(&peer->tree, dir);
        }
        char *slash = strrchr(dir, '/');
        if (slash == NULL) return;
        *slash = '\0';
    }
}

static const cs_item_t *item_at(const cs_items_t *items, const cs_str_t *path)
{
    for (uint32_t i = 0; i < items->len; i++) {
        if (cs_str_eq(items->item[i].path, path)) return &items->item[i];
    }
    return NULL;
}

/* What the projection does not show there any more goes. */
static void take_away(cs_peer_t *peer, cs_slice_t path, cs_prng_t *prng, uint64_t part,
                      uint64_t whole)
{
    cs_replica_t *r = peer->replica;
    static cs_items_t items; /* these keep their arrays */
    static cs_rows_t rows;
    static cs_strs_t gone;
    cs_family_t family;
    cs_err_t err = cs_replica_project(r, path, &items);
    CS_ASSERT(err == CS_OK);
    cs_family_of(path, &family);
    cs__rows_family(r, &family, &rows);
    for (uint32_t i = 0; i < rows.len; i++) {
        const cs_item_t *item = item_at(&items, rows.row[i]->path);
        bool other_kind = item != NULL && (item->content.kind == CS_KIND_DIR) !=
                                              (rows.row[i]->content.kind == CS_KIND_DIR);
        if (item != NULL && !other_kind) continue;
        if (part < whole && !cs_prng_chance(prng, part, whole)) continue;
        cs__strs_push(&gone, cs_str_ref(rows.row[i]->path));
    }
    for (uint32_t i = 0; i < gone.len; i++) {
        const char *name = gone.str[i]->data;
        if (cs_tree_has_file(&peer->tree, name)) cs_tree_remove(&peer->tree, name);
        cs_replica_vanished(r, cs_slice_str(gone.str[i]));
        prune(peer, name);
    }
    cs__strs_clear(&gone);
}

/* If the user has not changed it yet. */
static void learn(cs_peer_t *peer, const cs_item_t *row, cs_item_t *item)
{
    const cs_tree_node_t *node = cs_tree_find(&peer->tree, item->path->data);
    bool same = node != NULL && cs_content_eq(&node->content, &row->content) &&
                node->ino == row->print.ino;
    if (!same) return;
    item->print = row->print;
    cs_replica_applied(peer->replica, item);
}

static void show(cs_peer_t *peer, cs_item_t *item)
{
    cs_tree_t *tree = &peer->tree;
    const char *path = item->path->data;
    const cs_item_t *row = cs__row(peer->replica, cs_slice_str(item->path));
    bool agree = row != NULL && cs_content_eq(&row->content, &item->content) &&
                 cs_attr_eq(&row->attr, &item->attr);
    if (agree) {
        if (cs_item_learns(row, item)) learn(peer, row, item);
        return;
    }
    if (!cs_tree_parents_ok(tree, path)) return; /* a file is in the way: later */
    if (item->content.kind == CS_KIND_DIR) {
        if (cs_tree_has_file(tree, path)) return;
        cs_tree_mkdir(tree, path);
        cs_replica_applied(peer->replica, item);
        return;
    }
    if (cs_tree_has_dir(tree, path)) {
        if (!cs_tree_is_empty(tree, path) || row != NULL) return;
        cs_tree_remove(tree, path);
    }
    const cs_tree_node_t *old = cs_tree_find(tree, path);
    bool same = old != NULL && cs_content_eq(&old->content, &item->content);
    if (old != NULL && !same) cs_tree_remove(tree, path); /* replaced: another inode */
    cs_tree_write(tree, path, &item->content, item->attr.mode);
    item->print = cs_peer_print(cs_tree_find(tree, path));
    cs_replica_applied(peer->replica, item);
}

static void pending_paths(cs_replica_t *r, cs_strs_t *ret)
{
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, &r->ws, CS_T_WANTED);
    for (cs_cursor_seek(&cursor, cs_slice(NULL, 0)); cursor.valid; cs_cursor_next(&cursor)) {
        cs__strs_push(ret, cs_str_new(cursor.key.data, cursor.key.len));
    }
    cs_cursor_fini(&cursor);
}

void cs_peer_materialise(cs_peer_t *peer, cs_prng_t *prng, uint64_t part, uint64_t whole)
{
    cs_replica_t *r = peer->replica;
    static cs_strs_t paths; /* these keep their arrays */
    static cs_items_t items;
    pending_paths(r, &paths);
    for (uint32_t i = 0; i < paths.len; i++)
        take_away(peer, cs_slice_str(paths.str[i]), prng, part, whole);
    for (uint32_t i = 0; i < paths.len; i++) {
        cs_err_t err = cs_replica_project(r, cs_slice_str(paths.str[i]), &items);
        CS_ASSERT(err == CS_OK);
        for (uint32_t j = 0; j < items.len; j++) {
            if (part == whole || cs_prng_chance(prng, part, whole)) show(peer, &items.item[j]);
        }
    }
    for (uint32_t i = 0; i < paths.len; i++) {
        prune(peer, paths.str[i]->data);
        cs_replica_settle(r, cs_slice_str(paths.str[i]));
    }
    cs__strs_clear(&paths);
}

void cs_peer_catch_up(cs_peer_t *peer)
{
    cs_peer_materialise(peer, NULL, 1, 1);
}
