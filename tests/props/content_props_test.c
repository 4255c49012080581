/* content_props_test.c - laws of the chunker on random bytes, random reads and random edits. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "xfer/content.h"
#include "xfer/list.h"

typedef struct listing {
    cs_name_t *chunk;
    uint64_t *end; /* offset behind the chunk */
    size_t chunks, chunk_cap;
    cs_name_t *node;
    size_t nodes, node_cap;
    size_t largest_node; /* items */
} listing_t;

static void listing_fini(listing_t *listing)
{
    cs_free(listing->chunk);
    cs_free(listing->end);
    cs_free(listing->node);
    *listing = (listing_t){0};
}

static void on_chunk(void *arg, const cs_name_t *name, uint64_t offset, uint32_t len)
{
    listing_t *listing = arg;
    if (listing->chunks == listing->chunk_cap) {
        listing->chunk_cap = cs_grow(listing->chunk_cap, listing->chunks + 1);
        listing->chunk =
            cs_realloc_array(listing->chunk, listing->chunk_cap, sizeof(cs_name_t));
        listing->end = cs_realloc_array(listing->end, listing->chunk_cap, sizeof(uint64_t));
    }
    cr_assert(offset == (listing->chunks == 0 ? 0 : listing->end[listing->chunks - 1]));
    listing->chunk[listing->chunks] = *name;
    listing->end[listing->chunks++] = offset + len;
}

static void on_node(void *arg, const cs_name_t *name, cs_slice_t bytes)
{
    listing_t *listing = arg;
    if (listing->nodes == listing->node_cap) {
        listing->node_cap = cs_grow(listing->node_cap, listing->nodes + 1);
        listing->node = cs_realloc_array(listing->node, listing->node_cap, sizeof(cs_name_t));
    }
    listing->node[listing->nodes++] = *name;
    cr_assert(bytes.len % CS_NODE_ITEM_BYTES == 0);
    size_t items = bytes.len / CS_NODE_ITEM_BYTES;
    if (items > listing->largest_node) listing->largest_node = items;
    for (size_t i = 1; i + 1 < items; i++) { /* nowhere in the middle could it have ended */
        if (bytes.data[(i + 1) * CS_NODE_ITEM_BYTES - 1] == 0)
            cr_assert_fail("node goes on after item %zu", i);
    }
}

static uint64_t seed;
static cs_prng_t prng;
static cs_chunker_table_t *table;

static void set_up(void)
{
    const char *given = getenv("CRDTSYNC_SEED");
    seed = given != NULL ? strtoull(given, NULL, 0) : 0x5eed;
    fprintf(stderr, "Seed: 0x%llx\n", (unsigned long long)seed);
    cs_prng_init(&prng, seed);
    uint8_t secret[CS_SECRET_BYTES];
    cs_prng_fill(&prng, secret, sizeof secret);
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    table = cs_chunker_table_new(&keys);
}

static void tear_down(void)
{
    cs_chunker_table_destroy(&table);
}

TestSuite(content_props, .init = set_up, .fini = tear_down);

/* Hash `bytes`, handed over in random pieces of at most `piece_max` bytes. */
static void hash(const uint8_t *bytes, size_t len, size_t piece_max, listing_t *listing,
                 cs_content_t *ret)
{
    cs_content_sink_t sink = {.arg = listing, .chunk = on_chunk, .node = on_node};
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_hasher_begin(hasher, &sink);
    for (size_t at = 0; at < len;) {
        size_t piece = 1 + (size_t)cs_prng_below(&prng, piece_max);
        if (piece > len - at) piece = len - at;
        cs_content_hasher_update(hasher, cs_slice(bytes + at, piece));
        at += piece;
    }
    cs_content_hasher_end(hasher, ret);
    cs_content_hasher_destroy(&hasher);
}

Test(content_props, the_split_does_not_depend_on_the_reads)
{
    const size_t pieces[] = {3, 100, 4096, 65536, 300000, 5000000};
    for (int round = 0; round < 5; round++) {
        size_t len = (size_t)cs_prng_below(&prng, 3000000);
        uint8_t *bytes = cs_malloc(len);
        cs_prng_fill(&prng, bytes, len);
        listing_t first = {0};
        cs_content_t content;
        hash(bytes, len, len + 1, &first, &content);
        for (size_t i = 0; i < CS_COUNT_OF(pieces); i++) {
            listing_t again = {0};
            cs_content_t same;
            hash(bytes, len, pieces[i], &again, &same);
            cr_assert(cs_content_eq(&content, &same));
            cr_assert(first.chunks == again.chunks && first.nodes == again.nodes);
            cr_assert(memcmp(first.end, again.end, first.chunks * sizeof first.end[0]) == 0);
            listing_fini(&again);
        }
        listing_fini(&first);
        cs_free(bytes);
    }
}

static void on_zeros(void *arg, uint32_t len)
{
    *(uint64_t *)arg += len;
}

/* Runs of zeros of any length between others; the hasher is told of them, or given them. */
static void zeros_and_others(size_t runs)
{
    cs_buf_t bytes = {0};
    uint64_t zeros = 0;
    listing_t first = {0};
    cs_content_sink_t sink = {.arg = &zeros, .zeros = on_zeros};
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_hasher_begin(hasher, &sink);
    for (size_t i = 0; i < runs; i++) {
        uint8_t other[5000] = {0};
        size_t len = (size_t)cs_prng_below(&prng, 3u << 20);
        size_t others = (size_t)cs_prng_below(&prng, sizeof other);
        cs_prng_fill(&prng, other, others);
        cs_content_hasher_zeros(hasher, len);
        cs_content_hasher_update(hasher, cs_slice(other, others));
        cs_buf_reserve(&bytes, len);
        memset(bytes.data + bytes.len, 0, len);
        bytes.len += len;
        cs_buf_put(&bytes, other, others);
    }
    cs_content_t told, given;
    cs_content_hasher_end(hasher, &told);
    cs_content_hasher_destroy(&hasher);
    hash(bytes.data, bytes.len, bytes.len + 1, &first, &given);
    cr_assert(cs_content_eq(&told, &given));
    /* All but the first and the last chunk of each run. */
    cr_assert(zeros <= bytes.len && zeros + runs * (2 * CS_CHUNK_MAX + 5000) >= bytes.len);
    listing_fini(&first);
    cs_buf_fini(&bytes);
}

Test(content_props, zeros_that_are_told_are_hashed_as_zeros_that_are_given)
{
    for (size_t round = 0; round < 12; round++) {
        zeros_and_others(1 + round % 4);
    }
}

Test(content_props, a_hundred_gigabytes_of_zeros_cost_no_more_than_their_chunks)
{
    const uint64_t size = UINT64_C(100) << 30;
    uint64_t zeros = 0;
    cs_content_sink_t sink = {.arg = &zeros, .zeros = on_zeros};
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_t content;
    cs_content_hasher_begin(hasher, &sink);
    cs_content_hasher_zeros(hasher, size);
    cs_content_hasher_end(hasher, &content);
    cs_content_hasher_destroy(&hasher);
    cr_assert(content.size == size);
    cr_assert(zeros == size, "its last chunk is as long as the others");
}

Test(content_props, chunks_keep_their_bounds_and_their_average)
{
    const size_t len = 64u << 20;
    uint8_t *bytes = cs_malloc(len);
    cs_prng_fill(&prng, bytes, len);
    listing_t listing = {0};
    cs_content_t content;
    hash(bytes, len, 1u << 20, &listing, &content);
    uint64_t begin = 0;
    for (size_t i = 0; i < listing.chunks; i++) {
        uint64_t chunk = listing.end[i] - begin;
        begin = listing.end[i];
        cr_assert(chunk <= CS_CHUNK_MAX);
        cr_assert(chunk > CS_CHUNK_MIN || i + 1 == listing.chunks);
    }
    cr_assert(begin == len);
    size_t mean = len / listing.chunks;
    cr_assert(mean > CS_CHUNK_AVG * 9 / 10 && mean < CS_CHUNK_AVG * 13 / 10, "mean %zu", mean);
    cr_assert(listing.largest_node <= CS_NODE_ITEMS_MAX);
    listing_fini(&listing);
    cs_free(bytes);
}

static bool contains(const cs_name_t *names, size_t count, const cs_name_t *name)
{
    for (size_t i = 0; i < count; i++) {
        if (cs_name_eq(&names[i], name)) return true;
    }
    return false;
}

static size_t fresh(const cs_name_t *names, size_t count, const cs_name_t *old,
                    size_t old_count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!contains(old, old_count, &names[i])) n++;
    }
    return n;
}

Test(content_props, an_insertion_changes_few_chunks)
{
    const size_t len = 32u << 20;
    uint8_t *bytes = cs_malloc(len + 1000);
    for (int round = 0; round < 4; round++) {
        cs_prng_fill(&prng, bytes, len);
        listing_t before = {0}, after = {0};
        cs_content_t content, changed;
        hash(bytes, len, 1u << 20, &before, &content);
        size_t at = (size_t)cs_prng_below(&prng, len);
        size_t more = 1 + (size_t)cs_prng_below(&prng, 999);
        memmove(bytes + at + more, bytes + at, len - at);
        cs_prng_fill(&prng, bytes + at, more);
        hash(bytes, len + more, 1u << 20, &after, &changed);
        cr_assert(!cs_content_eq(&content, &changed));
        size_t new_chunks = fresh(after.chunk, after.chunks, before.chunk, before.chunks);
        cr_assert(new_chunks >= 1 && new_chunks <= 8, "%zu new chunks", new_chunks);
        listing_fini(&before);
        listing_fini(&after);
    }
    cs_free(bytes);
}

/* The list alone: a file of so many real chunks would be 50 GiB. */
static uint32_t list_of(const cs_name_t *names, size_t count, listing_t *listing,
                        cs_name_t *ret_root)
{
    cs_list_t list = {0};
    cs_list_begin(&list, table, listing, on_node);
    for (size_t i = 0; i < count; i++) {
        cs_list_add(&list, CS_CHUNK_AVG, &names[i]);
    }
    uint32_t depth = cs_list_end(&list, ret_root);
    cs_list_fini(&list);
    return depth;
}

Test(content_props, an_insertion_changes_few_nodes)
{
    size_t count = 200000;
    cs_name_t *names = cs_malloc((count + 20) * sizeof names[0]);
    cs_prng_fill(&prng, names, (count + 20) * sizeof names[0]);
    listing_t before = {0};
    cs_name_t root, changed;
    uint32_t depth = list_of(names, count, &before, &root);
    cr_assert(before.nodes > 500 && before.nodes < 1200, "%zu nodes", before.nodes);
    cr_assert(depth >= 2 && depth <= 4, "depth %u", depth);
    cr_assert(before.largest_node <= CS_NODE_ITEMS_MAX);
    for (int round = 0; round < 20; round++) {
        size_t at = (size_t)cs_prng_below(&prng, count);
        memmove(&names[at + 1], &names[at], (count - at) * sizeof names[0]);
        cs_prng_fill(&prng, &names[at], sizeof names[0]);
        count++;
        listing_t after = {0};
        list_of(names, count, &after, &changed);
        cr_assert(!cs_name_eq(&root, &changed));
        size_t new_nodes = fresh(after.node, after.nodes, before.node, before.nodes);
        cr_assert(new_nodes <= 4 * depth, "%zu new nodes", new_nodes);
        root = changed;
        listing_fini(&before);
        before = after;
    }
    listing_fini(&before);
    cs_free(names);
}

Test(content_props, a_list_of_any_length_has_one_root)
{
    cs_name_t *names = cs_malloc(5000 * sizeof names[0]);
    for (int round = 0; round < 200; round++) {
        size_t count = 1 + (size_t)cs_prng_below(&prng, 5000);
        cs_prng_fill(&prng, names, count * sizeof names[0]);
        for (size_t i = 0; i < count; i++) { /* many ends: deep and narrow */
            if (cs_prng_chance(&prng, 1, 2)) names[i].b[CS_HASH_BYTES - 1] = 0;
        }
        listing_t listing = {0};
        cs_name_t root;
        uint32_t depth = list_of(names, count, &listing, &root);
        if (count == 1)
            cr_assert(depth == 0 && listing.nodes == 0 && cs_name_eq(&root, &names[0]));
        if (count > 1) cr_assert(cs_name_eq(&root, &listing.node[listing.nodes - 1]));
        listing_fini(&listing);
    }
    cs_free(names);
}
