/* ops.c - what users and the network do in a history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t2/t2.h"

static const char *const NAMES[] = {"a", "b", "d/x", "d/y.txt", "a/z", "e/f/g"};
static const char *const MORE_NAMES[] = {"a",   "b",     "d/x", "d/y.txt",
                                         "a/z", "e/f/g", "n1",  "n2/k"};
static const char *const DIRS[] = {"d", "e", "a", "b", "e/f", "d/s", "n2", "n3"};
static const uint16_t MODES[] = {0644, 0644, 0755, 0600};

/* bound is small: the bias of % is nothing. */
static uint64_t below(cs_prng_t *prng, uint64_t bound)
{
    return cs_prng_u64(prng) % bound;
}

static cs_content_t some_content(t2_world_t *world, cs_prng_t *prng)
{
    char text[16] = "same";
    bool link = below(prng, 100) < 8;
    if (below(prng, 100) < (link ? 70u : 85u))
        snprintf(text, sizeof text, "c%u", world->next_text++);
    return cs_tree_text(link ? CS_KIND_SYMLINK : CS_KIND_FILE, text);
}

static const cs_tree_node_t *some_node(const cs_tree_t *tree, cs_prng_t *prng, bool dir,
                                       bool empty)
{
    const cs_tree_node_t *found[256];
    uint32_t len = 0;
    for (uint32_t i = 0; i < tree->len && len < 256; i++) {
        const cs_tree_node_t *node = &tree->node[i];
        if ((node->content.kind == CS_KIND_DIR) != dir) continue;
        if (empty && !cs_tree_is_empty(tree, node->path)) continue;
        found[len++] = node;
    }
    return len == 0 ? NULL : found[below(prng, len)];
}

static void make(t2_world_t *world, cs_tree_t *tree, cs_prng_t *prng)
{
    const char *path = NAMES[below(prng, CS_COUNT_OF(NAMES))];
    cs_content_t content = some_content(world, prng);
    if (cs_tree_is_free(tree, path)) cs_tree_write(tree, path, &content, MODES[below(prng, 4)]);
}

static void move(cs_tree_t *tree, cs_prng_t *prng, const char *from)
{
    char old[CS_TREE_NAME], path[CS_TREE_NAME];
    strcpy(old, from);
    if (below(prng, 2) == 0)
        strcpy(path, MORE_NAMES[below(prng, CS_COUNT_OF(MORE_NAMES))]);
    else
        strcpy(path, some_node(tree, prng, false, false)->path);
    bool over = cs_tree_has_file(tree, path) && strcmp(old, path) != 0;
    if (over || cs_tree_is_free(tree, path)) cs_tree_rename(tree, old, path);
}

static void directory_op(cs_tree_t *tree, cs_prng_t *prng, uint64_t dice)
{
    char dir[CS_TREE_NAME];
    const char *to = DIRS[below(prng, CS_COUNT_OF(DIRS))];
    if (dice < 88) {
        if (cs_tree_is_free(tree, to)) cs_tree_mkdir(tree, to);
        return;
    }
    const cs_tree_node_t *node = some_node(tree, prng, true, dice < 92);
    if (node == NULL) return;
    strcpy(dir, node->path);
    if (dice < 92) {
        cs_tree_remove(tree, dir);
    } else if (dice < 96) {
        size_t len = strlen(dir);
        bool below_itself = strncmp(to, dir, len) == 0 && to[len] == '/';
        if (cs_tree_is_free(tree, to) && !below_itself) cs_tree_rename_dir(tree, dir, to);
    } else if (strchr(dir, '/') == NULL) {
        cs_tree_rmtree(tree, dir);
    }
}

void t2_user_op(t2_world_t *world, cs_tree_t *tree, cs_prng_t *prng)
{
    uint64_t dice = below(prng, 100);
    const cs_tree_node_t *file = some_node(tree, prng, false, false);
    if (dice < 25 || (dice < 83 && file == NULL)) {
        make(world, tree, prng);
    } else if (dice < 43) {
        cs_content_t content = some_content(world, prng);
        int mode = below(prng, 100) < 15 ? MODES[below(prng, 4)] : -1;
        cs_tree_write(tree, file->path, &content, mode);
    } else if (dice < 56) {
        cs_tree_node_t *node = cs_tree_find(tree, file->path);
        if (node->content.kind == CS_KIND_FILE) node->mode = MODES[below(prng, 4)];
    } else if (dice < 67) {
        cs_tree_remove(tree, file->path);
    } else if (dice < 83) {
        move(tree, prng, file->path);
    } else {
        directory_op(tree, prng, dice);
    }
}

void t2_random_ops(cs_prng_t *prng, t2_op_t *ret, int *ret_len, int *ret_replicas)
{
    static const int lengths[] = {3, 4, 4, 5, 6, 7, 9, 16};
    *ret_len = lengths[below(prng, CS_COUNT_OF(lengths))];
    *ret_replicas = (int)(below(prng, 8) < 5 ? 2 : below(prng, 3) < 2 ? 3 : 4);
    for (int i = 0; i < *ret_len; i++) {
        uint64_t dice = below(prng, 100);
        t2_op_t *op = &ret[i];
        op->kind = dice < 52   ? T2_STEP
                   : dice < 70 ? T2_PUSH
                   : dice < 86 ? T2_EXCHANGE
                   : dice < 94 ? T2_GC
                               : T2_CLEAN;
        op->who = (uint8_t)below(prng, (uint64_t)*ret_replicas);
        op->other = (uint8_t)((op->who + 1 + below(prng, (uint64_t)*ret_replicas - 1)) %
                              (uint64_t)*ret_replicas);
        op->seed = cs_prng_u64(prng);
    }
}

static bool is_pending(cs_peer_t *peer)
{
    return cs_workset_any(&peer->replica->ws, CS_T_WANTED, cs_slice(NULL, 0));
}

/* Nothing happened on disk: a scan must find nothing to do. */
static void check_getput(t2_world_t *world, cs_peer_t *peer)
{
    uint64_t ctr = peer->replica->state.ctr;
    t2_scan(world, peer);
    if (peer->replica->state.ctr != ctr)
        t2_fail(world, "GetPut: a scan of an unchanged tree found something");
}

static void follow(t2_world_t *world, cs_peer_t *peer, cs_prng_t *prng)
{
    uint64_t dice = below(prng, 10);
    if (dice < 6) {
        cs_peer_catch_up(peer);
        t2_check_disk(world, peer);
    } else if (dice < 8) {
        cs_peer_materialise(peer, prng, 1, 2);
    }
}

static void step(t2_world_t *world, cs_peer_t *peer, cs_prng_t *prng)
{
    bool in_step = !is_pending(peer);
    t2_dots_t *garbage = &world->old_garbage;
    t2_garbage(peer, garbage);
    if (below(prng, 4) == 0) check_getput(world, peer);
    uint64_t count = 1 + below(prng, 4) % 3;
    for (uint64_t i = 0; i < count; i++)
        t2_user_op(world, &peer->tree, prng);
    t2_scan(world, peer);
    if (in_step) t2_check_putget(world, peer, garbage);
    if (below(prng, 4) == 0)
        check_getput(world, peer); /* not materialised: still nothing to do */
    if (below(prng, 16) == 0) t2_check_projection(world, peer);
    follow(world, peer, prng);
}

static void push(cs_peer_t *from, cs_peer_t *to, cs_prng_t *prng)
{
    static cs_buckets_t buckets;
    cs_peer_buckets(from, &buckets);
    if (buckets.len == 0) return;
    cs_peer_send(from, to, &buckets.at[below(prng, buckets.len)], NULL);
}

/* Now and then everything is written, told to be durable, or read anew. */
static void persist(cs_peer_t *peer, cs_prng_t *prng)
{
    if (peer->store == NULL) return;
    peer->replica->clean_max = (uint32_t)below(prng, 3);
    uint64_t dice = below(prng, 4);
    if (dice == 0) cs_peer_stage(peer);
    if (dice >= 2) cs_peer_persist(peer, dice == 3);
}

static void perform(t2_world_t *world, const t2_op_t *op, cs_prng_t *prng_p)
{
    cs_prng_t prng = *prng_p;
    cs_peer_t *peer = &world->peer[op->who], *other = &world->peer[op->other];
    switch ((t2_kind_t)op->kind) {
    case T2_STEP:
        step(world, peer, &prng);
        return;
    case T2_PUSH:
        push(peer, other, &prng);
        return;
    case T2_EXCHANGE:
        cs_peer_exchange(peer, other, below(&prng, 2) == 0);
        return;
    case T2_GC:
        cs_replica_gc(peer->replica, UINT32_MAX, NULL, NULL);
        return;
    case T2_CLEAN:
        peer->replica->cleanup_off = false;
        t2_scan(world, peer);
        peer->replica->cleanup_off = true;
        cs_peer_catch_up(peer);
        return;
    }
}

void t2_perform(t2_world_t *world, const t2_op_t *op)
{
    cs_prng_t prng;
    cs_prng_init(&prng, op->seed);
    perform(world, op, &prng);
    persist(&world->peer[op->who], &prng);
    persist(&world->peer[op->other], &prng);
}

static void meet(t2_world_t *world)
{
    cs_peer_t *list[T2_REPLICAS_MAX];
    for (int i = 0; i < world->replicas; i++)
        list[i] = &world->peer[i];
    cs_peer_exchange_all(list, (uint32_t)world->replicas);
}

void t2_finish(t2_world_t *world)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < world->replicas; i++) {
            cs_peer_t *peer = &world->peer[i];
            peer->replica->cleanup_off = pass == 0;
            t2_scan(world, peer);
            cs_peer_catch_up(peer);
            if (t2_failed(world)) return;
        }
        meet(world);
        t2_check_equal(world);
        if (t2_failed(world)) return;
    }
    t2_garbage(&world->peer[0], &world->old_garbage);
    if (world->old_garbage.len > 0) t2_fail(world, "I6: a lineage without content is left");
    for (int i = 0; i < world->replicas; i++) {
        cs_peer_catch_up(&world->peer[i]);
        cs_peer_persist(&world->peer[i], true);
    }
    t2_check_trees(world);
    if (world->next_text % 8 == 1) t2_check_projection(world, &world->peer[0]);
}

/* A chmod law holds for two replicas; such a history says so by its seed. In one of four a scan
 * is cut into batches. */
void t2_run(t2_world_t *world, const t2_op_t *ops, int len, int replicas, uint64_t seed)
{
    uint64_t dice = seed >> 56;
    cs_prng_init(&world->cuts, seed);
    world->batch_max = dice % 4 == 0 ? 1 + (uint32_t)(dice >> 2) % 3 : CS_BATCH_OPS_MAX;
    if (replicas == 2 && seed % 8 == 0) {
        t2_chmod_law(world, ops, len, seed >> 3);
        return;
    }
    t2_world_begin(world, replicas);
    for (int i = 0; i < len && !t2_failed(world); i++)
        t2_perform(world, &ops[i]);
    if (!t2_failed(world)) t2_finish(world);
    t2_world_end(world);
}

void t2_print(const t2_op_t *ops, int len, int replicas)
{
    static const char *const kinds[] = {"step", "push", "exchange", "gc", "clean"};
    printf("  %d replicas\n", replicas);
    for (int i = 0; i < len; i++) {
        printf("  %-8s %c %c 0x%016llx\n", kinds[ops[i].kind], 'A' + ops[i].who,
               'A' + ops[i].other, (unsigned long long)ops[i].seed);
    }
}
