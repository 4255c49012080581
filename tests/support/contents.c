/* contents.c - see contents.h. */
#include "support/contents.h"

#include <string.h>

#include "base/mem.h"
#include "xfer/list.h"

#define POOL 16u

static void blob_add(test_blob_t **list, size_t *count, const cs_name_t *name,
                     const void *bytes, size_t len)
{
    for (size_t i = 0; i < *count; i++) {
        if (cs_name_eq(&(*list)[i].name, name)) return;
    }
    *list = cs_realloc_array(*list, *count + 1, sizeof **list);
    (*list)[(*count)++] =
        (test_blob_t){.name = *name, .bytes = cs_memdup(bytes, len), .len = len};
}

static void chunk_add(test_contents_t *all, const void *bytes, size_t len, cs_name_t *ret)
{
    cs_chunk_name(all->table, cs_slice(bytes, len), ret);
    blob_add(&all->chunk, &all->chunks, ret, bytes, len);
}

/* Half of the pool ends a leaf: names whose last byte is zero, found by trying. */
static void fill_pool(test_contents_t *all)
{
    uint8_t *bytes = cs_malloc(CS_CHUNK_MIN);
    while (all->chunks < POOL) {
        bool ends = all->chunks % 2 == 0;
        cs_name_t name;
        cs_prng_fill(&all->prng, bytes, CS_CHUNK_MIN);
        do {
            cs_prng_fill(&all->prng, bytes, 16);
            cs_chunk_name(all->table, cs_slice(bytes, CS_CHUNK_MIN), &name);
        } while ((name.b[CS_HASH_BYTES - 1] == 0) != ends);
        blob_add(&all->chunk, &all->chunks, &name, bytes, CS_CHUNK_MIN);
    }
    all->pool = all->chunks;
    cs_free(bytes);
}

void test_contents_init(test_contents_t *all, uint64_t seed)
{
    *all = (test_contents_t){0};
    cs_prng_init(&all->prng, seed);
    uint8_t secret[CS_SECRET_BYTES] = {9};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    all->table = cs_chunker_table_new(&keys);
    fill_pool(all);
}

static void blobs_fini(test_blob_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cs_free(list[i].bytes);
    }
    cs_free(list);
}

void test_contents_fini(test_contents_t *all)
{
    blobs_fini(all->chunk, all->chunks);
    blobs_fini(all->node, all->nodes);
    for (size_t i = 0; i < all->count; i++) {
        cs_free(all->content[i].bytes);
    }
    cs_free(all->content);
    cs_chunker_table_destroy(&all->table);
}

static test_content_t *content_add(test_contents_t *all, size_t len)
{
    all->content = cs_realloc_array(all->content, all->count + 1, sizeof all->content[0]);
    test_content_t *content = &all->content[all->count++];
    *content = (test_content_t){.bytes = cs_malloc(len)};
    cs_prng_fill(&all->prng, content->bytes, len);
    return content;
}

static size_t of_kind(test_contents_t *all, cs_kind_t kind, size_t len)
{
    test_content_t *content = content_add(all, len);
    cs_content_of(all->table, kind, cs_slice(content->bytes, len), &content->id);
    for (size_t i = 0; i + 1 < all->count; i++) { /* a set: few bytes are soon there twice */
        if (!cs_content_eq(&all->content[i].id, &content->id)) continue;
        cs_free(content->bytes);
        all->count--;
        return i;
    }
    return all->count - 1;
}

size_t test_contents_small(test_contents_t *all, size_t len)
{
    return of_kind(all, CS_KIND_FILE, len);
}

size_t test_contents_link(test_contents_t *all, size_t len)
{
    return of_kind(all, CS_KIND_SYMLINK, len);
}

size_t test_contents_chunk(test_contents_t *all, size_t len)
{
    test_content_t *content = content_add(all, len);
    chunk_add(all, content->bytes, len, &content->root);
    cs_content_from_root(all->table, len, &content->root, &content->id);
    return all->count - 1;
}

static void on_node(void *arg, const cs_name_t *name, cs_slice_t bytes)
{
    test_contents_t *all = arg;
    blob_add(&all->node, &all->nodes, name, bytes.data, bytes.len);
}

size_t test_contents_large(test_contents_t *all, size_t chunks, size_t per_leaf)
{
    const size_t tail = 1000;
    size_t len = chunks * CS_CHUNK_MIN + tail;
    test_content_t *content = content_add(all, len);
    cs_list_t list = {0};
    cs_list_begin(&list, all->table, all, on_node);
    for (size_t i = 0; i < chunks; i++) {
        bool ends = (i + 1) % per_leaf == 0;
        size_t pick = 2 * (size_t)cs_prng_below(&all->prng, POOL / 2) + (ends ? 0 : 1);
        memcpy(content->bytes + i * CS_CHUNK_MIN, all->chunk[pick].bytes, CS_CHUNK_MIN);
        cs_list_add(&list, CS_CHUNK_MIN, &all->chunk[pick].name);
    }
    cs_name_t last;
    chunk_add(all, content->bytes + len - tail, tail, &last);
    cs_list_add(&list, (uint32_t)tail, &last);
    content->depth = cs_list_end(&list, &content->root);
    cs_list_fini(&list);
    cs_content_from_root(all->table, len, &content->root, &content->id);
    return all->count - 1;
}

const test_content_t *test_contents_find(const test_contents_t *all, const uint8_t *hash)
{
    for (size_t i = 0; i < all->count; i++) {
        if (memcmp(all->content[i].id.hash, hash, CS_HASH_BYTES) == 0) return &all->content[i];
    }
    return NULL;
}

static const test_blob_t *named(const test_blob_t *list, size_t count, const cs_name_t *name)
{
    for (size_t i = 0; i < count; i++) {
        if (cs_name_eq(&list[i].name, name)) return &list[i];
    }
    return NULL;
}

const test_blob_t *test_contents_chunk_named(const test_contents_t *all, const cs_name_t *name)
{
    return named(all->chunk, all->chunks, name);
}

const test_blob_t *test_contents_node_named(const test_contents_t *all, const cs_name_t *name)
{
    return named(all->node, all->nodes, name);
}
