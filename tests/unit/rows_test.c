/* rows_test.c - rows of hashed files: chunks, nodes and roots are found again, and swept when
 * due. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "base/seal.h"
#include "sim/mem_store.h"
#include "xfer/rows.h"

#define FOLDER 7u
#define BYTES  (3u << 20)

static cs_chunker_table_t *table;
static cs_store_t *store;
static cs_rows_view_t view;
static cs_content_rows_t *rows;
static cs_batch_t batch;
static uint8_t *bytes;

static void on_row(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_batch_put(arg, key, value);
}

static void set_up(void)
{
    uint8_t secret[CS_SECRET_BYTES] = {3};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    table = cs_chunker_table_new(&keys);
    store = cs_mem_store_new();
    view = (cs_rows_view_t){.store = store, .folder = FOLDER};
    rows = cs_content_rows_new(FOLDER, &batch, on_row);
    bytes = cs_malloc(BYTES);
    cs_prng_t prng;
    cs_prng_init(&prng, 5);
    cs_prng_fill(&prng, bytes, BYTES);
}

static void tear_down(void)
{
    cs_free(bytes);
    cs_content_rows_destroy(&rows);
    cs_batch_fini(&batch);
    cs_store_close(&store);
    cs_chunker_table_destroy(&table);
}

TestSuite(rows, .init = set_up, .fini = tear_down);

static void commit(void)
{
    cr_assert(cs_store_write(store, &batch, false) == CS_OK);
    cs_batch_clear(&batch);
}

static void path_key(const cs_content_t *content, const char *path, cs_buf_t *ret)
{
    cs_buf_put_u32_be(ret, FOLDER);
    cs_buf_put(ret, "h/", 2);
    cs_buf_put(ret, content->hash, 16);
    cs_buf_put_slice(ret, cs_slice_text(path));
}

static void on_disk(const cs_content_t *content, const char *path, bool there)
{
    cs_buf_t key = {0};
    path_key(content, path, &key);
    if (there) cs_batch_put(&batch, cs_buf_slice(&key), cs_slice(NULL, 0));
    if (!there) cs_batch_delete(&batch, cs_buf_slice(&key));
    cs_buf_fini(&key);
    commit();
}

static void hash(cs_slice_t whole, cs_content_t *ret)
{
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_hasher_begin(hasher, cs_content_rows_begin(rows));
    cs_content_hasher_update(hasher, whole);
    cs_content_hasher_end(hasher, ret);
    cs_content_rows_end(rows);
    cs_content_hasher_destroy(&hasher);
    commit();
}

static size_t row_count(void)
{
    size_t count = 0;
    cs_iter_t *iter = cs_store_iter(store, NULL);
    for (cs_iter_seek(iter, cs_slice(NULL, 0)); cs_iter_valid(iter); cs_iter_next(iter)) {
        count++;
    }
    cs_iter_destroy(&iter);
    return count;
}

/* A full pass, a few rows at a time. */
static void sweep(void)
{
    cs_buf_t cursor = {0};
    do {
        cr_assert(cs_rows_sweep(&view, 5, &cursor, &batch) == CS_OK);
    } while (cursor.len > 0);
    cs_buf_fini(&cursor);
    commit();
}

typedef struct found {
    size_t count;
    cs_chunk_place_t place[8];
    size_t stop_after;
} found_t;

static bool on_place(void *arg, const cs_chunk_place_t *place)
{
    found_t *found = arg;
    found->place[found->count++] = *place;
    return found->count != found->stop_after;
}

/* Every chunk of `node` is found where its bytes are. */
static void check_leaf(const cs_content_t *content, cs_slice_t node, const uint8_t *whole)
{
    cs_reader_t reader = cs_reader(node);
    uint64_t offset = 0;
    while (cs_reader_left(&reader) > 0) {
        uint32_t len = cs_read_u32(&reader);
        cs_name_t name, again;
        cs_read_copy(&reader, name.b, sizeof name.b);
        found_t found = {0};
        cr_assert(cs_rows_places(&view, &name, &found, on_place) == CS_OK);
        cr_assert(found.count == 1);
        cr_assert(found.place[0].offset == offset && found.place[0].len == len);
        cr_assert(memcmp(found.place[0].hash, content->hash, CS_HASH_BYTES) == 0);
        cs_chunk_name(table, cs_slice(whole + offset, len), &again);
        cr_assert(cs_name_eq(&name, &again));
        offset += len;
    }
    cr_assert(offset == content->size);
}

Test(rows, lead_from_chunks_to_contents)
{
    cs_content_t content;
    hash(cs_slice(bytes, BYTES), &content);
    cs_content_map_t map;
    cr_assert(cs_rows_map(&view, content.hash, &map) == CS_OK);
    cr_assert(map.size == BYTES && map.depth == 1);
    cs_buf_t node = {0};
    cr_assert(cs_rows_node(&view, &map.root, &node) == CS_OK);
    cs_name_t name;
    cs_node_name(table, cs_buf_slice(&node), &name);
    cr_assert(cs_name_eq(&name, &map.root));
    check_leaf(&content, cs_buf_slice(&node), bytes);
    cs_buf_fini(&node);
}

Test(rows, of_a_single_chunk)
{
    cs_content_t content;
    hash(cs_slice(bytes, CS_CHUNK_MIN), &content);
    cs_content_map_t map;
    cr_assert(cs_rows_map(&view, content.hash, &map) == CS_OK);
    cr_assert(map.size == CS_CHUNK_MIN && map.depth == 0);
    found_t found = {0};
    cr_assert(cs_rows_places(&view, &map.root, &found, on_place) == CS_OK);
    cr_assert(found.count == 1 && found.place[0].offset == 0);
    cr_assert(row_count() == 3);
}

Test(rows, small_files_have_none)
{
    cs_content_t content;
    hash(cs_slice(bytes, CS_CHUNK_MIN - 1), &content);
    hash(cs_slice(bytes, 0), &content);
    cr_assert(row_count() == 0);
    cs_content_map_t map;
    cr_assert(cs_rows_map(&view, content.hash, &map) == CS_ERR_NOT_FOUND);
}

Test(rows, a_chunk_of_two_files_is_found_in_both)
{
    cs_content_t one, two;
    hash(cs_slice(bytes, BYTES), &one);
    hash(cs_slice(bytes, BYTES - 1), &two); /* differs in the last chunk */
    cs_content_map_t map;
    cr_assert(cs_rows_map(&view, one.hash, &map) == CS_OK);
    cs_buf_t node = {0};
    cr_assert(cs_rows_node(&view, &map.root, &node) == CS_OK);
    cs_name_t first;
    memcpy(first.b, node.data + 4, sizeof first.b);
    cs_buf_fini(&node);
    found_t found = {0};
    cr_assert(cs_rows_places(&view, &first, &found, on_place) == CS_OK);
    cr_assert(found.count == 2);
    cr_assert(memcmp(found.place[0].hash, found.place[1].hash, CS_HASH_BYTES) != 0);
    found = (found_t){.stop_after = 1};
    cr_assert(cs_rows_places(&view, &first, &found, on_place) == CS_OK);
    cr_assert(found.count == 1);
}

static bool on_path(void *arg, cs_slice_t path)
{
    cs_buf_put_slice(arg, path);
    cs_buf_put_u8(arg, ';');
    return true;
}

Test(rows, paths_of_a_content)
{
    cs_content_t content, other;
    hash(cs_slice(bytes, BYTES), &content);
    hash(cs_slice(bytes, BYTES - 5), &other);
    on_disk(&content, "b", true);
    on_disk(&content, "a/x", true);
    on_disk(&other, "c", true);
    cs_buf_t paths = {0};
    cr_assert(cs_rows_paths(&view, content.hash, &paths, on_path) == CS_OK);
    cr_assert(cs_slice_eq(cs_buf_slice(&paths), cs_slice_text("a/x;b;")));
    cs_buf_fini(&paths);
}

Test(rows, the_sweep_keeps_what_is_on_disk)
{
    cs_content_t kept, dropped;
    hash(cs_slice(bytes, BYTES), &kept);
    on_disk(&kept, "kept", true);
    size_t before = row_count();
    hash(cs_slice(bytes, BYTES / 2), &dropped);
    on_disk(&dropped, "dropped", true);
    size_t both = row_count();
    sweep();
    cr_assert(row_count() == both);
    on_disk(&dropped, "dropped", false);
    sweep();
    sweep(); /* what hung on rows that went in the first pass */
    cr_assert(row_count() == before);
    on_disk(&kept, "kept", false);
    sweep();
    sweep();
    cr_assert(row_count() == 0);
}

Test(rows, without_an_end_nothing_is_reachable)
{
    cs_content_t content;
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_hasher_begin(hasher, cs_content_rows_begin(rows));
    cs_content_hasher_update(hasher, cs_slice(bytes, BYTES));
    cs_content_rows_end(rows); /* given up half-way */
    cs_content_hasher_end(hasher, &content);
    cs_content_hasher_destroy(&hasher);
    commit();
    cs_content_map_t map;
    cr_assert(cs_rows_map(&view, content.hash, &map) == CS_ERR_NOT_FOUND);
    sweep();
    cr_assert(row_count() == 0);
}

Test(rows, damage_is_told)
{
    cs_content_t content;
    hash(cs_slice(bytes, CS_CHUNK_MIN), &content);
    cs_content_map_t map;
    cr_assert(cs_rows_map(&view, content.hash, &map) == CS_OK);
    cs_buf_t key = {0};
    cs_buf_put_u32_be(&key, FOLDER);
    cs_buf_put(&key, "r/", 2);
    cs_buf_put(&key, content.hash, 16);
    cs_batch_put(&batch, cs_buf_slice(&key), cs_slice_text("not a sealed value"));
    commit();
    cs_buf_fini(&key);
    cr_assert(cs_rows_map(&view, content.hash, &map) == CS_ERR_CORRUPT);
}
