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
#include "support/picture.h"

#define PATH_BYTES  256u
#define LARGE_BYTES 700000u

static const char *const names[] = {"a", "b.txt", "d", "d/x", "d/y.txt", "e/f/g", "e/f", "h"};

static void full_path(nw_node_t *node, const char *path, char *ret)
{
    snprintf(ret, PATH_BYTES, "%s/%s", node->dir, path);
}

static void make_parents(const nw_node_t *node, char *full)
{
    for (char *slash = full + strlen(node->dir) + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
}

/* Users may find a directory where they want a file, and the other way round: nothing happens.
 */
static bool put(nw_node_t *node, char *full, const void *data, size_t len)
{
    make_parents(node, full);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return false;
    if (write(fd, data, len) != (ssize_t)len) abort();
    close(fd);
    return true;
}

static void write_bytes(nw_node_t *node, const char *path, const void *data, size_t len)
{
    char full[PATH_BYTES];
    full_path(node, path, full);
    (void)put(node, full, data, len);
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

/* --- a user whose texts are counted (node_texts.c) */

/* In half of the worlds users meet at every step. */
static unsigned names_used(const nw_world_t *world)
{
    return world->crowded ? 3 : CS_COUNT_OF(names);
}

/* A name of his own choice, or what is there now: perhaps the engine's choice of a name. */
static void some_path(nw_node_t *node, char *ret)
{
    nw_world_t *world = node->world;
    snprintf(ret, PATH_BYTES, "%s", names[nw_pick(world, names_used(world))]);
    if (nw_pick(world, 2) == 0) return;
    char *picture = tree_picture(node->real);
    unsigned lines = 0, at = 0;
    for (const char *c = picture; (c = strchr(c, '\n')) != NULL; c++)
        lines++;
    if (lines > 0) at = nw_pick(world, lines);
    const char *line = picture;
    while (at-- > 0 && lines > 0)
        line = strchr(line, '\n') + 1;
    size_t len = strcspn(line, " \n");
    if (len > 0 && line[len - 1] == '/') len--;
    if (len > 0 && len < PATH_BYTES) snprintf(ret, PATH_BYTES, "%.*s", (int)len, line);
    cs_free(picture);
}

static unsigned text_in(nw_world_t *world, int fd)
{
    char bytes[NW_TEXT_BYTES] = "";
    if (pread(fd, bytes, sizeof bytes - 1, 0) <= 0) return NW_NO_TEXT;
    return nw_text_of(world, bytes);
}

/* The text of the file at a path, which the user is about to take away. Then he does not write
 * to it any more either. */
static unsigned text_at(nw_node_t *node, const char *full)
{
    struct stat path, held;
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return NW_NO_TEXT;
    unsigned number = text_in(node->world, fd);
    if (fstat(fd, &path) != 0) abort();
    close(fd);
    if (node->held < 0 || fstat(node->held, &held) != 0) return number;
    if (path.st_ino == held.st_ino) nw_let_go(node);
    return number;
}

void nw_let_go(nw_node_t *node)
{
    if (node->held >= 0) close(node->held);
    node->held = -1;
}

static bool put_text(nw_node_t *node, char *full, const char *text)
{
    return put(node, full, text, strlen(text));
}

static void save(nw_node_t *node, char *full)
{
    char text[NW_TEXT_BYTES];
    struct stat st;
    if (lstat(full, &st) == 0 && !S_ISREG(st.st_mode)) return;
    unsigned old = text_at(node, full), number = nw_text_new(node->world, text);
    if (!put_text(node, full, text)) return;
    nw_text_written(node->world, number);
    nw_text_removed(node, old);
}

static void rename_to(nw_node_t *node, char *from, char *to)
{
    make_parents(node, to);
    unsigned old = strcmp(from, to) == 0 ? NW_NO_TEXT : text_at(node, to);
    if (rename(from, to) != 0) return;
    nw_texts_moved(node);
    nw_text_removed(node, old);
}

static void save_by_rename(nw_node_t *node, char *full)
{
    char text[NW_TEXT_BYTES], fresh[PATH_BYTES];
    unsigned number = nw_text_new(node->world, text);
    full_path(node, "h.tmp", fresh);
    unsigned old = text_at(node, fresh);
    if (!put_text(node, fresh, text)) return;
    nw_text_written(node->world, number);
    nw_text_removed(node, old);
    rename_to(node, fresh, full);
}

static void save_with_backup(nw_node_t *node, char *full)
{
    char backup[PATH_BYTES + 1];
    struct stat st;
    if (lstat(full, &st) != 0 || !S_ISREG(st.st_mode)) return;
    snprintf(backup, sizeof backup, "%s~", full);
    if (strlen(backup) >= PATH_BYTES) return;
    rename_to(node, full, backup);
    save(node, full);
}

static void save_large(nw_node_t *node, const char *path, const char *full)
{
    unsigned old = text_at(node, full);
    nw_write_large(node, path, nw_pick(node->world, 10));
    nw_text_removed(node, old);
}

static void take_away(nw_node_t *node, const char *full)
{
    unsigned old = text_at(node, full);
    if (unlink(full) == 0) {
        nw_text_removed(node, old);
    } else {
        (void)rmdir(full);
    }
}

static void copy(nw_node_t *node, const char *from, char *to)
{
    struct stat st;
    char text[NW_TEXT_BYTES];
    unsigned number = text_at(node, from);
    if (number == NW_NO_TEXT || strcmp(from, to) == 0) return;
    if (lstat(to, &st) == 0 && !S_ISREG(st.st_mode)) return;
    unsigned old = text_at(node, to);
    snprintf(text, sizeof text, "text %06u", number);
    if (!put_text(node, to, text)) return;
    nw_text_copied(node, number);
    nw_text_removed(node, old);
}

/* What he writes later is longer: within a tick of the clock, another length is all that tells
 * two writes apart. */
static void hold(nw_node_t *node, const char *full)
{
    char bytes[NW_TEXT_BYTES + 1];
    if (node->held < 0) {
        node->held = open(full, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        return;
    }
    unsigned old = text_in(node->world, node->held);
    unsigned number = nw_text_new(node->world, bytes);
    strcat(bytes, "+");
    if (ftruncate(node->held, 0) != 0) abort();
    if (pwrite(node->held, bytes, strlen(bytes), 0) != (ssize_t)strlen(bytes)) abort();
    nw_text_written(node->world, number);
    nw_text_removed(node, old);
    nw_let_go(node);
}

void nw_scan_some(nw_node_t *node)
{
    char path[PATH_BYTES];
    some_path(node, path);
    nw_scan(node, path);
}

void nw_user(nw_node_t *node)
{
    nw_world_t *world = node->world;
    char path[PATH_BYTES], other[PATH_BYTES], from[PATH_BYTES], to[PATH_BYTES];
    some_path(node, path);
    some_path(node, other);
    full_path(node, path, from);
    full_path(node, other, to);
    unsigned what = nw_pick(world, 16);
    nw_trace(world, "%u user %u: %s, %s, text %06zu", node->index, what, path, other,
             world->text_count);
    switch (what) {
    case 0:
        save_by_rename(node, from);
        break;
    case 1:
        save_with_backup(node, from);
        break;
    case 2:
    case 3:
    case 4:
        rename_to(node, from, to);
        break;
    case 5:
        nw_texts_moved(node);
        (void)renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE);
        break;
    case 6:
    case 7:
        take_away(node, from);
        break;
    case 8:
        (void)mkdir(from, 0755);
        break;
    case 9:
        (void)fchmodat(AT_FDCWD, from, nw_pick(world, 2) == 0 ? 0755 : 0600, 0);
        break;
    case 10:
        copy(node, from, to);
        break;
    case 11:
        hold(node, from);
        break;
    case 12:
        save_large(node, path, from);
        break;
    default:
        save(node, from);
        break;
    }
}
