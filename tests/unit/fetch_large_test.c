/* fetch_large_test.c - the fetch machine: large contents, and lists that somebody made up. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "support/fetching.h"

TestSuite(fetch_large, .init = fetching_init, .fini = fetching_fini);

Test(fetch_large, a_single_chunk_needs_no_list)
{
    size_t a = test_contents_chunk(&all, 100000);
    open_large(a);
    cs_fetch_action_t local = next(CS_FETCH_LOCAL);
    cr_assert(local.count == 1 && local.offsets[0] == 0 && local.lens[0] == 100000);
    done(local.ticket, CS_OK);
    cs_name_t name = next(CS_FETCH_ASK_CHUNKS).names[0];
    cr_assert(give_chunk(ANN, &name) == CS_OK);
    cs_fetch_action_t write = next(CS_FETCH_WRITE);
    cr_assert(write.offset == 0 && write.bytes.len == 100000);
    done(write.ticket, CS_OK);
    cr_assert(cs_fetch_progress(fetch, id(a)) == 100000);
    done(next(CS_FETCH_FINISH).ticket, CS_OK);
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
    nothing();
}

Test(fetch_large, chunks_found_locally_are_not_asked_for)
{
    size_t a = test_contents_chunk(&all, 100000);
    open_large(a);
    cs_fetch_action_t local = next(CS_FETCH_LOCAL);
    uint64_t offset = 0;
    cs_fetch_done(fetch, local.ticket,
                  &(cs_fetch_result_t){.found = &offset, .found_count = 1});
    next(CS_FETCH_FINISH);
}

/* Answer everything honestly until nothing is left; returns the orders to write. */
static size_t run_honestly(void)
{
    size_t writes = 0;
    cs_fetch_action_t action;
    while (next_any(&action)) {
        if (action.kind == CS_FETCH_ASK_NODES) {
            give_nodes(&action);
        } else if (action.kind == CS_FETCH_ASK_CHUNKS) {
            size_t count = action.count;
            cs_peer_t peer = action.peer;
            cs_name_t *names = cs_memdup(action.names, count * sizeof names[0]);
            for (size_t i = 0; i < count; i++) {
                cr_assert(give_chunk(peer, &names[i]) == CS_OK);
                writes += run_honestly();
            }
            cs_free(names);
        } else if (action.kind == CS_FETCH_ASK_MAP) {
            const test_content_t *content = test_contents_find(&all, action.content.hash);
            size_t index = (size_t)(content - all.content);
            cr_assert(give_map(action.peer, index, content->depth) == CS_OK);
        } else {
            cr_assert(action.kind >= CS_FETCH_OPEN);
            if (action.kind == CS_FETCH_WRITE) writes++;
            done(action.ticket, CS_OK);
        }
    }
    return writes;
}

Test(fetch_large, deep_lists_are_walked)
{
    size_t a = test_contents_large(&all, 300, 2);
    cr_assert(all.content[a].depth >= 2);
    open_large(a);
    cr_assert(run_honestly() == 301);
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
}

Test(fetch_large, a_wrong_depth_blames_who_said_it)
{
    size_t a = test_contents_large(&all, 60, 2);
    uint32_t depth = all.content[a].depth;
    cs_fetch_peer_up(fetch, ANN);
    cs_fetch_peer_up(fetch, BOB);
    want(a, ANN);
    cr_assert(next(CS_FETCH_ASK_MAP).peer == ANN);
    cr_assert(give_map(ANN, a, depth + 1) == CS_OK); /* cannot be told yet */
    done(next(CS_FETCH_OPEN).ticket, CS_OK);
    run_honestly(); /* the list does not fit, so Bob is asked, and then all goes well */
    cr_assert(cs_fetch_is_staged(fetch, id(a)));
}

Test(fetch_large, an_impossible_depth_is_refused)
{
    size_t a = test_contents_large(&all, 60, 2);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_MAP);
    cr_assert(give_map(ANN, a, 0) == CS_ERR_MISMATCH); /* of 4 MB */
    nothing();
}

Test(fetch_large, a_wrong_root_is_refused)
{
    size_t a = test_contents_large(&all, 60, 2), b = test_contents_large(&all, 60, 2);
    cs_fetch_peer_up(fetch, ANN);
    want(a, 0);
    next(CS_FETCH_ASK_MAP);
    cs_content_map_t map = {.size = id(a)->size, .root = all.content[b].root, .depth = 1};
    cs_err_t err = cs_fetch_on_map(fetch, ANN, id(a)->hash, &map, false);
    cr_assert(err == CS_ERR_MISMATCH);
}

/* Walk into it as far as it goes; it must end asleep, with no order to write. */
static void must_fail(const cs_content_t *content, const cs_name_t *root, uint32_t depth,
                      cs_slice_t node)
{
    cs_fetch_peer_up(fetch, ANN);
    cr_assert(cs_fetch_want(fetch, content, 0) == CS_OK);
    next(CS_FETCH_ASK_MAP);
    cs_err_t err = cs_fetch_on_map(
        fetch, ANN, content->hash,
        &(cs_content_map_t){.size = content->size, .root = *root, .depth = depth}, false);
    cr_assert(err == CS_OK);
    done(next(CS_FETCH_OPEN).ticket, CS_OK);
    cs_fetch_action_t action;
    while (cs_fetch_next(fetch, now_ms, &action)) {
        cr_assert(action.kind == CS_FETCH_ASK_NODES);
        for (size_t i = 0, n = action.count; i < n; i++) {
            cr_assert(cs_fetch_on_node(fetch, ANN, node) == CS_OK);
        }
    }
    cr_assert(stats().sleeping == 1);
}

static void item(cs_buf_t *node, uint32_t len, uint8_t fill)
{
    uint8_t name[CS_HASH_BYTES];
    memset(name, fill, sizeof name);
    cs_buf_put_u32(node, len);
    cs_buf_put(node, name, sizeof name);
}

Test(fetch_large, lengths_that_do_not_add_up)
{
    const struct {
        uint64_t size;
        uint32_t len[3];
    } made[] = {
        {200000, {100000, 100001, 0}},                        /* too much */
        {300000, {100000, 100000, 0}},                        /* too little */
        {300000, {100000, 10, 199990}},                       /* a short chunk in the middle */
        {UINT64_C(1) << 50, {CS_CHUNK_MAX, CS_CHUNK_MAX, 0}}, /* far too little */
        {5000000, {CS_CHUNK_MAX + 1, 100000, 0}},             /* a chunk too long */
    };
    for (size_t i = 0; i < CS_COUNT_OF(made); i++) {
        cs_buf_t node = {0};
        for (size_t k = 0; k < 3 && made[i].len[k] > 0; k++) {
            item(&node, made[i].len[k], (uint8_t)(k + 1));
        }
        cs_name_t root;
        cs_content_t content = made_up(made[i].size, cs_buf_slice(&node), &root);
        cs_fetch_destroy(&fetch);
        fetch = cs_fetch_new(all.table, NULL, 0);
        open_made_up(&content, &root, 1);
        next(CS_FETCH_ASK_NODES);
        cr_assert(cs_fetch_on_node(fetch, ANN, cs_buf_slice(&node)) == CS_OK);
        cs_fetch_action_t action;
        bool more = next_any(&action);
        if (more) { /* too little is noticed at the end of what there is */
            cr_assert(action.kind == CS_FETCH_LOCAL);
            cs_fetch_done(fetch, action.ticket,
                          &(cs_fetch_result_t){.found = (uint64_t[]){0, made[i].len[0]},
                                               .found_count = 2});
            nothing();
        }
        cr_assert(stats().sleeping == 1, "case %zu", i);
        cs_buf_fini(&node);
    }
}

Test(fetch_large, nodes_of_a_wrong_shape)
{
    cs_buf_t node = {0};
    cs_name_t root;
    item(&node, 100000, 1);
    cs_content_t content = made_up(100000, cs_buf_slice(&node), &root);
    must_fail(&content, &root, 1, cs_buf_slice(&node)); /* a list of one */
    item(&node, 0, 2);
    cs_fetch_unwant(fetch, &content);
    done(next(CS_FETCH_DISCARD).ticket, CS_OK);
    content = made_up(200000, cs_buf_slice(&node), &root);
    must_fail(&content, &root, 1, cs_buf_slice(&node)); /* half leaf, half upper node */
    cs_buf_fini(&node);
}

Test(fetch_large, a_petabyte_that_never_ends_takes_no_memory)
{
    /* An upper node of nodes that nobody has: the list of 2^50 bytes is walked as it comes. */
    cs_buf_t node = {0};
    for (uint32_t i = 0; i < CS_NODE_ITEMS_MAX; i++) {
        item(&node, 0, (uint8_t)i);
    }
    cs_name_t root;
    cs_content_t content = made_up(UINT64_C(1) << 50, cs_buf_slice(&node), &root);
    open_made_up(&content, &root, 2);
    next(CS_FETCH_ASK_NODES);
    cr_assert(cs_fetch_on_node(fetch, ANN, cs_buf_slice(&node)) == CS_OK);
    cs_fetch_action_t ask = next(CS_FETCH_ASK_NODES);
    cr_assert(ask.count == CS_FETCH_LEAVES_MAX);
    nothing();
    cs_buf_fini(&node);
}

Test(fetch_large, a_few_files_at_a_time_and_a_place_for_those_not_huge)
{
    cs_fetch_peer_up(fetch, ANN);
    cs_content_t content = {.kind = CS_KIND_FILE, .size = (UINT64_C(1) << 40)};
    for (uint8_t i = 0; i < 10; i++) {
        content.hash[0] = i;
        cr_assert(cs_fetch_want(fetch, &content, 0) == CS_OK);
    }
    for (uint32_t i = 0; i + 1 < CS_FETCH_FILES_MAX; i++) {
        next(CS_FETCH_ASK_MAP);
    }
    nothing();
    size_t a = test_contents_large(&all, 60, 2);
    want(a, 0);
    cs_fetch_action_t ask = next(CS_FETCH_ASK_MAP);
    cr_assert(cs_content_eq(&ask.content, id(a)));
    nothing();
}

Test(fetch_large, the_same_chunk_is_asked_for_once)
{
    const size_t count = 50;
    cs_buf_t node = {0};
    for (size_t i = 0; i < count; i++) {
        cs_buf_put_u32(&node, CS_CHUNK_MIN);
        cs_buf_put(&node, all.chunk[1].name.b, CS_HASH_BYTES);
    }
    cs_name_t root;
    cs_content_t content = made_up(count * CS_CHUNK_MIN, cs_buf_slice(&node), &root);
    open_made_up(&content, &root, 1);
    next(CS_FETCH_ASK_NODES);
    cr_assert(cs_fetch_on_node(fetch, ANN, cs_buf_slice(&node)) == CS_OK);
    done(next(CS_FETCH_LOCAL).ticket, CS_OK);
    cs_fetch_action_t ask = next(CS_FETCH_ASK_CHUNKS);
    cr_assert(ask.count == 1);
    cr_assert(give_chunk(ANN, &all.chunk[1].name) == CS_OK);
    uint64_t tickets[50];
    for (size_t i = 0; i < count; i++) {
        cs_fetch_action_t write = next(CS_FETCH_WRITE);
        cr_assert(write.offset == i * CS_CHUNK_MIN);
        tickets[i] = write.ticket;
    }
    for (size_t i = 0; i < count; i++) {
        done(tickets[i], CS_OK);
    }
    next(CS_FETCH_FINISH);
    cs_buf_fini(&node);
}

Test(fetch_large, two_leaves_are_looked_for_on_the_disk_at_a_time)
{
    size_t a = test_contents_large(&all, 60, 2);
    open_large(a);
    cs_fetch_action_t action;
    uint64_t locals[CS_FETCH_LOOKS_MAX];
    size_t count = 0;
    while (next_any(&action)) {
        if (action.kind == CS_FETCH_LOCAL) {
            cr_assert(count < CS_FETCH_LOOKS_MAX);
            locals[count++] = action.ticket;
            continue;
        }
        cr_assert(action.kind == CS_FETCH_ASK_NODES);
        give_nodes(&action);
    }
    cr_assert(count == CS_FETCH_LOOKS_MAX);
    done(locals[1], CS_OK); /* the second one may end first */
    next(CS_FETCH_LOCAL);
    done(locals[0], CS_OK);
    next(CS_FETCH_LOCAL);
}
