/* demo_tree.h - the demo's files: written, compared and removed without the engine. */
#ifndef CS_CMD_DEMO_TREE_H
#define CS_CMD_DEMO_TREE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

/* Makes missing directories. False: errno. */
bool cs_demo_write(const char *root, const char *path, const char *text, mode_t mode);
/* `bytes` bytes that look random and depend on `seed` only. */
bool cs_demo_fill(const char *root, const char *path, size_t bytes, uint64_t seed);

typedef struct cs_demo_count {
    uint64_t files, bytes; /* files and links; of files */
} cs_demo_count_t;

/* Are the names, types, bytes, targets, and permission bits of files the same below both?
 * .crdtsync in the root is left out. False: ret_why names the first difference. */
bool cs_demo_equal(const char *a, const char *b, cs_demo_count_t *ret, cs_buf_t *ret_why);

void cs_demo_remove(const char *path); /* with all that is below */

#endif
