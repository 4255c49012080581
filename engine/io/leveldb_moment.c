/* leveldb_moment.c - snapshots: the iterators of one moment, and what was written since.
 *
 * A snapshot is nothing but iterators of one moment: they keep their tables, and compactions
 * need not know of them. For a snapshot of LevelDB's own they would keep each row that was
 * changed since in two versions, which may come to lie in two tables of one level; and then, up
 * to version 1.23 at least, a compaction into that level may take the newer one alone. If that
 * is a deletion, it is dropped, and the row is there again (the fix of google/leveldb #320 sees
 * to the level above only). tests/contract/leveldb_deleted_test.c.
 *
 * But an iterator has to look into every table that may have a key, while a look-up asks the
 * tables' Bloom filters first, in a tenth of the time (bench_recon). So rows are looked up as
 * they are now, and by the iterator only where they may have been written since: for each
 * snapshot a table of bits says which were, by hash. */
#include <pthread.h>
#include <xxhash.h>

#include "base/mem.h"
#include "io/leveldb_internal.h"

/* A power of two, for 4 KiB a snapshot. What shares its bit with a changed row is looked up the
 * long way; an exchange sees hundreds of changes go by, seldom thousands. */
#define CHANGED_BITS 32768u

struct cs_ldb_moment {
    pthread_mutex_t lock; /* of the iterators */
    leveldb_iterator_t *get;
    leveldb_iterator_t *iter[CS_SNAPSHOT_ITERS]; /* NULL: lent */
    /* by the store's moments_lock: */
    uint64_t changed[CHANGED_BITS / 64];
    cs_ldb_moment_t *next; /* in ldb->moments */
};

typedef struct cs_ldb_snapshot {
    cs_ldb_moment_t *moment;
} cs_ldb_snapshot_t;

cs_ldb_moment_t *cs__ldb_moment_of(const cs_snapshot_t *snapshot)
{
    return ((const cs_ldb_snapshot_t *)snapshot)->moment;
}

/* --- what was written since */

static uint64_t *word_of(cs_ldb_moment_t *moment, cs_slice_t key, uint64_t *ret_bit)
{
    uint64_t at = XXH64(key.data, key.len, 0) % CHANGED_BITS;
    *ret_bit = UINT64_C(1) << (at % 64);
    return &moment->changed[at / 64];
}

static void mark(void *arg, cs_slice_t key)
{
    uint64_t bit;
    uint64_t *word = word_of(arg, key, &bit);
    *word |= bit;
}

static void mark_put(void *arg, cs_slice_t key, cs_slice_t value)
{
    (void)value;
    mark(arg, key);
}

void cs__ldb_moments_write(cs_ldb_t *ldb, const cs_batch_t *batch)
{
    pthread_mutex_lock(&ldb->moments_lock);
    ldb->writing = batch;
    for (cs_ldb_moment_t *at = ldb->moments; at != NULL && batch != NULL; at = at->next) {
        cs_batch_each(batch, at, mark_put, mark);
    }
    pthread_mutex_unlock(&ldb->moments_lock);
}

bool cs__ldb_moment_unchanged(cs_ldb_t *ldb, cs_ldb_moment_t *moment, cs_slice_t key)
{
    uint64_t bit;
    const uint64_t *word = word_of(moment, key, &bit);
    pthread_mutex_lock(&ldb->moments_lock);
    bool ret = (*word & bit) == 0;
    pthread_mutex_unlock(&ldb->moments_lock);
    return ret;
}

/* From here on what is written is marked. A batch on its way may come before this moment or
 * after it. */
static void begin_marking(cs_ldb_t *ldb, cs_ldb_moment_t *moment)
{
    pthread_mutex_lock(&ldb->moments_lock);
    moment->next = ldb->moments;
    ldb->moments = moment;
    if (ldb->writing != NULL) cs_batch_each(ldb->writing, moment, mark_put, mark);
    pthread_mutex_unlock(&ldb->moments_lock);
}

static void end_marking(cs_ldb_t *ldb, cs_ldb_moment_t *moment)
{
    pthread_mutex_lock(&ldb->moments_lock);
    cs_ldb_moment_t **at = &ldb->moments;
    while (*at != moment) {
        at = &(*at)->next;
    }
    *at = moment->next;
    pthread_mutex_unlock(&ldb->moments_lock);
}

/* --- its iterators */

/* All of them see what there is now: a snapshot of LevelDB's lasts until they are made, within
 * which nothing is written and flushed and compacted. */
cs_snapshot_t *cs__ldb_snapshot(cs_store_t *store)
{
    cs_ldb_t *ldb = (cs_ldb_t *)store;
    cs_ldb_moment_t *moment = cs_calloc(1, sizeof *moment);
    cs_ldb_snapshot_t *own = cs_malloc(sizeof *own);
    own->moment = moment;
    (void)pthread_mutex_init(&moment->lock, NULL);
    begin_marking(ldb, moment);
    const leveldb_snapshot_t *now = leveldb_create_snapshot(ldb->db);
    leveldb_readoptions_t *options = cs__ldb_read_options_new(now);
    moment->get = leveldb_create_iterator(ldb->db, options);
    for (size_t i = 0; i < CS_SNAPSHOT_ITERS; i++) {
        moment->iter[i] = leveldb_create_iterator(ldb->db, options);
    }
    leveldb_release_snapshot(ldb->db, now);
    leveldb_readoptions_destroy(options);
    return (cs_snapshot_t *)own;
}

void cs__ldb_release(cs_store_t *store, cs_snapshot_t **snapshot_p)
{
    cs_ldb_snapshot_t *own = (cs_ldb_snapshot_t *)*snapshot_p;
    *snapshot_p = NULL;
    if (own == NULL) return;
    cs_ldb_moment_t *moment = own->moment;
    end_marking((cs_ldb_t *)store, moment);
    for (size_t i = 0; i < CS_SNAPSHOT_ITERS; i++) {
        CS_ASSERT(moment->iter[i] != NULL); /* none is open */
        leveldb_iter_destroy(moment->iter[i]);
    }
    leveldb_iter_destroy(moment->get);
    pthread_mutex_destroy(&moment->lock);
    cs_free(moment);
    cs_free(own);
}

cs_err_t cs__ldb_moment_get(cs_ldb_t *ldb, cs_ldb_moment_t *moment, cs_slice_t key,
                            cs_buf_t *ret)
{
    cs_err_t err = CS_ERR_NOT_FOUND;
    cs_buf_clear(ret);
    pthread_mutex_lock(&moment->lock);
    leveldb_iter_seek(moment->get, (const char *)key.data, key.len);
    if (!leveldb_iter_valid(moment->get)) {
        cs_err_t failed = cs__ldb_iter_error(ldb, moment->get);
        if (failed != CS_OK) err = failed;
    } else if (cs_slice_eq(cs__ldb_iter_slice(moment->get, leveldb_iter_key), key)) {
        cs_buf_put_slice(ret, cs__ldb_iter_slice(moment->get, leveldb_iter_value));
        err = CS_OK;
    }
    pthread_mutex_unlock(&moment->lock);
    return err;
}

leveldb_iterator_t *cs__ldb_moment_borrow(cs_ldb_moment_t *moment)
{
    leveldb_iterator_t *ret = NULL;
    pthread_mutex_lock(&moment->lock);
    for (size_t i = 0; i < CS_SNAPSHOT_ITERS && ret == NULL; i++) {
        ret = moment->iter[i];
        moment->iter[i] = NULL;
    }
    pthread_mutex_unlock(&moment->lock);
    CS_ASSERT(ret != NULL);
    return ret;
}

void cs__ldb_moment_give_back(cs_ldb_moment_t *moment, leveldb_iterator_t *iter)
{
    size_t i = 0;
    pthread_mutex_lock(&moment->lock);
    while (moment->iter[i] != NULL) {
        i++;
    }
    moment->iter[i] = iter;
    pthread_mutex_unlock(&moment->lock);
}
