/* trees.c - what the disk must look like: PutGet (I5), convergence (I2), nothing hidden (I4).
 */
#include "support/naive.h"
#include "t2/t2.h"

#include <string.h>

static const cs_item_t *item_at(const cs_items_t *items, const char *path)
{
    uint32_t low = 0, high = items->len;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        int order = strcmp(items->item[mid].path->data, path);
        if (order == 0) return &items->item[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static bool is_dir(const cs_items_t *items, const char *path)
{
    size_t len = strlen(path);
    for (uint32_t i = 0; i < items->len; i++) {
        const char *p = items->item[i].path->data;
        if (strncmp(p, path, len) != 0) continue;
        if (p[len] == '/' || (p[len] == '\0' && items->item[i].content.kind == CS_KIND_DIR))
            return true;
    }
    return false;
}

static bool parents_there(const cs_tree_t *tree, const char *path)
{
    char dir[CS_TREE_NAME];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - path);
        memcpy(dir, path, len);
        dir[len] = '\0';
        if (!cs_tree_has_dir(tree, dir)) return false;
    }
    return true;
}

static bool same_dirs(const cs_items_t *items, const cs_tree_t *tree)
{
    for (uint32_t i = 0; i < tree->len; i++) {
        const cs_tree_node_t *node = &tree->node[i];
        if (node->content.kind == CS_KIND_DIR && !is_dir(items, node->path)) return false;
    }
    for (uint32_t i = 0; i < items->len; i++) {
        const cs_item_t *item = &items->item[i];
        if (!parents_there(tree, item->path->data)) return false;
        if (item->content.kind == CS_KIND_DIR && !cs_tree_has_dir(tree, item->path->data))
            return false;
    }
    return true;
}

/* How many files of the tree the items show otherwise or not at all, plus items the tree lacks.
 */
static uint32_t differences(const cs_items_t *items, const cs_tree_t *tree)
{
    uint32_t count = 0, files = 0, matched = 0;
    for (uint32_t i = 0; i < tree->len; i++) {
        const cs_tree_node_t *node = &tree->node[i];
        if (node->content.kind == CS_KIND_DIR) continue;
        const cs_item_t *item = item_at(items, node->path);
        if (item != NULL && cs_content_eq(&item->content, &node->content) &&
            item->attr.mode == node->mode)
            matched++;
        else
            count++;
    }
    for (uint32_t i = 0; i < items->len; i++)
        files += items->item[i].content.kind != CS_KIND_DIR;
    return count + files - matched;
}

/* The one exception of PutGet: files that became equal at one path collapse. */
static bool is_collapse(const cs_items_t *items, const cs_tree_t *tree)
{
    bool lost_any = false;
    for (uint32_t i = 0; i < items->len; i++) {
        const cs_item_t *item = &items->item[i];
        if (item->content.kind == CS_KIND_DIR) continue;
        const cs_tree_node_t *node = cs_tree_find(tree, item->path->data);
        if (node == NULL || !cs_content_eq(&node->content, &item->content)) return false;
    }
    for (uint32_t i = 0; i < tree->len; i++) {
        const cs_tree_node_t *node = &tree->node[i];
        if (node->content.kind == CS_KIND_DIR) continue;
        const cs_item_t *item = item_at(items, node->path);
        if (item != NULL && item->attr.mode == node->mode) continue;
        if (item == NULL) lost_any = true;
        bool twin =
            false; /* another file with these bytes collapsed, or is what is left of it */
        for (uint32_t j = 0; j < tree->len; j++) {
            const cs_tree_node_t *other = &tree->node[j];
            bool one_shown = item != NULL || item_at(items, other->path) != NULL;
            if (j != i && one_shown && cs_content_eq(&other->content, &node->content))
                twin = true;
        }
        if (!twin) return false;
    }
    return lost_any;
}

void t2_check_putget(t2_world_t *world, cs_peer_t *peer, const t2_dots_t *garbage)
{
    static cs_items_t items; /* keeps its array */
    cs_err_t err = cs_replica_project_all(peer->replica, &items);
    CS_ASSERT(err == CS_OK);
    world->putgets++;
    if (!same_dirs(&items, &peer->tree)) t2_fail(world, "PutGet: directories");
    if (differences(&items, &peer->tree) != 0) {
        if (is_collapse(&items, &peer->tree))
            world->collapses++;
        else
            t2_fail(world, "PutGet: files");
    }
    t2_garbage(peer, &world->after);
    for (uint32_t i = 0; i < world->after.len; i++) {
        if (!t2_has(garbage, &world->after.at[i]))
            t2_fail(world, "sweep: a lineage without content is left");
    }
}

void t2_check_disk(t2_world_t *world, cs_peer_t *peer)
{
    static cs_items_t items; /* keeps its array */
    cs_err_t err = cs_replica_project_all(peer->replica, &items);
    CS_ASSERT(err == CS_OK);
    if (differences(&items, &peer->tree) != 0) t2_fail(world, "I2: disk and projection differ");
    if (!same_dirs(&items, &peer->tree))
        t2_fail(world, "I2: directories on disk and projection differ");
    cs_buf_t path = {0};
    if (cs_replica_pending(peer->replica, cs_slice(NULL, 0), &path)) {
        t2_fail(world, "I2: %.*s is pending though all is materialised", (int)path.len,
                (char *)path.data);
    }
    cs_buf_fini(&path);
}

void t2_check_projection(t2_world_t *world, cs_peer_t *peer)
{
    static cs_buf_t slow, fast;
    cs_naive_project(peer, &slow);
    cs_family_project(peer, &fast);
    if (!cs_slice_eq(cs_buf_slice(&slow), cs_buf_slice(&fast))) {
        t2_fail(world, "projection: naive\n%.*s\nby family\n%.*s", (int)slow.len,
                (char *)slow.data, (int)fast.len, (char *)fast.data);
    }
}

/* I4: every live content is on disk somewhere; I6: no tombstone. */
static void check_shown(t2_world_t *world, cs_peer_t *peer)
{
    for (cs_onode_t *node = cs_peer_first(peer, CS_T_ENTRY); node != NULL;
         node = cs_peer_next(node)) {
        const cs_entry_t *e = &((cs_cell_t *)node->value)->entry;
        for (uint32_t i = 0; i < e->k_len; i++) {
            bool shown = e->k[i].content.kind == CS_KIND_DIR;
            for (uint32_t j = 0; j < peer->tree.len && !shown; j++) {
                shown = cs_content_eq(&peer->tree.node[j].content, &e->k[i].content);
            }
            if (!shown) t2_fail(world, "I4: a live content is not displayed");
        }
        if (cs_entry_is_dead(e)) t2_fail(world, "I6: a tombstone is left");
    }
}

static bool same_trees(const cs_tree_t *a, const cs_tree_t *b)
{
    if (a->len != b->len) return false;
    for (uint32_t i = 0; i < a->len; i++) {
        const cs_tree_node_t *x = &a->node[i], *y = &b->node[i];
        if (x->mode != y->mode || strcmp(x->path, y->path) != 0) return false;
        if (!cs_content_eq(&x->content, &y->content)) return false;
    }
    return true;
}

/* All have materialised: I2, and what follows from it. */
void t2_check_trees(t2_world_t *world)
{
    for (int i = 0; i < world->replicas; i++) {
        t2_check_disk(world, &world->peer[i]);
        if (!same_trees(&world->peer[0].tree, &world->peer[i].tree))
            t2_fail(world, "I2: disks differ");
    }
    check_shown(world, &world->peer[0]);
}
