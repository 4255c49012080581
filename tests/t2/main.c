/* main.c - runs random histories; prints how many a second, or the shortest failing one.
 *
 *   t2 [--histories N] [--seed S] [--store] [--quiet] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/naive.h"
#include "t2/t2.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HISTORIES 10000u
#else
#define HISTORIES 100000u
#endif

static void trace(t2_world_t *world, const char *what)
{
    printf("--- %s\n", what);
    for (int i = 0; i < world->replicas; i++) {
        static cs_buf_t text;
        cs_peer_t *peer = &world->peer[i];
        printf("%c disk:", 'A' + i);
        for (uint32_t j = 0; j < peer->tree.len; j++) {
            const cs_tree_node_t *node = &peer->tree.node[j];
            printf(" %s=%.*s:%o#%llu", node->path, (int)node->content.size,
                   (const char *)node->content.hash, node->mode, (unsigned long long)node->ino);
        }
        printf("\n  base:");
        for (cs_onode_t *n = cs_peer_first(peer, CS_T_BASE); n != NULL; n = cs_peer_next(n)) {
            const cs_item_t *row = n->value;
            printf(" %s=%.*s", row->path->data, (int)row->content.size,
                   (const char *)row->content.hash);
        }
        cs_family_project(peer, &text);
        printf("\n%.*s", (int)text.len, (const char *)text.data);
        for (cs_onode_t *n = cs_peer_first(peer, CS_T_WANTED); n != NULL; n = cs_peer_next(n)) {
            printf("  wanted %.*s\n", (int)n->key_len, (const char *)cs_onode_key(n).data);
        }
    }
}

/* Leave out ever smaller parts while it still fails. */
static int shrink(t2_world_t *world, t2_op_t *ops, int len, int replicas, uint64_t seed)
{
    t2_op_t less[T2_STEPS_MAX];
    for (int part = len / 2; part >= 1;) {
        bool shorter = false;
        for (int from = 0; from < len; from += part) {
            int cut = from + part > len ? len - from : part;
            memcpy(less, ops, (size_t)from * sizeof *ops);
            memcpy(less + from, ops + from + cut, (size_t)(len - from - cut) * sizeof *ops);
            t2_run(world, less, len - cut, replicas, seed);
            if (!t2_failed(world)) continue;
            len -= cut;
            memcpy(ops, less, (size_t)len * sizeof *ops);
            shorter = true;
            from -= part;
        }
        if (!shorter)
            part /= 2;
        else if (part > len)
            part = len;
    }
    t2_run(world, ops, len, replicas, seed);
    return len;
}

/* What each replica looked like after each step of the shortest history; not what a law did
 * after them. */
static void run_traced(t2_world_t *world, const t2_op_t *ops, int len, int replicas)
{
    static const char *const kinds[] = {"step", "push", "exchange", "gc", "clean"};
    t2_world_begin(world, replicas);
    for (int i = 0; i < len && !t2_failed(world); i++) {
        t2_perform(world, &ops[i]);
        trace(world, kinds[ops[i].kind]);
    }
    t2_world_end(world);
}

static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC; /* of the processor: others may be busy too */
}

static bool one(t2_world_t *world, uint64_t seed, bool quiet)
{
    t2_op_t ops[T2_STEPS_MAX];
    int len, replicas;
    cs_prng_t prng;
    cs_prng_init(&prng, seed);
    t2_random_ops(&prng, ops, &len, &replicas);
    uint64_t law = cs_prng_u64(&prng);
    t2_run(world, ops, len, replicas, law);
    if (!t2_failed(world)) return true;
    if (quiet) return false;
    printf("FAIL seed %llu: %s\n", (unsigned long long)seed, world->failure);
    len = shrink(world, ops, len, replicas, law);
    printf("shortest: %s\n", world->failure);
    t2_print(ops, len, replicas);
    run_traced(world, ops, len, replicas);
    return false;
}

int main(int argc, char **argv)
{
    static t2_world_t world;
    uint64_t histories = 0, seed = 1;
    bool quiet = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quiet") == 0)
            quiet = true;
        else if (strcmp(argv[i], "--store") == 0)
            world.with_store = true;
        else if (i + 1 < argc && strcmp(argv[i], "--histories") == 0)
            histories = strtoull(argv[++i], NULL, 0);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 0);
    }
    if (histories == 0) histories = world.with_store ? HISTORIES / 10 : HISTORIES;
    double start = now();
    uint64_t bad = 0, done = 0;
    for (; done < histories && bad < 3; done++)
        bad += !one(&world, seed + done, quiet);
    double took = now() - start;
    printf("seeds %llu..%llu: %llu failed; %.0f histories/s of a core; %llu PutGet checks, "
           "%llu of them collapses\n",
           (unsigned long long)seed, (unsigned long long)(seed + done - 1),
           (unsigned long long)bad, (double)done / took, (unsigned long long)world.putgets,
           (unsigned long long)world.collapses);
    return bad > 0;
}
