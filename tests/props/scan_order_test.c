/* scan_order_test.c - scans of random trees against a model that knows no streams: all paths of
 * the disk and of the base table, sorted, each looked at by itself. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/prng.h"
#include "disk/ignore.h"
#include "support/folder.h"
#include "support/scanned.h"
#include "support/seed.h"

#define ROUNDS     150
#define NODES_MAX  40
#define PATH_BYTES 96

typedef enum state { NOTHING, OLD, STALE, OTHER, MODE, DIR_ROW } state_t;

/* A path that is on disk, in the base table, or both. */
typedef struct node {
    char path[PATH_BYTES];
    bool is_file, is_dir;
    state_t row;
} node_t;

typedef struct world {
    node_t node[NODES_MAX];
    size_t len;
    const char *given[4]; /* restricted to these; NULL: none */
    size_t given_len;
    cs_test_scanned_t t;
} world_t;

/* Bytes before and behind '/', so that siblings come between a directory and what it holds. */
static const char *const names[] = {"a",  "a-", "a.b", "a0",  "a b",  "b",
                                    "a!", "-",  "ig",  "a-a", "\xff", "~"};

static node_t *find(world_t *w, const char *path, size_t len)
{
    for (size_t i = 0; i < w->len; i++) {
        if (strlen(w->node[i].path) == len && memcmp(w->node[i].path, path, len) == 0)
            return &w->node[i];
    }
    return NULL;
}

static bool parents_on_disk(world_t *w, const char *path)
{
    for (size_t i = 0; path[i] != '\0'; i++) {
        if (path[i] != '/') continue;
        node_t *node = find(w, path, i);
        if (node == NULL || !node->is_dir) return false;
    }
    return true;
}

static void grow(world_t *w, cs_prng_t *prng)
{
    w->len = 0;
    for (int tries = 0; tries < 400 && w->len < NODES_MAX; tries++) {
        node_t node = {0};
        uint64_t at = cs_prng_below(prng, w->len + 3);
        const char *parent = at < w->len ? w->node[at].path : NULL;
        if (parent != NULL && strlen(parent) > PATH_BYTES - 12) continue;
        snprintf(node.path, sizeof node.path, "%.80s%s%s", parent == NULL ? "" : parent,
                 parent == NULL ? "" : "/", names[cs_prng_below(prng, CS_COUNT_OF(names))]);
        if (find(w, node.path, strlen(node.path)) != NULL) continue;
        if (parents_on_disk(w, node.path)) {
            uint64_t kind = cs_prng_below(prng, 8);
            node.is_file = kind < 3;
            node.is_dir = kind >= 3 && kind < 7;
        }
        bool has_row = !(node.is_file || node.is_dir) || cs_prng_chance(prng, 1, 2);
        if (has_row) node.row = (state_t)(OLD + cs_prng_below(prng, DIR_ROW - OLD + 1));
        w->node[w->len++] = node;
    }
}

static void build(world_t *w)
{
    for (size_t i = 0; i < w->len; i++) {
        node_t *node = &w->node[i];
        if (node->is_dir) cs_test_mkdir(w->t.dir, node->path);
        if (node->is_file) cs_test_scanned_old(&w->t, node->path, "bytes");
    }
    for (size_t i = 0; i < w->len; i++) {
        node_t *node = &w->node[i];
        cs_base_front_t row = {.content.kind = CS_KIND_FILE, .print.ino = 1};
        if (node->row == NOTHING) continue;
        if (node->is_file) cr_assert(cs_test_scanned_row_of(&w->t, node->path, &row));
        if (node->row == STALE) row.print.ctime_ns++;
        if (node->row == OTHER) row.content.hash[3] ^= 1;
        if (node->row == OTHER) row.print.ctime_ns++;
        if (node->row == MODE) row.mode ^= 0100;
        if (node->row == DIR_ROW) row = (cs_base_front_t){.content.kind = CS_KIND_DIR};
        cs_test_scanned_put_row(&w->t, node->path, &row);
    }
}

static bool is_ignored(const char *path)
{
    char text[PATH_BYTES + 2];
    snprintf(text, sizeof text, "/%s/", path);
    return strstr(text, "/ig/") != NULL;
}

static bool is_asked(const world_t *w, const char *path)
{
    if (w->given_len == 0) return true;
    for (size_t i = 0; i < w->given_len; i++) {
        size_t len = strlen(w->given[i]);
        if (strncmp(path, w->given[i], len) == 0 && (path[len] == '\0' || path[len] == '/'))
            return true;
    }
    return false;
}

static bool is_empty(const world_t *w, const node_t *dir)
{
    size_t len = strlen(dir->path);
    for (size_t i = 0; i < w->len; i++) {
        const node_t *node = &w->node[i];
        if (!node->is_dir && !node->is_file) continue;
        if (strncmp(node->path, dir->path, len) == 0 && node->path[len] == '/') return false;
    }
    return true;
}

/* A path asked for is gone, and dir is the nearest directory left. */
static bool was_left(world_t *w, const node_t *dir)
{
    for (size_t i = 0; i < w->given_len; i++) {
        size_t len = strlen(w->given[i]);
        node_t *at = find(w, w->given[i], len);
        if (at != NULL && (at->is_dir || at->is_file)) continue;
        do {
            while (len > 0 && w->given[i][len - 1] != '/')
                len--;
            if (len > 0) len--;
            at = find(w, w->given[i], len);
        } while (len > 0 && (at == NULL || (!at->is_dir && !at->is_file)));
        if (at == dir) return true;
    }
    return false;
}

static void expect_node(world_t *w, node_t *node, cs_buf_t *ret)
{
    if (is_ignored(node->path)) return;
    const char *what = NULL;
    bool asked = is_asked(w, node->path);
    if (node->is_dir) {
        bool gone = node->row != NOTHING && node->row != DIR_ROW;
        if (asked && gone) cs_buf_printf(ret, "vanished %s,", node->path);
        bool empty = node->row != DIR_ROW && is_empty(w, node);
        if (empty && (asked || (!gone && was_left(w, node)))) what = "empty";
    } else if (!asked) {
        return;
    } else if (!node->is_file) {
        if (node->row != NOTHING) what = "vanished";
    } else if (node->row == NOTHING || node->row == DIR_ROW) {
        what = "appeared";
    } else if (node->row != OLD) {
        what = node->row == STALE ? "touched" : node->row == OTHER ? "modified" : "chmodded";
    }
    if (what != NULL) cs_buf_printf(ret, "%s %s,", what, node->path);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const node_t *)a)->path, ((const node_t *)b)->path);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check(world_t *w)
{
    cs_slice_t given[4];
    cs_buf_t wanted = {0};
    for (size_t i = 0; i < w->given_len; i++)
        given[i] = cs_slice_text(w->given[i]);
    w->t.config.paths = w->given_len > 0 ? given : NULL;
    w->t.config.path_count = w->given_len;
    w->t.threads = w->t.threads == 0 ? 2 : 0;
    cs_test_scanned_clear(&w->t);
    cr_assert_eq(cs_test_scanned_run(&w->t), CS_OK);
    for (size_t i = 0; i < w->len; i++)
        expect_node(w, &w->node[i], &wanted);
    if (wanted.len > 0) wanted.len--; /* the last comma */
    cs_buf_put_u8(&wanted, 0);
    char *found = cs_test_scanned_text(&w->t);
    for (size_t i = 0; i < w->given_len; i++) {
        if (strcmp(found, (char *)wanted.data) != 0)
            fprintf(stderr, "given: %s\n", w->given[i]);
    }
    cr_assert_str_eq(found, (char *)wanted.data);
    cs_free(found);
    cs_buf_fini(&wanted);
}

static void run(cs_prng_t *prng)
{
    world_t w = {0};
    cs_test_scanned_init(&w.t);
    cs_test_scanned_old(&w.t, CS_IGNORE_FILE, "ig\n");
    cs_test_scanned_accept(&w.t, CS_IGNORE_FILE);
    grow(&w, prng);
    build(&w);
    qsort(w.node, w.len, sizeof w.node[0], by_path);
    check(&w);
    for (int i = 0; i < 12; i++) {
        static char made[4][PATH_BYTES];
        w.given_len = 1 + cs_prng_below(prng, 4);
        for (size_t k = 0; k < w.given_len; k++) {
            const char *name = names[cs_prng_below(prng, CS_COUNT_OF(names))];
            const char *some = w.node[cs_prng_below(prng, w.len)].path;
            snprintf(made[k], sizeof made[k], "%.80s/%s", some, name);
            w.given[k] = cs_prng_chance(prng, 1, 4) ? made[k] : some;
        }
        qsort(w.given, w.given_len, sizeof w.given[0], by_text);
        check(&w);
    }
    cs_test_scanned_fini(&w.t);
}

Test(scan_order, random_trees_are_seen_as_by_a_simple_model)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("scan_order"));
    for (int round = 0; round < ROUNDS; round++)
        run(&prng);
}
