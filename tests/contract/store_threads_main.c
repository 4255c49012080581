/* store_threads_main.c - readers with snapshots of their own while one thread writes (LevelDB).
 *
 * Every batch gives all rows the same number, so a snapshot that shows two numbers has seen
 * half a batch. A plain program, as ThreadSanitizer does not work under Criterion. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/leveldb_store.h"
#include "support/support.h"

#define READERS 3
#define ROWS    200u
#define BATCHES 600u

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

/* Asked by ThreadSanitizer at start. Debian's LevelDB is not instrumented, so its atomics,
 * which order its own memcpy and memcmp, are not seen. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libleveldb.so\nrace:libleveldb.so\n";
}

typedef struct shared {
    cs_store_t *store;
    atomic_bool done;
} shared_t;

static void write_rows(cs_store_t *store, uint32_t number, bool sync)
{
    cs_batch_t batch = {0};
    cs_buf_t key = {0};
    for (uint32_t row = 0; row < ROWS; row++) {
        cs_buf_clear(&key);
        cs_buf_put_u32_be(&key, row);
        cs_batch_put(&batch, cs_buf_slice(&key), cs_slice(&number, sizeof number));
    }
    CHECK(cs_store_write(store, &batch, sync) == CS_OK);
    cs_buf_fini(&key);
    cs_batch_fini(&batch);
}

static uint32_t number_of(cs_slice_t value)
{
    uint32_t number;
    CHECK(value.len == sizeof number);
    memcpy(&number, value.data, sizeof number);
    return number;
}

/* All rows of the snapshot bear this number. */
static uint32_t read_rows(cs_store_t *store)
{
    cs_snapshot_t *snapshot = cs_store_snapshot(store);
    cs_iter_t *iter = cs_store_iter(store, snapshot);
    cs_iter_seek(iter, cs_slice(NULL, 0));
    CHECK(cs_iter_valid(iter));
    uint32_t number = number_of(cs_iter_value(iter)), rows = 0;
    for (; cs_iter_valid(iter); cs_iter_next(iter), rows++) {
        CHECK(number_of(cs_iter_value(iter)) == number);
    }
    CHECK(cs_iter_err(iter) == CS_OK);
    CHECK(rows == ROWS);
    cs_iter_destroy(&iter);

    /* All of them are written all the time: a look-up must not find what came later. */
    cs_buf_t value = {0}, key = {0};
    for (uint32_t row = 0; row < ROWS; row++) {
        cs_buf_clear(&key);
        cs_buf_put_u32_be(&key, row);
        CHECK(cs_store_get(store, snapshot, cs_buf_slice(&key), &value) == CS_OK);
        CHECK(number_of(cs_buf_slice(&value)) == number);
    }
    cs_buf_fini(&value);
    cs_buf_fini(&key);
    cs_store_release(store, &snapshot);
    return number;
}

static void *reader_main(void *arg)
{
    shared_t *shared = arg;
    uint32_t newest = 0;
    while (!atomic_load(&shared->done)) {
        uint32_t number = read_rows(shared->store);
        CHECK(number >= newest);
        newest = number;
    }
    return NULL;
}

int main(void)
{
    tmp_t tmp = tmp_new();
    char path[sizeof tmp.path + 4];
    snprintf(path, sizeof path, "%s/db", tmp.path);
    shared_t shared = {0};
    cs_buf_t detail = {0};
    CHECK(cs_leveldb_open(path, &shared.store, &detail) == CS_OK);
    write_rows(shared.store, 0, true);

    pthread_t readers[READERS];
    for (int i = 0; i < READERS; i++) {
        CHECK(pthread_create(&readers[i], NULL, reader_main, &shared) == 0);
    }
    for (uint32_t number = 1; number <= BATCHES; number++) {
        write_rows(shared.store, number, number % 50 == 0);
    }
    atomic_store(&shared.done, true);
    for (int i = 0; i < READERS; i++) {
        CHECK(pthread_join(readers[i], NULL) == 0);
    }
    CHECK(read_rows(shared.store) == BATCHES);
    cs_store_close(&shared.store);
    tmp_remove(&tmp);
    return 0;
}
