/* fetch_parts_test.c - peers that have a large file in part: they are asked what they have, and
 * for that; what is rare comes first; they in turn are told what is here. */
#include <criterion/criterion.h>
#include <string.h>

#include "support/fetching.h"

TestSuite(fetch_parts, .init = fetching_init, .fini = fetching_fini);

#define CHUNKS 24u

static size_t file;
static cs_name_t root;
static cs_content_t content;

/* A file of CHUNKS chunks that differ, in one leaf, known to ANN and placed. */
static void open_leaf(void)
{
    cs_buf_t node = {0};
    for (uint32_t i = 0; i < CHUNKS; i++) {
        size_t at = all.chunks;
        test_contents_chunk(&all, CS_CHUNK_MIN + i);
        cr_assert(all.chunks > at);
        cs_buf_put_u32(&node, CS_CHUNK_MIN + i);
        cs_buf_put(&node, all.chunk[at].name.b, CS_HASH_BYTES);
    }
    uint64_t size = CHUNKS * (uint64_t)CS_CHUNK_MIN + CHUNKS * (CHUNKS - 1) / 2;
    file = all.chunks - CHUNKS;
    content = made_up(size, cs_buf_slice(&node), &root);
    open_made_up(&content, &root, 1);
    next(CS_FETCH_ASK_NODES);
    cr_assert(cs_fetch_on_node(fetch, ANN, cs_buf_slice(&node)) == CS_OK);
    done(next(CS_FETCH_LOCAL).ticket, CS_OK);
    cs_buf_fini(&node);
}

static const cs_name_t *chunk(uint32_t i)
{
    return &all.chunk[file + i].name;
}

/* ANN is not asked meanwhile: what it was asked is all that it may have outstanding. */
static void bob_has(uint32_t from, uint32_t to)
{
    uint8_t bits[CS_PARTS_BYTES] = {0};
    for (uint32_t i = from; i < to; i++) {
        bits[i / 8] |= (uint8_t)(1u << i % 8);
    }
    cs_fetch_on_parts(fetch, BOB, &content, 0, cs_slice(bits, (CHUNKS + 7) / 8),
                      cs_slice(NULL, 0));
}

/* BOB comes, is asked for a chunk like anybody, and has it not. */
static void bob_refuses(void)
{
    cs_fetch_hold(fetch, ANN, true);
    cs_fetch_peer_up(fetch, BOB);
    cs_fetch_action_t action = next(CS_FETCH_ASK_CHUNKS);
    cr_assert(action.peer == BOB && action.offsets == NULL);
    size_t count = action.count;
    cs_name_t names[CS_FETCH_REQUEST_NAMES_MAX];
    memcpy(names, action.names, count * sizeof names[0]);
    for (size_t i = 0; i < count; i++) {
        cs_fetch_on_none(fetch, BOB, &names[i]);
    }
}

Test(fetch_parts, one_that_has_it_in_part_is_asked_what_and_for_that)
{
    open_leaf();
    bob_refuses();
    cs_fetch_action_t ask = next(CS_FETCH_ASK_PARTS);
    cr_assert(ask.peer == BOB && ask.offset == 0 && ask.count == CHUNKS);
    nothing();
    bob_has(3, 5);
    ask = next(CS_FETCH_ASK_CHUNKS);
    cr_assert(ask.peer == BOB && ask.count == 2 && ask.offsets != NULL);
    for (size_t i = 0; i < 2; i++) {
        uint32_t k = cs_name_eq(&ask.names[i], chunk(3)) ? 3 : 4;
        cr_assert(cs_name_eq(&ask.names[i], chunk(k)));
        cr_assert(ask.offsets[i] == k * (uint64_t)CS_CHUNK_MIN + k * (k - 1) / 2);
        cr_assert(ask.lens[i] == CS_CHUNK_MIN + k);
    }
    cr_assert(give_chunk(BOB, chunk(3)) == CS_OK);
    done(next(CS_FETCH_WRITE).ticket, CS_OK);
    uint8_t bits[CS_PARTS_BYTES], coming[CS_PARTS_BYTES];
    cr_assert(cs_fetch_parts(fetch, &content, 0, CHUNKS, bits, coming) == CHUNKS / 8);
    cr_assert(bits[0] == 1u << 3 && bits[1] == 0 && bits[2] == 0);
}

Test(fetch_parts, it_is_asked_again_after_a_while)
{
    open_leaf();
    bob_refuses();
    next(CS_FETCH_ASK_PARTS);
    now_ms += CS_FETCH_PROBE_MS - 1;
    nothing();
    now_ms += 1; /* it may have begun meanwhile */
    next(CS_FETCH_ASK_PARTS);
    bob_has(0, 0);
    now_ms += CS_FETCH_PARTS_MS - 1;
    nothing();
    now_ms += 1;
    next(CS_FETCH_ASK_PARTS);
}

/* All that is asked of ANN, BOB being held. */
static size_t asked_of_ann(cs_name_t ret[CHUNKS])
{
    size_t count = 0;
    cs_fetch_action_t action;
    cs_fetch_hold(fetch, BOB, true);
    cs_fetch_hold(fetch, ANN, false);
    while (next_any(&action)) {
        cr_assert(action.kind == CS_FETCH_ASK_CHUNKS && action.peer == ANN);
        cr_assert(action.offsets == NULL && count + action.count <= CHUNKS);
        memcpy(&ret[count], action.names, action.count * sizeof ret[0]);
        count += action.count;
    }
    return count;
}

/* Are the last three of the file the first that were asked for? */
static bool last_come_first(const cs_name_t *asked, size_t count)
{
    for (uint32_t k = CHUNKS - 3; k < CHUNKS; k++) {
        bool early = false;
        for (size_t i = 0; i < 3 && i < count; i++) {
            early = early || cs_name_eq(&asked[i], chunk(k));
        }
        if (!early) return false;
    }
    return true;
}

Test(fetch_parts, what_nobody_else_has_is_asked_of_the_one_that_has_all)
{
    cs_name_t asked[CHUNKS];
    open_leaf();
    bob_refuses();
    next(CS_FETCH_ASK_PARTS);
    bob_has(0, CHUNKS - 3);
    size_t count = asked_of_ann(asked);
    cr_assert(count > 3 && last_come_first(asked, count));
}

Test(fetch_parts, what_comes_to_another_is_not_rare_but_cannot_be_had_of_it)
{
    cs_name_t asked[CHUNKS];
    open_leaf();
    bob_refuses();
    next(CS_FETCH_ASK_PARTS);
    static const uint8_t none[CHUNKS / 8], coming[CHUNKS / 8] = {0xff, 0xff, 0x1f};
    cs_fetch_on_parts(fetch, BOB, &content, 0, cs_slice(none, sizeof none),
                      cs_slice(coming, sizeof coming));
    nothing();
    size_t count = asked_of_ann(asked);
    cr_assert(count > 3 && last_come_first(asked, count));
}

/* It may be the only one that has all, and others may need it more. */
Test(fetch_parts, what_can_be_had_of_one_with_a_part_is_not_asked_of_the_one_that_has_all)
{
    open_leaf();
    bob_refuses();
    next(CS_FETCH_ASK_PARTS);
    bob_has(0, 2);
    cs_fetch_hold(fetch, ANN, false);
    cs_fetch_action_t action;
    while (next_any(&action)) {
        for (size_t i = 0; i < action.count; i++) {
            bool bobs = cs_name_eq(&action.names[i], chunk(0)) ||
                        cs_name_eq(&action.names[i], chunk(1));
            cr_assert(action.peer == (bobs ? BOB : ANN));
        }
    }
}

Test(fetch_parts, what_is_asked_of_one_that_has_all_is_told_as_coming)
{
    cs_name_t asked[CHUNKS];
    uint8_t bits[CS_PARTS_BYTES], coming[CS_PARTS_BYTES];
    open_leaf();
    size_t count = asked_of_ann(asked), told = 0;
    cr_assert(cs_fetch_parts(fetch, &content, 0, CHUNKS, bits, coming) == CHUNKS / 8);
    for (uint32_t k = 0; k < CHUNKS; k++) {
        cr_assert((bits[k / 8] >> k % 8 & 1) == 0);
        told += coming[k / 8] >> k % 8 & 1;
    }
    cr_assert(count > 0 && told == count);
}

Test(fetch_parts, one_that_refuses_what_it_said_it_has_is_not_believed_for_ever)
{
    open_leaf();
    bob_refuses();
    size_t refused = 0;
    for (int i = 0; i < 20; i++) {
        cs_fetch_action_t action;
        now_ms += CS_FETCH_PARTS_MS;
        while (cs_fetch_next(fetch, now_ms, &action)) {
            if (action.kind == CS_FETCH_ASK_PARTS) bob_has(0, CHUNKS);
            if (action.kind != CS_FETCH_ASK_CHUNKS) continue;
            cs_name_t names[CHUNKS];
            size_t count = action.count;
            memcpy(names, action.names, count * sizeof names[0]);
            for (size_t k = 0; k < count; k++) {
                cs_fetch_on_none(fetch, BOB, &names[k]);
            }
            refused += count;
        }
    }
    cr_assert(refused >= 64 && refused <= 64 + CHUNKS, "%zu", refused);
}

Test(fetch_parts, one_that_goes_is_forgotten)
{
    open_leaf();
    bob_refuses();
    next(CS_FETCH_ASK_PARTS);
    bob_has(0, CHUNKS);
    cs_fetch_peer_down(fetch, BOB);
    cs_fetch_peer_up(fetch, BOB + 1); /* takes its place in the masks */
    cs_fetch_action_t ask = next(CS_FETCH_ASK_CHUNKS);
    cr_assert(ask.peer == BOB + 1 && ask.offsets == NULL);
}

Test(fetch_parts, it_alone_keeps_a_want_awake_while_it_gets_on)
{
    open_leaf();
    bob_refuses();
    next(CS_FETCH_ASK_PARTS);
    bob_has(0, 1);
    cs_fetch_peer_down(fetch, ANN);
    cr_assert(next(CS_FETCH_ASK_CHUNKS).count == 1);
    now_ms += CS_FETCH_PARTIAL_MS - 1;
    cr_assert(give_chunk(BOB, chunk(0)) == CS_OK);
    done(next(CS_FETCH_WRITE).ticket, CS_OK);
    now_ms += CS_FETCH_PARTIAL_MS - 1;
    nothing();
    cr_assert_eq(stats().sleeping, 0);
    now_ms += 1;
    nothing();
    cr_assert_eq(stats().sleeping, 1);

    cs_fetch_on_parts(fetch, BOB, &content, 0, cs_slice(NULL, 0),
                      cs_slice(NULL, 0)); /* it has begun again */
    cr_assert_eq(stats().sleeping, 0);
    cr_assert(next(CS_FETCH_ASK_MAP).peer == BOB);
}

/* From a chain of nodes: the one before has begun, and nobody else is in reach. */
Test(fetch_parts, a_file_is_begun_with_one_that_has_it_in_part)
{
    size_t a = test_contents_large(&all, 60, 2);
    cs_fetch_peer_up(fetch, BOB);
    want(a, 0);
    next(CS_FETCH_ASK_MAP);
    cs_content_map_t map = {
        .size = id(a)->size, .root = all.content[a].root, .depth = all.content[a].depth};
    cs_content_map_t told;
    cr_assert_not(cs_fetch_partial_map(fetch, id(a), &told));
    cr_assert(cs_fetch_on_map(fetch, BOB, id(a)->hash, &map, true) == CS_OK);
    done(next(CS_FETCH_OPEN).ticket, CS_OK);
    cs_fetch_action_t ask = next(CS_FETCH_ASK_NODES);
    cr_assert(ask.peer == BOB);
    cr_assert_not(cs_fetch_partial_map(fetch, id(a), &told), "the root is only its word");
    cs_name_t node = ask.names[0];
    cs_fetch_on_none(fetch, BOB, &node); /* not yet */
    nothing();
    now_ms += CS_FETCH_PARTS_MS;
    ask = next(CS_FETCH_ASK_NODES);
    give_nodes(&ask);
    ask = next(CS_FETCH_TELL);
    cr_assert(cs_content_eq(&ask.content, id(a)));
    cr_assert(cs_fetch_partial_map(fetch, id(a), &told));
    cr_assert(told.size == map.size && told.depth == map.depth);
    cr_assert(cs_name_eq(&told.root, &map.root));
}

Test(fetch_parts, of_a_leaf_that_is_not_read_nothing_is_told)
{
    uint8_t bits[CS_PARTS_BYTES], coming[CS_PARTS_BYTES];
    size_t a = test_contents_large(&all, 60, 2);
    open_large(a);
    cr_assert_eq(cs_fetch_parts(fetch, id(a), 0, 2, bits, coming), 0);
    open_leaf();
    cr_assert_eq(cs_fetch_parts(fetch, &content, 0, CHUNKS + 1, bits, coming), 0,
                 "another leaf");
    cr_assert_eq(cs_fetch_parts(fetch, &content, 0, 0, bits, coming), 0);
    cr_assert_eq(cs_fetch_parts(fetch, &content, 0, CS_NODE_ITEMS_MAX + 1, bits, coming), 0);
    cr_assert_eq(cs_fetch_parts(fetch, &content, content.size, 1, bits, coming), 0);
    cr_assert_eq(cs_fetch_parts(fetch, &content, 0, CHUNKS, bits, coming), CHUNKS / 8);
}
