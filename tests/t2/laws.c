/* laws.c - the chmod law: a chmod beside anything else changes no path and no content, and
 * goes where the file goes (core.md 12, I8). */
#include <stdlib.h>
#include <string.h>

#include "t2/t2.h"

typedef enum other_act { NOTHING, EDIT, RM, MV, MV_EDIT, CHMOD, RMDIR, ACT_COUNT } other_act_t;

#define LAW_MODE 0711

static bool is_plain(cs_peer_t *peer, const cs_tree_node_t *node)
{
    const cs_item_t *row = cs__row(peer->replica, cs_slice(node->path, node->len));
    if (row == NULL || node->content.kind != CS_KIND_FILE || !cs_str_eq(row->eff, row->path))
        return false;
    for (uint32_t i = 0; i < row->back_len; i++) {
        const cs_cell_t *cell = cs__cell_get(peer->replica, &row->back[i].bucket);
        uint32_t owned = 0;
        for (uint32_t j = 0; cell != NULL && j < cell->entry.k_len; j++) {
            owned +=
                cs_dot_eq(cs_entry_owner(&cell->entry, &cell->entry.k[j]), row->back[i].lin);
        }
        if (owned > 1) return false;
    }
    return true;
}

static const char *choose(cs_peer_t *peer, uint64_t dice)
{
    const char *found[64];
    uint32_t len = 0;
    for (uint32_t i = 0; i < peer->tree.len && len < 64; i++) {
        if (is_plain(peer, &peer->tree.node[i])) found[len++] = peer->tree.node[i].path;
    }
    return len == 0 ? NULL : found[dice % len];
}

static void act(cs_tree_t *tree, const char *path, other_act_t what, uint16_t mode)
{
    cs_content_t edited = cs_tree_text(CS_KIND_FILE, "edited");
    char top[CS_TREE_NAME];
    strcpy(top, path);
    if (strchr(top, '/') != NULL) *strchr(top, '/') = '\0';
    if (what == MV || what == MV_EDIT) cs_tree_rename(tree, path, "fresh");
    if (what == EDIT || what == MV_EDIT)
        cs_tree_write(tree, what == EDIT ? path : "fresh", &edited, -1);
    if (what == CHMOD) cs_tree_find(tree, path)->mode = mode;
    if (what == RM) cs_tree_remove(tree, path);
    if (what == RMDIR) cs_tree_rmtree(tree, top);
}

/* Both users act, all meet; the tree of A. False: there is no file to try it on. */
static bool merged(t2_world_t *world, const t2_op_t *ops, int len, uint64_t seed,
                   bool with_chmod, cs_tree_t *ret, char *ret_path)
{
    t2_world_begin(world, 2);
    for (int i = 0; i < len && !t2_failed(world); i++)
        t2_perform(world, &ops[i]);
    if (!t2_failed(world)) t2_finish(world);
    cs_peer_t *a = &world->peer[0], *b = &world->peer[1];
    const char *path = t2_failed(world) ? NULL : choose(a, seed >> 8);
    bool found = path != NULL;
    if (found) {
        strcpy(ret_path, path);
        other_act_t what = (other_act_t)(seed % ACT_COUNT);
        if (with_chmod) cs_tree_find(&a->tree, ret_path)->mode = LAW_MODE;
        t2_scan(world, a);
        cs_peer_catch_up(a);
        if ((seed >> 16) % 5 < 2)
            cs_peer_exchange(a, b, false); /* joined at B, not on its disk */
        act(&b->tree, ret_path, what, (seed >> 24) % 2 == 0 ? 0700 : 0755);
        t2_scan(world, b);
        cs_peer_catch_up(b);
        t2_finish(world);
        cs_tree_copy(ret, &a->tree);
    }
    t2_world_end(world);
    return found && !t2_failed(world);
}

static void compare(t2_world_t *world, const cs_tree_t *with, const cs_tree_t *without,
                    const char *path, uint64_t seed)
{
    other_act_t what = (other_act_t)(seed % ACT_COUNT);
    uint16_t mode = (seed >> 24) % 2 == 0 ? 0700 : 0755;
    const char *now = what == MV || what == MV_EDIT ? "fresh" : path;
    if (with->len != without->len)
        t2_fail(world, "chmod law: it changed the paths of the tree");
    for (uint32_t i = 0; i < with->len && !t2_failed(world); i++) {
        const cs_tree_node_t *x = &with->node[i], *y = &without->node[i];
        bool same = strcmp(x->path, y->path) == 0 && cs_content_eq(&x->content, &y->content);
        if (!same) t2_fail(world, "chmod law: it changed the tree at %s", x->path);
        bool here = strcmp(x->path, now) == 0;
        if (!here && x->mode != y->mode) t2_fail(world, "chmod law: mode of %s", x->path);
        bool gone = what == RM || what == RMDIR;
        if (!here || gone) continue;
        uint16_t want =
            what == CHMOD && mode < LAW_MODE ? mode : LAW_MODE; /* equal height: the smaller */
        if (x->mode != want)
            t2_fail(world, "chmod law: act %u, %s has mode %o", what, x->path, x->mode);
    }
}

void t2_chmod_law(t2_world_t *world, const t2_op_t *ops, int len, uint64_t seed)
{
    static cs_tree_t with, without;
    char path[CS_TREE_NAME];
    if (!merged(world, ops, len, seed, true, &with, path)) return;
    if (!merged(world, ops, len, seed, false, &without, path)) return;
    compare(world, &with, &without, path, seed);
}
