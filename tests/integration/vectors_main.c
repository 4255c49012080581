/* vectors_main.c - core.md 11 played through the file system of real nodes.
 *
 * Nodes are stopped, files edited, scanned without a node, nodes started again: what happens
 * concurrently is then exact. All vectors of the table live side by side in one folder, each in
 * a directory of its own, and go through the same rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "integration/vectors_table.h"
#include "support/cluster.h"
#include "support/history.h"

#define SECRET     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SETTLE_S   60
#define PATH_BYTES 512
#define NODES      3

static wanted_t wanted;

static void vector_dir(const cluster_t *cluster, int node, const char *name, char *ret)
{
    snprintf(ret, PATH_BYTES, "%s/%s", cluster->node[node].root, name);
}

static const char *vector_name(const vector_t *vector)
{
    static char name[16];
    snprintf(name, sizeof name, "v%03d", vector->number);
    return name;
}

static void make(const cluster_t *cluster, const char *name, const char *tree)
{
    char dir[PATH_BYTES];
    vector_dir(cluster, 0, name, dir);
    if (mkdir(dir, 0755) != 0) test_fail("mkdir %s", dir);
    history_make(&wanted, dir, tree);
}

static void expect(const cluster_t *cluster, int node, const char *name, const char *tree)
{
    char dir[PATH_BYTES], found[1024], text[1024];
    vector_dir(cluster, node, name, dir);
    if (history_shows(&wanted, dir, tree, found, sizeof found)) return;
    wanted_expand(&wanted, tree, text, sizeof text);
    test_fail("%s on node %d: expected %s, found %s (%s)", name, node, text, found,
              cluster->dir);
}

static void start(cluster_t *cluster, const int *nodes, int count)
{
    for (int i = 0; i < count; i++)
        cluster_start(cluster, nodes[i]);
}

static void settle(cluster_t *cluster)
{
    cluster_settle(cluster, SETTLE_S);
    cluster_check_equal(cluster);
}

static void stop_all(cluster_t *cluster)
{
    for (int i = 0; i < cluster->count; i++)
        cluster_stop(cluster, i);
}

/* Plays one history of each vector on one stopped node, scanning after each stage. */
static void act(cluster_t *cluster, int node,
                const char *(*history)(const vector_t *, int node))
{
    int stages = 0;
    for (size_t i = 0; i < CS_COUNT_OF(VECTORS); i++) {
        int count = history_stages(history(&VECTORS[i], node));
        if (count > stages) stages = count;
    }
    for (int stage = 0; stage < stages; stage++) {
        for (size_t i = 0; i < CS_COUNT_OF(VECTORS); i++) {
            char dir[PATH_BYTES];
            vector_dir(cluster, node, vector_name(&VECTORS[i]), dir);
            history_play(&wanted, dir, history(&VECTORS[i], node), stage);
        }
        cluster_do(cluster, node, NULL, "scan %s", cluster->folder);
    }
}

static const char *of_step(const step_t *step, int node)
{
    const char *history = node == 0 ? step->a : node == 1 ? step->b : step->c;
    return history == NULL ? "" : history;
}

static const char *early(const vector_t *vector, int node)
{
    return node == 0 ? vector->early : "";
}

static const char *first(const vector_t *vector, int node)
{
    return of_step(&vector->step[0], node);
}

static const char *second(const vector_t *vector, int node)
{
    return of_step(&vector->step[1], node);
}

static void check_step(const cluster_t *cluster, int step)
{
    for (size_t i = 0; i < CS_COUNT_OF(VECTORS); i++) {
        int last = VECTORS[i].step[step].tree == NULL ? step - 1 : step;
        for (int node = 0; node < NODES; node++)
            expect(cluster, node, vector_name(&VECTORS[i]), VECTORS[i].step[last].tree);
    }
}

static void play_step(cluster_t *cluster, int step,
                      const char *(*history)(const vector_t *, int node))
{
    for (int node = 0; node < NODES; node++)
        act(cluster, node, history);
    /* A and B first: vector 45 depends on it (core.md 15 l: a chmod that meets a removal at a
     * third replica before the edit that keeps the file is lost). */
    start(cluster, (int[]){0, 1}, 2);
    settle(cluster);
    start(cluster, (int[]){2}, 1);
    settle(cluster);
    check_step(cluster, step);
    stop_all(cluster);
    printf("vectors: step %d: %zu trees as expected on %d nodes\n", step, CS_COUNT_OF(VECTORS),
           NODES);
}

/* Vector 2: three concurrent edits, met in each of the six orders. */
static const int ORDERS[6][NODES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static void play_order(cluster_t *cluster, int order)
{
    static const char *const edits[NODES] = {"put r.txt cA", "put r.txt cB", "put r.txt cC"};
    const int *x = ORDERS[order];
    char name[8], dir[PATH_BYTES];
    snprintf(name, sizeof name, "o%d", order);
    for (int node = 0; node < NODES; node++) {
        vector_dir(cluster, node, name, dir);
        history_play(&wanted, dir, edits[node], 0);
        cluster_do(cluster, node, NULL, "scan %s", cluster->folder);
    }
    start(cluster, x, 2);
    settle(cluster);
    cluster_stop(cluster, x[0]);
    start(cluster, x + 2, 1);
    settle(cluster);
    start(cluster, x, 1);
    settle(cluster);
    for (int node = 0; node < NODES; node++)
        expect(cluster, node, name, "r.txt=cC r.conflict-#cA.txt=cA r.conflict-#cB.txt=cB");
    stop_all(cluster);
}

static void play_table(void)
{
    cluster_t cluster;
    cluster_new_with(&cluster, NODES, SECRET);
    cluster_pair(&cluster, 0, 1, 0);
    cluster_pair(&cluster, 1, 2, 0);
    cluster_pair(&cluster, 2, 0, 0);
    for (size_t i = 0; i < CS_COUNT_OF(VECTORS); i++)
        make(&cluster, vector_name(&VECTORS[i]), VECTORS[i].base);
    for (int order = 0; order < 6; order++)
        make(&cluster, (char[]){'o', (char)('0' + order), '\0'}, "r.txt=c0");
    start(&cluster, (int[]){0, 1, 2}, NODES);
    settle(&cluster);
    for (size_t i = 0; i < CS_COUNT_OF(VECTORS); i++)
        expect(&cluster, 2, vector_name(&VECTORS[i]), VECTORS[i].base);
    stop_all(&cluster);

    act(&cluster, 0, early);
    start(&cluster, (int[]){0, 1}, 2); /* C is away */
    settle(&cluster);
    stop_all(&cluster);
    play_step(&cluster, 0, first);
    play_step(&cluster, 1, second);
    for (int order = 0; order < 6; order++)
        play_order(&cluster, order);
    printf("vectors: 6 merge orders of three edits: one tree\n");
    cluster_destroy(&cluster);
}

/* Vectors 36 to 38: node B goes back to an image of its home and folder that is older than what
 * others have seen of it. `in_place` keeps the database's directory, so that nothing on this
 * machine tells: only the others' knowledge does, and 38 must not be repeated. */
static void play_restore(int number, bool in_place, const char *edit, const char *tree)
{
    cluster_t cluster;
    char image[PATH_BYTES], dir[PATH_BYTES];
    cluster_new_with(&cluster, 2, SECRET);
    const cluster_node_t *b = &cluster.node[1];
    cluster_pair(&cluster, 0, 1, 0);
    make(&cluster, "v", "r.txt=c0");
    start(&cluster, (int[]){0, 1}, 2);
    settle(&cluster);
    stop_all(&cluster);
    snprintf(image, sizeof image, "%s/image", cluster.dir);
    test_shell("mkdir %s && cp -a %s %s %s", image, b->home, b->root, image);

    vector_dir(&cluster, 1, "v", dir);
    history_play(&wanted, dir, "put r.txt c1", 0);
    start(&cluster, (int[]){0, 1}, 2);
    settle(&cluster);
    expect(&cluster, 0, "v", "r.txt=c1");
    stop_all(&cluster);

    if (!in_place) test_shell("rm -rf %s %s", b->home, b->root);
    test_shell("rsync -aI --delete %s/home1/ %s && rsync -aI --delete %s/root1/ %s", image,
               b->home, image, b->root);
    if (*edit != '\0') {
        history_play(&wanted, dir, edit, 0);
        cluster_do(&cluster, 1, NULL, "scan %s", cluster.folder);
    }
    start(&cluster, (int[]){0, 1}, 2);
    settle(&cluster);
    expect(&cluster, 0, "v", tree);
    expect(&cluster, 1, "v", tree);
    stop_all(&cluster);
    printf("vectors: %d%s: as expected\n", number, in_place ? ", restored in place" : "");
    cluster_destroy(&cluster);
}

int main(void)
{
    uint8_t secret[CS_SECRET_BYTES];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!cs_unhex(secret, sizeof secret, cs_slice_text(SECRET))) return 1;
    wanted_search(&wanted, secret, SYMBOLS);
    play_table();
    for (int in_place = 0; in_place < 2; in_place++) {
        play_restore(36, in_place, "", "r.txt=c1");
        play_restore(37, in_place, "put r.txt c2", "r.txt=c2 r.conflict-#c1.txt=c1");
    }
    return 0;
}
