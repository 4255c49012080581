/* leveldb_internal.h - what opening and using a LevelDB store share. */
#ifndef CS_IO_LEVELDB_INTERNAL_H
#define CS_IO_LEVELDB_INTERNAL_H

#include <leveldb/c.h>
#include <pthread.h>
#include <sys/types.h>

#include "io/leveldb_store.h"

typedef struct cs_ldb_moment cs_ldb_moment_t; /* leveldb_moment.c */

typedef struct cs_ldb {
    cs_store_t base;
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *bloom;
    leveldb_readoptions_t *read_options; /* of the newest state */
    leveldb_writeoptions_t *sync_options, *async_options;
    _Atomic cs_err_t err; /* the first that makes the store of no use; any thread */
    pthread_mutex_t moments_lock;
    cs_ldb_moment_t *moments;  /* of all snapshots */
    const cs_batch_t *writing; /* on its way into the database, or NULL */
    dev_t dev;
    ino_t ino;           /* with dev: identifies the directory */
    struct cs_ldb *next; /* in open_stores */
} cs_ldb_t;

extern const cs_store_ops_t cs__ldb_ops;

/* LevelDB's message as our error. */
cs_err_t cs__ldb_translate(const char *text);

/* Of an iterator, which owns what part() gives. */
cs_err_t cs__ldb_iter_error(cs_ldb_t *ldb, const leveldb_iterator_t *iter);
cs_slice_t cs__ldb_iter_slice(const leveldb_iterator_t *iter,
                              const char *(*part)(const leveldb_iterator_t *, size_t *));

/* --- snapshots; any thread */
cs_snapshot_t *cs__ldb_snapshot(cs_store_t *store);
void cs__ldb_release(cs_store_t *store, cs_snapshot_t **snapshot_p);
cs_ldb_moment_t *cs__ldb_moment_of(const cs_snapshot_t *snapshot);
/* Before a batch goes to LevelDB, and, with NULL, after it. */
void cs__ldb_moments_write(cs_ldb_t *ldb, const cs_batch_t *batch);
/* True: a row of this key that was read before is the one of that moment. */
bool cs__ldb_moment_unchanged(cs_ldb_t *ldb, cs_ldb_moment_t *moment, cs_slice_t key);
cs_err_t cs__ldb_moment_get(cs_ldb_t *ldb, cs_ldb_moment_t *moment, cs_slice_t key,
                            cs_buf_t *ret);
/* At most CS_SNAPSHOT_ITERS are lent at a time. */
leveldb_iterator_t *cs__ldb_moment_borrow(cs_ldb_moment_t *moment);
void cs__ldb_moment_give_back(cs_ldb_moment_t *moment, leveldb_iterator_t *iter);

/* snapshot may be NULL. */
leveldb_readoptions_t *cs__ldb_read_options_new(const leveldb_snapshot_t *snapshot);

void cs__ldb_close(cs_store_t **store_p);

#endif
