/* contents.h - made-up contents with their chunk lists in memory, for tests of transfers.
 *
 * Chunks are of 64 KiB and come from a small pool of pseudo-random ones, so that lists of any
 * depth are cheap: what is tested is who asks for what, not the chunker. */
#ifndef CS_TESTS_SUPPORT_CONTENTS_H
#define CS_TESTS_SUPPORT_CONTENTS_H

#include "base/prng.h"
#include "xfer/content.h"

typedef struct test_blob {
    cs_name_t name;
    uint8_t *bytes; /* owned */
    size_t len;
} test_blob_t;

typedef struct test_content {
    cs_content_t id;
    uint8_t *bytes; /* owned */
    cs_name_t root; /* large ones */
    uint32_t depth;
} test_content_t;

typedef struct test_contents {
    cs_chunker_table_t *table;
    cs_prng_t prng;
    test_content_t *content;
    size_t count;
    test_blob_t *chunk, *node; /* everything by name */
    size_t chunks, nodes;
    size_t pool; /* the first chunks are for any content */
} test_contents_t;

void test_contents_init(test_contents_t *all, uint64_t seed);
void test_contents_fini(test_contents_t *all);

/* Each returns the index of the new content. */
size_t test_contents_small(test_contents_t *all, size_t len);
size_t test_contents_link(test_contents_t *all, size_t len);
/* One chunk, CS_CHUNK_MIN <= len <= CS_CHUNK_MAX. */
size_t test_contents_chunk(test_contents_t *all, size_t len);
/* chunks of the pool, in leaves of about `per_leaf`, then a short chunk of its own. */
size_t test_contents_large(test_contents_t *all, size_t chunks, size_t per_leaf);

const test_content_t *test_contents_find(const test_contents_t *all, const uint8_t *hash);
const test_blob_t *test_contents_chunk_named(const test_contents_t *all, const cs_name_t *name);
const test_blob_t *test_contents_node_named(const test_contents_t *all, const cs_name_t *name);

#endif
