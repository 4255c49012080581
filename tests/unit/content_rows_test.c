/* content_rows_test.c - rows of chunked contents lead from a content to its bytes again. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/prng.h"
#include "disk/content_rows.h"
#include "sim/mem_store.h"

#define FOLDER 7u

static cs_store_t *store;
static cs_chunker_table_t *table;
static cs_batch_t batch;

static void put_row(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_batch_put(arg, key, value);
}

static void setup(void)
{
    uint8_t secret[CS_SECRET_BYTES] = {1};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    table = cs_chunker_table_new(&keys);
    store = cs_mem_store_new();
}

static void teardown(void)
{
    cs_batch_fini(&batch);
    cs_chunker_table_destroy(&table);
    cs_store_close(&store);
}

TestSuite(content_rows, .init = setup, .fini = teardown);

/* Hashes `len` random bytes into rows in the store. */
static cs_content_t hash(size_t len, uint8_t **ret_bytes)
{
    cs_prng_t prng;
    cs_prng_init(&prng, len);
    uint8_t *bytes = cs_malloc(len);
    cs_prng_fill(&prng, bytes, len);
    cs_row_maker_t maker = {.folder = FOLDER, .arg = &batch, .row = put_row};
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_sink_t sink = cs_row_maker_begin(&maker);
    cs_content_t content;
    cs_content_hasher_begin(hasher, &sink);
    cs_content_hasher_update(hasher, cs_slice(bytes, len));
    cs_content_hasher_end(hasher, &content);
    cs_row_maker_end(&maker);
    cs_row_maker_fini(&maker);
    cs_content_hasher_destroy(&hasher);
    cr_assert_eq(cs_store_write(store, &batch, false), CS_OK);
    *ret_bytes = bytes;
    return content;
}

Test(content_rows, a_single_chunk_leaves_no_rows)
{
    uint8_t *bytes;
    hash(1000, &bytes);
    cr_assert_eq(batch.count, 0);
    cs_free(bytes);
}

Test(content_rows, from_the_root_all_chunks_are_found_where_they_are)
{
    uint8_t *bytes;
    cs_content_t content = hash(2u << 20, &bytes);
    cs_name_t root, name;
    uint32_t depth = 0;
    cr_assert_eq(cs_root_get(store, NULL, FOLDER, &content, &root, &depth), CS_OK);
    cr_assert_geq(depth, 1);
    cs_buf_t node = {0};
    while (depth-- > 1) { /* the leftmost leaf */
        cr_assert_eq(cs_node_get(store, NULL, FOLDER, &root, &node), CS_OK);
        memcpy(root.b, node.data + 4, sizeof root.b);
    }
    cr_assert_eq(cs_node_get(store, NULL, FOLDER, &root, &node), CS_OK);
    cs_reader_t reader = cs_reader(cs_buf_slice(&node));
    uint64_t at = 0;
    while (cs_reader_left(&reader) > 0) {
        uint32_t len = cs_read_u32(&reader);
        cs_read_copy(&reader, name.b, sizeof name.b);
        cs_chunk_place_t place;
        cr_assert_eq(cs_chunk_get(store, NULL, FOLDER, &name, &place), CS_OK);
        cr_assert_eq(place.offset, at);
        cr_assert_eq(place.len, len);
        cr_assert_arr_eq(place.content, content.hash, CS_PLACE_BYTES);
        cs_name_t found;
        cs_chunk_name(table, cs_slice(bytes + place.offset, place.len), &found);
        cr_assert(cs_name_eq(&found, &name));
        at += len;
    }
    cr_assert_gt(at, 0);
    cs_buf_fini(&node);
    cs_free(bytes);
}

Test(content_rows, other_folders_sizes_and_damage_are_not_found)
{
    uint8_t *bytes;
    cs_content_t content = hash(1u << 20, &bytes);
    cs_free(bytes);
    cs_name_t root;
    uint32_t depth;
    cr_assert_eq(cs_root_get(store, NULL, FOLDER + 1, &content, &root, &depth),
                 CS_ERR_NOT_FOUND);
    content.size++;
    cr_assert_eq(cs_root_get(store, NULL, FOLDER, &content, &root, &depth), CS_ERR_NOT_FOUND);
    content.size--;
    cs_buf_t key = {0};
    cs_root_key(FOLDER, &content, &key);
    cs_batch_clear(&batch);
    cs_batch_put(&batch, cs_buf_slice(&key),
                 cs_slice_text("rotten bytes, far from a checksum"));
    cr_assert_eq(cs_store_write(store, &batch, false), CS_OK);
    cr_assert_eq(cs_root_get(store, NULL, FOLDER, &content, &root, &depth), CS_ERR_CORRUPT);
    cs_buf_fini(&key);
}
