/* fetch_nodes_test.c - the fetch machine: nodes of chunk lists that need not be asked for, and
 * lists that are none of a file. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/fetching.h"

TestSuite(fetch_nodes, .init = fetching_init, .fini = fetching_fini);

typedef struct kept {
    const cs_name_t *but; /* this one is not */
    bool damaged;
    size_t reads;
} kept_t;

static cs_err_t read_kept(void *arg, const cs_name_t *name, cs_buf_t *ret)
{
    kept_t *kept = arg;
    kept->reads++;
    const test_blob_t *node = test_contents_node_named(&all, name);
    if (node == NULL || (kept->but != NULL && cs_name_eq(kept->but, name))) {
        return CS_ERR_NOT_FOUND;
    }
    cs_buf_clear(ret);
    cs_buf_put(ret, node->bytes, node->len);
    if (kept->damaged) ret->data[4] ^= 1;
    return CS_OK;
}

/* A machine on a side that keeps nodes. */
static void keep_nodes(kept_t *kept)
{
    cs_fetch_destroy(&fetch);
    fetch = cs_fetch_new(all.table, &(cs_fetch_rows_t){.arg = kept, .node = read_kept}, 0);
}

/* Until nothing is left, as run_honestly; returns how many nodes were asked for. */
static size_t asked_nodes(void)
{
    size_t nodes = 0;
    cs_fetch_action_t action;
    while (next_any(&action)) {
        if (action.kind == CS_FETCH_ASK_NODES) {
            nodes += action.count;
            give_nodes(&action);
        } else if (action.kind == CS_FETCH_LOCAL) { /* every chunk is here, too */
            uint64_t *offsets = cs_memdup(action.offsets, action.count * sizeof offsets[0]);
            cs_fetch_done(fetch, action.ticket,
                          &(cs_fetch_result_t){.found = offsets, .found_count = action.count});
            cs_free(offsets);
        } else {
            cr_assert(action.kind >= CS_FETCH_OPEN);
            done(action.ticket, CS_OK);
        }
    }
    return nodes;
}

Test(fetch_nodes, nodes_that_are_kept_here_are_not_asked_for)
{
    kept_t kept = {0};
    keep_nodes(&kept);
    size_t a = test_contents_large(&all, 300, 2);
    open_large(a);
    cr_assert(asked_nodes() == 0);
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
    cr_assert(kept.reads > 100 && kept.reads <= all.nodes + 151, "each place of the list once");
}

Test(fetch_nodes, only_the_node_that_changed_is_asked_for)
{
    kept_t kept = {0};
    keep_nodes(&kept);
    size_t a = test_contents_large(&all, 300, 2);
    kept.but = &all.node[17].name;
    open_large(a);
    cr_assert(asked_nodes() == 1);
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
}

Test(fetch_nodes, damaged_nodes_are_asked_for)
{
    kept_t kept = {.damaged = true};
    keep_nodes(&kept);
    size_t a = test_contents_large(&all, 40, 2);
    open_large(a);
    cr_assert(asked_nodes() > 0);
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
}

Test(fetch_nodes, a_kept_root_blames_who_said_a_wrong_depth)
{
    kept_t kept = {0};
    keep_nodes(&kept);
    size_t a = test_contents_large(&all, 60, 2);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_MAP);
    cr_assert(give_map(ANN, a, all.content[a].depth + 1) == CS_OK);
    done(next(CS_FETCH_OPEN).ticket, CS_OK);
    cr_assert(asked_nodes() == 0);
    cr_assert(!cs_fetch_is_staged(fetch, id(a)) && stats().sleeping == 1);
}

/* One leaf, many times over: a hole of 100 GiB, or a disk image that repeats itself. */
Test(fetch_nodes, the_same_node_is_asked_for_once)
{
    const size_t leaves = 40;
    size_t a = test_contents_large(&all, 2, 2); /* one leaf of two chunks, and a tail */
    const test_blob_t *leaf = NULL;
    for (size_t i = 0; i < all.nodes && leaf == NULL; i++) {
        if (all.node[i].len == 2 * CS_NODE_ITEM_BYTES) leaf = &all.node[i];
    }
    cr_assert(leaf != NULL && all.content[a].depth == 2);
    cs_buf_t root_node = {0};
    for (size_t i = 0; i < leaves; i++) {
        cs_buf_put_u32(&root_node, 0);
        cs_buf_put(&root_node, leaf->name.b, CS_HASH_BYTES);
    }
    cs_name_t root;
    cs_content_t content = made_up(leaves * 2 * CS_CHUNK_MIN, cs_buf_slice(&root_node), &root);
    open_made_up(&content, &root, 2);
    next(CS_FETCH_ASK_NODES);
    cr_assert(cs_fetch_on_node(fetch, ANN, cs_buf_slice(&root_node)) == CS_OK);
    cr_assert(asked_nodes() == 1);
    cr_assert(cs_fetch_is_staged(fetch, &content));
    cs_buf_fini(&root_node);
}

/* The nodes of a list end where names say so. With other ends it has another root, and no scan
 * of the same bytes would find this content. */
Test(fetch_nodes, a_list_that_is_cut_elsewhere_is_not_proved)
{
    const size_t chunks[] = {1, 0, 1, 3}; /* the second one ends a node */
    cs_buf_t node = {0};
    for (size_t i = 0; i < CS_COUNT_OF(chunks); i++) {
        cs_buf_put_u32(&node, CS_CHUNK_MIN);
        cs_buf_put(&node, all.chunk[chunks[i]].name.b, CS_HASH_BYTES);
    }
    cs_name_t root;
    uint64_t size = CS_COUNT_OF(chunks) * (uint64_t)CS_CHUNK_MIN;
    cs_content_t content = made_up(size, cs_buf_slice(&node), &root);
    open_made_up(&content, &root, 1);
    next(CS_FETCH_ASK_NODES);
    cr_assert(cs_fetch_on_node(fetch, ANN, cs_buf_slice(&node)) == CS_OK);
    cs_fetch_action_t local = next(CS_FETCH_LOCAL);
    uint64_t offsets[CS_COUNT_OF(chunks)];
    memcpy(offsets, local.offsets, sizeof offsets);
    cs_fetch_done(fetch, local.ticket,
                  &(cs_fetch_result_t){.found = offsets, .found_count = CS_COUNT_OF(offsets)});
    cs_fetch_action_t finish = next(CS_FETCH_FINISH);
    cr_assert(!finish.proved);
    done(finish.ticket, CS_ERR_MISMATCH);
    cr_assert(!cs_fetch_is_staged(fetch, &content) && stats().sleeping == 1);
    cs_buf_fini(&node);
}
