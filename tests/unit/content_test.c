/* content_test.c - chunks, nodes and content ids: golden vectors and rules of core.md 9. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "xfer/content.h"

static cs_chunker_table_t *table;

static void set_up(void)
{
    uint8_t secret[CS_SECRET_BYTES];
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)i;
    }
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    table = cs_chunker_table_new(&keys);
}

static void tear_down(void)
{
    cs_chunker_table_destroy(&table);
}

TestSuite(content, .init = set_up, .fini = tear_down);

/* What the sink was told. */
typedef struct told {
    uint64_t lens[64];
    size_t chunks, nodes, roots;
    cs_name_t last_chunk, root;
    cs_content_t content;
    uint32_t depth;
} told_t;

static void on_chunk(void *arg, const cs_name_t *name, uint64_t offset, uint32_t len)
{
    told_t *told = arg;
    uint64_t sum = 0;
    for (size_t i = 0; i < told->chunks; i++) {
        sum += told->lens[i];
    }
    cr_assert(offset == sum);
    told->lens[told->chunks++] = len;
    told->last_chunk = *name;
}

static void on_node(void *arg, const cs_name_t *name, cs_slice_t bytes)
{
    told_t *told = arg;
    cs_name_t again;
    cs_node_name(table, bytes, &again);
    cr_assert(cs_name_eq(name, &again));
    told->nodes++;
}

static void on_root(void *arg, const cs_content_t *content, const cs_name_t *root,
                    uint32_t depth)
{
    told_t *told = arg;
    told->roots++;
    told->content = *content;
    told->root = *root;
    told->depth = depth;
}

static void hash(cs_slice_t bytes, told_t *told, cs_content_t *ret)
{
    *told = (told_t){0};
    cs_content_sink_t sink = {.arg = told, .chunk = on_chunk, .node = on_node, .root = on_root};
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_hasher_begin(hasher, &sink);
    cs_content_hasher_update(hasher, bytes);
    cs_content_hasher_end(hasher, ret);
    cs_content_hasher_destroy(&hasher);
}

static uint8_t *random_bytes(size_t len)
{
    cs_prng_t prng;
    cs_prng_init(&prng, 42);
    uint8_t *bytes = cs_malloc(len);
    cs_prng_fill(&prng, bytes, len);
    return bytes;
}

static void assert_hex(const uint8_t *hash32, const char *expected)
{
    char hex[2 * CS_HASH_BYTES + 1];
    cs_hex(hex, hash32, CS_HASH_BYTES);
    cr_assert_str_eq(hex, expected);
}

/* Checked against hashlib of Python: BLAKE2b with key, salt and person. */
Test(content, golden_vectors_of_small_contents)
{
    cs_content_t content;
    cs_content_of(table, CS_KIND_FILE, cs_slice(NULL, 0), &content);
    cr_assert(content.kind == CS_KIND_FILE && content.size == 0);
    assert_hex(content.hash,
               "19ff8222c63af5dbbe0fcfa73ce8f1bd00cfc7156cf8b5a367e65011873cc78c");
    cs_content_of(table, CS_KIND_FILE, cs_slice_text("hello"), &content);
    cr_assert(content.size == 5);
    assert_hex(content.hash,
               "d88239b303ec2a6a1f104885eee4b9ebedbc20dff286a2dc963df52506245f3e");
    cs_content_of(table, CS_KIND_SYMLINK, cs_slice_text("hello"), &content);
    cr_assert(content.kind == CS_KIND_SYMLINK && content.size == 5);
    assert_hex(content.hash,
               "671526ebdd6fef198edbe9ac4b1d5e8ff730c4022b4abe57ec176ebc89eb8bf9");
}

Test(content, golden_vectors_of_a_chunked_file)
{
    const size_t len = 4u << 20;
    uint8_t *bytes = random_bytes(len);
    told_t told;
    cs_content_t content;
    hash(cs_slice(bytes, len), &told, &content);
    static const uint64_t expected[] = {206935, 290650, 74953,  200741, 309259, 279937,
                                        266828, 214989, 479240, 353043, 334957, 144097,
                                        412395, 302130, 279326, 44824};
    cr_assert(told.chunks == CS_COUNT_OF(expected));
    for (size_t i = 0; i < told.chunks; i++) {
        cr_assert(told.lens[i] == expected[i], "chunk %zu has %zu bytes", i,
                  (size_t)told.lens[i]);
    }
    cr_assert(told.nodes == 1 && told.depth == 1 && told.roots == 1);
    assert_hex(told.root.b, "e3d2f6cf89f278e756d63fcb3bbbc83979fccbdaeacc40f1cf94f112886876fe");
    assert_hex(content.hash,
               "ba4c684cb5d2d7c07e35e317bf8e4f070fd6590355c76ddc25f67489d23f8814");
    cr_assert(cs_content_eq(&content, &told.content));
    cs_free(bytes);
}

Test(content, of_the_whole_equals_the_stream)
{
    const size_t sizes[] = {0,        1,      CS_CHUNK_MIN - 1, CS_CHUNK_MIN, CS_CHUNK_MIN + 1,
                            1u << 20, 3000000};
    uint8_t *bytes = random_bytes(3000000);
    for (size_t i = 0; i < CS_COUNT_OF(sizes); i++) {
        told_t told;
        cs_content_t streamed, whole;
        hash(cs_slice(bytes, sizes[i]), &told, &streamed);
        cs_content_of(table, CS_KIND_FILE, cs_slice(bytes, sizes[i]), &whole);
        cr_assert(cs_content_eq(&streamed, &whole), "size %zu", sizes[i]);
    }
    cs_free(bytes);
}

Test(content, one_chunk_is_its_own_root)
{
    uint8_t *bytes = random_bytes(CS_CHUNK_MIN);
    told_t told;
    cs_content_t content, from_root;
    hash(cs_slice(bytes, CS_CHUNK_MIN), &told, &content);
    cr_assert(told.chunks == 1 && told.nodes == 0 && told.depth == 0);
    cr_assert(cs_name_eq(&told.root, &told.last_chunk));
    cs_name_t name;
    cs_chunk_name(table, cs_slice(bytes, CS_CHUNK_MIN), &name);
    cr_assert(cs_name_eq(&name, &told.root));
    cs_content_from_root(table, CS_CHUNK_MIN, &name, &from_root);
    cr_assert(cs_content_eq(&content, &from_root));
    cs_free(bytes);
}

Test(content, an_empty_file_is_one_empty_chunk)
{
    told_t told;
    cs_content_t content;
    hash(cs_slice(NULL, 0), &told, &content);
    cr_assert(told.chunks == 1 && told.lens[0] == 0 && told.roots == 1 && told.depth == 0);
}

Test(content, equal_bytes_are_cut_at_the_maximum)
{
    const size_t len = 3 * (size_t)CS_CHUNK_MAX + 5;
    uint8_t *bytes = cs_calloc(len, 1);
    told_t told;
    cs_content_t content;
    hash(cs_slice(bytes, len), &told, &content);
    cr_assert(told.chunks == 4 && told.lens[0] == CS_CHUNK_MAX && told.lens[3] == 5);
    cs_free(bytes);
}

Test(content, another_secret_cuts_elsewhere)
{
    const size_t len = 4u << 20;
    uint8_t *bytes = random_bytes(len);
    told_t mine, theirs;
    cs_content_t content;
    hash(cs_slice(bytes, len), &mine, &content);
    cs_chunker_table_destroy(&table);
    cs_keys_t keys;
    uint8_t secret[CS_SECRET_BYTES] = {1};
    cs_keys_derive(&keys, secret);
    table = cs_chunker_table_new(&keys);
    hash(cs_slice(bytes, len), &theirs, &content);
    cr_assert(mine.lens[0] != theirs.lens[0]);
    cr_assert(!cs_name_eq(&mine.root, &theirs.root));
    cs_free(bytes);
}

Test(content, small_is_what_travels_whole)
{
    cr_assert(
        cs_content_is_small(&(cs_content_t){.kind = CS_KIND_FILE, .size = CS_CHUNK_MIN - 1}));
    cr_assert(
        !cs_content_is_small(&(cs_content_t){.kind = CS_KIND_FILE, .size = CS_CHUNK_MIN}));
    cr_assert(cs_content_is_small(&(cs_content_t){.kind = CS_KIND_SYMLINK, .size = 9}));
    cr_assert(!cs_content_is_small(&(cs_content_t){.kind = CS_KIND_DIR}));
}
