/* tree.h - a user's folder in memory: files with inode, content and mode, symbolic links,
 * directories.
 *
 * Contents are short texts; their "hash" is the text itself, so that they sort as they read. */
#ifndef CS_TESTS_TREE_H
#define CS_TESTS_TREE_H

#include "crdt/replica.h"

#define CS_TREE_NAME 96u /* bytes of a path, with its NUL */

typedef struct cs_tree_node {
    char path[CS_TREE_NAME];
    uint32_t len;
    uint16_t mode;        /* FILE */
    cs_content_t content; /* kind DIR: a directory */
    uint64_t ino;
} cs_tree_node_t;

typedef struct cs_tree {
    cs_tree_node_t *node; /* sorted by path */
    uint32_t len, cap;
    uint64_t inodes;
} cs_tree_t;

void cs_tree_fini(cs_tree_t *tree);
void cs_tree_clear(cs_tree_t *tree);
void cs_tree_copy(cs_tree_t *to, const cs_tree_t *from);

cs_content_t cs_tree_text(cs_kind_t kind, const char *text);

cs_tree_node_t *cs_tree_find(const cs_tree_t *tree, const char *path);
bool cs_tree_has_file(const cs_tree_t *tree, const char *path);
bool cs_tree_has_dir(const cs_tree_t *tree, const char *path);
bool cs_tree_is_empty(const cs_tree_t *tree, const char *dir);
/* Nothing is at path, and no file stands in its way. */
bool cs_tree_is_free(const cs_tree_t *tree, const char *path);
bool cs_tree_parents_ok(const cs_tree_t *tree, const char *path);

/* What users do. Parents are made; callers see to it that nothing is in the way. */
void cs_tree_mkdir(cs_tree_t *tree, const char *path);
/* An existing file keeps its inode, and its mode if mode < 0. */
void cs_tree_write(cs_tree_t *tree, const char *path, const cs_content_t *content, int mode);
void cs_tree_remove(cs_tree_t *tree, const char *path);
void cs_tree_rename(cs_tree_t *tree, const char *from,
                    const char *to); /* a file, perhaps over one */
void cs_tree_rmtree(cs_tree_t *tree, const char *dir);
void cs_tree_rename_dir(cs_tree_t *tree, const char *from, const char *to);

#endif
