/* watch_tree.c - two ordered maps: (parent, name) -> node, and watch descriptor -> node. */
#include "io/watch_tree.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/path.h"

#define HEAT_ONE  16u /* a change, so that halves of it count as well */
#define HEAT_MAX  (1u << 30)
#define SAMPLE    64u /* nodes looked at to find a cold one */
#define SHIFT_MAX 31u

struct cs_wtree {
    cs_omap_t names, wds;
    cs_wnode_t root;
    cs_wnode_t *hand; /* where the next look for a cold node begins */
    uint32_t last_id;
    size_t count;
};

cs_wtree_t *cs_wtree_new(void)
{
    cs_wtree_t *tree = cs_calloc(1, sizeof *tree);
    cs_wnode_t *root = &tree->root;
    root->wd = -1;
    root->before = root->after = root;
    tree->hand = root;
    tree->count = 1;
    return tree;
}

void cs_wtree_destroy(cs_wtree_t **tree_p)
{
    cs_wtree_t *tree = *tree_p;
    if (tree == NULL) return;
    cs_omap_fini(&tree->names, cs_free);
    cs_omap_fini(&tree->wds, NULL);
    cs_free(tree);
    *tree_p = NULL;
}

cs_wnode_t *cs_wtree_root(cs_wtree_t *tree)
{
    return &tree->root;
}

size_t cs_wtree_count(const cs_wtree_t *tree)
{
    return tree->count;
}

static void name_key(const cs_wnode_t *parent, cs_slice_t name, cs_buf_t *ret)
{
    cs_buf_put_u32_be(ret, parent->id);
    cs_buf_put_slice(ret, name);
}

cs_wnode_t *cs_wtree_child(const cs_wtree_t *tree, const cs_wnode_t *parent, cs_slice_t name)
{
    cs_buf_t key = {0};
    name_key(parent, name, &key);
    const cs_onode_t *found = cs_omap_find(&tree->names, cs_buf_slice(&key));
    cs_buf_fini(&key);
    return found != NULL ? found->value : NULL;
}

cs_wnode_t *cs_wtree_find(cs_wtree_t *tree, cs_slice_t path)
{
    cs_wnode_t *node = &tree->root;
    while (path.len > 0 && node != NULL) {
        const uint8_t *slash = memchr(path.data, '/', path.len);
        size_t len = slash != NULL ? (size_t)(slash - path.data) : path.len;
        node = cs_wtree_child(tree, node, cs_slice(path.data, len));
        size_t skip = slash != NULL ? len + 1 : len;
        path = cs_slice(path.data + skip, path.len - skip);
    }
    return node;
}

static void hang(cs_wtree_t *tree, cs_wnode_t *node, cs_wnode_t *parent, cs_slice_t name)
{
    cs_buf_t key = {0};
    bool is_new;
    name_key(parent, name, &key);
    node->self = cs_omap_insert(&tree->names, cs_buf_slice(&key), &is_new);
    CS_ASSERT(is_new);
    cs_buf_fini(&key);
    node->self->value = node;
    node->parent = parent;
    parent->children++;
}

static void unhang(cs_wtree_t *tree, cs_wnode_t *node)
{
    cs_omap_remove(&tree->names, node->self);
    node->self = NULL;
    node->parent->children--;
}

cs_wnode_t *cs_wtree_add(cs_wtree_t *tree, cs_wnode_t *parent, cs_slice_t name)
{
    cs_wnode_t *node = cs_calloc(1, sizeof *node);
    node->id = ++tree->last_id;
    node->wd = -1;
    hang(tree, node, parent, name);
    node->after = &tree->root;
    node->before = tree->root.before;
    node->before->after = node->after->before = node;
    tree->count++;
    return node;
}

void cs_wtree_move(cs_wtree_t *tree, cs_wnode_t *node, cs_wnode_t *parent, cs_slice_t name)
{
    unhang(tree, node);
    hang(tree, node, parent, name);
}

static cs_wnode_t *first_child(const cs_wtree_t *tree, const cs_wnode_t *parent)
{
    cs_buf_t key = {0};
    name_key(parent, cs_slice(NULL, 0), &key);
    const cs_onode_t *found = cs_omap_seek(&tree->names, cs_buf_slice(&key));
    bool below = found != NULL && cs_slice_has_prefix(cs_onode_key(found), cs_buf_slice(&key));
    cs_buf_fini(&key);
    return below ? found->value : NULL;
}

void cs_wtree_remove(cs_wtree_t *tree, cs_wnode_t *node,
                     void (*drop)(void *arg, cs_wnode_t *node), void *arg)
{
    const cs_wnode_t *end = node->parent;
    CS_ASSERT(end != NULL);
    while (node != end) { /* down to a node without children, then up */
        cs_wnode_t *parent = node->parent;
        if (node->children > 0) {
            node = first_child(tree, node);
            continue;
        }
        drop(arg, node);
        cs_wtree_set_wd(tree, node, -1);
        unhang(tree, node);
        node->before->after = node->after;
        node->after->before = node->before;
        if (tree->hand == node) tree->hand = node->after;
        cs_free(node);
        tree->count--;
        node = parent;
    }
}

static cs_slice_t wd_key(int wd, uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)((uint32_t)wd >> (24 - 8 * i));
    }
    return cs_slice(bytes, 4);
}

cs_wnode_t *cs_wtree_by_wd(const cs_wtree_t *tree, int wd)
{
    uint8_t bytes[4];
    const cs_onode_t *found = cs_omap_find(&tree->wds, wd_key(wd, bytes));
    return found != NULL ? found->value : NULL;
}

void cs_wtree_set_wd(cs_wtree_t *tree, cs_wnode_t *node, int wd)
{
    uint8_t bytes[4];
    bool is_new;
    if (node->wd >= 0) {
        cs_onode_t *old = cs_omap_find(&tree->wds, wd_key(node->wd, bytes));
        if (old != NULL && old->value == node) cs_omap_remove(&tree->wds, old);
    }
    node->wd = wd;
    if (wd >= 0) cs_omap_insert(&tree->wds, wd_key(wd, bytes), &is_new)->value = node;
}

static void put_path(const cs_wnode_t *node, cs_buf_t *ret)
{
    const cs_wnode_t *chain[CS_PATH_MAX / 2 + 1]; /* a path has no more components */
    size_t len = 0;
    for (; node->parent != NULL && len < CS_COUNT_OF(chain); node = node->parent) {
        chain[len++] = node;
    }
    while (len > 0) {
        cs_slice_t key = cs_onode_key(chain[--len]->self);
        if (ret->len > 0) cs_buf_put_u8(ret, '/');
        cs_buf_put_slice(ret, cs_slice(key.data + 4, key.len - 4));
    }
}

void cs_wnode_path(const cs_wnode_t *node, cs_slice_t name, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    put_path(node, ret);
    if (name.len == 0) return;
    if (ret->len > 0) cs_buf_put_u8(ret, '/');
    cs_buf_put_slice(ret, name);
}

uint32_t cs_wnode_heat(const cs_wnode_t *node, uint64_t now_ms)
{
    uint64_t halves = (now_ms - node->heat_ms) / CS_WATCH_HALF_MS;
    return halves > SHIFT_MAX ? 0 : node->heat >> halves;
}

void cs_wnode_warm(cs_wnode_t *node, uint64_t now_ms)
{
    uint32_t heat = cs_wnode_heat(node, now_ms);
    node->heat = heat < HEAT_MAX ? heat + HEAT_ONE : heat;
    node->heat_ms = now_ms;
}

cs_wnode_t *cs_wtree_coldest(cs_wtree_t *tree, const cs_wnode_t *but, uint64_t now_ms)
{
    cs_wnode_t *coldest = NULL;
    for (size_t i = 0; i < SAMPLE && i < tree->count; i++) {
        cs_wnode_t *node = tree->hand;
        tree->hand = node->after;
        if (node->children > 0 || node->parent == NULL || node == but) continue;
        if (coldest == NULL || cs_wnode_heat(node, now_ms) < cs_wnode_heat(coldest, now_ms)) {
            coldest = node;
        }
    }
    return coldest;
}
