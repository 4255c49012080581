/* leveldb_store.c - the calls of base/store.h, and the translation of errors. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "io/leveldb_internal.h"
#include "io/leveldb_mapped.h"

typedef struct cs_ldb_iter {
    cs_iter_t base;
    cs_ldb_t *ldb;
    leveldb_iterator_t *iter;
    cs_ldb_moment_t *of; /* whose it is; NULL: its own */
    bool moved;          /* it was somewhere else before */
} cs_ldb_iter_t;

/* LevelDB gives text only: "<class>: <file>: <strerror>". */
cs_err_t cs__ldb_translate(const char *text)
{
    static const struct {
        int error; /* of errno.h */
        cs_err_t err;
    } known[] = {
        {ENOSPC, CS_ERR_NOSPACE},  {EDQUOT, CS_ERR_NOSPACE}, {EROFS, CS_ERR_READ_ONLY},
        {EACCES, CS_ERR_DENIED},   {EPERM, CS_ERR_DENIED},   {EAGAIN, CS_ERR_BUSY},
        {ENOENT, CS_ERR_CORRUPT},  /* one of its files is missing, */
        {ENOTDIR, CS_ERR_CORRUPT}, /* CURRENT names nonsense, */
        {EINVAL, CS_ERR_CORRUPT},  /* or a table ends before its end */
    };

    if (strncmp(text, "IO error: ", 10) != 0) return CS_ERR_CORRUPT;
    if (strstr(text, "already held by process") != NULL) return CS_ERR_BUSY;
    for (size_t i = 0; i < CS_COUNT_OF(known); i++) {
        if (strstr(text, strerror(known[i].error)) != NULL) return known[i].err;
    }
    return CS_ERR_IO;
}

/* Translates and frees LevelDB's message; NULL is success. */
static cs_err_t take_error(char *text)
{
    if (text == NULL) return CS_OK;
    cs_err_t err = cs__ldb_translate(text);
    leveldb_free(text);
    return err;
}

/* Of a read: a row that is missing is no failure of the store. */
static cs_err_t take_read_error(cs_ldb_t *ldb, char *text)
{
    cs_err_t err = take_error(text), none = CS_OK;
    if (err != CS_OK) atomic_compare_exchange_strong(&ldb->err, &none, err);
    return err;
}

cs_err_t cs_leveldb_err(const cs_store_t *store)
{
    return atomic_load(&((const cs_ldb_t *)store)->err);
}

/* Blocks go to the cache also from iterators: most of ours are short seeks, and a block that is
 * read again is checked again. */
leveldb_readoptions_t *cs__ldb_read_options_new(const leveldb_snapshot_t *snapshot)
{
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    leveldb_readoptions_set_verify_checksums(options, 1);
    leveldb_readoptions_set_snapshot(options, snapshot);
    return options;
}

cs_err_t cs__ldb_iter_error(cs_ldb_t *ldb, const leveldb_iterator_t *iter)
{
    char *text = NULL;
    leveldb_iter_get_error(iter, &text);
    return take_read_error(ldb, text);
}

cs_slice_t cs__ldb_iter_slice(const leveldb_iterator_t *iter,
                              const char *(*part)(const leveldb_iterator_t *, size_t *))
{
    size_t len;
    const char *data = part(iter, &len);
    return cs_slice(data, len);
}

static cs_err_t get_newest(cs_ldb_t *ldb, cs_slice_t key, cs_buf_t *ret)
{
    char *text = NULL;
    size_t len = 0;
    char *value =
        leveldb_get(ldb->db, ldb->read_options, (const char *)key.data, key.len, &len, &text);
    cs_buf_clear(ret);
    cs__ldb_mapped_read(CS_LDB_LOOK_UP);
    if (text != NULL) return take_read_error(ldb, text);
    if (value == NULL) return CS_ERR_NOT_FOUND;
    cs_buf_put(ret, value, len);
    leveldb_free(value);
    return CS_OK;
}

/* First the row, then the mark: what was written before the row was read is marked by now. */
static cs_err_t ldb_get(cs_store_t *store, const cs_snapshot_t *snapshot, cs_slice_t key,
                        cs_buf_t *ret)
{
    cs_ldb_t *ldb = (cs_ldb_t *)store;
    cs_err_t err = get_newest(ldb, key, ret);
    if (snapshot == NULL || (err != CS_OK && err != CS_ERR_NOT_FOUND)) return err;
    cs_ldb_moment_t *moment = cs__ldb_moment_of(snapshot);
    if (cs__ldb_moment_unchanged(ldb, moment, key)) return err;
    return cs__ldb_moment_get(ldb, moment, key, ret);
}

static void batch_put(void *arg, cs_slice_t key, cs_slice_t value)
{
    leveldb_writebatch_put(arg, (const char *)key.data, key.len, (const char *)value.data,
                           value.len);
}

static void batch_delete(void *arg, cs_slice_t key)
{
    leveldb_writebatch_delete(arg, (const char *)key.data, key.len);
}

static cs_err_t ldb_write(cs_store_t *store, const cs_batch_t *batch, bool sync)
{
    cs_ldb_t *ldb = (cs_ldb_t *)store;
    cs_err_t err = atomic_load(&ldb->err);
    if (err != CS_OK) return err;

    char *text = NULL;
    leveldb_writebatch_t *packed = leveldb_writebatch_create();
    cs_batch_each(batch, packed, batch_put, batch_delete);
    cs__ldb_moments_write(ldb, batch);
    leveldb_write(ldb->db, sync ? ldb->sync_options : ldb->async_options, packed, &text);
    cs__ldb_moments_write(ldb, NULL);
    leveldb_writebatch_destroy(packed);
    err = take_error(text);
    if (err != CS_OK) atomic_store(&ldb->err, err);
    return err;
}

/* --- iterators */

static cs_iter_t *ldb_iter(cs_store_t *store, const cs_snapshot_t *snapshot)
{
    cs_ldb_t *ldb = (cs_ldb_t *)store;
    cs_ldb_iter_t *iter = cs_calloc(1, sizeof *iter);
    iter->base.ops = &cs__ldb_ops;
    iter->ldb = ldb;
    if (snapshot != NULL) iter->of = cs__ldb_moment_of(snapshot);
    iter->iter = iter->of != NULL ? cs__ldb_moment_borrow(iter->of)
                                  : leveldb_create_iterator(ldb->db, ldb->read_options);
    return &iter->base;
}

static void ldb_iter_seek(cs_iter_t *iter, cs_slice_t key)
{
    cs_ldb_iter_t *own = (cs_ldb_iter_t *)iter;
    own->moved = true;
    leveldb_iter_seek(own->iter, (const char *)key.data, key.len);
    cs__ldb_mapped_read(CS_LDB_LOOK_UP);
}

static void ldb_iter_next(cs_iter_t *iter)
{
    leveldb_iter_next(((cs_ldb_iter_t *)iter)->iter);
    cs__ldb_mapped_read(CS_LDB_STEP);
}

static bool ldb_iter_valid(const cs_iter_t *iter)
{
    const cs_ldb_iter_t *own = (const cs_ldb_iter_t *)iter;
    return own->moved && leveldb_iter_valid(own->iter) != 0;
}

static cs_slice_t ldb_iter_key(const cs_iter_t *iter)
{
    return cs__ldb_iter_slice(((const cs_ldb_iter_t *)iter)->iter, leveldb_iter_key);
}

static cs_slice_t ldb_iter_value(const cs_iter_t *iter)
{
    return cs__ldb_iter_slice(((const cs_ldb_iter_t *)iter)->iter, leveldb_iter_value);
}

static cs_err_t ldb_iter_err(const cs_iter_t *iter)
{
    const cs_ldb_iter_t *own = (const cs_ldb_iter_t *)iter;
    return cs__ldb_iter_error(own->ldb, own->iter);
}

static void ldb_iter_destroy(cs_iter_t **iter_p)
{
    cs_ldb_iter_t *iter = (cs_ldb_iter_t *)*iter_p;
    *iter_p = NULL;
    if (iter == NULL) return;
    if (iter->of != NULL) {
        cs__ldb_moment_give_back(iter->of, iter->iter);
    } else {
        leveldb_iter_destroy(iter->iter);
    }
    cs_free(iter);
}

const cs_store_ops_t cs__ldb_ops = {
    .get = ldb_get,
    .write = ldb_write,
    .snapshot = cs__ldb_snapshot,
    .release = cs__ldb_release,
    .iter = ldb_iter,
    .iter_seek = ldb_iter_seek,
    .iter_next = ldb_iter_next,
    .iter_valid = ldb_iter_valid,
    .iter_key = ldb_iter_key,
    .iter_value = ldb_iter_value,
    .iter_err = ldb_iter_err,
    .iter_destroy = ldb_iter_destroy,
    .close = cs__ldb_close,
};
