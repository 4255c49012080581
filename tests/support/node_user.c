/* node_user.c - what happens to the files of a node's folder. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/folder.h"
#include "support/node_world.h"

#define PATH_BYTES  256u
#define LARGE_BYTES 700000u

static const char *const names[] = {"a", "b.txt", "d", "d/x", "d/y.txt", "e/f/g", "e/f", "h"};

static void full_path(nw_node_t *node, const char *path, char *ret)
{
    snprintf(ret, PATH_BYTES, "%s/%s", node->dir, path);
}

/* Users may find a directory where they want a file, and the other way round: nothing happens.
 */
static void write_bytes(nw_node_t *node, const char *path, const void *data, size_t len)
{
    char full[PATH_BYTES];
    full_path(node, path, full);
    for (char *slash = full + strlen(node->dir) + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return;
    if (write(fd, data, len) != (ssize_t)len) abort();
    close(fd);
}

void nw_write(nw_node_t *node, const char *path, const char *text)
{
    write_bytes(node, path, text, strlen(text));
}

void nw_unlink(nw_node_t *node, const char *path)
{
    char full[PATH_BYTES];
    full_path(node, path, full);
    if (unlink(full) != 0) (void)rmdir(full);
}

/* Variants share most of their chunks. */
void nw_write_large(nw_node_t *node, const char *path, unsigned variant)
{
    uint8_t *bytes = cs_malloc(LARGE_BYTES);
    cs_prng_t prng;
    cs_prng_init(&prng, 42);
    cs_prng_fill(&prng, bytes, LARGE_BYTES);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        bytes[i] = (uint8_t)('a' + bytes[i] % 26);
    size_t at = variant * 30011u % (LARGE_BYTES - 8);
    memset(bytes + at, 'A' + (int)(variant % 26), 8);
    write_bytes(node, path, bytes, LARGE_BYTES);
    cs_free(bytes);
}

static void rename_some(nw_node_t *node, const char *from, const char *to)
{
    char a[PATH_BYTES], b[PATH_BYTES];
    full_path(node, from, a);
    full_path(node, to, b);
    (void)rename(a, b);
}

static void save_by_rename(nw_node_t *node, const char *path, const char *text)
{
    nw_write(node, "h.tmp", text);
    rename_some(node, "h.tmp", path);
    nw_unlink(node, "h.tmp");
}

void nw_user(nw_node_t *node)
{
    nw_world_t *world = node->world;
    const char *path = names[nw_pick(world, CS_COUNT_OF(names))];
    const char *other = names[nw_pick(world, CS_COUNT_OF(names))];
    char text[32], full[PATH_BYTES];
    bool common = nw_pick(world, 4) == 0; /* the same bytes elsewhere */
    snprintf(text, sizeof text, "text %u", common ? 0 : nw_pick(world, 1000000));
    full_path(node, path, full);
    unsigned what = nw_pick(world, 10);
    nw_trace(world, "%u user %u: %s, %s, %s", node->index, what, path, other, text);
    switch (what) {
    case 0:
        save_by_rename(node, path, text);
        break;
    case 1:
    case 2:
        rename_some(node, path, other);
        break;
    case 3:
    case 4:
        nw_unlink(node, path);
        break;
    case 5:
        (void)mkdir(full, 0755);
        break;
    case 6:
        (void)fchmodat(AT_FDCWD, full, nw_pick(world, 2) == 0 ? 0755 : 0600, 0);
        break;
    case 7:
        nw_write_large(node, path, (unsigned)(text[strlen(text) - 1] - '0'));
        break;
    default:
        nw_write(node, path, text);
        break;
    }
}
