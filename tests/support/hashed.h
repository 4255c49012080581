/* hashed.h - a real folder whose files were hashed into a store: what serving and local copies
 * need. */
#ifndef CS_TESTS_SUPPORT_HASHED_H
#define CS_TESTS_SUPPORT_HASHED_H

#include "disk/fs.h"
#include "xfer/rows.h"

#define TEST_FOLDER 7u

typedef struct test_hashed {
    char *dir;
    cs_fs_t *fs;
    cs_store_t *store;
    cs_chunker_table_t *table;
    cs_rows_view_t view;
    cs_content_rows_t *rows;
    cs_batch_t batch;
} test_hashed_t;

void test_hashed_init(test_hashed_t *folder);
void test_hashed_fini(test_hashed_t *folder);

/* Replaces the file at path. */
void test_hashed_write(test_hashed_t *folder, const char *path, cs_slice_t bytes);
/* Writes, hashes, and records the rows a scan would leave. */
void test_hashed_add(test_hashed_t *folder, const char *path, cs_slice_t bytes,
                     cs_content_t *ret);
void test_hashed_record(test_hashed_t *folder, const char *path, const cs_content_t *content);
/* True if the file has these bytes. */
bool test_hashed_is(test_hashed_t *folder, const char *path, cs_slice_t bytes);

/* Reproducible; cs_free it. */
uint8_t *test_random_bytes(uint64_t seed, size_t len);

#endif
