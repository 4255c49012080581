/* tree.c - see tree.h. Small sorted arrays: trees of tests have a dozen nodes. */
#include "support/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void cs_tree_fini(cs_tree_t *tree)
{
    cs_free(tree->node);
    memset(tree, 0, sizeof *tree);
}

void cs_tree_clear(cs_tree_t *tree)
{
    tree->len = 0;
    tree->inodes = 0;
}

void cs_tree_copy(cs_tree_t *to, const cs_tree_t *from)
{
    cs_tree_fini(to);
    *to = *from;
    to->cap = from->len;
    to->node = cs_memdup(from->node, from->len * sizeof *from->node);
}

cs_content_t cs_tree_text(cs_kind_t kind, const char *text)
{
    cs_content_t content = {.kind = (uint8_t)kind};
    if (kind == CS_KIND_DIR) return content;
    size_t len = strlen(text);
    CS_ASSERT(len < sizeof content.hash);
    memcpy(content.hash, text, len);
    content.size = len;
    return content;
}

static uint32_t lower_bound(const cs_tree_t *tree, const char *path)
{
    uint32_t low = 0, high = tree->len;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (strcmp(tree->node[mid].path, path) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

cs_tree_node_t *cs_tree_find(const cs_tree_t *tree, const char *path)
{
    uint32_t i = lower_bound(tree, path);
    return i < tree->len && strcmp(tree->node[i].path, path) == 0 ? &tree->node[i] : NULL;
}

bool cs_tree_has_file(const cs_tree_t *tree, const char *path)
{
    const cs_tree_node_t *node = cs_tree_find(tree, path);
    return node != NULL && node->content.kind != CS_KIND_DIR;
}

bool cs_tree_has_dir(const cs_tree_t *tree, const char *path)
{
    const cs_tree_node_t *node = cs_tree_find(tree, path);
    return node != NULL && node->content.kind == CS_KIND_DIR;
}

static bool is_below(const cs_tree_node_t *node, const char *dir, size_t len)
{
    return node->len > len && node->path[len] == '/' && memcmp(node->path, dir, len) == 0;
}

bool cs_tree_is_empty(const cs_tree_t *tree, const char *dir)
{
    size_t len = strlen(dir);
    for (uint32_t i = 0; i < tree->len; i++) {
        if (is_below(&tree->node[i], dir, len)) return false;
    }
    return true;
}

bool cs_tree_parents_ok(const cs_tree_t *tree, const char *path)
{
    char dir[CS_TREE_NAME];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - path);
        memcpy(dir, path, len);
        dir[len] = '\0';
        if (cs_tree_has_file(tree, dir)) return false;
    }
    return true;
}

bool cs_tree_is_free(const cs_tree_t *tree, const char *path)
{
    return cs_tree_find(tree, path) == NULL && cs_tree_parents_ok(tree, path);
}

static cs_tree_node_t *insert(cs_tree_t *tree, const char *path)
{
    uint32_t i = lower_bound(tree, path);
    if (i < tree->len && strcmp(tree->node[i].path, path) == 0) return &tree->node[i];
    if (tree->len == tree->cap) {
        tree->cap = (uint32_t)cs_grow(tree->cap, tree->len + 8u);
        tree->node = cs_realloc_array(tree->node, tree->cap, sizeof *tree->node);
    }
    memmove(&tree->node[i + 1], &tree->node[i], (tree->len - i) * sizeof *tree->node);
    tree->len++;
    cs_tree_node_t *node = &tree->node[i];
    memset(node, 0, sizeof *node);
    node->len = (uint32_t)strlen(path);
    CS_ASSERT(node->len < CS_TREE_NAME);
    memcpy(node->path, path, node->len);
    return node;
}

static void make_parents(cs_tree_t *tree, const char *path)
{
    char dir[CS_TREE_NAME];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - path);
        memcpy(dir, path, len);
        dir[len] = '\0';
        cs_tree_node_t *node = insert(tree, dir);
        CS_ASSERT(node->content.kind == CS_KIND_NONE || node->content.kind == CS_KIND_DIR);
        node->content.kind = CS_KIND_DIR;
    }
}

void cs_tree_mkdir(cs_tree_t *tree, const char *path)
{
    make_parents(tree, path);
    insert(tree, path)->content.kind = CS_KIND_DIR;
}

void cs_tree_write(cs_tree_t *tree, const char *path, const cs_content_t *content, int mode)
{
    make_parents(tree, path);
    cs_tree_node_t *node = insert(tree, path);
    CS_ASSERT(node->content.kind != CS_KIND_DIR);
    bool was_file = node->content.kind == CS_KIND_FILE;
    if (mode < 0) mode = was_file ? node->mode : 0644;
    node->content = *content;
    node->mode = content->kind == CS_KIND_FILE ? (uint16_t)mode : 0;
    if (node->ino == 0) node->ino = ++tree->inodes;
}

void cs_tree_remove(cs_tree_t *tree, const char *path)
{
    uint32_t i = lower_bound(tree, path);
    CS_ASSERT(i < tree->len && strcmp(tree->node[i].path, path) == 0);
    memmove(&tree->node[i], &tree->node[i + 1], (tree->len - i - 1) * sizeof *tree->node);
    tree->len--;
}

void cs_tree_rename(cs_tree_t *tree, const char *from, const char *to)
{
    cs_tree_node_t moved = *cs_tree_find(tree, from);
    cs_tree_remove(tree, from);
    make_parents(tree, to);
    cs_tree_node_t *node = insert(tree, to);
    node->content = moved.content;
    node->mode = moved.mode;
    node->ino = moved.ino;
}

void cs_tree_rmtree(cs_tree_t *tree, const char *dir)
{
    size_t len = strlen(dir);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < tree->len; i++) {
        const cs_tree_node_t *node = &tree->node[i];
        if (!is_below(node, dir, len) && strcmp(node->path, dir) != 0)
            tree->node[kept++] = *node;
    }
    tree->len = kept;
}

void cs_tree_rename_dir(cs_tree_t *tree, const char *from, const char *to)
{
    cs_tree_t old = {0};
    size_t len = strlen(from);
    cs_tree_copy(&old, tree);
    cs_tree_rmtree(tree, from);
    cs_tree_mkdir(tree, to);
    for (uint32_t i = 0; i < old.len; i++) {
        const cs_tree_node_t *node = &old.node[i];
        if (!is_below(node, from, len)) continue;
        char path[2 * CS_TREE_NAME];
        size_t to_len = strlen(to);
        memcpy(path, to, to_len);
        memcpy(path + to_len, node->path + len, node->len - len + 1);
        cs_tree_node_t *copy = insert(tree, path);
        copy->content = node->content;
        copy->mode = node->mode;
        copy->ino = node->ino;
    }
    cs_tree_fini(&old);
}
