/* fetching.c - see fetching.h. */
#include "support/fetching.h"

#include <criterion/criterion.h>
#include <string.h>

test_contents_t all;
cs_fetch_t *fetch;
uint64_t now_ms = 1000;

void fetching_init(void)
{
    test_contents_init(&all, 77);
    fetch = cs_fetch_new(all.table, NULL, 0);
}

void fetching_fini(void)
{
    cs_fetch_destroy(&fetch);
    test_contents_fini(&all);
}

const cs_content_t *id(size_t index)
{
    return &all.content[index].id;
}

void want(size_t index, cs_peer_t hint)
{
    cr_assert(cs_fetch_want(fetch, id(index), hint) == CS_OK);
}

/* What needs no answer is passed over, unless it is expected. */
static bool next_but(cs_fetch_kind_t kind, cs_fetch_action_t *ret)
{
    while (cs_fetch_next(fetch, now_ms, ret)) {
        bool asides = ret->kind == CS_FETCH_TELL || ret->kind == CS_FETCH_ASK_PARTS;
        if (ret->kind == kind || !asides) return true;
    }
    return false;
}

bool next_any(cs_fetch_action_t *ret)
{
    return next_but(CS_FETCH_DISCARD, ret);
}

cs_fetch_action_t next(cs_fetch_kind_t kind)
{
    cs_fetch_action_t action;
    cr_assert(next_but(kind, &action), "nothing to do, expected %d", (int)kind);
    cr_assert(action.kind == kind, "%d instead of %d", (int)action.kind, (int)kind);
    return action;
}

void nothing(void)
{
    cs_fetch_action_t action;
    cr_assert(!next_any(&action), "kind %d", (int)action.kind);
}

void done(uint64_t ticket, cs_err_t err)
{
    cs_fetch_done(fetch, ticket, &(cs_fetch_result_t){.err = err});
}

cs_err_t give_small(cs_peer_t peer, size_t index)
{
    cs_name_t name;
    memcpy(name.b, id(index)->hash, sizeof name.b);
    cs_slice_t bytes = cs_slice(all.content[index].bytes, id(index)->size);
    return cs_fetch_on_data(fetch, peer, &name, bytes);
}

cs_err_t give_chunk(cs_peer_t peer, const cs_name_t *name)
{
    const test_blob_t *chunk = test_contents_chunk_named(&all, name);
    return cs_fetch_on_data(fetch, peer, name, cs_slice(chunk->bytes, chunk->len));
}

void give_nodes(const cs_fetch_action_t *action)
{
    cs_name_t names[CS_FETCH_LEAVES_MAX + 1]; /* answers change the machine that lent them */
    cr_assert(action->count <= CS_COUNT_OF(names));
    memcpy(names, action->names, action->count * sizeof names[0]);
    for (size_t i = 0, n = action->count; i < n; i++) {
        const test_blob_t *node = test_contents_node_named(&all, &names[i]);
        cs_slice_t bytes = cs_slice(node->bytes, node->len);
        cr_assert(cs_fetch_on_node(fetch, action->peer, bytes) == CS_OK);
    }
}

cs_err_t give_map(cs_peer_t peer, size_t index, uint32_t depth)
{
    cs_content_map_t map = {
        .size = id(index)->size, .root = all.content[index].root, .depth = depth};
    return cs_fetch_on_map(fetch, peer, id(index)->hash, &map, false);
}

cs_fetch_stats_t stats(void)
{
    cs_fetch_stats_t ret;
    cs_fetch_stats(fetch, &ret);
    return ret;
}

void open_large(size_t index)
{
    cs_fetch_peer_up(fetch, ANN);
    want(index, 0);
    next(CS_FETCH_ASK_MAP);
    cr_assert(give_map(ANN, index, all.content[index].depth) == CS_OK);
    done(next(CS_FETCH_OPEN).ticket, CS_OK);
}

void open_made_up(const cs_content_t *content, const cs_name_t *root, uint32_t depth)
{
    cs_fetch_peer_up(fetch, ANN);
    cr_assert(cs_fetch_want(fetch, content, 0) == CS_OK);
    next(CS_FETCH_ASK_MAP);
    cs_content_map_t map = {.size = content->size, .root = *root, .depth = depth};
    cr_assert(cs_fetch_on_map(fetch, ANN, content->hash, &map, false) == CS_OK);
    done(next(CS_FETCH_OPEN).ticket, CS_OK);
}

cs_content_t made_up(uint64_t size, cs_slice_t node, cs_name_t *ret_root)
{
    cs_content_t content;
    cs_node_name(all.table, node, ret_root);
    cs_content_from_root(all.table, size, ret_root, &content);
    return content;
}
