/* hashed.c - see hashed.h. */
#include "support/hashed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/prng.h"
#include "io/fs_linux.h"
#include "sim/mem_store.h"
#include "support/folder.h"

static void must(bool ok)
{
    if (!ok) abort();
}

static void on_row(void *arg, cs_slice_t key, cs_slice_t value)
{
    cs_batch_put(arg, key, value);
}

void test_hashed_init(test_hashed_t *folder)
{
    *folder = (test_hashed_t){.dir = cs_test_dir_new(), .store = cs_mem_store_new()};
    cs_test_mkdir(folder->dir, CS_PRIVATE_DIR "/tmp");
    must(cs_fs_linux_open(folder->dir, &folder->fs) == CS_OK);
    uint8_t secret[CS_SECRET_BYTES] = {4};
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    folder->table = cs_chunker_table_new(&keys);
    folder->view = (cs_rows_view_t){.store = folder->store, .folder = TEST_FOLDER};
    folder->rows = cs_content_rows_new(TEST_FOLDER, &folder->batch, on_row);
}

void test_hashed_fini(test_hashed_t *folder)
{
    cs_content_rows_destroy(&folder->rows);
    cs_batch_fini(&folder->batch);
    cs_chunker_table_destroy(&folder->table);
    cs_store_close(&folder->store);
    folder->fs->ops->close_fs(&folder->fs);
    cs_test_dir_remove(&folder->dir);
}

void test_hashed_write(test_hashed_t *folder, const char *path, cs_slice_t bytes)
{
    const cs_fs_ops_t *ops = folder->fs->ops;
    cs_err_t err = ops->unlink(folder->fs, cs_slice_text(path));
    must(err == CS_OK || err == CS_ERR_NOT_FOUND);
    cs_file_t *file = NULL;
    must(ops->create(folder->fs, cs_slice_text(path), &file) == CS_OK);
    must(ops->write(file, 0, bytes.data, bytes.len) == CS_OK);
    ops->close(&file);
}

void test_hashed_record(test_hashed_t *folder, const char *path, const cs_content_t *content)
{
    cs_buf_t key = {0};
    cs_buf_put_u32_be(&key, TEST_FOLDER);
    cs_buf_put(&key, "h/", 2);
    cs_buf_put(&key, content->hash, 16);
    cs_buf_put_slice(&key, cs_slice_text(path));
    cs_batch_put(&folder->batch, cs_buf_slice(&key), cs_slice(NULL, 0));
    cs_buf_fini(&key);
    must(cs_store_write(folder->store, &folder->batch, false) == CS_OK);
    cs_batch_clear(&folder->batch);
}

void test_hashed_add(test_hashed_t *folder, const char *path, cs_slice_t bytes,
                     cs_content_t *ret)
{
    test_hashed_write(folder, path, bytes);
    cs_content_hasher_t *hasher = cs_content_hasher_new(folder->table);
    cs_content_hasher_begin(hasher, cs_content_rows_begin(folder->rows));
    cs_content_hasher_update(hasher, bytes);
    cs_content_hasher_end(hasher, ret);
    cs_content_rows_end(folder->rows);
    cs_content_hasher_destroy(&hasher);
    test_hashed_record(folder, path, ret);
}

bool test_hashed_is(test_hashed_t *folder, const char *path, cs_slice_t bytes)
{
    const cs_fs_ops_t *ops = folder->fs->ops;
    cs_file_t *file = NULL;
    if (ops->open_read(folder->fs, cs_slice_text(path), &file) != CS_OK) return false;
    uint8_t *found = cs_malloc(bytes.len + 1);
    size_t len = 0, got = 1;
    while (len <= bytes.len && got > 0) {
        must(ops->read(file, len, found + len, bytes.len + 1 - len, &got) == CS_OK);
        len += got;
    }
    bool same = len == bytes.len && (len == 0 || memcmp(found, bytes.data, len) == 0);
    cs_free(found);
    ops->close(&file);
    return same;
}

uint8_t *test_random_bytes(uint64_t seed, size_t len)
{
    cs_prng_t prng;
    cs_prng_init(&prng, seed);
    uint8_t *bytes = cs_malloc(len);
    cs_prng_fill(&prng, bytes, len);
    return bytes;
}
