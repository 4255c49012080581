/* demo.c - several real nodes on loopback that agree: a first sync, an edit, a conflict. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/demo_nodes.h"
#include "cmd/demo_tree.h"
#include "cmd/table.h"
#include "io/strings.h"

#define NODES_DEFAULT 3u
#define FOLDER        "demo"
#define PATIENCE      "120" /* seconds, for each wait: a machine under load is slow, not wrong */
#define LARGE_BYTES   (1500u << 10)
#define PHOTOS        8u
#define PLAN          "notes/plan.txt"

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool written(bool good)
{
    if (!good) {
        cs_complain("the demo failed: a file could not be written; see if there is room");
    }
    return good;
}

/* --- the story */

static bool write_files(const char *root)
{
    bool good =
        cs_demo_write(root, "README", "A folder that lives on several nodes.\n", 0644) &&
        cs_demo_write(root, PLAN, "1. agree\n", 0644) &&
        cs_demo_write(root, "notes/todo.txt", "buy milk\n", 0644) &&
        cs_demo_write(root, "bin/hello", "#!/bin/sh\necho hello\n", 0755) &&
        cs_demo_fill(root, "video.bin", LARGE_BYTES, 1);
    for (unsigned i = 0; good && i < PHOTOS; i++) {
        char path[32];
        snprintf(path, sizeof path, "photos/%02u.jpg", i);
        good = cs_demo_fill(root, path, (20u + 7u * i) << 10, i + 2);
    }
    return written(good);
}

/* Everything that every node has seen is on all of their disks. */
static bool settle(cs_demo_t *demo, size_t from, size_t to)
{
    for (size_t i = from; i <= to; i++) {
        const char *const scan[] = {"scan", FOLDER, "--quiet", NULL};
        if (!cs_demo_run(demo, &demo->node[i], NULL, scan)) return false;
    }
    for (size_t i = 0; i < demo->count; i++) {
        const char *const wait[] = {"wait", FOLDER, "--timeout", PATIENCE, NULL};
        if (!cs_demo_run(demo, &demo->node[i], NULL, wait)) return false;
    }
    return true;
}

/* In a line: each is invited by the one before. */
static bool pair(cs_demo_t *demo)
{
    cs_demo_node_t *first = &demo->node[0];
    const char *const add[] = {"folder", "add", first->root, "--id", FOLDER, NULL};
    if (!write_files(first->root) || !cs_demo_run(demo, first, NULL, add)) return false;
    for (size_t i = 0; i < demo->count; i++) {
        cs_demo_node_t *node = &demo->node[i];
        cs_buf_t token = {0};
        bool good = cs_demo_start(demo, node);
        if (good && i > 0) {
            const char *const invite[] = {"invite", FOLDER, NULL};
            good = cs_demo_run(demo, &demo->node[i - 1], &token, invite);
        }
        if (good && i > 0) {
            const char *const join[] = {"join", (const char *)token.data, node->root, NULL};
            good = cs_demo_run(demo, node, NULL, join);
        }
        cs_buf_fini(&token);
        if (!good) return false;
    }
    return true;
}

static bool first_sync(cs_demo_t *demo)
{
    double start = now_s();
    cs_demo_count_t count;
    cs_buf_t size = {0};
    cs_buf_t why = {0};
    if (!settle(demo, 0, 0)) return false;
    bool equal = cs_demo_equal(demo->node[0].root, demo->node[1].root, &count, &why);
    cs_put_size(&size, count.bytes);
    if (equal) {
        printf("first sync: %llu files (%.*s) are on all %zu nodes after %.2f s\n",
               (unsigned long long)count.files, (int)size.len, (const char *)size.data,
               demo->count, now_s() - start);
    } else {
        cs_complain("the demo failed: after the first sync %.*s", (int)why.len,
                    (const char *)why.data);
    }
    cs_buf_fini(&size);
    cs_buf_fini(&why);
    return equal;
}

static bool edit(cs_demo_t *demo)
{
    cs_demo_node_t *editor = &demo->node[1];
    if (!written(
            cs_demo_write(editor->root, "notes/todo.txt", "buy milk\nbuy bread\n", 0644))) {
        return false;
    }
    double start = now_s();
    if (!settle(demo, 1, 1)) return false;
    printf("an edit: %s changed notes/todo.txt, all have it after %.2f s\n", editor->name,
           now_s() - start);
    return true;
}

/* Two that know nothing of each other's edit, for they are stopped meanwhile. */
static bool conflict(cs_demo_t *demo)
{
    size_t last = demo->count - 1;
    cs_demo_node_t *a = &demo->node[0];
    cs_demo_node_t *b = &demo->node[last];
    if (!cs_demo_stop(demo, a) || !cs_demo_stop(demo, b)) return false;
    bool good = cs_demo_write(a->root, PLAN, "1. agree\n2. on this\n", 0644) &&
                cs_demo_write(b->root, PLAN, "1. agree\n2. or rather on that\n", 0644);
    if (!written(good)) return false;
    printf("a conflict, on purpose: %s and %s are stopped, and both change " PLAN "\n", a->name,
           b->name);
    double start = now_s();
    if (!cs_demo_start(demo, a) || !cs_demo_start(demo, b)) return false;
    if (!settle(demo, 0, last)) return false;
    printf("they are started again, and agree after %.2f s\n", now_s() - start);
    return true;
}

/* --- what came out */

static bool show_siblings(cs_demo_t *demo, cs_demo_node_t *node, bool print, size_t *ret_count)
{
    cs_buf_t out = {0};
    const char *const args[] = {"conflicts", FOLDER, "--json", NULL};
    bool good = cs_demo_run(demo, node, &out, args);
    json_t *conflicts = good ? json_loads((const char *)out.data, 0, NULL) : NULL;
    *ret_count = 0;
    for (size_t i = 0; i < json_array_size(conflicts); i++) {
        const json_t *conflict = json_array_get(conflicts, i);
        const json_t *siblings = json_object_get(conflict, "siblings");
        const json_t *shown = json_object_get(conflict, "shown");
        *ret_count += json_array_size(siblings);
        for (size_t k = 0; print && k < json_array_size(siblings); k++) {
            const json_t *sibling = json_array_get(siblings, k);
            printf("  %s is what %s wrote; beside it is %s, by %s\n",
                   json_string_value(json_object_get(conflict, "path")),
                   json_string_value(json_object_get(shown, "by")),
                   json_string_value(json_object_get(sibling, "path")),
                   json_string_value(json_object_get(sibling, "by")));
        }
    }
    json_decref(conflicts);
    cs_buf_fini(&out);
    return good;
}

typedef struct outcome {
    char digest[65];
    size_t siblings;
    cs_demo_count_t count;
} outcome_t;

static bool same_as_first(cs_demo_t *demo, size_t index, outcome_t *outcome)
{
    cs_demo_node_t *node = &demo->node[index];
    cs_buf_t digest = {0};
    cs_buf_t why = {0};
    size_t siblings = 0;
    const char *const args[] = {"digest", FOLDER, NULL};
    bool good = cs_demo_run(demo, node, &digest, args) &&
                show_siblings(demo, node, index == 0, &siblings);
    if (good && index == 0) {
        snprintf(outcome->digest, sizeof outcome->digest, "%s", (const char *)digest.data);
        outcome->siblings = siblings;
    }
    if (good && !cs_demo_equal(demo->node[0].root, node->root, &outcome->count, &why)) {
        cs_complain("the demo failed: %.*s", (int)why.len, (const char *)why.data);
        good = false;
    }
    if (good && (strcmp(outcome->digest, (const char *)digest.data) != 0 ||
                 siblings != outcome->siblings)) {
        cs_complain("the demo failed: %s has another digest or other siblings", node->name);
        good = false;
    }
    cs_buf_fini(&digest);
    cs_buf_fini(&why);
    return good;
}

static bool compare(cs_demo_t *demo, outcome_t *outcome)
{
    for (size_t i = 0; i < demo->count; i++) {
        if (!same_as_first(demo, i, outcome)) return false;
    }
    if (outcome->siblings > 0) return true;
    cs_complain("the demo failed: two edits of one file left no sibling");
    return false;
}

int cs_run_demo(cs_run_t *run)
{
    uint32_t count = NODES_DEFAULT;
    const char *nodes = cs_args_value(&run->args, "nodes");
    if (nodes != NULL && !cs_parse_u32(nodes, 2, CS_DEMO_NODES_MAX, &count)) {
        cs_complain("wrong usage: --nodes '%s' is no number from 2 to %u; give one", nodes,
                    CS_DEMO_NODES_MAX);
        return CS_EXIT_USAGE;
    }
    cs_demo_t demo;
    outcome_t outcome = {0};
    umask(022);
    bool good = cs_demo_begin(&demo, count);
    if (good) {
        printf("%u nodes in %s, each invited by the one before, with a folder each\n", count,
               demo.dir);
        fflush(stdout);
    }
    good = good && pair(&demo) && first_sync(&demo) && edit(&demo) && conflict(&demo) &&
           compare(&demo, &outcome);
    if (!good && cs_demo_interrupted(&demo)) {
        cs_complain("the demo was interrupted: a signal came; start it again");
    }
    cs_demo_end(&demo);
    if (!good) return CS_EXIT_FAILED;
    printf("demo: %u nodes, %llu files, %zu siblings: all trees equal, digest %s\n", count,
           (unsigned long long)outcome.count.files, outcome.siblings, outcome.digest);
    return CS_EXIT_DONE;
}
